/**
 * The addresses of edge workers that audits were asked of on this page, remembered by this browser and told to nobody.
 *
 * Never a token. The page goes on without storage, and with whatever somebody else wrote into it.
 */
import { signal } from '@preact/signals';

const KEY = 'workers-used';
const MOST = 10;

/** What could not be stored; `null` where storing works. */
let unstored: readonly string[] | null = null;

function read(): readonly string[] {
  if (unstored !== null) return unstored;
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string' && /^https?:\/\/\S{1,2000}$/.test(one) && URL.canParse(one)).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** The latest first. */
export const recentWorkers = signal(read());

function keep(workers: readonly string[]): void {
  recentWorkers.value = workers.slice(0, MOST);
  unstored = null;
  try {
    if (workers.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(recentWorkers.value));
  } catch {
    unstored = recentWorkers.value;
  }
}

/** What other tabs have remembered meanwhile stays. */
export function rememberWorker(worker: string): void {
  keep([worker, ...read().filter((one) => one !== worker)]);
}

export function forgetWorker(worker: string): void {
  keep(read().filter((one) => one !== worker));
}
