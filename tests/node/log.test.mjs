/** `log`: one line a checkpoint. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { SAMPLE, SAMPLE_CHECKPOINTS, cli, damage, headers, host, jsonLines, noSample, pathOf, sampleCopy, server } from './support.mjs';

async function logged(...words) {
  const { status, stdout, stderr } = await cli(['log', ...words, '--json']);
  const lines = jsonLines(stdout);
  return {
    status,
    stderr,
    checkpoints: lines.filter(({ type }) => type === 'checkpoint'),
    findings: lines.filter(({ type }) => type === 'finding').map(({ finding }) => finding),
    last: lines.at(-1),
  };
}

test('newest first, with what the last header of each says', { skip: noSample }, async () => {
  const { status, checkpoints, findings, last } = await logged(SAMPLE);
  assert.equal(status, 0);
  assert.deepEqual(findings, []);
  assert.deepEqual(last, { type: 'done', schema: 1, checkpoints: 5, findings: 0, errors: [], notes: [] });
  assert.deepEqual(checkpoints.map(({ checkpoint }) => checkpoint), SAMPLE_CHECKPOINTS.toReversed());
  for (const line of checkpoints) {
    const { hash, closeTime, protocol } = (await headers(SAMPLE, line.checkpoint)).at(-1);
    assert.deepEqual([line.hash, line.closeTime, line.protocol], [hash, closeTime, protocol]);
    assert.equal(line.first, Math.max(1, line.checkpoint - 63));
    assert.equal(line.last, line.checkpoint);
    assert.equal(line.status, 'verified');
  }
  const people = await cli(['log', SAMPLE]);
  assert.equal(people.status, 0);
  const lines = people.stdout.trimEnd().split('\n');
  assert.equal(lines.length, 5);
  assert.match(lines[0], /^✓ 0x0000013f {2}256–319 {2}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}protocol \d+ {2}[0-9a-f]{64}$/);
});

test('the same lines the other way round, and parts of them', { skip: noSample }, async () => {
  const numbers = async (...words) => (await logged(SAMPLE, ...words)).checkpoints.map(({ checkpoint }) => checkpoint);
  assert.deepEqual(await numbers('--order', 'oldest-first'), SAMPLE_CHECKPOINTS);
  assert.deepEqual(await numbers('--last', '65'), [319, 255]);
  assert.deepEqual(await numbers('--low', '0x80', '--high', '200'), [255, 191]);
  assert.deepEqual(await numbers('--concurrency', '1', '--order', 'oldest-first', '--high', '64'), [63, 127]);
});

test('several archives, URLs among them', { skip: noSample }, async (t) => {
  const { url } = await host(t, SAMPLE);
  const { status, checkpoints } = await logged(url, SAMPLE);
  assert.equal(status, 0);
  assert.equal(checkpoints.length, 5);
});

test('a faulty checkpoint is a line and a finding, the rest goes on', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  await damage(folder, pathOf('ledger', 191), 100);
  const { status, checkpoints, findings } = await logged(folder);
  assert.equal(status, 1);
  assert.equal(checkpoints.length, 5);
  assert.equal(checkpoints[2].status, 'faulty');
  assert.ok(findings.some(({ path }) => path === pathOf('ledger', 191)), JSON.stringify(findings));
  const people = await cli(['log', folder]);
  assert.equal(people.status, 1);
  assert.match(people.stdout, /✗ 0x000000bf/);
  assert.ok(people.stdout.includes(pathOf('ledger', 191)));
});

test('a missing checkpoint is a line, too', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  await rm(join(folder, pathOf('ledger', 191)));
  const { status, checkpoints } = await logged(folder);
  assert.notEqual(status, 0);
  assert.deepEqual(checkpoints.map(({ checkpoint }) => checkpoint), SAMPLE_CHECKPOINTS.toReversed());
  assert.notEqual(checkpoints[2].status, 'verified');
  assert.equal(checkpoints[2].hash, null);
});

test('a host that is broken: could not complete', async (t) => {
  const url = await server(t, (_, response) => response.writeHead(500).end('oops'));
  const { status, stdout } = await cli(['log', url, '--max-retries', '0']);
  assert.equal(status, 2);
  assert.match(stdout, /500/);
  const { last } = await logged(url, '--max-retries', '0');
  assert.equal(last.errors[0].code, 'HTTP');
});

test('a broken host beside a good one costs nothing', { skip: noSample }, async (t) => {
  const url = await server(t, (_, response) => response.writeHead(500).end('oops'));
  const { status, stdout } = await cli(['log', SAMPLE, url, '--max-retries', '0']);
  assert.equal(status, 0, stdout);
  assert.equal(stdout.match(/^✓ /gm).length, 5);
});
