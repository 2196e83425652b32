/** The command line over several archives of one network: who is believed, who is blamed, who lags. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { CLI, SAMPLE, SAMPLE_CHECKPOINTS, cli, damage, host, jsonLines, lie, noSample, pathOf, rollBack, sampleCopy, server } from './support.mjs';

const QUICK = ['--max-retries', '1'];
const named = (url) => url.replace(/\/$/, '');
const sourceOf = (report, name) => report.sources.find(({ archive }) => named(archive) === named(name));

async function reported(...words) {
  const { status, stdout, stderr } = await cli(['verify', ...words, '--json']);
  const { type, report } = jsonLines(stdout).at(-1);
  assert.equal(type, 'report', stdout);
  return { status, stderr, report, events: jsonLines(stdout).slice(0, -1) };
}

function assertAddsUp(report) {
  for (const kind of ['history', 'ledger', 'transactions', 'results', 'scp']) {
    const { verified, faulty, unchecked } = report.totals[kind];
    assert.equal(verified + faulty + unchecked, SAMPLE_CHECKPOINTS.length, kind);
  }
}

test('two good archives: both are read, nothing twice', { skip: noSample }, async (t) => {
  const first = await host(t, SAMPLE);
  const second = await host(t, SAMPLE);
  const { status, stderr, report, events } = await reported(first.url, second.url);
  assert.equal(status, 0, JSON.stringify([report.findings, report.errors]));
  assert.equal(stderr, '');
  assertAddsUp(report);
  assert.deepEqual(report.archives.map(named), [first.url, second.url].map(named));
  for (const { url, asked } of [first, second]) {
    const source = sourceOf(report, url);
    assert.equal(source.ledger, 319);
    assert.equal(source.endLedger, 319);
    assert.equal(source.requests, asked.length, 'every request is counted');
    assert.ok(asked.length > 2, url);
    for (const count of ['failures', 'throttled', 'missing', 'faulty']) assert.equal(source[count], 0, count);
    assert.match(source.bytes, /^\d+$/);
  }
  // States are looked at beforehand as well, to see where the archive begins.
  const files = [...first.asked, ...second.asked].filter((path) => path.endsWith('.gz'));
  assert.equal(new Set(files).size, files.length, 'no file was read twice');
  const last = events.findLast(({ type }) => type === 'progress');
  assert.deepEqual(last.archives.map(({ name, standing }) => [named(name), standing]), [[named(first.url), 'good'], [named(second.url), 'good']]);
});

test('people get a table of the archives', { skip: noSample }, async (t) => {
  const first = await host(t, SAMPLE);
  const { status, stdout } = await cli(['verify', first.url, SAMPLE]);
  assert.equal(status, 0, stdout);
  const table = stdout.slice(stdout.indexOf('Archives\n'), stdout.indexOf('history '));
  for (const part of ['newest ledger', 'requests', 'failures', 'faulty', named(first.url), SAMPLE, '319']) assert.ok(table.includes(part), `${part} in\n${stdout}`);
  assert.doesNotMatch(stdout, /To blame/);
  assert.match(stdout, /^2 archives · /);
});

test('one that lies is named, and the history is verified all the same', { skip: noSample }, async (t) => {
  const good = await host(t, SAMPLE);
  // About most of its files, so that one of them is asked of it whatever the dice say.
  const liar = await host(t, SAMPLE, (path, body) => (/^(bucket|results|transactions)/.test(path) && body !== null ? { body: lie(body, 60) } : undefined));
  const { status, report } = await reported(good.url, liar.url);
  assert.equal(status, 0, JSON.stringify(report.errors));
  assert.equal(report.verdict, 'verified');
  assertAddsUp(report);
  assert.ok(report.findings.length > 0);
  for (const finding of report.findings) {
    assert.equal(named(finding.archive), named(liar.url));
    assert.equal(named(finding.goodFrom), named(good.url));
    assert.equal(finding.severity, 'warning');
  }
  assert.equal(sourceOf(report, good.url).faulty, 0);
  const paths = new Set(report.findings.map(({ path }) => path));
  assert.equal(sourceOf(report, liar.url).faulty, paths.size);
  assert.equal(report.totals.transactions.faulty + report.totals.results.faulty + report.totals.bucket.faulty, 0);

  const people = await cli(['verify', good.url, liar.url]);
  assert.equal(people.status, 0, people.stdout);
  assert.ok(people.stdout.includes(`the same file from ${named(good.url)}`), people.stdout);
  assert.match(people.stdout, /To blame\n {2}http:\S+ is to blame for [\d,]+ faulty files?; sound in http:/);
  assert.ok(people.stdout.includes(`${named(liar.url)}`), 'by name');
  assert.match(people.stdout, /VERIFIED/);

  const quiet = await cli(['verify', good.url, liar.url, '-q']);
  assert.match(quiet.stdout, /is to blame/);
});

test('what every archive has wrong is faulty, and each answer is kept', { skip: noSample }, async (t) => {
  const path = pathOf('transactions', 127);
  const folders = [await sampleCopy(t, 'first'), await sampleCopy(t, 'second')];
  for (const folder of folders) await damage(folder, path, 60);
  const { status, report } = await reported(...folders);
  assert.equal(status, 1);
  assert.equal(report.verdict, 'faulty');
  assertAddsUp(report);
  assert.equal(report.totals.transactions.faulty, 1);
  const found = report.findings.filter((finding) => finding.path === path);
  assert.deepEqual(new Set(found.map(({ archive }) => archive)), new Set(folders));
  for (const { goodFrom, severity } of found) {
    assert.equal(goodFrom, undefined);
    assert.equal(severity, 'error');
  }
  for (const folder of folders) assert.equal(sourceOf(report, folder).faulty, 1);
});

test('a file that one archive has not is read from another', { skip: noSample }, async (t) => {
  const partial = await sampleCopy(t, 'partial');
  for (const folder of ['transactions', 'results', 'bucket']) await rm(join(partial, folder), { recursive: true });
  const { status, report } = await reported(partial, SAMPLE);
  assert.equal(status, 0, JSON.stringify([report.findings, report.errors]));
  assertAddsUp(report);
  assert.ok(sourceOf(report, partial).missing > 0);
});

test('a dead archive does not keep the others from being enough', { skip: noSample }, async (t) => {
  const good = await host(t, SAMPLE);
  const broken = await server(t, (_, response) => response.writeHead(500).end('oops'));
  const { status, report } = await reported(good.url, broken, ...QUICK);
  assert.equal(status, 0, JSON.stringify([report.findings, report.errors]));
  const source = sourceOf(report, broken);
  assert.equal(source.ledger, null);
  assert.ok(source.failures > 0);

  const people = await cli(['verify', good.url, broken, ...QUICK]);
  assert.equal(people.status, 0, people.stdout);
});

test('the bar names who rests', { skip: noSample || (process.platform === 'win32' ? 'no pseudo-terminals' : false) }, async (t) => {
  const good = await host(t, SAMPLE, () => ({ delayMs: 30 }));
  // It announces its newest ledger, and then has enough.
  const tired = await host(t, SAMPLE, (path) => (path.startsWith('.well-known') ? undefined : { status: 429, headers: { 'retry-after': '1' }, body: 'enough' }));
  const terminal = 'import pty, sys; pty.spawn(sys.argv[1:])';
  const words = [CLI, 'verify', good.url, tired.url, '--concurrency', '2'];
  const { stdout } = await promisify(execFile)('python3', ['-c', terminal, process.execPath, ...words], { env: { ...process.env, TERM: 'xterm', COLUMNS: '200' }, timeout: 120_000 });
  assert.match(stdout, /VERIFIED/);
  // A terminal of 80 columns may cut the name off.
  assert.match(stdout, /\d+ retr(y|ies)|resting|127\.0\.0\.1:/);
});

test('an archive that lags is said to', { skip: noSample }, async (t) => {
  const behind = await sampleCopy(t, 'behind');
  await rollBack(behind, 191);
  for (const kind of ['ledger', 'transactions', 'results', 'scp', 'history']) for (const checkpoint of [255, 319]) await rm(join(behind, pathOf(kind, checkpoint)));
  const { status, report } = await reported(SAMPLE, behind);
  assert.equal(status, 0, JSON.stringify([report.findings, report.errors]));
  assert.equal(report.range.high, 319);
  assert.ok(report.notes.some(({ code }) => code === 'archive-lags'), JSON.stringify(report.notes));
  assert.equal(sourceOf(report, behind).ledger, 191);
});

test('every archive dead: could not complete', async (t) => {
  const broken = [];
  for (let count = 0; count < 2; count += 1) broken.push(await server(t, (_, response) => response.writeHead(500).end('oops')));
  const { status, report } = await reported(...broken, '--max-retries', '0');
  assert.equal(status, 2);
  assert.equal(report.verdict, 'incomplete');
  assert.match(JSON.stringify(report.errors), /500/);
  assert.deepEqual(report.findings, []);
});
