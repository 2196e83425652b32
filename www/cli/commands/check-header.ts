/**
 * `check-header <ARCHIVE>… --ledger N`: one ledger's header, compared between archives and with what is known of it.
 *
 * Not here: the comparison.
 */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../lib/errors.ts';
import { checkHeader as compare } from '../../lib/node.ts';
import type { HeaderCheck } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import { checkpointFrequency, defined, hash, ledger, maxRetries, network, timeoutMs, usage } from '../options.ts';
import { clean } from '../text.ts';
import type { Paint, Style } from '../colour.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK, archives } from './command.ts';
import type { Command } from './command.ts';

type Check = HeaderCheck['checks'][number];

const MARKS: Readonly<Record<Check['status'], { readonly mark: string; readonly style: Style }>> = {
  match: { mark: '✓', style: 'green' },
  differs: { mark: '✗', style: 'red' },
  missing: { mark: '–', style: 'yellow' },
  unreadable: { mark: '–', style: 'yellow' },
};

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** No entry is shorter: its fixed parts alone are longer than this. */
const SHORTEST_ENTRY = 200;

/** A record as it stands in a file of an archive has its length in front. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) return bytes;
  const mark = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return mark === 0x8000_0000 + bytes.length - 4 ? bytes.subarray(4) : bytes;
}

/** The entry that `word` is or names: base64 on the command line, or a file with base64 or with the XDR itself. */
async function readEntry(word: string): Promise<string | Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(word);
  } catch (cause) {
    const text = word.replace(/\s/g, '');
    if (BASE64.test(text) && text.length >= SHORTEST_ENTRY) return text;
    throw usage(`--entry is neither base64 of a LedgerHeaderHistoryEntry nor a file that can be read: ${messageOf(cause)}`, 'Check the spelling of the file, or put the base64 in quotes.');
  }
  const text = new TextDecoder().decode(bytes).replace(/\s/g, '');
  return BASE64.test(text) ? text : withoutMark(bytes);
}

function checkText({ archive, status, hash, message, advice }: Check, paint: Paint): string {
  const { mark, style } = MARKS[status];
  return [
    `${paint(style, `${mark} ${status}`)}  ${paint('bold', clean(archive))}`,
    ...(hash === null ? [] : [`    ${clean(hash)}`]),
    ...(message === '' ? [] : [`    ${clean(message)}`]),
    ...(advice === null || advice === '' ? [] : [paint('dim', `    → ${clean(advice)}`)]),
  ].join('\n');
}

function exitStatus({ checks }: HeaderCheck): number {
  if (checks.some(({ status }) => status === 'differs')) return FAULTS;
  return checks.every(({ status }) => status === 'match') ? OK : COULD_NOT_COMPLETE;
}

function summary(check: HeaderCheck): string {
  const { ledger, expected, checks } = check;
  if (expected === null) return `ledger ${ledger}: no archive has its header`;
  const matching = checks.filter(({ status }) => status === 'match').length;
  return `ledger ${ledger}: ${clean(expected.hash)}\n    (${clean(expected.from)}; ${matching} of ${checks.length} agree)`;
}

export const checkHeader: Command = {
  prepare(words) {
    const { values } = words;
    const names = archives('check-header', words);
    const sequence = ledger(values);
    if (sequence === undefined) throw usage('check-header needs --ledger N', 'N is the sequence of the ledger whose header is compared.');
    if (values.hash !== undefined && values.entry !== undefined) throw usage('--hash and --entry both say what is expected', 'Leave one of them out: the entry has its hash in it.');
    const expected = values.hash === undefined ? undefined : hash('--hash', values.hash);
    const options = defined({
      hash: expected, network: network(values), maxRetries: maxRetries(values), timeoutMs: timeoutMs(values),
      checkpointFrequency: checkpointFrequency(values),
    });
    return async (session) => {
      const sources = await openArchives(names);
      const entry = values.entry === undefined ? {} : { entry: await readEntry(values.entry) };
      const check = await compare(sources, { ledger: sequence, ...options, ...entry, signal: session.signal });
      if (session.json) session.result({ type: 'check-header', ...check });
      else session.print([summary(check), ...check.checks.map((one) => checkText(one, session.paint))].join('\n\n'));
      return exitStatus(check);
    };
  },
};
