/** The page over a real archive and over a corrupted copy of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { dataDir, link, setUp, skipWithoutData, TESTNET, variant } from './support.mjs';

const skip = skipWithoutData();
const RUN = { timeout: 180_000 };

let stage;
let corrupted;
before(async () => {
  if (skip) return;
  corrupted = variant('hdr-rehash-mid--testnet-p22');
  stage = await setUp({ testnet: join(dataDir, 'archives/testnet-p22'), corrupted: corrupted.dir });
});
after(async () => {
  await stage?.tearDown();
});

test('the real testnet archive is verified', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'testnet' }) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.equal(await tab.locator('#known optgroup').first().getAttribute('label'), 'On this server');
  // What assistive technology is told, in order.
  await tab.evaluate(() => {
    globalThis.told = [];
    new MutationObserver(() => globalThis.told.push(document.getElementById('announcer').textContent)).observe(
      document.getElementById('announcer'), { childList: true, characterData: true, subtree: true },
    );
  });
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified');
  assert.match(await tab.textContent('.statement'), /\w+/);
  assert.equal(await tab.locator('.finding').count(), 0);
  assert.match(await tab.textContent('.legend'), /57\D+verified/);
  const told = await tab.evaluate(() => globalThis.told);
  assert.match(told.at(-1), /^Done: verified/);
  assert.equal(new URL(tab.url()).hash, '#archive=/archive/testnet/&network=testnet');

  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#download')]);
  const report = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(report.schema, 1);
  assert.equal(report.verdict, 'verified');
  assert.equal(report.network.passphrase, TESTNET);
  assert.equal(report.totals.ledger.verified, 57);
  await opened.close();
});

test('a corrupted copy: the finding with its code, evidence and checkpoint', { skip }, async () => {
  const [low, high] = corrupted.range;
  const opened = await stage.open({
    viewport: { width: 360, height: 740 },
    hash: link({ archive: '/archive/corrupted/', low, high, network: corrupted.networkPassphrase }),
  });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'faulty');
  const finding = tab.locator(`.findings .finding[data-code="${corrupted.expect.class}"]`).first();
  const text = await finding.textContent();
  assert.match(text, new RegExp(corrupted.where.path.replaceAll('.', '\\.')));
  assert.match(text, /Expected[0-9a-f]{64}/);
  assert.match(text, /Actual[0-9a-f]{64}/);
  assert.match(text, /What to do:/);
  assert.equal(await finding.locator('a.path').getAttribute('href'), `${stage.site.url}archive/corrupted/${corrupted.where.path}`);
  assert.match(await tab.textContent('.legend'), /1\D+faulty/);

  // From the map to the same finding, by keyboard.
  await tab.focus('.map-canvas');
  await tab.keyboard.press('Home');
  await tab.keyboard.press('PageDown');
  assert.match(await tab.getAttribute('.map-canvas', 'aria-valuetext'), /0x0000083f.*faulty/);
  await tab.keyboard.press('Enter');
  assert.match(await tab.textContent('.detail'), /Ledger headersFaulty/);
  assert.equal(await tab.locator(`.detail .finding[data-code="${corrupted.expect.class}"]`).count(), 1);

  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  await opened.close();
});

test('a finding is copied as text and as JSON', { skip }, async () => {
  const [low, high] = corrupted.range;
  const opened = await stage.open({ permissions: ['clipboard-read', 'clipboard-write'], hash: link({ archive: '/archive/corrupted/', low, high }) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  const code = corrupted.expect.class;
  await tab.locator('.findings').getByRole('button', { name: `Copy text of ${code}` }).first().click();
  await tab.waitForFunction(() => document.getElementById('announcer').textContent === 'Copied');
  const text = await tab.evaluate(() => navigator.clipboard.readText());
  assert.ok(text.startsWith(`${code} (error): `), text);
  assert.match(text, /^advice: /m);
  await tab.locator('.findings').getByRole('button', { name: `Copy JSON of ${code}` }).first().click();
  await tab.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith('{'));
  const finding = JSON.parse(await tab.evaluate(() => navigator.clipboard.readText()));
  assert.equal(finding.code, code);
  await opened.close();
});

test('findings that say the same are folded', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'pubnet' }) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  const alike = tab.locator('.findings .finding[data-code="has-passphrase-mismatch"]');
  assert.equal(await alike.count(), 3);
  const button = tab.locator('.findings .alike button').first();
  const all = Number(/all (\d+)/.exec(await button.textContent())[1]);
  assert.ok(all > 3);
  await button.click();
  await tab.waitForFunction((count) => document.querySelectorAll('.findings .finding[data-code="has-passphrase-mismatch"]').length === count, all);
  await opened.close();
});

test('cancel in the middle keeps what was seen and stops asking', { skip }, async () => {
  let asked = 0;
  const opened = await stage.open({
    hash: link({ archive: '/archive/testnet/', network: 'testnet' }),
    prepare: (context) => context.route('**/archive/testnet/**', async (route) => {
      asked += 1;
      await delay(120);
      await route.continue().catch(() => {});
    }),
  });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForFunction(() => /[1-9]\d*\D*of\D57/.test(document.querySelector('.bars')?.textContent ?? ''), null, RUN);
  await tab.click('#cancel');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'incomplete');
  assert.match(await tab.textContent('.legend'), /[1-9]\d* (unchecked|not reached)/);
  const stopped = asked;
  await delay(800);
  assert.equal(asked, stopped, 'no request after the run ended');
  await opened.close();
});

test('by keyboard alone: from the address to the verdict, the map and a second check', { skip }, async () => {
  const opened = await stage.open();
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  const focused = () => tab.evaluate(() => document.activeElement.id || document.activeElement.className);
  const tabTo = async (id) => {
    for (let presses = 0; presses < 60; presses += 1) {
      if ((await focused()) === id) return;
      await tab.keyboard.press('Tab');
      const outline = await tab.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, 'none', `focus is visible on ${await focused()}`);
    }
    assert.fail(`${id} is not reached by Tab`);
  };
  const fill = async (id, value) => {
    await tabTo(id);
    await tab.keyboard.press('ControlOrMeta+a');
    await tab.keyboard.type(value);
  };
  await fill('archive', '/archive/testnet/');
  await fill('low', '0x7c0');
  await fill('high', '2175');
  await fill('network', 'testnet');
  await tabTo('skipOptional');
  await tab.keyboard.press('Space');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified');
  await tabTo('map-canvas');
  await tab.keyboard.press('End');
  assert.match(await tab.getAttribute('.map-canvas', 'aria-valuetext'), /0x0000087f.*verified/);
  await tab.keyboard.press('Enter');
  assert.match(await tab.textContent('.detail'), /SCP messagesUnchecked/);
  await tab.keyboard.press('Escape');
  assert.equal(await tab.locator('.detail').count(), 0);
  for (let presses = 0; presses < 60 && (await focused()) !== 'change'; presses += 1) await tab.keyboard.press('Shift+Tab');
  await tab.keyboard.press('Enter');
  await tab.waitForFunction(() => document.activeElement.id === 'archive');
  await opened.close();
});
