/**
 * The keys of a look inside an archive as a value, and back: `ledger=3000&tx=4` is the fifth transaction of ledger 3000.
 *
 * Pure; no DOM. Which archive is looked at stands in the form's keys and in `in`.
 */
import { checkpointOf } from '../checkpoints.ts';
import { parseLedger } from '../form.ts';

export type Subject =
  /** `null`: the newest. */
  | { readonly kind: 'checkpoint'; readonly checkpoint: number | null }
  | { readonly kind: 'ledger'; readonly ledger: number }
  | { readonly kind: 'transaction'; readonly ledger: number; readonly index: number }
  | { readonly kind: 'bucket'; readonly hash: string; readonly from: number }
  | { readonly kind: 'entry'; readonly key: string; readonly checkpoint: number | null }
  | { readonly kind: 'find'; readonly hash: string };

export interface Route {
  /** `null`: the keys make no sense. */
  readonly subject: Subject | null;
  /** Which of the form's archives, from 0. */
  readonly place: number;
}

/** Ledgers between checkpoints of the archives that are looked into. */
export const FREQUENCY = 64;

function subjectOf(given: URLSearchParams): Subject | null {
  const text = (name: string): string => (given.get(name) ?? '').trim();
  const place = (name: string): number | null => (/^[0-9]{1,9}$/.test(text(name)) ? Number(text(name)) : null);
  const hash = (name: string): string | null => (/^[0-9a-f]{64}$/i.test(text(name)) ? text(name).toLowerCase() : null);
  const checkpoint = (): number | null => {
    const ledger = parseLedger(text('checkpoint'));
    return ledger === null ? null : checkpointOf(ledger, FREQUENCY);
  };
  if (given.has('find')) {
    const wanted = hash('find');
    return wanted === null ? null : { kind: 'find', hash: wanted };
  }
  if (given.has('bucket')) {
    const wanted = hash('bucket');
    return wanted === null ? null : { kind: 'bucket', hash: wanted, from: place('from') ?? 0 };
  }
  // A plus that nobody escaped is read as a space.
  if (given.has('entry')) return { kind: 'entry', key: text('entry').replaceAll(' ', '+'), checkpoint: checkpoint() };
  if (given.has('ledger')) {
    const ledger = parseLedger(text('ledger'));
    if (ledger === null) return null;
    const index = place('tx');
    return index === null ? { kind: 'ledger', ledger } : { kind: 'transaction', ledger, index };
  }
  const wanted = checkpoint();
  return wanted === null && text('checkpoint') !== 'newest' ? null : { kind: 'checkpoint', checkpoint: wanted };
}

export function routeOf(look: string): Route {
  const given = new URLSearchParams(look);
  const place = Number(given.get('in') ?? '1') - 1;
  return { subject: subjectOf(given), place: Number.isInteger(place) && place > 0 ? place : 0 };
}

/** The keys of a subject; `place` where it is not the first archive. */
export function keysOf(subject: Subject, place = 0): string {
  const keys = (() => {
    switch (subject.kind) {
      case 'checkpoint': return `checkpoint=${subject.checkpoint ?? 'newest'}`;
      case 'ledger': return `ledger=${subject.ledger}`;
      case 'transaction': return `ledger=${subject.ledger}&tx=${subject.index}`;
      case 'bucket': return subject.from === 0 ? `bucket=${subject.hash}` : `bucket=${subject.hash}&from=${subject.from}`;
      case 'entry': return `entry=${encodeURIComponent(subject.key)}&checkpoint=${subject.checkpoint ?? 'newest'}`;
      case 'find': return `find=${subject.hash}`;
    }
  })();
  return place > 0 ? `${keys}&in=${place + 1}` : keys;
}
