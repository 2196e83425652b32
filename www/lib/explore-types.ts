/**
 * What an archive shows when someone looks into it: checkpoints, ledgers, transactions, buckets; each value beside what it was
 * checked against.
 *
 * Looking is not verifying: a broken archive is shown as it is, and each check says what holds and what does not. 64-bit
 * numbers are decimal strings; hashes are 64 hex digits; XDR is base64; `json` is stellar's own XDR-JSON (SEP-51).
 */

/** Bytes of a file of the archive after gunzip, so that anyone can cut them out: `offset` and `length` in bytes. */
export interface Excerpt {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Something that should be so, and whether it is. */
export interface Check {
  readonly name:
    | 'genesis' | 'header-hash' | 'previous-header' | 'next-header' | 'transaction-set' | 'results' | 'result-count' | 'bucket-list'
    | 'scp-value' | 'transaction-hash' | 'result-of-transaction';
  /** A sentence: what was computed, and what it has to be equal to. */
  readonly what: string;
  readonly outcome: 'holds' | 'broken' | 'unknown';
  /** Why it is unknown, such as a file that is missing, or what else is to be said of it. */
  readonly why: string | null;
  /** SHA-256 of `of`, or of the bytes of `hex`. */
  readonly computed: string | null;
  /** The bytes that were hashed: where they stand in the archive … */
  readonly of: Excerpt | null;
  /** … or themselves, where they stand together nowhere (hashes of hashes, the network's id before a transaction). At most 64 kB; null beyond. */
  readonly hex: string | null;
  /** … or in pieces, one after another, where they are too many for `hex`: large transaction sets of before protocol 20. */
  readonly parts?: readonly Excerpt[];
  /** Who says what the hash is. */
  readonly claims: readonly Claim[];
}

export interface Claim {
  /** In words: `the header's record`, `the header of ledger 64, previousLedgerHash`. */
  readonly by: string;
  readonly hash: string;
}

/** A file of a checkpoint. */
export interface CheckpointFile {
  readonly kind: 'history' | 'ledger' | 'transactions' | 'results' | 'scp';
  readonly path: string;
  readonly status: 'read' | 'missing' | 'faulty' | 'unread';
  /** What is wrong with it, or kept it from being read. */
  readonly message: string | null;
  readonly records: number;
  /** Bytes as stored and as inflated. */
  readonly compressed: number;
  readonly inflated: number;
}

/** One level of a bucket list. A hash of zeros is the empty bucket. */
export interface BucketLevel {
  readonly level: number;
  readonly curr: BucketRef;
  readonly snap: BucketRef;
  /** The merge that makes the next curr. */
  readonly next: { readonly state: 'clear' | 'output' | 'inputs' | 'invalid'; readonly hashes: readonly string[] };
}

export interface BucketRef {
  readonly hash: string;
  readonly path: string | null;
  /** Whether the checkpoint before names it as well; null where its state could not be read, and for the empty bucket. */
  readonly shared: boolean | null;
}

export interface CheckpointState {
  readonly version: number;
  readonly server: string | null;
  readonly network: string | null;
  readonly currentLedger: number;
  readonly live: readonly BucketLevel[];
  /** From protocol 23 on. */
  readonly hotArchive: readonly BucketLevel[] | null;
  /** The levels' hashes, and the bucket list's: what the header has to name. */
  readonly check: Check;
  /** The file as it is. */
  readonly json: unknown;
}

/** A line of a checkpoint's 64 ledgers. */
export interface LedgerRow {
  readonly ledger: number;
  readonly hash: string;
  /** Seconds since 1970. */
  readonly closeTime: number;
  readonly protocol: number;
  readonly transactions: number;
  readonly operations: number;
  readonly failed: number;
  /** All its checks together: broken if one is, unknown if one that matters could not be made. */
  readonly outcome: 'holds' | 'broken' | 'unknown';
  /** Names of the checks that are broken. */
  readonly broken: readonly Check['name'][];
  /** How many scp messages the file has for it. */
  readonly scpMessages: number;
}

export interface CheckpointView {
  readonly checkpoint: number;
  readonly low: number;
  readonly high: number;
  readonly files: readonly CheckpointFile[];
  readonly state: CheckpointState | null;
  readonly ledgers: readonly LedgerRow[];
}

export interface LedgerView {
  readonly ledger: number;
  readonly checkpoint: number;
  /** `LedgerHeaderHistoryEntry`. */
  readonly json: unknown;
  readonly xdr: string;
  readonly upgrades: readonly UpgradeView[];
  readonly checks: readonly Check[];
  readonly transactions: readonly TransactionRow[];
  readonly scp: ScpView | null;
}

/** What a ledger's value changes, beside what headers say. */
export interface UpgradeView {
  /** `version`, `base_fee`, … as XDR-JSON names it; null where the bytes are no upgrade that this verifier knows. */
  readonly type: string | null;
  /** What it asks for, in a sentence without its capital and its point. */
  readonly words: string;
  /** Decimal; of settings the contract and the hash that name them. */
  readonly value: string | null;
  /** What the header of the ledger before says, where that is at hand. */
  readonly before: string | null;
  /** What this header says; null where headers say nothing of it. */
  readonly header: string | null;
  /** By the header. Skipped is not wrong: stellar-core skips an upgrade that fails. */
  readonly effect: 'applied' | 'skipped' | 'not-in-header' | 'unknown';
  /** `LedgerUpgrade`. */
  readonly json: unknown;
  readonly hex: string;
}

/** A transaction as a line, in the order of the results (the order in which they were applied). Without results there is none. */
export interface TransactionRow {
  /** Of its result, from 0; what `transaction` takes. */
  readonly index: number;
  readonly hash: string;
  /** Address (G… or M…). */
  readonly source: string | null;
  /** XDR names in snake case, such as `payment`, at most 100. */
  readonly operations: readonly string[];
  readonly feeCharged: string;
  readonly successful: boolean;
  /** `tx_success`, `tx_failed`, … as stellar's XDR-JSON names it. */
  readonly result: string;
}

export interface TransactionView extends TransactionRow {
  readonly ledger: number;
  readonly closeTime: number;
  /** Who pays, where a fee bump says so. */
  readonly feeSource: string | null;
  /** The most that it offered, in stroops. */
  readonly maxFee: string;
  readonly sequenceNumber: string;
  readonly memo: string | null;
  readonly memoKind: 'text' | 'id' | 'hash' | 'return' | null;
  readonly signatures: number;
  /** The account and the id that an M… address stands for. */
  readonly sourceMuxed: Muxed | null;
  readonly feeSourceMuxed: Muxed | null;
  /** What is inside of a fee bump. */
  readonly feeBump: {
    /** As the result names it; null where the fee bump did not get that far. */
    readonly innerHash: string | null;
    readonly innerMaxFee: string;
    readonly innerFeeCharged: string | null;
    /** Of `signatures`: those of the one who pays. */
    readonly signatures: number;
  } | null;
  readonly preconditions: {
    /** The first and the last second since 1970; 0 is no bound. */
    readonly timeBounds: readonly [string, string] | null;
    /** The first ledger, and the one before which it must be; 0 is no bound. */
    readonly ledgerBounds: readonly [number, number] | null;
    readonly minSequence: string | null;
    /** Seconds. */
    readonly minSequenceAge: string | null;
    readonly minSequenceLedgerGap: number | null;
    readonly extraSigners: readonly string[];
  };
  /** What a transaction of contracts asked for. */
  readonly soroban: {
    /** Stroops, part of `maxFee`. */
    readonly fee: string;
    readonly instructions: number;
    readonly diskReadBytes: number;
    readonly writeBytes: number;
    /** Entries. */
    readonly readOnly: number;
    readonly readWrite: number;
  } | null;
  /** In a sentence: what happened. */
  readonly words: string;
  /** `TransactionEnvelope` and `TransactionResultPair`. */
  readonly envelope: { readonly json: unknown; readonly xdr: string } | null;
  readonly resultPair: { readonly json: unknown; readonly xdr: string };
  readonly details: readonly OperationView[];
  readonly checks: readonly Check[];
}

export interface Muxed {
  readonly account: string;
  readonly id: string;
}

export interface OperationView {
  readonly index: number;
  readonly type: string;
  /** Where it is not the transaction's. */
  readonly source: string | null;
  readonly json: unknown;
  /** `OperationResult`; null where the transaction did not get that far. */
  readonly result: unknown;
  /** Such as `success` or `payment underfunded`; null as above. */
  readonly resultWords: string | null;
  /** What was asked for, in the infinitive: `pay 5 XLM to G…`. */
  readonly words: string;
  /** What came of it beyond `success`, or why it failed; null where there is nothing to add. */
  readonly outcome: string | null;
}

/** The messages of validators over a ledger. */
export interface ScpView {
  readonly nodes: readonly {
    readonly node: string;
    /** `EXTERNALIZE`, `CONFIRM`, `PREPARE`, `NOMINATE`; the strongest first. */
    readonly statements: readonly string[];
    /** Of the strongest. */
    readonly signature: 'holds' | 'broken' | 'unknown';
    /** Whether its value is the header's. */
    readonly sameValue: boolean | null;
    readonly quorumSet: string | null;
    /** All that it said, the strongest first. */
    readonly said: readonly ScpStatement[];
  }[];
  readonly quorumSets: readonly { readonly hash: string; readonly set: import('./types.ts').QuorumSet }[];
  /** Who proposed the value, where it is signed (protocol 14 on). */
  readonly proposer: string | null;
}

/** One message of a validator. */
export interface ScpStatement {
  readonly kind: 'EXTERNALIZE' | 'CONFIRM' | 'PREPARE' | 'NOMINATE';
  /** Of its ballot; null for nominations. */
  readonly counter: number | null;
  /** What else it says. */
  readonly words: string;
  /** SHA-256 of its ballot's value. */
  readonly value: string | null;
  readonly sameValue: boolean | null;
  readonly signature: 'holds' | 'broken' | 'unknown';
}

/** A page of a bucket's entries. */
export interface BucketPage {
  readonly hash: string;
  readonly from: number;
  readonly entries: readonly BucketEntryView[];
  /** Whether there are more. */
  readonly more: boolean;
}

export interface BucketEntryView {
  readonly index: number;
  /** `liveentry`, `initentry`, `deadentry`, `metaentry`, `archived` … as XDR-JSON names it. */
  readonly kind: string;
  /** `account`, `trustline`, `offer`, `contract_data`, …; null for metadata. */
  readonly type: string | null;
  readonly json: unknown;
  readonly xdr: string;
}

/** A bucket read to its end. */
export interface BucketCheck {
  readonly hash: string;
  readonly computed: string;
  readonly holds: boolean;
  readonly entries: number;
  readonly compressed: number;
  readonly inflated: number;
}

/** An entry as it was after a checkpoint, found in the newest bucket that has its key. */
export interface FoundEntry {
  readonly key: { readonly json: unknown; readonly xdr: string };
  /** `absent`: no bucket has it. `deleted`: the newest bucket that has it says so. */
  readonly status: 'live' | 'deleted' | 'absent';
  readonly bucket: string | null;
  readonly level: number | null;
  readonly part: 'curr' | 'snap' | null;
  readonly entry: { readonly json: unknown; readonly xdr: string } | null;
  /** How many buckets were read. */
  readonly bucketsRead: number;
  /** Bytes read, as stored. */
  readonly compressed: number;
}

/** Where a transaction was found. */
export interface FoundTransaction {
  readonly ledger: number;
  readonly index: number;
}

/** How far a search has come. `found` is null until there is something. */
export interface SearchProgress {
  readonly done: number;
  readonly total: number;
  /** The checkpoint, or the bucket, that was looked at last. */
  readonly at: string;
}

export interface ExploreOptions {
  readonly signal?: AbortSignal;
}

export interface SearchOptions extends ExploreOptions {
  readonly low?: number;
  readonly high?: number;
  readonly onProgress?: (progress: SearchProgress) => void;
}

/** One archive, to look into. What it read last is kept (4 checkpoints, 64 MB), so going from a ledger to the next asks nothing of the archive. */
export interface ArchiveExplorer {
  /** The newest checkpoint, by `.well-known`. */
  newest(options?: ExploreOptions): Promise<{ readonly ledger: number; readonly network: string | null; readonly server: string | null }>;
  /** `ledger`: any of the checkpoint's. */
  checkpoint(ledger: number, options?: ExploreOptions): Promise<CheckpointView>;
  ledger(ledger: number, options?: ExploreOptions): Promise<LedgerView>;
  transaction(ledger: number, index: number, options?: ExploreOptions): Promise<TransactionView>;
  /** Looks through the results of a range, newest first; without `low` and `high` through all of the archive. Null: it is in none. Files that could not be read are an error, as the answer is not known then. */
  findTransaction(hash: string, options?: SearchOptions): Promise<FoundTransaction | null>;
  bucket(hash: string, options?: ExploreOptions & { readonly from?: number; readonly limit?: number }): Promise<BucketPage>;
  verifyBucket(hash: string, options?: ExploreOptions & { readonly onProgress?: (progress: { readonly compressed: number; readonly inflated: number }) => void }): Promise<BucketCheck>;
  /** `key`: an account's address, or a `LedgerKey` in base64. `ledger`: any of the checkpoint's; the entry as it was after its last. */
  findEntry(key: string, ledger: number, options?: Omit<SearchOptions, 'low' | 'high'>): Promise<FoundEntry>;
  /** Gives the memory back. */
  close(): void;
}
