import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CopiedFile, CopyReport, FileKind, RepairPlan } from '../../lib/types.ts';
import { KIND_LABEL } from '../checkpoints.ts';
import { saveFile } from '../files.ts';
import { bytes, duration, ended, grouped, plural, sentence, shortName } from '../format.ts';
import { LiveArchives, Sources } from '../parts/Archives.tsx';
import { CheckpointMap } from '../parts/CheckpointMap.tsx';
import { Command } from '../parts/Command.tsx';
import { Findings } from '../parts/Findings.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Bar, Figure } from '../parts/ProgressPanel.tsx';
import { Notes, Trouble } from '../parts/Trouble.tsx';
import { Vouchers } from '../parts/Vouchers.tsx';
import { isGoing } from '../run.ts';
import { checkCopy, type Copy, leave } from './model.ts';
import type { Obstacle } from './places.ts';

const KINDS: readonly FileKind[] = ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'];
const SHOWN = 50;
/** Before that a rest is a guess. */
const SETTLED_MS = 2000;

/** Milliseconds that are left, by what is done of the works and, where there is an estimate, by its bytes; the nearer end counts. */
function left({ run, estimate }: Copy): number | null {
  const progress = run.progress.value;
  const elapsed = run.elapsedMs.value;
  if (progress === null || elapsed < SETTLED_MS) return null;
  const { checkpoints, buckets, bytes: read } = progress;
  const share = (checkpoints.done + buckets.done) / Math.max(1, checkpoints.total + buckets.total);
  const byWorks = share > 0.02 ? (elapsed * (1 - share)) / share : Infinity;
  const byBytes = estimate !== null && run.rate.value > 0 ? (Math.max(0, Number(estimate.bytes) - Number(read.compressed)) / run.rate.value) * 1000 : Infinity;
  const soonest = Math.min(byWorks, byBytes);
  return Number.isFinite(soonest) ? soonest : null;
}

function Going({ copy }: { readonly copy: Copy }): JSX.Element {
  const { run } = copy;
  const progress = run.progress.value;
  const retry = run.retry.value;
  const rest = left(copy);
  return (
    <Fragment>
      <section class="card progress" aria-label="Progress">
        <div class="bars">
          <Bar label="Checkpoints" done={progress?.checkpoints.done ?? 0} total={progress?.checkpoints.total ?? 0} />
          <Bar label="Buckets" done={progress?.buckets.done ?? 0} total={progress?.buckets.total ?? 0} />
        </div>
        <dl class="figures">
          {!copy.dryRun && <Figure label="Files written" value={grouped(progress?.written?.files ?? 0)} />}
          {!copy.dryRun && <Figure label="Written" value={bytes(progress?.written?.bytes ?? '0')} />}
          <Figure label={copy.dryRun ? 'Read' : 'Downloaded'} value={bytes(progress?.bytes.compressed ?? '0')} />
          <Figure label="Rate" value={`${bytes(run.rate.value)}/s`} />
          <Figure label="Time left" value={rest === null ? '–' : `≈ ${duration(rest)}`} />
          <Figure label="Elapsed" value={duration(run.elapsedMs.value)} />
          {copy.dryRun && <Figure label="Findings" value={grouped(progress?.findings ?? 0)} />}
        </dl>
        <p class="hint retrying">
          {retry !== null && <Fragment>{shortName(retry.archive)}: {retry.reason}; try {retry.attempt + 1} for <span class="path">{retry.path}</span></Fragment>}
        </p>
      </section>
      <section class="card" aria-labelledby="live-title">
        <h2 id="live-title">Archives</h2>
        <LiveArchives run={run} />
      </section>
    </Fragment>
  );
}

const OBSTACLE: Readonly<Record<Obstacle, { readonly title: string; readonly advice: (copy: Copy) => string }>> = {
  full: {
    title: 'There is no room left',
    advice: ({ place }) => place === 'folder'
      ? 'Make room on the drive and start again: what was written is kept, and the copy goes on from there. Or choose another drive.'
      : 'This browser gives the page no more room. Choose a folder, which may take as much as the drive has, or fewer ledgers.',
  },
  refused: {
    title: 'This page may not write there any more',
    advice: () => 'The browser or the system took the permission back. Choose the folder again and allow the change; what was written is kept.',
  },
  gone: {
    title: 'The folder is not there any more',
    advice: () => 'It was moved, renamed or deleted, or its drive was pulled out. Bring it back, choose it again and start again: what was written is kept.',
  },
  locked: {
    title: 'Another program has a file open',
    advice: () => 'Another tab may be copying to the same folder, or a backup may be reading it. Close that and start again: what was written is kept.',
  },
};

function Hindrance({ copy }: { readonly copy: Copy }): JSX.Element | null {
  const obstacle = copy.obstacle.value;
  if (obstacle === null || isGoing(copy.run.phase.value)) return null;
  const { title, advice } = OBSTACLE[obstacle];
  return (
    <section class="notice tone-faulty" aria-label={title} data-obstacle={obstacle}>
      <h2><Icon name="warning" /> {title}</h2>
      <p>{advice(copy)}</p>
    </section>
  );
}

interface Face {
  readonly title: string;
  readonly tone: 'verified' | 'faulty' | 'unchecked';
}

function face({ kind, dryRun, zip }: Copy, report: CopyReport): Face {
  if (report.verdict === 'incomplete') return { title: dryRun ? 'Not all of it could be looked at' : kind === 'mirror' ? 'Not complete' : 'Not all mended', tone: 'unchecked' };
  if (dryRun && report.written.files > 0) return { title: `${plural(report.written.files, 'file')} to mend`, tone: 'unchecked' };
  if (report.verdict === 'faulty') return { title: kind === 'mirror' ? 'Copied, with faults' : dryRun ? 'Broken, and no archive has it sound' : 'Not all mended', tone: 'faulty' };
  if (dryRun) return { title: 'Nothing to mend', tone: 'verified' };
  if (zip.value !== null) return { title: 'The zip is ready', tone: 'verified' };
  return { title: kind === 'mirror' ? 'Copied' : report.written.files === 0 ? 'Nothing to mend' : 'Mended', tone: 'verified' };
}

/** A message that begins with the file it is about need not name it: it stands below that name. */
function reason(message: string, path: string): string {
  const rest = message.replaceAll(`${path} could not be written: `, '').replace(`${path} `, '');
  return /^\S*[/.]\S/.test(rest) ? ended(rest) : sentence(rest);
}

function saveZip({ name, blob }: { readonly name: string; readonly blob: Blob }): void {
  saveFile(name, blob);
}

const WELL_KNOWN: Readonly<Record<CopyReport['wellKnown']['status'], string>> = {
  written: 'written, last of all',
  kept: 'there already and right, kept',
  planned: 'to be written, last of all',
  'not-written': 'not written',
};

function Outcome({ copy, report }: { readonly copy: Copy; readonly report: CopyReport }): JSX.Element {
  const { title, tone } = face(copy, report);
  const zip = copy.zip.value;
  const planned = copy.dryRun && report.written.files > 0;
  return (
    <section class={`verdict tone-${tone}`} aria-labelledby="verdict-title" data-copied={report.verdict}>
      <h2 id="verdict-title" tabIndex={-1}><Icon name={tone} /> {title}</h2>
      <p class="statement">{sentence(report.statement)}</p>
      <p class="meta">
        {report.range !== null && `Ledgers ${grouped(report.range.low)} to ${grouped(report.range.high)} · `}
        {planned ? `${bytes(report.written.bytes)} would be fetched` : copy.dryRun ? 'nothing was written' : `${plural(report.written.files, 'file')}, ${bytes(report.written.bytes)} written`} · {duration(report.elapsedMs)}
      </p>
      {zip !== null && copy.kind === 'repair' && (
        <p class="unpack">
          <strong>The archive is as it was</strong> until somebody unpacks the zip over its root. The README.txt in it says so, too.
        </p>
      )}
      {zip !== null && copy.kind === 'repair' && <Command text={`unzip -o ${zip.name} -x README.txt -d /path/to/archive`} />}
      <p class="actions">
        {planned && (
          <button id="mend-all" type="button" class="button primary" onClick={copy.mend}>
            {copy.place === 'zip' ? `Make a zip of the ${plural(report.written.files, 'sound file')}` : report.written.files === 1 ? 'Mend this file' : `Mend these ${grouped(report.written.files)} files`}
          </button>
        )}
        {zip !== null && (
          <button id="save-zip" type="button" class="button primary" onClick={() => saveZip(zip)}>Save {zip.name} ({bytes(zip.blob.size)})</button>
        )}
        {copy.handle !== null && !copy.dryRun && report.verdict !== 'incomplete' && report.range !== null && (
          <button id="check-copy" type="button" class="button" onClick={() => checkCopy(copy)}>{copy.kind === 'mirror' ? 'Verify the copy' : 'Verify it'}</button>
        )}
        <button id="again" type="button" class={report.verdict === 'incomplete' && !planned ? 'button primary' : 'button'} onClick={copy.again}>
          {planned ? 'Back to the form' : report.verdict === 'incomplete' ? 'Try again' : report.verdict === 'faulty' ? 'Try other archives' : copy.kind === 'mirror' ? 'Make another copy' : 'Repair another'}
        </button>
        <button id="copy-close" type="button" class="button quiet" onClick={leave}>Close</button>
      </p>
    </section>
  );
}

function FilesTable({ copy, report }: { readonly copy: Copy; readonly report: CopyReport }): JSX.Element {
  return (
    <section class="card" aria-labelledby="totals-title">
      <h2 id="totals-title">Files</h2>
      <table class="totals narrow">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">{copy.dryRun ? 'To fetch' : 'Written'}</th>
            <th scope="col">There and sound</th>
          </tr>
        </thead>
        <tbody>
          {KINDS.map((kind) => (
            <tr key={kind}>
              <th scope="row">{KIND_LABEL[kind]}</th>
              <td class={report.written.byKind[kind] === 0 ? 'figure none' : 'figure some-verified'}>{grouped(report.written.byKind[kind])}</td>
              <td class={report.kept[kind] === 0 ? 'figure none' : 'figure'}>{grouped(report.kept[kind])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint well-known">
        The newest state, <code>.well-known/stellar-history.json</code>: {WELL_KNOWN[report.wellKnown.status]}
        {report.wellKnown.ledger !== null && `, for ledger ${grouped(report.wellKnown.ledger)}`}.
        {report.wellKnown.reason !== null && ` ${sentence(report.wellKnown.reason)}`}
      </p>
    </section>
  );
}

const OUTCOME: Readonly<Record<CopiedFile['outcome'], { readonly word: string; readonly tone: 'verified' | 'faulty' | 'unchecked' | 'pending' }>> = {
  written: { word: 'Mended', tone: 'verified' },
  planned: { word: 'Will be fetched', tone: 'pending' },
  'no-sound-source': { word: 'No sound copy', tone: 'faulty' },
  failed: { word: 'Failed', tone: 'faulty' },
};

/** What wants attention first. */
const ORDER: readonly CopiedFile['outcome'][] = ['failed', 'no-sound-source', 'planned', 'written'];

function planned({ files, buckets }: RepairPlan): number {
  return Object.values(files).reduce((sum, kinds) => sum + kinds.length, buckets.length);
}

function FileList({ copy, report }: { readonly copy: Copy; readonly report: CopyReport }): JSX.Element | null {
  const all = useSignal(false);
  if (report.files.length === 0) return null;
  const files = [...report.files].sort((one, other) => ORDER.indexOf(one.outcome) - ORDER.indexOf(other.outcome));
  const unsound = files.filter(({ outcome }) => outcome === 'no-sound-source').length;
  const failed = files.filter(({ outcome }) => outcome === 'failed').length;
  const shown = all.value ? files : files.slice(0, SHOWN);
  return (
    <section class="card" aria-labelledby="copied-title">
      <h2 id="copied-title">{copy.dryRun ? 'What is broken' : copy.kind === 'repair' ? 'What was broken' : 'What failed'} <span class="aside">{grouped(files.length + report.filesDropped)}</span></h2>
      {unsound > 0 && <p class="hint">{unsound === 1 ? 'For one of them' : `For ${grouped(unsound)} of them`} none of these archives has a sound copy: name others of the same network in the form, and try again.</p>}
      {failed > 0 && <p class="hint">{failed === 1 ? 'One' : grouped(failed)} could not be read or written, which says nothing about the file: try again.</p>}
      <ul class="copied" id="copied">
        {shown.map((file) => {
          const { word, tone } = OUTCOME[file.outcome];
          return (
            <li key={file.path} data-outcome={file.outcome}>
              <span class="path">{file.path}</span>
              <span class="hint">{file.problem}</span>
              <span class={`badge tone-${tone}`}><Icon name={tone} />{file.outcome === 'written' && copy.place === 'zip' ? 'In the zip' : word}</span>
              {(file.from !== null || file.message !== null) && (
                <span class="copied-why hint">{file.from !== null && `from ${shortName(file.from)}`}{file.from !== null && file.message !== null && ' · '}{file.message !== null && reason(file.message, file.path)}</span>
              )}
            </li>
          );
        })}
      </ul>
      {files.length > SHOWN && !all.value && <p class="actions"><button id="all-files" type="button" class="button small quiet" onClick={() => { all.value = true; }}>Show all {grouped(files.length)}</button></p>}
      {report.filesDropped > 0 && <p class="hint">And {grouped(report.filesDropped)} more, all in the plan.</p>}
    </section>
  );
}

function save(name: string, value: object): void {
  saveFile(name, `${JSON.stringify(value, null, 2)}\n`);
}

function Papers({ copy, report }: { readonly copy: Copy; readonly report: CopyReport }): JSX.Element {
  const count = planned(report.plan);
  return (
    <section class="card" aria-labelledby="report-title">
      <div class="card-head">
        <h2 id="report-title">Report</h2>
        <div class="actions">
          <button id="download" type="button" class="button" onClick={() => save(`${report.task}-report.json`, report)}>Download JSON</button>
          {count > 0 && <button id="download-plan" type="button" class="button" onClick={() => save('repair-plan.json', report.plan)}>Download the plan</button>}
        </div>
      </div>
      {count > 0 && <p class="hint">The plan lists {plural(count, 'file')} {copy.dryRun ? 'to mend' : 'still to be fetched'}, in the form that stellar-archivist and <code>repair --plan</code> take.</p>}
      <p>
        {copy.place === 'zip' && copy.kind === 'repair'
          ? 'Who keeps the archive can mend it without a zip, at the command line, with its folder in place of ./archive:'
          : 'The same at the command line, which reads archives that pages may not:'}
      </p>
      <Command text={copy.command} />
      <p class="hint">Verifier {report.verifier.version}, stellar-xdr {report.verifier.xdr}. Started {report.startedAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}, took {duration(report.elapsedMs)}.</p>
    </section>
  );
}

function Stopped({ copy }: { readonly copy: Copy }): JSX.Element | null {
  const failure = copy.run.failure.value;
  if (failure === null) return null;
  return (
    <section class="verdict tone-faulty" aria-labelledby="verdict-title" data-copied="stopped">
      <h2 id="verdict-title" tabIndex={-1}><Icon name="warning" /> {copy.dryRun ? 'The look stopped' : 'The copy stopped'}</h2>
      <p class="statement">{sentence(failure.message)} {sentence(failure.advice)}</p>
      <p class="meta">{copy.dryRun ? 'Nothing was written.' : copy.place === 'zip' ? 'There is no zip of half a copy.' : 'What was written is whole and kept: a new start goes on from there.'} <code>{failure.code}</code></p>
      <p class="actions">
        <button id="again" type="button" class="button primary" onClick={copy.again}>Back to the form</button>
        <button id="copy-close" type="button" class="button quiet" onClick={leave}>Close</button>
      </p>
    </section>
  );
}

function heading({ kind, dryRun, where, place }: Copy): string {
  if (kind === 'mirror') return `Copy to ${where}`;
  return dryRun ? `What is broken in ${shortName(where)}` : place === 'zip' ? `A zip for ${shortName(where)}` : `Repair of ${shortName(where)}`;
}

export function CopyView({ copy }: { readonly copy: Copy }): JSX.Element {
  const { run } = copy;
  const phase = run.phase.value;
  const going = isGoing(phase);
  const report = copy.report.value;
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Start went away with the form; focus goes to what can be done now.
    first.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, []);
  useEffect(() => {
    // So did Cancel. Not to a button: whoever still presses Enter on Cancel must not begin to mend.
    if (!going) document.querySelector<HTMLElement>('.verdict h2')?.focus({ preventScroll: true });
  }, [going]);
  return (
    <section class="run" aria-label={copy.kind === 'mirror' ? 'The mirror' : 'The repair'} data-copy={copy.kind}>
      <div class="runbar">
        <div class="subject">
          <p class="subject-archive">{heading(copy)}</p>
          <p class="subject-range">from {run.archives.map(shortName).join(', ')}</p>
        </div>
        {going && (
          <div class="runbar-actions actions">
            <button ref={first} id="cancel" type="button" class="button" aria-disabled={phase !== 'running'} onClick={() => run.cancel()}>{phase === 'stopping' ? 'Stopping…' : 'Cancel'}</button>
          </div>
        )}
      </div>
      <Stopped copy={copy} />
      {report !== null && !going && <Outcome copy={copy} report={report} />}
      <Hindrance copy={copy} />
      {going && <Going copy={copy} />}
      {report !== null && !going && (
        <Fragment>
          <Trouble run={run} />
          <FileList copy={copy} report={report} />
          <FilesTable copy={copy} report={report} />
          {report.verification.claims.some(({ claim }) => claim === 'tip') && <Vouchers run={run} />}
          <Sources run={run} />
        </Fragment>
      )}
      <CheckpointMap run={run} />
      {report !== null && !going && (
        <Fragment>
          <Findings run={run} />
          <Notes run={run} />
          <Papers copy={copy} report={report} />
        </Fragment>
      )}
    </section>
  );
}
