/**
 * Where the cells of the checkpoint map lie and how each state is drawn.
 *
 * Every state has its own shape beside its colour: a full square, a square with a cross, a hatched outline, a dot. Cells too
 * small for that are painted as pixels, full, in a checker or sparse, and faults stand out of them in full size.
 * What is sealed has a line under it. Ranges too long for a pixel a checkpoint share cells; the worst state of the group is the one that shows.
 */
import type { LedgerRange } from '../lib/types.ts';
import { type CellState, type CheckpointTable, firstLedgerOf } from './checkpoints.ts';

/** The checkpoints that the map shows, by their places in the table. */
export interface MapView {
  readonly start: number;
  readonly span: number;
}

export interface MapLayout {
  /** The first checkpoint, by its place in the table. */
  readonly start: number;
  /** CSS pixels of a cell. */
  readonly size: number;
  readonly columns: number;
  readonly rows: number;
  /** Checkpoints a cell. */
  readonly group: number;
  readonly cells: number;
}

const SIZES = [26, 22, 18, 14, 12, 10, 8, 6, 5, 4, 3, 2, 1] as const;
/** Cells below this are painted as pixels. */
const DRAWN = 8;
const MAX_HEIGHT = 264;
/** The fewest checkpoints that fill the map: at this size every cell is easy to hit. */
const MIN_SPAN = 128;

export function layOut({ start, span }: MapView, width: number): MapLayout {
  for (const size of SIZES) {
    const columns = Math.max(1, Math.floor(width / size));
    const rows = Math.ceil(span / columns);
    if (rows * size <= MAX_HEIGHT) return { start, size, columns, rows, group: 1, cells: span };
  }
  const columns = Math.max(1, Math.floor(width));
  const group = Math.ceil(span / (columns * MAX_HEIGHT));
  const cells = Math.ceil(span / group);
  return { start, size: 1, columns, rows: Math.ceil(cells / columns), group, cells };
}

/** `view` so many times as long, with the checkpoint at `index` where it was, as far as the range goes. */
export function zoomed(view: MapView, index: number, factor: number, count: number): MapView {
  const span = Math.max(Math.min(MIN_SPAN, count), Math.min(count, Math.round(view.span * factor)));
  return moved({ start: Math.round(index - ((index - view.start) * span) / view.span), span }, 0, count);
}

/** `view` by so many checkpoints further on, as far as the range goes. */
export function moved({ start, span }: MapView, by: number, count: number): MapView {
  return { start: Math.max(0, Math.min(count - span, start + by)), span };
}

/** `view` moved so that the checkpoint at `index` is in it. */
export function holding(view: MapView, index: number, count: number): MapView {
  if (index >= view.start && index < view.start + view.span) return view;
  return moved({ start: index - Math.floor(view.span / 2), span: view.span }, 0, count);
}

export interface Palette {
  readonly state: Readonly<Record<CellState, string>>;
  readonly ink: string;
  readonly paper: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    state: {
      verified: colour('--ok'),
      faulty: colour('--bad'),
      unchecked: colour('--open'),
      pending: colour('--line-strong'),
    },
    ink: colour('--ink'),
    paper: colour('--surface'),
  };
}

export function drawCell(context: CanvasRenderingContext2D, state: CellState, x: number, y: number, size: number, palette: Palette): void {
  const gap = size >= 14 ? 3 : 2;
  const side = size - gap;
  const colour = palette.state[state];
  context.lineCap = 'butt';
  switch (state) {
    case 'verified':
      context.fillStyle = colour;
      context.fillRect(x, y, side, side);
      return;
    case 'faulty': {
      context.fillStyle = colour;
      context.fillRect(x, y, side, side);
      const inset = side * 0.24;
      context.strokeStyle = palette.paper;
      context.lineWidth = Math.max(1.25, side * 0.13);
      context.beginPath();
      context.moveTo(x + inset, y + inset);
      context.lineTo(x + side - inset, y + side - inset);
      context.moveTo(x + side - inset, y + inset);
      context.lineTo(x + inset, y + side - inset);
      context.stroke();
      return;
    }
    case 'unchecked': {
      context.strokeStyle = colour;
      context.lineWidth = 1.25;
      context.strokeRect(x + 0.625, y + 0.625, side - 1.25, side - 1.25);
      context.beginPath();
      context.moveTo(x + 0.5, y + side - 0.5);
      context.lineTo(x + side - 0.5, y + 0.5);
      context.stroke();
      return;
    }
    case 'pending': {
      context.fillStyle = colour;
      const dot = Math.max(2, Math.round(side * 0.24));
      context.fillRect(x + (side - dot) / 2, y + (side - dot) / 2, dot, dot);
      return;
    }
  }
}

/** The first checkpoint of a cell, by its place in the table. */
export function indexOf(layout: MapLayout, cell: number): number {
  return layout.start + cell * layout.group;
}

/** How much of a cell's ledgers lies in a range, counted from its first: from 0 to 1. */
export function shareOf(table: CheckpointTable, layout: MapLayout, cell: number, { low, high }: LedgerRange): number {
  const index = indexOf(layout, cell);
  const size = Math.min(layout.group, table.count - index);
  const first = firstLedgerOf(table.checkpointAt(index), table.frequency);
  const last = table.checkpointAt(index + size - 1);
  return first < low || high < first ? 0 : Math.min(1, (high - first + 1) / (last - first + 1));
}

/** `sealed`: the ledgers that someone vouches for; a line under their cells says so. */
export function drawMap(canvas: HTMLCanvasElement, table: CheckpointTable, layout: MapLayout, selected: number | null, sealed: readonly LedgerRange[], palette: Palette = readPalette(canvas)): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const scale = Math.max(1, globalThis.devicePixelRatio);
  const edge = 3;
  const width = layout.columns * layout.size + edge * 2;
  const height = layout.rows * layout.size + edge * 2;
  const pixelWidth = Math.round(width * scale);
  const pixelHeight = Math.round(height * scale);
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
    // Otherwise a screen of finer pixels shows them as large as any, and only a corner of the map.
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.translate(edge, edge);
  if (layout.size < DRAWN) paintPixels(context, table, layout, palette);
  else for (let cell = 0; cell < layout.cells; cell += 1) {
    const x = (cell % layout.columns) * layout.size;
    const y = Math.floor(cell / layout.columns) * layout.size;
    drawCell(context, table.worst(indexOf(layout, cell), layout.group), x, y, layout.size, palette);
    const share = Math.max(0, ...sealed.map((range) => shareOf(table, layout, cell, range)));
    const gap = layout.size >= 14 ? 3 : 2;
    context.fillStyle = palette.ink;
    if (share > 0) context.fillRect(x, y + layout.size - gap, (share < 1 ? layout.size - gap : layout.size) * share, gap - 1);
  }
  if (selected !== null && selected >= 0 && selected < layout.cells) {
    const { x, y, side } = markAt(layout, selected);
    context.strokeStyle = palette.ink;
    context.lineWidth = 2;
    context.strokeRect(x - 2, y - 2, side + 4, side + 4);
  }
}

/** Where a cell is marked: itself, or around it where it is too small to be seen. */
function markAt(layout: MapLayout, cell: number): { readonly x: number; readonly y: number; readonly side: number } {
  const [x, y] = [(cell % layout.columns) * layout.size, Math.floor(cell / layout.columns) * layout.size];
  if (layout.size >= DRAWN) return { x, y, side: layout.size - (layout.size >= 14 ? 3 : 2) };
  const before = Math.floor((MARK - layout.size) / 2);
  const [right, bottom] = [layout.columns * layout.size - MARK, layout.rows * layout.size - MARK];
  return { x: Math.max(0, Math.min(right, x - before)), y: Math.max(0, Math.min(bottom, y - before)), side: MARK };
}

/** Pixels of a mark on cells that are smaller. */
const MARK = 7;
/** So many faults are marked; where there are more, the colour is not to be missed. */
const MAX_MARKS = 4000;

function paintPixels(context: CanvasRenderingContext2D, table: CheckpointTable, layout: MapLayout, palette: Palette): void {
  const { size, columns, rows, cells } = layout;
  const [width, height] = [columns * size, rows * size];
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colour = { verified: pixelOf(palette.state.verified), faulty: pixelOf(palette.state.faulty), unchecked: pixelOf(palette.state.unchecked), pending: pixelOf(palette.state.pending) };
  const side = size >= 4 ? size - 1 : size;
  const dot = side >> 1;
  const faults: number[] = [];
  for (let cell = 0; cell < cells; cell += 1) {
    const state = table.worst(indexOf(layout, cell), layout.group);
    if (state === 'faulty' && faults.length < MAX_MARKS) faults.push(cell);
    const value = colour[state];
    const [left, top] = [(cell % columns) * size, Math.floor(cell / columns) * size];
    for (let y = top; y < top + side; y += 1) {
      for (let x = left; x < left + side; x += 1) {
        if (state === 'unchecked' && (x + y) % 2 === 1) continue;
        if (state === 'pending' && (size > 2 ? x - left !== dot || y - top !== dot : x % 4 !== 1 || y % 4 !== 1)) continue;
        pixels[y * width + x] = value;
      }
    }
  }
  const scratch = document.createElement('canvas');
  [scratch.width, scratch.height] = [width, height];
  scratch.getContext('2d')?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(scratch, 0, 0);
  for (const cell of faults) {
    const { x, y, side: of } = markAt(layout, cell);
    context.fillStyle = palette.paper;
    context.fillRect(x - 1, y - 1, of + 2, of + 2);
    drawCell(context, 'faulty', x, y, of + 2, palette);
  }
}

const resolved = new Map<string, number>();

/** A colour of the style sheet, however it is written there, as a pixel holds it. */
function pixelOf(colour: string): number {
  const known = resolved.get(colour);
  if (known !== undefined) return known;
  const dot = document.createElement('canvas');
  [dot.width, dot.height] = [1, 1];
  const context = dot.getContext('2d');
  if (context === null) return 0;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const value = new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0] ?? 0;
  resolved.set(colour, value);
  return value;
}

/** The cell under a point of the canvas, in CSS pixels. */
export function cellAt(layout: MapLayout, x: number, y: number): number | null {
  const column = Math.floor((x - 3) / layout.size);
  const row = Math.floor((y - 3) / layout.size);
  if (column < 0 || column >= layout.columns || row < 0) return null;
  const cell = row * layout.columns + column;
  return cell < layout.cells ? cell : null;
}
