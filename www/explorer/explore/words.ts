/** Values of the ledger as people read them, and a way into JSON of unknown shape. Pure; no DOM. */
import { grouped } from '../format.ts';

/** What stands in `json` under the names, one below the other; `undefined` where there is no such thing. */
export function within(json: unknown, ...names: readonly string[]): unknown {
  let at = json;
  for (const name of names) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}

/** A text or a number of it. */
export function textWithin(json: unknown, ...names: readonly string[]): string | null {
  const found = within(json, ...names);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : null;
}

/** Thin-space grouping of a whole number that may be too large for `Number`. */
export function groupedText(value: string): string {
  return value.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** Stroops as XLM: seven digits after the point, of which zeros at the end are left out. */
export function lumens(stroops: string): string {
  const [, sign = '', digits = ''] = /^(-?)(\d+)$/.exec(stroops) ?? [];
  if (digits === '') return stroops;
  const padded = digits.padStart(8, '0');
  const fraction = padded.slice(-7).replace(/0+$/, '');
  return `${sign}${groupedText(padded.slice(0, -7))}${fraction === '' ? '' : `.${fraction}`}\u00a0XLM`;
}

export function inStroops(value: string): string {
  return `${groupedText(value)}\u00a0${value === '1' ? 'stroop' : 'stroops'}`;
}

/** 2025-11-21 17:03:55 UTC */
export function utc(seconds: number): string {
  return `${iso(seconds).slice(0, 19).replace('T', ' ')} UTC`;
}

/** Empty for what is no time that calendars have. */
export function iso(seconds: number): string {
  const milliseconds = seconds * 1000;
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : '';
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1],
];

/** Such as “5 years ago”. */
export function ago(seconds: number, now: number, numeric: 'auto' | 'always' = 'auto'): string {
  const passed = seconds - now / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(passed) >= size) ?? ['second', 1];
  return new Intl.RelativeTimeFormat('en', { numeric }).format(Math.trunc(passed / length), unit);
}

/** `path_payment_strict_send` as a title. */
export function spaced(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Operations of a transaction in a line: the same in a row are counted. */
export function operationsInWords(operations: readonly string[], most = 3): string {
  const counts = new Map<string, number>();
  for (const name of operations) counts.set(name, (counts.get(name) ?? 0) + 1);
  const kinds = [...counts].map(([name, count]) => `${name.replaceAll('_', ' ')}${count > 1 ? ` ×\u00a0${count}` : ''}`);
  const more = kinds.length - most;
  return kinds.length === 0 ? 'no operation' : more > 0 ? `${kinds.slice(0, most).join(', ')} and ${grouped(more)} more` : kinds.join(', ');
}

/** Names of fields that say whose or which entry it is, by their weight. */
const TELLING = ['account_id', 'seller_id', 'contract', 'balance_id', 'liquidity_pool_id', 'key_hash', 'hash', 'config_setting_id', 'ledger_version'];

/** The field of an entry that tells it from others best. */
export function telling(json: unknown): { readonly name: string; readonly value: string } | null {
  const found = new Map<string, string>();
  let layer: readonly unknown[] = [json];
  for (let depth = 0; depth < 7 && layer.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const value of layer.slice(0, 200)) {
      if (typeof value !== 'object' || value === null) continue;
      for (const [name, inner] of Object.entries(value)) {
        if (TELLING.includes(name) && !found.has(name) && (typeof inner === 'string' || typeof inner === 'number')) found.set(name, String(inner));
        next.push(inner);
      }
    }
    layer = next;
  }
  const name = TELLING.find((wanted) => found.has(wanted));
  if (name === undefined) return null;
  const value = found.get(name) ?? '';
  return { name, value: name === 'ledger_version' ? `protocol ${value}` : value };
}
