/** The Node entry: loading, misuse, aborting, and a crash of the WebAssembly. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { promisify } from 'node:util';
import * as entry from '../../dist/node.mjs';
import { WASM, archive, ledgers, noData } from './support.mjs';

const { directoryReader, init, networkPresets, verifyArchive, versions, wasmMemoryBytes } = entry;
const ENTRY = new URL('../../dist/node.mjs', import.meta.url).href;
const WEB_ENTRY = new URL('../../dist/index.mjs', import.meta.url).href;

/** Runs `code` in a process of its own, with the entry as `sav`; answers what it prints as JSON. */
async function apart(code, module = ENTRY) {
  const script = `import * as sav from ${JSON.stringify(module)};\nconst out = (value) => console.log(JSON.stringify(value));\n${code}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout);
}

test('nothing happens at import, and what needs init says how to fix it', async () => {
  for (const name of ['versions', 'networkPresets']) {
    assert.deepEqual(await apart(`try { sav.${name}(); } catch ({ name, code, advice }) { out({ name, code, advice, memory: sav.wasmMemoryBytes() }); }`), {
      name: 'ArchiveVerifierError', code: 'USED_BEFORE_INIT', advice: `Write \`await init()\` before the first ${name}().`, memory: 0,
    });
  }
});

test('init loads once, and tries again after a failure', async () => {
  assert.deepEqual(await apart(`
    const codes = [];
    for (const input of [new Uint8Array([1, 2, 3]), new URL('file:///no/such.wasm')]) await sav.init(input).catch(({ code }) => codes.push(code));
    const first = sav.init();
    out({ codes, same: first === sav.init(), version: await first.then(() => typeof sav.versions().version) });
  `), { codes: ['UNSUPPORTED', 'NETWORK'], same: true, version: 'string' });
});

test('init takes bytes, a module, a URL and a response', async () => {
  const url = JSON.stringify(`file://${WASM}`);
  for (const input of [`new URL(${url})`, `bytes`, `await WebAssembly.compile(bytes)`, `new Response(bytes, { headers: { 'content-type': 'application/wasm' } })`]) {
    const code = `import { readFileSync } from 'node:fs';\nconst bytes = readFileSync(new URL(${url}));\nawait sav.init(${input});\nout(typeof sav.versions().xdr);`;
    assert.equal(await apart(code), 'string', input);
  }
});

test('the browser entry works with bytes handed in', async () => {
  const code = `import { readFileSync } from 'node:fs';
    await sav.init(readFileSync(new URL(${JSON.stringify(`file://${WASM}`)})));
    out(sav.networkPresets().map(({ name }) => name).includes('testnet'));`;
  // Browsers have listeners on the global object, which Node has not.
  assert.equal(await apart(code, WEB_ENTRY), true);
});

test('versions and presets', async () => {
  await init();
  assert.match(versions().version, /^\d+\.\d+\.\d+/);
  const presets = networkPresets();
  assert.equal(presets.find(({ name }) => name === 'pubnet').passphrase, 'Public Global Stellar Network ; September 2015');
  assert.equal(presets.find(({ name }) => name === 'testnet').passphrase, 'Test SDF Network ; September 2015');
  assert.ok(wasmMemoryBytes() > 0);
});

test('wrong options are a usage error from the report and from the events', async () => {
  const reader = { name: 'nothing', get: async () => null };
  for (const options of [{ range: { low: 9, high: 3 } }, { frobnicate: true }, { concurrency: 0 }, { range: { low: 1.5 } }]) {
    const run = verifyArchive(reader, options);
    await assert.rejects(run.report, { name: 'ArchiveVerifierError', code: 'USAGE' }, JSON.stringify(options));
    await assert.rejects(run[Symbol.asyncIterator]().next(), { code: 'USAGE' });
  }
});

test('a folder in place of a URL is told how to be read', async () => {
  for (const source of ['/tmp', './archive', 'C:\\archive', new URL('file:///tmp')]) {
    await assert.rejects(verifyArchive(source).report, { code: 'UNSUPPORTED', advice: /directoryReader\(path\)/ }, String(source));
  }
  for (const source of ['', ' ']) await assert.rejects(verifyArchive(source).report, { code: 'USAGE', message: /empty/ });
});

test('an abort in the middle gives a partial report, and nothing is read after it', { skip: noData }, async () => {
  const folder = archive('testnet-p22');
  const { get } = directoryReader(folder);
  let reads = 0;
  const slow = {
    name: 'slow',
    async get(path, options) {
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return get(path, options);
    },
  };
  const run = verifyArchive(slow, { range: await ledgers(folder), concurrency: 4 });
  let readsAtAbort = 0;
  let last;
  for await (const event of run) {
    last = event;
    if (event.type === 'checkpoint' && readsAtAbort === 0) {
      run.abort(new Error('enough'));
      readsAtAbort = reads;
    }
  }
  const report = await run.report;
  assert.deepEqual(last, { type: 'done', verdict: 'incomplete' });
  assert.equal(report.verdict, 'incomplete');
  assert.deepEqual(report.findings, []);
  const { ledger } = report.totals;
  assert.ok(ledger.unchecked > 0, 'what was not reached is unchecked');
  assert.equal(ledger.verified + ledger.faulty + ledger.unchecked, 57);
  assert.ok(reads - readsAtAbort <= 1, `${reads - readsAtAbort} files were asked for after the abort`);
});

test('a reader that ignores the abort does not keep the run', async () => {
  const stop = new AbortController();
  const reader = {
    name: 'deaf',
    get() {
      setTimeout(() => stop.abort(), 5);
      return new Promise(() => undefined);
    },
  };
  const report = await verifyArchive(reader, { signal: stop.signal }).report;
  assert.equal(report.verdict, 'incomplete');
});

test('a run leaves no listeners behind', async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener;
  const remove = signal.removeEventListener;
  signal.addEventListener = (...args) => (listeners += 1, add.apply(signal, args));
  signal.removeEventListener = (...args) => (listeners -= 1, remove.apply(signal, args));
  await verifyArchive({ name: 'nothing', get: async () => null }, { signal }).report;
  assert.equal(listeners, 0);
  const code = `const run = sav.verifyArchive({ name: 'nothing', get: async () => null });
    await run.report;
    out(process.listenerCount('uncaughtException'));`;
  assert.equal(await apart(code), 0);
});

test('a crash rejects every run under way with a CrashError that says what to do, and the next run has a fresh instance', async () => {
  // A trap comes to light as an error nobody caught, which is what the reader throws here in its place.
  const outcome = await apart(`
    const never = { name: 'never', get: () => new Promise(() => undefined) };
    const crashing = { name: 'crashing', get() {
      queueMicrotask(() => { throw new WebAssembly.RuntimeError('unreachable'); });
      return new Promise(() => undefined);
    } };
    const lost = await Promise.allSettled([sav.verifyArchive(never).report, sav.verifyArchive(crashing).report]);
    const next = await sav.verifyArchive({ name: 'nothing', get: async () => null }).report.then(({ schema }) => schema, ({ code }) => code);
    out({ lost: lost.map(({ reason }) => reason && { code: reason.code, advice: typeof reason.advice, crash: reason instanceof sav.CrashError }), next });
    // What was lost is still being waited for, by timers of the lost runs.
    process.exit(0);
  `);
  assert.deepEqual(outcome, { lost: Array(2).fill({ code: 'CRASHED', advice: 'string', crash: true }), next: 1 });
});

test("errors that are not the verifier's still end the process", async () => {
  const script = `import { verifyArchive } from ${JSON.stringify(ENTRY)};
    verifyArchive({ name: 'x', get() { queueMicrotask(() => { throw new TypeError('mine'); }); return new Promise(() => undefined); } });
    setTimeout(() => undefined, 60_000);`;
  await assert.rejects(promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000 }), (error) => {
    assert.equal(error.killed, false);
    assert.match(error.stderr, /TypeError: mine/);
    return true;
  });
});

test('the wasm beside the entry is the one that is loaded', async () => {
  assert.ok((await readFile(WASM)).subarray(0, 4).equals(Buffer.from('\0asm')));
});
