/**
 * What keeps a writer from writing, with what the run decides on: an error code of the system or the browser, or the status of
 * an HTTP answer. Not here: whether it is tried again.
 */
import { messageOf } from '../errors.ts';

export interface WriteFault {
  /** The system's word (`ENOSPC`, `EACCES`), the name of a browser's exception (`QuotaExceededError`), or `NETWORK`. */
  readonly code?: string | undefined;
  /** Of the HTTP answer. */
  readonly status?: number | undefined;
  /** How long the host asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

/** A file that could not be written, or not be looked at where it is to be written. */
export class ArchiveWriteError extends Error {
  override readonly name: string;
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** What to do about it, in one sentence, where there is something to do. */
  readonly advice: string | undefined;

  constructor(message: string, { code, status, retryAfterMs, advice, cause }: WriteFault) {
    super(message, cause === undefined ? undefined : { cause });
    // A browser's exceptions are known by their names.
    this.name = code?.endsWith('Error') === true ? code : 'ArchiveWriteError';
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.advice = advice;
  }
}

/** The code of a failed system call, and the name of a browser's exception. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof DOMException) return error.name;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'Run this as a user who may write there.',
  EDQUOT: 'Make room, or write to another place; what is there already is kept.',
  EEXIST: 'A file has the name that a folder should have: move it away.',
  EISDIR: 'A folder has the name that the file should have: move it away.',
  ENOSPC: 'Make room, or write to another place; what is there already is kept.',
  ENOTDIR: 'A file has the name that a folder should have: move it away.',
  EPERM: 'Run this as a user who may write there.',
  EROFS: 'Write to another place: this one can only be read.',
  InvalidStateError: 'See that the folder is still there, and choose it again.',
  NoModificationAllowedError: 'See that no other page or program has the file open.',
  NotAllowedError: 'Choose the folder again, and allow this page to change it.',
  NotFoundError: 'See that the folder is still there, and choose it again.',
  QuotaExceededError: 'Make room, or write to another place; what is there already is kept.',
  TypeMismatchError: 'A file has the name of a folder, or a folder that of a file: move it away.',
};

/** Of a failed call of the system or the browser: `what` could not be done, and why. An abort comes out as it is. */
export function writeFault(what: string, cause: unknown, signal?: AbortSignal): unknown {
  if (cause instanceof ArchiveWriteError || (signal?.aborted === true && cause === signal.reason)) return cause;
  const code = codeOf(cause);
  return new ArchiveWriteError(`${what}: ${messageOf(cause)}`, { code, advice: code === undefined ? undefined : ADVICE[code], cause });
}
