/**
 * What the coordinator keeps, in the SQLite of its Durable Object: facts and progress as JSON, tasks as rows, states and parts in pieces.
 *
 * Everything is read once, when the object wakes, and written through. A row has 2 MB at most, so what is larger lies in several.
 * Not here: what any of it means (`coordinator.ts`).
 */
import type { AuditStanding } from '../../lib/audit-client.ts';
import type { AuditBucket, AuditOptions } from '../../lib/audit-types.ts';
import type { Verdict } from '../../lib/types.ts';
import type { AuditedArchive } from './messages.ts';

/** As much of `ctx.storage.sql` as is used. */
export interface Sql {
  exec(query: string, ...values: readonly (string | number | null | Uint8Array)[]): { toArray(): Record<string, unknown>[] };
}

/** What never changes. */
export interface Facts {
  readonly id: string;
  readonly archive: AuditedArchive;
  readonly options: AuditOptions;
  readonly range: { readonly low: number; readonly high: number };
  readonly network: string | null;
  readonly checkpoints: number;
  readonly startedAt: number;
  /** Consumers at a time at most. */
  readonly consumers: number;
  readonly pace: Pace;
}

/** How long is waited for what; milliseconds. */
export interface Pace {
  /** Checkpoints of a part: 1, 2, 4 … 256. */
  readonly partSize: number;
  /** What was sent or taken so long ago, and not delivered, is sent again. */
  readonly lostMs: number;
  /** The first pause of what is tried again, and of the first probe of an archive that does not answer. Each next one is twice as long. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** An archive that did not answer for so long pauses the audit. */
  readonly outageMs: number;
}

export interface Progress {
  state: AuditStanding;
  reason: string | null;
  verdict: Verdict | null;
  updatedAt: number;
  /** Of the joined state. */
  joined: number;
  waiting: number;
  stateBytes: number;
  open: number;
  requests: number;
  compressedBytes: string;
  findings: number;
  /** The place at which the next part begins that nobody was given yet. */
  next: number;
  nextTask: number;
  /** Tasks that may be under way at once, and up to where that number doubles rather than creeps. */
  window: number;
  threshold: number;
  shrunkAt: number;
  /** Deliveries in a row that met an archive which does not answer. */
  silence: number;
  silentSince: number | null;
  probeAt: number;
  probePause: number;
  retried: number;
  halved: number;
  givenUp: number;
  duplicates: number;
  lost: number;
  /** Since when, and from how many checkpoints, the speed is measured. */
  pacedSince: number;
  pacedFrom: number;
}

/** A part of places, some buckets, or the end. */
export type Job =
  | { readonly first: number; readonly count: number }
  | { readonly buckets: readonly AuditBucket[] }
  | { readonly finish: true };

/** `ready`: to be sent; `sent`: on the queue; `taken`: somebody works on it; `done`: its part waits to be joined. */
export type TaskStanding = 'ready' | 'sent' | 'taken' | 'done';

export interface Task {
  readonly id: number;
  readonly job: Job;
  standing: TaskStanding;
  /** When it may be sent, was sent, or was taken. */
  at: number;
  /** When it was sent. */
  sentAt: number;
  /** The message that took it. */
  taker: string | null;
  /** How much was tried in vain while the archive answered. */
  tries: number;
  /** How often it was lost. */
  lost: number;
}

const SCHEMA = [
  'CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID',
  `CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, job TEXT NOT NULL, standing TEXT NOT NULL, at INTEGER NOT NULL, sent_at INTEGER NOT NULL, taker TEXT,
    tries INTEGER NOT NULL, lost INTEGER NOT NULL)`,
  // A piece's number is that of what it is a piece of, times PIECES, and its own.
  'CREATE TABLE IF NOT EXISTS pieces (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)',
];
const PIECE_BYTES = 1_900_000;
const PIECES = 4096;
/** The state that the audit began with, the joined one, and from here on parts by their tasks. */
const BEGIN = 0;
const JOINED = 1;
const PARTS = 2;

export class Records {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** `null` where no audit was begun; nothing is made then. */
  read(): { readonly facts: Facts; readonly progress: Progress; readonly tasks: Map<number, Task> } | null {
    if (this.#sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'notes'").toArray().length === 0) return null;
    const notes = new Map(this.#sql.exec('SELECT name, body FROM notes').toArray().map(({ name, body }) => [String(name), String(body)]));
    const [facts, progress] = [notes.get('facts'), notes.get('progress')];
    if (facts === undefined || progress === undefined) return null;
    const tasks = this.#sql.exec('SELECT * FROM tasks ORDER BY id').toArray().map(taskOf);
    return { facts: JSON.parse(facts) as Facts, progress: JSON.parse(progress) as Progress, tasks: new Map(tasks.map((task) => [task.id, task])) };
  }

  create(facts: Facts, state: Uint8Array): void {
    for (const statement of SCHEMA) this.#sql.exec(statement);
    this.#note('facts', facts);
    this.#write(BEGIN, state);
    this.#write(JOINED, state);
  }

  progress(progress: Progress): void {
    this.#note('progress', progress);
  }

  task({ id, job, standing, at, sentAt, taker, tries, lost }: Task): void {
    this.#sql.exec('INSERT OR REPLACE INTO tasks (id, job, standing, at, sent_at, taker, tries, lost) VALUES (?, ?, ?, ?, ?, ?, ?, ?)', id, JSON.stringify(job), standing, at, sentAt, taker, tries, lost);
  }

  dropTask(id: number): void {
    this.#sql.exec('DELETE FROM tasks WHERE id = ?', id);
  }

  beginState(): Uint8Array {
    return this.#read(BEGIN);
  }

  joinedState(): Uint8Array {
    return this.#read(JOINED);
  }

  keepJoinedState(state: Uint8Array): void {
    this.#write(JOINED, state);
  }

  part(task: number): Uint8Array {
    return this.#read(PARTS + task);
  }

  keepPart(task: number, part: Uint8Array): void {
    this.#write(PARTS + task, part);
  }

  dropPart(task: number): void {
    this.#drop(PARTS + task, 0);
  }

  /** All but what the audit came to. */
  dropWork(): void {
    this.#sql.exec('DELETE FROM tasks');
    this.#sql.exec('DELETE FROM pieces');
  }

  #note(name: string, body: object): void {
    this.#sql.exec('INSERT OR REPLACE INTO notes (name, body) VALUES (?, ?)', name, JSON.stringify(body));
  }

  #read(what: number): Uint8Array {
    const pieces = this.#sql.exec('SELECT bytes FROM pieces WHERE id >= ? AND id < ? ORDER BY id', what * PIECES, (what + 1) * PIECES).toArray().map(({ bytes }) => bytesOf(bytes));
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #write(what: number, bytes: Uint8Array): void {
    const count = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES));
    if (count >= PIECES) throw new Error(`${bytes.length} bytes are more than the coordinator keeps of one thing`);
    for (let piece = 0; piece < count; piece += 1) {
      // A copy: whoever takes the bytes may keep the buffer that they are a view of.
      this.#sql.exec('INSERT OR REPLACE INTO pieces (id, bytes) VALUES (?, ?)', what * PIECES + piece, bytes.slice(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES));
    }
    this.#drop(what, count);
  }

  #drop(what: number, from: number): void {
    this.#sql.exec('DELETE FROM pieces WHERE id >= ? AND id < ?', what * PIECES + from, (what + 1) * PIECES);
  }
}

function taskOf(row: Record<string, unknown>): Task {
  const { id, job, standing, at, sent_at: sentAt, taker, tries, lost } = row;
  return {
    id: Number(id), job: JSON.parse(String(job)) as Job, standing: String(standing) as TaskStanding, at: Number(at), sentAt: Number(sentAt),
    taker: taker === null ? null : String(taker), tries: Number(tries), lost: Number(lost),
  };
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return value;
  throw new Error('a piece of the audit is no bytes');
}
