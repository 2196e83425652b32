import type { JSX } from 'preact';

/** What stands below the form before the first check. */
export function Guide(): JSX.Element {
  return (
    <section class="guide" aria-labelledby="guide-title">
      <h2 id="guide-title" class="visually-hidden">What this does</h2>
      <div>
        <h3>What is checked</h3>
        <p>
          Every ledger header is hashed and linked to the one before it, back to the genesis ledger that follows from the network’s passphrase.
          Transactions, results and buckets are hashed and compared with what the headers say.
        </p>
      </div>
      <div>
        <h3>What “verified” proves</h3>
        <p>The files of the range are complete and unaltered: they agree with each other and with one unbroken chain of ledgers.</p>
      </div>
      <div>
        <h3>What it does not prove</h3>
        <p>
          That this chain is the one the network agreed on, unless someone whom you believe vouches for it: validators by their signatures, or
          a hash that you know. The verdict says who does, and for which ledgers.
        </p>
      </div>
    </section>
  );
}
