import { signal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { closeCopy } from '../store.ts';
import { Icon } from './Icon.tsx';

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
  return (
    <section class="notice tone-unchecked" role="alert">
      <h2><Icon name="warning" /> This part of the page could not be loaded</h2>
      <p>It comes from this page’s own server, which did not answer, or has a newer version of the page: then reload it.</p>
      <p class="actions">
        <button type="button" class="button" onClick={() => void load()}>Try again</button>
        <button type="button" class="button quiet" onClick={closeCopy}>Back</button>
      </p>
    </section>
  );
}
