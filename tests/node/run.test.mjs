/**
 * A run and its events, as a user of the package sees them. The other end is played here, through the worker's port,
 * so that every event comes exactly when the test wants it.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ArchiveVerifierError, verifyInWorker } from '../../dist/node.mjs';

/** A worker that does what the test says. */
class PlayedWorker extends EventTarget {
  sent = [];

  postMessage(message) {
    this.sent.push(structuredClone(message));
  }

  get id() {
    return this.sent[0].id;
  }

  last(type) {
    return this.sent.findLast((message) => message.type === type);
  }

  say(type, fields) {
    this.dispatchEvent(new MessageEvent('message', { data: { id: this.id, type, ...fields } }));
  }

  event(event) {
    this.say('event', { event });
  }
}

function started(source = 'https://archive.example/', options = {}) {
  const worker = new PlayedWorker();
  const run = verifyInWorker(worker, source, options);
  return { worker, run };
}

const finding = (ledger) => ({ type: 'finding', finding: { code: 'header-hash-mismatch', ledger } });
const progress = (done) => ({ type: 'progress', stage: 'checkpoints', checkpoints: { done, total: 9 } });
const STATUSES = ['verified', 'faulty', 'unchecked'];
const checkpoint = (n) => ({
  type: 'checkpoint',
  checkpoint: n * 64 + 63,
  status: {
    history: STATUSES[n % 3],
    ledger: STATUSES[Math.floor(n / 3) % 3],
    transactions: STATUSES[Math.floor(n / 9) % 3],
    results: STATUSES[Math.floor(n / 27) % 3],
    scp: STATUSES[Math.floor(n / 81) % 3],
  },
});
const REPORT = { schema: 1, verdict: 'verified', findings: [] };

async function all(run) {
  const events = [];
  for await (const event of run) events.push(event);
  return events;
}

test('events come in their order, and the report after them', async () => {
  const { worker, run } = started();
  const events = all(run);
  const sent = [{ type: 'stage', stage: 'root' }, checkpoint(0), finding(5), progress(1), checkpoint(1), { type: 'done', verdict: 'faulty' }];
  for (const event of sent) worker.event(event);
  worker.say('report', { report: REPORT });
  assert.deepEqual(await events, sent);
  assert.deepEqual(await run.report, REPORT);
});

test('a slow reader misses no finding and no checkpoint, and gets only the latest progress', async () => {
  const { worker, run } = started();
  const sent = [];
  for (let n = 0; n < 20_000; n += 1) {
    worker.event(progress(n));
    const event = n % 100 === 7 ? finding(n) : checkpoint(n);
    sent.push(event);
    worker.event(event);
  }
  worker.say('report', { report: REPORT });
  const received = await all(run);
  assert.deepEqual(received.filter(({ type }) => type !== 'progress'), sent);
  assert.deepEqual(received.filter(({ type }) => type === 'progress'), [progress(19_999)]);
});

test('the largest checkpoint survives the wait', async () => {
  const { worker, run } = started();
  const last = { ...checkpoint(100), checkpoint: 0xffffffff };
  worker.event(last);
  worker.say('report', { report: REPORT });
  assert.deepEqual(await all(run), [last]);
});

test('retries that nobody reads do not pile up', async () => {
  const { worker, run } = started();
  for (let attempt = 0; attempt < 5000; attempt += 1) worker.event({ type: 'retry', path: 'x', attempt, delayMs: 1, reason: 'r' });
  worker.event(finding(1));
  worker.say('report', { report: REPORT });
  const received = await all(run);
  assert.ok(received.length < 1000, `${received.length} events were kept`);
  assert.deepEqual(received.at(-1), finding(1));
});

test('of states only the latest waits, and never before what it covers', async () => {
  const { worker, run } = started();
  const state = (n) => ({ type: 'state', state: `{"n":${n}}` });
  for (let n = 0; n < 100; n += 1) {
    worker.event(checkpoint(n));
    if (n < 50) worker.event(state(n));
  }
  const events = run[Symbol.asyncIterator]();
  const received = [];
  // 50 checkpoints and the state after the last of them, then half of the rest.
  for (let n = 0; n < 75; n += 1) received.push((await events.next()).value);
  worker.event(state(100));
  worker.say('report', { report: REPORT });
  for (let next = await events.next(); !next.done; next = await events.next()) received.push(next.value);
  const expected = Array.from({ length: 100 }, (_, n) => checkpoint(n));
  expected.splice(50, 0, state(49));
  assert.deepEqual(received, [...expected, state(100)]);
});

test('a state goes at once to who waits, and is forgotten with the rest by who leaves', async () => {
  const { worker, run } = started();
  const events = run[Symbol.asyncIterator]();
  const next = events.next();
  worker.event({ type: 'state', state: '1' });
  assert.deepEqual(await next, { done: false, value: { type: 'state', state: '1' } });
  worker.event(finding(1));
  worker.event({ type: 'state', state: '2' });
  await events.return();
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test('several next() at once each get their event', async () => {
  const { worker, run } = started();
  const events = run[Symbol.asyncIterator]();
  const asked = [events.next(), events.next(), events.next()];
  worker.event(finding(1));
  worker.event(finding(2));
  worker.say('report', { report: REPORT });
  assert.deepEqual(await Promise.all(asked), [
    { done: false, value: finding(1) },
    { done: false, value: finding(2) },
    { done: true, value: undefined },
  ]);
});

test('leaving the loop leaves the run alone', async () => {
  const { worker, run } = started();
  worker.event(finding(1));
  for await (const event of run) {
    assert.deepEqual(event, finding(1));
    break;
  }
  worker.event(finding(2));
  worker.say('report', { report: REPORT });
  assert.deepEqual(await run.report, REPORT);
  assert.equal(worker.last('cancel'), undefined);
});

test('events can be read once; a second loop is told so', async () => {
  const { worker, run } = started();
  worker.say('report', { report: REPORT });
  await all(run);
  assert.throws(() => run[Symbol.asyncIterator](), { name: 'ArchiveVerifierError', code: 'USAGE', message: /only once/ });
});

test('a failure comes after the events that came before it, from both sides', async () => {
  const { worker, run } = started();
  worker.event(finding(1));
  worker.say('error', { code: 'USAGE', message: 'no such network', advice: 'name one' });
  const received = [];
  await assert.rejects(async () => {
    for await (const event of run) received.push(event);
  }, { code: 'USAGE', message: 'no such network', advice: 'name one' });
  assert.deepEqual(received, [finding(1)]);
  await assert.rejects(run.report, ArchiveVerifierError);
});

test('a failure that nobody asks about is no unhandled rejection', async () => {
  // The test runner fails this test by itself if there is one.
  const { worker } = started();
  worker.say('error', { code: 'USAGE', message: 'no such network' });
  await turn();
  await turn();
});

test('options travel without the signal and without what is undefined', () => {
  const { signal } = new AbortController();
  const { worker } = started(new URL('https://archive.example/x'), { deep: true, network: undefined, range: { low: 64 }, signal });
  assert.deepEqual(worker.sent.map(({ type, sources, options }) => ({ type, sources, options })), [
    { type: 'start', sources: [{ kind: 'url', url: 'https://archive.example/x' }], options: { deep: true, range: { low: 64 } } },
  ]);
});

test('abort() and the signal both cancel, once, with the reason; the report still comes', async () => {
  const stop = new AbortController();
  for (const { options, abort } of [
    { options: {}, abort: (run) => run.abort(new Error('enough')) },
    { options: { signal: stop.signal }, abort: () => stop.abort(new Error('enough')) },
  ]) {
    const { worker, run } = started('https://archive.example/', options);
    abort(run);
    abort(run);
    assert.deepEqual(worker.sent.filter(({ type }) => type === 'cancel').map(({ reason }) => reason), ['enough']);
    worker.say('report', { report: { ...REPORT, verdict: 'incomplete' } });
    assert.equal((await run.report).verdict, 'incomplete');
  }
});

test('a signal that is aborted already still gives a report', async () => {
  const { worker, run } = started('https://archive.example/', { signal: AbortSignal.abort(new Error('before')) });
  assert.deepEqual(worker.sent.map(({ type }) => type), ['start', 'cancel']);
  worker.say('report', { report: REPORT });
  assert.deepEqual(await run.report, REPORT);
});

test('`await using` cancels and waits', async () => {
  const { worker, run } = started();
  const disposed = run[Symbol.asyncDispose]();
  assert.equal(worker.last('cancel')?.type, 'cancel');
  worker.say('report', { report: REPORT });
  await disposed;
});

test('a worker that dies rejects with what to do', async () => {
  const crashes = [
    { event: () => new Event('error'), before: false, code: 'CRASHED', advice: /worker-src/ },
    { event: () => Object.assign(new Event('error'), { message: 'unreachable' }), before: true, code: 'CRASHED', advice: /new one/ },
    { event: () => new Event('messageerror'), before: true, code: 'CRASHED', advice: /new one/ },
  ];
  for (const { event, before, code, advice } of crashes) {
    const { worker, run } = started();
    if (before) worker.event(finding(1));
    worker.dispatchEvent(event());
    await assert.rejects(run.report, { code, advice });
  }
});

test('messages of other programs and of other runs are left alone', async () => {
  const { worker, run } = started();
  for (const data of [null, 'text', { type: 'report', report: 1 }, { id: 7, type: 'report' }, { id: `${worker.id}0`, type: 'report', report: 1 }]) {
    worker.dispatchEvent(new MessageEvent('message', { data }));
  }
  worker.say('report', { report: REPORT });
  assert.deepEqual(await run.report, REPORT);
});

test('what is no archive is a usage error, not an exception', async () => {
  for (const source of [42, null, {}, undefined]) {
    await assert.rejects(verifyInWorker(new PlayedWorker(), source).report, { code: 'USAGE', advice: /directoryReader/ });
  }
});

test('a reader stays here and answers file by file', async () => {
  const kept = new Uint8Array([0, 1, 2, 3]);
  const reader = {
    name: 'memory',
    async get(path) {
      if (path === 'bytes') return kept.subarray(1, 3);
      if (path === 'stream') return new Blob([kept]).stream();
      if (path === 'none') return null;
      throw Object.assign(new Error('the disk is gone'), { code: 'NETWORK', advice: 'look at it' });
    },
  };
  const { worker, run } = started(reader);
  assert.deepEqual(worker.last('start').sources, [{ kind: 'reader', name: 'memory' }]);
  const ask = async (type, request, path) => {
    const before = worker.sent.length;
    worker.say(type, { request, archive: 0, path });
    while (worker.sent.length === before) await turn();
    return worker.sent.at(-1);
  };
  assert.deepEqual((await ask('get', 1, 'bytes')).file, { kind: 'bytes', bytes: new Uint8Array([1, 2]) });
  assert.deepEqual(kept, new Uint8Array([0, 1, 2, 3]), 'the reader keeps its bytes');
  assert.deepEqual((await ask('get', 2, 'none')).file, { kind: 'missing' });
  assert.deepEqual((await ask('get', 3, 'broken')).file, {
    kind: 'failed', error: { message: 'the disk is gone', name: 'Error', code: 'NETWORK', advice: 'look at it' },
  });
  assert.deepEqual((await ask('get', 4, 'stream')).file, { kind: 'stream' });
  assert.deepEqual((await ask('pull', 4)).bytes, kept);
  assert.equal((await ask('pull', 4)).bytes, null);
  worker.say('report', { report: REPORT });
  await run.report;
});

test('several archives travel in their order, URLs beside readers, and each reader answers for itself', async () => {
  const reader = (name) => ({ name, get: async (path) => new TextEncoder().encode(`${path} of ${name}`) });
  const { worker, run } = started([reader('first'), 'https://archive.example/', reader('third')]);
  assert.deepEqual(worker.last('start').sources, [
    { kind: 'reader', name: 'first' }, { kind: 'url', url: 'https://archive.example/' }, { kind: 'reader', name: 'third' },
  ]);
  for (const [request, archive] of [[1, 2], [2, 0]]) worker.say('get', { request, archive, path: 'file' });
  await turn();
  await turn();
  const answers = worker.sent.filter(({ type }) => type === 'file').map(({ request, file }) => [request, new TextDecoder().decode(file.bytes)]);
  assert.deepEqual(answers.toSorted(), [[1, 'file of third'], [2, 'file of first']]);
  worker.say('report', { report: REPORT });
  await run.report;
});

test('no archive, or two of one name, is a usage error', async () => {
  const reader = { name: 'same', get: async () => null };
  for (const { sources, message } of [
    { sources: [], message: /no archive/ },
    { sources: [reader, { ...reader }], message: /two archives are called "same"/ },
    { sources: ['https://archive.example/x', new URL('https://archive.example/x/')], message: /two archives are called/ },
    { sources: ['https://archive.example/x', 42], message: /neither a URL nor/ },
  ]) {
    await assert.rejects(verifyInWorker(new PlayedWorker(), sources).report, { code: 'USAGE', message });
  }
});

test('a file that is dropped is aborted in the reader, and its stream cancelled', async () => {
  let aborted = false;
  let cancelled = false;
  const reader = {
    name: 'slow',
    get(path, { signal }) {
      if (path === 'stream') return Promise.resolve(new ReadableStream({ cancel: () => void (cancelled = true) }));
      return new Promise((_, reject) => signal.addEventListener('abort', () => {
        aborted = true;
        reject(signal.reason);
      }));
    },
  };
  const { worker, run } = started(reader);
  worker.say('get', { request: 1, archive: 0, path: 'never' });
  worker.say('get', { request: 2, archive: 0, path: 'stream' });
  await turn();
  worker.say('drop', { request: 1 });
  assert.ok(aborted);
  worker.say('report', { report: REPORT });
  await run.report;
  assert.ok(cancelled, 'the end of the run drops what is open');
  assert.deepEqual(worker.sent.filter(({ type }) => type === 'file').map(({ request }) => request), [2]);
});
