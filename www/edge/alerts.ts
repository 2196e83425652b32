/**
 * When an archive's state changes: a pure function from what was known and what was seen now.
 *
 * A single bad moment changes nothing. Only a fault that is proven does so at once: by a hash, or by being seen again.
 *
 * Not here: looking (`watch.ts`), keeping (`store.ts`), telling (`webhook.ts`); no clock.
 */
import type { Verdict } from '../lib/types.ts';

/** Worse ones have higher ranks. */
const RANK = { unknown: -1, ok: 0, degraded: 1, unreachable: 2, faulty: 3 } as const;

/** What one observation comes to. */
export type Level = 'ok' | 'degraded' | 'unreachable' | 'faulty';

export interface Fault {
  /** The same for the same fault: code, file, ledger. */
  readonly key: string;
  readonly checkpoint: number | null;
  readonly message: string;
  /** `hash`: the content was there, whole, and its hash is another one. `twice`: a second fetch a moment later met the same. */
  readonly evidence: 'hash' | 'twice' | 'once';
  /** A file that is not there: it may be on its way, so a moment later does not count. */
  readonly absent: boolean;
}

export interface Observation {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Why the archive's newest state could not be had. */
  readonly unreachable: string | null;
  /** `null` where nothing could be verified. */
  readonly verdict: Verdict | null;
  /** Why it is incomplete. */
  readonly incomplete: string | null;
  readonly faults: readonly Fault[];
  /** Why it counts as slow, or as behind. */
  readonly slow: string | null;
  readonly behind: string | null;
}

export interface State {
  readonly level: Level | 'unknown';
  readonly since: number;
  readonly reason: string;
  /** When it was first looked at: with the number of a change, its name. */
  readonly began: number;
  /** Changes so far, which number them. */
  readonly changes: number;
  /** The last observations, oldest first. `sound`: everything was looked at, and nothing was wrong. */
  readonly recent: readonly { readonly level: Level; readonly sound: boolean }[];
  /** Faults of earlier observations that were not refuted: seen once more, they are confirmed. */
  readonly suspects: readonly string[];
  /** What made it faulty: looked at again until it is sound. */
  readonly faults: readonly { readonly key: string; readonly checkpoint: number | null; readonly message: string }[];
}

export interface Change {
  readonly number: number;
  readonly from: Level | 'unknown';
  readonly to: Level;
  readonly at: number;
  readonly reason: string;
}

export interface Patience {
  /** Observations in a row until it is degraded or unreachable. */
  readonly alertAfter: number;
  /** Observations in a row until it is better. */
  readonly recoverAfter: number;
}

const MAX_SUSPECTS = 50;
const MAX_FAULTS = 20;

export function initialState(at: number): State {
  return { level: 'unknown', began: at, since: at, reason: 'not looked at yet', changes: 0, recent: [], suspects: [], faults: [] };
}

/** What is known after `seen`, what the observation by itself comes to, and the change, if it makes one that somebody should hear of. */
export function observe(
  known: State, seen: Observation, { alertAfter, recoverAfter }: Patience,
): { readonly state: State; readonly level: Level; readonly change: Change | null } {
  const isConfirmed = ({ key, evidence, absent }: Fault): boolean =>
    evidence === 'hash' || (evidence === 'twice' && !absent) || known.suspects.includes(key);
  const confirmed = seen.faults.filter(isConfirmed);
  const { level, reason } = judged(seen, confirmed);
  const sound = seen.verdict === 'verified' && seen.faults.length === 0;
  const recent = [...known.recent, { level, sound }].slice(-Math.max(alertAfter, recoverAfter));
  const next = confirmed.length > 0 ? 'faulty' : moved(known.level, recent, alertAfter, recoverAfter);
  const changed = next !== known.level;
  const state: State = {
    level: next,
    began: known.began,
    since: changed ? seen.at : known.since,
    reason: reasonOf(known, next, level, reason, confirmed),
    changes: known.changes + (changed ? 1 : 0),
    recent,
    suspects: sound ? [] : unique([...seen.faults.map(({ key }) => key), ...known.suspects]).slice(0, MAX_SUSPECTS),
    faults: next === 'faulty' ? merged(confirmed, known.faults) : [],
  };
  // That a new archive is well is no news.
  const isNews = changed && !(known.level === 'unknown' && next === 'ok') && next !== 'unknown';
  return { state, level, change: isNews ? { number: state.changes, from: known.level, to: next, at: seen.at, reason: state.reason } : null };
}

function judged(seen: Observation, confirmed: readonly Fault[]): { readonly level: Level; readonly reason: string } {
  if (confirmed.length > 0) return { level: 'faulty', reason: told(confirmed) };
  if (seen.unreachable !== null) return { level: 'unreachable', reason: seen.unreachable };
  const unconfirmed = seen.faults.length > 0 ? `not seen again yet: ${told(seen.faults)}` : null;
  const reasons = [unconfirmed, seen.incomplete, seen.behind, seen.slow].filter((text) => text !== null);
  return reasons.length > 0 ? { level: 'degraded', reason: reasons.join('; ') } : { level: 'ok', reason: 'verified' };
}

function moved(level: State['level'], recent: State['recent'], alertAfter: number, recoverAfter: number): State['level'] {
  const latest = recent.at(-1)?.level;
  if (level === 'unknown' && latest === 'ok') return 'ok';
  const bad = recent.slice(-alertAfter);
  // Of several bad ones in a row, the least bad is what they all were at least. A fault alone makes faulty, and it would have been confirmed.
  if (bad.length === alertAfter) {
    const least = bad.reduce((best, { level: one }) => (RANK[one] < RANK[best] ? one : best), bad[0]?.level ?? 'ok');
    if (RANK[least] > RANK[level]) return least;
  }
  const good = recent.slice(-recoverAfter);
  if (level !== 'unknown' && good.length === recoverAfter) {
    const most = good.reduce((worst, { level: one }) => (RANK[one] > RANK[worst] ? one : worst), good[0]?.level ?? 'ok');
    // What was faulty is well only once it was looked at and found sound, not by being out of reach.
    if (RANK[most] < RANK[level] && (level !== 'faulty' || good.every(({ sound }) => sound))) return most;
  }
  return level;
}

/** A state keeps the reason that it was entered for, until an observation of its own level has a fresher one. */
function reasonOf(known: State, next: State['level'], level: Level, reason: string, confirmed: readonly Fault[]): string {
  if (next === level || confirmed.length > 0) return reason;
  if (next === known.level) return known.reason;
  return `${next === 'degraded' ? 'better, not well yet' : next}: ${reason}`;
}

function told(faults: readonly Fault[]): string {
  const [first] = faults;
  const more = faults.length - 1;
  return `${first?.message ?? ''}${more > 0 ? ` (and ${more} more)` : ''}`;
}

function merged(confirmed: readonly Fault[], known: State['faults']): State['faults'] {
  const fresh = confirmed.map(({ key, checkpoint, message }) => ({ key, checkpoint, message }));
  return [...fresh, ...known.filter(({ key }) => fresh.every((fault) => fault.key !== key))].slice(0, MAX_FAULTS);
}

function unique(keys: readonly string[]): string[] {
  return [...new Set(keys)];
}
