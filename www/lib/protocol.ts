/**
 * What the two ends of a worker's port say to each other: one discriminated union for each direction.
 *
 * Not here: anything that sends or receives. `id` names a run; messages of other programs on the same port are ignored.
 */
import { messageOf } from './errors.ts';
import type { RunOptions } from './run.ts';
import type { ErrorCode, Report, RunEvent } from './types.ts';

/** An archive as the worker sees it: readers stay where they are and are asked file by file. */
export type RemoteSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'reader'; readonly name: string };

/** The answer to one `get`: everything, a stream to be pulled, no such file, or a failure. */
export type RemoteFile =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'stream' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly error: RemoteError };

/** Errors lose their class when cloned, so they travel as data. `code` is free text: a reader may throw anything. */
export interface RemoteError {
  readonly message: string;
  readonly code?: string;
  readonly advice?: string;
}

export type ToWorker =
  | { readonly id: string; readonly type: 'start'; readonly sources: readonly RemoteSource[]; readonly options: RunOptions; readonly wasm?: string | WebAssembly.Module }
  | { readonly id: string; readonly type: 'cancel'; readonly reason: string }
  | { readonly id: string; readonly type: 'file'; readonly request: number; readonly file: RemoteFile }
  /** `null` ends the stream. */
  | { readonly id: string; readonly type: 'chunk'; readonly request: number; readonly bytes: Uint8Array<ArrayBuffer> | null }
  | { readonly id: string; readonly type: 'chunk-failed'; readonly request: number; readonly error: RemoteError };

export type FromWorker =
  | { readonly id: string; readonly type: 'event'; readonly event: RunEvent }
  | { readonly id: string; readonly type: 'report'; readonly report: Report }
  | { readonly id: string; readonly type: 'error'; readonly code: ErrorCode; readonly message: string; readonly advice?: string }
  /** `archive` is the place of its reader among the sources; requests are numbered through all of them. */
  | { readonly id: string; readonly type: 'get'; readonly request: number; readonly archive: number; readonly path: string }
  /** Asks for the next chunk of a stream: nothing is sent ahead, so a fast disk cannot flood a slow worker. */
  | { readonly id: string; readonly type: 'pull'; readonly request: number }
  /** The file is not wanted any more. */
  | { readonly id: string; readonly type: 'drop'; readonly request: number };

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

/** What a reader threw, with its cause in words: the verifier shows both. */
export function remoteError(thrown: unknown): RemoteError {
  if (typeof thrown !== 'object' || thrown === null) return { message: String(thrown) };
  const cause: unknown = Reflect.get(thrown, 'cause');
  const message = `${messageOf(thrown)}${cause instanceof Error ? `: ${cause.message}` : ''}`;
  const code: unknown = Reflect.get(thrown, 'code');
  const advice: unknown = Reflect.get(thrown, 'advice');
  return {
    message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof advice === 'string' ? { advice } : {}),
  };
}

/** An `Error` again, with the fields that the verifier reads. */
export function reviveError(error: RemoteError): Error {
  return Object.assign(new Error(error.message), {
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.advice === undefined ? {} : { advice: error.advice }),
  });
}
