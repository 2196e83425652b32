/**
 * `/relay`: the files of listed archives, for pages that may not read them where they are.
 *
 * Bodies are passed on as they come. Kept in the cache is only what proved whole on its way: a bucket that hashes to its name (for ever), a
 * file that inflates to its end, a state that is JSON (for a day). The newest state and answers that are no file are never kept.
 *
 * Not here: any judgement of what a file says. Whoever reads through the relay verifies by himself.
 */
import type { Context } from './bindings.ts';
import type { Archive, Config } from './config.ts';
import { byteRange } from './params.ts';
import { archiveFile } from './paths.ts';
import type { ArchiveFilePath } from './paths.ts';
import { PLAIN, Problem, quoted } from './problem.ts';
import { Meter, UpstreamError, ask, capped, discard, statedLength } from './upstream.ts';

const DAY_S = 86_400;
const YEAR_S = 365 * DAY_S;
/** Until a file was seen whole, browsers keep it for so long. */
const UNPROVEN_S = 300;
const MAX_STATE_BYTES = 1 << 20;
const ANSWER_MS = 30_000;

export interface Relayed {
  readonly archive: Archive;
  readonly path: string;
}

export async function relayResponse({ archive, path }: Relayed, { limits }: Config, request: Request, context: Context): Promise<Response> {
  const file = archiveFile(path);
  if (file === null) throw new Problem('path-unknown', `${quoted(path)} is no path of an archive's file: .well-known/stellar-history.json, history/…, ledger/…, transactions/…, results/…, scp/…, bucket/….`);
  const head = request.method === 'HEAD';
  const wanted = wantedHeaders(request);
  const key = new URL(`/relay/${archive.name}/${path}?of=${encodeURIComponent(archive.url)}`, request.url).href;
  if (file.kind !== 'root') {
    const kept = await caches.default.match(new Request(key, { headers: wanted }));
    if (kept !== undefined) return fromCache(kept, file, head);
  }
  const response = await answered(archive, file, limits.SUBREQUESTS, { method: head ? 'HEAD' : 'GET', headers: wanted, signal: request.signal });
  const length = statedLength(response);
  if (length !== null && length > limits.RELAY_MAX_BYTES) {
    await discard(response);
    throw new Problem('file-too-large', `The file has ${length} bytes; ${limits.RELAY_MAX_BYTES} is the most (RELAY_MAX_BYTES).`);
  }
  const headers = rebuilt(response, file, 'miss', freshness(file, false));
  if (head || response.status === 304 || response.body === null) {
    await discard(response);
    if (length !== null && response.status !== 304) headers.set('content-length', String(length));
    return new Response(null, { status: response.status, headers });
  }
  if (length === null) return new Response(response.body.pipeThrough(capped(limits.RELAY_MAX_BYTES, 'the file')), { status: response.status, headers });
  if (response.status === 200 && file.kind !== 'root' && length <= limits.CACHE_MAX_BYTES) {
    return new Response(passedAndKept(response.body, length, file, key, rebuilt(response, file, 'hit', freshness(file, true)), context), { headers });
  }
  return new Response(response.body.pipeThrough(new FixedLengthStream(length)), { status: response.status, headers });
}

/** Of what the client sent, only what is well-formed goes on. */
function wantedHeaders({ headers }: Request): Record<string, string> {
  const wanted: Record<string, string> = {};
  const range = byteRange(headers.get('range'));
  if (range !== null) wanted['range'] = range;
  for (const name of ['if-none-match', 'if-range']) {
    const tag = headers.get(name);
    if (tag !== null && ETAG.test(tag)) wanted[name] = tag;
  }
  const since = headers.get('if-modified-since');
  if (since !== null && DATE.test(since)) wanted['if-modified-since'] = since;
  return wanted;
}

const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/;
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const CONTENT_RANGE = /^bytes \d{1,15}-\d{1,15}\/(?:\d{1,15}|\*)$/;

/** The archive's answer, if it is a file or a part of one. */
async function answered(archive: Archive, file: ArchiveFilePath, requests: number, asked: Parameters<typeof ask>[3]): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  let response: Response;
  try {
    response = await ask(archive, file, new Meter(requests), { ...asked, signal: AbortSignal.any([asked.signal, late.signal]) });
  } catch (error) {
    if (late.signal.aborted) throw new Problem('timeout', `The archive did not answer within ${ANSWER_MS / 1000} s.`);
    throw new Problem('archive-unreachable', error instanceof UpstreamError ? error.message : 'The connection failed.');
  } finally {
    clearTimeout(timer);
  }
  const { status } = response;
  const isPart = status === 206 && asked.headers?.['range'] !== undefined && CONTENT_RANGE.test(response.headers.get('content-range') ?? '');
  if (status === 200 || status === 304 || isPart) return response;
  await discard(response);
  if (status === 404 || status === 410) throw new Problem('not-found', 'The archive has no such file.');
  if (status === 401 || status === 403) throw new Problem('archive-forbids', `The archive answers HTTP ${status}.`);
  if (status === 416) throw new Problem('range-not-satisfiable', 'The file has no such bytes.');
  const pause = response.headers.get('retry-after');
  const headers: Record<string, string> = pause !== null && /^\d{1,5}$/.test(pause) ? { 'retry-after': pause } : {};
  if (status === 429 || status === 503) throw new Problem('archive-busy', `The archive answers HTTP ${status}.`, headers);
  throw new Problem('archive-unreachable', `The archive answers HTTP ${status}.`);
}

/** For browsers and the cache in between. */
function freshness({ kind }: ArchiveFilePath, proven: boolean): string {
  if (kind === 'root') return 'no-store';
  if (!proven) return `public, max-age=${UNPROVEN_S}`;
  return kind === 'bucket' ? `public, max-age=${YEAR_S}, immutable` : `public, max-age=${DAY_S}`;
}

/** None of the archive's headers is passed on as it is: those that matter are read, and written anew. */
function rebuilt({ headers }: Response, { path }: ArchiveFilePath, cache: 'hit' | 'miss', control: string): Headers {
  const all = new Headers({
    ...PLAIN,
    'accept-ranges': 'bytes',
    'cache-control': control,
    'content-type': path.endsWith('.json') ? 'application/json' : 'application/gzip',
    'x-relay-cache': cache,
  });
  const copy = (name: string, form: RegExp): void => {
    const value = headers.get(name);
    if (value !== null && form.test(value)) all.set(name, value);
  };
  copy('etag', ETAG);
  copy('last-modified', DATE);
  copy('content-range', CONTENT_RANGE);
  return all;
}

async function fromCache(kept: Response, file: ArchiveFilePath, head: boolean): Promise<Response> {
  const headers = rebuilt(kept, file, 'hit', freshness(file, true));
  const age = kept.headers.get('age');
  if (age !== null && /^\d{1,10}$/.test(age)) headers.set('age', age);
  const length = statedLength(kept);
  if (head || kept.status === 304 || kept.body === null) {
    await discard(kept);
    if (length !== null && kept.status !== 304) headers.set('content-length', String(length));
    return new Response(null, { status: kept.status, headers });
  }
  const body = length === null ? kept.body : kept.body.pipeThrough(new FixedLengthStream(length));
  return new Response(body, { status: kept.status, headers });
}

/**
 * The body for the client, which also goes into the cache at the client's pace, a chunk at a time: under a name that nobody asks for, since
 * it is found out only at its end whether it is sound. What is gets its own name then; caches may keep the beginning of what broke off.
 */
function passedAndKept(
  body: ReadableStream<Uint8Array>, length: number, file: ArchiveFilePath, key: string, headers: Headers, context: Context,
): ReadableStream<Uint8Array> {
  const client = new FixedLengthStream(length);
  const cache = new FixedLengthStream(length);
  const aside = `${key}&aside=${crypto.randomUUID()}`;
  const stored = caches.default.put(aside, new Response(cache.readable, { headers })).then(() => true, () => false);
  const work = async (): Promise<void> => {
    const sound = await pump(body, client.writable.getWriter(), cache.writable.getWriter(), proofOf(file));
    if ((await stored) && sound) await promote(aside, key, length, headers);
    await caches.default.delete(aside);
  };
  context.waitUntil(work().catch(() => undefined));
  return client.readable;
}

async function promote(aside: string, key: string, length: number, headers: Headers): Promise<void> {
  const found = await caches.default.match(aside);
  if (found?.body == null) return;
  if (statedLength(found) === length) await caches.default.put(key, new Response(found.body.pipeThrough(new FixedLengthStream(length)), { headers }));
  else await discard(found);
}

type Writer = WritableStreamDefaultWriter<Uint8Array>;

/** Whether all of it went through, and proved sound. */
async function pump(body: ReadableStream<Uint8Array>, client: Writer, cache: Writer, proof: Proof): Promise<boolean> {
  const source = body.getReader();
  let keeping = true;
  let doubtful = false;
  const attempt = async (step: () => Promise<void>): Promise<boolean> => step().then(() => true, () => false);
  try {
    for (;;) {
      const { done, value } = await source.read();
      if (done) break;
      // Each has the chunk to itself: whoever writes it out may take its memory along.
      const copies = [value.slice(), value.slice()] as const;
      const kept: Promise<boolean> = keeping ? attempt(() => cache.write(copies[0])) : Promise.resolve(false);
      const believed: Promise<boolean> = doubtful ? Promise.resolve(false) : attempt(() => proof.write(copies[1]));
      await client.write(value);
      keeping = await kept;
      doubtful = !(await believed);
    }
    await client.close();
    if (keeping) keeping = await attempt(() => cache.close());
    const sound = !doubtful && (await proof.holds().catch(() => false));
    if (!sound) await proof.drop();
    return keeping && sound;
  } catch (error) {
    await Promise.allSettled([source.cancel(error), client.abort(error), cache.abort(error), proof.drop()]);
    return false;
  }
}

/** Whether a file is whole, found out while it passes. */
interface Proof {
  write(chunk: Uint8Array): Promise<void>;
  holds(): Promise<boolean>;
  drop(): Promise<void>;
}

function proofOf({ kind, hash }: ArchiveFilePath): Proof {
  return kind === 'state' ? jsonProof() : gzipProof(hash);
}

function jsonProof(): Proof {
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    async write(chunk) {
      size += chunk.byteLength;
      if (size > MAX_STATE_BYTES) throw new Error('too large');
      chunks.push(chunk);
    },
    async holds() {
      JSON.parse(await new Blob(chunks as BlobPart[]).text());
      return true;
    },
    drop: async () => undefined,
  };
}

/** gzip ends with the length and a checksum of the content; buckets are named by a hash of it. */
function gzipProof(hash: string | null): Proof {
  const inflate = new DecompressionStream('gzip');
  const digest = new crypto.DigestStream('SHA-256');
  const hashed = digest.digest.then(hex, () => null);
  const inflated = inflate.readable.pipeTo(digest);
  inflated.catch(() => undefined);
  const writer = inflate.writable.getWriter();
  return {
    write: (chunk) => writer.write(chunk as Uint8Array<ArrayBuffer>),
    async holds() {
      await writer.close();
      await inflated;
      const found = await hashed;
      return hash === null ? found !== null : found === hash;
    },
    async drop() {
      await writer.abort(new Error('not kept')).catch(() => undefined);
    },
  };
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
