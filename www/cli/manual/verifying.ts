/** The manual: the commands that judge archives. Not here: what the commands do. */
import { EVERYWHERE } from './environment.ts';
import type { Page } from './page.ts';
import { ARCHIVE, CORE_LIVE, CORE_TESTNET, EVENTS, EVERYWHERE_OPTIONS, LIMITS, QUORUM_SET, READING, TRUST } from './words.ts';

export const verify: Page = {
  brief: '<ARCHIVE>…',
  title: 'verify an archive, or several copies of one history',
  forms: ['<ARCHIVE>… [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: [
    'Verifies an archive: that every file is what its hashes say, that ledgers form one unbroken chain, and that transactions, results and buckets belong to it.',
    ARCHIVE,
    'With several archives of one network a file is verified if one of them has it sound; a copy that is not is shown with the archive to blame.',
  ],
  groups: [
    {
      title: 'What to verify',
      options: [
        'low', 'high', 'last', { note: 'All three are rounded out to whole checkpoints.' }, 'sample', 'seed', 'deep', 'skip-optional', 'skip-buckets', 'workers', 'network',
        'checkpoint-frequency',
      ],
    },
    {
      title: TRUST.title,
      options: [...TRUST.options, 'all-signatures', {
        note: "Without anybody's word the verdict can only be that a history agrees with itself. Where you name validators and they do not vouch for it, the run is incomplete; where a quorum of others signed it and none of yours, or a hash differs, it is faulty.",
      }],
    },
    { title: 'How', options: ['order', ...READING, 'state'] },
    {
      title: 'What comes out',
      options: [
        ['report', 'write the report as JSON: a file appears whole or not at all, a link stays a link; pipes and devices (/dev/stdout) are written straight into; - is refused'],
        'metrics', ['plan', 'write what is to be mended as a plan: for repair --plan of this program and of stellar-archivist'], ['json', EVENTS],
        ['quiet', 'print only findings, the verdict, and what of the range was left out; no progress'],
      ],
    },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'verified: nothing wrong in what was asked for'],
    [1, 'faulty: there are findings'],
    [2, 'could not complete: usage, network, a limit, or cancelled (Ctrl-C prints what was found so far); or nobody vouches for it of those whom you named'],
  ],
  environment: EVERYWHERE,
  examples: [
    { says: 'A folder, everything in it:', lines: ['$0 verify ./archive'] },
    { says: 'The first two checkpoints of a public archive of the test network:', lines: [`$0 verify ${CORE_TESTNET} --high 127`] },
    {
      says: 'Three archives of the test network at once, newest ledgers first, to be interrupted and gone on with:',
      lines: [`$0 verify ${CORE_TESTNET.slice(0, -1)}{1,2,3} \\`, '  --order newest-first --state testnet.state'],
    },
    {
      says: 'Two checkpoints at random without their buckets; the report to a file, numbers for a monitor:',
      lines: [`$0 verify ${CORE_LIVE} \\`, '  --sample 2 --skip-buckets --report report.json --metrics archive.prom'],
    },
    { says: 'What your own node believes decides, and every signature is looked at:', lines: ['$0 verify ./archive --quorum-set ./stellar-core.cfg --all-signatures'] },
    { says: 'What is wrong with a mirror, for repair:', lines: ['$0 verify ./mirror --plan plan.json'] },
    { says: 'Only the findings, for another program:', lines: ["$0 verify ./mirror --json | jq -c 'select(.type == \"finding\") | .finding'"] },
  ],
  seeAlso: ['compare', 'repair', 'quorum-sets', 'config'],
};

export const compare: Page = {
  brief: '<ARCHIVE> <ARCHIVE>…',
  title: 'who agrees with whom, who lacks what, and who is provably wrong',
  forms: ['<ARCHIVE> <ARCHIVE>… [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: [
    'Holds archives against each other, checkpoint by checkpoint: what their files commit to, never their raw bytes. Says who lacks what, who is provably wrong because validators that you believe sealed something else, and who merely differs. The signatures of all archives count together.',
    ARCHIVE,
  ],
  groups: [
    {
      title: 'What to compare',
      options: [
        ['low', 'first ledger, decimal or hexadecimal; default: where the first archive begins'],
        ['high', 'last ledger; default: the newest checkpoint that all announce'],
        'last', 'network', 'checkpoint-frequency',
      ],
    },
    TRUST,
    { title: 'How', options: READING },
    { title: 'What comes out', options: [['json', 'one JSON object a checkpoint; the last line is {"type":"report","report":{…}}']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [[0, 'all have the same'], [1, 'they disagree, or an archive is faulty or of another network'], [2, LIMITS]],
  environment: EVERYWHERE,
  examples: [
    { says: 'Is this mirror what it mirrors?', lines: [`$0 compare ./archive ${CORE_LIVE} --last 128`] },
    { says: 'The three archives of the test network:', lines: [`$0 compare ${CORE_TESTNET.slice(0, -1)}{1,2,3} --high 127`] },
    {
      says: 'Which archives are not what the others are, for another program:',
      lines: ['$0 compare ./archive ./mirror --json \\', "  | jq -r '.report.archives[]? | select(.standing != \"agrees\") | .name'"],
    },
  ],
  seeAlso: ['check-header', 'status', 'verify'],
};

export const checkHeader: Page = {
  brief: '<ARCHIVE>… --ledger N',
  title: "compare one ledger's header between archives, or with a hash",
  forms: ['<ARCHIVE>… --ledger N [--hash HEX | --entry BASE64|FILE] [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: ['Compares the header of one ledger between archives, and with its hash or its whole entry if you know them, for example from your own node.', ARCHIVE],
  groups: [
    {
      title: 'What to compare',
      options: [
        'ledger', 'hash', ['entry', 'the LedgerHeaderHistoryEntry that it must be, in base64, or a file that holds it in base64 or as XDR'],
        { note: 'Without these the archives are compared with the first that has the header.' }, 'network', 'checkpoint-frequency',
      ],
    },
    { title: 'How', options: ['max-retries', 'timeout-secs'] },
    { title: 'What comes out', options: [['json', 'one JSON object with the hash of each archive']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [[0, 'every archive has this header'], [1, 'an archive has another one'], [2, 'an archive does not have it, or could not be read']],
  environment: EVERYWHERE,
  examples: [
    { says: 'Do these two have the same history up to this ledger?', lines: [`$0 check-header ./mirror ${CORE_LIVE} --ledger 127`] },
    {
      says: "Does this archive begin with the test network's genesis ledger?",
      lines: ['$0 check-header ./archive --ledger 1 \\', '  --hash 63d98f536ee68d1b27b5b89f23af5311b7569a24faf1403ad0b52b633b07be99'],
    },
    { says: 'The hash of a ledger, for another program:', lines: ['$0 check-header ./archive --ledger 0x3f --json | jq -r .expected.hash'] },
  ],
  seeAlso: ['compare', 'log'],
};

export const verifyCheckpoints: Page = {
  brief: '<ARCHIVE>… --output-filename FILE',
  title: "the hashes of all checkpoints, in stellar-core's file of them",
  forms: ['<ARCHIVE>… --output-filename FILE [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: [
    "Verifies the chain of headers from a ledger that is vouched for down to the beginning, and writes the hash of every checkpoint to a file: the same file, byte by byte, that stellar-core's command of this name writes, for catchup with trusted hashes and for verify --trusted-checkpoint-hashes. Only headers and messages are read.",
    ARCHIVE,
  ],
  groups: [
    { title: 'Where it begins and ends', options: ['history-ledger', 'history-hash', 'trusted-hash-file', 'from-ledger'] },
    { title: 'Whose word counts', options: [QUORUM_SET, 'network', 'checkpoint-frequency'] },
    { title: 'How', options: READING },
    { title: 'What comes out', options: ['output-filename', ['json', 'one JSON object that says what was written and what vouches for it']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'the file is written, and every hash in it is vouched for'],
    [1, 'there is none: no archive has all of the chain sound'],
    [2, 'there is none: nobody whom you believe vouches for it, usage, network, or cancelled'],
  ],
  environment: EVERYWHERE,
  examples: [
    {
      says: 'All checkpoints, sealed by the validators that your own node believes:',
      lines: ['$0 verify-checkpoints ./archive --quorum-set ./stellar-core.cfg --output-filename hashes.json'],
    },
    {
      says: 'The same file a day later, in a fraction of the time:',
      lines: ['$0 verify-checkpoints ./archive --quorum-set ./stellar-core.cfg \\', '  --trusted-hash-file hashes.json --output-filename hashes.json'],
    },
    { says: 'What they are good for: a history that ends in one of them is known, whoever signed it:', lines: ['$0 verify ./archive --trusted-checkpoint-hashes hashes.json'] },
  ],
  seeAlso: ['verify', 'check-header'],
};
