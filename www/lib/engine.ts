/**
 * Everything that the WebAssembly can be asked: what callers write goes in as plain data, what it answers comes out typed.
 *
 * Not here: the life of the instance (`instance.ts`) and where its `.wasm` comes from (each host says).
 */
import * as glue from '../../target/pkg/stellar_archive_verifier.js';
import { auditOver } from './audit.ts';
import type { AuditEngine, AuditExports } from './audit.ts';
import { explorerOver } from './explore.ts';
import type { WasmExplorer } from './explore.ts';
import type { ArchiveExplorer } from './explore-types.ts';
import { createInstance } from './instance.ts';
import type { Host } from './instance.ts';
import {
  CHECKPOINT_HASHES_OPTIONS, COMPARE_OPTIONS, DUMP_OPTIONS, ENTRY_PROOF_OPTIONS, ESTIMATE_OPTIONS, MIRROR_OPTIONS, NEW_HISTORY_OPTIONS, PROOF_OPTIONS,
  PROVENANCE_OPTIONS, QUORUM_SETS_OPTIONS, READ_OPTIONS, REPAIR_OPTIONS, TRANSACTION_PROOF_OPTIONS, plainCheckpoint, plainDestination,
  plainDestinations, plainLedger, plainOptions, plainSource, plainSources,
} from './plain.ts';
import type { Plain, PlainSource } from './plain.ts';
import { CopyRun } from './run.ts';
import type {
  ArchiveSource, ArchiveSources, ArchiveWriter, CheckpointHashesOptions, CompareEvent, CompareOptions, CompareReport, CopyEstimate,
  CopyReport, DumpOptions, EntryProofOptions, EstimateOptions, MirrorOptions, NewHistoryOptions, ProofOptions, ProofReport, Provenance, ProvenanceOptions,
  PublishSummary, QuorumSetsOptions, ReadOptions, RecentQuorumSets, RepairOptions, RunEvent, TransactionProofOptions,
  VerifiedCheckpoints,
} from './types.ts';
import { verifyEngine } from './verify-engine.ts';
import type { VerifyEngine, VerifyExports } from './verify-engine.ts';
import { stagedWriter } from './writers/staged.ts';
import type { StagedWriter } from './writers/staged.ts';

export interface Engine extends AuditEngine, VerifyEngine {
  ledgerProvenance(sources: ArchiveSources, ledger: number, options?: ProvenanceOptions): Promise<Provenance>;
  dumpFile(source: ArchiveSource, path: string, onLine: (json: string) => void, options?: DumpOptions): Promise<{ readonly records: number }>;
  verifyCheckpoints(sources: ArchiveSources, options?: CheckpointHashesOptions): Promise<VerifiedCheckpoints>;
  recentQuorumSets(sources: ArchiveSources, options?: QuorumSetsOptions): Promise<RecentQuorumSets>;
  compareArchives(sources: ArchiveSources, options?: CompareOptions, onEvent?: (event: CompareEvent) => void): Promise<CompareReport>;
  proveTransaction(sources: ArchiveSources, options: TransactionProofOptions): Promise<string>;
  proveEntry(sources: ArchiveSources, options: EntryProofOptions): Promise<string>;
  verifyProof(proof: string | Uint8Array, options?: ProofOptions): Promise<ProofReport>;
  mirrorArchive(sources: ArchiveSources, destination: ArchiveWriter, options?: MirrorOptions): CopyRun;
  repairArchive(sources: ArchiveSources, destination: ArchiveWriter, options?: RepairOptions): CopyRun;
  estimateMirror(sources: ArchiveSources, options?: EstimateOptions): Promise<CopyEstimate>;
  newHistory(destination: ArchiveWriter, options: NewHistoryOptions): Promise<void>;
  publishCheckpoint(
    sources: ArchiveSources, checkpoint: number, destinations: ArchiveWriter | readonly ArchiveWriter[], options?: ReadOptions,
  ): Promise<PublishSummary>;
  exploreArchive(source: ArchiveSource): ArchiveExplorer;
}

/** The exports of the whole module, with the types its generator cannot know. */
interface Exports extends AuditExports, VerifyExports {
  ledgerProvenance(sources: PlainSource[], ledger: number, options: Plain<ProvenanceOptions>, signal: AbortSignal): Promise<Provenance>;
  dumpFile(source: PlainSource, path: string, onLine: (json: string) => void, signal: AbortSignal): Promise<{ readonly records: number }>;
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
  estimateMirror(sources: PlainSource[], options: Plain<EstimateOptions>, signal: AbortSignal): Promise<CopyEstimate>;
  newHistory(destination: StagedWriter, options: Plain<NewHistoryOptions>, signal: AbortSignal): Promise<void>;
  publishCheckpoint(
    sources: PlainSource[], checkpoint: number, destinations: StagedWriter[], options: Plain<ReadOptions>, signal: AbortSignal,
  ): Promise<PublishSummary>;
  readonly Explorer: new (source: PlainSource) => WasmExplorer;
}

const wasm: Exports = glue;

/** All of it, on `host`. */
export function createEngine(host: Host): Engine {
  const instance = createInstance(wasm, host);
  const { ask, checkAddresses, guarded, tell } = instance;

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
    ...verifyEngine(wasm, instance),
    ...auditOver(wasm, instance),
    async ledgerProvenance(sources, ledger, options = {}) {
      const plain = plainSources(sources);
      checkAddresses(plain);
      const rest = plainOptions(options, PROVENANCE_OPTIONS);
      const sequence = plainLedger(ledger);
      return ask('ledgerProvenance', options.signal, ({ signal }) => wasm.ledgerProvenance(plain, sequence, rest, signal));
    },
    async dumpFile(source, path, onLine, options = {}) {
      const plain = plainSource(source);
      checkAddresses([plain]);
      plainOptions(options, DUMP_OPTIONS);
      return tell('dumpFile', options.signal, onLine, (listener, signal) => wasm.dumpFile(plain, path, listener, signal));
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
      const rest = plainOptions(options, ESTIMATE_OPTIONS);
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
      instance: instance.number,
      ask: (name, signal, body) => ask(name, signal, (stop) => body(stop.signal)),
      tell,
    }),
  };
}
