/**
 * The page's map of a million checkpoints, for `npm run bench`: prints as JSON how long a frame takes while it is drawn whole, zoomed and
 * moved. The frames are those of a headless browser, whose screen has 60 a second: a median of 16.7 ms is as fast as it can be.
 */
import { argv } from 'node:process';
import { linkToAll, playing, setUp } from '../../../tests/explorer/support.mjs';

const FRAMES = Number(argv[2] ?? 120);
/** What is pressed in turn; the whole range is 264,000 cells, half of it 500,000 checkpoints. */
const CASES = [
  { name: 'whole, drawn again', first: [], keys: ['End', 'Home'] },
  { name: 'zoomed in and out', first: [], keys: ['+', '+', '-', '-'] },
  { name: 'moved, half of it at once', first: ['+'], keys: ['End', 'Home'] },
];

const stage = await setUp();
try {
  const { tab } = await stage.open({ prepare: playing({ total: 1_000_000, hold: 40, pace: 0 }), hash: linkToAll(['https://lies.example.org/']) });
  await tab.click('#start');
  await tab.waitForFunction(() => document.querySelector('.legend')?.textContent.includes('39') === true);
  const measured = [];
  for (const { name, first, keys } of CASES) measured.push({ name, ...(await tab.evaluate(pressing, { first: ['0', ...first], keys, frames: FRAMES })) });
  console.log(JSON.stringify(measured));
} finally {
  await stage.tearDown();
}

/** In the page: one key a frame. */
async function pressing({ first, keys, frames }) {
  const canvas = document.querySelector('.map-canvas');
  const press = (key) => canvas.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
  for (const key of first) {
    press(key);
    await frame();
  }
  const times = [];
  let last = performance.now();
  for (let count = 0; count < frames; count += 1) {
    press(keys[count % keys.length]);
    await frame();
    times.push(performance.now() - last);
    last = performance.now();
  }
  const sorted = times.slice(2).sort((a, b) => a - b);
  return { frameMs: { median: sorted[Math.floor(sorted.length / 2)], p99: sorted[Math.floor(sorted.length * 0.99)], max: sorted.at(-1) } };
}
