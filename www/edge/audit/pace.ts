/**
 * How many tasks are under way at a time, and how long is waited: for an archive that asks for fewer, and for one that does not answer.
 *
 * The number goes up by one with each good delivery until the first trouble, from then on slower, and is halved where the archive strains. In
 * silence there is one probe at a time, at growing pauses. Functions over the coordinator's progress; no clock. Not here: tasks.
 */
import type { Pace, Progress } from './records.ts';

/** Deliveries in a row that met silence, until the archive counts as down. */
const SILENCE = 3;
/** A try that failed for what passes counts 1; one that failed for what lasts (forbidden, too large) 4; at 12 the part is taken as it is. */
const PASSING = 1;
const LASTING = 4;
const MOST_TRIES = 12;
/** Above the number at which there was trouble, so many more for every round. */
const CREEP = 16;
const FIRST_WINDOW = 2;

/** As it begins, and after a pause. */
export function opened(consumers: number): Pick<Progress, 'window' | 'threshold'> {
  return { window: Math.min(FIRST_WINDOW, consumers), threshold: consumers };
}

export function widen(progress: Progress, consumers: number): void {
  const more = progress.window < progress.threshold ? 1 : Math.min(1, CREEP / progress.window);
  progress.window = Math.min(consumers, progress.window + more);
}

/** Half as many, once for what was under way together. */
export function shrink(progress: Progress, sentAt: number, now: number): void {
  if (sentAt < progress.shrunkAt) return;
  progress.window = Math.max(1, progress.window / 2);
  progress.threshold = progress.window;
  progress.shrunkAt = now;
}

/** What passes is had patience with. `null` where it was tried often enough. */
export function nextTry(before: number, passing: boolean, { retryMs, longestRetryMs }: Pace): { readonly tries: number; readonly pauseMs: number } | null {
  const weight = passing ? PASSING : LASTING;
  const tries = before + weight;
  return tries >= MOST_TRIES ? null : { tries, pauseMs: Math.min(longestRetryMs, retryMs * 2 ** Math.floor((tries - 1) / weight)) };
}

export function isDown({ silence }: Progress): boolean {
  return silence >= SILENCE;
}

/** One more delivery met silence; whether that has lasted too long. */
export function fallenSilent(progress: Progress, { retryMs, outageMs }: Pace, now: number): boolean {
  progress.silence += 1;
  progress.silentSince ??= now;
  if (progress.silence === SILENCE) Object.assign(progress, { window: 1, probeAt: now + retryMs, probePause: 2 * retryMs });
  return now - progress.silentSince >= outageMs;
}

export function probed(progress: Progress, { longestRetryMs }: Pace, now: number): void {
  progress.probeAt = now + progress.probePause;
  progress.probePause = Math.min(longestRetryMs, 2 * progress.probePause);
}

export function answered(progress: Progress): void {
  progress.silence = 0;
  progress.silentSince = null;
}
