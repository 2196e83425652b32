/**
 * The events between a run and whoever reads them: a queue with one writer and one reader.
 *
 * It stays small however slow the reader is, and also when nobody reads: findings are kept (the verifier itself bounds
 * them), checkpoints are kept as one packed number each, of progress and of states only the latest waits, and waiting
 * retries are capped.
 *
 * Not here: any flow control. The writer is WebAssembly in the middle of its work and cannot wait.
 */
import type { RunEvent, Status } from './types.ts';

type CheckpointEvent = Extract<RunEvent, { type: 'checkpoint' }>;
type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;
type StateEvent = Extract<RunEvent, { type: 'state' }>;

/** More than anyone reads; the exact count is in every progress event. */
const MAX_WAITING_RETRIES = 256;

const STATUSES: readonly Status[] = ['verified', 'faulty', 'unchecked'];
const KINDS = ['history', 'ledger', 'transactions', 'results', 'scp'] as const;
/** Two bits a kind. */
const STATUS_SPACE = 4 ** KINDS.length;

/** A checkpoint and its five statuses as one integer below 2^42, which a double holds exactly. */
function pack(event: CheckpointEvent): number {
  const statuses = KINDS.reduce((bits, kind) => bits * 4 + STATUSES.indexOf(event.status[kind]), 0);
  return event.checkpoint * STATUS_SPACE + statuses;
}

function unpack(packed: number): CheckpointEvent {
  const status: Record<(typeof KINDS)[number], Status> = {
    history: 'unchecked', ledger: 'unchecked', transactions: 'unchecked', results: 'unchecked', scp: 'unchecked',
  };
  let bits = packed % STATUS_SPACE;
  for (let index = KINDS.length - 1; index >= 0; index -= 1) {
    const kind = KINDS[index];
    if (kind !== undefined) status[kind] = STATUSES[bits % 4] ?? 'unchecked';
    bits = Math.floor(bits / 4);
  }
  return { type: 'checkpoint', checkpoint: Math.floor(packed / STATUS_SPACE), status };
}

/** First in, first out, without the cost of `Array.shift` on a long array. */
class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get last(): T | undefined {
    return this.isEmpty ? undefined : this.#items[this.#items.length - 1];
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    this.#head += 1;
    if (this.#head >= this.#items.length) this.clear();
    else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}

/** What waits: an event, a run of packed checkpoints, or the place where the latest progress belongs. */
type Entry =
  | { readonly kind: 'event'; readonly event: RunEvent }
  | { readonly kind: 'checkpoints'; readonly packed: Fifo<number> }
  | { readonly kind: 'progress' };

interface Waiter {
  resolve(result: IteratorResult<RunEvent, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<RunEvent, undefined> = { done: true, value: undefined };

/** The queue, which is also the async iterator over it. */
export class EventQueue implements AsyncIterator<RunEvent, undefined> {
  readonly #entries = new Fifo<Entry>();
  readonly #waiters = new Fifo<Waiter>();
  #progress: ProgressEvent | undefined;
  /**
   * The latest state and how many of the events that wait came before it. It never comes earlier than they do: whoever
   * stores it must not lose, after an interruption, events that it covers and nobody has read.
   */
  #state: { readonly event: StateEvent; before: number } | undefined;
  #waiting = 0;
  #waitingRetries = 0;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  /** Never throws and never runs a reader's code: it may be called from inside WebAssembly. */
  push(event: RunEvent): void {
    if (this.#closed) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: event });
      return;
    }
    if (event.type === 'state') {
      this.#state = { event, before: this.#waiting };
      return;
    }
    if (event.type === 'progress') {
      const waits = this.#progress !== undefined;
      this.#progress = event;
      if (waits) return;
      this.#entries.push({ kind: 'progress' });
    } else if (event.type === 'checkpoint') {
      const last = this.#entries.last;
      if (last?.kind === 'checkpoints') {
        last.packed.push(pack(event));
      } else {
        const packed = new Fifo<number>();
        packed.push(pack(event));
        this.#entries.push({ kind: 'checkpoints', packed });
      }
    } else {
      if (event.type === 'retry') {
        if (this.#waitingRetries === MAX_WAITING_RETRIES) return;
        this.#waitingRetries += 1;
      }
      this.#entries.push({ kind: 'event', event });
    }
    this.#waiting += 1;
  }

  /** No more events; what waits is still delivered. */
  end(): void {
    this.#closed = true;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) waiter.resolve(DONE);
  }

  /** No more events; after what waits, the reader gets `error` once. */
  fail(error: unknown): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#failure = { error };
    else waiter.reject(error);
    this.end();
  }

  next(): Promise<IteratorResult<RunEvent, undefined>> {
    const event = this.#take();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#closed) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** The reader left its loop: nothing is kept from here on. */
  return(): Promise<IteratorResult<RunEvent, undefined>> {
    this.#entries.clear();
    this.#progress = undefined;
    this.#state = undefined;
    this.#waiting = 0;
    this.#failure = undefined;
    this.end();
    return Promise.resolve(DONE);
  }

  #take(): RunEvent | undefined {
    if (this.#state?.before === 0) {
      const { event } = this.#state;
      this.#state = undefined;
      return event;
    }
    const entry = this.#entries.first;
    if (entry === undefined) return undefined;
    this.#waiting -= 1;
    if (this.#state !== undefined) this.#state.before -= 1;
    if (entry.kind === 'checkpoints') {
      const packed = entry.packed.shift();
      if (entry.packed.isEmpty) this.#entries.shift();
      return packed === undefined ? undefined : unpack(packed);
    }
    this.#entries.shift();
    if (entry.kind === 'progress') {
      const progress = this.#progress;
      this.#progress = undefined;
      return progress;
    }
    if (entry.event.type === 'retry') this.#waitingRetries -= 1;
    return entry.event;
  }
}
