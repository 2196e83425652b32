/** A transaction: what happened in words, its operations, and how it can be told that it is the one of its hash. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import type { Muxed, OperationView, TransactionView as Transaction } from '../../lib/explore-types.ts';
import { checkpointOf } from '../checkpoints.ts';
import { bytes, grouped, plural, sentence } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { shortKey } from '../quorum-set.ts';
import { Checks, summaryOf } from './Checks.tsx';
import { type At, Frame, Skeleton, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { useLooked } from './look-up.ts';
import { JsonTree } from './JsonTree.tsx';
import { Fact, Fold, Pager, Raw, Time } from './Pieces.tsx';
import { ProvePart } from './ProvePart.tsx';
import { FREQUENCY } from './routes.ts';
import { groupedText, inStroops, iso, lumens, spaced, utc } from './words.ts';

const PAGE = 100;

function fee(stroops: string): string {
  return `${inStroops(stroops)} (${lumens(stroops)})`;
}

/** An account, which leads to its entry as it was after the checkpoint. */
function Account({ address, muxed, at, checkpoint }: { readonly address: string; readonly muxed: Muxed | null; readonly at: At; readonly checkpoint: number }): JSX.Element {
  const account = muxed?.account ?? address;
  return (
    <Fragment>
      <Hash value={address} what="the address" />
      {muxed !== null && <span class="under">Muxed: id {groupedText(muxed.id)} within <code class="key">{shortKey(muxed.account)}</code></span>}
      {account.startsWith('G') && <a class="under" href={to({ kind: 'entry', key: account, checkpoint }, at.place)}>{muxed === null ? 'Its' : 'The account’s'} entry as of checkpoint {grouped(checkpoint)}</a>}
    </Fragment>
  );
}

function moment(seconds: string): string {
  return iso(Number(seconds)) === '' ? `second ${groupedText(seconds)}` : utc(Number(seconds));
}

/** Preconditions, each in a line. */
function conditionsOf({ preconditions }: Transaction): readonly string[] {
  const { timeBounds, ledgerBounds, minSequence, minSequenceAge, minSequenceLedgerGap, extraSigners } = preconditions;
  const bound = (open: boolean, words: string): string[] => (open ? [] : [words]);
  return [
    ...(timeBounds === null ? [] : [...bound(timeBounds[0] === '0', `not before ${moment(timeBounds[0])}`), ...bound(timeBounds[1] === '0', `not after ${moment(timeBounds[1])}`)]),
    ...(ledgerBounds === null ? [] : [...bound(ledgerBounds[0] === 0, `from ledger ${grouped(ledgerBounds[0])} on`), ...bound(ledgerBounds[1] === 0, `before ledger ${grouped(ledgerBounds[1])}`)]),
    ...bound(minSequence === null, `sequence number of the account at least ${groupedText(minSequence ?? '')}`),
    ...bound(minSequenceAge === null, `${groupedText(minSequenceAge ?? '')} seconds after the account’s last sequence number`),
    ...bound(minSequenceLedgerGap === null, `${plural(minSequenceLedgerGap ?? 0, 'ledger')} after the account’s last sequence number`),
    ...extraSigners.map((signer) => `signed by ${signer} as well`),
  ];
}

function Facts({ at, found }: { readonly at: At; readonly found: Transaction }): JSX.Element {
  const checkpoint = checkpointOf(found.ledger, FREQUENCY);
  const { feeBump, soroban } = found;
  const conditions = conditionsOf(found);
  const unknown = found.envelope === null;
  return (
    <section class="card" aria-labelledby="facts-title">
      <h3 id="facts-title">What happened</h3>
      <p class="words">
        <span class={`badge tone-${found.successful ? 'verified' : 'unchecked'}`}><Icon name={found.successful ? 'done' : 'failed'} />{found.successful ? 'Success' : 'Failed'}</span>{' '}
        {sentence(found.words)}
      </p>
      <dl class="evidence facts">
        <Fact name="Hash"><Hash value={found.hash} what="the hash of the transaction" /></Fact>
        <Fact name="Result"><code>{found.result}</code></Fact>
        <Fact name="Closed"><Time seconds={found.closeTime} /></Fact>
        <Fact name="Source">{found.source === null ? <span class="none">unknown: its envelope is not in the transaction set</span> : <Account address={found.source} muxed={found.sourceMuxed} at={at} checkpoint={checkpoint} />}</Fact>
        {found.feeSource !== null && <Fact name="Fee paid by"><Account address={found.feeSource} muxed={found.feeSourceMuxed} at={at} checkpoint={checkpoint} /></Fact>}
        <Fact name="Fee"><span class="figure">{fee(found.feeCharged)} charged{unknown ? '' : `, ${inStroops(found.maxFee)} bid`}</span></Fact>
        {soroban !== null && (
          <Fact name="Resources">
            <span class="figure">
              {inStroops(soroban.fee)} of the bid for {plural(soroban.instructions, 'instruction')}, {bytes(soroban.diskReadBytes)} read from disk, {bytes(soroban.writeBytes)} written,{' '}
              {plural(soroban.readOnly, 'entry', 'entries')} to read and {grouped(soroban.readWrite)} to write, at most
            </span>
          </Fact>
        )}
        {feeBump !== null && (
          <Fact name="Fee bump">
            <span class="figure">Around a transaction that itself bid {inStroops(feeBump.innerMaxFee)}{feeBump.innerFeeCharged === null ? '' : ` and was charged ${inStroops(feeBump.innerFeeCharged)}`}</span>
            {feeBump.innerHash !== null && <Hash value={feeBump.innerHash} what="the hash of the inner transaction" />}
          </Fact>
        )}
        {!unknown && <Fact name="Sequence"><span class="figure">{groupedText(found.sequenceNumber)}</span></Fact>}
        {!unknown && <Fact name="Memo">{found.memo === null ? <span class="none">none</span> : <Fragment><span class="none">{found.memoKind}</span> <span class="plain-value">{found.memo}</span></Fragment>}</Fact>}
        {!unknown && (
          <Fact name="Valid">
            {conditions.length === 0 ? <span class="none">at any time</span> : <ul class="plain-list">{conditions.map((words) => <li key={words} class="plain-value figure">{words}</li>)}</ul>}
          </Fact>
        )}
        {!unknown && <Fact name="Signatures"><span class="figure">{grouped(found.signatures)}{feeBump === null ? '' : `, of which ${grouped(feeBump.signatures)} for the fee bump`}</span></Fact>}
        <Fact name="Applied"><span class="figure">as number {grouped(found.index + 1)} of its ledger</span></Fact>
      </dl>
    </section>
  );
}

function Operation({ operation }: { readonly operation: OperationView }): JSX.Element {
  const { resultWords, outcome } = operation;
  const tone = resultWords === null ? 'pending' : resultWords === 'success' ? 'verified' : 'unchecked';
  return (
    <li data-operation={operation.index} data-type={operation.type}>
      <Fold
        class="fold operation"
        summary={(
          <span class="operation-line">
            <span class="figure operation-number">{grouped(operation.index + 1)}</span>
            <span class="operation-name">{spaced(operation.type)}</span>
            <span class={`badge tone-${tone}`}><Icon name={resultWords === null ? 'none' : resultWords === 'success' ? 'done' : 'failed'} />{resultWords === null ? 'Not applied' : spaced(resultWords)}</span>
            <span class="operation-words">{sentence(operation.words)}{outcome !== null && <span class="operation-outcome"> {sentence(outcome)}</span>}</span>
          </span>
        )}
      >
        {() => (
          <div class="operation-body">
            {operation.source !== null && <dl class="evidence"><Fact name="Source"><Hash value={operation.source} what="the source of the operation" /></Fact></dl>}
            <div class="raw">
              <JsonTree what={`Operation ${operation.index + 1} as JSON`} value={operation.json} />
              {operation.result !== null && <JsonTree what={`Result ${operation.index + 1} as JSON`} value={operation.result} />}
            </div>
          </div>
        )}
      </Fold>
    </li>
  );
}

function Operations({ operations }: { readonly operations: readonly OperationView[] }): JSX.Element {
  const from = useSignal(0);
  return (
    <section class="card" aria-labelledby="operations-title">
      <h3 id="operations-title">Operations <span class="aside">{grouped(operations.length)}</span></h3>
      {operations.length === 0 && <p class="hint">None can be shown: without its envelope nobody knows what a transaction asked for.</p>}
      <Pager from={from.value} size={PAGE} total={operations.length} go={(next) => { from.value = next; }} />
      <ol class="operations">{operations.slice(from.value, from.value + PAGE).map((operation) => <Operation key={operation.index} operation={operation} />)}</ol>
    </section>
  );
}

export function TransactionView({ ledger, index, ...at }: At & { readonly ledger: number; readonly index: number }): JSX.Element {
  const { looked, again } = useLooked((signal) => at.archive.explorer.transaction(ledger, index, { signal }));
  // How many there are, for the way to the next; the ledger is at hand then.
  const all = useLooked(async (signal) => (await at.archive.explorer.ledger(ledger, { signal })).transactions.length);
  const count = all.looked.value.state === 'ready' ? all.looked.value.value : 0;
  const state = looked.value;
  const found = state.state === 'ready' ? state.value : null;
  const checkpoint = checkpointOf(ledger, FREQUENCY);
  const beside = (place: number): { readonly label: string; readonly subject: { readonly kind: 'transaction'; readonly ledger: number; readonly index: number } } | null =>
    place < 0 || (place > index && place >= count) ? null : { label: `Transaction ${grouped(place + 1)} of the ledger`, subject: { kind: 'transaction', ledger, index: place } };
  return (
    <Frame
      at={at} kind="transaction" title={`Transaction ${grouped(index + 1)}`} aside={`of ledger ${grouped(ledger)}`} steps={{ before: beside(index - 1), after: beside(index + 1) }}
      crumbs={[
        { label: `Checkpoint ${grouped(checkpoint)}`, href: to({ kind: 'checkpoint', checkpoint }, at.place) },
        { label: `Ledger ${grouped(ledger)}`, href: to({ kind: 'ledger', ledger }, at.place) },
      ]}
      busy={state.state === 'loading'} said={found === null ? null : `Transaction ${index + 1}: ${found.words}; checks: ${summaryOf(found.checks)}`}
    >
      {state.state === 'loading' && <Skeleton />}
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={again} />}
      {found !== null && (
        <Fragment>
          <Facts at={at} found={found} />
          <Operations operations={found.details} />
          <Checks archive={at.archive} checks={found.checks} />
          <ProvePart at={at} found={found} />
          <section class="card" aria-labelledby="raw-title">
            <h3 id="raw-title">As it stands in the archive</h3>
            {found.envelope === null ? <p class="hint">Its envelope is not in the archive’s transaction set, or that could not be read.</p> : (
              <Fold summary="Envelope: what was asked for, with its signatures">{() => <Raw name="The envelope" json={found.envelope?.json} xdr={found.envelope?.xdr} />}</Fold>
            )}
            <Fold summary="Result: what came of it">{() => <Raw name="The result" json={found.resultPair.json} xdr={found.resultPair.xdr} />}</Fold>
          </section>
        </Fragment>
      )}
    </Frame>
  );
}
