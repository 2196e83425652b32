/**
 * What the worker was set up with: the list of archives, and the limits, from its variables.
 *
 * Read when it is first needed; what is wrong with it is said all at once, with the place. Nothing is fetched that is not on the list.
 */
import { archiveRoot } from './addresses.ts';
import type { Env } from './bindings.ts';
import { Problem } from './problem.ts';

export interface Archive {
  /** In addresses, and in everything that is kept. */
  readonly name: string;
  /** Its root, ending with a slash. */
  readonly url: string;
  /** A known name or a passphrase. */
  readonly network: string | null;
  /** The name of a preset of quorum sets, or `none`; else the network's. */
  readonly quorumSet: string | null;
  /** Whether the cron reads buckets as well. */
  readonly buckets: boolean;
  /** The age of the newest ledger from which on it is behind; 0: never. */
  readonly behindSeconds: number;
}

export interface Config {
  readonly archives: readonly Archive[];
  readonly limits: Limits;
  readonly webhook: { readonly url: string; readonly secret: string | null } | null;
}

export interface Limits {
  /** Checkpoints that one request may verify. */
  readonly MAX_CHECKPOINTS: number;
  /** Checkpoints in which a transaction is searched. */
  readonly MAX_SEARCH_CHECKPOINTS: number;
  /** The newest checkpoints that the cron verifies of every archive. */
  readonly CRON_CHECKPOINTS: number;
  /** Compressed bytes of a bucket above which it is left unchecked. */
  readonly MAX_BUCKET_BYTES: number;
  /** Bytes of a file above which it is not relayed. */
  readonly RELAY_MAX_BYTES: number;
  /** Bytes of a file up to which it is kept in the cache. */
  readonly CACHE_MAX_BYTES: number;
  /** After so many seconds a verification ends with a partial report. */
  readonly RUN_SECONDS: number;
  /** Requests to archives in one invocation. */
  readonly SUBREQUESTS: number;
  /** Without an own value of the archive. */
  readonly BEHIND_SECONDS: number;
  /** What the first answer and the newest headers may take before an archive counts as slow. */
  readonly SLOW_SECONDS: number;
  /** Observations in a row until an archive is degraded or unreachable, and until it is well again. */
  readonly ALERT_AFTER: number;
  readonly RECOVER_AFTER: number;
  /** A state that was not looked at for so long is stale. */
  readonly STALE_MINUTES: number;
  /** Without a binding of the Rate Limiting API: requests a minute and address. */
  readonly RUNS_PER_MINUTE: number;
  readonly REQUESTS_PER_MINUTE: number;
  /** Checkpoints of one part of an audit: a power of two. */
  readonly AUDIT_CHECKPOINTS: number;
  /** Checkpoints of one audit. */
  readonly AUDIT_MAX_CHECKPOINTS: number;
  /** Consumers of one audit at a time. */
  readonly AUDIT_MAX_CONSUMERS: number;
  /** What one part may take, ask of the archive, and read of one bucket (compressed). */
  readonly AUDIT_SECONDS: number;
  readonly AUDIT_SUBREQUESTS: number;
  readonly AUDIT_BUCKET_BYTES: number;
  /** A message that was not answered for so long is sent again. */
  readonly AUDIT_LOST_SECONDS: number;
  /** The first pause before what failed is tried again. */
  readonly AUDIT_RETRY_SECONDS: number;
  /** An archive that was silent for so long pauses its audit. */
  readonly AUDIT_OUTAGE_MINUTES: number;
}

const MIB = 1 << 20;

/** Each with its default, the least and the most. */
const LIMITS: Readonly<Record<keyof Limits, readonly [number, number, number]>> = {
  MAX_CHECKPOINTS: [8, 1, 64],
  MAX_SEARCH_CHECKPOINTS: [16, 1, 256],
  CRON_CHECKPOINTS: [2, 1, 16],
  MAX_BUCKET_BYTES: [32 * MIB, 0, 1024 * MIB],
  RELAY_MAX_BYTES: [4096 * MIB, MIB, 65_536 * MIB],
  CACHE_MAX_BYTES: [64 * MIB, 0, 512 * MIB],
  RUN_SECONDS: [60, 1, 600],
  SUBREQUESTS: [800, 10, 9000],
  BEHIND_SECONDS: [1200, 0, 86_400 * 365],
  SLOW_SECONDS: [20, 1, 600],
  ALERT_AFTER: [3, 1, 20],
  RECOVER_AFTER: [2, 1, 20],
  STALE_MINUTES: [60, 1, 10_080],
  RUNS_PER_MINUTE: [10, 1, 100_000],
  REQUESTS_PER_MINUTE: [1200, 1, 1_000_000],
  AUDIT_CHECKPOINTS: [64, 1, 256],
  AUDIT_MAX_CHECKPOINTS: [4_000_000, 1, 67_108_864],
  AUDIT_MAX_CONSUMERS: [250, 1, 250],
  AUDIT_SECONDS: [720, 1, 720],
  AUDIT_SUBREQUESTS: [9000, 10, 9900],
  AUDIT_BUCKET_BYTES: [65_536 * MIB, 0, 1_048_576 * MIB],
  AUDIT_LOST_SECONDS: [1200, 1, 86_400],
  AUDIT_RETRY_SECONDS: [30, 0, 3600],
  AUDIT_OUTAGE_MINUTES: [1440, 1, 20_160],
};

const MAX_ARCHIVES = 64;
const NAME = /^[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,62}$/;
const KNOWN: Readonly<Record<string, true>> = { name: true, url: true, network: true, quorumSet: true, buckets: true, behindSeconds: true };

/** Throws a `Problem` with everything that is wrong. */
export function configOf(env: Env): Config {
  const faults: string[] = [];
  const limits = limitsOf(env, faults);
  const archives = archivesOf(env, limits, faults);
  const webhook = webhookOf(env, faults);
  if (faults.length > 0) throw new Problem('configuration', faults.join('; '));
  return { archives, limits, webhook };
}

/** The archive that a request means: by its name, or by its URL if that is the listed one. */
export function listed(archives: readonly Archive[], wanted: string): Archive {
  const root = (text: string): string => text.replace(/\/*$/, '/');
  const found = archives.find(({ name, url }) => name === wanted || url === root(wanted));
  if (found !== undefined) return found;
  throw new Problem('archive-unknown', `Only archives of this worker's list are fetched: ${archives.map(({ name }) => name).join(', ')}.`);
}

function limitsOf(env: Env, faults: string[]): Limits {
  const read = (name: keyof Limits): number => {
    const [usual, least, most] = LIMITS[name];
    const given = env[name];
    if (given === undefined || given === '') return usual;
    const number = typeof given === 'string' && /^\d{1,13}$/.test(given) ? Number(given) : given;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= least && number <= most) return number;
    faults.push(`${name} must be a whole number from ${least} to ${most}`);
    return usual;
  };
  const names = Object.keys(LIMITS) as (keyof Limits)[];
  const limits = Object.fromEntries(names.map((name) => [name, read(name)])) as Record<keyof Limits, number>;
  if (!Number.isInteger(Math.log2(limits.AUDIT_CHECKPOINTS))) faults.push('AUDIT_CHECKPOINTS must be a power of two');
  return limits;
}

function archivesOf(env: Env, limits: Limits, faults: string[]): readonly Archive[] {
  let list: unknown = env.ARCHIVES;
  if (typeof list === 'string') {
    try {
      list = JSON.parse(list);
    } catch (error) {
      faults.push(`ARCHIVES is no JSON: ${String(error instanceof Error ? error.message : error)}`);
      return [];
    }
  }
  if (!Array.isArray(list) || list.length === 0) {
    faults.push('ARCHIVES must be a list of { "name", "url" }, with at least one archive');
    return [];
  }
  if (list.length > MAX_ARCHIVES) faults.push(`ARCHIVES has more than ${MAX_ARCHIVES} archives`);
  const archives: Archive[] = [];
  list.slice(0, MAX_ARCHIVES).forEach((item: unknown, index) => {
    const fault = (what: string): void => void faults.push(`ARCHIVES[${index}]: ${what}`);
    const archive = archiveOf(item, env.ALLOW_LOOPBACK === 'true', limits, fault);
    if (archive === null) return;
    if (archives.some(({ name }) => name === archive.name)) return fault(`the name "${archive.name}" is there twice`);
    archives.push(archive);
  });
  return archives;
}

function archiveOf(item: unknown, allowLoopback: boolean, limits: Limits, fault: (what: string) => void): Archive | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    fault('it is no object');
    return null;
  }
  const field = (key: string): unknown => Reflect.get(item, key);
  const unknown = Object.keys(item).filter((key) => !Object.hasOwn(KNOWN, key));
  if (unknown.length > 0) fault(`it has unknown fields: ${unknown.join(', ')}`);
  const text = (key: string): string | null => {
    const value = field(key);
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && value !== '' && value.length <= 200) return value;
    fault(`${key} must be a text`);
    return null;
  };
  const name = field('name');
  if (typeof name !== 'string' || !NAME.test(name)) {
    fault('name must be of small letters, digits, dots, hyphens and underscores, 63 at most');
    return null;
  }
  const url = text('url');
  if (url === null) {
    fault('url is missing');
    return null;
  }
  const buckets = field('buckets') ?? false;
  if (typeof buckets !== 'boolean') fault('buckets must be true or false');
  const behind = field('behindSeconds') ?? limits.BEHIND_SECONDS;
  if (typeof behind !== 'number' || !Number.isSafeInteger(behind) || behind < 0) fault('behindSeconds must be a whole number');
  try {
    return {
      name, url: archiveRoot(url, allowLoopback).href, network: text('network'), quorumSet: text('quorumSet'), buckets: buckets === true,
      behindSeconds: Number(behind),
    };
  } catch (error) {
    fault(`url: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function webhookOf(env: Env, faults: string[]): Config['webhook'] {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret } = env;
  if (url === undefined || url === '') return null;
  try {
    if (typeof url !== 'string') throw new Error('it is no text');
    // Its query may be a key of the receiver's.
    const { search } = new URL(url);
    archiveRoot(url.split('?', 1)[0] ?? '', env.ALLOW_LOOPBACK === 'true');
    return { url: (url.split('?', 1)[0] ?? '') + search, secret: typeof secret === 'string' && secret !== '' ? secret : null };
  } catch (error) {
    faults.push(`WEBHOOK_URL: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
