/**
 * Colours: on a terminal only, unless somebody says otherwise; never in what programs read. A terminal is played by Python's `pty`.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { CLI, SAMPLE, cli, noSample, pathOf, plainEnv, sampleCopy, temporary } from './support.mjs';

const noTerminal = process.platform === 'win32' || spawnSync('python3', ['-c', 'import pty']).status !== 0 ? 'no pseudo-terminals: Python with pty is needed' : false;

const SGR = /\u001b\[[0-9;]*m/g;
const VERIFIED = '\u001b[32m\u001b[1mVERIFIED\u001b[0m\u001b[0m';

const uncoloured = (text) => text.replaceAll(SGR, '');
const isColoured = (text) => text.search(SGR) !== -1;

/**
 * Runs the command with its stdout, its stderr, or both on a terminal of `columns`. What goes to the terminal is `terminal`; what does not
 * is in `piped`.
 */
async function onTerminal(args, { on = 'both', env = {}, columns = 200 } = {}) {
  const play = `
import fcntl, os, pty, struct, subprocess, sys, termios
on, columns, piped, *words = sys.argv[1:]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 50, int(columns), 0, 0))
other = open(piped, 'wb')
child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=slave if on != 'stderr' else other, stderr=slave if on != 'stdout' else other)
os.close(slave)
said = b''
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:
        break
    if not chunk: break
    said += chunk
sys.stdout.buffer.write(said)
sys.exit(child.wait())
`;
  const piped = join(env.folder, 'piped');
  const options = { env: { ...plainEnv, TERM: 'xterm', ...env }, timeout: 120_000, maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)('python3', ['-c', play, on, String(columns), piped, process.execPath, CLI, ...args], options).catch((error) => error);
  const other = await readFile(piped, 'utf8');
  await rm(piped);
  return { terminal: stdout.replaceAll('\r\n', '\n'), piped: other };
}

/** Without the times, which no two runs share. */
const timeless = (text) => text.replace(/ in [\d.]+ s/g, ' in T s');

test('on a terminal the verdict and the marks are coloured, and nothing else differs', { skip: noSample || noTerminal }, async (t) => {
  const folder = await temporary(t);
  const { terminal } = await onTerminal(['verify', SAMPLE], { on: 'stdout', env: { folder } });
  const piped = await cli(['verify', SAMPLE]);
  assert.ok(terminal.includes(VERIFIED), terminal);
  assert.match(terminal, /\u001b\[32m✓\u001b\[0m chain/);
  assert.ok(!isColoured(piped.stdout));
  assert.equal(timeless(uncoloured(terminal)), timeless(piped.stdout));
});

test('the severity of a finding has its colour', { skip: noSample || noTerminal }, async (t) => {
  const folder = await temporary(t);
  const copy = await sampleCopy(t);
  await rm(join(copy, pathOf('results', 127)));
  await rm(join(copy, pathOf('scp', 127)));
  const { terminal } = await onTerminal(['verify', copy], { env: { folder } });
  assert.match(terminal, /\u001b\[31m✗ file-missing\u001b\[0m/);
  assert.match(terminal, /\u001b\[33m! [a-z-]+\u001b\[0m {2}\u001b\[1mscp\//);
  assert.match(terminal, /\u001b\[31m\u001b\[1mFAULTY/);
});

test('a pipe gets the same bytes, with and without a wish for no colours', { skip: noSample }, async () => {
  for (const words of [['verify', SAMPLE], ['log', SAMPLE], ['status', SAMPLE, SAMPLE + '/.'], ['help'], ['help', 'verify'], ['dump', SAMPLE, 'history'], ['verfy']]) {
    const [first, ...others] = await Promise.all([{}, { NO_COLOR: '1' }, { CLICOLOR: '1' }, { CLICOLOR: '0' }, { TERM: 'dumb' }, { FORCE_COLOR: '' }].map(async (env) => {
      const { stdout, stderr } = await cli(words, { env });
      return timeless(stdout + stderr).replace(/closed .* ago/g, '');
    }));
    assert.ok(!isColoured(first), words.join(' '));
    for (const other of others) assert.equal(other, first, words.join(' '));
  }
});

/** Who wins, on a pipe and on a terminal. */
const WISHES = [
  { env: {}, pipe: false, terminal: true },
  { env: { NO_COLOR: '1' }, pipe: false, terminal: false },
  { env: { NO_COLOR: '' }, pipe: false, terminal: true },
  { env: { TERM: 'dumb' }, pipe: false, terminal: false },
  { env: { CLICOLOR: '0' }, pipe: false, terminal: false },
  { env: { CLICOLOR: '1' }, pipe: false, terminal: true },
  { env: { CLICOLOR_FORCE: '1' }, pipe: true, terminal: true },
  { env: { CLICOLOR_FORCE: '0' }, pipe: false, terminal: true },
  { env: { FORCE_COLOR: '1' }, pipe: true, terminal: true },
  { env: { FORCE_COLOR: '0' }, pipe: false, terminal: false },
  { env: { FORCE_COLOR: '1', TERM: 'dumb' }, pipe: true, terminal: true },
  { env: { FORCE_COLOR: '1', NO_COLOR: '1' }, pipe: false, terminal: false },
  { env: { NO_COLOR: '1' }, words: ['--color', 'always'], pipe: true, terminal: true },
  { env: { FORCE_COLOR: '1' }, words: ['--color=never'], pipe: false, terminal: false },
  { env: { FORCE_COLOR: '1' }, words: ['--color', 'auto'], pipe: true, terminal: true },
];
for (const { env, words = [], pipe, terminal } of WISHES) {
  const name = [...Object.entries(env).map(([variable, value]) => `${variable}=${value}`), ...words].join(' ') || 'nothing said';
  test(`${name}: ${pipe ? '' : 'no '}colours on a pipe, ${terminal ? '' : 'no '}colours on a terminal`, { skip: noTerminal }, async (t) => {
    const folder = await temporary(t);
    // Its headings on stdout, a complaint on stderr.
    for (const args of [['help', 'verify', ...words], ['verfy', ...words]]) {
      const { stdout, stderr } = await cli(args, { env });
      assert.equal(isColoured(stdout + stderr), pipe, `${args}`);
      assert.equal(isColoured((await onTerminal(args, { env: { ...env, folder } })).terminal), terminal, `${args}`);
    }
  });
}

test('stdout and stderr are judged by themselves', { skip: noTerminal }, async (t) => {
  const folder = await temporary(t);
  const words = ['verify', join(folder, 'none'), '--json'];
  const aside = await onTerminal(words, { on: 'stderr', env: { folder } });
  assert.ok(isColoured(aside.terminal) && !isColoured(aside.piped), JSON.stringify(aside));
  const result = await onTerminal(['verfy'], { on: 'stdout', env: { folder } });
  assert.ok(!isColoured(result.piped) && result.piped.includes('Did you mean'), result.piped);
});

test('what programs read has no colours, whatever is asked for', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const asked = { env: { FORCE_COLOR: '1' } };
  for (const words of [['verify', SAMPLE, '--json'], ['log', SAMPLE, '--json'], ['status', SAMPLE, '--json'], ['config', '--json'], ['dump', SAMPLE, 'history'], ['completion', 'bash'], ['config', 'archives']]) {
    const { stdout } = await cli([...words, '--color', 'always'], asked);
    assert.ok(!isColoured(stdout), words.join(' '));
  }
  const copy = await sampleCopy(t);
  await rm(join(copy, pathOf('results', 127)));
  const files = { '--report': 'report.json', '--metrics': 'metrics', '--plan': 'plan.json' };
  const { stdout } = await cli(['verify', copy, '--color', 'always', ...Object.entries(files).flatMap(([option, name]) => [option, join(folder, name)])]);
  assert.ok(isColoured(stdout));
  for (const name of Object.values(files)) assert.ok(!(await readFile(join(folder, name), 'utf8')).includes('\u001b'), name);
});

test('a help fits its terminal', { skip: noTerminal }, async (t) => {
  const folder = await temporary(t);
  for (const words of [['help'], ['help', 'verify'], ['help', 'mirror']]) {
    const { terminal } = await onTerminal([...words, '--color=never'], { columns: 80, env: { folder } });
    const [explained] = terminal.split('\nExamples\n');
    assert.deepEqual(explained.split('\n').filter((line) => line.length > 80), [], words.join(' '));
    const piped = (await cli(words)).stdout;
    assert.deepEqual(terminal.split(/\s+/), piped.split(/\s+/), 'the same words');
  }
});
