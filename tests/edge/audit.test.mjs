/**
 * The audit of a whole archive in Cloudflare's own runtime: queue, consumers, coordinator with its SQLite, dead letters, endpoints.
 *
 * Whatever goes wrong on the way, the report is the one of a local run over the same files, but for when it began and how long it took.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { filesIn } from '../node/misbehaving-server.mjs';
import { materialize, temporary, variants } from '../node/support.mjs';
import { AUTHORIZED, TOKEN, fleet, localReport, withoutTimes } from './audit-fleet.mjs';
import { SAMPLE, edge, ledgers, lie, noData, noSample, pathOf, realArchive, send, upstream } from './support.mjs';

const ROOT = '.well-known/stellar-history.json';

async function sameAsLocal(one, site, name, id, options) {
  assert.deepEqual(withoutTimes(await one.report(id)), withoutTimes(await localReport(site, name, options)));
}

async function problem(response, status, kind) {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const body = await response.json();
  assert.deepEqual([response.status, body.type], [status, `urn:stellar-archive-verifier:problem:${kind}`], JSON.stringify(body));
  return body;
}

test('an audit over the real queue ends with the report of one run', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const one = await fleet(t, [site.archive('sample')], { vars: { AUDIT_CHECKPOINTS: '1' } });
  const id = await one.begin('archive=sample&buckets=1&consumers=3');
  const status = await one.until(id);
  await sameAsLocal(one, site, 'sample', id);
  assert.deepEqual([status.verdict, status.checkpoints, status.buckets, status.findings, status.parts.givenUp], ['verified', { done: 5, total: 5 }, { open: 0 }, 0, 0]);
  assert.ok(status.requests > 50 && Number(status.compressedBytes) > 100_000);

  await t.test('its status has a tag, its report an address, and the list knows it', async () => {
    const response = await one.get(`/audit/${id}`);
    assert.equal((await one.get(`/audit/${id}`, { headers: { 'if-none-match': response.headers.get('etag') } })).status, 304);
    assert.equal((await one.get(`/audit/${id}`, { method: 'HEAD' })).status, 200);
    const { links } = await response.json();
    assert.deepEqual(links, { self: `/audit/${id}`, report: `/audit/${id}/report` });
    const { audits } = await (await one.get('/audits')).json();
    assert.deepEqual(audits.map((each) => [each.id, each.archive, each.state, each.verdict]), [[id, 'sample', 'done', 'verified']]);
    for (const action of ['pause', 'resume', 'cancel']) await problem(await one.post(`/audit/${id}/${action}`), 409, 'audit-over');
  });

  await t.test('the next one, without buckets and of a range, as well', async () => {
    const next = await one.begin('archive=sample&low=64&high=255');
    await one.until(next);
    await sameAsLocal(one, site, 'sample', next, { skipBuckets: true, range: { low: 64, high: 255 } });
  });
});

for (const [name, size] of [['pubnet-1.2m', 2], ['pubnet-12m', 4], ['synth-p27', 1], ['testnet-genesis-p24', 1], ['testnet-p22', 16]]) {
  test(`an audit of ${name} in parts of ${size} ends with the report of one run`, { skip: noData }, async (t) => {
    const folder = realArchive(name);
    const { low, high } = await ledgers(folder);
    const site = await upstream(t, { [name]: folder });
    const one = await fleet(t, [site.archive(name)], { vars: { AUDIT_CHECKPOINTS: String(size) } });
    const id = await one.begin(`archive=${name}&low=${low}&high=${high}&buckets=1`);
    await one.until(id);
    await sameAsLocal(one, site, name, id, { range: { low, high } });
  });
}

test('corrupted archives have the findings of one run', { skip: noData }, async (t) => {
  const chosen = variants().filter(({ base, expect }) => base === 'testnet-genesis-p24' && expect.verdict === 'fail').filter((_, index) => index % 6 === 0);
  assert.ok(chosen.length >= 5, String(chosen.length));
  const folder = await temporary(t);
  const archives = {};
  for (const variant of chosen) archives[variant.id.toLowerCase()] = filesIn(await materialize(variant, join(folder, variant.id)));
  archives.broken = new Map([...filesIn(SAMPLE), [pathOf('ledger', 191), lie(filesIn(SAMPLE).get(pathOf('ledger', 191)))]]);
  archives.gap = new Map([...filesIn(SAMPLE)].filter(([path]) => path !== pathOf('results', 127)));
  const site = await upstream(t, archives);
  const names = Object.keys(archives);
  const one = await fleet(t, names.map((name) => site.archive(name)), { vars: { AUDIT_CHECKPOINTS: '1' } });
  for (const name of names) {
    const local = await localReport(site, name).catch((error) => error);
    const response = await one.post(`/audit?archive=${name}&buckets=1`);
    if (response.status !== 201) {
      // No newest state, no audit: then one run says so, too.
      await problem(response, 502, 'archive-faulty');
      assert.equal(local.range, null, name);
      continue;
    }
    const { id } = await response.json();
    await one.until(id);
    const [report, expected] = [withoutTimes(await one.report(id)), withoutTimes(local)];
    // How much of a bomb has come when it is seen to be one is up to the size of the pieces in which it comes.
    if (name.includes('bomb')) assert.deepEqual([report.findings, report.totals, report.verdict, report.claims], [expected.findings, expected.totals, expected.verdict, expected.claims], name);
    else assert.deepEqual(report, expected, name);
  }
});

test('messages lost, doubled and out of order, consumers stopped in the middle, everything restarted: the same report', { skip: noData }, async (t) => {
  const folder = realArchive('testnet-p22');
  const { low, high } = await ledgers(folder);
  const site = await upstream(t, { testnet: folder });
  const dying = new Set();
  // Once it is at work.
  const fate = (task, message) => (dying.delete(message) ? () => reached(site) : 'live');
  const one = await fleet(t, [site.archive('testnet')], { held: true, fate, persist: await temporary(t), vars: { AUDIT_CHECKPOINTS: '4', AUDIT_LOST_SECONDS: '5' } });
  const id = await one.begin(`archive=testnet&low=${low}&high=${high}&buckets=1&consumers=4`);
  const met = { lost: 0, doubled: 0, stopped: 0, restarted: 0 };
  let [step, done] = [0, false];
  while (!done) {
    await one.arrival();
    const messages = one.queue.splice(0).reverse();
    const outcomes = [];
    for (const message of messages) {
      step += 1;
      if (step % 7 === 3) {
        met.lost += 1;
        continue;
      }
      if (step % 5 === 0) {
        met.doubled += 1;
        outcomes.push(one.deliver(message), one.deliver(message));
      } else if (step % 11 === 4 && met.stopped < 2) {
        met.stopped += 1;
        const name = `stopped${step}`;
        dying.add(name);
        // The queue brings the same message again.
        outcomes.push(one.deliver(message, name).then((outcome) => {
          assert.equal(outcome, 'exception');
          return one.deliver(message, name);
        }));
      } else outcomes.push(one.deliver(message));
    }
    if (met.restarted < 2 && step > 8 * (met.restarted + 1)) {
      // In the middle of whatever is under way.
      await reached(site);
      met.restarted += 1;
      await Promise.all([one.restart(), Promise.allSettled(outcomes)]);
    } else assert.deepEqual((await Promise.all(outcomes)).filter((outcome) => outcome !== 'ok'), []);
    done = (await one.status(id)).state === 'done';
  }
  assert.ok(Object.values(met).every((count) => count >= 2), JSON.stringify(met));
  const { parts } = await one.status(id);
  assert.ok(parts.duplicates > 0 && parts.lost > 0 && parts.givenUp === 0, JSON.stringify(parts));
  await sameAsLocal(one, site, 'testnet', id, { range: { low, high } });
});

/** Until the archive is asked for the next file. */
async function reached(site) {
  const before = site.requests.length;
  const script = site.script;
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  let timer;
  site.script = (asked) => {
    if (site.requests.length > before) resolve();
    return script(asked);
  };
  await Promise.race([promise, new Promise((done) => (timer = setTimeout(done, 5000)))]);
  clearTimeout(timer);
  site.script = script;
}

test('a part that stops every consumer is buried, halved and given up, and the report says so of that checkpoint only', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const poisoned = 2;
  let met = 0;
  const fate = (task) => {
    if (task?.first === undefined || poisoned < task.first || poisoned >= task.first + task.count) return 'live';
    met += 1;
    return 'die';
  };
  const one = await fleet(t, [site.archive('sample')], { fate, queues: { maxRetries: 1, retryDelay: 0, maxBatchSize: 1, maxBatchTimeout: 0 }, vars: { AUDIT_CHECKPOINTS: '4' } });
  const id = await one.begin('archive=sample&buckets=1');
  const { parts, verdict } = await one.until(id);
  assert.deepEqual([verdict, parts.halved, parts.givenUp, met], ['incomplete', 2, 1, 3 * 2]);
  const report = await one.report(id);
  assert.deepEqual([report.findings, report.totals.ledger], [[], { verified: 4, faulty: 0, unchecked: 1 }]);
  assert.deepEqual(report.errors.map(({ code, path }) => [code, path]), [['GIVEN_UP', pathOf('history', 191)]]);
  assert.match(report.errors[0].message, /stopped again and again/);
});

test('an outage in the middle and an archive that asks for fewer burn nothing: the same report', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const one = await fleet(t, [site.archive('sample')], { vars: { AUDIT_CHECKPOINTS: '1' } });
  let [fallen, probes, pressed, busy] = [false, 0, 0, 0];
  site.script = ({ path, response, nth }) => {
    if (path === pathOf('ledger', 191) && nth === 1) fallen = true;
    if (fallen) {
      if (path === ROOT) probes += 1;
      else if (probes > 0) pressed += 1;
      if (probes >= 5) fallen = false;
      else return response.writeHead(503).end();
    }
    // Twice for each of these, so that trying once more at once does not do.
    if (path === pathOf('transactions', 255) && nth <= 4) {
      busy += 1;
      return response.writeHead(429, { 'retry-after': '1' }).end();
    }
    return undefined;
  };
  const id = await one.begin('archive=sample&buckets=1&consumers=2');
  const { parts, verdict } = await one.until(id);
  assert.ok(probes >= 5 && busy === 4, `${probes} ${busy}`);
  assert.equal(pressed, 0, 'while it is down it is asked for its newest state only');
  assert.ok(parts.retried >= 3);
  assert.deepEqual([verdict, parts.givenUp, parts.halved], ['verified', 0, 0]);
  site.script = () => undefined;
  await sameAsLocal(one, site, 'sample', id);
});

test('a file that nobody gets is left unchecked in the end, and everything else is verified', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE }, ({ path, response }) => (path === pathOf('results', 127) ? response.writeHead(403).end() : undefined));
  const one = await fleet(t, [site.archive('sample')], { vars: { AUDIT_CHECKPOINTS: '1', AUDIT_RETRY_SECONDS: '0' } });
  const id = await one.begin('archive=sample&buckets=1');
  const { parts, verdict } = await one.until(id);
  assert.deepEqual([verdict, parts.retried, parts.givenUp], ['incomplete', 2, 0]);
  const { totals, errors } = await one.report(id);
  assert.deepEqual([totals.results.unchecked, totals.ledger.verified, errors[0].path], [1, 5, pathOf('results', 127)]);
});

test('a consumer out of requests hands in nothing half done: the part is halved', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const one = await fleet(t, [site.archive('sample')], { vars: { AUDIT_CHECKPOINTS: '4', AUDIT_SUBREQUESTS: '40' } });
  const id = await one.begin('archive=sample&buckets=1');
  const { parts } = await one.until(id);
  assert.ok(parts.halved >= 1, JSON.stringify(parts));
  await sameAsLocal(one, site, 'sample', id);
});

test('paused in the middle nothing is asked for any more; resumed the report is the same; cancelled there is none', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const one = await fleet(t, [site.archive('sample')], { held: true, vars: { AUDIT_CHECKPOINTS: '1' } });
  const id = await one.begin('archive=sample&buckets=1&consumers=2');
  assert.equal(await one.deliver(one.queue.shift()), 'ok');
  const paused = await (await one.post(`/audit/${id}/pause`)).json();
  assert.deepEqual([paused.state, paused.reason, paused.checkpoints.done], ['paused', 'on request', 1]);
  await problem(await one.get(`/audit/${id}/report`), 404, 'no-report');
  const before = site.requests.length;
  for (const message of one.queue.splice(0)) assert.equal(await one.deliver(message), 'ok');
  assert.deepEqual([site.requests.length, one.queue.length], [before, 0]);
  assert.equal((await (await one.post(`/audit/${id}/resume`)).json()).state, 'running');
  while ((await one.status(id)).state !== 'done') {
    await one.arrival();
    for (const message of one.queue.splice(0)) assert.equal(await one.deliver(message), 'ok');
  }
  await sameAsLocal(one, site, 'sample', id);

  const other = await one.begin('archive=sample');
  assert.equal((await (await one.post(`/audit/${other}/cancel`)).json()).state, 'cancelled');
  const asked = site.requests.length;
  for (const message of one.queue.splice(0)) assert.equal(await one.deliver(message), 'ok');
  assert.equal(site.requests.length, asked);
  await problem(await one.get(`/audit/${other}/report`), 404, 'no-report');
  assert.deepEqual((await (await one.get('/audits')).json()).audits.map((each) => [each.id, each.state]), [[other, 'cancelled'], [id, 'done']]);
});

test('an archive that goes on meanwhile is audited as it was at the beginning', { skip: noSample }, async (t) => {
  const files = filesIn(SAMPLE);
  const early = new Map([...files, [ROOT, files.get(pathOf('history', 255))]]);
  const site = await upstream(t, { sample: early });
  const one = await fleet(t, [site.archive('sample')], { held: true, vars: { AUDIT_CHECKPOINTS: '1' } });
  const id = await one.begin('archive=sample&buckets=1');
  assert.equal(await one.deliver(one.queue.shift()), 'ok');
  site.archives.set('sample', files);
  while ((await one.status(id)).state !== 'done') {
    await one.arrival();
    for (const message of one.queue.splice(0)) assert.equal(await one.deliver(message), 'ok');
  }
  const report = await one.report(id);
  assert.deepEqual([report.range.high, report.sources[0].ledger, report.sources[0].endLedger], [255, 255, 319]);
  let roots = 0;
  const local = await localReport(site, 'sample', { files: (path) => (path === ROOT && (roots += 1) === 1 ? early : files) });
  assert.deepEqual(withoutTimes(report), withoutTimes(local));
});

test('an archive that is no longer on the list is not fetched any more: the audit pauses and says why', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE, other: SAMPLE });
  const persist = await temporary(t);
  const one = await fleet(t, [site.archive('sample'), site.archive('other')], { held: true, persist, vars: { AUDIT_CHECKPOINTS: '1', AUDIT_LOST_SECONDS: '5' } });
  const id = await one.begin('archive=sample&buckets=1');
  const [message] = one.queue;
  await one.stop();
  const next = await fleet(t, [{ ...site.archive('other'), name: 'sample' }], { held: true, persist });
  site.requests.length = 0;
  assert.equal(await next.deliver(message), 'ok');
  const { state, reason } = await next.status(id);
  assert.equal(state, 'paused');
  assert.match(reason, /not on this worker's list any more/);
  assert.deepEqual(site.requests, []);

  // A slip in the variables is nobody's death either.
  await next.post(`/audit/${id}/resume`);
  await next.stop();
  const slipped = await fleet(t, [site.archive('sample')], { held: true, persist, vars: { AUDIT_SECONDS: 'long' } });
  assert.equal(await slipped.deliver(message), 'ok');
  await slipped.stop();
  const again = await fleet(t, [site.archive('sample'), site.archive('other')], { held: true, persist, vars: { AUDIT_CHECKPOINTS: '1' } });
  assert.match((await again.status(id)).reason, /not set up: AUDIT_SECONDS/);
  await again.post(`/audit/${id}/resume`);
  while ((await again.status(id)).state !== 'done') {
    await again.arrival();
    for (const each of again.queue.splice(0)) assert.equal(await again.deliver(each), 'ok');
  }
  await sameAsLocal(again, site, 'sample', id);
});

test('the estimate comes before anything is begun', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const one = await fleet(t, [site.archive('sample')]);
  const response = await one.get('/audit/estimate?archive=sample&buckets=1');
  assert.equal(response.status, 200);
  const { archive, range, checkpoints, parts, requests, messages, wall, usd, assumptions } = await response.json();
  assert.deepEqual([archive, range, checkpoints, parts, requests, messages], ['sample', { low: 1, high: 319 }, 5, 1, 5 * 13, 3]);
  assert.deepEqual(wall.map(({ consumers }) => consumers), [1, 10, 50, 100, 250]);
  assert.ok(usd >= 0 && assumptions.length > 10);
  assert.ok(site.requests.length > 0 && site.requests.length <= 3, String(site.requests.length));
  assert.deepEqual((await (await one.get('/audits')).json()).audits, []);
});

test('hostile requests get a clear 4xx; nothing is fetched, and nothing made', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE, other: SAMPLE });
  const one = await fleet(t, [site.archive('sample'), site.archive('other')], { held: true, vars: { AUDIT_MAX_CONSUMERS: '20' } });
  const id = await one.begin('archive=sample');
  const objects = await one.miniflare.getDurableObjectNamespace('AUDITS');
  assert.ok(objects);
  site.requests.length = 0;
  one.queue.length = 0;
  const nobody = '0'.repeat(32);
  const POSTS = [
    ['/audit', 400, 'bad-parameter'], ['/audit?archive=nobody', 404, 'archive-unknown'], [`/audit?archive=${encodeURIComponent('http://169.254.169.254/')}`, 404, 'archive-unknown'],
    ['/audit?archive=sample%0d%0ax:%20y', 404, 'archive-unknown'], ['/audit?archive=sample&low=1&high=4294967295', 400, 'bad-range'], ['/audit?archive=sample&low=9&high=1', 400, 'bad-range'],
    ['/audit?archive=sample&low=1', 400, 'bad-range'], ['/audit?archive=sample&low=-1&high=5', 400, 'bad-parameter'], ['/audit?archive=sample&buckets=yes', 400, 'bad-parameter'],
    ...['0', '21', '-1', '1e1', '9999999', '', 'x', '1%0d%0ax:y'].map((consumers) => [`/audit?archive=sample&consumers=${consumers}`, 400, 'bad-parameter']),
    ['/audit?archive=sample&url=http://127.0.0.1/', 400, 'bad-parameter'], ['/audit?archive=sample&archive=other', 400, 'bad-parameter'],
    ...[nobody, 'x', id.toUpperCase(), `${id}0`, '..%2f..%2fsample', "'%20OR%20'1'='1", '%00', '__proto__'].map((each) => [`/audit/${each}/cancel`, 404, 'audit-unknown']),
    [`/audit/${id}/pause?force=1`, 400, 'bad-parameter'], [`/audit/${id}/delete`, 404, 'not-found'], [`/audit?archive=sample&low=${'1'.repeat(3000)}`, 414, 'uri-too-long'],
  ];
  for (const [path, status, kind] of POSTS) await t.test(`POST ${path.slice(0, 80)}`, async () => void (await problem(await one.post(path), status, kind)));
  const GETS = [
    ['/audit?archive=sample', 405, 'method-not-allowed'], [`/audit/${id}/cancel`, 405, 'method-not-allowed'], ['/audit/estimate', 400, 'bad-parameter'], ['/audit/estimate?archive=nobody', 404, 'archive-unknown'],
    ['/audit/estimate?archive=sample&low=1&high=4294967295', 400, 'bad-range'], ['/audits?last=1', 400, 'bad-parameter'],
    ...[nobody, 'x', `${id}%0a`, '..%2f..', '%3Cscript%3E'].flatMap((each) => [[`/audit/${each}`, 404, 'audit-unknown'], [`/audit/${each}/report`, 404, 'audit-unknown']]),
  ];
  for (const [path, status, kind] of GETS) await t.test(`GET ${path.slice(0, 80)}`, async () => void (await problem(await one.get(path), status, kind)));
  await t.test('without the token, or with another', async () => {
    for (const authorization of [undefined, '', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Bearer ${TOKEN} ${TOKEN}`, `Basic ${TOKEN}`, TOKEN, `bearer\t${TOKEN}`, `Bearer ${TOKEN.toUpperCase()}`]) {
      for (const path of ['/audit?archive=sample', `/audit/${id}/pause`, `/audit/${id}/resume`, `/audit/${id}/cancel`, `/audit/${nobody}/cancel`]) {
        const response = await one.post(path, authorization === undefined ? {} : { authorization });
        assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="audits"');
        await problem(response, 401, 'not-allowed');
      }
    }
  });
  await t.test('messages that are none', async () => {
    for (const body of [null, 5, 'x', {}, { audit: id }, { audit: '../x', task: 1 }, { audit: id, task: -1 }, { audit: id, task: 1.5 }, { audit: id, task: '1' }, { audit: nobody, task: 1 }, { audit: id, task: 999 }]) {
      assert.equal(await one.deliver(body), 'ok');
      assert.equal(await one.deliver(body, 'dead', 'stellar-archive-audit-dead'), 'ok');
    }
  });
  assert.deepEqual([site.requests, one.queue], [[], []]);
  const { audits } = await (await one.get('/audits')).json();
  assert.deepEqual(audits.map((each) => [each.id, each.state]), [[id, 'running']]);
});

test('pages may ask with the token, and see what they need of the answer', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const one = await fleet(t, [site.archive('sample')], { held: true });
  const preflight = await one.get('/audit?archive=sample', { method: 'OPTIONS', headers: { 'origin': 'https://page.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } });
  assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-methods')], [204, 'POST, OPTIONS']);
  assert.match(preflight.headers.get('access-control-allow-headers'), /\bauthorization\b/);
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  const begun = await one.post('/audit?archive=sample');
  assert.match(begun.headers.get('access-control-expose-headers'), /\bLocation\b/);
  assert.equal(begun.headers.get('access-control-allow-origin'), '*');
});

test('where audits are not set up, that is said, and everything else works', { skip: noSample }, async (t) => {
  const site = await upstream(t, { sample: SAMPLE });
  const without = await edge(t, [site.archive('sample')]);
  const post = (path, headers = AUTHORIZED) => without.get(path, { method: 'POST', headers });
  assert.match((await problem(await post('/audit?archive=sample'), 403, 'not-enabled')).detail, /wrangler secret put AUDIT_TOKEN/);
  assert.match((await problem(await without.get(`/audit/${'0'.repeat(32)}`), 500, 'configuration')).detail, /AUDITS/);
  assert.equal((await without.get('/audit/estimate?archive=sample')).status, 200);
  assert.equal((await without.get('/audits')).status, 200);
  const short = await edge(t, [site.archive('sample')], { AUDIT_TOKEN: 'short' });
  assert.match((await problem(await short.get('/audit?archive=sample', { method: 'POST' }), 500, 'configuration')).detail, /AUDIT_TOKEN/);
  const unbound = await edge(t, [site.archive('sample')], { AUDIT_TOKEN: TOKEN });
  assert.match((await problem(await unbound.get('/audit?archive=sample', { method: 'POST', headers: AUTHORIZED }), 500, 'configuration')).detail, /AUDITS/);
});
