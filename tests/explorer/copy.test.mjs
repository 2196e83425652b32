/** Mirror and repair: the places to write to, the estimate, the run and what came of it. The worker plays its part (actor.js). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { link, linkToAll, playing, setUp } from './support.mjs';

const GOOD = 'https://good.example.org/core_001/';
const LIAR = 'https://lies.example.org/core_002/';
const STATE = '.well-known/stellar-history.json';
const stateOf = (networkPassphrase) => ({ [STATE]: JSON.stringify({ version: 1, currentLedger: 3647, networkPassphrase }) });
const TESTNET = stateOf('Test SDF Network ; September 2015');
const PUBNET = stateOf('Public Global Stellar Network ; September 2015');
const FIRST = 'ledger/00/00/00/ledger-0000003f.xdr.gz';
const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));

let stage;
before(async () => {
  stage = await setUp({ sample });
});
after(async () => {
  await stage?.tearDown();
});

/** A folder to be picked, in the browser's own storage, since nobody is there to answer its dialog. */
function picker(files = {}) {
  return (context) => context.addInitScript((wanted) => {
    globalThis.showDirectoryPicker = async (options) => {
      globalThis.picked = options;
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('mine', { create: true });
      for (const [path, text] of Object.entries(wanted)) {
        const parts = path.split('/');
        const name = parts.pop();
        let at = folder;
        for (const part of parts) at = await at.getDirectoryHandle(part, { create: true });
        const stream = await (await at.getFileHandle(name, { create: true })).createWritable();
        await stream.write(text);
        await stream.close();
      }
      return folder;
    };
  }, files);
}

function pickerThat(throws) {
  return (context) => context.addInitScript((name) => {
    globalThis.showDirectoryPicker = async () => {
      throw new DOMException('not this one', name);
    };
  }, throws);
}

const noPicker = (context) => context.addInitScript(() => {
  delete globalThis.showDirectoryPicker;
});

/** Every message that a run begins with. */
const recorded = (context) => context.addInitScript(() => {
  globalThis.started = [];
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.type === 'start') globalThis.started.push(message);
    return postMessage.call(this, message, ...rest);
  };
});

const writesFail = (name) => (context) => context.addInitScript((wanted) => {
  FileSystemWritableFileStream.prototype.write = async () => {
    throw new DOMException('it went wrong', wanted);
  };
}, name);

function open(options, ...prepare) {
  return stage.open({
    hash: linkToAll([GOOD], { network: 'testnet' }),
    ...options,
    prepare: async (context, tab) => {
      for (const step of [recorded, ...prepare]) await step(context, tab);
    },
  });
}

/** The files of the picked folder, by path. */
function inFolder(tab, ...place) {
  return tab.evaluate(async (names) => {
    const files = {};
    const walk = async (folder, path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await walk(handle, `${path}${name}/`);
        else files[`${path}${name}`] = await (await handle.getFile()).text();
      }
    };
    let folder = await navigator.storage.getDirectory();
    for (const name of names) folder = await folder.getDirectoryHandle(name);
    await walk(folder, '');
    return files;
  }, place);
}

/** A button that says what is missing is no obstacle to a person, though it is to the browser's driver. */
const press = (tab) => tab.click('#copy-start', { force: true });
const disabled = (tab) => tab.getAttribute('#copy-start', 'aria-disabled');

async function readyToMirror(tab) {
  await tab.click('#mirror');
  await tab.click('#choose-place');
  await tab.waitForSelector('.said-there');
  await tab.click('#estimate');
  await tab.waitForSelector('.estimate-figures');
}

async function saved(tab, selector) {
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click(selector)]);
  return { name: download.suggestedFilename(), path: await download.path() };
}

/** What a zip holds, by another program's reading. */
function inZip(path) {
  const script = 'import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint(json.dumps({n:z.read(n).decode("latin-1") for n in z.namelist()}))';
  return JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8', maxBuffer: 1 << 28 }));
}

test('nothing is loaded or asked for before a button says so', async () => {
  const opened = await open({}, playing(), picker());
  const { tab, requests } = opened;
  const part = () => requests.filter((url) => url.includes('CopyArea')).length;
  assert.equal(part(), 0, 'the part that copies comes with the first wish to');
  await tab.click('#mirror');
  await tab.waitForSelector('[data-copy="mirror"]');
  assert.equal(part(), 1);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'copy-title');
  assert.equal(await disabled(tab), 'true');
  await press(tab);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'choose-place', 'leads to what is missing');
  await tab.click('#choose-place');
  await tab.waitForSelector('.said-there');
  assert.deepEqual(await tab.evaluate(() => globalThis.picked.mode), 'readwrite');
  assert.match(await tab.textContent('#copy-lack'), /Estimate first/);
  await press(tab);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'estimate');
  assert.deepEqual(await tab.evaluate(() => globalThis.started), []);
  assert.deepEqual(requests.filter((url) => !url.startsWith(stage.site.url)), []);
  assert.deepEqual(await inFolder(tab, 'mine'), {});
  await opened.close();
});

test('the estimate is shown before anything can be copied, and holds for what it was made of', async () => {
  const opened = await open({}, playing({ estimate: 5 * 2 ** 30 }), picker());
  const { tab } = opened;
  await readyToMirror(tab);
  const text = await tab.textContent('.estimate');
  assert.match(text, /5\.00\sGiB/);
  assert.match(text, /57/);
  assert.match(text, /may be off by a fifth/);
  assert.match(text, /Measured: 5\scheckpoints and 31\sbuckets/);
  assert.equal(await disabled(tab), 'false');
  await tab.fill('#high', '640');
  assert.equal(await disabled(tab), 'true');
  assert.match(await tab.textContent('.estimate'), /form has changed since/);
  await tab.click('#estimate');
  await tab.waitForSelector('.estimate-figures');
  assert.equal(await disabled(tab), 'false');
  const started = await tab.evaluate(() => globalThis.started);
  assert.deepEqual(started.map(({ task }) => task), ['estimate', 'estimate']);
  assert.deepEqual(started.at(-1).options, { range: { high: 640 }, network: 'testnet' });
  // Of a zip of that size it says what it thinks.
  await tab.check('#place-zip');
  assert.match(await tab.textContent('.place-detail'), /more than this browser can gather/);
  await opened.close();
});

test('an estimate can be stopped, and one that fails says why', async () => {
  const slow = await open({}, playing({ pace: 5_000 }), picker());
  await slow.tab.click('#mirror');
  await slow.tab.click('#estimate');
  await slow.tab.click('#estimate-cancel');
  await slow.tab.waitForSelector('#estimate');
  assert.equal(await slow.tab.locator('.estimate .fault').count(), 0);
  await slow.close();
  const failing = await open({}, playing({ stop: { code: 'CORS_OR_NETWORK', message: `${GOOD} could not be read`, advice: 'See that it is up' } }), picker());
  await failing.tab.click('#mirror');
  await failing.tab.click('#estimate');
  await failing.tab.waitForSelector('.estimate .fault');
  assert.match(await failing.tab.textContent('.estimate .fault'), /could not be read.*See that it is up/);
  assert.equal(await disabled(failing.tab), 'true');
  await failing.close();
});

test('a mirror into a folder: progress, files in their places, the statement and the report', async () => {
  const opened = await open({}, playing({ pace: 15 }), picker());
  const { tab } = opened;
  await readyToMirror(tab);
  await tab.click('#copy-more summary');
  await tab.check('#readBack');
  await tab.fill('#limit', '2');
  await tab.click('#copy-start');
  await tab.waitForFunction(() => /Files written[1-9]/.test(document.querySelector('.figures')?.textContent ?? ''));
  assert.equal(await tab.locator('#start').count(), 0, 'no form to change under a run');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'cancel');
  assert.ok(await tab.isVisible('.map-canvas'));
  await tab.waitForSelector('[data-copied="complete"]');
  assert.match(await tab.textContent('.verdict'), /Copied.*4 files were written, each verified/s);
  assert.match(await tab.textContent('#announcer'), /^Done\. 4 files/);
  const files = await inFolder(tab, 'mine');
  assert.deepEqual(Object.keys(files).sort(), [STATE, FIRST, FIRST.replace('3f', '7f'), FIRST.replace('3f', 'bf')]);
  assert.equal(files[FIRST], `half of ${FIRST}\n`.repeat(2));
  const { task, options, destination } = (await tab.evaluate(() => globalThis.started)).at(-1);
  assert.equal(task, 'mirror');
  assert.deepEqual(options, { network: 'testnet', bandwidthLimit: 2 << 20, readBack: true });
  assert.equal(destination.name, 'folder mine');
  assert.ok(destination.can.stage && destination.can.get, 'large files are staged, and what is there is read');
  assert.match(await tab.textContent('.snippet code'), /mirror https:\/\/good\S+ \.\/mine --network testnet --read-back --bandwidth-limit 2097152$/);
  const { path } = await saved(tab, '#download');
  assert.equal(JSON.parse(await readFile(path, 'utf8')).task, 'mirror');
  assert.equal(await tab.locator('#download-plan').count(), 0, 'nothing is left to be planned');
  await tab.click('#check-copy');
  assert.match(await tab.textContent('.archive-row'), /mine/);
  await opened.close();
});

test('cancelled in the middle: what was written stays, and a new start is one click away', async () => {
  const opened = await open({}, playing({ hold: 10 }), picker());
  const { tab } = opened;
  await readyToMirror(tab);
  await tab.click('#copy-start');
  await tab.waitForFunction(() => /^10/.test(document.querySelector('.bars .figure')?.textContent ?? ''));
  await tab.click('#cancel');
  await tab.waitForSelector('[data-copied="incomplete"]');
  const files = Object.keys(await inFolder(tab, 'mine'));
  assert.ok(files.includes(FIRST) && !files.includes(STATE), files.join());
  await tab.click('#again');
  await tab.waitForSelector('#estimate-title');
  assert.match(await tab.textContent('.folder-name'), /mine/);
  assert.equal(await disabled(tab), 'false');
  await opened.close();
});

test('no room left: said as such, with what failed, why, and a plan of it', async () => {
  const opened = await open({}, playing(), picker(), writesFail('QuotaExceededError'));
  const { tab } = opened;
  await readyToMirror(tab);
  await tab.click('#copy-start');
  await tab.waitForSelector('[data-copied="incomplete"]');
  assert.match(await tab.textContent('[data-obstacle="full"]'), /no room left.*Make room on the drive/s);
  assert.equal(await tab.locator('#copied [data-outcome="failed"]').count(), 3);
  assert.match(await tab.textContent('#copied'), /could not be written[^]*it went wrong/i);
  assert.doesNotMatch(await tab.textContent('#copied'), /it went wrong: it went wrong/, 'the cause is said once');
  assert.equal(await tab.locator('#check-copy').count(), 0);
  const { path } = await saved(tab, '#download-plan');
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')).files, { 127: ['ledger'], 191: ['ledger'], 255: ['ledger'] });
  for (const [name, size] of Object.entries(await inFolder(tab, 'mine'))) assert.equal(size, '', `${name} was discarded`);
  await opened.close();
});

test('a permission that is taken back, and a folder that is gone, are told apart', async () => {
  for (const [name, obstacle] of [['NotAllowedError', 'refused'], ['NotFoundError', 'gone'], ['NoModificationAllowedError', 'locked']]) {
    const opened = await open({}, playing(), picker(), writesFail(name));
    await readyToMirror(opened.tab);
    await opened.tab.click('#copy-start');
    await opened.tab.waitForSelector(`[data-obstacle="${obstacle}"]`);
    await opened.close();
  }
});

test('folders that do not do: refused, not empty, of another network', async () => {
  const refused = await open({}, playing(), pickerThat('SecurityError'));
  await refused.tab.click('#mirror');
  await refused.tab.click('#choose-place');
  assert.match(await refused.tab.textContent('.said-there'), /may not write there \(not this one\)/);
  await refused.close();

  const closed = await open({}, playing(), pickerThat('AbortError'));
  await closed.tab.click('#mirror');
  await closed.tab.click('#choose-place');
  await closed.tab.waitForTimeout(100);
  assert.equal(await closed.tab.locator('.said-there').count(), 0, 'a dialog that was closed is no fault');
  await closed.close();

  const full = await open({}, playing(), picker({ 'letter.txt': 'dear', 'a/b.jpg': 'x' }));
  await full.tab.click('#mirror');
  await full.tab.click('#choose-place');
  assert.match(await full.tab.textContent('.said-there'), /not empty.*a, letter\.txt/);
  await full.tab.click('#estimate');
  await full.tab.waitForSelector('.estimate-figures');
  assert.equal(await disabled(full.tab), 'true');
  await full.tab.click('#make-inside');
  await full.tab.waitForFunction(() => document.querySelector('.folder-name').textContent === 'stellar-archive');
  assert.match(await full.tab.textContent('.said-there'), /empty/);
  assert.equal(await disabled(full.tab), 'false');
  await full.close();

  const other = await open({}, playing(), picker(PUBNET));
  await other.tab.click('#mirror');
  await other.tab.click('#choose-place');
  assert.match(await other.tab.textContent('.said-there'), /another network, pubnet/);
  assert.equal(await disabled(other.tab), 'true');
  await other.tab.fill('#network', 'pubnet');
  assert.match(await other.tab.textContent('.said-there'), /holds an archive of pubnet up to ledger 3.647/);
  await other.close();
});

test('a folder is not copied onto itself', async () => {
  const opened = await open({}, playing(), picker({ ...TESTNET, 'ledger/x': 'x' }));
  const { tab } = opened;
  await tab.click('#add-folder');
  await tab.waitForSelector('.folder-name');
  await tab.click('#mirror');
  await tab.click('#choose-place');
  assert.match(await tab.textContent('.said-there'), /mine is one of the archives above/);
  assert.equal(await disabled(tab), 'true');
  await opened.close();
});

test('without a picker: said why, and the zip is there', async () => {
  const opened = await open({}, playing(), noPicker);
  const { tab } = opened;
  await tab.click('#mirror');
  assert.ok(await tab.isDisabled('#place-folder'));
  assert.match(await tab.textContent('.places'), /does not let pages write to folders/);
  await tab.check('#place-zip');
  await tab.click('#estimate');
  await tab.waitForSelector('.estimate-figures');
  await tab.click('#copy-start');
  await tab.waitForSelector('#save-zip');
  const { name, path } = await saved(tab, '#save-zip');
  assert.equal(name, 'good.example.org-core-001.zip');
  const files = inZip(path);
  assert.deepEqual(Object.keys(files).sort(), [STATE, FIRST, FIRST.replace('3f', '7f'), FIRST.replace('3f', 'bf')]);
  assert.equal(files[FIRST], `half of ${FIRST}\n`.repeat(2));
  await opened.close();
});

test('this browser’s storage: kept, gone on with, deleted', async () => {
  const opened = await open({}, playing(), picker());
  const { tab } = opened;
  await tab.click('#mirror');
  await tab.check('#place-storage');
  await tab.waitForSelector('.said-there');
  assert.match(await tab.textContent('.place-detail'), /kept here as good\.example\.org-core-001.*Room for/s);
  await tab.click('#estimate');
  await tab.waitForSelector('.estimate-figures');
  await tab.click('#copy-start');
  await tab.waitForSelector('[data-copied="complete"]');
  assert.equal(Object.keys(await inFolder(tab, 'archives', 'good.example.org-core-001')).length, 4);
  await tab.click('#again');
  await tab.waitForSelector('#empty-storage');
  await tab.click('#empty-storage');
  await tab.waitForFunction(() => /will be kept here/.test(document.querySelector('.said-there')?.textContent ?? ''));
  assert.deepEqual(await inFolder(tab, 'archives'), {});
  await opened.close();
});

test('a repair in a folder: first a look that writes nothing, then the files it found', async () => {
  const opened = await open({ hash: linkToAll([GOOD, LIAR], { network: 'testnet', low: '1', high: '3647' }) }, playing({ broken: 4 }), picker({ ...TESTNET, 'ledger/x': 'x' }));
  const { tab } = opened;
  await tab.click('#repair');
  await tab.click('#choose-place');
  await tab.waitForSelector('.said-there');
  const before = await inFolder(tab, 'mine');
  await tab.click('#copy-start');
  await tab.waitForSelector('#mend-all');
  assert.deepEqual(await inFolder(tab, 'mine'), before);
  assert.match(await tab.textContent('.verdict'), /3\sfiles to mend/);
  assert.equal(await tab.locator('#copied [data-outcome="planned"]').count(), 3);
  assert.match(await tab.textContent('#copied [data-outcome="no-sound-source"]'), /No sound copy/);
  assert.match(await tab.textContent('#copied'), /from good\.example\.org/);
  assert.match(await tab.textContent('#mend-all'), /Mend these 3 files/);
  const plan = JSON.parse(await readFile((await saved(tab, '#download-plan')).path, 'utf8'));
  await tab.click('#mend-all');
  await tab.waitForSelector('[data-copied="faulty"]:has-text("Not all mended")');
  const [look, mend] = await tab.evaluate(() => globalThis.started);
  assert.equal(look.options.dryRun, true);
  assert.deepEqual(look.options.range, { low: 1, high: 3647 });
  assert.equal(mend.options.dryRun, undefined);
  assert.equal(mend.options.range, undefined, 'a plan is of no range');
  assert.deepEqual(JSON.parse(mend.options.plan), plan);
  assert.equal((await inFolder(tab, 'mine'))[FIRST], `half of ${FIRST}\n`.repeat(2));
  assert.equal(await tab.locator('#copied [data-outcome="written"]').count(), 3);
  await opened.close();
});

test('a folder without an archive cannot be repaired, and is told what one looks like', async () => {
  const opened = await open({}, playing(), picker());
  await opened.tab.click('#repair');
  await opened.tab.click('#choose-place');
  assert.match(await opened.tab.textContent('.said-there'), /no archive in it.*\.well-known/s);
  assert.equal(await disabled(opened.tab), 'true');
  await opened.close();
});

test('nothing broken: nothing to mend', async () => {
  const opened = await open({}, playing({ broken: 0 }), picker({ ...TESTNET, 'ledger/x': 'x' }));
  const { tab } = opened;
  await tab.click('#repair');
  await tab.click('#choose-place');
  await tab.waitForSelector('.said-there');
  await tab.click('#copy-start');
  await tab.waitForSelector('[data-copied="complete"]');
  assert.match(await tab.textContent('.verdict h2'), /Nothing to mend/);
  assert.equal(await tab.locator('#mend-all').count(), 0);
  await opened.close();
});

test('from a faulty verdict to a zip that mends it', async () => {
  const opened = await open({ hash: linkToAll([LIAR], { network: 'testnet' }) }, playing({ broken: 2 }), (context) =>
    context.route('https://lies.example.org/**', (route) => route.fulfill({ status: 404, headers: { 'access-control-allow-origin': '*' } })));
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict="faulty"]');
  assert.equal(await tab.locator('#mirror-this').count(), 0, 'a faulty archive is not offered to be copied');
  await tab.click('#repair-this');
  await tab.waitForSelector('#mend');
  assert.equal(await tab.inputValue('#mend'), LIAR);
  assert.equal(await tab.inputValue('#archive'), '', 'its own files are of no use to it');
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await press(tab);
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'archive');
  await tab.fill('#archive', LIAR);
  assert.match(await tab.textContent('.place-detail .fault'), /mended from itself/);
  await tab.fill('#archive', GOOD);
  assert.deepEqual(opened.requests.filter((url) => url.startsWith(LIAR)), [], 'nothing is read before the button');
  await tab.click('#copy-start');
  await tab.waitForSelector('#mend-all');
  assert.ok(opened.requests.includes(`${LIAR}${STATE}`), 'the archive to mend is read through the page');
  assert.equal(await tab.locator('#save-zip').count(), 0);
  await tab.click('#mend-all');
  await tab.waitForSelector('#save-zip');
  assert.match(await tab.textContent('.verdict'), /zip is ready.*as it was.*unzip -o/s);
  const { name, path } = await saved(tab, '#save-zip');
  assert.equal(name, 'repair-lies.example.org-core-002.zip');
  const { 'README.txt': readme, ...files } = inZip(path);
  assert.deepEqual(Object.keys(files).sort(), [FIRST, FIRST.replace('3f', '7f')]);
  assert.match(readme, /Archive:\s+https:\/\/lies/);
  assert.ok(readme.includes(`unzip -o ${name} -x README.txt -d /path/to/archive`), readme);
  await opened.close();
});

test('a copy that cannot go on says why and leads back', async () => {
  const opened = await open({}, playing({ stop: { code: 'USAGE', message: 'the destination is of another network', advice: 'Choose another destination' } }), picker({ ...TESTNET, 'ledger/x': 'x' }));
  const { tab } = opened;
  await tab.click('#repair');
  await tab.click('#choose-place');
  await tab.waitForSelector('.said-there');
  await tab.click('#copy-start');
  await tab.waitForSelector('[data-copied="stopped"]');
  assert.match(await tab.textContent('.verdict'), /of another network.*Choose another destination.*Nothing was written/s);
  await tab.click('#again');
  await tab.waitForSelector('#copy-start');
  await opened.close();
});

test('closing leads back to the check that stood there', async () => {
  const opened = await open({}, playing(), picker());
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict="verified"]');
  await tab.click('#mirror-this');
  await tab.waitForSelector('[data-copy="mirror"]');
  assert.equal(await tab.locator('[data-verdict]').count(), 0);
  await tab.click('#copy-close');
  await tab.waitForSelector('[data-verdict="verified"]');
  await opened.close();
});

test('a part of the page that does not arrive is explained, and trying again works', async () => {
  let refuse = true;
  const opened = await open({}, playing(), (context) => context.route('**/CopyArea-*.js', (route) => (refuse ? route.abort() : route.continue())));
  const { tab } = opened;
  await tab.click('#mirror');
  const alert = tab.locator('[role="alert"]');
  await alert.waitFor();
  assert.match(await alert.textContent(), /could not be loaded/);
  await alert.getByRole('button', { name: 'Back' }).click();
  await tab.waitForSelector('#start');
  await tab.click('#mirror');
  await alert.waitFor();
  refuse = false;
  await alert.getByRole('button', { name: 'Try again' }).click();
  await tab.waitForSelector('[data-copy="mirror"]');
  await opened.close();
});

test('by keyboard alone, 360 pixels wide: nothing scrolls sideways and all is reached', async () => {
  const opened = await open({ viewport: { width: 360, height: 740 } }, playing(), picker(TESTNET));
  const { tab } = opened;
  const tabTo = async (id) => {
    for (let presses = 0; presses < 80; presses += 1) {
      if ((await tab.evaluate(() => document.activeElement.id)) === id) return;
      await tab.keyboard.press('Tab');
    }
    assert.fail(`${id} is not reached by Tab`);
  };
  const fits = async () => {
    const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  };
  await tabTo('mirror');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('[data-copy="mirror"]');
  await tabTo('place-folder');
  await tab.keyboard.press('ArrowDown');
  assert.ok(await tab.isChecked('#place-zip'));
  await tab.keyboard.press('ArrowUp');
  await tabTo('choose-place');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.said-there');
  await fits();
  await tabTo('estimate');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('.estimate-figures');
  await fits();
  await tabTo('copy-start');
  await tab.keyboard.press('Enter');
  await tab.waitForSelector('[data-copied="complete"]');
  assert.ok(await tab.evaluate(() => document.activeElement.closest('.verdict') !== null), 'focus is on what can be done next');
  await fits();
  await opened.close();
});

describe('over the sample archive, with the worker that does the work', () => {
  const RUN = { timeout: 120_000 };

  async function mirrored(tab) {
    await tab.click('#mirror');
    await tab.click('#choose-place');
    await tab.waitForSelector('.said-there');
    await tab.click('#estimate');
    await tab.waitForSelector('.estimate-figures', RUN);
    await tab.click('#copy-start');
    await tab.waitForSelector('[data-copied]', RUN);
    assert.equal(await tab.getAttribute('.verdict', 'data-copied'), 'complete', await tab.textContent('.verdict'));
  }

  test('a mirror is byte by byte the archive, and verifies', async () => {
    const opened = await open({ hash: link({ archive: '/archive/sample/' }) }, picker());
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    await mirrored(tab);
    const differing = await tab.evaluate(async () => {
      const wrong = [];
      let count = 0;
      const walk = async (folder, path) => {
        for await (const [name, handle] of folder.entries()) {
          if (handle.kind === 'directory') {
            await walk(handle, `${path}${name}/`);
            continue;
          }
          count += 1;
          const [mine, theirs] = await Promise.all([(await handle.getFile()).arrayBuffer(), fetch(`/archive/sample/${path}${name}`).then((answer) => answer.arrayBuffer())]);
          const bytes = new Uint8Array(theirs);
          if (!path.startsWith('.well-known') && (mine.byteLength !== bytes.length || new Uint8Array(mine).some((byte, at) => byte !== bytes[at]))) wrong.push(path + name);
        }
      };
      await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle('mine'), '');
      return { wrong, count };
    });
    assert.deepEqual(differing.wrong, []);
    assert.ok(differing.count > 20, `${differing.count} files`);
    await tab.click('#check-copy');
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict]', RUN);
    assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified');
    await opened.close();
  });

  test('a damaged copy is found out and mended from the archive', async () => {
    const opened = await open({ hash: link({ archive: '/archive/sample/' }) }, picker());
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    await mirrored(tab);
    await tab.evaluate(async () => {
      let folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('mine');
      for (const part of ['ledger', '00', '00', '00']) folder = await folder.getDirectoryHandle(part);
      const stream = await (await folder.getFileHandle('ledger-0000003f.xdr.gz')).createWritable();
      await stream.write('no gzip');
      await stream.close();
      await folder.removeEntry('ledger-0000007f.xdr.gz');
    });
    await tab.click('#copy-close');
    await tab.click('#repair');
    // The folder that was chosen is still there.
    await tab.waitForSelector('.said-there');
    await tab.click('#copy-start');
    await tab.waitForSelector('#mend-all', RUN);
    const listed = await tab.textContent('#copied');
    assert.match(listed, /ledger-0000003f\.xdr\.gz\s*faulty/);
    assert.match(listed, /ledger-0000007f\.xdr\.gz\s*missing/);
    await tab.click('#mend-all');
    await tab.waitForSelector('[data-copied="complete"]:has-text("Mended")', RUN);
    await tab.click('#check-copy');
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict="verified"]', RUN);
    await opened.close();
  });

  test('a zip mends an archive that is only read', async () => {
    const gone = '**/archive/sample/ledger/00/00/00/ledger-0000003f.xdr.gz';
    const opened = await open({ hash: link({ archive: '/archive/sample/' }) }, picker(), (context) =>
      // The same archive under another name, with a file missing.
      context.route('**/archive/faulty/**', async (route) => {
        const url = route.request().url().replace('/faulty/', '/sample/');
        if (url.endsWith(gone.slice(-29))) return route.fulfill({ status: 404 });
        return route.fulfill({ response: await route.fetch({ url }) });
      }));
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    await tab.click('#repair');
    await tab.check('#place-zip');
    await tab.fill('#mend', '/archive/faulty/');
    await tab.click('#copy-start');
    await tab.waitForSelector('#mend-all', RUN);
    await tab.click('#mend-all');
    await tab.waitForSelector('#save-zip', RUN);
    const files = inZip((await saved(tab, '#save-zip')).path);
    assert.deepEqual(Object.keys(files).sort(), ['README.txt', FIRST]);
    assert.equal(files[FIRST], await readFile(join(sample, FIRST), 'latin1'));
    await opened.close();
  });
});
