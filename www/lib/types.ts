/**
 * The public shapes of the package: what goes into a run and what comes out of it.
 *
 * Not here: any behaviour. The Rust side (`src/bindings`, `src/report`) produces these values; 64-bit integers are
 * decimal strings, hashes lowercase hex, ledger sequences and checkpoints plain numbers (they are 32-bit).
 */

/** The file kinds of a history archive; `history` is the HistoryArchiveState JSON. */
export type FileKind = 'history' | 'ledger' | 'transactions' | 'results' | 'scp' | 'bucket';

/** The outcome of one (checkpoint, kind). */
export type Status = 'verified' | 'faulty' | 'unchecked';

export type Verdict = 'verified' | 'faulty' | 'incomplete';

/** `error` makes a verdict faulty; `warning` is reported and does not. */
export type Severity = 'error' | 'warning';

/** What a custom archive returns for one path. `null` means: there is no such file. */
export type ArchiveFile = Uint8Array | ReadableStream<Uint8Array> | null;

/** Any place an archive can be read from: implement `get` and hand it to `verifyArchive`. */
export interface ArchiveReader {
  /** Shown in findings and in the report, for example the folder's path. */
  readonly name: string;
  /** `path` is relative to the archive's root and never starts with `/`. */
  get(path: string, options: { signal: AbortSignal }): Promise<ArchiveFile>;
}

/** The root of an archive: an `http(s)` URL or a reader. */
export type ArchiveSource = string | URL | ArchiveReader;

/** One archive, or several of the same network: a file that one of them has sound is verified. */
export type ArchiveSources = ArchiveSource | readonly ArchiveSource[];

export type Order = 'newest-first' | 'oldest-first';

/** What every function takes that reads archives. */
export interface ReadOptions {
  /** A known name (`pubnet`, `testnet`, `futurenet`, `standalone`) or a passphrase. Default: what the archive says. */
  readonly network?: string;
  /** Requests in flight at once. Default 16. */
  readonly concurrency?: number;
  /** Tries after the first for faults of the transport. Default 3. */
  readonly maxRetries?: number;
  /** A read is given up after so long without a byte. Default: 60,000. */
  readonly timeoutMs?: number;
  /** 64, or 8 for networks with accelerated time. Default: 64. */
  readonly checkpointFrequency?: 8 | 64;
  readonly signal?: AbortSignal;
}

export interface VerifyOptions extends ReadOptions {
  /** Ledgers to verify; rounded out to whole checkpoints. Default: everything the archive holds. */
  readonly range?: { readonly low?: number; readonly high?: number };
  /** The last so many ledgers below the newest, rounded out to whole checkpoints. Not together with `range.low`. */
  readonly last?: number;
  /** Only so many checkpoints, chosen at random; the report says what that guarantees. */
  readonly sample?: number;
  /** 16 hex digits: repeats the sample of the run whose report names them. Default: at random. */
  readonly seed?: string;
  /** Which end of the range is verified first. Default: `oldest-first`. */
  readonly order?: Order;
  /** Also decode and check what no hash covers: transactions against results, bucket contents. */
  readonly deep?: boolean;
  /** Leave out the optional SCP files. */
  readonly skipOptional?: boolean;
  /** Leave out bucket files (their hashes are still checked against the headers). */
  readonly skipBuckets?: boolean;
  /** Emit `state` events, each of which a later run can go on from. */
  readonly saveState?: boolean;
  /** The text of a `state` event: go on from there. It must be of the same archives, options, network and verifier. */
  readonly resume?: string;
}

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  /** The archive to blame. */
  readonly archive: string;
  readonly path: string;
  readonly checkpoint?: number;
  readonly ledger?: number;
  readonly bucket?: string;
  readonly expected?: string;
  readonly actual?: string;
  /** Offset in the inflated file (for gzip faults: in the compressed one). */
  readonly offset?: number;
  /** The same file from that archive is sound: the history is verified, and this archive's copy is not. */
  readonly goodFrom?: string;
  /** One English sentence, no trailing period. */
  readonly message: string;
  readonly advice: string;
  /** Findings that this one explains, by code. */
  readonly consequences?: Readonly<Record<string, number>>;
}

/** Something worth saying that is no fault. */
export interface Note {
  readonly code: string;
  readonly path?: string;
  readonly checkpoint?: number;
  readonly message: string;
}

/** A statement about the whole run, with the reason where it could not be checked. */
export interface Claim {
  readonly claim: 'genesis' | 'network' | 'chain' | 'tip';
  readonly status: Status;
  readonly statement: string;
}

/** Files that could not be looked at (a fault of the way, not of the archive). */
export interface RunError {
  readonly code: string;
  /** The archive that was asked. */
  readonly archive: string;
  readonly path?: string;
  readonly message: string;
  readonly advice: string;
}

export interface Anchor {
  readonly kind: 'genesis';
  readonly ledger: number;
  readonly hash: string;
}

export interface Totals {
  readonly verified: number;
  readonly faulty: number;
  readonly unchecked: number;
}

/** Which checkpoints were drawn, and what that is worth. */
export interface Sample {
  readonly count: number;
  /** Checkpoints in the range. */
  readonly of: number;
  readonly seed: string;
  /** One sentence: how much damage would have been seen, and how surely. */
  readonly guarantee: string;
}

/** What one archive announced, and how it did. */
export interface SourceReport {
  readonly archive: string;
  /** The newest ledger it announced when the run began; `null` where it could not be asked. */
  readonly ledger: number | null;
  /** The newest ledger it announced when the run ended. */
  readonly endLedger: number | null;
  readonly requests: number;
  readonly failures: number;
  readonly throttled: number;
  readonly missing: number;
  /** Files for which it is to blame. */
  readonly faulty: number;
  readonly bytes: string;
}

/** By stellar-core's names where it has them; counts by kind are objects, bytes decimal strings. */
export type Metrics = Readonly<Record<string, number | string | Readonly<Record<string, number>>>>;

export interface Report {
  readonly schema: 1;
  readonly verifier: { readonly version: string; readonly xdr: string };
  readonly archives: readonly string[];
  readonly network: { readonly passphrase: string | null; readonly name: string | null };
  readonly range: { readonly low: number; readonly high: number } | null;
  readonly options: {
    readonly deep: boolean;
    readonly skipOptional: boolean;
    readonly skipBuckets: boolean;
    readonly order: Order;
    readonly sample: Sample | null;
  };
  readonly verdict: Verdict;
  /** One or two sentences: what this verdict proves and what it does not. */
  readonly statement: string;
  readonly sealedThrough: number | null;
  readonly anchors: readonly Anchor[];
  readonly claims: readonly Claim[];
  /** `bucket` counts distinct bucket files; every other kind counts checkpoints. */
  readonly totals: Readonly<Record<FileKind, Totals>>;
  /** Why files were unchecked, with how many. */
  readonly unchecked: readonly { readonly kind: FileKind; readonly reason: string; readonly count: number }[];
  readonly findings: readonly Finding[];
  /** Findings past the kept ones (the list is bounded); 0 almost always. */
  readonly findingsDropped: number;
  readonly errors: readonly RunError[];
  readonly notes: readonly Note[];
  readonly sources: readonly SourceReport[];
  readonly metrics: Metrics;
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly bytes: { readonly compressed: string; readonly inflated: string };
}

export type Stage = 'root' | 'checkpoints' | 'done';

/** The works that a run is made of, by stellar-core's names where it has them. */
export type WorkKind =
  | 'GetHistoryArchiveStateWork' | 'DownloadLedgerHeadersWork' | 'DownloadTransactionsWork' | 'DownloadTxResultsWork'
  | 'DownloadScpHistoryWork' | 'DownloadBucketsWork' | 'VerifyBucketWork' | 'VerifyCheckpointWork' | 'VerifyRangeWork';

/** How many works of a kind are in which state. */
export interface WorkCounts {
  readonly pending: number;
  readonly blocked: number;
  readonly running: number;
  readonly waiting: number;
  readonly retrying: number;
  readonly success: number;
  readonly failure: number;
  readonly aborted: number;
}

/** `resting`: after failures or at its own wish it is left alone for a while. */
export type Standing = 'good' | 'resting' | 'unreachable';

export interface ArchiveProgress {
  readonly name: string;
  readonly requests: number;
  readonly failures: number;
  readonly throttled: number;
  readonly faulty: number;
  readonly bytes: string;
  readonly standing: Standing;
}

export interface Progress {
  readonly stage: Stage;
  readonly checkpoints: { readonly done: number; readonly total: number };
  readonly buckets: { readonly done: number; readonly total: number };
  /** Decimal strings. */
  readonly bytes: { readonly compressed: string; readonly inflated: string };
  readonly findings: number;
  readonly retries: number;
  readonly elapsedMs: number;
  readonly works: Readonly<Record<WorkKind, WorkCounts>>;
  readonly archives: readonly ArchiveProgress[];
}

export type RunEvent =
  | { readonly type: 'stage'; readonly stage: Stage; readonly range?: { readonly low: number; readonly high: number } }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'checkpoint'; readonly checkpoint: number; readonly status: Readonly<Record<Exclude<FileKind, 'bucket'>, Status>> }
  | { readonly type: 'finding'; readonly finding: Finding }
  /** Only with `saveState`: hand the text back as `resume`. Of no use once the run has come to its end by itself. */
  | { readonly type: 'state'; readonly state: string }
  | { readonly type: 'retry'; readonly archive: string; readonly path: string; readonly attempt: number; readonly delayMs: number; readonly reason: string }
  | { readonly type: 'done'; readonly verdict: Verdict };

export type ErrorCode =
  | 'ABORTED' | 'BUDGET' | 'CORS_OR_NETWORK' | 'CRASHED' | 'DISPOSED' | 'FAULTY' | 'FORBIDDEN' | 'HTTP' | 'NETWORK' | 'TIMEOUT'
  | 'UNSUPPORTED' | 'USAGE' | 'USED_BEFORE_INIT';

export interface NetworkPreset {
  readonly name: string;
  readonly passphrase: string;
  readonly archives: readonly { readonly organisation: string; readonly name: string; readonly url: string }[];
}

export interface Versions {
  readonly version: string;
  readonly xdr: string;
}

/** A run that is under way. Iterate it for events; await `report` for the result. */
export interface VerifyRun extends AsyncIterable<RunEvent> {
  /** Resolves even when there are findings, and with a partial report (verdict `incomplete`) after an abort. */
  readonly report: Promise<Report>;
  abort(reason?: unknown): void;
}

export interface DownloadOptions extends ReadOptions {
  /** Also the buckets that the checkpoint's state names: much memory on public networks. */
  readonly buckets?: boolean;
}

/** One checkpoint, verified; each item is the exact XDR of one record. */
export interface CheckpointData {
  readonly checkpoint: number;
  /** The network's passphrase, where it is known. */
  readonly network: string | null;
  /** The HistoryArchiveState as the archive wrote it. */
  readonly state: Readonly<Record<string, unknown>>;
  readonly headers: readonly Uint8Array[];
  readonly transactions: readonly Uint8Array[];
  readonly results: readonly Uint8Array[];
  readonly scp: readonly Uint8Array[];
  /** By hash, in hex; empty unless asked for. */
  readonly buckets: ReadonlyMap<string, Uint8Array>;
}

/** What an archive says of itself. */
export interface ArchiveStatus {
  readonly archive: string;
  readonly ledger: number | null;
  readonly checkpoint: number | null;
  /** Unix seconds. */
  readonly closeTime: string | null;
  readonly server: string | null;
  /** The passphrase. */
  readonly network: string | null;
  readonly networkName: string | null;
  readonly protocol: number | null;
  readonly bucketListHash: string | null;
  /** What kept us from reading it. */
  readonly error: { readonly code: string; readonly message: string; readonly advice: string } | null;
  readonly findings: readonly Finding[];
}

export interface HeaderCheckOptions extends ReadOptions {
  readonly ledger: number;
  /** The hash that the header must have, in hex. Not together with `entry`. */
  readonly hash?: string;
  /** The LedgerHeaderHistoryEntry that it must be: its XDR, also in base64. */
  readonly entry?: string | Uint8Array;
}

/** One ledger header, compared between archives and with what is known of it. */
export interface HeaderCheck {
  readonly ledger: number;
  /** What the archives are compared with, and where it is from; `null` if no archive has the header. */
  readonly expected: { readonly hash: string; readonly from: string } | null;
  readonly checks: readonly {
    readonly archive: string;
    readonly status: 'match' | 'differs' | 'missing' | 'unreadable';
    readonly hash: string | null;
    readonly message: string;
    readonly advice: string | null;
  }[];
  readonly metrics: Metrics;
}

export interface DumpOptions {
  readonly signal?: AbortSignal;
}

export interface LogOptions extends ReadOptions {
  readonly range?: { readonly low?: number; readonly high?: number };
  readonly last?: number;
  /** Default: `newest-first`. */
  readonly order?: Order;
}

/** One checkpoint by its last header. */
export interface LogLine {
  readonly checkpoint: number;
  /** The first and the last of its ledgers. */
  readonly first: number;
  readonly last: number;
  readonly hash: string | null;
  /** Unix seconds. */
  readonly closeTime: string | null;
  readonly protocol: number | null;
  readonly baseFee: number | null;
  readonly status: Status;
  readonly message?: string;
}

export interface LogSummary {
  readonly checkpoints: number;
  readonly findings: readonly Finding[];
  /** What could not be looked at; where another archive had it, its line is there all the same. */
  readonly errors: readonly RunError[];
  /** Where the log begins and ends otherwise than was asked for. */
  readonly notes: readonly Note[];
}
