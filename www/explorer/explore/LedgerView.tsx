/** A ledger: its header field by field, the checks with their evidence, its transactions, and who signed for it. */
import { useSignal } from '@preact/signals';
import { Fragment, type ComponentChildren, type JSX } from 'preact';
import type { Check, LedgerView as Ledger, TransactionRow } from '../../lib/explore-types.ts';
import { checkpointOf } from '../checkpoints.ts';
import { grouped, hex, plural } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Checks, summaryOf } from './Checks.tsx';
import { type At, Frame, Skeleton, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { useLooked } from './look-up.ts';
import { Fold, OutcomeBadge, Pager, Raw, Time } from './Pieces.tsx';
import { FREQUENCY, type Subject } from './routes.ts';
import { Scp } from './Scp.tsx';
import { groupedText, inStroops, lumens, operationsInWords, textWithin, within } from './words.ts';

/** Rows of a list that are in the document at a time. */
const PAGE = 100;

interface Row {
  readonly name: string;
  readonly value: ComponentChildren;
  /** The check that the value's truth comes from. */
  readonly check?: Check['name'];
}

function hashRow(name: string, json: unknown, field: string, check?: Check['name']): Row[] {
  const value = textWithin(json, field);
  return value === null ? [] : [{ name, value: <Hash value={value} what={name.toLowerCase()} />, ...(check === undefined ? {} : { check }) }];
}

function rowsOf(json: unknown): readonly Row[] {
  const header = within(json, 'header');
  const amount = (name: string, field: string, words: (value: string) => string): Row[] => {
    const value = textWithin(header, field);
    return value === null ? [] : [{ name, value: <span class="figure">{words(value)}</span> }];
  };
  const value = within(header, 'scp_value');
  const closed = Number(textWithin(value, 'close_time') ?? '0');
  const upgrades = within(value, 'upgrades');
  const changes = Array.isArray(upgrades) ? upgrades : [];
  const skips = within(header, 'skip_list');
  return [
    { name: 'Closed', value: <Time seconds={closed} /> },
    ...amount('Protocol', 'ledger_version', groupedText),
    ...hashRow('Hash', json, 'hash', 'header-hash'),
    ...hashRow('Hash of the ledger before', header, 'previous_ledger_hash', 'previous-header'),
    ...hashRow('Transaction set', value, 'tx_set_hash', 'transaction-set'),
    ...hashRow('Results', header, 'tx_set_result_hash', 'results'),
    ...hashRow('Bucket list', header, 'bucket_list_hash', 'bucket-list'),
    ...amount('Base fee', 'base_fee', inStroops),
    ...amount('Base reserve', 'base_reserve', (stroops) => `${lumens(stroops)} (${inStroops(stroops)})`),
    ...amount('Fee pool', 'fee_pool', (stroops) => `${lumens(stroops)} (${inStroops(stroops)})`),
    ...amount('Total coins', 'total_coins', lumens),
    ...amount('Largest transaction set', 'max_tx_set_size', (count) => groupedText(count)),
    ...amount('Last id of an offer', 'id_pool', groupedText),
    ...amount('Inflation number', 'inflation_seq', groupedText),
    ...(changes.length === 0 ? [] : [{ name: 'Upgrades', value: <span class="plain-value">{changes.map((change) => (typeof change === 'string' ? change : JSON.stringify(change))).join(', ')}</span> }]),
    ...(Array.isArray(skips) ? [{
      name: 'Skip list',
      value: (
        <Fold summary={`${grouped(skips.length)} hashes of older bucket lists`}>
          {() => <ol class="plain-list">{skips.map((skip, place) => <li key={place}>{typeof skip === 'string' && <Hash value={skip} what={`hash ${place + 1} of the skip list`} />}</li>)}</ol>}
        </Fold>
      ),
    }] : []),
  ];
}

function Header({ ledger }: { readonly ledger: Ledger }): JSX.Element {
  const outcomes = new Map(ledger.checks.map((check) => [check.name, check.outcome]));
  // The genesis ledger has nothing before it to be compared with.
  const of = (name: Check['name']): Check['outcome'] | undefined => outcomes.get(name) ?? (name === 'header-hash' ? outcomes.get('genesis') : undefined);
  return (
    <section class="card" aria-labelledby="header-title">
      <h3 id="header-title">Header</h3>
      <table class="look-table header-table">
        <colgroup><col class="header-names" /><col /><col class="header-checks" /></colgroup>
        <thead class="visually-hidden"><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">Check</th></tr></thead>
        <tbody>
          {rowsOf(ledger.json).map(({ name, value, check }) => {
            const outcome = check === undefined ? undefined : of(check);
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
                <td class="header-check">{outcome !== undefined && <OutcomeBadge outcome={outcome} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="hint">What has no check of its own is part of the bytes that the header’s hash is of.</p>
      <Fold summary="The header as JSON and XDR">{() => <Raw name="The header" json={ledger.json} xdr={ledger.xdr} />}</Fold>
    </section>
  );
}

/** What it asked for stands in the transaction set, which may be missing, or another one. */
function asked({ source, operations }: TransactionRow): JSX.Element | string {
  return source === null && operations.length === 0 ? <span class="none">not known</span> : operationsInWords(operations);
}

function Transactions({ at, ledger, rows }: { readonly at: At; readonly ledger: number; readonly rows: readonly TransactionRow[] }): JSX.Element {
  const from = useSignal(0);
  const failed = rows.filter(({ successful }) => !successful).length;
  return (
    <section class="card" aria-labelledby="transactions-title">
      <h3 id="transactions-title">Transactions <span class="aside">{rows.length === 0 ? 'none' : `${grouped(rows.length)}${failed === 0 ? '' : `, ${grouped(failed)} failed`}`}</span></h3>
      {rows.length === 0 ? <p class="hint">An empty ledger: the network closed it without a transaction.</p> : (
        <Fragment>
          <Pager from={from.value} size={PAGE} total={rows.length} go={(next) => { from.value = next; }} />
          <table class="look-table transactions-table">
            <thead>
              <tr>
                <th scope="col">No.</th>
                <th scope="col">Transaction</th>
                <th scope="col">Result</th>
                <th scope="col" class="roomy">Operations</th>
                <th scope="col" class="number roomy">Fee, stroops</th>
                <th scope="col" class="roomiest">Source</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(from.value, from.value + PAGE).map((row) => (
                <tr key={row.index} data-tx={row.index}>
                  <th scope="row" class="figure">{grouped(row.index + 1)}</th>
                  <td>
                    <a class="hash-link" href={to({ kind: 'transaction', ledger, index: row.index }, at.place)} title={row.hash}>
                      <code class="hash-text"><span class="hash-head">{row.hash.slice(0, -8)}</span><span class="hash-tail">{row.hash.slice(-8)}</span></code>
                    </a>
                    <span class="under hint">{asked(row)}</span>
                  </td>
                  <td><span class={`badge tone-${row.successful ? 'verified' : 'unchecked'}`} title={row.result}><Icon name={row.successful ? 'done' : 'failed'} />{row.successful ? 'Success' : 'Failed'}</span></td>
                  <td class="roomy">{asked(row)}</td>
                  <td class="number roomy">{groupedText(row.feeCharged)}</td>
                  <td class="roomiest">{row.source === null ? <span class="none">unknown</span> : <code class="hash-text" title={row.source}><span class="hash-head">{row.source.slice(0, -8)}</span><span class="hash-tail">{row.source.slice(-8)}</span></code>}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <Pager from={from.value} size={PAGE} total={rows.length} go={(next) => { from.value = next; }} />
        </Fragment>
      )}
    </section>
  );
}

export function LedgerView({ ledger, ...at }: At & { readonly ledger: number }): JSX.Element {
  const { looked, again } = useLooked((signal) => at.archive.explorer.ledger(ledger, { signal }));
  const state = looked.value;
  const found = state.state === 'ready' ? state.value : null;
  const checkpoint = checkpointOf(ledger, FREQUENCY);
  const beside = (number: number): { readonly label: string; readonly subject: Subject } | null =>
    number < 1 || number > 0xffff_ffff ? null : { label: `Ledger ${grouped(number)}`, subject: { kind: 'ledger', ledger: number } };
  return (
    <Frame
      at={at} kind="ledger" title={`Ledger ${grouped(ledger)}`} aside={hex(ledger)} steps={{ before: beside(ledger - 1), after: beside(ledger + 1) }}
      crumbs={[{ label: `Checkpoint ${grouped(checkpoint)}`, href: to({ kind: 'checkpoint', checkpoint }, at.place) }]} busy={state.state === 'loading'}
      said={found === null ? null : `Ledger ${ledger}: ${plural(found.transactions.length, 'transaction')}; checks: ${summaryOf(found.checks)}`}
    >
      {state.state === 'loading' && <Skeleton />}
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={again} ledger={ledger} />}
      {found !== null && (
        <Fragment>
          <Header ledger={found} />
          <Checks archive={at.archive} checks={found.checks} />
          <Transactions at={at} ledger={ledger} rows={found.transactions} />
          <Scp scp={found.scp} />
        </Fragment>
      )}
    </Frame>
  );
}
