import { Fragment, type JSX } from 'preact';
import type { Claim, FileKind, Finding, Report, Verdict } from '../../lib/types.ts';
import { KIND_LABEL } from '../checkpoints.ts';
import { bytes, duration, ended, grouped, plural, sentence, shortName } from '../format.ts';
import type { Run } from '../run.ts';
import { newCheck, openCopy, startAgain } from '../store.ts';
import { Hash } from './Hash.tsx';
import { Icon } from './Icon.tsx';
import { Prose } from './Prose.tsx';
import { StatusBadge } from './StatusBadge.tsx';
import { Mismatch, standing } from './Vouchers.tsx';

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

/** The archive did not serve the file at all. */
function isLack({ code }: Finding): boolean {
  return code === 'file-missing' || code === 'bucket-missing';
}

function andList(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' and ');
}

/** Who served what was faulty, who lacks files, and who has them sound. */
function Blame({ report }: { readonly report: Report }): JSX.Element | null {
  if (report.archives.length < 2) return null;
  const guilty = report.sources.flatMap(({ archive, faulty }) => {
    const findings = report.findings.filter((finding) => finding.archive === archive);
    const lacking = findings.filter((finding) => isLack(finding) && finding.goodFrom !== undefined).length;
    return faulty + lacking === 0 ? [] : [{ archive, faulty, lacking, damaged: findings.filter((finding) => !isLack(finding)) }];
  });
  if (guilty.length === 0) return null;
  return (
    <ul class="blame" id="blame">
      {guilty.map(({ archive, faulty, lacking, damaged }) => {
        const sound = [...new Set(damaged.flatMap((finding) => finding.goodFrom ?? []))];
        const whole = damaged.every((finding) => finding.goodFrom !== undefined);
        const one = faulty === 1;
        return (
          <li key={archive}>
            <Icon name="warning" />
            <span>
              <strong class="archive-name">{shortName(archive)}</strong>
              {faulty > 0 && ` served ${plural(faulty, 'faulty file')}`}
              {faulty > 0 && (sound.length === 0
                ? '; no other archive has a sound answer'
                : `; ${whole ? `the same ${one ? 'file' : 'files'}` : 'some of them'} from ${andList(sound.map(shortName))} ${whole && one ? 'is' : 'are'} sound`)}
              {lacking > 0 && `${faulty > 0 ? '. It' : ''} lacks ${plural(lacking, 'file')} that ${report.archives.length > 2 ? 'others have' : 'the other has'}`}.
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** What a sample lets one say, and how to draw the same again. */
function SampleNote({ report }: { readonly report: Report }): JSX.Element | null {
  const { sample } = report.options;
  if (sample === null) return null;
  return (
    <div class="sample" id="sample">
      <p>
        <strong>A sample of {grouped(sample.count)} of {plural(sample.of, 'checkpoint')}.</strong> {sentence(sample.guarantee)}
      </p>
      <p class="meta">Seed <Hash value={sample.seed} what="the seed" /></p>
    </div>
  );
}

function Halted({ run }: { readonly run: Run }): JSX.Element {
  const done = run.state.value?.done ?? 0;
  const total = run.progress.value?.checkpoints.total ?? 0;
  const kept = run.state.value === null
    ? 'Nothing was verified yet, so resuming begins again.'
    : run.stored.value === 'kept'
      ? 'It is kept in this browser and can be continued after a reload as well.'
      : 'This browser does not let the page keep it: it can be continued as long as this tab stays open.';
  return (
    <section class="verdict tone-pending" aria-labelledby="verdict-title" data-phase="paused">
      <h2 id="verdict-title"><Icon name="resting" /> Paused</h2>
      <p class="statement">
        {total === 0 ? 'The run had barely begun.' : `${grouped(done)} of ${plural(total, 'checkpoint')} done.`} {kept}
        {run.setup.form.sources.some((source) => source.kind === 'folder') && ' Folders and zips of this computer may have to be chosen again then.'}
      </p>
      <p class="meta">Something else first? <button id="change" type="button" class="link" onClick={newCheck}>New check</button></p>
    </section>
  );
}

function Refused({ run }: { readonly run: Run }): JSX.Element {
  return (
    <section class="verdict tone-unchecked" aria-labelledby="verdict-title" data-phase="refused">
      <h2 id="verdict-title"><Icon name="warning" /> This run cannot be continued</h2>
      <p class="statement">{sentence(run.failure.value?.message ?? '')} {sentence(run.failure.value?.advice ?? '')}</p>
      <p class="meta">What was saved does not fit and has been discarded. The check can be made from its beginning.</p>
      <p class="actions"><button id="again" type="button" class="button primary" onClick={startAgain}>Start again</button></p>
    </section>
  );
}

/** What one may want of an archive that was looked at: the faulty one mended, a copy of a sound one. */
function Next({ run, report }: { readonly run: Run; readonly report: Report }): JSX.Element {
  const faulty = report.findings.find(({ code }) => code !== 'anchor-mismatch')?.archive;
  return (
    <p class="actions">
      {faulty !== undefined && <button id="repair-this" type="button" class="button" onClick={() => openCopy('repair', faulty, run.setup.form)}>Repair…</button>}
      {report.verdict !== 'faulty' && <button id="mirror-this" type="button" class="button" onClick={() => openCopy('mirror', null, run.setup.form)}>Mirror…</button>}
    </p>
  );
}

export function VerdictBanner({ run }: { readonly run: Run }): JSX.Element | null {
  const report = run.report.value;
  const failure = run.failure.value;
  if (run.phase.value === 'paused') return <Halted run={run} />;
  if (run.phase.value === 'refused') return <Refused run={run} />;
  if (failure !== null) {
    return (
      <section class="verdict tone-faulty" aria-labelledby="verdict-title">
        <h2 id="verdict-title"><Icon name="warning" /> The check stopped</h2>
        <p class="statement">
          {sentence(failure.message)}{' '}
          {failure.code !== 'CRASHED' ? sentence(failure.advice) : run.state.value === null
            ? 'A new check begins with a fresh verifier; if it stops there again, please report this message.'
            : '“Continue” goes on from the last state with a fresh verifier; if it stops there again, please report this message.'}
        </p>
        <p class="meta">This says nothing about the archive. What was seen until then is kept below{run.state.value === null ? '' : ', and the run can be continued from there'}. <code>{failure.code}</code></p>
      </section>
    );
  }
  if (report === null) return null;
  return (
    <section class={`verdict tone-${TONE[report.verdict]}`} aria-labelledby="verdict-title" data-verdict={report.verdict}>
      <h2 id="verdict-title"><Icon name={report.verdict} /> {TITLE[report.verdict]} {standing(report) !== null && <span class="standing">{standing(report)}</span>}</h2>
      <p class="statement">{sentence(report.statement)}</p>
      <details class="meaning" id="meaning">
        <summary>What this proves, and what it does not</summary>
        <p><strong>It proves</strong> that {ended(report.meaning.proves)}</p>
        <p><strong>It does not prove</strong> {ended(report.meaning.doesNotProve)}</p>
      </details>
      <Mismatch report={report} />
      <Blame report={report} />
      <SampleNote report={report} />
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
      {report.range !== null && <Next run={run} report={report} />}
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
