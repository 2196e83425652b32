/**
 * What the parts of an audit say to each other: the queue's messages, the work that a consumer gets, and what it hands in.
 *
 * Messages carry names only: what is to be done is asked of the coordinator when the message comes, so that an old message, or one that
 * comes twice, does no harm. Not here: any behaviour but telling a message from something else.
 */
import type { AuditStatus } from '../../lib/audit-client.ts';
import type { AuditOptions, AuditTask } from '../../lib/audit-types.ts';
import type { Verdict } from '../../lib/types.ts';
import type { Beginning } from './coordinator.ts';

export const QUEUE = 'stellar-archive-audit';
export const DEAD_LETTERS = 'stellar-archive-audit-dead';

/** On the queue. */
export interface AuditMessage {
  readonly audit: string;
  readonly task: number;
}

/** The archive as it was when the audit began. */
export interface AuditedArchive {
  readonly name: string;
  readonly url: string;
}

/** What whoever took a message is to do. */
export type Work =
  | {
    readonly kind: 'verify';
    readonly archive: AuditedArchive;
    readonly options: AuditOptions;
    readonly task: AuditTask;
    /** The state that the audit began with. */
    readonly state: Uint8Array;
    /** The archive did not answer lately: its newest state is asked for before anything else, and nothing else where that fails. */
    readonly askFirst: boolean;
  }
  | { readonly kind: 'finish'; readonly archive: AuditedArchive; readonly options: AuditOptions; readonly state: Uint8Array; readonly askFirst: boolean }
  /** Done already, taken by somebody else, paused, cancelled. */
  | { readonly kind: 'none' };

/** What came of a part. */
export interface Delivery {
  readonly part: Uint8Array;
  /** Files that could not be read, and how many of those failures pass: a busy server, a connection that broke. */
  readonly unreadable: number;
  readonly passing: number;
  /** Whether the archive answers at all: where files could not be read, its newest state was asked for. */
  readonly reachable: boolean;
}

/** Why a part was not even tried, or came to nothing. */
export interface Hindrance {
  readonly reachable: boolean;
  /** It may well go better later: a busy server, broken connections. */
  readonly passing: boolean;
  /** It took longer than a consumer has. */
  readonly slow: boolean;
}

/** What others may ask of the Durable Object that coordinates one audit. */
export interface AuditObject {
  begin(beginning: Beginning): Promise<AuditStatus>;
  status(): Promise<AuditStatus>;
  take(task: number, taker: string): Promise<Work>;
  deliver(task: number, delivery: Delivery): Promise<void>;
  hindered(task: number, hindrance: Hindrance): Promise<void>;
  giveBack(task: number): Promise<void>;
  dead(task: number): Promise<void>;
  finished(task: number, outcome: Outcome): Promise<void>;
  /** These three say `false` where the audit is past that. */
  pause(reason: string): Promise<boolean>;
  resume(): Promise<boolean>;
  cancel(): Promise<boolean>;
}

/** Of the report, which lies in R2. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly findings: number;
}

export const ID = /^[0-9a-f]{32}$/;

export function auditMessage(body: unknown): AuditMessage | null {
  if (typeof body !== 'object' || body === null) return null;
  const [audit, task]: readonly unknown[] = [Reflect.get(body, 'audit'), Reflect.get(body, 'task')];
  return typeof audit === 'string' && ID.test(audit) && typeof task === 'number' && Number.isSafeInteger(task) && task > 0 ? { audit, task } : null;
}

/** Where the report lies in R2. */
export function reportKey(audit: string): string {
  return `audits/${audit}/report.json`;
}
