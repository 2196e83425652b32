/**
 * The map of disagreement: one row an archive, one cell a checkpoint.
 *
 * Every state has its own shape beside its colour: a full square agrees, an empty one lacks, a diamond differs, a square with a cross is
 * provably wrong, one with a bar is faulty, a stroke was not compared, a dot is to come. Where there are more checkpoints than cells, each
 * cell shows the worst of its group, so that shapes stay large enough to be told apart.
 */
import type { CellState, CompareTable } from './table.ts';

/** CSS pixels of a row, which its name beside the canvas shares. */
export const ROW = 26;
const SIZES = [18, 14, 12, 10, 8] as const;
const EDGE = 3;

/** The checkpoints that the map shows, by their places in the table. */
export interface View {
  readonly start: number;
  readonly span: number;
}

export interface Layout extends View {
  /** CSS pixels of a cell. */
  readonly size: number;
  /** Checkpoints a cell. */
  readonly group: number;
  readonly cells: number;
}

export function layOut({ start, span }: View, width: number): Layout {
  const size = SIZES.find((each) => span * each <= width - 2 * EDGE) ?? 8;
  const group = Math.max(1, Math.ceil(span / Math.max(1, Math.floor((width - 2 * EDGE) / size))));
  return { start, span, size, group, cells: Math.ceil(span / group) };
}

/** The most checkpoints that have a cell each. */
export function mostCells(width: number): number {
  return Math.max(1, Math.floor((width - 2 * EDGE) / 8));
}

export interface Palette {
  readonly state: Readonly<Record<CellState, string>>;
  readonly ink: string;
  readonly paper: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const [ok, open, bad, soft] = [colour('--ok'), colour('--open'), colour('--bad'), colour('--ink-soft')];
  return {
    state: {
      agrees: ok, lacks: open, differs: colour('--accent'), 'provably-wrong': bad, faulty: bad, unreadable: soft, unchecked: soft, pending: colour('--line-strong'),
    },
    ink: colour('--ink'),
    paper: colour('--surface'),
  };
}

/** In a square of `side`. */
function drawCell(context: CanvasRenderingContext2D, state: CellState, x: number, y: number, side: number, { state: colours, paper }: Palette): void {
  const lines = (colour: string, width: number, ...points: readonly (readonly [number, number])[]): void => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [at, [right, down]] of points.entries()) {
      if (at % 2 === 0) context.moveTo(x + side * right, y + side * down);
      else context.lineTo(x + side * right, y + side * down);
    }
    context.stroke();
  };
  const colour = colours[state];
  context.fillStyle = colour;
  switch (state) {
    case 'agrees':
      context.fillRect(x, y, side, side);
      return;
    case 'lacks':
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.strokeRect(x + 0.75, y + 0.75, side - 1.5, side - 1.5);
      return;
    case 'differs': {
      context.beginPath();
      context.moveTo(x + side / 2, y - 1);
      context.lineTo(x + side + 1, y + side / 2);
      context.lineTo(x + side / 2, y + side + 1);
      context.lineTo(x - 1, y + side / 2);
      context.fill();
      return;
    }
    case 'provably-wrong':
      context.fillRect(x, y, side, side);
      lines(paper, Math.max(1.25, side * 0.14), [0.24, 0.24], [0.76, 0.76], [0.76, 0.24], [0.24, 0.76]);
      return;
    case 'faulty':
      context.fillRect(x, y, side, side);
      lines(paper, Math.max(1.5, side * 0.18), [0.15, 0.5], [0.85, 0.5]);
      return;
    case 'unreadable':
    case 'unchecked':
      lines(colour, 1.5, [0.1, 0.9], [0.9, 0.1]);
      return;
    case 'pending': {
      const dot = Math.max(2, Math.round(side * 0.24));
      context.fillRect(x + (side - dot) / 2, y + (side - dot) / 2, dot, dot);
      return;
    }
  }
}

export interface Mark {
  readonly row: number;
  readonly cell: number;
}

export function draw(canvas: HTMLCanvasElement, table: CompareTable, layout: Layout, marked: Mark | null): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const palette = readPalette(canvas);
  const scale = Math.max(1, globalThis.devicePixelRatio);
  const [width, height] = [layout.cells * layout.size + 2 * EDGE, table.archives.length * ROW];
  const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    [canvas.width, canvas.height] = [pixelWidth, pixelHeight];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const side = layout.size - (layout.size >= 14 ? 3 : 2);
  const place = (row: number, cell: number): readonly [number, number] => [EDGE + cell * layout.size, row * ROW + Math.floor((ROW - side) / 2)];
  for (let row = 0; row < table.archives.length; row += 1) {
    for (let cell = 0; cell < layout.cells; cell += 1) {
      const [x, y] = place(row, cell);
      drawCell(context, table.worst(row, layout.start + cell * layout.group, layout.group), x, y, side, palette);
    }
  }
  if (marked !== null && marked.cell >= 0 && marked.cell < layout.cells) {
    const [x, y] = place(marked.row, marked.cell);
    context.strokeStyle = palette.ink;
    context.lineWidth = 2;
    context.strokeRect(x - 2, y - 2, side + 4, side + 4);
  }
}

/** What is under a point of the canvas, in CSS pixels. */
export function under(layout: Layout, rows: number, x: number, y: number): Mark | null {
  const cell = Math.floor((x - EDGE) / layout.size);
  const row = Math.floor(y / ROW);
  return cell < 0 || cell >= layout.cells || row < 0 || row >= rows ? null : { row, cell };
}
