/**
 * As much of Cloudflare's runtime as the worker uses: its bindings, and the globals that no other host has.
 *
 * Not here: what the bindings are for, nor any behaviour.
 */

import type { AuditMessage, AuditObject } from './audit/messages.ts';

/** What `wrangler.jsonc` binds. Variables come as text; `ARCHIVES` may also stand there as JSON itself. */
export interface Env {
  readonly ARCHIVES?: unknown;
  readonly ALLOW_LOOPBACK?: unknown;
  readonly WEBHOOK_URL?: unknown;
  readonly WEBHOOK_SECRET?: unknown;
  readonly [limit: string]: unknown;
  /** The last report of every archive, and dated ones. */
  readonly REPORTS?: Bucket;
  /** Observations, states and alerts. */
  readonly HISTORY?: Database;
  /** For what makes the worker verify, and for everything else. */
  readonly RUN_RATE?: RateLimit;
  readonly RELAY_RATE?: RateLimit;
  /** Whoever begins, pauses or cancels audits shows this. */
  readonly AUDIT_TOKEN?: unknown;
  /** The coordinators of audits, by the audit's id, and the queue of their tasks. */
  readonly AUDITS?: Objects<AuditObject>;
  readonly AUDIT_QUEUE?: Queue<AuditMessage>;
}

/** Durable Objects of one class, which are asked as if they were here. */
export interface Objects<T> {
  idFromName(name: string): ObjectId;
  get(id: ObjectId): T;
}

interface ObjectId {
  toString(): string;
}

export interface Queue<T> {
  sendBatch(messages: readonly { readonly body: T; readonly contentType: 'json' }[]): Promise<unknown>;
}

/** What a queue brings. */
export interface Batch {
  readonly queue: string;
  readonly messages: readonly QueueMessage[];
}

export interface QueueMessage {
  /** The same each time that it is brought. */
  readonly id: string;
  readonly body: unknown;
  ack(): void;
}

export interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

export interface Cron {
  readonly cron: string;
  /** Milliseconds since 1970. */
  readonly scheduledTime: number;
}

/** R2. */
export interface Bucket {
  put(key: string, value: string, options?: { readonly httpMetadata?: { readonly contentType?: string } }): Promise<unknown>;
  get(key: string): Promise<{ readonly body: ReadableStream<Uint8Array>; readonly size: number; readonly httpEtag: string; readonly uploaded: Date } | null>;
}

/** D1. */
export interface Database {
  prepare(query: string): Statement;
  batch(statements: readonly Statement[]): Promise<readonly Rows[]>;
}

export type Value = string | number | null;

export interface Statement {
  bind(...values: readonly Value[]): Statement;
  all(): Promise<Rows>;
}

export interface Rows {
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

export interface RateLimit {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

declare global {
  interface CacheStorage {
    readonly default: Cache;
  }

  /** A pipe that knows how long its content is, and fails where it is not. */
  var FixedLengthStream: new (length: number) => TransformStream<Uint8Array, Uint8Array>;

  interface Crypto {
    /** Hashes what is written to it. */
    readonly DigestStream: new (algorithm: 'SHA-256') => WritableStream<Uint8Array> & { readonly digest: Promise<ArrayBuffer> };
  }
}
