/** The command line over real archives, clean and corrupted; see the data set's README for where they come from. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { ARCHIVES, CLI, archive, cli, jsonLines, ledgers, materialize, noData, temporary, variants } from './support.mjs';

const bounds = ({ low, high }) => ['--low', String(low), '--high', `0x${high.toString(16)}`];

function assertAddsUp(report) {
  for (const [kind, { verified, faulty, unchecked }] of Object.entries(report.totals)) {
    for (const count of [verified, faulty, unchecked]) assert.ok(Number.isSafeInteger(count) && count >= 0, kind);
  }
  const checkpoints = (report.range.high + 1) / 64 - Math.floor(report.range.low / 64);
  for (const kind of ['history', 'ledger', 'transactions', 'results', 'scp']) {
    const { verified, faulty, unchecked } = report.totals[kind];
    assert.equal(verified + faulty + unchecked, checkpoints, kind);
  }
}

for (const name of ARCHIVES) {
  for (const mode of [[], ['--deep']]) {
    test(`${name} ${mode.join(' ')} is verified`, { skip: noData }, async () => {
      const { status, stdout, stderr } = await cli(['verify', archive(name), ...bounds(await ledgers(archive(name))), ...mode, '--json']);
      const events = jsonLines(stdout);
      const { type, report } = events.at(-1);
      assert.equal(type, 'report');
      assert.deepEqual(report.findings, []);
      assert.deepEqual(report.errors, []);
      assert.equal(report.verdict, 'verified');
      assert.equal(status, 0);
      assert.equal(stderr, '', 'nothing on stderr when it is no terminal');
      assertAddsUp(report);
      assert.equal(report.totals.ledger.unchecked, 0);
      assert.equal(report.totals.bucket.unchecked, 0);
      assert.deepEqual(events.at(-2), { type: 'done', verdict: 'verified' });
      const checkpoints = events.filter((event) => event.type === 'checkpoint').length;
      assert.equal(checkpoints, (report.range.high + 1) / 64 - Math.floor(report.range.low / 64));
    });
  }
}

test('people get a table, the claims and the statement', { skip: noData }, async (t) => {
  const folder = archive('testnet-genesis-p24');
  const file = join(await temporary(t), 'report.json');
  const { status, stdout } = await cli(['verify', folder, ...bounds(await ledgers(folder)), '--report', file], { env: { CLICOLOR: '1' } });
  assert.equal(status, 0);
  const report = JSON.parse(await readFile(file, 'utf8'));
  for (const part of [folder, 'VERIFIED', report.statement, ...report.claims.map(({ statement }) => statement), 'unchecked']) {
    assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
  }
  assert.ok(!stdout.includes('\u001b'), 'colour only on a terminal');
  assert.deepEqual(await readdir(join(file, '..')), ['report.json'], 'no draft is left');
});

test('what of the range was left out is said also with -q', { skip: noData }, async () => {
  const { stdout } = await cli(['verify', archive('synth-p27'), '-q', '--high', '4000000000']);
  assert.match(stdout, /Notes\n {2}the archive ends at ledger .*\n {2}the archive begins at ledger /);
  assert.doesNotMatch(stdout, /Claims|Unchecked/);
});

test('the progress bar never goes back', { skip: noData || (process.platform === 'win32' ? 'no pseudo-terminals' : false) }, async () => {
  // Only a terminal gets a bar; Python's standard library has one to play.
  const terminal = 'import pty, sys; pty.spawn(sys.argv[1:])';
  const child = promisify(execFile)('python3', ['-c', terminal, process.execPath, CLI, 'verify', archive('testnet-p22'), '--deep'], {
    env: { ...process.env, TERM: 'xterm' }, timeout: 120_000,
  });
  const { stdout } = await child;
  const shown = [...stdout.matchAll(/\] +(\d+)%/g)].map(([, percent]) => Number(percent));
  assert.ok(shown.length > 1, stdout);
  assert.deepEqual(shown, shown.toSorted((a, b) => a - b));
});

test('the report is the same but for the time, whatever the concurrency', { skip: noData }, async () => {
  const folder = archive('pubnet-12m');
  const reports = [];
  for (const concurrency of ['1', '16']) {
    const { stdout } = await cli(['verify', folder, ...bounds(await ledgers(folder)), '--json', '--concurrency', concurrency]);
    const { startedAt, elapsedMs, ...report } = jsonLines(stdout).at(-1).report;
    assert.ok(!Number.isNaN(Date.parse(startedAt)) && elapsedMs >= 0);
    reports.push(report);
  }
  assert.deepEqual(reports[0], reports[1]);
});

test('what is left out is unchecked, not verified', { skip: noData }, async () => {
  const folder = archive('testnet-genesis-p24');
  const { status, stdout } = await cli(['verify', folder, ...bounds(await ledgers(folder)), '--json', '--skip-optional', '--skip-buckets']);
  const { report } = jsonLines(stdout).at(-1);
  assert.equal(status, 0);
  assert.deepEqual(report.totals.scp, { verified: 0, faulty: 0, unchecked: 2 });
  assert.equal(report.totals.bucket.verified, 0);
});

test('a network that it is not', { skip: noData }, async () => {
  const folder = archive('testnet-genesis-p24');
  const { status, stdout } = await cli(['verify', folder, ...bounds(await ledgers(folder)), '--network', 'pubnet', '--json']);
  assert.equal(status, 1);
  assert.ok(jsonLines(stdout).at(-1).report.findings.some(({ code }) => code === 'has-passphrase-mismatch'));
});

/** One for each kind of damage that the whole data set is sorted by; the tests of the core go through all of them. */
const DAMAGE = [
  'bucket-hash-mismatch', 'bucket-list-hash-mismatch', 'bucket-missing', 'file-missing', 'gzip-corrupt', 'has-json',
  'has-passphrase-mismatch', 'header-chain-break', 'header-hash-mismatch', 'limit-exceeded', 'result-hash-mismatch',
  'txset-hash-mismatch', 'xdr-framing',
];
for (const damage of DAMAGE) {
  test(`a corrupted archive exits 1 with ${damage}`, { skip: noData }, async (t) => {
    const variant = variants().find(({ expect }) => expect.tier === 'base' && expect.class === damage);
    const folder = await materialize(variant, join(await temporary(t), 'archive'));
    const [first, last] = variant.range;
    const args = ['verify', folder, ...bounds({ low: Math.max(1, first - 63), high: last }), '--network', variant.networkPassphrase];

    const machine = await cli([...args, '--json']);
    assert.equal(machine.status, 1, machine.stderr);
    const events = jsonLines(machine.stdout);
    const { report } = events.at(-1);
    assert.equal(report.verdict, 'faulty');
    assertAddsUp(report);
    const expected = [damage, ...variant.expect.also];
    const found = report.findings.find(({ code }) => expected.includes(code));
    assert.ok(found, `${variant.id}: ${JSON.stringify(report.findings)}`);
    assert.equal(found.archive, folder);
    assert.ok(found.message !== '' && found.advice !== '');
    assert.ok(events.some((event) => event.type === 'finding' && expected.includes(event.finding.code)), 'told when found');

    const people = await cli(args);
    assert.equal(people.status, 1);
    for (const part of [found.code, found.path, found.message, found.advice, 'FAULTY']) {
      assert.ok(people.stdout.includes(part), `${part} in\n${people.stdout}`);
    }
  });
}

test('what only a known hash can find is found with one', { skip: noData }, async (t) => {
  const variant = variants().find(({ expect, notes }) => expect.tier === 'anchor' && notes?.trusted_tip_hash !== undefined);
  const folder = await materialize(variant, join(await temporary(t), 'archive'));
  const [first, last] = variant.range;
  const args = ['verify', folder, ...bounds({ low: Math.max(1, first - 63), high: last }), '--deep', '--all-signatures', '--json'];
  const without = jsonLines((await cli(args)).stdout).at(-1).report;
  assert.notEqual(without.sealedThrough, last);
  const { status, stdout } = await cli([...args, '--trusted-hash', `${last}:${variant.notes.trusted_tip_hash}`]);
  assert.equal(status, 1);
  assert.ok(jsonLines(stdout).at(-1).report.findings.some(({ code, ledger }) => code === 'anchor-mismatch' && ledger === last), variant.id);
});
