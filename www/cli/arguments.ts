/**
 * From the words of the command line to what is to be done.
 *
 * Not here: looking at the archive or at any file. A word that makes no sense is a `USAGE` error that says what would.
 */
import { parseArgs } from 'node:util';
import { ArchiveVerifierError, messageOf } from '../lib/errors.ts';
import type { VerifyOptions } from '../lib/types.ts';

export interface VerifyCommand {
  readonly command: 'verify';
  readonly archive: string;
  readonly options: Omit<VerifyOptions, 'signal'>;
  readonly report: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
}

export type Command = VerifyCommand | { readonly command: 'help' } | { readonly command: 'version' };

const OPTIONS = {
  'checkpoint-frequency': { type: 'string' },
  'concurrency': { type: 'string' },
  'deep': { type: 'boolean' },
  'help': { type: 'boolean', short: 'h' },
  'high': { type: 'string' },
  'json': { type: 'boolean' },
  'low': { type: 'string' },
  'max-retries': { type: 'string' },
  'network': { type: 'string' },
  'quiet': { type: 'boolean', short: 'q' },
  'report': { type: 'string' },
  'skip-buckets': { type: 'boolean' },
  'skip-optional': { type: 'boolean' },
  'version': { type: 'boolean', short: 'V' },
} as const;

/** Ledger sequences are 32-bit. */
const MAX_LEDGER = 0xffff_ffff;
/** More connections than this help nobody, and hosts answer them with refusals. */
const MAX_CONCURRENCY = 256;
const MAX_RETRIES = 100;

export function usage(message: string, advice?: string): ArchiveVerifierError {
  return new ArchiveVerifierError('USAGE', message, { advice });
}

/** A whole number in `min..=max`; nothing is guessed, so `12e3`, `1_000` and `-1` are refused. */
function wholeNumber(option: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw usage(`--${option} takes a whole number, not ${JSON.stringify(text)}`, 'Write it in decimal (63) or in hexadecimal (0x3f).');
  }
  if (value < min || value > max) throw usage(`--${option} takes a number from ${min} to ${max}, not ${text}`);
  return value;
}

function checkpointFrequency(text: string | undefined): 8 | 64 | undefined {
  const value = wholeNumber('checkpoint-frequency', text, 8, 64);
  if (value === undefined || value === 8 || value === 64) return value;
  throw usage(`--checkpoint-frequency is 64 or 8, not ${value}`, '64 on every public network; 8 only with accelerated time, as in tests.');
}

/** The number of single-letter edits between two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function similar(word: string, names: readonly string[]): string | undefined {
  const known = names.map((name) => ({ name, edits: distance(word, name) }));
  const nearest = known.reduce((best, candidate) => (candidate.edits < best.edits ? candidate : best));
  return nearest.edits <= 2 ? nearest.name : undefined;
}

/** Every name the verifier knows, with the one to write. */
const NETWORKS: Readonly<Record<string, string>> = {
  futurenet: 'futurenet', mainnet: 'pubnet', public: 'pubnet', pubnet: 'pubnet', standalone: 'standalone', testnet: 'testnet',
};

/** A misspelt name would be taken for a passphrase, and a good archive be called faulty. */
function checkNetwork(text: string): void {
  if (Object.hasOwn(NETWORKS, text)) return;
  const near = similar(text.trim().toLowerCase(), Object.keys(NETWORKS));
  const name = near === undefined ? undefined : NETWORKS[near];
  if (name === undefined) return;
  throw usage(`there is no network ${JSON.stringify(text)}: did you mean ${name}?`, `Write --network ${name}, or the whole passphrase.`);
}

/** Node's own sentences, in the words of this program. */
function parseError(cause: unknown): ArchiveVerifierError {
  const message = messageOf(cause);
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const near = similar(unknown.replace(/^-+/, ''), Object.keys(OPTIONS));
    return usage(`there is no option ${unknown}`, near === undefined ? undefined : `Did you mean --${near}?`);
  }
  const missing = /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?' argument (missing|is ambiguous)/.exec(message)?.[1];
  if (missing !== undefined) return usage(`${missing} needs a value`, `Write it after the option: ${missing} VALUE, or ${missing}=VALUE where it begins with a dash.`);
  const flag = /^Option '(?:-\w, )?(--[\w-]+)' does not take an argument/.exec(message)?.[1];
  if (flag !== undefined) return usage(`${flag} takes no value`);
  return usage(message);
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw parseError(cause);
  }
}

/** What `words` (without node and the script) ask for. */
export function parseCommand(words: readonly string[]): Command {
  const { values, positionals } = parse(words);
  const [command, archive, ...rest] = positionals;
  if (values.help === true || command === 'help') return { command: 'help' };
  if (values.version === true || command === 'version') return { command: 'version' };
  if (command === undefined) throw usage('what shall be done?', 'To verify an archive: verify <URL|DIR>.');
  if (command !== 'verify') {
    throw usage(`there is no command ${JSON.stringify(command)}`, /[./]/.test(command) ? `Did you mean: verify ${command}` : 'The commands are verify <URL|DIR> and help.');
  }
  if (archive === undefined || archive === '') throw usage('verify needs an archive', 'Give its URL or a folder: verify <URL|DIR>.');
  if (rest.length > 0) throw usage(`verify takes one archive, and ${JSON.stringify(rest[0])} is one too many`, 'Put quotes around a value with spaces.');
  if (values.report === '') throw usage('--report needs the name of a file');
  if (values.report === '-') throw usage('--report - is not a file', 'Name a file (./- for one of that name), or use --json, whose last line has the report.');
  if (values.network === '') throw usage('--network needs a name or a passphrase');
  if (values.network !== undefined) checkNetwork(values.network);

  const low = wholeNumber('low', values.low, 0, MAX_LEDGER);
  const high = wholeNumber('high', values.high, 0, MAX_LEDGER);
  if (low !== undefined && high !== undefined && low > high) {
    throw usage(`--low ${values.low} is above --high ${values.high}`, 'Exchange the two.');
  }
  const concurrency = wholeNumber('concurrency', values.concurrency, 1, MAX_CONCURRENCY);
  const maxRetries = wholeNumber('max-retries', values['max-retries'], 0, MAX_RETRIES);
  const frequency = checkpointFrequency(values['checkpoint-frequency']);
  const range = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
  return {
    command: 'verify',
    archive,
    options: {
      ...(low === undefined && high === undefined ? {} : { range }),
      ...(values.network === undefined ? {} : { network: values.network }),
      ...(values.deep === true ? { deep: true } : {}),
      ...(values['skip-optional'] === true ? { skipOptional: true } : {}),
      ...(values['skip-buckets'] === true ? { skipBuckets: true } : {}),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
      ...(frequency === undefined ? {} : { checkpointFrequency: frequency }),
    },
    report: values.report,
    json: values.json === true,
    quiet: values.quiet === true,
  };
}
