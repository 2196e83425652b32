/**
 * A worker that speaks the endpoints of audits and plays what a test tells it to, for the page and the command line.
 *
 * The real one is tried as well (end to end, in both). Not here: any assertion.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

export const TOKEN = 'the-token-of-this-test';
export const ID = '0123456789abcdef0123456789abcdef';

const TITLES = {
  'audit-unknown': [404, 'There is no such audit'], 'audit-over': [409, 'The audit is past that'], 'not-allowed': [401, 'This takes the token of whoever runs this worker'],
  'not-enabled': [403, 'This worker does not do that'], 'configuration': [500, 'This worker is not set up'], 'no-report': [404, 'There is no report yet'],
  'rate-limited': [429, 'Too many requests'], 'not-found': [404, 'There is nothing here'], 'archive-unreachable': [502, 'The archive does not answer'],
};

export function status(change = {}) {
  return {
    id: ID, archive: 'testnet', url: 'https://history.example.org/testnet', network: 'Test SDF Network ; September 2015', range: { low: 1, high: 64_000_063 }, state: 'running', reason: null,
    checkpoints: { done: 250_000, total: 1_000_001 }, buckets: { open: 17 },
    parts: { inFlight: 42, waiting: 3, retried: 5, halved: 2, givenUp: 1, duplicates: 4, lost: 6 },
    requests: 3_250_000, compressedBytes: '1750000000000', findings: 0, verdict: null,
    startedAt: '2026-11-01T10:00:00.000Z', updatedAt: '2026-11-01T16:30:00.000Z', etaSeconds: 70_200, consumers: { now: 42, max: 50 }, ...change,
  };
}

export const ESTIMATE = {
  archive: 'testnet', range: { low: 1, high: 64_000_063 }, checkpoints: 1_000_001, parts: 15_626, requests: 13_000_013, bytes: 7_000_007_000_000, cpuSeconds: 238_000, messages: 31_252,
  usd: 12.34, usdWithoutShare: 17.5,
  wall: [{ consumers: 1, hours: 212 }, { consumers: 10, hours: 21.2 }, { consumers: 50, hours: 4.24 }, { consumers: 250, hours: 0.9 }],
  assumptions: ['filesPerCheckpoint 5: state, headers, transactions, results, SCP', 'bytesPerCheckpoint 7000000: the public network'],
};

/**
 * What the worker plays is in the object that comes back: `status` (its audit; `null`: none), `report`, `list`, `estimate`, `about`, and
 * `refuses(method, path)`, which may give the kind of a problem, `silence`, or an answer `{ status, headers, body }`. `asked` is what it was asked;
 * `times(count)` resolves once it was asked so often.
 */
export async function auditWorker(test, port = 0) {
  const worker = {
    status: status(), report: null, estimate: ESTIMATE, list: [], url: '', asked: [], refuses: () => undefined,
    about: { service: 'stellar-archive-verifier', archives: [{ name: 'testnet', url: 'https://history.example.org/testnet' }, { name: 'pubnet', url: 'https://history.example.org/pubnet' }], endpoints: { '/audits': 'the last audits' } },
  };
  const waiting = new Set();
  worker.times = (count) => new Promise((resolve) => {
    const look = () => worker.asked.length >= count && (waiting.delete(look), resolve());
    waiting.add(look);
    look();
  });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://worker');
    const { authorization, 'if-none-match': tag, referer, cookie } = request.headers;
    if (request.method !== 'OPTIONS') worker.asked.push({ method: request.method, path: pathname, query: Object.fromEntries(searchParams), authorization, tag, referer, cookie });
    waiting.forEach((look) => look());
    const open = {
      'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, Location, Retry-After, WWW-Authenticate',
      ...(request.method === 'OPTIONS' ? { 'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS', 'access-control-allow-headers': 'authorization, if-none-match' } : {}),
    };
    const send = (code, body, headers = {}) => response.writeHead(code, { ...open, 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
    const refuse = (kind, detail = `It says ${kind}.`) => {
      const [code, title] = TITLES[kind];
      send(code, { type: `urn:stellar-archive-verifier:problem:${kind}`, title, status: code, detail }, { 'content-type': 'application/problem+json', ...(kind === 'rate-limited' ? { 'retry-after': '7' } : {}) });
    };
    if (request.method === 'OPTIONS') return response.writeHead(204, open).end();
    const refused = worker.refuses(request.method, pathname);
    if (refused === 'silence') return request.socket.destroy();
    if (typeof refused === 'string') return refuse(refused);
    if (refused !== undefined) return send(refused.status ?? 200, refused.body ?? '', refused.headers);
    const [, id, action] = /^\/audit\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    if (request.method === 'POST' && authorization !== `Bearer ${TOKEN}`) return refuse('not-allowed', 'Send it as: Authorization: Bearer <AUDIT_TOKEN>.');
    if (pathname === '/') return send(200, worker.about);
    if (pathname === '/audits') return send(200, { audits: worker.list });
    if (pathname === '/audit/estimate') return send(200, worker.estimate);
    if (pathname === '/audit' && request.method === 'POST') return send(201, worker.status, { location: `/audit/${ID}` });
    if (id === undefined) return refuse('not-found');
    if (worker.status === null || id !== worker.status.id) return refuse('audit-unknown', `No audit ${id} was begun here.`);
    if (action === 'report') return worker.report === null ? refuse('no-report') : send(200, worker.report);
    if (action !== undefined) {
      if (['done', 'cancelled', 'failed'].includes(worker.status.state)) return refuse('audit-over');
      const next = { pause: ['paused', 'on request'], resume: ['running', null], cancel: ['cancelled', 'on request'] }[action];
      worker.status = { ...worker.status, state: next[0], reason: next[1], updatedAt: new Date().toISOString() };
      return send(200, worker.status);
    }
    const body = JSON.stringify(worker.status);
    const etag = `W/"${createHash('sha256').update(body).digest('hex').slice(0, 24)}"`;
    return tag === etag ? response.writeHead(304, { ...open, etag }).end() : send(200, body, { etag, 'cache-control': 'no-cache' });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.close();
    server.closeAllConnections();
  });
  worker.url = `http://127.0.0.1:${server.address().port}/`;
  return worker;
}
