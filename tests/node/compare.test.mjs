/** `compare`: who agrees with whom, who lacks what, who is provably wrong and who is merely different. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { compareArchives, directoryReader } from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_NETWORK, archive, cli, damage, headers, jsonLines, makeArchive, noData, noSample, pathOf, rollBack, sampleCopy, temporary } from './support.mjs';

async function compared(...words) {
  const { status, stdout, stderr } = await cli(['compare', ...words, '--json']);
  const lines = jsonLines(stdout);
  assert.equal(lines.at(-1).type, 'report', stderr + stdout.slice(-300));
  return { status, lines, report: lines.at(-1).report };
}

const standings = ({ archives }) => archives.map(({ standing }) => standing);

async function ownQuorumSet(t, folder) {
  const [{ quorumSets: [{ quorumSet }] }] = jsonLines((await cli(['quorum-sets', folder, '--json'])).stdout);
  const path = join(await temporary(t), 'set.json');
  await writeFile(path, JSON.stringify(quorumSet));
  return path;
}

test('two that have the same', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  const { status, report, lines } = await compared(SAMPLE, copy);
  assert.equal(status, 0);
  assert.equal(report.verdict, 'agree');
  assert.deepEqual(standings(report), ['agrees', 'agrees']);
  assert.deepEqual(report.range, { low: 1, high: 319 });
  assert.deepEqual(report.disagreements, []);
  assert.deepEqual(lines.filter(({ type }) => type === 'checkpoint').map(({ checkpoint }) => checkpoint), [319, 255, 191, 127, 63]);
  const people = await cli(['compare', SAMPLE, copy]);
  assert.equal(people.status, 0);
  for (const part of [SAMPLE_NETWORK, 'ledgers 1 to 319', `✓ ${SAMPLE}  agrees`, 'AGREE', report.statement]) assert.ok(people.stdout.includes(part), `${part} in\n${people.stdout}`);
});

test('one that lacks files is no liar', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  await rm(join(copy, pathOf('transactions', 127)));
  await rm(join(copy, pathOf('transactions', 191)));
  const { status, report } = await compared(SAMPLE, copy);
  assert.equal(status, 1);
  assert.deepEqual(standings(report), ['agrees', 'lacks']);
  assert.deepEqual(report.missing, [{ archive: 1, kind: 'transactions', low: 127, high: 191, checkpoints: 2 }]);
  const people = await cli(['compare', SAMPLE, copy]);
  assert.match(people.stdout, /Missing\n {2}.*copy: transactions of 2 checkpoints from 127 \(0x0000007f\) to 191/);
});

test('one whose file contradicts its own headers', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  await damage(copy, pathOf('results', 127));
  const { status, report } = await compared(SAMPLE, copy);
  assert.equal(status, 1);
  assert.deepEqual(standings(report), ['agrees', 'faulty']);
  const people = await cli(['compare', SAMPLE, copy]);
  assert.match(people.stdout, /✗ .*copy {2}faulty: against its own headers/);
  assert.match(people.stdout, /results {2}checkpoint 127 \(0x0000007f\)/);
});

test('two histories: merely different without a seal, provably wrong with one', { skip: noSample }, async (t) => {
  const other = await makeArchive(join(await temporary(t), 'other'), '--seed', '9', '--validators', '7', '--passphrase', SAMPLE_NETWORK);
  const words = [SAMPLE, other, '--high', '127'];
  const different = await compared(...words);
  assert.equal(different.status, 1);
  assert.deepEqual(standings(different.report), ['differs', 'differs']);
  assert.equal(different.report.sealedThrough, null);

  const wrong = await compared(...words, '--quorum-set', await ownQuorumSet(t, SAMPLE));
  assert.equal(wrong.status, 1);
  assert.deepEqual(standings(wrong.report), ['agrees', 'provably-wrong']);
  assert.equal(wrong.report.sealedThrough, 126);
  const people = await cli(['compare', ...words, '--quorum-set', await ownQuorumSet(t, SAMPLE)]);
  assert.match(people.stdout, /✗ .*other {2}provably wrong: against what is sealed/);
  assert.match(people.stdout, /seal: ledger 126 /);
  assert.match(people.stdout, /sealed {2}[0-9a-f]{64}/);
});

test('a trusted hash decides as well', { skip: noSample }, async (t) => {
  const other = await makeArchive(join(await temporary(t), 'other'), '--seed', '9', '--passphrase', SAMPLE_NETWORK);
  const { hash } = (await headers(SAMPLE, 127)).at(-1);
  const { report } = await compared(other, SAMPLE, '--high', '127', '--trusted-hash', `127:${hash}`);
  assert.deepEqual(standings(report), ['provably-wrong', 'agrees']);
});

test('an archive of another network is recognised', { skip: noSample }, async (t) => {
  const other = await makeArchive(join(await temporary(t), 'other'), '--passphrase', 'Another Network ; 2026');
  const { status, report } = await compared(SAMPLE, other, '--network', SAMPLE_NETWORK);
  assert.equal(status, 1);
  assert.equal(report.archives[1].standing, 'other-network');
});

test('one that lags is compared as far as it goes', { skip: noSample }, async (t) => {
  const behind = await sampleCopy(t, 'behind');
  await rollBack(behind, 191);
  const { status, report } = await compared(SAMPLE, behind);
  assert.equal(status, 0, report.statement);
  assert.equal(report.range.high, 191);
  assert.equal(report.archives[1].behind, 128);
});

test('the real test network against a copy of itself', { skip: noData }, async () => {
  const reader = directoryReader(archive('testnet-p22'));
  const report = await compareArchives([reader, { ...reader, name: 'the same again' }], { range: { high: 255 } });
  assert.equal(report.verdict, 'agree');
  assert.equal(report.sealedThrough, 254);
  await assert.rejects(compareArchives([reader]), ({ code }) => code === 'USAGE');
});

test('an exception of the listener ends a comparison and comes out again', { skip: noSample }, async () => {
  const reader = directoryReader(SAMPLE);
  const failure = new Error('enough');
  await assert.rejects(compareArchives([reader, { ...reader, name: 'again' }], {}, () => {
    throw failure;
  }), failure);
});

test('a comparison that is stopped says what it compared until then', { skip: noSample }, async () => {
  const reader = directoryReader(SAMPLE);
  const stop = new AbortController();
  const report = await compareArchives([reader, { ...reader, name: 'again' }], { signal: stop.signal, concurrency: 1 }, ({ type }) => {
    if (type === 'checkpoint') stop.abort();
  });
  assert.equal(report.complete, false);
  assert.equal(report.verdict, 'incomplete');
  assert.ok(report.checkpoints.done >= 1 && report.checkpoints.done < report.checkpoints.total, JSON.stringify(report.checkpoints));
});
