/**
 * The audits of this page: the worker that is asked, what it would take, and the one that is watched, as signals.
 *
 * The token is here as long as the page is open, and nowhere else: not in a link, not in storage. Not here: asking (`lib/audit-client.ts`),
 * and what is shown.
 */
import { computed, signal } from '@preact/signals';
import {
  AuditClient, WorkerError, isAuditOver, watchAudit, workerAddress,
  type AuditAction, type AuditEntry, type AuditEstimate, type AuditStatus, type AuditWanted, type EdgeWorker,
} from '../../lib/audit-client.ts';
import type { Report } from '../../lib/types.ts';
import { parseLedger } from '../form.ts';
import { grouped, plural } from '../format.ts';
import { announce } from '../store.ts';
import { rememberWorker } from './recent-workers.ts';

/** A worker that was asked, and what it said. `list`: its audits, or why it shows none. */
export type Known =
  | { readonly state: 'none' }
  | { readonly state: 'asking'; readonly worker: URL }
  | { readonly state: 'failed'; readonly worker: URL; readonly error: WorkerError }
  | { readonly state: 'known'; readonly client: AuditClient; readonly edge: EdgeWorker; readonly list: readonly AuditEntry[] | WorkerError };

export type Estimated =
  | { readonly state: 'none' }
  | { readonly state: 'asking' }
  | { readonly state: 'failed'; readonly error: WorkerError }
  | { readonly state: 'known'; readonly estimate: AuditEstimate };

export interface Fields {
  readonly archive: string;
  readonly low: string;
  readonly high: string;
  readonly skipBuckets: boolean;
  readonly consumers: string;
}

const EMPTY: Fields = { archive: '', low: '', high: '', skipBuckets: false, consumers: '' };

export const known = signal<Known>({ state: 'none' });
export const fields = signal<Fields>(EMPTY);
export const estimated = signal<Estimated>({ state: 'none' });
export const token = signal('');
/** The worker that the token was typed for: no other one gets it. */
let tokenFor: string | null = null;

/** To be called with the worker that is shown. */
export function keepTokenFor(worker: URL): void {
  if (tokenFor !== null && tokenFor !== worker.href) token.value = '';
  tokenFor = worker.href;
}
/** A request with the token is under way, or what came of the last one. */
export const sending = signal(false);
export const refusal = signal<WorkerError | null>(null);
/** What is typed into the worker's field, and whether it was tried. */
export const address = signal('');
export const addressFault = signal<string | null>(null);

export type Fault = { readonly field: 'low' | 'high' | 'consumers'; readonly message: string };

/** What the fields say, as far as it can be known before the worker is asked. */
export const wanted = computed((): { readonly wanted: AuditWanted; readonly consumers: number | undefined } | { readonly fault: Fault } => {
  const { archive, skipBuckets } = fields.value;
  const [low, high, consumers] = [fields.value.low.trim(), fields.value.high.trim(), fields.value.consumers.trim()];
  const first = parseLedger(low);
  const last = parseLedger(high);
  if (low !== '' && first === null) return { fault: { field: 'low', message: 'A ledger is a number from 1 on, decimal or 0x….' } };
  if (high !== '' && last === null) return { fault: { field: 'high', message: 'A ledger is a number from 1 on, decimal or 0x….' } };
  if ((low === '') !== (high === '')) return { fault: { field: low === '' ? 'low' : 'high', message: 'Give both, or neither for all that the archive has.' } };
  if (first !== null && last !== null && first > last) return { fault: { field: 'high', message: 'This is below the first one.' } };
  if (consumers !== '' && !/^[1-9]\d{0,3}$/.test(consumers)) return { fault: { field: 'consumers', message: 'A number from 1 on; the worker has a limit of its own.' } };
  return {
    wanted: { archive: archive === '' ? undefined : archive, range: first === null || last === null ? undefined : { low: first, high: last }, buckets: !skipBuckets },
    consumers: consumers === '' ? undefined : Number(consumers),
  };
});

/** What was estimated is of what was entered. */
export function edit(change: Partial<Fields>): void {
  fields.value = { ...fields.value, ...change };
  asked.abort();
  estimated.value = { state: 'none' };
}

function asWorkerError(error: unknown): WorkerError {
  return error instanceof WorkerError ? error : new WorkerError('unreachable', error instanceof Error ? error.message : String(error));
}

let visit = new AbortController();
let asked = new AbortController();

/** Asks a worker what it is; its archive is taken where it has only one. */
export async function askWorker(worker: URL): Promise<void> {
  visit.abort();
  visit = new AbortController();
  const { signal: mine } = visit;
  known.value = { state: 'asking', worker };
  estimated.value = { state: 'none' };
  refusal.value = null;
  announce('Asking the worker');
  keepTokenFor(worker);
  const client = new AuditClient(worker);
  try {
    const edge = await client.about(mine);
    if (!edge.audits) throw new WorkerError('stranger', 'This is an edge worker of an earlier version, which knows nothing of audits.');
    const list = await client.audits(mine).catch((error: unknown) => asWorkerError(error));
    if (mine.aborted) return;
    rememberWorker(worker.href);
    const [first] = edge.archives;
    fields.value = { ...EMPTY, archive: first?.name ?? '' };
    known.value = { state: 'known', client, edge, list };
    announce(`The worker has ${plural(edge.archives.length, 'archive')}`);
  } catch (error) {
    if (mine.aborted) return;
    known.value = { state: 'failed', worker, error: asWorkerError(error) };
    announce(asWorkerError(error).message);
  }
}

export function forgetAsked(): void {
  visit.abort();
  asked.abort();
  known.value = { state: 'none' };
  estimated.value = { state: 'none' };
  refusal.value = null;
}

export async function askEstimate(): Promise<void> {
  const entered = wanted.value;
  if (known.value.state !== 'known' || 'fault' in entered) return;
  const { client } = known.value;
  asked.abort();
  asked = new AbortController();
  const { signal: mine } = asked;
  estimated.value = { state: 'asking' };
  announce('Estimating');
  try {
    const estimate = await client.estimate(entered.wanted, mine);
    if (mine.aborted) return;
    estimated.value = { state: 'known', estimate };
    announce(`${plural(estimate.checkpoints, 'checkpoint')}, ${plural(Math.round(estimate.requests), 'request')}`);
  } catch (error) {
    if (mine.aborted) return;
    estimated.value = { state: 'failed', error: asWorkerError(error) };
    announce('It could not be estimated');
  }
}

/** Begins it; its id, or `null` where the worker refused. */
export async function begin(): Promise<string | null> {
  const entered = wanted.value;
  if (known.value.state !== 'known' || 'fault' in entered || sending.value) return null;
  const { client } = known.value;
  sending.value = true;
  refusal.value = null;
  announce('Beginning the audit');
  try {
    return (await client.start(entered.wanted, entered.consumers, token.value.trim())).id;
  } catch (error) {
    refusal.value = asWorkerError(error);
    announce(`Not begun: ${refusal.value.message}`);
    return null;
  } finally {
    sending.value = false;
  }
}

/** Why an audit is not shown, or the last look at it came to nothing. */
export interface Silence {
  readonly error: WorkerError;
  /** Nothing comes of asking again by itself. */
  readonly lasting: boolean;
  readonly nextMs: number;
}

/** At the least, in a tab that nobody sees. */
const HIDDEN_MS = 60_000;

/** One audit, as it is looked at. */
export class Watched {
  readonly client: AuditClient;
  readonly id: string;
  readonly status = signal<AuditStatus | null>(null);
  readonly silence = signal<Silence | null>(null);
  /** When the worker was heard last, by this computer's clock. */
  readonly heardAt = signal(0);
  readonly report = signal<Report | null>(null);
  readonly reportError = signal<WorkerError | null>(null);
  readonly #end = new AbortController();
  #wake: () => void = () => undefined;
  #running = false;
  #told = '';

  constructor(worker: URL, id: string) {
    keepTokenFor(worker);
    this.client = new AuditClient(worker);
    this.id = id;
    document.addEventListener('visibilitychange', this.#onVisible);
    void this.#follow();
  }

  /** Looks now rather than later. */
  look(): void {
    if (this.#running) this.#wake();
    else void this.#follow();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.#end.abort();
    this.#wake();
  }

  async steer(action: AuditAction): Promise<void> {
    if (sending.value) return;
    sending.value = true;
    refusal.value = null;
    try {
      this.#heard(await this.client.steer(this.id, action, token.value.trim(), this.#end.signal));
      this.look();
    } catch (error) {
      if (this.#end.signal.aborted) return;
      refusal.value = asWorkerError(error);
      announce(refusal.value.message);
    } finally {
      sending.value = false;
    }
  }

  async fetchReport(): Promise<void> {
    this.reportError.value = null;
    try {
      this.report.value = await this.client.report(this.id, this.#end.signal);
      announce(`The report is here: ${this.report.value.verdict}`);
    } catch (error) {
      if (this.#end.signal.aborted) return;
      this.reportError.value = asWorkerError(error);
      announce('The report could not be had');
    }
  }

  async #follow(): Promise<void> {
    const { signal: mine } = this.#end;
    this.#running = true;
    try {
      for await (const { status, error, nextMs } of watchAudit(this.client, this.id, (ms) => this.#rest(ms), mine)) {
        if (status !== null) this.#heard(status);
        else this.#unheard({ error, lasting: false, nextMs });
      }
    } catch (error) {
      if (!mine.aborted) this.#unheard({ error: asWorkerError(error), lasting: true, nextMs: 0 });
    } finally {
      this.#running = false;
    }
  }

  #heard(status: AuditStatus): void {
    if (this.silence.value !== null && this.status.value !== null) announce('The worker answers again');
    this.silence.value = null;
    this.heardAt.value = Date.now();
    if (this.status.value === null) rememberWorker(this.client.worker.href);
    const before = this.status.value;
    this.status.value = status;
    const { state, reason, checkpoints: { done, total } } = status;
    const tenth = total === 0 ? 0 : Math.floor((done / total) * 10);
    // Not at every look: who hears the page has other things to listen to.
    const words = state === 'running' ? `Running: ${tenth * 10} percent` : `${state}${reason === null ? '' : `: ${reason}`}`;
    if (words !== this.#told) announce(state === 'running' ? `${words}, ${grouped(done)} of ${plural(total, 'checkpoint')}` : `The audit is ${words}`);
    this.#told = words;
    if (state === 'done' && before?.state !== 'done' && this.report.value === null) void this.fetchReport();
    if (isAuditOver(state)) document.removeEventListener('visibilitychange', this.#onVisible);
  }

  #unheard(silence: Silence): void {
    if (this.silence.value === null) announce(silence.error.message);
    this.silence.value = silence;
  }

  /** A tab that nobody sees asks seldom, and at once when it is seen again. */
  #rest(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(() => this.#wake(), document.hidden ? Math.max(ms, HIDDEN_MS) : ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        done();
      };
    });
  }

  readonly #onVisible = (): void => {
    if (!document.hidden) this.#wake();
  };
}

/** What is typed, as a worker; its fault is shown where it is none. */
export function typedWorker(): ReturnType<typeof workerAddress> {
  const found = workerAddress(address.value);
  const insecure = found !== null && found.worker.protocol === 'http:' && !['localhost', '127.0.0.1'].includes(found.worker.hostname);
  addressFault.value = found === null
    ? address.value.trim() === '' ? 'Give the address of an edge worker: whoever runs one knows it.' : 'This is no address of a worker: it begins with https://.'
    : insecure ? 'A page reads from https:// addresses and, without encryption, only from this machine.' : null;
  return addressFault.value === null ? found : null;
}
