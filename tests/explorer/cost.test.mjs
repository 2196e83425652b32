/** What a check will take, before it is begun. */
import assert from 'node:assert/strict';
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

/** Requests and bytes, as the page says them. */
async function costOf(tab) {
  await tab.click('#ask-cost');
  const text = plain(await tab.locator('#cost').textContent({ timeout: 30_000 }));
  const [, requests, amount, unit] = /About (\d+) requests and ([\d.]+) (B|KiB|MiB|GiB)\./.exec(text) ?? assert.fail(text);
  return { requests: Number(requests), bytes: Number(amount) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit), text };
}

test('a person who asks is told the requests and bytes of a check, and nothing is asked before', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'testnet' }) });
  const { tab, requests } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
  const whole = await costOf(tab);
  const before = requests.length;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', { timeout: 180_000 });
  const taken = new Set(requests.slice(before).filter((url) => url.includes('/archive/testnet/'))).size;
  assert.ok(whole.requests > taken / 2 && whole.requests < taken * 2, `${whole.text} It took ${taken}.`);
  await opened.close();
});

test('without buckets, of the newest ledgers and of a sample it takes less, and another form has no answer yet', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/', network: 'testnet', low: 1, high: 3647 }) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  const whole = await costOf(tab);
  await tab.getByLabel('Skip bucket files').check();
  assert.equal(await tab.locator('#cost').count(), 0, 'the form is another one');
  const bare = await costOf(tab);
  assert.ok(bare.requests < whole.requests && bare.bytes < whole.bytes, `${bare.text} ${whole.text}`);
  await tab.selectOption('#scope', 'last');
  await tab.fill('#last', '640');
  const newest = await costOf(tab);
  assert.ok(newest.requests < bare.requests / 3 && newest.requests >= 50, newest.text);
  await tab.selectOption('#scope', 'sample');
  await tab.fill('#sample', '10');
  const sample = await costOf(tab);
  assert.ok(Math.abs(sample.requests - 51) <= 5, sample.text);
  await opened.close();
});

test('an archive that does not answer has no estimate, and the page says why', async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/none/', network: 'testnet' }) });
  const { tab } = opened;
  await tab.click('#ask-cost');
  await tab.locator('.cost.caution').waitFor({ timeout: 60_000 });
  await opened.close();
});
