/** Comparing archives: what it will take, the map of disagreement, who says what, and what is said where it cannot be done. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dataDir, deadAddress, linkToAll, setUp, skipWithoutData, variant } from './support.mjs';

const skip = skipWithoutData();
const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const WAIT = { timeout: 60_000 };
const REAL = join(dataDir, 'archives/testnet-p22');
const folder = mkdtempSync(join(tmpdir(), 'explorer-compare-'));
const kinds = ['.well-known', 'history', 'ledger', 'transactions', 'results', 'scp'];

/** A copy of an archive without its buckets, which are not compared. */
function copyOf(archive, name) {
  for (const kind of kinds) cpSync(join(archive, kind), join(folder, name, kind), { recursive: true });
  return join(folder, name);
}

let stage;
before(async () => {
  const gaps = copyOf(sample, 'gaps');
  for (const name of ['7f', 'bf']) rmSync(join(gaps, `transactions/00/00/00/transactions-000000${name}.xdr.gz`));
  const archives = { sample, twin: copyOf(sample, 'twin'), gaps };
  if (!skip) {
    archives.testnet = REAL;
    archives.liar = copyOf(REAL, 'liar');
    for (const id of ['hdr-rehash-mid--testnet-p22', 'missing-transactions--testnet-p22']) {
      const { dir, range: [low, high] } = variant(id);
      for (let checkpoint = low; checkpoint <= high; checkpoint += 64) {
        for (const kind of ['ledger', 'transactions']) {
          const hex = checkpoint.toString(16).padStart(8, '0');
          const path = `${kind}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4, 6)}/${kind}-${hex}.xdr.gz`;
          rmSync(join(archives.liar, path), { force: true });
          try {
            cpSync(join(dir, path), join(archives.liar, path));
          } catch {
            // What is missing there is missing here as well.
          }
        }
      }
    }
  }
  stage = await setUp(archives);
});
after(async () => {
  await stage?.tearDown();
  rmSync(folder, { recursive: true, force: true });
});

const plain = (text) => text.replace(/[\u202f\u00a0]/g, ' ').replace(/\s+/g, ' ');

async function planned(tab) {
  await tab.waitForSelector('#known:enabled');
  await tab.click('#compare');
  await tab.waitForSelector('[data-compare="planned"]', WAIT);
}

async function compared(tab) {
  await planned(tab);
  await tab.click('#compare-start');
  await tab.waitForSelector('[data-comparison]', WAIT);
  return tab.getAttribute('[data-comparison]', 'data-comparison');
}

async function axeClean(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`), []);
}

const wide = (tab) => tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);

test('only two archives or more can be compared, and nothing is asked before the click', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/']) });
  const { tab, requests } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.equal(await tab.locator('#compare').count(), 0);
  await tab.click('#add-archive');
  assert.equal(await tab.locator('#compare').count(), 0, 'an empty row is no archive');
  await tab.fill('#archive-2', '/archive/twin/');
  await tab.waitForSelector('#compare');
  assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
  await opened.close();
});

test('two that have the same: what it takes, that they agree, and everything of it as JSON', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', '/archive/twin/']) });
  const { tab, requests } = opened;
  await planned(tab);
  assert.match(plain(await tab.textContent('.compare')), /5 checkpoints \(ledgers 1 to 319.*in 2 archives: about 50 requests/);
  const before = requests.length;
  await tab.click('#compare-start');
  await tab.waitForSelector('[data-comparison="agree"]', WAIT);
  const taken = requests.slice(before).filter((url) => url.includes('/archive/')).length;
  assert.ok(taken >= 40 && taken <= 60, `${taken} requests`);
  assert.match(await tab.textContent('#announcer'), /^They agree/);
  assert.equal(await tab.locator('[data-standing="agrees"]').count(), 2);
  assert.match(plain(await tab.textContent('.compare-map .legend')), /^10 agrees$/);
  assert.match(await tab.textContent('.compare'), /No file of one archive contradicts/);
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name: 'Download JSON' }).click()]);
  assert.match(download.suggestedFilename(), /^archive-comparison-1-319-.*\.json$/);
  const report = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(report.verdict, 'agree');
  assert.equal(report.archives.length, 2);
  await tab.getByRole('button', { name: 'Close' }).click();
  assert.equal(await tab.locator('.compare').count(), 0);
  await tab.waitForFunction(() => document.activeElement?.id === 'compare');
  await opened.close();
});

test('one that lacks files: the map by keyboard, its readout, the gaps, and a link inside', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', '/archive/gaps/']) });
  const { tab } = opened;
  assert.equal(await compared(tab), 'disagree');
  assert.match(plain(await tab.textContent('.compare-map .legend')), /8 agrees ?2 lacks/);
  const map = tab.locator('.compare-map canvas');
  await map.focus();
  const said = async () => plain(await map.getAttribute('aria-valuetext'));
  assert.match(await said(), /archive\/sample, checkpoint 319 \(0x0000013f\), ledgers 256 to 319: agrees/);
  await tab.keyboard.press('ArrowDown');
  assert.match(await said(), /archive\/gaps, checkpoint 319 .*agrees/);
  await tab.keyboard.press('PageUp');
  assert.match(await said(), /archive\/gaps, checkpoint 191 .*transactions: lacks/);
  assert.equal(plain(await tab.textContent('#compare-readout')), await said());
  await tab.keyboard.press('PageUp');
  assert.match(await said(), /checkpoint 127 /);
  await tab.keyboard.press('Enter');
  assert.deepEqual(await tab.locator('.at-checkpoint li').evaluateAll((rows) => rows.map((row) => row.dataset.cell)), ['agrees', 'lacks']);
  assert.match(plain(await tab.textContent('[data-missing="transactions"]')), /2\. .*gaps: transactions of 2 checkpoints from 127 to 191/);
  await tab.click('.at-checkpoint li:nth-child(2) a');
  await tab.waitForFunction(() => /Checkpoint 127/.test(document.querySelector('.view[aria-busy="false"] #view-title')?.textContent ?? ''), undefined, WAIT);
  assert.match(new URL(tab.url()).hash, /checkpoint=127&in=2$/);
  await tab.goBack();
  await tab.waitForSelector('[data-comparison]:visible');
  await opened.close();
});

test('a real archive and one with a rewritten header: provably wrong, who says what, and the ledger in each', { skip }, async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/testnet/', '/archive/liar/'], { network: 'testnet', low: '512', high: '2559' }) });
  const { tab } = opened;
  assert.equal(await compared(tab), 'disagree');
  assert.equal(await tab.getAttribute('[data-archive$="liar"]', 'data-standing'), 'provably-wrong');
  const row = tab.locator('[data-checkpoint="2111"][data-kind="ledger"]');
  assert.match(plain(await row.textContent()), /2 111 0x0000083f.*from ledger 2 108.*agrees.*archive\/testnet.*provably wrong.*archive\/liar/);
  assert.match(await row.locator('[data-saying="provably-wrong"] a').getAttribute('href'), /ledger=2108&in=2$/);
  assert.match(await row.locator('[data-saying="agrees"] a').getAttribute('href'), /ledger=2108$/);
  assert.match(plain(await tab.textContent('.compare-map .legend')), /1 lacks ?1 provably wrong/);
  assert.match(plain(await tab.textContent('.compare')), /sealed up to ledger \d/);
  const colours = await tab.locator('.compare-map canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
    return [...seen];
  });
  assert.ok(colours.length >= 4, colours.join(' '));
  await row.locator('[data-saying="provably-wrong"] a').click();
  await tab.waitForFunction(() => /Ledger 2\D?108/.test(document.querySelector('.view[aria-busy="false"] #view-title')?.textContent ?? ''), undefined, WAIT);
  await opened.close();
});

test('merely different: nothing is sealed by whom one believes', { skip }, async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/testnet/', '/archive/liar/'], { network: 'testnet', low: '2049', high: '2175', quorumSet: 'none' }) });
  const { tab } = opened;
  assert.equal(await compared(tab), 'disagree');
  assert.match(await tab.textContent('.verdict'), /nothing of it is sealed by whom you believe/);
  assert.equal(await tab.locator('[data-standing="provably-wrong"]').count(), 0);
  await opened.close();
});

test('a huge range needs a person’s word, and another form another look', async () => {
  const far = JSON.stringify({ ...JSON.parse(readFileSync(join(sample, '.well-known/stellar-history.json'), 'utf8')), currentLedger: 640_063 });
  const opened = await stage.open({
    hash: linkToAll(['/archive/sample/', '/archive/twin/']),
    prepare: (context) => context.route('**/.well-known/stellar-history.json', (route) => route.fulfill({ body: far })),
  });
  const { tab } = opened;
  await planned(tab);
  assert.match(plain(await tab.textContent('.compare')), /10 001 checkpoints .*about 100 010 requests/);
  assert.ok(await tab.isDisabled('#compare-start'));
  await tab.check('#compare-consent');
  assert.ok(await tab.isEnabled('#compare-start'));
  await axeClean(tab);
  await tab.selectOption('#scope', 'last');
  await tab.fill('#last', '128');
  await tab.click('#compare-plan');
  await tab.waitForSelector('#compare-start', WAIT);
  assert.match(plain(await tab.textContent('.compare')), /[23] checkpoints .*about [23]0 requests/);
  assert.ok(await tab.isEnabled('#compare-start'));
  await opened.close();
});

test('cancelled on the way: what was compared until then stands', async () => {
  let held = false;
  const opened = await stage.open({
    hash: linkToAll(['/archive/sample/', '/archive/twin/']),
    prepare: (context) => context.route('**/archive/twin/transactions/00/00/00/transactions-0000003f.xdr.gz', () => { held = true; return new Promise(() => undefined); }),
  });
  const { tab } = opened;
  await planned(tab);
  await tab.click('#compare-start');
  await tab.waitForFunction(() => /[1-4] of 5/.test(document.querySelector('.compare .bar-head')?.textContent ?? ''), undefined, WAIT);
  assert.ok(held);
  await tab.getByRole('button', { name: 'Cancel' }).click();
  await tab.waitForSelector('[data-comparison="incomplete"]', WAIT);
  assert.match(plain(await tab.textContent('.verdict')), /[1-4] of 5 checkpoints/);
  await opened.close();
});

test('archives that do not answer, and a form that is wrong', async () => {
  const dead = await deadAddress();
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', dead]) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.click('#compare');
  await tab.waitForSelector('[data-compare="failed"]', WAIT);
  assert.match(await tab.textContent('.compare [role="alert"]'), /Only one of the archives says how far it goes.*Access-Control-Allow-Origin/s);
  await axeClean(tab);
  await tab.getByRole('button', { name: 'Close' }).click();
  await tab.fill('#low', 'tomorrow');
  await tab.click('#compare');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'low');
  assert.equal(await tab.locator('.compare').count(), 0);
  await opened.close();
});

test('one of another network counts for nothing in what it takes', { skip }, async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/testnet/', '/archive/liar/', '/archive/sample/'], { network: 'testnet' }) });
  const { tab } = opened;
  await planned(tab);
  assert.match(plain(await tab.textContent('.compare')), /57 checkpoints .*in 2 archives: about 570 requests.*archive\/sample is of another network, and left out/);
  await tab.fill('#network', '');
  await tab.click('#compare-plan');
  await tab.waitForSelector('#compare-start', WAIT);
  assert.match(plain(await tab.textContent('.compare')), /57 checkpoints/, 'the network that takes most');
  await tab.fill('#network', 'pubnet');
  await tab.click('#compare-plan');
  await tab.waitForSelector('[data-compare="failed"]', WAIT);
  assert.match(await tab.textContent('.compare'), /Fewer than two of the archives are of the network/);
  await opened.close();
});

test('more checkpoints than were said: it stops, and asks', async () => {
  const near = readFileSync(join(sample, '.well-known/stellar-history.json'), 'utf8');
  const far = JSON.stringify({ ...JSON.parse(near), currentLedger: 640_063 });
  let asked = near;
  const opened = await stage.open({
    hash: linkToAll(['/archive/sample/', '/archive/twin/']),
    prepare: async (context) => {
      await context.route('**/.well-known/stellar-history.json', (route) => route.fulfill({ body: asked }));
      // Where an archive really ends its files say: it has them all.
      await context.route(/\/archive\/\w+\/(history|ledger|transactions|results|scp)\//, (route) => (asked === near ? route.continue() : route.fulfill({ path: join(sample, 'ledger/00/00/00/ledger-0000003f.xdr.gz') })));
    },
  });
  const { tab } = opened;
  await planned(tab);
  asked = far;
  await tab.click('#compare-start');
  await tab.waitForSelector('#compare-consent', WAIT);
  assert.match(plain(await tab.textContent('.compare')), /10 001 checkpoints/);
  assert.ok(await tab.isDisabled('#compare-start'));
  await opened.close();
});

test('three archives of which one dies: the others are compared, and why it could not be', async () => {
  const dead = await deadAddress();
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/', '/archive/twin/', dead]) });
  const { tab } = opened;
  await planned(tab);
  assert.match(await tab.textContent('.compare'), /did not say how far it goes/);
  await tab.click('#compare-start');
  await tab.waitForSelector('[data-comparison="incomplete"]', { timeout: 120_000 });
  assert.equal(await tab.locator('[data-standing="unreadable"]').count(), 1);
  assert.match(await tab.textContent('.compare-why'), /could not be read from this page/);
  await opened.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe, ${colorScheme}, wide and 320 pixels`, { skip }, async () => {
    const opened = await stage.open({ hash: linkToAll(['/archive/testnet/', '/archive/liar/'], { network: 'testnet', low: '512', high: '2559' }), colorScheme });
    const { tab } = opened;
    await compared(tab);
    await tab.locator('.compare-map canvas').focus();
    await tab.keyboard.press('PageUp');
    await tab.keyboard.press('Enter');
    await axeClean(tab);
    await tab.setViewportSize({ width: 320, height: 700 });
    await tab.waitForTimeout(200);
    await axeClean(tab);
    assert.ok((await wide(tab)) <= 0);
    await opened.close();
  });
}
