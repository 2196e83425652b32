/** `check-header`: one header against other archives, a hash, an entry. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { SAMPLE, cli, damage, headers, jsonLines, noSample, pathOf, sampleCopy, server, temporary } from './support.mjs';

const LEDGER = 100;
const header = async () => (await headers(SAMPLE, 127))[LEDGER - 64];

async function checked(...words) {
  const { status, stdout, stderr } = await cli(['check-header', ...words, '--json']);
  const [check, ...more] = jsonLines(stdout);
  assert.deepEqual(more, [], stdout);
  return { status, stderr, check };
}

test('two archives that agree', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  const { hash } = await header();
  const { status, check } = await checked(SAMPLE, copy, '--ledger', String(LEDGER));
  assert.equal(status, 0, JSON.stringify(check));
  assert.equal(check.type, 'check-header');
  assert.equal(check.ledger, LEDGER);
  assert.equal(check.expected.hash, hash);
  assert.deepEqual(check.checks.map(({ archive, status: outcome, hash: found }) => [archive, outcome, found]), [[SAMPLE, 'match', hash], [copy, 'match', hash]]);
  assert.equal(check.metrics['history.ledger-check.success'], 2);

  const people = await cli(['check-header', SAMPLE, copy, '--ledger', `0x${LEDGER.toString(16)}`]);
  assert.equal(people.status, 0);
  for (const part of [hash, `ledger ${LEDGER}`, '2 of 2 agree', copy]) assert.ok(people.stdout.includes(part), people.stdout);
});

test('a hash that is known, right and wrong', { skip: noSample }, async () => {
  const { hash } = await header();
  const right = await checked(SAMPLE, '--ledger', String(LEDGER), '--hash', hash.toUpperCase());
  assert.equal(right.status, 0, JSON.stringify(right.check));
  const wrong = await checked(SAMPLE, '--ledger', String(LEDGER), '--hash', '00'.repeat(32));
  assert.equal(wrong.status, 1);
  assert.equal(wrong.check.checks[0].status, 'differs');
  assert.equal(wrong.check.checks[0].hash, hash);
  assert.equal(wrong.check.expected.hash, '00'.repeat(32));
});

test('an entry in base64, in a file of base64, of XDR, and of XDR with its mark', { skip: noSample }, async (t) => {
  const { entry } = await header();
  const folder = await temporary(t);
  const marked = Buffer.concat([Buffer.alloc(4), entry]);
  marked.writeUInt32BE(0x8000_0000 + entry.length);
  const files = { 'entry.b64': `${entry.toString('base64').replace(/.{76}/g, '$&\n')}\n`, 'entry.xdr': entry, 'marked.xdr': marked };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  for (const word of [entry.toString('base64'), ...Object.keys(files).map((name) => join(folder, name))]) {
    const { status, check, stderr } = await checked(SAMPLE, '--ledger', String(LEDGER), '--entry', word);
    assert.equal(status, 0, `${word.slice(0, 80)}: ${stderr}${JSON.stringify(check)}`);
  }
});

test('the whole entry is compared, not its hash alone', { skip: noSample }, async () => {
  const { entry } = await header();
  const other = Buffer.from(entry);
  // A header that says something else under the same hash.
  other[entry.length - 8] ^= 1;
  const { status } = await checked(SAMPLE, '--ledger', String(LEDGER), '--entry', other.toString('base64'));
  assert.notEqual(status, 0);
});

test('what is no entry is refused', { skip: noSample }, async (t) => {
  const file = join(await temporary(t), 'file');
  await writeFile(file, 'dear diary');
  for (const word of [file, 'no-such-file', 'AAAA', '']) {
    const { status, stderr } = await cli(['check-header', SAMPLE, '--ledger', String(LEDGER), '--entry', word]);
    assert.equal(status, 2, word);
    assert.match(stderr, /entry/i);
  }
});

test('an archive with another header: status 1, and both hashes', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  // The bytes of ledger 100 itself: its hash is then not what the record says.
  await damage(copy, pathOf('ledger', 127), await offsetOf(LEDGER));
  const { status, check } = await checked(SAMPLE, copy, '--ledger', String(LEDGER));
  assert.equal(status, 1, JSON.stringify(check));
  assert.equal(check.checks[0].status, 'match');
  assert.equal(check.checks[1].status, 'differs');
  const people = await cli(['check-header', SAMPLE, copy, '--ledger', String(LEDGER)]);
  assert.equal(people.status, 1);
  assert.match(people.stdout, /✗ differs/);
});

async function offsetOf(ledger) {
  const entries = await headers(SAMPLE, 127);
  return entries.slice(0, ledger - 64).reduce((sum, { entry }) => sum + 4 + entry.length, 0) + 4 + 32 + 40;
}

test('an archive without it, and one that cannot be read: status 2', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  await rm(join(copy, pathOf('ledger', 127)));
  const missing = await checked(SAMPLE, copy, '--ledger', String(LEDGER));
  assert.equal(missing.status, 2);
  assert.equal(missing.check.checks[1].status, 'missing');

  const broken = await server(t, (_, response) => response.writeHead(403).end('no'));
  const unreadable = await checked(SAMPLE, broken, '--ledger', String(LEDGER));
  assert.equal(unreadable.status, 2);
  assert.equal(unreadable.check.checks[1].status, 'unreadable');
  assert.ok(unreadable.check.checks[1].message !== '');

  const beyond = await checked(SAMPLE, '--ledger', '100000');
  assert.equal(beyond.status, 2);
  assert.equal(beyond.check.checks[0].status, 'missing');
  assert.equal(beyond.check.expected, null);
});
