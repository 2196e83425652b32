import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { LedgerRange } from '../../lib/types.ts';
import { type CellState, type CheckpointTable, firstLedgerOf } from '../checkpoints.ts';
import { grouped, hex, plural } from '../format.ts';
import { cellAt, drawMap, layOut, type MapLayout, shareOf } from '../map-paint.ts';
import { isOver, type Run } from '../run.ts';
import { CheckpointDetail } from './CheckpointDetail.tsx';
import { tiesChain } from './Vouchers.tsx';

export function wordFor(state: CellState, over: boolean, sampled: boolean): string {
  return state === 'pending' ? (over ? (sampled ? 'not in the sample' : 'not reached') : 'pending') : state;
}

function readOut(table: CheckpointTable, layout: MapLayout, cell: number, over: boolean, sealed: readonly LedgerRange[]): string {
  const index = cell * layout.group;
  const size = Math.min(layout.group, table.count - index);
  const checkpoint = table.checkpointAt(index);
  const last = table.checkpointAt(index + size - 1);
  const ledgers = `ledgers ${grouped(firstLedgerOf(checkpoint, table.frequency))} to ${grouped(last)}`;
  const share = Math.max(0, ...sealed.map((range) => shareOf(table, layout, cell, range)));
  const word = `${wordFor(table.worst(index, size), over, table.sampled)}${share === 0 ? '' : share < 1 ? ', vouched for in part' : ', vouched for'}`;
  return size === 1
    ? `Checkpoint ${grouped(checkpoint)} (${hex(checkpoint)}), ${ledgers}: ${word}`
    : `${plural(size, 'checkpoint')} from ${grouped(checkpoint)} (${hex(checkpoint)}), ${ledgers}: ${word}`;
}

function Legend({ run, table, sealed }: { readonly run: Run; readonly table: CheckpointTable; readonly sealed: boolean }): JSX.Element {
  void run.tick.value;
  const over = isOver(run.phase.value);
  const counts = table.counts();
  const shown: readonly CellState[] = ['verified', 'faulty', 'unchecked', 'pending'];
  return (
    <ul class="legend">
      {shown.filter((state) => state !== 'pending' || !over || counts.pending > 0).map((state) => (
        <li key={state}>
          <svg class={`swatch tone-${state}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            {state === 'verified' && <rect width="12" height="12" fill="currentColor" />}
            {state === 'faulty' && (<><rect width="12" height="12" fill="currentColor" /><path class="cut" d="M3 3l6 6M9 3l-6 6" /></>)}
            {state === 'unchecked' && <path class="line" d="M.7.7h10.6v10.6H.7zM.7 11.3L11.3.7" />}
            {state === 'pending' && <rect x="4" y="4" width="4" height="4" fill="currentColor" />}
          </svg>
          <span class="figure">{grouped(counts[state])}</span> {wordFor(state, over, table.sampled)}
        </li>
      ))}
      {sealed && (
        <li>
          <svg class="swatch" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><rect y="9" width="12" height="2" fill="currentColor" /></svg>
          vouched for
        </li>
      )}
    </ul>
  );
}

export function CheckpointMap({ run }: { readonly run: Run }): JSX.Element | null {
  const table = run.table.value;
  return table === null ? null : <Map run={run} table={table} />;
}

function Map({ run, table }: { readonly run: Run; readonly table: CheckpointTable }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  const hovered = useSignal<number | null>(null);
  const focused = useSignal(false);
  const theme = useSignal(0);

  const tick = run.tick.value;
  const sealed = (run.report.value?.anchors ?? []).flatMap((anchor) => (tiesChain(anchor) && anchor.covers !== null ? [anchor.covers] : []));
  const over = isOver(run.phase.value);
  const layout = layOut(table.count, Math.max(1, width.value - 6));
  const selected = Math.min(Math.floor(run.selected.value / layout.group), layout.cells - 1);
  const marked = focused.value || run.opened.value !== null ? selected : null;

  useLayoutEffect(() => {
    const box = frame.current;
    if (box === null) return undefined;
    width.value = box.clientWidth;
    const observer = new ResizeObserver(() => {
      width.value = box.clientWidth;
    });
    observer.observe(box);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const repaint = (): void => {
      theme.value += 1;
    };
    scheme.addEventListener('change', repaint);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', repaint);
    };
  }, []);

  // With the legend, not a frame after it: both show the same table.
  useLayoutEffect(() => {
    if (canvas.current === null || width.value === 0) return;
    drawMap(canvas.current, table, layout, marked, sealed);
  }, [tick, width.value, marked, theme.value, table, sealed.length]);

  const select = (cell: number): void => {
    run.selected.value = Math.max(0, Math.min(layout.cells - 1, cell)) * layout.group;
  };
  const open = (cell: number): void => {
    select(cell);
    run.opened.value = run.selected.value;
  };
  const nextFault = (from: number, step: 1 | -1): void => {
    for (let cell = from + step; cell >= 0 && cell < layout.cells; cell += step) {
      if (table.worst(cell * layout.group, layout.group) === 'faulty') {
        select(cell);
        return;
      }
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => select(selected - 1),
      ArrowRight: () => select(selected + 1),
      ArrowUp: () => { if (selected >= layout.columns) select(selected - layout.columns); },
      ArrowDown: () => { if (selected + layout.columns < layout.cells) select(selected + layout.columns); },
      Home: () => select(0),
      End: () => select(layout.cells - 1),
      PageUp: () => nextFault(selected, -1),
      PageDown: () => nextFault(selected, 1),
      Enter: () => open(selected),
      ' ': () => open(selected),
      Escape: () => { run.opened.value = null; },
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  const at = (event: MouseEvent): number | null => {
    const box = canvas.current?.getBoundingClientRect();
    return box === undefined ? null : cellAt(layout, event.clientX - box.left, event.clientY - box.top);
  };

  const pointed = hovered.value ?? selected;
  return (
    <section class="card map" aria-labelledby="map-title">
      <div class="card-head">
        <h2 id="map-title">Checkpoints</h2>
        <Legend run={run} table={table} sealed={sealed.length > 0} />
      </div>
      <div class="map-frame" ref={frame}>
        <canvas
          ref={canvas}
          class="map-canvas"
          tabIndex={0}
          role="slider"
          aria-label="Checkpoint map"
          aria-describedby="map-help"
          aria-valuemin={1}
          aria-valuemax={layout.cells}
          aria-valuenow={selected + 1}
          aria-valuetext={readOut(table, layout, selected, over, sealed)}
          onKeyDown={onKeyDown}
          onFocus={() => { focused.value = true; }}
          onBlur={() => { focused.value = false; }}
          onMouseMove={(event) => { hovered.value = at(event); }}
          onMouseLeave={() => { hovered.value = null; }}
          onClick={(event) => {
            const cell = at(event);
            if (cell !== null) open(cell);
          }}
        />
      </div>
      <p class="readout" id="map-readout">{readOut(table, layout, pointed, over, sealed)}</p>
      <p class="hint" id="map-help">
        {layout.group > 1 ? `Each cell stands for ${grouped(layout.group)} checkpoints and shows the worst of them. ` : ''}
        Arrow keys move, Page Down and Page Up jump between faults, Enter or a click shows the files.
      </p>
      {run.opened.value !== null && <CheckpointDetail run={run} table={table} index={run.opened.value} size={layout.group} />}
    </section>
  );
}
