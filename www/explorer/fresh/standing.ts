/**
 * How an archive stands beside others of its network: how old its newest ledger is, and how far behind the newest of all.
 *
 * Pure; no DOM, no requests. Not here: what an archive says of itself (`archiveStatus`).
 */
import type { ArchiveStatus } from '../../lib/types.ts';

/** Ledgers between checkpoints of public networks. */
const FREQUENCY = 64;
/** Seconds. A checkpoint is published about every six minutes; after so long something has stopped. */
const OLD = 3600;

export interface Lag {
  readonly ledgers: number;
  readonly checkpoints: number;
  /** By the times in the headers; `null` where one of the two is not known. */
  readonly seconds: number | null;
}

/** How far behind the archive of the same network that announces most; `null` where it says nothing, or is the only one. */
export function lagOf(status: ArchiveStatus, all: readonly ArchiveStatus[]): Lag | null {
  const peers = all.filter(({ ledger, network }) => ledger !== null && network === status.network);
  if (status.ledger === null || peers.length < 2) return null;
  const newest = peers.reduce((best, other) => ((other.ledger ?? 0) > (best.ledger ?? 0) ? other : best), status);
  const ledgers = (newest.ledger ?? status.ledger) - status.ledger;
  const seconds = newest.closeTime === null || status.closeTime === null ? null : Number(newest.closeTime) - Number(status.closeTime);
  return { ledgers, checkpoints: Math.ceil(ledgers / FREQUENCY), seconds };
}

export type Standing = 'silent' | 'doubtful' | 'behind' | 'old' | 'fresh';

/** `now`: milliseconds. */
export function standingOf(status: ArchiveStatus, lag: Lag | null, now: number): Standing {
  if (status.ledger === null) return 'silent';
  if (status.error !== null || status.findings.some(({ severity }) => severity === 'error')) return 'doubtful';
  if (lag !== null && lag.ledgers > 0) return 'behind';
  return status.closeTime !== null && now / 1000 - Number(status.closeTime) > OLD ? 'old' : 'fresh';
}
