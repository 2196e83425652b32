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

export interface VerifyOptions {
  /** Ledgers to verify; rounded out to whole checkpoints. Default: everything the archive holds. */
  readonly range?: { readonly low?: number; readonly high?: number };
  /** A known name (`pubnet`, `testnet`, `futurenet`, `standalone`) or a passphrase. Default: what the archive says. */
  readonly network?: string;
  /** Also decode and check what no hash covers: transactions against results, bucket contents. */
  readonly deep?: boolean;
  /** Leave out the optional SCP files. */
  readonly skipOptional?: boolean;
  /** Leave out bucket files (their hashes are still checked against the headers). */
  readonly skipBuckets?: boolean;
  /** Requests in flight at once. Default 16. */
  readonly concurrency?: number;
  /** Tries after the first for faults of the transport. Default 3. */
  readonly maxRetries?: number;
  /** 64, or 8 for networks with accelerated time. Default: 64. */
  readonly checkpointFrequency?: 8 | 64;
  readonly signal?: AbortSignal;
}

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly archive: string;
  readonly path: string;
  readonly checkpoint?: number;
  readonly ledger?: number;
  readonly bucket?: string;
  readonly expected?: string;
  readonly actual?: string;
  /** Offset in the inflated file (for gzip faults: in the compressed one). */
  readonly offset?: number;
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

export interface Report {
  readonly schema: 1;
  readonly verifier: { readonly version: string; readonly xdr: string };
  readonly archives: readonly string[];
  readonly network: { readonly passphrase: string | null; readonly name: string | null };
  readonly range: { readonly low: number; readonly high: number } | null;
  readonly options: { readonly deep: boolean; readonly skipOptional: boolean; readonly skipBuckets: boolean };
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
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly bytes: { readonly compressed: string; readonly inflated: string };
}

export type Stage = 'root' | 'checkpoints' | 'done';

export interface Progress {
  readonly stage: Stage;
  readonly checkpoints: { readonly done: number; readonly total: number };
  readonly buckets: { readonly done: number; readonly total: number };
  /** Decimal strings. */
  readonly bytes: { readonly compressed: string; readonly inflated: string };
  readonly findings: number;
  readonly retries: number;
  readonly elapsedMs: number;
}

export type RunEvent =
  | { readonly type: 'stage'; readonly stage: Stage; readonly range?: { readonly low: number; readonly high: number } }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'checkpoint'; readonly checkpoint: number; readonly status: Readonly<Record<Exclude<FileKind, 'bucket'>, Status>> }
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'retry'; readonly path: string; readonly attempt: number; readonly delayMs: number; readonly reason: string }
  | { readonly type: 'done'; readonly verdict: Verdict };

export type ErrorCode =
  | 'ABORTED' | 'BUDGET' | 'CORS_OR_NETWORK' | 'CRASHED' | 'DISPOSED' | 'FORBIDDEN' | 'HTTP' | 'NETWORK' | 'TIMEOUT'
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
