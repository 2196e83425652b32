/** What would fix a finding: the good file of another archive, named by the check or looked for on request, and how it gets to its place. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { dataDir, linkToAll, playing, setUp, skipWithoutData } from './support.mjs';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const skip = skipWithoutData();
const RESULTS = 'results/00/00/05/results-0000057f.xdr.gz';
const LEDGER = 'ledger/00/00/03/ledger-000003ff.xdr.gz';

let stage;
let folder;
let bucket;
const at = (name, path = '') => join(folder, name, path);
before(async () => {
  if (skip) {
    stage = await setUp();
    return;
  }
  folder = mkdtempSync(join(tmpdir(), 'explorer-fix-'));
  for (const name of ['broken', 'worse']) cpSync(join(dataDir, 'archives/testnet-p22'), at(name), { recursive: true });
  const state = JSON.parse(readFileSync(at('broken', 'history/00/00/0e/history-00000e3f.json'), 'utf8'));
  const hash = state.currentBuckets[3].snap;
  bucket = `bucket/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(4, 6)}/bucket-${hash}.xdr.gz`;
  rmSync(at('broken', RESULTS));
  for (const name of ['broken', 'worse']) {
    // A sound file of another checkpoint: by itself it has no fault.
    cpSync(at(name, 'ledger/00/00/04/ledger-0000043f.xdr.gz'), at(name, LEDGER));
    writeFileSync(at(name, bucket), 'not a bucket');
  }
  stage = await setUp({ broken: at('broken'), worse: at('worse'), testnet: join(dataDir, 'archives/testnet-p22') });
});
after(async () => {
  await stage?.tearDown();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** A check of archives, at its end. */
async function checked(archives, fields = {}) {
  const opened = await stage.open({ hash: linkToAll(archives, { network: 'testnet', ...fields }), permissions: ['clipboard-read', 'clipboard-write'] });
  opened.tab.setDefaultTimeout(15_000);
  await opened.tab.waitForSelector('#known:enabled');
  await opened.tab.click('#start');
  await opened.tab.waitForSelector('[data-verdict]', { timeout: 180_000 });
  return opened;
}

async function axeClean(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id} ${nodes.map(({ target }) => target).join()}`), []);
}

const fixOf = (tab, code) => tab.locator(`[data-fix="${code}"]`).first();

/** Puts the file where the command says, in a copy of the archive's folder. */
async function follow(command, name) {
  return (await promisify(execFile)('sh', ['-c', command], { cwd: at(name), timeout: 20_000 })).stdout;
}

test('nothing of another archive is asked before a person does', { skip }, async () => {
  const opened = await checked(['/archive/broken/']);
  assert.ok((await opened.tab.locator('.fix').count()) >= 3);
  assert.deepEqual(opened.requests.filter((url) => /archive\/(testnet|worse)\/|history\.stellar/.test(url)), []);
  await axeClean(opened.tab);
  await opened.close();
});

test('a file that is missing is looked for, tried in its place, and offered with the command that puts it there', { skip }, async () => {
  const opened = await checked(['/archive/broken/']);
  const { tab } = opened;
  const fix = fixOf(tab, 'file-missing');
  await fix.getByRole('button', { name: 'Look for a good one' }).click();
  const good = fix.locator('.good-files a');
  await good.waitFor({ timeout: 20_000 });
  assert.equal(await good.getAttribute('href'), `${stage.site.url}archive/worse/${RESULTS}`, 'the first that has it good');
  assert.match(await fix.textContent(), /with it in its place this archive’s ledgers 1280 to 1471 were verified again, and no fault was found/);
  const command = await fix.locator('.snippet code').first().textContent();
  assert.equal(existsSync(at('broken', RESULTS)), false);
  await follow(command, 'broken');
  assert.deepEqual(readFileSync(at('broken', RESULTS)), readFileSync(join(dataDir, 'archives/testnet-p22', RESULTS)));
  rmSync(at('broken', RESULTS));
  await opened.close();
});

test('a file that is sound by itself but not of this history is not offered; the next archive’s is', { skip }, async () => {
  const opened = await checked(['/archive/broken/'], { low: 900, high: 1100 });
  const { tab } = opened;
  const fix = fixOf(tab, 'header-out-of-range');
  await fix.getByRole('button', { name: /Look for a good one/ }).click();
  await fix.locator('.good-files a').first().waitFor({ timeout: 20_000 });
  assert.deepEqual(await fix.locator('.good-files a').evaluateAll((links) => [...new Set(links.map(({ href }) => href))]), [`${stage.site.url}archive/testnet/${LEDGER}`]);
  await opened.close();
});

test('a bucket is looked for by its hash, which is told to whoever downloads it', { skip }, async () => {
  const opened = await checked(['/archive/broken/'], { low: 3600, high: 3647 });
  const { tab } = opened;
  const code = await tab.locator('[data-fix]', { hasText: 'Look for a good one' }).first().getAttribute('data-fix');
  const fix = fixOf(tab, code);
  await fix.getByRole('button', { name: /Look for a good one/ }).click();
  await fix.locator('.good-files a').waitFor({ timeout: 20_000 });
  assert.equal(await fix.locator('.good-files a').getAttribute('href'), `${stage.site.url}archive/testnet/${bucket}`, 'the one of the archive that has it broken as well is passed over');
  const hash = /bucket-([0-9a-f]{64})/.exec(bucket)[1];
  const [get, check] = await fix.locator('.snippet code').allTextContents();
  await follow(get, 'broken');
  assert.equal((await follow(check, 'broken')).slice(0, 64), hash);
  writeFileSync(at('broken', bucket), 'not a bucket');
  await opened.close();
});

test('where no other archive has it good, it is told what each has instead', { skip }, async () => {
  const opened = await checked(['/archive/broken/'], { low: 900, high: 1100 });
  const { tab } = opened;
  await tab.route('**/archive/testnet/**', (route) => route.fulfill({ status: 404, body: '' }));
  const fix = fixOf(tab, 'header-out-of-range');
  await fix.getByRole('button', { name: /Look for a good one/ }).click();
  await fix.locator('.not-good').first().waitFor({ timeout: 20_000 });
  const words = await fix.textContent();
  assert.match(words, /none of \d+\sarchives? has a good one/);
  assert.match(words, /archive\/worse does not fit: /);
  assert.match(words, /archive\/testnet does not have it either/);
  await opened.close();
});

test('a look is cancelled, and can be begun again', { skip }, async () => {
  const opened = await checked(['/archive/broken/'], { low: 900, high: 1100 });
  const { tab } = opened;
  let held = () => undefined;
  const holding = new Promise((resolve) => { held = resolve; });
  await tab.route('**/archive/worse/**', async (route) => {
    await holding;
    await route.continue().catch(() => undefined);
  });
  const fix = fixOf(tab, 'header-out-of-range');
  await fix.getByRole('button', { name: /Look for a good one/ }).click();
  await fix.getByText(/Looking at .* in .*worse/).waitFor();
  await fix.getByRole('button', { name: 'Cancel' }).click();
  await fix.getByRole('button', { name: /Look for a good one/ }).waitFor();
  held();
  assert.equal(await fix.locator('.good-files').count(), 0);
  await opened.close();
});

test('in a check of several archives the good files are named at once', async () => {
  const opened = await stage.open({ prepare: playing(), hash: linkToAll(['https://lies.example.org/core_002/', 'https://good.example.org/it\u2019s/']) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const fix = fixOf(tab, 'header-hash-mismatch');
  const links = await fix.locator('.good-files a').evaluateAll((found) => found.map(({ href }) => href));
  assert.deepEqual(links.map((href) => href.slice(href.indexOf('/ledger/'))), ['/ledger/00/00/02/ledger-000002ff.xdr.gz', '/ledger/00/00/05/ledger-0000053f.xdr.gz', '/ledger/00/00/08/ledger-0000087f.xdr.gz']);
  assert.ok(links.every((href) => href.startsWith('https://good.example.org/')));
  assert.match(await fix.textContent(), /this check read it there and found it sound/);
  assert.equal(await fix.getByRole('button', { name: /Look for/ }).count(), 0);
  await opened.close();
});

test('what says the same is copied together, as text and as JSON, and has a plan of its own', async () => {
  const opened = await stage.open({ prepare: playing(), hash: linkToAll(['https://lies.example.org/core_002/']), permissions: ['clipboard-read', 'clipboard-write'] });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const fix = fixOf(tab, 'header-hash-mismatch');
  const pasted = async (name) => {
    await fix.getByRole('button', { name }).click();
    return tab.evaluate(() => navigator.clipboard.readText());
  };
  const text = await pasted('Copy all text of header-hash-mismatch');
  assert.equal(text.match(/^header-hash-mismatch \(error\): /gm).length, 3);
  assert.match(text, /^expected: (ab){32}$/m);
  const json = JSON.parse(await pasted('Copy all JSON of header-hash-mismatch'));
  assert.deepEqual(json.map(({ checkpoint }) => checkpoint), [767, 1343, 2175]);
  await fix.getByRole('button', { name: 'Repair… header-hash-mismatch' }).click();
  await tab.waitForSelector('[aria-label="Archives to copy from"]');
  await opened.close();
});

test('the plan of a finding lists its files and no others', { skip }, async () => {
  const opened = await checked(['/archive/broken/']);
  const { tab } = opened;
  const [download] = await Promise.all([tab.waitForEvent('download'), fixOf(tab, 'file-missing').getByRole('button', { name: /^Save its plan/ }).click()]);
  const plan = JSON.parse(readFileSync(await download.path(), 'utf8'));
  assert.deepEqual(plan.files, { 1407: ['results'] });
  assert.deepEqual(plan.buckets, []);
  await opened.close();
});
