/** The map of a million checkpoints: what is to be seen of it, zoomed and moved by keys, pointer and buttons. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { linkToAll, playing, setUp } from './support.mjs';

const LIAR = 'https://lies.example.org/core_002/';
const MILLION = 1_000_000;

let stage;
before(async () => {
  stage = await setUp();
});
after(async () => {
  await stage?.tearDown();
});

/** A run that stands still when a few of a million checkpoints are done, the 21st of them faulty. */
async function opened(settings = {}) {
  const page = await stage.open({ prepare: playing({ total: MILLION, hold: 40, pace: 0 }), hash: linkToAll([LIAR]), ...settings });
  await page.tab.click('#start');
  await page.tab.waitForFunction(() => document.querySelector('.legend')?.textContent.includes('39') === true);
  return page;
}

const plain = (text) => text.replace(/\u202f/g, '').replace(/\u00a0/g, ' ');
const spoken = async (tab) => plain(await tab.getAttribute('.map-canvas', 'aria-valuetext'));
const shown = async (tab) => plain(await tab.textContent('.map-zoom .hint'));

/** How many ledgers are shown. */
async function spanOf(tab) {
  const [, low, high] = /^Ledgers (\d+) to (\d+)$/.exec(await shown(tab));
  return Number(high) - Number(low) + 1;
}

/** How many pixels of the canvas have a colour of the style sheet, within some. */
function pixels(tab, name) {
  return tab.evaluate((variable) => {
    const canvas = document.querySelector('.map-canvas');
    const dot = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    dot.fillStyle = getComputedStyle(canvas).getPropertyValue(variable).trim();
    dot.fillRect(0, 0, 1, 1);
    const wanted = dot.getImageData(0, 0, 1, 1).data;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if ([0, 1, 2].every((part) => Math.abs(data[at + part] - wanted[part]) < 12) && data[at + 3] > 200) count += 1;
    return count;
  }, name);
}

test('a million checkpoints are shown as pixels, and one fault among them is marked in full size', async () => {
  const page = await opened();
  const { tab } = page;
  assert.match(await tab.textContent('#map-help'), /Each cell stands for 4 checkpoints/);
  const box = await tab.locator('.map-canvas').boundingBox();
  assert.ok(box.height <= 280 && box.width > 900, JSON.stringify(box));
  // Of one pixel it would be one.
  assert.ok((await pixels(tab, '--bad')) >= 15);
  assert.ok((await pixels(tab, '--ok')) >= 1);
  await page.close();
});

test('keys go to the fault, into it and back to the whole range', async () => {
  const page = await opened();
  const { tab } = page;
  await tab.focus('.map-canvas');
  await tab.keyboard.press('PageDown');
  assert.match(await spoken(tab), /^4 checkpoints from \d+ \(0x[0-9a-f]{8}\), ledgers \d+ to \d+: faulty/);
  for (let presses = 0; presses < 20; presses += 1) await tab.keyboard.press('+');
  assert.equal(await spanOf(tab), 128 * 64);
  await tab.keyboard.press('Home');
  await tab.keyboard.press('PageDown');
  assert.match(await spoken(tab), /^Checkpoint 1343 \(0x0000053f\), ledgers 1280 to 1343: faulty/);
  await tab.keyboard.press('ArrowRight');
  assert.match(await spoken(tab), /^Checkpoint 1407 .*: verified/);
  await tab.keyboard.press('End');
  assert.match(await spoken(tab), /^Checkpoint 63999999 .*: pending/);
  assert.match(await shown(tab), /^Ledgers 63991808 to 63999999$/, 'the part that is shown follows');
  await tab.keyboard.press('0');
  assert.equal(await shown(tab), 'The whole range');
  await page.close();
});

test('by pointer: buttons, the wheel, dragging, the position, and a click that opens what lies under it', async () => {
  const page = await opened();
  const { tab } = page;
  await tab.locator('.map').scrollIntoViewIfNeeded();
  await tab.locator('.map-canvas').evaluate((canvas) => canvas.scrollIntoView({ block: 'center' }));
  const { x, y } = await tab.locator('.map-canvas').boundingBox();
  const apart = Math.round((await tab.getByRole('button', { name: 'Whole range' }).boundingBox()).y - (await tab.locator('.legend').boundingBox()).y);
  await tab.mouse.move(x + 500, y + 130);
  await tab.keyboard.down('Control');
  for (let turns = 0; turns < 60; turns += 1) await tab.mouse.wheel(0, -100);
  await tab.keyboard.up('Control');
  const near = await shown(tab);
  const [low] = /\d+/.exec(near).map(Number);
  assert.equal(await spanOf(tab), 128 * 64);
  assert.ok(low > 25e6 && low < 40e6, `${near}: what the pointer was on is still there`);
  await tab.mouse.down();
  await tab.mouse.move(x + 500, y + 130 - 52, { steps: 4 });
  await tab.mouse.up();
  const [now] = /\d+/.exec(await shown(tab)).map(Number);
  assert.ok(now > low && now < low + 64 * 200, `${now} after ${low}`);
  assert.equal(await tab.locator('#detail-title').count(), 0, 'dragging opens nothing');
  await tab.locator('.map-position').fill('0');
  assert.equal(await shown(tab), 'Ledgers 1 to 8191');
  const size = 26;
  const columns = Math.floor(((await tab.locator('.map-frame').boundingBox()).width - 6) / size);
  assert.ok(columns > 20);
  const legend = await tab.locator('.legend').boundingBox();
  const button = await tab.getByRole('button', { name: 'Whole range' }).boundingBox();
  assert.equal(Math.round(button.y - legend.y), apart, 'what is below it did not move');
  await tab.locator('.map-canvas').click({ position: { x: 3 + 20 * size + 8, y: 3 + 8 } });
  assert.match(plain(await tab.textContent('#detail-title')), /^Checkpoint 1343 /);
  await tab.getByRole('button', { name: 'Whole range' }).click();
  assert.equal(await shown(tab), 'The whole range');
  await tab.getByRole('button', { name: 'Zoom in' }).click();
  assert.match(await shown(tab), /^Ledgers/);
  await page.close();
});

test('a range that fits has nothing to zoom', async () => {
  const page = await stage.open({ prepare: playing(), hash: linkToAll([LIAR]) });
  await page.tab.click('#start');
  await page.tab.waitForSelector('[data-verdict]');
  assert.equal(await page.tab.locator('.map-zoom').count(), 0);
  await page.close();
});

/** The legend's count of a state. */
async function counted(tab, word) {
  const found = await tab.locator('.legend li', { hasText: word }).textContent();
  return Number(plain(found).replace(/\D/g, ''));
}

test('what is under way is in flight: by a shape and a colour, counted, read out, and gone when it is done', async () => {
  const page = await stage.open({ prepare: playing({ total: 200, hold: 40, pace: 0 }), hash: linkToAll([LIAR]) });
  const { tab } = page;
  await tab.click('#start');
  await tab.waitForFunction(() => document.querySelector('.legend')?.textContent.includes('39') === true);
  assert.equal(await counted(tab, 'in flight'), 16);
  assert.equal(await counted(tab, 'pending'), 200 - 40 - 16, 'what is in flight is not pending as well');
  await tab.focus('.map-canvas');
  await tab.keyboard.press('Home');
  for (let steps = 0; steps < 40; steps += 1) await tab.keyboard.press('ArrowRight');
  assert.match(await spoken(tab), /^Checkpoint 2623 .*: in flight$/);
  // The cell in its middle: nothing above, the colour below.
  const shape = await tab.evaluate(() => {
    const canvas = document.querySelector('.map-canvas');
    const columns = Math.floor((canvas.width - 6) / 26);
    const [x, y] = [3 + (44 % columns) * 26, 3 + Math.floor(44 / columns) * 26];
    const { data } = canvas.getContext('2d').getImageData(x, y, 23, 23);
    const at = (right, down) => [...data.slice((down * 23 + right) * 4, (down * 23 + right) * 4 + 4)];
    return { size: canvas.height, above: at(11, 6), below: at(11, 17), frame: at(11, 0) };
  });
  assert.equal(shape.above[3], 0, JSON.stringify(shape));
  assert.deepEqual(shape.below, [0x35, 0x50, 0xcf, 255], JSON.stringify(shape));
  assert.ok(shape.frame[3] > 128, 'it has a frame');
  await tab.keyboard.press('Enter');
  assert.match(await tab.textContent('.detail .files'), /In flight/);
  await tab.click('#pause');
  await tab.waitForSelector('#resume');
  assert.equal(await counted(tab, 'in flight'), 0, 'nothing is under way in a paused run');
  await tab.click('#resume');
  await tab.waitForSelector('[data-verdict]', { timeout: 60_000 });
  assert.equal(await tab.locator('.legend li', { hasText: 'in flight' }).count(), 0);
  assert.match(await spoken(tab), /: verified$/);
  await page.close();
});

test('among a million, what is in flight is to be seen, and an event costs its own cell, not a million', async () => {
  const spying = async (context) => {
    await playing({ total: MILLION, hold: 40, pace: 25 })(context);
    await context.addInitScript(() => {
      globalThis.painted = [];
      const put = CanvasRenderingContext2D.prototype.putImageData;
      CanvasRenderingContext2D.prototype.putImageData = function count(image, x, y, left, top, width = image.width, height = image.height) {
        globalThis.painted.push(width * height);
        return put.call(this, image, x, y, left ?? 0, top ?? 0, width, height);
      };
    });
  };
  const page = await opened({ prepare: spying });
  const { tab } = page;
  assert.ok((await pixels(tab, '--accent')) >= 20);
  const painted = await tab.evaluate(() => globalThis.painted);
  const whole = painted.filter((area) => area > 100_000).length;
  assert.ok(whole <= 4, `the whole map was painted ${whole} times of ${painted.length}`);
  assert.ok(painted.length >= 6 && painted.filter((area) => area <= 4).length >= painted.length - whole - 1, JSON.stringify(painted.slice(0, 60)));
  await page.close();
});

test('a map painted cell by cell is the one that is painted at once', async () => {
  const { tab, close } = await stage.open({ prepare: playing({ total: MILLION, hold: 60, pace: 4 }), hash: linkToAll([LIAR]) });
  await tab.click('#start');
  await tab.waitForFunction(() => document.querySelector('.legend')?.textContent.includes('59') === true);
  // The legend is a frame ahead of the picture.
  const mended = await tab.evaluate(async () => {
    for (let frames = 0; frames < 3; frames += 1) await new Promise((resolve) => { requestAnimationFrame(resolve); });
    return document.querySelector('.map-canvas').toDataURL();
  });
  // Zoomed and back, all of it is painted anew.
  await tab.getByRole('button', { name: 'Zoom in' }).click();
  await tab.getByRole('button', { name: 'Whole range' }).click();
  await tab.waitForFunction((before) => document.querySelector('.map-canvas').toDataURL() === before, mended, { timeout: 30_000, polling: 100 });
  await close();
});
