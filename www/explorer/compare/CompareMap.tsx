/** The map of disagreement, with its legend, and in words what is known of one checkpoint. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { KIND_LABEL } from '../checkpoints.ts';
import { grouped, hex, plural, shortName } from '../format.ts';
import { holding, moved } from '../map-paint.ts';
import { lookLink } from '../store.ts';
import { tick } from './model.ts';
import { draw, layOut, type Layout, type Mark, mostCells, under, type View } from './paint.ts';
import type { CellState, CompareTable } from './table.ts';
import { MEANING, SHOWN, WORD } from './words.ts';

function Swatch({ state }: { readonly state: CellState }): JSX.Element {
  return (
    <svg class={`swatch cell-${state}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {(state === 'agrees' || state === 'faulty' || state === 'provably-wrong') && <rect width="12" height="12" fill="currentColor" />}
      {state === 'provably-wrong' && <path class="cut" d="M3 3l6 6M9 3l-6 6" />}
      {state === 'faulty' && <path class="cut" d="M2.4 6h7.2" />}
      {state === 'lacks' && <path class="line" d="M.8.8h10.4v10.4H.8z" />}
      {state === 'differs' && <path fill="currentColor" d="M6 -.5L12.5 6 6 12.5-.5 6z" />}
      {(state === 'unreadable' || state === 'unchecked') && <path class="line" d="M1.5 10.5l9-9" />}
      {state === 'pending' && <rect x="4" y="4" width="4" height="4" fill="currentColor" />}
    </svg>
  );
}

function Legend({ table, over }: { readonly table: CompareTable; readonly over: boolean }): JSX.Element {
  void tick.value;
  return (
    <ul class="legend">
      {SHOWN.filter((state) => table.counted(state) > 0 || (!over && (state === 'agrees' || state === 'pending'))).map((state) => (
        <li key={state} title={MEANING[state]}><Swatch state={state} /><span class="figure">{grouped(table.counted(state))}</span> {state === 'pending' && over ? 'not reached' : WORD[state]}</li>
      ))}
    </ul>
  );
}

function kindsInWords(table: CompareTable, row: number, index: number): string {
  const odd = table.kindsAt(row, index).filter(({ state }) => state !== 'agrees' && state !== 'pending');
  return odd.map(({ kind, state }) => `${KIND_LABEL[kind].toLowerCase()}: ${WORD[state]}`).join('; ');
}

/** The chosen cell in a line. */
function readOut(table: CompareTable, layout: Layout, { row, cell }: Mark, names: readonly string[]): string {
  const index = layout.start + cell * layout.group;
  const size = Math.min(layout.group, table.count - index);
  const name = shortName(names[table.archives[row] ?? 0] ?? '');
  const checkpoint = table.checkpointAt(index);
  const word = WORD[table.worst(row, index, size)];
  const ledgers = `ledgers ${grouped(table.firstLedgerAt(index))} to ${grouped(table.checkpointAt(index + size - 1))}`;
  if (size > 1) return `${name}, ${plural(size, 'checkpoint')} from ${grouped(checkpoint)} (${hex(checkpoint)}), ${ledgers}: ${word} at worst`;
  const kinds = kindsInWords(table, row, index);
  return `${name}, checkpoint ${grouped(checkpoint)} (${hex(checkpoint)}), ${ledgers}: ${kinds === '' ? word : kinds}${table.sealed(index) ? ', sealed' : ''}`;
}

/** All archives at the chosen checkpoint. */
function AtCheckpoint({ table, index, names }: { readonly table: CompareTable; readonly index: number; readonly names: readonly string[] }): JSX.Element {
  const checkpoint = table.checkpointAt(index);
  return (
    <section class="at-checkpoint" aria-label={`Checkpoint ${checkpoint}`}>
      <h4>Checkpoint {grouped(checkpoint)} <span class="aside">{hex(checkpoint)}</span>{table.sealed(index) ? ' · sealed' : ''}</h4>
      <ul>
        {table.archives.map((place, row) => {
          const state = table.worst(row, index, 1);
          const kinds = kindsInWords(table, row, index);
          return (
            <li key={place} data-cell={state}>
              <Swatch state={state} />
              <span class="archive-name">{place + 1}. {shortName(names[place] ?? '')}</span>
              <span class="kinds">{kinds === '' ? WORD[state] : kinds}</span>
              <a href={lookLink(`checkpoint=${checkpoint}`, names[place])} aria-label={`Look inside ${shortName(names[place] ?? '')} at checkpoint ${checkpoint}`}>Look inside</a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function CompareMap({ table, names, over }: { readonly table: CompareTable; readonly names: readonly string[]; readonly over: boolean }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  const theme = useSignal(0);
  const focused = useSignal(false);
  const hovered = useSignal<Mark | null>(null);
  /** None: the whole range. */
  const part = useSignal<View | null>(null);
  /** The checkpoint by its place in the table; the newest are compared first. */
  const chosen = useSignal(table.count - 1);
  const row = useSignal(0);
  const opened = useSignal(false);

  const version = tick.value;
  const whole: View = { start: 0, span: table.count };
  const view = part.value ?? whole;
  const room = Math.max(40, width.value);
  const layout = layOut(view, room);
  const mark: Mark = { row: row.value, cell: Math.floor((chosen.value - layout.start) / layout.group) };
  const marked = focused.value || opened.value ? mark : null;

  useLayoutEffect(() => {
    const box = frame.current;
    if (box === null) return undefined;
    width.value = box.clientWidth;
    const observer = new ResizeObserver(() => { width.value = box.clientWidth; });
    observer.observe(box);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const repaint = (): void => { theme.value += 1; };
    scheme.addEventListener('change', repaint);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', repaint);
    };
  }, []);
  useLayoutEffect(() => {
    if (canvas.current !== null && width.value > 0) draw(canvas.current, table, layout, marked);
  }, [version, width.value, theme.value, table, layout.start, layout.span, layout.size, marked?.row, marked?.cell]);

  const show = (next: View): void => {
    part.value = next.span >= table.count ? null : next;
  };
  const zoom = (factor: number): void => {
    const least = Math.min(table.count, mostCells(room));
    const span = Math.max(least, Math.min(table.count, Math.round(view.span * factor)));
    show(holding(moved({ start: Math.round(chosen.value - ((chosen.value - view.start) * span) / view.span), span }, 0, table.count), chosen.value, table.count));
  };
  const select = (index: number): void => {
    chosen.value = Math.max(0, Math.min(table.count - 1, index));
    if (part.value !== null) show(holding(view, chosen.value, table.count));
  };
  const next = (step: 1 | -1): void => {
    const found = table.nextDisagreement(chosen.value, step);
    if (found !== null) select(found);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => select(chosen.value - layout.group),
      ArrowRight: () => select(chosen.value + layout.group),
      ArrowUp: () => { row.value = Math.max(0, row.value - 1); },
      ArrowDown: () => { row.value = Math.min(table.archives.length - 1, row.value + 1); },
      Home: () => select(0),
      End: () => select(table.count - 1),
      PageUp: () => next(-1),
      PageDown: () => next(1),
      Enter: () => { opened.value = true; },
      ' ': () => { opened.value = true; },
      '+': () => zoom(0.5),
      '=': () => zoom(0.5),
      '-': () => zoom(2),
      0: () => show(whole),
      Escape: () => { opened.value = false; },
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  const at = (event: MouseEvent): Mark | null => {
    const box = canvas.current?.getBoundingClientRect();
    return box === undefined ? null : under(layout, table.archives.length, event.clientX - box.left, event.clientY - box.top);
  };
  const onClick = (event: MouseEvent): void => {
    const found = at(event);
    if (found === null) return;
    row.value = found.row;
    select(layout.start + found.cell * layout.group);
    opened.value = true;
  };
  const canZoom = table.count > mostCells(room);
  const shown = hovered.value ?? { row: mark.row, cell: Math.max(0, Math.min(layout.cells - 1, mark.cell)) };
  return (
    <section class="compare-map" aria-labelledby="compare-map-title">
      <div class="card-head">
        <h3 id="compare-map-title">Checkpoint by checkpoint</h3>
        <Legend table={table} over={over} />
      </div>
      <div class="compare-rows">
        <ol class="compare-names" aria-hidden="true">
          {table.archives.map((place) => <li key={place} title={names[place]}><span class="figure">{place + 1}</span> <span class="wide-name">{shortName(names[place] ?? '')}</span></li>)}
        </ol>
        <div class="compare-frame" ref={frame}>
          <canvas
            ref={canvas} class="map-canvas" tabIndex={0} role="slider" aria-label="Map of disagreement" aria-describedby="compare-map-help" aria-orientation="horizontal"
            aria-valuemin={1} aria-valuemax={Math.ceil(table.count / layout.group)} aria-valuenow={Math.floor(chosen.value / layout.group) + 1}
            aria-valuetext={readOut(table, { ...layout, start: chosen.value }, { row: row.value, cell: 0 }, names)}
            onKeyDown={onKeyDown} onFocus={() => { focused.value = true; }} onBlur={() => { focused.value = false; }}
            onPointerMove={(event) => { hovered.value = at(event); }} onPointerLeave={() => { hovered.value = null; }} onClick={onClick}
          />
        </div>
      </div>
      {canZoom && (
        <div class="map-zoom">
          <button type="button" class="button small" disabled={part.value === null} onClick={() => zoom(2)} aria-label="Zoom out">−</button>
          <button type="button" class="button small" disabled={layout.group === 1} onClick={() => zoom(0.5)} aria-label="Zoom in">+</button>
          <button type="button" class="button small" disabled={part.value === null} onClick={() => show(whole)}>Whole range</button>
          {part.value !== null && (
            <input
              type="range" class="map-position" aria-label="Position in the range" min={0} max={table.count - view.span} step={Math.max(1, Math.floor(view.span / 4))} value={view.start}
              aria-valuetext={`from checkpoint ${grouped(table.checkpointAt(view.start))}`}
              onInput={(event) => show(moved({ start: event.currentTarget.valueAsNumber, span: view.span }, 0, table.count))}
            />
          )}
        </div>
      )}
      <p class="readout" id="compare-readout">{readOut(table, layout, shown, names)}</p>
      <p class="hint" id="compare-map-help">
        {layout.group > 1 ? `Each cell stands for ${grouped(layout.group)} checkpoints and shows the worst of them. ` : ''}
        Left and right move between checkpoints, up and down between archives, Page Down and Page Up between disagreements; Enter or a click shows a checkpoint{canZoom ? '; plus, minus and 0 zoom' : ''}.
      </p>
      {opened.value && <Fragment><AtCheckpoint table={table} index={chosen.value} names={names} /></Fragment>}
    </section>
  );
}
