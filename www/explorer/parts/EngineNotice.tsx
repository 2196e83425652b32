/**
 * What stands above everything when the verifier did not come, or the network is gone.
 *
 * The words for it are a part of their own, fetched ahead: when they are needed it may be too late to ask for them.
 */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { engine, load } from '../store.ts';
import { Icon } from './Icon.tsx';

const part = signal<typeof import('./Notices.tsx') | null>(null);

export async function fetchNotices(): Promise<void> {
  try {
    part.value = await import('./Notices.tsx');
  } catch {
    // What is below says enough.
  }
}

export function EngineNotice(): JSX.Element | null {
  const state = engine.value;
  if (state.state !== 'failed') return part.value === null ? null : <part.value.Offline />;
  return (
    <section class="notice tone-faulty" role="alert" aria-labelledby="engine-title">
      <h2 id="engine-title"><Icon name="warning" /> The verifier could not be loaded</h2>
      {part.value !== null && <part.value.NotStarted reason={state.reason} />}
      <p class="said">What the browser said: <code>{state.reason}</code></p>
      <p class="actions"><button type="button" class="button" onClick={() => void load()}>Try again</button></p>
    </section>
  );
}
