/**
 * How smooth the page is while a check runs, for `npm run bench`: prints as JSON what a browser says of its main thread and its layout, from
 * the page's first byte to the verdict. `argv`: the folder of an archive, and how many rounds; of several rounds each number is the best,
 * because what else the machine does only makes it worse. The main thread's own time is what its tasks really computed (the browser's
 * trace), which a busy machine does not make longer. A second case is played: a hundred thousand checkpoints that come as fast as a
 * port carries them.
 */
import { argv } from 'node:process';
import { link, linkToAll, playing, setUp } from '../../../tests/explorer/support.mjs';

const [, , archive, rounds = '3'] = argv;
const CASES = [
  { name: 'a real archive', hash: link({ archive: '/archive/measured/', deep: 1 }), prepare: undefined },
  { name: '100,000 checkpoints, played', hash: linkToAll(['https://lies.example.org/core_002/']), prepare: playing({ total: 100_000, hold: 1000, pace: 0 }), until: 1000 },
];

const stage = await setUp({ measured: archive });
try {
  const measured = [];
  for (const { name, hash, prepare = async () => {}, until } of CASES) {
    let least = null;
    for (let round = 0; round < Number(rounds); round += 1) {
      const opened = await stage.open({ hash, prepare: async (context, tab) => { await prepare(context); await tab.addInitScript(watch); } });
      const { tab } = opened;
      await tab.waitForSelector('#known:enabled');
      await tab.evaluate(() => globalThis.watched.begin());
      await stage.browser.startTracing(tab, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'] });
      await tab.click('#start');
      if (until === undefined) await tab.waitForSelector('[data-verdict]', { timeout: 300_000 });
      else await tab.waitForFunction((count) => document.querySelector('.progress .figure')?.textContent.replace(/ of .*/, '').replace(/\D/g, '') === String(count), until, { timeout: 180_000, polling: 500 });
      await tab.evaluate(() => new Promise((done) => setTimeout(done, 500)));
      const seen = await tab.evaluate(() => globalThis.watched.end());
      seen.computedMs = longestTask(JSON.parse((await stage.browser.stopTracing()).toString()));
      least = least === null ? seen : better(least, seen);
      await opened.close();
    }
    measured.push({ name, rounds: Number(rounds), ...least });
  }
  console.log(JSON.stringify(measured));
} finally {
  await stage.tearDown();
}

/** Each number by itself: what the machine did in one round it need not have done in another. Shifts are the same in every round, or else the worst counts. */
function better(one, other) {
  return {
    loadTasks: best(one.loadTasks, other.loadTasks),
    runTasks: best(one.runTasks, other.runTasks),
    frameMs: Object.fromEntries(Object.keys(one.frameMs).map((key) => [key, Math.min(one.frameMs[key], other.frameMs[key])])),
    layoutShift: Math.max(one.layoutShift, other.layoutShift),
    computedMs: Math.min(one.computedMs, other.computedMs),
    seconds: Math.min(one.seconds, other.seconds),
  };
}

/** Milliseconds of the processor that the longest task of the page's thread took. */
function longestTask({ traceEvents }) {
  const main = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(({ name, ph, pid, tid }) => ph === 'X' && /RunTask|ThreadControllerImpl::RunTask/.test(name) && main.has(`${pid} ${tid}`));
  return Math.max(0, ...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}

function best(one, other) {
  return { count: Math.min(one.count, other.count), longestMs: Math.min(one.longestMs, other.longestMs) };
}

/** In the page, before anything of it. */
function watch() {
  const tasks = [];
  let shift = 0;
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration })))).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  const frames = [];
  let began = 0;
  let last = 0;
  const frame = (now) => {
    if (last > 0) frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  const of = (some) => ({ count: some.length, longestMs: Math.max(0, ...some.map(({ duration }) => duration)) });
  globalThis.watched = {
    begin() {
      began = performance.now();
      requestAnimationFrame(frame);
    },
    end() {
      const sorted = frames.toSorted((a, b) => a - b);
      const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
      return {
        loadTasks: of(tasks.filter(({ startTime }) => startTime < began)), runTasks: of(tasks.filter(({ startTime }) => startTime >= began)),
        frameMs: { median: at(0.5), p99: at(0.99), max: sorted.at(-1) }, layoutShift: shift, seconds: (performance.now() - began) / 1000,
      };
    },
  };
}
