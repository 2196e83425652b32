/** Archives in zips, and whatever is dropped on the page: read on this computer only, and refused with a reason where they cannot be. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createWriteStream, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zipArchive } from '../../dist/node.mjs';
import { linkToAll, playing, setUp } from './support.mjs';

const sample = fileURLToPath(new URL('../../target/sample-archive', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const RUN = { timeout: 60_000 };
const HEADERS = 'ledger/00/00/00/ledger-0000003f.xdr.gz';
const STATE = '.well-known/stellar-history.json';

let stage;
let dir;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'explorer-zip-'));
  cpSync(sample, join(dir, 'core_live'), { recursive: true });
  stage = await setUp({ sample });
});
after(async () => {
  await stage?.tearDown();
  rmSync(dir, { recursive: true, force: true });
});

/** A zip as Python makes it: `script` has `z`, open for writing, `sample`, and `add(name, path)`. What it leaves in `data` is the file, if anything. */
function made(name, script) {
  const path = join(dir, name);
  const program = [
    'import io, os, struct, sys, zipfile',
    'from zipfile import ZipFile, ZipInfo, ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2',
    'path, sample = sys.argv[1:]',
    'buffer = io.BytesIO()',
    'z = ZipFile(buffer, "w")',
    'def add(at="", how=ZIP_DEFLATED, only=None):',
    '    for root, _, names in sorted(os.walk(sample)):',
    '        for name in sorted(names):',
    '            inner = os.path.relpath(os.path.join(root, name), sample)',
    '            if only is None or only(inner): z.write(os.path.join(root, name), at + inner, how)',
    'data = None',
    'import warnings; warnings.simplefilter("ignore")',
    ...script.trim().split('\n'),
    'z.close()',
    'data = finish(bytearray(buffer.getvalue())) if "finish" in globals() else buffer.getvalue()',
    'open(path, "wb").write(data)',
  ];
  execFileSync('python3', ['-c', program.join('\n'), path, sample], { stdio: 'pipe' });
  return path;
}

async function choose(tab, button, ...paths) {
  const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), button.click()]);
  await chooser.setFiles(paths);
}

async function addZip(tab, path) {
  await tab.waitForSelector('#known:enabled');
  const rows = await tab.locator('.archives .folder').count();
  await choose(tab, tab.locator('#add-zip'), path);
  await tab.waitForFunction((count) => document.querySelectorAll('.archives .folder').length > count || document.querySelector('.fault[data-taking]'), rows);
}

const refusal = async (tab) => (await tab.locator('.fault[data-taking]').count()) === 0 ? null : tab.textContent('.fault[data-taking]');
const archives = (tab) => tab.locator('.archives .folder .folder-name').allTextContents();
/** Without the server's own archive, which the page would put into the form by itself. */
const bare = (context) => context.route('**/archives.json', (route) => route.fulfill({ status: 404 }));

async function verified(tab) {
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', await tab.textContent('.verdict'));
}

async function axeClean(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`), []);
}

test('a zip of a folder is verified and looked into, and no server is asked for anything of it', async () => {
  execFileSync('zip', ['-qr', 'core_live.zip', 'core_live'], { cwd: dir });
  const opened = await stage.open({ prepare: bare });
  const { tab, requests } = opened;
  await addZip(tab, join(dir, 'core_live.zip'));
  assert.equal(await tab.textContent('#archive'), 'core_live.zipon this computer');
  assert.match(await tab.textContent('.form-foot'), /read on this computer: no server is asked for anything/);
  assert.equal(new URLSearchParams(new URL(tab.url()).hash.slice(1)).get('zip'), 'core_live.zip');
  await verified(tab);
  assert.match(await tab.textContent('.subject'), /zip core_live\.zip/);
  assert.match(await tab.textContent('.report-box, .report, main'), /verify \.\/core_live(?!\.zip)/);
  await tab.evaluate(() => { location.hash += '&ledger=70'; });
  await tab.waitForSelector('.view[data-view="ledger"][aria-busy="false"]', RUN);
  assert.match(await tab.textContent('.view'), /On this computer: nothing is asked of any server/);
  await tab.getByRole('button', { name: 'Show me all' }).click();
  const line = await tab.locator('.view code', { hasText: /^unzip/ }).first().textContent();
  assert.match(line, /^unzip -p \.\/core_live\.zip core_live\/ledger\/.* \| sha256sum$/);
  const hash = execFileSync('sh', ['-c', line], { cwd: dir, encoding: 'utf8' }).slice(0, 64);
  assert.ok((await tab.textContent('.view')).includes(hash) || (await tab.locator(`[title*="${hash}"], [data-hash="${hash}"]`).count()) > 0, 'the command gives a hash that is shown');
  assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
  await opened.close();
});

test('zips of every making: stored, 64-bit, streamed, with something before it, with Windows’ slashes', async () => {
  const zips = [
    made('stored.zip', 'add(how=ZIP_STORED)'),
    made('long.zip', `
for root, _, names in os.walk(sample):
    for name in names:
        inner = os.path.relpath(os.path.join(root, name), sample)
        info = ZipInfo("a/b/" + inner); info.compress_type = ZIP_DEFLATED
        with z.open(info, "w", force_zip64=True) as out: out.write(open(os.path.join(sample, inner), "rb").read())
def finish(data):
    # The 64-bit end of the table, which Python writes for large zips only.
    end = len(data) - 22
    count, size, at = struct.unpack_from("<HII", data, end + 10)
    long = struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, size, at) + struct.pack("<IIQI", 0x07064b50, 0, end, 1)
    struct.pack_into("<HHII", data, end + 8, 0xffff, 0xffff, 0xffffffff, 0xffffffff)
    return data[:end] + long + data[end:]
`),
    made('after.zip', `
add()
def finish(data): return b"#!/bin/sh\\nexit 1\\n" * 99 + data
`),
    made('slashes.zip', `
for root, _, names in os.walk(sample):
    for name in names:
        inner = os.path.relpath(os.path.join(root, name), sample)
        z.writestr(ZipInfo(inner), open(os.path.join(sample, inner), "rb").read())
def finish(data):
    for kind in [b"ledger", b"history", b"transactions", b"results", b"scp", b"bucket"]: data = data.replace(kind + b"/", kind + b"\\\\")
    return data
`),
  ];
  execFileSync('sh', ['-c', 'cd core_live && zip -qr - . | cat > ../streamed.zip'], { cwd: dir });
  zips.push(join(dir, 'streamed.zip'));
  const opened = await stage.open({ prepare: bare });
  const { tab } = opened;
  for (const path of zips) {
    await addZip(tab, path);
    assert.equal(await refusal(tab), null, path);
    await verified(tab);
    assert.match(await tab.textContent('.totals'), /5/, path);
    await tab.click('#change');
    await tab.click('.archive-row .remove');
  }
  await opened.close();
});

test('the zip that this package writes is an archive again, also without a network', async () => {
  const zip = zipArchive('copy.zip');
  const { signal } = new AbortController();
  for (const path of readdirSync(sample, { recursive: true }).filter((name) => statSync(join(sample, name)).isFile())) await zip.put(path, readFileSync(join(sample, path)), { signal });
  const path = join(dir, 'copy.zip');
  await pipeline(Readable.fromWeb(zip.stream()), createWriteStream(path));
  const opened = await stage.open({ prepare: bare });
  // As soon as the page is there it needs nobody any more.
  await opened.tab.waitForSelector('#known:enabled');
  await opened.tab.waitForLoadState('networkidle');
  await opened.context.setOffline(true);
  await addZip(opened.tab, path);
  assert.equal(await refusal(opened.tab), null);
  await verified(opened.tab);
  await opened.close();
});

test('the page’s own zip of a copy is checked again, beside the archive that it was made of', async () => {
  const opened = await stage.open({ hash: linkToAll(['/archive/sample/']) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.click('#mirror');
  await tab.check('#place-zip');
  await tab.click('#estimate');
  await tab.waitForSelector('#copy-start[aria-disabled="false"], #copy-start:not([aria-disabled="true"])', RUN);
  await tab.click('#copy-start', { force: true });
  await tab.waitForSelector('#save-zip', RUN);
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#save-zip')]);
  const path = join(dir, 'mirrored.zip');
  await download.saveAs(path);
  await tab.goto(`${stage.site.url}${linkToAll(['/archive/sample/'])}`);
  await tab.reload();
  await addZip(tab, path);
  assert.equal(await refusal(tab), null);
  await verified(tab);
  assert.equal(await tab.locator('#sources tbody tr').count(), 2);
  assert.ok(Number(await tab.locator('#sources [data-archive="zip mirrored.zip"] td').nth(2).textContent()) > 0, 'the zip was read');
  await tab.click('#change');
  await tab.click('#compare');
  await tab.waitForSelector('[data-compare="planned"]', RUN);
  await tab.click('#compare-start');
  await tab.waitForSelector('[data-comparison="agree"]', RUN);
  await opened.close();
});

const HOSTILE = [
  ['two files of one name', 'add()\nz.writestr("' + STATE + '", "{}")', /two files with the name “\.well-known\/stellar-history\.json”.*Make it again/],
  ['a name that leads out', 'add()\nz.writestr("../../.bashrc", "echo")', /“\.\.\/\.\.\/\.bashrc”, which leads out of the folder.*do not unpack it/],
  ['an absolute name', 'add()\nz.writestr("C:/Windows/system.ini", "")', /“C:\/Windows\/system\.ini”, which leads out/],
  ['no archive', 'z.writestr("letters/1.txt", "Dear …")', /There is no archive in the zip.*stellar-history\.json/],
  ['several archives', 'add("one/")\nadd("two/")', /several archives in the zip, in “one\/”, “two\/”\. Make a zip of one/],
  ['nothing', 'pass', /There is no archive in the zip/],
  ['another packing', 'add(how=ZIP_BZIP2)', /is packed by method 12, which browsers cannot unpack.*deflate/],
  ['encryption', 'add()\ndef finish(data):\n    at = data.index(b"PK\\1\\2")\n    data[at + 8] |= 1\n    return data', /is encrypted\. Unpack the zip with its password/],
  ['its end cut off', 'add()\ndef finish(data): return data[:len(data) // 2]', /ends too early.*was not complete/],
  ['no zip', 'def finish(data): return b"not at all" * 99', /This is not a zip/],
  ['one part of several', 'add()\ndef finish(data):\n    data[len(data) - 18] = 3\n    return data', /one part of a zip that was split/],
  ['a count that is too low', 'add()\ndef finish(data):\n    struct.pack_into("<HH", data, len(data) - 14, 1, 1)\n    return data', /lists \d+ files and says that there are 1/],
  ['a place beyond its end', 'add()\ndef finish(data):\n    struct.pack_into("<I", data, data.index(b"PK\\1\\2") + 42, 0x7fffffff)\n    return data', /lies beyond the files of the zip/],
  ['a length beyond its end', 'add()\ndef finish(data):\n    struct.pack_into("<I", data, data.index(b"PK\\1\\2") + 20, 0x7fffffff)\n    return data', /lies beyond the files of the zip/],
  ['a table before its beginning', 'add()\ndef finish(data):\n    struct.pack_into("<I", data, len(data) - 10, 0x7fffffff)\n    return data', /would begin before the zip does/],
  ['rubbish in the table', 'add()\ndef finish(data):\n    at = data.index(b"PK\\1\\2", data.index(b"PK\\1\\2") + 4)\n    data[at:at + 4] = b"junk"\n    return data', /has something else among its names/],
  ['billions of files', 'add()\ndef finish(data):\n    end = len(data) - 22\n    size, at = struct.unpack_from("<II", data, end + 12)\n    return data[:end] + struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, 9 * 10**9, 9 * 10**9, size, at) + struct.pack("<IIQI", 0x07064b50, 0, end, 1) + data[end:]',
    /says that it has 9000000000 files: more than a page can keep in mind/],
  ['a link', 'add()\ni = ZipInfo("link")\ni.create_system = 3\ni.external_attr = 0xa1ed << 16\nz.writestr(i, "elsewhere")', /“link” in the zip is a link, which leads nowhere/],
  ['a second end in its comment', 'add()\ndef finish(data):\n    end = bytes(data[-22:])\n    return data[:-2] + struct.pack("<H", 22) + end', /has something else among its names/],
  ['something behind its end', 'add()\ndef finish(data): return data + b"more"', /ends too early|This is not a zip/],
  ['its last byte missing', 'add()\nz.comment = b"made by hand"\ndef finish(data): return data[:-1]', /ends too early/],
];

test('zips that are wrong, or that programs would unpack differently, are refused with what is wrong', async () => {
  const opened = await stage.open({ prepare: bare });
  const { tab } = opened;
  for (const [place, [what, script, words]] of HOSTILE.entries()) {
    await addZip(tab, made(`hostile-${place}.zip`, script));
    assert.match(await refusal(tab) ?? 'taken', words, what);
    assert.deepEqual(await archives(tab), [], what);
    await tab.waitForFunction((text) => text.includes(document.getElementById('announcer').textContent.slice(0, 40)), await refusal(tab));
    assert.match(await tab.textContent('#announcer'), words, `${what}: also said aloud`);
    await tab.getByRole('button', { name: 'Dismiss' }).click();
  }
  await opened.close();
});

test('a table of a million names and more is given up before it is held', async () => {
  // The same record over and over, each with a name of its own: 1,000,001 files in 58 MB.
  const path = made('million.zip', `
def finish(data):
    record = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0)
    local = bytes(64)
    table = b"".join(record + b"%07d" % n for n in range(1000001))
    return local + table + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1000001 % 65536, 1000001 % 65536, len(table), len(local), 0)
`);
  const opened = await stage.open({ prepare: bare });
  await addZip(opened.tab, path);
  assert.match(await refusal(opened.tab), /more than 1000000 files/);
  await opened.close();
});

test('files of a zip that are longer or shorter than it says, or no deflate at all, are named; the rest is still checked', async () => {
  const sizes = (change) => `
add()
def finish(data):
    at = data.index(b"PK\\1\\2")
    while data[at + 46:at + 46 + ${HEADERS.length}] != b"${HEADERS}": at = data.index(b"PK\\1\\2", at + 4)
    ${change}
    return data
`;
  for (const [name, change, words] of [
    ['longer.zip', 'struct.pack_into("<I", data, at + 24, 10)', /more than the 10 bytes that the zip says/],
    ['shorter.zip', 'struct.pack_into("<I", data, at + 24, 10**9)', /less than the 1000000000 bytes that the zip says/],
    ['elsewhere.zip', 'struct.pack_into("<I", data, at + 42, struct.unpack_from("<I", data, at + 42)[0] + 1)', /is another than the zip’s table of contents says/],
    ['rubbish.zip', 'start = struct.unpack_from("<I", data, at + 42)[0] + 30 + ' + HEADERS.length + '; data[start:start + 40] = b"\\xff" * 40', /cannot be unpacked/],
  ]) {
    const opened = await stage.open({ prepare: bare });
    const { tab } = opened;
    await addZip(tab, made(name, sizes(change)));
    assert.equal(await refusal(tab), null, name);
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict]', RUN);
    assert.notEqual(await tab.getAttribute('.verdict', 'data-verdict'), 'verified', name);
    assert.match(await tab.textContent('main'), words, name);
    assert.match(await tab.textContent('.legend'), /[1-9]\d*\D?verified/, name);
    await opened.close();
  }
});

test('a run over a zip has to be given the zip again after a reload, and the page says so', async () => {
  const path = made('kept.zip', 'add()');
  const opened = await stage.open({ prepare: async (context) => { await bare(context); await playing({ hold: 41 })(context); } });
  const { tab } = opened;
  await addZip(tab, path);
  await tab.click('#start');
  await tab.waitForFunction(() => /^41\D+of/.test(document.querySelector('.bars .figure')?.textContent ?? ''), null, RUN);
  const stored = () => tab.evaluate(() => new Promise((resolve) => {
    indexedDB.open('stellar-archive-verifier').onsuccess = ({ target: { result } }) => {
      const all = result.transaction('runs').objectStore('runs').getAll();
      all.onsuccess = () => { result.close(); resolve(all.result.some(({ done }) => done >= 40)); };
    };
  }));
  for (let tries = 0; tries < 2000 && !(await stored()); tries += 1);
  assert.ok(await stored());
  await tab.reload();
  const offer = tab.locator('.offer');
  await offer.waitFor();
  assert.match(await offer.textContent(), /read from a zip of this computer\. Browsers forget such files with the page, so it has to be chosen again/);
  assert.ok(await offer.getByRole('button', { name: 'Continue' }).isDisabled());
  assert.match(await tab.textContent('.folder'), /kept\.zip.*Choose it again/);
  await choose(tab, offer.getByRole('button', { name: 'Choose kept.zip' }), path);
  await tab.waitForFunction(() => !document.querySelector('.offer .actions button').disabled);
  await offer.getByRole('button', { name: 'Continue' }).click();
  await tab.waitForSelector('[data-verdict="verified"]', RUN);
  await opened.close();
});

/** What a person does with files of their computer over the page, as the browser's own driver plays it. */
async function drop(opened, ...files) {
  const { tab, context } = opened;
  const driver = await context.newCDPSession(tab);
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await driver.send('Input.dispatchDragEvent', { type, x: 700, y: 500, data: { items: [], files, dragOperationsMask: 1 } });
    if (type === 'dragOver') assert.ok(await tab.evaluate(() => document.documentElement.classList.contains('dropping')), 'it shows that it may be dropped');
  }
  assert.ok(!(await tab.evaluate(() => document.documentElement.classList.contains('dropping'))));
}

const rows = (tab, count) => tab.waitForFunction((wanted) => document.querySelectorAll('.archives .folder').length === wanted, count);

test('a folder and a zip dropped anywhere on the page are archives of the form, in place of what nobody chose', async () => {
  const path = made('dropped.zip', 'add()');
  const opened = await stage.open();
  const { tab, requests } = opened;
  await tab.waitForFunction(() => document.getElementById('archive').value === '/archive/sample/');
  await drop(opened, join(dir, 'core_live'));
  await rows(tab, 1);
  assert.deepEqual(await archives(tab), ['core_live']);
  assert.match(await tab.textContent('#announcer'), /Folder core_live is the archive of the form/);
  await drop(opened, path);
  await rows(tab, 2);
  assert.match(await tab.textContent('#announcer'), /Zip dropped\.zip is archive 2 of the form/);
  await verified(tab);
  assert.deepEqual(requests.filter((url) => url.includes('/archive/')), []);
  await opened.close();
});

test('without handles of the File System Access API a dropped folder is read by its entries', async () => {
  // As in Firefox: the method is taken away from the browser.
  const opened = await stage.open({ prepare: async (context, tab) => { await bare(context); await tab.addInitScript(() => { delete DataTransferItem.prototype.getAsFileSystemHandle; }); } });
  await drop(opened, join(dir, 'core_live'));
  await rows(opened.tab, 1);
  await verified(opened.tab);
  await opened.close();
});

test('a dropped file is what it holds: a zip without its ending, a proof, or neither', async () => {
  const zip = made('download', 'add()');
  const letter = join(dir, 'letter.json');
  writeFileSync(letter, 'Dear …');
  const proof = join(dir, 'proof.json');
  writeFileSync(proof, '{ "schema": 1, "kind": "transaction" }');
  const opened = await stage.open({ prepare: bare });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  await drop(opened, zip);
  await rows(tab, 1);
  await drop(opened, letter);
  await tab.waitForSelector('.fault[data-taking="letter.json"]');
  assert.match(await refusal(tab), /neither an archive’s folder, nor a zip of one, nor a proof/);
  await drop(opened, proof);
  await tab.waitForFunction(() => /proof\.json/.test(document.querySelector('.proof-check').textContent));
  assert.equal(await refusal(tab), null);
  assert.deepEqual(await archives(tab), ['download']);
  // Also while one looks inside of an archive: the proof has a place of its own.
  await tab.evaluate(() => { location.hash += '&checkpoint=newest'; });
  await tab.waitForSelector('.view[aria-busy="false"]', RUN);
  await drop(opened, letter);
  await tab.waitForSelector('.fault[data-taking="letter.json"]');
  await drop(opened, proof);
  await tab.waitForFunction(() => !location.hash.includes('checkpoint='));
  await opened.close();
});

test('zips and refusals: by keyboard, axe, 320 pixels', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const opened = await stage.open({ prepare: bare, colorScheme, viewport: { width: 320, height: 700 } });
    const { tab } = opened;
    await addZip(tab, made('a-zip-with-a-name-that-is-longer-than-a-telephone-is-wide.zip', 'add()'));
    await tab.waitForSelector('#known:enabled');
    const wrong = made('wrong.zip', HOSTILE[0][1]);
    tab.on('filechooser', (chooser) => void chooser.setFiles(wrong));
    await tab.focus('#add-zip');
    await tab.keyboard.press('Enter');
    await tab.waitForSelector('.fault[data-taking]');
    await axeClean(tab);
    assert.ok((await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await opened.close();
  }
});
