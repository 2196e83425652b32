/**
 * The relay in Cloudflare's own runtime: what it passes on, what it keeps, and what it does not.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { filesIn } from '../node/misbehaving-server.mjs';
import { SAMPLE, edge, lie, noSample, pathOf, upstream } from './support.mjs';

const ROOT = '.well-known/stellar-history.json';
const LEDGER = pathOf('ledger', 63);
const STATE = pathOf('history', 63);
const ORIGIN = 'https://verifier.example';

/** A page's request. */
const fromPage = (headers = {}) => ({ headers: { origin: ORIGIN, 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site', ...headers } });

const sample = noSample ? new Map() : filesIn(SAMPLE);
const BUCKETS = [...sample.keys()].filter((path) => path.startsWith('bucket/'));
const [BUCKET, OTHER] = BUCKETS;

/** Until what was passed on is in the cache as well: that ends a moment after the answer. `false` where it never is. */
async function kept(get, path) {
  for (let tries = 0; tries < 40; tries += 1) {
    const response = await get(path);
    await response.arrayBuffer();
    if (response.headers.get('x-relay-cache') === 'hit') return true;
  }
  return false;
}

test('the relay', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const { get, url } = await edge(t, [site.archive('sample')]);

  await t.test('passes files on byte by byte, readable from any page', async () => {
    for (const [path, type] of [[ROOT, 'application/json'], [STATE, 'application/json'], [LEDGER, 'application/gzip'], [BUCKET, 'application/gzip']]) {
      const response = await get(`/relay/sample/${path}`, fromPage());
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
      assert.equal(response.headers.get('content-type'), type);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), sample.get(path));
    }
  });

  await t.test('answers the preflight of a range from another origin', async () => {
    const response = await get(`/relay/sample/${BUCKET}`, { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' } });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.match(response.headers.get('access-control-allow-methods'), /GET, HEAD/);
    assert.match(response.headers.get('access-control-allow-headers'), /range/);
  });

  await t.test('keeps what proved whole: a bucket for ever, a checkpoint’s files for a day', async () => {
    for (const [path, control] of [[BUCKET, 'public, max-age=31536000, immutable'], [LEDGER, 'public, max-age=86400'], [STATE, 'public, max-age=86400']]) {
      assert.ok(await kept(get, `/relay/sample/${path}`), path);
      const before = site.requests.length;
      const response = await get(`/relay/sample/${path}`, fromPage());
      assert.deepEqual([response.status, response.headers.get('cache-control'), response.headers.get('access-control-allow-origin')], [200, control, '*']);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), sample.get(path));
      assert.equal(site.requests.length, before, 'nothing was fetched');
    }
  });

  await t.test('always asks for the newest state, and for what is not there', async () => {
    for (const [path, status] of [[ROOT, 200], [pathOf('ledger', 6399), 404]]) {
      for (let time = 0; time < 3; time += 1) {
        const before = site.requests.length;
        const response = await get(`/relay/sample/${path}`);
        await response.arrayBuffer();
        assert.deepEqual([response.status, response.headers.get('cache-control')], [status, 'no-store']);
        assert.equal(site.requests.length, before + 1);
      }
    }
  });

  await t.test('gives parts, from the archive and from the cache', async () => {
    for (const path of [OTHER, BUCKET]) {
      const response = await get(`/relay/sample/${path}`, fromPage({ range: 'bytes=10-19' }));
      assert.equal(response.status, 206, path);
      assert.equal(response.headers.get('content-range'), `bytes 10-19/${sample.get(path).length}`);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), sample.get(path).subarray(10, 20));
    }
    assert.equal(site.requests.at(-1).headers.range, 'bytes=10-19');
    assert.equal((await get(`/relay/sample/${OTHER}`, fromPage({ range: 'bytes=99999999-' }))).status, 416);
    // What is no single range is as if it were not there.
    const whole = await get(`/relay/sample/${pathOf('results', 63)}`, fromPage({ range: 'bytes=0-1,5-6' }));
    assert.equal(whole.status, 200);
    assert.equal(site.requests.at(-1).headers.range, undefined);
  });

  await t.test('a part is never kept as the whole', async () => {
    const path = pathOf('scp', 63);
    for (let time = 0; time < 3; time += 1) await (await get(`/relay/sample/${path}`, fromPage({ range: 'bytes=0-9' }))).arrayBuffer();
    assert.deepEqual(Buffer.from(await (await get(`/relay/sample/${path}`)).arrayBuffer()), sample.get(path));
  });

  await t.test('tells sizes without a body, from the archive and from the cache', async () => {
    for (const path of [pathOf('transactions', 63), BUCKET]) {
      const response = await get(`/relay/sample/${path}`, { method: 'HEAD' });
      assert.deepEqual([response.status, Number(response.headers.get('content-length')), await response.text()], [200, sample.get(path).length, '']);
    }
    assert.equal(site.requests.at(-1).method, 'HEAD');
  });

  await t.test('says when nothing changed', async () => {
    const tag = (await get(`/relay/sample/${ROOT}`)).headers.get('etag');
    const response = await get(`/relay/sample/${ROOT}`, fromPage({ 'if-none-match': tag }));
    assert.equal(response.status, 304);
  });

  await t.test('the verifier reads an archive through it', async () => {
    const { verifyArchive } = await import('../../dist/node.mjs');
    const report = await verifyArchive(`${url}/relay/sample`).report;
    assert.deepEqual([report.verdict, report.range], ['verified', { low: 1, high: 319 }]);
  });

  await t.test('none of the client’s own headers goes to the archive', async () => {
    await get(`/relay/sample/${ROOT}`, fromPage({ cookie: 'a=b', authorization: 'Bearer x', 'x-forwarded-for': '10.0.0.1', referer: ORIGIN }));
    const { headers } = site.requests.at(-1);
    for (const name of ['cookie', 'authorization', 'x-forwarded-for', 'referer', 'origin', 'sec-fetch-mode']) assert.equal(headers[name], undefined, name);
    assert.equal(headers['accept-encoding'], 'identity');
  });
});

test('what is not whole, or not what it is named, is passed on but never kept', { skip: noSample }, async (t) => {
  const cut = sample.get(pathOf('results', 63));
  const wrong = new Map([
    [BUCKET, sample.get(OTHER)], [OTHER, lie(sample.get(OTHER))], [LEDGER, sample.get(LEDGER).subarray(0, 1000)], [pathOf('results', 63), Buffer.concat([cut.subarray(0, -5), Buffer.from('oops!')])],
    [STATE, Buffer.from('<html>')], [pathOf('scp', 63), Buffer.from('not gzip')],
  ]);
  const site = await upstream(t, { sample: wrong });
  const { get } = await edge(t, [site.archive('sample')]);
  for (const [path, bytes] of wrong) {
    for (let time = 0; time < 4; time += 1) {
      const before = site.requests.length;
      const response = await get(`/relay/sample/${path}`);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
      assert.deepEqual([response.headers.get('x-relay-cache'), response.headers.get('cache-control')], ['miss', 'public, max-age=300'], path);
      assert.equal(site.requests.length, before + 1);
    }
  }
  // Put right, it is kept.
  for (const path of wrong.keys()) wrong.set(path, sample.get(path));
  site.archives.set('sample', wrong);
  for (const path of wrong.keys()) assert.ok(await kept(get, `/relay/sample/${path}`), path);
});

test('a file goes through as it comes, however slow or long', { skip: noSample }, async (t) => {
  const size = 200 << 20;
  const block = Buffer.alloc(1 << 20, 7);
  const [first, rest] = [[], []];
  const site = await upstream(t, { sample: SAMPLE }, ({ path, response }) => {
    if (path === BUCKET) {
      response.writeHead(200, { 'content-length': sample.get(BUCKET).length }).write(sample.get(BUCKET).subarray(0, 100));
      first.push(() => response.end(sample.get(BUCKET).subarray(100)));
      return null;
    }
    if (path !== OTHER) return undefined;
    response.writeHead(200, { 'content-length': size });
    let sent = 0;
    const more = () => {
      while (sent < size && response.write(block)) sent += block.length;
      if (sent >= size) response.end();
      else sent += block.length;
    };
    response.on('drain', more);
    more();
    rest.push(response);
    return null;
  });
  const { get } = await edge(t, [site.archive('sample')]);

  await t.test('its first bytes are there before its last', async () => {
    const response = await get(`/relay/sample/${BUCKET}`);
    const reader = response.body.getReader();
    let count = (await reader.read()).value.length;
    assert.equal(count, 100);
    first[0]();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      count += value.length;
    }
    assert.equal(count, sample.get(BUCKET).length);
  });

  await t.test('one that is larger than an isolate’s memory, too', async () => {
    const response = await get(`/relay/sample/${OTHER}`);
    assert.equal(Number(response.headers.get('content-length')), size);
    let count = 0;
    for await (const chunk of response.body) count += chunk.length;
    assert.equal(count, size);
  });

  await t.test('a client who leaves ends it at the archive', async () => {
    const client = new AbortController();
    const response = await get(`/relay/sample/${OTHER}`, { signal: client.signal });
    await response.body.getReader().read();
    const ended = once(rest.at(-1), 'close');
    client.abort();
    await ended;
    assert.equal(rest.at(-1).writableFinished, false);
  });
});

test('the archive’s answers are taken for what they are', { skip: noSample }, async (t) => {
  const answers = {
    forbidden: (response) => response.writeHead(403).end(),
    broken: (response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<script>alert(1)</script>'),
    busy: (response) => response.writeHead(429, { 'retry-after': '17' }).end(),
    teapot: (response) => response.writeHead(418).end(),
    headers: (response) => response.writeHead(200, { 'set-cookie': 'a=b', 'content-type': 'text/html', 'access-control-allow-origin': 'https://other.example', 'content-security-policy': '', 'x-powered-by': 'x', 'clear-site-data': '"*"', link: '</x>; rel=preload', etag: 'no"tag', refresh: '0; url=https://evil.example', 'content-length': 2 }).end('{}'),
    inflated: (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}')),
    huge: (response) => response.writeHead(200, { 'content-length': String(5 << 20) }).end(Buffer.alloc(5 << 20)),
    endless: (response) => { response.writeHead(200); response.on('drain', () => response.write(Buffer.alloc(1 << 18))).write(Buffer.alloc(1 << 20)); },
    reset: (response) => response.destroy(),
  };
  const site = await upstream(t, Object.fromEntries(Object.keys(answers).map((name) => [name, new Map()])), ({ name, response }) => (answers[name](response), null));
  const { get } = await edge(t, Object.keys(answers).map((name) => site.archive(name)), { RELAY_MAX_BYTES: String(4 << 20) });
  const of = (name, path = LEDGER) => get(`/relay/${name}/${path}`);

  for (const [name, status, kind] of [['forbidden', 403, 'archive-forbids'], ['broken', 502, 'archive-unreachable'], ['busy', 503, 'archive-busy'], ['teapot', 502, 'archive-unreachable'], ['reset', 502, 'archive-unreachable'], ['huge', 502, 'file-too-large']]) {
    await t.test(`${name}: ${status} ${kind}`, async () => {
      const response = await of(name);
      assert.equal(response.headers.get('content-type'), 'application/problem+json');
      if (name === 'busy') assert.equal(response.headers.get('retry-after'), '17');
      const body = await response.json();
      assert.deepEqual([response.status, body.type], [status, `urn:stellar-archive-verifier:problem:${kind}`]);
      assert.doesNotMatch(JSON.stringify(body), /script/);
    });
  }

  await t.test('its headers are not', async () => {
    const response = await of('headers');
    assert.equal(await response.text(), '{}');
    assert.deepEqual([response.headers.get('content-type'), response.headers.get('access-control-allow-origin')], ['application/gzip', '*']);
    for (const name of ['set-cookie', 'x-powered-by', 'clear-site-data', 'link', 'etag', 'refresh']) assert.equal(response.headers.get(name), null, name);
    assert.match(response.headers.get('content-security-policy'), /sandbox/);
  });

  await t.test('what a server inflates by itself arrives inflated, and is not kept', async () => {
    for (let time = 0; time < 3; time += 1) {
      const response = await of('inflated', STATE);
      assert.equal(await response.text(), '{"a":1}');
      assert.equal(response.headers.get('x-relay-cache'), 'miss');
    }
  });

  await t.test('a body without an end is cut off at the cap', async () => {
    const response = await of('endless');
    let count = 0;
    try {
      for await (const chunk of response.body) count += chunk.length;
    } catch {
      // Cut off.
    }
    assert.ok(count <= 4 << 20, String(count));
  });
});
