/**
 * Verification, and what is made of its report: the part of the package that every one of its modules has.
 *
 * Not here: what writes, proves or looks into archives (`engine.ts`), and the life of the instance (`instance.ts`).
 */
import { createInstance } from './instance.ts';
import type { Glue, Host, Instance, WasmInput } from './instance.ts';
import { DOWNLOAD_OPTIONS, HEADER_CHECK_OPTIONS, LOG_OPTIONS, READ_OPTIONS, plainCheckpoint, plainEntry, plainOptions, plainSource, plainSources, threadSource } from './plain.ts';
import type { Plain, PlainSource } from './plain.ts';
import { ArchiveVerifierError } from './errors.ts';
import { Run } from './run.ts';
import type { RunBody, RunOptions } from './run.ts';
import { threadOf } from './thread.ts';
import type { PartExports, PostToOwner } from './thread.ts';
import type { SharedThreads, ToThread } from './threads.ts';
import type {
  ArchiveReader, ArchiveSource, ArchiveSources, ArchiveStatus, CheckpointData, DownloadOptions, HeaderCheck, HeaderCheckOptions, LogLine, LogOptions, LogSummary,
  NetworkPreset, QuorumSetPreset, ReadOptions, RepairPlan, Report, RunEvent, VerifyOptions, Versions,
} from './types.ts';

/** What a verification needs, and what is made of its report. */
export interface VerifyEngine {
  init(input?: WasmInput): Promise<void>;
  verifyArchive(sources: ArchiveSources, options?: VerifyOptions): Run;
  downloadCheckpoint(source: ArchiveSource, checkpoint: number, options?: DownloadOptions): Promise<CheckpointData>;
  archiveStatus(sources: ArchiveSources, options?: ReadOptions): Promise<ArchiveStatus[]>;
  checkHeader(sources: ArchiveSources, options: HeaderCheckOptions): Promise<HeaderCheck>;
  checkpointLog(sources: ArchiveSources, options: LogOptions, onLine: (line: LogLine) => void): Promise<LogSummary>;
  repairPlan(report: Report): RepairPlan;
  prometheusText(report: Report): string;
  versions(): Versions;
  networkPresets(): NetworkPreset[];
  quorumSetPresets(): QuorumSetPreset[];
  wasmMemoryBytes(): number;
  /** The listener of a thread that other threads of this program share their runs with. */
  partListener(openFolder: (path: string) => ArchiveReader, post: PostToOwner): (message: ToThread) => void;
}

/** The exports of every generated module, with the types its generator cannot know. */
export interface VerifyExports extends Glue, PartExports {
  verify(
    sources: PlainSource[], options: RunOptions, onEvent: (event: RunEvent) => void, signal: AbortSignal, threads: SharedThreads | undefined,
  ): Promise<Report>;
  downloadCheckpoint(source: PlainSource, checkpoint: number, options: Plain<DownloadOptions>, signal: AbortSignal): Promise<CheckpointData>;
  archiveStatus(sources: PlainSource[], options: Plain<ReadOptions>, signal: AbortSignal): Promise<ArchiveStatus[]>;
  checkHeader(sources: PlainSource[], options: Plain<HeaderCheckOptions>, signal: AbortSignal): Promise<HeaderCheck>;
  checkpointLog(sources: PlainSource[], options: Plain<LogOptions>, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<LogSummary>;
  repairPlan(report: Report): RepairPlan;
  prometheusText(report: Report): string;
  versions(): Versions;
  networkPresets(): NetworkPreset[];
  quorumSetPresets(): QuorumSetPreset[];
}

/** More than any machine that runs this has a use for. */
const MOST_WORKERS = 64;

export function createVerifyEngine(wasm: VerifyExports, host: Host): VerifyEngine {
  return verifyEngine(wasm, createInstance(wasm, host));
}

/** Over an instance that others call as well. */
export function verifyEngine(wasm: VerifyExports, instance: Instance): VerifyEngine {
  const { ask, call, checkAddresses, guarded, init, tell } = instance;

  const verify: RunBody = async (sources, options, onEvent, signal) => {
    checkAddresses(sources);
    const { workers = 1, ...rest } = options;
    if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
      throw new ArchiveVerifierError('USAGE', `workers must be a whole number from 1 to ${MOST_WORKERS}, not ${String(workers)}`);
    }
    await init();
    const [only, another] = sources;
    // Parts are of one archive, taken from its oldest checkpoint; other runs have this thread alone.
    const source = only === undefined || another !== undefined ? undefined : threadSource(only);
    const alone = source === undefined || workers === 1 || rest.sample !== undefined || rest.order === 'newest-first';
    const others = alone ? undefined : await instance.threads();
    if (alone || others === undefined) {
      return guarded('verifyArchive', () => wasm.verify(sources, rest, onEvent, signal, undefined));
    }
    // Not one of the caller's options: together they ask no more of the archive at once than this thread alone would.
    const own = { ...rest, threads: workers };
    const { resume: _resume, saveState: _saveState, ...shared } = own;
    const threads = others.pool.take(workers - 1, others.module, source, shared, onEvent, signal);
    try {
      return await guarded('verifyArchive', () => wasm.verify(sources, own, (event) => onEvent(threads.also(event)), signal, threads));
    } finally {
      threads.close();
    }
  };

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
    async checkpointLog(sources, options, onLine) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, LOG_OPTIONS);
      return tell('checkpointLog', options.signal, onLine, (listener, signal) => wasm.checkpointLog(plain, rest, listener, signal));
    },
    repairPlan: (report) => call('repairPlan', () => wasm.repairPlan(report)),
    prometheusText: (report) => call('prometheusText', () => wasm.prometheusText(report)),
    versions: () => call('versions', () => wasm.versions()),
    networkPresets: () => call('networkPresets', () => wasm.networkPresets()),
    quorumSetPresets: () => call('quorumSetPresets', () => wasm.quorumSetPresets()),
    wasmMemoryBytes: instance.memoryBytes,
    partListener: (openFolder, post) => threadOf(wasm, instance, openFolder, post),
  };
}
