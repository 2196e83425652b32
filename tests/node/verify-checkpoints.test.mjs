/** `verify-checkpoints` and `quorum-sets`: stellar-core's file of hashes, and who went by which quorum set. */
import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { directoryReader, recentQuorumSets, verifyCheckpoints } from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_CHECKPOINTS, SAMPLE_NETWORK, archive, cli, damage, headers, jsonLines, makeArchive, noData, noSample, pathOf, sampleCopy, temporary } from './support.mjs';

const hashOf = async (folder, checkpoint) => (await headers(folder, checkpoint)).at(-1).hash;

/** The file as stellar-core writes it, byte by byte. */
async function fileOf(folder, checkpoints) {
  const hashes = await Promise.all(checkpoints.map((checkpoint) => hashOf(folder, checkpoint)));
  return `[${checkpoints.map((checkpoint, index) => `\n[${checkpoint}, "${hashes[index]}"],`).join('')}\n[0, ""]\n]\n`;
}

const known = async (ledger = 319) => ['--history-ledger', String(ledger), '--history-hash', await hashOf(SAMPLE, ledger)];

test('the file from a hash that is known: newest first, byte by byte', { skip: noSample }, async (t) => {
  const file = join(await temporary(t), 'hashes.json');
  const { status, stdout, stderr } = await cli(['verify-checkpoints', SAMPLE, '--output-filename', file, ...(await known())]);
  assert.equal(status, 0, stderr);
  assert.equal(await readFile(file, 'utf8'), await fileOf(SAMPLE, SAMPLE_CHECKPOINTS.toReversed()));
  assert.match(stdout, /VERIFIED {2}the hashes of 5 checkpoints, ledgers 63 to 319/);
  assert.match(stdout, /down to the genesis ledger/);
  assert.deepEqual(await readdir(dirname(file)), ['hashes.json'], 'nothing else is left beside it');
});

test('the real test network from its seal alone', { skip: noData }, async (t) => {
  const file = join(await temporary(t), 'hashes.json');
  const { status, stdout } = await cli(['verify-checkpoints', archive('testnet-p22'), '--output-filename', file, '--json']);
  assert.equal(status, 0, stdout);
  const [written] = jsonLines(stdout);
  assert.equal(written.type, 'verify-checkpoints');
  assert.equal(written.output, file);
  assert.equal(written.json, undefined);
  // Ledger 3647 itself is not sealed yet.
  assert.equal(written.newest.ledger, 3583);
  assert.equal(written.count, 56);
  assert.equal(written.genesis, true);
  assert.deepEqual([written.anchor.kind, written.anchor.ledger, written.anchor.signers.length], ['seal', 3646, 3]);
  // What it writes is what `verify` takes.
  const { status: again, stdout: report } = await cli(['verify', archive('testnet-p22'), '--high', '1023', '--quorum-set', 'none', '--trusted-checkpoint-hashes', file, '--json']);
  assert.equal(again, 0);
  const { hashes } = jsonLines(report).at(-1).report.trust;
  assert.deepEqual(hashes, { given: 56, met: 16 });
});

test('an earlier file is gone on with, also in its own place', { skip: noSample }, async (t) => {
  const file = join(await temporary(t), 'hashes.json');
  await cli(['verify-checkpoints', SAMPLE, '--output-filename', file, ...(await known(191))]);
  assert.equal(await readFile(file, 'utf8'), await fileOf(SAMPLE, [191, 127, 63]));
  const { status, stdout } = await cli(['verify-checkpoints', SAMPLE, '--output-filename', file, '--trusted-hash-file', file, ...(await known())]);
  assert.equal(status, 0);
  assert.match(stdout, /down to ledger 191 of the earlier file/);
  assert.equal(await readFile(file, 'utf8'), await fileOf(SAMPLE, SAMPLE_CHECKPOINTS.toReversed()));
});

test('an earlier file of another history is refused, and nothing is written', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const [file, earlier] = [join(folder, 'hashes.json'), join(folder, 'earlier.json')];
  await writeFile(file, 'what was there before');
  await writeFile(earlier, `[[191, "${'0'.repeat(64)}"], [0, ""]]`);
  const { status, stderr } = await cli(['verify-checkpoints', SAMPLE, '--output-filename', file, '--trusted-hash-file', earlier, ...(await known())]);
  assert.notEqual(status, 0);
  assert.match(stderr, /191/);
  assert.equal(await readFile(file, 'utf8'), 'what was there before');
});

test('it stops where it is told to', { skip: noSample }, async (t) => {
  const file = join(await temporary(t), 'hashes.json');
  const { status } = await cli(['verify-checkpoints', SAMPLE, '--output-filename', file, '--from-ledger', '150', ...(await known())]);
  assert.equal(status, 0);
  // As in stellar-core: down to the checkpoint before, so that the ledger itself is among those that the list covers.
  assert.equal(await readFile(file, 'utf8'), await fileOf(SAMPLE, [319, 255, 191, 127]));
});

test('nobody vouches for it: status 2, what to do, and no file', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const file = join(folder, 'hashes.json');
  const { status, stderr, stdout } = await cli(['verify-checkpoints', SAMPLE, '--output-filename', file, '--json']);
  assert.equal(status, 2);
  assert.equal(jsonLines(stdout)[0].code, 'UNANCHORED');
  assert.match(stderr, /trust/);
  const forged = await makeArchive(join(folder, 'forged'), '--validators', '7', '--passphrase', 'Test SDF Network ; September 2015');
  const strangers = await cli(['verify-checkpoints', forged, '--output-filename', file]);
  assert.equal(strangers.status, 2);
  assert.match(strangers.stderr, /none of them is in the quorum set testnet/);
  await assert.rejects(readFile(file), { code: 'ENOENT' });
});

test('a broken chain: status 1, and no file', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  await damage(copy, pathOf('ledger', 127));
  const file = join(await temporary(t), 'hashes.json');
  const { status, stderr } = await cli(['verify-checkpoints', copy, '--output-filename', file, ...(await known())]);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /ledger-0000007f/);
  await assert.rejects(readFile(file), { code: 'ENOENT' });
});

test('hashes from JavaScript', { skip: noSample }, async () => {
  const hash = await hashOf(SAMPLE, 319);
  const { json, count, newest, oldest, anchor } = await verifyCheckpoints(directoryReader(SAMPLE), { historyLedger: 319, historyHash: hash });
  assert.equal(json, await fileOf(SAMPLE, SAMPLE_CHECKPOINTS.toReversed()));
  assert.deepEqual({ count, newest, oldest: oldest.ledger, anchor }, { count: 5, newest: { ledger: 319, hash }, oldest: 63, anchor: { kind: 'trusted-hash', ledger: 319, hash } });
  await assert.rejects(verifyCheckpoints(directoryReader(SAMPLE), { historyLedgr: 1 }), ({ code }) => code === 'USAGE');
});

test('the quorum sets of the sample network', { skip: noSample }, async () => {
  const { status, stdout } = await cli(['quorum-sets', SAMPLE, '--json']);
  assert.equal(status, 0);
  const [found, ...more] = jsonLines(stdout);
  assert.deepEqual(more, []);
  assert.equal(found.network, SAMPLE_NETWORK);
  assert.equal(found.nodes.length, 4);
  const [{ hash, quorumSet }] = found.quorumSets;
  assert.deepEqual([quorumSet.threshold, quorumSet.validators.length], [3, 4]);
  assert.ok(found.nodes.every((node) => node.quorumSet === hash && node.lastLedger > 250 && quorumSet.validators.includes(node.node)));

  const people = await cli(['quorum-sets', SAMPLE, '--last', '2']);
  assert.match(people.stdout, /ledgers 192 to 319 · .* · 2 scp files read/);
  assert.match(people.stdout, /^node .* organisation +quorum set +shape +last ledger +messages$/m);
  assert.ok(people.stdout.includes(`${hash.slice(0, 8)}  3 of 4, of 4 nodes`), people.stdout);
});

test('the quorum sets of the real test network, with names', { skip: noData }, async () => {
  const { stdout } = await cli(['quorum-sets', archive('testnet-p22'), '--last', '4']);
  for (const part of ['SDF testnet 1', 'SDF', '2 of 3', '3647']) assert.ok(stdout.includes(part), stdout);
  const found = await recentQuorumSets(directoryReader(archive('testnet-p22')), { last: 1, high: 127 });
  assert.deepEqual([found.low, found.high, found.nodes.length], [64, 127, 3]);
});

test('scp files that are not there are no fault, those that are damaged are', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  await rm(join(copy, pathOf('scp', 319)));
  const without = await cli(['quorum-sets', copy]);
  assert.equal(without.status, 0, without.stderr);
  assert.match(without.stdout, /4 scp files read, 1 not in the archive/);
  await writeFile(join(copy, pathOf('scp', 255)), 'no gzip');
  const broken = await cli(['quorum-sets', copy]);
  assert.equal(broken.status, 1, broken.stdout);
  assert.match(broken.stdout, /scp-000000ff/);
});
