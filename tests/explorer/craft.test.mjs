/** What holds on every screen of the page, in both themes: for assistive technology, keyboards, small and huge screens. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { archiveOfOneCheckpoint, sample, startAndReach, STATES } from './conditions.mjs';
import { link, linkToAll, playing, setUp, skipWithoutData, variant } from './support.mjs';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const skip = skipWithoutData();
const GOOD = 'https://good.example.org/core_001/';
const LIAR = 'https://lies.example.org/core_002/';
const SAMPLE = link({ archive: '/archive/sample/' });

let stage;
let single;
let corrupted;
before(async () => {
  single = archiveOfOneCheckpoint();
  if (!skip) corrupted = variant('tx-fee-altered--testnet-p22');
  stage = await setUp({ sample, single: single.dir, ...(corrupted === undefined ? {} : { corrupted: corrupted.dir }) });
});
after(async () => {
  await stage?.tearDown();
  single?.remove();
});

const verdict = async (tab) => {
  await tab.click('#start');
  await tab.waitForSelector('.verdict[data-verdict]', { timeout: 60_000 });
};

/** Beside the states: the screens on the way through the page. */
const SCREENS = {
  ...STATES,
  'whose word counts': { hash: SAMPLE, reach: async (tab) => { await tab.waitForSelector('#known:enabled'); await tab.click('.trust summary'); } },
  faults: { hash: link({ archive: 'nonsense://', low: '9', high: '1' }), reach: async (tab) => { await tab.click('#start'); await tab.waitForSelector('.fault'); } },
  keys: { hash: SAMPLE, reach: async (tab) => { await tab.waitForSelector('#known:enabled'); await tab.keyboard.press('?'); await tab.waitForSelector('dialog[open]'); } },
  running: { hash: linkToAll([GOOD, LIAR]), prepare: playing({ hold: 41 }), reach: (tab) => startAndReach(tab, 41) },
  paused: {
    hash: linkToAll([GOOD]), prepare: playing({ hold: 41 }),
    reach: async (tab) => { await startAndReach(tab, 41); await tab.click('#pause'); await tab.waitForSelector('[data-phase="paused"]'); },
  },
  verified: { hash: SAMPLE, reach: verdict },
  faulty: { hash: linkToAll([LIAR]), prepare: playing(), reach: verdict },
  'a cell of the map': {
    hash: linkToAll([LIAR]), prepare: playing(),
    reach: async (tab) => {
      await verdict(tab);
      await tab.focus('.map-canvas');
      for (const key of ['Home', 'PageDown', 'Enter']) await tab.keyboard.press(key);
      await tab.waitForSelector('.detail .finding');
    },
  },
  mirror: { hash: SAMPLE, reach: async (tab) => { await tab.click('#mirror:enabled'); await tab.waitForSelector('.card.copy'); } },
  repair: { hash: SAMPLE, reach: async (tab) => { await tab.click('#repair:enabled'); await tab.waitForSelector('.card.copy'); } },
  'no proof': {
    hash: SAMPLE,
    reach: async (tab) => {
      await tab.click('.paste summary');
      await tab.fill('#proof-text', '{"schema": 1}');
      await tab.click('#proof-check');
      await tab.waitForSelector('.proof-check .fault, .proof');
    },
  },
  'what it takes': { hash: SAMPLE, reach: async (tab) => { await tab.click('#ask-cost:enabled'); await tab.waitForSelector('#cost'); } },
  'how fresh': { hash: SAMPLE, reach: async (tab) => { await tab.click('#ask-fresh:enabled'); await tab.waitForSelector('[data-standing]'); } },
  checkpoint: { hash: `${SAMPLE}&checkpoint=63`, reach: (tab) => tab.waitForSelector('[data-view="checkpoint"][aria-busy="false"]') },
  ledger: { hash: `${SAMPLE}&ledger=4`, reach: (tab) => tab.waitForSelector('[data-view="ledger"][aria-busy="false"]') },
  transaction: { hash: `${SAMPLE}&ledger=4&tx=0`, reach: (tab) => tab.waitForSelector('[data-view="transaction"][aria-busy="false"]') },
  'no such link': { hash: `${SAMPLE}&bucket=abc`, reach: (tab) => tab.waitForSelector('[data-hindrance]') },
};

async function at({ hash, prepare, reach, refuses = false }, options = {}) {
  const opened = await stage.open({ hash, prepare, ...options });
  await reach(opened.tab, opened.context);
  return { ...opened, close: () => (refuses ? opened.context.close() : opened.close()) };
}

async function axeFaults(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 140)).slice(0, 3).join(' | ')}`);
}

/** How far the page is wider than its window, and what sticks out. */
const sticksOut = (tab) => tab.evaluate(() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return [];
  return [`${over} pixels`, ...[...document.body.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 4).map(({ tagName, className, id }) => `${tagName} ${id} ${className}`)];
});

describe('every screen', () => {
  for (const [name, screen] of Object.entries(SCREENS)) {
    test(`${name}: no faults for axe in both themes, one polite voice, a title, nothing from elsewhere, no sideways scrolling from 320 to 3840 pixels and at double size`, async () => {
      const opened = await at(screen);
      const { tab, requests } = opened;
      for (const colorScheme of ['light', 'dark']) {
        await tab.emulateMedia({ colorScheme });
        assert.deepEqual(await axeFaults(tab), [], colorScheme);
      }
      const { voices, title, headings } = await tab.evaluate(() => ({
        voices: [...document.querySelectorAll('[aria-live="polite"], [role="status"], [role="log"], output')].map(({ id }) => id),
        title: document.title, headings: document.querySelectorAll('h1').length,
      }));
      assert.deepEqual(voices, ['announcer']);
      assert.match(title, /Stellar Archive Verifier$/);
      assert.equal(headings, 1);
      // The archives that a person named, and the page's own server: nothing else is ever asked.
      const named = new URLSearchParams(screen.hash.slice(1)).getAll('archive').map((archive) => new URL(archive, stage.site.url).href);
      assert.deepEqual(requests.filter((url) => ![stage.site.url, ...named].some((own) => url.startsWith(own))), []);
      for (const width of [320, 3840]) {
        await tab.setViewportSize({ width, height: 900 });
        assert.deepEqual(await sticksOut(tab), [], `${width} pixels`);
      }
      const lines = await tab.evaluate(() => [...document.querySelectorAll('main p')].filter((text) => text.getClientRects().length > 0 && text.textContent.length > 160)
        .map((text) => ({ characters: text.clientWidth / (parseFloat(getComputedStyle(text).fontSize) * 0.5), text: text.textContent.slice(0, 60) }))
        .filter(({ characters }) => characters > 170));
      assert.deepEqual(lines, [], 'lines that the eye loses');
      await tab.setViewportSize({ width: 1280, height: 900 });
      await tab.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
      assert.deepEqual(await sticksOut(tab), [], 'text of double size');
      await opened.close();
    });
  }

  test('titles tell the tabs apart: how far a check is, what it said, and what is looked at', async () => {
    const opened = await at(SCREENS.running);
    const { tab } = opened;
    await tab.waitForFunction(() => /^Checking \d+ %, good\.example\.org/.test(document.title));
    await tab.click('#cancel');
    await tab.waitForFunction(() => /^(Incomplete|Faulty|Verified), /.test(document.title));
    await opened.close();
    const looking = await at(SCREENS.ledger);
    assert.match(await looking.tab.title(), /^Ledger 4, 127\.0\.0\.1:\d+\/archive\/sample · Stellar Archive Verifier$/);
    await looking.tab.click('.crumbs a');
    await looking.tab.waitForFunction(() => document.title === 'Stellar Archive Verifier');
    await looking.close();
  });

  test('? shows the keys on the form, in a check and in a look inside, and Escape leads back', async () => {
    for (const name of ['first visit', 'verified', 'ledger']) {
      const opened = await at(SCREENS[name]);
      await opened.tab.evaluate(() => document.activeElement?.blur());
      await opened.tab.keyboard.press('?');
      await opened.tab.waitForSelector('dialog[open]');
      await opened.tab.keyboard.press('Escape');
      await opened.tab.waitForSelector('dialog[open]', { state: 'detached' });
      await opened.close();
    }
    const opened = await at(SCREENS['first visit']);
    await opened.tab.getByRole('button', { name: 'see them' }).click();
    await opened.tab.waitForSelector('dialog[open]');
    await opened.close();
  });
});

test('by keyboard alone: from the empty page to the verdict, the map, a finding, inside the archive and back', { skip }, async () => {
  const opened = await stage.open({ prepare: (context) => context.route('**/archives.json', (route) => route.fulfill({ status: 404, body: '' })) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  const standing = () => tab.evaluate(() => {
    const { activeElement: focused } = document;
    const { outlineStyle, outlineWidth } = getComputedStyle(focused.closest('.place-choice') ?? focused);
    return { name: focused.id || focused.className || focused.textContent.slice(0, 40), text: focused.textContent, seen: outlineStyle !== 'none' && outlineWidth !== '0px' };
  });
  const tabTo = async (wanted, key = 'Tab') => {
    for (let presses = 0; presses < 120; presses += 1) {
      await tab.keyboard.press(key);
      const { name, text, seen } = await standing();
      if (name === '' || name === 'BODY') continue;
      assert.ok(seen, `focus is visible on ${name}`);
      if (name === wanted || (wanted instanceof RegExp && wanted.test(text))) return;
    }
    assert.fail(`${wanted} is not reached by ${key}`);
  };
  await tabTo('archive');
  await tab.keyboard.type('/archive/corrupted/');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.verdict[data-verdict="faulty"]', { timeout: 60_000 });
  await tabTo('map-canvas');
  await tab.keyboard.press('Home');
  await tab.keyboard.press('PageDown');
  assert.match(await tab.getAttribute('.map-canvas', 'aria-valuetext'), /faulty/);
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.detail .finding');
  await tabTo(/^(Ledger|Checkpoint) \d/);
  const { text } = await standing();
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.view[aria-busy="false"]', { timeout: 30_000 });
  assert.match(await tab.textContent('#view-title'), new RegExp(text));
  assert.equal((await standing()).name, 'view-title', 'focus goes along');
  await tabTo(/\/archive\/corrupted$/, 'Shift+Tab');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.view', { state: 'detached' });
  assert.ok(await tab.isVisible('.verdict[data-verdict="faulty"]'));
  await opened.close();
});

describe('colours of the system’s own choosing', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`${colorScheme}: the map keeps its states apart, and what can be pressed has an edge`, async () => {
      const opened = await at(SCREENS.faulty, { forcedColors: 'active', colorScheme });
      const { tab } = opened;
      /** The share of each colour in a cell of the map. */
      const cell = (place) => tab.evaluate((index) => {
        const canvas = document.querySelector('.map-canvas');
        const scale = canvas.width / canvas.clientWidth;
        const columns = Math.floor(canvas.clientWidth / 26);
        const size = Math.floor(22 * scale);
        const { data } = canvas.getContext('2d').getImageData(Math.round((3 + (index % columns) * 26) * scale), Math.round((3 + Math.floor(index / columns) * 26) * scale), size, size);
        const shares = {};
        for (let byte = 0; byte < data.length; byte += 4) {
          const colour = [...data.slice(byte, byte + 4)].map((part) => Math.round(part / 32)).join();
          shares[colour] = (shares[colour] ?? 0) + 4 / data.length;
        }
        return shares;
      }, place);
      const sound = await cell(3);
      const faulty = await cell(20);
      const most = (shares) => Math.max(...Object.values(shares));
      assert.ok(most(sound) > 0.7, `a full square: ${JSON.stringify(sound)}`);
      assert.ok(Object.values(faulty).filter((share) => share > 0.08).length >= 2, `a square with a cross: ${JSON.stringify(faulty)}`);
      const bare = await tab.locator('.run .button').evaluateAll((buttons) => buttons.filter((button) => button.getClientRects().length > 0 && getComputedStyle(button).borderTopWidth === '0px').length);
      assert.equal(bare, 0);
      await opened.close();
    });
  }

  test('the bars and the stages of a check are seen, and the button that leads on stands out', async () => {
    const opened = await at(SCREENS.paused, { forcedColors: 'active', colorScheme: 'dark' });
    const { tab } = opened;
    /** How many colours a place has, each of some size. */
    const colours = async (selector) => {
      const picture = (await tab.locator(selector).first().screenshot()).toString('base64');
      return tab.evaluate(async (data) => {
        const image = new Image();
        image.src = `data:image/png;base64,${data}`;
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height);
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const { data: pixels } = context.getImageData(0, 0, image.width, image.height);
        const shares = {};
        for (let byte = 0; byte < pixels.length; byte += 4) shares[pixels.slice(byte, byte + 3).join()] = (shares[pixels.slice(byte, byte + 3).join()] ?? 0) + 4 / pixels.length;
        return Object.values(shares).filter((share) => share > 0.1).length;
      }, picture);
    };
    assert.ok(await colours('.bar progress') >= 2, 'how far it is');
    const looks = (selector) => tab.evaluate((wanted) => getComputedStyle(document.querySelector(wanted), wanted.startsWith('.stages') ? '::before' : null).backgroundColor, selector);
    assert.notEqual(await looks('.stages .now'), await looks('.stages .next'));
    assert.notEqual(await looks('.stages .past'), await looks('.stages .next'));
    assert.notEqual(await looks('#resume'), await looks('#discard'));
    await opened.close();
  });
});

test('who wants no motion gets none, also while a check is under way', async () => {
  const opened = await at(SCREENS.running, { reducedMotion: 'reduce' });
  assert.equal(await opened.tab.evaluate(() => document.getAnimations().length), 0);
  await opened.close();
});

/** For `prepare`: notes what moves without a hand on it. */
const watchMoves = (tab) => tab.addInitScript(() => {
  globalThis.moved = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) globalThis.moved.push(`${value} ${sources.map(({ node }) => node?.id || node?.className || node?.nodeName).join()}`);
  }).observe({ type: 'layout-shift', buffered: true });
});
const drawn = (tab) => tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

describe('nothing moves while the page comes', () => {
  test('with a run that was left unfinished', async () => {
    const opened = await at({
      ...SCREENS.paused,
      prepare: async (context, tab) => {
        await SCREENS.paused.prepare(context);
        await watchMoves(tab);
      },
    });
    const { tab } = opened;
    await tab.waitForFunction(() => /is kept in this browser/.test(document.querySelector('[data-phase]').textContent));
    await tab.reload();
    await tab.locator('.offer').waitFor();
    await tab.waitForSelector('#known:enabled');
    await drawn(tab);
    assert.deepEqual(await tab.evaluate(() => globalThis.moved), []);
    await opened.close();
  });

  for (const width of [360, 1280]) {
    for (const [name, hash] of [['empty', ''], ['several archives', linkToAll([GOOD, LIAR], { low: '1', high: '640' })], ['a ledger', `${SAMPLE}&ledger=4`]]) {
      test(`${name}, ${width} pixels`, async () => {
        let release;
        const held = new Promise((resolve) => { release = resolve; });
        const opened = await stage.open({
          hash, viewport: { width, height: 800 },
          prepare: async (context, tab) => {
            await context.route('**/*.wasm', async (route) => {
              await held;
              await route.continue();
            });
            await watchMoves(tab);
          },
        });
        const { tab } = opened;
        // Painted once without the verifier, then with it.
        await drawn(tab);
        release();
        await tab.waitForSelector(hash.includes('ledger=') ? '.view[aria-busy="false"]' : '#known:enabled');
        await drawn(tab);
        assert.deepEqual(await tab.evaluate(() => globalThis.moved), []);
        await opened.close();
      });
    }
  }
});
