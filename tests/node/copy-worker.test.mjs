/** The page's end of a mirror in a worker: calls of the destination over the port. The worker is played. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { estimateInWorker, mirrorInWorker, repairInWorker } from '../../dist/node.mjs';

const timeout = 10_000;
const SOURCE = 'https://archive.example.org/';

/** A worker that does as the test says: `start` is what it was sent, `call` asks the destination, `end` answers the run. */
async function played(t, begin) {
  const { port1, port2 } = new MessageChannel();
  const waiting = new Map();
  let onStart;
  const started = new Promise((resolve) => {
    onStart = resolve;
  });
  let requests = 0;
  const heard = [];
  port2.on('message', (message) => {
    heard.push(message);
    if (message.type === 'start') return onStart(message);
    const settle = waiting.get(message.request);
    waiting.delete(message.request);
    if (message.type === 'write-failed') settle?.reject(Object.assign(new Error(message.error.message), { error: message.error }));
    else settle?.resolve(message);
  });
  t.after(() => port1.close());
  // As browsers have it, so that the client's own listeners are what is tested.
  const run = begin(port1);
  const start = await started;
  const post = (message, transfer) => port2.postMessage({ id: start.id, ...message }, transfer);
  const asked = (message, transfer) => {
    requests += 1;
    const request = requests;
    const answer = new Promise((resolve, reject) => waiting.set(request, { resolve, reject }));
    post({ ...message, request }, transfer);
    return Object.assign(answer, { request });
  };
  return {
    run, start, heard, post,
    call: (call, transfer) => asked({ type: 'call', call }, transfer),
    get: (archive, path) => asked({ type: 'get', archive, path }),
    end: (report = { task: 'mirror' }) => post({ type: 'report', report }),
  };
}

/** A destination that writes down what becomes of its files, and waits where it is told to. */
function place(overrides = {}) {
  const told = [];
  return {
    told,
    name: 'a place',
    async put(path, content) { told.push(['put', path, content.length]); },
    async exists(path) { return path === 'there'; },
    async stage(path) {
      told.push(['stage', path]);
      return {
        async write(chunk) { told.push(['write', chunk.length]); },
        async commit() { told.push(['commit', path]); },
        async abort() { told.push(['abort', path]); },
      };
    },
    ...overrides,
  };
}

const bytes = (length) => new Uint8Array(length);

test('what a run begins with: the task, plain options, what the destination can', { timeout }, async (t) => {
  const mirror = await played(t, (port) => mirrorInWorker(port, SOURCE, place(), { range: { high: 127 }, overwrite: true }));
  const { task, options, destination, sources } = mirror.start;
  assert.deepEqual({ task, options, destination, sources }, {
    task: 'mirror', options: { range: { high: 127 }, overwrite: true }, sources: [{ kind: 'url', url: SOURCE }],
    destination: { name: 'a place', can: { stage: true, get: false, makeDir: false } },
  });
  mirror.end({ task: 'mirror', verdict: 'complete' });
  assert.equal((await mirror.run.report).verdict, 'complete');
  const repair = await played(t, (port) => repairInWorker(port, SOURCE, place({ get: async () => null }), { dryRun: true }));
  assert.equal(repair.start.task, 'repair');
  assert.deepEqual(repair.start.options, { dryRun: true });
  assert.equal(repair.start.destination.can.get, true);
  repair.end();
  await repair.run.report;
});

test('an option that does not exist, and a destination that is none, are refused', { timeout }, async (t) => {
  const { port1 } = new MessageChannel();
  t.after(() => port1.close());
  await assert.rejects(mirrorInWorker(port1, SOURCE, place(), { dryRun: true }).report, { code: 'USAGE', message: /dryRun/ });
  await assert.rejects(mirrorInWorker(port1, SOURCE, { name: 'x' }).report, { code: 'USAGE', message: /put/ });
  await assert.rejects(estimateInWorker(port1, SOURCE, { plan: '' }), { code: 'USAGE' });
});

test('a staged file: answered only once the place has done it, so that a slow one holds the sender back', { timeout }, async (t) => {
  let release;
  const slow = new Promise((resolve) => {
    release = resolve;
  });
  const destination = place();
  const { stage } = destination;
  destination.stage = async (path) => {
    const file = await stage(path);
    return { ...file, write: async (chunk) => { await slow; await file.write(chunk); } };
  };
  const { run, call, heard, end } = await played(t, (port) => mirrorInWorker(port, SOURCE, destination));
  const begun = call({ kind: 'stage', path: 'bucket/x' });
  await begun;
  const content = bytes(1000);
  const writing = call({ kind: 'write', file: begun.request, bytes: content }, [content.buffer]);
  assert.equal(content.length, 0, 'moved, not copied');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(heard.filter(({ type }) => type === 'written').length, 1, 'the write is not answered while it is under way');
  release();
  await writing;
  await call({ kind: 'commit', file: begun.request });
  assert.deepEqual(destination.told, [['stage', 'bucket/x'], ['write', 1000], ['commit', 'bucket/x']]);
  end();
  await run.report;
  assert.equal(destination.told.length, 3, 'what was committed is not discarded at the end');
});

test('whole files, whether one is there, folders, and what is there already', { timeout }, async (t) => {
  const folders = [];
  const destination = place({ makeDir: async (path) => void folders.push(path), get: async (path) => (path === 'there' ? bytes(3) : null) });
  const { run, call, get, end } = await played(t, (port) => mirrorInWorker(port, [SOURCE, 'https://other.example.org/'], destination));
  await call({ kind: 'put', path: 'x', bytes: bytes(7) });
  assert.deepEqual(destination.told, [['put', 'x', 7]]);
  assert.equal((await call({ kind: 'exists', path: 'there' })).found, true);
  assert.equal((await call({ kind: 'exists', path: 'x' })).found, false);
  await call({ kind: 'makeDir', path: 'ledger/00' });
  assert.deepEqual(folders, ['ledger/00']);
  // The reader after the last source.
  assert.equal((await get(2, 'there')).file.bytes.length, 3);
  assert.equal((await get(2, 'gone')).file.kind, 'missing');
  end();
  await run.report;
});

test('errors keep code, name, status and the wish to be left alone', { timeout }, async (t) => {
  const faults = [
    Object.assign(new Error('full'), { code: 'ENOSPC' }),
    new DOMException('over the quota', 'QuotaExceededError'),
    Object.assign(new Error('later'), { status: 503, retryAfterMs: 2000, advice: 'wait' }),
  ];
  const destination = place({ put: async () => { throw faults.shift(); } });
  const { run, call, end } = await played(t, (port) => mirrorInWorker(port, SOURCE, destination));
  const fault = () => call({ kind: 'put', path: 'x', bytes: bytes(1) }).then(() => assert.fail('written'), ({ error }) => error);
  assert.deepEqual(await fault(), { message: 'full', name: 'Error', code: 'ENOSPC' });
  assert.deepEqual(await fault(), { message: 'over the quota', name: 'QuotaExceededError' });
  assert.deepEqual(await fault(), { message: 'later', name: 'Error', advice: 'wait', status: 503, retryAfterMs: 2000 });
  end();
  await run.report;
});

test('what was begun and not committed is discarded: by wish, after a failed commit, at the end of the run', { timeout }, async (t) => {
  const destination = place();
  const { stage } = destination;
  destination.stage = async (path) => ({ ...(await stage(path)), ...(path === 'bad' ? { commit: async () => { throw new Error('no'); } } : {}) });
  const { run, call, end } = await played(t, (port) => mirrorInWorker(port, SOURCE, destination));
  const one = call({ kind: 'stage', path: 'unwanted' });
  await one;
  await call({ kind: 'abort', file: one.request });
  const bad = call({ kind: 'stage', path: 'bad' });
  await bad;
  await assert.rejects(call({ kind: 'commit', file: bad.request }), /no/);
  await assert.rejects(call({ kind: 'write', file: bad.request, bytes: bytes(1) }), /discarded/);
  const half = call({ kind: 'stage', path: 'half' });
  await half;
  end();
  await run.report;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(destination.told.filter(([what]) => what === 'abort'), [['abort', 'unwanted'], ['abort', 'bad'], ['abort', 'half']]);
});

test('a call that is not wanted any more is told so, and a file that it began is discarded', { timeout }, async (t) => {
  const destination = place();
  const { stage } = destination;
  destination.stage = async (path, { signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return stage(path);
  };
  const { run, call, post, end } = await played(t, (port) => mirrorInWorker(port, SOURCE, destination));
  const begun = call({ kind: 'stage', path: 'x' });
  post({ type: 'drop', request: begun.request });
  await begun;
  assert.deepEqual(destination.told, [['stage', 'x'], ['abort', 'x']]);
  end();
  await run.report;
});

test('an abort reaches the worker, and its report is the run’s', { timeout }, async (t) => {
  const { run, heard, end } = await played(t, (port) => mirrorInWorker(port, SOURCE, place()));
  run.abort(new Error('enough'));
  while (!heard.some(({ type }) => type === 'cancel')) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(heard.find(({ type }) => type === 'cancel').reason, 'enough');
  end({ verdict: 'incomplete' });
  assert.equal((await run.report).verdict, 'incomplete');
});

test('an estimate is asked and answered', { timeout }, async (t) => {
  const { run, start, end } = await played(t, (port) => estimateInWorker(port, SOURCE, { range: { high: 63 } }));
  assert.equal(start.task, 'estimate');
  assert.deepEqual(start.options, { range: { high: 63 } });
  end({ bytes: '7' });
  assert.equal((await run).bytes, '7');
});
