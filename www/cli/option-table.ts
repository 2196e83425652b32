/**
 * Every option: how it is written, what stands behind it, and a few words on it. The parser, the help, the completion of shells and
 * the config file go by this table.
 *
 * Not here: which command takes which (`manual/`), and what a value comes to (`options.ts`).
 */

/** What may stand behind an option or as a word of a command, as far as a shell can complete it. */
export type Completes =
  | 'archive' | 'archive-or-file' | 'command' | 'destination' | 'file' | 'quorum-set'
  | readonly string[];

export interface OptionWords {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands behind it, as the help writes it. */
  readonly value?: string;
  readonly completes?: Completes;
  /** In general; a command may say more. */
  readonly says: string;
}

export const ORDER_NAMES = ['oldest-first', 'newest-first'] as const;
export const COLOUR_WORDS = ['auto', 'always', 'never'] as const;
export const NETWORK_NAMES = ['pubnet', 'testnet', 'futurenet', 'standalone'] as const;
/** The verifier's own quorum sets, and the choice to believe nobody. */
export const QUORUM_SET_NAMES = ['pubnet', 'pubnet-packages', 'pubnet-sdf', 'testnet', 'futurenet', 'none'] as const;

/** What `audit` does. */
export const AUDIT_WORDS = ['estimate', 'start', 'status', 'watch', 'pause', 'resume', 'cancel', 'report', 'list'] as const;

export const OPTIONS = {
  'all-signatures': { type: 'boolean', says: 'verify every signature of the range, not only those that seal its end' },
  'allow-mirror-gaps': { type: 'boolean', says: 'let --low be above the end of what the destination has' },
  'bandwidth-limit': { type: 'string', value: 'N', says: 'read at most N bytes a second; 0, the default, is no limit' },
  'checkpoint': { type: 'string', value: 'C', says: 'as it was after this ledger, the last of a checkpoint' },
  'checkpoint-frequency': { type: 'string', value: 'N', completes: ['64', '8'], says: '64, or 8 for a network with accelerated time; default: 64' },
  'color': {
    type: 'string', value: 'WHEN', completes: COLOUR_WORDS,
    says: 'auto, always or never; default: auto, that is on a terminal (help lists the variables that change it)',
  },
  'concurrency': { type: 'string', short: 'c', value: 'N', says: 'requests in flight at once; default: 16, and up to 64 where more bring more' },
  'config': { type: 'string', value: 'FILE', completes: 'file', says: 'the config file, in place of the usual one (see help config); /dev/null is none' },
  'consumers': { type: 'string', value: 'N', says: 'so many parts at once at most; default: 10, and the worker has a limit' },
  'deep': { type: 'boolean', says: 'also decode what no hash covers: transactions against results, contents of buckets' },
  'dry-run': { type: 'boolean', says: 'write nothing: say what would be' },
  'entry': { type: 'string', value: 'BASE64|FILE', completes: 'file', says: 'a whole ledger header entry, or the key of a ledger entry' },
  'from-ledger': { type: 'string', value: 'N', says: 'stop at this ledger; not together with --trusted-hash-file' },
  'hash': { type: 'string', value: 'HEX', says: 'the hash that its header must have: 64 digits' },
  'help': { type: 'boolean', short: 'h', says: 'print this' },
  'high': { type: 'string', value: 'N', says: 'last ledger; default: the newest checkpoint the archive announces' },
  'history-hash': { type: 'string', value: 'HEX', says: 'the hash of the --history-ledger' },
  'history-ledger': { type: 'string', value: 'N', says: 'a ledger whose hash you know; default: the newest that your validators sealed' },
  'index': { type: 'string', value: 'I', says: 'that the ledger applied in this place, from 0' },
  'json': { type: 'boolean', says: 'print JSON, one object a line, for programs' },
  'last': { type: 'string', value: 'N', says: 'only the last N ledgers' },
  'ledger': { type: 'string', value: 'N', says: 'the ledger, decimal or hexadecimal' },
  'low': { type: 'string', value: 'N', says: "first ledger, decimal or hexadecimal (0x3f); default: the archive's beginning" },
  'max-retries': { type: 'string', value: 'N', says: 'tries after the first when the network fails; default: 3' },
  'metrics': { type: 'string', value: 'FILE', completes: 'file', says: 'write the numbers as text for Prometheus, in the same way' },
  'network': {
    type: 'string', value: 'NAME|PASSPHRASE', completes: NETWORK_NAMES,
    says: 'the network it must belong to: pubnet, testnet, futurenet, standalone, or a passphrase; default: what the archive itself says',
  },
  'order': { type: 'string', value: 'ORDER', completes: ORDER_NAMES, says: 'oldest-first or newest-first; default: oldest-first' },
  'output': { type: 'string', value: 'FILE', completes: 'file', says: 'write the proof to FILE, whole or not at all; default: stdout' },
  'output-filename': { type: 'string', value: 'FILE', completes: 'file', says: 'where the hashes go; the file appears whole or not at all' },
  'overwrite': { type: 'boolean', says: 'fetch and replace also what is there already' },
  'plan': { type: 'string', value: 'FILE', completes: 'file', says: 'what is to be mended, as a plan for repair --plan of this program and of stellar-archivist' },
  'quiet': { type: 'boolean', short: 'q', says: 'print only what is wrong and the verdict; no progress' },
  'quorum-set': {
    type: 'string', value: 'NAME|FILE', completes: 'quorum-set',
    says: "the validators that you believe: a preset (pubnet, testnet, …; see help verify), a name of the config file, or a file with a quorum set as JSON or a stellar-core configuration; default: the network's preset",
  },
  'read-back': { type: 'boolean', says: 'read every file again after it was written, and compare: for places that may lie' },
  'report': { type: 'string', value: 'FILE', completes: 'file', says: 'write the report as JSON; the file appears whole or not at all' },
  'sample': { type: 'string', value: 'N', says: 'only N checkpoints, drawn at random; the report says what that guarantees' },
  'seed': { type: 'string', value: 'HEX', says: '16 digits: draw the sample of an earlier run again' },
  'skip-buckets': { type: 'boolean', says: 'leave out the bucket files (about half of the bytes); their list is still checked' },
  'skip-optional': { type: 'boolean', says: 'leave out the SCP files, which an archive need not have' },
  'state': {
    type: 'string', value: 'FILE', completes: 'file',
    says: 'keep in FILE what was verified so far: after Ctrl-C or a crash the same command goes on from there; the file is removed when the run comes to its end',
  },
  'timeout-secs': { type: 'string', value: 'N', says: 'give a read up after so long without a byte; default: 60' },
  'token-file': {
    type: 'string', value: 'FILE', completes: 'file',
    says: 'a file with the token that the worker wants of whoever begins or steers audits (AUDIT_TOKEN); default: STELLAR_ARCHIVE_AUDIT_TOKEN in the environment. It is sent to https:// addresses and to this machine only',
  },
  'trusted-checkpoint-hashes': { type: 'string', value: 'FILE', completes: 'file', says: 'such hashes in a file, as verify-checkpoints and stellar-core write it' },
  'trusted-hash': { type: 'string', multiple: true, value: 'SEQ:HASH', says: "the hash of a ledger's header that you know from elsewhere; may be given several times" },
  'trusted-hash-file': {
    type: 'string', value: 'FILE', completes: 'file',
    says: 'a file of an earlier run: the chain must lead to its newest hash, and the list goes on from there; it may be the same as --output-filename',
  },
  'tx': { type: 'string', value: 'HASH', says: 'the transaction of this hash; the archive has no index, so its results are searched from the newest down' },
  'version': { type: 'boolean', short: 'V', says: 'the versions of the verifier and of its XDR' },
  'workers': { type: 'string', value: 'N', says: 'threads that verify one archive, from 16 checkpoints on; the report is the same; default: 1' },
  'worker': { type: 'string', value: 'URL', says: 'the address of the edge worker; default: STELLAR_ARCHIVE_WORKER in the environment' },
} as const satisfies Readonly<Record<string, OptionWords>>;

export type OptionName = keyof typeof OPTIONS;

export function isOptionName(word: string): word is OptionName {
  return Object.hasOwn(OPTIONS, word);
}

/** As the help writes it. */
export function optionWords(name: OptionName): OptionWords {
  return OPTIONS[name];
}
