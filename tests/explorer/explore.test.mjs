/** Looking inside an archive: the box, every view by its link and by clicking, the checks with their commands, and what is said when there is nothing. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dataDir, deadAddress, link, setUp, skipWithoutData, variant } from './support.mjs';

const run = promisify(execFile);
const skip = skipWithoutData();
const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** Of the sample archive. */
const FAILED = { ledger: 4, index: 0, hash: 'a600d51bdc7337385f48fca65f241a9fa9a234d8f0b5ddb5660ae897708f8e05' };
const LARGE_BUCKET = '5d20d0cc48261497e9ea5e9c442ee4eb2d0b7a57f2bed50aac917a43077dc893';
const ACCOUNT = 'GAVNRAZJCFMCN3SELQDD3GFRFTL7742ANYYQ5PCM5YSWH5MMJSBDAESU';

/** An address as SEP-23 writes it. */
function strkey(version, payload) {
  const body = [version, ...payload];
  let crc = 0;
  for (const byte of body) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  const bits = [...body, crc & 0xff, crc >> 8].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{5}/g).map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[parseInt(five, 2)]).join('');
}
/** A sound address of nobody. */
const STRANGER = strkey(6 << 3, Array(32).fill(0));
const SECRET = strkey(18 << 3, Array(32).fill(7));
const CONTRACT = strkey(2 << 3, Array(32).fill(7));
const NOTHING = 'ab'.repeat(32);

const here = { archive: '/archive/sample/' };
const look = (keys, archive = here) => link({ ...archive, ...keys });
const WAIT = { timeout: 12_000 };

let stage;
let one;
let faulty;
let wrongBucket;
before(async () => {
  if (!skip) {
    faulty = variant('tx-fee-altered--testnet-p22');
    wrongBucket = variant('bucket-content-byteflip--testnet-p22');
  }
  one = oneCheckpoint();
  stage = await setUp({
    sample,
    one,
    sample2: sample,
    ...(skip ? {} : { testnet: join(dataDir, 'archives/testnet-p22'), faulty: faulty.dir, wrong: wrongBucket.dir }),
  });
});
after(async () => {
  await stage?.tearDown();
  rmSync(one, { recursive: true, force: true });
});

/** A page with a view that is there. */
async function openView(keys, { archive = here, ...options } = {}) {
  const opened = await stage.open({ hash: look(keys, archive), ...options });
  await opened.tab.waitForSelector('.view[aria-busy="false"]', WAIT);
  return opened;
}

const title = (tab) => tab.textContent('#view-title');
const settled = (tab, words) => tab.waitForFunction(
  (text) => document.querySelector('.view[aria-busy="false"] #view-title')?.textContent.includes(text), words, WAIT,
);

/** What a copy button copies. */
async function copied(button) {
  await button.click();
  return button.page().evaluate(() => navigator.clipboard.readText());
}
const withClipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

describe('the box', () => {
  const recognised = async (tab, text) => {
    await tab.fill('#look-up', text);
    const said = tab.locator('[data-recognised]');
    await said.waitFor(WAIT);
    return {
      kind: await said.getAttribute('data-recognised'),
      what: await said.textContent(),
      choices: await tab.locator('.choice').evaluateAll((links) => links.map((found) => [found.textContent, found.getAttribute('href')])),
    };
  };

  test('says while one types what it is, and where Enter leads', async () => {
    const opened = await stage.open({ hash: link(here) });
    const { tab } = opened;
    const at = '#archive=/archive/sample/';
    const cases = [
      ['300', 'ledger', /Ledger 300 \(0x0000012c\), in checkpoint 319/, `${at}&ledger=300`],
      ['3 007', 'checkpoint', /Checkpoint 3\D007 \(0x00000bbf\)/, `${at}&checkpoint=3007`],
      ['0x3f', 'checkpoint', /Checkpoint 63/, `${at}&checkpoint=63`],
      ['00000b3f', 'checkpoint', /Checkpoint 2\D879/, `${at}&checkpoint=2879`],
      ['ledger/00/00/00/ledger-0000007f.xdr.gz', 'checkpoint', /file of an archive/, `${at}&checkpoint=127`],
      [NOTHING.toUpperCase(), 'hash', /transactions and buckets have 64 hexadecimal digits alike/, `${at}&find=${NOTHING}`],
      [`bucket-${NOTHING}.xdr.gz`, 'bucket', /file of an archive/, `${at}&bucket=${NOTHING}`],
      [ACCOUNT, 'address', /sound checksum/, `${at}&entry=${ACCOUNT}&checkpoint=newest`],
      ['AAAAAAAAAABdJ9GjRN8vFHbbqZ5bD0rGLCnH0XZ5fzcS8V6oZXwvTA==', 'key', /LedgerKey \(account\)/, /&entry=AAAA.*&checkpoint=newest$/],
      [CONTRACT, 'address', /contract: its instance/, `${at}&entry=${encodeURIComponent(Buffer.from(`0000000600000001${'07'.repeat(32)}0000001400000001`, 'hex').toString('base64'))}&checkpoint=newest`],
      ['https://history.example.org/core_001/results/00/b7/1c/results-00b71cff.xdr.gz', 'archive', /file of the archive history\.example\.org\/core_001/, '#archive=https://history.example.org/core_001/&checkpoint=12000511'],
      ['history.example.org/core_001', 'archive', /history\.example\.org\/core_001/, '#archive=https://history.example.org/core_001/&checkpoint=newest'],
      [`${stage.site.url}#archive=/archive/other/&ledger=7`, 'link', /link to this page/, '#archive=/archive/other/&ledger=7'],
    ];
    for (const [text, kind, what, href] of cases) {
      const said = await recognised(tab, text);
      assert.equal(said.kind, kind, text);
      assert.match(said.what, what, text);
      if (href instanceof RegExp) assert.match(said.choices[0][1], href);
      else assert.equal(said.choices[0][1], href, text);
    }
    const { choices } = await recognised(tab, NOTHING);
    assert.deepEqual(choices, [['Search for the transaction', `${at}&find=${NOTHING}`], ['Open the bucket', `${at}&bucket=${NOTHING}`]]);
    await opened.close();
  });

  test('says what is wrong with what is nearly right', async () => {
    const opened = await stage.open({ hash: link(here) });
    const cases = [
      [ACCOUNT.replace('RAZ', 'RBZ'), 'wrong', /G… with a wrong checksum/],
      [ACCOUNT.slice(0, -1), 'wrong', /has 55 characters; one has 56/],
      [ACCOUNT.toLowerCase(), 'wrong', /capital letters only/],
      [`${ACCOUNT.slice(0, -1)}1`, 'wrong', /“1” is in none/],
      ['SAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2', 'wrong', /S… with a wrong checksum/],
      [SECRET, 'secret', /secret key\. It did not leave this tab/],
      [NOTHING.slice(1), 'wrong', /63 hexadecimal digits; the hash of a transaction or of a bucket has 64/],
      ['4294967296', 'wrong', /numbers from 1 to/],
      ['0', 'wrong', /numbers from 1 to/],
      ['AAAAAAAAAABdJ9GjRN8vFHbbqZ5bD0rGLCnH0XZ5fzcS8V6oZXwv', 'wrong', /LedgerKey of account, but has 39 bytes; one has 40/],
      ['ftp://example.org/', 'wrong', /https:\/\//],
      ['tomorrow', 'wrong', /Not recognised/],
    ];
    for (const [text, kind, what] of cases) {
      const said = await recognised(opened.tab, text);
      assert.equal(said.kind, kind, text);
      assert.match(said.what, what, text);
      assert.deepEqual(said.choices, []);
    }
    await opened.close();
  });

  test('Enter goes there, and the field is empty again', async () => {
    const opened = await stage.open({ hash: link(here) });
    await opened.tab.fill('#look-up', '70');
    await opened.tab.keyboard.press('Enter');
    await settled(opened.tab, 'Ledger 70');
    assert.equal(new URL(opened.tab.url()).hash, '#archive=/archive/sample/&ledger=70');
    assert.equal(await opened.tab.inputValue('#look-up'), '');
    await opened.close();
  });

  test('looks for a key where one is', async () => {
    const opened = await openView({ ledger: 70 });
    const { choices } = await recognised(opened.tab, ACCOUNT);
    assert.match(choices[0][1], /&checkpoint=127$/);
    await opened.close();
  });

  test('a pasted proof goes to the check of proofs', async () => {
    const opened = await openView({ ledger: 70 }, withClipboard);
    const { tab } = opened;
    await tab.evaluate(() => navigator.clipboard.writeText('{\n  "schema": 1,\n  "kind": "transaction"\n}'));
    await tab.focus('#look-up');
    await tab.keyboard.press('Control+V');
    await tab.waitForSelector('.proof-check .verdict', WAIT);
    assert.match(await tab.textContent('.proof-check .verdict'), /Refuted.*the pasted proof/);
    assert.ok(await tab.isVisible('.proof-check'), 'the view gave way');
    await opened.close();
  });

  test('a dropped proof goes there as well', async () => {
    const opened = await openView({ ledger: 70 });
    const { tab } = opened;
    const data = await tab.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['{}'], 'mine.json', { type: 'application/json' }));
      return transfer;
    });
    await tab.dispatchEvent('#look-up', 'drop', { dataTransfer: data });
    await tab.waitForSelector('.proof-check .verdict', WAIT);
    assert.match(await tab.textContent('.proof-check .verdict'), /mine\.json/);
    await opened.close();
  });

  test('without an archive it says so and offers what is known', async () => {
    const opened = await stage.open({ hash: '#ledger=70', prepare: (context) => context.route('**/archives.json', (route) => route.fulfill({ status: 404 })) });
    const { tab } = opened;
    await tab.waitForSelector('[data-hindrance="no-archive"] .offers a', WAIT);
    assert.ok((await tab.locator('.offers a').count()) > 5);
    assert.match(await tab.locator('.offers a').first().getAttribute('href'), /^#archive=https:.*&network=pubnet&ledger=70$/);
    assert.match((await recognised(tab, '70')).what, /No archive is chosen yet/);
    await opened.close();
  });

  test('with an archive of this server nothing has to be chosen', async () => {
    const opened = await stage.open({ hash: '#ledger=70' });
    await settled(opened.tab, 'Ledger 70');
    await opened.close();
  });
});

describe('the way through', () => {
  test('from the newest checkpoint to an operation, and back step by step', async () => {
    const opened = await stage.open({ hash: link(here) });
    const { tab } = opened;
    await tab.click('#look-hint a');
    await settled(tab, 'Checkpoint 319');
    // “Newest” becomes the one that it was.
    await tab.waitForFunction(() => location.hash === '#archive=/archive/sample/&checkpoint=319', undefined, WAIT);
    await settled(tab, 'Checkpoint 319');
    assert.equal(await tab.locator('.ledgers-table tbody tr').count(), 64);
    assert.equal(await tab.locator('.ledgers-table [data-outcome="broken"]').count(), 0);
    await tab.click('.ledgers-table [data-ledger="319"] a');
    await settled(tab, 'Ledger 319');
    await tab.click('.transactions-table tbody tr:first-child a');
    await settled(tab, 'Transaction 1');
    await tab.click('.operations > li:first-child > details > summary');
    assert.match(await tab.locator('.operations > li:first-child .json').first().textContent(), /^\{/);
    assert.deepEqual(await tab.locator('.crumbs li').allTextContents(), [`${stage.site.url.slice(7)}archive/sample`, 'Checkpoint 319', 'Ledger 319', 'Transaction 1']);
    await tab.goBack();
    await settled(tab, 'Ledger 319');
    await tab.goBack();
    await settled(tab, 'Checkpoint 319');
    await tab.goForward();
    await settled(tab, 'Ledger 319');
    await tab.click('.crumbs li:nth-child(2) a');
    await settled(tab, 'Checkpoint 319');
    await tab.click('.crumbs li:first-child a');
    await tab.waitForSelector('#start:visible');
    assert.equal(await tab.inputValue('#archive'), '/archive/sample/');
    await opened.close();
  });

  test('Back leads to the same line of the list', async () => {
    const opened = await openView({ checkpoint: 63 });
    const { tab } = opened;
    const row = tab.locator('.ledgers-table [data-ledger="50"] a');
    await row.scrollIntoViewIfNeeded();
    const height = await tab.evaluate(() => scrollY);
    assert.ok(height > 300);
    await row.click();
    await settled(tab, 'Ledger 50');
    assert.equal(await tab.evaluate(() => scrollY), 0);
    await tab.goBack();
    await settled(tab, 'Checkpoint 63');
    await tab.waitForFunction((wanted) => Math.abs(scrollY - wanted) < 3, height, { timeout: 3000 });
    await opened.close();
  });

  test('a check and its findings lead inside, and the check is there when one comes back', { skip }, async () => {
    const opened = await stage.open({ hash: link({ archive: '/archive/faulty/', low: '1152', high: '1215', network: 'testnet' }) });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict]', { timeout: 180_000 });
    await tab.click('.findings .finding .where a');
    await settled(tab, 'Ledger 1');
    assert.equal(await tab.locator('[data-check="transaction-set"]').getAttribute('data-outcome'), 'broken');
    await tab.goBack();
    await tab.waitForSelector('[data-verdict]:visible');
    await tab.focus('.map-canvas');
    await tab.keyboard.press('Enter');
    await tab.click('.look-inside a');
    await settled(tab, 'Checkpoint 1');
    assert.equal(await tab.locator('.ledgers-table [data-ledger="1178"]').getAttribute('data-outcome'), 'broken');
    assert.match(await tab.textContent('.ledgers-table [data-ledger="1178"]'), /transaction set/);
    await opened.close();
  });
});

describe('a checkpoint', () => {
  test('files with sizes, ledgers, buckets, and that the buckets are those of the header', async () => {
    const opened = await openView({ checkpoint: 319 });
    const { tab } = opened;
    assert.deepEqual(await tab.locator('.look-files li').evaluateAll((files) => files.map((file) => [file.dataset.file, file.dataset.status])), [
      ['history', 'read'], ['ledger', 'read'], ['transactions', 'read'], ['results', 'read'], ['scp', 'read'],
    ]);
    assert.match(await tab.textContent('[data-file="ledger"]'), /KiB.*64\srecords/s);
    assert.equal(await tab.getAttribute('[data-file="ledger"] a', 'href'), `${stage.site.url}archive/sample/ledger/00/00/01/ledger-0000013f.xdr.gz`);
    assert.equal(await tab.locator('#live-buckets tbody tr').count(), 11);
    assert.equal(await tab.locator('#hot-buckets tbody tr').count(), 11);
    assert.match(await tab.textContent('#live-buckets'), /as before/);
    assert.match(await tab.textContent('#live-buckets'), /new/);
    assert.equal(await tab.getAttribute('[data-check="bucket-list"]', 'data-outcome'), 'holds');
    await tab.click('#live-buckets tbody .hash-link >> nth=0');
    await settled(tab, 'Bucket');
    await opened.close();
  });

  test('sizes of its buckets once they are asked for, and the state with links to them', async () => {
    const opened = await openView({ checkpoint: 319 });
    const { tab, requests } = opened;
    const asked = () => requests.filter((url) => url.includes('/bucket/')).length;
    assert.equal(asked(), 0, 'nothing is asked before one says so');
    await tab.click('#ask-sizes');
    await tab.waitForSelector('#bucket-sizes', WAIT);
    const buckets = await tab.locator('.levels .bucket .hash-link').evaluateAll((all) => new Set(all.map(({ title }) => title)).size);
    assert.equal(asked(), buckets, 'each once');
    assert.match(await tab.textContent('#bucket-sizes'), new RegExp(`^${buckets}\\sbuckets with [\\d.]+\\sKiB as stored; \\d+ new with [\\d.]+\\s(KiB|B)\\.$`));
    assert.match(await tab.textContent('#live-buckets .bucket'), /\d\s(KiB|B)$/);
    await tab.getByText('The state as JSON, as the file has it').click();
    const curr = tab.locator('.json a').first();
    const hash = (await curr.textContent()).replaceAll('"', '');
    assert.match(hash, /^[0-9a-f]{64}$/);
    await curr.click();
    await settled(tab, 'Bucket');
    assert.equal(new URL(tab.url()).hash, `#archive=/archive/sample/&bucket=${hash}`);
    await opened.close();
  });

  test('an archive of one checkpoint is whole by itself, and says where it ends', async () => {
    const opened = await openView({ checkpoint: 'newest' }, { archive: { archive: '/archive/one/' } });
    const { tab } = opened;
    await settled(tab, 'Checkpoint 63');
    await tab.waitForSelector('.ledgers-table', WAIT);
    assert.equal(await tab.locator('.ledgers-table [data-outcome="holds"]').count() / 2, 63);
    assert.equal(await tab.getAttribute('.view-steps [aria-disabled]', 'aria-disabled'), 'true', 'nothing is before it');
    await tab.click('.ledgers-table [data-ledger="63"] a');
    await settled(tab, 'Ledger 63');
    assert.match(await tab.textContent('[data-check="next-header"]'), /The archive ends here/);
    await tab.keyboard.press('ArrowRight');
    await settled(tab, 'Ledger 64');
    await tab.waitForSelector('[data-newest="63"]', WAIT);
    assert.match(await tab.textContent('.notice'), /ends at ledger 63, before ledger 64/);
    await tab.click('[data-newest] a');
    await settled(tab, 'Checkpoint 63');
    await opened.close();
  });

  test('an archive with a checkpoint every 8 ledgers: that these are not looked into is said', async () => {
    const state = JSON.stringify({ ...JSON.parse(readFileSync(join(sample, '.well-known/stellar-history.json'), 'utf8')), currentLedger: 15 });
    const opened = await openView({ checkpoint: 'newest' }, {
      archive: { archive: '/archive/fast/' },
      prepare: async (context) => {
        await context.route('**/archive/fast/**', (route) => route.fulfill({ status: 404 }));
        await context.route('**/archive/fast/.well-known/**', (route) => route.fulfill({ contentType: 'application/json', body: state }));
      },
    });
    await opened.tab.waitForSelector('[data-accelerated], [role="alert"]', WAIT);
    await opened.tab.waitForSelector('[data-accelerated]', WAIT);
    assert.match(await opened.tab.textContent('[data-accelerated]'), /every 8 ledgers.*--checkpoint-frequency 8/s);
    await opened.close();
  });

  test('a checkpoint beyond the end: how far the archive goes', async () => {
    const opened = await openView({ checkpoint: 6399 });
    await opened.tab.waitForSelector('[data-newest="319"]', WAIT);
    assert.match(await opened.tab.textContent('.notice'), /ends at ledger 319, before ledger 6\D399/);
    await opened.tab.click('[data-newest] a');
    await settled(opened.tab, 'Checkpoint 319');
    await opened.close();
  });

  test('a missing file is told, and the rest is shown', async () => {
    const opened = await openView({ checkpoint: 63 }, { prepare: (context) => context.route('**/results-0000003f.xdr.gz', (route) => route.fulfill({ status: 404 })) });
    const { tab } = opened;
    assert.equal(await tab.getAttribute('[data-file="results"]', 'data-status'), 'missing');
    assert.equal(await tab.locator('.ledgers-table tbody tr').count(), 63);
    assert.match(await tab.textContent('[data-file="results"]'), /Missing/);
    const unknown = await tab.locator('.ledgers-table [data-outcome="unknown"]').count();
    assert.ok(unknown > 50, `${unknown} ledgers are not known without the results`);
    await opened.close();
  });

  test('a faulty file is told, with what is wrong', async () => {
    const opened = await openView({ checkpoint: 63 }, { prepare: (context) => context.route('**/transactions-0000003f.xdr.gz', (route) => route.fulfill({ body: gzipSync('nonsense') })) });
    assert.equal(await opened.tab.getAttribute('[data-file="transactions"]', 'data-status'), 'faulty');
    assert.match(await opened.tab.textContent('[data-file="transactions"] .file-message'), /\w+/);
    await opened.close();
  });
});

describe('a ledger', () => {
  test('its commands really give the hashes that the page computed', { skip }, async () => {
    for (const [archive, ledger] of [['/archive/sample/', 4], ['/archive/sample/', 1], ['/archive/testnet/', 2944]]) {
      const opened = await openView({ ledger }, { archive: { archive }, ...withClipboard });
      const { tab } = opened;
      await tab.getByRole('button', { name: 'Show me all' }).click();
      const checks = await tab.locator('.check').all();
      let ran = 0;
      for (const check of checks) {
        const button = check.getByRole('button', { name: /^Copy the command/ });
        if ((await button.count()) === 0) continue;
        const command = await copied(button);
        const { stdout } = await run('bash', ['-c', command]);
        const computed = await check.locator('.evidence > div').filter({ hasText: 'Computed' }).locator('.hash-text').getAttribute('title');
        assert.equal(stdout.slice(0, 64), computed, command.slice(0, 300));
        ran += 1;
      }
      assert.ok(ran >= 3, `${ran} commands of ledger ${ledger}`);
      assert.equal(await tab.locator('[data-outcome="broken"]').count(), 0);
      await opened.close();
    }
  });

  test('bytes that stand in several places are put together by the command', async () => {
    const inPieces = answering(`
      const check = answer.checks?.find(({ name }) => name === 'header-hash');
      if (check === undefined || check.of === null) return;
      const { path, offset, length } = check.of;
      check.parts = [{ path, offset, length: 10 }, { path, offset: offset + 10, length: length - 10 }];
      check.of = null;
    `);
    const opened = await openView({ ledger: 4 }, { ...withClipboard, prepare: inPieces });
    const header = opened.tab.locator('[data-check="header-hash"]');
    await header.locator('summary').click();
    const command = await copied(header.getByRole('button', { name: /^Copy the command/ }));
    assert.match(command, /mktemp -d/);
    const { stdout } = await run('bash', ['-c', command]);
    assert.equal(stdout.slice(0, 64), await header.locator('.hash-text').first().getAttribute('title'));
    assert.match(await header.textContent(), /428, in 2\spieces/);
    await opened.close();
  });

  test('what is broken is shown as broken, with both hashes and without being asked', { skip }, async () => {
    const opened = await openView({ ledger: 1178 }, { archive: { archive: '/archive/faulty/' } });
    const { tab } = opened;
    const broken = tab.locator('[data-check="transaction-set"]');
    assert.equal(await broken.getAttribute('data-outcome'), 'broken');
    assert.match(await broken.textContent(), /Broken/);
    const hashes = await broken.locator('.hash-text').evaluateAll((all) => all.map((hash) => hash.title));
    assert.ok(new Set(hashes).size > 1, 'computed and claimed differ');
    assert.match(await broken.textContent(), /Another:/);
    assert.equal(await tab.locator('[data-check="header-hash"]').getAttribute('data-outcome'), 'holds');
    assert.equal(await tab.locator('[data-field="Transaction set"] .cover[data-outcome="broken"]').count(), 1);
    await opened.close();
  });

  test('header fields in words, validators with their signatures, quorum sets', async () => {
    const opened = await openView({ ledger: 4 });
    const { tab } = opened;
    const header = await tab.textContent('.header-table');
    assert.match(header, /Closed\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC (\d+ \w+ ago|last year)/);
    assert.match(header, /Base fee100\sstroops/);
    assert.match(header, /Base reserve[\d.]+\sXLM \([\d\s]+ ?stroops\)/);
    assert.ok((await tab.locator('.scp-table tbody tr').count()) > 0);
    assert.equal(await tab.locator('.scp-table [data-outcome="broken"]').count(), 0);
    await tab.locator('.quorum-drawing .validator').first().waitFor(WAIT);
    await opened.close();
  });

  test('each field says which checks cover it, and leads to their evidence', async () => {
    const opened = await openView({ ledger: 70 });
    const { tab } = opened;
    const marks = (field) => tab.locator(`[data-field="${field}"] .cover`).evaluateAll((all) => all.map(({ dataset }) => `${dataset.shows} ${dataset.outcome}`));
    assert.deepEqual(await marks('Hash'), ['header-hash holds', 'next-header holds']);
    assert.deepEqual(await marks('Hash of the ledger before'), ['previous-header holds']);
    assert.deepEqual(await marks('Transaction set'), ['transaction-set holds', 'scp-value holds']);
    assert.deepEqual(await marks('Results'), ['results holds', 'result-count holds']);
    assert.deepEqual(await marks('Closed'), ['scp-value holds']);
    assert.deepEqual(await marks('Fee pool'), ['header-hash holds'], 'nothing but that it is part of the header');
    assert.match(await tab.textContent('[data-field="Bucket list"] .header-check'), /Buckets are kept for ledger 127 alone/);
    await tab.locator('[data-field="Results"] .cover').first().focus();
    await tab.keyboard.press('Enter');
    await tab.locator('[data-check="results"] .check-evidence').waitFor(WAIT);
    assert.equal(await tab.evaluate(() => document.activeElement.closest('[data-check]')?.dataset.check), 'results');
    await tab.click('[data-field="Bucket list"] a');
    await settled(tab, 'Ledger 127');
    assert.deepEqual(await marks('Bucket list'), ['bucket-list holds']);
    await opened.close();
  });

  test('the chain can be walked from genesis to the tip, and says what a checkpoint alone does not show', async () => {
    const opened = await openView({ ledger: 70 });
    const { tab } = opened;
    await tab.click('.chain-fold > summary');
    const walk = () => tab.locator('.chain [data-link]').evaluateAll((all) => all.map(({ dataset }) => dataset.link));
    await tab.waitForSelector('.chain', WAIT);
    assert.deepEqual(await walk(), ['1', '64', '69', '70', '71', '127', 'tip']);
    assert.equal(await tab.getAttribute('[data-chain]', 'data-chain'), 'whole');
    assert.match(await tab.textContent('[data-chain]'), /From ledger 64 to 127 every header hashes to what the next one names.*consistent, not true/);
    assert.match(await tab.textContent('[data-link="tip"]'), /4\svalidators signed this ledger’s value, and with it the header of ledger 69/);
    assert.match(await tab.getAttribute('[data-link="1"] .hint a', 'href'), /low=1&high=70/);
    await tab.click('[data-link="71"] a');
    await settled(tab, 'Ledger 71');
    await opened.close();
    // An end of the checkpoint is there once.
    const last = await openView({ ledger: 63 });
    await last.tab.click('.chain-fold > summary');
    await last.tab.waitForSelector('.chain', WAIT);
    assert.deepEqual(await last.tab.locator('.chain [data-link]').evaluateAll((all) => all.map(({ dataset }) => dataset.link)), ['1', '62', '63', 'tip']);
    await last.close();
  });

  test('a chain that is broken says so, and where', { skip }, async () => {
    const broken = answering(`
      const row = answer.ledgers?.find(({ ledger }) => ledger === 2999);
      if (row !== undefined) row.broken = ['previous-header'];
    `);
    const opened = await openView({ ledger: 3000 }, { archive: { archive: '/archive/testnet/' }, prepare: broken });
    await opened.tab.click('.chain-fold > summary');
    await opened.tab.waitForSelector('[data-chain="open"]', WAIT);
    assert.equal(await opened.tab.getAttribute('[data-link="2999"]', 'data-outcome'), 'broken');
    assert.match(await opened.tab.textContent('[data-chain]'), /not whole: 1\sheader of 64 missing or broken/);
    await opened.close();
  });

  test('upgrades are told in words, each beside what the header says', { skip }, async () => {
    const opened = await openView({ ledger: 10 }, { archive: { archive: '/archive/testnet/' } });
    const { tab } = opened;
    assert.match(await tab.textContent('[data-upgrade="version"][data-effect="applied"]'), /Protocol 22 from this ledger on\. Applied.*The header says 22; the one before said 0\./s);
    assert.match(await tab.textContent('[data-upgrade="base_reserve"]'), /0\.5 XLM/);
    await tab.locator('[data-upgrade="version"] summary').click();
    assert.match(await tab.textContent('[data-upgrade="version"] .json'), /"version": 22/);
    assert.equal(await tab.textContent('[data-upgrade="version"] pre'), '0000000100000016');
    await opened.close();
  });

  test('an upgrade that was skipped, one that no header shows, and bytes that are none', async () => {
    const upgrades = [
      { type: 'base_fee', words: 'the base fee of an operation becomes 250 stroops', value: '250', before: '100', header: '100', effect: 'skipped', json: { base_fee: 250 }, hex: '00000002000000fa' },
      { type: 'max_soroban_tx_set_size', words: 'a transaction set takes 9 transactions of contracts at most', value: '9', before: null, header: null, effect: 'not-in-header', json: {}, hex: '0000000700000009' },
      { type: null, words: 'these bytes are no upgrade that this verifier knows', value: null, before: null, header: null, effect: 'unknown', json: null, hex: '0000004d' },
    ];
    const opened = await openView({ ledger: 70 }, { prepare: answering(`if (answer.upgrades !== undefined) answer.upgrades = ${JSON.stringify(upgrades)};`) });
    const { tab } = opened;
    assert.match(await tab.textContent('[data-effect="skipped"]'), /Not applied.*The header says 100: an upgrade that fails is skipped/s);
    assert.match(await tab.textContent('[data-effect="not-in-header"]'), /no header repeats them/);
    assert.equal(await tab.textContent('[data-effect="unknown"] pre'), '0000004d');
    await opened.close();
  });

  test('who signed what: every message with its ballot, its value and its signature', { skip }, async () => {
    const opened = await openView({ ledger: 10 }, { archive: { archive: '/archive/testnet/' } });
    const rows = await opened.tab.locator('.scp-table [data-statement]').evaluateAll((all) => all.map((row) => [row.dataset.statement, ...[...row.querySelectorAll('td')].slice(1).map((cell) => cell.textContent)]));
    assert.deepEqual(rows.map(([kind]) => kind), ['EXTERNALIZE', 'CONFIRM', 'PREPARE']);
    for (const [, ballot, value, signature] of rows) {
      assert.equal(ballot, '1');
      assert.match(value, /^This ledger’s [0-9a-f]{8}$/);
      assert.equal(signature, 'Signed');
    }
    await opened.close();
  });

  test('a quorum set is a tree with its thresholds: who externalized, who confirmed, who did not, who is silent', { skip }, async () => {
    const real = { archive: { archive: '/archive/testnet/' } };
    const drawn = async (options) => {
      const opened = await openView({ ledger: 10 }, options);
      await opened.tab.waitForSelector('.quorum-drawing', WAIT);
      const said = await opened.tab.locator('.quorum-drawing [data-said]').evaluateAll((all) => all.map((leaf) => [leaf.dataset.said, leaf.querySelector('.said').textContent, leaf.querySelector('.said .icon').classList[1]]));
      const root = await opened.tab.textContent('.quorum-drawing .root');
      await opened.close();
      return { said, root };
    };
    const { said, root } = await drawn(real);
    assert.match(root, /^SDF 2 of 3.*2 agreed/, 'by the organisation of all of them');
    assert.deepEqual(said.map(([word]) => word).sort(), ['confirm', 'externalize', 'prepare only']);
    for (const [word, text] of said) assert.equal(text, word);
    assert.equal(new Set(said.map(([, , icon]) => icon)).size, 3, 'each has a shape of its own');
    const silent = await drawn({ ...real, prepare: answering('answer.scp?.nodes.shift();') });
    assert.deepEqual(silent.said.map(([word]) => word).sort(), ['confirm', 'prepare only', 'silent']);
    assert.match(silent.root, /1 agreed/);
    const forged = await drawn({ ...real, prepare: answering('if (answer.scp) { answer.scp.nodes[0].signature = "broken"; answer.scp.nodes[1].sameValue = false; }') });
    assert.deepEqual(forged.said.map(([word]) => word).sort(), ['confirm, another value', 'externalize, bad signature', 'prepare only']);
    assert.match(forged.root, /0 agreed/);
  });

  test('an inner set is drawn with its own threshold, and counts as one once it is met', async () => {
    const nested = answering(`
      if (!answer.scp) return;
      const keys = answer.scp.nodes.map(({ node }) => node);
      for (const named of answer.scp.quorumSets) {
        named.set = { threshold: 2, validators: [keys[0]], innerSets: [{ threshold: 2, validators: keys.slice(1, 3), innerSets: [] }, { threshold: 1, validators: ['${STRANGER}'], innerSets: [] }] };
      }
    `);
    const opened = await openView({ ledger: 70 }, { prepare: nested });
    const { tab } = opened;
    await tab.waitForSelector('.quorum-drawing', WAIT);
    assert.deepEqual(await tab.locator('.quorum-drawing .branch-head').evaluateAll((all) => all.map((head) => head.textContent.replace(/\s+/g, ' '))), [
      'Quorum set 2 of 32 agreed', 'Set 1 2 of 22 agreed', 'Set 2 1 of 10 agreed',
    ]);
    assert.equal(await tab.getAttribute(`.quorum-drawing [data-node="${STRANGER}"]`, 'data-said'), 'silent');
    await opened.close();
  });

  test('a configuration that was pasted gives validators their names and organisations', async () => {
    const opened = await openView({ ledger: 70 });
    const { tab } = opened;
    await tab.waitForSelector('.quorum-drawing', WAIT);
    const keys = await tab.locator('.quorum-drawing [data-node]').evaluateAll((all) => all.map(({ dataset }) => dataset.node));
    assert.doesNotMatch(await tab.textContent('.quorum-drawing'), /example/);
    await tab.click('.crumbs li:first-child a');
    await tab.waitForSelector('#start:visible');
    await tab.click('.trust summary');
    await tab.selectOption('#quorum', 'own');
    const config = ['[[HOME_DOMAINS]]', 'HOME_DOMAIN="validators.example"', 'QUALITY="MEDIUM"', ...keys.flatMap((key, place) => ['[[VALIDATORS]]', `NAME="node-${place}"`, 'HOME_DOMAIN="validators.example"', `PUBLIC_KEY="${key}"`])].join('\n');
    await tab.fill('#ownQuorum', config);
    await tab.waitForFunction(() => document.getElementById('ownQuorum').value.startsWith('{'), undefined, WAIT);
    await tab.fill('#look-up', '70');
    await tab.keyboard.press('Enter');
    await settled(tab, 'Ledger 70');
    await tab.waitForSelector('.quorum-drawing', WAIT);
    assert.match(await tab.textContent('.quorum-drawing .root'), /^validators\.example/);
    assert.match(await tab.textContent('.quorum-drawing .leaf'), /node-\d/);
    await opened.close();
  });

  test('ten thousand transactions of an archive: read, counted, and a hundred of them in the document', async () => {
    const { ledger, body } = tenThousand();
    const opened = await openView({ ledger }, { prepare: (context) => context.route('**/results-0000003f.xdr.gz', (route) => route.fulfill({ body })) });
    const { tab } = opened;
    assert.match(await tab.textContent('#transactions-title'), /10\D000/);
    assert.equal(await tab.locator('.transactions-table tbody tr').count(), 100);
    assert.ok((await tab.locator('.view *').count()) < 4000, 'the document stays small');
    assert.equal(await tab.getAttribute('[data-check="results"]', 'data-outcome'), 'broken', 'they are not those of the header');
    await tab.click('.pager button >> nth=1');
    await tab.waitForFunction(() => /101 to 200 of 10\D000/.test(document.querySelector('.pager')?.textContent ?? ''), undefined, WAIT);
    await tab.click('.crumbs li:nth-child(2) a');
    await settled(tab, 'Checkpoint 63');
    assert.match(await tab.textContent(`.ledgers-table [data-ledger="${ledger}"]`), /10\D000/);
    assert.ok((await tab.locator('.view *').count()) < 4000);
    await opened.close();
  });

  test('ten thousand transactions are shown a hundred at a time', async () => {
    const opened = await openView({ ledger: 4 }, { prepare: many });
    const { tab } = opened;
    assert.equal(await tab.locator('.transactions-table tbody tr').count(), 100);
    for (let page = 1; page <= 5; page += 1) {
      await tab.click('.pager button >> nth=1');
      await tab.waitForFunction((first) => document.querySelector('.pager')?.textContent?.includes(`${first}01 to `), page, WAIT);
      assert.equal(await tab.locator('.transactions-table tbody tr').count(), 100);
    }
    assert.match(await tab.textContent('.pager'), /501 to 600 of 10\D000/);
    assert.ok((await tab.locator('.view *').count()) < 4000, 'the document stays small');
    await opened.close();
  });

  test('the last ledger has nobody after it, and says so', async () => {
    const opened = await openView({ ledger: 319 });
    const next = opened.tab.locator('[data-check="next-header"]');
    assert.equal(await next.getAttribute('data-outcome'), 'unknown');
    assert.match(await next.locator('.check-why').textContent(), /\w+/);
    await opened.close();
  });
});

describe('a transaction', () => {
  test('words, operations with their results, checks, JSON and XDR', async () => {
    const opened = await openView({ ledger: FAILED.ledger, tx: FAILED.index });
    const { tab } = opened;
    assert.match(await tab.textContent('.words'), /Failed/);
    assert.match(await tab.textContent('.facts'), new RegExp(FAILED.hash));
    assert.match(await tab.textContent('.operations li:first-child'), /Payment.*underfunded/is);
    assert.match(await tab.textContent('.operations > li:first-child .operation-words'), /^Pay [\d.]+ \w+.* to G\w+…\w+\. The source has too little of the asset\.$/s);
    await tab.click('.operations > li:first-child > details > summary');
    assert.match(await tab.locator('.operations > li:first-child .json').first().textContent(), /"payment"/);
    assert.equal(await tab.getAttribute('[data-check="transaction-hash"]', 'data-outcome'), 'holds');
    await tab.getByText('Envelope: what was asked for').click();
    const envelope = tab.getByRole('group', { name: 'The envelope as XDR, base64' });
    await envelope.waitFor(WAIT);
    assert.match(await envelope.textContent(), /^AAAA[A-Za-z0-9+/]+=*$/);
    assert.equal(await envelope.evaluate((node) => getComputedStyle(node).whiteSpace), 'pre-wrap');
    await tab.getByRole('button', { name: 'Wrap' }).first().click();
    assert.equal(await envelope.evaluate((node) => getComputedStyle(node).whiteSpace), 'pre');
    await opened.close();
  });

  test('a call of a contract: function, arguments, resources and when it was valid', { skip }, async () => {
    const opened = await openView({ ledger: 3014, tx: 3 }, { archive: { archive: '/archive/testnet/' } });
    const { tab } = opened;
    const words = await tab.textContent('.operation-words');
    assert.match(words, /^Call deploy\(CCEN…VYRF, 32 bytes, 32 bytes, initialize_escrow, .*7 more\}\]\) of the contract CCEN…VYRF\./);
    const facts = await tab.textContent('.facts');
    assert.match(facts, /charged, 13\D674\D777\sstroops bid/);
    assert.match(facts, /13\D673\D777\sstroops of the bid for 4\D334\D734\sinstructions/);
    assert.match(facts, /not after 2025-06-18 21:29:05 UTC/);
    await opened.close();
  });

  test('a fee bump: who pays, what is inside, whose signatures', { skip }, async () => {
    const opened = await openView({ ledger: 3068, tx: 3 }, { archive: { archive: '/archive/testnet/' } });
    const facts = await opened.tab.textContent('.facts');
    assert.match(facts, /Fee paid byGAWV44/);
    assert.match(facts, /Around a transaction that itself bid 5\D307\D575\sstroops and was charged 4\D587\D248\sstroops/);
    assert.match(facts, /Signatures2, of which 1 for the fee bump/);
    await opened.close();
  });

  test('a muxed source leads to its account, with the id; a memo says its kind', async () => {
    const muxed = answering(`
      if (answer.sourceMuxed === undefined) return;
      answer.sourceMuxed = { account: '${STRANGER}', id: '12345' };
      answer.memo = 'hello'; answer.memoKind = 'text';
      answer.preconditions = { timeBounds: ['0', '0'], ledgerBounds: [7, 0], minSequence: '9', minSequenceAge: null, minSequenceLedgerGap: null, extraSigners: ['${STRANGER}'] };
    `);
    const opened = await openView({ ledger: 4, tx: 0 }, { prepare: muxed });
    const facts = await opened.tab.textContent('.facts');
    assert.match(facts, /Muxed: id 12\D345 within GAAAA…/);
    assert.match(facts, /Memotext hello/);
    assert.match(facts, /Validfrom ledger 7 onsequence number of the account at least 9signed by GAAAA/);
    assert.match(await opened.tab.locator('.facts a', { hasText: 'The account’s entry' }).getAttribute('href'), new RegExp(`entry=${STRANGER}`));
    await opened.close();
  });

  test('is found by its hash, newest results first', async () => {
    const opened = await stage.open({ hash: link(here) });
    const { tab } = opened;
    const asked = [];
    tab.context().on('request', (request) => asked.push(request.url()));
    await tab.fill('#look-up', FAILED.hash);
    await tab.keyboard.press('Enter');
    await settled(tab, 'Search for a transaction');
    await tab.waitForFunction(() => document.getElementById('cost').textContent.includes('5'));
    assert.equal(asked.filter((url) => url.includes('/results/')).length, 0, 'nothing is read before one says so');
    await tab.click('#search');
    await tab.waitForSelector('[data-found="4"]', WAIT);
    const results = asked.filter((url) => url.includes('/results/')).map((url) => url.slice(-15, -7));
    assert.deepEqual([...results].sort().reverse(), results, 'from the newest on');
    await tab.click('[data-found] a');
    await settled(tab, 'Transaction 1');
    assert.match(await tab.textContent('.facts'), new RegExp(FAILED.hash));
    await opened.close();
  });

  test('is searched for in the range of the link alone, and none of it is found where it is not', async () => {
    const asked = [];
    const opened = await openView({ low: 128, high: 255, find: FAILED.hash });
    const { tab } = opened;
    tab.context().on('request', (request) => asked.push(request.url()));
    await tab.waitForFunction(() => document.getElementById('cost').textContent.includes('2'));
    await tab.click('#search');
    await tab.waitForSelector('[data-found="none"]', WAIT);
    assert.deepEqual(asked.filter((url) => url.includes('/results/')).map((url) => url.slice(-15, -7)).sort(), ['000000bf', '000000ff']);
    await tab.fill('#find-high', '1');
    assert.match(await tab.textContent('#cost'), /before the first/);
    await opened.close();
  });

  test('a search can be stopped', async () => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    const opened = await openView({ find: NOTHING }, {
      prepare: (context) => context.route('**/results-000000bf.xdr.gz', async (route) => {
        await held;
        await route.continue().catch(() => undefined);
      }),
    });
    const { tab } = opened;
    await tab.click('#search');
    await tab.click('#stop-search');
    await tab.waitForSelector('#search');
    release();
    await tab.waitForTimeout(300);
    assert.equal(await tab.locator('[data-found]').count(), 0);
    await opened.close();
  });
});

describe('JSON', () => {
  const envelope = async (options = {}) => {
    const opened = await openView({ ledger: FAILED.ledger, tx: FAILED.index }, options);
    await opened.tab.getByText('Envelope: what was asked for').click();
    const tree = opened.tab.getByRole('group', { name: 'The envelope as JSON' });
    await tree.waitFor(WAIT);
    return { ...opened, tree };
  };

  test('is folded by keys, says what is behind, and is copied whole', async () => {
    const opened = await envelope(withClipboard);
    const { tab, tree } = opened;
    const whole = await tree.textContent();
    assert.match(whole, /^\{"tx": \{/);
    await tree.locator('summary').first().focus();
    await tab.keyboard.press('Enter');
    await tab.waitForFunction(() => document.activeElement.closest('.json')?.textContent === '{ tx }', undefined, WAIT);
    await tab.keyboard.press('Enter');
    await tab.waitForFunction((wanted) => document.activeElement.closest('.json')?.textContent === wanted, whole, WAIT);
    const copy = await copied(tab.getByRole('button', { name: 'Copy The envelope as JSON' }));
    // Nothing is added, nothing left out, and the order is that of the tools.
    assert.equal(copy.replaceAll(/[\s,]/g, ''), whole.replaceAll(/[\s,]/g, ''));
    await tab.getByRole('button', { name: 'Text' }).first().click();
    assert.equal(await tab.locator('pre[aria-label="The envelope as JSON"]').textContent(), copy);
    await opened.close();
  });

  test('accounts in it lead to their entries as of this checkpoint', async () => {
    const opened = await envelope();
    const link_ = opened.tree.locator('a').first();
    const account = (await link_.textContent()).replaceAll('"', '');
    assert.match(account, /^G[A-Z2-7]{55}$/);
    await link_.click();
    await settled(opened.tab, 'Account');
    assert.equal(new URL(opened.tab.url()).hash, `#archive=/archive/sample/&entry=${account}&checkpoint=63`);
    await opened.close();
  });

  test('the ledger before, contracts, code and buckets lead to their views; keys of validators and other hashes do not', async () => {
    const strange = answering(`
      if (answer.json?.header === undefined) return;
      answer.json = { ...answer.json, node_id: '${ACCOUNT}', contract: '${CONTRACT}', wasm: '${NOTHING}', curr: '${NOTHING}', other: '${NOTHING}', seed: '${SECRET}', snap: '${'0'.repeat(64)}' };
    `);
    const opened = await openView({ ledger: 70 }, { prepare: strange });
    const { tab } = opened;
    await tab.getByText('The header as JSON and XDR').click();
    await tab.locator('.json a').first().waitFor(WAIT);
    const links = await tab.locator('.json a').evaluateAll((all) => all.map((found) => [found.parentElement.textContent.match(/^"(\w+)"/)?.[1], found.hash.replace('#archive=/archive/sample/&', '')]));
    const bytes = (...all) => encodeURIComponent(Buffer.from(all.join(''), 'hex').toString('base64'));
    assert.deepEqual(links, [
      ['previous_ledger_hash', 'ledger=69'],
      ['contract', `entry=${bytes('0000000600000001', '07'.repeat(32), '0000001400000001')}&checkpoint=127`],
      ['wasm', `entry=${bytes('00000007', NOTHING)}&checkpoint=127`],
      ['curr', `bucket=${NOTHING}`],
    ]);
    await opened.close();
  });

  test('a large value is in the document only as far as it is opened', async () => {
    const large = answering(`
      if (answer.json?.header === undefined) return;
      answer.json = { list: Array.from({ length: 100_000 }, (_, place) => ({ place, text: 'x' })), long: 'y'.repeat(50_000), deep: Array.from({ length: 5000 }).reduce((inner) => [inner], 1) };
    `);
    const opened = await openView({ ledger: 70 }, { prepare: large });
    const { tab } = opened;
    await tab.getByText('The header as JSON and XDR').click();
    const tree = tab.locator('.json');
    await tree.waitFor(WAIT);
    assert.ok((await tree.locator('*').count()) < 60);
    assert.match(await tree.textContent(), /"list": \[ 100\D000 \]/);
    assert.ok((await tree.textContent()).length < 2000);
    await tree.locator('summary', { hasText: '"list"' }).click();
    await tree.getByRole('button', { name: /Show 100 more of 100\D000/ }).click();
    assert.equal(await tree.locator('summary', { hasText: '{ place, text }' }).count(), 200);
    await tree.getByRole('button', { name: /Show all of 48\.8\sKiB/ }).click();
    assert.ok((await tree.textContent()).includes('y'.repeat(50_000)));
    await opened.close();
  });
});

describe('a bucket', () => {
  test('its entries by pages of 50, each as JSON and XDR', async () => {
    const opened = await openView({ bucket: LARGE_BUCKET });
    const { tab } = opened;
    assert.equal(await tab.locator('.entries > li').count(), 50);
    await tab.click('.entries [data-entry="1"] > details > summary');
    assert.match(await tab.textContent('.entries [data-entry="1"] .json'), /^\{/);
    await tab.click('.pager a >> nth=0');
    await tab.waitForSelector('[data-entry="50"]', WAIT);
    assert.equal(new URL(tab.url()).hash, `#archive=/archive/sample/&bucket=${LARGE_BUCKET}&from=50`);
    await tab.goBack();
    await tab.waitForSelector('[data-entry="0"]', WAIT);
    await opened.close();
  });

  test('is verified after its size was told', async () => {
    const opened = await openView({ bucket: LARGE_BUCKET });
    await opened.tab.waitForFunction(() => /10\.5\sKiB to download/.test(document.getElementById('bucket-cost')?.textContent ?? ''));
    await opened.tab.click('#verify-bucket');
    await opened.tab.waitForSelector('[data-holds="true"]', WAIT);
    await opened.close();
  });

  test('one with other bytes than its name says is broken', { skip }, async () => {
    const opened = await openView({ bucket: wrongBucket.where.bucket }, { archive: { archive: '/archive/wrong/' } });
    await opened.tab.click('#verify-bucket');
    await opened.tab.waitForSelector('[data-holds="false"]', WAIT);
    const hashes = await opened.tab.locator('.bucket-check .hash-text').evaluateAll((all) => all.map((hash) => hash.title));
    assert.equal(new Set(hashes).size, 2);
    await opened.close();
  });

  test('one that is not there', async () => {
    const opened = await openView({ bucket: NOTHING });
    assert.ok(await opened.tab.isVisible('[role="alert"]'));
    await opened.close();
  });
});

describe('an entry', () => {
  test('is found with its bucket and level, after the cost was told', async () => {
    const opened = await openView({ entry: ACCOUNT, checkpoint: 319 });
    const { tab } = opened;
    assert.match(await tab.textContent('#cost'), /At most \d+\sbuckets with [\d.]+\sKiB/);
    await tab.click('#search');
    await tab.waitForSelector('[data-entry="live"]', WAIT);
    assert.match(await tab.textContent('.found'), /Level 0, curr/);
    assert.match(await tab.textContent('.found'), new RegExp(`"account_id": "${ACCOUNT}"`));
    await opened.close();
  });

  test('that never was is in no bucket', async () => {
    const opened = await openView({ entry: STRANGER, checkpoint: 63 });
    await opened.tab.click('#search');
    await opened.tab.waitForSelector('[data-entry="absent"]', WAIT);
    await opened.close();
  });
});

describe('states', () => {
  test('a host that does not answer: both causes and the ways around', async () => {
    const dead = await deadAddress();
    const opened = await openView({ ledger: 5 }, { archive: { archive: dead } });
    const alert = opened.tab.locator('[data-error="CORS_OR_NETWORK"]');
    await alert.waitFor({ timeout: 60_000 });
    assert.match(await alert.textContent(), /Access-Control-Allow-Origin/);
    assert.match(await alert.textContent(), /Try again/);
    await opened.close();
  });

  test('an http:// address says why not, and offers the other', async () => {
    const opened = await openViewless('http://history.example.org/core_001/');
    assert.match(await opened.tab.textContent('[data-hindrance="address"]'), /https:\/\//);
    await opened.close();
  });

  test('a link that makes no sense', async () => {
    const opened = await stage.open({ hash: look({ ledger: 'tomorrow' }) });
    await opened.tab.waitForSelector('[data-hindrance="nonsense"]', WAIT);
    await opened.close();
  });

  test('a verifier that crashes can be asked again', async () => {
    let refuse = true;
    const opened = await openView({ ledger: 5 }, {
      prepare: (context) => context.route('**/*.wasm', (route) => (refuse ? route.fulfill({ status: 503, body: 'later' }) : route.continue())),
    });
    const { tab } = opened;
    await tab.waitForSelector('.view [role="alert"]', WAIT);
    refuse = false;
    await tab.click('.view [role="alert"] button');
    await tab.waitForSelector('.header-table', WAIT);
    await opened.close();
  });

  test('a part of the page that does not arrive can be asked for again', async () => {
    let refuse = true;
    const opened = await stage.open({ hash: look({ ledger: 5 }), prepare: (context) => context.route('**/Explore-*.js', (route) => (refuse ? route.abort() : route.continue())) });
    const { tab } = opened;
    await tab.getByText('could not be loaded').waitFor(WAIT);
    refuse = false;
    await tab.getByRole('button', { name: 'Try again' }).click();
    await settled(tab, 'Ledger 5');
    await opened.close();
  });

  test('a folder: nothing is asked of any server', { skip }, async () => {
    const opened = await stage.open({
      prepare: async (context) => {
        await context.route('**/archives.json', (route) => route.fulfill({ status: 404 }));
        await context.addInitScript(() => {
          delete globalThis.showDirectoryPicker;
        });
      },
    });
    const { tab, requests } = opened;
    const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), tab.click('#add-folder')]);
    await chooser.setFiles(sample);
    await tab.waitForSelector('.folder');
    await tab.fill('#look-up', '4');
    await tab.keyboard.press('Enter');
    await settled(tab, 'Ledger 4');
    assert.equal(await tab.locator('[data-check="header-hash"]').getAttribute('data-outcome'), 'holds');
    await tab.getByRole('button', { name: 'Show me all' }).click();
    assert.match(await tab.locator('[data-check="header-hash"] .snippet code').textContent(), /^gzip -dc \.\/sample-archive\/ledger\/00\/00\/00\/ledger-0000003f\.xdr\.gz \| tail -c/);
    assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
    await opened.close();
  });
});

describe('craft', () => {
  const VIEWS = {
    checkpoint: { checkpoint: 63 },
    ledger: { ledger: 4 },
    transaction: { ledger: 4, tx: 0 },
    bucket: { bucket: LARGE_BUCKET },
    entry: { entry: ACCOUNT, checkpoint: 319 },
    find: { find: NOTHING },
    beyond: { ledger: 5000 },
  };

  for (const colorScheme of ['light', 'dark']) {
    for (const [name, keys] of Object.entries(VIEWS)) {
      test(`${name}, ${colorScheme}: no faults for axe`, async () => {
        const opened = await openView(keys, { colorScheme });
        const { tab } = opened;
        for (const summary of await tab.locator('.view summary').all().then((all) => all.slice(0, 4))) await summary.click();
        if (name === 'entry') {
          await tab.click('#search');
          await tab.waitForSelector('.found', WAIT);
        }
        await tab.evaluate(axe);
        const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(' | ')}`), []);
        await opened.close();
      });
    }
  }

  test('the box with what it understood, and the list of keys: no faults for axe', async () => {
    const opened = await stage.open({ hash: link(here) });
    const { tab } = opened;
    for (const [text, ready] of [[NOTHING, '.choice'], ['tomorrow', '[data-recognised="wrong"]']]) {
      await tab.fill('#look-up', text);
      await tab.waitForSelector(ready, WAIT);
      await tab.evaluate(axe);
      const { violations } = await tab.evaluate(() => globalThis.axe.run(document.querySelector('.look-up'), { resultTypes: ['violations'] }));
      assert.deepEqual(violations.map(({ id }) => id), []);
    }
    await opened.close();
    const keys = await openView({ ledger: 70 });
    await keys.tab.keyboard.press('?');
    await keys.tab.waitForSelector('dialog[open]', WAIT);
    await keys.tab.evaluate(axe);
    const { violations } = await keys.tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    assert.deepEqual(violations.map(({ id }) => id), []);
    await keys.close();
  });

  test('several archives: the first is looked into, and a switch shows the same in the others', async () => {
    const opened = await stage.open({ hash: `#archive=/archive/sample/&archive=/archive/sample2/&ledger=70` });
    const { tab } = opened;
    await settled(tab, 'Ledger 70');
    assert.match(await tab.textContent('.crumbs li:first-child'), /sample$/);
    const chosen = () => tab.locator('.switch [aria-current]').allTextContents();
    assert.equal(await tab.locator('.switch a').count(), 2);
    assert.match((await chosen()).join(), /sample$/);
    await tab.click('.switch a:not([aria-current])');
    await tab.waitForFunction(() => /sample2$/.test(document.querySelector('.crumbs li')?.textContent ?? ''), undefined, WAIT);
    assert.equal(new URL(tab.url()).hash, '#archive=/archive/sample/&archive=/archive/sample2/&ledger=70&in=2');
    await tab.waitForSelector('.header-table', WAIT);
    assert.match((await chosen()).join(), /sample2$/);
    await tab.click('.crumbs li:nth-child(2) a');
    await settled(tab, 'Checkpoint 127');
    assert.match(new URL(tab.url()).hash, /&checkpoint=127&in=2$/);
    await tab.click('.switch a >> nth=0');
    await tab.waitForFunction(() => /&checkpoint=127$/.test(location.hash), undefined, WAIT);
    await opened.close();
  });

  test('a check that is under way goes on while one looks inside', async () => {
    const opened = await stage.open({ hash: link(here), prepare: (context) => context.route('**/bucket/**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await route.continue().catch(() => undefined);
    }) });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('#pause');
    await tab.fill('#look-up', '70');
    await tab.keyboard.press('Enter');
    await settled(tab, 'Ledger 70');
    await tab.getByText('A check goes on meanwhile').waitFor(WAIT);
    await tab.goBack();
    await tab.waitForSelector('[data-verdict="verified"]:visible', { timeout: 60_000 });
    await opened.close();
  });

  test('320 pixels wide: nothing scrolls sideways', async () => {
    // The states of real archives name longer programs than those of the sample.
    const real = skip ? {} : { 'a real checkpoint': { checkpoint: 2943 } };
    for (const [name, keys] of Object.entries({ ...VIEWS, ...real })) {
      const archive = name in real ? { archive: '/archive/testnet/' } : here;
      const opened = await openView(keys, { archive, viewport: { width: 320, height: 640 } });
      for (const summary of await opened.tab.locator('.view summary').all().then((all) => all.slice(0, 6))) await summary.click();
      const over = await opened.tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
      await opened.close();
    }
  });

  test('keys: to the box, to the next ledger and back, the list of keys; not while one types', async () => {
    const opened = await openView({ ledger: 70 });
    const { tab } = opened;
    assert.equal(await tab.evaluate(() => document.activeElement.id), 'view-title', 'focus is where the view begins');
    await tab.keyboard.press('ArrowRight');
    await settled(tab, 'Ledger 71');
    assert.equal(await tab.evaluate(() => document.activeElement.id), 'view-title');
    await tab.keyboard.press('ArrowLeft');
    await settled(tab, 'Ledger 70');
    await tab.keyboard.press('/');
    assert.equal(await tab.evaluate(() => document.activeElement.id), 'look-up');
    await tab.keyboard.type('12/?');
    await tab.keyboard.press('ArrowLeft');
    assert.equal(await tab.inputValue('#look-up'), '12/?');
    assert.match(await title(tab), /Ledger 70/);
    await tab.focus('#view-title');
    await tab.keyboard.press('?');
    await tab.waitForSelector('dialog[open]');
    await tab.keyboard.press('Escape');
    await tab.waitForSelector('dialog[open]', { state: 'detached' });
    await opened.close();
  });

  test('what is shown is told once it is there', async () => {
    const opened = await openView({ ledger: 4 });
    await opened.tab.waitForFunction(() => /^Ledger 4: 4\D+transactions; checks: /.test(document.getElementById('announcer').textContent));
    await opened.close();
  });

  test('the way to the next ledger asks the archive for nothing', async () => {
    const opened = await openView({ ledger: 70 });
    const before = opened.requests.length;
    await opened.tab.keyboard.press('ArrowRight');
    await settled(opened.tab, 'Ledger 71');
    assert.deepEqual(opened.requests.slice(before).filter((url) => url.includes('/archive/')), []);
    await opened.close();
  });

  test('nothing moves: neither while one types nor while a view comes', async () => {
    const opened = await stage.open({
      hash: look({ ledger: 70 }),
      prepare: (context) => context.addInitScript(() => {
        globalThis.shifted = 0;
        new PerformanceObserver((list) => {
          for (const { value } of list.getEntries()) globalThis.shifted += value;
        }).observe({ type: 'layout-shift', buffered: true });
      }),
    });
    const { tab } = opened;
    await settled(tab, 'Ledger 70');
    await tab.waitForTimeout(300);
    assert.ok((await tab.evaluate(() => globalThis.shifted)) < 0.05, `the view: ${await tab.evaluate(() => globalThis.shifted)}`);
    await tab.goto(`${stage.site.url}${link(here)}`);
    await tab.waitForSelector('#known:enabled');
    await tab.waitForTimeout(300);
    await tab.evaluate(() => { globalThis.shifted = 0; });
    await tab.fill('#look-up', '3007');
    await tab.waitForSelector('.choice', WAIT);
    // What a hand at the keyboard does is left out of the measure by the browser: this is what a person sees.
    const form = await tab.locator('form.form').boundingBox();
    await tab.fill('#look-up', '');
    await tab.waitForTimeout(100);
    assert.equal((await tab.locator('form.form').boundingBox()).y, form.y);
    await opened.close();
  });

  test('colours of the system’s own choosing keep shapes and words', async () => {
    const opened = await openView({ ledger: 4 }, { forcedColors: 'active' });
    assert.ok(await opened.tab.locator('.check .icon').first().isVisible());
    assert.match(await opened.tab.textContent('.check'), /Holds/);
    await opened.close();
  });

  test('the part that looks inside is loaded only when it is wanted, and its script stays within its budget', async () => {
    const opened = await stage.open({ hash: link(here) });
    await opened.tab.waitForSelector('#known:enabled');
    assert.deepEqual(opened.requests.filter((url) => url.includes('/Explore-')), []);
    await opened.tab.focus('#look-up');
    await opened.tab.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => name.includes('/Explore-')));
    await opened.close();
  });
});

/** For `prepare`: each answer of the worker goes through `change`, the text of a function over `answer`, before the page has it. */
function answering(change) {
  return (context) => context.addInitScript((body) => {
    const Real = globalThis.Worker;
    const changed = new Function('answer', body);
    globalThis.Worker = class extends Real {
      constructor(...args) {
        super(...args);
        // The page's own listeners come later, and get the same object.
        this.addEventListener('message', ({ data }) => {
          if (typeof data?.answer === 'object' && data.answer !== null) changed(data.answer);
        });
      }
    };
  }, change);
}

/** The first checkpoint of the sample archive as an archive of its own. */
function oneCheckpoint() {
  const folder = mkdtempSync(join(tmpdir(), 'explorer-one-'));
  cpSync(sample, folder, { recursive: true, filter: (from) => !/-00000(?!03f)[0-9a-f]{3}\./.test(from) });
  cpSync(join(folder, 'history/00/00/00/history-0000003f.json'), join(folder, '.well-known/stellar-history.json'));
  return folder;
}

/** The results of the first checkpoint, in which a ledger has its only one ten thousand times. */
function tenThousand() {
  const file = gunzipSync(readFileSync(join(sample, 'results/00/00/00/results-0000003f.xdr.gz')));
  const records = [];
  for (let at = 0; at < file.length; at += 4 + records.at(-1).length) records.push(file.subarray(at + 4, at + 4 + (file.readUInt32BE(at) & 0x7fffffff)));
  const place = records.findIndex((record) => record.readUInt32BE(4) === 1);
  assert.ok(place >= 0, 'a ledger has one transaction');
  const [ledger, single] = [records[place].readUInt32BE(0), records[place]];
  const count = Buffer.alloc(4);
  count.writeUInt32BE(10_000);
  records[place] = Buffer.concat([single.subarray(0, 4), count, ...Array(10_000).fill(single.subarray(8, -4)), single.subarray(-4)]);
  const body = gzipSync(Buffer.concat(records.flatMap((record) => {
    const mark = Buffer.alloc(4);
    mark.writeUInt32BE((record.length | 0x80000000) >>> 0);
    return [mark, record];
  })));
  return { ledger, body };
}

/** A ledger of ten thousand transactions. */
const many = answering(`
  const list = answer.transactions;
  if (!Array.isArray(list) || list.length === 0) return;
  const [one] = list;
  list.splice(0, list.length, ...Array.from({ length: 10_000 }, (_, index) => ({ ...one, index })));
`);

async function openViewless(archive) {
  const opened = await stage.open({ hash: link({ archive, ledger: '5' }) });
  await opened.tab.waitForSelector('[data-hindrance]', WAIT);
  return opened;
}

assert.ok(existsSync(sample), 'target/sample-archive is missing: `npm run build` makes it');
