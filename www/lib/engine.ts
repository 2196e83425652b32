/**
 * The WebAssembly instance of this thread: loaded once, watched for crashes, replaced after one where that is possible.
 *
 * Not here: where the `.wasm` comes from (each entry says) and anything about archives.
 */
import * as glue from '../../target/pkg/stellar_archive_verifier.js';
import { explorerOver } from './explore.ts';
import type { WasmExplorer } from './explore.ts';
import type { ArchiveExplorer } from './explore-types.ts';
import { ArchiveVerifierError, crashed, isTrap, messageOf, toVerifierError } from './errors.ts';
import {
  CHECKPOINT_HASHES_OPTIONS, COMPARE_OPTIONS, DOWNLOAD_OPTIONS, DUMP_OPTIONS, ENTRY_PROOF_OPTIONS, HEADER_CHECK_OPTIONS, LOG_OPTIONS, MIRROR_OPTIONS,
  NEW_HISTORY_OPTIONS, PROOF_OPTIONS, PROVENANCE_OPTIONS, QUORUM_SETS_OPTIONS, READ_OPTIONS, REPAIR_OPTIONS, TRANSACTION_PROOF_OPTIONS, plainCheckpoint,
  plainDestination, plainDestinations, plainEntry, plainLedger, plainOptions, plainSource, plainSources,
} from './plain.ts';
import type { Plain, PlainSource } from './plain.ts';
import { CopyRun, Run } from './run.ts';
import type { RunBody, RunOptions } from './run.ts';
import type {
  ArchiveSource, ArchiveSources, ArchiveStatus, ArchiveWriter, CheckpointData, CheckpointHashesOptions, CompareEvent, CompareOptions, CompareReport,
  CopyEstimate, CopyReport, DownloadOptions, DumpOptions, EntryProofOptions, HeaderCheck, HeaderCheckOptions, LogLine, LogOptions, LogSummary,
  MirrorOptions, NetworkPreset, NewHistoryOptions, ProofOptions, ProofReport, Provenance, ProvenanceOptions, PublishSummary, QuorumSetPreset,
  QuorumSetsOptions, ReadOptions, RecentQuorumSets, RepairOptions, RepairPlan, Report, RunEvent, TransactionProofOptions, VerifiedCheckpoints,
  VerifyOptions, Versions,
} from './types.ts';
import { stagedWriter } from './writers/staged.ts';
import type { StagedWriter } from './writers/staged.ts';

/** What `init` accepts in place of the default file. */
export type WasmInput = URL | Response | BufferSource | WebAssembly.Module;

/** What differs between hosts. */
export interface Host {
  /** Instantiates the module; called again only after it failed. */
  load(input: WasmInput | undefined): Promise<void>;
  /** Shows `isOurs` every error that nobody caught, and ends those it answers `true` to, until the returned function is called. */
  watch(isOurs: (error: unknown) => boolean): () => void;
  /** What keeps a text from being an archive's address here, if the host knows. */
  addressFault?(address: string): ArchiveVerifierError | undefined;
  /** What to do when the instance cannot be replaced. */
  readonly restartAdvice: string;
}

export interface Engine {
  init(input?: WasmInput): Promise<void>;
  verifyArchive(sources: ArchiveSources, options?: VerifyOptions): Run;
  downloadCheckpoint(source: ArchiveSource, checkpoint: number, options?: DownloadOptions): Promise<CheckpointData>;
  ledgerProvenance(sources: ArchiveSources, ledger: number, options?: ProvenanceOptions): Promise<Provenance>;
  archiveStatus(sources: ArchiveSources, options?: ReadOptions): Promise<ArchiveStatus[]>;
  checkHeader(sources: ArchiveSources, options: HeaderCheckOptions): Promise<HeaderCheck>;
  dumpFile(source: ArchiveSource, path: string, onLine: (json: string) => void, options?: DumpOptions): Promise<{ readonly records: number }>;
  checkpointLog(sources: ArchiveSources, options: LogOptions, onLine: (line: LogLine) => void): Promise<LogSummary>;
  verifyCheckpoints(sources: ArchiveSources, options?: CheckpointHashesOptions): Promise<VerifiedCheckpoints>;
  recentQuorumSets(sources: ArchiveSources, options?: QuorumSetsOptions): Promise<RecentQuorumSets>;
  compareArchives(sources: ArchiveSources, options?: CompareOptions, onEvent?: (event: CompareEvent) => void): Promise<CompareReport>;
  proveTransaction(sources: ArchiveSources, options: TransactionProofOptions): Promise<string>;
  proveEntry(sources: ArchiveSources, options: EntryProofOptions): Promise<string>;
  verifyProof(proof: string | Uint8Array, options?: ProofOptions): Promise<ProofReport>;
  mirrorArchive(sources: ArchiveSources, destination: ArchiveWriter, options?: MirrorOptions): CopyRun;
  repairArchive(sources: ArchiveSources, destination: ArchiveWriter, options?: RepairOptions): CopyRun;
  estimateMirror(sources: ArchiveSources, options?: MirrorOptions): Promise<CopyEstimate>;
  newHistory(destination: ArchiveWriter, options: NewHistoryOptions): Promise<void>;
  publishCheckpoint(
    sources: ArchiveSources, checkpoint: number, destinations: ArchiveWriter | readonly ArchiveWriter[], options?: ReadOptions,
  ): Promise<PublishSummary>;
  exploreArchive(source: ArchiveSource): ArchiveExplorer;
  repairPlan(report: Report): RepairPlan;
  prometheusText(report: Report): string;
  versions(): Versions;
  networkPresets(): NetworkPreset[];
  quorumSetPresets(): QuorumSetPreset[];
}

/** The exports of the generated module, with the types its generator cannot know. */
interface Exports {
  verify(sources: PlainSource[], options: RunOptions, onEvent: (event: RunEvent) => void, signal: AbortSignal): Promise<Report>;
  downloadCheckpoint(source: PlainSource, checkpoint: number, options: Plain<DownloadOptions>, signal: AbortSignal): Promise<CheckpointData>;
  ledgerProvenance(sources: PlainSource[], ledger: number, options: Plain<ProvenanceOptions>, signal: AbortSignal): Promise<Provenance>;
  archiveStatus(sources: PlainSource[], options: Plain<ReadOptions>, signal: AbortSignal): Promise<ArchiveStatus[]>;
  checkHeader(sources: PlainSource[], options: Plain<HeaderCheckOptions>, signal: AbortSignal): Promise<HeaderCheck>;
  dumpFile(source: PlainSource, path: string, onLine: (json: string) => void, signal: AbortSignal): Promise<{ readonly records: number }>;
  checkpointLog(sources: PlainSource[], options: Plain<LogOptions>, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<LogSummary>;
  verifyCheckpoints(sources: PlainSource[], options: Plain<CheckpointHashesOptions>, signal: AbortSignal): Promise<VerifiedCheckpoints>;
  recentQuorumSets(sources: PlainSource[], options: Plain<QuorumSetsOptions>, signal: AbortSignal): Promise<RecentQuorumSets>;
  compareArchives(
    sources: PlainSource[], options: Plain<CompareOptions>, onEvent: (event: CompareEvent) => void, signal: AbortSignal,
  ): Promise<CompareReport>;
  proveTransaction(sources: PlainSource[], options: Plain<TransactionProofOptions>, signal: AbortSignal): Promise<string>;
  proveEntry(sources: PlainSource[], options: Plain<EntryProofOptions>, signal: AbortSignal): Promise<string>;
  verifyProof(text: string, options: Plain<ProofOptions>): ProofReport;
  mirrorArchive(
    sources: PlainSource[], destination: StagedWriter, options: Plain<MirrorOptions>, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ): Promise<CopyReport>;
  repairArchive(
    sources: PlainSource[], destination: StagedWriter, options: Plain<RepairOptions>, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ): Promise<CopyReport>;
  estimateMirror(sources: PlainSource[], options: Plain<MirrorOptions>, signal: AbortSignal): Promise<CopyEstimate>;
  newHistory(destination: StagedWriter, options: Plain<NewHistoryOptions>, signal: AbortSignal): Promise<void>;
  publishCheckpoint(
    sources: PlainSource[], checkpoint: number, destinations: StagedWriter[], options: Plain<ReadOptions>, signal: AbortSignal,
  ): Promise<PublishSummary>;
  readonly Explorer: new (source: PlainSource) => WasmExplorer;
  repairPlan(report: Report): RepairPlan;
  prometheusText(report: Report): string;
  versions(): Versions;
  networkPresets(): NetworkPreset[];
  quorumSetPresets(): QuorumSetPreset[];
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
  /** How many instances there were before this one. */
  let instance = 0;
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
    instance += 1;
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

  /** Carries out what takes time: once there is an instance, and until that instance is lost. */
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
      throw isTrap(error) ? onTrap(error) : error;
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

  const verify: RunBody = async (sources, options, onEvent, signal) => {
    checkAddresses(sources);
    return guarded('verifyArchive', () => wasm.verify(sources, options, onEvent, signal));
  };

  /** What answers once, and with an error where it was aborted: half an answer would look like a whole one, unless it says that it `isPartial`. */
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

  /** As `ask`, for what also tells line by line. A listener that throws ends it with its own error, outside the WebAssembly. */
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

  type Copy<O> = (
    sources: PlainSource[], destination: StagedWriter, options: Plain<O>, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ) => Promise<CopyReport>;

  function copy<O extends ReadOptions>(
    name: string, body: Copy<O>, sources: ArchiveSources, destination: ArchiveWriter, options: O, known: Readonly<Record<keyof O, true>>,
  ): CopyRun {
    return new CopyRun(async (onEvent, signal) => {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const place = stagedWriter(plainDestination(destination));
      const rest = plainOptions(options, known);
      return guarded(name, () => body(plain, place, rest, onEvent, signal));
    }, options.signal);
  }

  return {
    init,
    verifyArchive: (sources, options = {}) => new Run(verify, sources, options),
    async downloadCheckpoint(source, checkpoint, options = {}) {
      const plain = plainSource(source);
      checkAddresses([plain]);
      const rest = plainOptions(options, DOWNLOAD_OPTIONS);
      const sequence = plainCheckpoint(checkpoint);
      return ask('downloadCheckpoint', options.signal, ({ signal }) => wasm.downloadCheckpoint(plain, sequence, rest, signal));
    },
    async ledgerProvenance(sources, ledger, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, PROVENANCE_OPTIONS);
      const sequence = plainLedger(ledger);
      return ask('ledgerProvenance', options.signal, ({ signal }) => wasm.ledgerProvenance(plain, sequence, rest, signal));
    },
    async archiveStatus(sources, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, READ_OPTIONS);
      return ask('archiveStatus', options.signal, ({ signal }) => wasm.archiveStatus(plain, rest, signal));
    },
    async checkHeader(sources, options) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const { entry, ...said } = plainOptions(options, HEADER_CHECK_OPTIONS);
      const rest = { ...said, ...(entry === undefined ? {} : { entry: plainEntry(entry) }) };
      return ask('checkHeader', options.signal, ({ signal }) => wasm.checkHeader(plain, rest, signal));
    },
    async dumpFile(source, path, onLine, options = {}) {
      const plain = plainSource(source);
      checkAddresses([plain]);
      plainOptions(options, DUMP_OPTIONS);
      return tell('dumpFile', options.signal, onLine, (listener, signal) => wasm.dumpFile(plain, path, listener, signal));
    },
    async checkpointLog(sources, options, onLine) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, LOG_OPTIONS);
      return tell('checkpointLog', options.signal, onLine, (listener, signal) => wasm.checkpointLog(plain, rest, listener, signal));
    },
    async verifyCheckpoints(sources, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, CHECKPOINT_HASHES_OPTIONS);
      return ask('verifyCheckpoints', options.signal, ({ signal }) => wasm.verifyCheckpoints(plain, rest, signal));
    },
    async recentQuorumSets(sources, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, QUORUM_SETS_OPTIONS);
      return ask('recentQuorumSets', options.signal, ({ signal }) => wasm.recentQuorumSets(plain, rest, signal));
    },
    async compareArchives(sources, options = {}, onEvent = () => undefined) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, COMPARE_OPTIONS);
      return tell('compareArchives', options.signal, onEvent, (listener, signal) => wasm.compareArchives(plain, rest, listener, signal), (report) => !report.complete);
    },
    async proveTransaction(sources, options) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, TRANSACTION_PROOF_OPTIONS);
      return ask('proveTransaction', options.signal, ({ signal }) => wasm.proveTransaction(plain, rest, signal));
    },
    async proveEntry(sources, options) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, ENTRY_PROOF_OPTIONS);
      return ask('proveEntry', options.signal, ({ signal }) => wasm.proveEntry(plain, rest, signal));
    },
    async verifyProof(proof, options = {}) {
      const text = typeof proof === 'string' ? proof : new TextDecoder().decode(proof);
      const rest = plainOptions(options, PROOF_OPTIONS);
      return ask('verifyProof', options.signal, async () => wasm.verifyProof(text, rest));
    },
    mirrorArchive: (sources, destination, options = {}) => copy('mirrorArchive', (...all) => wasm.mirrorArchive(...all), sources, destination, options, MIRROR_OPTIONS),
    repairArchive: (sources, destination, options = {}) => copy('repairArchive', (...all) => wasm.repairArchive(...all), sources, destination, options, REPAIR_OPTIONS),
    async estimateMirror(sources, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, MIRROR_OPTIONS);
      return ask('estimateMirror', options.signal, ({ signal }) => wasm.estimateMirror(plain, rest, signal));
    },
    async newHistory(destination, options) {
      const place = stagedWriter(plainDestination(destination));
      const rest = plainOptions(options, NEW_HISTORY_OPTIONS);
      return ask('newHistory', options.signal, ({ signal }) => wasm.newHistory(place, rest, signal));
    },
    async publishCheckpoint(sources, checkpoint, destinations, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const places = plainDestinations(destinations).map(stagedWriter);
      const rest = plainOptions(options, READ_OPTIONS);
      const sequence = plainCheckpoint(checkpoint);
      return ask('publishCheckpoint', options.signal, ({ signal }) => wasm.publishCheckpoint(plain, sequence, places, rest, signal));
    },
    exploreArchive: (source) => explorerOver({
      check() {
        const plain = plainSource(source);
        checkAddresses([plain]);
        return plain;
      },
      open: (plain) => new wasm.Explorer(plain),
      instance: () => instance,
      ask: (name, signal, body) => ask(name, signal, (stop) => body(stop.signal)),
      tell,
    }),
    repairPlan: (report) => call('repairPlan', () => wasm.repairPlan(report)),
    prometheusText: (report) => call('prometheusText', () => wasm.prometheusText(report)),
    versions: () => call('versions', () => wasm.versions()),
    networkPresets: () => call('networkPresets', () => wasm.networkPresets()),
    quorumSetPresets: () => call('quorumSetPresets', () => wasm.quorumSetPresets()),
  };
}
