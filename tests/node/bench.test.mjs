/** What `npm run bench` makes of what it measures: the order of rounds, summaries, ratios, and what is worse past noise. Nothing is timed here. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { compare, isWorse } from '../../pkg-config/bench/against.mjs';
import { bundle, checkpointsOf } from '../../pkg-config/bench/archive.mjs';
import { streamedReader } from '../../pkg-config/bench/big-bucket.mjs';
import { memoryReader, unbundle, verifyOnce } from '../../pkg-config/bench/page/unbundle.mjs';
import { lines } from '../../pkg-config/bench/print.mjs';
import { resident, startedBy, treeCpuMs } from '../../pkg-config/bench/processes.mjs';
import { NotMeasured, measureGroup, ratios, summary } from '../../pkg-config/bench/rounds.mjs';
import * as library from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_CHECKPOINTS, makeArchive, noSample } from './support.mjs';

/** A row that plays its measurements, one a round. */
function row(id, times, more = {}) {
  let round = 0;
  return { id, group: 'group', name: id, open: async () => ({ run: async () => ({ metrics: { wallMs: times[round++ % times.length] } }) }), ...more };
}

const result = (rows, more = {}) => ({
  rows, rounds: 3, warmUps: 2, ratios: ratios(rows), machine: { cpu: 'one', cpus: 2, platform: 'linux' }, versions: { Node: '20' },
  archive: { name: 'archive', bytes: 1, files: 1, checkpoints: 1 }, ...more,
});
const measuredAs = (id, values, facts = {}) => ({ id, group: 'group', name: id, role: 'ours', facts, metrics: { wallMs: summary(values) } });

describe('rounds', () => {
  test('rows of a group take turns, in turned order, and warm-up rounds do not count', async () => {
    const order = [];
    const noting = (id) => ({ id, group: 'group', name: id, open: async () => ({ run: async () => ({ metrics: { wallMs: order.push(id) } }) }) });
    const [one, two] = await measureGroup([noting('one'), noting('two')], { rounds: 2, warmUps: 1 });
    assert.deepEqual(order, ['one', 'two', 'two', 'one', 'one', 'two']);
    assert.deepEqual(one.metrics.wallMs.values, [4, 5]);
    assert.deepEqual(two.metrics.wallMs.values, [3, 6]);
  });

  test('a row that takes long is measured a single time', async () => {
    const [once] = await measureGroup([row('once', [7, 8], { once: true })], { rounds: 3 });
    assert.deepEqual(once.metrics.wallMs.values, [7]);
  });

  test('what cannot be measured says why, and what fails does not hinder the others; all is closed', async () => {
    const closed = [];
    const failing = { ...row('failing', []), open: async () => ({ run: async () => { throw new Error('the verdict is faulty'); }, close: () => closed.push('failing') }) };
    const lacking = { ...row('lacking', []), open: async () => { throw new NotMeasured('no such option'); } };
    const skipped = { ...row('skipped', []), skip: 'no browser', open: async () => assert.fail('it is not opened') };
    const rows = await measureGroup([failing, lacking, skipped, row('sound', [1])], { rounds: 1 });
    assert.deepEqual(rows.map(({ failed, notMeasured }) => failed ?? notMeasured ?? 'measured'), ['the verdict is faulty', 'no such option', 'no browser', 'measured']);
    assert.deepEqual(closed, ['failing']);
  });

  test('a fact that changes between rounds is a failure', async () => {
    let round = 0;
    const changing = { ...row('changing', []), open: async () => ({ run: async () => ({ metrics: {}, facts: { inflatedBytes: (round += 1) } }) }) };
    const [{ failed }] = await measureGroup([changing], { rounds: 1 });
    assert.equal(failed, 'inflatedBytes was 1, then 2');
  });
});

describe('numbers', () => {
  test('a summary has minimum, median and quartiles of what was measured, in any order', () => {
    assert.deepEqual(summary([5, 1, 4, 2]), { min: 1, lowerQuartile: 1.75, median: 3, upperQuartile: 4.25, max: 5, values: [5, 1, 4, 2] });
    assert.equal(summary([3, 9, 1]).median, 3);
  });

  test('ratios are ours by theirs, of the same group, only with what the other is meant for', () => {
    const of = (id, role, value, more = {}) => ({ ...measuredAs(id, [value]), role, ...more });
    const found = ratios([of('cold', 'ours', 10), of('warm', 'ours', 4), of('peer', 'other', 8), of('limit', 'other', 2, { with: '^warm' }), of('elsewhere', 'other', 1, { group: 'another' })]);
    assert.deepEqual(found.map(({ id, against, ratios: { wallMs } }) => [id, against, wallMs]), [['cold', 'peer', 1.25], ['warm', 'peer', 0.5], ['warm', 'limit', 2]]);
  });
});

describe('against an earlier result', () => {
  const steady = summary([100, 100, 101, 99, 100]);

  test('a median that is higher by more than rounds differ is worse', () => {
    assert.equal(isWorse(summary([110, 111, 109, 110, 110]), steady), true);
    assert.equal(isWorse(steady, summary([110, 111, 109, 110, 110])), false);
  });

  test('a twentieth more is noise, and so is what lies within the spread of either side', () => {
    assert.equal(isWorse(summary([104, 105, 103, 104, 104]), steady), false);
    const unsteady = [80, 90, 120, 130, 150];
    assert.equal(isWorse(summary(unsteady), steady), false);
    assert.equal(isWorse(summary([115, 116, 114, 115, 115]), summary([80, 90, 100, 120, 140])), false);
  });

  test('of a single measurement nobody knows the noise: only much more is worse', () => {
    assert.equal(isWorse(summary([120]), summary([100])), false);
    assert.equal(isWorse(summary([130]), summary([100])), true);
  });

  test('warnings name what is worse, what says something else now, and what is no longer measured', () => {
    const before = result([measuredAs('slower', [100, 100, 100]), measuredAs('less', [10, 10, 10], { inflatedBytes: 5 }), measuredAs('gone', [1, 1, 1]), measuredAs('unasked', [1, 1, 1])]);
    const gone = { id: 'gone', group: 'group', name: 'gone', role: 'ours', notMeasured: 'no browser' };
    const { rows, warnings, notes } = compare(result([measuredAs('slower', [150, 150, 150]), measuredAs('less', [5, 5, 5], { inflatedBytes: 4 }), gone]), before);
    assert.deepEqual(rows.map(({ id, ratio, worse }) => [id, ratio, worse]), [['slower', 1.5, true], ['less', 0.5, false]]);
    assert.deepEqual(warnings, ['slower: wallMs was 100, and is 150: past noise', 'less: inflatedBytes was 5, and is 4', 'gone was measured then, and is not now: no browser']);
    assert.deepEqual(notes, ['unasked was measured then, and not now']);
  });

  test('another machine, version or archive is said', () => {
    const rows = [measuredAs('row', [1, 1, 1])];
    const before = result(rows, { machine: { cpu: 'another', cpus: 8, platform: 'linux' }, versions: { Node: '22' }, archive: { name: 'sample', bytes: 2 } });
    const { notes } = compare(result(rows), before);
    assert.equal(notes.length, 3);
    assert.match(notes.join('\n'), /another, 8 CPUs[^]*Node was 22, and is 20[^]*sample/);
  });
});

test('what is printed has the ratios first, and says of every row what came of it', () => {
  const peer = { ...measuredAs('peer', [50, 60, 70]), role: 'other' };
  const rows = [measuredAs('ours', [30, 40, 20], { verdict: 'verified' }), peer, { ...measuredAs('none', []), metrics: undefined, notMeasured: 'no Firefox here' }, { ...measuredAs('bad', []), metrics: undefined, failed: 'it broke' }];
  const text = lines(result(rows), null).join('\n');
  assert.match(text, /group: ours ÷ peer\s+wall 0\.50 \(2\.00\)[^]*ours\s+20\.0 ms\s+30\.0 ms\s+verified[^]*not measured: no Firefox here[^]*FAILED: it broke/);
});

describe('programs', () => {
  test('a resident program answers line by line, and its end is an error with its last words', async (t) => {
    const program = resident([process.execPath, '-e', 'process.stdin.on("data", (line) => `${line}` === "end\\n" ? (console.error("out of luck"), process.exit(1)) : console.log(JSON.stringify({ heard: `${line}`.trim() })))']);
    t.after(() => program.close());
    assert.deepEqual(await program.ask('one'), { heard: 'one' });
    assert.deepEqual(await program.ask('two'), { heard: 'two' });
    await assert.rejects(program.ask('end'), /out of luck/);
  });

  test('the CPU time of a process is that of its children, too', { skip: process.platform === 'linux' ? false : 'needs /proc' }, async (t) => {
    const before = treeCpuMs(process.pid);
    const busy = resident([process.execPath, '-e', 'while (process.cpuUsage().user < 400_000); console.log("{}"); process.stdin.resume()']);
    t.after(() => busy.close());
    await busy.ask('');
    const [child] = startedBy(process.pid, 'node').filter((pid) => pid !== process.pid);
    assert.ok(treeCpuMs(child) >= 390, `${treeCpuMs(child)} ms of the child`);
    assert.ok(treeCpuMs(process.pid) - before >= 390, `${treeCpuMs(process.pid) - before} ms of both`);
  });
});

describe('archives', { skip: noSample }, () => {
  test('an archive in memory is verified as the one it is a copy of; a wrong one is a failure', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'bench-bundle-'));
    t.after(() => rm(dir, { recursive: true }));
    assert.deepEqual(await checkpointsOf(SAMPLE), SAMPLE_CHECKPOINTS);
    await bundle(SAMPLE, join(dir, 'bundle'));
    const files = unbundle(await readFile(join(dir, 'bundle')));
    assert.deepEqual(Buffer.from(files.get('.well-known/stellar-history.json')), await readFile(join(SAMPLE, '.well-known/stellar-history.json')));
    const { verdict, inflatedBytes, firstMs, wallMs } = await verifyOnce(library, memoryReader(files));
    assert.equal(verdict, 'verified');
    assert.ok(inflatedBytes > 0 && firstMs <= wallMs);
    const [ledger] = [...files.keys()].filter((path) => path.startsWith('ledger/'));
    await assert.rejects(verifyOnce(library, memoryReader(new Map([...files].filter(([path]) => path !== ledger)))), /the verdict is faulty: file-missing/);
  });

  test('a bucket that is only a stream is verified, and hashes to the name that its archive gives it', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'bench-streamed-'));
    t.after(() => rm(dir, { recursive: true }));
    await makeArchive(dir, '--protocol', '22', '--ledgers', '63');
    const { verdict, inflatedBytes } = await verifyOnce(library, await streamedReader(dir, 5_000_000));
    assert.equal(verdict, 'verified');
    assert.ok(inflatedBytes > 5_000_000, `${inflatedBytes} bytes`);
  });
});
