/** The manual: the command about audits that a fleet does. Not here: what the command does. */
import { AUDIT_WORDS } from '../option-table.ts';
import { EVERYWHERE } from './environment.ts';
import type { Page } from './page.ts';
import { EVERYWHERE_OPTIONS } from './words.ts';

const WORKER = 'https://archives.example.org';
const ID = '0123456789abcdef0123456789abcdef';

export const audit: Page = {
  brief: '<WHAT> …',
  title: "a whole archive over an edge worker's fleet: estimate, start, watch, steer",
  forms: ['estimate [ARCHIVE] [options]', 'start [ARCHIVE] [options]', 'status|watch|report <ID|URL> [options]', 'pause|resume|cancel <ID|URL> [options]', 'list [options]'],
  operands: [{ completes: AUDIT_WORDS }, { completes: [] }],
  about: [
    "Has a whole archive verified by an edge worker's fleet, where this computer is not enough: terabytes. The worker does it, on its own account; this command says beforehand what it would take, begins it, watches it, and prints the report at the end. Nothing is verified here: the report is the word of whoever runs the worker.",
    "An ARCHIVE is one of the worker's list, by name or address; where it has only one, none need be named. An audit is known by its ID at the worker, or by its address, https://WORKER/audit/ID, which start prints.",
  ],
  groups: [
    { title: 'Which worker', options: ['worker', 'token-file'] },
    {
      title: 'What to verify (estimate, start)',
      options: [
        ['low', 'first ledger, decimal or hexadecimal; together with --high; default: all that the archive has'], ['high', 'last ledger'], 'skip-buckets',
        ['consumers', 'so many parts at once at most; default: 10, and the worker has a limit (start)'],
      ],
    },
    {
      title: 'What comes out',
      options: [
        ['report', 'write the report as JSON; the file appears whole or not at all (watch, report)'],
        ['timeout-secs', 'stop watching after so long without an answer, while the worker is asked again and again; default: 600 (watch)'],
        ['json', 'one JSON object a line, with its type; watch prints an audit for everything new, and the report last'],
        ['quiet', 'print only findings and the verdict, and of an audit its address; no progress'],
      ],
    },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'verified (watch, report); it was done (the others)'], [1, 'faulty: there are findings (watch, report)'],
    [2, 'incomplete, failed or cancelled (watch, report); usage, no answer, refused by the worker. Ctrl-C ends the watching, not the audit'],
  ],
  environment: [...EVERYWHERE, 'STELLAR_ARCHIVE_WORKER', 'STELLAR_ARCHIVE_AUDIT_TOKEN'],
  examples: [
    { says: 'What would it take, and in which time?', lines: [`$0 audit estimate testnet --worker ${WORKER}`] },
    { says: 'Begin it, with the token from a file:', lines: [`$0 audit start testnet --consumers 50 --worker ${WORKER} \\`, '  --token-file audit-token'] },
    { says: 'Watch it to its end, and keep the report:', lines: [`$0 audit watch ${WORKER}/audit/${ID} \\`, '  --report report.json'] },
    { says: 'Stop it for the day:', lines: [`STELLAR_ARCHIVE_AUDIT_TOKEN=$(cat audit-token) $0 audit pause ${WORKER}/audit/${ID}`] },
  ],
  seeAlso: ['verify', 'status', 'help'],
};
