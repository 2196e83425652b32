/** The worker's body with the real WebAssembly, spoken to by the package's own client. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { directoryReader, quorumSetFromConfig, verifyInWorker } from '../../dist/node.mjs';
import { SAMPLE, WASM, archive, host, ledgers, noData, noSample, sampleCopy } from './support.mjs';

// A worker that does not answer shall fail its test, not the patience of whoever runs them.
const timeout = 60_000;

const TESTNET_KEYS = [
  'GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y', 'GCUCJTIYXSOXKBSNFGNFWW5MUQ54HKRPGJUTQFJ5RQXZXNOLNXYDHRAP',
  'GC2V2EFSXN6SQTWVYA5EPJPBWWIMSD2XQNKUOHGEKB535AQE2I6IXV2Z',
];

/** A `Worker` as browsers have it, over a worker thread. */
class WebWorker extends EventTarget {
  #thread = new Worker(new URL('fixtures/web-worker.mjs', import.meta.url));

  constructor(t) {
    super();
    this.#thread.on('message', (data) => this.dispatchEvent(new MessageEvent('message', { data })));
    this.#thread.on('error', ({ message }) => this.dispatchEvent(Object.assign(new Event('error'), { message })));
    t.after(() => this.#thread.terminate());
  }

  postMessage(message, transfer) {
    this.#thread.postMessage(message, transfer);
  }
}

const wasm = async () => WebAssembly.compile(await readFile(WASM));

test('an archive that is read by this side is verified over there', { skip: noData, timeout }, async (t) => {
  const folder = archive('testnet-genesis-p24');
  const range = await ledgers(folder);
  const run = verifyInWorker(new WebWorker(t), directoryReader(folder), { range }, await wasm());
  const checkpoints = [];
  for await (const event of run) if (event.type === 'checkpoint') checkpoints.push(event.checkpoint);
  const report = await run.report;
  assert.equal(report.verdict, 'verified', JSON.stringify(report.findings));
  assert.deepEqual(report.archives, [folder]);
  assert.deepEqual(checkpoints.toSorted((a, b) => a - b), [63, 127]);
});

test('whose word counts goes over to the worker', { skip: noData, timeout }, async (t) => {
  const reader = directoryReader(archive('testnet-p22'));
  const trust = { quorumSet: quorumSetFromConfig(`[QUORUM_SET]\nTHRESHOLD_PERCENT=66\nVALIDATORS=[${TESTNET_KEYS.map((key) => `"${key}"`)}]`).quorumSet, allSignatures: true };
  const report = await verifyInWorker(new WebWorker(t), reader, { range: { high: 127 }, trust }, await wasm()).report;
  assert.equal(report.sealedThrough, 126);
  assert.deepEqual(report.trust.quorumSet.set, trust.quorumSet);
  assert.equal(report.trust.allSignatures, true);
});

test('several archives in a worker: URLs beside readers', { skip: noSample, timeout }, async (t) => {
  const { url, asked } = await host(t, SAMPLE);
  const read = [];
  const folder = await sampleCopy(t);
  const files = directoryReader(folder);
  const reader = { name: folder, get: (path, options) => (read.push(path), files.get(path, options)) };
  const { report } = verifyInWorker(new WebWorker(t), [url, reader, directoryReader(SAMPLE)], {}, await wasm());
  const { verdict, archives, sources, findings } = await report;
  assert.equal(verdict, 'verified', JSON.stringify(findings));
  assert.deepEqual(archives.map((name) => name.replace(/\/$/, '')), [url.replace(/\/$/, ''), folder, SAMPLE]);
  assert.ok(asked.length > 1 && read.length > 1, 'each was read');
  for (const { archive, requests, failures, ledger } of sources) {
    assert.ok(requests > 0, archive);
    assert.equal(failures, 0, archive);
    assert.equal(ledger, 319, archive);
  }
});

test('a run that was stopped goes on in another worker', { skip: noSample, timeout }, async (t) => {
  const folder = SAMPLE;
  const { get } = directoryReader(folder);
  const slow = {
    name: folder,
    async get(path, options) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return get(path, options);
    },
  };
  const first = verifyInWorker(new WebWorker(t), slow, { saveState: true, concurrency: 2 }, await wasm());
  let state;
  for await (const event of first) {
    if (event.type === 'checkpoint') first.abort(new Error('enough'));
    else if (event.type === 'state') ({ state } = event);
  }
  assert.equal((await first.report).verdict, 'incomplete');
  assert.equal(typeof JSON.parse(state), 'object');
  const second = await verifyInWorker(new WebWorker(t), slow, { resume: state, concurrency: 2 }, await wasm()).report;
  assert.equal(second.verdict, 'verified', JSON.stringify([second.findings, second.errors]));
});

test('two runs share a worker', { skip: noData, timeout }, async (t) => {
  const worker = new WebWorker(t);
  const module = await wasm();
  const reports = await Promise.all(['pubnet-12m', 'synth-p27'].map(async (name) => {
    const folder = archive(name);
    return verifyInWorker(worker, directoryReader(folder), { range: await ledgers(folder) }, module).report;
  }));
  assert.deepEqual(reports.map(({ verdict }) => verdict), ['verified', 'verified']);
});

test('an abort reaches the reader on this side and gives a partial report', { timeout }, async (t) => {
  const stop = new AbortController();
  const reader = {
    name: 'endless',
    get: (path, { signal }) => new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      setTimeout(() => stop.abort(new Error('enough')), 10);
    }),
  };
  const report = await verifyInWorker(new WebWorker(t), reader, { signal: stop.signal }, await wasm()).report;
  assert.equal(report.verdict, 'incomplete');
});

test('a usage error keeps its code and advice on the way', { timeout }, async (t) => {
  const reader = { name: 'nothing', get: async () => null };
  await assert.rejects(verifyInWorker(new WebWorker(t), reader, { network: 'no-such-network', range: { low: 9, high: 3 } }, await wasm()).report, {
    name: 'ArchiveVerifierError',
    code: 'USAGE',
  });
});

test('a reader that fails over there fails over here, with its words', { timeout }, async (t) => {
  const reader = {
    name: 'broken',
    async get() {
      throw Object.assign(new Error('the disk is gone'), { code: 'NETWORK', advice: 'look at it' });
    },
  };
  const report = await verifyInWorker(new WebWorker(t), reader, { maxRetries: 0 }, await wasm()).report;
  assert.equal(report.verdict, 'incomplete');
  assert.match(JSON.stringify(report.errors), /the disk is gone/);
});

test('a module that cannot be loaded is an error that says so, and the next one is tried', { timeout }, async (t) => {
  const worker = new WebWorker(t);
  const reader = { name: 'nothing', get: async () => null };
  await assert.rejects(verifyInWorker(worker, reader, {}, new URL('http://127.0.0.1:9/none.wasm')).report, {
    code: 'NETWORK', message: /could not be loaded/, advice: /stellar_archive_verifier_bg\.wasm/,
  });
  const report = await verifyInWorker(worker, reader, {}, await wasm()).report;
  assert.notEqual(report.verdict, 'verified');
});
