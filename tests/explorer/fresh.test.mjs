/** How fresh archives are: asked by a person only, told beside each other, with the reason of each that does not answer. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deadAddress, linkToAll, setUp } from './support.mjs';

const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const WAIT = { timeout: 30_000 };

let stage;
let behind;
before(async () => {
  behind = join(mkdtempSync(join(tmpdir(), 'explorer-fresh-')), 'behind');
  cpSync(sample, behind, { recursive: true });
  cpSync(join(behind, 'history/00/00/00/history-000000bf.json'), join(behind, '.well-known/stellar-history.json'));
  stage = await setUp({ sample, behind });
});
after(async () => {
  await stage?.tearDown();
  rmSync(join(behind, '..'), { recursive: true, force: true });
});

const plain = (text) => text.replace(/[\u202f\u00a0]/g, ' ').replace(/\s+/g, ' ');
const rowOf = async (tab, name) => plain(await tab.textContent(`[data-archive$="${name}"]`));
const standings = (tab) => tab.locator('.fresh-table tbody tr').evaluateAll((rows) => rows.map((row) => row.dataset.standing));

async function asked(tab) {
  await tab.waitForSelector('#known:enabled');
  await tab.click('#ask-fresh');
  await tab.waitForSelector('[data-fresh="done"]', WAIT);
}

async function axeClean(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`), []);
}

test('nothing is asked before someone does; then each says its newest ledger, age, lag and network', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', '/archive/behind/']) });
  const { tab, requests } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.focus('#ask-fresh');
  await tab.waitForTimeout(300);
  assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
  await asked(tab);
  const newest = await rowOf(tab, 'sample');
  assert.match(newest, /319 0x0000013f/);
  assert.match(newest, /(year|month)s? ago 2025-10-11 \d\d:\d\d:\d\d UTC/);
  assert.match(newest, /Sample Network ; stellar-archive-verifier protocol 23/);
  const old = await rowOf(tab, 'behind');
  assert.match(old, /Behind.*191 0x000000bf.*128 ledgers 2 checkpoints, \d+ min/);
  assert.deepEqual(await standings(tab), ['old', 'behind'], 'the newest of all is old as well');
  assert.match(plain(await tab.textContent('#announcer')), /^2 of 2 archives answered; the newest ledger is 319$/);
  assert.match(await tab.getAttribute('[data-archive$="behind"] a', 'href'), /checkpoint=newest&in=2$/);
  await opened.close();
});

test('another form has no answer yet; Close and the keyboard', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/']) });
  const { tab } = opened;
  assert.equal(await tab.textContent('#ask-fresh'), 'How fresh is it?');
  await tab.waitForSelector('#known:enabled');
  await tab.focus('#ask-fresh');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('[data-fresh="done"]', WAIT);
  assert.match(await rowOf(tab, 'sample'), /Behind|–/);
  await tab.getByRole('button', { name: 'Close' }).press('Enter');
  await tab.waitForSelector('.fresh', { ...WAIT, state: 'detached' });
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'ask-fresh');
  await asked(tab);
  await tab.fill('#low', '64');
  assert.equal(await tab.locator('.fresh').count(), 1, 'the ledgers of a check change nothing about it');
  await tab.fill('#archive', '/archive/behind/');
  await tab.waitForSelector('.fresh', { ...WAIT, state: 'detached' });
  await opened.close();
});

test('one that is dead and one that is no archive: why, and who answers is not kept waiting', async () => {
  const dead = await deadAddress();
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', dead, '/nothing/here/']) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.click('#ask-fresh');
  await tab.waitForSelector('[data-archive$="sample"][data-standing="old"]', WAIT);
  await tab.waitForSelector('[data-fresh="done"]', WAIT);
  assert.deepEqual(await standings(tab), ['old', 'silent', 'silent']);
  await tab.click('.fresh-why [data-error="CORS_OR_NETWORK"] summary');
  const why = await tab.textContent('.fresh-why [data-error="CORS_OR_NETWORK"]');
  assert.match(why, /server is down.*Access-Control-Allow-Origin.*curl -sS -D/s);
  assert.ok(why.includes(`${dead}.well-known/stellar-history.json`));
  assert.equal(await tab.locator('.fresh-why details').count(), 2);
  assert.match(await tab.textContent('#announcer'), /^1 of 3/);
  await opened.close();
});

test('it can be stopped, and what was heard stays', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', '/archive/behind/']), prepare: (context) => context.route('**/archive/behind/**', () => new Promise(() => undefined)) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.click('#ask-fresh');
  await tab.waitForSelector('[data-archive$="sample"][data-standing="old"]', WAIT);
  assert.equal(await tab.getAttribute('.fresh', 'aria-busy'), 'true');
  await tab.getByRole('button', { name: 'Stop asking' }).click();
  await tab.waitForSelector('[data-fresh="done"]');
  assert.deepEqual(await standings(tab), ['old', 'unasked']);
  await opened.close();
});

test('an empty form: the known archives of the network, and one of them goes into the form', async () => {
  const files = new Map();
  const opened = await stage.open({
    prepare: async (context) => {
      await context.route('**/archives.json', (route) => route.fulfill({ status: 404 }));
      await context.route(/^https:/, (route) => {
        const url = new URL(route.request().url());
        files.set(url.host, (files.get(url.host) ?? 0) + 1);
        const path = /core_testnet_001\/(.*)$/.exec(url.pathname)?.[1];
        return path === undefined ? route.abort() : route.fulfill({ path: join(sample, path), headers: { 'access-control-allow-origin': '*' } });
      });
    },
  });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.click('#ask-fresh');
  await tab.waitForSelector('[data-fresh="which-network"] .actions button');
  assert.equal(files.size, 0);
  assert.match(await tab.textContent('.fresh'), /pubnet.*testnet/s);
  await axeClean(tab);
  await tab.getByRole('button', { name: /^testnet/ }).click();
  await tab.waitForSelector('[data-fresh="done"]', WAIT);
  assert.match(await tab.textContent('.fresh'), /known archives of the network/);
  assert.equal((await standings(tab)).filter((standing) => standing === 'silent').length, (await standings(tab)).length - 1);
  await tab.getByRole('button', { name: /^Use history\.stellar\.org\/prd\/core-testnet\/core_testnet_001/ }).click();
  assert.equal(await tab.inputValue('#archive'), 'https://history.stellar.org/prd/core-testnet/core_testnet_001');
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await tab.waitForFunction(() => document.activeElement?.id === 'archive');
  await opened.close();
});

test('a chosen network needs no question, and a wrong address is shown at its field', async () => {
  const opened = await stage.open({
    hash: '#network=testnet',
    prepare: async (context) => {
      await context.route('**/archives.json', (route) => route.fulfill({ status: 404 }));
      await context.route(/^https:/, (route) => route.abort());
    },
  });
  const { tab } = opened;
  await asked(tab);
  assert.ok((await standings(tab)).every((standing) => standing === 'silent'));
  await tab.fill('#archive', 'http://history.example.org/');
  await tab.click('#ask-fresh');
  await tab.waitForFunction(() => document.activeElement?.id === 'archive');
  assert.match(await tab.textContent('#archive-fault'), /https:\/\//);
  assert.equal(await tab.locator('.fresh').count(), 0);
  await opened.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe, ${colorScheme}, wide and 320 pixels`, async () => {
    const dead = await deadAddress();
    const opened = await stage.open({ hash: linkToAll(['/archive/sample/', '/archive/behind/', dead]), colorScheme });
    const { tab } = opened;
    await asked(tab);
    await tab.click('.fresh-why summary');
    await axeClean(tab);
    await tab.setViewportSize({ width: 320, height: 700 });
    await axeClean(tab);
    assert.ok((await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await opened.close();
  });
}
