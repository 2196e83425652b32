/**
 * The coordinator of an audit by itself: what it hands out, when, and what it makes of what comes back. On the SQLite of a Durable Object,
 * in time that the test tells. And the simulation, small.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { runtime } from '../../pkg-config/edge.mjs';
import { FAULTS, bundled, simulationWorker } from '../../pkg-config/simulate-audit.mjs';
import { Miniflare } from '../miniflare.mjs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PACE = { partSize: 64, lostMs: 20 * MINUTE, retryMs: 30_000, longestRetryMs: 15 * MINUTE, outageMs: 24 * HOUR };
const GONE = { reachable: false, passing: true, slow: false };

let [miniflare, url] = [];
test.before(async () => {
  miniflare = new Miniflare({
    compatibilityDate: runtime().compatibilityDate, cf: false,
    modules: [{ type: 'ESModule', path: 'lab.mjs', contents: await bundled(fileURLToPath(new URL('audit-lab.mjs', import.meta.url))) }],
    durableObjects: { LAB: { className: 'Lab', useSQLite: true } },
  });
  url = (await miniflare.ready).href;
});
test.after(() => miniflare?.dispose());

let labs = 0;

/** An audit of `checkpoints`: its events, its clock, and what was sent and not yet taken. */
async function lab(checkpoints, consumers, { pace = {}, low } = {}) {
  labs += 1;
  const name = `lab${labs}`;
  const one = { now: Date.parse('2026-03-01T00:00:00Z'), queue: [], alarm: null, status: null, takers: 0, restarts: false };
  const call = async (method, ...args) => {
    if (one.restarts) await (await fetch(url + name, { method: 'POST', body: JSON.stringify({ now: one.now, method: 'restart', args: [] }) })).text();
    const response = await fetch(url + name, { method: 'POST', body: JSON.stringify({ now: one.now, method, args }) });
    const { result, sent = [], alarm, status, error } = await response.json();
    if (error !== undefined) throw new Error(error);
    one.queue.push(...sent);
    one.alarm = alarm ?? one.alarm;
    one.status = status;
    return result;
  };
  Object.assign(one, {
    call,
    take: async (id, taker = `m${(one.takers += 1)}`) => call('take', id, taker),
    /** Everything on the queue is taken. */
    takeAll: async () => {
      const taken = [];
      for (const id of one.queue.splice(0)) {
        const { kind, task, askFirst } = await one.take(id);
        if (kind !== 'none') taken.push({ id, kind, task, askFirst });
      }
      return taken;
    },
    tick: async () => {
      one.now = Math.max(one.now, one.alarm);
      one.alarm = null;
      await call('tick');
    },
    /** To the end, all going well. */
    finish: async () => {
      for (let rounds = 0; one.status.state !== 'done'; rounds += 1) {
        assert.ok(rounds < 5000, JSON.stringify(one.status));
        if (one.queue.length === 0) await one.tick();
        for (const { id, kind } of await one.takeAll()) {
          one.now += 1000;
          await (kind === 'finish' ? call('finished', id, { verdict: 'verified', findings: 0 }) : call('deliver', id));
        }
      }
    },
    proof: async () => {
      const { places, inOrder, once, buckets, givenUp } = await call('proof', checkpoints);
      return { whole: places === checkpoints && inOrder && once, buckets, givenUp };
    },
  });
  await call('begin', checkpoints, consumers, { ...PACE, ...pace }, low);
  return one;
}

const shuffled = (list, seed) => list.map((item, index) => [(Math.imul(index + seed, 0x9e3779b1) >>> 0) % 9973, item]).sort(([a], [b]) => a - b).map(([, item]) => item);

test('parts are joined in the order of their places, whatever the order in which they come, and twice counts once', async () => {
  const one = await lab(64 * 40, 8);
  let most = 0;
  for (let round = 0; one.status.state === 'running'; round += 1) {
    const taken = shuffled(await one.takeAll(), round);
    most = Math.max(most, taken.length);
    for (const { id } of taken) {
      one.now += 1000;
      await one.call('deliver', id);
      await one.call('deliver', id);
    }
  }
  await one.finish();
  assert.equal(most, 8, 'as many as there may be, and no more');
  assert.deepEqual(await one.proof(), { whole: true, buckets: 40 * 8, givenUp: [] });
  assert.equal(one.status.parts.duplicates, 40 * 2, 'of 40 parts and 40 tasks of 8 buckets');
  assert.equal(one.status.verdict, 'verified');
  assert.deepEqual(await one.call('rows'), { tasks: 0, pieces: 0 });
});

test('a coordinator that begins anew from SQLite before every event comes to the same', async () => {
  const one = await lab(64 * 11 + 5, 4);
  one.restarts = true;
  await one.finish();
  assert.equal((await one.call('status')).state, 'done');
  const other = await lab(64 * 11 + 5, 4);
  await other.finish();
  assert.deepEqual({ ...one.status, updatedAt: '' }, { ...other.status, updatedAt: '' });
});

test('an event whose transaction fails has not happened', async () => {
  const one = await lab(640, 4);
  const [{ id }] = await one.takeAll();
  const before = one.status;
  await one.call('fails', true);
  await assert.rejects(one.call('deliver', id), /the disk is full/);
  await one.call('fails', false);
  assert.deepEqual(await one.call('status'), before);
  await one.finish().catch(async () => {
    // The other messages of that moment were taken and never delivered: the watchdog has them.
  });
  assert.deepEqual((await one.proof()).whole, true);
});

test('what is lost on the queue is sent again soon, what was taken only after a consumer’s time, and other messages of it wait', async () => {
  const one = await lab(640, 2);
  const [first, second] = one.queue.splice(0);
  assert.equal((await one.take(first, 'm1')).kind, 'verify');
  const began = one.now;
  await one.tick();
  assert.deepEqual([one.now - began, one.queue], [2 * MINUTE, [second]]);
  assert.equal((await one.take(first, 'm2')).kind, 'none', 'another message of it, while somebody works on it');
  assert.equal((await one.take(first, 'm1')).kind, 'verify', 'the same message again: its consumer died');
  one.queue.length = 0;
  while (one.queue.every((id) => id !== first)) await one.tick();
  assert.ok(one.now - began >= 20 * MINUTE && one.now - began < 25 * MINUTE, String(one.now - began));
  await one.finish();
  assert.equal((await one.proof()).whole, true);
});

test('an outage burns nothing: one probe at a time, at growing pauses, and as many as before soon after', async () => {
  const one = await lab(64 * 200, 16);
  let taken = [];
  while (taken.length < 16) {
    for (const { id } of taken) await one.call('deliver', id);
    taken = await one.takeAll();
  }
  for (const { id } of taken) await one.call('hindered', id, GONE);
  assert.equal(one.status.consumers.now, 1);
  for (const { id } of await one.takeAll()) await one.call('hindered', id, GONE);
  const pauses = [];
  for (let last = one.now; one.now < Date.parse('2026-03-01T08:00:00Z'); ) {
    await one.tick();
    assert.ok(one.queue.length <= 1);
    for (const { id, askFirst } of await one.takeAll()) {
      assert.equal(askFirst, true, 'it is asked for its newest state before anything else');
      await one.call('hindered', id, GONE);
      pauses.push((one.now - last) / 1000);
      last = one.now;
    }
  }
  assert.deepEqual(pauses.slice(0, 7), [30, 60, 120, 240, 480, 900, 900]);
  // It answers again, but for one file: after all those probes that is a first try, not the last.
  let probes = [];
  while (probes.length === 0) {
    await one.tick();
    probes = await one.takeAll();
  }
  const [{ id: probed }] = probes;
  const { parts: { retried, waiting }, checkpoints } = one.status;
  await one.call('deliver', probed, { unreadable: 1, passing: 0 });
  assert.deepEqual([one.status.parts.retried, one.status.parts.waiting, one.status.checkpoints], [retried + 1, waiting, checkpoints]);
  let rounds = 0;
  for (taken = []; taken.length < 16; rounds += 1) {
    if (taken.length === 0) await one.tick();
    taken = await one.takeAll();
    if (taken.length < 16) for (const { id } of taken) await one.call('deliver', id);
  }
  assert.ok(rounds < 8, `${rounds} rounds until 16 are under way again`);
  for (const { id } of taken) await one.call('deliver', id);
  await one.finish();
  assert.deepEqual(await one.proof(), { whole: true, buckets: 200 * 8, givenUp: [] });
});

test('an archive that was silent for a day pauses the audit, which says since when, and goes on where it was', async () => {
  const one = await lab(640, 4);
  while (one.status.state === 'running') {
    if (one.queue.length === 0) await one.tick();
    for (const { id } of await one.takeAll()) await one.call('hindered', id, GONE);
  }
  assert.deepEqual([one.status.state, one.status.reason], ['paused', 'the archive has not answered since 2026-03-01T00:00:00.000Z']);
  assert.ok(one.now - Date.parse('2026-03-01T00:00:00Z') < 25 * HOUR);
  assert.equal(await one.call('resume'), true);
  await one.finish();
  assert.deepEqual(await one.proof(), { whole: true, buckets: 80, givenUp: [] });
});

test('an archive that asks for fewer gets half as many, once for what was under way together', async () => {
  const one = await lab(64 * 100, 16);
  let taken = [];
  while (taken.length < 16) {
    for (const { id } of taken) await one.call('deliver', id);
    taken = await one.takeAll();
  }
  one.now += 1000;
  for (const { id } of taken) await one.call('deliver', id, { unreadable: 40, passing: 40 });
  assert.equal(one.status.consumers.now, 8);
  assert.equal(one.status.parts.givenUp, 0);
  await one.finish();
  assert.deepEqual(await one.proof(), { whole: true, buckets: 800, givenUp: [] });
});

for (const [what, how, tries] of [['what passes is tried twelve times', { unreadable: 1, passing: 1 }, 12], ['what lasts three times', { unreadable: 1, passing: 0 }, 3]]) {
  test(`a part with a file that cannot be read: ${what}, and then taken as it is`, async () => {
    const one = await lab(128, 1);
    let met = 0;
    const began = one.now;
    while (one.status.checkpoints.done === 0) {
      if (one.queue.length === 0) await one.tick();
      for (const { id, task } of await one.takeAll()) {
        if (task.first === 0) met += 1;
        await one.call('deliver', id, task.first === 0 ? how : {});
      }
    }
    assert.equal(met, tries);
    assert.equal(one.status.parts.retried, tries - 1);
    assert.ok(one.now - began >= 30_000 * (2 ** (tries - 1) - 1) || one.now - began > HOUR, 'with growing pauses');
    await one.finish();
    assert.equal((await one.proof()).whole, true);
  });
}

test('a part that kills whoever takes it is halved until what is left is given up, and everything else is joined', async () => {
  const one = await lab(64 * 4 + 37, 4);
  const poison = new Set([70, 64 * 4 + 36]);
  for (let rounds = 0; one.status.state !== 'done'; rounds += 1) {
    assert.ok(rounds < 500, JSON.stringify(one.status));
    if (one.queue.length === 0) await one.tick();
    for (const { id, kind, task } of await one.takeAll()) {
      if (kind === 'finish') await one.call('finished', id, { verdict: 'incomplete', findings: 0 });
      else if ('count' in task && [...poison].some((place) => place >= task.first && place < task.first + task.count)) {
        assert.equal(task.first % (2 ** Math.floor(Math.log2(task.count))), 0, 'parts begin at multiples of their size');
        await one.call('dead', id);
        await one.call('dead', id);
      } else await one.call('deliver', id);
    }
  }
  assert.deepEqual((await one.proof()).givenUp, [70, 292]);
  assert.equal((await one.proof()).whole, true);
  assert.deepEqual([one.status.parts.givenUp, one.status.parts.halved], [2, 6 + 2]);
});

test('buckets of one task are halved as well; those of an archive that does not begin at genesis go alone', async () => {
  const genesis = await lab(64, 1);
  const [part] = await genesis.takeAll();
  await genesis.call('deliver', part.id);
  const [eight] = await genesis.takeAll();
  assert.equal(eight.task.buckets.length, 8);
  await genesis.call('dead', eight.id);
  assert.equal((await genesis.takeAll())[0].task.buckets.length, 4);
  const later = await lab(64, 1, { low: 64_000 });
  const [first] = await later.takeAll();
  await later.call('deliver', first.id);
  assert.equal((await later.takeAll())[0].task.buckets.length, 1);
});

test('parts run ahead of the oldest one only so far', async () => {
  const one = await lab(64 * 2000, 4);
  const [stuck, ...others] = await one.takeAll();
  for (let taken = others, rounds = 0; rounds < 400 && taken.length > 0; rounds += 1) {
    for (const { id } of taken) await one.call('deliver', id);
    taken = await one.takeAll();
  }
  assert.equal(one.status.parts.waiting, 64 + 16 * 4 - 1);
  await one.call('deliver', stuck.id);
  assert.ok(one.status.checkpoints.done >= 64 * 120);
});

test('while too many states wait for buckets only buckets are joined', async () => {
  const one = await lab(640, 2);
  await one.call('waits', 2000);
  for (const { id } of await one.takeAll()) await one.call('deliver', id);
  const done = one.status.checkpoints.done;
  const taken = await one.takeAll();
  const parts = taken.filter(({ task }) => 'count' in task);
  const buckets = taken.filter(({ task }) => 'buckets' in task);
  assert.ok(buckets.length > 0);
  for (const { id } of parts) await one.call('deliver', id);
  assert.equal(one.status.checkpoints.done, done, 'nobody joins parts');
  await one.call('waits', 0);
  for (const { id } of buckets) await one.call('deliver', id);
  await one.finish();
  assert.deepEqual(await one.proof(), { whole: true, buckets: 80, givenUp: [] });
});

test('buckets and parts are joined apart: what one settles, the other may forget and name anew', async () => {
  const one = await lab(640, 4);
  for (const { id } of await one.takeAll()) await one.call('deliver', id);
  const taken = await one.takeAll();
  assert.ok(taken.some(({ task }) => 'buckets' in task) && taken.some(({ task }) => 'count' in task), JSON.stringify(taken));
  // Nobody joins while it is paused: all of it is there at once.
  await one.call('pause', 'on request');
  for (const { id } of taken) await one.call('deliver', id);
  await one.call('resume');
  const joins = await one.call('joins');
  assert.ok(joins.length >= 3, JSON.stringify(joins));
  for (const kinds of joins) assert.equal(new Set(kinds).size, 1, JSON.stringify(joins));
  await one.finish();
  assert.deepEqual(await one.proof(), { whole: true, buckets: 80, givenUp: [] });
});

test('what is larger than a row of SQLite is kept in several', async () => {
  const one = await lab(128, 2);
  const [first, second] = await one.takeAll();
  await one.call('deliver', second.id, { padding: 5_000_000 });
  assert.equal((await one.call('rows')).pieces, 2 + 3);
  one.restarts = true;
  await one.call('deliver', first.id);
  await one.finish();
  assert.deepEqual(await one.proof(), { whole: true, buckets: 16, givenUp: [] });
});

test('paused nothing is handed out, what is under way is kept; resumed it goes on; cancelled it is gone', async () => {
  const one = await lab(640, 4);
  const [first] = await one.takeAll();
  await one.call('deliver', first.id);
  assert.equal(await one.call('pause', 'on request'), true);
  assert.deepEqual([one.status.state, one.status.reason], ['paused', 'on request']);
  const waiting = one.queue.splice(0);
  for (const id of waiting) assert.equal((await one.take(id)).kind, 'none');
  assert.deepEqual(one.queue, []);
  await one.call('tick');
  assert.deepEqual(one.queue, []);
  assert.equal(await one.call('resume'), true);
  assert.ok(waiting.length > 0 && one.queue.length > 0);
  await one.finish();
  assert.equal((await one.proof()).whole, true);
  for (const action of ['pause', 'resume', 'cancel']) assert.equal(await one.call(action, 'late'), false);

  const other = await lab(640, 4);
  const [taken] = await other.takeAll();
  assert.equal(await other.call('cancel'), true);
  assert.deepEqual([other.status.state, await other.call('rows')], ['cancelled', { tasks: 0, pieces: 0 }]);
  await other.call('deliver', taken.id);
  await other.call('dead', taken.id);
  assert.deepEqual([other.status.state, other.queue], ['cancelled', []]);
});

test('a part that cannot be joined is verified again, three times; then the audit fails, and can be resumed', async () => {
  const one = await lab(64, 1);
  await one.call('refuses', true);
  for (let rounds = 0; one.status.state === 'running'; rounds += 1) {
    assert.ok(rounds < 10);
    if (one.queue.length === 0) await one.tick();
    for (const { id } of await one.takeAll()) await one.call('deliver', id);
  }
  assert.deepEqual([one.status.state, one.status.parts.retried], ['failed', 2]);
  assert.match(one.status.reason, /the part does not fit/);
  await one.call('refuses', false);
  assert.equal(await one.call('resume'), true);
  await one.finish();
  assert.equal((await one.proof()).whole, true);
});

test('a report that cannot be made fails the audit, and resuming makes it', async () => {
  const one = await lab(64, 1);
  while (one.status.state === 'running') for (const { id } of await one.takeAll()) await one.call('deliver', id);
  const [{ id, kind }] = await one.takeAll();
  assert.deepEqual([kind, one.status.state], ['finish', 'finishing']);
  await one.call('dead', id);
  assert.equal(one.status.state, 'failed');
  assert.equal(await one.call('resume'), true);
  assert.equal(one.status.state, 'finishing');
  await one.finish();
  assert.equal(one.status.state, 'done');
});

test('what the queue did not take is sent later', async () => {
  const one = await lab(640, 2);
  const refused = one.queue.splice(0);
  await one.call('unsent', refused);
  assert.deepEqual(one.queue, [], 'it is not pressed');
  const began = one.now;
  await one.tick();
  assert.deepEqual([one.queue, one.now - began], [refused, 30_000]);
  await one.finish();
  assert.equal((await one.proof()).whole, true);
});

test('the simulation joins everything once and in order, with every fault there is, and the same seed comes to the same', async (t) => {
  const worker = await simulationWorker();
  t.after(() => worker.close());
  const faults = { ...FAULTS, lost: 0.05, doubled: 0.05, late: 0.1, stopped: 0.1, outages: 2, storms: 4, restarts: 50 };
  const unmet = new Set(['lost', 'doubled', 'late', 'stopped', 'unreachable', 'throttled', 'restarts', 'deadLetters']);
  for (const [consumers, seed] of [[1, 1], [10, 2], [100, 3]]) {
    const setting = { checkpoints: 2000, partSize: 16, consumers, seed, faults };
    const outcome = await worker.run(setting);
    const { joins, met } = outcome;
    assert.deepEqual([joins.places, joins.inOrder, joins.once, joins.givenUp], [2000, true, true, joins.poisoned]);
    assert.ok(outcome.mostAtOnce <= consumers);
    for (const [fault, count] of Object.entries(met)) if (count > 0) unmet.delete(fault);
    assert.deepEqual(await worker.run(setting), outcome);
  }
  assert.deepEqual([...unmet], []);
});
