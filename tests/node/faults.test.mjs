/**
 * What a run survives: archives and their hosts misbehave on purpose, each in one way, and the report must say what
 * happened, count nothing twice, lose nothing, and add up to what was asked for.
 *
 * The archives are made up (`tests/sample-archive`), small, with a checkpoint every 8 ledgers; the last test takes a real
 * one. Which archive is asked first is up to chance, so whoever must be asked is made sure of: see `unlessServed`.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { init, verifyArchive, versions } from '../../dist/node.mjs';
import {
  always, dropped, either, everyNth, filesIn, first, inTurn, instead, longer, misbehaving as anotherHost, page, reset, shorter, stalled, status,
  trickling, understated,
} from './misbehaving-server.mjs';
import { CLI, archive, cli, jsonLines, noData, temporary } from './support.mjs';

// ---- archives

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The files of an archive of a network that never was. */
async function sample(...options) {
  const maker = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug', process.platform === 'win32' ? 'sample-archive.exe' : 'sample-archive');
  if (!existsSync(maker)) await promisify(execFile)('cargo', ['build', '--quiet', '-p', 'sample-archive'], { cwd: ROOT });
  const folder = await mkdtemp(join(tmpdir(), 'stellar-archive-verifier-'));
  try {
    await promisify(execFile)(maker, ['--frequency', '8', ...options, folder]);
    return filesIn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ROOT_FILE = '.well-known/stellar-history.json';
const CHECKPOINT_KINDS = ['history', 'ledger', 'transactions', 'results', 'scp'];
const KINDS = [...CHECKPOINT_KINDS, 'bucket'];
const TIP = 63;
const CHECKPOINTS = [7, 15, 23, 31, 39, 47, 55, 63];

// The longer archive goes on where the other ends; the forged one is another history of the same network from ledger 2 on.
const [SAMPLE, LONGER, FORGED] = await Promise.all([
  sample('--ledgers', '64'), sample('--ledgers', '96'), sample('--ledgers', '64', '--seed', '2'),
]);

/** The path of a checkpoint's file. */
function at(kind, checkpoint) {
  const hex = checkpoint.toString(16).padStart(8, '0');
  return `${kind}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4, 6)}/${kind}-${hex}.${kind === 'history' ? 'json' : 'xdr.gz'}`;
}

const checkpointOf = (path) => Number.parseInt(/-([0-9a-f]{8})\./.exec(path)?.[1], 16);
const json = (files, path) => JSON.parse(files.get(path));
const buckets = (files) => [...files.keys()].filter((path) => path.startsWith('bucket/'));

/** A file with one byte of its content changed, packed again so that only the content is wrong. */
function wrongByte(file, part = 0.6) {
  const content = gunzipSync(file);
  assert.ok(content.length > 64, 'there is something to change');
  content[Math.floor(content.length * part)] ^= 1;
  return gzipSync(content);
}

/** A file whose gzip checksum is wrong. */
function wrongChecksum(file) {
  const bytes = Buffer.from(file);
  bytes[bytes.length - 8] ^= 1;
  return bytes;
}

const OPTIONS = { checkpointFrequency: 8 };
const CLI_OPTIONS = ['--checkpoint-frequency', '8'];

/** An archive in memory; `asked` is told every path before it is answered. */
function reader(files, { name = 'memory', asked = () => undefined } = {}) {
  return {
    name,
    async get(path) {
      asked(path);
      return files.get(path) ?? null;
    },
  };
}

/** A host; where it has the port of one that was stopped, what is asked of it is not asked of that one. */
async function misbehaving(...given) {
  const host = await anotherHost(...given);
  for (const earlier of stopped) if (earlier.origin === host.origin) earlier.until ??= started.length;
  return host;
}

// ---- runs

/** The origin of every request that this process starts, in order. */
const started = [];
const platformFetch = globalThis.fetch;
globalThis.fetch = (request, ...more) => {
  started.push(new URL(request.url ?? request).origin);
  return platformFetch(request, ...more);
};

const addresses = (sources) => sources.map((source) => source.url ?? source);

async function run(sources, options = {}, onEvent = () => undefined) {
  const list = addresses(Array.isArray(sources) ? sources : [sources]);
  const verification = verifyArchive(list.length === 1 ? list[0] : list, { ...OPTIONS, ...options });
  const events = [];
  for await (const event of verification) {
    events.push(event);
    onEvent(event, verification);
  }
  return { report: await verification.report, events };
}

/** What every run over the sound archive comes to. */
const SOUND = (await run(reader(SAMPLE))).report;

test('the sound archive is sound', () => {
  assert.equal(SOUND.verdict, 'verified');
  assert.deepEqual(SOUND.findings, []);
  assert.deepEqual(SOUND.range, { low: 1, high: TIP });
  for (const kind of CHECKPOINT_KINDS) assert.deepEqual(SOUND.totals[kind], { verified: CHECKPOINTS.length, faulty: 0, unchecked: 0 }, kind);
  assert.deepEqual(SOUND.totals.bucket, { verified: buckets(SAMPLE).length, faulty: 0, unchecked: 0 });
});

const said = (report) => JSON.stringify({ verdict: report.verdict, totals: report.totals, unchecked: report.unchecked, findings: report.findings, errors: report.errors, notes: report.notes, sources: report.sources });

/** Each checkpoint's file is counted once, wherever the run went. */
function assertAddsUp(report, checkpoints = CHECKPOINTS.length) {
  for (const kind of KINDS) {
    const { verified, faulty, unchecked } = report.totals[kind];
    for (const count of [verified, faulty, unchecked]) assert.ok(Number.isSafeInteger(count) && count >= 0, `${kind}\n${said(report)}`);
    if (kind !== 'bucket') assert.equal(verified + faulty + unchecked, checkpoints, `${kind}\n${said(report)}`);
    const reasons = report.unchecked.filter((reason) => reason.kind === kind).reduce((sum, { count }) => sum + count, 0);
    assert.equal(reasons, unchecked, `${kind}: every unchecked file has its reason\n${said(report)}`);
    for (const [metric, count] of Object.entries({ verified, faulty, unchecked })) {
      assert.equal(Number(report.metrics?.[metric]?.[kind] ?? 0), count, `metric ${metric} of ${kind}`);
    }
  }
}

/** Everything was verified, once, as if nothing had been the matter; what was the matter is for the test to ask. */
function assertVerified({ report, events }, hosts = []) {
  assert.equal(report.verdict, 'verified', said(report));
  assert.deepEqual(report.range, SOUND.range);
  assert.deepEqual(report.totals, SOUND.totals, said(report));
  assert.deepEqual(report.unchecked, SOUND.unchecked);
  assert.equal(report.sealedThrough, SOUND.sealedThrough);
  assert.deepEqual(report.claims, SOUND.claims);
  assert.deepEqual(report.errors, [], 'what was read in the end is no error');
  assert.deepEqual(report.findings.filter(({ severity }) => severity === 'error'), []);
  assert.equal(report.findingsDropped, 0);
  assertAddsUp(report);
  const told = events.filter(({ type }) => type === 'checkpoint').map(({ checkpoint }) => checkpoint);
  assert.deepEqual(told.toSorted((a, b) => a - b), CHECKPOINTS, 'each checkpoint is told once');
  assertCounted(report, hosts);
}

const sourceOf = (report, host) => report.sources.find((source) => source.archive === host.name);

/** The report and the hosts agree on how often who was asked. */
function assertCounted(report, hosts) {
  if (hosts.length === 0) return;
  assert.deepEqual(report.archives, hosts.map(({ name }) => name));
  assert.deepEqual(report.sources.map((source) => source.archive), hosts.map(({ name }) => name));
  for (const host of hosts) assert.equal(sourceOf(report, host).requests, host.requests.length, `requests to ${host.name}`);
  const bytes = report.sources.reduce((sum, source) => sum + BigInt(source.bytes), 0n);
  assert.equal(report.bytes.compressed, String(bytes));
  assert.equal(report.metrics['bytes.compressed'], String(bytes));
  assert.equal(report.metrics['history.get.failure'], report.sources.reduce((sum, { failures, throttled }) => sum + failures + throttled, 0));
}

const retries = (events) => events.filter(({ type }) => type === 'retry');

// ---- the server itself

describe('the misbehaving server', () => {
  const files = new Map([['folder/file', Buffer.from('0123456789')]]);
  const served = async (t, script) => {
    const host = await misbehaving(t, files, script);
    return { host, ask: (path = 'folder/file') => platformFetch(host.url + path).then(async (response) => ({ status: response.status, text: await response.text(), headers: response.headers })) };
  };

  test('serves what there is and nothing else, and keeps every request', async (t) => {
    const { host, ask } = await served(t);
    assert.equal((await ask()).text, '0123456789');
    assert.equal((await ask('none')).status, 404);
    assert.equal((await ask()).status, 200);
    assert.deepEqual(host.requests.map(({ n, nth, path, fault, early }) => ({ n, nth, path, fault, early })), [
      { n: 1, nth: 1, path: 'folder/file', fault: undefined, early: false },
      { n: 2, nth: 1, path: 'none', fault: undefined, early: false },
      { n: 3, nth: 2, path: 'folder/file', fault: undefined, early: false },
    ]);
    assert.deepEqual(host.requests.map(({ whole }) => whole), [true, false, true]);
    assert.ok(host.requests[0].at <= host.requests[1].at && host.requests[1].at <= host.requests[2].at);
    assert.equal(host.count('folder/file'), 2);
    await host.until(({ path }) => path === 'none');
  });

  test('breaks off a body, and lets it end early', async (t) => {
    const { ask, host } = await served(t, inTurn('folder/file', dropped(), shorter(), reset()));
    await assert.rejects(ask());
    await assert.rejects(ask());
    await assert.rejects(ask());
    assert.equal((await ask()).text, '0123456789');
    assert.deepEqual(host.requests.map(({ whole }) => whole), [false, false, false, true]);
  });

  test('sends more than it promised, or promises less than it sends', async (t) => {
    const { ask } = await served(t, inTurn('folder/file', understated(0.3), longer()));
    assert.equal((await ask()).text, '012');
    assert.equal((await ask()).text, '0123456789');
  });

  test('sends something else', async (t) => {
    const { ask } = await served(t, inTurn('folder/file', page(), instead('x'), status(500)));
    assert.match((await ask()).text, /^<!doctype html>/);
    assert.equal((await ask()).text, 'x');
    assert.equal((await ask()).status, 500);
  });

  test('sends a byte now and then, or no more', async (t) => {
    const stuck = new AbortController();
    const { ask, host } = await served(t, inTurn('folder/file', trickling(1), stalled(4, () => stuck.abort())));
    assert.equal((await ask()).text, '0123456789');
    const asked = platformFetch(`${host.url}folder/file`, { signal: stuck.signal }).then((response) => response.text());
    await assert.rejects(asked, { name: 'AbortError' });
    assert.equal(host.requests[1].whole, false);
  });

  test('knows who comes back too early', async (t) => {
    const { host, ask } = await served(t, either(first(1, status(503, { retryAfter: 1 })), inTurn('late', status(429, { retryAfter: 0 }))));
    const { headers } = await ask();
    assert.equal(headers.get('retry-after'), '1');
    await ask('other');
    assert.deepEqual(host.early.map(({ path }) => path), ['other']);
    const { host: patient, ask: askPatient } = await served(t, first(1, status(503, { retryAfter: 0 })));
    await askPatient();
    await askPatient();
    assert.deepEqual(patient.early, []);
  });

  test('misbehaves at every n-th request, the same way for the same seed', async (t) => {
    const kinds = [];
    for (const seed of [1, 1, 2]) {
      const { host, ask } = await served(t, everyNth(3, seed, status(503), status(500), status(429)));
      for (let n = 0; n < 24; n += 1) await ask();
      assert.deepEqual(host.faulted().map(({ n }) => n), [3, 6, 9, 12, 15, 18, 21, 24]);
      kinds.push(host.faulted().map(({ fault }) => fault.code));
    }
    assert.deepEqual(kinds[0], kinds[1]);
    assert.notDeepEqual(kinds[0], kinds[2]);
  });
});

// ---- faults of the way

// Side by side: all they do is wait.
describe('hosts that refuse', { concurrency: 4 }, () => {
  for (const code of [429, 500, 502, 503, 504]) {
    test(`a burst of ${code}`, { timeout: 20_000 }, async (t) => {
      const host = await misbehaving(t, SAMPLE, ({ n }) => (n > 4 && n <= 10 ? status(code) : undefined));
      const outcome = await run(host, { maxRetries: 8 });
      assertVerified(outcome, [host]);
      assert.deepEqual(outcome.report.findings, []);
      assert.equal(retries(outcome.events).length, 6);
      for (const { archive: named, reason, path } of retries(outcome.events)) {
        assert.equal(named, host.name);
        assert.match(reason, new RegExp(`${code}`));
        assert.ok(SAMPLE.has(path));
      }
      const source = sourceOf(outcome.report, host);
      // 503 is also what a broken host says; with Retry-After it is a wish.
      assert.deepEqual([source.throttled, source.failures], code === 429 ? [6, 0] : [0, 6]);
      assert.equal(source.faulty, 0);
    });
  }

  for (const [how, retryAfter] of [['in seconds', () => 1], ['as a date', () => new Date(Date.now() + 1000).toUTCString()]]) {
    for (const code of [429, 503]) {
      test(`nobody comes back before Retry-After of a ${code} (${how}) has passed`, { timeout: 20_000 }, async (t) => {
        const concurrency = 4;
        let refused = 0;
        // Whoever comes too early is refused as well, as hosts do.
        const script = ({ n, early }) => (n === 9 || early ? (refused += 1, status(code, { retryAfter: retryAfter() })) : undefined);
        const host = await misbehaving(t, SAMPLE, script);
        const outcome = await run(host, { concurrency });
        assertVerified(outcome, [host]);
        // Those that were on their way when the first was refused; none of them may be followed by another.
        assert.ok(host.early.length < concurrency, `${host.early.length} came back too early`);
        assert.equal(sourceOf(outcome.report, host).throttled, refused);
      });
    }
  }

  test('Retry-After is for the host: its other archive rests as well, another host does not', { timeout: 20_000 }, async (t) => {
    const concurrency = 4;
    const both = new Map([...SAMPLE].flatMap(([path, bytes]) => [[`one/${path}`, bytes], [`two/${path}`, bytes]]));
    let refusedAt;
    const script = ({ path, early, at: time }) => {
      if (refusedAt === undefined && path.endsWith('.gz')) refusedAt = time;
      else if (!early) return undefined;
      return status(429, { retryAfter: 1 });
    };
    const host = await misbehaving(t, both, script);
    const other = await misbehaving(t, SAMPLE);
    const outcome = await run([`${host.url}one/`, `${host.url}two`, other.url], { concurrency });
    assertVerified(outcome);
    assert.ok(host.early.length < concurrency, `${host.early.length} came back too early`);
    assert.ok(other.requests.filter(({ at: time }) => time > refusedAt).length > 0);
    const [one, two, good] = outcome.report.sources;
    assert.equal(one.throttled + two.throttled, host.faulted('status').length);
    assert.equal(one.requests + two.requests, host.requests.length);
    assert.equal(good.throttled, 0);
  });

  test('a host that asks for an hour of rest is not waited for when another has the files', { timeout: 20_000 }, async (t) => {
    const concurrency = 4;
    const tired = await misbehaving(t, SAMPLE, ({ n }) => (n > 3 ? status(429, { retryAfter: 3600 }) : undefined));
    const good = await misbehaving(t, SAMPLE);
    const outcome = await run([tired, good], { concurrency });
    assertVerified(outcome, [tired, good]);
    assert.ok(tired.early.length < concurrency, `${tired.early.length} came back too early`);
    assert.deepEqual(outcome.report.findings, []);
  });

  test('503 for a while from one of two archives', { timeout: 20_000 }, async (t) => {
    const sick = await misbehaving(t, SAMPLE);
    const good = await misbehaving(t, SAMPLE);
    // It heals when half of the work is done elsewhere.
    sick.script = ({ n }) => (n > 3 && good.requests.length < SAMPLE.size / 2 ? status(503) : undefined);
    const outcome = await run([sick, good]);
    assertVerified(outcome, [sick, good]);
    assert.deepEqual(outcome.report.findings, []);
    assert.ok(sick.faulted().length > 0);
    assert.deepEqual(outcome.report.sources.map(({ failures, throttled }) => failures + throttled), [sick.faulted().length, 0]);
    assert.ok(retries(outcome.events).every((event) => event.archive === sick.name));
  });
});

describe('faults of the way', () => {
  for (const [what, fault] of [['dropped in the middle of a body', dropped()], ['reset before an answer', reset()], ['closed before the end of a body', shorter()]]) {
    test(`connections ${what}, once for a file of each kind`, { timeout: 20_000 }, async (t) => {
      const paths = [...CHECKPOINT_KINDS.map((kind) => at(kind, 31)), buckets(SAMPLE)[3], ROOT_FILE];
      const host = await misbehaving(t, SAMPLE, either(...paths.map((path) => inTurn(path, fault))));
      const outcome = await run(host);
      // A client may repeat a request itself when the connection ends without a word.
      assertVerified(outcome, fault.kind === 'reset' ? [] : [host]);
      assert.deepEqual(outcome.report.findings, []);
      assert.equal(host.faulted().length, paths.length);
      if (fault.kind === 'reset') return;
      assert.deepEqual(retries(outcome.events).map(({ path }) => path).toSorted(), paths.toSorted());
      assert.equal(sourceOf(outcome.report, host).failures, paths.length);
    });
  }

  test('one of two archives drops every connection in the middle', { timeout: 20_000 }, async (t) => {
    const sick = await misbehaving(t, SAMPLE, ({ path }) => (path.endsWith('.gz') ? dropped() : undefined));
    const good = await misbehaving(t, SAMPLE);
    const outcome = await run([sick, good]);
    assertVerified(outcome, [sick, good]);
    assert.deepEqual(outcome.report.findings, []);
    assert.equal(sourceOf(outcome.report, sick).failures, sick.faulted().length);
    assert.ok(sick.faulted().length < SAMPLE.size / 2, `a failing archive is used less, but was asked ${sick.faulted().length} times`);
  });

  test('a body longer than its Content-Length: the file is what was promised', { timeout: 20_000 }, async (t) => {
    const paths = [at('ledger', 15), at('history', 31), at('results', 47)];
    const host = await misbehaving(t, SAMPLE, either(...paths.map((path) => inTurn(path, longer()))));
    const outcome = await run(host);
    assertVerified(outcome);
    assert.deepEqual(outcome.report.findings, []);
    assert.equal(host.faulted('longer').length, paths.length);
  });

  for (const [what, fault] of [['a Content-Length that says less than there is', () => understated()], ['a wrong gzip checksum', (path) => instead(wrongChecksum(SAMPLE.get(path)))]]) {
    test(`${what}, once: the second answer counts`, { timeout: 20_000 }, async (t) => {
      const paths = [at('ledger', 15), at('transactions', 31), buckets(SAMPLE)[0]];
      const host = await misbehaving(t, SAMPLE, either(...paths.map((path) => inTurn(path, fault(path)))));
      const outcome = await run(host);
      assertVerified(outcome);
      for (const path of paths) {
        assert.equal(host.count(path), 2);
        const mentioned = [...retries(outcome.events), ...outcome.report.findings, ...outcome.report.notes].filter((item) => item.path === path);
        assert.ok(mentioned.length > 0, `${path} is mentioned\n${said(outcome.report)}`);
      }
    });

    test(`${what}, always: a finding, not a fault of the way`, { timeout: 20_000 }, async (t) => {
      const path = at('transactions', 31);
      const host = await misbehaving(t, SAMPLE, always(path, fault(path)));
      const { report } = await run(host, { maxRetries: 1 });
      assert.equal(report.verdict, 'faulty', said(report));
      assert.deepEqual(report.totals.transactions, { verified: CHECKPOINTS.length - 1, faulty: 1, unchecked: 0 });
      assertAddsUp(report);
      assert.deepEqual(report.findings.map(({ path: named, archive: blamed }) => [named, blamed]), [[path, host.name]]);
      assert.ok(host.count(path) <= 2, 'asking again and again would not help');
    });
  }

  for (const [what, fault] of [['sends a byte now and then', trickling(1000)], ['sends bytes too slowly to ever end', trickling(50)], ['stops in the middle of a body', stalled(40)], ['never answers', stalled()]]) {
    test(`one of two archives ${what}`, { timeout: 20_000 }, async (t) => {
      const slow = await misbehaving(t, SAMPLE, ({ path }) => (path.endsWith('.gz') ? fault : undefined));
      const good = await misbehaving(t, SAMPLE);
      // Long enough for a machine that is busy with other things.
      const outcome = await run([slow, good], { timeoutMs: 500 });
      assertVerified(outcome, [slow, good]);
      assert.deepEqual(outcome.report.findings, []);
      assert.ok(slow.faulted().length > 0 && sourceOf(outcome.report, slow).failures >= slow.faulted().length);
      assert.ok(slow.faulted().length < SAMPLE.size / 2, `a slow archive is used less, but was asked ${slow.faulted().length} times`);
    });
  }

  test('a missing file that a cache remembers heals at the second request', { timeout: 20_000 }, async (t) => {
    const paths = [at('ledger', 15), at('history', 31), at('results', 47), buckets(SAMPLE)[0]];
    const host = await misbehaving(t, SAMPLE, either(...paths.map((path) => inTurn(path, status(404)))));
    const outcome = await run(host);
    assertVerified(outcome, [host]);
    for (const path of paths) assert.equal(host.count(path), 2, path);
  });

  test('a missing file that the caches of all archives remember heals at the second request', { timeout: 20_000 }, async (t) => {
    const path = at('ledger', 31);
    const hosts = [await misbehaving(t, SAMPLE, inTurn(path, status(404))), await misbehaving(t, SAMPLE, inTurn(path, status(404)))];
    const outcome = await run(hosts);
    assertVerified(outcome, hosts);
  });

  test('a page with status 200 instead of a file, from the only archive', { timeout: 20_000 }, async (t) => {
    const path = at('results', 31);
    const host = await misbehaving(t, SAMPLE, always(path, page()));
    const { report } = await run(host, { maxRetries: 1 });
    assert.equal(report.verdict, 'faulty', said(report));
    assert.deepEqual(report.totals.results, { verified: CHECKPOINTS.length - 1, faulty: 1, unchecked: 0 });
    assertAddsUp(report);
    assert.deepEqual(report.findings.map((finding) => finding.path), [path]);
    assert.match(report.findings[0].message, /web page/);
  });
});

// ---- archives that are behind, ahead or gone

describe('archives that are behind, ahead or gone', () => {
  const rootOf = (ledger) => instead(SAMPLE.get(at('history', ledger)));

  test('one of three has an old newest state in a cache', { timeout: 20_000 }, async (t) => {
    const hosts = [await misbehaving(t, SAMPLE), await misbehaving(t, SAMPLE, always(ROOT_FILE, rootOf(15))), await misbehaving(t, SAMPLE)];
    const outcome = await run(hosts);
    assertVerified(outcome, hosts);
    assert.deepEqual(outcome.report.findings, []);
    assert.deepEqual(outcome.report.sources.map(({ ledger }) => ledger), [TIP, 15, TIP]);
    const lags = outcome.report.notes.filter(({ code }) => code === 'archive-lags');
    assert.equal(lags.length, 1);
    assert.ok(lags[0].message.includes(hosts[1].name), lags[0].message);
  });

  test('one of three really ends far below the others: what it does not have yet is not missing', { timeout: 20_000 }, async (t) => {
    const below = new Map([...SAMPLE].filter(([path]) => path.startsWith('bucket/') || !(checkpointOf(path) > 15)));
    below.set(ROOT_FILE, SAMPLE.get(at('history', 15)));
    const hosts = [await misbehaving(t, below), await misbehaving(t, SAMPLE), await misbehaving(t, SAMPLE)];
    const outcome = await run(hosts);
    assertVerified(outcome, hosts);
    assert.deepEqual(outcome.report.findings, []);
    assert.equal(sourceOf(outcome.report, hosts[0]).faulty, 0);
    assert.ok(outcome.report.notes.some(({ code, message }) => code === 'archive-lags' && message.includes(hosts[0].name)));
  });

  test('one of three claims a far future', { timeout: 20_000 }, async (t) => {
    const future = Buffer.from(JSON.stringify({ ...json(SAMPLE, ROOT_FILE), currentLedger: 3_999_999_999 }));
    const hosts = [await misbehaving(t, SAMPLE), await misbehaving(t, SAMPLE), await misbehaving(t, SAMPLE, always(ROOT_FILE, instead(future)))];
    const outcome = await run(hosts);
    assertVerified(outcome, hosts);
    const { findings, notes, sources } = outcome.report;
    assert.deepEqual(sources.map(({ ledger }) => ledger), [TIP, TIP, 3_999_999_999]);
    const named = [...findings.map((finding) => finding.archive), ...notes.map(({ message }) => message)].filter((text) => text.includes(hosts[2].name));
    assert.ok(named.length > 0, `the archive that claims it is named\n${said(outcome.report)}`);
    assert.deepEqual(findings.filter((finding) => finding.archive !== hosts[2].name), []);
    assert.ok(notes.every(({ message }) => !hosts.slice(0, 2).some(({ name }) => message.includes(name))), 'and nobody else');
  });

  test('one of two claims a far future', { timeout: 20_000 }, async (t) => {
    const future = Buffer.from(JSON.stringify({ ...json(SAMPLE, ROOT_FILE), currentLedger: 3_999_999_999 }));
    const hosts = [await misbehaving(t, SAMPLE, always(ROOT_FILE, instead(future))), await misbehaving(t, SAMPLE)];
    const { report } = await run(hosts);
    assert.equal(report.verdict, 'verified', said(report));
    assert.deepEqual(report.range, SOUND.range);
    assert.deepEqual(report.totals, SOUND.totals);
    assert.ok(hosts[0].requests.length + hosts[1].requests.length < SAMPLE.size * 20, 'nobody looks for a million files');
    const named = [...report.findings.map((finding) => finding.archive), ...report.notes.map(({ message }) => message)];
    assert.ok(named.some((text) => text.includes(hosts[0].name)), said(report));
  });

  test('an archive that is down beside a good one', { timeout: 20_000 }, async (t) => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address();
    closed.close();
    await once(closed, 'close');
    const down = { name: `http://127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/` };
    const good = await misbehaving(t, SAMPLE);
    const outcome = await run([down, good]);
    assertVerified(outcome);
    assert.deepEqual(outcome.report.findings, []);
    assert.deepEqual(outcome.report.archives, [down.name, good.name]);
    const source = sourceOf(outcome.report, down);
    assert.equal(source.ledger, null);
    assert.equal(source.endLedger, null);
    assert.ok(source.failures > 0 && source.requests <= 20, `${source.requests} requests to a host that is down`);
    assert.equal(source.requests, started.filter((origin) => origin === down.name).length);
    assert.equal(sourceOf(outcome.report, good).requests, good.requests.length);
    const { archives } = outcome.events.findLast(({ type }) => type === 'progress');
    assert.deepEqual(archives.map(({ name, standing }) => [name, standing]), [[down.name, 'unreachable'], [good.name, 'good']]);
  });

  test('an archive that is down does not use up the tries on the other', { timeout: 20_000 }, async (t) => {
    const paths = [at('ledger', 7), at('history', 23), at('results', 31), at('scp', 63), ...buckets(SAMPLE).slice(0, 3)];
    for (const fault of [status(500), dropped()]) {
      const down = await misbehaving(t, SAMPLE, () => status(403));
      const good = await misbehaving(t, SAMPLE, either(...paths.map((path) => inTurn(path, fault, fault))));
      const outcome = await run([down, good]);
      assertVerified(outcome, [down, good]);
      assert.deepEqual(outcome.report.findings, []);
      assert.equal(sourceOf(outcome.report, good).failures, paths.length * 2);
    }
  });

  test('an archive that goes down in the middle of the run', { timeout: 10_000 }, async (t) => {
    const good = await misbehaving(t, SAMPLE);
    const dying = await misbehaving(t, SAMPLE, ({ n }) => (n > 12 ? reset() : undefined));
    const outcome = await run([good, dying]);
    assertVerified(outcome);
    assert.deepEqual(outcome.report.findings, []);
    assert.equal(sourceOf(outcome.report, good).failures, 0);
    assert.equal(sourceOf(outcome.report, good).requests, good.requests.length);
  });

  test('all archives down: nothing is claimed', { timeout: 20_000 }, async (t) => {
    const hosts = [await misbehaving(t, SAMPLE, () => reset()), await misbehaving(t, SAMPLE, () => status(500))];
    const { report } = await run(hosts, { maxRetries: 1 });
    assert.equal(report.verdict, 'incomplete');
    assert.deepEqual(report.findings, []);
    assert.ok(report.errors.length > 0);
    for (const kind of KINDS) assert.equal(report.totals[kind].verified + report.totals[kind].faulty, 0);
    assert.deepEqual(report.sources.map(({ ledger }) => ledger), [null, null]);
  });

  for (const order of ['oldest-first', 'newest-first']) {
    test(`a tip that advances in the middle of the run (${order})`, { timeout: 20_000 }, async (t) => {
      const host = await misbehaving(t, new Map(SAMPLE));
      host.script = ({ n }) => void (n === 20 && (host.files = LONGER));
      const outcome = await run(host, { order });
      assertVerified(outcome, [host]);
      assert.deepEqual(outcome.report.findings, []);
      assert.deepEqual(outcome.report.sources.map(({ ledger, endLedger }) => [ledger, endLedger]), [[TIP, 95]]);
      assert.ok(outcome.report.notes.some(({ code, message }) => code === 'archive-advanced' && message.includes(host.name)), said(outcome.report));
      assert.deepEqual(host.requests.filter(({ path }) => !path.startsWith('bucket/') && checkpointOf(path) > TIP), [], 'the range stays what it was');
    });
  }

  test('one of two advances, the other goes back', { timeout: 20_000 }, async (t) => {
    const [ahead, back] = [await misbehaving(t, new Map(SAMPLE)), await misbehaving(t, SAMPLE)];
    ahead.script = ({ path, nth }) => void (path === ROOT_FILE && nth > 1 && (ahead.files = LONGER));
    back.script = ({ path, nth }) => (path === ROOT_FILE && nth > 1 ? rootOf(39) : undefined);
    const outcome = await run([ahead, back]);
    assertVerified(outcome, [ahead, back]);
    assert.deepEqual(outcome.report.sources.map(({ ledger, endLedger }) => [ledger, endLedger]), [[TIP, 95], [TIP, 39]]);
    const noted = (code) => outcome.report.notes.filter((note) => note.code === code).map(({ message }) => message);
    assert.equal(noted('archive-advanced').length, 1);
    assert.ok(noted('archive-advanced')[0].includes(ahead.name));
    assert.equal(noted('archive-went-back').length, 1);
    assert.ok(noted('archive-went-back')[0].includes(back.name));
  });
});

// ---- lies

/** Fails until `liar` has served its lie about the file, so that the lie is met whoever is asked first. */
const unlessServed = (liar, lies) => ({ path }) => (lies.has(path) && !liar.requests.some((request) => request.path === path) ? status(500) : undefined);

const FORGED_BUCKET = json(FORGED, at('history', 31)).currentBuckets[0].curr;
function historyWithWrongBucket() {
  const state = json(SAMPLE, at('history', 31));
  state.currentBuckets[0].curr = FORGED_BUCKET;
  return Buffer.from(JSON.stringify(state));
}

/** Whole checkpoints of another history of the same network: nothing is wrong with them but that they do not fit. */
const forgedFrom = (...checkpoints) => new Map(checkpoints.flatMap((checkpoint) => CHECKPOINT_KINDS.map((kind) => [at(kind, checkpoint), FORGED.get(at(kind, checkpoint))])));

/** What one archive may lie about: its own bytes for some paths, or `null` for none. */
const LIES = {
  'a ledger file with a wrong byte': new Map([[at('ledger', 31), wrongByte(SAMPLE.get(at('ledger', 31)))]]),
  'a forged ledger file that is consistent in itself': new Map([[at('ledger', 31), FORGED.get(at('ledger', 31))]]),
  'a forged first ledger file': new Map([[at('ledger', 7), FORGED.get(at('ledger', 7))]]),
  'a forged last ledger file': new Map([[at('ledger', TIP), FORGED.get(at('ledger', TIP))]]),
  'the ledger file of another checkpoint': new Map([[at('ledger', 31), SAMPLE.get(at('ledger', 39))]]),
  'no ledger file': new Map([[at('ledger', 31), null]]),
  'transactions with a wrong byte': new Map([[at('transactions', 31), wrongByte(SAMPLE.get(at('transactions', 31)))]]),
  'forged transactions': new Map([[at('transactions', 31), FORGED.get(at('transactions', 31))]]),
  'results with a wrong byte': new Map([[at('results', 31), wrongByte(SAMPLE.get(at('results', 31)))]]),
  'forged results': new Map([[at('results', 31), FORGED.get(at('results', 31))]]),
  'forged scp messages': new Map([[at('scp', 31), FORGED.get(at('scp', 31))]]),
  'a forged history file': new Map([[at('history', 31), FORGED.get(at('history', 31))]]),
  'a history file that names another bucket': new Map([[at('history', 31), historyWithWrongBucket()]]),
  'the history file of another checkpoint': new Map([[at('history', 31), SAMPLE.get(at('history', 39))]]),
  'a bucket with a wrong byte': new Map([[buckets(SAMPLE)[5], wrongByte(SAMPLE.get(buckets(SAMPLE)[5]))]]),
  'another bucket': new Map([[buckets(SAMPLE)[5], SAMPLE.get(buckets(SAMPLE)[6])]]),
  'no bucket': new Map([[buckets(SAMPLE)[5], null]]),
  'a page instead of a bucket': new Map([[buckets(SAMPLE)[5], page()]]),
  'a forged newest state': new Map([[ROOT_FILE, FORGED.get(ROOT_FILE)]]),
  'a newest state that is no JSON': new Map([[ROOT_FILE, Buffer.from('{"version":')]]),
  'a page instead of the newest state': new Map([[ROOT_FILE, page()]]),
  // Of these it is certain only that the headers are found out: whoever is asked for the others next may be honest.
  'a whole forged checkpoint': forgedFrom(31),
  'the whole first checkpoint, forged': forgedFrom(7),
  'the whole last checkpoint, forged': forgedFrom(TIP),
  'two forged checkpoints in a row': forgedFrom(31, 39),
  'several files of several kinds': new Map([
    [at('ledger', 15), wrongByte(SAMPLE.get(at('ledger', 15)))],
    [at('transactions', 23), wrongByte(SAMPLE.get(at('transactions', 23)))],
    [at('results', 39), FORGED.get(at('results', 39))],
    [at('scp', 47), FORGED.get(at('scp', 47))],
    [at('history', 55), SAMPLE.get(at('history', 39))],
    [buckets(SAMPLE)[2], page()],
  ]),
};

/** The lies that are found out whoever is asked in what order. */
function certain(lies) {
  const paths = [...lies.keys()];
  const wholeCheckpoints = paths.some((path) => CHECKPOINT_KINDS.every((kind) => lies.has(at(kind, checkpointOf(path)))));
  return wholeCheckpoints ? paths.filter((path) => path.startsWith('ledger/')) : paths;
}

/** One of each kind: the command is slow to start. */
const TOLD = new Set([
  'a forged ledger file that is consistent in itself', 'transactions with a wrong byte', 'results with a wrong byte', 'forged scp messages',
  'a forged history file', 'a bucket with a wrong byte', 'a newest state that is no JSON', 'a whole forged checkpoint', 'several files of several kinds',
]);

const lying = (lies) => ({ path }) => {
  if (!lies.has(path)) return undefined;
  const lie = lies.get(path);
  if (lie === null) return status(404);
  return Buffer.isBuffer(lie) ? instead(lie) : lie;
};

describe('one of three archives lies', () => {
  for (const [what, lies] of Object.entries(LIES)) {
    const threeArchives = async (t) => {
      const liar = await misbehaving(t, SAMPLE, lying(lies));
      const script = lies.has(ROOT_FILE) ? undefined : unlessServed(liar, lies);
      const hosts = [await misbehaving(t, SAMPLE, script), liar, await misbehaving(t, SAMPLE, script)];
      return { liar, hosts, honest: [hosts[0].name, hosts[2].name] };
    };

    test(`${what}: an archive that is alone with it is found out`, { timeout: 20_000 }, async (t) => {
      const liar = await misbehaving(t, SAMPLE, lying(lies));
      const { report } = await run(liar, { maxRetries: 0 });
      assert.equal(report.verdict, 'faulty', said(report));
      if (report.range !== null) assertAddsUp(report);
    });

    test(`${what}: verified, and the liar is named`, { timeout: 20_000 }, async (t) => {
      const { liar, hosts, honest } = await threeArchives(t);
      const outcome = await run(hosts);
      assertVerified(outcome, hosts);
      const { findings, sources } = outcome.report;
      for (const path of lies.keys()) assert.ok(liar.requests.some((request) => request.path === path), `${path} was asked for`);
      const blamed = [...new Set(findings.map(({ path }) => path))];
      assert.deepEqual(blamed.filter((path) => !lies.has(path)), [], said(outcome.report));
      for (const path of certain(lies)) assert.ok(blamed.includes(path), `${path} is named\n${said(outcome.report)}`);
      for (const finding of findings) {
        assert.equal(finding.archive, liar.name, said(outcome.report));
        assert.equal(finding.severity, 'warning');
        assert.ok(honest.includes(finding.goodFrom), `good from ${finding.goodFrom}`);
        assert.ok(outcome.events.some((event) => event.type === 'finding' && event.finding.path === finding.path), 'told when found');
      }
      const absent = [...lies.values()].filter((lie) => lie === null).length;
      assert.deepEqual(sources.map(({ missing }) => missing), [0, absent, 0], said(outcome.report));
      assert.deepEqual(sources.map(({ faulty }) => faulty), [0, blamed.length - absent, 0], said(outcome.report));
    });

    if (!TOLD.has(what)) continue;
    test(`${what}: people are told who`, { timeout: 20_000 }, async (t) => {
      const { liar, hosts } = await threeArchives(t);
      const { status: exit, stdout, stderr } = await cli(['verify', ...addresses(hosts), ...CLI_OPTIONS]);
      assert.equal(exit, 0, stdout + stderr);
      assert.match(stdout, /VERIFIED/);
      const blocks = stdout.split('\n\n');
      for (const path of certain(lies)) {
        const told = blocks.filter((block) => block.includes(path));
        assert.ok(told.length > 0, `${path} in\n${stdout}`);
        for (const block of told) assert.ok(block.includes(liar.name), `${liar.name} in\n${block}`);
      }
    });
  }

  test('a forged ledger file or checkpoint, from the newest to the oldest', { timeout: 20_000 }, async (t) => {
    for (const checkpoint of [7, 31, TIP]) for (const lies of [new Map([[at('ledger', checkpoint), FORGED.get(at('ledger', checkpoint))]]), forgedFrom(checkpoint)]) {
      const liar = await misbehaving(t, SAMPLE, lying(lies));
      const hosts = [await misbehaving(t, SAMPLE, unlessServed(liar, lies)), await misbehaving(t, SAMPLE, unlessServed(liar, lies)), liar];
      const outcome = await run(hosts, { order: 'newest-first' });
      assertVerified(outcome, hosts);
      assert.deepEqual([...new Set(outcome.report.findings.map((finding) => finding.archive))], [liar.name], said(outcome.report));
      const blamed = new Set(outcome.report.findings.map(({ path }) => path));
      assert.ok(blamed.has(at('ledger', checkpoint)) && [...blamed].every((path) => lies.has(path)), said(outcome.report));
      assert.deepEqual(outcome.report.sources.map(({ faulty }) => faulty), [0, 0, blamed.size], said(outcome.report));
    }
  });

  for (const honest of ['two', 'one']) {
    test(`a forged checkpoint against ${honest} honest: it does not make liars of those whose files do not fit its headers`, { timeout: 20_000 }, async (t) => {
      for (const checkpoint of [7, 31, TIP]) {
        const lies = forgedFrom(checkpoint);
        const ledger = at('ledger', checkpoint);
        const others = [];
        // The liar's headers come first, then the honest archives' files, which do not fit them, then the liar's, which do.
        const liar = await misbehaving(t, SAMPLE, either(
          ({ path }) => (path !== ledger && lies.has(path) && !others.some((host) => host.count(path) > 0) ? status(500) : undefined),
          lying(lies),
        ));
        while (others.length < (honest === 'two' ? 2 : 1)) others.push(await misbehaving(t, SAMPLE, unlessServed(liar, new Map([[ledger, null]]))));
        const hosts = [...others, liar];
        const outcome = await run(hosts);
        assertVerified(outcome, hosts);
        const { findings, sources } = outcome.report;
        assert.deepEqual([...new Set(findings.map((finding) => finding.archive))], [liar.name], said(outcome.report));
        assert.ok(findings.every(({ goodFrom }) => goodFrom !== liar.name), said(outcome.report));
        assert.ok(findings.some(({ path }) => path === ledger), said(outcome.report));
        const blamed = new Set(findings.map(({ path }) => path)).size;
        assert.deepEqual(sources.map(({ faulty }) => faulty), [...others.map(() => 0), blamed], said(outcome.report));
      }
    });
  }

  for (const checkpoint of [7, 31, TIP]) {
    test(`a forged checkpoint ${checkpoint}, whoever of three is asked first for which of its files`, { timeout: 60_000 }, async (t) => {
      const lies = forgedFrom(checkpoint);
      const hosts = [];
      while (hosts.length < 3) hosts.push(await misbehaving(t, SAMPLE));
      const [, liar] = hosts;
      const ids = [0, 1, 2];
      for (const order of ids.flatMap((ledger) => ids.flatMap((history) => [0, 1].map((others) => ({ ledger, history, others }))))) {
        const answered = new Set();
        for (const [id, host] of hosts.entries()) {
          host.script = ({ path }) => {
            const wanted = order[path.split('/')[0]] ?? order.others;
            if (lies.has(path) && !answered.has(path) && id !== wanted) return status(500);
            answered.add(path);
            return host === liar && lies.has(path) ? instead(lies.get(path)) : undefined;
          };
        }
        const outcome = await run(hosts);
        const saying = `${JSON.stringify(order)} ${said(outcome.report)}`;
        assert.equal(outcome.report.verdict, 'verified', saying);
        assert.deepEqual(outcome.report.totals, SOUND.totals, saying);
        const { findings } = outcome.report;
        assert.deepEqual(findings.filter(({ archive: blamed, goodFrom, path }) => blamed !== liar.name || goodFrom === liar.name || !lies.has(path)), [], saying);
        if (order.ledger === 1) assert.ok(findings.some(({ path }) => path === at('ledger', checkpoint)), saying);
      }
    });
  }

  test('two of three lie about one file: it is verified all the same, and both are named', { timeout: 20_000 }, async (t) => {
    const path = at('results', 31);
    const liars = [await misbehaving(t, SAMPLE, always(path, page())), await misbehaving(t, SAMPLE, always(path, instead(FORGED.get(path))))];
    const good = await misbehaving(t, SAMPLE, ({ path: asked }) => (asked === path && liars.some((liar) => liar.count(path) === 0) ? status(500) : undefined));
    const outcome = await run([...liars, good]);
    assertVerified(outcome, [...liars, good]);
    assert.deepEqual(new Set(outcome.report.findings.map((finding) => finding.archive)), new Set(liars.map(({ name }) => name)));
    assert.ok(outcome.report.findings.every(({ goodFrom }) => goodFrom === good.name));
  });

  test('all lie about one file: faulty, with every answer as evidence', { timeout: 20_000 }, async (t) => {
    const path = at('results', 31);
    const hosts = [await misbehaving(t, SAMPLE, always(path, page())), await misbehaving(t, SAMPLE, always(path, instead(FORGED.get(path))))];
    const { report } = await run(hosts);
    assert.equal(report.verdict, 'faulty', said(report));
    assert.deepEqual(report.totals.results, { verified: CHECKPOINTS.length - 1, faulty: 1, unchecked: 0 });
    assertAddsUp(report);
    assert.deepEqual(new Set(report.findings.map((finding) => finding.archive)), new Set(hosts.map(({ name }) => name)));
    assert.ok(report.findings.every((finding) => finding.path === path && finding.severity === 'error' && finding.goodFrom === undefined), said(report));
    assert.deepEqual(report.sources.map(({ faulty }) => faulty), [1, 1]);
  });

  test('a wrong gzip once and sound the second time, from one of two: the blame stays', { timeout: 20_000 }, async (t) => {
    const path = at('transactions', 31);
    const sick = await misbehaving(t, SAMPLE, inTurn(path, instead(wrongChecksum(SAMPLE.get(path)))));
    const good = await misbehaving(t, SAMPLE, unlessServed(sick, new Map([[path, null]])));
    const outcome = await run([sick, good]);
    assertVerified(outcome, [sick, good]);
    const mentioned = [...retries(outcome.events), ...outcome.report.findings].filter((item) => item.path === path && item.archive === sick.name);
    assert.ok(mentioned.length > 0, said(outcome.report));
  });
});

describe('no archive can deliver a file', () => {
  for (const kind of KINDS) {
    const path = kind === 'bucket' ? buckets(SAMPLE)[4] : at(kind, 31);

    test(`${kind}: it is unchecked with the reason, the rest is verified`, { timeout: 20_000 }, async (t) => {
      const hosts = [await misbehaving(t, SAMPLE, always(path, status(500))), await misbehaving(t, SAMPLE, always(path, dropped()))];
      const { report, events } = await run(hosts, { maxRetries: 2 });
      assert.equal(report.verdict, 'incomplete', said(report));
      assert.deepEqual(report.findings, []);
      assertAddsUp(report);
      assertCounted(report, hosts);
      // Without its headers nothing of a checkpoint can be verified; without its state its buckets are not known.
      const lost = kind === 'ledger' ? CHECKPOINT_KINDS : [kind];
      for (const other of CHECKPOINT_KINDS) {
        const unchecked = lost.includes(other) ? 1 : 0;
        assert.deepEqual(report.totals[other], { verified: CHECKPOINTS.length - unchecked, faulty: 0, unchecked }, `${other}\n${said(report)}`);
      }
      if (kind !== 'history') {
        const unchecked = kind === 'bucket' ? 1 : 0;
        assert.deepEqual(report.totals.bucket, { verified: SOUND.totals.bucket.verified - unchecked, faulty: 0, unchecked });
      }
      assert.ok(report.unchecked.some((reason) => reason.kind === kind && /could not be read/.test(reason.reason)), said(report));
      assert.ok(report.errors.length > 0 && report.errors.every((error) => error.path === path && error.advice !== ''), said(report));
      for (const host of hosts) assert.ok(host.count(path) >= 1 && host.count(path) <= 3, `${host.count(path)}: the first try and two retries`);
      assert.ok(retries(events).some((event) => event.path === path));
    });
  }

  test('the command ends with status 2', { timeout: 20_000 }, async (t) => {
    const path = at('results', 31);
    const hosts = [await misbehaving(t, SAMPLE, always(path, status(500))), await misbehaving(t, SAMPLE, always(path, status(500)))];
    const { status: exit, stdout } = await cli(['verify', ...addresses(hosts), ...CLI_OPTIONS, '--max-retries', '1']);
    assert.equal(exit, 2, stdout);
    assert.match(stdout, /INCOMPLETE/);
    assert.ok(stdout.includes(path), stdout);
  });
});

// ---- stopping

/** Hosts that may not be asked any more, and how many requests had been started when that was said, and when another came to their port. */
const stopped = [];
function stop(controller, host) {
  if (controller.signal.aborted) return;
  stopped.push({ origin: host.origin, since: started.length });
  controller.abort(new Error('enough'));
}

after(() => {
  // Here and not in each test, so that retries that were waiting would have come by now.
  for (const { origin, since, until } of stopped) {
    assert.deepEqual(started.slice(since, until).filter((other) => other === origin), [], 'no request starts after an abort');
  }
});

/** A run that was stopped says so and no more: what it verified is right, the rest is unchecked. */
function assertStopped({ report, events }) {
  assert.equal(report.verdict, 'incomplete', said(report));
  assert.deepEqual(report.findings, []);
  assert.deepEqual(report.errors, []);
  const checkpoints = report.range === null ? 0 : CHECKPOINTS.length;
  assertAddsUp(report, checkpoints);
  for (const kind of KINDS) {
    const { verified, faulty } = report.totals[kind];
    assert.ok(verified <= SOUND.totals[kind].verified && faulty === 0, kind);
  }
  const told = events.filter(({ type }) => type === 'checkpoint').map(({ checkpoint }) => checkpoint);
  assert.equal(new Set(told).size, told.length);
}

describe('stopping', () => {
  test('before the start: nothing is asked for', { timeout: 20_000 }, async (t) => {
    const host = await misbehaving(t, SAMPLE);
    const controller = new AbortController();
    stop(controller, host);
    const outcome = await run(host, { signal: controller.signal });
    assertStopped(outcome);
    assert.equal(host.requests.length, 0);
  });

  for (const k of [1, 2, 3, 4, 6, 9, 13, 18, 24, 31, 39, 48, 58, 70]) {
    test(`at request ${k}`, { timeout: 20_000 }, async (t) => {
      const controller = new AbortController();
      const host = await misbehaving(t, SAMPLE, ({ n }) => void (n === k && stop(controller, host)));
      const outcome = await run(host, { signal: controller.signal });
      assertStopped(outcome);
      assert.ok(host.requests.length >= k);
      // What was on its way is not settled and not counted.
      assert.ok(sourceOf(outcome.report, host).requests <= started.filter((origin) => origin === host.origin).length);
    });
  }

  for (const [where, path] of [['the newest state', ROOT_FILE], ['a state', at('history', 7)], ['headers', at('ledger', 15)], ['results', at('results', 31)], ['a bucket', buckets(SAMPLE)[0]]]) {
    test(`in the middle of ${where}`, { timeout: 20_000 }, async (t) => {
      const controller = new AbortController();
      const host = await misbehaving(t, SAMPLE, inTurn(path, stalled(20, () => stop(controller, host))));
      assertStopped(await run(host, { signal: controller.signal }));
    });
  }

  test('while it waits to try again, also for as long as Retry-After wants', { timeout: 10_000 }, async (t) => {
    for (const retryAfter of [undefined, 3600]) {
      const controller = new AbortController();
      const host = await misbehaving(t, SAMPLE, always(at('ledger', 31), status(503, { retryAfter })));
      const outcome = await run(host, { signal: controller.signal, maxRetries: 30 }, ({ type }) => type === 'retry' && stop(controller, host));
      assertStopped(outcome);
    }
  });

  test('after any number of files: the report is never wrong', { timeout: 60_000 }, async () => {
    let files = 0;
    await run(reader(SAMPLE, { asked: () => (files += 1) }));
    assert.ok(files >= SAMPLE.size);
    let verified = 0;
    for (let k = 1; k <= files; k += 1) {
      const controller = new AbortController();
      let asked = 0;
      let late = 0;
      const source = reader(SAMPLE, {
        asked: () => {
          asked += 1;
          if (controller.signal.aborted) late += 1;
          if (asked === k) controller.abort(new Error('enough'));
        },
      });
      const outcome = await run(source, { signal: controller.signal });
      assertStopped(outcome);
      assert.equal(late, 0, `${late} files were asked for after an abort at file ${k}`);
      assert.equal(asked, k);
      verified += outcome.report.totals.ledger.verified;
    }
    assert.ok(verified > 0, 'some had verified something');
  });

  test('one of two archives hangs while the other is stopped', { timeout: 20_000 }, async (t) => {
    const controller = new AbortController();
    const stuck = await misbehaving(t, SAMPLE, ({ path }) => (path.endsWith('.gz') ? stalled() : undefined));
    const good = await misbehaving(t, SAMPLE, ({ n }) => {
      if (n !== 25) return;
      for (const host of [stuck, good]) stopped.push({ origin: host.origin, since: started.length });
      controller.abort();
    });
    assertStopped(await run([stuck, good], { signal: controller.signal, timeoutMs: 300 }));
    assert.ok(stuck.faulted().length > 0);
  });
});

// ---- stopped and resumed

/** Verifies with a stop after every `every` new checkpoints. `findings` are those that the pieces told. */
async function inPieces(source, options, every) {
  const told = new Set();
  const findings = [];
  let resume;
  for (let pieces = 1; pieces <= 40; pieces += 1) {
    const controller = new AbortController();
    const before = told.size;
    const { report } = await run(source(), { ...options, saveState: true, signal: controller.signal, ...(resume === undefined ? {} : { resume }) }, (event) => {
      if (event.type === 'state') resume = event.state;
      if (event.type === 'finding') findings.push(event.finding);
      if (event.type !== 'checkpoint') return;
      told.add(event.checkpoint);
      if (told.size - before === every) controller.abort(new Error('killed'));
    });
    if (!controller.signal.aborted) return { report, pieces, findings };
    assert.notEqual(report.verdict, 'verified');
    assertAddsUp(report, told.size === 0 ? 0 : countOf(report));
    assert.equal(typeof resume, 'string', 'there is something to resume');
  }
  assert.fail('it never came to an end');
}

const countOf = ({ options, range }) => options.sample?.count ?? Math.floor(range.high / 8) - Math.floor(range.low / 8) + 1;

const timeless = ({ startedAt, elapsedMs, ...report }) => report;

describe('stopped and resumed', () => {
  const damaged = new Map(SAMPLE);
  damaged.set(at('results', 23), FORGED.get(at('results', 23)));
  damaged.set(at('history', 39), historyWithWrongBucket());
  damaged.set(at('ledger', 55), wrongByte(SAMPLE.get(at('ledger', 55))));
  damaged.delete(buckets(SAMPLE)[7]);

  for (const [what, files, options] of [
    ['a sound archive', SAMPLE, {}],
    ['a sound archive, all that can be checked', SAMPLE, { deep: true }],
    ['a sound archive, from the newest to the oldest', SAMPLE, { order: 'newest-first' }],
    ['a sound archive, a range of it', SAMPLE, { range: { low: 17, high: 50 } }],
    ['a damaged archive', damaged, {}],
    ['a damaged archive, from the newest to the oldest', damaged, { order: 'newest-first' }],
    ['a damaged archive without its buckets', damaged, { skipBuckets: true }],
    ['a sample', SAMPLE, { sample: 5, seed: '00000000c0ffee00' }],
  ]) {
    for (const every of [1, 3]) {
      test(`${what}, killed after every ${every}: the report is that of an uninterrupted run`, { timeout: 20_000 }, async () => {
        const once = await run(reader(files), { ...options, concurrency: 2 });
        const { report, pieces } = await inPieces(() => reader(files), { ...options, concurrency: 2 }, every);
        assert.ok(pieces > 1, 'it was interrupted');
        assert.deepEqual(timeless(report), timeless(once.report));
      });
    }
  }

  test('over HTTP, with a liar among three', { timeout: 20_000 }, async (t) => {
    const lies = LIES['several files of several kinds'];
    const liar = await misbehaving(t, SAMPLE, lying(lies));
    const hosts = [await misbehaving(t, SAMPLE, unlessServed(liar, lies)), liar, await misbehaving(t, SAMPLE, unlessServed(liar, lies))];
    const { report, pieces, findings } = await inPieces(() => hosts, {}, 3);
    assert.ok(pieces > 1);
    assert.equal(report.verdict, 'verified', said(report));
    assert.deepEqual(report.totals, SOUND.totals);
    // A lie that a piece met on its way to a stop may be met by none of the others; what was told is never lost.
    assert.ok(findings.length > 0);
    assert.ok(report.findings.every((finding) => finding.archive === liar.name && lies.has(finding.path)), said(report));
    const paths = new Set(report.findings.map(({ path }) => path));
    for (const { path } of findings) assert.ok(paths.has(path), `${path} was told\n${said(report)}`);
    assert.deepEqual(report.sources.map(({ faulty }) => faulty), [0, paths.size, 0], said(report));
  });

  /** The state of a run that was stopped half-way. */
  async function halfWay(source, options = {}) {
    const controller = new AbortController();
    let checkpoints = 0;
    const { events } = await run(source, { concurrency: 2, ...options, saveState: true, signal: controller.signal }, ({ type }) => {
      if (type === 'checkpoint' && (checkpoints += 1) === 4) controller.abort();
    });
    return events.findLast(({ type }) => type === 'state').state;
  }

  test('on the command line, with a state file', { timeout: 20_000 }, async (t) => {
    const folder = await temporary(t);
    const state = join(folder, 'state');
    // The run cannot end before it is stopped: one file does not come as long as it is the first run that asks.
    const host = await misbehaving(t, SAMPLE, inTurn(at('results', 39), stalled()));
    const args = ['verify', host.url, ...CLI_OPTIONS, '--state', state, '--json'];
    const child = spawn(process.execPath, [CLI, ...args]);
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      if (!child.killed && stdout.includes('"checkpoint":31,')) child.kill('SIGINT');
    });
    assert.deepEqual(await once(child, 'close'), [2, null]);
    assertStopped({ report: jsonLines(stdout).at(-1).report, events: jsonLines(stdout) });
    assert.deepEqual(await readdir(folder), ['state']);
    const before = host.requests.length;

    const { status: exit, stdout: rest, stderr } = await cli(args);
    assert.equal(exit, 0, rest + stderr);
    const { report } = jsonLines(rest).at(-1);
    assert.equal(report.verdict, 'verified');
    assert.deepEqual(report.totals, SOUND.totals);
    assert.deepEqual(report.claims, SOUND.claims);
    assert.ok(host.requests.length - before < SAMPLE.size * 0.75, 'what was verified is not asked for again');
    assert.deepEqual(await readdir(folder), [], 'a run that came to its end leaves no state');
  });

  test('a state is told only to who asks for it', { timeout: 20_000 }, async () => {
    const controller = new AbortController();
    const { events } = await run(reader(SAMPLE), { signal: controller.signal }, ({ type }) => type === 'checkpoint' && controller.abort());
    assert.deepEqual(events.filter(({ type }) => type === 'state'), []);
  });

  test('what was verified before is not asked for again', { timeout: 20_000 }, async () => {
    const resume = await halfWay(reader(SAMPLE));
    const asked = [];
    const { report } = await run(reader(SAMPLE, { asked: (path) => asked.push(path) }), { resume });
    assert.equal(report.verdict, 'verified', said(report));
    assert.ok(asked.length < SAMPLE.size * 0.75, `${asked.length} of ${SAMPLE.size} files were asked for`);
    assert.ok(!asked.includes(at('ledger', 7)));
  });

  test('the range stays what it was when the archive has grown meanwhile', { timeout: 20_000 }, async () => {
    const resume = await halfWay(reader(SAMPLE));
    const outcome = await run(reader(LONGER), { resume });
    assert.equal(outcome.report.verdict, 'verified', said(outcome.report));
    assert.deepEqual(outcome.report.range, SOUND.range);
    assert.deepEqual(outcome.report.totals, SOUND.totals);
    assert.ok(outcome.report.notes.some(({ code }) => code === 'archive-advanced'), said(outcome.report));
  });

  test('a state of something else is refused, and why', { timeout: 20_000 }, async () => {
    await init();
    const resume = await halfWay(reader(SAMPLE));
    assert.doesNotThrow(() => JSON.parse(resume));
    const { version } = versions();
    assert.ok(resume.includes(version), 'the state names the version of the verifier');
    const refused = [
      { what: 'another archive', source: reader(SAMPLE, { name: 'elsewhere' }), says: /archive/i },
      { what: 'one archive more', source: [reader(SAMPLE), reader(SAMPLE, { name: 'elsewhere' })], says: /archive/i },
      { what: 'another depth', options: { deep: true }, says: /deep/i },
      { what: 'without scp', options: { skipOptional: true }, says: /optional|scp/i },
      { what: 'without buckets', options: { skipBuckets: true }, says: /bucket/i },
      { what: 'another range', options: { range: { low: 17 } }, says: /range|ledger/i },
      { what: 'another order', options: { order: 'newest-first' }, says: /order/i },
      { what: 'a sample', options: { sample: 3 }, says: /sample/i },
      { what: 'another network', options: { network: 'testnet' }, says: /network/i },
      { what: 'another frequency', options: { checkpointFrequency: 64 }, says: /frequency|checkpoint/i },
      { what: 'another version', options: { resume: resume.replaceAll(version, '0.0.0-other') }, says: /version/i },
      { what: 'no state', options: { resume: 'what?' }, says: /state/i },
      { what: 'another JSON', options: { resume: '{"a":1}' }, says: /state/i },
      { what: 'half a state', options: { resume: resume.slice(0, resume.length / 2) }, says: /state/i },
    ];
    for (const { what, source = reader(SAMPLE), options, says } of refused) {
      await assert.rejects(run(source, { resume, ...options }), { name: 'ArchiveVerifierError', code: 'USAGE', message: says }, what);
    }
  });

  test('a state whose content was changed does not verify what is not so', { timeout: 20_000 }, async () => {
    const resume = await halfWay(reader(SAMPLE));
    // Another history of the same network under the same name: what was joined before cannot be continued with it.
    const { report } = await run(reader(FORGED), { resume });
    assert.notEqual(report.verdict, 'verified', said(report));
  });
});

// ---- samples

describe('samples', () => {
  const sampled = async (options, source = reader(SAMPLE)) => {
    const outcome = await run(source, options);
    return { ...outcome, checkpoints: outcome.events.filter(({ type }) => type === 'checkpoint').map(({ checkpoint }) => checkpoint).toSorted((a, b) => a - b) };
  };

  test('the same seed gives the same checkpoints, exactly as many as asked for, whatever else', { timeout: 20_000 }, async () => {
    for (const count of [1, 3, 8]) {
      const seed = '0123456789abcdef';
      const runs = [];
      for (const more of [{}, { concurrency: 1 }, { order: 'newest-first' }]) runs.push(await sampled({ sample: count, seed, ...more }));
      for (const { report, checkpoints } of runs) {
        assert.deepEqual(checkpoints, runs[0].checkpoints);
        assert.equal(new Set(checkpoints).size, count);
        assert.equal(report.verdict, 'verified', said(report));
        assertAddsUp(report, count);
        assert.equal(report.totals.ledger.verified, count);
        assert.deepEqual({ ...report.options.sample, guarantee: '' }, { count, of: CHECKPOINTS.length, seed, guarantee: '' });
        assert.match(report.options.sample.guarantee, /\w+ .*\w/);
        assert.ok(report.notes.some(({ code }) => code === 'sampled'));
      }
    }
  });

  test('only what was drawn is read', { timeout: 20_000 }, async (t) => {
    const host = await misbehaving(t, SAMPLE);
    const { report, checkpoints } = await sampled({ sample: 3, seed: 'feedfacecafebeef' }, host);
    const read = host.requests.map(({ path }) => path).filter((path) => /^(ledger|transactions|results|scp)\//.test(path)).map(checkpointOf);
    assert.deepEqual([...new Set(read)].toSorted((a, b) => a - b), checkpoints);
    assert.equal(sourceOf(report, host).requests, host.requests.length);
  });

  test('without a seed one is drawn and told, and repeats the run', { timeout: 20_000 }, async () => {
    const drawn = await sampled({ sample: 3 });
    const { seed } = drawn.report.options.sample;
    assert.match(seed, /^[0-9a-f]{16}$/);
    const again = await sampled({ sample: 3, seed });
    assert.deepEqual(again.checkpoints, drawn.checkpoints);
    assert.deepEqual(timeless(again.report), timeless(drawn.report));
  });

  test('other seeds give other checkpoints, and together all of them', { timeout: 20_000 }, async () => {
    const seen = new Set();
    for (let seed = 0; seed < 24; seed += 1) {
      const { checkpoints } = await sampled({ sample: 3, seed: seed.toString(16).padStart(16, '0'), skipBuckets: true });
      for (const checkpoint of checkpoints) seen.add(checkpoint);
    }
    assert.deepEqual([...seen].toSorted((a, b) => a - b), CHECKPOINTS);
  });

  test('the last ledgers, rounded out to whole checkpoints', { timeout: 20_000 }, async () => {
    for (const [last, from] of [[1, 63], [8, 63], [9, 55], [20, 47], [1000, 7]]) {
      const { report, checkpoints } = await sampled({ last });
      assert.deepEqual(checkpoints, CHECKPOINTS.filter((checkpoint) => checkpoint >= from), `last ${last}`);
      assert.equal(report.verdict, 'verified', said(report));
      assertAddsUp(report, checkpoints.length);
    }
    await assert.rejects(run(reader(SAMPLE), { last: 8, range: { low: 1 } }), { code: 'USAGE' });
  });
});

// ---- progress

test('the graph of works adds up while it runs and is empty at the end', { timeout: 20_000 }, async (t) => {
  const hosts = [await misbehaving(t, SAMPLE, everyNth(7, 3, status(500), dropped())), await misbehaving(t, SAMPLE)];
  const outcome = await run(hosts);
  assertVerified(outcome);
  const progress = outcome.events.filter(({ type }) => type === 'progress');
  const { works } = progress.at(-1);
  const kinds = [
    'DownloadBucketsWork', 'DownloadLedgerHeadersWork', 'DownloadScpHistoryWork', 'DownloadTransactionsWork', 'DownloadTxResultsWork',
    'GetHistoryArchiveStateWork', 'VerifyBucketWork', 'VerifyCheckpointWork', 'VerifyRangeWork',
  ];
  assert.deepEqual(Object.keys(works).toSorted(), kinds);
  for (const [kind, counts] of Object.entries(works)) {
    const { success, failure, aborted, ...unfinished } = counts;
    assert.deepEqual(unfinished, { pending: 0, blocked: 0, running: 0, waiting: 0, retrying: 0 }, kind);
    assert.equal(failure + aborted, 0, kind);
    if (/Headers|Transactions|Results|Scp|VerifyCheckpoint/.test(kind)) assert.equal(success, CHECKPOINTS.length, kind);
    if (kind === 'VerifyBucketWork') assert.equal(success, SOUND.totals.bucket.verified);
  }
  for (const { archives } of progress) assert.deepEqual(archives.map(({ name }) => name), hosts.map(({ name }) => name));
  const { report } = outcome;
  for (const [index, { requests, failures, throttled, faulty, bytes }] of progress.at(-1).archives.entries()) {
    const source = report.sources[index];
    assert.ok(requests <= source.requests && failures <= source.failures && throttled <= source.throttled && faulty <= source.faulty);
    assert.match(bytes, /^\d+$/);
  }
  assert.equal(report.metrics['history.get.failure'], hosts[0].faulted().length);
  assert.match(report.metrics['history.get.throughput'], /^\d+$/);
});

// ---- all of it, on a real archive

test('the real archive over three servers, one lying, one flaky, one good: verified, and the liar is named', { skip: noData, timeout: 120_000 }, async (t) => {
  const files = filesIn(archive('testnet-p22'));
  const real = (kind) => [...files.keys()].filter((path) => path.startsWith(`${kind}/`)).toSorted();
  const lies = new Map();
  const lieAbout = (kind, every, lie) => {
    const paths = real(kind);
    for (let index = 1; index < paths.length; index += every) lies.set(paths[index], lie(paths[index], paths[(index + 3) % paths.length]));
  };
  lieAbout('ledger', 7, (path) => wrongByte(files.get(path)));
  lieAbout('transactions', 8, (_, other) => files.get(other));
  lieAbout('results', 9, (path) => wrongChecksum(files.get(path)));
  lieAbout('scp', 10, (_, other) => files.get(other));
  lieAbout('history', 11, (_, other) => files.get(other));
  lieAbout('bucket', 20, (path) => (gunzipSync(files.get(path)).length > 64 ? wrongByte(files.get(path)) : page()));

  const liar = await misbehaving(t, files, lying(lies));
  const flaky = await misbehaving(t, files, everyNth(7, 20_260_821, status(503), dropped(), status(503, { retryAfter: 0 }), reset()));
  const good = await misbehaving(t, files);
  const { status: exit, stdout, stderr } = await cli(['verify', liar.url, flaky.url, good.url, '--json']);
  const events = jsonLines(stdout);
  const { report } = events.at(-1);
  assert.equal(exit, 0, stderr + said(report));
  assert.equal(report.verdict, 'verified');
  assert.deepEqual(report.errors, []);

  const alone = (await run(reader(files), { checkpointFrequency: 64 })).report;
  assert.equal(alone.verdict, 'verified');
  assert.deepEqual(report.totals, alone.totals, 'nothing is lost and nothing counted twice');
  assert.deepEqual(report.claims, alone.claims);

  const told = new Set(report.findings.map(({ path }) => path));
  const served = new Set(liar.requests.map(({ path }) => path).filter((path) => lies.has(path)));
  assert.ok(served.size > 0, 'it did lie');
  assert.deepEqual([...told].toSorted(), [...served].toSorted(), 'every lie that was told is a finding');
  for (const finding of report.findings) {
    assert.equal(finding.archive, liar.name);
    assert.equal(finding.severity, 'warning');
    assert.ok([flaky.name, good.name].includes(finding.goodFrom));
  }
  const [lied, failed, sound] = report.sources;
  assert.equal(lied.faulty, served.size);
  assert.equal(failed.faulty + sound.faulty + sound.failures + sound.throttled, 0);
  const refused = flaky.faulted('status').filter(({ fault }) => fault.retryAfter !== undefined).length;
  assert.equal(failed.throttled, refused);
  // A client may repeat a request itself when the connection ends without a word.
  assert.ok(failed.failures <= flaky.faulted().length - refused && failed.failures >= flaky.faulted().length - refused - flaky.faulted('reset').length);
  assert.equal(sound.requests, good.requests.length);
});
