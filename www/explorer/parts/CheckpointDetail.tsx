import type { JSX } from 'preact';
import { CHECKPOINT_KINDS, type CheckpointTable, filePath, firstLedgerOf, KIND_LABEL } from '../checkpoints.ts';
import { grouped, hex, plural } from '../format.ts';
import { isOver, type Run } from '../run.ts';
import { lookLink } from '../store.ts';
import { FileLinks } from './FileLink.tsx';
import { FindingCard } from './Findings.tsx';
import { StatusBadge } from './StatusBadge.tsx';
import { wordFor } from './CheckpointMap.tsx';

const SHOWN = 20;

/** Statuses, files and findings of one checkpoint; of the worst one where a cell stands for several. */
export function CheckpointDetail(props: {
  readonly run: Run;
  readonly table: CheckpointTable;
  readonly index: number;
  readonly size: number;
}): JSX.Element {
  const { run, table } = props;
  void run.tick.value;
  const over = isOver(run.phase.value);
  const end = Math.min(props.index + props.size, table.count);
  const worst = table.shown(props.index, props.size);
  let index = props.index;
  while (index < end - 1 && table.shown(index, 1) !== worst) index += 1;
  const underWay = worst === 'in-flight';
  const checkpoint = table.checkpointAt(index);
  const findings = run.findings.value.filter((finding) => finding.checkpoint === checkpoint);
  return (
    <section class="detail" aria-labelledby="detail-title">
      <div class="card-head">
        <h3 id="detail-title">
          Checkpoint {grouped(checkpoint)} <span class="aside">{hex(checkpoint)}</span>
        </h3>
        <button type="button" class="button quiet small" onClick={() => { run.opened.value = null; }}>Close</button>
      </div>
      <p class="hint">
        Ledgers {grouped(firstLedgerOf(checkpoint, table.frequency))} to {grouped(checkpoint)}
        {props.size > 1 ? `; the first ${wordFor(worst, over, table.sampled)} one of ${plural(end - props.index, 'checkpoint')} in this cell` : ''}
      </p>
      <p class="look-inside"><a href={lookLink(`checkpoint=${checkpoint}`, run.archives[0])}>Look inside this checkpoint</a></p>
      <ul class="files">
        {CHECKPOINT_KINDS.map((kind) => {
          const state = table.statusOf(index, kind);
          return (
            <li key={kind}>
              <span class="file-kind">{KIND_LABEL[kind]}</span>
              {underWay ? <StatusBadge state="in-flight" /> : over && state === 'pending' ? <StatusBadge state={state} word={table.sampled ? 'Not in the sample' : 'Not reached'} /> : <StatusBadge state={state} />}
              <FileLinks archives={run.archives} path={filePath(kind, checkpoint)} />
            </li>
          );
        })}
      </ul>
      {findings.length > 0 && (
        <ol class="finding-list">
          {findings.slice(0, SHOWN).map((finding) => <FindingCard key={finding} finding={finding} />)}
        </ol>
      )}
    </section>
  );
}
