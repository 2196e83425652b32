/** `status`: what archives announce, how old it is, and how far they are behind each other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { CLI, SAMPLE, SAMPLE_NETWORK, cli, headers, host, jsonLines, noSample, rollBack, sampleCopy, server } from './support.mjs';

test('the newest checkpoint, its age, server and network', { skip: noSample }, async () => {
  const [last] = (await headers(SAMPLE, 319)).slice(-1);
  const machine = await cli(['status', SAMPLE, '--json']);
  assert.equal(machine.status, 0, machine.stderr);
  const [status, ...more] = jsonLines(machine.stdout);
  assert.deepEqual(more, []);
  assert.equal(status.type, 'status');
  assert.equal(status.archive, SAMPLE);
  assert.equal(status.ledger, 319);
  assert.equal(status.checkpoint, 319);
  assert.equal(status.closeTime, last.closeTime);
  assert.equal(status.protocol, last.protocol);
  assert.equal(status.network, SAMPLE_NETWORK);
  assert.match(status.bucketListHash, /^[0-9a-f]{64}$/);
  assert.equal(status.error, null);
  assert.deepEqual(status.findings, []);
  assert.equal(status.lag, null);

  const people = await cli(['status', SAMPLE]);
  assert.equal(people.status, 0);
  for (const part of [SAMPLE, '319 (0x0000013f)', ' ago (', 'UTC)', SAMPLE_NETWORK, `protocol ${last.protocol}`]) assert.ok(people.stdout.includes(part), `${part} in\n${people.stdout}`);
});

test('the lag of one behind the other, in ledgers and in time', { skip: noSample }, async (t) => {
  const behind = await sampleCopy(t, 'behind');
  await rollBack(behind, 191);
  const { url } = await host(t, SAMPLE);
  const machine = await cli(['status', behind, url, '--json']);
  assert.equal(machine.status, 0, machine.stderr);
  const [first, second] = jsonLines(machine.stdout);
  const closeTime = async (checkpoint) => Number((await headers(SAMPLE, checkpoint)).at(-1).closeTime);
  assert.equal(first.lag.ledgers, 128);
  assert.equal(first.lag.checkpoints, 2);
  assert.equal(first.lag.seconds, (await closeTime(319)) - (await closeTime(191)));
  assert.equal(first.lag.behind, second.archive);
  assert.equal(second.lag.ledgers, 0);

  const people = await cli(['status', behind, url]);
  assert.match(people.stdout, /lag +128 ledgers \(2 checkpoints\), \d+ (second|minute)s behind http:/);
  assert.match(people.stdout, /lag +none/);
});

test('an archive that cannot be read: status 2, the others are shown', { skip: noSample }, async (t) => {
  const broken = await server(t, (_, response) => response.writeHead(500).end('oops'));
  const { status, stdout } = await cli(['status', SAMPLE, broken, '--max-retries', '0']);
  assert.equal(status, 2);
  assert.match(stdout, /✓ .*sample-archive/);
  assert.match(stdout, /✗ http:/);
  assert.match(stdout, /500/);
  const machine = jsonLines((await cli(['status', SAMPLE, broken, '--max-retries', '0', '--json'])).stdout);
  assert.equal(machine[0].error, null);
  assert.equal(machine[1].ledger, null);
  assert.equal(machine[1].lag, null);
  assert.ok(machine[1].error.message !== '' && machine[1].error.code !== '');
});

test('an archive that announces nonsense: status 1', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  await writeFile(join(folder, '.well-known/stellar-history.json'), '{"version": 1, "currentLedger": "many"}');
  const { status, stdout } = await cli(['status', folder]);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /✗ /);
  const [{ findings }] = jsonLines((await cli(['status', folder, '--json'])).stdout);
  assert.ok(findings.some(({ severity, archive }) => severity === 'error' && archive === folder));
});

test('an archive without its root file: not all right', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  await rm(join(folder, '.well-known'), { recursive: true });
  const { status } = await cli(['status', folder]);
  assert.notEqual(status, 0);
});

test('what an archive says of itself cannot move the cursor', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  const { url } = await host(t, folder, (path, body) => (path.endsWith('.json') && body !== null
    ? { body: JSON.stringify({ ...JSON.parse(body), server: 'evil \u001b[2J\u202eserver' }) }
    : undefined));
  const { stdout } = await cli(['status', url]);
  assert.ok(stdout.includes('\\u001b[2J'), stdout);
  assert.ok(!stdout.includes('\u001b'));
});

for (const words of [['status'], ['log'], ['check-header', '--ledger', '1'], ['dump']]) {
  test(`Ctrl-C ends ${words[0]} at once, in words`, { timeout: 30_000 }, async (t) => {
    let child;
    const url = await server(t, () => child.kill('SIGINT'));
    const [command, ...options] = words;
    child = spawn(process.execPath, [CLI, command, url, ...(command === 'dump' ? ['ledger', '63'] : options), '--json']);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].on('data', (text) => (output[name] += text));
    const [status] = await once(child, 'close');
    assert.equal(status, 2);
    assert.match(output.stderr, /stopping[\s\S]*stopped by the user/);
    const error = jsonLines(output.stdout).at(-1);
    assert.deepEqual([error.type, error.code], ['error', 'ABORTED']);
  });
}
