/**
 * An audit of a made-up archive in virtual time: the real coordinator over the SQLite of a real Durable Object, and around it a queue,
 * consumers and an archive that go wrong as often as a seed says.
 *
 * Parts carry their places only, and joining them folds those places into a chain: what is lost, doubled or out of order breaks it.
 * Not here: how it is started and shown (`pkg-config/simulate-audit.mjs`); any verification. It is no part of the worker.
 */
import type { AuditState, AuditTask } from '../../lib/audit-types.ts';
import { Coordinator } from './coordinator.ts';
import type { Ports } from './coordinator.ts';
import { costOf, cpuOf, given, reading, secondsOf } from './estimate.ts';
import type { AuditMessage, Work } from './messages.ts';
import type { Sql } from './records.ts';

export interface Faults {
  /** Of messages: lost, brought twice, brought late. */
  readonly lost: number;
  readonly doubled: number;
  readonly late: number;
  /** Of consumers: stopped in the middle. */
  readonly stopped: number;
  /** Places that stop every consumer that meets them. */
  readonly poisoned: number;
  /** Hours in which the archive does not answer, and quarters of an hour in which it answers every third request with 429. */
  readonly outages: number;
  readonly storms: number;
  /** Times at which the coordinator is stopped and begins anew from SQLite. */
  readonly restarts: number;
}

export interface Setting {
  readonly checkpoints: number;
  readonly partSize: number;
  readonly consumers: number;
  readonly seed: number;
  readonly faults: Faults;
}

export interface Outcome {
  readonly consumers: number;
  readonly hours: number;
  readonly requests: number;
  readonly bytes: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly objectRequests: number;
  readonly rowsWritten: number;
  readonly cpuSeconds: number;
  readonly usd: number;
  readonly met: Readonly<Record<'lost' | 'doubled' | 'late' | 'stopped' | 'unreachable' | 'throttled' | 'restarts' | 'deadLetters', number>>;
  readonly counted: { readonly retried: number; readonly halved: number; readonly givenUp: number; readonly duplicates: number; readonly lost: number };
  readonly mostAtOnce: number;
  /** Parts and buckets by how often they were joined: everything once. */
  readonly joins: { readonly places: number; readonly inOrder: boolean; readonly once: boolean; readonly buckets: number; readonly givenUp: readonly number[]; readonly poisoned: readonly number[] };
}

/** As much of a Durable Object as this stands on. */
interface Host {
  readonly storage: { readonly sql: { exec(query: string, ...values: readonly unknown[]): Cursor }; transactionSync<T>(body: () => T): T };
}

interface Cursor {
  toArray(): Record<string, unknown>[];
  readonly rowsWritten: number;
}

const START = Date.parse('2026-01-01T00:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What the queue is told in wrangler.jsonc. */
const DELIVERIES = 4;
const PACE = { lostMs: 20 * MINUTE, retryMs: 30_000, longestRetryMs: 15 * MINUTE, outageMs: 24 * HOUR };
/** Until the event loop gets a turn, so that what was written is written out. */
const YIELD_EVENTS = 5000;

export default {
  async fetch(request: Request, env: { readonly SIMULATIONS: { newUniqueId(): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } } }): Promise<Response> {
    return env.SIMULATIONS.get(env.SIMULATIONS.newUniqueId()).fetch(request);
  },
};

/** A Durable Object that is there for one run. */
export class Simulation {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async fetch(request: Request): Promise<Response> {
    const setting: Setting = await request.json();
    return Response.json(await simulate(this.#host, setting));
  }
}

export async function simulate(host: Host, setting: Setting): Promise<Outcome> {
  return new World(host, setting).run();
}

interface QueuedMessage {
  readonly id: string;
  readonly task: number;
  deliveries: number;
}

class World {
  readonly #setting: Setting;
  readonly #ports: Ports;
  readonly #random: () => number;
  readonly #events = new Agenda();
  readonly #poison: ReadonlySet<number>;
  readonly #outages: readonly (readonly [from: number, to: number])[];
  readonly #storms: readonly (readonly [from: number, to: number])[];
  readonly #ledger = new PlaceLedger();
  readonly #backlog: QueuedMessage[] = [];
  #coordinator: Coordinator;
  #now = START;
  #working = 0;
  #messages = 0;
  #alarm: number | null = null;
  readonly #sum = { requests: 0, bytes: 0, cpuSeconds: 0, deliveries: 0, objectRequests: 0, rowsWritten: 0, mostAtOnce: 0 };
  readonly #met = { lost: 0, doubled: 0, late: 0, stopped: 0, unreachable: 0, throttled: 0, restarts: 0, deadLetters: 0 };

  constructor(host: Host, setting: Setting) {
    this.#setting = setting;
    this.#random = randomFrom(setting.seed);
    const { checkpoints, faults } = setting;
    this.#poison = new Set(Array.from({ length: faults.poisoned }, () => Math.floor(this.#random() * checkpoints)));
    // When all goes well it takes so long.
    const ideal = (secondsOf({ ...reading(checkpoints, true), tasks: (2 * checkpoints) / setting.partSize }) / setting.consumers) * 1000;
    const times = (count: number, length: number): [number, number][] => Array.from({ length: count }, () => {
      const from = START + this.#random() * ideal;
      return [from, from + length];
    });
    this.#outages = times(faults.outages, HOUR);
    this.#storms = times(faults.storms, HOUR / 4);
    for (const [at] of times(faults.restarts, 0)) this.#events.add(at, () => this.#restart());
    const sql: Sql = {
      exec: (query, ...values) => {
        const cursor = host.storage.sql.exec(query, ...values);
        const rows = cursor.toArray();
        this.#sum.rowsWritten += cursor.rowsWritten;
        return { toArray: () => rows };
      },
    };
    this.#ports = {
      sql,
      transaction: (body) => host.storage.transactionSync(body),
      now: () => Math.floor(this.#now),
      send: (messages) => this.#send(messages),
      alarm: (at) => this.#setAlarm(at),
      join: (state, parts) => this.#ledger.join(state, parts),
      giveUp: (task) => this.#ledger.part(task, true),
    };
    this.#coordinator = new Coordinator(this.#ports);
  }

  async run(): Promise<Outcome> {
    const { checkpoints, consumers, partSize } = this.#setting;
    this.#coordinator.begin({
      id: '0'.repeat(32), archive: { name: 'made-up', url: 'https://archive.example.com/' }, options: {}, consumers, pace: { ...PACE, partSize },
      began: this.#ledger.begin(checkpoints),
    });
    let ended: number | null = null;
    for (let count = 1; ended === null; count += 1) {
      const event = this.#events.next();
      if (event === null) throw new Error(`nothing is left to happen, and the audit is ${JSON.stringify(this.#coordinator.status())}`);
      this.#now = Math.max(this.#now, event.at);
      event.happen();
      if (count % YIELD_EVENTS === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#coordinator.state === 'done') ended = this.#now;
      if (this.#coordinator.state === 'failed' || this.#coordinator.state === 'paused') throw new Error(`the audit stopped: ${JSON.stringify(this.#coordinator.status())}`);
    }
    const { parts: { retried, halved, givenUp, duplicates, lost } } = this.#coordinator.status();
    const seconds = (ended - START) / 1000;
    const { requests, bytes, cpuSeconds, deliveries, objectRequests, rowsWritten, mostAtOnce } = this.#sum;
    return {
      consumers, hours: seconds / 3600, requests, bytes, messages: this.#messages, deliveries, objectRequests, rowsWritten, cpuSeconds,
      // Written and deleted once, read with every delivery.
      usd: costOf({ invocations: deliveries, cpuSeconds, queueOperations: 2 * this.#messages + deliveries, objectRequests, objectSeconds: seconds, rowsWritten }, true),
      met: this.#met, counted: { retried, halved, givenUp, duplicates, lost }, mostAtOnce,
      joins: { ...this.#ledger.proof(checkpoints), poisoned: [...this.#poison].sort((a, b) => a - b) },
    };
  }

  // ---- the queue

  #send(messages: readonly AuditMessage[]): void {
    const { lost, doubled, late } = this.#setting.faults;
    for (const { task } of messages) {
      this.#messages += 1;
      const message = { id: `m${this.#messages}`, task, deliveries: 0 };
      if (this.#chance(lost)) {
        this.#met.lost += 1;
        continue;
      }
      const isLate = this.#chance(late);
      if (isLate) this.#met.late += 1;
      this.#bring(message, isLate ? this.#random() * 5 * MINUTE : this.#random() * 1000);
      if (this.#chance(doubled)) {
        this.#met.doubled += 1;
        this.#bring(message, this.#random() * 5 * MINUTE);
      }
    }
  }

  #bring(message: QueuedMessage, afterMs: number): void {
    this.#events.add(this.#now + afterMs, () => {
      this.#backlog.push(message);
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#working < this.#setting.consumers) {
      const message = this.#backlog.shift();
      if (message === undefined) return;
      this.#consume(message);
    }
  }

  #free(): void {
    this.#working -= 1;
    this.#dispatch();
  }

  // ---- a consumer

  #consume(message: QueuedMessage): void {
    this.#working += 1;
    this.#sum.mostAtOnce = Math.max(this.#sum.mostAtOnce, this.#working);
    this.#sum.deliveries += 1;
    message.deliveries += 1;
    this.#sum.objectRequests += 1;
    const work = this.#coordinator.take(message.task, message.id);
    if (work.kind === 'none') return void this.#events.add(this.#now + 20, () => this.#free());
    if (work.askFirst && this.#isDown()) {
      this.#sum.requests += 2;
      return void this.#events.add(this.#now + 1000, () => this.#unreachable(message.task));
    }
    if (work.kind === 'finish') {
      return void this.#events.add(this.#now + 2000, () => {
        this.#sum.objectRequests += 1;
        this.#coordinator.finished(message.task, { verdict: 'verified', findings: 0 });
        this.#free();
      });
    }
    this.#verify(message, work);
  }

  #verify(message: QueuedMessage, work: Extract<Work, { readonly kind: 'verify' }>): void {
    const { task } = work;
    const whole = 'count' in task ? reading(task.count, true) : { requests: task.buckets.length, bytes: task.buckets.length * BUCKET_BYTES };
    const seconds = secondsOf({ ...whole, tasks: 1 }) * (0.7 + 0.8 * this.#random());
    const isPoisoned = 'count' in task && [...this.#poison].some((place) => place >= task.first && place < task.first + task.count);
    if (isPoisoned || this.#chance(this.#setting.faults.stopped)) {
      const share = this.#random();
      this.#spend(whole, share);
      return void this.#events.add(this.#now + seconds * share * 1000, () => this.#stopped(message));
    }
    const began = this.#now;
    this.#events.add(began + seconds * 1000, () => {
      if (this.#outages.some(([from, to]) => from < this.#now && to > began)) {
        this.#spend(whole, 0.5);
        return this.#unreachable(message.task);
      }
      this.#spend(whole, 1);
      const throttled = this.#isThrottled(whole.requests / seconds);
      if (throttled) this.#met.throttled += 1;
      this.#sum.objectRequests += 1;
      this.#coordinator.deliver(message.task, { part: this.#ledger.part(task, false), unreadable: throttled ? 40 : 0, passing: throttled ? 40 : 0, reachable: true });
      this.#advance();
      this.#free();
    });
  }

  #stopped(message: QueuedMessage): void {
    this.#met.stopped += 1;
    if (message.deliveries < DELIVERIES) this.#bring(message, 5000);
    else {
      this.#met.deadLetters += 1;
      // The dead letter is a message of its own.
      this.#messages += 1;
      this.#sum.deliveries += 1;
      this.#sum.objectRequests += 1;
      this.#coordinator.dead(message.task);
      this.#advance();
    }
    this.#free();
  }

  #unreachable(task: number): void {
    this.#met.unreachable += 1;
    this.#sum.objectRequests += 1;
    this.#coordinator.hindered(task, { reachable: false, passing: true, slow: false });
    this.#free();
  }

  #spend({ requests, bytes }: { readonly requests: number; readonly bytes: number }, share: number): void {
    this.#sum.requests += Math.round(requests * share);
    this.#sum.bytes += bytes * share;
    this.#sum.cpuSeconds += cpuOf(bytes * share);
  }

  // ---- the archive, and the coordinator's surroundings

  #isDown(): boolean {
    return this.#outages.some(([from, to]) => this.#now >= from && this.#now < to);
  }

  /** By a storm, or since all consumers together ask for more than the archive gives. */
  #isThrottled(requestsPerSecond: number): boolean {
    if (this.#storms.some(([from, to]) => this.#now >= from && this.#now < to)) return this.#chance(1 / 3);
    const asked = requestsPerSecond * this.#working;
    return asked > given('archiveRequestsPerSecond') && this.#chance(1 - given('archiveRequestsPerSecond') / asked);
  }

  #advance(): void {
    while (this.#coordinator.advance());
  }

  #setAlarm(at: number): void {
    // As in a Durable Object there is one alarm, which is a row, too.
    this.#sum.rowsWritten += 1;
    this.#alarm = at;
    this.#events.add(at, () => {
      if (this.#alarm !== at) return;
      this.#alarm = null;
      this.#sum.objectRequests += 1;
      this.#coordinator.tick();
      this.#advance();
    });
  }

  #restart(): void {
    this.#met.restarts += 1;
    this.#coordinator = new Coordinator(this.#ports);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }
}

/** A bucket of a part's first checkpoint, on the average. */
const BUCKET_BYTES = (given('bytesPerCheckpoint') * given('bucketShare')) / given('newBucketsPerCheckpoint');

/** What joining is here: places are folded into a chain, each of which must be the next. */
export class PlaceLedger {
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  begin(checkpoints: number): AuditState {
    return this.#state({ checkpoints, joined: 0, chain: 1, open: [], buckets: 0, givenUp: [] });
  }

  part(task: AuditTask, isGivenUp: boolean): Uint8Array {
    const said = 'count' in task ? { first: task.first, count: task.count } : { buckets: task.buckets.map(({ bucket }) => bucket) };
    return this.#encoder.encode(JSON.stringify({ ...said, isGivenUp }));
  }

  #last: PlaceState | null = null;

  join(bytes: Uint8Array, parts: readonly Uint8Array[]): AuditState {
    const state: PlaceState = JSON.parse(this.#decoder.decode(bytes));
    for (const part of parts) {
      const { first, count, buckets, isGivenUp }: { first: number; count: number; buckets?: string[]; isGivenUp: boolean } = JSON.parse(this.#decoder.decode(part));
      if (buckets !== undefined) {
        const open = new Set(state.open);
        for (const bucket of buckets) if (open.delete(bucket)) state.buckets += 1;
        state.open = [...open];
        continue;
      }
      if (first !== state.joined) throw new Error(`the part begins at ${first}, and ${state.joined} are joined`);
      for (let place = first; place < first + count; place += 1) state.chain = linked(state.chain, place);
      state.joined += count;
      for (let bucket = 0; bucket < given('newBucketsPerCheckpoint'); bucket += 1) state.open.push(`${first}.${bucket}`);
      if (isGivenUp) state.givenUp.push(first);
    }
    this.#last = state;
    return this.#state(state);
  }

  proof(checkpoints: number): { readonly places: number; readonly inOrder: boolean; readonly once: boolean; readonly buckets: number; readonly givenUp: readonly number[] } {
    const state = this.#last;
    if (state === null) throw new Error('nothing was joined');
    let chain = 1;
    for (let place = 0; place < checkpoints; place += 1) chain = linked(chain, place);
    return { places: state.joined, inOrder: state.chain === chain, once: state.joined === checkpoints && state.open.length === 0, buckets: state.buckets, givenUp: state.givenUp };
  }

  #state(state: PlaceState): AuditState {
    return {
      state: this.#encoder.encode(JSON.stringify(state)), range: { low: 1, high: state.checkpoints * 64 - 1 }, network: null, unreadable: 0, checkpoints: state.checkpoints, joined: state.joined,
      waiting: Math.ceil(state.open.length / given('newBucketsPerCheckpoint')), openBuckets: state.open.map((bucket) => ({ bucket })), requests: 0, compressedBytes: '0', findings: 0,
    };
  }
}

interface PlaceState {
  readonly checkpoints: number;
  joined: number;
  chain: number;
  open: string[];
  buckets: number;
  readonly givenUp: number[];
}

/** Not for enemies: that two orders come to the same is one in four thousand million. */
function linked(chain: number, place: number): number {
  return (Math.imul(chain ^ place, 0x9e3779b1) ^ (chain >>> 15)) + place >>> 0;
}

/** What happens when: the earliest first, and of what is at the same time what was added first. */
class Agenda {
  readonly #heap: { readonly at: number; readonly order: number; readonly happen: () => void }[] = [];
  #added = 0;

  add(at: number, happen: () => void): void {
    this.#added += 1;
    const heap = this.#heap;
    let index = heap.push({ at, order: this.#added, happen }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  next(): { readonly at: number; readonly happen: () => void } | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return null;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === index) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    return left !== undefined && right !== undefined && (left.at < right.at || (left.at === right.at && left.order < right.order));
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
