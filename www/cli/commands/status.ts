/**
 * `status <ARCHIVE>…`: what each archive says of itself, and how far each is behind the others.
 *
 * Not here: reading the archives.
 */
import { archiveStatus } from '../../lib/node.ts';
import type { ArchiveStatus } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import { checkpointFrequency, defined, maxRetries, timeoutMs } from '../options.ts';
import { findingsText } from '../report-text.ts';
import { clean, grouped, hex, plural, span, time } from '../text.ts';
import type { Paint } from '../colour.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK, archives } from './command.ts';
import type { Command } from './command.ts';

/** How far an archive is behind the one of the same network that announces most. */
export interface Lag {
  readonly behind: string;
  readonly ledgers: number;
  readonly checkpoints: number;
  /** By the times in the headers; `null` where one of the two is not known. */
  readonly seconds: number | null;
}

export function lagOf(status: ArchiveStatus, all: readonly ArchiveStatus[], frequency: number): Lag | null {
  if (status.ledger === null) return null;
  const newest = all
    .filter((other) => other.ledger !== null && other.network === status.network)
    .reduce((best, other) => ((other.ledger ?? 0) > (best.ledger ?? 0) ? other : best), status);
  const ledgers = (newest.ledger ?? status.ledger) - status.ledger;
  const seconds = newest.closeTime === null || status.closeTime === null ? null : Number(newest.closeTime) - Number(status.closeTime);
  return { behind: newest.archive, ledgers, checkpoints: Math.ceil(ledgers / frequency), seconds };
}

function lagText(lag: Lag | null): string {
  if (lag === null) return '';
  if (lag.ledgers === 0) return 'none: no other archive announces more';
  const apart = lag.seconds === null ? '' : `, ${span(lag.seconds)}`;
  return `${plural(lag.ledgers, 'ledger')} (${plural(lag.checkpoints, 'checkpoint')})${apart} behind ${clean(lag.behind)}`;
}

function newestText({ ledger, checkpoint, closeTime }: ArchiveStatus, now: number): string {
  if (ledger === null) return 'unknown';
  const at = checkpoint === null ? '' : checkpoint === ledger ? ` (${hex(checkpoint)})` : ` (checkpoint ${checkpoint}, ${hex(checkpoint)})`;
  const age = closeTime === null ? '' : now / 1000 < Number(closeTime) ? `, closed ${time(closeTime)}, which is in the future` : `, closed ${span(now / 1000 - Number(closeTime))} ago (${time(closeTime)})`;
  return `${grouped(ledger)}${at}${age}`;
}

function networkText({ network, networkName, protocol }: ArchiveStatus): string {
  const name = network === null ? 'not said' : networkName === null || networkName === network ? network : `${networkName} (${network})`;
  return `${clean(name)}${protocol === null ? '' : `, protocol ${protocol}`}`;
}

function statusText(status: ArchiveStatus, lag: Lag | null, now: number, paint: Paint): string {
  const { error, findings } = status;
  const bad = error !== null || findings.some(({ severity }) => severity === 'error');
  const head = `${bad ? paint('red', '✗') : paint('green', '✓')} ${paint('bold', clean(status.archive))}`;
  if (error !== null && status.ledger === null) {
    return [head, `    ${clean(error.message)}`, ...(error.advice === '' ? [] : [paint('dim', `    → ${clean(error.advice)}`)])].join('\n');
  }
  return [
    head,
    `    ledger    ${newestText(status, now)}`,
    `    network   ${networkText(status)}`,
    ...(status.server === null ? [] : [`    server    ${clean(status.server)}`]),
    ...(lag === null ? [] : [`    lag       ${lagText(lag)}`]),
    ...(error === null ? [] : [`    ${clean(error.message)}`, ...(error.advice === '' ? [] : [paint('dim', `    → ${clean(error.advice)}`)])]),
    ...(findings.length === 0 ? [] : [findingsText(findings, paint, '--json has them all')]),
  ].join('\n');
}

function exitStatus(all: readonly ArchiveStatus[]): number {
  if (all.some(({ findings }) => findings.some(({ severity }) => severity === 'error'))) return FAULTS;
  return all.some(({ error }) => error !== null) ? COULD_NOT_COMPLETE : OK;
}

export const status: Command = {
  prepare(words) {
    const names = archives('status', words);
    const { values } = words;
    const options = defined({ maxRetries: maxRetries(values), timeoutMs: timeoutMs(values), checkpointFrequency: checkpointFrequency(values) });
    return async (session) => {
      const all = await archiveStatus(await openArchives(names), { ...options, signal: session.signal });
      const now = Date.now();
      const told = all.map((one) => ({ one, lag: all.length < 2 ? null : lagOf(one, all, options.checkpointFrequency ?? 64) }));
      if (session.json) {
        for (const { one, lag } of told) session.result({ type: 'status', ...one, lag });
      } else {
        session.print(told.map(({ one, lag }) => statusText(one, lag, now, session.paint)).join('\n\n'));
        const networks = new Set(all.filter(({ ledger }) => ledger !== null).map(({ network }) => network));
        if (networks.size > 1) session.print(`\nThese are archives of ${networks.size} networks: each is compared with those of its own only`);
      }
      return exitStatus(all);
    };
  },
};
