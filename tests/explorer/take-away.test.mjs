/** What people take away from a check: the findings as a table, the plan of a repair, the map as a picture, and paper. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { link, linkToAll, playing, setUp, skipWithoutData, variant } from './support.mjs';

const skip = skipWithoutData();

let stage;
let corrupted;
before(async () => {
  if (!skip) corrupted = variant('hdr-rehash-mid--testnet-p22');
  stage = await setUp(skip ? {} : { corrupted: corrupted.dir });
});
after(async () => {
  await stage?.tearDown();
});

async function checked() {
  const [low, high] = corrupted.range;
  const opened = await stage.open({ hash: link({ archive: '/archive/corrupted/', low, high, network: corrupted.networkPassphrase, skipBuckets: 1 }) });
  await opened.tab.click('#start');
  await opened.tab.waitForSelector('[data-verdict="faulty"]', { timeout: 180_000 });
  return opened;
}

async function saved(tab, name) {
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name }).click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

test('findings are saved as a table, the plan of their repair and the map as files of their own', { skip }, async () => {
  const opened = await checked();
  const { tab } = opened;
  const report = JSON.parse((await saved(tab, 'Download JSON')).bytes);
  const table = await saved(tab, 'Findings as CSV');
  assert.match(table.name, /^archive-findings-127\.0\.0\.1-\d+-\d+\.csv$/);
  const lines = table.bytes.toString().trimEnd().split('\r\n');
  assert.equal(lines[0], 'severity,code,archive,path,checkpoint,ledger,bucket,offset,expected,actual,goodFrom,message,advice');
  assert.equal(lines.length, report.findings.length + 1);
  const [finding] = report.findings;
  for (const part of [finding.code, finding.path, finding.expected, finding.actual]) assert.ok(lines[1].includes(part), lines[1]);

  const plan = JSON.parse((await saved(tab, 'Repair plan')).bytes);
  assert.equal(plan.version, 1);
  const listed = [...Object.keys(plan.files).map(Number), ...plan.checkpoints];
  assert.ok(listed.includes(finding.checkpoint), JSON.stringify(plan));

  const picture = await saved(tab, 'Map as PNG');
  assert.match(picture.name, /^archive-map-.*\.png$/);
  const size = await tab.evaluate(async (bytes) => {
    const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
    return [image.width, image.height];
  }, [...picture.bytes]);
  assert.equal(size[0], 1200);
  assert.ok(size[1] > 130, String(size));
  await opened.close();
});

test('cells of the table that a spreadsheet would compute are text, and quotes and lines stay in their cell', async () => {
  const opened = await stage.open({ prepare: playing({ says: '=HYPERLINK("evil")\nmore' }), hash: linkToAll(['https://lies.example.org/core_002/']) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const { bytes } = await saved(tab, 'Findings as CSV');
  assert.ok(bytes.toString().includes(`,"'=HYPERLINK(""evil"")\nmore",`), bytes.toString());
  await opened.close();
});

test('on paper there is what was found, and nothing to press', { skip }, async () => {
  const opened = await checked();
  const { tab } = opened;
  await tab.emulateMedia({ media: 'print' });
  assert.equal(await tab.locator('.button:visible').count(), 0);
  assert.ok(await tab.locator('.finding .message').first().isVisible());
  assert.ok(await tab.locator('.verdict h2').isVisible());
  await opened.close();
});
