import type { JSX } from 'preact';
import { compact, grouped } from '../format.ts';
import type { Run } from '../run.ts';
import { countsOf, LANE_X, WORK_ROWS, WORK_STATES, type WorkRow, type WorkState } from '../works.ts';
import { Icon } from './Icon.tsx';

const HEADING: Readonly<Record<WorkState, string>> = {
  done: 'Done',
  running: 'Running',
  retrying: 'Retrying',
  failed: 'Failed',
  pending: 'Pending',
};

function nodeState(counts: Readonly<Record<WorkState, number>>): 'idle' | 'active' | 'done' | 'failed' {
  if (counts.running + counts.retrying > 0) return 'active';
  if (counts.failed > 0) return 'failed';
  if (counts.done === 0) return 'idle';
  return counts.pending > 0 ? 'active' : 'done';
}

/** The lines come from the row above and go to the row below, so rows have one height. */
function Rail({ row, state }: { readonly row: WorkRow; readonly state: string }): JSX.Element {
  const x = LANE_X[row.lane];
  return (
    <svg class={`rail node-${state}`} viewBox="0 0 34 32" width="34" height="32" aria-hidden="true">
      <path class="rail-line" d={row.lines} />
      <circle class="rail-node" cx={x} cy="16" r="4.5" />
    </svg>
  );
}

/** The work items of the run and what each kind waits for, as a table with the graph drawn beside it. */
export function WorkGraph({ run }: { readonly run: Run }): JSX.Element {
  const works = run.progress.value?.works;
  return (
    <table class="works" id="works">
      <caption class="visually-hidden">Work items by kind, and how many are in which state</caption>
      <thead>
        <tr>
          <th scope="col">Work</th>
          {WORK_STATES.map((state) => (
            <th key={state} scope="col" class={`is-${state}`}><Icon name={state} /><span class="short">{HEADING[state]}</span></th>
          ))}
        </tr>
      </thead>
      <tbody>
        {WORK_ROWS.map((row) => {
          const counts = countsOf(works?.[row.kind]);
          return (
            <tr key={row.kind} data-work={row.kind}>
              <th scope="row"><span class="work"><Rail row={row} state={nodeState(counts)} />{row.label}</span>{row.after !== undefined && <span class="visually-hidden"> after {row.after}</span>}</th>
              {WORK_STATES.map((state) => (
                <td key={state} class={counts[state] === 0 ? 'figure none' : `figure is-${state}`} title={grouped(counts[state])}>{compact(counts[state])}</td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
