/**
 * The addresses of archives that were used on this page, remembered by this browser and told to nobody.
 *
 * The page goes on without storage, and with whatever somebody else wrote into it. Not here: presets, and folders and zips, which a page cannot remember.
 */
import { signal } from '@preact/signals';
import type { ArchiveReader } from '../lib/types.ts';

export interface RecentArchive {
  readonly url: string;
  /** A network's short name or passphrase, where it was known; or nothing. */
  readonly network: string;
}

const KEY = 'archives-used';
const MOST = 20;

function isRecent(value: unknown): value is RecentArchive {
  return typeof value === 'object' && value !== null && 'url' in value && typeof value.url === 'string' && /^https?:\/\/\S{1,2000}$/.test(value.url) && 'network' in value && typeof value.network === 'string' && value.network.length < 200;
}

/** What could not be stored; `null` where storing works. */
let unstored: readonly RecentArchive[] | null = null;

function read(): readonly RecentArchive[] {
  if (unstored !== null) return unstored;
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isRecent).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** The latest first. */
export const recent = signal(read());

function keep(archives: readonly RecentArchive[]): void {
  recent.value = archives.slice(0, MOST);
  unstored = null;
  try {
    if (archives.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(recent.value));
  } catch {
    // Switched off or full: they are known for as long as the page is open.
    unstored = recent.value;
  }
}

/** What other tabs have remembered meanwhile stays. */
export function remember(sources: readonly (string | ArchiveReader)[], network = ''): void {
  const used = sources.flatMap((url) => (typeof url === 'string' ? [{ url: url.replace(/\/$/, ''), network }] : []));
  keep([...used, ...read().filter(({ url }) => !used.some((one) => one.url === url))]);
}

/** Without `url`: all of them. */
export function forgetUsed(url?: string): void {
  keep(url === undefined ? [] : read().filter((one) => one.url !== url));
}
