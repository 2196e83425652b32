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

/**
 * Where an archive is written. Only `put` and `exists` are needed.
 *
 * Errors may carry `code` (ENOSPC, EACCES, EPERM, EROFS), `name` (QuotaExceededError, NotAllowedError) or `status` (an HTTP status), and
 * `retryAfterMs`. Everything else is an I/O error. 408, 429, 5xx and network failures (code NETWORK) are tried again.
 */
export interface ArchiveWriter {
  /** Shown in reports, for example the folder's path. */
  readonly name: string;
  /** Writes a file, all of it or nothing; an earlier one is replaced. `path` is relative to the archive's root. */
  put(path: string, content: Uint8Array, options: { signal: AbortSignal }): Promise<void>;
  exists(path: string, options: { signal: AbortSignal }): Promise<boolean>;
  /** Begins a large file, of which nothing is visible before `commit`. Without it, files are gathered in memory and handed to `put`. */
  stage?(path: string, options: { signal: AbortSignal }): Promise<StagedFile>;
  /** What is there already, as `ArchiveReader.get`: makes runs differential and resumable. Without it everything is written again. */
  get?(path: string, options: { signal: AbortSignal }): Promise<ArchiveFile>;
  /** Makes a folder (`ledger/00/00/00`) where the place wants that before files are put; called once a folder. */
  makeDir?(path: string, options: { signal: AbortSignal }): Promise<void>;
}

/** A file that is being written. Its calls follow each other, each once the one before has come to its end. */
export interface StagedFile {
  /** The chunk is the caller's again once this is done. */
  write(chunk: Uint8Array): Promise<void>;
  /** The file is whole and verified: it becomes visible, durably, in place of an earlier one. */
  commit(): Promise<void>;
  /** It is not wanted: leaves nothing behind. Never rejects. */
  abort(): Promise<void>;
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
  /** Requests in flight at once, neither more nor fewer. Default: 16, and up to 64 as long as more bring more; 6 in edge workers. */
  readonly concurrency?: number;
  /** Tries after the first for faults of the transport. Default 3. */
  readonly maxRetries?: number;
  /** A read is given up after so long without a byte. Default: 60,000. */
  readonly timeoutMs?: number;
  /** 64, or 8 for networks with accelerated time. Default: 64. */
  readonly checkpointFrequency?: 8 | 64;
  readonly signal?: AbortSignal;
}

/** So many of its members, some of which may be sets themselves. */
export interface QuorumSet {
  readonly threshold: number;
  /** Public keys, `G…`. */
  readonly validators: readonly string[];
  readonly innerSets: readonly QuorumSet[];
}

/** Whose word counts. Without it: that of the network's preset, where it has one. */
export interface TrustOptions {
  /** The validators that are believed: the name of a preset (see `quorumSetPresets`), the set itself, or `none`. */
  readonly quorumSet?: string | QuorumSet;
  /** Hashes of ledger headers that are trusted, each as `LEDGER:HASH`. */
  readonly hashes?: readonly string[];
  /** The text of a file of trusted hashes, as `verifyCheckpoints` and stellar-core's verify-checkpoints write it. */
  readonly checkpointHashes?: string;
  /** Verify every signature of the range, not only those that seal its end. */
  readonly allSignatures?: boolean;
}

export interface VerifyOptions extends ReadOptions {
  /** Whose word counts. */
  readonly trust?: TrustOptions;
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
  /**
   * Threads that verify, this one included, each with an instance of its own. Default 1. In Node, and in a worker of a page; elsewhere, for
   * several archives, readers of your own, a sample or another order, and for fewer than 16 checkpoints, this thread works alone. The report is the same.
   */
  readonly workers?: number;
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

export interface LedgerRange {
  readonly low: number;
  readonly high: number;
}

/** How much signatures say: that a commit was accepted, or only that it was voted for. */
export type Strength = 'accepted-commit' | 'commit-vote';

/** The signatures over one ledger that are believed. */
export interface Seal {
  /** The highest ledger that is sealed, and the hash of its header. */
  readonly ledger: number;
  readonly hash: string;
  /** The ledger whose value was signed: the one after. */
  readonly signed: number;
  readonly strength: Strength;
  /** The validators of the believed quorum set that signed, of so many. */
  readonly signers: readonly string[];
  readonly of: number;
  /** Signers outside of that set on which the quorum rests as well. */
  readonly others: number;
}

/** What a history is tied to. `covers` are the ledgers for which it vouches; `null` where the chain to them is not sound. */
export type Anchor =
  | { readonly kind: 'genesis'; readonly ledger: number; readonly hash: string; readonly covers: LedgerRange | null }
  | ({ readonly kind: 'seal'; readonly quorumSet: string; readonly covers: LedgerRange | null } & Seal)
  | { readonly kind: 'trusted-hash'; readonly ledger: number; readonly hash: string; readonly covers: LedgerRange | null }
  | { readonly kind: 'archives'; readonly ledger: number; readonly hash: string; readonly archives: readonly string[]; readonly covers: LedgerRange | null };

/** A quorum set that was believed. */
export interface Believed {
  /** In words. */
  readonly name: string;
  /** Whether it was named by the caller; else it is the network's preset. */
  readonly askedFor: boolean;
  readonly set: QuorumSet;
}

/** Whose word was asked for, and what it came to. */
export interface TrustReport {
  readonly quorumSet: Believed | null;
  readonly allSignatures: boolean;
  /** Checkpoints whose signatures were looked at. */
  readonly looked: number;
  /** Ledgers by what their signatures come to; only with `allSignatures`. */
  readonly quorums: { readonly acceptedCommit: number; readonly commitVote: number; readonly inconclusive: number } | null;
  /** Trusted hashes that were given, and those that the headers have. */
  readonly hashes: { readonly given: number; readonly met: number };
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
  /** What was found, in words. */
  readonly statement: string;
  /** What such a verdict proves and what it does not, whatever the archive: each a clause. */
  readonly meaning: { readonly title: string; readonly proves: string; readonly doesNotProve: string };
  /** The ledger up to which the signatures of believed validators vouch. */
  readonly sealedThrough: number | null;
  readonly anchors: readonly Anchor[];
  readonly trust: TrustReport;
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

/** What is under way just now; of both lists the first 64. */
export interface InFlight {
  /** Checkpoints that were begun and are not settled, in the order in which they are verified. */
  readonly checkpoints: readonly number[];
  /** Files that are being read, those that were begun first. `bytes`: what came so far, a decimal string. */
  readonly files: readonly { readonly path: string; readonly archive: string; readonly bytes: string }[];
  /** How many files are. */
  readonly fileCount: number;
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
  readonly inFlight: InFlight;
  /** Of a mirror or a repair: what the destination was given so far. */
  readonly written?: { readonly files: number; readonly bytes: string };
}

export type RunEvent =
  | { readonly type: 'stage'; readonly stage: Stage; readonly range?: { readonly low: number; readonly high: number } }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'checkpoint'; readonly checkpoint: number; readonly status: Readonly<Record<Exclude<FileKind, 'bucket'>, Status>> }
  | { readonly type: 'finding'; readonly finding: Finding }
  /**
   * Only with `saveState`: hand the text back as `resume`, and `done` checkpoints are not verified again. Of no use once the run has
   * come to its end by itself.
   */
  | { readonly type: 'state'; readonly state: string; readonly done: number }
  | { readonly type: 'retry'; readonly archive: string; readonly path: string; readonly attempt: number; readonly delayMs: number; readonly reason: string }
  | { readonly type: 'done'; readonly verdict: Verdict };

export type ErrorCode =
  | 'ABORTED' | 'BUDGET' | 'CORS_OR_NETWORK' | 'CRASHED' | 'DISPOSED' | 'FAULTY' | 'FORBIDDEN' | 'HTTP' | 'NETWORK' | 'NOT_FOUND' | 'TIMEOUT'
  | 'UNANCHORED' | 'UNSUPPORTED' | 'USAGE' | 'USED_BEFORE_INIT';

export interface NetworkPreset {
  readonly name: string;
  readonly passphrase: string;
  /** Each with the public key of the validator that writes it. */
  readonly archives: readonly { readonly organisation: string; readonly name: string; readonly key: string; readonly url: string }[];
}

/** A quorum set that people know. */
export interface QuorumSetPreset {
  readonly name: string;
  /** The short name of its network. */
  readonly network: string;
  /** Where it comes from and when. */
  readonly source: string;
  readonly quorumSet: QuorumSet;
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

export interface CheckpointHashesOptions extends ReadOptions {
  /** A ledger whose hash is trusted, and that hash: where the list ends at the top. Without it a seal near the newest ledger. */
  readonly historyLedger?: number;
  readonly historyHash?: string;
  /** The text of an earlier file, whose newest hash the chain must lead to: the list goes on from there. Not together with `fromLedger`. */
  readonly trustedHashes?: string;
  /** Where the list ends at the bottom. Default: ledger 1. */
  readonly fromLedger?: number;
  readonly trust?: TrustOptions;
}

export interface LedgerHash {
  readonly ledger: number;
  /** Of its header. */
  readonly hash: string;
}

/** The hashes of the last ledger of every checkpoint, each tied to the next by the chain of headers. */
export interface VerifiedCheckpoints {
  /** The text of the file, byte by byte as stellar-core writes it. */
  readonly json: string;
  /** How many hashes, the earlier ones included. */
  readonly count: number;
  readonly newest: LedgerHash;
  readonly oldest: LedgerHash;
  /** What proves them. */
  readonly anchor: ({ readonly kind: 'trusted-hash' } & LedgerHash) | ({ readonly kind: 'seal'; readonly quorumSet: string } & Seal);
  /** The newest of the earlier hashes; those below it are as they were. */
  readonly earlier: LedgerHash | null;
  /** Whether the chain led to the ledger 1 that the network's passphrase implies. */
  readonly genesis: boolean;
  /** The passphrase. */
  readonly network: string | null;
  /** Files that were verified for it. */
  readonly files: number;
  /** What is wrong with archives that others made up for, and above the anchor. */
  readonly findings: readonly Finding[];
}

export interface QuorumSetsOptions extends ReadOptions {
  /** How many checkpoints. Default: 100. */
  readonly last?: number;
  /** Up to the checkpoint of this ledger. Default: the newest. */
  readonly high?: number;
}

/** Who went by which quorum set. */
export interface RecentQuorumSets {
  readonly low: number;
  readonly high: number;
  /** The passphrase; where none is known, signatures were not verified. */
  readonly network: string | null;
  readonly signaturesVerified: boolean;
  /** How the scp files ended. */
  readonly checkpoints: { readonly read: number; readonly missing: number; readonly faulty: number; readonly unreadable: number };
  /** Messages: those that count, those that their node did not sign, and those past the cap. */
  readonly messages: { readonly counted: number; readonly rejected: number; readonly unchecked: number };
  readonly quorumSets: readonly { readonly hash: string; readonly quorumSet: QuorumSet }[];
  readonly nodes: readonly QuorumSetOwner[];
  /** What was left out because there was more than any real network has. */
  readonly leftOut: readonly string[];
  readonly findings: readonly Finding[];
  readonly errors: readonly RunError[];
}

export interface QuorumSetOwner {
  /** Its public key. */
  readonly node: string;
  /** Its name and who runs it, where people know them. */
  readonly name?: string;
  readonly organisation?: string;
  /** The hash of the set that it named last. */
  readonly quorumSet: string;
  readonly firstLedger: number;
  readonly lastLedger: number;
  readonly messages: number;
}

/** Which transaction to prove: either by its `hash`, or by its place, `ledger` and `index`. */
export interface TransactionProofOptions extends ReadOptions {
  /** In hex. Archives have no index, so the results are searched, from the newest down. */
  readonly hash?: string;
  /** Where a hash is searched. */
  readonly range?: { readonly low?: number; readonly high?: number };
  readonly ledger?: number;
  /** Among the transactions that the ledger applied, in their order, from 0. */
  readonly index?: number;
  /** Whose signatures shall seal it. */
  readonly trust?: TrustOptions;
}

export interface EntryProofOptions extends ReadOptions {
  /** The XDR of a LedgerKey in base64, or the address of an account, `G…`. */
  readonly key: string;
  /** The last ledger of a checkpoint: the entry as it was after it. */
  readonly checkpoint: number;
  /** Buckets that show it are put into the file up to so many bytes. Default: 1 MiB. */
  readonly maxBucketBytes?: number;
  readonly trust?: TrustOptions;
}

export interface ProofOptions {
  /** The network that the proof must be of: a known name or a passphrase. Default: the one that it names. */
  readonly network?: string;
  readonly trust?: TrustOptions;
  readonly signal?: AbortSignal;
}

/** `unproven`: it fits together, but nobody who is believed vouches for it, or what would show it is not in the file. */
export type ProofVerdict = 'proven' | 'refuted' | 'unproven';

/** What a proof turned out to be. */
export interface ProofReport {
  readonly schema: 1;
  readonly verdict: ProofVerdict;
  /** What it proves, or why it does not. */
  readonly statement: string;
  readonly doesNotProve: string;
  /** What is wrong with it: the field of the file, as `seal.envelopes[2]`; empty where the file is no proof at all. */
  readonly fault: { readonly field: string; readonly message: string; readonly expected?: string; readonly actual?: string } | null;
  /** The passphrase, where somebody vouches for it or the caller named it. */
  readonly network: string | null;
  /** What it is about; `null` where it is refuted. */
  readonly facts: ProofFacts | null;
  readonly anchors: readonly (({ readonly kind: 'seal'; readonly quorumSet: string } & Seal) | ({ readonly kind: 'trusted-hash' } & LedgerHash))[];
  /** Who signed the ledger that seals it, whoever they are. */
  readonly signers: readonly {
    readonly node: string;
    readonly name: string | null;
    readonly organisation: string | null;
    readonly strength: Strength;
    /** Whether the believed quorum set has it. */
    readonly trusted: boolean;
  }[];
  /** What was checked, in order; nothing after what failed. */
  readonly steps: readonly { readonly field: string; readonly status: 'holds' | 'failed' | 'unchecked'; readonly says: string }[];
}

export interface ProofFacts {
  readonly ledger: number;
  readonly ledgerHash: string;
  /** Unix seconds. */
  readonly closeTime: string;
  readonly protocol: number;
  /** The last ledger whose header is in the file. */
  readonly through: number;
  readonly transaction?: {
    readonly hash: string;
    /** Its place in the order in which the ledger applied its transactions, from 0. */
    readonly index: number;
    readonly of: number;
    readonly successful: boolean;
    /** The TransactionResultCode, and in words. */
    readonly result: string;
    readonly resultInWords: string;
    /** Stroops. */
    readonly feeCharged: string;
  };
  readonly entry?: {
    /** The XDR of its LedgerKey in base64. */
    readonly key: string;
    readonly entryType: string;
    readonly standing: 'absent' | 'dead' | 'live';
    /** Whether the buckets that show so are in the file. */
    readonly searched: boolean;
    readonly buckets: readonly string[];
    readonly level: number | null;
    /** The XDR of its BucketEntry in base64. */
    readonly entry: string | null;
    /** Whether there is a hot archive, which is not searched. */
    readonly hotArchive: boolean;
  };
}

export interface CompareOptions extends ReadOptions {
  /** Ledgers to compare; rounded out to whole checkpoints. Default: from where the first begins to the newest that all announce. */
  readonly range?: { readonly low?: number; readonly high?: number };
  readonly last?: number;
  readonly trust?: TrustOptions;
}

/** How a file compares: with what is sealed, or, where nothing is, with what most archives have. */
export type CompareCell = 'agrees' | 'lacks' | 'faulty' | 'provably-wrong' | 'differs' | 'unreadable' | 'unchecked';

/** How an archive compares. `differs`: it has something else, and nothing is sealed that says who is right. */
export type CompareStanding =
  | 'agrees' | 'lacks' | 'faulty' | 'provably-wrong' | 'differs' | 'other-network' | 'earlier-network' | 'unreadable';

export type CompareEvent =
  /** Archives are named by their places in the list of archives, here and below. */
  | { readonly type: 'range'; readonly range: LedgerRange; readonly archives: readonly number[] }
  /** From the newest down. One cell for each archive that takes part; those of one `group` have the same, and 0 is what is sealed, or what most have. */
  | {
    readonly type: 'checkpoint';
    readonly checkpoint: number;
    readonly files: Readonly<Partial<Record<FileKind, readonly { readonly cell: CompareCell; readonly group: number | null }[]>>>;
    readonly sealed: number | null;
  }
  | { readonly type: 'retry'; readonly path: string; readonly archive: string; readonly attempt: number; readonly delayMs: number; readonly reason: string }
  | {
    readonly type: 'progress';
    readonly checkpoints: { readonly done: number; readonly total: number };
    readonly bytes: { readonly compressed: string; readonly inflated: string };
    readonly elapsedMs: number;
    readonly archives: readonly ArchiveProgress[];
  };

/** Files by how they compare. */
export interface Agreement {
  readonly agrees: number;
  readonly lacks: number;
  readonly faulty: number;
  readonly provablyWrong: number;
  readonly differs: number;
  readonly unreadable: number;
  readonly unchecked: number;
}

export interface ComparedArchive {
  readonly name: string;
  readonly standing: CompareStanding;
  /** Why, in words; `null` where it agrees. */
  readonly reason: string | null;
  /** The newest ledger that it announces. */
  readonly tip: number | null;
  readonly behind: number | null;
  readonly server: string | null;
  /** The passphrase. */
  readonly network: string | null;
  readonly files: Readonly<Partial<Record<FileKind, Agreement>>>;
  readonly requests: number;
  readonly bytes: string;
}

export type ComparedAnchor =
  | ({
    readonly kind: 'seal';
    readonly quorumSet: string;
    /** Whether no single archive shows the quorum. */
    readonly merged: boolean;
    /** Archives whose messages show it, and those that have the chain. */
    readonly archives: readonly number[];
    readonly holders: readonly number[];
    /** Of a start of the network that a later one replaced. */
    readonly superseded: boolean;
    /** Another chain is sealed as well. */
    readonly disputed: boolean;
    readonly covers: LedgerRange | null;
  } & Seal)
  | ({ readonly kind: 'trusted-hash'; readonly holders: readonly number[]; readonly disputed: boolean; readonly covers: LedgerRange | null } & LedgerHash);

/** Archives' files of one checkpoint and kind that are not all the same. */
export interface Disagreement {
  readonly checkpoint: number;
  readonly kind: FileKind;
  /** The first ledger that differs, or that is faulty. */
  readonly ledger: number | null;
  readonly groups: readonly {
    /** The hash of that ledger's header, or of the bucket list; `null` for a faulty file. */
    readonly value: string | null;
    readonly archives: readonly number[];
    readonly standing: CompareCell;
    readonly fault?: string;
  }[];
  /** What sealed headers commit to. */
  readonly sealed: string | null;
}

export interface CompareReport {
  readonly schema: 1;
  readonly verifier: Versions;
  readonly verdict: 'agree' | 'disagree' | 'incomplete';
  /** What it proves and what it does not. */
  readonly statement: string;
  /** Whether all that was asked for was compared. */
  readonly complete: boolean;
  /** The passphrase. */
  readonly network: string | null;
  /** The believed quorum set, in words. */
  readonly quorumSet: string | null;
  readonly range: LedgerRange | null;
  readonly checkpoints: { readonly done: number; readonly total: number };
  /** Checkpoints whose signatures were looked at. */
  readonly looked: number;
  readonly archives: readonly ComparedArchive[];
  readonly sealedThrough: number | null;
  readonly anchors: readonly ComparedAnchor[];
  readonly disagreements: readonly Disagreement[];
  readonly disagreementsDropped: number;
  /** Checkpoints in a row of which an archive lacks a file. */
  readonly missing: readonly { readonly archive: number; readonly kind: FileKind; readonly low: number; readonly high: number; readonly checkpoints: number }[];
  readonly missingDropped: number;
  readonly errors: readonly RunError[];
  readonly errorsDropped: number;
  readonly notes: readonly Note[];
  readonly startedAt: string;
  readonly elapsedMs: number;
}

export interface ProvenanceOptions extends ReadOptions {
  readonly trust?: TrustOptions;
}

/** A validator, by its key and the name that people know it by. */
export interface Validator {
  readonly node: string;
  readonly name: string | null;
  readonly organisation: string | null;
  /** Whether it is in the believed quorum set. */
  readonly believed: boolean;
}

/** Who made a ledger. */
export interface Provenance {
  readonly ledger: number;
  readonly hash: string;
  /** Who proposed its value, and whether its signature is right; `null` before protocol 14, where values are not signed. */
  readonly proposer: (Validator & { readonly valid: boolean }) | null;
  readonly statements: readonly (Validator & {
    readonly kind: 'externalize' | 'confirm' | 'prepare' | 'nominate';
    /** Whether its signature is right. */
    readonly valid: boolean;
    /** Whether it is about this ledger and its value; nominations name no value. */
    readonly agrees: boolean;
    /** The hash of the quorum set that it went by. */
    readonly quorumSet: string;
  })[];
  /** The seal of the ledger before, where the believed validators agreed on this one. */
  readonly seal: Seal | null;
  /** The believed quorum set, in words. */
  readonly quorumSet: string | null;
}

export interface CopyOptions extends ReadOptions {
  readonly trust?: TrustOptions;
  readonly skipOptional?: boolean;
  /** Bytes a second that are read at most; 0 or absent: as fast as it goes. */
  readonly bandwidthLimit?: number;
  /** Read every file back after it was written and compare: for places that may lie. Needs `get`. */
  readonly readBack?: boolean;
  readonly range?: { readonly low?: number; readonly high?: number };
}
export interface MirrorOptions extends CopyOptions {
  /** Fetch and replace what is there. */
  readonly overwrite?: boolean;
  /** Let `range.low` be above the end of what is there. */
  readonly allowGaps?: boolean;
}
export interface EstimateOptions extends MirrorOptions {
  /** How many random checkpoints a check is to draw: the estimate then says what that takes of buckets. */
  readonly sample?: number;
}
export interface RepairOptions extends CopyOptions {
  /** Write nothing; the report's `plan` says what would be. */
  readonly dryRun?: boolean;
  /** The JSON text of a plan (stellar-archivist's schema, or any report of it): mend what it lists, without looking for more. Not with `range` or `dryRun`. */
  readonly plan?: string;
}
/** stellar-archivist's plan schema 1. */
export interface RepairPlan {
  readonly version: 1;
  readonly well_known: number | null;
  /** By checkpoint, decimal. */
  readonly files: Readonly<Record<string, readonly ('history' | 'ledger' | 'transactions' | 'results' | 'scp')[]>>;
  readonly buckets: readonly string[];
  readonly checkpoints: readonly number[];
  readonly summary: { readonly succeeded: number; readonly skipped: number; readonly failed: number; readonly retries: number };
}
export interface CopyReport {
  readonly schema: 1;
  readonly task: 'mirror' | 'repair';
  readonly verifier: Versions;
  readonly sources: readonly string[];
  readonly destination: string;
  readonly network: string | null;
  readonly range: { readonly low: number; readonly high: number } | null;
  readonly dryRun: boolean;
  /** `complete`: the destination has all of the range, verified. `faulty`: something no source had sound. `incomplete`: something could not be read or written. */
  readonly verdict: 'complete' | 'faulty' | 'incomplete';
  /** What was done and what it means, in a sentence or two. */
  readonly statement: string;
  /** dryRun: what would be written. */
  readonly written: { readonly files: number; readonly bytes: string; readonly byKind: Readonly<Record<FileKind, number>> };
  /** Files that were there and sound. */
  readonly kept: Readonly<Record<FileKind, number>>;
  readonly wellKnown: { readonly status: 'written' | 'kept' | 'planned' | 'not-written'; readonly ledger: number | null; readonly reason: string | null };
  /** repair: files of the destination that were missing or faulty and what became of them; mirror: only what was faulty there or failed. At most 1,000. */
  readonly files: readonly CopiedFile[];
  readonly filesDropped: number;
  /** dryRun: what is to be mended; otherwise what is left to be. */
  readonly plan: RepairPlan;
  /** The history as the sources and the destination have it together. */
  readonly verification: Report;
  readonly startedAt: string;
  readonly elapsedMs: number;
}
export interface CopiedFile {
  readonly path: string;
  readonly problem: 'missing' | 'faulty';
  readonly outcome: 'written' | 'planned' | 'no-sound-source' | 'failed';
  /** The source. */
  readonly from: string | null;
  /** Why it failed. */
  readonly message: string | null;
}
export interface CopyEstimate {
  readonly range: { readonly low: number; readonly high: number };
  readonly checkpoints: number;
  readonly files: number;
  readonly bytes: string;
  /** The part of both that is buckets. */
  readonly buckets: { readonly files: number; readonly bytes: string };
  /** With `sample`: the buckets that so many random checkpoints name, at least and at most. It depends on which are drawn, as those that lie close to each other share most of them. */
  readonly sample?: {
    readonly checkpoints: number;
    readonly least: { readonly files: number; readonly bytes: string };
    readonly most: { readonly files: number; readonly bytes: string };
  };
  /** What was measured; the rest is extrapolated. */
  readonly measured: { readonly checkpoints: number; readonly buckets: number };
  /** One sentence on how far the number can be relied on. */
  readonly basis: string;
}

/** A mirror or a repair that is under way. Iterate it for events; await `report` for the result. */
export interface CopyTask extends AsyncIterable<RunEvent> {
  /** Resolves also where something could not be read or written, and with a partial report after an abort. */
  readonly report: Promise<CopyReport>;
  abort(reason?: unknown): void;
}

export interface NewHistoryOptions {
  /** A known name or a passphrase: the network that the archive is for. */
  readonly network: string;
  readonly signal?: AbortSignal;
}

/** What a checkpoint came to in each of the places that it was published to. */
export interface PublishSummary {
  readonly checkpoint: number;
  /** The passphrase, where it is known. */
  readonly network: string | null;
  readonly destinations: readonly PublishedTo[];
}

export interface PublishedTo {
  readonly destination: string;
  readonly written: { readonly files: number; readonly bytes: string };
  /** Files that were there already. */
  readonly kept: number;
  /** Why the checkpoint is not whole there; the other destinations go on. */
  readonly error: { readonly code: string; readonly message: string; readonly advice: string } | null;
}
