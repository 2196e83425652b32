/**
 * How much one client may ask for: Cloudflare's Rate Limiting API where it is bound, else a count of this isolate's own.
 *
 * The own count is a brake, not a wall: every isolate has one, and forgets it when it ends.
 */
import type { RateLimit } from './bindings.ts';
import { Problem } from './problem.ts';

const MINUTE_MS = 60_000;
const MAX_CLIENTS = 10_000;

interface Allowance {
  tokens: number;
  at: number;
}

/** Token buckets by client, filled evenly over a minute. */
export class Allowances {
  readonly #clients = new Map<string, Allowance>();

  /** Milliseconds to wait, or 0 where the request may pass. */
  take(client: string, perMinute: number, now: number): number {
    const known = this.#clients.get(client);
    const filled = known === undefined ? perMinute : Math.min(perMinute, known.tokens + ((now - known.at) / MINUTE_MS) * perMinute);
    const passes = filled >= 1;
    // Those who were not seen for longest stand first, and are forgotten first.
    this.#clients.delete(client);
    this.#clients.set(client, { tokens: passes ? filled - 1 : filled, at: now });
    if (this.#clients.size > MAX_CLIENTS) for (const [oldest] of this.#clients) {
      this.#clients.delete(oldest);
      break;
    }
    return passes ? 0 : ((1 - filled) / perMinute) * MINUTE_MS;
  }
}

const own = new Map<string, Allowances>();

/** Throws where the client has to wait. */
export async function allow(request: Request, what: string, binding: RateLimit | undefined, perMinute: number): Promise<void> {
  const key = client(request.headers.get('cf-connecting-ip') ?? '');
  let waitMs = 0;
  if (binding !== undefined) {
    if (!(await binding.limit({ key })).success) waitMs = MINUTE_MS;
  } else {
    let allowances = own.get(what);
    if (allowances === undefined) own.set(what, (allowances = new Allowances()));
    waitMs = allowances.take(key, perMinute, Date.now());
  }
  if (waitMs === 0) return;
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new Problem('rate-limited', `Come back in ${seconds} s.`, { 'retry-after': String(seconds) });
}

/** An address; of IPv6 the network, since everyone has as many addresses of it as they like. */
export function client(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = address.toLowerCase().split('::');
  const groups = left === '' ? [] : left.split(':');
  const all = right === undefined ? groups : [...groups, ...new Array<string>(Math.max(0, 8 - groups.length - right.split(':').length)).fill('0'), ...right.split(':')];
  return all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}
