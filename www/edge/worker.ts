/**
 * The worker: which request is whose, and what every one of them has to pass first.
 *
 * A request is judged by its address, method, rate and parameters before anything is fetched. Every answer that is no success is a problem
 * (RFC 9457). Not here: what the endpoints do, and the audit of a whole archive (`audit/`).
 */
import { consume } from './audit/consumer.ts';
import { auditReportResponse, authorize, estimateResponse, listResponse, startResponse, statusResponse, steerResponse } from './audit/endpoints.ts';
import type { Batch, Context, Cron, Env } from './bindings.ts';
import type { Archive, Config } from './config.ts';
import { configOf, listed } from './config.ts';
import { asProblem, versions, wasmMemoryBytes } from './engine.ts';
import { MAX_URL, flag, ledgerRange, parameters, transactionHash } from './params.ts';
import { PLAIN, Problem, problemResponse, quoted } from './problem.ts';
import { allow } from './rate.ts';
import { relayResponse } from './relay.ts';
import { badge, prometheus, shown } from './show.ts';
import type { Shown } from './show.ts';
import { Store, latestReport, reportsOf } from './store.ts';
import type { Known } from './store.ts';
import { proofResponse, verifyResponse } from './verify.ts';
import { watch } from './watch.ts';

export { AuditCoordinator } from './audit/durable.ts';

interface Visit {
  readonly request: Request;
  readonly env: Env;
  readonly context: Context;
  readonly config: Config;
  readonly values: ReadonlyMap<string, string>;
  /** What the path has in the places of the route's parts. */
  readonly parts: readonly string[];
}

interface Route {
  readonly path: RegExp;
  /** As people write it. */
  readonly shape: string;
  readonly says: string;
  readonly methods: readonly string[];
  readonly parameters: readonly string[];
  /** Whether it makes the worker verify. */
  readonly runs: boolean;
  answer(visit: Visit): Promise<Response> | Response;
}

const READ = ['GET', 'HEAD'];

const ROUTES: readonly Route[] = [
  {
    path: /^\/verify$/, shape: '/verify?archive=&low=&high=&buckets=', says: 'verifies now: one event a line, the report last', methods: ['GET'],
    parameters: ['archive', 'low', 'high', 'buckets'], runs: true,
    answer: ({ request, context, config, values }) => verifyResponse({
      archive: archiveIn(values, config), range: ledgerRange(values, config.limits.MAX_CHECKPOINTS, 'MAX_CHECKPOINTS'), buckets: flag(values, 'buckets'),
    }, config, request, context),
  },
  {
    path: /^\/proof\/([^/]*)$/, shape: '/proof/<transaction>?archive=&low=&high=', says: 'a proof of one transaction', methods: ['GET'],
    parameters: ['archive', 'low', 'high'], runs: true,
    answer: ({ request, context, config, values, parts: [hash = ''] }) => proofResponse({
      hash: transactionHash(hash), archive: archiveIn(values, config), range: ledgerRange(values, config.limits.MAX_SEARCH_CHECKPOINTS, 'MAX_SEARCH_CHECKPOINTS'),
    }, config, request, context),
  },
  {
    path: /^\/relay\/([^/]*)\/(.*)$/, shape: '/relay/<archive>/<path>', says: 'the archive’s files, readable from any page', methods: READ, parameters: [], runs: false,
    answer: ({ request, context, config, parts: [name = '', path = ''] }) => relayResponse({ archive: listed(config.archives, name), path }, config, request, context),
  },
  {
    path: /^\/status$/, shape: '/status', says: 'every archive: state, newest ledger, age, since when', methods: READ, parameters: [], runs: false,
    answer: async (visit) => json({ archives: (await look(visit)).archives }, 'public, max-age=30'),
  },
  {
    path: /^\/report\/([^/]*)$/, shape: '/report/<archive>', says: 'the last report of the cron', methods: READ, parameters: [], runs: false,
    async answer({ env, config, parts: [name = ''] }) {
      const archive = listed(config.archives, name);
      const found = await reportsOf(env).get(latestReport(archive.name));
      if (found === null) throw new Problem('no-report', `The cron has not verified ${archive.name} yet.`);
      return new Response(found.body.pipeThrough(new FixedLengthStream(found.size)), {
        headers: { ...PLAIN, 'content-type': 'application/json', 'cache-control': 'public, max-age=30', 'etag': found.httpEtag, 'last-modified': found.uploaded.toUTCString() },
      });
    },
  },
  {
    path: /^\/history\/([^/]*)$/, shape: '/history/<archive>?last=', says: 'the last observations of the cron', methods: READ, parameters: ['last'], runs: false,
    async answer({ env, config, values, parts: [name = ''] }) {
      const archive = listed(config.archives, name);
      const last = values.get('last') ?? '50';
      if (!/^[1-9]\d{0,2}$/.test(last)) throw new Problem('bad-parameter', `last is a number from 1 to 999, not ${quoted(last)}.`);
      return json({ archive: archive.name, observations: await (await Store.open(env)).history(archive.name, Number(last)) }, 'public, max-age=30');
    },
  },
  {
    path: /^\/badge\/([^/]*)\.svg$/, shape: '/badge/<archive>.svg', says: 'its state and newest ledger, as a picture', methods: READ, parameters: [], runs: false,
    async answer(visit) {
      const { name } = listed(visit.config.archives, visit.parts[0] ?? '');
      const archive = (await look(visit)).archives.find((one) => one.archive === name);
      if (archive === undefined) throw new Problem('not-found', 'There is no such badge.');
      return new Response(badge(archive), { headers: { ...PLAIN, 'content-type': 'image/svg+xml; charset=utf-8', 'cache-control': 'public, max-age=300' } });
    },
  },
  {
    path: /^\/metrics$/, shape: '/metrics', says: 'the same for Prometheus', methods: READ, parameters: [], runs: false,
    async answer(visit) {
      const { archives, known } = await look(visit);
      return new Response(prometheus(archives, known, wasmMemoryBytes()), { headers: { ...PLAIN, 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' } });
    },
  },
  {
    path: /^\/audits$/, shape: '/audits', says: 'the last audits of whole archives', methods: READ, parameters: [], runs: false,
    answer: ({ env }) => listResponse(env),
  },
  {
    path: /^\/audit\/estimate$/, shape: '/audit/estimate?archive=&low=&high=&buckets=', says: 'what an audit of it would take, in time and money', methods: ['GET'],
    parameters: ['archive', 'low', 'high', 'buckets'], runs: true,
    answer: ({ request, config, values }) => estimateResponse(auditIn(values, config), config, request),
  },
  {
    path: /^\/audit$/, shape: '/audit?archive=&low=&high=&buckets=&consumers=', says: 'POST with the token: begins the audit of a whole archive', methods: ['POST'],
    parameters: ['archive', 'low', 'high', 'buckets', 'consumers'], runs: true,
    async answer({ request, env, config, values }) {
      await authorize(request, env);
      return startResponse(auditIn(values, config), values.get('consumers'), config, env, request);
    },
  },
  {
    path: /^\/audit\/([^/]*)$/, shape: '/audit/<id>', says: 'how far an audit is', methods: READ, parameters: [], runs: false,
    answer: ({ request, env, parts: [id = ''] }) => statusResponse(id, env, request),
  },
  {
    path: /^\/audit\/([^/]*)\/report$/, shape: '/audit/<id>/report', says: 'its report', methods: READ, parameters: [], runs: false,
    answer: ({ env, parts: [id = ''] }) => auditReportResponse(id, env),
  },
  {
    path: /^\/audit\/([^/]*)\/(pause|resume|cancel)$/, shape: '/audit/<id>/<pause|resume|cancel>', says: 'POST with the token: steers it', methods: ['POST'], parameters: [], runs: false,
    async answer({ request, env, parts: [id = '', action = ''] }) {
      await authorize(request, env);
      return steerResponse(id, action, env);
    },
  },
  {
    path: /^\/$/, shape: '/', says: 'this', methods: READ, parameters: [], runs: false,
    answer: async ({ config }) => json({
      service: 'stellar-archive-verifier', archives: config.archives.map(({ name, url }) => ({ name, url })),
      endpoints: Object.fromEntries(ROUTES.map(({ shape, says }) => [shape, says])),
    }, 'public, max-age=300'),
  },
];

function auditIn(values: ReadonlyMap<string, string>, config: Config): Parameters<typeof estimateResponse>[0] {
  return { archive: archiveIn(values, config), range: ledgerRange(values, config.limits.AUDIT_MAX_CHECKPOINTS, 'AUDIT_MAX_CHECKPOINTS'), buckets: flag(values, 'buckets') };
}

function archiveIn(values: ReadonlyMap<string, string>, { archives }: Config): Archive {
  const wanted = values.get('archive');
  if (wanted !== undefined) return listed(archives, wanted);
  const [only, ...others] = archives;
  if (only !== undefined && others.length === 0) return only;
  throw new Problem('bad-parameter', `archive is missing: one of ${archives.map(({ name }) => name).join(', ')}.`);
}

async function look({ env, config }: Visit): Promise<{ readonly archives: readonly Shown[]; readonly known: ReadonlyMap<string, Known> }> {
  const known = await (await Store.open(env)).known(config.archives);
  return { archives: shown(config.archives, known, config.limits.STALE_MINUTES, Date.now()), known };
}

function json(value: object, control: string): Response {
  return new Response(`${JSON.stringify(value, null, 1)}\n`, { headers: { ...PLAIN, 'content-type': 'application/json', 'cache-control': control } });
}

async function answer(request: Request, env: Env, context: Context): Promise<Response> {
  if (request.url.length > MAX_URL) throw new Problem('uri-too-long', `Addresses have ${MAX_URL} characters at most.`);
  const url = new URL(request.url);
  const route = ROUTES.find(({ path }) => path.test(url.pathname));
  if (route === undefined) throw new Problem('not-found', `There is ${ROUTES.map(({ shape }) => shape.split('?', 1)[0]).join(', ')}.`);
  const allowed = [...route.methods, 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') return preflight(allowed);
  if (!route.methods.includes(request.method)) throw new Problem('method-not-allowed', `Here is ${allowed}.`, { allow: allowed });
  const config = configOf(env);
  const { RUNS_PER_MINUTE, REQUESTS_PER_MINUTE } = config.limits;
  await (route.runs ? allow(request, 'runs', env.RUN_RATE, RUNS_PER_MINUTE) : allow(request, 'requests', env.RELAY_RATE, REQUESTS_PER_MINUTE));
  const values = parameters(url, route.parameters);
  const response = await route.answer({ request, env, context, config, values, parts: (route.path.exec(url.pathname) ?? []).slice(1) });
  return request.method === 'HEAD' && response.body !== null ? headOf(response) : response;
}

function preflight(allowed: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...PLAIN, 'allow': allowed, 'access-control-allow-methods': allowed, 'access-control-max-age': '86400',
      'access-control-allow-headers': 'authorization, range, if-none-match, if-modified-since, if-range, cache-control, pragma',
    },
  });
}

async function headOf(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}

export default {
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    try {
      return await answer(request, env, context);
    } catch (error) {
      const problem = asProblem(error);
      // The visitor learns that it happened, whoever runs the worker what it was.
      if (problem.kind === 'crashed') console.error(`stellar-archive-verifier ${version()}:`, error);
      return problemResponse(problem, request.method === 'HEAD');
    }
  },

  async scheduled(cron: Cron, env: Env): Promise<void> {
    await watch(env, cron.scheduledTime);
  },

  async queue(batch: Batch, env: Env): Promise<void> {
    await consume(batch, env);
  },
};

function version(): string {
  try {
    return versions().version;
  } catch {
    return '';
  }
}
