/** Archives in folders: the suite, and what disks and processes do to them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { directoryWriter } from '../../dist/node.mjs';
import { PATHS, bytes } from './conformance.mjs';
import { conforms, filesIn, freshFolder, inFolder, temporary, unstopped } from './support.mjs';

const LEDGER = PATHS[2];

conforms('folder', async (t) => {
  const folder = await freshFolder(t);
  return { writer: directoryWriter(folder), ...inFolder(folder), list: () => filesIn(folder).catch(() => []) };
});

/** A process that writes at `path` of `folder` until it is killed. */
async function killedWriter(folder, path, whileAlive = async () => undefined) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `
    const { directoryWriter } = await import(${JSON.stringify(new URL('../../dist/node.mjs', import.meta.url).href)});
    const file = await directoryWriter(${JSON.stringify(folder)}).stage(${JSON.stringify(path)}, { signal: new AbortController().signal });
    await file.write(new Uint8Array(1000));
    console.log('written');
    setInterval(() => undefined, 1000);
  `], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  try {
    await once(child.stdout, 'data');
    await whileAlive();
  } finally {
    child.kill('SIGKILL');
  }
  await closed;
}

test('what a killed process left is no file of the archive, and goes away when its file is written again', async (t) => {
  const folder = await temporary(t);
  await killedWriter(folder, LEDGER);
  const writer = directoryWriter(folder);
  const [left, ...others] = await filesIn(folder);
  assert.deepEqual(others, []);
  assert.match(left, /^ledger\/00\/00\/00\/\.ledger-0000003f\.xdr\.gz\.\d+-[0-9a-f]{12}\.partial$/);
  assert.equal(await writer.exists(LEDGER, unstopped()), false);
  assert.equal(await writer.get(LEDGER, unstopped()), null);
  await writer.put(LEDGER, bytes(9), unstopped());
  assert.deepEqual(await filesIn(folder), [LEDGER]);
});

test('what another process is writing is left alone', async (t) => {
  const folder = await temporary(t);
  await killedWriter(folder, LEDGER, async () => {
    await directoryWriter(folder).put(LEDGER, bytes(9), unstopped());
    assert.equal((await filesIn(folder)).length, 2);
  });
  await directoryWriter(folder).put(LEDGER, bytes(10), unstopped());
  assert.deepEqual(await filesIn(folder), [LEDGER]);
});

test("leftovers of a process with this one's number, and of long ago; other files are the user's", async (t) => {
  const folder = await temporary(t);
  const place = dirname(join(folder, LEDGER));
  await mkdir(place, { recursive: true });
  const names = {
    // A container that was started again: the same number, another process.
    gone: [`.ledger-0000003f.xdr.gz.${process.pid}-0123456789ab.partial`, 60_000],
    // Of a machine whose process 1 may be running or not.
    old: ['.ledger-0000007f.xdr.gz.1-0123456789ab.partial', 48 * 3600_000],
    recent: ['.ledger-0000007f.xdr.gz.1-ba9876543210.partial', 3600_000],
    foreign: ['notes.partial', 48 * 3600_000],
  };
  for (const [name, age] of Object.values(names)) {
    await writeFile(join(place, name), 'x');
    await utimes(join(place, name), new Date(Date.now() - age), new Date(Date.now() - age));
  }
  await directoryWriter(folder).put(LEDGER, bytes(9), unstopped());
  assert.deepEqual((await filesIn(place)).sort(), ['ledger-0000003f.xdr.gz', names.recent[0], names.foreign[0]].sort());
});

test('what another writer of this process began earlier is left alone', async (t) => {
  const folder = await temporary(t);
  const slow = await directoryWriter(folder).stage(LEDGER, unstopped());
  await slow.write(bytes(9));
  await setTimeout(50);
  await directoryWriter(folder).put(LEDGER, bytes(10), unstopped());
  await slow.commit();
  assert.deepEqual(new Uint8Array(await readFile(join(folder, LEDGER))), bytes(9));
});

test('many writers at one file: it is one of theirs, whole, and nothing is left', async (t) => {
  const folder = await temporary(t);
  const contents = Array.from({ length: 20 }, (_, index) => bytes(50_000, index + 1));
  await Promise.all(contents.map((content) => directoryWriter(folder).put(LEDGER, content, unstopped())));
  const found = await readFile(join(folder, LEDGER));
  assert.ok(contents.some((content) => found.equals(content)));
  assert.deepEqual(await filesIn(folder), [LEDGER]);
});

test('a file can be read by whoever may read files here, and a link is replaced, not followed', async (t) => {
  const folder = await temporary(t);
  const writer = directoryWriter(folder);
  await writer.put(LEDGER, bytes(9), unstopped());
  await writeFile(join(folder, 'plain'), '');
  assert.equal((await stat(join(folder, LEDGER))).mode, (await stat(join(folder, 'plain'))).mode);
  const victim = join(folder, 'victim');
  await writeFile(victim, 'as it was');
  await symlink(victim, join(folder, 'linked.json'));
  await writer.put('linked.json', bytes(9), unstopped());
  assert.equal(await readFile(victim, 'utf8'), 'as it was');
  assert.deepEqual(new Uint8Array(await readFile(join(folder, 'linked.json'))), bytes(9));
});

test('a place that cannot be written: the code, the file, what to do', async (t) => {
  const folder = await temporary(t);
  const blocked = join(folder, 'ledger');
  await writeFile(blocked, 'a file where a folder should be');
  const writer = directoryWriter(folder);
  const check = (code) => (error) => {
    assert.equal(error.code, code);
    assert.ok(error.message.includes(join(folder, LEDGER)), error.message);
    assert.ok(error.advice.length > 10);
    return true;
  };
  assert.equal(await writer.exists(LEDGER, unstopped()), false);
  await assert.rejects(writer.put(LEDGER, bytes(9), unstopped()), (error) => check(error.code)(error) && ['ENOTDIR', 'EEXIST'].includes(error.code));
  await assert.rejects(writer.makeDir('ledger/00', unstopped()), /ledger\/00 could not be made/);

  await mkdir(join(folder, 'results/00/taken'), { recursive: true });
  await assert.rejects(writer.put('results/00/taken', bytes(9), unstopped()), { code: 'EISDIR' });
  assert.deepEqual(await filesIn(folder), ['ledger'], 'nothing is left of the attempts');
});

/** Root may write anywhere, so that only another user is refused. */
const NOBODY = 65_534;

/** Puts 100,000 bytes from a process of its own, which `within` may run otherwise, and gives the error. */
async function putElsewhere(folder, { asUser = process.getuid?.(), within = [] } = {}) {
  const script = `
    const { directoryWriter } = await import(${JSON.stringify(new URL('../../dist/node.mjs', import.meta.url).href)});
    if (process.getuid() !== ${asUser}) process.setuid(${asUser});
    await directoryWriter(${JSON.stringify(folder)}).put(${JSON.stringify(LEDGER)}, new Uint8Array(100_000), { signal: new AbortController().signal })
      .then(() => console.log('{}'), ({ code, message, advice }) => console.log(JSON.stringify({ code, message, advice })));
    const { readdir } = await import('node:fs/promises');
    console.log(JSON.stringify((await readdir(${JSON.stringify(folder)}, { recursive: true })).filter((name) => name.includes('.xdr'))));
  `;
  const [command, ...args] = [...within, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  await once(child, 'close');
  const [error, left] = text.trimEnd().split('\n').map((line) => JSON.parse(line));
  return { ...error, left };
}

test('permission denied', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await temporary(t);
  await chmod(folder, 0o555);
  const { code, message, advice, left } = await putElsewhere(folder, { asUser: process.getuid() === 0 ? NOBODY : process.getuid() });
  assert.equal(code, 'EACCES');
  assert.ok(message.includes(join(folder, LEDGER)), message);
  assert.match(advice, /user/);
  assert.deepEqual(left, []);
});

/** Mounts are of one process here; who may not make them cannot run these. */
const noMounts = spawnSync('unshare', ['-rm', 'true']).status === 0 ? false : 'this user may not mount anything';

test('a disk that is full, and one that is read-only', { skip: noMounts }, async (t) => {
  const folder = await temporary(t);
  const mounted = (mount) => ({ within: ['unshare', '-rm', 'sh', '-c', `${mount} && exec "$@"`, 'sh'], asUser: 0 });
  const full = await putElsewhere(folder, mounted(`mount -t tmpfs -o size=64k tmpfs '${folder}'`));
  assert.equal(full.code, 'ENOSPC');
  assert.match(full.message, /ledger-0000003f\.xdr\.gz could not be written: ENOSPC/);
  assert.match(full.advice, /room/);
  assert.deepEqual(full.left, [], 'what was begun does not fill the disk');
  const readOnly = await putElsewhere(folder, mounted(`mount -t tmpfs -o ro tmpfs '${folder}'`));
  assert.equal(readOnly.code, 'EROFS');
  assert.match(readOnly.advice, /read/);
});
