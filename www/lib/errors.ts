/**
 * The one error class of the package: something kept us from looking.
 *
 * Not here: findings. An archive that is wrong is a successful run with findings in its report, never an exception;
 * only where something is made of its files (`downloadCheckpoint`, `dumpFile`, `verifyCheckpoints`, a proof) their faults are an
 * error, `FAULTY`, and that nobody who is believed vouches for them is one, `UNANCHORED`.
 */
import type { ErrorCode } from './types.ts';

/** Every code, so that a code which arrives as a bare string can be recognised; the compiler keeps it complete. */
const CODES: Readonly<Record<ErrorCode, true>> = {
  ABORTED: true,
  BUDGET: true,
  CORS_OR_NETWORK: true,
  CRASHED: true,
  DISPOSED: true,
  FAULTY: true,
  FORBIDDEN: true,
  HTTP: true,
  NETWORK: true,
  NOT_FOUND: true,
  TIMEOUT: true,
  UNANCHORED: true,
  UNSUPPORTED: true,
  USAGE: true,
  USED_BEFORE_INIT: true,
};

/** A verification that could not be started or completed. */
export class ArchiveVerifierError extends Error {
  override readonly name = 'ArchiveVerifierError';
  /** Stable; decide on this, not on the message. */
  readonly code: ErrorCode;
  /** What to do about it, in one sentence, where there is something to do. */
  readonly advice: string | undefined;

  constructor(code: ErrorCode, message: string, options: { readonly advice?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.advice = options.advice;
  }
}

/** The WebAssembly stopped half-way, or its worker did. Runs under way are lost; the next one has a fresh instance where its host can make one. */
export class CrashError extends ArchiveVerifierError {
  constructor(message: string, options: { readonly advice?: string | undefined; readonly cause?: unknown } = {}) {
    super('CRASHED', message, options);
  }
}

/** The class that belongs to `code`. */
export function verifierError(
  code: ErrorCode, message: string, options: { readonly advice?: string | undefined; readonly cause?: unknown } = {},
): ArchiveVerifierError {
  return code === 'CRASHED' ? new CrashError(message, options) : new ArchiveVerifierError(code, message, options);
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(CODES, value);
}

function textField(value: object, key: string): string | undefined {
  const field: unknown = Reflect.get(value, key);
  return typeof field === 'string' && field !== '' ? field : undefined;
}

/** The text of whatever was thrown. */
export function messageOf(value: unknown): string {
  if (value instanceof Error && value.message !== '') return value.message;
  return String(value);
}

/**
 * Whether `error` is WebAssembly stopping half-way: a trap (a Rust panic ends in one) or an overflow of the stack.
 * Afterwards the instance's memory may be in any state, so nothing in it may be called again.
 */
export function isTrap(error: unknown): error is Error {
  if (error instanceof WebAssembly.RuntimeError) return true;
  return error instanceof RangeError && (error.stack ?? '').includes('wasm');
}

/** A panic or a trap: a fault of this package, never of the archive's owner. */
export function crashed(cause: unknown, advice: string): ArchiveVerifierError {
  return new CrashError(`the verifier crashed: ${messageOf(cause)}`, { advice, cause });
}

/** Brings whatever was thrown into the one class, keeping code, advice and the original as `cause`. */
export function toVerifierError(value: unknown): ArchiveVerifierError {
  if (value instanceof ArchiveVerifierError) return value;
  if (typeof value === 'object' && value !== null) {
    const code: unknown = Reflect.get(value, 'code');
    if (isErrorCode(code)) {
      return verifierError(code, messageOf(value), { advice: textField(value, 'advice'), cause: value });
    }
  }
  return crashed(value, 'This is a fault in the verifier: please report it with this message.');
}
