/**
 * What the two ends of a worker's port say to each other: one discriminated union for each direction.
 *
 * Not here: anything that sends or receives. `id` names a run; messages of other programs on the same port are ignored.
 */
import { messageOf } from './errors.ts';
import type { Plain } from './plain.ts';
import type { RunOptions } from './run.ts';
import type { CopyEstimate, CopyReport, ErrorCode, EstimateOptions, MirrorOptions, RepairOptions, Report, RunEvent } from './types.ts';

/** An archive as the worker sees it: readers stay where they are and are asked file by file. */
export type RemoteSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'reader'; readonly name: string };

/** The place that is written to. It stays where it is as well; its `get` is asked as that of the reader after the last source. */
export interface RemoteDestination {
  readonly name: string;
  /** Which of the functions that it need not have it has. */
  readonly can: { readonly stage: boolean; readonly get: boolean; readonly makeDir: boolean };
}

/** What is to be done with the sources. */
export type RemoteTask =
  | { readonly task: 'verify'; readonly options: RunOptions }
  | { readonly task: 'estimate'; readonly options: Plain<EstimateOptions> }
  | { readonly task: 'mirror'; readonly options: Plain<MirrorOptions>; readonly destination: RemoteDestination }
  | { readonly task: 'repair'; readonly options: Plain<RepairOptions>; readonly destination: RemoteDestination };

/** One call of the destination. `file` is the request that began a staged file. */
export type WriterCall =
  | { readonly kind: 'put'; readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'exists' | 'makeDir' | 'stage'; readonly path: string }
  | { readonly kind: 'write'; readonly file: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'commit' | 'abort'; readonly file: number };

/** The answer to one `get`: everything, a stream to be pulled, no such file, or a failure. */
export type RemoteFile =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'stream' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly error: RemoteError };

/** Errors lose their class when cloned, so they travel as data. `code` is free text: a reader or writer may throw anything. */
export interface RemoteError {
  readonly message: string;
  readonly name?: string;
  readonly code?: string;
  readonly advice?: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
}

export type ToWorker =
  | ({ readonly id: string; readonly type: 'start'; readonly sources: readonly RemoteSource[]; readonly wasm?: string | WebAssembly.Module } & RemoteTask)
  | { readonly id: string; readonly type: 'cancel'; readonly reason: string }
  | { readonly id: string; readonly type: 'file'; readonly request: number; readonly file: RemoteFile }
  /** `null` ends the stream. */
  | { readonly id: string; readonly type: 'chunk'; readonly request: number; readonly bytes: Uint8Array<ArrayBuffer> | null }
  | { readonly id: string; readonly type: 'chunk-failed'; readonly request: number; readonly error: RemoteError }
  /** The destination has done what it was asked; `found` answers `exists`. Until then nothing more is sent for the same file. */
  | { readonly id: string; readonly type: 'written'; readonly request: number; readonly found: boolean }
  | { readonly id: string; readonly type: 'write-failed'; readonly request: number; readonly error: RemoteError };

export type FromWorker =
  | { readonly id: string; readonly type: 'event'; readonly event: RunEvent }
  | { readonly id: string; readonly type: 'report'; readonly report: Report | CopyReport | CopyEstimate }
  | { readonly id: string; readonly type: 'error'; readonly code: ErrorCode; readonly message: string; readonly advice?: string }
  /** `archive` is the place of its reader among the sources; requests are numbered through all of them. */
  | { readonly id: string; readonly type: 'get'; readonly request: number; readonly archive: number; readonly path: string }
  /** Asks for the next chunk of a stream: nothing is sent ahead, so a fast disk cannot flood a slow worker. */
  | { readonly id: string; readonly type: 'pull'; readonly request: number }
  /** The file, or the answer to a call, is not wanted any more. */
  | { readonly id: string; readonly type: 'drop'; readonly request: number }
  | { readonly id: string; readonly type: 'call'; readonly request: number; readonly call: WriterCall };

/** The part of `Worker`, `MessagePort` and a worker's global scope that both ends need. */
export interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void;
  removeEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void;
}

/** The message of an event if it belongs to this protocol; the other end is this package, so the shape is then known. */
export function protocolMessage<T extends ToWorker | FromWorker>(event: Event): T | undefined {
  if (!('data' in event)) return undefined;
  const data: unknown = event.data;
  if (typeof data !== 'object' || data === null || !('id' in data) || !('type' in data)) return undefined;
  return typeof data.id === 'string' && data.id.startsWith(ID_PREFIX) ? (data as T) : undefined;
}

/** Marks our messages among an application's own. */
export const ID_PREFIX = 'stellar-archive-verifier/';

/** What a reader or writer threw, with its cause in words: the verifier shows both. */
export function remoteError(thrown: unknown): RemoteError {
  if (typeof thrown !== 'object' || thrown === null) return { message: String(thrown) };
  const cause: unknown = Reflect.get(thrown, 'cause');
  const field = (name: string, type: 'string' | 'number'): object => {
    const value: unknown = Reflect.get(thrown, name);
    return typeof value === type ? { [name]: value } : {};
  };
  const message = messageOf(thrown);
  return {
    // Some put their cause's words into their own already.
    message: cause instanceof Error && !message.includes(cause.message) ? `${message}: ${cause.message}` : message,
    ...field('name', 'string'), ...field('code', 'string'), ...field('advice', 'string'), ...field('status', 'number'), ...field('retryAfterMs', 'number'),
  };
}

/** An `Error` again, with the fields that the verifier reads. */
export function reviveError({ message, ...fields }: RemoteError): Error {
  return Object.assign(new Error(message), fields);
}

/** A copy in a buffer of its own: sending a part of a larger buffer would clone all of it, sending it by transfer take it away. */
export function detached(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** A chunk is ours to give away if nothing else lives in its buffer. */
export function transferable(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = chunk.byteLength === chunk.buffer.byteLength && chunk.buffer instanceof ArrayBuffer;
  return whole ? (chunk as Uint8Array<ArrayBuffer>) : detached(chunk);
}
