/** The functions beside `verifyArchive`, as a user of the package calls them: results, refusals, aborts. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import {
  archiveStatus, checkHeader, checkpointLog, directoryReader, downloadCheckpoint, dumpFile, init, prometheusText, verifyArchive,
} from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_CHECKPOINTS, SAMPLE_NETWORK, damage, headers, host, noSample, pathOf, records, sampleCopy, server } from './support.mjs';

const ENTRY = new URL('../../dist/node.mjs', import.meta.url).href;
const sample = () => directoryReader(SAMPLE);
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const same = (found, expected) => assert.deepEqual(found.map(hex), expected.map(hex));
const nothing = { name: 'nothing', get: async () => null };
const never = { name: 'never', get: () => new Promise(() => undefined) };

/** Every function, called with a source and a signal. */
const CALLS = {
  downloadCheckpoint: (source, options) => downloadCheckpoint(source, 63, options),
  archiveStatus: (source, options) => archiveStatus(source, options),
  checkHeader: (source, options) => checkHeader(source, { ledger: 1, ...options }),
  dumpFile: (source, options) => dumpFile(source, pathOf('ledger', 63), () => undefined, options),
  checkpointLog: (source, options) => checkpointLog(source, { ...options }, () => undefined),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} refuses an option that does not exist`, async () => {
    await assert.rejects(call(nothing, { frobnicate: true }), { name: 'ArchiveVerifierError', code: 'USAGE', message: /frobnicate/ });
  });

  test(`${name} tells a folder in place of a URL how it is read, and refuses what is no archive`, async () => {
    await assert.rejects(call('./archive'), { code: 'UNSUPPORTED', advice: /directoryReader\(path\)/ });
    for (const source of [42, {}, null]) await assert.rejects(call(source), { code: 'USAGE' });
  });

  test(`${name} ends when it is aborted, also when its reader does not`, { timeout: 30_000 }, async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await assert.rejects(call(never, { signal: stop.signal }), { name: 'ArchiveVerifierError', code: 'ABORTED', message: /enough/ });
    await assert.rejects(call(never, { signal: AbortSignal.abort(new Error('before')) }), { code: 'ABORTED', message: /before/ });
  });

  test(`${name} leaves no listener on the signal`, { skip: noSample }, async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    for (const [method, change] of [['addEventListener', 1], ['removeEventListener', -1]]) {
      const original = signal[method];
      signal[method] = (...args) => (listeners += change, original.apply(signal, args));
    }
    await call(sample(), { signal });
    assert.equal(listeners, 0);
  });

  test(`${name} that is lost in a crash rejects with what to do`, async () => {
    const source = `{ name: 'crashing', get() {
      queueMicrotask(() => { throw new WebAssembly.RuntimeError('unreachable'); });
      return new Promise(() => undefined);
    } }`;
    const args = {
      downloadCheckpoint: `${source}, 63`, archiveStatus: source, checkHeader: `${source}, { ledger: 1 }`,
      dumpFile: `${source}, 'ledger/00/00/00/ledger-0000003f.xdr.gz', () => {}`, checkpointLog: `${source}, {}, () => {}`,
    }[name];
    const script = `import { ${name} } from ${JSON.stringify(ENTRY)};
      const [{ reason }] = await Promise.allSettled([${name}(${args})]);
      console.log(JSON.stringify({ code: reason?.code, advice: typeof reason?.advice }));
      process.exit(0);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000 });
    assert.deepEqual(JSON.parse(stdout), { code: 'CRASHED', advice: 'string' });
  });
}

test('a host that is broken is a fault of the way, with its own code and what to do', async (t) => {
  const broken = await server(t, (_, response) => response.writeHead(500).end('oops'));
  for (const name of ['downloadCheckpoint', 'dumpFile']) {
    const options = name === 'dumpFile' ? {} : { maxRetries: 0 };
    await assert.rejects(CALLS[name](broken, options), ({ code, message, advice }) => {
      assert.equal(code, 'HTTP', `${name}: ${message}`);
      assert.match(message, /500/, name);
      assert.ok(advice?.length > 0, name);
      return true;
    });
  }
  const [{ error }] = await CALLS.archiveStatus(broken, { maxRetries: 0 });
  assert.equal(error.code, 'HTTP');
  const { checks } = await CALLS.checkHeader(broken, { maxRetries: 0 });
  assert.equal(checks[0].status, 'unreadable');
  const log = await CALLS.checkpointLog(broken, { maxRetries: 0 });
  assert.equal(log.checkpoints, 0);
  assert.equal(log.errors[0].code, 'HTTP');
});

test('a checkpoint comes record by record, as it stands in the archive', { skip: noSample }, async () => {
  const data = await downloadCheckpoint(sample(), 191);
  assert.equal(data.checkpoint, 191);
  assert.equal(data.network, SAMPLE_NETWORK);
  assert.equal(data.state.currentLedger, 191);
  same(data.headers, await records(SAMPLE, pathOf('ledger', 191)));
  for (const kind of ['transactions', 'results', 'scp']) same(data[kind], await records(SAMPLE, pathOf(kind, 191)));
  assert.equal(data.headers.length, 64);
  assert.ok(data.headers.every((bytes) => bytes instanceof Uint8Array));
  assert.ok(data.buckets instanceof Map);
  assert.equal(data.buckets.size, 0);
});

test('its buckets come when asked for, each with the hash of its name', { skip: noSample }, async () => {
  const { buckets, state } = await downloadCheckpoint(sample(), 319, { buckets: true });
  assert.ok(buckets.size > 0);
  for (const [hash, bytes] of buckets) assert.equal(createHash('sha256').update(bytes).digest('hex'), hash);
  const named = new Set(JSON.stringify(state).match(/[0-9a-f]{64}/g).filter((hash) => !/^0+$/.test(hash)));
  assert.deepEqual(new Set(buckets.keys()), named);
});

test('what is handed over is ours: it survives what comes after', { skip: noSample }, async () => {
  const first = await downloadCheckpoint(sample(), 63);
  const kept = first.headers.map(hex);
  await downloadCheckpoint(sample(), 127, { buckets: true });
  assert.deepEqual(first.headers.map(hex), kept);
});

test('a faulty file of a checkpoint is an error that names it', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  const path = pathOf('transactions', 127);
  await damage(folder, path, 60);
  await assert.rejects(downloadCheckpoint(directoryReader(folder), 127), { name: 'ArchiveVerifierError', code: 'FAULTY', message: new RegExp(path) });
  assert.equal((await downloadCheckpoint(directoryReader(folder), 63)).checkpoint, 63, 'the others are as good as before');
});

test('a file of a checkpoint that is not there is an error that names it', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  const path = pathOf('results', 127);
  await rm(join(folder, path));
  await assert.rejects(downloadCheckpoint(directoryReader(folder), 127), { name: 'ArchiveVerifierError', message: new RegExp(path) });
});

test('any ledger names its checkpoint; what is no ledger, and another network, are refused', { skip: noSample }, async () => {
  assert.equal((await downloadCheckpoint(sample(), 100)).checkpoint, 127);
  for (const checkpoint of [0, -1, 1.5, 2 ** 32]) await assert.rejects(downloadCheckpoint(sample(), checkpoint), { code: 'USAGE' }, String(checkpoint));
  await assert.rejects(downloadCheckpoint(sample(), 63, { network: 'testnet' }), { name: 'ArchiveVerifierError' });
});

test('the status of several archives, in their order', { skip: noSample }, async (t) => {
  const { url } = await host(t, SAMPLE);
  const [first, second] = await archiveStatus([url, nothing]);
  assert.equal(first.ledger, 319);
  assert.equal(first.network, SAMPLE_NETWORK);
  assert.equal(second.archive, 'nothing');
  assert.equal(second.ledger, null);
});

test('a header is compared with one in XDR', { skip: noSample }, async () => {
  const [{ entry, hash }] = await headers(SAMPLE, 63);
  for (const form of [new Uint8Array(entry), entry.toString('base64')]) {
    const check = await checkHeader([sample()], { ledger: 1, entry: form });
    assert.equal(check.checks[0].status, 'match', JSON.stringify(check));
    assert.equal(check.expected.hash, hash);
  }
  await assert.rejects(checkHeader(sample(), { ledger: 1, entry: 'no base64!' }), { code: 'USAGE' });
  await assert.rejects(checkHeader(sample(), { ledger: 1, hash: 'abc' }), { code: 'USAGE' });
  await assert.rejects(checkHeader(sample(), {}), { code: 'USAGE' });
});

test('a dump counts its records', { skip: noSample }, async () => {
  const lines = [];
  const { records: count } = await dumpFile(sample(), pathOf('ledger', 63), (line) => lines.push(line));
  assert.equal(count, 63);
  assert.equal(lines.length, 63);
  assert.ok(lines.every((line) => typeof line === 'string' && !line.includes('\n') && typeof JSON.parse(line) === 'object'));
});

test('a listener that throws ends it with its own error, and the next call works', { skip: noSample }, async () => {
  const mine = new TypeError('mine');
  const thrower = () => {
    throw mine;
  };
  await assert.rejects(dumpFile(sample(), pathOf('ledger', 63), thrower), (error) => error === mine);
  await assert.rejects(checkpointLog(sample(), {}, thrower), (error) => error === mine);
  assert.equal((await dumpFile(sample(), pathOf('ledger', 63), () => undefined)).records, 63);
});

test('a log tells its lines as they come', { skip: noSample }, async () => {
  const seen = [];
  const { checkpoints, findings, errors } = await checkpointLog(sample(), { order: 'oldest-first', last: 200 }, (line) => seen.push(line));
  assert.equal(checkpoints, seen.length);
  assert.deepEqual([findings, errors], [[], []]);
  assert.deepEqual(seen.map(({ checkpoint }) => checkpoint), SAMPLE_CHECKPOINTS.slice(1));
});

test('any function can be called from inside a listener', { skip: noSample }, async () => {
  const inner = [];
  await dumpFile(sample(), pathOf('ledger', 63), () => {
    if (inner.length === 0) inner.push(dumpFile(sample(), pathOf('ledger', 127), () => undefined));
  });
  assert.equal((await inner[0]).records, 64);
});

test('the numbers of a report as text need init, and no run', { skip: noSample }, async () => {
  const script = `import { prometheusText } from ${JSON.stringify(ENTRY)};
    try { prometheusText({}); } catch ({ code, advice }) { console.log(JSON.stringify({ code, advice })); }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  assert.deepEqual(JSON.parse(stdout), { code: 'USED_BEFORE_INIT', advice: 'Write `await init()` before the first prometheusText().' });
  await init();
  const report = await verifyArchive(sample()).report;
  const text = prometheusText(report);
  assert.ok(text.includes('history_get') && text.includes(SAMPLE), text);
  assert.equal(prometheusText(JSON.parse(JSON.stringify(report))), text, 'a stored report will do');
});

test('verifyArchive takes several archives, and names the one to blame', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  for (const checkpoint of SAMPLE_CHECKPOINTS) {
    for (const kind of ['transactions', 'results']) await damage(folder, pathOf(kind, checkpoint), 60);
  }
  const read = [];
  const { get } = directoryReader(folder);
  const liar = { name: 'liar', get: (path, options) => (read.push(path), get(path, options)) };
  const files = sample();
  const good = { name: 'good', get: async (path, options) => files.get(path, options) };
  const { verdict, sources, findings } = await verifyArchive([liar, good]).report;
  assert.equal(verdict, 'verified', JSON.stringify(findings));
  const lies = new Set(read.filter((path) => /^(transactions|results)/.test(path)));
  assert.equal(sources.find(({ archive }) => archive === 'liar').faulty, lies.size);
  assert.deepEqual(new Set(findings.map(({ path }) => path)), lies);
  for (const { archive, goodFrom } of findings) assert.deepEqual([archive, goodFrom], ['liar', 'good']);
});

test('wrong values of the new options are usage errors', async () => {
  for (const options of [
    { last: 0 }, { last: 64, range: { low: 1 } }, { sample: 0 }, { sample: 1.5 }, { seed: 'abc' }, { sample: 3, seed: 'xyz' }, { order: 'sideways' },
    { timeoutMs: 0 }, { timeoutMs: 'soon' }, { resume: 'no state' }, { resume: '{}' }, { saveState: 'yes' },
  ]) {
    await assert.rejects(verifyArchive(nothing, options).report, { name: 'ArchiveVerifierError', code: 'USAGE' }, JSON.stringify(options));
  }
});
