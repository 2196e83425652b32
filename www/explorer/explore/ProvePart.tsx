/** The way to a proof, from the page of a transaction. What makes and shows it is loaded once someone wants one. */
import { signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { TransactionView } from '../../lib/explore-types.ts';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import { believed } from '../store.ts';
import type { At } from './Frame.tsx';

type Part = typeof import('./Prove.tsx');

const part = signal<Part | null>(null);
const refused = signal(false);

async function load(): Promise<void> {
  refused.value = false;
  try {
    part.value ??= await import('./Prove.tsx');
  } catch {
    refused.value = true;
  }
}

export function ProvePart({ at, found }: { readonly at: At; readonly found: TransactionView }): JSX.Element {
  const wanted = useSignal(false);
  const want = (): void => {
    wanted.value = true;
    void load();
  };
  const Loaded = part.value;
  return (
    <section class="card" aria-labelledby="prove-title">
      <h3 id="prove-title">A proof of it</h3>
      <p class="hint">
        A file that shows to anyone, without any archive, that this transaction is in the history with this result. It is made here and checked
        at once{believed.value.words.startsWith('nobody') ? '' : `, by the word of ${believed.value.words}`}; who checks it later chooses themselves whom to believe.
      </p>
      {wanted.value && Loaded !== null ? <Loaded.Prove at={at} found={found} /> : (
        <p class="actions"><button id="make-proof" type="button" class="button" disabled={wanted.value && !refused.value} onClick={want}>Make a proof</button></p>
      )}
      {wanted.value && refused.value && Loaded === null && <NotLoaded again={want}>{null}</NotLoaded>}
    </section>
  );
}
