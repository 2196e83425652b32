/** Local folders as archives: what `directoryReader` gives and what it refuses. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { directoryReader } from '../../dist/node.mjs';
import { temporary } from './support.mjs';

const { signal } = new AbortController();

async function text(file) {
  return file instanceof ReadableStream ? new Response(file).text() : new TextDecoder().decode(file);
}

test('small files come as bytes, large ones as a stream, both unharmed', async (t) => {
  const folder = await temporary(t);
  const large = 'stellar'.repeat(300_000);
  await writeFile(join(folder, 'small'), 'abc');
  await writeFile(join(folder, 'empty'), '');
  await writeFile(join(folder, 'large'), large);
  const reader = directoryReader(folder);
  assert.equal(reader.name, folder);
  assert.equal(await text(await reader.get('small', { signal })), 'abc');
  assert.equal(await text(await reader.get('empty', { signal })), '');
  const stream = await reader.get('large', { signal });
  assert.ok(stream instanceof ReadableStream);
  assert.ok((await text(stream)) === large);
});

test('a stream can be given up half-way', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'large'), new Uint8Array(3 << 20));
  const stream = await directoryReader(folder).get('large', { signal });
  const reader = stream.getReader();
  assert.ok((await reader.read()).value.length > 0);
  await reader.cancel();
});

test('what is not there is null: no file, no folder, a folder or a file in its place', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'folder'));
  await writeFile(join(folder, 'file'), 'abc');
  const reader = directoryReader(folder);
  for (const path of ['none', 'none/none', 'folder', 'file/below']) assert.equal(await reader.get(path, { signal }), null, path);
});

test('links inside the archive are followed', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'file'), 'abc');
  await symlink('file', join(folder, 'link'));
  assert.equal(await text(await directoryReader(folder).get('link', { signal })), 'abc');
});

test('a path never climbs out', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'archive'));
  await writeFile(join(folder, 'secret'), 'abc');
  const reader = directoryReader(join(folder, 'archive'));
  for (const path of ['../secret', 'a/../../secret', '..\\secret', join(folder, 'secret'), 'a\0b', '..']) {
    await assert.rejects(reader.get(path, { signal }), { code: 'USAGE' }, path);
  }
});

test('a reader that may not read says so', { skip: process.getuid?.() === 0 ? 'root may read everything' : false }, async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'file'), 'abc', { mode: 0 });
  await assert.rejects(directoryReader(folder).get('file', { signal }), { code: 'FORBIDDEN', message: /may not be read/ });
});

test('a link in a circle is an error, not an absent file', async (t) => {
  const folder = await temporary(t);
  await symlink('circle', join(folder, 'circle'));
  await assert.rejects(directoryReader(folder).get('circle', { signal }), { code: 'NETWORK', message: /circle could not be read/ });
});

test('nothing is read after an abort', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'file'), 'abc');
  await assert.rejects(directoryReader(folder).get('file', { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});
