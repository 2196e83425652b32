/**
 * The package's audit in parts: what comes back is what one run says, and what is wrong is said as everywhere else.
 *
 * That every cut of every archive joins is shown natively (`tests/audit.rs`); here it is the way through JavaScript.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { ArchiveVerifierError, beginAudit, directoryReader, finishAudit, giveUpAuditPart, joinAuditParts, verifyArchive, verifyAuditPart } from '../../dist/node.mjs';
import { SAMPLE, SAMPLE_NETWORK, archive, noData, noSample } from './support.mjs';

const OPTIONS = { network: SAMPLE_NETWORK, trust: { quorumSet: 'none' } };
const withoutTimes = ({ startedAt: _, elapsedMs: __, ...rest }) => rest;

/** Part by part, the newest first; then the open buckets, each by itself. */
async function audited(source, options, size) {
  const begun = await beginAudit(source, options);
  const parts = [];
  for (let first = 0; first < begun.checkpoints; first += size) {
    parts.unshift(await verifyAuditPart(source, { first, count: Math.min(size, begun.checkpoints - first) }, begun.state, options));
  }
  let joined = joinAuditParts(begun.state, parts.reverse().map(({ part }) => part), options);
  assert.equal(joined.joined, begun.checkpoints);
  const buckets = await Promise.all(joined.openBuckets.map((bucket) => verifyAuditPart(source, { buckets: [bucket] }, begun.state, options)));
  joined = joinAuditParts(joined.state, buckets.map(({ part }) => part), options);
  assert.deepEqual(joined.openBuckets, []);
  return finishAudit(source, joined.state, options);
}

test('an audit in parts ends with the report of one run', { skip: noSample }, async () => {
  const source = directoryReader(SAMPLE);
  const whole = await verifyArchive(source, OPTIONS).report;
  assert.equal(whole.verdict, 'verified');
  for (const size of [1, 2, 8]) assert.deepEqual(withoutTimes(await audited(source, OPTIONS, size)), withoutTimes(whole));
});

test('so does one over a real archive with its validators', { skip: noData }, async () => {
  const source = directoryReader(archive('testnet-p22'));
  const options = { range: { low: 1, high: 3647 }, skipBuckets: true };
  assert.deepEqual(withoutTimes(await audited(source, options, 16)), withoutTimes(await verifyArchive(source, options).report));
});

test('the steps as the README writes them come to the report', { skip: noSample }, async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, body] = /```js\nimport \{ beginAudit,[^\n]*\n([\s\S]*?)```/.exec(readme);
  const AsyncFunction = (async () => undefined).constructor;
  const run = new AsyncFunction('beginAudit', 'verifyAuditPart', 'joinAuditParts', 'finishAudit', 'url', `${body}; return report;`);
  const report = await run(beginAudit, verifyAuditPart, joinAuditParts, finishAudit, directoryReader(SAMPLE));
  assert.deepEqual(withoutTimes(report), withoutTimes(await verifyArchive(directoryReader(SAMPLE)).report));
});

test('the time of an audit is all of it, not that of its last step', { skip: noSample }, async () => {
  const begun = await beginAudit(directoryReader(SAMPLE), OPTIONS);
  const since = Date.now();
  const { startedAt, elapsedMs } = await audited(directoryReader(SAMPLE), OPTIONS, 1);
  assert.ok(elapsedMs >= 0 && Date.parse(startedAt) + elapsedMs >= since, `${startedAt} ${elapsedMs}`);
  // Begun before, it is no shorter than what lay between.
  const report = await finishAudit(directoryReader(SAMPLE), begun.state, OPTIONS);
  assert.ok(Date.parse(report.startedAt) + report.elapsedMs >= since);
  assert.ok(report.elapsedMs >= elapsedMs);
});

test('what does not fit is refused with what to do', { skip: noSample }, async () => {
  const source = directoryReader(SAMPLE);
  const begun = await beginAudit(source, OPTIONS);
  const { part } = await verifyAuditPart(source, { first: 2, count: 1 }, begun.state, OPTIONS);
  const usage = (pattern) => (error) => error instanceof ArchiveVerifierError && error.code === 'USAGE' && pattern.test(error.message);
  assert.throws(() => joinAuditParts(begun.state, [part], OPTIONS), usage(/join the parts in their order/));
  assert.throws(() => joinAuditParts(begun.state, ['part'], OPTIONS), usage(/Uint8Array/));
  assert.throws(() => joinAuditParts(new Uint8Array([31, 139, 8]), [], OPTIONS), usage(/cannot be read/));
  assert.throws(() => joinAuditParts(begun.state, [], { ...OPTIONS, deep: true }), usage(/deep option/));
  assert.throws(() => joinAuditParts(begun.state, [], { ...OPTIONS, sampel: 1 }), usage(/sampel/));
  await assert.rejects(verifyAuditPart(source, { first: 5, count: 1 }, begun.state, OPTIONS), usage(/there are no 1 checkpoints from place 5/));
  await assert.rejects(verifyAuditPart(source, { places: 1 }, begun.state, OPTIONS), usage(/openBuckets/));
  await assert.rejects(beginAudit(source, { ...OPTIONS, sample: 2 }), usage(/sample/));
  await assert.rejects(beginAudit({ name: 'nowhere', get: async () => null }, OPTIONS), (error) => error.code === 'FAULTY' && /check the address/.test(error.advice));
  const down = { name: 'down', get: async () => { throw Object.assign(new Error('no route'), { code: 'NETWORK' }); } };
  await assert.rejects(beginAudit(down, { ...OPTIONS, maxRetries: 0 }), (error) => error.code === 'NETWORK');
});

test('a part that nobody can do is said to be unchecked, with the reason', { skip: noSample }, async () => {
  const source = directoryReader(SAMPLE);
  const begun = await beginAudit(source, OPTIONS);
  const lost = giveUpAuditPart({ first: 0, count: begun.checkpoints }, begun.state, 'five isolates died of it', OPTIONS);
  assert.ok(lost.unreadable >= begun.checkpoints);
  const report = await finishAudit(source, joinAuditParts(begun.state, [lost.part], OPTIONS).state, OPTIONS);
  assert.equal(report.verdict, 'incomplete');
  assert.equal(report.errors[0].code, 'GIVEN_UP');
  assert.match(report.errors[0].message, /five isolates/);
});
