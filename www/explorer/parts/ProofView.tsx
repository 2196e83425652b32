import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ProofFacts, ProofReport, ProofVerdict } from '../../lib/types.ts';
import { grouped, sentence } from '../format.ts';
import { Hash, Value } from './Hash.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { Prose } from './Prose.tsx';
import { Validator } from './QuorumTree.tsx';
import { STRENGTH } from './Vouchers.tsx';

const LOOK: Readonly<Record<ProofVerdict, { readonly title: string; readonly tone: string; readonly icon: IconName }>> = {
  proven: { title: 'Proven', tone: 'verified', icon: 'verified' },
  refuted: { title: 'Refuted', tone: 'faulty', icon: 'faulty' },
  unproven: { title: 'Not proven', tone: 'unchecked', icon: 'unchecked' },
};

const STEP: Readonly<Record<ProofReport['steps'][number]['status'], { readonly icon: IconName; readonly tone: string; readonly word: string }>> = {
  holds: { icon: 'done', tone: 'verified', word: 'holds' },
  failed: { icon: 'failed', tone: 'faulty', word: 'failed' },
  unchecked: { icon: 'none', tone: 'unchecked', word: 'cannot be told' },
};

function utc(seconds: string): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s after 1970` : date.toISOString().replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
}

function Row({ name, children }: { readonly name: string; readonly children: JSX.Element | string }): JSX.Element {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** 10,000,000 stroops are a lumen. */
function lumens(stroops: string): string {
  const digits = stroops.padStart(8, '0');
  const fraction = digits.slice(-7).replace(/0+$/, '');
  return `${digits.slice(0, -7)}${fraction === '' ? '' : `.${fraction}`} XLM`;
}

function Facts({ report, facts, ids }: { readonly report: ProofReport; readonly facts: ProofFacts; readonly ids: string }): JSX.Element {
  const { transaction, entry } = facts;
  return (
    <section aria-labelledby={`${ids}facts-title`}>
      <h3 id={`${ids}facts-title`}>{report.verdict === 'proven' ? 'What it proves' : 'What it says'}</h3>
      <dl class="evidence facts">
        {transaction !== undefined && (
          <Fragment>
            <Row name="Transaction"><Hash value={transaction.hash} what="the transaction’s hash" /></Row>
            <Row name="Result">{`${sentence(transaction.resultInWords)} (${transaction.result})`}</Row>
            <Row name="Fee">{`${lumens(transaction.feeCharged)} (${transaction.feeCharged} stroops)`}</Row>
            <Row name="Place">{`number ${grouped(transaction.index)} of ${grouped(transaction.of)}, counted from 0`}</Row>
          </Fragment>
        )}
        {entry !== undefined && (
          <Fragment>
            <Row name="Entry">{`${entry.entryType}, ${entry.standing === 'live' ? 'there' : entry.standing === 'dead' ? 'removed' : 'not there'}`}</Row>
            <Row name="Key"><Value value={entry.key} what="the key" /></Row>
          </Fragment>
        )}
        <Row name="Ledger">{`${grouped(facts.ledger)}, closed ${utc(facts.closeTime)}, protocol ${facts.protocol}`}</Row>
        <Row name="Its hash"><Hash value={facts.ledgerHash} what="the ledger’s hash" /></Row>
        <Row name="Network">{report.network ?? 'what the file says, which nothing shows'}</Row>
      </dl>
    </section>
  );
}

function Signers({ report, ids }: { readonly report: ProofReport; readonly ids: string }): JSX.Element {
  const trusted = report.signers.filter((signer) => signer.trusted);
  const others = report.signers.filter((signer) => !signer.trusted);
  const seal = report.anchors.find((anchor) => anchor.kind === 'seal');
  const list = (signers: ProofReport['signers'], kind: string): JSX.Element => (
    <ul class={`members ${kind}`}>{signers.map(({ node }) => <li key={node}><Validator node={node} signed /></li>)}</ul>
  );
  return (
    <section aria-labelledby={`${ids}signers-title`}>
      <h3 id={`${ids}signers-title`}>Who sealed it</h3>
      {report.anchors.map((anchor) => (anchor.kind === 'trusted-hash' ? <p key={anchor}>Ledger {grouped(anchor.ledger)} has the hash that you trust.</p> : null))}
      {seal?.kind === 'seal' && <p><strong class="figure">{seal.signers.length} of {seal.of}</strong> validators of {seal.quorumSet}, by ledger {grouped(seal.signed)}.</p>}
      {report.signers.length === 0 && <p class="hint">There are no signatures in it that count.</p>}
      {trusted.length > 0 && list(trusted, 'believed')}
      {others.length > 0 && (
        <Fragment>
          <p class="hint">{trusted.length > 0 ? 'Others that signed, whom your quorum set does not name:' : 'Those who signed; your quorum set names none of them:'}</p>
          {list(others, 'strangers')}
        </Fragment>
      )}
      {seal?.kind === 'seal' && <p class="hint">{STRENGTH[seal.strength]}</p>}
    </section>
  );
}

function Steps({ report, ids }: { readonly report: ProofReport; readonly ids: string }): JSX.Element {
  return (
    <section aria-labelledby={`${ids}steps-title`}>
      <h3 id={`${ids}steps-title`}>Step by step</h3>
      <ol class="steps">
        {report.steps.map((step) => {
          const { icon, tone, word } = STEP[step.status];
          return (
            <li key={step} class={`tone-${tone}`} data-step={step.status}>
              <Icon name={icon} />
              <div>
                {step.field !== '' && <code class="code">{step.field}</code>} <span class="visually-hidden">{word}: </span>
                <p><Prose text={step.says} /></p>
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

/** What a proof turned out to be, with every step that led to it. `ids` begins its names where there may be another one. */
export function ProofView({ name, report, ids = '' }: { readonly name: string; readonly report: ProofReport; readonly ids?: string }): JSX.Element {
  const top = useRef<HTMLElement>(null);
  const { title, tone, icon } = LOOK[report.verdict];
  useEffect(() => {
    top.current?.scrollIntoView({ block: 'nearest' });
  }, [report]);
  return (
    <div class="proof">
      <section ref={top} class={`verdict tone-${tone}`} aria-labelledby={`${ids}proof-verdict`} data-proof={report.verdict}>
        <h3 id={`${ids}proof-verdict`}><Icon name={icon} /> {title} <span class="standing">{name}</span></h3>
        <p class="statement">{report.statement}</p>
        {report.fault?.expected !== undefined && (
          <dl class="evidence">
            <Row name="Expected"><Value value={report.fault.expected} what="the expected value" /></Row>
            <Row name="Actual"><Value value={report.fault.actual ?? ''} what="the actual value" /></Row>
          </dl>
        )}
        <p class="meta">{report.doesNotProve}</p>
      </section>
      <div class={report.facts === null ? 'stack' : 'columns'}>
        {report.facts !== null && <div class="stack"><Facts report={report} facts={report.facts} ids={ids} /><Signers report={report} ids={ids} /></div>}
        <Steps report={report} ids={ids} />
      </div>
    </div>
  );
}
