import type { JSX } from 'preact';
import type { Anchor, LedgerRange, Report, Strength } from '../../lib/types.ts';
import { grouped, plural, sentence, shortName } from '../format.ts';
import { validatorsOf } from '../quorum-set.ts';
import type { Run } from '../run.ts';
import { Hash } from './Hash.tsx';
import { Icon } from './Icon.tsx';
import { Prose } from './Prose.tsx';
import { QuorumTree, Validator } from './QuorumTree.tsx';

/** A sample can have a seal for each of its checkpoints. */
const SHOWN = 5;

type SealAnchor = Extract<Anchor, { kind: 'seal' }>;

const TITLE: Readonly<Record<Anchor['kind'], string>> = {
  genesis: 'Genesis',
  seal: 'Sealed by validators',
  'trusted-hash': 'A hash that you trust',
  archives: 'The archives agree',
};

/** What a signature of this strength is worth. */
export const STRENGTH: Readonly<Record<Strength, string>> = {
  'accepted-commit': 'They accepted the commit: the network cannot have closed another ledger there.',
  'commit-vote': 'They voted to commit, which is weaker than to accept it: where quorums intersect, no other ledger can have been closed there.',
};

/** Vouches for more than one ledger's own state: for what the chain ties to it. */
export function tiesChain({ kind, covers }: Anchor): boolean {
  return (kind === 'seal' || kind === 'trusted-hash') && covers !== null;
}

/** The ledgers that someone vouches for. */
export function sealedRanges(report: Report | null): readonly LedgerRange[] {
  return (report?.anchors ?? []).flatMap((anchor) => (tiesChain(anchor) && anchor.covers !== null ? [anchor.covers] : []));
}

/** What ties the chain comes before what says something of one ledger. */
function byWeight(one: Anchor, other: Anchor): number {
  return Number(tiesChain(other)) - Number(tiesChain(one));
}

function ledgers({ low, high }: LedgerRange): string {
  return low === high ? `ledger ${grouped(low)}` : `ledgers ${grouped(low)} to ${grouped(high)}`;
}

function Signers({ seal, report }: { readonly seal: SealAnchor; readonly report: Report }): JSX.Element {
  const set = report.trust.quorumSet?.set;
  const signed = new Set(seal.signers);
  return (
    <>
      <p>
        <strong class="figure">{seal.signers.length} of {seal.of}</strong> validators of {seal.quorumSet} signed ledger {grouped(seal.signed)}.
        {seal.others > 0 && ` The quorum rests on ${plural(seal.others, 'other validator')}, too.`}
      </p>
      {set === undefined || validatorsOf(set).length !== seal.of
        ? <ul class="members">{seal.signers.map((node) => <li key={node}><Validator node={node} signed /></li>)}</ul>
        : <QuorumTree set={set} signed={signed} />}
      <p class="hint">{STRENGTH[seal.strength]}</p>
    </>
  );
}

function AnchorItem({ anchor, report }: { readonly anchor: Anchor; readonly report: Report }): JSX.Element {
  return (
    <li class="anchor" data-anchor={anchor.kind}>
      <div class="claim-head">
        <strong>{TITLE[anchor.kind]}</strong>
        {anchor.covers !== null && <span class="covers">{ledgers(anchor.covers)}</span>}
      </div>
      {anchor.covers === null && <p class="hint">It vouches for nothing here: the chain that it would be tied to is not sound.</p>}
      {anchor.kind === 'genesis' && <p>The network’s passphrase implies the first ledger, and this is it.</p>}
      {anchor.kind === 'seal' && <Signers seal={anchor} report={report} />}
      {anchor.kind === 'trusted-hash' && <p>Ledger {grouped(anchor.ledger)} has it, and so it vouches for what the chain ties to that ledger.</p>}
      {anchor.kind === 'archives' && <p>{anchor.archives.map(shortName).join(', ')} announce the same state of ledger {grouped(anchor.ledger)}. That says nothing if one hand keeps them all.</p>}
      <Hash value={anchor.hash} what={`the hash of ledger ${anchor.ledger}`} />
    </li>
  );
}

/** Everything that ties the chain to something outside of the archive, and what each covers; or that nothing does, and why. */
export function Vouchers({ run }: { readonly run: Run }): JSX.Element | null {
  const report = run.report.value;
  if (report === null || report.range === null) return null;
  const tip = report.claims.find(({ claim }) => claim === 'tip');
  const anchored = report.anchors.some(tiesChain);
  const { quorums } = report.trust;
  return (
    <section class="card vouchers" aria-labelledby="vouchers-title">
      <h2 id="vouchers-title">Who vouches for it</h2>
      {!anchored && tip !== undefined && (
        <div class={tip.status === 'faulty' ? 'not-anchored tone-faulty' : 'not-anchored tone-unchecked'}>
          <p><Icon name={tip.status} /> <strong>{tip.status === 'faulty' ? 'Nobody whom you believe' : 'Consistent, not anchored'}</strong></p>
          <p><Prose text={tip.statement} /></p>
        </div>
      )}
      <ul class="anchors">{[...report.anchors].sort(byWeight).slice(0, SHOWN).map((anchor) => <AnchorItem key={anchor} anchor={anchor} report={report} />)}</ul>
      {report.anchors.length > SHOWN && <p class="hint">And {grouped(report.anchors.length - SHOWN)} more, all in the report.</p>}
      {quorums !== null && (
        <p class="hint">
          Of all ledgers with messages {grouped(quorums.acceptedCommit)} are sealed by accepted commits, {grouped(quorums.commitVote)} by votes to commit, and{' '}
          {grouped(quorums.inconclusive)} show no quorum, which proves nothing either way.
        </p>
      )}
    </section>
  );
}

/** What the title of a verdict adds: who stands behind the files. Nothing where that says nothing. */
export function standing(report: Report): string | null {
  if (report.range === null || report.verdict === 'faulty') return null;
  if (report.sealedThrough !== null) return `sealed through ledger ${grouped(report.sealedThrough)}`;
  const anchor = report.anchors.find(tiesChain);
  if (anchor !== undefined) return `vouched for through ledger ${grouped(anchor.covers?.high ?? anchor.ledger)}`;
  return report.verdict === 'verified' ? 'consistent, not anchored' : null;
}

/** A history that is not the one that was trusted: what matters more than any file. */
export function Mismatch({ report }: { readonly report: Report }): JSX.Element | null {
  const finding = report.findings.find(({ code, severity }) => code === 'anchor-mismatch' && severity === 'error');
  if (finding === undefined) return null;
  return (
    <div class="mismatch" data-mismatch>
      <p><Icon name="warning" /> <strong>This is not the history that you trust{finding.ledger === undefined ? '' : ` (ledger ${grouped(finding.ledger)})`}</strong></p>
      {/* The verdict's statement mostly says it already. */}
      {!report.statement.includes(finding.message) && <p><Prose text={finding.message} /></p>}
      <p><strong>What to do:</strong> {sentence(finding.advice)}</p>
    </div>
  );
}
