/** Writers that are nothing but JavaScript: in memory, zip, and an object of the user's own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { memoryArchive, stagedWriter, zipArchive } from '../../dist/node.mjs';
import { PATHS, bytes } from './conformance.mjs';
import { conforms, inFolder, temporary, unstopped } from './support.mjs';

const run = promisify(execFile);

const inMap = (files) => ({ look: async (path) => files.get(path) ?? null, list: async () => [...files.keys()].sort() });

conforms('memory', () => {
  const writer = memoryArchive();
  return { writer, ...inMap(writer.files) };
});

/** As little as a writer may be; an instance of a class, so that a method that lost its object would show. */
class Least {
  name = 'the least';
  files = new Map();

  async put(path, content, { signal }) {
    signal.throwIfAborted();
    this.files.set(path, content.slice());
  }

  async exists(path, { signal }) {
    signal.throwIfAborted();
    return this.files.has(path);
  }
}

conforms('an object with put and exists', () => {
  const least = new Least();
  return { writer: stagedWriter(least), ...inMap(least.files) };
});

test('stagedWriter keeps what the writer has, and adds nothing but stage', async () => {
  const least = stagedWriter(new Least());
  assert.deepEqual(Object.keys(least).sort(), ['exists', 'name', 'put', 'stage']);
  class More extends Least {
    async get(path) {
      return this.files.get(path) ?? null;
    }

    async stage(path) {
      return this.files.has(path) ? 'again' : 'its own';
    }
  }
  const more = stagedWriter(new More());
  assert.equal(await more.stage('a', unstopped()), 'its own');
  await more.put('a', bytes(3), unstopped());
  assert.deepEqual(await more.get('a', unstopped()), bytes(3));
  assert.equal(await more.stage('a', unstopped()), 'again');
});

test('a put that fails at commit is told, and the file can be staged again', async () => {
  let attempts = 0;
  const writer = stagedWriter({
    name: 'fails once',
    async exists() {
      return false;
    },
    async put() {
      attempts += 1;
      if (attempts === 1) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    },
  });
  const file = await writer.stage('a', unstopped());
  await file.write(bytes(10));
  await assert.rejects(file.commit(), { code: 'ENOSPC' });
  await assert.rejects(file.commit(), /broken/);
  await file.abort();
  await (await writer.stage('a', unstopped())).commit();
  assert.equal(attempts, 2);
});

/** Unpacked by a program that has never heard of the library that made it. */
async function unzip(t, content) {
  const folder = await temporary(t);
  const file = join(folder, 'archive.zip');
  await writeFile(file, content);
  const out = join(folder, 'out');
  await mkdir(out);
  await run('python3', ['-m', 'zipfile', '-e', file, out]);
  return inFolder(out);
}

conforms('zip', (t) => {
  const writer = zipArchive();
  let last = { content: Buffer.alloc(0), files: undefined };
  async function unzipped() {
    const content = Buffer.from(await (await writer.blob()).arrayBuffer());
    if (last.files === undefined || !last.content.equals(content)) last = { content, files: await unzip(t, content) };
    return last.files;
  }
  return { writer, look: async (path) => (await unzipped()).look(path), list: async () => (await unzipped()).list() };
});

test('zip: each path once, whole by its own check, whatever the order and the time', async (t) => {
  const zips = [];
  for (const paths of [PATHS, [...PATHS].reverse()]) {
    const zip = zipArchive('archive.zip');
    for (const path of paths) {
      await zip.put(path, bytes(3), unstopped());
      await zip.put(path, new TextEncoder().encode(path), unstopped());
    }
    const dropped = await zip.stage('ledger/dropped', unstopped());
    await dropped.write(bytes(5000));
    await dropped.abort();
    zips.push(Buffer.from(await new Response(zip.stream()).arrayBuffer()));
  }
  assert.ok(zips[0].equals(zips[1]));
  assert.equal(zips[0].includes('dropped'), false);
  const file = join(await temporary(t), 'archive.zip');
  await writeFile(file, zips[0]);
  const { stdout } = await run('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip()); [print(n) for n in z.namelist()]', file]);
  assert.deepEqual(stdout.trimEnd().split('\n'), ['None', ...[...PATHS].sort()]);
  const elsewhere = await run(process.execPath, ['--input-type=module', '-e', `
    const { zipArchive } = await import(${JSON.stringify(new URL('../../dist/node.mjs', import.meta.url).href)});
    const zip = zipArchive();
    for (const path of ${JSON.stringify(PATHS)}) await zip.put(path, new TextEncoder().encode(path), { signal: new AbortController().signal });
    process.stdout.write(Buffer.from(await (await zip.blob()).arrayBuffer()).toString('hex'));
  `], { env: { ...process.env, TZ: 'Asia/Kathmandu' }, maxBuffer: 1 << 24 });
  assert.equal(elsewhere.stdout, zips[0].toString('hex'), 'another time zone makes the same file');
});

test('zip: made as it is read', async () => {
  const zip = zipArchive();
  for (let index = 0; index < 50; index += 1) await zip.put(`bucket/${index}`, bytes(100_000, index + 1), unstopped());
  const reader = zip.stream().getReader();
  const { value } = await reader.read();
  assert.ok(value.length < 200_000, `${value.length} bytes at once`);
  await reader.cancel();
});
