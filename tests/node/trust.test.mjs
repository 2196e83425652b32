/** Whose word counts: presets, quorum sets in files, hashes that are trusted, and histories that nobody vouches for. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import * as entry from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_NETWORK, archive, cli, headers, jsonLines, makeArchive, noData, noSample, temporary } from './support.mjs';

const { directoryReader, init, quorumSetPresets, quorumSetToConfig, verifyArchive } = entry;
const TESTNET = 'Test SDF Network ; September 2015';

async function preset(name) {
  await init();
  return quorumSetPresets().find((one) => one.name === name).quorumSet;
}

/** The quorum set that the validators of an archive went by, which are not known to anybody. */
async function ownQuorumSet(folder) {
  const [{ quorumSets: [{ quorumSet }] }] = jsonLines((await cli(['quorum-sets', folder, '--json'])).stdout);
  return quorumSet;
}

async function verified(...words) {
  const { status, stdout, stderr } = await cli(['verify', ...words, '--json']);
  const last = jsonLines(stdout).at(-1);
  assert.equal(last.type, 'report', `${stdout.slice(-500)}${stderr}`);
  return { status, stderr, report: last.report };
}

const sealOf = ({ anchors }) => anchors.find(({ kind }) => kind === 'seal');

test('the test network is sealed through ledger 3646 by three of three, from its preset alone', { skip: noData }, async () => {
  const { status, report } = await verified(archive('testnet-p22'));
  assert.equal(status, 0);
  assert.equal(report.sealedThrough, 3646);
  const { signers, of, signed, strength, covers, quorumSet } = sealOf(report);
  assert.deepEqual({ signers: signers.length, of, signed, strength, covers }, { signers: 3, of: 3, signed: 3647, strength: 'accepted-commit', covers: { low: 1, high: 3646 } });
  assert.match(quorumSet, /^the quorum set testnet /);
  assert.equal(report.trust.quorumSet.askedFor, false);
  assert.equal(report.claims.find(({ claim }) => claim === 'tip').status, 'verified');

  const people = await cli(['verify', archive('testnet-p22')]);
  for (const part of ['seal: ledger 3646', 'signed in ledger 3647 by 3 of 3 validators', 'SDF: SDF testnet', report.statement, 'It does not prove']) {
    assert.ok(people.stdout.includes(part), `${part} in\n${people.stdout}`);
  }
  const quiet = await cli(['verify', archive('testnet-p22'), '--quiet']);
  assert.doesNotMatch(quiet.stdout, /Anchors|It does not prove/);
});

test('every signature on request, and how many ledgers show a quorum', { skip: noData }, async () => {
  const words = [archive('testnet-p22'), '--high', '1023', '--all-signatures'];
  const { report } = await verified(...words);
  assert.equal(report.trust.allSignatures, true);
  assert.equal(report.trust.looked, 16);
  const { acceptedCommit, commitVote, inconclusive } = report.trust.quorums;
  assert.ok(acceptedCommit > 900 && acceptedCommit + commitVote + inconclusive <= 1023, JSON.stringify(report.trust.quorums));
  assert.match((await cli(['verify', ...words])).stdout, /signatures: [\d,]+ ledgers with a quorum that accepted the commit/);
});

test('the same set from a file, as JSON and as a configuration', { skip: noData }, async (t) => {
  const folder = await temporary(t);
  const set = await preset('testnet');
  const files = {
    'set.json': JSON.stringify(set),
    'core.cfg': `NETWORK_PASSPHRASE="${TESTNET}"\n${quorumSetToConfig(set, { [set.validators[0]]: 'mine' })}`,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFile(path, text);
    const { status, report } = await verified(archive('testnet-p22'), '--high', '1023', '--quorum-set', path);
    assert.equal(status, 0);
    assert.equal(report.sealedThrough, 1022);
    assert.equal(report.trust.quorumSet.askedFor, true);
    assert.deepEqual(report.trust.quorumSet.set, set);
  }
  // The names of the file are those that its owner knows.
  const people = await cli(['verify', archive('testnet-p22'), '--high', '127', '--quorum-set', join(folder, 'core.cfg')]);
  assert.match(people.stdout, /SDF: .*\bmine\b/);
});

test('the network of a configuration is the one that the archive must be of', { skip: noSample }, async (t) => {
  const path = join(await temporary(t), 'core.cfg');
  await writeFile(path, `NETWORK_PASSPHRASE="${TESTNET}"\n${quorumSetToConfig(await preset('testnet'))}`);
  const { status, report } = await verified(SAMPLE, '--quorum-set', path);
  assert.equal(status, 1);
  assert.ok(report.findings.some(({ code }) => code === 'has-passphrase-mismatch'), JSON.stringify(report.findings.map(({ code }) => code)));
  const other = await verified(SAMPLE, '--quorum-set', path, '--network', SAMPLE_NETWORK);
  assert.ok(!other.report.findings.some(({ code }) => code === 'has-passphrase-mismatch'));
});

test('a network without a preset is sealed by those whom the user names', { skip: noSample }, async (t) => {
  const path = join(await temporary(t), 'set.json');
  await writeFile(path, JSON.stringify(await ownQuorumSet(SAMPLE)));
  const alone = await verified(SAMPLE);
  assert.equal(alone.status, 0);
  assert.equal(alone.report.sealedThrough, null);
  assert.match(alone.report.statement, /consistent, not anchored/);
  const { status, report } = await verified(SAMPLE, '--quorum-set', path);
  assert.equal(status, 0);
  assert.equal(report.sealedThrough, 318);
});

test('validators who were named and do not vouch for it: status 2, in words', { skip: noData }, async (t) => {
  const path = join(await temporary(t), 'set.json');
  const set = await preset('testnet');
  const [stranger] = (await preset('pubnet-sdf')).validators;
  await writeFile(path, JSON.stringify({ threshold: 4, validators: [...set.validators, stranger], innerSets: [] }));
  const { status, report } = await verified(archive('testnet-p22'), '--high', '127', '--quorum-set', path);
  assert.equal(status, 2);
  assert.equal(report.verdict, 'incomplete');
  assert.equal(report.sealedThrough, null);
  assert.match(report.statement, /nobody of those that you named vouches for it/);
});

test('to believe nobody is a choice', { skip: noData }, async () => {
  const { status, report } = await verified(archive('testnet-p22'), '--high', '127', '--quorum-set', 'none');
  assert.equal(status, 0);
  assert.equal(report.trust.quorumSet, null);
  assert.match(report.statement, /not anchored/);
});

test('a history that strangers made up is faulty, and it is said why', { skip: noSample }, async (t) => {
  const forged = await makeArchive(join(await temporary(t), 'forged'), '--validators', '7', '--passphrase', TESTNET);
  const { status, report } = await verified(forged);
  assert.equal(status, 1);
  const [finding, ...more] = report.findings;
  assert.deepEqual(more, []);
  assert.equal(finding.code, 'anchor-mismatch');
  const people = await cli(['verify', forged]);
  assert.equal(people.status, 1);
  assert.match(people.stdout, /none of them is in the quorum set testnet/);
  assert.match(people.stdout, /→ do not use this archive before you know why/);
});

test('a hash that is trusted, right and wrong', { skip: noSample }, async (t) => {
  const [hash] = (await headers(SAMPLE, 127)).slice(-1).map((header) => header.hash);
  const right = await verified(SAMPLE, '--high', '127', '--trusted-hash', `0x7f:${hash.toUpperCase()}`);
  assert.equal(right.status, 0);
  assert.deepEqual(right.report.anchors.find(({ kind }) => kind === 'trusted-hash'), { kind: 'trusted-hash', ledger: 127, hash, covers: { low: 1, high: 127 } });
  const wrong = await verified(SAMPLE, '--high', '127', '--trusted-hash', `127:${'0'.repeat(64)}`);
  assert.equal(wrong.status, 1);
  assert.ok(wrong.report.findings.some(({ code, ledger }) => code === 'anchor-mismatch' && ledger === 127), JSON.stringify(wrong.report.findings));
  // Several, by option and by file.
  const file = join(await temporary(t), 'hashes.json');
  const [earlier] = (await headers(SAMPLE, 63)).slice(-1).map((header) => header.hash);
  await writeFile(file, `[[63, "${earlier}"], [0, ""]]`);
  const both = await verified(SAMPLE, '--high', '191', '--trusted-hash', `127:${hash}`, '--trusted-hash', `63:${earlier}`, '--trusted-checkpoint-hashes', file);
  assert.deepEqual(both.report.trust.hashes, { given: 2, met: 2 });
});

test('what is no quorum set and no hash is refused with its option and the next step', { skip: noSample }, async (t) => {
  const folder = await temporary(t);
  const write = async (name, text) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const cases = [
    [['--quorum-set', 'tesnet'], /no quorum set "tesnet"[\s\S]*Did you mean testnet\?/],
    [['--quorum-set', 'frobnicate'], /The presets are pubnet, [\s\S]* none/],
    [['--quorum-set', folder], /--quorum-set .* is a folder/],
    [['--quorum-set', await write('a', '{"threshold":')], /no JSON/],
    [['--quorum-set', await write('b', '{"threshold":4,"validators":[],"innerSets":[]}')], /--quorum-set: .*a threshold is 4 of 0/],
    [['--quorum-set', await write('c', '{"threshhold":1}')], /--quorum-set: .*threshhold/],
    [['--quorum-set', await write('d', '[QUORUM_SET]\nVALIDATORS=["$who"]')], /d: stellar-core's configuration: QUORUM_SET\.VALIDATORS, entry 1[\s\S]*NODE_NAMES/],
    [['--quorum-set', await write('e', `[QUORUM_SET]\nVALIDATORS=["\u001b[2J"]`)], /line 2, column/],
    [['--trusted-hash', '63'], /takes LEDGER:HASH/],
    [['--trusted-hash', '63:abc'], /64 hexadecimal digits[\s\S]*These are 3/],
    [['--trusted-hash', `0:${'0'.repeat(64)}`], /takes LEDGER:HASH/],
    [['--trusted-hash', `63:${'0'.repeat(64)}`, '--trusted-hash', `63:${'1'.repeat(64)}`], /names two hashes for ledger 63/],
    [['--trusted-checkpoint-hashes', join(folder, 'none')], /there is no file[\s\S]*verify-checkpoints writes such a file/],
    [['--trusted-checkpoint-hashes', await write('f', '{}')], /--trusted-checkpoint-hashes: .*no file of checkpoint hashes/],
  ];
  for (const [words, says] of cases) {
    const { status, stdout, stderr } = await cli(['verify', SAMPLE, ...words]);
    assert.equal(status, 2, `${words}: ${stdout}`);
    assert.match(stderr, says);
    assert.match(stderr, /→ /, `${words} says what to do`);
    assert.doesNotMatch(stderr, /\u001b/);
  }
});

test('from JavaScript, with a set as an object', { skip: noData }, async () => {
  const trust = { quorumSet: await preset('testnet'), hashes: [] };
  const report = await verifyArchive(directoryReader(archive('testnet-p22')), { range: { high: 127 }, trust }).report;
  assert.equal(report.sealedThrough, 126);
  await assert.rejects(verifyArchive(directoryReader(SAMPLE), { trust: { quorumset: 'testnet' } }).report, ({ code, message }) => code === 'USAGE' && /quorumset/.test(message));
  for (const { name, network, source, quorumSet } of quorumSetPresets()) {
    assert.ok(name && network && source && quorumSet.threshold > 0);
  }
});

test('who made a ledger', { skip: noData }, async () => {
  const made = await entry.ledgerProvenance(directoryReader(archive('testnet-p22')), 3000);
  assert.equal(made.ledger, 3000);
  assert.equal(made.seal.ledger, 2999);
  assert.equal(made.proposer.valid, true);
  assert.equal(made.proposer.organisation, 'SDF');
  assert.ok(made.statements.every(({ valid, believed }) => valid && believed));
  await assert.rejects(entry.ledgerProvenance(directoryReader(SAMPLE), 0), ({ code }) => code === 'USAGE');
});

test('the presets of the help are those that there are', async () => {
  await init();
  const { stdout } = await cli(['help', 'verify']);
  for (const { name } of quorumSetPresets()) assert.ok(stdout.includes(name), name);
  assert.ok((await readFile(new URL('../../dist/everywhere.d.ts', import.meta.url), 'utf8')).includes('quorumSetFromConfig'));
});
