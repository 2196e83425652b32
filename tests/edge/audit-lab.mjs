/**
 * The coordinator of an audit in Cloudflare's own runtime, over the SQLite of a Durable Object, with the time and everything around it in
 * the hands of a test: each request is one event, and its answer says what came of it. Bundled by `lab` in audit-coordinator.test.mjs.
 *
 * Not here: any assertion.
 */
import { Coordinator } from '../../www/edge/audit/coordinator.ts';
import { PlaceLedger } from '../../www/edge/audit/simulation.ts';

export default {
  fetch: (request, env) => env.LAB.get(env.LAB.idFromName(new URL(request.url).pathname)).fetch(request),
};

export class Lab {
  #ledger = new PlaceLedger();
  #tasks = new Map();
  #now = 0;
  #sent = [];
  #alarm = null;
  #failsNext = false;
  #refusesJoins = false;
  #waiting = null;
  #joins = [];

  constructor({ storage }) {
    this.sql = storage.sql;
    this.ports = {
      sql: storage.sql,
      transaction: (body) => storage.transactionSync(() => {
        const result = body();
        if (this.#failsNext) throw new Error('the disk is full');
        return result;
      }),
      now: () => this.#now,
      send: (messages) => this.#sent.push(...messages.map(({ task }) => task)),
      alarm: (at) => (this.#alarm = at),
      join: (state, parts) => {
        if (this.#refusesJoins) throw new Error('the part does not fit');
        const joined = this.#ledger.join(state, parts);
        this.#joins.push(parts.map((part) => ('buckets' in JSON.parse(new TextDecoder().decode(part)) ? 'buckets' : 'places')));
        return { ...joined, waiting: this.#waiting ?? joined.waiting };
      },
      giveUp: (task) => this.#ledger.part(task, true),
    };
    this.restart();
  }

  restart() {
    this.coordinator = new Coordinator(this.ports);
  }

  async fetch(request) {
    const { now, method, args } = await request.json();
    this.#now = now;
    this.#sent = [];
    this.#alarm = null;
    try {
      const result = this[method] === undefined ? this.coordinator[method](...args) : this[method](...args);
      return Response.json({ result: result ?? null, sent: this.#sent, alarm: this.#alarm, status: this.coordinator.begun ? this.coordinator.status() : null });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  }

  begin(checkpoints, consumers, pace, low = 1) {
    const began = { ...this.#ledger.begin(checkpoints), range: { low, high: low + checkpoints * 64 - 2 } };
    this.coordinator.begin({ id: 'a'.repeat(32), archive: { name: 'made-up', url: 'https://archive.example.com/' }, options: {}, consumers, pace, began });
  }

  take(id, taker) {
    const { kind, task, askFirst } = this.coordinator.take(id, taker);
    if (task !== undefined) this.#tasks.set(id, task);
    return { kind, task, askFirst };
  }

  /** As a consumer would, and joined as the Durable Object does. */
  deliver(id, { padding = 0, ...how } = {}) {
    const said = new TextDecoder().decode(this.#ledger.part(this.#tasks.get(id), false));
    const part = new TextEncoder().encode(said + ' '.repeat(padding));
    this.coordinator.deliver(id, { part, unreadable: 0, passing: 0, reachable: true, ...how });
    this.#advance();
  }

  dead(id) {
    this.coordinator.dead(id);
    this.#advance();
  }

  resume() {
    const done = this.coordinator.resume();
    this.#advance();
    return done;
  }

  fails(value) {
    this.#failsNext = value;
  }

  refuses(value) {
    this.#refusesJoins = value;
  }

  /** So many states wait for buckets, whatever is joined. */
  waits(count) {
    this.#waiting = count;
  }

  /** What each join was of. */
  joins() {
    return this.#joins;
  }

  proof(checkpoints) {
    return this.#ledger.proof(checkpoints);
  }

  rows() {
    const count = (table) => this.sql.exec(`SELECT count(*) AS n FROM ${table}`).toArray()[0].n;
    return { tasks: count('tasks'), pieces: count('pieces') };
  }

  #advance() {
    while (this.coordinator.advance());
  }
}
