/**
 * The WebAssembly instance of this thread: loaded once, watched for crashes, replaced after one where that is possible.
 *
 * Not here: where the `.wasm` comes from (each entry says) and anything about archives.
 */
import * as glue from '../../target/pkg/stellar_archive_verifier.js';
import { ArchiveVerifierError, crashed, isTrap, messageOf } from './errors.ts';
import { Run } from './run.ts';
import type { RunBody, RunOptions } from './run.ts';
import type { ArchiveReader, ArchiveSource, NetworkPreset, Report, RunEvent, VerifyOptions, Versions } from './types.ts';

/** What `init` accepts in place of the default file. */
export type WasmInput = URL | Response | BufferSource | WebAssembly.Module;

/** What differs between hosts. */
export interface Host {
  /** Instantiates the module; called again only after it failed. */
  load(input: WasmInput | undefined): Promise<void>;
  /** Shows `isOurs` every error that nobody caught, and ends those it answers `true` to, until the returned function is called. */
  watch(isOurs: (error: unknown) => boolean): () => void;
  /** What to do when the instance cannot be replaced. */
  readonly restartAdvice: string;
}

export interface Engine {
  init(input?: WasmInput): Promise<void>;
  verifyArchive(source: ArchiveSource, options?: VerifyOptions): Run;
  versions(): Versions;
  networkPresets(): NetworkPreset[];
}

/** The exports of the generated module, with the types its generator cannot know. */
interface Exports {
  verify(
    source: string | ArchiveReader, options: RunOptions, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ): Promise<Report>;
  versions(): Versions;
  networkPresets(): NetworkPreset[];
  /** Makes a fresh instance of the same module; present when the glue was generated with it. */
  __wbg_reset_state?(): void;
}

const wasm: Exports = glue;

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
        : 'Check that stellar_archive_verifier_bg.wasm is served beside the script, or hand its URL or bytes to init().',
      cause,
    },
  );
}

/** One instance and everything that uses it. */
export function createEngine(host: Host): Engine {
  let loading: Promise<void> | undefined;
  let loaded = false;
  let crash: ArchiveVerifierError | undefined;
  let everCrashed = false;
  const pending = new Set<(error: ArchiveVerifierError) => void>();
  let unwatch: (() => void) | undefined;

  /** The first call decides what is loaded; later ones share it, unless it failed. */
  function init(input?: WasmInput): Promise<void> {
    loading ??= host.load(input).then(
      () => {
        loaded = true;
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
    const error = crashed(cause, wasm.__wbg_reset_state === undefined
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
    if (wasm.__wbg_reset_state === undefined) throw crash;
    wasm.__wbg_reset_state();
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
      throw isTrap(error) ? onTrap(error) : error;
    }
  }

  const verify: RunBody = async (source, options, onEvent, signal) => {
    await init();
    let reject: (error: ArchiveVerifierError) => void = () => undefined;
    const lost = new Promise<never>((_, onCrash) => {
      reject = onCrash;
    });
    pending.add(reject);
    // A panic in the middle of a run surfaces as an uncaught error of a microtask, not as a rejection of its promise.
    unwatch ??= host.watch(isOurs);
    try {
      return await Promise.race([call('verifyArchive', () => wasm.verify(source, options, onEvent, signal)), lost]);
    } catch (error) {
      throw isTrap(error) ? onTrap(error) : error;
    } finally {
      pending.delete(reject);
      // What a crashed instance had asked for may still arrive and make it trap again: the watch on it then stays.
      if (pending.size === 0 && !everCrashed) {
        unwatch?.();
        unwatch = undefined;
      }
    }
  };

  return {
    init,
    verifyArchive: (source, options = {}) => new Run(verify, source, options),
    versions: () => call('versions', () => wasm.versions()),
    networkPresets: () => call('networkPresets', () => wasm.networkPresets()),
  };
}
