/** What a check will take, before it is begun. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dataDir, link, setUp, skipWithoutData } from './support.mjs';

const skip = skipWithoutData();

let stage;
before(async () => {
  stage = await setUp(skip ? {} : { testnet: join(dataDir, 'archives/testnet-p22') });
});
after(async () => {
  await stage?.tearDown();
});

const plain = (text) => text.replace(/\u202f/g, '').replace(/\u00a0/g, ' ');

const SIZE = '([\\d.]+) (B|KiB|MiB|GiB)';
const WORDS = new RegExp(`About (\\d+)(?: to (\\d+))? requests and ${SIZE}(?: to ${SIZE})?\\.`);
const inBytes = (amount, unit) => Number(amount) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit);

/** Requests and bytes, at least and at most, as the page says them. */
async function costOf(tab) {
  await tab.click('#ask-cost');
  const text = plain(await tab.locator('#cost').textContent({ timeout: 30_000 }));
  const [, low, high = low, amount, unit, most = amount, mostUnit = unit] = WORDS.exec(text) ?? assert.fail(text);
  return { least: { requests: Number(low), bytes: inBytes(amount, unit) }, most: { requests: Number(high), bytes: inBytes(most, mostUnit) }, text };
}

/** What the check really takes: different files asked for, and the bytes of the report. */
async function takenBy(opened) {
  const { tab, requests } = opened;
  const before = requests.length;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', { timeout: 180_000 });
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#download')]);
  const report = JSON.parse(readFileSync(await download.path(), 'utf8'));
  const files = new Set(requests.slice(before).filter((url) => url.includes('/archive/testnet/')));
  return { requests: files.size, buckets: [...files].filter((url) => url.includes('/bucket/')).length, bytes: Number(report.bytes.compressed), verdict: report.verdict };
}

/** Half or twice as much, as the words say; `beside`: the requests that find out where the archive begins and ends. */
function assertWithin(cost, taken, beside = 12) {
  const told = `${cost.text} It took ${JSON.stringify(taken)}.`;
  assert.ok(taken.requests >= cost.least.requests / 2 && taken.requests <= cost.most.requests * 2 + beside, told);
  assert.ok(taken.bytes >= cost.least.bytes / 2 && taken.bytes <= cost.most.bytes * 2, told);
}

test('a person who asks is told the requests and bytes of a check, and nothing is asked before', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'testnet' }) });
  const { tab, requests } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
  const whole = await costOf(tab);
  assert.deepEqual(whole.least, whole.most);
  assertWithin(whole, await takenBy(opened));
  await opened.close();
});

test('without buckets and of the newest ledgers it takes less, and another form has no answer yet', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'testnet', low: 1, high: 3647 }) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  const whole = await costOf(tab);
  await tab.getByLabel('Skip bucket files').check();
  assert.equal(await tab.locator('#cost').count(), 0, 'the form is another one');
  const bare = await costOf(tab);
  assert.ok(bare.most.requests < whole.least.requests && bare.most.bytes < whole.least.bytes, `${bare.text} ${whole.text}`);
  await tab.selectOption('#scope', 'last');
  await tab.fill('#last', '640');
  const newest = await costOf(tab);
  assert.ok(newest.most.requests < bare.least.requests / 3 && newest.least.requests >= 50, newest.text);
  await tab.selectOption('#scope', 'sample');
  await tab.fill('#sample', '10');
  const sample = await costOf(tab);
  assert.deepEqual(sample.least, sample.most, 'without buckets there is one number');
  assert.ok(Math.abs(sample.most.requests - 51) <= 5, sample.text);
  await opened.close();
});

for (const sample of [1, 10, 50]) {
  test(`the buckets of ${sample} random checkpoints lie within the bounds that were told before`, { skip }, async () => {
    const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'testnet', scope: 'sample', sample, seed: `00000000000000${10 + sample}` }) });
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    const cost = await costOf(tab);
    const [, low, high] = /name between (\d+) and (\d+) buckets/.exec(cost.text)?.map(Number) ?? assert.fail(cost.text);
    const taken = await takenBy(opened);
    assert.equal(taken.verdict, 'verified');
    assert.ok(taken.buckets >= low && taken.buckets <= high, `${cost.text} It took ${JSON.stringify(taken)}.`);
    assert.ok(high < 57 * 25 && low >= 1 && high <= low * 4 + 12, `bounds that say something: ${cost.text}`);
    assertWithin(cost, taken);
    await opened.close();
  });
}

test('an archive that does not answer has no estimate, and the page says why', async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/none/', network: 'testnet' }) });
  const { tab } = opened;
  await tab.click('#ask-cost');
  await tab.locator('.cost.caution').waitFor({ timeout: 60_000 });
  await opened.close();
});
