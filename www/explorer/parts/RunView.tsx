import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { grouped, plural, shortName } from '../format.ts';
import { summaryOf } from '../quorum-set.ts';
import { isGoing, type Phase, type Run } from '../run.ts';
import { discardRun, newCheck, resumeRun, titles } from '../store.ts';
import { Sources } from './Archives.tsx';
import { CheckpointMap } from './CheckpointMap.tsx';
import { Findings } from './Findings.tsx';
import { ProgressPanel } from './ProgressPanel.tsx';
import { ReportBox } from './ReportBox.tsx';
import { Notes, NotKept, NotYet, Trouble } from './Trouble.tsx';
import { Totals, VerdictBanner } from './Verdict.tsx';
import { Vouchers } from './Vouchers.tsx';

function subjectOf(run: Run): string {
  const { options } = run;
  const range = run.report.value?.range ?? options.range;
  const ledgers =
    options.last !== undefined && run.report.value === null
      ? `the newest ${plural(options.last, 'ledger')}`
      : range?.low === undefined && range?.high === undefined
        ? 'whole archive'
        : `ledgers ${range.low === undefined ? 'first' : grouped(range.low)} to ${range.high === undefined ? 'last' : grouped(range.high)}`;
  const parts = [options.sample === undefined ? ledgers : `${plural(options.sample, 'random checkpoint')} of ${ledgers}`];
  if (options.order === 'newest-first') parts.push('newest first');
  if (options.deep === true) parts.push('deep');
  if (options.skipOptional === true) parts.push('without SCP files');
  if (options.skipBuckets === true) parts.push('without bucket files');
  const { quorumSet, hashes, checkpointHashes, allSignatures } = options.trust ?? {};
  if (quorumSet !== undefined) parts.push(typeof quorumSet === 'string' ? `believing ${quorumSet}` : `believing your own ${summaryOf(quorumSet)}`);
  if (hashes !== undefined) parts.push(plural(hashes.length, 'trusted hash', 'trusted hashes'));
  if (checkpointHashes !== undefined) parts.push(`hashes of ${run.setup.form.hashesFile}`);
  if (allSignatures === true) parts.push('all signatures');
  return parts.join(' · ');
}

function RunBar({ run }: { readonly run: Run }): JSX.Element {
  const phase = run.phase.value;
  const going = isGoing(phase);
  const paused = phase === 'paused';
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Start went away with the form; focus goes to what can be done now.
    first.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, []);
  return (
    <div class="runbar">
      <div class="subject">
        <ul>{run.archives.map((archive) => <li key={archive} class="subject-archive" title={archive}>{shortName(archive)}</li>)}</ul>
        <p class="subject-range">{subjectOf(run)}</p>
      </div>
      <div class="runbar-actions actions">
        {(going || paused) && (
          // One button for the two, so that it stays under the finger and keeps the focus.
          <button
            ref={first} id={paused ? 'resume' : 'pause'} type="button" class={paused ? 'button primary' : 'button'}
            aria-disabled={phase === 'pausing' || phase === 'stopping'} onClick={() => (paused ? resumeRun() : run.pause())}
          >
            {paused ? 'Resume' : phase === 'pausing' ? 'Pausing…' : 'Pause'}
          </button>
        )}
        {phase === 'crashed' && run.state.value !== null && <button id="resume" type="button" class="button primary" onClick={resumeRun}>Continue</button>}
        {going && (
          <button id="cancel" type="button" class="button" aria-disabled={phase !== 'running'} onClick={() => run.cancel()}>
            {phase === 'stopping' ? 'Stopping…' : 'Cancel'}
          </button>
        )}
        {paused && <button id="discard" type="button" class="button" onClick={() => void discardRun()}>Discard</button>}
        {!going && !paused && <button id="change" type="button" class="button" onClick={newCheck}>New check</button>}
      </div>
    </div>
  );
}

const STANDING: Readonly<Record<Phase, string>> = {
  running: 'Checking', pausing: 'Pausing', paused: 'Paused', stopping: 'Stopping', done: 'Done', crashed: 'Stopped', refused: 'Not continued',
};

/** How it stands, in few words: what a tab has room for. */
function titleOf(run: Run): string {
  const { done, total } = run.progress.value?.checkpoints ?? { done: 0, total: 0 };
  const verdict = run.report.value?.verdict;
  const standing = verdict === undefined ? STANDING[run.phase.value] : `${verdict.slice(0, 1).toUpperCase()}${verdict.slice(1)}`;
  const far = isGoing(run.phase.value) && total > 0 ? ` ${Math.floor((done / total) * 100)} %` : '';
  return `${standing}${far}, ${run.archives.map(shortName).join(', ')}`;
}

/** What came of a check that was not made in this tab. `link` leads to it, `command` shows it at the command line. */
export function ReportView({ run, link, command }: { readonly run: Run; readonly link: string; readonly command: string }): JSX.Element {
  return (
    <Fragment>
      <VerdictBanner run={run} />
      <Trouble run={run} elsewhere />
      <Vouchers run={run} />
      <Totals run={run} />
      <Sources run={run} />
      <Findings run={run} />
      <Notes run={run} />
      <ReportBox run={run} from={{ link, command }} />
    </Fragment>
  );
}

export function RunView({ run }: { readonly run: Run }): JSX.Element {
  const title = titleOf(run);
  useEffect(() => {
    titles.check.value = title;
  }, [title]);
  useEffect(() => () => { titles.check.value = ''; }, []);
  return (
    <section class="run" aria-label="The check">
      <RunBar run={run} />
      <NotYet run={run} />
      <VerdictBanner run={run} />
      <NotKept run={run} />
      <ProgressPanel run={run} />
      <Trouble run={run} />
      <Vouchers run={run} />
      <Totals run={run} />
      <Sources run={run} />
      <CheckpointMap run={run} />
      <Findings run={run} />
      <Notes run={run} />
      <ReportBox run={run} />
    </section>
  );
}
