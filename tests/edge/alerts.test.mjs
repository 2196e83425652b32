/**
 * When an archive counts as degraded, unreachable, faulty, and well again: tables over the pure function, without a worker.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { source } from './support.mjs';

const { initialState, observe } = await source('alerts.ts');

const PATIENCE = { alertAfter: 3, recoverAfter: 2 };
const NOTHING = { unreachable: null, verdict: 'verified', incomplete: null, faults: [], slow: null, behind: null };
const fault = (key, evidence = 'once', absent = false) => ({ key, checkpoint: 319, message: `fault ${key}`, evidence, absent });

/** What a test's word stands for. */
const SEEN = {
  ok: {},
  slow: { slow: 'slow: took 30 s' },
  behind: { behind: 'behind: 2000 s old' },
  flaky: { verdict: 'incomplete', incomplete: 'a file could not be read: HTTP 503' },
  down: { unreachable: 'the connection failed', verdict: null },
  once: { verdict: 'faulty', faults: [fault('a')] },
  other: { verdict: 'faulty', faults: [fault('b')] },
  twice: { verdict: 'faulty', faults: [fault('a', 'twice')] },
  hash: { verdict: 'faulty', faults: [fault('a', 'hash')] },
  missing: { verdict: 'faulty', faults: [fault('a', 'twice', true)] },
};

function play(words, patience = PATIENCE) {
  let state = initialState(0);
  const changes = [];
  const levels = words.map((word, index) => {
    const result = observe(state, { at: index + 1, ...NOTHING, ...SEEN[word] }, patience);
    state = result.state;
    if (result.change !== null) changes.push(`${result.change.from}>${result.change.to}@${result.change.at}`);
    return state.level;
  });
  return { state, levels, changes };
}

/** What is seen, one word an observation; the state after each; the changes that are told. */
const TABLE = [
  ['a new archive that is well is no news', 'ok ok', 'ok ok', ''],
  ['one failure is not told', 'ok down ok', 'ok ok ok', ''],
  ['two failures in a row are not told', 'ok down down ok', 'ok ok ok ok', ''],
  ['a third one in a row is', 'ok down down down', 'ok ok ok unreachable', 'ok>unreachable@4'],
  ['it is told once, however long it lasts', 'ok down down down down down', 'ok ok ok unreachable unreachable unreachable', 'ok>unreachable@4'],
  ['one that goes up and down is left alone', 'ok down ok down ok down ok', 'ok ok ok ok ok ok ok', ''],
  ['it is back after two good ones', 'ok down down down ok ok', 'ok ok ok unreachable unreachable ok', 'ok>unreachable@4 unreachable>ok@6'],
  ['one good one does not end it', 'ok down down down ok down', 'ok ok ok unreachable unreachable unreachable', 'ok>unreachable@4'],
  ['slow for a while is degraded, never faulty', 'ok slow slow slow slow', 'ok ok ok degraded degraded', 'ok>degraded@4'],
  ['one that lags is degraded', 'ok behind behind behind', 'ok ok ok degraded', 'ok>degraded@4'],
  ['files that fail now and then are degraded after three', 'ok flaky flaky flaky', 'ok ok ok degraded', 'ok>degraded@4'],
  ['bad in several ways is what all of them were at least', 'ok down slow down', 'ok ok ok degraded', 'ok>degraded@4'],
  ['degraded becomes unreachable after three of those', 'ok slow slow slow down down down', 'ok ok ok degraded degraded degraded unreachable', 'ok>degraded@4 degraded>unreachable@7'],
  ['unreachable becomes degraded where it is back but not well', 'ok down down down slow slow', 'ok ok ok unreachable unreachable degraded', 'ok>unreachable@4 unreachable>degraded@6'],
  ['a fault that a hash proves is told at once', 'ok hash', 'ok faulty', 'ok>faulty@2'],
  ['so is one that a second fetch met as well', 'ok twice', 'ok faulty', 'ok>faulty@2'],
  ['a fault that was not met again is not', 'ok once ok', 'ok ok ok', ''],
  ['it is when the next observation meets it again', 'ok once once', 'ok ok faulty', 'ok>faulty@3'],
  ['also when the archive was out of reach in between', 'ok once down once', 'ok ok ok faulty', 'ok>faulty@4'],
  ['a sound observation in between refutes it', 'ok once ok once ok', 'ok ok ok ok ok', ''],
  ['two different faults do not confirm each other', 'ok once other', 'ok ok ok', ''],
  ['a file that is not there yet is waited for', 'ok missing ok', 'ok ok ok', ''],
  ['one that is missing the next time too is a fault', 'ok missing missing', 'ok ok faulty', 'ok>faulty@3'],
  ['faulty from the first look on is told', 'hash', 'faulty', 'unknown>faulty@1'],
  ['out of reach from the first look on is told after three', 'down down down', 'unknown unknown unreachable', 'unknown>unreachable@3'],
  ['what is faulty does not become unreachable', 'ok hash down down down down', 'ok faulty faulty faulty faulty faulty', 'ok>faulty@2'],
  ['nor is it well before everything could be looked at', 'ok hash flaky flaky flaky', 'ok faulty faulty faulty faulty', 'ok>faulty@2'],
  ['it is well after two sound ones', 'ok hash ok ok', 'ok faulty faulty ok', 'ok>faulty@2 faulty>ok@4'],
  ['mended but slow is degraded', 'ok hash slow slow', 'ok faulty faulty degraded', 'ok>faulty@2 faulty>degraded@4'],
  ['a fault that comes back within that is the same fault', 'ok hash ok once ok ok', 'ok faulty faulty faulty faulty ok', 'ok>faulty@2 faulty>ok@6'],
];

for (const [says, words, levels, changes] of TABLE) {
  test(says, () => {
    const played = play(words.split(' '));
    assert.equal(played.levels.join(' '), levels);
    assert.equal(played.changes.join(' '), changes);
  });
}

test('how long is waited is what the settings say', () => {
  assert.deepEqual(play(['ok', 'down'], { alertAfter: 1, recoverAfter: 1 }).changes, ['ok>unreachable@2']);
  assert.deepEqual(play(['ok', ...new Array(4).fill('down')], { alertAfter: 5, recoverAfter: 1 }).changes, []);
  assert.deepEqual(play(['ok', 'hash', 'ok', 'ok', 'ok'], { alertAfter: 1, recoverAfter: 4 }).changes, ['ok>faulty@2']);
});

test('changes are numbered without a gap, so that each has a name of its own', () => {
  let state = initialState(0);
  const numbers = [];
  for (const word of ['hash', 'ok', 'ok', 'hash', 'ok', 'ok']) {
    const result = observe(state, { at: 1, ...NOTHING, ...SEEN[word] }, PATIENCE);
    state = result.state;
    if (result.change !== null) numbers.push(result.change.number);
  }
  assert.deepEqual(numbers, [1, 2, 3, 4]);
});

test('while it is faulty, what is wrong is remembered, and forgotten once it is well', () => {
  assert.deepEqual(play(['ok', 'hash', 'down']).state.faults, [{ key: 'a', checkpoint: 319, message: 'fault a' }]);
  assert.deepEqual(play(['ok', 'hash', 'ok', 'ok']).state.faults, []);
});

test('the state says why it is what it is, and since when', () => {
  const { state } = play(['ok', 'down', 'down', 'down', 'ok']);
  assert.equal(state.since, 4);
  assert.equal(state.reason, 'the connection failed');
  assert.equal(play(['ok', 'hash']).state.reason, 'fault a');
});

test('what is kept does not grow with the number of faults or observations', () => {
  let state = initialState(0);
  for (let at = 1; at < 200; at += 1) {
    const faults = Array.from({ length: 100 }, (_, index) => fault(`${at}-${index}`, 'hash'));
    ({ state } = observe(state, { at, ...NOTHING, verdict: 'faulty', faults }, PATIENCE));
  }
  assert.ok(JSON.stringify(state).length < 5000);
});
