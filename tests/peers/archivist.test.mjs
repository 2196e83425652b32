/**
 * What stellar-archivist makes of what this program writes, and this program of what stellar-archivist writes. Its path is in
 * STELLAR_ARCHIVIST, where `npm test -- --peers` puts it.
 *
 * Both write and read the same plans; either must mend what the other found.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import { KINDS, ROOT_FILE, assertSame, assertSound, bucketPath, bucketsOf, essence, visible } from '../node/copies.mjs';
import { SAMPLE, SAMPLE_CHECKPOINTS, SAMPLE_NETWORK, archive, cli, host, jsonLines, ledgers, lie, noData, noSample, pathOf, sampleCopy, temporary } from '../node/support.mjs';

const PEER = process.env.STELLAR_ARCHIVIST ?? '';
const noPeer = PEER !== '' && existsSync(PEER) ? false : 'STELLAR_ARCHIVIST names no stellar-archivist: npm test -- --peers';
const skip = noPeer || noSample;
const url = (folder) => pathToFileURL(folder).href;

/** Runs stellar-archivist to its end. */
async function archivist(...words) {
  const child = spawn(PEER, words, { timeout: 300_000, killSignal: 'SIGKILL' });
  let output = '';
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output += text));
  const [status, signal] = await once(child, 'close');
  return { status: status ?? signal, output };
}

/** Asserts that it finds nothing wrong. */
async function assertPasses(folder, ...words) {
  const { status, output } = await archivist('--verify', 'scan', url(folder), ...words);
  assert.equal(status, 0, output);
}

async function ours(...words) {
  const { status, stdout, stderr } = await cli([...words, '--json'], { timeout: 300_000 });
  const last = jsonLines(stdout).at(-1);
  assert.equal(last.type, 'report', stdout + stderr);
  return { status, report: last.report };
}

/** A copy of the sample archive with faults of every kind that both programs look for; and where they are. */
async function broken(t) {
  const folder = await sampleCopy(t);
  const [first, , , fourth] = [...visible(SAMPLE).keys()].filter((path) => path.startsWith('bucket/'));
  const wrong = [pathOf('ledger', 63), pathOf('transactions', 127), pathOf('results', 191), pathOf('history', 255), pathOf('ledger', 319), first, fourth];
  await rm(join(folder, wrong[0]));
  await truncate(join(folder, wrong[1]), 40);
  await writeFile(join(folder, wrong[2]), '');
  await rm(join(folder, wrong[3]));
  await truncate(join(folder, wrong[4]), 60);
  await writeFile(join(folder, wrong[5]), lie(await readFile(join(folder, wrong[5])), 9));
  await rm(join(folder, wrong[6]));
  return { folder, wrong };
}

const listed = ({ files, buckets }) => [
  ...Object.entries(files).flatMap(([checkpoint, kinds]) => kinds.map((kind) => pathOf(kind, Number(checkpoint)))), ...buckets.map(bucketPath),
];

describe('what we write', { skip }, () => {
  test('a mirror of the sample archive passes', async (t) => {
    const folder = join(await temporary(t), 'copy');
    assert.equal((await ours('mirror', SAMPLE, folder)).status, 0);
    await assertPasses(folder);
  });

  test('part of an archive passes', async (t) => {
    const folder = join(await temporary(t), 'part');
    assert.equal((await ours('mirror', SAMPLE, folder, '--low', '128', '--high', '255')).status, 0);
    // It rounds down, to the checkpoint before.
    await assertPasses(folder, '--low', '191', '--high', '255');
  });

  test('what new-hist and publish made passes', async (t) => {
    const folder = join(await temporary(t), 'published');
    assert.equal((await cli(['new-hist', folder, '--network', SAMPLE_NETWORK])).status, 0);
    for (const checkpoint of SAMPLE_CHECKPOINTS) assert.equal((await cli(['publish', SAMPLE, folder, '--ledger', String(checkpoint)])).status, 0);
    await assertPasses(folder);
  });

  test('a mirror of a real archive passes, and is the same in every file and every bucket', { skip: noData }, async (t) => {
    const source = archive('testnet-p22');
    const folder = join(await temporary(t), 'copy');
    const { status, report } = await ours('mirror', source, folder);
    assert.equal(status, 0, report.statement);
    const { low, high } = await ledgers(source);
    await assertPasses(folder, '--low', String(Math.max(low, 63)), '--high', String(high));
    const [copy, original] = [visible(folder), visible(source)];
    assert.equal(assertSound(copy, { low }), high);
    for (const [path, bytes] of copy) if (path.endsWith('.gz')) assert.ok(bytes.equals(original.get(path)), path);
    for (const [path, bytes] of original) {
      if (path.endsWith('.json')) assert.deepEqual(essence(JSON.parse(copy.get(path))), essence(JSON.parse(bytes)), path);
    }
    for (const kind of KINDS.filter((kind) => kind !== 'bucket')) assert.equal([...copy.keys()].filter((path) => path.startsWith(`${kind}/`)).length, [...original.keys()].filter((path) => path.startsWith(`${kind}/`)).length, kind);
    const named = new Set([...original].filter(([path]) => path.startsWith('history/')).flatMap(([, bytes]) => bucketsOf(JSON.parse(bytes))));
    assert.deepEqual([...copy.keys()].filter((path) => path.startsWith('bucket/')).toSorted(), [...named].map(bucketPath).toSorted());
  });

  test('is the same as its own mirror', async (t) => {
    const parent = await temporary(t);
    const [mine, its] = [join(parent, 'mine'), join(parent, 'its')];
    assert.equal((await ours('mirror', SAMPLE, mine)).status, 0);
    const { status, output } = await archivist('--verify', 'mirror', url(SAMPLE), url(its));
    assert.equal(status, 0, output);
    assertSame(visible(mine), visible(its), { states: 'buckets' });
  });

  test('is gone on with by it, and the other way round', async (t) => {
    const parent = await temporary(t);
    const [mine, its] = [join(parent, 'mine'), join(parent, 'its')];
    assert.equal((await ours('mirror', SAMPLE, mine, '--high', '127')).status, 0);
    assert.equal((await archivist('--verify', 'mirror', url(SAMPLE), url(mine))).status, 0);
    assert.equal((await archivist('--verify', 'mirror', url(SAMPLE), url(its), '--high', '127')).status, 0);
    assert.equal((await ours('mirror', SAMPLE, its)).status, 0);
    for (const folder of [mine, its]) assertSame(visible(folder), visible(SAMPLE), { states: 'buckets' });
  });
});

describe('plans', { skip }, () => {
  for (const [what, words] of [
    ['a verification', (folder, plan) => ['verify', folder, '--plan', plan]],
    ['a dry run', (folder, plan) => ['repair', SAMPLE, folder, '--dry-run', '--plan', plan]],
  ]) {
    test(`of ${what} of ours are taken by it, and mend`, async (t) => {
      const { folder, wrong } = await broken(t);
      const plan = join(await temporary(t), 'plan.json');
      await cli(words(folder, plan));
      const found = JSON.parse(await readFile(plan, 'utf8'));
      const whole = found.checkpoints.flatMap((checkpoint) => KINDS.map((kind) => pathOf(kind, checkpoint)));
      for (const path of wrong) assert.ok([...listed(found), ...whole].includes(path), `${path} in ${JSON.stringify(found)}`);
      const { status, output } = await archivist('--verify', 'repair', url(SAMPLE), url(folder), '--plan', plan);
      assert.equal(status, 0, output);
      assertSame(visible(folder), visible(SAMPLE), { states: 'buckets' });
      await assertPasses(folder);
    });
  }

  test('of a sound archive are taken by it', async (t) => {
    const folder = await sampleCopy(t);
    const plan = join(await temporary(t), 'plan.json');
    assert.equal((await cli(['verify', folder, '--plan', plan])).status, 0);
    const { status, output } = await archivist('--verify', 'repair', url(SAMPLE), url(folder), '--plan', plan);
    assert.equal(status, 0, output);
    assertSame(visible(folder), visible(SAMPLE));
  });

  test('of its scan are taken by ours, and mend', async (t) => {
    const { folder, wrong } = await broken(t);
    const plan = join(await temporary(t), 'found.json');
    const { status } = await archivist('--verify', '--report', plan, 'scan', url(folder));
    assert.notEqual(status, 0);
    const found = JSON.parse(await readFile(plan, 'utf8'));
    assert.equal(found.version, 1);
    const { status: mended, report } = await ours('repair', SAMPLE, folder, '--plan', plan);
    assert.equal(mended, 0, report.statement);
    const files = visible(folder);
    for (const path of listed(found)) assert.ok(files.has(path), path);
    // Its scan cannot see the buckets of a state that is not there; what it lists is mended, and one more scan finds the rest.
    const again = join(await temporary(t), 'again.json');
    await archivist('--verify', '--report', again, 'scan', url(folder));
    assert.equal((await ours('repair', SAMPLE, folder, '--plan', again)).status, 0);
    assertSame(visible(folder), visible(SAMPLE), { states: 'buckets' });
    assert.ok(wrong.length > 0);
  });

  test('of its repair, in several sections, are taken by ours', async (t) => {
    const { folder } = await broken(t);
    const lacking = await sampleCopy(t, 'source');
    await rm(join(lacking, pathOf('results', 191)));
    const plan = join(await temporary(t), 'left.json');
    await archivist('--verify', '--report', plan, 'repair', url(lacking), url(folder));
    const left = JSON.parse(await readFile(plan, 'utf8'));
    assert.equal(left.version, 1);
    assert.ok(left.sections !== undefined, JSON.stringify(left));
    const { status, report } = await ours('repair', SAMPLE, folder, '--plan', plan);
    assert.equal(status, 0, report.statement);
    assertSame(visible(folder), visible(SAMPLE), { states: 'buckets' });
  });

  test('of its dry run are taken by ours', async (t) => {
    const { folder } = await broken(t);
    const plan = join(await temporary(t), 'plan.json');
    await archivist('--verify', '--report', plan, 'repair', url(SAMPLE), url(folder), '--dry-run');
    assert.ok(existsSync(plan));
    assert.equal((await ours('repair', SAMPLE, folder, '--plan', plan)).status, 0);
    assertSame(visible(folder), visible(SAMPLE), { states: 'buckets' });
  });

  test('a newest state that is broken is mended by either, from the other\'s plan', async (t) => {
    const folder = await sampleCopy(t);
    const plan = join(await temporary(t), 'plan.json');
    await writeFile(join(folder, ROOT_FILE), '<html>');
    await cli(['repair', SAMPLE, folder, '--dry-run', '--plan', plan]);
    assert.equal(JSON.parse(await readFile(plan, 'utf8')).well_known, 319);
    const { status, output } = await archivist('--verify', 'repair', url(SAMPLE), url(folder), '--plan', plan);
    assert.equal(status, 0, output);
    assertSame(visible(folder), visible(SAMPLE), { states: 'buckets' });
  });
});

test('it mirrors over the network what we mirrored', { skip }, async (t) => {
  const parent = await temporary(t);
  const [mine, its] = [join(parent, 'mine'), join(parent, 'its')];
  assert.equal((await ours('mirror', SAMPLE, mine)).status, 0);
  const { url: address } = await host(t, mine);
  const { status, output } = await archivist('--verify', 'mirror', address.replace(/\/$/, ''), url(its));
  assert.equal(status, 0, output);
  assertSame(visible(its), visible(SAMPLE), { states: 'buckets' });
});
