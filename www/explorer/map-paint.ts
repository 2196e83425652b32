/**
 * Where the cells of the checkpoint map lie and how each state is drawn.
 *
 * Every state has its own shape beside its colour: a full square, a square with a cross, a hatched outline, a dot; what is in flight is
 * an outline filled from below. Cells too small for that are painted as pixels, full, in a checker or sparse, and faults and what is in
 * flight stand out of them in full size.
 * What is sealed has a line under it. Ranges too long for a pixel a checkpoint share cells; the worst state of the group is the one that shows.
 *
 * A picture of the cells is kept beside the canvas, and only cells that changed are painted again: while a check runs, a frame costs as
 * much as what happened since the last one, however many checkpoints there are.
 */
import type { LedgerRange } from '../lib/types.ts';
import { type CellState, type CheckpointTable, firstLedgerOf, type ShownState } from './checkpoints.ts';

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
  readonly state: Readonly<Record<ShownState, string>>;
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
      'in-flight': colour('--accent'),
    },
    ink: colour('--ink'),
    paper: colour('--surface'),
  };
}

export function drawCell(context: CanvasRenderingContext2D, state: ShownState, x: number, y: number, size: number, palette: Palette): void {
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
    case 'in-flight': {
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.strokeRect(x + 0.75, y + 0.75, side - 1.5, side - 1.5);
      context.fillStyle = colour;
      const level = Math.round(side / 2);
      context.fillRect(x, y + level, side, side - level);
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

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** What a picture was made of: another one of these is another picture. */
interface Made {
  readonly table: CheckpointTable;
  readonly layout: MapLayout;
  readonly sealed: readonly LedgerRange[];
  readonly palette: Palette;
  readonly scale: number;
}

function sameColours(one: Palette, other: Palette): boolean {
  return one.ink === other.ink && one.paper === other.paper && (Object.keys(one.state) as ShownState[]).every((state) => one.state[state] === other.state[state]);
}

function samePicture(one: Made, other: Made): boolean {
  const { layout: a, sealed: before } = one;
  const { layout: b, sealed: now } = other;
  return one.table === other.table && one.scale === other.scale && sameColours(one.palette, other.palette) &&
    a.start === b.start && a.size === b.size && a.columns === b.columns && a.rows === b.rows && a.group === b.group && a.cells === b.cells &&
    before.length === now.length && before.every((range, place) => range.low === now[place]?.low && range.high === now[place]?.high);
}

const EDGE = 3;

/** A map and the picture of its cells. */
export class MapPainter {
  readonly #base = document.createElement('canvas');
  readonly #pixels = document.createElement('canvas');
  #made: Made | null = null;
  #changes = 0;
  #image: ImageData | null = null;
  /** Cells with a fault, where cells are pixels: those that are marked. */
  #faults = new Set<number>();

  /** `sealed`: the ledgers that someone vouches for; a line under their cells says so. */
  draw(canvas: HTMLCanvasElement, table: CheckpointTable, layout: MapLayout, selected: number | null, sealed: readonly LedgerRange[], palette: Palette = readPalette(canvas)): void {
    const context = canvas.getContext('2d');
    const base = this.#base.getContext('2d');
    if (context === null || base === null) return;
    const scale = Math.max(1, globalThis.devicePixelRatio);
    const width = layout.columns * layout.size + EDGE * 2;
    const height = layout.rows * layout.size + EDGE * 2;
    const pixelWidth = Math.round(width * scale);
    const pixelHeight = Math.round(height * scale);
    if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
      canvas.width = pixelWidth;
      canvas.height = pixelHeight;
      // Otherwise a screen of finer pixels shows them as large as any, and only a corner of the map.
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const made: Made = { table, layout, sealed, palette, scale };
    const changed = this.#made !== null && samePicture(this.#made, made) ? table.changedSince(this.#changes) : null;
    this.#made = made;
    this.#changes = table.changes;
    if (changed === null) {
      [this.#base.width, this.#base.height] = [pixelWidth, pixelHeight];
      base.setTransform(scale, 0, 0, scale, EDGE * scale, EDGE * scale);
      if (layout.size < DRAWN) this.#paintPixels(base, made);
      else for (let cell = 0; cell < layout.cells; cell += 1) paintCell(base, made, cell);
    } else {
      const cells = new Set(changed.map((index) => Math.floor((index - layout.start) / layout.group)).filter((cell) => cell >= 0 && cell < layout.cells));
      if (layout.size < DRAWN) this.#mendPixels(base, made, cells);
      else for (const cell of cells) paintCell(base, made, cell);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, pixelWidth, pixelHeight);
    context.drawImage(this.#base, 0, 0);
    context.setTransform(scale, 0, 0, scale, EDGE * scale, EDGE * scale);
    paintInFlight(context, made);
    if (selected !== null && selected >= 0 && selected < layout.cells) {
      const { x, y, side } = markAt(layout, selected);
      context.strokeStyle = palette.ink;
      context.lineWidth = 2;
      context.strokeRect(x - 2, y - 2, side + 4, side + 4);
    }
  }

  #paintPixels(base: CanvasRenderingContext2D, made: Made): void {
    const { columns, rows, size, cells } = made.layout;
    const [width, height] = [columns * size, rows * size];
    const image = new ImageData(width, height);
    this.#image = image;
    this.#faults = new Set();
    const painted = new Uint32Array(image.data.buffer);
    const colours = coloursOf(made.palette);
    for (let cell = 0; cell < cells; cell += 1) this.#paintPixel(painted, made, cell, colours);
    [this.#pixels.width, this.#pixels.height] = [width, height];
    this.#pixels.getContext('2d')?.putImageData(image, 0, 0);
    base.imageSmoothingEnabled = false;
    base.drawImage(this.#pixels, 0, 0);
    for (const cell of this.#faults) paintMark(base, made, cell, 'faulty');
  }

  #mendPixels(base: CanvasRenderingContext2D, made: Made, cells: ReadonlySet<number>): void {
    const { columns, size } = made.layout;
    const image = this.#image;
    const pixels = this.#pixels.getContext('2d');
    if (image === null || pixels === null || cells.size === 0) return;
    const painted = new Uint32Array(image.data.buffer);
    const colours = coloursOf(made.palette);
    const mended: Rect[] = [];
    for (const cell of cells) {
      const [x, y] = [(cell % columns) * size, Math.floor(cell / columns) * size];
      for (let row = y; row < y + size; row += 1) painted.fill(0, row * image.width + x, row * image.width + x + size);
      const known = this.#faults.has(cell);
      this.#paintPixel(painted, made, cell, colours);
      pixels.putImageData(image, 0, 0, x, y, size, size);
      // A mark that goes is larger than its cell. On screens of broken scales the edges of parts would show.
      const rect = known && !this.#faults.has(cell) ? around(markAt(made.layout, cell)) : { x, y, side: size };
      base.clearRect(rect.x, rect.y, rect.side, rect.side);
      base.drawImage(this.#pixels, rect.x, rect.y, rect.side, rect.side, rect.x, rect.y, rect.side, rect.side);
      mended.push(rect);
    }
    if (!Number.isInteger(made.scale)) {
      const whole = { x: 0, y: 0, side: Math.max(image.width, image.height) };
      base.clearRect(0, 0, image.width, image.height);
      base.drawImage(this.#pixels, 0, 0);
      mended.push(whole);
    }
    for (const cell of this.#faults) {
      const mark = around(markAt(made.layout, cell));
      if (mended.some((rect) => overlap(rect, mark))) paintMark(base, made, cell, 'faulty');
    }
  }

  #paintPixel(painted: Uint32Array, { table, layout }: Made, cell: number, colours: Readonly<Record<CellState, number>>): void {
    const { size, columns } = layout;
    const width = columns * size;
    const state = table.worst(indexOf(layout, cell), layout.group);
    if (state !== 'faulty') this.#faults.delete(cell);
    else if (this.#faults.size < MAX_MARKS) this.#faults.add(cell);
    const value = colours[state];
    const side = size >= 4 ? size - 1 : size;
    const dot = side >> 1;
    const [left, top] = [(cell % columns) * size, Math.floor(cell / columns) * size];
    for (let y = top; y < top + side; y += 1) {
      for (let x = left; x < left + side; x += 1) {
        if (state === 'unchecked' && (x + y) % 2 === 1) continue;
        if (state === 'pending' && (size > 2 ? x - left !== dot || y - top !== dot : x % 4 !== 1 || y % 4 !== 1)) continue;
        painted[y * width + x] = value;
      }
    }
  }
}

function coloursOf({ state }: Palette): Readonly<Record<CellState, number>> {
  return { verified: pixelOf(state.verified), faulty: pixelOf(state.faulty), unchecked: pixelOf(state.unchecked), pending: pixelOf(state.pending) };
}

function paintCell(context: CanvasRenderingContext2D, { table, layout, sealed, palette }: Made, cell: number): void {
  const { size, columns } = layout;
  const [x, y] = [(cell % columns) * size, Math.floor(cell / columns) * size];
  context.clearRect(x, y, size, size);
  drawCell(context, table.worst(indexOf(layout, cell), layout.group), x, y, size, palette);
  const share = Math.max(0, ...sealed.map((range) => shareOf(table, layout, cell, range)));
  const gap = size >= 14 ? 3 : 2;
  context.fillStyle = palette.ink;
  if (share > 0) context.fillRect(x, y + size - gap, (share < 1 ? size - gap : size) * share, gap - 1);
}

/** On top of the picture, for it changes with every word of the verifier; there are never more than a few. */
function paintInFlight(context: CanvasRenderingContext2D, made: Made): void {
  const { table, layout, palette } = made;
  let last: Rect | null = null;
  for (const index of table.inFlight) {
    const cell = Math.floor((index - layout.start) / layout.group);
    if (cell < 0 || cell >= layout.cells || table.shown(indexOf(layout, cell), layout.group) !== 'in-flight') continue;
    if (layout.size >= DRAWN) {
      const [x, y] = [(cell % layout.columns) * layout.size, Math.floor(cell / layout.columns) * layout.size];
      context.clearRect(x, y, layout.size, layout.size);
      drawCell(context, 'in-flight', x, y, layout.size, palette);
      continue;
    }
    // Neighbours share a mark, or nothing of any would be to be seen.
    const mark = markAt(layout, cell);
    if (last !== null && overlap(last, mark)) continue;
    last = mark;
    paintMark(context, made, cell, 'in-flight');
  }
}

/** A cell in full size where cells are pixels. */
function paintMark(context: CanvasRenderingContext2D, { layout, palette }: Made, cell: number, state: ShownState): void {
  const { x, y, side } = around(markAt(layout, cell));
  context.fillStyle = palette.paper;
  context.fillRect(x, y, side, side);
  drawCell(context, state, x + 1, y + 1, side, palette);
}

/** A mark with the paper around it. */
function around({ x, y, side }: Rect): Rect {
  return { x: x - 1, y: y - 1, side: side + 2 };
}

function overlap(one: Rect, other: Rect): boolean {
  return one.x < other.x + other.side && other.x < one.x + one.side && one.y < other.y + other.side && other.y < one.y + one.side;
}

/** Where a cell is marked: itself, or around it where it is too small to be seen. */
function markAt(layout: MapLayout, cell: number): Rect {
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
  const column = Math.floor((x - EDGE) / layout.size);
  const row = Math.floor((y - EDGE) / layout.size);
  if (column < 0 || column >= layout.columns || row < 0) return null;
  const cell = row * layout.columns + column;
  return cell < layout.cells ? cell : null;
}
