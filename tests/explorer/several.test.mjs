/** The page over several real archives, over a folder, over samples, and taking a run up again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { dataDir, link, linkToAll, setUp, skipWithoutData } from './support.mjs';

const skip = skipWithoutData();
const RUN = { timeout: 180_000 };
const testnet = join(dataDir, 'archives/testnet-p22');

let stage;
before(async () => {
  if (skip) return;
  stage = await setUp({ good: testnet, lying: testnet, flaky: testnet });
});
after(async () => {
  await stage?.tearDown();
});

const shownAs = (name) => `${new URL(stage.site.url).host}/archive/${name}`;
const pathOf = (url) => decodeURIComponent(new URL(url).pathname).replace(/^\/archive\/[^/]+\//, '');

/** The headers of another checkpoint in place of those asked for: sound files, but not these. */
async function lie(context) {
  const other = readFileSync(join(testnet, 'ledger/00/00/00/ledger-0000003f.xdr.gz'));
  await context.route('**/archive/lying/ledger/**', (route) => route.fulfill({ contentType: 'application/gzip', body: other }));
}

/** Every third file answers 503 the first time. */
async function stumble(context) {
  const seen = new Set();
  await context.route('**/archive/flaky/**', (route) => {
    const first = !seen.has(route.request().url());
    seen.add(route.request().url());
    return first && seen.size % 3 === 0 ? route.fulfill({ status: 503, body: 'later' }) : route.continue();
  });
}

async function slowDown(context, milliseconds) {
  await context.route('**/archive/good/**', async (route) => {
    await delay(milliseconds);
    await route.continue().catch(() => {});
  });
}

function reach(tab, done) {
  return tab.waitForFunction((wanted) => Number(/^(\d+)\D+of/.exec(document.querySelector('.bars .figure')?.textContent ?? '')?.[1] ?? -1) >= wanted, done, RUN);
}

test('one archive lies, one stumbles, one is good: verified, and the liar is named', { skip }, async () => {
  const opened = await stage.open({
    hash: linkToAll(['/archive/lying/', '/archive/flaky/', '/archive/good/'], { network: 'testnet' }),
    prepare: async (context) => {
      await lie(context);
      await stumble(context);
    },
  });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
  assert.match(await tab.textContent('.legend'), /57\D+verified/);
  const blame = await tab.textContent('#blame');
  assert.match(blame, /\/archive\/lying served \d+\Dfaulty files?; the same files? from /);
  assert.doesNotMatch(blame, /\/archive\/(good|flaky) served/);
  const row = async (name) => (await tab.locator(`#sources [data-archive="${shownAs(name)}"] td`).allTextContents()).map((text) => text.replace(/\u202f/g, ''));
  const [ledger, end, , , , faulty] = await row('lying');
  assert.equal(ledger, end);
  assert.ok(Number(faulty) > 0);
  assert.equal((await row('good'))[5], '0');
  assert.ok(Number((await row('flaky'))[3]) > 0, 'its stumbles are counted');
  const severities = await tab.locator('.findings .finding .severity').allTextContents();
  assert.ok(severities.length > 0 && severities.every((severity) => severity === 'warning'), severities.join());
  assert.match(await tab.locator('.findings .finding').first().textContent(), /Archive\S*\/archive\/lyingSound in\S*\/archive\/(good|flaky)/);
  await opened.close();
});

test('an archive that lacks files is named beside one that has them', { skip }, async () => {
  const opened = await stage.open({
    hash: linkToAll(['/archive/flaky/', '/archive/good/'], { network: 'testnet', low: '1', high: '640' }),
    prepare: (context) => context.route('**/archive/flaky/{ledger,transactions,results}/**', (route) => route.fulfill({ status: 404, body: 'no' })),
  });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
  assert.match(await tab.textContent('#blame'), /^\S*\/archive\/flaky lacks \d+\Dfiles? that the other has\.$/);
  await opened.close();
});

test('the works are told while they go on', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/good/', network: 'testnet' }), prepare: (context) => slowDown(context, 60) });
  const { tab } = opened;
  await tab.click('#start');
  await reach(tab, 10);
  const done = async (kind) => Number(await tab.locator(`#works [data-work="${kind}"] td`).first().textContent());
  for (const kind of ['GetHistoryArchiveStateWork', 'DownloadLedgerHeadersWork', 'DownloadTransactionsWork', 'DownloadTxResultsWork', 'VerifyCheckpointWork']) {
    assert.ok((await done(kind)) > 0, kind);
  }
  assert.match(await tab.textContent(`#live-archives [data-archive="${shownAs('good')}"]`), /Answering/);
  await tab.click('#cancel');
  await tab.waitForSelector('[data-verdict="incomplete"]', RUN);
  await opened.close();
});

test('paused, reloaded and continued: the same result, and what was done is not asked for again', { skip }, async () => {
  let openBuckets;
  const bucketsOpen = new Promise((resolve) => {
    openBuckets = resolve;
  });
  const opened = await stage.open({
    hash: link({ archive: '/archive/good/', network: 'testnet' }),
    prepare: async (context) => {
      await slowDown(context, 60);
      // So that it cannot come to its end before the reload.
      await context.route('**/archive/good/bucket/**', async (route) => {
        await bucketsOpen;
        await route.continue().catch(() => {});
      });
    },
  });
  const { tab, requests } = opened;
  await tab.click('#start');
  await reach(tab, 5);
  await tab.click('#pause');
  await tab.waitForSelector('[data-phase="paused"]', RUN);
  const asked = requests.length;
  await delay(500);
  assert.equal(requests.length, asked, 'a paused run asks for nothing');
  const headers = (from, to) => requests.slice(from, to).filter((url) => /\/archive\/good\/ledger\//.test(url)).map(pathOf);
  // Files that were on their way are asked for again; those of a checkpoint that was done are not.
  const onTheirWay = (before, since, done) => {
    const [first, later] = [new Set(headers(0, before)), new Set(headers(before, since))];
    const again = [...first].filter((path) => later.has(path));
    assert.ok(again.length <= first.size - done, `${done} were done, and of ${first.size} these were asked for again: ${again.join(', ')}`);
  };
  const done = Number(/(\d+)\D+of\D57/.exec(await tab.textContent('[data-phase="paused"]'))[1]);
  assert.ok(done >= 5);

  await tab.click('#resume');
  await reach(tab, done);
  const reloadedAt = requests.length;
  onTheirWay(asked, reloadedAt, done);
  await tab.reload();
  const offer = tab.locator('.offer');
  await offer.waitFor();
  const [, left] = /\/archive\/good, (\d+) of 57\Dcheckpoints done/.exec(await offer.textContent());
  assert.ok(Number(left) >= done);
  openBuckets();
  await offer.getByRole('button', { name: 'Continue' }).click();
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
  assert.match(await tab.textContent('.legend'), /57\D+verified/);
  const totals = await tab.locator('.totals tbody tr').evaluateAll((rows) => rows.map((row) => row.children[1].textContent));
  assert.deepEqual(totals, ['57', '57', '57', '57', '57', '421']);
  assert.equal(new Set(headers(0)).size, 57);
  onTheirWay(reloadedAt, undefined, Number(left));
  await opened.close();
});

test('paused before anything is known: it begins again, and ends as if it had not been paused', { skip }, async () => {
  const opened = await stage.open({
    hash: link({ archive: '/archive/good/', low: '1', high: '640', network: 'testnet' }),
    prepare: (context) => context.route('**/.well-known/**', async (route) => {
      await delay(1000);
      await route.continue().catch(() => {});
    }),
  });
  const { tab } = opened;
  await tab.click('#start');
  await delay(300);
  await tab.click('#pause');
  await tab.waitForSelector('[data-phase="paused"]', RUN);
  assert.match(await tab.textContent('[data-phase="paused"]'), /resuming begins again/);
  await tab.click('#resume');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
  await opened.close();
});

test('a saved run of other options is refused, with the reason', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/good/', network: 'testnet' }), prepare: (context) => slowDown(context, 60) });
  const { tab } = opened;
  await tab.click('#start');
  await reach(tab, 20);
  await tab.click('#pause');
  await tab.waitForSelector('[data-phase="paused"]', RUN);
  await delay(300);
  await tab.goto('about:blank');
  await tab.goto(stage.site.url);
  await tab.locator('.offer').waitFor();
  await tab.evaluate(() => new Promise((resolve) => {
    const opening = indexedDB.open('stellar-archive-verifier');
    opening.onsuccess = () => {
      const store = opening.result.transaction('runs', 'readwrite').objectStore('runs');
      const reading = store.getAll();
      reading.onsuccess = () => {
        const [run] = reading.result;
        store.put({ ...run, options: { ...run.options, deep: true } }).onsuccess = () => {
          opening.result.close();
          resolve();
        };
      };
    };
  }));
  await tab.reload();
  await tab.locator('.offer').getByRole('button', { name: 'Continue' }).click();
  const refused = tab.locator('[data-phase="refused"]');
  await refused.waitFor(RUN);
  assert.match(await refused.textContent(), /cannot be continued.*deep/s);
  await opened.close();
});

test('a folder of this computer is verified, beside an archive on a server', { skip }, async () => {
  const opened = await stage.open({
    hash: link({ archive: '/archive/good/', low: '1', high: '640', network: 'testnet' }),
    prepare: (_, tab) => tab.addInitScript(() => { globalThis.showDirectoryPicker = undefined; }),
  });
  const { tab } = opened;
  const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), tab.click('#add-folder')]);
  await chooser.setFiles(testnet);
  await tab.locator('.folder').waitFor();
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
  const requests = Number(await tab.locator('#sources [data-archive="folder testnet-p22"] td').nth(2).textContent());
  assert.ok(requests > 0);
  await opened.close();
});

test('a sample: so many checkpoints, a guarantee, and the same ones again from its link', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/good/', network: 'testnet', sample: '5', seed: '00000000000000ab' }) });
  const { tab, requests } = opened;
  const drawn = async () => {
    requests.length = 0;
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict]', RUN);
    return [...new Set(requests.filter((url) => /\/archive\/good\/ledger\//.test(url)).map(pathOf))].sort();
  };
  const first = await drawn();
  assert.equal(first.length, 5);
  assert.match(await tab.textContent('.legend'), /5 verified0 faulty0 unchecked52 not in the sample/);
  assert.match(await tab.textContent('#sample'), /A sample of 5 of 57\Dcheckpoints\..*Seed 00000000000000ab/);
  await tab.click('#change');
  assert.deepEqual(await drawn(), first);
  await opened.close();
});

test('the newest ledgers, newest first', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/good/', network: 'testnet', last: '640', newestFirst: '1' }) });
  const { tab, requests } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
  const headers = requests.filter((url) => /\/archive\/good\/ledger\//.test(url)).map(pathOf);
  assert.equal(new Set(headers).size, 10);
  assert.equal(headers[0], [...headers].sort().at(-1), 'the newest is asked for first');
  await opened.close();
});
