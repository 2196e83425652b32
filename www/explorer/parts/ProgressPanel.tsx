import { Fragment, type JSX } from 'preact';
import type { Stage } from '../../lib/types.ts';
import { bytes, duration, grouped, shortName } from '../format.ts';
import { isGoing, type Run } from '../run.ts';
import { timeLeft } from '../time-left.ts';
import { LiveArchives } from './Archives.tsx';
import { WorkGraph } from './WorkGraph.tsx';

const STAGES: readonly { readonly stage: Stage; readonly label: string }[] = [
  { stage: 'root', label: 'Archive state' },
  { stage: 'checkpoints', label: 'Checkpoints and buckets' },
  { stage: 'done', label: 'Report' },
];

export function Bar(props: { readonly label: string; readonly done: number; readonly total: number }): JSX.Element {
  const known = props.total > 0;
  return (
    <div class="bar">
      <div class="bar-head">
        <span id={`bar-${props.label}`}>{props.label}</span>
        <span class="figure">{known ? `${grouped(props.done)} of ${grouped(props.total)}` : '–'}</span>
      </div>
      <progress aria-labelledby={`bar-${props.label}`} max={known ? props.total : 1} value={known ? props.done : 0} />
    </div>
  );
}

export function Figure(props: { readonly label: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd class="figure">{props.value}</dd>
    </div>
  );
}

/** The files that are being read, behind a word that is of the same height whatever there is. */
function FilesInFlight({ run }: { readonly run: Run }): JSX.Element {
  const { files, fileCount } = run.progress.value?.inFlight ?? { files: [], fileCount: 0 };
  const several = run.archives.length > 1;
  return (
    <details class="in-flight" id="in-flight">
      <summary>Files in flight</summary>
      <ul tabIndex={0} aria-label="Files that are being read">
        {files.map(({ path, archive, bytes: read }) => (
          <li key={`${archive} ${path}`}>
            <span class="path">{path}</span>
            {several && <span class="hint">{shortName(archive)}</span>}
            <span class="figure">{bytes(read)}</span>
          </li>
        ))}
        {files.length === 0 && <li class="hint">None just now.</li>}
        {fileCount > files.length && <li class="hint">and {grouped(fileCount - files.length)} more</li>}
      </ul>
    </details>
  );
}

export function ProgressPanel({ run }: { readonly run: Run }): JSX.Element | null {
  const phase = run.phase.value;
  const going = isGoing(phase);
  if (!going && phase !== 'paused') return null;
  const progress = run.progress.value;
  const retry = run.retry.value;
  const left = run.leftMs.value;
  const slept = run.sleptMs.value;
  const at = STAGES.findIndex((entry) => entry.stage === run.stage.value);
  // Until a run that goes on has told where it stands, the place where it was left is the better answer than none.
  const before = run.setup.resume?.done ?? 0;
  return (
    <Fragment>
      <section class="card progress" aria-label="Progress">
        <ol class="stages">
          {STAGES.map((entry, place) => (
            <li key={entry.stage} class={place < at ? 'past' : place === at ? 'now' : 'next'} aria-current={place === at ? 'step' : undefined}>
              {entry.label}
            </li>
          ))}
        </ol>
        <div class="bars">
          <Bar label="Checkpoints" done={progress?.checkpoints.done ?? before} total={progress?.checkpoints.total ?? run.table.value?.count ?? 0} />
          <Bar label="Buckets" done={progress?.buckets.done ?? 0} total={progress?.buckets.total ?? 0} />
        </div>
        <dl class="figures">
          <Figure label="Time left" value={left === null || !going ? '–' : `about ${timeLeft(left)}`} />
          <Figure label="Downloaded" value={bytes(progress?.bytes.compressed ?? '0')} />
          <Figure label="Rate" value={going ? `${bytes(run.rate.value)}/s` : 'paused'} />
          <Figure label="Unpacked" value={bytes(progress?.bytes.inflated ?? '0')} />
          <Figure label="Files in flight" value={grouped(going ? progress?.inFlight.fileCount ?? 0 : 0)} />
          <Figure label="Findings" value={grouped(Math.max(progress?.findings ?? 0, run.findings.value.length))} />
          <Figure label="Retries" value={grouped(progress?.retries ?? 0)} />
          <Figure label="Elapsed" value={duration(run.elapsedMs.value)} />
        </dl>
        <p class="hint retrying">
          {slept > 0 && `This tab was asleep for ${duration(slept)}; what was cut off is read again. `}
          {retry !== null && <Fragment>{shortName(retry.archive)}: {retry.reason}; try {retry.attempt + 1} for <span class="path">{retry.path}</span></Fragment>}
        </p>
        <FilesInFlight run={run} />
      </section>
      <div class="columns live">
        <section class="card" aria-labelledby="works-title">
          <h2 id="works-title">Work{run.setup.resume !== undefined && <span class="aside"> since it was taken up again</span>}</h2>
          <WorkGraph run={run} />
        </section>
        <section class="card" aria-labelledby="live-title">
          <h2 id="live-title">{run.archives.length === 1 ? 'Archive' : 'Archives'}</h2>
          <LiveArchives run={run} />
        </section>
      </div>
    </Fragment>
  );
}
