/**
 * The worker's endpoints in Cloudflare's own runtime: what visitors get, and what hostile ones do not.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { filesIn } from '../node/misbehaving-server.mjs';
import { records } from '../node/support.mjs';
import { SAMPLE, edge, ledgers, lie, lines, noData, noSample, pathOf, realArchive, send, upstream } from './support.mjs';

const NOON = Date.parse('2026-02-01T12:00:00Z');
const LEDGER = pathOf('ledger', 319);

/** The sample with one bit of a ledger file turned around. */
function damaged() {
  const files = filesIn(SAMPLE);
  return new Map([...files, [LEDGER, lie(files.get(LEDGER))]]);
}

async function problem(response, status, kind) {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const body = await response.json();
  assert.deepEqual([response.status, body.status, body.type], [status, status, `urn:stellar-archive-verifier:problem:${kind}`], JSON.stringify(body));
  assert.ok(body.title !== '' && body.detail !== '');
  return body;
}

const files = noSample ? {} : { sample: SAMPLE, broken: damaged() };

test('verify streams its events as lines, and the report is the last', { skip: noSample }, async (t) => {
  const site = await upstream(t, files);
  const { get, url } = await edge(t, [site.archive('sample'), site.archive('broken')]);

  await t.test('of the newest two checkpoints, buckets left out and said to be', async () => {
    const response = await get('/verify?archive=sample');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    const events = await lines(response);
    const { type, report } = events.at(-1);
    assert.deepEqual([type, report.verdict, report.range], ['report', 'verified', { low: 192, high: 319 }]);
    assert.deepEqual(events.filter((event) => event.type === 'checkpoint').map(({ checkpoint }) => checkpoint), [255, 319]);
    assert.deepEqual(report.unchecked, [{ kind: 'bucket', reason: 'left out on request', count: report.totals.bucket.unchecked }]);
    assert.ok(site.paths().every((path) => !path.startsWith('bucket/')));
  });

  await t.test('of a range, decimal or hexadecimal, and of the archive by its address', async () => {
    const wanted = encodeURIComponent(site.archive('sample').url);
    const { report } = (await lines(await get(`/verify?archive=${wanted}&low=0x40&high=127&buckets=1`))).at(-1);
    assert.deepEqual([report.verdict, report.range, report.totals.bucket.unchecked], ['verified', { low: 64, high: 127 }, 0]);
    assert.ok(report.totals.bucket.verified > 0);
  });

  await t.test('a faulty archive is an answer: the finding with what was expected and what was there', async () => {
    const events = await lines(await get('/verify?archive=broken'));
    const { report } = events.at(-1);
    assert.equal(report.verdict, 'faulty');
    const finding = report.findings.find(({ path }) => path === LEDGER);
    assert.match(`${finding.expected} ${finding.actual}`, /^[0-9a-f]{64} [0-9a-f]{64}$/);
    assert.ok(events.some((event) => event.type === 'finding'));
  });

  await t.test('after it, and beside each other, others are verified as ever', async () => {
    const reports = await Promise.all(['broken', 'sample'].map(async (name) => (await lines(await get(`/verify?archive=${name}`))).at(-1).report));
    assert.deepEqual(reports.map(({ verdict }) => verdict), ['faulty', 'verified']);
  });

  await t.test('no more than six requests are under way at once', async () => {
    let [open, most] = [0, 0];
    // A server that takes its time: what is asked for beside each other is under way beside each other.
    site.script = ({ name, path, request, response }) => {
      most = Math.max(most, (open += 1));
      response.once('close', () => (open -= 1));
      setTimeout(() => send(request, response, site.archives.get(name).get(path)), 5);
      return null;
    };
    assert.equal((await lines(await get('/verify?archive=sample&low=1&high=319&buckets=1'))).at(-1).report.verdict, 'verified');
    assert.ok(most > 1 && most <= 6, String(most));
    site.script = () => undefined;
  });

  await t.test('a visitor who leaves stops it, and the place is free again', async () => {
    const gone = withResolvers();
    site.script = ({ path, response }) => (path === LEDGER ? (response.once('close', gone.resolve), null) : undefined);
    const reached = (await upstreamReaches(site, LEDGER, () => {
      const request = httpRequest(`${url}/verify?archive=sample`);
      request.on('error', () => undefined).end();
      return request;
    }));
    const left = Date.now();
    reached.destroy();
    await gone.promise;
    assert.ok(Date.now() - left < 5000, 'ended by the visitor, not by a timeout');
    site.script = () => undefined;
    // As many as an isolate carries, all at once: none of the places is still taken.
    let verdicts = [];
    for (let tries = 0; tries < 50 && verdicts.join() !== 'verified,verified'; tries += 1) {
      verdicts = await Promise.all([1, 2].map(async () => (await lines(await get('/verify?archive=sample'))).at(-1).report?.verdict));
    }
    assert.deepEqual(verdicts, ['verified', 'verified']);
  });
});

function withResolvers() {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
}

/** Starts something, and waits until `path` has been asked for. */
async function upstreamReaches(site, path, start) {
  const reached = withResolvers();
  const script = site.script;
  site.script = (asked) => {
    if (asked.path === path) reached.resolve();
    return script(asked);
  };
  const started = start();
  await reached.promise;
  return started;
}

test('a verification that takes too long ends with a partial report that says so', { skip: noSample }, async (t) => {
  const site = await upstream(t, files, ({ path }) => (path === LEDGER ? null : undefined));
  const { get } = await edge(t, [site.archive('sample')], { RUN_SECONDS: '1' });
  const { type, report, stopped } = (await lines(await get('/verify'))).at(-1);
  assert.deepEqual([type, report.verdict, stopped], ['report', 'incomplete', 'after 1 s (RUN_SECONDS)']);
});

test('an isolate carries two verifications at a time; a third is asked to come back', { skip: noSample }, async (t) => {
  const held = [];
  const both = withResolvers();
  const site = await upstream(t, files, ({ path, request, response }) => {
    if (path !== LEDGER) return undefined;
    held.push(() => send(request, response, site.archives.get('sample').get(LEDGER)));
    if (held.length === 2) both.resolve();
    return null;
  });
  const { get } = await edge(t, [site.archive('sample')]);
  const first = await Promise.all([get('/verify'), get('/verify')]);
  const third = await get('/verify');
  assert.equal((await problem(third, 503, 'busy')).status, 503);
  assert.match(third.headers.get('retry-after'), /^\d+$/);
  await both.promise;
  for (const release of held) release();
  for (const response of first) assert.equal((await lines(response)).at(-1).report.verdict, 'verified');
});

test('a bucket above the budget is left unchecked, with the reason', { skip: noSample }, async (t) => {
  const site = await upstream(t, files);
  const { get } = await edge(t, [site.archive('sample')], { MAX_BUCKET_BYTES: '5000' });
  const { report } = (await lines(await get('/verify?buckets=1'))).at(-1);
  assert.equal(report.verdict, 'incomplete');
  assert.ok(report.totals.bucket.unchecked > 0 && report.totals.bucket.verified > 0 && report.totals.bucket.faulty === 0);
  assert.match(report.errors[0].message, /^the bucket has \d+ bytes, more than the 5000 that this worker reads \(MAX_BUCKET_BYTES\)/);
});

test('an archive that is down is no fault: the report says that it could not be read', { skip: noSample }, async (t) => {
  const site = await upstream(t, files, ({ name, response }) => (name === 'down' ? response.writeHead(503).end() : undefined));
  const { get } = await edge(t, [{ name: 'dead', url: 'http://127.0.0.1:1/' }, site.archive('down')]);
  for (const [name, says] of [['dead', /connection failed/], ['down', /HTTP 503/]]) {
    const { report } = (await lines(await get(`/verify?archive=${name}`))).at(-1);
    assert.deepEqual([report.verdict, report.findings], ['incomplete', []]);
    assert.match(report.errors[0].message, says);
  }
  // What passes is tried a second time, and not a third.
  assert.equal(site.requests.length, 2);
});

test('redirects stay within the archive', { skip: noSample }, async (t) => {
  const elsewhere = await upstream(t, files);
  const site = await upstream(t, { ...files, there: SAMPLE }, ({ name, path, response }) => {
    const to = { here: `/there/${path}`, away: `${elsewhere.url}/sample/${path}`, inside: 'http://169.254.169.254/latest/meta-data/', userinfo: `http://a:b@${site.url.slice(7)}/there/${path}`, loop: `/loop/${path}`, nowhere: undefined }[name];
    return ['here', 'away', 'inside', 'userinfo', 'loop', 'nowhere'].includes(name) ? response.writeHead(302, to === undefined ? {} : { location: to }).end() : undefined;
  });
  const { get } = await edge(t, ['here', 'away', 'inside', 'userinfo', 'loop', 'nowhere'].map((name) => site.archive(name)));
  assert.equal((await lines(await get('/verify?archive=here'))).at(-1).report.verdict, 'verified');
  for (const name of ['away', 'inside', 'userinfo', 'loop', 'nowhere']) {
    const { report } = (await lines(await get(`/verify?archive=${name}`))).at(-1);
    assert.equal(report.verdict, 'incomplete', name);
    assert.match(report.errors[0].message, /redirects/);
    await problem(await get(`/relay/${name}/.well-known/stellar-history.json`), 502, 'archive-unreachable');
  }
  assert.deepEqual(elsewhere.requests, []);
});

test('a proof is found, and holds for whoever checks it', { skip: noSample }, async (t) => {
  const { init, verifyProof } = await import('../../dist/node.mjs');
  await init();
  const site = await upstream(t, files);
  const { get } = await edge(t, [site.archive('sample'), site.archive('broken')]);
  const hash = await someTransaction(SAMPLE, 255);

  const response = await get(`/proof/${hash.toUpperCase()}?archive=sample`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-disposition'), `attachment; filename="proof-${hash}.json"`);
  const proof = await response.text();
  assert.equal(JSON.parse(proof).transactionHash, hash);
  assert.equal((await verifyProof(proof)).verdict, 'unproven', 'nobody is believed of the sample network');

  const inRange = await get(`/proof/${hash}?archive=sample&low=192&high=255`);
  assert.equal(JSON.parse(await inRange.text()).transactionHash, hash);
  await problem(await get(`/proof/${hash}?archive=sample&low=1&high=63`), 404, 'transaction-not-found');
  await problem(await get(`/proof/${'0'.repeat(64)}?archive=sample`), 404, 'transaction-not-found');
});

test('a real archive is sealed by its validators, and its proofs are proven', { skip: noData }, async (t) => {
  const { init, verifyProof } = await import('../../dist/node.mjs');
  await init();
  const folder = realArchive('testnet-p22');
  const { high } = await ledgers(folder);
  const site = await upstream(t, { testnet: folder });
  const { get, cron, json } = await edge(t, [site.archive('testnet')]);
  const { report } = (await lines(await get('/verify'))).at(-1);
  assert.equal(report.verdict, 'verified');
  assert.ok(report.sealedThrough > high - 64 && report.sealedThrough < high, String(report.sealedThrough));
  const proof = await (await get(`/proof/${await someTransaction(folder, high - 64)}`)).text();
  assert.equal((await verifyProof(proof)).verdict, 'proven');
  assert.equal(await cron(NOON), 'ok');
  assert.equal((await json('/status')).archives[0].sealedThrough, report.sealedThrough);
});

/** The hash of the first transaction of a checkpoint: a results record is the ledger, a count, and then pairs that begin with it. */
async function someTransaction(folder, checkpoint) {
  const found = (await records(folder, pathOf('results', checkpoint))).find((record) => record.readUInt32BE(4) > 0);
  return found.subarray(8, 40).toString('hex');
}

test('hostile requests get a clear 4xx, and nothing is fetched', { skip: noSample }, async (t) => {
  const site = await upstream(t, files);
  const { get, url, cron } = await edge(t, [site.archive('sample'), site.archive('broken')]);
  assert.equal(await cron(NOON), 'ok');
  site.requests.length = 0;
  const hash = 'a'.repeat(64);
  const listed = encodeURIComponent(site.archive('sample').url);

  const CASES = [
    // Archives that are not on the list, however they are written.
    ...['http://127.0.0.1/', 'http://2130706433/', 'http://0x7f.1/', 'http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/latest/', 'http://localhost:22/', 'file:///etc/passwd', 'https://example.com/',
      `${site.url}/`, `${site.url}/sample/../broken2`, `${site.url}/sample@evil.example`, `http://user@${site.url.slice(7)}/sample`, '__proto__', '', 'sample\r\nx: y', 'sample\0', '../sample', 'SAMPLE']
      .flatMap((archive) => [[`/verify?archive=${encodeURIComponent(archive)}`, 404, 'archive-unknown'], [`/proof/${hash}?archive=${encodeURIComponent(archive)}`, 404, 'archive-unknown']]),
    ['/relay/nobody/.well-known/stellar-history.json', 404, 'archive-unknown'],
    ['/relay/__proto__/.well-known/stellar-history.json', 404, 'archive-unknown'],
    [`/relay/${encodeURIComponent(site.archive('sample').url)}/.well-known/stellar-history.json`, 404, 'archive-unknown'],
    ['/report/nobody', 404, 'archive-unknown'], ['/report/..%2f..%2freports%2fsample', 404, 'archive-unknown'], ['/badge/nobody.svg', 404, 'archive-unknown'], ['/badge/%3Cscript%3E.svg', 404, 'archive-unknown'],
    ['/history/nobody', 404, 'archive-unknown'], ["/history/sample'%20OR%20'1'='1", 404, 'archive-unknown'],
    // Paths that are no archive's.
    ...['', 'index.html', '../../sample/.well-known/stellar-history.json', '%2e%2e/nobody/.well-known/stellar-history.json', '..%2fbroken%2f.well-known%2fstellar-history.json', '.well-known%2fstellar-history.json', '/.well-known/stellar-history.json', 'ledger/00/00/00/ledger-0000003e.xdr.gz', 'https://example.com/', '@example.com/',
      'ledger/00/00/00/ledger-0000003f.xdr.gz%00', 'ledger/00/00/00/ledger-0000003f.xdr.gz%0d%0ax:%20y'].map((path) => [`/relay/sample/${path}`, 404, null]),
    // Ranges.
    ['/verify?archive=sample&low=1&high=4294967295', 400, 'bad-range'], ['/verify?archive=sample&low=1&high=512', 400, 'bad-range'], ['/verify?archive=sample&low=320&high=1', 400, 'bad-range'],
    ['/verify?archive=sample&low=1', 400, 'bad-range'], ['/verify?archive=sample&high=1', 400, 'bad-range'], [`/proof/${hash}?archive=sample&low=1&high=4294967295`, 400, 'bad-range'],
    ...['0', '-1', '1e3', '0x', '4294967296', '99999999999999999999', '1.5', 'NaN', ' 1', '١', '0b1', ''].map((low) => [`/verify?archive=sample&low=${encodeURIComponent(low)}&high=64`, 400, 'bad-parameter']),
    // Parameters.
    ['/verify', 400, 'bad-parameter'], ['/verify?archive=sample&archive=broken', 400, 'bad-parameter'], ['/verify?archive=sample&url=http://127.0.0.1/', 400, 'bad-parameter'], ['/verify?archive=sample&buckets=yes', 400, 'bad-parameter'],
    ['/verify?archive=sample&x%0d%0aset-cookie:a=b', 400, 'bad-parameter'], ['/status?archive=sample', 400, 'bad-parameter'], ['/relay/sample/.well-known/stellar-history.json?x=1', 400, 'bad-parameter'],
    ...['', 'xyz', hash.slice(1), `${hash}a`, `${hash.slice(2)}%0a`, '%22%3E%3Cscript%3E'].map((tx) => [`/proof/${tx}?archive=sample`, 400, 'bad-parameter']),
    ['/history/sample?last=1000', 400, 'bad-parameter'], ['/history/sample?last=0', 400, 'bad-parameter'], ['/history/sample?last=1;DROP TABLE states', 400, 'bad-parameter'],
    [`/verify?archive=${listed}&low=${'1'.repeat(3000)}`, 414, 'uri-too-long'],
    ['/nothing', 404, 'not-found'], ['/verify/', 404, 'not-found'], ['//example.com/verify', 404, 'not-found'], ['/.env', 404, 'not-found'], [`/proof/${hash}/more`, 404, 'not-found'],
  ];
  for (const [path, status, kind] of CASES) {
    await t.test(path.slice(0, 100), async () => {
      const response = await get(path);
      assert.equal(response.status, status, path);
      if (kind !== null) await problem(response, status, kind);
      else assert.equal(response.headers.get('content-type'), 'application/problem+json');
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('x'), null);
      assert.equal(response.headers.get('set-cookie'), null);
    });
  }

  await t.test('methods that are not there', async () => {
    for (const [method, path, allow] of [['POST', '/verify?archive=sample', 'GET, OPTIONS'], ['HEAD', '/verify?archive=sample', 'GET, OPTIONS'], ['PUT', '/relay/sample/.well-known/stellar-history.json', 'GET, HEAD, OPTIONS'], ['DELETE', '/report/sample', 'GET, HEAD, OPTIONS'], ['PATCH', '/status', 'GET, HEAD, OPTIONS']]) {
      const response = await get(path, { method });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, allow], `${method} ${path}`);
      if (method !== 'HEAD') await problem(response, 405, 'method-not-allowed');
    }
  });

  await t.test('dots on the wire, which no browser sends', async () => {
    for (const path of ['/relay/sample/../nobody/.well-known/stellar-history.json', '/relay/sample/ledger/../../broken/x', '/relay/sample/./../sample/x', '/relay/../../etc/passwd']) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.end(`GET ${path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`);
      let text = '';
      socket.setEncoding('utf8').on('data', (part) => (text += part));
      await once(socket, 'close');
      assert.match(text, /^HTTP\/1.1 4\d\d/, path);
    }
  });

  assert.deepEqual(site.requests, []);
  // And it is as well as before.
  assert.equal((await lines(await get('/verify?archive=sample'))).at(-1).report.verdict, 'verified');
});

test('who asks too often is asked to wait, by a count of its own or by the binding', { skip: noSample }, async (t) => {
  const site = await upstream(t, files);
  const own = await edge(t, [site.archive('sample')], { RUNS_PER_MINUTE: '2', REQUESTS_PER_MINUTE: '4' });
  const bound = await edge(t, [site.archive('sample')], {}, { ratelimits: { RUN_RATE: { simple: { limit: 2, period: 60 } }, RELAY_RATE: { simple: { limit: 4, period: 60 } } } });
  for (const { get } of [own, bound]) {
    const before = [];
    const refused = await untilRefused(2, async () => {
      before.push(site.requests.length);
      const response = await get('/verify');
      if (response.status === 200) assert.equal((await lines(response)).at(-1).report.verdict, 'verified');
      return response;
    });
    assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/);
    await problem(refused, 429, 'rate-limited');
    assert.equal(site.requests.length, before.at(-1));
    // Reading is counted by itself.
    await problem(await untilRefused(4, () => get('/')), 429, 'rate-limited');
  }
});

/** Asks until it is refused: so many a minute pass, and no more than comes in while a slow machine asks. */
async function untilRefused(perMinute, ask) {
  const began = Date.now();
  for (let passed = 0; ; passed += 1) {
    const response = await ask();
    const now = Date.now();
    // The binding counts minutes of the clock, the worker's own count fills up all the time.
    const minutes = Math.max(Math.floor(now / 60_000) - Math.floor(began / 60_000), (now - began) / 60_000);
    if (response.status !== 200) {
      assert.ok(passed >= perMinute, `${passed} passed`);
      return response;
    }
    assert.ok(passed + 1 <= perMinute * (1 + minutes), `${passed + 1} passed in ${minutes} minutes`);
  }
}

test('a worker that is not set up says what is missing', { skip: noSample }, async (t) => {
  const site = await upstream(t, files);
  const wrong = await edge(t, [{ name: 'inside', url: 'https://10.0.0.1/' }]);
  assert.match((await problem(await wrong.get('/status'), 500, 'configuration')).detail, /ARCHIVES\[0\]: url: 10\.0\.0\.1 is no public address/);
  const bare = await edge(t, [site.archive('sample')], {}, { r2Buckets: {}, d1Databases: {} });
  assert.match((await problem(await bare.get('/status'), 500, 'configuration')).detail, /D1 .* HISTORY/);
  assert.match((await problem(await bare.get('/report/sample'), 500, 'configuration')).detail, /R2 .* REPORTS/);
  // What needs neither works without.
  assert.equal((await lines(await bare.get('/verify'))).at(-1).report.verdict, 'verified');
});
