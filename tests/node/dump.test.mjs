/** `dump`: records as JSON lines, from files and from archives, with every digit. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CLI, SAMPLE, cli, headers, host, jsonLines, noSample, pathOf, records, sampleCopy, server, temporary } from './support.mjs';

async function dumped(...words) {
  const { status, stdout, stderr } = await cli(['dump', ...words]);
  return { status, stderr, lines: stdout === '' ? [] : jsonLines(stdout) };
}

/** The path of some bucket, the largest there is. */
async function bucket() {
  const names = (await readdir(join(SAMPLE, 'bucket'), { recursive: true })).filter((name) => name.endsWith('.gz'));
  const sizes = await Promise.all(names.map(async (name) => (await readFile(join(SAMPLE, 'bucket', name))).length));
  const name = names[sizes.indexOf(Math.max(...sizes))];
  return { path: join('bucket', name), hash: /([0-9a-f]{64})/.exec(name)[1] };
}

test('headers, one a line, 64-bit integers as text', { skip: noSample }, async () => {
  const { status, stderr, lines } = await dumped(SAMPLE, 'ledger', '0x7f');
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  const expected = await headers(SAMPLE, 127);
  assert.equal(lines.length, 64);
  lines.forEach((line, index) => {
    assert.equal(line.hash, expected[index].hash);
    assert.equal(line.header.ledger_seq, 64 + index);
    assert.equal(line.header.ledger_version, expected[index].protocol);
    assert.equal(typeof line.header.total_coins, 'string');
    assert.equal(line.header.scp_value.close_time, expected[index].closeTime);
  });
});

test('every way to name a file leads to the same lines', { skip: noSample }, async (t) => {
  const { url } = await host(t, SAMPLE);
  const path = pathOf('ledger', 127);
  const copy = join(await temporary(t), basename(path));
  await copyFile(join(SAMPLE, path), copy);
  const { lines: expected } = await dumped(SAMPLE, path);
  assert.equal(expected.length, 64);
  for (const words of [
    [copy], [join(SAMPLE, path)], [SAMPLE, `/${path}`], [SAMPLE, `./${path}`], [SAMPLE, basename(path)], [SAMPLE, 'ledger', '127'],
    [SAMPLE, 'ledger', '0000007f'], [url, path], [url, 'ledger', '0x7F'], [`${url}${path}`],
  ]) {
    const { status, stderr, lines } = await dumped(...words);
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    assert.deepEqual(lines, expected, words.join(' '));
  }
});

test('any ledger of a checkpoint will do, and it is said which one it is in', { skip: noSample }, async () => {
  const { status, stderr, lines } = await dumped(SAMPLE, 'ledger', '100');
  assert.equal(status, 0);
  assert.match(stderr, /ledger 100 is in checkpoint 127 \(0x0000007f\)/);
  assert.equal(lines.length, 64);
});

test('transactions, results, scp messages and buckets', { skip: noSample }, async () => {
  for (const kind of ['transactions', 'results', 'scp']) {
    const path = pathOf(kind, 191);
    const { status, stderr, lines } = await dumped(SAMPLE, path);
    assert.equal(status, 0, `${kind}: ${stderr}`);
    assert.equal(lines.length, (await records(SAMPLE, path)).length, kind);
    assert.ok(lines.every((line) => typeof line === 'object'), kind);
  }
  const { path, hash } = await bucket();
  const expected = await records(SAMPLE, path);
  for (const words of [[path], ['bucket', hash], ['bucket', hash.toUpperCase()]]) {
    const { status, stderr, lines } = await dumped(SAMPLE, ...words);
    assert.equal(status, 0, stderr);
    assert.equal(lines.length, expected.length);
  }
});

test('states', { skip: noSample }, async (t) => {
  const root = JSON.parse(await readFile(join(SAMPLE, '.well-known/stellar-history.json'), 'utf8'));
  const file = join(await temporary(t), 'stellar-history.json');
  await copyFile(join(SAMPLE, '.well-known/stellar-history.json'), file);
  for (const words of [[SAMPLE, 'history'], [SAMPLE, '.well-known/stellar-history.json'], [file], [SAMPLE, 'history', '319']]) {
    const { status, stderr, lines } = await dumped(...words);
    assert.equal(status, 0, stderr);
    assert.equal(lines.length, 1);
    assert.equal(lines[0].currentLedger, root.currentLedger);
    assert.deepEqual(lines[0].currentBuckets, root.currentBuckets);
  }
});

test('a file that was inflated already', { skip: noSample }, async (t) => {
  const path = pathOf('ledger', 63);
  const file = join(await temporary(t), basename(path, '.gz'));
  await writeFile(file, gunzipSync(await readFile(join(SAMPLE, path))));
  const { status, stderr, lines } = await dumped(file);
  assert.equal(status, 0, stderr);
  assert.equal(lines.length, 63);
});

test('a faulty file: what stands before the fault, and status 1', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  const file = join(folder, pathOf('ledger', 127));
  const content = gunzipSync(await readFile(file));
  const [first] = await records(SAMPLE, pathOf('ledger', 127));
  await writeFile(file, gzipSync(content.subarray(0, 4 + first.length + 50)));
  const { status, stderr, lines } = await dumped(folder, 'ledger', '127');
  assert.equal(status, 1, stderr);
  assert.equal(lines.length, 1);
  assert.match(stderr, /ledger-0000007f\.xdr\.gz/);
});

test('what is not there: status 1, by name', { skip: noSample }, async (t) => {
  const { url } = await host(t, SAMPLE);
  for (const archive of [SAMPLE, url]) {
    const { status, stderr, lines } = await dumped(archive, 'ledger', '100000', '--json');
    assert.equal(status, 1, stderr);
    assert.match(stderr, /ledger-000186bf\.xdr\.gz/);
    assert.equal(lines.at(-1).type, 'error');
  }
});

test('a host that is broken: status 2', async (t) => {
  const url = await server(t, (_, response) => response.writeHead(500).end('oops'));
  const { status, stderr } = await dumped(url, 'ledger', '63');
  assert.equal(status, 2, stderr);
  assert.match(stderr, /500/);
});

test('what is no file of an archive is refused', { skip: noSample }, async () => {
  for (const path of ['../secret', 'notes.txt', 'ledger/00/00/00/ledger-0000003f.xdr.gz/..']) {
    const { status, stderr } = await dumped(SAMPLE, path);
    assert.equal(status, 2, path);
    assert.doesNotMatch(stderr, /at .*\.mjs:/);
  }
});

test('a reader that goes away ends it quietly', { skip: noSample }, async () => {
  const { path } = await bucket();
  const child = spawn(process.execPath, [CLI, 'dump', SAMPLE, path]);
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  child.stdout.destroy();
  await once(child, 'close');
  assert.equal(stderr, '');
});
