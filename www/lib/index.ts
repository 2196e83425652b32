/**
 * The package's entry for browsers and bundlers: verify Stellar history archives on this thread, or in a worker.
 *
 * Not here: the work (Rust, compiled to WebAssembly), and anything that happens at import: nothing is loaded before
 * `init()` or the first `verifyArchive()`. In a page prefer `verifyInWorker`, which leaves the page's thread free.
 *
 * @example
 * const run = verifyArchive('https://history.stellar.org/prd/core-testnet/core_testnet_001', { range: { low: 1, high: 127 } });
 * for await (const event of run) if (event.type === 'finding') show(event.finding);
 * const report = await run.report; // resolves also when there are findings
 */
import type { AuditOptions, AuditPart, AuditState, AuditTask } from './audit-types.ts';
import type { WasmInput } from './instance.ts';
import type { ArchiveExplorer } from './explore-types.ts';
import type { CopyRun, Run } from './run.ts';
import type {
  ArchiveSource, ArchiveSources, ArchiveStatus, ArchiveWriter, CheckpointData, CheckpointHashesOptions, CompareEvent, CompareOptions,
  CompareReport, CopyEstimate, DownloadOptions, DumpOptions, EntryProofOptions, EstimateOptions, HeaderCheck, HeaderCheckOptions, LogLine, LogOptions, LogSummary,
  MirrorOptions, NetworkPreset, NewHistoryOptions, ProofOptions, ProofReport, Provenance, ProvenanceOptions, PublishSummary, QuorumSetPreset,
  QuorumSetsOptions, ReadOptions, RecentQuorumSets, RepairOptions, RepairPlan, Report, TransactionProofOptions, VerifiedCheckpoints,
  VerifyOptions, Versions,
} from './types.ts';
import { engine } from './web-engine.ts';

export { directoryReader, directoryWriter } from './elsewhere.ts';
export * from './everywhere.ts';
export { presignedWriter } from './writers/presigned.ts';
export { webdavWriter } from './writers/webdav.ts';

/**
 * Loads the WebAssembly. Call it as often as you like: it loads once, and tries again only after a failure.
 * Without an argument it takes `stellar_archive_verifier_bg.wasm` beside this script.
 */
export function init(input?: WasmInput): Promise<void> {
  return engine.init(input);
}

/** Starts a verification of one archive or of several of the same network, and returns at once; awaits `init()` itself. */
export function verifyArchive(sources: ArchiveSources, options: VerifyOptions = {}): Run {
  return engine.verifyArchive(sources, options);
}

/**
 * Downloads the files of one checkpoint, named by any of its ledgers, and verifies them: what comes back can be relied on as far as the checkpoint's own
 * headers can. Rejects with `FAULTY` where a file is not what it should be, and says which and why.
 */
export function downloadCheckpoint(source: ArchiveSource, checkpoint: number, options: DownloadOptions = {}): Promise<CheckpointData> {
  return engine.downloadCheckpoint(source, checkpoint, options);
}

/** Who made one ledger: who proposed it, what each validator said, and whether those who are believed agreed. */
export function ledgerProvenance(sources: ArchiveSources, ledger: number, options: ProvenanceOptions = {}): Promise<Provenance> {
  return engine.ledgerProvenance(sources, ledger, options);
}

/** What each archive says of itself: its newest checkpoint, server and network. An archive that cannot be read is an answer with `error`. */
export function archiveStatus(sources: ArchiveSources, options: ReadOptions = {}): Promise<ArchiveStatus[]> {
  return engine.archiveStatus(sources, options);
}

/** Compares one ledger's header between archives, and with a hash or an entry that is known from elsewhere. */
export function checkHeader(sources: ArchiveSources, options: HeaderCheckOptions): Promise<HeaderCheck> {
  return engine.checkHeader(sources, options);
}

/**
 * Decodes a file of an archive: one JSON text for each record, 64-bit integers as strings. `path` is relative to the
 * archive's root. An exception of `onLine` ends it and comes out again.
 */
export function dumpFile(
  source: ArchiveSource, path: string, onLine: (json: string) => void, options: DumpOptions = {},
): Promise<{ readonly records: number }> {
  return engine.dumpFile(source, path, onLine, options);
}

/** Tells one line a checkpoint, in order, each verified on its own. An exception of `onLine` ends it and comes out again. */
export function checkpointLog(sources: ArchiveSources, options: LogOptions, onLine: (line: LogLine) => void): Promise<LogSummary> {
  return engine.checkpointLog(sources, options, onLine);
}

/**
 * Verifies the hashes of checkpoints from a trusted end down, for the file that stellar-core's verify-checkpoints writes. Rejects with
 * `UNANCHORED` where nobody who is believed vouches for the end, with `FAULTY` where no archive has the chain sound.
 */
export function verifyCheckpoints(sources: ArchiveSources, options: CheckpointHashesOptions = {}): Promise<VerifiedCheckpoints> {
  return engine.verifyCheckpoints(sources, options);
}

/** Who went by which quorum set in the last checkpoints, by the messages that the archive keeps. */
export function recentQuorumSets(sources: ArchiveSources, options: QuorumSetsOptions = {}): Promise<RecentQuorumSets> {
  return engine.recentQuorumSets(sources, options);
}

/**
 * Holds archives against each other and against what is sealed. Resolves also after an abort, with what was compared until then (`complete` is
 * false). An exception of `onEvent` ends it and comes out again.
 */
export function compareArchives(
  sources: ArchiveSources, options: CompareOptions = {}, onEvent?: (event: CompareEvent) => void,
): Promise<CompareReport> {
  return engine.compareArchives(sources, options, onEvent);
}

/** Makes a proof of one transaction: the text of a file that `verifyProof` checks without any archive. */
export function proveTransaction(sources: ArchiveSources, options: TransactionProofOptions): Promise<string> {
  return engine.proveTransaction(sources, options);
}

/** Makes a proof of one ledger entry as it was after a checkpoint. Reads its buckets. */
export function proveEntry(sources: ArchiveSources, options: EntryProofOptions): Promise<string> {
  return engine.proveEntry(sources, options);
}

/** Checks a proof by itself, without a network. A proof that is wrong, or is none, is an answer with its reason. */
export function verifyProof(proof: string | Uint8Array, options: ProofOptions = {}): Promise<ProofReport> {
  return engine.verifyProof(proof, options);
}

/**
 * Copies an archive, or what of several copies of one history is sound, to `destination`: every file is verified before it is visible there, and
 * `.well-known` is written last. What is there and sound is kept, so that an interrupted mirror is gone on with by starting it again.
 */
export function mirrorArchive(sources: ArchiveSources, destination: ArchiveWriter, options: MirrorOptions = {}): CopyRun {
  return engine.mirrorArchive(sources, destination, options);
}

/** Replaces what of `destination` is missing or faulty by what the sources have sound. */
export function repairArchive(sources: ArchiveSources, destination: ArchiveWriter, options: RepairOptions = {}): CopyRun {
  return engine.repairArchive(sources, destination, options);
}

/** What a mirror would take, by what a few checkpoints and the newest buckets take. Nothing is written. */
export function estimateMirror(sources: ArchiveSources, options: EstimateOptions = {}): Promise<CopyEstimate> {
  return engine.estimateMirror(sources, options);
}

/** Makes the archive of a network that has no ledgers yet, as stellar-core's new-hist does. Rejects with `USAGE` where there is one. */
export function newHistory(destination: ArchiveWriter, options: NewHistoryOptions): Promise<void> {
  return engine.newHistory(destination, options);
}

/** Writes the files of one checkpoint, verified, and then the newest state, to each of the destinations. */
export function publishCheckpoint(
  sources: ArchiveSources, checkpoint: number, destinations: ArchiveWriter | readonly ArchiveWriter[], options: ReadOptions = {},
): Promise<PublishSummary> {
  return engine.publishCheckpoint(sources, checkpoint, destinations, options);
}

/** Begins an audit in parts: reads the archive's newest state and finds the range. */
export function beginAudit(source: ArchiveSource, options: AuditOptions = {}): Promise<AuditState> {
  return engine.beginAudit(source, options);
}

/**
 * Verifies one part of an audit, anywhere and in any order. `begun` is the state of `beginAudit`. Rejects with `NETWORK` where the archive cannot be reached
 * any more; single files that cannot be read are counted in `unreadable`.
 */
export function verifyAuditPart(source: ArchiveSource, task: AuditTask, begun: Uint8Array, options: AuditOptions = {}): Promise<AuditPart> {
  return engine.verifyAuditPart(source, task, begun, options);
}

/**
 * Adds parts to what was joined: those of places in their order, the first at the place `joined`, those of buckets anywhere. What does not fit is refused
 * with `USAGE`, and changes nothing; a part of buckets that was joined before counts once. Needs `init()`.
 */
export function joinAuditParts(state: Uint8Array, parts: readonly Uint8Array[], options: AuditOptions = {}): AuditState {
  return engine.joinAuditParts(state, parts, options);
}

/** The part of a task that nobody can do, because whoever takes it comes to grief: the report says that its files were not looked at, and `why`. Needs `init()`. */
export function giveUpAuditPart(task: AuditTask, begun: Uint8Array, why: string, options: AuditOptions = {}): AuditPart {
  return engine.giveUpAuditPart(task, begun, why, options);
}

/** The report of an audit whose parts are joined: that of `verifyArchive` over the same range, but for times. */
export function finishAudit(source: ArchiveSource, state: Uint8Array, options: AuditOptions = {}): Promise<Report> {
  return engine.finishAudit(source, state, options);
}

/**
 * One archive, to look into: checkpoints, ledgers, transactions, buckets, each value beside what it was checked against. Nothing is read
 * before the first call; what was read last is kept until `close()`.
 */
export function exploreArchive(source: ArchiveSource): ArchiveExplorer {
  return engine.exploreArchive(source);
}

/** What a verification found, as a plan of what is to be mended, in stellar-archivist's form. Needs `await init()` first. */
export function repairPlan(report: Report): RepairPlan {
  return engine.repairPlan(report);
}

/** The numbers of a report in the text format of Prometheus. Needs `await init()` first. */
export function prometheusText(report: Report): string {
  return engine.prometheusText(report);
}

/** The versions of this verifier and of the XDR definitions it knows. Needs `await init()` first. */
export function versions(): Versions {
  return engine.versions();
}

/** The networks this verifier knows by name, with their public archives. Needs `await init()` first. */
export function networkPresets(): NetworkPreset[] {
  return engine.networkPresets();
}

/** The quorum sets that people know; the first of a network is what is believed there by default. Needs `await init()` first. */
export function quorumSetPresets(): QuorumSetPreset[] {
  return engine.quorumSetPresets();
}

/** The size of the WebAssembly memory, which only ever grows: the peak so far. 0 before `init()`. */
export function wasmMemoryBytes(): number {
  return engine.wasmMemoryBytes();
}
