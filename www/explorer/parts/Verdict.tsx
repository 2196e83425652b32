import { Fragment, type JSX } from 'preact';
import type { Claim, FileKind, Report, Verdict } from '../../lib/types.ts';
import { KIND_LABEL } from '../checkpoints.ts';
import { bytes, duration, ended, grouped, sentence } from '../format.ts';
import type { Run } from '../run.ts';
import { Icon } from './Icon.tsx';
import { Prose } from './Prose.tsx';
import { StatusBadge } from './StatusBadge.tsx';

const TITLE: Readonly<Record<Verdict, string>> = { verified: 'Verified', faulty: 'Faulty', incomplete: 'Incomplete' };
const TONE: Readonly<Record<Verdict, string>> = { verified: 'verified', faulty: 'faulty', incomplete: 'unchecked' };

const CLAIM_LABEL: Readonly<Record<Claim['claim'], string>> = {
  genesis: 'Starts at genesis',
  network: 'Belongs to the network',
  chain: 'One unbroken chain',
  tip: 'Newest ledger vouched for',
};

function toFindings(): void {
  const heading = document.getElementById('findings-title');
  heading?.scrollIntoView();
  heading?.focus({ preventScroll: true });
}

/** A missing root file is a fault of an archive, but far more often a mistyped address. */
function noArchiveHere(report: Report): boolean {
  return report.range === null && report.findings.some((finding) => finding.code === 'file-missing' && finding.path.startsWith('.well-known/'));
}

export function VerdictBanner({ run }: { readonly run: Run }): JSX.Element | null {
  const report = run.report.value;
  const failure = run.failure.value;
  if (failure !== null) {
    return (
      <section class="verdict tone-faulty" aria-labelledby="verdict-title">
        <h2 id="verdict-title"><Icon name="warning" /> The check stopped</h2>
        <p class="statement">{sentence(failure.message)} {sentence(failure.advice)}</p>
        <p class="meta">This says nothing about the archive. What was seen until then is kept below. <code>{failure.code}</code></p>
      </section>
    );
  }
  if (report === null) return null;
  return (
    <section class={`verdict tone-${TONE[report.verdict]}`} aria-labelledby="verdict-title" data-verdict={report.verdict}>
      <h2 id="verdict-title"><Icon name={report.verdict} /> {TITLE[report.verdict]}</h2>
      <p class="statement">{sentence(report.statement)}</p>
      {noArchiveHere(report) && (
        <p class="statement">
          There may be no archive at this address: it has to be the folder that contains <code>.well-known/stellar-history.json</code>.
        </p>
      )}
      <p class="meta">
        {report.network.name ?? report.network.passphrase ?? 'Network not named'} · {bytes(report.bytes.compressed)} downloaded in {duration(report.elapsedMs)}
      </p>
      {report.findings.length > 0 && (
        <p class="to-findings">
          <button type="button" class="link" onClick={toFindings}>See {report.findings.length === 1 ? 'the finding' : `the ${grouped(report.findings.length)} findings`}</button>
        </p>
      )}
    </section>
  );
}

const KINDS: readonly FileKind[] = ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'];

function byReason(unchecked: Report['unchecked']): [string, Report['unchecked'][number][]][] {
  const reasons: Record<string, Report['unchecked'][number][]> = {};
  for (const entry of unchecked) (reasons[entry.reason] ??= []).push(entry);
  return Object.entries(reasons);
}

function Count({ value, tone }: { readonly value: number; readonly tone: 'verified' | 'faulty' | 'unchecked' }): JSX.Element {
  return <td class={value === 0 ? 'figure none' : `figure some-${tone}`}>{grouped(value)}</td>;
}

export function Totals({ run }: { readonly run: Run }): JSX.Element | null {
  const report = run.report.value;
  // Without a range nothing was begun, and a table of zeros would look like a result.
  if (report === null || report.range === null) return null;
  return (
    <div class="columns">
      <section class="card" aria-labelledby="totals-title">
        <h2 id="totals-title">Files</h2>
        <table class="totals">
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col"><Icon name="verified" /><span class="short">Verified</span></th>
              <th scope="col"><Icon name="faulty" /><span class="short">Faulty</span></th>
              <th scope="col"><Icon name="unchecked" /><span class="short">Unchecked</span></th>
            </tr>
          </thead>
          <tbody>
            {KINDS.map((kind) => {
              const totals = report.totals[kind];
              return (
                <tr key={kind}>
                  <th scope="row">{KIND_LABEL[kind]}</th>
                  <Count value={totals.verified} tone="verified" />
                  <Count value={totals.faulty} tone="faulty" />
                  <Count value={totals.unchecked} tone="unchecked" />
                </tr>
              );
            })}
          </tbody>
        </table>
        {report.unchecked.length > 0 && (
          <Fragment>
            <h3>Why unchecked</h3>
            <ul class="reasons">
              {byReason(report.unchecked).map(([reason, entries]) => (
                <li key={reason}>
                  {entries.map((entry) => `${grouped(entry.count)} × ${KIND_LABEL[entry.kind]}`).join(', ')}: {ended(reason)}
                </li>
              ))}
            </ul>
          </Fragment>
        )}
      </section>
      <section class="card" aria-labelledby="claims-title">
        <h2 id="claims-title">What this shows</h2>
        <ul class="claims">
          {report.claims.map((claim) => (
            <li key={claim.claim}>
              <div class="claim-head"><strong>{CLAIM_LABEL[claim.claim]}</strong><StatusBadge state={claim.status} /></div>
              <p><Prose text={claim.statement} /></p>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
