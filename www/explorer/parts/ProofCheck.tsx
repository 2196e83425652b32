import { signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ProofReport } from '../../lib/types.ts';
import { chooseFile, textOf } from '../files.ts';
import { believed, busy, form, formOpen, openProof, proof, run } from '../store.ts';
import { Icon } from './Icon.tsx';
import { NotLoaded } from './NotLoaded.tsx';

const part = signal<typeof import('./ProofView.tsx') | null>(null);
const refused = signal(false);

/** Fetches what shows a verdict about a proof ahead of the first one, which may come when there is no network any more. */
export async function fetchProofView(): Promise<void> {
  refused.value = false;
  try {
    part.value ??= await import('./ProofView.tsx');
  } catch {
    refused.value = true;
  }
}

/** The verdict, whose part comes right after the page. */
function Outcome({ name, report }: { readonly name: string; readonly report: ProofReport }): JSX.Element {
  useEffect(() => {
    if (part.value === null) void fetchProofView();
  }, []);
  if (part.value !== null) return <part.value.ProofView name={name} report={report} />;
  return refused.value ? <NotLoaded again={() => void fetchProofView()}>{null}</NotLoaded> : <p class="checking">Loading…</p>;
}

/** Bytes; the verifier itself takes no larger proof. */
const LARGEST = 32 << 20;

async function open(file: File | null): Promise<void> {
  if (file === null) return;
  try {
    await openProof(file.name, await textOf(file, LARGEST));
  } catch (error) {
    proof.value = { state: 'failed', name: file.name, reason: error instanceof Error ? error.message : String(error) };
  }
}

function close(): void {
  proof.value = null;
  document.getElementById('proof-file')?.focus();
}

function Paste(): JSX.Element {
  const text = useSignal('');
  return (
    <details class="paste">
      <summary>Paste a proof</summary>
      <div class="field">
        <label for="proof-text" class="visually-hidden">The proof’s text</label>
        <textarea
          id="proof-text" rows={4} value={text.value} placeholder={'{ "schema": 1, "kind": "transaction", … }'}
          autocomplete="off" autocapitalize="off" spellcheck={false} onInput={(event) => { text.value = event.currentTarget.value; }}
        />
      </div>
      <button id="proof-check" type="button" class="button" disabled={text.value.trim() === ''} onClick={() => void openProof('the pasted proof', text.value)}>Check it</button>
    </details>
  );
}

/** A proof of one transaction or entry, checked in this tab: a place to drop it, and what it turned out to be. */
export function ProofCheck(): JSX.Element | null {
  const state = proof.value;
  if (state === null && (busy.value || (run.value !== null && !formOpen.value))) return null;
  return (
    <div class="card proof-check">
      <section aria-labelledby="proof-title">
        <div class="card-head">
          <h2 id="proof-title">Check a proof</h2>
          <div class="actions">
            <button id="proof-file" type="button" class="button" onClick={() => void chooseFile('.json,application/json').then(open)}><Icon name="folder" /> Choose a file</button>
            {state !== null && <button type="button" class="button quiet" onClick={close}>Close</button>}
          </div>
        </div>
        <p class="hint">
          A proof shows that a transaction or a ledger entry is in the history. Drop its file on this page: it is checked in this tab, also without a
          network. It believes {form.value.quorum === '' ? 'the validators of the proof’s network' : believed.value.words}, as chosen above.
        </p>
        <Paste />
        {state?.state === 'checking' && <p class="checking">Checking {state.name}…</p>}
        {state?.state === 'failed' && <p class="fault"><Icon name="warning" /><span>{state.name} could not be checked: {state.reason}</span></p>}
        {state?.state === 'done' && <Outcome name={state.name} report={state.report} />}
      </section>
    </div>
  );
}
