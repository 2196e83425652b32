/** Several archives, the graph of work, pausing, going on and the blame, with a worker that plays its part (actor.js). */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { link, linkToAll, playing, setUp } from './support.mjs';

const GOOD = 'https://good.example.org/core_001/';
const LIAR = 'https://lies.example.org/core_002/';
const BUSY = 'https://busy.example.org/core_003/';
const DEAD = 'https://dead.example.org/core_004/';

let stage;
before(async () => {
  stage = await setUp();
});
after(async () => {
  await stage?.tearDown();
});

/** Starts what the form says and waits until so many checkpoints are done. */
async function startAndReach(tab, done) {
  await tab.click('#start');
  await reach(tab, done);
}

function reach(tab, done) {
  return tab.waitForFunction((wanted) => Number(/^(\d+)\D+of/.exec(document.querySelector('.bars .figure')?.textContent ?? '')?.[1] ?? -1) >= wanted, done);
}

/** What is in the browser's store. */
function stored(tab) {
  return tab.evaluate(() => new Promise((resolve, reject) => {
    const opening = indexedDB.open('stellar-archive-verifier');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const reading = opening.result.transaction('runs').objectStore('runs').getAll();
      reading.onsuccess = () => {
        opening.result.close();
        resolve(reading.result.map(({ id, state, done, total, archives }) => ({ id, state, done, total, archives })));
      };
    };
  }));
}

async function untilStored(tab, wanted) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (wanted(await stored(tab))) return;
    await tab.waitForTimeout(30);
  }
  assert.fail(`stored: ${JSON.stringify(await stored(tab))}`);
}

/** Alters the stored state of the only run. */
function alterStored(tab, state) {
  return tab.evaluate((text) => new Promise((resolve) => {
    const opening = indexedDB.open('stellar-archive-verifier');
    opening.onsuccess = () => {
      const store = opening.result.transaction('runs', 'readwrite').objectStore('runs');
      const reading = store.getAll();
      reading.onsuccess = () => {
        store.put({ ...reading.result[0], state: text }).onsuccess = () => {
          opening.result.close();
          resolve();
        };
      };
    };
  }), state);
}

test('rows are added and removed, a known archive goes into the empty one, the link keeps them all', async () => {
  const opened = await stage.open({ prepare: playing() });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.fill('#archive', GOOD);
  await tab.click('#add-archive');
  await tab.waitForFunction(() => document.activeElement.id === 'archive-2');
  await tab.selectOption('#known', 'https://history.stellar.org/prd/core-live/core_live_001/');
  assert.equal(await tab.inputValue('#archive'), GOOD);
  assert.equal(await tab.inputValue('#archive-2'), 'https://history.stellar.org/prd/core-live/core_live_001/');
  assert.equal(await tab.inputValue('#network'), 'pubnet');
  await tab.click('#add-archive');
  await tab.fill('#archive-3', BUSY);
  await tab.getByRole('button', { name: 'Remove archive 2' }).click();
  assert.equal(await tab.inputValue('#archive-2'), BUSY);
  assert.equal(await tab.inputValue('#network'), '', 'the network that came with the removed one is gone');
  await tab.waitForFunction(() => document.activeElement.id === 'archive');
  await tab.selectOption('#scope', 'sample');
  await tab.fill('#sample', '20');
  await tab.fill('#seed', '00ff00ff00ff00ff');
  await tab.check('#newestFirst');
  const hash = new URL(tab.url()).hash;
  assert.deepEqual([...new URLSearchParams(hash.slice(1))], [
    ['archive', GOOD], ['archive', BUSY], ['sample', '20'], ['seed', '00ff00ff00ff00ff'], ['newestFirst', '1'],
  ]);
  await tab.reload();
  await tab.waitForSelector('#archive-2');
  assert.equal(await tab.inputValue('#scope'), 'sample');
  assert.equal(await tab.inputValue('#seed'), '00ff00ff00ff00ff');
  assert.equal(new URL(tab.url()).hash, hash);
  await opened.close();
});

test('what cannot work is said beside its field', async () => {
  const opened = await stage.open({ prepare: playing(), hash: linkToAll([GOOD, GOOD], { folder: 'local', sample: '', seed: 'xyz' }) });
  const { tab } = opened;
  await tab.click('#start');
  assert.match(await tab.textContent('#archive-2-fault'), /in the list already/);
  assert.match(await tab.textContent('#archive-3-fault'), /choose it again/);
  assert.match(await tab.textContent('#sample-fault'), /How many/);
  assert.match(await tab.textContent('#seed-fault'), /16 hexadecimal/);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'archive-2');
  assert.equal(await tab.locator('.run').count(), 0);
  await opened.close();
});

test('the options reach the verifier', async () => {
  const opened = await stage.open({
    prepare: async (context, tab) => {
      await playing()(context);
      await tab.addInitScript(() => {
        const { postMessage } = Worker.prototype;
        Worker.prototype.postMessage = function (message, ...rest) {
          if (message.type === 'start') globalThis.started = message;
          return postMessage.call(this, message, ...rest);
        };
      });
    },
    hash: linkToAll([GOOD, BUSY], { last: '640', newestFirst: '1' }),
  });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const { sources, options } = await tab.evaluate(() => globalThis.started);
  assert.deepEqual(sources.map(({ url }) => url), [GOOD, BUSY]);
  assert.deepEqual(options, { last: 640, order: 'newest-first', deep: false, skipOptional: false, skipBuckets: false, saveState: true, workers: await tab.evaluate(() => Math.min(navigator.hardwareConcurrency, 4)) });
  assert.match(await tab.textContent('.snippet code'), /verify https:\/\/good\S+ https:\/\/busy\S+ --last 640 --order newest-first$/);
  await opened.close();
});

test('the graph of work is a table, told live, and nothing moves under it', async () => {
  const opened = await stage.open({ viewport: { width: 360, height: 740 }, prepare: playing({ hold: 41, pace: 20 }), hash: linkToAll([GOOD, LIAR, BUSY, DEAD]) });
  const { tab } = opened;
  const places = () => tab.evaluate(() => ['#works', '#live-archives', '.progress', '.map'].map((name) => {
    const { top, left, width, height } = document.querySelector(name).getBoundingClientRect();
    return [name, top + scrollY, left, width, height].map((value) => (typeof value === 'number' ? Math.round(value) : value)).join();
  }));
  await startAndReach(tab, 1);
  const before = await places();
  await reach(tab, 41);
  assert.deepEqual(await places(), before);
  const row = (kind) => tab.locator(`#works [data-work="${kind}"] td`).allTextContents();
  assert.deepEqual(await tab.locator('#works thead th').allTextContents(), ['Work', 'Done', 'Running', 'Retrying', 'Failed', 'Pending']);
  assert.deepEqual(await row('GetHistoryArchiveStateWork'), ['1', '0', '0', '0', '0']);
  assert.deepEqual(await row('DownloadTxResultsWork'), ['41', '16', '0', '1', '0']);
  assert.deepEqual(await row('VerifyRangeWork'), ['0', '1', '0', '0', '0']);
  assert.equal(await tab.locator('#works tbody tr').count(), 9);
  assert.equal(await tab.locator('#works .rail').count(), 9);
  const standing = await tab.locator('#live-archives [data-standing]').evaluateAll((badges) => badges.map((badge) => badge.dataset.standing));
  assert.deepEqual(standing, ['good', 'good', 'resting', 'unreachable']);
  assert.match(await tab.textContent(`#live-archives [data-archive="lies.example.org/core_002"]`), /Answering1645312/);
  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  await opened.close();
});

test('pause keeps the state, resume goes on from it, the end forgets it', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD, LIAR]) });
  const { tab } = opened;
  await startAndReach(tab, 41);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'pause');
  const place = await tab.locator('#pause').boundingBox();
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('[data-phase="paused"]');
  assert.match(await tab.textContent('[data-phase="paused"]'), /41\D+of\D57\Dcheckpoints done\. It is kept in this browser/);
  assert.equal(await tab.locator('[data-verdict]').count(), 0, 'a pause is no verdict');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'resume', 'the same button, and the focus on it');
  assert.deepEqual(await tab.locator('#resume').boundingBox(), place);
  assert.equal(await tab.locator('.stages [aria-current]').textContent(), 'Checkpoints and buckets');
  await untilStored(tab, ([run]) => run?.state === '{"sound":true,"done":41}' && run.done === 41 && run.total === 57);
  assert.equal(await tab.locator('.findings .finding').count(), 3);

  await tab.keyboard.press('Enter');
  await reach(tab, 41);
  await tab.waitForSelector('[data-verdict]');
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified');
  assert.match(await tab.textContent('.legend'), /57\D+verified/, 'the map kept what the first part saw');
  await untilStored(tab, (runs) => runs.length === 0);
  await opened.close();
});

test('a reload offers the run again: continued, or discarded', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD, LIAR], { network: 'testnet' }) });
  const { tab } = opened;
  await startAndReach(tab, 41);
  await untilStored(tab, ([run]) => run?.done >= 40);
  await tab.goto(stage.site.url);
  await tab.reload();
  const offer = tab.locator('.offer');
  await offer.waitFor();
  assert.match(await offer.textContent(), /good\.example\.org\/core_001, lies\.example\.org\/core_002, 4[01] of 57\Dcheckpoints done/);
  await offer.getByRole('button', { name: 'Continue' }).click();
  await tab.waitForSelector('[data-verdict]');
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified');
  assert.match(await tab.textContent('.legend'), /57\D+verified/);
  assert.match(new URL(tab.url()).hash, /archive=.*good.*archive=.*lies.*network=testnet/);
  await untilStored(tab, (runs) => runs.length === 0);

  await tab.click('#change');
  await startAndReach(tab, 41);
  await untilStored(tab, ([run]) => run?.done >= 40);
  await tab.reload();
  await offer.getByRole('button', { name: 'Discard' }).click();
  await offer.waitFor({ state: 'detached' });
  await untilStored(tab, (runs) => runs.length === 0);
  await opened.close();
});

test('a paused run makes room for another check and is offered beside the form', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
  const { tab } = opened;
  await startAndReach(tab, 41);
  await tab.click('#pause');
  await tab.click('[data-phase="paused"] #change');
  await tab.fill('#archive', BUSY);
  await startAndReach(tab, 41);
  await tab.click('#cancel');
  await tab.waitForSelector('[data-verdict="incomplete"]');
  await tab.click('#change');
  const offers = tab.locator('.offer');
  await offers.first().waitFor();
  assert.equal(await offers.count(), 1, 'what was cancelled is not offered');
  assert.match(await offers.first().textContent(), /good\.example\.org/);
  await offers.first().getByRole('button', { name: 'Continue' }).click();
  await tab.waitForSelector('[data-verdict="verified"]');
  await opened.close();
});

test('a run in another tab is not offered', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
  const { tab, context } = opened;
  await startAndReach(tab, 41);
  await untilStored(tab, ([run]) => run?.done >= 40);
  const other = await context.newPage();
  await other.goto(stage.site.url);
  await other.waitForSelector('#known:enabled');
  assert.equal(await other.locator('.offer').count(), 0);
  await tab.close();
  await other.reload();
  await other.locator('.offer').waitFor();
  await context.close();
});

test('a tab that crashed loses nothing: the next one offers its run', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD, LIAR]) });
  const { tab, context } = opened;
  await startAndReach(tab, 41);
  await untilStored(tab, ([run]) => run?.done >= 40);
  await Promise.all([tab.waitForEvent('crash'), tab.goto('chrome://crash').catch(() => {})]);
  const next = await context.newPage();
  await next.goto(stage.site.url);
  await next.locator('.offer').getByRole('button', { name: 'Continue' }).click();
  await next.waitForSelector('[data-verdict="verified"]');
  assert.match(await next.textContent('.legend'), /57\D+verified/);
  await context.close();
});

test('discard gives a paused run up', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
  const { tab } = opened;
  await startAndReach(tab, 41);
  await tab.click('#pause');
  await tab.click('#discard');
  await tab.waitForSelector('#archive');
  assert.equal(await tab.inputValue('#archive'), GOOD);
  assert.equal(await tab.locator('.run').count(), 0);
  await untilStored(tab, (runs) => runs.length === 0);
  await opened.close();
});

test('a folder whose handle the browser keeps needs one click after a reload', async () => {
  const opened = await stage.open({
    prepare: async (context, tab) => {
      await playing({ hold: 41 })(context);
      await tab.addInitScript(() => {
        globalThis.showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('core_live_003', { create: true });
      });
    },
    hash: linkToAll([GOOD]),
  });
  const { tab } = opened;
  await tab.click('#add-folder');
  await tab.locator('.folder').waitFor();
  assert.match(await tab.textContent('.folder'), /core_live_003on this computer/);
  assert.equal(new URLSearchParams(new URL(tab.url()).hash.slice(1)).get('folder'), 'core_live_003');
  await startAndReach(tab, 41);
  assert.match(await tab.textContent('.subject'), /folder core_live_003/);
  await untilStored(tab, ([run]) => run?.done >= 40);
  await tab.reload();
  const offer = tab.locator('.offer');
  await offer.waitFor();
  assert.match(await offer.textContent(), /The browser will ask whether this page may read core_live_003 again/);
  await offer.getByRole('button', { name: 'Continue' }).click();
  await tab.waitForSelector('[data-verdict="verified"]');
  await opened.close();
});

test('a folder that came as a list of files has to be chosen again, and the page says so', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'explorer-folder-')), 'core_live_003');
  mkdirSync(join(folder, '.well-known'), { recursive: true });
  writeFileSync(join(folder, '.well-known/stellar-history.json'), '{}');
  const opened = await stage.open({
    prepare: async (context, tab) => {
      await playing({ hold: 41 })(context);
      await tab.addInitScript(() => { globalThis.showDirectoryPicker = undefined; });
    },
  });
  const { tab } = opened;
  const choose = async (button) => {
    const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), button.click()]);
    await chooser.setFiles(folder);
  };
  await choose(tab.locator('#add-folder'));
  await tab.locator('.folder').waitFor();
  assert.equal(await tab.locator('#archive').textContent(), 'core_live_003on this computer', 'it takes the place of the empty row');
  await startAndReach(tab, 41);
  await untilStored(tab, ([run]) => run?.done >= 40);
  await tab.reload();
  const offer = tab.locator('.offer');
  await offer.waitFor();
  assert.match(await offer.textContent(), /Browsers forget such folders with the page, so it has to be chosen again/);
  assert.ok(await offer.getByRole('button', { name: 'Continue' }).isDisabled());
  assert.match(await tab.textContent('.folder'), /Choose it again/);
  await choose(offer.getByRole('button', { name: 'Choose core_live_003' }));
  await offer.getByRole('button', { name: 'Continue' }).click();
  await tab.waitForSelector('[data-verdict="verified"]');
  await opened.close();
  rmSync(join(folder, '..'), { recursive: true });
});

test('a refused state says why and offers to start again', async () => {
  const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
  const { tab } = opened;
  await startAndReach(tab, 41);
  await untilStored(tab, ([run]) => run?.done >= 40);
  await tab.goto('about:blank');
  await tab.goto(stage.site.url);
  await alterStored(tab, 'of something else');
  await tab.reload();
  await tab.locator('.offer').getByRole('button', { name: 'Continue' }).click();
  const refused = tab.locator('[data-phase="refused"]');
  await refused.waitFor();
  assert.match(await refused.textContent(), /cannot be continued.*over other archives: it names https:\/\/other\.example\.org\//s);
  assert.equal(await tab.locator('.map').count(), 0, 'nothing of the refused run is shown as if it counted');
  await untilStored(tab, (runs) => runs.length === 0);
  await tab.click('#again');
  await reach(tab, 41);
  assert.equal(await refused.count(), 0);
  await opened.close();
});

test('after a crash the run goes on from its latest state', async () => {
  const opened = await stage.open({ prepare: playing({ crashAt: 33 }), hash: linkToAll([GOOD]) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('#resume');
  assert.match(await tab.textContent('.verdict'), /The check stopped.*unreachable executed.*can be continued from there/s);
  await tab.click('#resume');
  await tab.waitForSelector('[data-verdict="verified"]');
  assert.match(await tab.textContent('.legend'), /57\D+verified/);
  await opened.close();
});

test('where storing is not possible the page says so and pausing still works', async () => {
  const opened = await stage.open({
    prepare: async (context, tab) => {
      await playing({ hold: 41 })(context);
      await tab.addInitScript(() => {
        indexedDB.open = () => { throw new DOMException('switched off', 'SecurityError'); };
      });
    },
    hash: linkToAll([GOOD]),
  });
  const { tab } = opened;
  await startAndReach(tab, 41);
  await tab.click('#pause');
  await tab.waitForSelector('[data-phase="paused"]');
  assert.match(await tab.textContent('[data-phase="paused"]'), /as long as this tab stays open/);
  await tab.click('#resume');
  await tab.waitForSelector('[data-verdict="verified"]');
  await opened.close();
});

test('the verdict names who served faulty files, and who has them sound', async () => {
  const opened = await stage.open({ prepare: playing(), hash: linkToAll([GOOD, LIAR, DEAD]) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified');
  assert.match(await tab.textContent('#blame'), /^lies\.example\.org\/core_002 served 3\Dfaulty files; the same files from good\.example\.org\/core_001 are sound\.$/);
  const finding = tab.locator('.findings .finding').first();
  assert.match(await finding.textContent(), /Archivelies\.example\.org\/core_002Sound ingood\.example\.org\/core_001/);
  assert.deepEqual(await tab.locator('#sources thead th').allTextContents(), ['Archive', 'Start ledger', 'End ledger', 'Requests', 'Failures', 'Missing', 'Faulty files', 'Downloaded']);
  const row = (archive) => tab.locator(`#sources [data-archive="${archive}"] td`).allTextContents();
  assert.deepEqual((await row('lies.example.org/core_002')).slice(0, 6).map((text) => text.replace(/\D/g, '')), ['3647', '3647', '228', '1', '0', '3']);
  assert.deepEqual((await row('dead.example.org/core_004')).slice(0, 2), ['none', 'none']);
  assert.match(await tab.textContent('[data-error="CORS_OR_NETWORK"] h2'), /dead\.example\.org\/core_004 could not be read/);
  await opened.close();
});

test('all archives faulty: nobody is called sound', async () => {
  const opened = await stage.open({ prepare: playing(), hash: linkToAll([LIAR, 'https://lies.example.net/']) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'faulty');
  assert.match(await tab.textContent('#blame'), /no other archive has a sound answer/);
  await opened.close();
});

test('a sample tells its guarantee and its seed, and its link draws the same', async () => {
  const opened = await stage.open({ permissions: ['clipboard-read', 'clipboard-write'], prepare: playing(), hash: link({ archive: GOOD, sample: '20' }) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const text = await tab.textContent('#sample');
  assert.match(text, /A sample of 20 of 57\Dcheckpoints\. If one checkpoint in twenty/);
  const seed = /Seed ([0-9a-f]{16})/.exec(text)[1];
  await tab.getByRole('button', { name: 'Copy link to this check' }).click();
  await tab.waitForFunction(() => document.getElementById('announcer').textContent === 'Copied');
  assert.equal(new URLSearchParams(new URL(await tab.evaluate(() => navigator.clipboard.readText())).hash.slice(1)).get('seed'), seed);
  assert.match(await tab.textContent('.snippet code'), new RegExp(`--sample 20 --seed ${seed}$`));
  assert.equal(new URLSearchParams(new URL(tab.url()).hash.slice(1)).get('seed'), null, 'the next check of the form draws anew');
  await opened.close();
});

test('on a screen of finer pixels the map fits its frame and a click meets the cell under it', async () => {
  const opened = await stage.open({ viewport: { width: 360, height: 740 }, deviceScaleFactor: 3, prepare: playing(), hash: linkToAll([GOOD]) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]');
  const [canvas, frame] = await Promise.all(['.map-canvas', '.map-frame'].map((name) => tab.locator(name).boundingBox()));
  assert.ok(canvas.width <= frame.width && canvas.height <= frame.height + 1, JSON.stringify({ canvas, frame }));
  assert.ok(canvas.width > frame.width * 0.8, JSON.stringify({ canvas, frame }));
  // 26 pixels a cell: the second of the second row.
  const columns = Math.floor((frame.width - 6) / 26);
  await tab.locator('.map-canvas').click({ position: { x: 3 + 26 + 10, y: 3 + 26 + 10 } });
  assert.match((await tab.textContent('#detail-title')).replace(/\u202f/g, ''), new RegExp(`Checkpoint ${(columns + 2) * 64 - 1} `));
  await opened.close();
});

test('screens in both themes: nothing scrolls sideways at 360 pixels', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const opened = await stage.open({ viewport: { width: 360, height: 740 }, colorScheme, prepare: playing({ hold: 41 }), hash: linkToAll([`https://${'long'.repeat(14)}.example.org/${'b'.repeat(60)}/`, LIAR]) });
    const { tab } = opened;
    const fits = async (what) => assert.ok((await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${what}, ${colorScheme}`);
    await fits('form');
    await startAndReach(tab, 41);
    await fits('live');
    await tab.click('#pause');
    await tab.waitForSelector('[data-phase="paused"]');
    await fits('paused');
    await untilStored(tab, ([run]) => run?.done >= 40);
    await tab.reload();
    await tab.locator('.offer').waitFor();
    await fits('offer');
    await tab.locator('.offer').getByRole('button', { name: 'Continue' }).click();
    await tab.waitForSelector('[data-verdict]');
    await fits('verdict');
    await opened.close();
  }
});

test('how long it will still take, and the files in flight, are told while it goes on', async () => {
  const page = await stage.open({ prepare: playing({ total: 400, pace: 20 }), hash: linkToAll([LIAR]) });
  const { tab } = page;
  await tab.click('#start');
  const left = tab.locator('.progress .figures div', { hasText: 'Time left' }).locator('dd');
  await tab.waitForFunction(() => /^about /.test([...document.querySelectorAll('.progress .figures div')].find((one) => one.textContent.startsWith('Time left')).querySelector('dd').textContent), null, { timeout: 30_000 });
  assert.match((await left.textContent()).replace(/\u00a0/g, ' '), /^about (a few s|\d0 s|1 min)$/);
  await tab.click('#in-flight summary');
  assert.equal(await tab.locator('#in-flight li .path').count(), 16);
  const height = (await tab.locator('#in-flight').boundingBox()).height;
  await tab.waitForSelector('[data-verdict], #in-flight li.hint', { timeout: 60_000 });
  if (await tab.locator('#in-flight').count() > 0) assert.equal((await tab.locator('#in-flight').boundingBox()).height, height, 'as high without any');
  await tab.waitForSelector('[data-verdict]', { timeout: 60_000 });
  await page.close();
});

test('a tab that the browser put to sleep goes on where it was when it wakes up', async () => {
  const page = await stage.open({ prepare: playing({ total: 400, pace: 20 }), hash: linkToAll([LIAR]) });
  const { tab, context } = page;
  await tab.click('#start');
  await tab.waitForFunction(() => Number(document.querySelector('.legend .figure')?.textContent ?? 0) >= 10);
  const devtools = await context.newCDPSession(tab);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  // The clock on the wall after two minutes of sleep.
  await tab.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 120_000;
  });
  await tab.locator('.retrying', { hasText: /asleep for 2\smin/ }).waitFor();
  await tab.waitForSelector('[data-verdict]', { timeout: 60_000 });
  assert.match(await tab.textContent('.legend'), /399.*verified/);
  await page.close();
});

test('from the first byte to the verdict next to nothing moves on the page', async () => {
  const watching = async (context) => {
    await playing({ total: 120, pace: 5 })(context);
    await context.addInitScript(() => {
      globalThis.shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifted += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
  };
  for (const viewport of [{ width: 1440, height: 900 }, { width: 360, height: 740 }]) {
    const page = await stage.open({ prepare: watching, hash: linkToAll([LIAR]), viewport });
    const { tab } = page;
    await tab.waitForSelector('#known:enabled');
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict]', { timeout: 60_000 });
    await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const shifted = await tab.evaluate(() => globalThis.shifted);
    assert.ok(shifted < 0.01, `${shifted} at ${viewport.width} pixels`);
    await page.close();
  }
});

test('the buttons under the form are one line where there is room', async () => {
  for (const width of [1440, 1100]) {
    const page = await stage.open({ prepare: playing(), hash: linkToAll([LIAR, GOOD]), viewport: { width, height: 900 } });
    const { tab } = page;
    await tab.waitForSelector('#known:enabled');
    const tops = await tab.locator('.form-foot .button').evaluateAll((buttons) => buttons.map((button) => Math.round(button.getBoundingClientRect().top)));
    assert.equal(tops.length, 6);
    assert.equal(new Set(tops).size, 1, `${tops} at ${width} pixels`);
    await page.close();
  }
});
