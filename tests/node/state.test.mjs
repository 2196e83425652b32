/** `--state`: a run that was interrupted goes on, and nothing else of that name is ever touched. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CLI, SAMPLE, cli, host, jsonLines, noSample, temporary, timeless } from './support.mjs';

/** The sample on a host that takes its time, and the words that verify it, one file at a time. */
async function slow(t, delayMs) {
  const { url, asked } = await host(t, SAMPLE, () => ({ delayMs }));
  const file = join(await temporary(t), 'run.state');
  return { asked, file, words: ['verify', url, '--concurrency', '2', '--state', file] };
}

/** Starts `words` and ends them with `signal` once `enough(stdout)`. */
async function interrupted(words, signal, enough) {
  const child = spawn(process.execPath, [CLI, ...words, '--json']);
  let stdout = '';
  let stderr = '';
  let sent = false;
  child.stderr.on('data', (text) => (stderr += text));
  child.stdout.on('data', (text) => {
    stdout += text;
    if (sent || !enough(stdout)) return;
    sent = true;
    child.kill(signal);
  });
  const [status] = await once(child, 'close');
  return { status, stdout, stderr };
}

/** Without what depends on the way there: times, who was asked how often, how much came over the network. */
function comparable(report) {
  const { bytes, metrics, sources, ...rest } = timeless(report);
  return rest;
}

test('a run that was interrupted goes on, and its report is that of a run that was not', { skip: noSample }, async (t) => {
  const { asked, file, words } = await slow(t, 10);
  const whole = jsonLines((await cli([...words, '--json'])).stdout).at(-1).report;
  assert.equal(whole.verdict, 'verified', JSON.stringify([whole.findings, whole.errors]));
  assert.equal(existsSync(file), false, 'a run that came to its end leaves none');
  const all = asked.length;

  const first = await interrupted(words, 'SIGINT', (stdout) => stdout.split('"type":"checkpoint"').length > 3);
  assert.equal(first.status, 2);
  assert.match(first.stderr, /to go on from here, run the same command again/);
  assert.equal(typeof JSON.parse(await readFile(file, 'utf8')), 'object');
  const { report } = jsonLines(first.stdout).at(-1);
  assert.equal(report.verdict, 'incomplete');
  assert.ok(!first.stdout.includes('"type":"state"'), 'the state is in its file only');

  asked.length = 0;
  const second = await cli([...words, '--json']);
  assert.equal(second.status, 0, second.stderr);
  assert.match(second.stderr, /going on from the state in .*run\.state/);
  assert.deepEqual(comparable(jsonLines(second.stdout).at(-1).report), comparable(whole));
  assert.ok(asked.length < all, `${asked.length} of ${all} files were read again`);
  assert.equal(existsSync(file), false, 'the run came to its end');
  assert.deepEqual(await readdir(join(file, '..')), []);
});

test('killed without warning it goes on from the last state', { skip: noSample }, async (t) => {
  const { asked, file, words } = await slow(t, 120);
  const first = await interrupted(words, 'SIGKILL', () => existsSync(file));
  assert.equal(first.status, null);
  assert.equal(typeof JSON.parse(await readFile(file, 'utf8')), 'object', 'never half a file');
  asked.length = 0;
  const second = await cli([...words, '--json']);
  assert.equal(second.status, 0, second.stderr);
  assert.ok(asked.length > 0);
  assert.equal(existsSync(file), false);
});

test('interrupted twice it goes on twice', { skip: noSample }, async (t) => {
  const { file, words } = await slow(t, 10);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const { status } = await interrupted(words, signal, (stdout) => stdout.includes('"type":"checkpoint"'));
    assert.equal(status, 2);
    assert.ok(existsSync(file));
  }
  assert.equal((await cli(words)).status, 0);
});

test('a state of another run is refused with what differs, and left alone', { skip: noSample }, async (t) => {
  const { file, words } = await slow(t, 10);
  await interrupted(words, 'SIGINT', (stdout) => stdout.includes('"type":"checkpoint"'));
  const kept = await readFile(file, 'utf8');
  const [, url] = words;
  for (const { args, says } of [
    { args: ['verify', url, '--deep'], says: /deep/ },
    { args: ['verify', url, '--network', 'testnet'], says: /network/i },
    { args: ['verify', url, '--high', '127'], says: /high|range/ },
    { args: ['verify', SAMPLE], says: /archive/ },
    { args: ['verify', url, SAMPLE], says: /archive/ },
  ]) {
    const { status, stdout, stderr } = await cli([...args, '--state', file]);
    assert.equal(status, 2, stdout);
    assert.match(stderr, says, args.join(' '));
    assert.equal(await readFile(file, 'utf8'), kept);
  }
  const { status } = await cli(words);
  assert.equal(status, 0, 'still good for its own');
});

test('a file that is no state is never overwritten', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  for (const text of ['dear diary', '{}', '[1]', '{"schema":3}', '\u0000']) {
    const file = join(folder, 'file');
    await writeFile(file, text);
    const { status, stderr } = await cli(['verify', SAMPLE, '--state', file]);
    assert.equal(status, 2, text);
    assert.match(stderr, /state/);
    assert.equal(await readFile(file, 'utf8'), text);
  }
});

test('an empty file is the beginning of a state, a folder or a device is none', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const file = join(folder, 'empty');
  await writeFile(file, '');
  assert.equal((await cli(['verify', SAMPLE, '--state', file])).status, 0);
  for (const [path, says] of [[folder, /is a folder/], ['/dev/null', /is not a file/], [join(folder, 'none/file'), /cannot be written/]]) {
    const { status, stderr } = await cli(['verify', SAMPLE, '--state', path]);
    assert.equal(status, 2, path);
    assert.match(stderr, says);
  }
});

test('a state behind a link is written where the link leads', { skip: noSample || (process.platform === 'win32' ? 'links need rights' : false) }, async (t) => {
  const { file, words } = await slow(t, 10);
  await writeFile(file, '');
  const link = `${file}.link`;
  await symlink('run.state', link);
  await interrupted([...words.slice(0, -1), link], 'SIGINT', (stdout) => stdout.includes('"type":"checkpoint"'));
  assert.equal(typeof JSON.parse(await readFile(file, 'utf8')), 'object');
});

test('a sample goes on with its own checkpoints, though its seed was never said', { skip: noSample }, async (t) => {
  const { words } = await slow(t, 10);
  const sampled = [...words, '--sample', '3'];
  const first = await interrupted(sampled, 'SIGINT', (stdout) => stdout.includes('"type":"checkpoint"'));
  const { seed } = jsonLines(first.stdout).at(-1).report.options.sample;
  const second = await cli([...sampled, '--json']);
  assert.equal(second.status, 0, second.stderr);
  assert.equal(jsonLines(second.stdout).at(-1).report.options.sample.seed, seed);
});
