/** `prove` and `verify-proof`: a proof made from an archive, and checked by somebody who has none. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { directoryReader, proveTransaction, verifyProof } from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_NETWORK, archive, cli, jsonLines, noData, noSample, sampleCopy, temporary } from './support.mjs';

const TESTNET = 'testnet-p22';

/** The first transaction of a checkpoint: its ledger, its hash, and how many that ledger has. */
async function firstTransaction(folder, checkpoint) {
  const [record] = jsonLines((await cli(['dump', folder, 'results', String(checkpoint)])).stdout);
  const { results } = record.tx_result_set;
  return { ledger: record.ledger_seq, hash: results[0].transaction_hash, of: results.length };
}

async function ownQuorumSet(folder, path) {
  const [{ quorumSets: [{ quorumSet }] }] = jsonLines((await cli(['quorum-sets', folder, '--json'])).stdout);
  await writeFile(path, JSON.stringify(quorumSet));
  return path;
}

async function checked(file, ...words) {
  const { status, stdout, stderr } = await cli(['verify-proof', file, ...words, '--json']);
  const [line, ...more] = jsonLines(stdout);
  assert.deepEqual(more, []);
  assert.equal(line.type, 'proof', stderr);
  return { status, report: line.report };
}

/** Every value of a JSON text that is no object, by its path. */
function* leaves(value, path = []) {
  if (typeof value !== 'object' || value === null) yield [path, value];
  else for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...path, key]);
}

/** A copy of `value` with the leaf at `path` set to another one. */
function changed(value, path, leaf) {
  const copy = structuredClone(value);
  const last = path.slice(0, -1).reduce((inner, key) => inner[key], copy);
  last[path.at(-1)] = leaf;
  return copy;
}

/** Something else of the same form: another digit, another letter of base64, another number. */
function other(leaf) {
  if (typeof leaf === 'number') return leaf + 1;
  if (typeof leaf === 'boolean') return !leaf;
  const at = Math.floor(leaf.length / 2);
  return `${leaf.slice(0, at)}${leaf[at] === '1' ? '2' : '1'}${leaf.slice(at + 1)}`;
}

test('a real transaction, proven to a stranger by the preset alone', { skip: noData }, async (t) => {
  const file = join(await temporary(t), 'proof.json');
  const { ledger, hash, of } = await firstTransaction(archive(TESTNET), 2047);
  const made = await cli(['prove', archive(TESTNET), '--tx', hash, '--low', '1984', '--high', '2047', '--output', file]);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /written to .*proof\.json/);
  assert.ok((await readFile(file)).length < 200_000);

  const { status, report } = await checked(file);
  assert.equal(status, 0, report.statement);
  assert.equal(report.verdict, 'proven');
  assert.equal(report.network, 'Test SDF Network ; September 2015');
  assert.equal(report.facts.ledger, ledger);
  assert.deepEqual([report.facts.transaction.hash, report.facts.transaction.index, report.facts.transaction.of], [hash, 0, of]);
  assert.deepEqual([report.anchors[0].kind, report.anchors[0].signers.length], ['seal', 3]);
  assert.ok(report.steps.length > 3 && report.steps.every((step) => step.status === 'holds'));

  const people = await cli(['verify-proof', file]);
  for (const part of ['✓ ', hash, 'PROVEN', report.statement, 'SDF: SDF testnet', `ledger       ${ledger}, closed `]) assert.ok(people.stdout.includes(part), `${part} in\n${people.stdout}`);
});

test('by its place, through a pipe', { skip: noData }, async () => {
  const { ledger, hash } = await firstTransaction(archive(TESTNET), 1023);
  const made = await cli(['prove', archive(TESTNET), '--ledger', String(ledger), '--index', '0']);
  assert.equal(made.status, 0, made.stderr);
  assert.doesNotThrow(() => JSON.parse(made.stdout));
  const { status, stdout } = await cli(['verify-proof', '-', '--json'], { stdin: made.stdout });
  assert.equal(status, 0);
  assert.equal(jsonLines(stdout)[0].report.facts.transaction.hash, hash);
});

test('whom the reader believes decides', { skip: noData }, async (t) => {
  const file = join(await temporary(t), 'proof.json');
  const { ledger } = await firstTransaction(archive(TESTNET), 1023);
  await cli(['prove', archive(TESTNET), '--ledger', String(ledger), '--index', '0', '--output', file]);
  const strangers = await checked(file, '--quorum-set', 'pubnet-sdf');
  assert.equal(strangers.status, 2);
  assert.equal(strangers.report.verdict, 'unproven');
  const nobody = await checked(file, '--quorum-set', 'none');
  assert.equal(nobody.status, 2);
  const otherNetwork = await checked(file, '--network', 'pubnet');
  assert.notEqual(otherNetwork.status, 0);
  // A hash that the reader knows is as good as a seal.
  const { through } = strangers.report.facts;
  const [{ ledger_seq: _, ...rest }] = jsonLines((await cli(['check-header', archive(TESTNET), '--ledger', String(through), '--json'])).stdout);
  const known = await checked(file, '--quorum-set', 'none', '--trusted-hash', `${through}:${rest.expected.hash}`);
  assert.equal(known.status, 0, known.report.statement);
  assert.equal(known.report.anchors[0].kind, 'trusted-hash');
});

test('a network of one’s own: proven with its set, not without', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const [file, set] = [join(folder, 'proof.json'), await ownQuorumSet(SAMPLE, join(folder, 'set.json'))];
  const { ledger } = await firstTransaction(SAMPLE, 127);
  const made = await cli(['prove', SAMPLE, '--ledger', String(ledger), '--index', '0', '--quorum-set', set, '--output', file, '--json']);
  assert.equal(made.status, 0, made.stderr);
  assert.equal(jsonLines(made.stdout)[0].output, file);
  assert.equal((await checked(file, '--quorum-set', set)).status, 0);
  const without = await checked(file);
  assert.equal(without.status, 2);
  assert.equal(without.report.verdict, 'unproven');
  assert.equal((await checked(file, '--network', SAMPLE_NETWORK)).report.network, SAMPLE_NETWORK);
});

test('no field of a proof can be another one and still prove', { skip: noData, timeout: 300_000 }, async () => {
  const { ledger } = await firstTransaction(archive(TESTNET), 1023);
  const text = await proveTransaction(directoryReader(archive(TESTNET)), { ledger, index: 0 });
  assert.equal((await verifyProof(text)).verdict, 'proven');
  const proof = JSON.parse(text);
  let tried = 0;
  for (const [path, leaf] of leaves(proof)) {
    if (leaf === null) continue;
    const { verdict, fault, statement } = await verifyProof(JSON.stringify(changed(proof, path, other(leaf))));
    assert.notEqual(verdict, 'proven', path.join('.'));
    assert.ok(statement !== '', path.join('.'));
    if (verdict === 'refuted') assert.ok(fault.field !== '' && fault.message !== '', path.join('.'));
    tried += 1;
  }
  assert.ok(tried > 10, `${tried} fields`);
});

test('a tampered proof on the command line: status 1, the step and the reason', { skip: noData }, async (t) => {
  const file = join(await temporary(t), 'proof.json');
  const { ledger } = await firstTransaction(archive(TESTNET), 1023);
  await cli(['prove', archive(TESTNET), '--ledger', String(ledger), '--index', '0', '--output', file]);
  const proof = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify(changed(proof, ['headers', '0'], other(proof.headers[0]))));
  const { status, report } = await checked(file);
  assert.equal(status, 1);
  assert.equal(report.verdict, 'refuted');
  assert.equal(report.facts, null);
  const people = await cli(['verify-proof', file]);
  assert.equal(people.status, 1);
  assert.match(people.stdout, /✗ .*headers/);
  assert.match(people.stdout, /REFUTED/);
});

test('what is no proof at all is refuted, and shows nothing raw', { skip: noSample }, async (t) => {
  const file = join(await temporary(t), 'proof.json');
  for (const text of ['', 'dear diary', '{}', '[]', 'null', '{"schema":1}', '{"\u001b[2J":1}', '['.repeat(100_000), Buffer.from([0xff, 0xfe, 0x00])]) {
    await writeFile(file, text);
    const { status, stdout, stderr } = await cli(['verify-proof', file]);
    assert.equal(status, 1, `${String(text).slice(0, 20)}: ${stderr}`);
    assert.match(stdout, /REFUTED/);
    assert.ok(!stdout.includes('\u001b'), stdout);
  }
});

test('there is no such transaction: status 2', { skip: noSample }, async (t) => {
  const set = await ownQuorumSet(SAMPLE, join(await temporary(t), 'set.json'));
  const { status, stderr } = await cli(['prove', SAMPLE, '--tx', '0'.repeat(64), '--quorum-set', set]);
  assert.equal(status, 2);
  assert.match(stderr, /no ledger from .* has the transaction/);
  const beyond = await cli(['prove', SAMPLE, '--ledger', '100', '--index', '100000', '--quorum-set', set]);
  assert.equal(beyond.status, 2);
});

test('an archive without messages makes a proof that only a known hash proves, and says so', { skip: noSample }, async (t) => {
  const copy = await sampleCopy(t);
  await rm(join(copy, 'scp'), { recursive: true });
  const file = join(await temporary(t), 'proof.json');
  const { ledger } = await firstTransaction(SAMPLE, 127);
  const { status, stderr } = await cli(['prove', copy, '--ledger', String(ledger), '--index', '0', '--output', file]);
  assert.equal(status, 0, 'a file is made, and nothing else was asked for');
  assert.match(stderr, /the proof is made, but it would be unproven for you: /);
  assert.equal((await checked(file)).report.verdict, 'unproven');
  const { ledger: proven, ledgerHash } = (await checked(file)).report.facts;
  assert.equal((await checked(file, '--trusted-hash', `${proven}:${ledgerHash}`, '--network', SAMPLE_NETWORK)).status, 0);
});

test('a ledger entry, from its buckets', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const [file, set] = [join(folder, 'entry.json'), await ownQuorumSet(SAMPLE, join(folder, 'set.json'))];
  const account = 'GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7';
  const made = await cli(['prove', SAMPLE, '--entry', account, '--checkpoint', '255', '--quorum-set', set, '--output', file]);
  assert.equal(made.status, 0, made.stderr);
  const { status, report } = await checked(file, '--quorum-set', set);
  assert.equal(status, 0, report.statement);
  assert.equal(report.facts.entry.standing, 'absent');
  const people = await cli(['verify-proof', file, '--quorum-set', set]);
  assert.match(people.stdout, /entry +Account, absent/);
  assert.ok(people.stdout.includes(report.doesNotProve));
  const between = await cli(['prove', SAMPLE, '--entry', account, '--checkpoint', '200', '--quorum-set', set]);
  assert.equal(between.status, 2);
  assert.match(between.stderr, /255/);
});
