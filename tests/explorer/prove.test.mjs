/** A proof from the page of a transaction: made, saved, checked, and what is said where there can be none. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dataDir, link, linkToAll, setUp, skipWithoutData, variant } from './support.mjs';

const skip = skipWithoutData();
const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli.mjs', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const WAIT = { timeout: 30_000 };
/** The first transaction of the sample's ledger 4. */
const SAMPLE = { archive: '/archive/sample/', ledger: 4, tx: 0 };
const REAL = { archive: '/archive/testnet/', ledger: 3300, tx: 0, network: 'testnet' };

let stage;
let faulty;
before(async () => {
  if (!skip) faulty = variant('res-fee-altered--testnet-p22');
  stage = await setUp({ sample, ...(skip ? {} : { testnet: join(dataDir, 'archives/testnet-p22'), faulty: faulty.dir }) });
});
after(async () => {
  await stage?.tearDown();
});

/** A transaction's page, with nothing made yet. */
async function openTransaction(hash, options = {}) {
  const opened = await stage.open({ hash, ...options });
  await opened.tab.waitForSelector('.view[aria-busy="false"] #make-proof', WAIT);
  return opened;
}

async function made(tab) {
  const [download] = await Promise.all([tab.waitForEvent('download', WAIT), tab.click('#make-proof')]);
  await tab.waitForSelector('.prove [data-proof]', WAIT);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

async function axeClean(tab, context = 'document') {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate((within) => globalThis.axe.run(within === 'document' ? document : document.querySelector(within), { resultTypes: ['violations'] }), context);
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`), []);
}

test('a real transaction: the proof is saved under its hash, proven here, and by the command line', { skip }, async () => {
  const opened = await openTransaction(link(REAL));
  const { tab } = opened;
  const { name, text } = await made(tab);
  const hash = await tab.getAttribute('.prove .facts .hash-text', 'title');
  assert.equal(name, `proof-${hash.slice(0, 8)}.json`);
  assert.equal(await tab.getAttribute('.prove [data-proof]', 'data-proof'), 'proven');
  assert.match(await tab.textContent('#announcer'), /proof-[0-9a-f]{8}\.json is made\. proven: /);
  assert.equal(await tab.locator('#who-does-not-vouch').count(), 0);
  assert.match(await tab.textContent('.made'), /KiB\) is saved/);
  const report = execFileSync(process.execPath, [cli, 'verify-proof', '-', '--json'], { encoding: 'utf8', input: text });
  assert.equal(JSON.parse(report).report.verdict, 'proven');
  const [again] = await Promise.all([tab.waitForEvent('download', WAIT), tab.getByRole('button', { name: 'Save it again' }).click()]);
  assert.equal(await readFile(await again.path(), 'utf8'), text);
  await opened.close();
});

test('nobody who is believed signed it: the file is made, and it is said who does not vouch', async () => {
  const opened = await openTransaction(link(SAMPLE));
  const { tab } = opened;
  const { text } = await made(tab);
  assert.equal(JSON.parse(text).kind, 'transaction');
  assert.equal(await tab.getAttribute('.prove [data-proof]', 'data-proof'), 'unproven');
  assert.match(await tab.textContent('#who-does-not-vouch'), /no validators of this network are known.*those who signed it are 4 others/);
  await opened.close();
});

test('whose word counts is the form’s choice', { skip }, async () => {
  const opened = await openTransaction(link({ ...REAL, quorumSet: 'none' }));
  const { tab } = opened;
  assert.match(await tab.textContent('.view'), /by the word of no validators/);
  await made(tab);
  assert.equal(await tab.getAttribute('.prove [data-proof]', 'data-proof'), 'unproven');
  assert.match(await tab.textContent('#who-does-not-vouch'), /you chose to believe no validators/);
  await opened.close();
});

test('a wrong choice of whom to believe is told before anything is read', async () => {
  const opened = await openTransaction(link({ ...SAMPLE, trustedHash: '12:zz' }));
  const { tab } = opened;
  await tab.click('#make-proof');
  await tab.waitForSelector('.prove [data-error="USAGE"]', WAIT);
  assert.match(await tab.textContent('.prove'), /no trusted hash.*Whose word counts/s);
  await opened.close();
});

test('another archive of the form stands in for one whose file is gone or faulty', { skip }, async () => {
  const [low] = faulty.range;
  const opened = await openTransaction(linkToAll(['/archive/testnet/', '/archive/faulty/'], { network: 'testnet', ledger: low + 2, tx: 0 }));
  const { tab } = opened;
  await tab.route('**/archive/testnet/scp/**', (route) => route.fulfill({ status: 404 }));
  await made(tab);
  assert.equal(await tab.getAttribute('.prove [data-proof]', 'data-proof'), 'proven');
  await opened.close();
});

test('an archive without signatures, and one that lost the file meanwhile: in words, with a way to try again', async () => {
  const opened = await openTransaction(link(SAMPLE));
  const { tab, context } = opened;
  let gone = true;
  await context.route('**/ledger/00/00/00/ledger-0000003f.xdr.gz', (route) => (gone ? route.fulfill({ status: 404 }) : route.continue()));
  await tab.click('#make-proof');
  await tab.waitForSelector('.prove [data-error]', WAIT);
  assert.match(await tab.textContent('.prove [role="alert"]'), /missing or faulty.*ledger-0000003f\.xdr\.gz: the file is not in the archive/s);
  assert.match(await tab.textContent('#announcer'), /^No proof: /);
  gone = false;
  await context.route('**/scp/**', (route) => route.fulfill({ status: 404 }));
  const [download] = await Promise.all([tab.waitForEvent('download', WAIT), tab.getByRole('button', { name: 'Try again' }).click()]);
  assert.match(download.suggestedFilename(), /^proof-/);
  await tab.waitForSelector('.prove [data-proof="unproven"]', WAIT);
  assert.match(await tab.textContent('#who-does-not-vouch'), /the archive has no signatures for it/);
  await opened.close();
});

test('it can be cancelled while it waits', async () => {
  const opened = await openTransaction(link(SAMPLE));
  const { tab, context } = opened;
  await context.route('**/archive/sample/scp/**', () => new Promise(() => undefined));
  await tab.click('#make-proof');
  await tab.waitForFunction(() => /\d+\srequests? so far/.test(document.querySelector('.prove .hint')?.textContent ?? ''), undefined, WAIT);
  await tab.getByRole('button', { name: 'Cancel' }).click();
  await tab.waitForSelector('.prove[data-prove="idle"] #make-proof');
  assert.equal(await tab.textContent('#announcer'), 'Cancelled');
  await tab.waitForFunction(() => document.activeElement?.id === 'make-proof');
  await opened.close();
});

test('a part that does not arrive is explained', async () => {
  let refuse = true;
  const opened = await openTransaction(link(SAMPLE), { prepare: (context) => context.route('**/Prove-*.js', (route) => (refuse ? route.abort() : route.continue())) });
  const { tab } = opened;
  await tab.click('#make-proof');
  await tab.getByText('This part of the page could not be loaded').waitFor(WAIT);
  refuse = false;
  await opened.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe, ${colorScheme}, and 320 pixels wide: proven, not vouched for, failed`, async () => {
    const opened = await openTransaction(link(SAMPLE), { colorScheme, viewport: { width: 320, height: 700 } });
    const { tab, context } = opened;
    await made(tab);
    await axeClean(tab);
    const wide = () => tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok((await wide()) <= 0);
    await context.route('**/ledger/**', (route) => route.abort());
    await tab.getByRole('button', { name: 'Make it anew' }).click();
    await tab.waitForSelector('.prove [data-error]', { timeout: 60_000 });
    await axeClean(tab);
    assert.ok((await wide()) <= 0);
    await opened.close();
  });
}
