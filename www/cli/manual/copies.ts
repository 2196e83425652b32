/** The manual: the commands that write archives. Not here: what the commands do. */
import { DESTINATIONS, EVERYWHERE } from './environment.ts';
import type { OptionLine, Page } from './page.ts';
import { ARCHIVE, CORE_LIVE, CORE_TESTNET, DESTINATION, EVENTS, EVERYWHERE_OPTIONS, READING, TRUST } from './words.ts';

const WRITING: readonly OptionLine[] = ['read-back', 'bandwidth-limit', ...READING];
const OUTPUT: readonly OptionLine[] = ['report', ['json', EVENTS], 'quiet'];

export const mirror: Page = {
  brief: '<ARCHIVE>… <DESTINATION>',
  title: 'copy an archive, every file verified before it is there',
  forms: ['<ARCHIVE>… <DESTINATION> [options]'],
  operands: [{ completes: 'archive', many: true }, { completes: 'destination' }],
  about: [
    'Copies an archive. Every file is verified before it is visible at the destination, against the chain of headers and against whoever vouches for it, and .well-known/stellar-history.json is written last: whoever reads the copy while it is made, or after a power cut, finds nothing that is not sound. What is there already and sound is kept, so an interrupted mirror is gone on with by the same command.',
    ARCHIVE,
    'With several archives of one network, each file is copied from one that has it sound.',
    DESTINATION,
  ],
  groups: [
    {
      title: 'What to copy',
      options: ['low', 'high', { note: 'Both are rounded out to whole checkpoints.' }, 'overwrite', 'allow-mirror-gaps', 'skip-optional', 'network', 'checkpoint-frequency'],
    },
    TRUST,
    { title: 'How', options: WRITING },
    { title: 'What comes out', options: OUTPUT },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'complete: the destination has all of the range, verified'],
    [1, 'faulty: no archive has a file sound; it is not at the destination, and .well-known ends before it'],
    [2, 'could not complete: usage, network, a disk that is full, a limit, or cancelled (Ctrl-C leaves what was written)'],
  ],
  environment: [...EVERYWHERE, ...DESTINATIONS],
  examples: [
    { says: "The test network's archive in a folder, and the same command a day later for what is new:", lines: [`$0 mirror ${CORE_TESTNET} ./testnet`] },
    { says: 'From whichever of three archives has a file sound:', lines: [`$0 mirror ${CORE_TESTNET.slice(0, -1)}{1,2,3} ./testnet`] },
    {
      says: 'A stretch of the public network, slowly (for a bucket of S3 write s3://BUCKET/PREFIX in place of the folder):',
      lines: [`$0 mirror ${CORE_LIVE} ./stretch \\`, '  --low 128 --high 191 --bandwidth-limit 10000000'],
    },
    { says: 'Only what the validators of your own node sealed:', lines: ['$0 mirror ./archive ./sealed --quorum-set ./stellar-core.cfg'] },
  ],
  seeAlso: ['repair', 'verify', 'publish'],
};

export const repair: Page = {
  brief: '<ARCHIVE>… <DESTINATION>',
  title: 'replace what is missing or faulty in an archive from others',
  forms: ['<ARCHIVE>… <DESTINATION> [options]'],
  operands: [{ completes: 'archive', many: true }, { completes: 'destination' }],
  about: [
    'Replaces what is missing or faulty in an archive by what others have sound. Everything there is verified first; what is sound stays as it is. A replacement is verified before it takes the place of what was there.',
    ARCHIVE,
    'The last one is the archive to mend.',
    DESTINATION,
  ],
  groups: [
    {
      title: 'What to mend',
      options: [
        'low', ['high', 'last ledger; default: the newest checkpoint that is announced'], { note: 'Both are rounded out to whole checkpoints.' }, 'dry-run',
        ['plan', 'with --dry-run: write to FILE what would be mended. Without it: mend what FILE lists, and look for nothing else. Such a FILE is also what verify --plan writes, and the --report of stellar-archivist; each file is verified in any case'],
        'skip-optional', 'network', 'checkpoint-frequency',
      ],
    },
    TRUST,
    { title: 'How', options: WRITING },
    { title: 'What comes out', options: OUTPUT },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'complete: the destination has all of the range, verified; with --dry-run: it would have'],
    [1, 'faulty: no archive has a file sound'],
    [2, 'could not complete: usage, network, a disk that is full, a limit, or cancelled (Ctrl-C leaves what was mended)'],
  ],
  environment: [...EVERYWHERE, ...DESTINATIONS],
  examples: [
    { says: 'What would be done, to look at, and then to do:', lines: ['$0 repair ./archive ./mirror --dry-run --plan plan.json', '$0 repair ./archive ./mirror --plan plan.json'] },
    { says: 'A mirror, from what it mirrors:', lines: [`$0 repair ${CORE_LIVE} ./mirror`] },
    {
      says: 'Is there anything left to mend?',
      lines: ['$0 repair ./archive ./mirror --dry-run --json | tail -n 1 | jq .report.written.files'],
    },
  ],
  seeAlso: ['mirror', 'verify'],
};

export const publish: Page = {
  brief: '<ARCHIVE>… <DESTINATION> --ledger N',
  title: 'write one checkpoint, verified, and the newest state after it',
  forms: ['<ARCHIVE>… <DESTINATION> --ledger N [options]'],
  operands: [{ completes: 'archive', many: true }, { completes: 'destination' }],
  about: [
    'Writes one checkpoint to an archive, as a validator does: its files, its buckets, and after them its state and the newest state. All of it is read from the archives named first, and verified before it is written.',
    ARCHIVE,
    DESTINATION,
  ],
  groups: [
    { title: 'What to publish', options: [['ledger', 'any ledger of the checkpoint, decimal or hexadecimal'], 'network', 'checkpoint-frequency'] },
    { title: 'How', options: READING },
    { title: 'What comes out', options: [['json', 'one JSON object that says what was written']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'the checkpoint is published'], [1, 'it is not: no archive has its files sound'],
    [2, 'could not complete: usage, network, a disk that is full, a limit, or cancelled'],
  ],
  environment: [...EVERYWHERE, ...DESTINATIONS],
  examples: [
    {
      says: 'A new archive, and the first checkpoint in it:',
      lines: ['$0 new-hist ./mine --network "Sample Network ; stellar-archive-verifier"', '$0 publish ./archive ./mine --ledger 63'],
    },
    { says: 'The next one:', lines: ['$0 publish ./archive ./mine --ledger 127'] },
  ],
  seeAlso: ['new-hist', 'mirror'],
};

export const newHist: Page = {
  brief: '<DESTINATION> --network NAME',
  title: 'make the archive of a network that has no ledgers yet',
  forms: ['<DESTINATION> --network NAME|PASSPHRASE [options]'],
  operands: [{ completes: 'destination' }],
  about: ["Makes the archive of a network that has no ledgers yet: the state of ledger 0, as stellar-core's new-hist writes it. Refuses a place that has a state already.", DESTINATION],
  groups: [
    { title: 'Options', options: [['network', 'the network that it is for: pubnet, testnet, futurenet, standalone, or a passphrase'], ['json', 'one JSON object that says what was made']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [[0, 'the archive is made'], [2, 'could not complete: usage, an archive that is there already, network, a disk that is full, or cancelled']],
  environment: [...EVERYWHERE, ...DESTINATIONS],
  examples: [
    { says: 'For a network of your own:', lines: ['$0 new-hist ./mine --network "My Private Network ; June 2026"'] },
    { says: 'For one that the program knows, and what is in it then:', lines: ['$0 new-hist ./local --network standalone', '$0 dump ./local history 0 | jq .networkPassphrase'] },
  ],
  seeAlso: ['publish'],
};
