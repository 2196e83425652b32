/**
 * The progress bar: one line on a terminal, repainted in place, gone at the end.
 *
 * Not here: deciding whether there is a terminal, and how often to paint (events come at most ten times a second).
 */
import type { Progress } from '../lib/types.ts';
import { duration, size } from './text.ts';

/** The part of a stream that a bar needs. */
export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[2K';
const BAR = 20;

/** Checkpoints and buckets weigh the same for want of their sizes; both counts stand beside the bar. */
function shareOf({ checkpoints, buckets }: Progress): number {
  const total = checkpoints.total + buckets.total;
  return total === 0 ? 0 : Math.min(1, (checkpoints.done + buckets.done) / total);
}

function bar(share: number): string {
  const full = Math.floor(share * BAR);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
}

/** The line for `progress` with the bar at `share`: the parts that matter most come first, because a narrow terminal cuts the end. */
export function progressLine(progress: Progress, share: number): string {
  const { checkpoints, buckets, bytes, findings, retries, elapsedMs } = progress;
  const rate = elapsedMs === 0 ? '' : ` · ${size(Math.round((Number(bytes.inflated) * 1000) / elapsedMs))}/s`;
  return [
    bar(share),
    `${checkpoints.done}/${checkpoints.total} checkpoints`,
    ...(buckets.total === 0 ? [] : [`${buckets.done}/${buckets.total} buckets`]),
    ...(findings === 0 ? [] : [`${findings} finding${findings === 1 ? '' : 's'}`]),
    ...(retries === 0 ? [] : [`${retries} retr${retries === 1 ? 'y' : 'ies'}`]),
    `${size(bytes.inflated)}${rate}`,
    duration(elapsedMs),
  ].join(' · ');
}

export class ProgressBar {
  readonly #terminal: Terminal;
  #painted = false;
  #share = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  paint(progress: Progress): void {
    // Buckets become known on the way, so the sum grows; a bar that shrinks would look like work undone.
    this.#share = Math.max(this.#share, shareOf(progress));
    // One column stays free: some terminals wrap when the last one is written. 0 columns is a terminal that does not know.
    const width = Math.max(20, (this.#terminal.columns || 80) - 1);
    this.#terminal.write(`${CLEAR_LINE}${progressLine(progress, this.#share).slice(0, width)}`);
    this.#painted = true;
  }

  clear(): void {
    if (this.#painted) this.#terminal.write(CLEAR_LINE);
    this.#painted = false;
  }
}
