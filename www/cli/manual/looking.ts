/** The manual: the commands that show what is in archives. Not here: what the commands do. */
import { EVERYWHERE } from './environment.ts';
import type { Page } from './page.ts';
import { ARCHIVE, CORE_LIVE, CORE_TESTNET, EVERYWHERE_OPTIONS, LIMITS, READING } from './words.ts';

export const status: Page = {
  brief: '<ARCHIVE>…',
  title: 'newest checkpoint, age, server and network of each, and how far it lags behind',
  forms: ['<ARCHIVE>… [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: [
    'Says what each archive announces: its newest checkpoint and how old that is, its server and network, and how far it is behind the others of the same network. Nothing but the newest state is looked at.',
    ARCHIVE,
  ],
  groups: [
    { title: 'How', options: ['max-retries', 'timeout-secs', 'checkpoint-frequency'] },
    { title: 'What comes out', options: [['json', 'one JSON object a line for each archive']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [[0, 'every archive could be read'], [1, 'what an archive announces is faulty'], [2, 'an archive could not be read']],
  environment: EVERYWHERE,
  examples: [
    { says: 'The three archives of the test network:', lines: [`$0 status ${CORE_TESTNET.slice(0, -1)}{1,2,3}`] },
    { says: 'Ledgers that a mirror lags behind, for another program:', lines: [`$0 status ./mirror ${CORE_LIVE} \\`, '  --json | jq .lag.ledgers'] },
  ],
  seeAlso: ['log', 'verify', 'compare'],
};

export const log: Page = {
  brief: '<ARCHIVE>…',
  title: 'one line a checkpoint, newest first',
  forms: ['<ARCHIVE>… [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: [
    'Prints one line a checkpoint, newest first: its ledgers, when the last of them closed, its protocol, and its hash. The headers of every checkpoint are verified; other files are not looked at.',
    ARCHIVE,
  ],
  groups: [
    {
      title: 'What to show',
      options: [
        ['low', 'first ledger, decimal or hexadecimal; default: all that the archive holds'], ['high', 'last ledger'], 'last',
        ['order', 'newest-first or oldest-first; default: newest-first'], 'checkpoint-frequency',
      ],
    },
    { title: 'How', options: READING },
    { title: 'What comes out', options: [['json', 'one JSON object a line; findings after them, and a last line with the counts']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [[0, 'all that is shown is verified'], [1, 'there are findings'], [2, LIMITS]],
  environment: EVERYWHERE,
  examples: [
    { says: 'The newest checkpoints:', lines: [`$0 log ${CORE_TESTNET} --last 128`] },
    { says: 'How many checkpoints closed under each protocol?', lines: ["$0 log ./archive --order oldest-first --json | jq -r '.protocol | values' | uniq -c"] },
  ],
  seeAlso: ['status', 'check-header', 'dump'],
};

export const dump: Page = {
  brief: '<FILE | ARCHIVE PATH>',
  title: 'the records of one file as JSON lines',
  forms: ['<FILE>', '<ARCHIVE> <PATH>', '<ARCHIVE> <history|ledger|transactions|results|scp> <CHECKPOINT>', '<ARCHIVE> bucket <HASH>'],
  operands: [{ completes: 'archive-or-file' }, { completes: ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'] }, { completes: [] }],
  about: [
    'Prints the records of one file as JSON, one a line. 64-bit integers are strings, so that no digit is lost.',
    "The name of a FILE must be as in an archive, because it says what is in it: ledger-0000003f.xdr.gz. A PATH is relative to the archive's root. A CHECKPOINT is any of its ledgers, decimal or hexadecimal (0x3f), or the eight digits of its files (0000003f).",
    ARCHIVE,
  ],
  groups: [
    { title: 'Options', options: ['checkpoint-frequency', ['json', 'changes nothing: the output is JSON in any case; complaints become a last line of it']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'the whole file was printed'], [1, 'the file is faulty, or the archive does not have it; the records before a fault were printed'], [2, LIMITS],
  ],
  environment: EVERYWHERE,
  examples: [
    { says: 'A file on this machine:', lines: ['$0 dump ./archive/ledger/00/00/00/ledger-0000003f.xdr.gz'] },
    { says: 'The headers of the first checkpoint of the test network:', lines: [`$0 dump ${CORE_TESTNET} ledger 0x3f`] },
    { says: 'The buckets of its state:', lines: ['$0 dump ./archive history 0x3f | jq .currentBuckets'] },
  ],
  seeAlso: ['log', 'prove'],
};

export const quorumSets: Page = {
  brief: '<ARCHIVE>',
  title: 'the quorum sets that nodes went by lately, and whose they are',
  forms: ['<ARCHIVE> [options]'],
  operands: [{ completes: 'archive' }],
  about: [
    'Lists the nodes whose messages the archive has kept lately, and the quorum set that each of them went by: what nodes say of themselves, signed by them. It is no reason to believe them.',
    ARCHIVE,
  ],
  groups: [
    {
      title: 'What to look at',
      options: [['last', 'the last N checkpoints; default: 100'], ['high', 'up to the checkpoint of this ledger; default: the newest'], 'network', 'checkpoint-frequency'],
    },
    { title: 'How', options: READING },
    { title: 'What comes out', options: [['json', 'one JSON object with the sets, the nodes and the counts']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [[0, 'the files that the archive has could be read; it need not have them all'], [1, 'a file is faulty'], [2, LIMITS]],
  environment: EVERYWHERE,
  examples: [
    { says: "Who made the test network's last hours?", lines: [`$0 quorum-sets ${CORE_TESTNET} --last 50`] },
    {
      says: 'The set that most nodes go by, to read, to edit, and then to give to --quorum-set:',
      lines: [
        '$0 quorum-sets ./archive --json \\',
        "  | jq '(.nodes | group_by(.quorumSet) | max_by(length)[0].quorumSet) as $hash",
        "      | .quorumSets[] | select(.hash == $hash) | .quorumSet' > validators.json",
        '$0 verify ./archive --quorum-set validators.json',
      ],
    },
  ],
  seeAlso: ['verify', 'config'],
};
