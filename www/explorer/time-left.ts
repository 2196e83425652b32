/**
 * How long a check will go on, by how fast it was lately. Pure; no clock, no DOM.
 *
 * What is left is counted in checkpoints and buckets. States name new buckets on the way, so those that are still to be named are
 * taken to come as they came lately. Not here: bytes, which nobody knows before a file is there.
 */
export interface Done {
  /** Milliseconds of any clock. */
  readonly at: number;
  readonly checkpoints: { readonly done: number; readonly total: number };
  readonly buckets: { readonly done: number; readonly total: number };
}

/** What counts as lately. */
const WINDOW_MS = 30_000;
/** Less than that says nothing. */
const LEAST_MS = 2000;
const LEAST_DONE = 3;
/** A tab that heard nothing for so long was asleep: what was before says nothing about the speed. */
export const ASLEEP_MS = 15_000;

export class Pace {
  #lately: Done[] = [];

  /** Takes how far it is; `null` as long as nothing can be said, else milliseconds. */
  take(now: Done): number | null {
    const newest = this.#lately.at(-1);
    if (newest !== undefined && now.at - newest.at > ASLEEP_MS) this.#lately = [];
    // A few a second are enough.
    if (this.#lately.length < 2 || now.at - (this.#lately.at(-2)?.at ?? 0) >= 250) this.#lately.push(now);
    else this.#lately[this.#lately.length - 1] = now;
    while (this.#lately.length > 2 && now.at - (this.#lately[0]?.at ?? 0) > WINDOW_MS) this.#lately.shift();
    const from = this.#lately[0] ?? now;
    const checkpoints = now.checkpoints.done - from.checkpoints.done;
    const done = checkpoints + now.buckets.done - from.buckets.done;
    const still = now.checkpoints.total - now.checkpoints.done;
    if (now.at - from.at < LEAST_MS || done < LEAST_DONE || now.checkpoints.total === 0 || (still > 0 && checkpoints === 0)) return null;
    const named = still === 0 ? 0 : (Math.max(0, now.buckets.total - from.buckets.total) / checkpoints) * still;
    const left = still + now.buckets.total - now.buckets.done + named;
    return (left / done) * (now.at - from.at);
  }
}

/** In words that do not flicker. */
export function timeLeft(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return 'a few\u00a0s';
  if (seconds < 55) return `${Math.ceil(seconds / 10) * 10}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${Math.max(1, minutes)}\u00a0min`;
  const hours = minutes / 60;
  return hours < 48 ? `${hours < 10 ? Math.round(hours * 2) / 2 : Math.round(hours)}\u00a0h` : `${Math.round(hours / 24)}\u00a0days`;
}
