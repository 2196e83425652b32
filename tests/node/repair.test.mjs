/** Repairs: what is missing or faulty is replaced by what is sound, and nothing else is touched; plans, there and back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { directoryReader, init, repairArchive, repairPlan, verifyArchive } from '../../dist/node.mjs';
import {
  CHECKPOINT_KINDS, ROOT_FILE, assertSame, bucketPath, bucketsOf, byKind, essence, place, reader, refusal, times, visible,
} from './copies.mjs';
import { SAMPLE, SAMPLE_NETWORK, cli, jsonLines, lie, makeArchive, noSample, pathOf, sampleCopy, temporary } from './support.mjs';

const skip = noSample;
const FILES = noSample ? new Map() : visible(SAMPLE);
const BUCKETS = [...FILES.keys()].filter((path) => path.startsWith('bucket/'));
const said = (report) => JSON.stringify({ ...report, verification: { ...report.verification, metrics: undefined, meaning: undefined } });

if (!noSample) await init();

async function repaired(...words) {
  const { status, stdout, stderr } = await cli(['repair', ...words, '--json']);
  const last = jsonLines(stdout).at(-1);
  assert.equal(last.type, 'report', stdout + stderr);
  return { status, stderr, report: last.report };
}

/** A repair of files in memory. */
async function mended(sources, files, options = {}) {
  const destination = place(files, { name: 'mine' });
  const report = await repairArchive(sources, destination, options).report;
  return { report, written: destination.written };
}

/** What a file is damaged by; each is a fault that every file of its kind shows. */
const DAMAGES = {
  missing: () => undefined,
  truncated: (bytes) => bytes.subarray(0, bytes.length >> 1),
  empty: () => Buffer.alloc(0),
  flipped: (bytes, path) => {
    if (path.endsWith('.json')) return Buffer.from(String(bytes).replace(/[1-9a-f](?=[0-9a-f]{63}")/, (digit) => (digit === '1' ? '2' : '1')));
    // No hash covers messages; a mark that promises too much is a fault in any file.
    return lie(bytes, path.startsWith('scp/') ? 0 : 100);
  },
};

function damaged(changes) {
  const files = new Map(FILES);
  for (const [path, damage] of changes) {
    const bytes = damage(files.get(path), path);
    if (bytes === undefined) files.delete(path);
    else files.set(path, bytes);
  }
  return files;
}

describe('one fault at a time', { skip }, () => {
  const paths = [...CHECKPOINT_KINDS.map((kind) => pathOf(kind, 191)), BUCKETS[0]];
  for (const path of paths) {
    for (const [name, damage] of Object.entries(DAMAGES)) {
      test(`${path.split('/')[0]}: ${name}`, async () => {
        const files = damaged([[path, damage]]);
        const { report, written } = await mended(reader(FILES, 'good'), files);
        assert.equal(report.verdict, 'complete', said(report));
        assert.equal(report.task, 'repair');
        assertSame(files, FILES);
        assert.deepEqual(written, [path], 'nothing else was touched');
        const [file, ...others] = report.files;
        assert.deepEqual([{ ...file, message: null }, ...others], [{ path, problem: name === 'missing' ? 'missing' : 'faulty', outcome: 'written', from: 'good', message: null }]);
        assert.equal(file.message !== null, name !== 'missing', 'what was wrong with it');
        assert.deepEqual(report.written.byKind, byKind([path]));
        assert.equal(report.written.bytes, String(FILES.get(path).length));
        const kept = byKind([...FILES.keys()].filter((other) => other !== path));
        assert.deepEqual(report.kept, kept);
        assert.equal(report.wellKnown.status, 'kept');
      });
    }
  }

  for (const [name, damage] of Object.entries({
    'missing': () => undefined,
    'cut short': (bytes) => bytes.subarray(0, 100),
    'a web page': () => Buffer.from('<html>not here</html>'),
    'of other buckets': (bytes) => DAMAGES.flipped(bytes, ROOT_FILE),
  })) {
    test(`.well-known: ${name}`, async () => {
      const files = damaged([[ROOT_FILE, damage]]);
      const { report, written } = await mended(reader(FILES, 'good'), files);
      assert.equal(report.verdict, 'complete', said(report));
      assert.deepEqual(written, [ROOT_FILE]);
      assert.deepEqual(essence(JSON.parse(files.get(ROOT_FILE))), essence(JSON.parse(FILES.get(ROOT_FILE))));
      assert.deepEqual(report.wellKnown, { status: 'written', ledger: 319, reason: report.wellKnown.reason });
    });
  }

  test('a bucket in another\'s place', async () => {
    const files = damaged([[BUCKETS[1], () => FILES.get(BUCKETS[2])]]);
    const { report, written } = await mended(reader(FILES, 'good'), files);
    assert.equal(report.verdict, 'complete', said(report));
    assert.deepEqual(written, [BUCKETS[1]]);
    assertSame(files, FILES);
  });

  test('a ledger file of another checkpoint', async () => {
    const path = pathOf('ledger', 127);
    const files = damaged([[path, () => FILES.get(pathOf('ledger', 191))]]);
    const { report } = await mended(reader(FILES, 'good'), files);
    assert.equal(report.verdict, 'complete', said(report));
    assertSame(files, FILES);
  });
});

describe('many faults', { skip }, () => {
  const wrong = [
    [pathOf('ledger', 63), DAMAGES.flipped], [pathOf('transactions', 63), DAMAGES.missing], [pathOf('results', 127), DAMAGES.truncated],
    [pathOf('history', 191), DAMAGES.truncated], [pathOf('scp', 255), DAMAGES.missing], [pathOf('ledger', 319), DAMAGES.missing],
    [BUCKETS[0], DAMAGES.flipped], [BUCKETS[3], DAMAGES.missing], [ROOT_FILE, DAMAGES.truncated],
  ];

  async function broken(t) {
    const folder = await sampleCopy(t);
    for (const [path, damage] of wrong) {
      const bytes = damage(FILES.get(path), path);
      await (bytes === undefined ? rm(join(folder, path)) : writeFile(join(folder, path), bytes));
    }
    return folder;
  }
  const paths = wrong.map(([path]) => path);

  test('are mended in one run of the command, which says what it did', async (t) => {
    const folder = await broken(t);
    const { status, stdout } = await cli(['repair', SAMPLE, folder]);
    assert.equal(status, 0, stdout);
    for (const path of paths.filter((other) => other !== ROOT_FILE)) assert.match(stdout, new RegExp(`✓ ${path}  (missing|faulty), written`));
    assert.match(stdout, /Mended\n/);
    assert.match(stdout, /COMPLETE/);
    assertSame(visible(folder), FILES, { states: 'buckets' });
    assert.equal((await cli(['verify', folder])).status, 0);

    const before = times(folder);
    const { status: second, report } = await repaired(SAMPLE, folder);
    assert.equal(second, 0);
    assert.deepEqual([report.written.files, report.files], [0, []], 'there is nothing left to do');
    assert.deepEqual(times(folder), before);
  });

  test('are only listed by a dry run, and its plan mends them', async (t) => {
    const folder = await broken(t);
    const before = visible(folder);
    const plan = join(await temporary(t), 'plan.json');
    const { status, report } = await repaired(SAMPLE, folder, '--dry-run', '--plan', plan);
    assert.equal(status, 0, said(report));
    assertSame(visible(folder), before);
    assert.equal(report.dryRun, true);
    assert.deepEqual(report.files.map(({ path }) => path).toSorted(), paths.filter((path) => path !== ROOT_FILE).toSorted());
    for (const { outcome } of report.files) assert.equal(outcome, 'planned');
    assert.deepEqual(report.written.byKind, byKind(paths));
    assert.equal(report.wellKnown.status, 'planned');
    const written = JSON.parse(await readFile(plan, 'utf8'));
    assert.deepEqual(written, report.plan);
    assert.deepEqual(Object.keys(written), ['version', 'well_known', 'files', 'buckets', 'checkpoints', 'summary']);
    assert.equal(written.version, 1);
    assert.equal(written.well_known, 319);

    const { status: applied, report: done } = await repaired(SAMPLE, folder, '--plan', plan);
    assert.equal(applied, 0, said(done));
    assertSame(visible(folder), FILES, { states: 'buckets' });
    assert.equal((await cli(['verify', folder])).status, 0);
  });

  test('are mended by the plan of a verification', async (t) => {
    const folder = await broken(t);
    const plan = join(await temporary(t), 'plan.json');
    // Without its newest state an archive does not say how far it goes.
    const { status } = await cli(['verify', folder, '--high', '319', '--plan', plan]);
    assert.equal(status, 1);
    const written = JSON.parse(await readFile(plan, 'utf8'));
    assert.notDeepEqual([written.files, written.buckets, written.checkpoints], [{}, [], []]);
    const { status: applied, report } = await repaired(SAMPLE, folder, '--plan', plan);
    assert.equal(applied, 0, said(report));
    // A missing file of messages is no fault of an archive.
    const essential = (path) => !path.startsWith('scp/');
    assertSame(visible(folder), FILES, { states: 'buckets', path: essential });
  });

  test('of one range are mended in it', async (t) => {
    const folder = await broken(t);
    const { status, report } = await repaired(SAMPLE, folder, '--low', '64', '--high', '191');
    assert.equal(status, 0, said(report));
    const files = visible(folder);
    for (const path of [pathOf('results', 127), pathOf('history', 191)]) assert.ok(files.get(path)?.equals(FILES.get(path)), path);
    assert.ok(!files.has(pathOf('ledger', 319)) && !files.has(pathOf('transactions', 63)), 'what lies outside stays as it was');
  });

  test('are mended from two sources that have other faults', async () => {
    const first = reader(damaged([[pathOf('ledger', 63), DAMAGES.flipped], [BUCKETS[3], DAMAGES.flipped]]), 'first');
    const second = reader(damaged([[pathOf('results', 127), DAMAGES.missing], [BUCKETS[0], DAMAGES.truncated]]), 'second');
    const files = damaged(wrong);
    const { report } = await mended([first, second], files);
    assert.equal(report.verdict, 'complete', said(report));
    assertSame(files, FILES, { states: 'buckets' });
    const from = new Map(report.files.map((file) => [file.path, file.from]));
    assert.deepEqual([pathOf('ledger', 63), BUCKETS[3], pathOf('results', 127), BUCKETS[0]].map((path) => from.get(path)), ['second', 'second', 'first', 'first']);
  });

  test('that no source has sound stay, and are said', async () => {
    const path = pathOf('results', 127);
    const source = reader(damaged([[path, DAMAGES.flipped]]), 'source');
    const files = damaged(wrong);
    const before = files.get(path);
    const { report, written } = await mended(source, files);
    assert.equal(report.verdict, 'faulty', said(report));
    assert.ok(report.files.some((file) => file.path === path && file.outcome === 'no-sound-source'));
    assert.ok(!written.includes(path) && files.get(path).equals(before), 'nothing unsound takes the place of what was there');
    for (const other of [pathOf('ledger', 63), pathOf('history', 191), BUCKETS[0]]) assert.ok(files.get(other).equals(FILES.get(other)), other);
    const { files: left, buckets, checkpoints } = report.plan;
    assert.ok(left[127]?.includes('results') || checkpoints.includes(127), JSON.stringify({ left, buckets, checkpoints }));
  });

  test('that cannot be written are said, and the rest is mended', async () => {
    const path = pathOf('results', 127);
    const files = damaged(wrong);
    const destination = place(files, { on: (put) => {
      if (put.path === path) throw refusal(403);
    } });
    const report = await repairArchive(reader(FILES), destination).report;
    assert.equal(report.verdict, 'incomplete', said(report));
    assert.ok(report.files.some((file) => file.path === path && file.outcome === 'failed' && file.message !== null));
    assert.ok(files.get(pathOf('ledger', 63)).equals(FILES.get(pathOf('ledger', 63))));
  });
});

describe('plans', { skip }, () => {
  test('of several sections, as stellar-archivist leaves them, are taken', async () => {
    const path = pathOf('transactions', 127);
    const section = (fields) => ({ well_known: null, files: {}, buckets: [], checkpoints: [], summary: { succeeded: 1, skipped: 0, failed: 1, retries: 0 }, ...fields });
    const plan = JSON.stringify({ version: 1, sections: { main_pass: section({ files: { 127: ['transactions'] } }), file_retry: section({ buckets: [/bucket-([0-9a-f]+)/.exec(BUCKETS[0])[1]] }) } });
    const files = damaged([[path, DAMAGES.flipped], [BUCKETS[0], DAMAGES.missing], [pathOf('results', 255), DAMAGES.missing]]);
    const { report } = await mended(reader(FILES), files, { plan });
    assert.ok(files.get(path).equals(FILES.get(path)) && files.get(BUCKETS[0])?.equals(FILES.get(BUCKETS[0])), said(report));
    assert.ok(!files.has(pathOf('results', 255)), 'it is in no section');
  });

  test('are no reason to write what is not sound', async () => {
    const path = pathOf('transactions', 127);
    const plan = JSON.stringify({ version: 1, well_known: null, files: { 127: ['transactions'] }, buckets: [], checkpoints: [] });
    const files = new Map(FILES);
    const { report } = await mended(reader(damaged([[path, DAMAGES.flipped]])), files, { plan });
    assertSame(files, FILES);
    assert.notEqual(report.verdict, 'incomplete', said(report));
  });

  test('of a whole checkpoint mend all of it', async () => {
    const plan = JSON.stringify({ version: 1, well_known: null, files: {}, buckets: [], checkpoints: [191] });
    const files = damaged(CHECKPOINT_KINDS.map((kind) => [pathOf(kind, 191), DAMAGES.truncated]));
    const { report } = await mended(reader(FILES), files, { plan });
    assert.equal(report.verdict, 'complete', said(report));
    assertSame(files, FILES);
  });

  test('come of reports, whatever was found', async () => {
    const report = await verifyArchive(reader(damaged([[pathOf('results', 127), DAMAGES.missing], [BUCKETS[0], DAMAGES.flipped], [pathOf('ledger', 191), DAMAGES.truncated]]))).report;
    const plan = repairPlan(report);
    assert.deepEqual(plan.files[127], ['results']);
    assert.ok(plan.files[191].includes('ledger'));
    assert.deepEqual(plan.buckets, [/bucket-([0-9a-f]+)/.exec(BUCKETS[0])[1]]);
    assert.equal(plan.well_known, null);
    assert.equal(plan.summary.failed, Object.values(plan.files).flat().length + plan.buckets.length);
    const sound = repairPlan(await verifyArchive(directoryReader(SAMPLE)).report);
    assert.deepEqual([sound.files, sound.buckets, sound.checkpoints, sound.well_known], [{}, [], [], null]);
  });

  test('may name a bucket that a broken state made up', async () => {
    const path = pathOf('history', 191);
    const files = damaged([[path, DAMAGES.flipped]]);
    const plan = repairPlan(await verifyArchive(reader(files)).report);
    assert.ok(plan.checkpoints.includes(191), JSON.stringify(plan));
    const { report } = await mended(reader(FILES), files, { plan: JSON.stringify(plan) });
    assert.equal(report.verdict, 'complete', 'no sound state names it, so nothing is missing');
    assertSame(files, FILES);
  });

  test('that make no sense are refused with the reason and the place', async (t) => {
    const folder = await sampleCopy(t);
    const before = visible(folder);
    const file = join(await temporary(t), 'plan.json');
    for (const [text, says] of [
      ['', /line 1/],
      ['{"version":2,"files":{},"buckets":[],"checkpoints":[]}', /version/],
      ['{"version":1,"files":{"64":["ledger"]},"buckets":[],"checkpoints":[]}', /64/],
      ['{"version":1,"files":{"63":["ledgers"]},"buckets":[],"checkpoints":[]}', /ledgers/],
      ['{"version":1,"files":{},"buckets":["xyz"],"checkpoints":[]}', /xyz/],
      [`{"version":1,"files":{},"buckets":[],"checkpoints":${'['.repeat(100_000)}`, /line 1/],
    ]) {
      await writeFile(file, text);
      const { status, stdout, stderr } = await cli(['repair', SAMPLE, folder, '--plan', file]);
      assert.equal(status, 2, stdout);
      assert.match(stderr, says, text.slice(0, 80));
      assert.match(stderr, /--plan/);
    }
    assert.match((await cli(['repair', SAMPLE, folder, '--plan', join(folder, 'none')])).stderr, /there is no file/);
    await assert.rejects(mended(reader(FILES), new Map(FILES), { plan: '{}', dryRun: true }), { code: 'USAGE' });
    await assert.rejects(mended(reader(FILES), new Map(FILES), { plan: '{}', range: { low: 1 } }), { code: 'USAGE' });
    assertSame(visible(folder), before);
  });
});

describe('what is refused before anything is written', { skip }, () => {
  for (const [what, options] of [
    ['another network', ['--passphrase', 'Another Network ; June 2026']],
    ['another history of the same network', ['--passphrase', SAMPLE_NETWORK, '--seed', '7']],
  ]) {
    test(`a destination with ${what}`, async (t) => {
      const folder = await makeArchive(join(await temporary(t), 'archive'), ...options);
      await truncate(join(folder, pathOf('results', 63)), 10);
      const before = visible(folder);
      const { status, stdout, stderr } = await cli(['repair', SAMPLE, folder]);
      assert.notEqual(status, 0, stdout);
      assert.match(stdout + stderr, /network|history/i);
      assertSame(visible(folder), before);
    });
  }

  test('a source of another network than was asked for', async (t) => {
    const folder = await sampleCopy(t);
    await rm(join(folder, pathOf('results', 63)));
    const before = visible(folder);
    const { status } = await cli(['repair', SAMPLE, folder, '--network', 'testnet']);
    assert.notEqual(status, 0);
    assertSame(visible(folder), before);
  });

  test('a destination that is not there', async (t) => {
    const folder = join(await temporary(t), 'none');
    const { status, stderr } = await cli(['repair', SAMPLE, folder]);
    assert.equal(status, 2);
    assert.match(stderr, /there is no folder/);
  });
});

describe('new archives', { skip }, () => {
  const HISTORY = 'history/00/00/00/history-00000000.json';
  const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

  test('are as stellar-core makes them', async (t) => {
    const folder = join(await temporary(t), 'new/archive');
    const { status, stdout } = await cli(['new-hist', folder, '--network', SAMPLE_NETWORK]);
    assert.equal(status, 0, stdout);
    assert.ok(stdout.includes(folder) && stdout.includes(SAMPLE_NETWORK));
    const files = visible(folder);
    assert.deepEqual([...files.keys()].toSorted(), [ROOT_FILE, HISTORY]);
    const state = JSON.parse(files.get(ROOT_FILE));
    assert.deepEqual(JSON.parse(files.get(HISTORY)), state);
    assert.equal(state.currentLedger, 0);
    assert.equal(state.networkPassphrase, SAMPLE_NETWORK);
    assert.deepEqual(bucketsOf(state), []);
    assert.equal(state.currentBuckets.length, 11);
    const zero = Buffer.alloc(32);
    for (const { curr, snap, next } of state.currentBuckets) assert.deepEqual([curr, snap, next], [zero.toString('hex'), zero.toString('hex'), { state: 0 }]);
    const level = sha256(Buffer.concat([zero, zero]));
    const list = sha256(Buffer.concat(Array.from({ length: 11 }, () => level))).toString('hex');
    assert.equal(list, 'fe05118472ded163eec364dac2e960ba8ac910689c88cead24b394962b13a1e6', 'what the headers of an empty network commit to');
    const status0 = await cli(['status', folder, '--json']);
    assert.equal(jsonLines(status0.stdout)[0].ledger, 0);
  });

  test('take no archive\'s place', async (t) => {
    const folder = await sampleCopy(t);
    const before = visible(folder);
    const { status, stderr } = await cli(['new-hist', folder, '--network', SAMPLE_NETWORK]);
    assert.equal(status, 2);
    assert.match(stderr, /already|exists|there/i);
    assertSame(visible(folder), before);
  });

  test('are filled checkpoint by checkpoint, or by a mirror', async (t) => {
    const parent = await temporary(t);
    const [published, copied] = [join(parent, 'published'), join(parent, 'copied')];
    for (const folder of [published, copied]) assert.equal((await cli(['new-hist', folder, '--network', SAMPLE_NETWORK])).status, 0);
    for (const [ledger, files] of [['63', 5], ['100', 5], ['0xbf', 5], ['255', 5], ['300', 5]]) {
      const { status, stdout, stderr } = await cli(['publish', SAMPLE, published, '--ledger', ledger, '--json']);
      assert.equal(status, 0, stdout + stderr);
      const [{ type, destinations: [{ written, error }] }] = jsonLines(stdout);
      assert.deepEqual([type, error], ['publish', null]);
      assert.ok(written.files >= files, stdout);
    }
    assert.equal((await cli(['mirror', SAMPLE, copied])).status, 0);
    for (const folder of [published, copied]) {
      assertSame(visible(folder), FILES, { states: 'buckets', path: (path) => path !== HISTORY });
      assert.equal((await cli(['verify', folder])).status, 0);
    }
  });

  test('get no checkpoint that is not sound', async (t) => {
    const parent = await temporary(t);
    const [source, folder] = [await sampleCopy(t), join(parent, 'archive')];
    await writeFile(join(source, pathOf('results', 127)), lie(FILES.get(pathOf('results', 127))));
    await cli(['new-hist', folder, '--network', SAMPLE_NETWORK]);
    const before = visible(folder);
    const { status, stderr } = await cli(['publish', source, folder, '--ledger', '127']);
    assert.equal(status, 1, stderr);
    assertSame(visible(folder), before);
  });
});
