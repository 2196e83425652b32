/**
 * An audit in parts: what its five steps take and give.
 *
 * For engines that spread one archive over many machines. The steps know nothing of who takes which part, or where the state is kept.
 */
import type { VerifyOptions } from './types.ts';

/** As for `verifyArchive`, the same at every step. An audit goes over every checkpoint of its range, from the oldest. */
export type AuditOptions = Omit<VerifyOptions, 'last' | 'order' | 'resume' | 'sample' | 'saveState' | 'seed' | 'workers'>;

/** What an audit has come to. */
export interface AuditState {
  /** What is to be kept of it: gzip of JSON, 10 kB at the beginning and some 100 kB later. It is trusted as far as the place where it was kept. */
  readonly state: Uint8Array;
  /** Ledgers of the whole audit. */
  readonly range: { readonly low: number; readonly high: number };
  readonly network: string | null;
  /** Checkpoints of the whole audit. */
  readonly checkpoints: number;
  /** Those joined; the part that comes next begins at this place. */
  readonly joined: number;
  /** States of checkpoints that wait for open buckets: each makes the state some kB larger. */
  readonly waiting: number;
  /** Buckets that nobody verified yet, each to be verified by a task of its own. */
  readonly openBuckets: readonly AuditBucket[];
  /** Files that could not be read. */
  readonly unreadable: number;
  /** Requests to the archive, without those of the beginning and the end. */
  readonly requests: number;
  /** Decimal digits. */
  readonly compressedBytes: string;
  readonly findings: number;
}

/** A bucket to be verified, to be handed on as it is. */
export interface AuditBucket {
  /** Its hash, which is its name. */
  readonly bucket: string;
  readonly [more: string]: unknown;
}

/** Checkpoints by their places, 0 the oldest: parts whose size divides 256, at multiples of it, join exactly. Or open buckets. */
export type AuditTask = { readonly first: number; readonly count: number } | { readonly buckets: readonly AuditBucket[] };

/** What a task came to. */
export interface AuditPart {
  /** To be joined: some 50 kB for 64 checkpoints. */
  readonly part: Uint8Array;
  /** Files that could not be read: where there are any, the task is better done again later. */
  readonly unreadable: number;
  readonly requests: number;
  /** Decimal digits. */
  readonly compressedBytes: string;
  readonly findings: number;
}
