/** The worker's body with the real WebAssembly, spoken to by the package's own client. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { directoryReader, verifyInWorker } from '../../dist/node.mjs';
import { WASM, archive, ledgers, noData } from './support.mjs';

// A worker that does not answer shall fail its test, not the patience of whoever runs them.
const timeout = 60_000;

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
