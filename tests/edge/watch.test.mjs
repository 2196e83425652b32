/**
 * The cron in Cloudflare's own runtime: what it looks at, what it keeps, and whom it tells, and how often. Time is the cron's own.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';
import { runtime } from '../../pkg-config/edge.mjs';
import { filesIn } from '../node/misbehaving-server.mjs';
import { SAMPLE, edge, lie, noSample, pathOf, send, upstream } from './support.mjs';

const START = Date.parse('2026-02-01T12:00:00Z');
const MINUTE = 60_000;
const ROOT = '.well-known/stellar-history.json';
const LEDGER = pathOf('ledger', 319);
const sample = noSample ? new Map() : filesIn(SAMPLE);
/** The newest ledger of the sample closed then. */
const CLOSED = 1_760_216_459_000;

const copy = (changes = {}) => new Map([...new Map([...sample, ...Object.entries(changes)])].filter(([, bytes]) => bytes !== null));
/** The archive as it was at an earlier checkpoint. */
const asOf = (checkpoint) => copy({ [ROOT]: sample.get(pathOf('history', checkpoint)) });
const lying = (path) => ({ [path]: lie(sample.get(path)) });

/** Whoever is told of changes; `status` is what it answers. */
async function receiver(test) {
  const calls = [];
  const hook = { calls, status: 200, told: () => calls.map(({ body }) => `${body.archive} ${body.from}>${body.to}`) };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    calls.push({ headers: request.headers, method: request.method, url: request.url, text, body: JSON.parse(text), status: hook.status });
    await hook.before?.();
    response.writeHead(hook.status, hook.status === 302 ? { location: '/again' } : {}).end('thanks');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.close();
    server.closeAllConnections();
  });
  hook.url = `http://127.0.0.1:${server.address().port}/hook?key=1`;
  return hook;
}

/** A worker, and a cron that runs every ten minutes of its own time. */
async function watching(test, { archives = { sample: copy() }, more = {}, vars = {} } = {}) {
  const site = await upstream(test, archives);
  const hook = await receiver(test);
  const list = Object.keys(archives).map((name) => site.archive(name, more[name]));
  const worker = await edge(test, list, { WEBHOOK_URL: hook.url, ...vars });
  let now = START - 10 * MINUTE;
  const round = async () => worker.cron((now += 10 * MINUTE));
  const state = async (name = 'sample') => (await worker.json('/status')).archives.find(({ archive }) => archive === name);
  return { ...worker, site, hook, round, state, at: () => now };
}

test('the newest checkpoints are verified, and the report, the row and the state are kept', { skip: noSample }, async (t) => {
  const { get, json, round, state, miniflare, hook } = await watching(t);
  assert.equal((await get('/report/sample')).status, 404);
  assert.equal(await round(), 'ok');
  assert.deepEqual(hook.calls, []);

  const report = await json('/report/sample');
  assert.deepEqual([report.verdict, report.range], ['verified', { low: 192, high: 319 }]);
  const bucket = await miniflare.getR2Bucket('REPORTS');
  assert.deepEqual((await bucket.list()).objects.map(({ key }) => key), ['reports/sample/2026-02-01T12-00-00Z.json', 'reports/sample/latest.json']);

  const { results } = await (await miniflare.getD1Database('HISTORY')).prepare('SELECT archive, at, level, verdict, ledger FROM observations').all();
  assert.deepEqual(results, [{ archive: 'sample', at: START, level: 'ok', verdict: 'verified', ledger: 319 }]);
  assert.deepEqual((await json('/history/sample?last=5')).observations.map(({ at, state: level }) => [at, level]), [[START, 'ok']]);

  const { ageSeconds, ...rest } = await state();
  assert.deepEqual([rest.state, rest.verdict, rest.newestLedger, rest.since, rest.checkedAt], ['ok', 'verified', 319, '2026-02-01T12:00:00.000Z', '2026-02-01T12:00:00.000Z']);
  assert.ok(Math.abs(ageSeconds - (Date.now() - CLOSED) / 1000) < 60);
});

test('badges and metrics say what is known', { skip: noSample }, async (t) => {
  const { get, cron, site } = await watching(t, { archives: { sample: copy(), broken: copy(lying(LEDGER)), gone: new Map() }, vars: { ALERT_AFTER: '1' } });
  const badge = async (name) => (await get(`/badge/${name}.svg`)).text();
  assert.match(await badge('sample'), /<title>sample: unknown<\/title>/);
  // As of just now, so that nothing is stale.
  await cron(Date.now());
  site.requests.length = 0;
  const response = await get('/badge/sample.svg');
  assert.deepEqual([response.status, response.headers.get('content-type'), response.headers.get('cache-control')], [200, 'image/svg+xml; charset=utf-8', 'public, max-age=300']);
  const svg = await response.text();
  assert.match(svg, /<title>sample: verified · 319<\/title>/);
  assert.doesNotMatch(svg, /<script|onload|href/);
  assert.match(await badge('broken'), /<title>broken: faulty · 319<\/title>/);
  assert.match(await badge('gone'), /<title>gone: unreachable<\/title>/);

  const metrics = await get('/metrics');
  assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await metrics.text();
  for (const line of ['stellar_archive_state{archive="sample",state="ok"} 1', 'stellar_archive_state{archive="broken",state="faulty"} 1', 'stellar_archive_state{archive="gone",state="unreachable"} 1', 'stellar_archive_newest_ledger{archive="sample"} 319', 'stellar_archive_stale{archive="sample"} 0']) assert.ok(text.includes(`${line}\n`), line);
  // Every line is a comment or a sample, and every sample's family is declared once.
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{archive="[a-z]+"(?:,state="[a-z]+")?\})? [\d.]+)$/);
  const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.equal(new Set(types).size, types.length);
  assert.deepEqual(site.requests, [], 'showing what is known fetches nothing');

  await cron(Date.now() - 2 * 60 * MINUTE);
  assert.match(await badge('sample'), /<title>sample: stale · 319<\/title>/);
});

test('a fault that a hash proves is told at once, once, and signed', { skip: noSample }, async (t) => {
  const { site, hook, round, state } = await watching(t, { vars: { WEBHOOK_SECRET: `whsec_${Buffer.from('a secret of the receiver').toString('base64')}` } });
  await round();
  site.archives.set('sample', copy(lying(LEDGER)));
  assert.equal(await round(), 'ok');
  await round();
  await round();
  assert.deepEqual(hook.told(), ['sample ok>faulty']);

  const [{ headers, method, url, text, body }] = hook.calls;
  assert.deepEqual([method, url, headers['content-type']], ['POST', '/hook?key=1', 'application/json']);
  assert.deepEqual([body.type, body.ledger, body.verdict, body.at], ['archive.state', 319, 'faulty', new Date(START + 10 * MINUTE).toISOString()]);
  assert.match(body.reason, /ledger-0000013f/);
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', 'a secret of the receiver').update(signed).digest('base64')}`);
  assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60);

  const { state: level, since, findings } = await state();
  assert.deepEqual([level, since], ['faulty', new Date(START + 10 * MINUTE).toISOString()]);
  assert.ok(findings > 0);

  site.archives.set('sample', copy());
  await round();
  assert.deepEqual(hook.told(), ['sample ok>faulty']);
  await round();
  assert.deepEqual(hook.told(), ['sample ok>faulty', 'sample faulty>ok']);
  assert.equal(new Set(hook.calls.map((call) => call.headers['webhook-id'])).size, 2);
});

test('what a second fetch does not meet again is no fault', { skip: noSample }, async (t) => {
  const { site, hook, round, state, json } = await watching(t);
  await round();
  // The first of two fetches in each look gets a page instead of the file: no hash proves that.
  site.script = ({ path, response, request }) => {
    if (path !== pathOf('transactions', 319)) return undefined;
    const times = site.requests.filter((asked) => asked.url === request.url).length;
    return times % 2 === 0 ? response.writeHead(200).end('<html>be right back') : undefined;
  };
  await round();
  assert.equal((await json('/report/sample')).verdict, 'verified', 'the second report is kept');
  assert.equal((await state()).state, 'ok');
  assert.deepEqual(hook.calls, []);
});

test('what a second fetch meets as well is a fault', { skip: noSample }, async (t) => {
  const { site, hook, round } = await watching(t);
  await round();
  site.archives.set('sample', copy({ [pathOf('transactions', 319)]: Buffer.from('<html>moved') }));
  await round();
  assert.deepEqual(hook.told(), ['sample ok>faulty']);
});

test('a file that is missing is waited for until the next round', { skip: noSample }, async (t) => {
  const { site, hook, round } = await watching(t);
  await round();
  site.archives.set('sample', copy({ [pathOf('results', 319)]: null }));
  await round();
  assert.deepEqual(hook.told(), []);
  await round();
  assert.deepEqual(hook.told(), ['sample ok>faulty']);
});

test('an archive that is briefly down, or serves a page meanwhile, is neither faulty nor told of', { skip: noSample }, async (t) => {
  const { site, hook, round, state } = await watching(t);
  await round();
  for (const answer of [(response) => response.writeHead(503).end(), (response) => response.writeHead(200).end('<h1>Maintenance</h1>')]) {
    site.script = ({ response }) => answer(response);
    await round();
    assert.equal((await state()).state, 'ok');
  }
  site.script = () => undefined;
  await round();
  assert.equal((await state()).state, 'ok');
  assert.deepEqual(hook.calls, []);
});

test('one that stays away is unreachable after three rounds, and back after two', { skip: noSample }, async (t) => {
  const { site, hook, round, state } = await watching(t);
  await round();
  site.script = ({ response }) => response.destroy();
  for (let rounds = 0; rounds < 4; rounds += 1) await round();
  assert.deepEqual(hook.told(), ['sample ok>unreachable']);
  assert.match((await state()).reason, /could not be read: the connection failed/);
  assert.equal((await state()).newestLedger, null);
  site.script = () => undefined;
  await round();
  await round();
  assert.deepEqual(hook.told(), ['sample ok>unreachable', 'sample unreachable>ok']);
});

test('a slow one is degraded, not faulty', { skip: noSample }, async (t) => {
  const { site, hook, round, state } = await watching(t, { vars: { SLOW_SECONDS: '1', ALERT_AFTER: '2' } });
  await round();
  site.script = ({ name, path, request, response }) => {
    if (path !== ROOT) return undefined;
    setTimeout(() => response.writeHead(200).end(site.archives.get(name).get(path)), 1100);
    return null;
  };
  await round();
  await round();
  assert.deepEqual(hook.told(), ['sample ok>degraded']);
  assert.match((await state()).reason, /^slow: /);
});

test('one that lags is degraded: by its age, or by what another archive of the network has', { skip: noSample }, async (t) => {
  const { hook, round, state } = await watching(t, {
    archives: { old: copy(), fresh: copy(), behind: asOf(127) },
    more: { old: { behindSeconds: 60 }, fresh: { behindSeconds: 365 * 86_400 }, behind: { behindSeconds: 365 * 86_400 } },
  });
  for (let rounds = 0; rounds < 4; rounds += 1) await round();
  assert.deepEqual(hook.told().sort(), ['behind unknown>degraded', 'old unknown>degraded']);
  assert.match((await state('behind')).reason, /its newest ledger is 127, another archive's 319/);
  assert.match((await state('old')).reason, /319 is \d+ s old/);
  assert.equal((await state('fresh')).state, 'ok');
});

test('a fault that the newest checkpoints have left behind is still a fault', { skip: noSample }, async (t) => {
  const old = pathOf('transactions', 127);
  const { site, hook, round, state, json } = await watching(t, { archives: { sample: copy({ ...lying(old), [ROOT]: sample.get(pathOf('history', 127)) }) } });
  await round();
  assert.deepEqual(hook.told(), ['sample unknown>faulty']);
  site.archives.set('sample', copy(lying(old)));
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  assert.deepEqual((await json('/report/sample')).range, { low: 192, high: 319 });
  assert.equal((await state()).state, 'faulty');
  site.archives.set('sample', copy());
  await round();
  await round();
  assert.deepEqual(hook.told(), ['sample unknown>faulty', 'sample faulty>ok']);
});

test('an alert that did not arrive is sent by the next round, under the same name, until it did', { skip: noSample }, async (t) => {
  const { site, hook, round } = await watching(t);
  await round();
  site.archives.set('sample', copy(lying(LEDGER)));
  for (const status of [500, 302, 404, 204]) {
    hook.status = status;
    assert.equal(await round(), 'ok');
  }
  await round();
  assert.deepEqual(hook.calls.map(({ status }) => status), [500, 302, 404, 204]);
  assert.equal(new Set(hook.calls.map(({ headers, text }) => `${headers['webhook-id']} ${text}`)).size, 1);
});

test('two crons that find the same change tell of it once', { skip: noSample }, async (t) => {
  const { site, hook, round, cron, at } = await watching(t);
  await round();
  site.archives.set('sample', copy(lying(LEDGER)));
  // Both have begun, and know the same, before either has looked; the second goes on once the first has told.
  const held = [];
  const both = new Promise((resolve) => {
    site.script = ({ name, path, request, response }) => {
      if (path !== ROOT || held.length === 2) return undefined;
      held.push(() => send(request, response, site.archives.get(name).get(path)));
      if (held.length === 2) resolve();
      return null;
    };
  });
  const crons = [cron(at() + MINUTE), cron(at() + MINUTE + 1)];
  await both;
  held[0]();
  assert.equal(await Promise.race(crons), 'ok');
  assert.deepEqual(hook.told(), ['sample ok>faulty']);
  held[1]();
  assert.deepEqual(await Promise.all(crons), ['ok', 'ok']);
  assert.deepEqual(hook.told(), ['sample ok>faulty']);
});

test('while one cron is telling, another does not tell the same', { skip: noSample }, async (t) => {
  const { site, hook, round, cron, at } = await watching(t);
  await round();
  site.archives.set('sample', copy(lying(LEDGER)));
  let release;
  const called = new Promise((resolve) => (hook.before = () => (resolve(), new Promise((go) => (release = go)))));
  const first = round();
  await called;
  hook.before = undefined;
  // A lease of five minutes: the cron ten minutes later would take it for lost.
  assert.equal(await cron(at() + MINUTE), 'ok');
  assert.equal(hook.calls.length, 1);
  release();
  assert.equal(await first, 'ok');
  assert.deepEqual(hook.told(), ['sample ok>faulty']);
});

test('one archive does not keep the others from being looked at', { skip: noSample }, async (t) => {
  const { round, state, site } = await watching(t, { archives: { a: new Map(), b: copy(), c: copy() } });
  site.script = ({ name, response }) => (name === 'a' ? response.destroy() : undefined);
  assert.equal(await round(), 'ok');
  assert.deepEqual([(await state('a')).state, (await state('b')).state, (await state('c')).state], ['unknown', 'ok', 'ok']);
});

test('where the requests do not last for all, those that waited longest come first the next time', { skip: noSample }, async (t) => {
  const { round, json, site } = await watching(t, { archives: { a: copy(), b: copy(), c: copy() }, vars: { SUBREQUESTS: '20' } });
  const looked = async () => (await json('/status')).archives.filter(({ checkedAt }) => checkedAt !== null).map(({ archive }) => archive).join('');
  const seen = [];
  for (let rounds = 0; rounds < 3; rounds += 1) {
    const before = site.requests.length;
    await round();
    assert.ok(site.requests.length - before <= 20);
    seen.push(await looked());
  }
  assert.deepEqual(seen, ['a', 'ab', 'abc']);
});

test('a name that means another place now is a new archive', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: copy(lying(LEDGER)), other: copy() });
  const options = { d1Databases: { HISTORY: 'history' } };
  const first = await edge(t, [site.archive('sample')], {}, options);
  await first.cron(START);
  assert.equal((await first.json('/status')).archives[0].state, 'faulty');
  await first.miniflare.setOptions({ ...runtime(), bindings: { ARCHIVES: [{ ...site.archive('other'), name: 'sample' }], ALLOW_LOOPBACK: 'true' }, r2Buckets: { REPORTS: 'reports' }, ...options });
  const url = (await first.miniflare.ready).href;
  assert.equal((await (await fetch(`${url}status`)).json()).archives[0].state, 'unknown');
});
