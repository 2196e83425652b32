/**
 * What the tests of the edge worker share: the worker in Cloudflare's own runtime, and archives on this machine that count who asks.
 *
 * Not here: any assertion.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Miniflare } from '../miniflare.mjs';
import { build } from 'vite';
import { runtime } from '../../pkg-config/edge.mjs';
import { filesIn } from '../node/misbehaving-server.mjs';

export { archive as realArchive, ledgers, lie, noData, noSample, pathOf, SAMPLE, SAMPLE_CHECKPOINTS } from '../node/support.mjs';

const inRepository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * The worker over `archives`, with storage of its own. `vars` are its variables; `options` go to Miniflare.
 *
 * @returns `url` ends without a slash; `get(path, init)` is `fetch` there; `cron(time)` runs the cron at that time and gives its outcome.
 */
export async function edge(test, archives, vars = {}, options = {}) {
  const miniflare = new Miniflare({
    ...runtime(),
    bindings: { ARCHIVES: archives, ALLOW_LOOPBACK: 'true', RUNS_PER_MINUTE: '10000', REQUESTS_PER_MINUTE: '100000', BEHIND_SECONDS: '0', ...vars },
    r2Buckets: { REPORTS: 'reports' },
    d1Databases: { HISTORY: 'history' },
    ...options,
  });
  test.after(() => miniflare.dispose());
  const url = (await miniflare.ready).href.replace(/\/$/, '');
  const worker = await miniflare.getWorker();
  return {
    url,
    miniflare,
    get: (path, init) => fetch(url + path, init),
    json: async (path) => (await fetch(url + path)).json(),
    cron: async (time) => (await worker.scheduled({ scheduledTime: new Date(time), cron: '*/10 * * * *' })).outcome,
  };
}

/** The lines of `/verify`. */
export async function lines(response) {
  return (await response.text()).trimEnd().split('\n').map((line) => JSON.parse(line));
}

/**
 * A web server of archives: `/NAME/path` is a file of `folders[NAME]`, a folder or a Map of files. `script({ name, path, request, response, nth })`
 * may answer by itself (anything but `undefined`); `nth` counts what was asked for that path, from 1. Ranges, tags and HEAD are as on any web host.
 */
export async function upstream(test, folders, script = () => undefined) {
  const archives = new Map(Object.entries(folders).map(([name, folder]) => [name, typeof folder === 'string' ? filesIn(folder) : folder]));
  const requests = [];
  const counts = new Map();
  const site = { archives, requests, script, url: '', paths: () => requests.map(({ path }) => path) };
  const server = createServer((request, response) => {
    const [, name = '', path = ''] = /^\/([^/]*)\/(.*)$/.exec(request.url) ?? [];
    const nth = (counts.get(request.url) ?? 0) + 1;
    counts.set(request.url, nth);
    requests.push({ name, path, method: request.method, headers: request.headers, url: request.url });
    if (site.script({ name, path, request, response, nth }) === undefined) send(request, response, archives.get(name)?.get(path));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.close();
    server.closeAllConnections();
  });
  site.url = `http://127.0.0.1:${server.address().port}`;
  site.archive = (name, more = {}) => ({ name, url: `${site.url}/${name}`, ...more });
  return site;
}

export function send(request, response, bytes, headers = {}) {
  if (bytes === undefined) return response.writeHead(404, { 'content-type': 'text/html' }).end(request.method === 'HEAD' ? undefined : '<p>no such file');
  const etag = `"${createHash('sha1').update(bytes).digest('hex')}"`;
  const common = { etag, 'accept-ranges': 'bytes', 'last-modified': 'Sat, 01 Nov 2025 00:00:00 GMT', 'content-type': 'application/octet-stream', ...headers };
  if (request.headers['if-none-match'] === etag) return response.writeHead(304, common).end();
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) return response.writeHead(200, { ...common, 'content-length': bytes.length }).end(request.method === 'HEAD' ? undefined : bytes);
  const part = bytes.subarray(Number(first), last === '' ? bytes.length : Number(last) + 1);
  if (part.length === 0) return response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  return response.writeHead(206, { ...common, 'content-length': part.length, 'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}` }).end(part);
}

/** A module of www/edge by itself, for tests of what is pure. */
export async function source(name) {
  const { output } = await build({
    configFile: false, logLevel: 'error',
    build: { ssr: inRepository(`www/edge/${name}`), write: false, target: 'es2022', minify: false, rollupOptions: { output: { entryFileNames: 'module.mjs' } } },
  }).then((built) => (Array.isArray(built) ? built[0] : built));
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`);
}
