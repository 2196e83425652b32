/** For whoever comes for the first time: what this is, and something to press at once. Gone as soon as there is a check. */
import type { JSX } from 'preact';
import { engine, localArchives, sampleOf, trySample } from '../store.ts';

export function Welcome(): JSX.Element {
  const sample = sampleOf(localArchives.value);
  return (
    <section class="welcome" aria-label="What this page does">
      <p>
        <strong>Is a Stellar history archive whole and unaltered?</strong> Give its address and press “Start check”: every file is read,
        hashed and followed back to the first ledger, in this tab.
      </p>
      {/* Its room is kept while it is not known whether there is a sample. */}
      <button id="try" type="button" class={sample === undefined ? 'button unseen' : 'button'} disabled={engine.value.state === 'failed'} onClick={trySample}>Try it on a sample</button>
    </section>
  );
}
