/**
 * Tasks among themselves: which goes first, which are next to be joined, and what one is cut into.
 *
 * Not here: when, and why (`coordinator.ts`).
 */
import type { Job, Task } from './records.ts';

/** Buckets first, then places in their order. */
export function rank({ job }: Task): number {
  return 'first' in job ? job.first : -1;
}

/** What is delivered of the places that are to be joined next, `most` at most. */
export function prefix(tasks: ReadonlyMap<number, Task>, joined: number, most: number): Task[] {
  const byPlace = new Map<number, Task>();
  for (const task of tasks.values()) if (task.standing === 'done' && 'first' in task.job) byPlace.set(task.job.first, task);
  const found: Task[] = [];
  for (let place = joined; found.length < most; ) {
    const task = byPlace.get(place);
    if (task === undefined || !('first' in task.job)) break;
    found.push(task);
    place += task.job.count;
  }
  return found;
}

/** `null` where it is one checkpoint, or one bucket. */
export function halved(job: Exclude<Job, { readonly finish: true }>): readonly Job[] | null {
  if ('buckets' in job) {
    const half = Math.ceil(job.buckets.length / 2);
    return job.buckets.length > 1 ? [{ buckets: job.buckets.slice(0, half) }, { buckets: job.buckets.slice(half) }] : null;
  }
  if (job.count <= 1) return null;
  // The last part may be of any length; what it is cut into begins at multiples of its size as well.
  let half = 1;
  while (half * 2 < job.count) half *= 2;
  return [{ first: job.first, count: half }, { first: job.first + half, count: job.count - half }];
}
