import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { LedgerRange } from '../../lib/types.ts';
import { type CheckpointTable, firstLedgerOf, type ShownState } from '../checkpoints.ts';
import { grouped, hex, plural } from '../format.ts';
import { cellAt, holding, indexOf, layOut, type MapLayout, MapPainter, type MapView, moved, shareOf, zoomed } from '../map-paint.ts';
import { isOver, type Run } from '../run.ts';
import { CheckpointDetail } from './CheckpointDetail.tsx';
import { sealedRanges } from './Vouchers.tsx';

export function wordFor(state: ShownState, over: boolean, sampled: boolean): string {
  if (state === 'in-flight') return 'in flight';
  return state === 'pending' ? (over ? (sampled ? 'not in the sample' : 'not reached') : 'pending') : state;
}

function readOut(table: CheckpointTable, layout: MapLayout, cell: number, over: boolean, sealed: readonly LedgerRange[]): string {
  const index = indexOf(layout, cell);
  const size = Math.min(layout.group, table.count - index);
  const checkpoint = table.checkpointAt(index);
  const last = table.checkpointAt(index + size - 1);
  const ledgers = `ledgers ${grouped(firstLedgerOf(checkpoint, table.frequency))} to ${grouped(last)}`;
  const share = Math.max(0, ...sealed.map((range) => shareOf(table, layout, cell, range)));
  const word = `${wordFor(table.shown(index, size), over, table.sampled)}${share === 0 ? '' : share < 1 ? ', vouched for in part' : ', vouched for'}`;
  return size === 1
    ? `Checkpoint ${grouped(checkpoint)} (${hex(checkpoint)}), ${ledgers}: ${word}`
    : `${plural(size, 'checkpoint')} from ${grouped(checkpoint)} (${hex(checkpoint)}), ${ledgers}: ${word}`;
}

function Legend({ run, table, sealed }: { readonly run: Run; readonly table: CheckpointTable; readonly sealed: boolean }): JSX.Element {
  void run.tick.value;
  const over = isOver(run.phase.value);
  const counts = table.counts();
  const shown: readonly ShownState[] = ['verified', 'faulty', 'unchecked', 'in-flight', 'pending'];
  return (
    <ul class="legend">
      {shown.filter((state) => (state === 'pending' ? !over || counts.pending > 0 : state !== 'in-flight' || !over)).map((state) => (
        <li key={state}>
          <svg class={`swatch tone-${state}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            {state === 'verified' && <rect width="12" height="12" fill="currentColor" />}
            {state === 'faulty' && (<><rect width="12" height="12" fill="currentColor" /><path class="cut" d="M3 3l6 6M9 3l-6 6" /></>)}
            {state === 'unchecked' && <path class="line" d="M.7.7h10.6v10.6H.7zM.7 11.3L11.3.7" />}
            {state === 'in-flight' && (<><path class="line" d="M.75.75h10.5v10.5H.75z" /><rect y="6" width="12" height="6" fill="currentColor" /></>)}
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
  const painter = useRef<MapPainter | null>(null);
  /** None: the whole range. */
  const part = useSignal<MapView | null>(null);
  const drag = useRef<{ readonly x: number; readonly y: number; readonly view: MapView; moved: boolean } | null>(null);

  const tick = run.tick.value;
  const sealed = sealedRanges(run.report.value);
  const over = isOver(run.phase.value);
  const whole: MapView = { start: 0, span: table.count };
  const view = part.value ?? whole;
  const layout = layOut(view, Math.max(1, width.value - 6));
  const chosen = Math.min(run.selected.value, table.count - 1);
  const selected = Math.floor((chosen - layout.start) / layout.group);
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
    painter.current ??= new MapPainter();
    painter.current.draw(canvas.current, table, layout, marked, sealed);
  }, [tick, width.value, marked, theme.value, table, sealed.length, layout.start, layout.cells]);

  const show = (next: MapView): void => {
    part.value = next.span >= table.count ? null : next;
  };
  const zoom = (factor: number, index: number): void => show(zoomed(view, index, factor, table.count));
  /** By the first checkpoint of a cell, so that it is the same one at every zoom. */
  const select = (index: number): void => {
    const within = Math.max(0, Math.min(table.count - 1, index));
    run.selected.value = within - ((within - layout.start) % layout.group);
    if (part.value !== null) show(holding(view, run.selected.value, table.count));
  };
  const open = (index: number): void => {
    select(index);
    run.opened.value = run.selected.value;
  };
  const nextFault = (step: 1 | -1): void => {
    const from = step === 1 ? chosen + layout.group - 1 : chosen;
    const next = table.nextFault(from, step);
    if (next !== null) select(next);
  };

  // A wheel turned with Ctrl, or two fingers on a touchpad, would zoom the page; that takes a listener that may refuse it.
  useLayoutEffect(() => {
    const box = canvas.current;
    if (box === null) return undefined;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const cell = at(event);
      zoom(event.deltaY < 0 ? 0.8 : 1.25, cell === null ? chosen : indexOf(layout, cell));
    };
    box.addEventListener('wheel', onWheel, { passive: false });
    return () => box.removeEventListener('wheel', onWheel);
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = layout.columns * layout.group;
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => select(chosen - layout.group),
      ArrowRight: () => select(chosen + layout.group),
      ArrowUp: () => { if (chosen >= row) select(chosen - row); },
      ArrowDown: () => { if (chosen + row < table.count) select(chosen + row); },
      Home: () => select(0),
      End: () => select(table.count - 1),
      PageUp: () => nextFault(-1),
      PageDown: () => nextFault(1),
      Enter: () => open(chosen),
      ' ': () => open(chosen),
      '+': () => zoom(0.5, chosen),
      '=': () => zoom(0.5, chosen),
      '-': () => zoom(2, chosen),
      0: () => show(whole),
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
  const onPointerMove = (event: PointerEvent): void => {
    const held = drag.current;
    if (held === null) {
      hovered.value = at(event);
      return;
    }
    const [right, down] = [Math.round((held.x - event.clientX) / layout.size), Math.round((held.y - event.clientY) / layout.size)];
    if (right === 0 && down === 0 && !held.moved) return;
    held.moved = true;
    hovered.value = null;
    show(moved(held.view, (down * layout.columns + right) * layout.group, table.count));
  };

  const pointed = Math.max(0, Math.min(layout.cells - 1, hovered.value ?? selected));
  const middle = view.start + Math.floor(view.span / 2);
  /** Where the keyboard is, if that is to be seen. */
  const focusedOn = chosen >= view.start && chosen < view.start + view.span ? chosen : middle;
  const canZoom = layOut(whole, Math.max(1, width.value - 6)).size < 18;
  return (
    <section class="card map" aria-labelledby="map-title">
      <div class="card-head">
        <h2 id="map-title">Checkpoints</h2>
        <Legend run={run} table={table} sealed={sealed.length > 0} />
      </div>
      <div class={canZoom ? 'map-frame tall' : 'map-frame'} ref={frame}>
        <canvas
          ref={canvas}
          class={part.value === null ? 'map-canvas' : 'map-canvas zoomed'}
          tabIndex={0}
          role="slider"
          aria-label="Checkpoint map"
          aria-describedby="map-help"
          aria-valuemin={1}
          aria-valuemax={Math.ceil(table.count / layout.group)}
          aria-valuenow={Math.floor(chosen / layout.group) + 1}
          aria-valuetext={readOut(table, { ...layout, start: chosen }, 0, over, sealed)}
          onKeyDown={onKeyDown}
          onFocus={() => { focused.value = true; }}
          onBlur={() => { focused.value = false; }}
          onPointerDown={(event) => {
            if (part.value === null || event.button !== 0) return;
            drag.current = { x: event.clientX, y: event.clientY, view, moved: false };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={onPointerMove}
          onPointerCancel={() => { drag.current = null; }}
          onPointerLeave={() => { hovered.value = null; }}
          onClick={(event) => {
            const dragged = drag.current?.moved === true;
            drag.current = null;
            const cell = at(event);
            if (cell !== null && !dragged) open(indexOf(layout, cell));
          }}
        />
      </div>
      {canZoom && (
        <div class="map-zoom">
          <button type="button" class="button small" disabled={part.value === null} onClick={() => zoom(2, middle)} aria-label="Zoom out">−</button>
          <button type="button" class="button small" disabled={layout.size >= 22} onClick={() => zoom(0.5, focusedOn)} aria-label="Zoom in">+</button>
          <button type="button" class="button small" disabled={part.value === null} onClick={() => show(whole)}>Whole range</button>
          {part.value !== null && (
            <input
              type="range" class="map-position" aria-label="Position in the range" min={0} max={table.count - view.span} step={Math.max(1, layout.columns * layout.group)} value={view.start}
              aria-valuetext={`from checkpoint ${grouped(table.checkpointAt(view.start))}`}
              onInput={(event) => show(moved({ start: event.currentTarget.valueAsNumber, span: view.span }, 0, table.count))}
            />
          )}
          <span class="hint">
            {part.value === null ? 'The whole range' : `Ledgers ${grouped(firstLedgerOf(table.checkpointAt(view.start), table.frequency))} to ${grouped(table.checkpointAt(view.start + view.span - 1))}`}
          </span>
        </div>
      )}
      <p class="readout" id="map-readout">{readOut(table, layout, pointed, over, sealed)}</p>
      <p class="hint" id="map-help">
        {layout.group > 1 ? `Each cell stands for ${grouped(layout.group)} checkpoints and shows the worst of them. ` : ''}
        Arrow keys move, Page Down and Page Up jump between faults, Enter or a click shows the files{canZoom ? '; plus, minus and 0 zoom, dragging moves' : ''}.
      </p>
      {run.opened.value !== null && <CheckpointDetail run={run} table={table} index={run.opened.value} size={layout.group} />}
    </section>
  );
}
