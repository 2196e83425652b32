/** How the page is brought into each of its states: for the tests of what it says then, and for those of how it looks. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENT_SECURITY_POLICY } from '../../pkg-config/serve.mjs';
import { linkToAll, playing } from './support.mjs';

export const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));

const GOOD = 'https://good.example.org/core_001/';

const withPolicy = (url, policy) => (context) => context.route(url, async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
});
const answering = (url, answer) => (context) => context.route(url, (route) => route.fulfill(answer));

/** The verifier does not come. By cause: what makes it so, and what the page has to say. */
export const NOT_STARTED = {
  'no-wasm': [
    { what: 'WebAssembly is not there', prepare: (_, tab) => tab.addInitScript(() => { delete globalThis.WebAssembly; }), says: /Lockdown Mode/ },
  ],
  policy: [{
    what: 'a policy forbids WebAssembly', says: /'wasm-unsafe-eval'/, refuses: true,
    prepare: withPolicy('**/worker-*.js', CONTENT_SECURITY_POLICY.replace(" 'wasm-unsafe-eval'", '')),
  }],
  script: [
    { what: 'the worker’s script is not there', prepare: answering('**/worker-*.js', { status: 404, body: 'no' }), says: /did not start/ },
    { what: 'the worker’s script comes as plain text', prepare: answering('**/worker-*.js', { contentType: 'text/plain', body: '1' }), says: /not as JavaScript/ },
    {
      what: 'a policy forbids workers', says: /worker-src 'self'/, refuses: true,
      prepare: (context) => withPolicy((url) => url.pathname === '/', CONTENT_SECURITY_POLICY.replace("worker-src 'self'", "worker-src 'none'"))(context),
    },
  ],
  refused: [{ what: 'the server has no such file', prepare: answering('**/*.wasm', { status: 404, body: 'no' }), says: /reload it/ }],
  network: [{ what: 'the connection breaks', prepare: (context) => context.route('**/*.wasm', (route) => route.abort()), says: /broke off/ }],
  corrupt: [
    { what: 'an error page comes in its place', prepare: answering('**/*.wasm', { contentType: 'text/html', body: '<!doctype html>' }), says: /error page/ },
    {
      what: 'half of it comes', says: /cut short/,
      prepare: (context) => context.route('**/*.wasm', async (route) => {
        const response = await route.fetch();
        const body = await response.body();
        await route.fulfill({ contentType: 'application/wasm', body: body.subarray(0, body.length / 2) });
      }),
    },
  ],
};

/** Leaves a page hardly any room. */
export async function fillStorage(context, tab, origin) {
  const session = await context.newCDPSession(tab);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
  return session;
}

const deny = (tab) => tab.addInitScript(() => {
  indexedDB.open = () => { throw new DOMException('switched off', 'SecurityError'); };
});

/** Screens that a person can meet, by name: how one gets there. `archives` of the stage: `sample`, `single`. */
export const STATES = {
  'first visit': { hash: '', reach: (tab) => tab.waitForSelector('#try:not(.unseen)') },
  ...Object.fromEntries(Object.entries(NOT_STARTED).map(([cause, [{ prepare, refuses }]]) => [
    `not started, ${cause}`, { hash: '#archive=/archive/sample/', prepare, refuses, reach: (tab) => tab.waitForSelector(`[data-cause="${cause}"]`) },
  ])),
  offline: {
    hash: '#archive=/archive/sample/',
    reach: async (tab, context) => {
      await tab.waitForSelector('#known:enabled');
      await context.setOffline(true);
      await tab.waitForSelector('[data-offline]');
    },
  },
  'waiting for the network': {
    hash: linkToAll([GOOD]), prepare: playing({ hold: 41 }),
    reach: async (tab, context) => {
      await startAndReach(tab, 41);
      await context.setOffline(true);
      await tab.waitForSelector('[data-phase="paused"]');
    },
  },
  'a dead host': {
    hash: '#archive=http://127.0.0.1:9/',
    reach: async (tab) => {
      await tab.click('#start');
      await tab.waitForSelector('[data-error="CORS_OR_NETWORK"] .ways');
    },
  },
  'an http address': { hash: '#archive=http://history.example.org/', reach: (tab) => tab.waitForSelector('#archive-fault') },
  'storage switched off': {
    hash: linkToAll([GOOD]), prepare: async (context, tab) => {
      await playing({ hold: 41 })(context);
      await deny(tab);
    },
    reach: async (tab) => {
      await startAndReach(tab, 41);
      await tab.waitForSelector('[data-kept="denied"]');
    },
  },
  'a crashed verifier': {
    hash: linkToAll([GOOD]), prepare: playing({ crashAt: 33 }),
    reach: async (tab) => {
      await tab.click('#start');
      await tab.waitForSelector('#resume');
    },
  },
  'a part that did not come': {
    hash: '#archive=/archive/sample/', prepare: (context) => context.route('**/RunView-*.js', (route) => route.abort()),
    reach: async (tab) => {
      await tab.click('#start');
      await tab.waitForSelector('.notice');
    },
  },
  'one checkpoint': {
    hash: '#archive=/archive/single/',
    reach: async (tab) => {
      await tab.click('#start');
      await tab.waitForSelector('[data-verdict]');
    },
  },
};

/** Starts what the form says and waits until so many checkpoints are done. */
export async function startAndReach(tab, done) {
  await tab.click('#start');
  await tab.waitForFunction((wanted) => Number(/^(\d+)\D+of/.exec(document.querySelector('.bars .figure')?.textContent ?? '')?.[1] ?? -1) >= wanted, done);
}

/** The first checkpoint of the sample as an archive of its own. */
export function archiveOfOneCheckpoint() {
  const dir = join(mkdtempSync(join(tmpdir(), 'explorer-single-')), 'archive');
  for (const [kind, ending] of [['history', 'json'], ['ledger', 'xdr.gz'], ['transactions', 'xdr.gz'], ['results', 'xdr.gz'], ['scp', 'xdr.gz']]) {
    const file = `${kind}/00/00/00/${kind}-0000003f.${ending}`;
    cpSync(join(sample, file), join(dir, file));
  }
  mkdirSync(join(dir, '.well-known'));
  cpSync(join(dir, 'history/00/00/00/history-0000003f.json'), join(dir, '.well-known/stellar-history.json'));
  cpSync(join(sample, 'bucket'), join(dir, 'bucket'), { recursive: true });
  return { dir, remove: () => rmSync(join(dir, '..'), { recursive: true, force: true }) };
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

/** An archive on a server of its own; `cors`: whether pages may read it, `until`: how many files it serves before it is gone, until `revive`. */
export async function archiveServer({ dir, cors, gone = () => false }) {
  let served = 0;
  let isGone = gone;
  const server = createServer((request, response) => {
    served += 1;
    if (isGone(request.url)) return request.socket.destroy();
    try {
      const body = readFileSync(join(dir, new URL(request.url, 'http://x').pathname));
      response.writeHead(200, cors ? { 'access-control-allow-origin': '*' } : {}).end(body);
    } catch {
      response.writeHead(404, cors ? { 'access-control-allow-origin': '*' } : {}).end();
    }
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}/`, served: () => served, revive: () => { isGone = () => false; }, close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}

/** The page over https, with a certificate that nobody vouches for. */
export async function overHttps(site) {
  const dir = mkdtempSync(join(tmpdir(), 'explorer-https-'));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem'),
  ], { stdio: 'pipe' });
  const server = createSecureServer({ key: readFileSync(join(dir, 'key.pem')), cert: readFileSync(join(dir, 'cert.pem')) }, async (request, response) => {
    try {
      const answer = await fetch(new URL(request.url, site.url));
      response.writeHead(answer.status, Object.fromEntries(['content-type', 'content-security-policy'].flatMap((name) => (answer.headers.has(name) ? [[name, answer.headers.get(name)]] : []))));
      response.end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      response.destroy();
    }
  });
  const port = await listening(server);
  rmSync(dir, { recursive: true, force: true });
  return { url: `https://127.0.0.1:${port}/`, close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}
