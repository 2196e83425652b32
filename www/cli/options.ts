/**
 * What stands behind each option, and what it comes to. A value that makes no sense is a `USAGE` error that says what would.
 *
 * Not here: which options there are (`option-table.ts`), and which command takes which (`manual/`).
 */
import { ArchiveVerifierError } from '../lib/errors.ts';
import type { Order } from '../lib/types.ts';
import type { ColourWhen } from './colour.ts';
import { COLOUR_WORDS, OPTIONS } from './option-table.ts';
import type { OptionName } from './option-table.ts';

export type { OptionName } from './option-table.ts';

type ValueOf<Option> = Option extends { readonly multiple: true } ? string[] : Option extends { readonly type: 'boolean' } ? boolean : string;

/** What stands behind each option on the command line. */
export type Values = { readonly [Name in OptionName]?: ValueOf<(typeof OPTIONS)[Name]> | undefined };

/** Ledger sequences are 32-bit. */
export const MAX_LEDGER = 0xffff_ffff;
/** More connections than this help nobody, and hosts answer them with refusals. */
const MAX_CONCURRENCY = 256;
const MAX_RETRIES = 100;
const MAX_WORKERS = 64;
const MAX_TIMEOUT_SECS = 3600;
/** Bytes a second; no line is faster. */
const MAX_BANDWIDTH = 1_000_000_000_000;

export function usage(message: string, advice?: string): ArchiveVerifierError {
  return new ArchiveVerifierError('USAGE', message, { advice });
}

/** A whole number in `min..=max`; nothing is guessed, so `12e3`, `1_000` and `-1` are refused. */
export function wholeNumber(option: OptionName, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw usage(`--${option} takes a whole number, not ${JSON.stringify(text)}`, 'Write it in decimal (63) or in hexadecimal (0x3f).');
  }
  if (value < min || value > max) throw usage(`--${option} takes a number from ${min} to ${max}, not ${text}`);
  return value;
}

export function concurrency(values: Values): number | undefined {
  return wholeNumber('concurrency', values.concurrency, 1, MAX_CONCURRENCY);
}

export function workers(values: Values): number | undefined {
  return wholeNumber('workers', values.workers, 1, MAX_WORKERS);
}

export function maxRetries(values: Values): number | undefined {
  return wholeNumber('max-retries', values['max-retries'], 0, MAX_RETRIES);
}

export function timeoutMs(values: Values): number | undefined {
  const seconds = wholeNumber('timeout-secs', values['timeout-secs'], 1, MAX_TIMEOUT_SECS);
  return seconds === undefined ? undefined : seconds * 1000;
}

export function checkpointFrequency(values: Values): 8 | 64 | undefined {
  const value = wholeNumber('checkpoint-frequency', values['checkpoint-frequency'], 8, 64);
  if (value === undefined || value === 8 || value === 64) return value;
  throw usage(`--checkpoint-frequency is 64 or 8, not ${value}`, '64 on every public network; 8 only with accelerated time, as in tests.');
}

/** Bytes a second that are read at most; 0 is no limit. */
export function bandwidthLimit(values: Values): number | undefined {
  const text = values['bandwidth-limit'];
  if (text !== undefined && /^\d+(\.\d+)?\s*[kmg]i?b?$/i.test(text)) {
    throw usage(`--bandwidth-limit takes a whole number of bytes a second, not ${JSON.stringify(text)}`, 'Write the number without a unit: 10000000 is 10 MB a second.');
  }
  return wholeNumber('bandwidth-limit', text, 0, MAX_BANDWIDTH);
}

export function ledger(values: Values): number | undefined {
  return wholeNumber('ledger', values.ledger, 1, MAX_LEDGER);
}

export interface RangeOptions {
  readonly range?: { readonly low?: number; readonly high?: number };
  readonly last?: number;
}

/** `--low`, `--high` and `--last`, which say between them which ledgers are meant. */
export function ledgers(values: Values): RangeOptions {
  const low = wholeNumber('low', values.low, 0, MAX_LEDGER);
  const high = wholeNumber('high', values.high, 0, MAX_LEDGER);
  const last = wholeNumber('last', values.last, 1, MAX_LEDGER);
  if (low !== undefined && last !== undefined) throw usage('--last and --low both say where to begin', 'Leave one of them out.');
  if (low !== undefined && high !== undefined && low > high) {
    throw usage(`--low ${values.low} is above --high ${values.high}`, 'Exchange the two.');
  }
  return defined({ range: low === undefined && high === undefined ? undefined : defined({ low, high }), last });
}

export function sample(values: Values): { readonly sample?: number; readonly seed?: string } {
  const count = wholeNumber('sample', values.sample, 1, MAX_LEDGER);
  const text = values.seed;
  if (text === undefined) return defined({ sample: count });
  if (count === undefined) throw usage('--seed belongs to --sample', 'Write --sample N as well, with the number of the run to repeat.');
  const seed = text.replace(/^0x/i, '').toLowerCase();
  if (!/^[0-9a-f]{16}$/.test(seed)) {
    throw usage(`--seed takes 16 hexadecimal digits, not ${JSON.stringify(text)}`, 'The report of a sampled run names its seed; without --seed one is drawn.');
  }
  return { sample: count, seed };
}

const ORDERS: Readonly<Record<string, Order>> = {
  'asc': 'oldest-first', 'ascending': 'oldest-first', 'desc': 'newest-first', 'descending': 'newest-first', 'forward': 'oldest-first',
  'newest': 'newest-first', 'newest-first': 'newest-first', 'oldest': 'oldest-first', 'oldest-first': 'oldest-first', 'reverse': 'newest-first',
};

export function order(values: Values): Order | undefined {
  const text = values.order;
  if (text === undefined || text === 'oldest-first' || text === 'newest-first') return text;
  const near = similar(text.toLowerCase(), Object.keys(ORDERS));
  const meant = near === undefined ? undefined : ORDERS[near];
  throw usage(`--order is oldest-first or newest-first, not ${JSON.stringify(text)}`, meant === undefined ? undefined : `Did you mean --order ${meant}?`);
}

export function colour(values: Values): ColourWhen {
  const text = values.color;
  if (text === undefined) return 'auto';
  const when = COLOUR_WORDS.find((word) => word === text);
  if (when !== undefined) return when;
  const near = similar(text.toLowerCase(), COLOUR_WORDS);
  throw usage(`--color is auto, always or never, not ${JSON.stringify(text)}`, near === undefined ? undefined : `Did you mean --color ${near}?`);
}

/** The 64 digits of a hash, in lower case. */
export function hash(what: string, text: string): string {
  const digits = text.replace(/^0x/i, '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw usage(`${what} takes the 64 hexadecimal digits of a hash, not ${JSON.stringify(text)}`, /^[0-9a-f]+$/.test(digits)
    ? `These are ${digits.length}.`
    : undefined);
}

/** Every name the verifier knows, with the one to write. */
const NETWORKS: Readonly<Record<string, string>> = {
  futurenet: 'futurenet', mainnet: 'pubnet', public: 'pubnet', pubnet: 'pubnet', standalone: 'standalone', testnet: 'testnet',
};

/** Whether it is a name; anything else is taken for a passphrase. */
export function isNetworkName(text: string): boolean {
  return Object.hasOwn(NETWORKS, text);
}

/** A misspelt name would be taken for a passphrase, and a good archive be called faulty. */
export function network(values: Values): string | undefined {
  const text = values.network;
  if (text === undefined) return undefined;
  if (text === '') throw usage('--network needs a name or a passphrase');
  if (isNetworkName(text)) return text;
  const near = similar(text.trim().toLowerCase(), Object.keys(NETWORKS));
  const name = near === undefined ? undefined : NETWORKS[near];
  if (name === undefined) return text;
  throw usage(`there is no network ${JSON.stringify(text)}: did you mean ${name}?`, `Write --network ${name}, or the whole passphrase.`);
}

/** The file that a result goes to; `instead` is what a dash may have meant. */
export function outputFile(option: 'metrics' | 'output' | 'output-filename' | 'plan' | 'report' | 'state', values: Values, instead: string): string | undefined {
  const path = values[option];
  if (path === '') throw usage(`--${option} needs the name of a file`);
  if (path === '-') throw usage(`--${option} - is not a file`, instead);
  return path;
}

/** The name of a file that is read; a dash is no name where there is one input only. */
export function inputFile(option: 'plan' | 'quorum-set' | 'token-file' | 'trusted-checkpoint-hashes' | 'trusted-hash-file', values: Values): string | undefined {
  const path = values[option];
  if (path === '') throw usage(`--${option} needs the name of a file`);
  return path;
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

/** The one of `names` that `word` was most likely meant to be. */
export function similar(word: string, names: readonly string[]): string | undefined {
  const known = names.map((name) => ({ name, edits: distance(word, name) }));
  const nearest = known.reduce((best, candidate) => (candidate.edits < best.edits ? candidate : best));
  return nearest.edits <= 2 ? nearest.name : undefined;
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Leaves out what is undefined. */
export function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
