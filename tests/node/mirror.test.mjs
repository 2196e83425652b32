/** Mirrors: what is copied is sound, whole and visible only then; what is there already is kept; places and sources that fail. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { directoryReader, estimateMirror, init, mirrorArchive } from '../../dist/node.mjs';
import {
  CHECKPOINT_KINDS, KINDS, ROOT_FILE, assertSame, assertSound, begun, bucketPath, bucketsOf, byKind, errno, essence, place, reader, refusal, times,
  visible,
} from './copies.mjs';
import {
  SAMPLE, SAMPLE_CHECKPOINTS, SAMPLE_NETWORK, archive, cli, host, jsonLines, lie, makeArchive, noData, noSample, pathOf, temporary,
} from './support.mjs';

const skip = noSample;
const FILES = noSample ? new Map() : visible(SAMPLE);
const TIP = SAMPLE_CHECKPOINTS.at(-1);
const count = (files) => [...files.keys()].filter((path) => path !== ROOT_FILE).length;
const weight = (files) => [...files].reduce((sum, [, bytes]) => sum + bytes.length, 0);
const said = (report) => JSON.stringify({ ...report, verification: { ...report.verification, metrics: undefined, meaning: undefined } });

if (!noSample) await init();

/** Runs `mirror` with `--json`: its report, and the events before it. */
async function mirrored(...words) {
  const { status, stdout, stderr } = await cli(['mirror', ...words, '--json']);
  const lines = jsonLines(stdout);
  assert.equal(lines.at(-1).type, 'report', stdout + stderr);
  return { status, stderr, report: lines.at(-1).report, events: lines.slice(0, -1) };
}

/** A mirror to a place that the test made. */
async function copied(sources, destination, options = {}) {
  const events = [];
  const run = mirrorArchive(sources, destination, options);
  for await (const event of run) events.push(event);
  return { report: await run.report, events };
}

/** The files of the checkpoints from `low` to `high`, with the buckets that they name, and the state of the last. */
function excerpt(files, low, high) {
  const checkpoints = SAMPLE_CHECKPOINTS.filter((checkpoint) => checkpoint >= low && checkpoint <= high);
  const paths = checkpoints.flatMap((checkpoint) => [
    ...CHECKPOINT_KINDS.map((kind) => pathOf(kind, checkpoint)),
    ...bucketsOf(JSON.parse(files.get(pathOf('history', checkpoint)))).map(bucketPath),
  ]);
  const found = [...new Set(paths)].filter((path) => files.has(path)).map((path) => [path, files.get(path)]);
  return new Map([...found, [ROOT_FILE, files.get(pathOf('history', checkpoints.at(-1)))]]);
}

describe('a sound archive', { skip }, () => {
  test('is copied byte by byte, and the report adds up', async (t) => {
    const folder = join(await temporary(t), 'new/copy');
    const { status, stderr, report, events } = await mirrored(SAMPLE, folder);
    assert.equal(status, 0, said(report));
    assert.equal(stderr, '');
    const copy = visible(folder);
    assertSame(copy, FILES);
    assert.equal(assertSound(copy, { optional: false }), TIP);
    assert.deepEqual(begun(folder), []);

    assert.equal(report.schema, 1);
    assert.equal(report.task, 'mirror');
    assert.equal(report.verdict, 'complete');
    assert.deepEqual(report.sources, [SAMPLE]);
    assert.equal(report.destination, folder);
    assert.equal(report.network, SAMPLE_NETWORK);
    assert.deepEqual(report.range, { low: 1, high: TIP });
    assert.equal(report.dryRun, false);
    assert.deepEqual(report.written.byKind, byKind(FILES.keys()));
    assert.deepEqual(report.kept, byKind([]));
    assert.deepEqual(report.wellKnown, { status: 'written', ledger: TIP, reason: null });
    assert.deepEqual([report.files, report.filesDropped], [[], 0]);
    assert.deepEqual(report.plan, { version: 1, well_known: null, files: {}, buckets: [], checkpoints: [], summary: report.plan.summary });
    assert.equal(report.verification.verdict, 'verified');
    assert.ok([count(FILES), FILES.size].includes(report.written.files), `${report.written.files} files`);
    assert.ok(Number(report.written.bytes) >= weight(FILES) - FILES.get(ROOT_FILE).length && Number(report.written.bytes) <= weight(FILES), report.written.bytes);

    const progress = events.filter(({ type }) => type === 'progress').map(({ written }) => written);
    assert.ok(progress.length > 0 && progress.every((written) => written !== undefined), 'the progress of a mirror says what was written');
    for (const [index, { files }] of progress.entries()) assert.ok(index === 0 || files >= progress[index - 1].files, 'it only grows');
    assert.ok(report.written.files - progress.at(-1).files <= 1, 'all but the newest state, which is written last');
  });

  test('is left as it is by a second run', async (t) => {
    const folder = join(await temporary(t), 'copy');
    assert.equal((await mirrored(SAMPLE, folder)).status, 0);
    const before = times(folder);
    const { status: resumed, report: rest } = await mirrored(SAMPLE, folder);
    assert.equal(resumed, 0, said(rest));
    assert.deepEqual([rest.range, rest.written.files], [{ low: 256, high: TIP }, 0], 'it goes on where the copy ends');
    const { status, report } = await mirrored(SAMPLE, folder, '--low', '1');
    assert.equal(status, 0, said(report));
    assert.equal(report.verdict, 'complete');
    assert.deepEqual(report.written, { files: 0, bytes: '0', byKind: byKind([]) });
    assert.deepEqual(report.kept, byKind(FILES.keys()));
    assert.deepEqual(report.wellKnown, { status: 'kept', ledger: TIP, reason: null });
    assert.deepEqual(times(folder), before, 'nothing was touched');
  });

  test('is written anew where that is asked for', async (t) => {
    const folder = join(await temporary(t), 'copy');
    await mirrored(SAMPLE, folder);
    const { status, report } = await mirrored(SAMPLE, folder, '--overwrite');
    assert.equal(status, 0, said(report));
    assert.deepEqual(report.written.byKind, byKind(FILES.keys()));
    assert.deepEqual(report.kept, byKind([]));
    assertSame(visible(folder), FILES);
  });

  test('is finished where a copy is not whole, and only what is missing is written', async (t) => {
    const folder = join(await temporary(t), 'copy');
    await mirrored(SAMPLE, folder);
    const gone = [ROOT_FILE, pathOf('ledger', 127), pathOf('scp', 191), pathOf('history', 319), ...[...FILES.keys()].filter((path) => path.startsWith('bucket/')).slice(0, 3)];
    for (const path of gone) await rm(join(folder, path));
    const { status, report } = await mirrored(SAMPLE, folder);
    assert.equal(status, 0, said(report));
    assertSame(visible(folder), FILES);
    assert.deepEqual(report.written.byKind, byKind(gone));
    assert.equal(report.wellKnown.status, 'written');
  });

  test('takes the place of what is faulty in a copy', async (t) => {
    const folder = join(await temporary(t), 'copy');
    await mirrored(SAMPLE, folder);
    const [bucket] = [...FILES.keys()].filter((path) => path.startsWith('bucket/'));
    const wrong = [pathOf('ledger', 127), pathOf('results', 191), pathOf('transactions', 255), bucket];
    await truncate(join(folder, wrong[0]), 50);
    await writeFile(join(folder, wrong[1]), '');
    await writeFile(join(folder, wrong[2]), lie(FILES.get(wrong[2])));
    await writeFile(join(folder, wrong[3]), lie(FILES.get(wrong[3]), 9));
    const { status, report } = await mirrored(SAMPLE, folder, '--low', '1');
    assert.equal(status, 0, said(report));
    assertSame(visible(folder), FILES);
    assert.deepEqual(report.files.map(({ path }) => path).toSorted(), wrong.toSorted());
    for (const { path, problem, outcome, message } of report.files) {
      assert.deepEqual([problem, outcome], ['faulty', 'written'], path);
      assert.ok(message.length > 10, `${path}: what was wrong with it`);
    }
    assert.deepEqual(report.written.byKind, byKind(wrong));
  });

  test('is copied in part, and the part is an archive', async (t) => {
    for (const [low, high, words] of [[1, 127, ['--high', '100']], [128, 255, ['--low', '130', '--high', '0xff']], [192, 319, ['--low', '192']]]) {
      const folder = join(await temporary(t), 'part');
      const { status, report } = await mirrored(SAMPLE, folder, ...words);
      assert.equal(status, 0, said(report));
      assert.deepEqual(report.range, { low, high });
      assert.equal(report.wellKnown.ledger, high);
      const part = visible(folder);
      assertSame(part, excerpt(FILES, low, high), { states: 'buckets' });
      assert.equal(assertSound(part, { low }), high);
      assert.equal((await cli(['verify', folder])).status, 0);
    }
  });

  test('is gone on with from where a copy ends', async (t) => {
    const folder = join(await temporary(t), 'part');
    await mirrored(SAMPLE, folder, '--high', '127');
    const { status, report } = await mirrored(SAMPLE, folder, '--low', '128');
    assert.equal(status, 0, said(report));
    assertSame(visible(folder), FILES);
  });

  test('is not copied with a hole before it, unless that is asked for', async (t) => {
    const folder = join(await temporary(t), 'part');
    await mirrored(SAMPLE, folder, '--high', '127');
    const before = visible(folder);
    const refused = await cli(['mirror', SAMPLE, folder, '--low', '256']);
    assert.equal(refused.status, 2, refused.stdout);
    assert.match(refused.stderr, /--allow-mirror-gaps|allowGaps/);
    assertSame(visible(folder), before);
    const { status, report } = await mirrored(SAMPLE, folder, '--low', '256', '--allow-mirror-gaps');
    assert.equal(status, 0, said(report));
    assert.equal(report.wellKnown.ledger, TIP);
    assert.ok(existsSync(join(folder, pathOf('ledger', 319))) && !existsSync(join(folder, pathOf('ledger', 191))));
  });

  test('goes no further back than a copy that is ahead', async (t) => {
    const folder = join(await temporary(t), 'copy');
    await mirrored(SAMPLE, folder);
    const { status, report } = await mirrored(SAMPLE, folder, '--high', '127');
    assert.equal(status, 0, said(report));
    assert.equal(essence(JSON.parse(await readFile(join(folder, ROOT_FILE)))).currentLedger, TIP, 'the newest state stays');
    assertSame(visible(folder), FILES);
  });

  test('is copied without what is optional', async (t) => {
    const folder = join(await temporary(t), 'copy');
    const { status, report } = await mirrored(SAMPLE, folder, '--skip-optional');
    assert.equal(status, 0, said(report));
    assert.equal(report.written.byKind.scp, 0);
    assertSame(visible(folder), new Map([...FILES].filter(([path]) => !path.startsWith('scp/'))));
  });

  test('comes over the network as well, and as slowly as is asked for', async (t) => {
    const { url } = await host(t, SAMPLE);
    const folder = join(await temporary(t), 'copy');
    const { status, report } = await mirrored(url, folder, '--bandwidth-limit', String(weight(FILES)));
    assert.equal(status, 0, said(report));
    assertSame(visible(folder), FILES);
    assert.ok(report.elapsedMs >= 500, `what takes a second took ${report.elapsedMs} ms`);
  });

  test('is told to people', async (t) => {
    const folder = join(await temporary(t), 'copy');
    const { status, stdout, stderr } = await cli(['mirror', SAMPLE, folder]);
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '', 'no bar where there is no terminal');
    for (const part of [`${SAMPLE} → ${folder}`, SAMPLE_NETWORK, 'ledgers 1 to 319', 'written', 'kept', 'the newest state of ledger 319 was written', 'COMPLETE']) {
      assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
    }
    const quiet = await cli(['mirror', SAMPLE, folder, '-q']);
    assert.equal(quiet.status, 0);
    assert.match(quiet.stdout, /^COMPLETE {2}0 files written[^\n]*\n$/);
  });

  test('leaves a report', async (t) => {
    const folder = await temporary(t);
    const file = join(folder, 'report.json');
    assert.equal((await cli(['mirror', SAMPLE, join(folder, 'copy'), '--report', file])).status, 0);
    const report = JSON.parse(await readFile(file, 'utf8'));
    assert.deepEqual([report.schema, report.task, report.verdict], [1, 'mirror', 'complete']);
    assert.equal(report.verification.schema, 1);
  });

  test('is weighed before it is copied', async () => {
    const estimate = await estimateMirror(directoryReader(SAMPLE));
    assert.deepEqual(estimate.range, { low: 1, high: TIP });
    assert.equal(estimate.checkpoints, SAMPLE_CHECKPOINTS.length);
    const within = (guess, fact) => assert.ok(guess > fact / 3 && guess < fact * 3, `${guess} for ${fact}`);
    within(estimate.files, FILES.size);
    within(Number(estimate.bytes), weight(FILES));
    assert.ok(estimate.measured.checkpoints > 0 && estimate.basis.length > 20, JSON.stringify(estimate));
  });
});

describe('what is refused before anything is written', { skip }, () => {
  const refused = async (t, folder, words, says) => {
    const before = existsSync(folder) ? visible(folder) : new Map();
    const { status, stdout, stderr } = await cli(['mirror', ...words]);
    assert.notEqual(status, 0, stdout);
    assert.match(stdout + stderr, says);
    assertSame(visible(folder), before);
  };

  test('an archive of another network than was asked for', async (t) => {
    const folder = join(await temporary(t), 'copy');
    await refused(t, folder, [SAMPLE, folder, '--network', 'testnet'], /Test SDF Network|testnet/);
  });

  test('a destination of another network', async (t) => {
    const folder = await makeArchive(join(await temporary(t), 'copy'), '--passphrase', 'Another Network ; June 2026');
    await refused(t, folder, [SAMPLE, folder], /Another Network|Sample Network/);
  });

  test('a destination with another history of the same network', async (t) => {
    const folder = await makeArchive(join(await temporary(t), 'copy'), '--passphrase', SAMPLE_NETWORK, '--seed', '7');
    await refused(t, folder, [SAMPLE, folder], /history/i);
  });

  test('a destination that is a file', async (t) => {
    const folder = await temporary(t);
    await writeFile(join(folder, 'file'), 'text');
    await refused(t, folder, [SAMPLE, join(folder, 'file')], /is a file/);
  });
});

describe('sources that are not sound', { skip }, () => {
  /** A server that has `instead` at `path`; `null` for nothing. */
  const wrongAt = (t, path, instead) => host(t, SAMPLE, (asked, body) => {
    if (asked !== path) return undefined;
    return instead === null ? { status: 404, body: null } : { body: instead(body) };
  });
  // Named by the last checkpoint alone.
  const named = (checkpoint) => bucketsOf(JSON.parse(FILES.get(pathOf('history', checkpoint)) ?? '{"currentBuckets":[]}'));
  const lastBucket = named(319).find((hash) => !SAMPLE_CHECKPOINTS.slice(0, -1).some((checkpoint) => named(checkpoint).includes(hash)));
  const CASES = [
    { what: 'a transactions file that lies', path: pathOf('transactions', 191), instead: lie, whole: 127 },
    { what: 'a results file that lies', path: pathOf('results', 255), instead: lie, whole: 191 },
    { what: 'a ledger file that is cut short', path: pathOf('ledger', 191), instead: (body) => body.subarray(0, 90), whole: 127 },
    { what: 'a history file that is a web page', path: pathOf('history', 255), instead: () => '<html>', whole: 191 },
    { what: 'a results file that is not there', path: pathOf('results', 319), instead: null, whole: 255 },
    { what: 'a bucket that is another', path: lastBucket && bucketPath(lastBucket), instead: (body) => lie(body, 20), whole: 255 },
    { what: 'a bucket that is not there', path: lastBucket && bucketPath(lastBucket), instead: null, whole: 255 },
  ];
  for (const { what, path, instead, whole } of CASES) {
    test(`${what} is not copied, and the copy ends before it`, async (t) => {
      const source = await wrongAt(t, path, instead);
      const folder = join(await temporary(t), 'copy');
      const { status, report } = await mirrored(source.url, folder, '--max-retries', '0');
      assert.equal(status, 1, said(report));
      assert.equal(report.verdict, 'faulty');
      const copy = visible(folder);
      assert.ok(!copy.has(path), 'it is not at the destination');
      assert.equal(assertSound(copy), whole);
      for (const [there, bytes] of copy) if (there !== ROOT_FILE) assert.ok(bytes.equals(FILES.get(there)), there);
      assert.equal(report.wellKnown.ledger, whole);
      assert.notEqual(report.wellKnown.reason, null, 'it says why it ends there');
      assert.ok(report.files.some((file) => file.path === path && file.outcome === 'no-sound-source'), said(report));
      const listed = [...Object.entries(report.plan.files).flatMap(([checkpoint, kinds]) => kinds.map((kind) => pathOf(kind, Number(checkpoint)))), ...report.plan.buckets.map(bucketPath)];
      const all = report.plan.checkpoints.flatMap((checkpoint) => CHECKPOINT_KINDS.map((kind) => pathOf(kind, checkpoint)));
      assert.ok([...listed, ...all].includes(path), JSON.stringify(report.plan));

      const second = await mirrored(source.url, folder, '--max-retries', '0');
      assert.equal(second.status, 1, 'it does not get better by trying again');
      const healed = await mirrored(SAMPLE, folder);
      assert.equal(healed.status, 0, said(healed.report));
      assertSame(visible(folder), FILES);
    });
  }

  test('what one source has wrong comes from another', async (t) => {
    const first = await host(t, SAMPLE, (path, body) => (/^(transactions|bucket)/.test(path) && body !== null ? { body: lie(body, 60) } : undefined));
    const second = await host(t, SAMPLE, (path) => (path.startsWith('results/') ? { status: 404, body: null } : undefined));
    const folder = join(await temporary(t), 'copy');
    const { status, report } = await mirrored(first.url, second.url, folder, '--max-retries', '1');
    assert.equal(status, 0, said(report));
    assert.equal(report.verdict, 'complete');
    assertSame(visible(folder), FILES);
  });

  for (const after of [3, 12, 25, 40]) {
    test(`a server that begins to lie after ${after} requests gets nothing false into the copy`, async (t) => {
      let requests = 0;
      const liar = await host(t, SAMPLE, (path, body) => {
        requests += 1;
        return requests > after && path.endsWith('.gz') && body !== null ? { body: lie(body, 60) } : undefined;
      });
      const folder = join(await temporary(t), 'copy');
      const { status, report } = await mirrored(liar.url, folder, '--max-retries', '0', '--concurrency', '4');
      assert.equal(status, 1, said(report));
      const copy = visible(folder);
      assertSound(copy);
      for (const [path, bytes] of copy) if (path !== ROOT_FILE) assert.ok(bytes.equals(FILES.get(path)), path);
      const healed = await mirrored(SAMPLE, folder);
      assert.equal(healed.status, 0, said(healed.report));
      assertSame(visible(folder), FILES);
    });
  }

  test('a server that goes away leaves a copy that is sound as far as it goes', async (t) => {
    let requests = 0;
    const source = await host(t, SAMPLE, () => ((requests += 1) > 30 ? { status: 500, body: 'gone' } : undefined));
    const folder = join(await temporary(t), 'copy');
    const { status, report } = await mirrored(source.url, folder, '--max-retries', '0', '--concurrency', '2');
    assert.equal(status, 2, said(report));
    assert.equal(report.verdict, 'incomplete');
    assertSound(visible(folder));
    assert.equal((await mirrored(SAMPLE, folder)).status, 0);
    assertSame(visible(folder), FILES);
  });
});

describe('places that fail', { skip }, () => {
  const source = () => reader(FILES);

  for (const code of ['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT']) {
    test(`${code} in the middle: nothing false, no state, and a later run goes on`, async () => {
      const full = place(new Map(), { on: ({ n }) => {
        if (n > 20) throw errno(code);
      } });
      const { report } = await copied(source(), full);
      assert.equal(report.verdict, 'incomplete', said(report));
      assert.ok(report.statement.length > 10);
      assert.ok(!full.files.has(ROOT_FILE));
      assert.equal(report.wellKnown.status, 'not-written');
      assert.notEqual(report.wellKnown.reason, null);
      const failed = report.files.filter(({ outcome }) => outcome === 'failed');
      assert.ok(failed.length > 0 && failed.every(({ message }) => message.includes(code) || message.length > 10), said(report));
      for (const { path } of failed) assert.ok(full.tries(path) <= 1, `${path}: trying again would not help`);
      for (const [path, bytes] of full.files) assert.ok(bytes.equals(FILES.get(path)), path);

      const room = place(full.files);
      const { report: second } = await copied(source(), room);
      assert.equal(second.verdict, 'complete', said(second));
      assertSame(room.files, FILES);
      assert.ok(room.written.length < FILES.size, 'what was there was kept');
    });
  }

  for (const status of [408, 429, 500, 503]) {
    test(`${status} for a while is waited for`, async () => {
      const busy = place(new Map(), { on: ({ path, nth }) => {
        if (path.startsWith('results/') && nth === 1) throw refusal(status, { retryAfterMs: 10 });
      } });
      const { report } = await copied(source(), busy);
      assert.equal(report.verdict, 'complete', said(report));
      assertSame(busy.files, FILES);
      assert.equal(busy.tries(pathOf('results', 127)), 2);
    });
  }

  for (const status of [401, 403, 413]) {
    test(`${status} is not waited for, and said`, async () => {
      const path = pathOf('results', 191);
      const closed = place(new Map(), { on: (put) => {
        if (put.path === path) throw refusal(status);
      } });
      const { report } = await copied(source(), closed);
      assert.equal(report.verdict, 'incomplete', said(report));
      assert.equal(closed.tries(path), 1);
      assert.ok(report.files.some((file) => file.path === path && file.outcome === 'failed' && file.message.includes(String(status))), said(report));
      assert.equal(assertSound(closed.files) ?? 127, 127);
    });
  }

  test('a network that fails for good ends it in good order', async () => {
    const path = pathOf('ledger', 63);
    const gone = place(new Map(), { on: (put) => {
      if (put.path === path) throw Object.assign(new Error('no route'), { code: 'NETWORK' });
    } });
    const { report } = await copied(source(), gone, { maxRetries: 1 });
    assert.equal(report.verdict, 'incomplete', said(report));
    assert.equal(gone.tries(path), 2);
    assert.ok(!gone.files.has(ROOT_FILE));
  });

  test('a place that stores something else is found out by reading back', async () => {
    const path = pathOf('transactions', 191);
    const liar = () => place(new Map(), { on: (put) => (put.path === path ? lie(put.content) : undefined) });
    const trusted = liar();
    assert.equal((await copied(source(), trusted)).report.verdict, 'complete', 'without reading back there is no telling');
    assert.ok(!trusted.files.get(path).equals(FILES.get(path)));
    const { report: second } = await copied(source(), place(trusted.files), { range: { low: 1 } });
    assert.equal(second.verdict, 'complete');
    assert.deepEqual(second.files.map(({ path: at, problem, outcome }) => [at, problem, outcome]), [[path, 'faulty', 'written']], 'the next run sees it');
    assertSame(trusted.files, FILES);

    const caught = liar();
    const { report } = await copied(source(), caught, { readBack: true, maxRetries: 1 });
    assert.equal(report.verdict, 'incomplete', said(report));
    assert.ok(report.files.some((file) => file.path === path && file.outcome === 'failed'), said(report));
    assert.ok(JSON.parse(caught.files.get(ROOT_FILE) ?? '{"currentLedger":0}').currentLedger <= 127);
  });

  test('reading back needs something to read with', async () => {
    await assert.rejects(copied(source(), place(new Map(), { get: false }), { readBack: true }), { code: 'USAGE' });
  });

  test('a place that cannot be read is written again, all of it', async () => {
    const files = new Map();
    for (let round = 0; round < 2; round += 1) {
      const blind = place(files, { get: false });
      const { report } = await copied(source(), blind);
      assert.equal(report.verdict, 'complete', said(report));
      assert.deepEqual(report.written.byKind, byKind(FILES.keys()));
      assertSame(files, FILES);
    }
  });

  test('the newest state is written last', async () => {
    const destination = place();
    await copied(source(), destination);
    assert.equal(destination.written.at(-1), ROOT_FILE);
    assert.equal(destination.written.filter((path) => path === ROOT_FILE).length, 1);
  });

  test('a checkpoint\'s state comes after what it names', async () => {
    const destination = place();
    await copied(source(), destination);
    for (const checkpoint of SAMPLE_CHECKPOINTS) {
      const at = destination.written.indexOf(pathOf('history', checkpoint));
      for (const hash of bucketsOf(JSON.parse(FILES.get(pathOf('history', checkpoint))))) {
        assert.ok(destination.written.indexOf(bucketPath(hash)) < at, `bucket ${hash} of ${checkpoint}`);
      }
    }
  });

  test('an abort in the middle leaves a report and a sound place', async () => {
    const stop = new AbortController();
    const destination = place(new Map(), { on: ({ n }) => {
      if (n === 15) stop.abort();
    } });
    const { report } = await copied(source(), destination, { signal: stop.signal });
    assert.equal(report.verdict, 'incomplete');
    assertSound(destination.files);
    for (const [path, bytes] of destination.files) if (path !== ROOT_FILE) assert.ok(bytes.equals(FILES.get(path)), path);
    await copied(source(), place(destination.files));
    assertSame(destination.files, FILES);
  });

  test('wrong use is said', async () => {
    const to = place();
    for (const [destination, options] of [[null, {}], [{ name: 'x' }, {}], [to, { frobnicate: true }], [to, { range: { low: 9, high: 3 } }], [to, { bandwidthLimit: -1 }], [to, { plan: '{}' }]]) {
      await assert.rejects(mirrorArchive(source(), destination, options).report, { name: 'ArchiveVerifierError', code: 'USAGE' }, JSON.stringify(options));
    }
    assert.deepEqual(to.written, []);
  });
});

test('a copy of a folder that may not be written', { skip: skip || (process.getuid?.() === 0 || process.platform === 'win32' ? 'root may write everywhere' : false) }, async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'closed'), { mode: 0o500 });
  const { status, stdout, stderr } = await cli(['mirror', SAMPLE, join(folder, 'closed')]);
  assert.equal(status, 2);
  assert.match(stdout + stderr, /permission denied|EACCES/i);
});

test('real archives are copied byte by byte, states bucket by bucket', { skip: noData }, async (t) => {
  const folder = join(await temporary(t), 'copy');
  const { status, report } = await mirrored(archive('testnet-p22'), folder, '--high', '511');
  assert.equal(status, 0, said(report));
  const copy = visible(folder);
  assert.equal(assertSound(copy), 511);
  const original = visible(archive('testnet-p22'));
  for (const [path, bytes] of copy) {
    if (path.endsWith('.gz')) assert.ok(bytes.equals(original.get(path)), path);
    else if (path !== ROOT_FILE) assert.deepEqual(essence(JSON.parse(bytes)), essence(JSON.parse(original.get(path))), path);
  }
  for (const kind of KINDS) assert.equal(report.written.byKind[kind], [...copy.keys()].filter((path) => path.startsWith(`${kind}/`)).length, kind);
  assert.equal((await cli(['verify', folder])).status, 0);
});
