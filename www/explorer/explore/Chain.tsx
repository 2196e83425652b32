/**
 * The chain of headers around a ledger, to be walked: what ties it to the one before and the one after, up to the first and the last of
 * its checkpoint, and what would tie those to genesis and to a tip that validators signed.
 *
 * It reads the checkpoint alone, so it says what that covers and what it does not. Not here: a verdict; only a check makes one.
 */
import { Fragment, type ComponentChildren, type JSX } from 'preact';
import type { CheckpointView, LedgerRow } from '../../lib/explore-types.ts';
import { EMPTY_FORM, encodeForm } from '../form.ts';
import { grouped, plural } from '../format.ts';
import { form } from '../store.ts';
import { type At, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { useLooked } from './look-up.ts';
import { OutcomeBadge, type Outcome } from './Pieces.tsx';

/** Whether a header of the checkpoint names the one before it. */
function tied(row: LedgerRow): boolean {
  return !row.broken.some((name) => name === 'previous-header' || name === 'header-hash' || name === 'genesis');
}

function Link({ at, ledger, here, children, outcome }: {
  readonly at: At;
  readonly ledger: number;
  readonly here?: boolean;
  readonly children: ComponentChildren;
  readonly outcome: Outcome;
}): JSX.Element {
  return (
    <li class={here === true ? 'stop here' : 'stop'} data-link={ledger} data-outcome={outcome}>
      <p><strong>{here === true ? <span aria-current="true">Ledger {grouped(ledger)}, this one</span> : <a href={to({ kind: 'ledger', ledger }, at.place)}>Ledger {grouped(ledger)}</a>}</strong> <OutcomeBadge outcome={outcome} /></p>
      <p class="hint">{children}</p>
    </li>
  );
}

/** The check of a range in this archive, as a form that is filled in. */
function rangeLink(at: At, low: number, high: number): string {
  return encodeForm({ ...EMPTY_FORM, sources: [at.archive.source], network: form.value.network, low: String(low), high: String(high) });
}

/** Where both ends are named, those between them. */
function Between({ rows }: { readonly rows: readonly LedgerRow[] }): JSX.Element | null {
  if (rows.length === 0) return null;
  const broken = rows.filter((row) => !tied(row));
  return <li class="between hint">{broken.length === 0 ? `${plural(rows.length, 'ledger')} between, each naming the hash of the one before` : `${plural(rows.length, 'ledger')} between, of which ${grouped(broken.length)} broken: ${broken.slice(0, 5).map(({ ledger }) => grouped(ledger)).join(', ')}`}</li>;
}

function Walk({ at, view, ledger, signed }: { readonly at: At; readonly view: CheckpointView; readonly ledger: number; readonly signed: number }): JSX.Element {
  const rows = new Map(view.ledgers.map((row) => [row.ledger, row]));
  const { low, high } = view;
  const of = (number: number): Outcome => {
    const row = rows.get(number);
    return row === undefined ? 'unknown' : tied(row) ? 'holds' : 'broken';
  };
  const among = (from: number, until: number): readonly LedgerRow[] => view.ledgers.filter((row) => row.ledger > from && row.ledger < until);
  // Of three around the ledger, those that are not an end of the checkpoint.
  const near = [ledger - 1, ledger, ledger + 1].filter((number) => number > low && number < high);
  const [first = high, last = low] = [near[0], near.at(-1)];
  const complete = view.ledgers.length === high - low + 1 && view.ledgers.every(tied);
  return (
    <Fragment>
      <ol class="chain">
        {low > 1 ? (
          <li class="stop far" data-link="1">
            <p><strong><a href={to({ kind: 'ledger', ledger: 1 }, at.place)}>Ledger 1, genesis</a></strong> <OutcomeBadge outcome="unknown" word="Not read here" /></p>
            <p class="hint">{plural(low - 1, 'ledger')} before this checkpoint: <a href={rangeLink(at, 1, ledger)}>a check from genesis to here</a> covers them, where the archive has them.</p>
          </li>
        ) : null}
        <Link at={at} ledger={low} here={low === ledger} outcome={of(low)}>
          {low === 1 ? 'Genesis: its header follows from the network’s passphrase alone. See its checks.' : 'First of this checkpoint. It names the last header of the checkpoint before.'}
        </Link>
        <Between rows={among(low, first)} />
        {near.map((number) => (
          <Link key={number} at={at} ledger={number} here={number === ledger} outcome={of(number)}>
            {`Names the hash of ${grouped(number - 1)} as the ledger before.`}
          </Link>
        ))}
        <Between rows={near.length === 0 ? [] : among(last, high)} />
        {high !== low && (
          <Link at={at} ledger={high} here={high === ledger} outcome={of(high)}>Last of this checkpoint. It alone names the buckets that the archive has; it is named by the ledger after.</Link>
        )}
        <li class="stop far" data-link="tip">
          <p><strong>A tip that validators signed</strong> <OutcomeBadge outcome="unknown" word="Depends on whom you believe" /></p>
          <p class="hint">
            {signed === 0 ? 'The archive has no valid signatures over this ledger. ' : `${plural(signed, 'validator')} signed this ledger’s value, and with it the header of ledger ${grouped(ledger - 1)}. `}
            Whether those are enough, <a href={rangeLink(at, ledger, ledger)}>a check</a> says by the quorum set that you choose there.
          </p>
        </li>
      </ol>
      <p class={complete ? 'chain-said' : 'chain-said tone-faulty'} data-chain={complete ? 'whole' : 'open'}>
        {complete
          ? `From ledger ${grouped(low)} to ${grouped(high)} every header hashes to what the next one names.`
          : `The chain of this checkpoint is not whole: ${plural(high - low + 1 - view.ledgers.filter(tied).length, 'header')} of ${grouped(high - low + 1)} missing or broken.`}{' '}
        That alone makes it consistent, not true: whoever makes up one header can make up all that follow. It becomes the network’s history by genesis at one end, or by signatures at the other.
      </p>
    </Fragment>
  );
}

export function Chain({ at, ledger, signed }: { readonly at: At; readonly ledger: number; readonly signed: number }): JSX.Element {
  const { looked, again } = useLooked((signal) => at.archive.explorer.checkpoint(ledger, { signal }));
  const state = looked.value;
  if (state.state === 'failed') return <Failed at={at} failure={state.failure} again={again} />;
  if (state.state !== 'ready') return <p class="hint">Reading the headers of its checkpoint…</p>;
  return <Walk at={at} view={state.value} ledger={ledger} signed={signed} />;
}
