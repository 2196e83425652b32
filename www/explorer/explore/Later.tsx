/** A place for what is loaded once it is opened (`Deeper.tsx`). Not here: what that shows. */
import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { NotLoaded } from '../parts/NotLoaded.tsx';

type Part = typeof import('./Deeper.tsx');

const part = signal<Part | null>(null);
const refused = signal(false);

async function load(): Promise<void> {
  refused.value = false;
  try {
    part.value ??= await import('./Deeper.tsx');
  } catch {
    refused.value = true;
  }
}

export function Later({ children }: { readonly children: (part: Part) => ComponentChildren }): JSX.Element {
  useEffect(() => void load(), []);
  const loaded = part.value;
  if (loaded !== null) return <>{children(loaded)}</>;
  return refused.value ? <NotLoaded again={() => void load()}>{null}</NotLoaded> : <p class="hint">Loading…</p>;
}
