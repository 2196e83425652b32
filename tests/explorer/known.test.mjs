/** The archives that the page knows: by network and organisation, which of them answer, and those that were used, until they are forgotten. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { link, linkToAll, playing, setUp } from './support.mjs';

const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const WAIT = { timeout: 30_000 };
const TESTNET = 'https://history.stellar.org/prd/core-testnet/core_testnet_001';

let stage;
before(async () => {
  stage = await setUp();
});
after(async () => {
  await stage?.tearDown();
});

/** SDF’s first of the test network answers with the sample, everybody else is not there. */
async function world(context) {
  await context.route('**/archives.json', (route) => route.fulfill({ status: 404 }));
  await context.route(/^https:/, (route) => {
    const path = /core_testnet_001\/(.*)$/.exec(new URL(route.request().url()).pathname)?.[1];
    return path === undefined ? route.abort() : route.fulfill({ path: join(sample, path), headers: { 'access-control-allow-origin': '*' } });
  });
}

async function openKnown(tab) {
  await tab.waitForSelector('#known:enabled');
  await tab.click('#show-known');
  await tab.waitForSelector('.known');
}

const kept = (tab) => tab.evaluate(() => JSON.parse(localStorage.getItem('archives-used') ?? '[]').map(({ url }) => url));
const usedRows = (tab) => tab.locator('section[aria-labelledby="known-used"] .known-row').evaluateAll((rows) => rows.map((row) => row.dataset.url));
const foreign = (requests) => requests.filter((url) => !url.startsWith(stage.site.url));

async function axeClean(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`), []);
}

test('the presets by network and organisation, with nobody asked; one of them goes into the form with its network', async () => {
  const opened = await stage.open({ prepare: world });
  const { tab, requests } = opened;
  await openKnown(tab);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'known-title');
  assert.deepEqual(await tab.locator('.known h3').evaluateAll((all) => all.map(({ firstChild }) => firstChild.textContent.trim())), ['Public network', 'Test network', 'Futurenet']);
  const pubnet = await tab.locator('section[aria-labelledby="known-pubnet"] [data-organisation]').evaluateAll((all) => all.map((one) => [one.dataset.organisation, one.querySelectorAll('li').length]));
  assert.ok(pubnet.length >= 7 && pubnet.every(([, count]) => count >= 3), JSON.stringify(pubnet));
  assert.deepEqual(pubnet[0], ['SDF', 3]);
  assert.deepEqual(foreign(requests), []);
  await tab.locator(`[data-url="${TESTNET}"]`).getByRole('button', { name: /^Use SDF testnet 1/ }).click();
  assert.equal(await tab.inputValue('#archive'), TESTNET);
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await tab.waitForFunction(() => document.activeElement?.id === 'archive');
  await tab.locator('.known').getByRole('button', { name: 'Close' }).click();
  assert.equal(await tab.locator('.known').count(), 0);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'show-known');
  assert.deepEqual(foreign(requests), []);
  await opened.close();
});

test('which answer: the newest ledger and its age, who refuses pages, who is not there; each is told as it comes', async () => {
  // A server of its own, since what browsers do about CORS cannot be played by the test's routes: this one allows no page to read.
  const refusing = createServer((request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  await new Promise((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const strict = `http://127.0.0.1:${refusing.address().port}/archive`;
  const opened = await stage.open({
    prepare: async (context, tab) => {
      await world(context);
      await tab.addInitScript((url) => { localStorage.setItem('archives-used', JSON.stringify([{ url, network: '' }])); }, strict);
    },
  });
  const { tab } = opened;
  await openKnown(tab);
  await tab.click('#ask-known');
  await tab.waitForSelector('[data-known="done"]', WAIT);
  const sdf = await tab.textContent(`[data-url="${TESTNET}"] .known-answer`);
  assert.match(sdf, /Answers, but is old.*ledger 319.*ago/);
  assert.equal(await tab.getAttribute(`[data-url="${strict}"] .known-answer`, 'data-answer'), 'refuses');
  assert.match(await tab.textContent(`[data-url="${strict}"]`), /Refuses pages/);
  assert.match(await tab.textContent('.known .caution'), /does not allow pages to read from it \(CORS\)/);
  const lobstr = tab.locator('[data-organisation="LOBSTR"] .known-answer');
  assert.deepEqual(await lobstr.evaluateAll((all) => all.map((one) => one.dataset.answer)), Array(5).fill('dead'));
  assert.match((await tab.textContent('#announcer')).replace(/\s/g, ' '), /^1 of \d\d known archives answers, 1 let no page read them$/);
  await new Promise((resolve) => refusing.close(resolve));
  await opened.close();
});

test('asking shows how far it is, and can be stopped: what was heard stays', async () => {
  const opened = await stage.open({
    prepare: async (context) => {
      await world(context);
      await context.route(/lobstr/, () => new Promise(() => undefined));
    },
  });
  const { tab } = opened;
  await openKnown(tab);
  await tab.focus('#ask-known');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector(`[data-url="${TESTNET}"] [data-answer="told"]`, WAIT);
  assert.equal(await tab.getAttribute('.known', 'aria-busy'), 'true');
  assert.match(await tab.textContent('.known .hint'), /^\d+ of \d+ so far\.$/);
  assert.ok(await tab.locator('.known progress').evaluate(({ value, max }) => value > 0 && value < max));
  await tab.getByRole('button', { name: 'Stop asking' }).click();
  await tab.waitForSelector('[data-known="done"]');
  assert.equal(await tab.locator('[data-organisation="LOBSTR"] [data-answer="unasked"]').count(), 5);
  assert.equal(await tab.locator(`[data-url="${TESTNET}"] [data-answer="told"]`).count(), 1);
  await opened.close();
});

test('archives that were used are offered, the latest first, with their network, and forgotten one by one or all', async () => {
  const opened = await stage.open({ prepare: async (context) => { await world(context); await playing()(context); }, hash: linkToAll(['https://one.example.org/', 'two.example.org/archive'], { network: 'testnet' }) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.deepEqual(await kept(tab), [], 'an address that was only typed is not one that was used');
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  await tab.click('#change');
  await tab.fill('#archive', 'https://three.example.org');
  await tab.fill('#network', '');
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const all = ['https://three.example.org', 'https://two.example.org/archive', 'https://one.example.org'];
  assert.deepEqual(await kept(tab), [all[0], all[1], all[2]]);

  await tab.goto(stage.site.url);
  await tab.waitForSelector('#known:enabled');
  const group = tab.locator('#known optgroup[label="Used in this browser"] option');
  assert.deepEqual(await group.evaluateAll((options) => options.map(({ value }) => value)), all);
  await tab.selectOption('#known', all[2]);
  assert.equal(await tab.inputValue('#archive'), all[2]);
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await openKnown(tab);
  assert.deepEqual(await usedRows(tab), all);
  await tab.getByRole('button', { name: 'Forget two.example.org/archive' }).click();
  assert.deepEqual(await usedRows(tab), [all[0], all[2]]);
  assert.deepEqual(await kept(tab), [all[0], all[2]]);
  await tab.waitForFunction(() => document.activeElement?.id === 'known-title');
  await tab.getByRole('button', { name: 'Forget all' }).click();
  assert.equal(await tab.locator('section[aria-labelledby="known-used"]').count(), 0);
  assert.equal(await group.count(), 0);
  assert.equal(await tab.evaluate(() => localStorage.length), 0, 'nothing is left behind');
  await opened.close();
});

test('twenty are remembered, and what others wrote into the storage does no harm', async () => {
  const many = Array.from({ length: 30 }, (_, at) => ({ url: `https://archive-${at}.example.org`, network: '' }));
  const wrong = [{ url: 'javascript:alert(1)', network: '' }, { url: 7 }, null, 'https://text.example.org'];
  for (const [text, count] of [[JSON.stringify([...wrong, ...many]), 20], ['{ no JSON', 0], ['{}', 0]]) {
    const opened = await stage.open({ prepare: async (context, tab) => { await world(context); await playing()(context); await tab.addInitScript((value) => { if (localStorage.length === 0) localStorage.setItem('archives-used', value); }, text); }, hash: link({ archive: 'https://new.example.org/' }) });
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    assert.equal(await tab.locator('#known optgroup[label="Used in this browser"] option').count(), count);
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict]');
    const now = await kept(tab);
    assert.equal(now.length, Math.min(20, count + 1));
    assert.equal(now[0], 'https://new.example.org');
    await opened.close();
  }
});

test('with storage that is full or blocked a check runs, and the archive is known until the page is closed', async () => {
  for (const blocked of ['full', 'blocked']) {
    const opened = await stage.open({
      prepare: async (context, tab) => {
        await world(context);
        await playing()(context);
        await tab.addInitScript((how) => {
          // Stands in for a browser whose person has switched storage off, or filled it.
          if (how === 'blocked') Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } });
          else Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
        }, blocked);
      },
      hash: link({ archive: 'https://one.example.org/' }),
    });
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    for (const url of ['https://one.example.org', 'https://two.example.org']) {
      await tab.fill('#archive', url);
      await tab.click('#start');
      await tab.waitForSelector('[data-verdict]');
      await tab.click('#change');
    }
    const offered = await tab.locator('#known optgroup[label="Used in this browser"] option').evaluateAll((options) => options.map(({ value }) => value));
    assert.deepEqual(offered, ['https://two.example.org', 'https://one.example.org'], blocked);
    await opened.close();
  }
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe, ${colorScheme}, wide and 320 pixels`, async () => {
    const opened = await stage.open({
      colorScheme,
      prepare: async (context, tab) => {
        await world(context);
        await tab.addInitScript(() => { localStorage.setItem('archives-used', JSON.stringify([{ url: `https://${'long-'.repeat(20)}name.example.org/archive`, network: '' }])); });
      },
    });
    const { tab } = opened;
    await openKnown(tab);
    await axeClean(tab);
    await tab.click('#ask-known');
    await tab.waitForSelector('[data-known="done"]', WAIT);
    await axeClean(tab);
    await tab.setViewportSize({ width: 320, height: 700 });
    await axeClean(tab);
    assert.ok((await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await opened.close();
  });
}
