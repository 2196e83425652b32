import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Run } from '../run.ts';
import { NotLoaded } from './NotLoaded.tsx';

type Part = typeof import('./RunView.tsx');

const part = signal<Part | null>(null);
const refused = signal(false);

/** Fetches what shows a check ahead of the first one: whoever starts it may be without a network by then. */
export async function fetchRunPart(): Promise<void> {
  refused.value = false;
  try {
    part.value ??= await import('./RunView.tsx');
  } catch {
    refused.value = true;
  }
}

/** A check and what came of it, which the page shows itself without: it comes right after. */
export function RunPart({ run }: { readonly run: Run }): JSX.Element {
  useEffect(() => {
    if (part.value === null) void fetchRunPart();
  }, []);
  if (part.value !== null) return <part.value.RunView run={run} />;
  if (!refused.value) return <p class="first-paint">Loading…</p>;
  return <NotLoaded again={() => void fetchRunPart()}><button type="button" class="button quiet" onClick={() => run.cancel()}>Cancel</button></NotLoaded>;
}
