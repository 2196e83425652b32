/** Comparing the archives of the form: the button, and the place of it, whose part is loaded once someone wants it. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { busy, engine, form } from '../store.ts';
import { NotLoaded } from './NotLoaded.tsx';

const part = signal<typeof import('../compare/CompareArea.tsx') | null>(null);
const refused = signal(false);

async function open(): Promise<void> {
  refused.value = false;
  try {
    part.value ??= await import('../compare/CompareArea.tsx');
  } catch {
    refused.value = true;
    return;
  }
  await part.value.openComparison();
}

/** Only with something to compare. `ready`: shows what is wrong with the form, and says whether it can be used. */
export function CompareButton({ ready }: { readonly ready: () => boolean }): JSX.Element | null {
  const given = form.value.sources.filter((source) => source.kind === 'folder' || source.url.trim() !== '');
  if (given.length < 2) return null;
  const onClick = (): void => {
    if (ready()) void open();
  };
  return <button id="compare" type="button" class="button quiet" disabled={busy.value || engine.value.state === 'failed'} onClick={onClick}>Compare…</button>;
}

export function ComparePart(): JSX.Element | null {
  if (refused.value) return <NotLoaded again={() => void open()}><button type="button" class="button quiet" onClick={() => { refused.value = false; }}>Back</button></NotLoaded>;
  return part.value === null ? null : <part.value.CompareArea />;
}
