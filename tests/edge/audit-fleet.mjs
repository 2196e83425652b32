/**
 * An audit in Cloudflare's own runtime: with the real queue of Miniflare, or with a queue in the test's own hands, whose messages it loses,
 * doubles and reorders, and whose consumers it stops in the middle.
 *
 * Not here: any assertion about archives.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { auditBindings, runtime } from '../../pkg-config/edge.mjs';
import { Miniflare } from '../miniflare.mjs';
import { verifyArchive } from '../../dist/node.mjs';

export const TOKEN = 'a token of the tests, long enough'.replaceAll(' ', '-');
export const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const DIST = dirname(runtime().scriptPath);
const WASM = 'stellar_archive_verifier_bg.wasm';
const VARS = { ALLOW_LOOPBACK: 'true', RUNS_PER_MINUTE: '10000', REQUESTS_PER_MINUTE: '100000', BEHIND_SECONDS: '0', AUDIT_TOKEN: TOKEN, AUDIT_RETRY_SECONDS: '1' };
const PATIENCE_MS = 60_000;

/** The worker with what a test may do to it: messages go to `HELD`, if that is there; `FATE` may stop a consumer before or while it works. */
const WRAPPED = `import worker, { AuditCoordinator as Real } from './worker.mjs';

export class AuditCoordinator extends Real {
  constructor(ctx, env) {
    super(ctx, env.HELD === undefined ? env : { ...env, AUDIT_QUEUE: {
      sendBatch: async (messages) => void (await env.HELD.fetch('http://held/', { method: 'POST', body: JSON.stringify(messages.map(({ body }) => body)) })),
    } });
  }
}

export default {
  ...worker,
  async queue(batch, env, context) {
    if (env.FATE === undefined || batch.queue.endsWith('-dead')) return worker.queue(batch, env, context);
    const [{ id, body }] = batch.messages;
    const { task } = await env.AUDITS.get(env.AUDITS.idFromName(body.audit)).take(body.task, id);
    const fate = async (when) => (await env.FATE.fetch('http://fate/' + id + when, { method: 'POST', body: JSON.stringify(task ?? null) })).text();
    const answer = await fate('/first');
    if (answer === 'die') throw new Error('stopped by the test, with its task taken');
    if (answer === 'live') return worker.queue(batch, env, context);
    const stopped = fate('/then').then(() => { throw new Error('stopped by the test, in the middle'); });
    return Promise.race([worker.queue(batch, env, context), stopped]);
  },
};`;

/**
 * The worker with audits over `archives`. `held`: messages come into `queue` of the result rather than to consumers; `deliver(message)` hands
 * one to a consumer. `fate(task, message)` answers `live`, `die`, or a function
 * that is waited for while the consumer works, and ends it. `persist`: a folder for all that is kept.
 */
export async function fleet(test, archives, { vars = {}, held = false, fate, persist, queues = {}, bare = {} } = {}) {
  const one = { queue: [], arrivals: [] };
  const arrived = () => one.arrivals.splice(0).forEach((resolve) => resolve());
  const { queueConsumers, ...bindings } = auditBindings();
  const open = async () => {
    one.miniflare = new Miniflare({
      ...runtime(),
      modulesRoot: DIST, scriptPath: undefined, modulesRules: undefined,
      modules: [
        { type: 'ESModule', path: join(DIST, 'wrapped.mjs'), contents: WRAPPED },
        { type: 'ESModule', path: join(DIST, 'worker.mjs') },
        { type: 'CompiledWasm', path: join(DIST, WASM), contents: readFileSync(join(DIST, WASM)) },
      ],
      bindings: { ...VARS, ARCHIVES: archives, ...vars },
      r2Buckets: { REPORTS: 'reports' }, d1Databases: { HISTORY: 'history' },
      ...bindings,
      ...(held ? {} : { queueConsumers: Object.fromEntries(Object.entries(queueConsumers).map(([name, consumer]) => [name, { ...consumer, ...queues }])) }),
      ...(persist === undefined ? {} : { durableObjectsPersist: join(persist, 'objects'), r2Persist: join(persist, 'r2'), d1Persist: join(persist, 'd1') }),
      serviceBindings: {
        ...(held ? {
          HELD: async (request) => {
            one.queue.push(...(await request.json()));
            arrived();
            return new Response();
          },
        } : {}),
        ...(fate === undefined ? {} : { FATE: answerer(fate) }),
      },
      ...bare,
    });
    one.url = (await one.miniflare.ready).href.replace(/\/$/, '');
    one.worker = await one.miniflare.getWorker();
  };
  one.stop = async () => {
    const { miniflare } = one;
    one.miniflare = null;
    await miniflare?.dispose();
  };
  await open();
  test.after(one.stop);
  let deliveries = 0;
  return Object.assign(one, {
    get: (path, init) => fetch(one.url + path, init),
    post: (path, headers = AUTHORIZED) => fetch(one.url + path, { method: 'POST', headers }),
    status: async (id) => (await fetch(`${one.url}/audit/${id}`)).json(),
    report: async (id) => (await fetch(`${one.url}/audit/${id}/report`)).json(),
    async begin(query) {
      const response = await fetch(`${one.url}/audit?${query}`, { method: 'POST', headers: AUTHORIZED });
      const status = await response.json();
      assert.equal(response.status, 201, JSON.stringify(status));
      assert.equal(response.headers.get('location'), `/audit/${status.id}`);
      return status.id;
    },
    /** Asks how far it is until `is` says that this is what was waited for. */
    async until(id, is = ({ state }) => state === 'done') {
      for (const since = Date.now(); ; ) {
        const status = await one.status(id);
        if (is(status)) return status;
        assert.ok(Date.now() - since < PATIENCE_MS, JSON.stringify(status));
      }
    },
    /** One message to a consumer; how that came out. */
    async deliver(message, id = `m${(deliveries += 1)}`, queue = 'stellar-archive-audit') {
      return (await one.worker.queue(queue, [{ id, timestamp: new Date(), body: message, attempts: 1 }])).outcome;
    },
    /** Until there is something on the queue. */
    async arrival() {
      if (one.queue.length > 0) return;
      let timer;
      await Promise.race([
        new Promise((resolve) => one.arrivals.push(resolve)),
        new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('nothing was sent any more')), PATIENCE_MS))),
      ]);
      clearTimeout(timer);
    },
    /** Everything is stopped where it is, and begins again over what was kept. What was on the queue is gone. */
    async restart() {
      await one.stop();
      one.queue.length = 0;
      await open();
    },
  });
}

function answerer(fate) {
  const ends = new Map();
  return async (request) => {
    const [, message, when] = new URL(request.url).pathname.split('/');
    if (when === 'then') return new Response(await ends.get(message)());
    const answer = await fate(await request.json(), message);
    if (typeof answer === 'string') return new Response(answer);
    ends.set(message, answer);
    return new Response('wait');
  };
}

/** What one run over the same files says, read as the worker reads. */
export function localReport(site, name, { files = () => site.archives.get(name), ...options } = {}) {
  const source = { name: site.archive(name).url, get: async (path) => files(path).get(path) ?? null };
  return verifyArchive(source, { concurrency: 6, maxRetries: 0, timeoutMs: 20_000, skipBuckets: false, ...options }).report;
}

/** What differs from run to run: when it began, and how long it took. Nothing else may. */
export function withoutTimes({ startedAt, elapsedMs, ...rest }) {
  assert.match(startedAt, /^\d{4}-\d{2}-\d{2}T/);
  assert.equal(typeof elapsedMs, 'number');
  return rest;
}
