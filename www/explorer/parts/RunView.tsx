import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { grouped } from '../format.ts';
import type { Run } from '../run.ts';
import { formOpen } from '../store.ts';
import { CheckpointMap } from './CheckpointMap.tsx';
import { Findings } from './Findings.tsx';
import { ProgressPanel } from './ProgressPanel.tsx';
import { ReportBox } from './ReportBox.tsx';
import { Notes, Trouble } from './Trouble.tsx';
import { Totals, VerdictBanner } from './Verdict.tsx';

function subjectOf(run: Run): string {
  const range = run.report.value?.range ?? run.options.range;
  const ledgers =
    range?.low === undefined && range?.high === undefined
      ? 'whole archive'
      : `ledgers ${range.low === undefined ? 'first' : grouped(range.low)} to ${range.high === undefined ? 'last' : grouped(range.high)}`;
  const parts = [ledgers];
  if (run.options.deep === true) parts.push('deep');
  if (run.options.skipOptional === true) parts.push('without SCP files');
  if (run.options.skipBuckets === true) parts.push('without bucket files');
  return parts.join(' · ');
}

function change(): void {
  formOpen.value = true;
  requestAnimationFrame(() => {
    document.getElementById('archive')?.focus();
  });
}

function RunBar({ run }: { readonly run: Run }): JSX.Element {
  const going = run.phase.value === 'running' || run.phase.value === 'stopping';
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Start went away with the form; focus goes to what can be done now.
    cancel.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, []);
  return (
    <div class="runbar">
      <div class="subject">
        <p class="subject-archive">{run.archive}</p>
        <p class="subject-range">{subjectOf(run)}</p>
      </div>
      <div class="runbar-actions">
        {going ? (
          <button ref={cancel} id="cancel" type="button" class="button" aria-disabled={run.phase.value === 'stopping'} onClick={() => run.cancel()}>
            {run.phase.value === 'stopping' ? 'Stopping…' : 'Cancel'}
          </button>
        ) : (
          <button id="change" type="button" class="button" onClick={change}>New check</button>
        )}
      </div>
    </div>
  );
}

export function RunView({ run }: { readonly run: Run }): JSX.Element {
  return (
    <section class="run" aria-label="The check">
      <RunBar run={run} />
      <VerdictBanner run={run} />
      <ProgressPanel run={run} />
      <Trouble run={run} />
      <Totals run={run} />
      <CheckpointMap run={run} />
      <Findings run={run} />
      <Notes run={run} />
      <ReportBox run={run} />
    </section>
  );
}
