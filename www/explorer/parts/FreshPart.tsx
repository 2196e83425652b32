/** How fresh the archives of the form are: the button that asks, and the place of the answer, whose part is loaded by it. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce, engine, form } from '../store.ts';

const part = signal<typeof import('../fresh/Fresh.tsx') | null>(null);

async function ask(): Promise<void> {
  try {
    part.value ??= await import('../fresh/Fresh.tsx');
    await part.value.askFresh();
  } catch {
    announce('That part of the page could not be loaded: try again');
  }
}

/** Archives are asked by this button only. */
export function AskFresh(): JSX.Element {
  const { sources } = form.value;
  const several = sources.length > 1 || (sources[0]?.kind === 'url' && sources[0].url.trim() === '');
  return (
    <button id="ask-fresh" type="button" class="button small quiet" disabled={engine.value.state === 'failed'} onClick={() => void ask()}>
      {several ? 'How fresh are they?' : 'How fresh is it?'}
    </button>
  );
}

export function FreshPart(): JSX.Element | null {
  return part.value === null ? null : <part.value.Fresh />;
}
