/**
 * The progress bar: one line on a terminal, repainted in place, gone at the end.
 *
 * Not here: deciding whether there is a terminal, and how often to paint (events come at most ten times a second).
 */
import type { AuditStatus } from '../lib/audit-client.ts';
import type { ArchiveProgress, CompareEvent, Progress, Standing } from '../lib/types.ts';
import { auditLine } from './audit-text.ts';
import { clean, duration, plural, size } from './text.ts';

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

/** What of its address tells an archive from others: the last folder, or the host. */
function label(name: string): string {
  return clean(name.replace(/[/\\]+$/, '').replace(/^.*[/\\]/, ''));
}

/** Archives that are not read from at the moment, of several: with one alone, waiting is a retry. */
function absent(archives: readonly ArchiveProgress[], standing: Standing): string[] {
  const names = archives.filter((archive) => archive.standing === standing).map(({ name }) => label(name));
  return archives.length < 2 || names.length === 0 ? [] : [`${names.join(', ')} ${standing}`];
}

/** Of a mirror or a repair. */
function writtenText({ written }: Progress): string[] {
  return written === undefined ? [] : [`${plural(written.files, 'file')} written (${size(written.bytes)})`];
}

function retriesText({ retries, works }: Progress): string[] {
  const waiting = Object.values(works).reduce((sum, { retrying }) => sum + retrying, 0);
  if (retries === 0) return [];
  return [`${retries} retr${retries === 1 ? 'y' : 'ies'}${waiting === 0 ? '' : ` (${waiting} waiting)`}`];
}

/** The line for `progress` with the bar at `share`: the parts that matter most come first, because a narrow terminal cuts the end. */
export function progressLine(progress: Progress, share: number): string {
  const { archives, checkpoints, buckets, bytes, findings, elapsedMs } = progress;
  const rate = elapsedMs === 0 ? '' : ` · ${size(Math.round((Number(bytes.inflated) * 1000) / elapsedMs))}/s`;
  return [
    bar(share),
    `${checkpoints.done}/${checkpoints.total} checkpoints`,
    ...(buckets.total === 0 ? [] : [`${buckets.done}/${buckets.total} buckets`]),
    ...writtenText(progress),
    ...(findings === 0 ? [] : [`${findings} finding${findings === 1 ? '' : 's'}`]),
    ...retriesText(progress),
    ...absent(archives, 'unreachable'),
    ...absent(archives, 'resting'),
    `${size(bytes.inflated)}${rate}`,
    duration(elapsedMs),
  ].join(' · ');
}

type Comparing = Extract<CompareEvent, { type: 'progress' }>;

function comparisonLine({ archives, checkpoints, bytes, elapsedMs }: Comparing, share: number): string {
  return [
    bar(share),
    `${checkpoints.done}/${checkpoints.total} checkpoints`,
    ...absent(archives, 'unreachable'),
    ...absent(archives, 'resting'),
    size(bytes.inflated),
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
    this.#show(shareOf(progress), (share) => progressLine(progress, share));
  }

  paintComparison(progress: Comparing): void {
    const { done, total } = progress.checkpoints;
    this.#show(total === 0 ? 0 : Math.min(1, done / total), (share) => comparisonLine(progress, share));
  }

  paintAudit(status: AuditStatus): void {
    const { done, total } = status.checkpoints;
    this.#show(total === 0 ? 0 : Math.min(1, done / total), (share) => `${bar(share)} · ${auditLine(status)}`);
  }

  clear(): void {
    if (this.#painted) this.#terminal.write(CLEAR_LINE);
    this.#painted = false;
  }

  #show(share: number, line: (share: number) => string): void {
    // Buckets become known on the way, so the sum grows; a bar that shrinks would look like work undone.
    this.#share = Math.max(this.#share, share);
    // One column stays free: some terminals wrap when the last one is written. 0 columns is a terminal that does not know.
    const width = Math.max(20, (this.#terminal.columns || 80) - 1);
    this.#terminal.write(`${CLEAR_LINE}${line(this.#share).slice(0, width)}`);
    this.#painted = true;
  }
}
