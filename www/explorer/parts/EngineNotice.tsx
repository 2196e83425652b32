import type { JSX } from 'preact';
import { engine, load } from '../store.ts';
import { Icon } from './Icon.tsx';

/** What to do when the verifier itself did not arrive. */
export function EngineNotice(): JSX.Element | null {
  const state = engine.value;
  if (state.state !== 'failed') return null;
  return (
    <section class="notice tone-faulty" role="alert" aria-labelledby="engine-title">
      <h2 id="engine-title"><Icon name="warning" /> The verifier could not be loaded</h2>
      <p>
        This page verifies with a WebAssembly module from its own server, and that module did not start. The usual causes are a connection that
        broke off, a server that does not send the file, or a browser setting or extension that switches WebAssembly off.
      </p>
      <p class="said">What the browser said: <code>{state.reason}</code></p>
      <p class="actions"><button type="button" class="button" onClick={() => void load()}>Try again</button></p>
    </section>
  );
}
