/**
 * From what callers write to what the verifier takes: archives as addresses or readers, options as plain data.
 *
 * Not here: what the options mean. Only what nobody can mean is refused: no archive at all, two of one name, an option
 * that does not exist.
 */
import { ArchiveVerifierError } from './errors.ts';
import type { AuditOptions } from './audit-types.ts';
import type { ThreadSource } from './threads.ts';
import type {
  ArchiveReader, ArchiveSource, ArchiveSources, ArchiveWriter, CheckpointHashesOptions, CompareOptions, CopyOptions, DownloadOptions, DumpOptions,
  EntryProofOptions, EstimateOptions, HeaderCheckOptions, LogOptions, MirrorOptions, NewHistoryOptions, ProofOptions, ProvenanceOptions, QuorumSetsOptions, ReadOptions, RepairOptions,
  TransactionProofOptions, VerifyOptions,
} from './types.ts';

/** An archive as the WebAssembly takes it. */
export type PlainSource = string | ArchiveReader;

/** The options that are data; the signal goes its own way. */
export type Plain<T> = Omit<T, 'signal'>;

function usage(message: string, advice: string): ArchiveVerifierError {
  return new ArchiveVerifierError('USAGE', message, { advice });
}

export function plainSource(source: ArchiveSource): PlainSource {
  if (typeof source === 'string') return source;
  if (source instanceof URL) return source.href;
  if (typeof source === 'object' && source !== null && typeof source.get === 'function') return source;
  throw usage(
    'the archive is neither a URL nor an object with a `get` function',
    'Pass the archive\'s root as a URL, or an ArchiveReader; in Node, directoryReader(path) makes one of a folder.',
  );
}

/** Set on a reader that other threads can open by themselves. */
export const FOLDER = Symbol.for('stellar-archive-verifier.folder');

/** The archive as other threads can open it. Not a reader of the caller's: it would be asked through this thread, which is busy. */
export function threadSource(source: PlainSource): ThreadSource | undefined {
  if (typeof source === 'string') return { url: source };
  const folder: unknown = Reflect.get(source, FOLDER);
  return typeof folder === 'string' ? { folder } : undefined;
}

/** The name that findings are told apart by. */
function nameOf(source: PlainSource): string {
  return typeof source === 'string' ? source.trim().replace(/\/+$/, '') : String(source.name);
}

export function plainSources(sources: ArchiveSources): PlainSource[] {
  // `Array.isArray` does not narrow readonly arrays.
  const list: readonly ArchiveSource[] = Array.isArray(sources) ? sources : [sources as ArchiveSource];
  if (list.length === 0) throw usage('there is no archive in the list', "Pass at least one: the URL of the archive's root, or an ArchiveReader.");
  const plain = list.map(plainSource);
  const names = plain.map(nameOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw usage(`two archives are called ${JSON.stringify(twice)}`, 'Name each archive once; give readers names of their own, so that findings can say whose they are.');
  }
  return plain;
}

export function plainDestination(destination: ArchiveWriter): ArchiveWriter {
  if (typeof destination === 'object' && destination !== null && typeof destination.put === 'function' && typeof destination.exists === 'function') return destination;
  throw usage('the destination has no `put` and `exists` functions', 'Pass an ArchiveWriter; in Node, directoryWriter(path) makes one of a folder.');
}

/** Places of one name would be one line of the summary, and the same place would be written twice at once. */
export function plainDestinations(destinations: ArchiveWriter | readonly ArchiveWriter[]): ArchiveWriter[] {
  const list: readonly ArchiveWriter[] = Array.isArray(destinations) ? destinations : [destinations as ArchiveWriter];
  if (list.length === 0) throw usage('there is no destination in the list', 'Pass at least one ArchiveWriter.');
  const plain = list.map(plainDestination);
  const twice = plain.find(({ name }, index) => plain.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw usage(`two destinations are called ${JSON.stringify(twice.name)}`, 'Name each place once.');
  return plain;
}

/** Ledger sequences are 32-bit; WebAssembly would take whatever else is given modulo 2^32. */
function plainSequence(sequence: number, what: string, advice: string): number {
  if (Number.isInteger(sequence) && sequence >= 1 && sequence <= 0xffff_ffff) return sequence;
  throw usage(`the ${what} must be a whole number from 1 to ${0xffff_ffff}, not ${String(sequence)}`, advice);
}

export function plainCheckpoint(checkpoint: number): number {
  return plainSequence(checkpoint, 'checkpoint', 'It is the sequence of its last ledger: 63, 127, 191 and so on.');
}

export function plainLedger(ledger: number): number {
  return plainSequence(ledger, 'ledger', 'The first ledger is 1.');
}

/** A place in a list, or a number of its entries. */
export function plainPlace(place: number, what: string): number {
  if (Number.isInteger(place) && place >= 0 && place <= 0xffff_ffff) return place;
  throw usage(`the ${what} must be a whole number from 0 to ${0xffff_ffff}, not ${String(place)}`, 'Places are counted from 0.');
}

/** The bytes of an entry, which may be given in base64. */
export function plainEntry(entry: string | Uint8Array): Uint8Array {
  if (entry instanceof Uint8Array) return entry;
  try {
    return Uint8Array.from(atob(entry), (char) => char.charCodeAt(0));
  } catch {
    throw usage('the entry is neither bytes nor base64', 'Pass the XDR of a LedgerHeaderHistoryEntry, or that in base64.');
  }
}

/** The compiler keeps them complete. A misspelt option that is silently ignored would be a check that is silently left out. */
type Known<T> = Readonly<Record<keyof T, true>>;

export const READ_OPTIONS: Known<ReadOptions> = {
  checkpointFrequency: true, concurrency: true, maxRetries: true, network: true, signal: true, timeoutMs: true,
};
export const VERIFY_OPTIONS: Known<VerifyOptions> = {
  ...READ_OPTIONS, deep: true, last: true, order: true, range: true, resume: true, sample: true, saveState: true, seed: true,
  skipBuckets: true, skipOptional: true, trust: true, workers: true,
};
export const AUDIT_OPTIONS: Known<AuditOptions> = { ...READ_OPTIONS, deep: true, range: true, skipBuckets: true, skipOptional: true, trust: true };
const COPY_OPTIONS: Known<CopyOptions> = { ...READ_OPTIONS, bandwidthLimit: true, range: true, readBack: true, skipOptional: true, trust: true };
export const MIRROR_OPTIONS: Known<MirrorOptions> = { ...COPY_OPTIONS, allowGaps: true, overwrite: true };
export const ESTIMATE_OPTIONS: Known<EstimateOptions> = { ...MIRROR_OPTIONS, sample: true };
export const REPAIR_OPTIONS: Known<RepairOptions> = { ...COPY_OPTIONS, dryRun: true, plan: true };
export const NEW_HISTORY_OPTIONS: Known<NewHistoryOptions> = { network: true, signal: true };
export const DOWNLOAD_OPTIONS: Known<DownloadOptions> = { ...READ_OPTIONS, buckets: true };
export const HEADER_CHECK_OPTIONS: Known<HeaderCheckOptions> = { ...READ_OPTIONS, entry: true, hash: true, ledger: true };
export const DUMP_OPTIONS: Known<DumpOptions> = { signal: true };
export const LOG_OPTIONS: Known<LogOptions> = { ...READ_OPTIONS, last: true, order: true, range: true };
export const CHECKPOINT_HASHES_OPTIONS: Known<CheckpointHashesOptions> = {
  ...READ_OPTIONS, fromLedger: true, historyHash: true, historyLedger: true, trust: true, trustedHashes: true,
};
export const PROVENANCE_OPTIONS: Known<ProvenanceOptions> = { ...READ_OPTIONS, trust: true };
export const QUORUM_SETS_OPTIONS: Known<QuorumSetsOptions> = { ...READ_OPTIONS, high: true, last: true };
export const COMPARE_OPTIONS: Known<CompareOptions> = { ...READ_OPTIONS, last: true, range: true, trust: true };
export const TRANSACTION_PROOF_OPTIONS: Known<TransactionProofOptions> = {
  ...READ_OPTIONS, hash: true, index: true, ledger: true, range: true, trust: true,
};
export const ENTRY_PROOF_OPTIONS: Known<EntryProofOptions> = { ...READ_OPTIONS, checkpoint: true, key: true, maxBucketBytes: true, trust: true };
export const PROOF_OPTIONS: Known<ProofOptions> = { network: true, signal: true, trust: true };

/** Leaves out `signal` and whatever is undefined, so that the other side sees only what was said. */
export function plainOptions<T extends { readonly signal?: AbortSignal }>(options: T, known: Known<T>): Plain<T> {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(known, key));
  if (unknown !== undefined) throw usage(`there is no option ${JSON.stringify(unknown)}`, `The options are ${Object.keys(known).join(', ')}.`);
  const said = Object.entries(options).filter(([key, value]) => key !== 'signal' && value !== undefined);
  return Object.fromEntries(said) as unknown as Plain<T>;
}
