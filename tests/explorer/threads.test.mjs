/** A check that the page shares between workers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { dataDir, link, setUp, skipWithoutData } from './support.mjs';

const skip = skipWithoutData();
let stage;

before(async () => {
  if (skip === false) stage = await setUp({ testnet: join(dataDir, 'archives/testnet-p22') });
});
after(() => stage?.tearDown());

/** How often the worker's script was asked for in a check, on a machine of so many processors. */
async function workersOf(processors) {
  const prepare = (_, tab) => tab.addInitScript((count) => Object.defineProperty(navigator, 'hardwareConcurrency', { value: count }), processors);
  const opened = await stage.open({ hash: link({ archive: `${stage.site.url}archive/testnet/` }), prepare });
  const { tab, requests } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', { timeout: 60_000 });
  assert.equal(await tab.getAttribute('[data-verdict]', 'data-verdict'), 'verified');
  // The page's policy holds for these workers, too: closing it fails on what it forbade.
  await opened.close();
  return requests.filter((url) => /\/worker-[^/]*\.js$/.test(url)).length;
}

test('a check of many checkpoints runs in a worker for each processor, and no more than four', { skip, timeout: 180_000 }, async () => {
  const alone = await workersOf(1);
  assert.equal(await workersOf(3) - alone, 2);
  assert.equal(await workersOf(16) - alone, 3);
});
