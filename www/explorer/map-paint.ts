/**
 * Where the cells of the checkpoint map lie and how each state is drawn.
 *
 * Every state has its own shape beside its colour: a full square, a square with a cross, a hatched outline, a dot.
 * What is sealed has a line under it. Ranges too long for one cell a checkpoint share cells; the worst state of the group is the one that shows.
 */
import type { LedgerRange } from '../lib/types.ts';
import { type CellState, type CheckpointTable, firstLedgerOf } from './checkpoints.ts';

export interface MapLayout {
  readonly size: number;
  readonly columns: number;
  readonly rows: number;
  /** Checkpoints a cell. */
  readonly group: number;
  readonly cells: number;
}

const SIZES = [26, 22, 18, 14, 12, 10, 8] as const;
const MAX_HEIGHT = 264;

export function layOut(count: number, width: number): MapLayout {
  const smallest = SIZES[SIZES.length - 1] ?? 8;
  for (const size of SIZES) {
    const columns = Math.max(1, Math.floor(width / size));
    const rows = Math.ceil(count / columns);
    if (rows * size <= MAX_HEIGHT) return { size, columns, rows, group: 1, cells: count };
  }
  const columns = Math.max(1, Math.floor(width / smallest));
  const group = Math.ceil(count / (columns * Math.floor(MAX_HEIGHT / smallest)));
  const cells = Math.ceil(count / group);
  return { size: smallest, columns, rows: Math.ceil(cells / columns), group, cells };
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

/** How much of a cell's ledgers lies in a range, counted from its first: from 0 to 1. */
export function shareOf(table: CheckpointTable, layout: MapLayout, cell: number, { low, high }: LedgerRange): number {
  const index = cell * layout.group;
  const size = Math.min(layout.group, table.count - index);
  const first = firstLedgerOf(table.checkpointAt(index), table.frequency);
  const last = table.checkpointAt(index + size - 1);
  return first < low || high < first ? 0 : Math.min(1, (high - first + 1) / (last - first + 1));
}

/** `sealed`: the ledgers that someone vouches for; a line under their cells says so. */
export function drawMap(canvas: HTMLCanvasElement, table: CheckpointTable, layout: MapLayout, selected: number | null, sealed: readonly LedgerRange[]): void {
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
  const palette = readPalette(canvas);
  for (let cell = 0; cell < layout.cells; cell += 1) {
    const x = (cell % layout.columns) * layout.size;
    const y = Math.floor(cell / layout.columns) * layout.size;
    drawCell(context, table.worst(cell * layout.group, layout.group), x, y, layout.size, palette);
    const share = Math.max(0, ...sealed.map((range) => shareOf(table, layout, cell, range)));
    const gap = layout.size >= 14 ? 3 : 2;
    context.fillStyle = palette.ink;
    if (share > 0) context.fillRect(x, y + layout.size - gap, (share < 1 ? layout.size - gap : layout.size) * share, gap - 1);
  }
  if (selected !== null) {
    const gap = layout.size >= 14 ? 3 : 2;
    const x = (selected % layout.columns) * layout.size;
    const y = Math.floor(selected / layout.columns) * layout.size;
    context.strokeStyle = palette.ink;
    context.lineWidth = 2;
    context.strokeRect(x - 2, y - 2, layout.size - gap + 4, layout.size - gap + 4);
  }
}

/** The cell under a point of the canvas, in CSS pixels. */
export function cellAt(layout: MapLayout, x: number, y: number): number | null {
  const column = Math.floor((x - 3) / layout.size);
  const row = Math.floor((y - 3) / layout.size);
  if (column < 0 || column >= layout.columns || row < 0) return null;
  const cell = row * layout.columns + column;
  return cell < layout.cells ? cell : null;
}
