/** Runs that are shared between threads: the same report, whatever becomes of the threads. Which part is whose is tested natively. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { directoryReader, verifyArchive } from '../../dist/node.mjs';
import { archive, cli, damage, host, jsonLines, noData, pathOf, temporary, timeless } from './support.mjs';

const timeout = 120_000;
const TESTNET = archive('testnet-p22');

/** The report, and how many of each event came before it. */
async function verified(source, options) {
  const run = verifyArchive(source, options);
  const events = {};
  for await (const { type } of run) events[type] = (events[type] ?? 0) + 1;
  return { report: timeless(await run.report), events };
}

async function hurt(t) {
  const folder = join(await temporary(t), 'hurt');
  await cp(TESTNET, folder, { recursive: true });
  await damage(folder, pathOf('ledger', 191), 400);
  await damage(folder, pathOf('transactions', 1855), 60);
  await damage(folder, pathOf('results', 3647), 60);
  return folder;
}

test('threads come to the report of one, over a folder, over HTTP, and where only this thread can read', { skip: noData, timeout }, async (t) => {
  const folder = await hurt(t);
  const served = await host(t, folder);
  const files = directoryReader(folder);
  const sources = { folder: files, http: served.url, reader: { name: 'files', get: (path, context) => files.get(path, context) } };
  for (const [what, source] of Object.entries(sources)) {
    const one = await verified(source, { workers: 1 });
    assert.equal(one.report.verdict, 'faulty');
    assert.ok(one.report.findings.length >= 3, what);
    for (const workers of [2, 3]) {
      const shared = await verified(source, { workers });
      assert.deepEqual(shared.report, one.report, `${what}, ${workers} threads`);
      assert.equal(shared.events.finding, one.events.finding, `${what}: every finding is said once`);
      assert.equal(shared.events.checkpoint, 57, `${what}: every checkpoint is told once`);
    }
  }
});

test('a folder is really read by several threads', { skip: noData, timeout }, async () => {
  const script = `
    import { directoryReader, verifyArchive } from ${JSON.stringify(new URL('../../dist/node.mjs', import.meta.url).href)};
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    let here = 0;
    const { openSync } = fs;
    fs.openSync = (...all) => { here += 1; return openSync(...all); };
    syncBuiltinESMExports();
    const report = await verifyArchive(directoryReader(${JSON.stringify(TESTNET)}), { workers: 2 }).report;
    console.log(JSON.stringify({ here, verdict: report.verdict }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  const { here, verdict } = JSON.parse(stdout);
  assert.equal(verdict, 'verified');
  assert.ok(here > 0 && here < 690, `${here} of 707 files were read by the first thread`);
});

test('a thread that dies costs nothing but its time', { skip: noData, timeout }, async (t) => {
  const { report: one } = await verified(directoryReader(TESTNET), { workers: 1 });
  // Whatever is posted to a worker kills it instead.
  const { postMessage } = Worker.prototype;
  t.after(() => {
    Worker.prototype.postMessage = postMessage;
  });
  let killed = 0;
  Worker.prototype.postMessage = function kill(message, ...rest) {
    if (message.type !== 'part') return postMessage.call(this, message, ...rest);
    killed += 1;
    void this.terminate();
  };
  const { report } = await verified(directoryReader(TESTNET), { workers: 3 });
  assert.ok(killed > 0);
  assert.deepEqual(report, one);
});

test('a run that is stopped ends with what was joined, and threads do not keep the process', { skip: noData, timeout }, async () => {
  const script = `
    import { directoryReader, verifyArchive } from ${JSON.stringify(new URL('../../dist/node.mjs', import.meta.url).href)};
    const run = verifyArchive(directoryReader(${JSON.stringify(TESTNET)}), { workers: 2 });
    for await (const event of run) if (event.type === 'checkpoint') run.abort();
    const report = await run.report;
    const again = await verifyArchive(directoryReader(${JSON.stringify(TESTNET)}), { workers: 2 }).report;
    console.log(JSON.stringify([report.verdict, report.findings.length, again.verdict]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { timeout: 60_000 });
  assert.deepEqual(JSON.parse(stdout), ['incomplete', 0, 'verified']);
});

test('the command line takes --workers, and refuses what is no number of them', { skip: noData, timeout }, async () => {
  const reports = await Promise.all(['1', '2'].map(async (workers) => jsonLines((await cli(['verify', TESTNET, '--json', '--workers', workers])).stdout).at(-1).report));
  assert.deepEqual(timeless(reports[1]), timeless(reports[0]));
  for (const workers of ['0', '65', 'two']) {
    const { status, stderr } = await cli(['verify', TESTNET, '--workers', workers]);
    assert.deepEqual([status, /--workers/.test(stderr)], [2, true], stderr);
  }
});

test('the library refuses what is no number of threads, whatever the archives', { skip: noData }, async () => {
  for (const workers of [0, 65, 1.5, '2', Number.NaN]) {
    await assert.rejects(verifyArchive([directoryReader(TESTNET), directoryReader(archive('testnet-genesis-p24'))], { workers }).report, { code: 'USAGE' }, String(workers));
  }
});

test('samples, other orders and several archives are verified by this thread alone, as before', { skip: noData, timeout }, async () => {
  for (const options of [{ sample: 20, seed: '0000000000000001' }, { order: 'newest-first' }]) {
    const one = await verified(directoryReader(TESTNET), options);
    assert.deepEqual((await verified(directoryReader(TESTNET), { ...options, workers: 2 })).report, one.report);
  }
});
