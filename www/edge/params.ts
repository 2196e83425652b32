/**
 * What requests ask for: every parameter that is there is known, there once, and what it must be.
 */
import type { Limits } from './config.ts';
import { Problem, quoted } from './problem.ts';

export const MAX_URL = 2048;
const MAX_LEDGER = 0xffff_ffff;
const CHECKPOINT = 64;

export interface LedgerRange {
  readonly low: number;
  readonly high: number;
}

/** The parameters of a request; throws where one is not `known`, or there twice. */
export function parameters(url: URL, known: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!known.includes(name)) {
      throw new Problem('bad-parameter', `There is no parameter ${quoted(name)} here; there ${known.length === 0 ? 'are none' : `is ${known.join(', ')}`}.`);
    }
    if (found.has(name)) throw new Problem('bad-parameter', `The parameter ${name} is there twice.`);
    found.set(name, value);
  }
  return found;
}

export function flag(values: ReadonlyMap<string, string>, name: string): boolean {
  const value = values.get(name) ?? '0';
  if (value === '0' || value === '1') return value === '1';
  throw new Problem('bad-parameter', `${name} is 1 or 0, not ${quoted(value)}.`);
}

/** `low` and `high`, both or neither, of `most` checkpoints at most. */
export function ledgerRange(values: ReadonlyMap<string, string>, most: number, limit: keyof Limits): LedgerRange | null {
  const [low, high] = [ledger(values, 'low'), ledger(values, 'high')];
  if (low === null && high === null) return null;
  if (low === null || high === null) throw new Problem('bad-range', 'low and high go together: give both or neither.');
  if (low > high) throw new Problem('bad-range', `low (${low}) is above high (${high}).`);
  const count = Math.floor(high / CHECKPOINT) - Math.floor(low / CHECKPOINT) + 1;
  if (count > most) {
    throw new Problem('bad-range', `Ledgers ${low} to ${high} are ${count} checkpoints; one request may ask for ${most} (${limit}). Ask for less, or use the command line.`);
  }
  return { low, high };
}

function ledger(values: ReadonlyMap<string, string>, name: string): number | null {
  const text = values.get(name);
  if (text === undefined) return null;
  const number = /^(?:\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  if (number >= 1 && number <= MAX_LEDGER) return number;
  throw new Problem('bad-parameter', `${name} is a ledger from 1 to ${MAX_LEDGER}, decimal or as 0x…, not ${quoted(text)}.`);
}

export function transactionHash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new Problem('bad-parameter', `The hash of a transaction is 64 hexadecimal digits, not ${quoted(text)}.`);
}

/** One range of bytes, as browsers ask; anything else is as if it were not there, which the standard allows. */
export function byteRange(text: string | null): string | null {
  return text !== null && /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/.test(text) ? text : null;
}
