import type { JSX } from 'preact';
import type { Stage } from '../../lib/types.ts';
import { bytes, duration, grouped } from '../format.ts';
import type { Run } from '../run.ts';

const STAGES: readonly { readonly stage: Stage; readonly label: string }[] = [
  { stage: 'root', label: 'Archive state' },
  { stage: 'checkpoints', label: 'Checkpoints and buckets' },
  { stage: 'done', label: 'Report' },
];

function Bar(props: { readonly label: string; readonly done: number; readonly total: number }): JSX.Element {
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

function Figure(props: { readonly label: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd class="figure">{props.value}</dd>
    </div>
  );
}

export function ProgressPanel({ run }: { readonly run: Run }): JSX.Element | null {
  if (run.phase.value !== 'running' && run.phase.value !== 'stopping') return null;
  const progress = run.progress.value;
  const retry = run.retry.value;
  const at = STAGES.findIndex((entry) => entry.stage === run.stage.value);
  return (
    <section class="card progress" aria-label="Progress">
      <ol class="stages">
        {STAGES.map((entry, place) => (
          <li key={entry.stage} class={place < at ? 'past' : place === at ? 'now' : 'next'} aria-current={place === at ? 'step' : undefined}>
            {entry.label}
          </li>
        ))}
      </ol>
      <div class="bars">
        <Bar label="Checkpoints" done={progress?.checkpoints.done ?? 0} total={progress?.checkpoints.total ?? 0} />
        <Bar label="Buckets" done={progress?.buckets.done ?? 0} total={progress?.buckets.total ?? 0} />
      </div>
      <dl class="figures">
        <Figure label="Downloaded" value={bytes(progress?.bytes.compressed ?? '0')} />
        <Figure label="Rate" value={`${bytes(run.rate.value)}/s`} />
        <Figure label="Unpacked" value={bytes(progress?.bytes.inflated ?? '0')} />
        <Figure label="Findings" value={grouped(progress?.findings ?? 0)} />
        <Figure label="Retries" value={grouped(progress?.retries ?? 0)} />
        <Figure label="Elapsed" value={duration(run.elapsedMs.value)} />
      </dl>
      {retry !== null && (
        <p class="hint retrying">Asked again for <span class="path">{retry.path}</span> (try {retry.attempt + 1}): {retry.reason}</p>
      )}
    </section>
  );
}
