/** Which checkpoints `verify` looks at and in which order, and the files it leaves: `--last`, `--order`, `--sample`, `--metrics`. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { SAMPLE, SAMPLE_CHECKPOINTS, cli, jsonLines, noSample, server, temporary } from './support.mjs';

async function run(...options) {
  const { status, stdout, stderr } = await cli(['verify', SAMPLE, '--json', ...options]);
  const events = jsonLines(stdout);
  const { report } = events.at(-1);
  assert.ok(report, `${stdout}\n${stderr}`);
  return { status, report, checkpoints: events.filter(({ type }) => type === 'checkpoint').map(({ checkpoint }) => checkpoint) };
}

test('--last takes the newest ledgers, in whole checkpoints', { skip: noSample }, async () => {
  for (const { last, low } of [{ last: '1', low: 256 }, { last: '64', low: 256 }, { last: '0x41', low: 192 }, { last: '319', low: 1 }, { last: '4000000000', low: 1 }]) {
    const { status, report, checkpoints } = await run('--last', last);
    assert.equal(status, 0, JSON.stringify(report.errors));
    assert.deepEqual(report.range, { low, high: 319 }, last);
    assert.equal(checkpoints.length, Math.ceil((320 - low) / 64));
  }
});

test('--last counts from --high', { skip: noSample }, async () => {
  const { report } = await run('--last', '64', '--high', '191');
  assert.deepEqual(report.range, { low: 128, high: 191 });
});

test('--order decides which end comes first, and nothing else', { skip: noSample }, async () => {
  const oldest = await run('--order', 'oldest-first', '--concurrency', '1');
  const newest = await run('--order', 'newest-first', '--concurrency', '1');
  assert.deepEqual(oldest.checkpoints, SAMPLE_CHECKPOINTS);
  assert.deepEqual(newest.checkpoints, SAMPLE_CHECKPOINTS.toReversed());
  assert.equal(oldest.report.options.order, 'oldest-first');
  assert.equal(newest.report.options.order, 'newest-first');
  assert.deepEqual(newest.report.totals, oldest.report.totals);
  assert.deepEqual(newest.report.claims, oldest.report.claims);
});

test('a sample says what it is worth, and its seed repeats it', { skip: noSample }, async () => {
  const first = await run('--sample', '2');
  assert.equal(first.status, 0, JSON.stringify(first.report.errors));
  const { sample } = first.report.options;
  assert.equal(sample.count, 2);
  assert.equal(sample.of, 5);
  assert.match(sample.seed, /^[0-9a-f]{16}$/);
  assert.ok(sample.guarantee.length > 20);
  assert.equal(first.report.totals.ledger.verified, 2);
  assert.ok(first.report.notes.some(({ code }) => code === 'sampled'), JSON.stringify(first.report.notes));

  assert.doesNotMatch(first.report.statement, /^Every file of ledgers 1 to 319 /, 'no more is claimed than was looked at');

  const again = await run('--sample', '2', '--seed', sample.seed);
  assert.deepEqual(again.report.options.sample, sample);
  assert.deepEqual(again.checkpoints.toSorted(), first.checkpoints.toSorted());
  const upper = await run('--sample', '2', '--seed', `0x${sample.seed.toUpperCase()}`);
  assert.deepEqual(upper.report.options.sample, sample);

  const people = await cli(['verify', SAMPLE, '--sample', '2', '--seed', sample.seed]);
  assert.equal(people.status, 0);
  assert.ok(people.stdout.includes(sample.guarantee), people.stdout);
  assert.ok(people.stdout.includes(`--sample 2 --seed ${sample.seed}`), people.stdout);
});

test('seeds choose differently', { skip: noSample }, async () => {
  const chosen = new Set();
  for (let seed = 0; seed < 12; seed += 1) chosen.add((await run('--sample', '1', '--seed', seed.toString(16).padStart(16, '0'))).checkpoints.join());
  assert.ok(chosen.size > 1, [...chosen].join('; '));
});

test('a sample of more than there is, is everything', { skip: noSample }, async () => {
  const { status, report, checkpoints } = await run('--sample', '100');
  assert.equal(status, 0);
  assert.deepEqual(checkpoints.toSorted((a, b) => a - b), SAMPLE_CHECKPOINTS);
  assert.equal(report.totals.ledger.unchecked, 0);
});

test('--timeout-secs gives up on a host that is silent', async (t) => {
  const url = await server(t, () => undefined);
  const since = performance.now();
  const { status, stdout } = await cli(['verify', url, '--timeout-secs', '1', '--max-retries', '0', '--json'], { timeout: 30_000 });
  assert.equal(status, 2);
  assert.ok(performance.now() - since < 15_000);
  assert.equal(jsonLines(stdout).at(-1).report.errors[0].code, 'TIMEOUT');
});

test('--timeout-secs gives up on a body that stops', async (t) => {
  const url = await server(t, (_, response) => response.writeHead(200, { 'content-length': '1000' }).write('{'));
  const { status, stdout } = await cli(['verify', url, '--timeout-secs', '1', '--max-retries', '0', '--json'], { timeout: 30_000 });
  assert.equal(status, 2);
  assert.equal(jsonLines(stdout).at(-1).report.errors[0].code, 'TIMEOUT');
});

/** A line of the text format of Prometheus. */
const EXPOSITION = /^(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*")*\})? -?[0-9][0-9.e+-]*)$/;

test('--metrics leaves text for Prometheus, the report the same numbers', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const file = join(folder, 'archive.prom');
  const report = join(folder, 'report.json');
  const { status } = await cli(['verify', SAMPLE, '--metrics', file, '--report', report]);
  assert.equal(status, 0);
  const text = await readFile(file, 'utf8');
  assert.ok(text.endsWith('\n'));
  const lines = text.trimEnd().split('\n');
  assert.deepEqual(lines.filter((line) => !EXPOSITION.test(line)), []);
  assert.ok(lines.some((line) => line.includes('history_get')), text);
  assert.deepEqual((await readdir(folder)).toSorted(), ['archive.prom', 'report.json'], 'no draft is left');

  const { metrics, totals } = JSON.parse(await readFile(report, 'utf8'));
  for (const name of ['history.get.throughput', 'history.get.failure', 'history.check.success', 'history.check.failure', 'verified', 'faulty', 'unchecked', 'bytes.compressed', 'bytes.inflated']) {
    assert.ok(Object.hasOwn(metrics, name), name);
  }
  assert.equal(metrics.verified.ledger, totals.ledger.verified);
});

test('--metrics that could not be written is refused before the work', { skip: noSample }, async (t) => {
  const { status, stdout, stderr } = await cli(['verify', SAMPLE, '--metrics', join(await temporary(t), 'none/archive.prom')]);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /--metrics/);
});
