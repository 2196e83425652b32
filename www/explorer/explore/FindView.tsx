/** The search for a transaction by its hash. Archives have no index: the results of a range are read, from the newest on. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { FoundTransaction, SearchProgress } from '../../lib/explore-types.ts';
import { checkpointOf } from '../checkpoints.ts';
import { parseLedger } from '../form.ts';
import { duration, grouped, plural } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { announce, edit, form } from '../store.ts';
import { type At, Frame, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { useLooked, useTask } from './look-up.ts';
import { Fact } from './Pieces.tsx';
import { FREQUENCY } from './routes.ts';

function Bound({ name, label, placeholder, disabled }: { readonly name: 'low' | 'high'; readonly label: string; readonly placeholder: string; readonly disabled: boolean }): JSX.Element {
  return (
    <div class="field">
      <label for={`find-${name}`}>{label}</label>
      <input
        id={`find-${name}`} type="text" value={form.value[name]} placeholder={placeholder} disabled={disabled} autocomplete="off" spellcheck={false}
        onInput={(event) => edit({ scope: 'range', [name]: event.currentTarget.value })}
      />
    </div>
  );
}

export function FindView({ hash, ...at }: At & { readonly hash: string }): JSX.Element {
  const { explorer } = at.archive;
  const { looked, again } = useLooked((signal) => explorer.newest({ signal }));
  const { task, start, cancel } = useTask<FoundTransaction | null>();
  const progress = useSignal<SearchProgress | null>(null);
  const startedAt = useSignal(0);
  const { low, high } = form.value;
  const newest = looked.value.state === 'ready' ? looked.value.value.ledger : null;
  const bound = (text: string): number | null | undefined => (text.trim() === '' ? undefined : parseLedger(text));
  const first = bound(low);
  const last = bound(high);
  const fault = first === null || last === null ? 'A ledger is a number from 1 to 4294967295, decimal or 0x….'
    : first !== undefined && last !== undefined && first > last ? 'The last ledger comes before the first.' : null;
  const upTo = Math.min(last ?? newest ?? 0, newest ?? 0);
  const checkpoints = newest === null || fault !== null || (first ?? 1) > upTo ? 0 : (checkpointOf(upTo, FREQUENCY) - checkpointOf(first ?? 1, FREQUENCY)) / FREQUENCY + 1;
  const state = task.value;
  const searched = progress.value;
  useEffect(() => {
    if (state.state !== 'ready') return;
    if (state.value === null) announce('It is in none of these ledgers');
    else announce(`Found in ledger ${state.value.ledger}`);
  }, [state]);
  const search = (): void => {
    progress.value = null;
    startedAt.value = performance.now();
    start((signal) => explorer.findTransaction(hash, {
      signal, onProgress: (event) => { progress.value = event; },
      ...(first === undefined || first === null ? {} : { low: first }), ...(last === undefined || last === null ? {} : { high: last }),
    }));
  };
  const left = searched === null || searched.done === 0 ? null : ((performance.now() - startedAt.value) / searched.done) * (searched.total - searched.done);
  return (
    <Frame at={at} kind="find" crumbs={[]} title="Search for a transaction" busy={looked.value.state === 'loading'} said={newest === null ? null : 'Search for a transaction'}>
      <section class="card" aria-label="What is looked for">
        <dl class="evidence facts"><Fact name="Hash"><Hash value={hash} what="the hash" /></Fact></dl>
        <p class="find-why">
          Archives have no index of transactions. So the results of a range of ledgers are read one after another, the newest first; whoever knows about when it was saves most of it.
        </p>
        <form
          class="find-form" aria-label="Range to search" noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (checkpoints > 0 && state.state !== 'loading') search();
          }}
        >
          <Bound name="low" label="From ledger" placeholder="first" disabled={state.state === 'loading'} />
          <Bound name="high" label="To ledger" placeholder={newest === null ? 'newest' : grouped(newest)} disabled={state.state === 'loading'} />
          {state.state === 'loading'
            // Not the same button with another name: what the click on this one still does would search again.
            ? <button key="stop" id="stop-search" type="button" class="button" onClick={cancel}>Cancel</button>
            : <button key="search" id="search" type="submit" class="button primary" disabled={checkpoints === 0}>Search</button>}
          <p class="hint" id="cost">
            {fault ?? (newest === null ? 'How far the archive goes is not known yet.' : checkpoints === 0 ? `The archive ends at ledger ${grouped(newest)}.`
              : `At most ${plural(checkpoints, 'file')} of results, one for each checkpoint${checkpoints > 2000 ? ': give a range, or this takes long' : ''}.`)}
          </p>
        </form>
        {state.state === 'loading' && (
          <div class="searching">
            <progress aria-label="Checkpoints searched" value={searched?.done ?? 0} max={Math.max(1, searched?.total ?? checkpoints)} />
            <p class="hint figure">
              {grouped(searched?.done ?? 0)} of {plural(searched?.total ?? checkpoints, 'checkpoint')}{searched === null ? '' : `, now at ${/^\d+$/.test(searched.at) ? grouped(Number(searched.at)) : searched.at}`}
              {left !== null && left > 2000 ? `; about ${duration(left)} left` : ''}
            </p>
          </div>
        )}
      </section>
      {looked.value.state === 'failed' && <Failed at={at} failure={looked.value.failure} again={again} />}
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={search} />}
      {state.state === 'ready' && state.value !== null && (
        <section class="notice tone-verified" aria-label="Found" data-found={state.value.ledger}>
          <h3><Icon name="verified" /> It is in ledger {grouped(state.value.ledger)}</h3>
          <p class="actions">
            <a class="button primary" href={to({ kind: 'transaction', ledger: state.value.ledger, index: state.value.index }, at.place)}>Open the transaction</a>
          </p>
        </section>
      )}
      {state.state === 'ready' && state.value === null && (
        <section class="notice tone-unchecked" aria-label="Not found" data-found="none">
          <h3><Icon name="info" /> It is in none of these ledgers</h3>
          <p>All results from ledger {grouped(first ?? 1)} to {grouped(upTo)} that the archive has were read. It may be in other ledgers, of another network, or be the hash of something else.</p>
        </section>
      )}
    </Frame>
  );
}
