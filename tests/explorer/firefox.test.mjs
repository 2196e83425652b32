/** The page's main flow in Firefox: it opens, checks, finds a fault, shows what is inside, and answers to keys. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { link, removeVariants, servePage, skipWithoutData, variant } from './support.mjs';

const executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
// It is the second browser: the log says so where a machine cannot have it.
const skip = existsSync(executablePath) ? false : `no Firefox at ${executablePath} (FIREFOX)`;
const skipFaulty = skipWithoutData();
const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const PATIENCE = 60_000;

describe('in Firefox', { skip }, () => {
  let site;
  let browser;
  let corrupted;
  before(async () => {
    if (!skipFaulty) corrupted = variant('hdr-rehash-mid--testnet-p22');
    site = await servePage({ sample, ...(skipFaulty ? {} : { corrupted: corrupted.dir }) });
    browser = await puppeteer.launch({
      browser: 'firefox', executablePath, timeout: PATIENCE, extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 },
    });
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    removeVariants();
  });

  /** Looks at a page in a fresh profile; fails also where a policy was violated or a script threw. */
  async function visit(fields, look) {
    const context = await browser.createBrowserContext();
    const tab = await context.newPage();
    tab.setDefaultTimeout(PATIENCE);
    const problems = [];
    // Firefox tells here, too, what the policy of the page refused; what that of a worker refused it does not tell.
    tab.on('pageerror', (error) => problems.push(error.message));
    tab.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await tab.evaluateOnNewDocument(() => {
      globalThis.policyViolations = [];
      document.addEventListener('securitypolicyviolation', (event) => {
        globalThis.policyViolations.push(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    try {
      await tab.goto(`${site.url}${link(fields)}`);
      await look(tab);
      problems.push(...(await tab.evaluate(() => globalThis.policyViolations)));
    } catch (error) {
      // What went wrong first is often the reason why something never came.
      throw problems.length === 0 ? error : new Error(`${error.message}; before that: ${problems.join('; ')}`, { cause: error });
    }
    await context.close();
    assert.deepEqual(problems, [], 'no policy violations and no script errors');
  }

  const text = (tab, selector) => tab.$eval(selector, (element) => element.textContent);

  /** Waits until the map says this of the checkpoint that it stands on. */
  const spoken = (tab, words) => tab.waitForFunction(
    (start) => document.querySelector('.map-canvas').getAttribute('aria-valuetext')?.startsWith(start), {}, words,
  );

  /** Waits until the view of this ledger is there. */
  const shown = (tab, ledger) => tab.waitForFunction(
    (title) => document.querySelector('.view[aria-busy="false"] #view-title')?.textContent.startsWith(title), {}, `Ledger ${ledger} `,
  );

  test('the sample is verified, and its map answers to keys', async () => {
    await visit({ archive: '/archive/sample/' }, async (tab) => {
      await tab.waitForSelector('#known:enabled');
      await tab.click('#start');
      await tab.waitForSelector('[data-verdict]');
      assert.equal(await tab.$eval('.verdict', (verdict) => verdict.dataset.verdict), 'verified');
      assert.equal((await tab.$$('.finding')).length, 0);
      assert.match(await text(tab, '.legend'), /5\D+verified/);

      await tab.focus('.map-canvas');
      await tab.keyboard.press('Home');
      await spoken(tab, 'Checkpoint 63 (0x0000003f), ledgers 1 to 63: verified');
      await tab.keyboard.press('ArrowRight');
      await spoken(tab, 'Checkpoint 127 ');
      await tab.keyboard.press('End');
      await spoken(tab, 'Checkpoint 319 ');
      await tab.keyboard.press('ArrowLeft');
      await spoken(tab, 'Checkpoint 255 ');
      await tab.keyboard.press('Enter');
      await tab.waitForSelector('#detail-title');
      assert.match(await text(tab, '#detail-title'), /^Checkpoint 255/);
      await tab.waitForFunction(() => {
        const canvas = document.querySelector('.map-canvas');
        return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((part) => part !== 0);
      });
    });
  });

  test('a corrupted archive is faulty, and the finding says where', { skip: skipFaulty }, async () => {
    const [low, high] = corrupted.range;
    await visit({ archive: '/archive/corrupted/', low, high, network: corrupted.networkPassphrase }, async (tab) => {
      await tab.waitForSelector('#known:enabled');
      await tab.click('#start');
      await tab.waitForSelector('[data-verdict]');
      assert.equal(await tab.$eval('.verdict', (verdict) => verdict.dataset.verdict), 'faulty');
      const finding = await text(tab, `.findings .finding[data-code="${corrupted.expect.class}"]`);
      assert.ok(finding.includes(corrupted.where.path), finding);
      assert.match(finding, /Expected[0-9a-f]{64}/);
    });
  });

  test('a link shows a ledger with its checks, and the box leads to another', async () => {
    await visit({ archive: '/archive/sample/', ledger: '2' }, async (tab) => {
      await shown(tab, 2);
      const checks = await tab.$$eval('[data-check]', (all) => all.map(({ dataset }) => [dataset.check, dataset.outcome]));
      assert.ok(checks.length >= 5, `${checks.length} checks`);
      assert.deepEqual(checks.filter(([, outcome]) => outcome !== 'holds'), []);

      await tab.type('#look-up', '70');
      await tab.waitForSelector('[data-recognised="ledger"]');
      await tab.keyboard.press('Enter');
      await shown(tab, 70);
      assert.equal(new URL(tab.url()).hash, '#archive=/archive/sample/&ledger=70');
      await tab.goBack();
      await shown(tab, 2);
    });
  });
});
