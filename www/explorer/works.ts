/**
 * The graph of work items as the page draws it: rows in the order of their dependencies, lanes beside them.
 *
 * Pure; no DOM. The names are the verifier's.
 */
import type { WorkCounts, WorkKind } from '../lib/types.ts';

export interface WorkRow {
  readonly kind: WorkKind;
  readonly label: string;
  /** What it waits for, in words. */
  readonly after?: string;
  /** Where its node stands. */
  readonly lane: 0 | 1 | 2;
  /** The lines through the row, in a box of 34 by 32. */
  readonly lines: string;
}

/** Where the lanes stand; the middle of a row is at 16. */
export const LANE_X = [6, 17, 28] as const;

/** Every item comes after those its lines come from. That results also need the headers goes without a line: it does so by way of the transactions. */
export const WORK_ROWS: readonly WorkRow[] = [
  { kind: 'GetHistoryArchiveStateWork', label: 'Archive state', lane: 0, lines: 'M6 16V32M6 16C6 26 17 22 17 32M6 16C6 26 28 22 28 32' },
  { kind: 'DownloadLedgerHeadersWork', label: 'Ledger headers', after: 'the archive state', lane: 0, lines: 'M6 0V32M17 0V32M28 0V32' },
  { kind: 'DownloadTransactionsWork', label: 'Transactions', after: 'the ledger headers', lane: 0, lines: 'M6 0V32M17 0V32M28 0V32' },
  { kind: 'DownloadTxResultsWork', label: 'Results', after: 'the ledger headers and the transactions', lane: 0, lines: 'M6 0V32M17 0V32M28 0V32' },
  { kind: 'DownloadScpHistoryWork', label: 'SCP messages', after: 'the archive state', lane: 1, lines: 'M6 0V32M17 0V16C17 26 6 22 6 32M28 0V32' },
  { kind: 'VerifyCheckpointWork', label: 'Checkpoints', after: 'the headers, transactions, results and SCP messages', lane: 0, lines: 'M6 0V32M28 0V32' },
  { kind: 'DownloadBucketsWork', label: 'Buckets', after: 'the archive state', lane: 2, lines: 'M6 0V32M28 0V32' },
  { kind: 'VerifyBucketWork', label: 'Bucket hashes', after: 'the buckets', lane: 2, lines: 'M6 0V32M28 0V16C28 26 6 22 6 32' },
  { kind: 'VerifyRangeWork', label: 'Whole range', after: 'the checkpoints and the bucket hashes', lane: 0, lines: 'M6 0V16' },
];

export const WORK_STATES = ['done', 'running', 'retrying', 'failed', 'pending'] as const;
export type WorkState = (typeof WORK_STATES)[number];

/** Eight states of the scheduler as the five a reader cares for. What was aborted has not been done. */
export function countsOf(counts: WorkCounts | undefined): Readonly<Record<WorkState, number>> {
  if (counts === undefined) return { done: 0, running: 0, retrying: 0, failed: 0, pending: 0 };
  return {
    done: counts.success,
    running: counts.running + counts.waiting,
    retrying: counts.retrying,
    failed: counts.failure,
    pending: counts.pending + counts.blocked + counts.aborted,
  };
}
