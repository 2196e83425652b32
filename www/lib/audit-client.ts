/**
 * Asking an edge worker for the audit of a whole archive: what one would take, beginning it, how far it is, its report, and steering it.
 *
 * For the page and the command line, over `fetch` alone. Not an entry of the package: whoever wants another client has the endpoints, which
 * are in the README. Not here: any words about a state, and what an audit does (`www/edge/audit`). A worker is a stranger: what it answers is
 * bounded and looked at before it is believed to be of the right form; that it is true nobody can tell from here.
 */
import type { LedgerRange, Report, Verdict } from './types.ts';

export type AuditStanding = 'running' | 'paused' | 'finishing' | 'done' | 'cancelled' | 'failed';
export type AuditAction = 'pause' | 'resume' | 'cancel';

export interface WorkerArchive {
  readonly name: string;
  readonly url: string;
}

/** What a worker says of itself. */
export interface EdgeWorker {
  readonly archives: readonly WorkerArchive[];
  /** Whether it knows of audits at all; whether they are set up there it says when it is asked for them. */
  readonly audits: boolean;
}

/** What is to be audited. Without `range`, all that the archive has. */
export interface AuditWanted {
  readonly archive: string | undefined;
  readonly range: LedgerRange | undefined;
  readonly buckets: boolean;
}

export interface AuditEstimate {
  readonly archive: string;
  readonly range: LedgerRange;
  readonly checkpoints: number;
  readonly parts: number;
  readonly requests: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
  readonly messages: number;
  /** Beyond what the provider's plan includes. */
  readonly usd: number;
  /** The same if that share were used up already. */
  readonly usdWithoutShare: number;
  readonly wall: readonly { readonly consumers: number; readonly hours: number }[];
  readonly assumptions: readonly string[];
}

export interface AuditStatus {
  readonly id: string;
  readonly archive: string;
  readonly url: string;
  readonly network: string | null;
  readonly range: LedgerRange;
  readonly state: AuditStanding;
  readonly reason: string | null;
  readonly checkpoints: { readonly done: number; readonly total: number };
  readonly buckets: { readonly open: number };
  readonly parts: {
    readonly inFlight: number;
    readonly waiting: number;
    readonly retried: number;
    readonly halved: number;
    readonly givenUp: number;
    readonly duplicates: number;
    readonly lost: number;
  };
  readonly requests: number;
  readonly compressedBytes: string;
  readonly findings: number;
  readonly verdict: Verdict | null;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly etaSeconds: number | null;
  readonly consumers: { readonly now: number; readonly max: number };
}

/** One line of a worker's list. */
export interface AuditEntry {
  readonly id: string;
  readonly archive: string;
  readonly range: LedgerRange;
  readonly checkpoints: number;
  /** As it was last noted there. */
  readonly state: AuditStanding;
  readonly verdict: Verdict | null;
  readonly startedAt: string;
}

/**
 * `unreachable`: no answer, or none that a page may read. `stranger`: something else answers there. `refused`: the worker says what is
 * wrong (a problem of RFC 9457). `usage`: it was not even asked.
 */
export type WorkerErrorKind = 'unreachable' | 'timeout' | 'stranger' | 'refused' | 'usage';

export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly kind: WorkerErrorKind;
  /** The last part of the problem's type: `audit-unknown`, `not-allowed`; empty where there is none. */
  readonly problem: string;
  /** Of HTTP; 0 where nothing answered. */
  readonly status: number;
  /** How long it asks to be left alone. */
  readonly retryAfterMs: number;

  constructor(kind: WorkerErrorKind, message: string, { problem = '', status = 0, retryAfterMs = 0, cause }: { problem?: string; status?: number; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.problem = problem;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Another answer may come by itself: nothing is wrong with what was asked. */
  get passes(): boolean {
    if (this.kind === 'unreachable' || this.kind === 'timeout') return true;
    return this.kind !== 'usage' && this.problem !== 'configuration' && (this.status === 429 || this.status >= 500);
  }
}

const ID = /^[0-9a-f]{32}$/;
const STANDINGS: readonly string[] = ['running', 'paused', 'finishing', 'done', 'cancelled', 'failed'];
const VERDICTS: readonly string[] = ['verified', 'faulty', 'incomplete'];
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const SERVICE = 'stellar-archive-verifier';
const PROBLEM = 'urn:stellar-archive-verifier:problem:';

/** Bytes of an answer. A report has 10,000 findings at most, of a kilobyte each. */
const LARGEST = 1 << 20;
const LARGEST_REPORT = 64 << 20;
/** Characters of any text that is shown. */
const LONGEST = 2000;
const MOST_ENTRIES = 1000;
const TIMEOUT_MS = 30_000;
/** What makes the worker ask the archive. */
const LONG_TIMEOUT_MS = 120_000;
/** Nobody is believed who asks for more. */
const LONGEST_REST_MS = 10 * 60_000;

export function isAuditId(text: string): boolean {
  return ID.test(text);
}

/** Nothing more comes of it by itself, or by anybody's wish. */
export function isAuditOver(state: AuditStanding): boolean {
  return state === 'done' || state === 'cancelled' || state === 'failed';
}

/** Whether what is sent there can be read on the way. */
export function isReadableOnTheWay({ protocol, hostname }: URL): boolean {
  return protocol !== 'https:' && !LOOPBACK.includes(hostname);
}

/** What people paste: the address of a worker, bare or with `https://`, or that of one of its audits. `null` is neither. */
export function workerAddress(text: string): { readonly worker: URL; readonly audit: string | null } | null {
  const entered = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(entered)?.[1]?.toLowerCase();
  if (entered === '' || /\s/.test(entered) || (scheme !== undefined && scheme !== 'https' && scheme !== 'http')) return null;
  const bare = LOOPBACK.some((host) => entered.startsWith(host)) ? 'http' : 'https';
  const candidate = scheme === undefined ? `${bare}://${entered}` : entered;
  if (!URL.canParse(candidate)) return null;
  const worker = new URL(candidate);
  if (worker.username !== '' || worker.password !== '' || (!/[.:]/.test(worker.host) && worker.hostname !== 'localhost')) return null;
  const [, audit = null] = /\/audit\/([0-9a-f]{32})(?:\/\w*)?\/?$/.exec(worker.pathname) ?? [];
  worker.pathname = worker.pathname.replace(/\/(?:audits?(?:\/.*)?)?$/, '/').replace(/\/*$/, '/');
  worker.search = '';
  worker.hash = '';
  return { worker, audit };
}

/** Headers refuse other characters with a message that repeats them. */
function bearer(token: string): string {
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return `Bearer ${token}`;
  throw new WorkerError('usage', 'A token has letters, digits and signs of ASCII only, no spaces, and no more than 512 of them.');
}

interface Asked {
  readonly signal: AbortSignal | undefined;
  readonly method?: 'POST';
  readonly token?: string;
  readonly etag?: string;
  readonly largest?: number;
  readonly timeoutMs?: number;
}

interface Heard {
  /** `null`: as before. */
  readonly text: string | null;
  readonly etag: string | null;
}

export class AuditClient {
  /** With a slash at its end. */
  readonly worker: URL;
  readonly #last = new Map<string, { readonly etag: string; readonly status: AuditStatus }>();

  constructor(worker: URL) {
    this.worker = worker;
  }

  /** The address of an audit there. */
  addressOf(id: string): string {
    return new URL(`audit/${id}`, this.worker).href;
  }

  async about(signal?: AbortSignal): Promise<EdgeWorker> {
    const said = record(await this.#json('', { signal }));
    const { service, archives, endpoints } = said;
    if (service !== SERVICE) throw stranger(200);
    return {
      archives: list(archives).map((one) => ({ name: word(record(one), 'name'), url: word(record(one), 'url') })),
      audits: Object.keys(record(endpoints)).includes('/audits'),
    };
  }

  async audits(signal?: AbortSignal): Promise<readonly AuditEntry[]> {
    return list(record(await this.#json('audits', { signal }))['audits']).map((one) => {
      const entry = record(one);
      return {
        id: idIn(entry), archive: word(entry, 'archive'), range: range(entry['range']), checkpoints: amount(entry, 'checkpoints'),
        state: standing(entry), verdict: verdict(entry), startedAt: word(entry, 'startedAt'),
      };
    });
  }

  async estimate(wanted: AuditWanted, signal?: AbortSignal): Promise<AuditEstimate> {
    const said = record(await this.#json(`audit/estimate${query(wanted)}`, { signal, timeoutMs: LONG_TIMEOUT_MS }));
    return {
      archive: word(said, 'archive'), range: range(said['range']), checkpoints: amount(said, 'checkpoints'), parts: amount(said, 'parts'),
      requests: amount(said, 'requests'), bytes: amount(said, 'bytes'), cpuSeconds: amount(said, 'cpuSeconds'), messages: amount(said, 'messages'),
      usd: amount(said, 'usd'), usdWithoutShare: amount(said, 'usdWithoutShare'),
      wall: list(said['wall']).map((one) => ({ consumers: amount(record(one), 'consumers'), hours: amount(record(one), 'hours') })),
      assumptions: list(said['assumptions']).map((one) => short(one)),
    };
  }

  async start(wanted: AuditWanted, consumers: number | undefined, token: string, signal?: AbortSignal): Promise<AuditStatus> {
    return statusOf(await this.#json(`audit${query(wanted, consumers)}`, { signal, method: 'POST', token, timeoutMs: LONG_TIMEOUT_MS }));
  }

  /** The very same object as long as the worker says that nothing has changed. */
  async status(id: string, signal?: AbortSignal): Promise<AuditStatus> {
    const last = this.#last.get(id);
    const { text, etag } = await this.#ask(`audit/${id}`, { signal, ...(last === undefined ? {} : { etag: last.etag }) });
    if (text === null && last !== undefined) return last.status;
    const status = statusOf(parsed(text ?? ''), id);
    if (etag !== null) this.#last.set(id, { etag, status });
    return status;
  }

  async steer(id: string, action: AuditAction, token: string, signal?: AbortSignal): Promise<AuditStatus> {
    this.#last.delete(id);
    return statusOf(await this.#json(`audit/${id}/${action}`, { signal, method: 'POST', token }), id);
  }

  async report(id: string, signal?: AbortSignal): Promise<Report> {
    return asReport(await this.#json(`audit/${id}/report`, { signal, largest: LARGEST_REPORT, timeoutMs: LONG_TIMEOUT_MS }));
  }

  async #json(path: string, asked: Asked): Promise<unknown> {
    return parsed((await this.#ask(path, asked)).text ?? '');
  }

  async #ask(path: string, { signal, method, token, etag, largest = LARGEST, timeoutMs = TIMEOUT_MS }: Asked): Promise<Heard> {
    signal?.throwIfAborted();
    if (token !== undefined && isReadableOnTheWay(this.worker)) {
      throw new WorkerError('usage', 'The token would be readable on the way: it is sent to https:// addresses only, and to this machine.');
    }
    const headers = { ...(token === undefined ? {} : { authorization: bearer(token) }), ...(etag === undefined ? {} : { 'if-none-match': etag }) };
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    signal?.addEventListener('abort', stop);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      abort.abort();
    }, timeoutMs);
    try {
      const response = await fetch(new URL(path, this.worker), {
        ...(method === undefined ? {} : { method }), headers, signal: abort.signal,
        // What is kept between looks is kept here. A redirect could lead the token anywhere.
        cache: 'no-store', credentials: 'omit', redirect: 'manual', referrerPolicy: 'no-referrer',
      });
      if (response.status === 304) return { text: null, etag: null };
      const text = await textOf(response, largest);
      if (!response.ok) throw refusal(response, text);
      return { text, etag: response.headers.get('etag') };
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof WorkerError) throw cause;
      if (late) throw new WorkerError('timeout', `${this.worker.host} did not answer within ${timeoutMs / 1000} seconds.`, { cause });
      throw new WorkerError('unreachable', `${this.worker.host} does not answer.`, { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** What came of one look. `error`: nothing; another look follows by itself after `nextMs`. */
export type AuditLook =
  | { readonly status: AuditStatus; readonly error: null; readonly isNew: boolean; readonly nextMs: number }
  | { readonly status: null; readonly error: WorkerError; readonly isNew: false; readonly nextMs: number };

const RUNNING_MS = 2000;
const SLOWEST_RUNNING_MS = 15_000;
const PAUSED_MS = 5000;
const SLOWEST_MS = 60_000;

/**
 * How long to the next look: soon while things change, seldom while nothing does, ever more seldom while nobody answers.
 *
 * `quiet`: looks in a row at which nothing was new; `failures`: those without an answer.
 */
export function nextLookMs(state: AuditStanding | null, quiet: number, failures: number, restMs: number): number {
  if (failures > 0) return Math.max(Math.min(restMs, LONGEST_REST_MS), Math.min(RUNNING_MS * 2 ** (failures - 1), SLOWEST_MS));
  return state === 'paused' ? Math.min(PAUSED_MS * 1.5 ** quiet, SLOWEST_MS) : Math.min(RUNNING_MS * 1.5 ** quiet, SLOWEST_RUNNING_MS);
}

/**
 * Looks at an audit until it is over, then ends. What does not pass by itself is thrown, as is the signal's reason.
 *
 * `wait` may come back early: somebody wants to know now.
 */
export async function* watchAudit(client: AuditClient, id: string, wait: (ms: number) => Promise<void>, signal: AbortSignal): AsyncGenerator<AuditLook, void> {
  let last: AuditStatus | null = null;
  let quiet = 0;
  let failures = 0;
  for (;;) {
    signal.throwIfAborted();
    let nextMs = 0;
    try {
      const status: AuditStatus = await client.status(id, signal);
      const isNew = status !== last;
      failures = 0;
      quiet = isNew ? 0 : quiet + 1;
      last = status;
      nextMs = nextLookMs(status.state, quiet, 0, 0);
      yield { status, error: null, isNew, nextMs };
      if (isAuditOver(status.state)) return;
    } catch (error) {
      if (!(error instanceof WorkerError) || !error.passes) throw error;
      failures += 1;
      nextMs = nextLookMs(last?.state ?? null, 0, failures, error.retryAfterMs);
      yield { status: null, error, isNew: false, nextMs };
    }
    await wait(nextMs);
  }
}

function query({ archive, range: ledgers, buckets }: AuditWanted, consumers?: number): string {
  const values = new URLSearchParams(archive === undefined ? {} : { archive });
  if (ledgers !== undefined) {
    values.set('low', String(ledgers.low));
    values.set('high', String(ledgers.high));
  }
  if (buckets) values.set('buckets', '1');
  if (consumers !== undefined) values.set('consumers', String(consumers));
  const text = values.toString();
  return text === '' ? '' : `?${text}`;
}

/** No more of it than `largest` bytes. */
async function textOf(response: Response, largest: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    parts.push(value);
    if (size > largest) {
      await reader.cancel();
      throw stranger(response.status);
    }
  }
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
}

function refusal(response: Response, text: string): WorkerError {
  const { status } = response;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return new WorkerError('stranger', 'It answers by pointing to another address: name that one.', { status: 300 });
  }
  if (/^application\/problem\+json\b/i.test(response.headers.get('content-type') ?? '')) {
    try {
      const { type, title, detail } = record(JSON.parse(text));
      const problem = typeof type === 'string' && type.startsWith(PROBLEM) ? type.slice(PROBLEM.length) : '';
      const words = [title, detail].filter((one) => typeof one === 'string' && one !== '').map((one) => short(one).replace(/\.?$/, '.'));
      if (problem !== '') return new WorkerError('refused', words.join(' ') || `It refuses (${status}).`, { problem, status, retryAfterMs });
    } catch {
      // Half of a problem is none.
    }
  }
  return stranger(status, retryAfterMs);
}

function stranger(status: number, retryAfterMs = 0): WorkerError {
  return new WorkerError('stranger', `What answers there is no edge worker of this verifier, or not one that this version understands${status === 200 || status === 0 ? '' : ` (HTTP ${status})`}.`, { status, retryAfterMs });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw stranger(200);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw stranger(200);
  return value as Fields;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw stranger(200);
  return value.slice(0, MOST_ENTRIES);
}

/** Whatever it is, as a text that can be shown: without what would move a line about. */
function short(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text).replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, ' ');
}

function word(fields: Fields, name: string): string {
  if (typeof fields[name] !== 'string') throw stranger(200);
  return short(fields[name]);
}

function amount(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw stranger(200);
  return value;
}

function range(value: unknown): LedgerRange {
  const fields = record(value);
  return { low: amount(fields, 'low'), high: amount(fields, 'high') };
}

function idIn(fields: Fields): string {
  const id = word(fields, 'id');
  if (!ID.test(id)) throw stranger(200);
  return id;
}

function standing(fields: Fields): AuditStanding {
  const state = word(fields, 'state');
  if (!STANDINGS.includes(state)) throw stranger(200);
  return state as AuditStanding;
}

function verdict({ verdict: said }: Fields): Verdict | null {
  return typeof said === 'string' && VERDICTS.includes(said) ? (said as Verdict) : null;
}

function statusOf(value: unknown, wanted?: string): AuditStatus {
  const said = record(value);
  const [checkpoints, buckets, parts, consumers] = [record(said['checkpoints']), record(said['buckets']), record(said['parts']), record(said['consumers'])];
  const id = idIn(said);
  const bytes = word(said, 'compressedBytes');
  if ((wanted !== undefined && id !== wanted) || !/^\d{1,30}$/.test(bytes)) throw stranger(200);
  return {
    id, archive: word(said, 'archive'), url: word(said, 'url'), network: typeof said['network'] === 'string' ? short(said['network']) : null, range: range(said['range']),
    state: standing(said), reason: typeof said['reason'] === 'string' ? short(said['reason']) : null,
    checkpoints: { done: amount(checkpoints, 'done'), total: amount(checkpoints, 'total') },
    buckets: { open: amount(buckets, 'open') },
    parts: {
      inFlight: amount(parts, 'inFlight'), waiting: amount(parts, 'waiting'), retried: amount(parts, 'retried'), halved: amount(parts, 'halved'),
      givenUp: amount(parts, 'givenUp'), duplicates: amount(parts, 'duplicates'), lost: amount(parts, 'lost'),
    },
    requests: amount(said, 'requests'), compressedBytes: bytes, findings: amount(said, 'findings'), verdict: verdict(said),
    startedAt: word(said, 'startedAt'), updatedAt: word(said, 'updatedAt'),
    etaSeconds: said['etaSeconds'] === null ? null : amount(said, 'etaSeconds'),
    consumers: { now: amount(consumers, 'now'), max: amount(consumers, 'max') },
  };
}

const REPORT_LISTS = ['archives', 'anchors', 'claims', 'unchecked', 'findings', 'errors', 'notes', 'sources'] as const;
const REPORT_OBJECTS = ['verifier', 'network', 'options', 'meaning', 'trust', 'totals', 'metrics', 'bytes'] as const;
const REPORT_WORDS = ['statement', 'startedAt'] as const;
const REPORT_AMOUNTS = ['findingsDropped', 'elapsedMs'] as const;

/** The frame of a report, to its lists; what shows it must stand what is in them. */
function asReport(value: unknown): Report {
  const said = record(value);
  const sound =
    said['schema'] === 1 && verdict(said) !== null && (said['range'] === null || range(said['range']).high >= 0) &&
    REPORT_LISTS.every((name) => Array.isArray(said[name]) && said[name].every((one: unknown) => (name === 'archives' ? typeof one === 'string' : typeof one === 'object' && one !== null))) &&
    REPORT_OBJECTS.every((name) => typeof said[name] === 'object' && said[name] !== null) &&
    REPORT_WORDS.every((name) => typeof said[name] === 'string') && REPORT_AMOUNTS.every((name) => typeof said[name] === 'number');
  if (!sound) throw stranger(200);
  return said as unknown as Report;
}
