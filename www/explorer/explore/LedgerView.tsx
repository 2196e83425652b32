/** A ledger: its header field by field, the checks with their evidence, its transactions, and who signed for it. */
import { useSignal } from '@preact/signals';
import { Fragment, type ComponentChildren, type JSX } from 'preact';
import type { Check, LedgerView as Ledger, TransactionRow } from '../../lib/explore-types.ts';
import { checkpointOf } from '../checkpoints.ts';
import { grouped, hex, plural } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { CHECK_TITLE, Checks, showCheck, summaryOf } from './Checks.tsx';
import { type At, Frame, Skeleton, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { Later } from './Later.tsx';
import { useLooked } from './look-up.ts';
import { Fold, OUTCOME_WORD, Pager, Raw, Time, TONE } from './Pieces.tsx';
import { FREQUENCY, type Subject } from './routes.ts';
import { Scp } from './Scp.tsx';
import { Upgrades } from './Upgrades.tsx';
import { groupedText, inStroops, lumens, operationsInWords, textWithin, within } from './words.ts';

/** Rows of a list that are in the document at a time. */
const PAGE = 100;

interface Row {
  readonly name: string;
  readonly value: ComponentChildren;
  /** The checks that cover it, besides that the header's hash is of all fields. */
  readonly checks?: readonly Check['name'][];
  /** What no check here covers. */
  readonly not?: ComponentChildren;
}

function hashRow(name: string, json: unknown, field: string, checks: readonly Check['name'][], not?: ComponentChildren): Row[] {
  const value = textWithin(json, field);
  return value === null ? [] : [{ name, value: <Hash value={value} what={name.toLowerCase()} />, checks, ...(not === undefined ? {} : { not }) }];
}

function rowsOf(at: At, { json, ledger, checkpoint, upgrades }: Ledger): readonly Row[] {
  const header = within(json, 'header');
  const amount = (name: string, field: string, words: (value: string) => string): Row[] => {
    const value = textWithin(header, field);
    return value === null ? [] : [{ name, value: <span class="figure">{words(value)}</span> }];
  };
  const value = within(header, 'scp_value');
  const closed = Number(textWithin(value, 'close_time') ?? '0');
  const skips = within(header, 'skip_list');
  const flags = textWithin(header, 'ext', 'v1', 'flags');
  const noBuckets = ledger === checkpoint ? undefined : (
    <Fragment>Buckets are kept for <a href={to({ kind: 'ledger', ledger: checkpoint }, at.place)}>ledger {grouped(checkpoint)}</a> alone</Fragment>
  );
  return [
    { name: 'Closed', value: <Time seconds={closed} />, checks: ['scp-value'] },
    ...amount('Protocol', 'ledger_version', groupedText),
    ...hashRow('Hash', json, 'hash', ['header-hash', 'next-header', 'genesis']),
    ...hashRow('Hash of the ledger before', header, 'previous_ledger_hash', ['previous-header']),
    ...hashRow('Transaction set', value, 'tx_set_hash', ['transaction-set', 'scp-value']),
    ...hashRow('Results', header, 'tx_set_result_hash', ['results', 'result-count']),
    ...hashRow('Bucket list', header, 'bucket_list_hash', ['bucket-list'], noBuckets),
    ...(upgrades.length === 0 ? [] : [{ name: 'Upgrades', value: <Upgrades upgrades={upgrades} />, checks: ['scp-value'] as const }]),
    ...amount('Base fee', 'base_fee', inStroops),
    ...amount('Base reserve', 'base_reserve', (stroops) => `${lumens(stroops)} (${inStroops(stroops)})`),
    ...amount('Fee pool', 'fee_pool', (stroops) => `${lumens(stroops)} (${inStroops(stroops)})`),
    ...amount('Total coins', 'total_coins', lumens),
    ...amount('Largest transaction set', 'max_tx_set_size', (count) => groupedText(count)),
    ...amount('Last id of an offer', 'id_pool', groupedText),
    ...amount('Inflation number', 'inflation_seq', groupedText),
    ...(flags === null ? [] : [{ name: 'Flags', value: <span class="figure">{flags}</span> }]),
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

/** The marks of a field: which checks cover it, each leading to its evidence. */
function Marks({ name, row, checks }: { readonly name: string; readonly row: Row; readonly checks: readonly Check[] }): JSX.Element {
  const own = checks.filter((check) => row.checks?.includes(check.name));
  const covering = own.length > 0 ? own : checks.filter((check) => check.name === 'header-hash');
  return (
    <Fragment>
      {row.not !== undefined && own.length === 0 ? <span class="hint uncovered">{row.not}</span> : (
        <ul class="covers">
          {covering.map((check) => (
            <li key={check.name}>
              <button type="button" class={`cover tone-${TONE[check.outcome]}${own.length > 0 ? '' : ' common'}`} data-outcome={check.outcome} data-shows={check.name} onClick={() => showCheck(check.name)}>
                <Icon name={TONE[check.outcome]} /><span class="visually-hidden">{name}: </span>{CHECK_TITLE[check.name]}<span class="visually-hidden"> {OUTCOME_WORD[check.outcome].toLowerCase()}, show me</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Fragment>
  );
}

function Header({ at, ledger }: { readonly at: At; readonly ledger: Ledger }): JSX.Element {
  return (
    <section class="card" aria-labelledby="header-title">
      <h3 id="header-title">Header</h3>
      <table class="look-table header-table">
        <colgroup><col class="header-names" /><col /><col class="header-checks" /></colgroup>
        <thead class="visually-hidden"><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">Covered by</th></tr></thead>
        <tbody>
          {rowsOf(at, ledger).map((row) => (
            <tr key={row.name} data-field={row.name}>
              <th scope="row">{row.name}</th>
              <td>{row.value}</td>
              <td class="header-check"><Marks name={row.name} row={row} checks={ledger.checks} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">
        On the right: the checks that cover a field, each with its evidence. “Header” alone means that the field is part of the bytes that the
        header’s hash is of, and nothing more here: fees, coins and the skip list follow from applying all ledgers before.
      </p>
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

/** How many validators validly signed a message for the ledger's value. */
function signersOf({ scp }: Ledger): number {
  return scp?.nodes.filter(({ signature, sameValue }) => signature === 'holds' && sameValue === true).length ?? 0;
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
          <Header at={at} ledger={found} />
          <Checks archive={at.archive} checks={found.checks}>
            <Fold class="fold chain-fold" summary="Walk the chain: from genesis to a signed tip">{() => <Later>{({ Chain }) => <Chain at={at} ledger={ledger} signed={signersOf(found)} />}</Later>}</Fold>
          </Checks>
          <Transactions at={at} ledger={ledger} rows={found.transactions} />
          <Scp scp={found.scp} />
        </Fragment>
      )}
    </Frame>
  );
}
