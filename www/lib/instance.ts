/**
 * The WebAssembly instance of this thread: loaded once, watched for crashes, replaced after one where that is possible.
 *
 * Not here: what it can be asked (`engine.ts`), and where the `.wasm` comes from (each host says).
 */
import { ArchiveVerifierError, crashed, isTrap, messageOf, toVerifierError } from './errors.ts';
import type { PlainSource } from './plain.ts';
import type { Threads } from './threads.ts';

/** What `init` accepts in place of the default file. */
export type WasmInput = URL | Response | BufferSource | WebAssembly.Module;

/** What every generated module has, whatever it can be asked. */
export interface Glue {
  /** Once there is an instance it answers with that, whatever it is given. */
  initSync(input: { readonly module: BufferSource | WebAssembly.Module }): { readonly memory: WebAssembly.Memory };
  default(input: { readonly module_or_path: WasmInput }): Promise<unknown>;
  /** Makes a fresh instance of the same module; present when the glue was generated with it. */
  __wbg_reset_state?(): void;
}

/** What differs between hosts. */
export interface Host {
  /** Instantiates the module, and gives it; called again only after it failed. */
  load(glue: Glue, input: WasmInput | undefined): Promise<WebAssembly.Module>;
  /** Shows `isOurs` every error that nobody caught, and ends those it answers `true` to, until the returned function is called. */
  watch(isOurs: (error: unknown) => boolean): () => void;
  /** What keeps a text from being an archive's address here, if the host knows. */
  addressFault?(address: string): ArchiveVerifierError | undefined;
  /** Other threads of this program, where the host can start any. */
  readonly threads?: (() => Promise<Threads>) | undefined;
  /** What to do when the instance cannot be replaced. */
  readonly restartAdvice: string;
}

/** One instance, and the ways to call into it. */
export interface Instance {
  init(input?: WasmInput): Promise<void>;
  /** Calls what answers at once; throws what to do where `init` has not finished. */
  call<T>(name: string, body: () => T): T;
  /** Carries out what takes time: once there is an instance, and until that instance is lost. */
  guarded<T>(name: string, body: () => Promise<T>): Promise<T>;
  /** What answers once, and with an error where it was aborted: half an answer would look like a whole one, unless it says that it `isPartial`. */
  ask<T>(
    name: string, outer: AbortSignal | undefined, body: (stop: AbortController) => Promise<T>, isPartial?: (answer: T) => boolean,
  ): Promise<T>;
  /** As `ask`, for what also tells line by line. A listener that throws ends it with its own error, outside the WebAssembly. */
  tell<L, T>(
    name: string, outer: AbortSignal | undefined, onLine: (line: L) => void, body: (onLine: (line: L) => void, signal: AbortSignal) => Promise<T>,
    isPartial?: (answer: T) => boolean,
  ): Promise<T>;
  checkAddresses(sources: readonly PlainSource[]): void;
  /** Other threads and the module for them, once there is one; always the same threads. */
  threads(): Promise<{ readonly pool: Threads; readonly module: WebAssembly.Module } | undefined>;
  /** How many instances there were before this one. */
  number(): number;
  /** The size of its memory, which only ever grows: the peak so far. 0 before `init()`. */
  memoryBytes(): number;
}

/** What the glue throws when a timer or a promise calls back into an instance that `__wbg_reset_state` has replaced. */
const STALE_CALL = 'Cannot invoke closure from previous WASM instance';

function loadError(cause: unknown): ArchiveVerifierError {
  if (cause instanceof ArchiveVerifierError) return cause;
  const refused = cause instanceof WebAssembly.CompileError || cause instanceof WebAssembly.LinkError;
  return new ArchiveVerifierError(
    refused ? 'UNSUPPORTED' : 'NETWORK',
    `the WebAssembly module could not be loaded: ${messageOf(cause)}`,
    {
      advice: refused
        ? "Check that the file is the one that came with this version, and that a Content-Security-Policy allows 'wasm-unsafe-eval'."
        : 'Check that stellar_archive_verifier_bg.wasm (of the entry verify: stellar_archive_verify_bg.wasm) is served beside the script, or hand its URL or bytes to init().',
      cause,
    },
  );
}

/** The glue wants to be given something also where it has what it needs. */
const NOTHING = new Uint8Array();

export function createInstance(glue: Glue, host: Host): Instance {
  let loading: Promise<void> | undefined;
  let loaded = false;
  let compiled: WebAssembly.Module | undefined;
  let pool: Promise<Threads | undefined> | undefined;
  let crash: ArchiveVerifierError | undefined;
  let everCrashed = false;
  let replaced = 0;
  const pending = new Set<(error: ArchiveVerifierError) => void>();
  let unwatch: (() => void) | undefined;

  /** The first call decides what is loaded; later ones share it, unless it failed. */
  function init(input?: WasmInput): Promise<void> {
    loading ??= host.load(glue, input).then(
      (module) => {
        loaded = true;
        compiled = module;
      },
      (cause: unknown) => {
        loading = undefined;
        throw loadError(cause);
      },
    );
    return loading;
  }

  /** All runs of the instance are lost with it: a promise of a crashed instance would never settle. */
  function onTrap(cause: unknown): ArchiveVerifierError {
    const error = crashed(cause, glue.__wbg_reset_state === undefined
      ? host.restartAdvice
      : 'This is a fault in the verifier: please report it with this message. The next run starts afresh.');
    crash = error;
    everCrashed = true;
    for (const reject of [...pending]) reject(error);
    return error;
  }

  /** Errors that nobody caught: a trap of our instance, or the echo of one that was replaced. */
  function isOurs(error: unknown): boolean {
    if (isTrap(error)) onTrap(error);
    return isTrap(error) || (everCrashed && messageOf(error) === STALE_CALL);
  }

  /** Throws unless there is an instance to call. */
  function revive(): void {
    if (crash === undefined) return;
    if (glue.__wbg_reset_state === undefined) throw crash;
    glue.__wbg_reset_state();
    replaced += 1;
    crash = undefined;
  }

  function call<T>(name: string, body: () => T): T {
    if (!loaded) {
      throw new ArchiveVerifierError('USED_BEFORE_INIT', `${name}() was called before init() had finished`, {
        advice: `Write \`await init()\` before the first ${name}().`,
      });
    }
    revive();
    try {
      return body();
    } catch (error) {
      throw isTrap(error) ? onTrap(error) : toVerifierError(error);
    }
  }

  async function guarded<T>(name: string, body: () => Promise<T>): Promise<T> {
    await init();
    let reject: (error: ArchiveVerifierError) => void = () => undefined;
    const lost = new Promise<never>((_, onCrash) => {
      reject = onCrash;
    });
    pending.add(reject);
    // A panic in the middle of a run surfaces as an uncaught error of a microtask, not as a rejection of its promise.
    unwatch ??= host.watch(isOurs);
    try {
      return await Promise.race([call(name, body), lost]);
    } catch (error) {
      throw isTrap(error) ? onTrap(error) : toVerifierError(error);
    } finally {
      pending.delete(reject);
      // What a crashed instance had asked for may still arrive and make it trap again: the watch on it then stays.
      if (pending.size === 0 && !everCrashed) {
        unwatch?.();
        unwatch = undefined;
      }
    }
  }

  function checkAddresses(sources: readonly PlainSource[]): void {
    for (const source of sources) {
      const fault = typeof source === 'string' ? host.addressFault?.(source) : undefined;
      if (fault !== undefined) throw fault;
    }
  }

  async function ask<T>(
    name: string, outer: AbortSignal | undefined, body: (stop: AbortController) => Promise<T>, isPartial: (answer: T) => boolean = () => false,
  ): Promise<T> {
    const stop = new AbortController();
    const forward = (): void => stop.abort(outer?.reason);
    if (outer?.aborted === true) forward();
    else outer?.addEventListener('abort', forward, { once: true });
    try {
      const [answer] = await Promise.allSettled([guarded(name, () => body(stop))]);
      if (answer.status === 'fulfilled' && isPartial(answer.value)) return answer.value;
      const error = answer.status === 'rejected' ? toVerifierError(answer.reason) : undefined;
      if (stop.signal.aborted && error?.code !== 'CRASHED') {
        const reason: unknown = stop.signal.reason;
        throw new ArchiveVerifierError('ABORTED', messageOf(reason), { cause: reason });
      }
      if (answer.status === 'rejected') throw error;
      return answer.value;
    } finally {
      outer?.removeEventListener('abort', forward);
    }
  }

  async function tell<L, T>(
    name: string, outer: AbortSignal | undefined, onLine: (line: L) => void, body: (onLine: (line: L) => void, signal: AbortSignal) => Promise<T>,
    isPartial?: (answer: T) => boolean,
  ): Promise<T> {
    let failure: { readonly error: unknown } | undefined;
    const answer = ask(name, outer, (stop) => body((line) => {
      if (failure !== undefined) return;
      try {
        onLine(line);
      } catch (error) {
        failure = { error };
        stop.abort(error);
      }
    }, stop.signal), isPartial);
    const [outcome] = await Promise.allSettled([answer]);
    if (failure !== undefined) throw failure.error;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  return {
    init, call, guarded, ask, tell, checkAddresses,
    async threads() {
      // Without them this thread does all of it.
      pool ??= host.threads?.().catch(() => undefined);
      const threads = await pool;
      return threads === undefined || compiled === undefined ? undefined : { pool: threads, module: compiled };
    },
    number: () => replaced,
    memoryBytes: () => (loaded ? glue.initSync({ module: NOTHING }).memory.buffer.byteLength : 0),
  };
}
