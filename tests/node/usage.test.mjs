/** The command line's words: help, refusals and their exit status. No archive is verified here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { cli, jsonLines, temporary } from './support.mjs';

const COMMANDS = [
  'verify', 'status', 'compare', 'check-header', 'log', 'dump', 'quorum-sets', 'verify-checkpoints', 'prove', 'verify-proof', 'mirror', 'repair', 'publish',
  'new-hist',
];

test('help is on stdout when asked for, and on stderr with status 2 when nothing was said', async () => {
  for (const args of [['--help'], ['-h'], ['help'], ['help', 'help']]) {
    const { status, stdout, stderr } = await cli(args);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    for (const part of ['Examples', 'Exit status', ...COMMANDS]) assert.ok(stdout.includes(part), part);
  }
  const { status, stdout, stderr } = await cli([]);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /Usage: /);
});

for (const command of COMMANDS) {
  test(`the help of ${command}`, async () => {
    const { status, stdout, stderr } = await cli(['help', command]);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    for (const part of [`Usage: stellar-archive-verifier ${command} `, 'Examples', 'Exit status', '--json']) assert.ok(stdout.includes(part), part);
    for (const args of [[command, '--help'], [command, '-h'], [command, '.', '--json', '--help']]) assert.equal((await cli(args)).stdout, stdout);
    assert.deepEqual(stdout.split('\n').filter((line) => line.length > 120), [], 'fits a terminal');
  });
}

test('the help of a command names every option that it takes, and no other', async () => {
  for (const command of COMMANDS) {
    const { stdout } = await cli(['help', command]);
    const named = new Set([...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)(?:[ A-Z]*, (--[a-z-]+))?/gm)].flatMap(([, ...names]) => names.filter(Boolean)));
    const { stderr } = await cli([command, '.', ...(command === 'verify' ? ['--ledger', '1'] : ['--deep'])]);
    const taken = new Set([...stderr.slice(stderr.indexOf(` ${command} takes`, stderr.indexOf('\n'))).matchAll(/--[a-z-]+/g)].map(([name]) => name).filter((name) => name !== '--help'));
    named.delete('--help');
    assert.ok(taken.size > 1, stderr);
    assert.deepEqual([...named].toSorted(), [...taken].toSorted(), command);
  }
});

test('the general help fits a terminal', async () => {
  const { stdout } = await cli(['help']);
  assert.deepEqual(stdout.split('\n').filter((line) => line.length > 120), []);
});

test('the version names the XDR as well', async () => {
  const { status, stdout } = await cli(['--version']);
  assert.equal(status, 0);
  assert.match(stdout, /^stellar-archive-verifier \d+\.\d+\.\d+\S* \(XDR .+\)\n$/);
});

const REFUSED = [
  { words: ['verify'], says: /needs an archive/ },
  { words: ['frobnicate', '.'], says: /no command "frobnicate"/ },
  { words: ['https://archive.example/'], says: /verify https:\/\/archive\.example\// },
  { words: ['verify', 'other'], says: /no folder other/ },
  { words: ['verify', 'https://archive.example/', '--network', 'My', 'Private', 'Network'], says: /no folder Private[\s\S]*quotes/ },
  { words: ['verify', ''], says: /needs an archive/ },
  { words: ['verify', 'https://archive.example/', 'https://archive.example'], says: /given twice/ },
  { words: ['help', 'frobnicate'], says: /no command "frobnicate"/ },
  { words: ['verfy', '.'], says: /Did you mean verify\?/ },
  { words: ['scan', '.'], says: /Write verify <ARCHIVE>/ },
  { words: ['mirror', '.'], says: /mirror needs an archive to read and one to write/ },
  { words: ['mirror'], says: /mirror <ARCHIVE>… <DESTINATION>/ },
  { words: ['mirror', '', 'x'], says: /mirror needs an archive to read/ },
  { words: ['mirror', '.', '.'], says: /\. is both read and written/ },
  { words: ['mirror', 'https://archive.example', 'https://archive.example/'], says: /both read and written/ },
  { words: ['mirror', '.', 'x', '--last', '5'], says: /mirror takes no --last[\s\S]*option of verify/ },
  { words: ['mirror', '.', 'x', '--dry-run'], says: /mirror takes no --dry-run[\s\S]*option of repair/ },
  { words: ['mirror', '.', 'x', '--plan', 'y'], says: /mirror takes no --plan[\s\S]*option of verify and repair/ },
  { words: ['mirror', '.', 'x', '--low', '0x80', '--high', '0x7f'], says: /--low 0x80 is above --high 0x7f/ },
  { words: ['mirror', '.', 'x', '--bandwidth-limit', '5M'], says: /--bandwidth-limit takes a whole number/ },
  { words: ['mirror', '.', 'x', '--report', '-'], says: /--report - is not a file/ },
  { words: ['mirror', '.', 'x', '--force'], says: /Write --overwrite/ },
  { words: ['mirror', '.', 'x', '--atomic-file-writes'], says: /whole or not at all in any case/ },
  { words: ['mirror', 'none', 'x'], says: /there is no folder none/ },
  { words: ['mirror', 's3://bucket/archive', 'x'], says: /not over s3/ },
  { words: ['repair', '.'], says: /repair needs an archive to read and one to write/ },
  { words: ['repair', '.', 'x', '--overwrite'], says: /repair takes no --overwrite[\s\S]*option of mirror/ },
  { words: ['repair', '.', 'x', '--dryrun'], says: /Write --dry-run/ },
  { words: ['repair', '.', 'x', '--plan', ''], says: /--plan needs the name of a file/ },
  { words: ['repair', '.', 'x', '--dry-run', '--plan', '-'], says: /--plan - is not a file/ },
  { words: ['repair', '.', 'x', '--plan', 'y', '--low', '5'], says: /--low and --high say it as well/ },
  { words: ['repair', '.', 'x', '--plan', 'y', '--high', '5'], says: /--low and --high say it as well/ },
  { words: ['publish', '.', '--ledger', '63'], says: /publish needs an archive to read and one to write/ },
  { words: ['publish', '.', 'x'], says: /publish needs --ledger N/ },
  { words: ['publish', '.', 'x', '--ledger', '0'], says: /--ledger takes a number from 1/ },
  { words: ['new-hist', '--network', 'testnet'], says: /new-hist needs a destination/ },
  { words: ['new-hist', 'x'], says: /new-hist needs --network/ },
  { words: ['new-hist', 'x', '--network', 'testet'], says: /did you mean testnet\?/ },
  { words: ['new-hist', 'x', '--network', 'My', 'Network'], says: /"Network" is one too many[\s\S]*quotes/ },
  { words: ['verify', '.', '--plan', '-'], says: /--plan - is not a file/ },
  { words: ['verify', '.', '--plan', ''], says: /--plan needs the name of a file/ },
  { words: ['dumpxdr', 'x'], says: /Write dump <FILE>/ },
  { words: ['report-last-history-checkpoint', 'x'], says: /Write status <ARCHIVE>/ },
  { words: ['diff', 'x', 'y'], says: /Write compare <ARCHIVE>/ },
  { words: ['verify-checkpoints', '.'], says: /needs --output-filename FILE/ },
  { words: ['verify-checkpoints', '--output-filename', 'x'], says: /verify-checkpoints needs an archive/ },
  { words: ['verify-checkpoints', '.', '--output-filename', '-'], says: /--output-filename - is not a file/ },
  { words: ['verify-checkpoints', '.', '--output-filename', 'x', '--history-ledger', '63'], says: /belong together/ },
  { words: ['verify-checkpoints', '.', '--output-filename', 'x', '--history-ledger', '63', '--history-hash', 'ab'], says: /These are 2/ },
  { words: ['verify-checkpoints', '.', '--output-filename', 'x', '--from-ledger', '63', '--trusted-hash-file', 'y'], says: /both say where to stop/ },
  { words: ['quorum-sets'], says: /quorum-sets needs an archive/ },
  { words: ['quorum-sets', 'a', 'b'], says: /is for one archive/ },
  { words: ['quorum-sets', '.', '--last', '0'], says: /--last takes a number from 1/ },
  { words: ['compare'], says: /compare needs an archive/ },
  { words: ['compare', '.'], says: /needs two archives or more[\s\S]*verify <ARCHIVE>/ },
  { words: ['compare', '.', '..', '--last', '5', '--low', '3'], says: /both say where to begin/ },
  { words: ['prove', '.'], says: /what shall be proven[\s\S]*--tx HASH/ },
  { words: ['prove', '--tx', '00'], says: /prove needs an archive/ },
  { words: ['prove', '.', '--tx', 'abc'], says: /--tx takes the 64 hexadecimal digits/ },
  { words: ['prove', '.', '--ledger', '5'], says: /--ledger and --index belong together/ },
  { words: ['prove', '.', '--entry', 'G'], says: /--entry and --checkpoint belong together/ },
  { words: ['prove', '.', '--ledger', '5', '--index', '0', '--entry', 'G', '--checkpoint', '63'], says: /two things to prove/ },
  { words: ['prove', '.', '--ledger', '5', '--index', '0', '--low', '3'], says: /where --tx HASH is searched/ },
  { words: ['verify-proof'], says: /verify-proof needs a file/ },
  { words: ['verify-proof', 'a', 'b'], says: /takes one file/ },
  { words: ['verify-proof', 'no-such-file'], says: /the proof cannot be read/ },
  { words: ['verify', '.', '--trusted-hash', 'x'], says: /--trusted-hash takes LEDGER:HASH/ },
  { words: ['verify', '.', '--quorum-set', ''], says: /--quorum-set needs the name of a file/ },
  { words: ['verify', '.', '--output', 'x'], says: /verify takes no --output[\s\S]*option of prove/ },
  { words: ['verify', '.', '--recent'], says: /Write --last N/ },
  { words: ['verify', '.', '--thorough'], says: /Write --deep/ },
  { words: ['verify', '.', '--max-concurrent', '8'], says: /Write --concurrency N/ },
  { words: ['verify', '.', '--ledger', '8'], says: /verify takes no --ledger[\s\S]*option of check-header/ },
  { words: ['status', '.', '--deep'], says: /status takes no --deep[\s\S]*option of verify/ },
  { words: ['verify', '.', '--last', '0'], says: /--last takes a number from 1/ },
  { words: ['verify', '.', '--last', '64', '--low', '1'], says: /--last and --low both/ },
  { words: ['verify', '.', '--sample', 'few'], says: /--sample takes a whole number/ },
  { words: ['verify', '.', '--sample', '0'], says: /--sample takes a number from 1/ },
  { words: ['verify', '.', '--seed', '0123456789abcdef'], says: /--seed belongs to --sample/ },
  { words: ['verify', '.', '--sample', '3', '--seed', 'abc'], says: /16 hexadecimal digits/ },
  { words: ['verify', '.', '--order', 'descending'], says: /Did you mean --order newest-first\?/ },
  { words: ['verify', '.', '--order', 'sideways'], says: /oldest-first or newest-first/ },
  { words: ['verify', '.', '--timeout-secs', '0'], says: /--timeout-secs takes a number from 1/ },
  { words: ['verify', '.', '--timeout', '5'], says: /Write --timeout-secs N/ },
  { words: ['verify', '.', '--state', ''], says: /--state needs the name of a file/ },
  { words: ['verify', '.', '--state', '-'], says: /--state - is not a file/ },
  { words: ['verify', '.', '--metrics', '-'], says: /--metrics - is not a file/ },
  { words: ['status'], says: /status needs an archive/ },
  { words: ['log'], says: /log needs an archive/ },
  { words: ['log', '.', '--last', '5', '--low', '3'], says: /both say where to begin/ },
  { words: ['check-header', '--ledger', '1'], says: /check-header needs an archive/ },
  { words: ['check-header', '.'], says: /check-header needs --ledger N/ },
  { words: ['check-header', '.', '--ledger', '0'], says: /--ledger takes a number from 1/ },
  { words: ['check-header', '.', '--ledger', '1', '--hash', 'abc'], says: /64 hexadecimal digits[\s\S]*These are 3/ },
  { words: ['check-header', '.', '--ledger', '1', '--hash', '00', '--entry', 'x'], says: /--hash and --entry both/ },
  { words: ['dump'], says: /dump needs a file[\s\S]*dump ARCHIVE PATH/ },
  { words: ['dump', 'nothing-0000003f.xdr.gz'], says: /there is no file/ },
  { words: ['dump', '.'], says: /which file of \.\?/ },
  { words: ['dump', 'package.json'], says: /does not say what is in the file/ },
  { words: ['dump', 'https://archive.example/', 'ledger'], says: /dump ledger needs a checkpoint/ },
  { words: ['dump', 'https://archive.example/', 'ledger', 'x'], says: /"x" is not a checkpoint/ },
  { words: ['dump', 'https://archive.example/', 'ledgers', '63'], says: /Did you mean ledger\?/ },
  { words: ['dump', 'https://archive.example/', 'bucket', '63'], says: /64 hexadecimal digits/ },
  { words: ['dump', 'https://archive.example/', 'ledger', '63', '127'], says: /"127" is one too many/ },
  { words: ['verify', '.', '--lw', '1'], says: /no option --lw[\s\S]*--low/ },
  { words: ['verify', '.', '--frobnicate'], says: /no option --frobnicate/ },
  { words: ['verify', '.', '--low'], says: /--low needs a value/ },
  { words: ['verify', '.', '--low', '-5'], says: /--low needs a value/ },
  { words: ['verify', '.', '--low=-5'], says: /--low takes a whole number, not "-5"/ },
  { words: ['verify', '.', '--low', '12e3'], says: /--low takes a whole number, not "12e3"/ },
  { words: ['verify', '.', '--high', '0xzz'], says: /--high takes a whole number, not "0xzz"/ },
  { words: ['verify', '.', '--high', ''], says: /--high takes a whole number, not ""/ },
  { words: ['verify', '.', '--high', '1.5'], says: /--high takes a whole number/ },
  { words: ['verify', '.', '--high', '4294967296'], says: /--high takes a number from 0 to 4294967295/ },
  { words: ['verify', '.', '--low', '0x80', '--high', '0x7f'], says: /--low 0x80 is above --high 0x7f/ },
  { words: ['verify', '.', '--concurrency', '0'], says: /--concurrency takes a number from 1/ },
  { words: ['verify', '.', '--max-retries', 'many'], says: /--max-retries takes a whole number/ },
  { words: ['verify', '.', '--checkpoint-frequency', '16'], says: /is 64 or 8, not 16/ },
  { words: ['verify', '.', '--deep=yes'], says: /--deep takes no value/ },
  { words: ['verify', '.', '--network', ''], says: /--network needs/ },
  { words: ['verify', '.', '--network', 'testet'], says: /did you mean testnet\?/ },
  { words: ['verify', '.', '--network', 'Pubnett'], says: /did you mean pubnet\?/ },
  { words: ['verify', '.', '--network', 'main-net'], says: /did you mean pubnet\?/ },
  { words: ['verify', '.', '--report', '-'], says: /--report - is not a file/ },
  { words: ['verify', '.', '--report', ''], says: /--report needs/ },
  { words: ['verify', 's3://bucket/archive'], says: /not over s3/ },
  { words: ['verify', 'https://'], says: /not a URL/ },
  { words: ['verify', 'history.example.org/prd'], says: /no folder[\s\S]*https:\/\/history\.example\.org\/prd/ },
];
for (const { words, says } of REFUSED) {
  test(`refused with status 2: ${words.join(' ')}`, async () => {
    const { status, stdout, stderr } = await cli(words);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, says);
    assert.match(stderr, /--help/);
    assert.doesNotMatch(stderr, /at .*\.mjs:/, 'no stack trace');
  });
}

test('a folder that is no archive gets a hint', async (t) => {
  const folder = await temporary(t);
  const archive = join(folder, 'archive');
  const root = join(archive, '.well-known');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'stellar-history.json'), '{}');

  const cases = [
    { path: join(folder, 'none'), says: /there is no folder .*none/ },
    { path: folder, says: /does not look like a history archive: it has no \.well-known\/stellar-history\.json/ },
    { path: root, says: /Give the folder above it: .*archive\n/ },
    { path: join(root, 'stellar-history.json'), says: /is a file, not the folder of an archive[\s\S]*seems to be .*archive\n/ },
  ];
  for (const { path, says } of cases) {
    const { status, stderr } = await cli(['verify', path]);
    assert.equal(status, 2, path);
    assert.match(stderr, says);
  }
});

test('a report that could not be written is refused before the work', async (t) => {
  const folder = await temporary(t);
  const archive = join(folder, 'archive');
  await mkdir(join(archive, 'history'), { recursive: true });
  for (const file of [join(folder, 'none', 'report.json'), archive]) {
    const { status, stdout, stderr } = await cli(['verify', archive, '--report', file]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /--report/);
  }
});

test('files that would overwrite each other are refused before the work', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'archive/history'), { recursive: true });
  const file = join(folder, 'out');
  await symlink('out', join(folder, 'link'));
  for (const files of [['--report', file, '--state', file], ['--metrics', file, '--report', join(folder, 'archive/../out')], ['--metrics', file, '--state', join(folder, 'link')]]) {
    const { status, stdout, stderr } = await cli(['verify', join(folder, 'archive'), ...files]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /name the same file/);
  }
});

test('with --json a refusal is the last line of stdout as well', async (t) => {
  const folder = await temporary(t);
  for (const words of [['verify', '--json'], ['status', '--json'], ['dump', '--json'], ['check-header', '.', '--json'], ['verify', '.', '--json', '--lw', '1'], ['verify', folder, '--json'], ['verify', join(folder, 'none'), '--json']]) {
    const { status, stdout, stderr } = await cli(words);
    assert.equal(status, 2);
    const [error, ...more] = jsonLines(stdout);
    assert.deepEqual(more, []);
    assert.equal(error.type, 'error');
    assert.equal(error.code, 'USAGE');
    assert.ok(stderr.includes(error.message));
  }
});

test('names of networks and any other text are taken', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'history'));
  for (const network of ['testnet', 'mainnet', 'public', 'My Private Network ; June 2026']) {
    const { status } = await cli(['verify', folder, '--network', network]);
    assert.equal(status, 1, `${network}: the root file is missing, nothing else`);
  }
});

test('a report goes straight into what is no file, and a link stays a link', { skip: process.platform === 'win32' ? 'no FIFOs' : false }, async (t) => {
  const folder = await temporary(t);
  const archive = join(folder, 'archive');
  await mkdir(join(archive, 'history'), { recursive: true });
  const reported = async (file) => {
    const outcome = await cli(['verify', archive, '--report', file]);
    assert.equal(outcome.status, 1, outcome.stderr);
    return outcome;
  };

  const fifo = join(folder, 'fifo');
  await promisify(execFile)('mkfifo', [fifo]);
  const [read] = await Promise.all([readFile(fifo, 'utf8'), reported(fifo)]);
  assert.equal(JSON.parse(read).schema, 1);
  assert.ok((await lstat(fifo)).isFIFO());

  const { stdout } = await reported('/dev/stdout');
  assert.equal(JSON.parse(stdout.slice(stdout.indexOf('\n{\n'))).schema, 1);
  await reported('/dev/null');
  assert.ok((await lstat('/dev/null')).isCharacterDevice());

  await writeFile(join(folder, 'old.json'), 'old');
  for (const name of ['old.json', 'new.json']) {
    const link = join(folder, `link-to-${name}`);
    await symlink(name, link);
    await reported(link);
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.equal(JSON.parse(await readFile(join(folder, name), 'utf8')).schema, 1);
  }
  assert.deepEqual((await readdir(folder)).filter((name) => name.endsWith('.tmp')), []);
});
