import { signal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { closeCopy } from '../store.ts';
import { NotLoaded } from './NotLoaded.tsx';

const part = signal<ComponentType | null>(null);
const refused = signal(false);

async function load(): Promise<void> {
  refused.value = false;
  try {
    part.value = (await import('../copy/CopyArea.tsx')).CopyArea;
  } catch {
    refused.value = true;
  }
}

/** Mirror and repair, which are loaded once someone wants them: most who come here only look. */
export function CopyPart(): JSX.Element {
  useEffect(() => {
    if (part.value === null) void load();
  }, []);
  const Part = part.value;
  if (Part !== null) return <Part />;
  if (!refused.value) return <p class="first-paint">Loading…</p>;
  // Who comes again is not met by what failed before.
  const leave = (): void => {
    refused.value = false;
    closeCopy();
  };
  return <NotLoaded again={() => void load()}><button type="button" class="button quiet" onClick={leave}>Back</button></NotLoaded>;
}
