/**
 * What is deployed: its set-up, its size against the platform's limits, and the memory that real archives take in it.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { wranglerConfig } from '../../pkg-config/edge.mjs';
import { edge, lines, noData, realArchive, source, upstream } from './support.mjs';

const DIST = fileURLToPath(new URL('../../dist/edge/', import.meta.url));

test('the list of archives in wrangler.jsonc is one that the worker takes', async () => {
  const { configOf } = await source('config.ts');
  const { archives } = configOf({ ...wranglerConfig().vars });
  assert.ok(archives.length > 0);
  assert.ok(archives.every(({ url }) => url.startsWith('https://')));
});

const KINDS = '(?:Bucket|Database|RateLimit|Objects<AuditObject>|Queue<AuditMessage>)';

test('wrangler.jsonc binds what the worker asks for, by those names', () => {
  const { r2_buckets: r2, d1_databases: d1, ratelimits, triggers, compatibility_flags: flags, durable_objects: objects, queues } = wranglerConfig();
  const bound = [...r2, ...d1, ...queues.producers].map(({ binding }) => binding).concat([...ratelimits, ...objects.bindings].map(({ name }) => name));
  const asked = /interface Env \{([^]*?)\n\}/.exec(readFileSync(new URL('../../www/edge/bindings.ts', import.meta.url), 'utf8'))[1];
  for (const name of bound) assert.match(asked, new RegExp(`readonly ${name}\\?: ${KINDS};`));
  assert.equal(bound.length, asked.match(new RegExp(`: ${KINDS};`, 'g')).length);
  assert.deepEqual([triggers.crons.length, flags], [1, ['enable_request_signal']]);
});

test('its queues have the names that the worker goes by, dead letters go to the other one, and the Durable Object is one with SQLite that the worker exports', async () => {
  const { queues: { producers, consumers }, durable_objects: { bindings }, migrations } = wranglerConfig();
  const { QUEUE, DEAD_LETTERS } = await source('audit/messages.ts');
  assert.deepEqual(producers.map(({ queue }) => queue), [QUEUE]);
  assert.deepEqual(consumers.map(({ queue, dead_letter_queue: dead }) => [queue, dead]), [[QUEUE, DEAD_LETTERS], [DEAD_LETTERS, undefined]]);
  assert.equal(consumers[0].max_batch_size, 1, 'an invocation has time for one part');
  const classes = bindings.map(({ class_name: name }) => name);
  assert.deepEqual(migrations.flatMap(({ new_sqlite_classes: names }) => names), classes);
  for (const name of classes) assert.match(readFileSync(`${DIST}worker.mjs`, 'utf8'), new RegExp(`^export \\{.*\\b${name}\\b.*\\};$`, 'm'));
});

test('it is one module and one WebAssembly, within the 3 MB that the smallest plan takes', () => {
  const files = readdirSync(DIST).sort();
  assert.deepEqual(files, ['stellar_archive_verifier_bg.wasm', 'worker.mjs']);
  const sizes = files.map((name) => gzipSync(readFileSync(DIST + name)).length);
  assert.ok(sizes[0] < 1_070_000 && sizes[1] < 65_000, String(sizes));
});

test('two checkpoints of real networks, two at a time, take less than a quarter of an isolate’s 128 MB', { skip: noData }, async (t) => {
  const names = ['pubnet-12m', 'testnet-p22'];
  const site = await upstream(t, Object.fromEntries(names.map((name) => [name, realArchive(name)])));
  const { get } = await edge(t, names.map((name) => site.archive(name)));
  for (let rounds = 0; rounds < 3; rounds += 1) {
    const reports = await Promise.all(names.map(async (name) => (await lines(await get(`/verify?archive=${name}&buckets=1`))).at(-1).report));
    for (const { verdict, totals } of reports) {
      assert.equal(verdict, 'verified');
      assert.ok(totals.bucket.verified > 0 && totals.bucket.unchecked === 0);
    }
  }
  const bytes = Number(/^stellar_archive_isolate_wasm_bytes (\d+)$/m.exec(await (await get('/metrics')).text())[1]);
  t.diagnostic(`memory of the WebAssembly: ${(bytes / (1 << 20)).toFixed(1)} MiB`);
  assert.ok(bytes > 0 && bytes < 32 << 20, String(bytes));
});
