/**
 * Writers where pages run them: the browser's own storage (the handles of which are those of a folder that a person chose), a zip, and
 * a bucket at another origin.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import S3rver from '@20minutes/s3rver';
import { BEHAVIOURS } from '../writers/conformance.mjs';
import { setUp } from './support.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT = 120_000;

let stage;
let opened;
let store;
let directory;
/** The bucket's address. */
let bucket;

/** The package's own modules beside the page, under its policy. */
async function serveModules(context) {
  await context.route('**/library/*', async (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1);
    const body = await readFile(join(repository, name === 'conformance.mjs' ? 'tests/writers' : 'dist', name));
    await route.fulfill({ body, contentType: name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript' });
  });
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'explorer-writers-'));
  const cors = '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>'
    + '<AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedMethod>DELETE</AllowedMethod><AllowedHeader>*</AllowedHeader>'
    + '<ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>';
  store = new S3rver({
    address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: 'open', configs: [cors] }, { name: 'closed', configs: [] }],
  });
  const { port } = await store.run();
  bucket = `http://127.0.0.1:${port}/`;
  stage = await setUp();
  opened = await stage.open({ prepare: serveModules });
});
after(async () => {
  await opened?.close();
  await stage?.tearDown();
  await store?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Runs `body(library, argument)` in the page. */
function inPage(body, argument) {
  return opened.tab.evaluate(`(async () => (${body})(await import('/library/index.mjs'), ${JSON.stringify(argument ?? null)}))()`);
}

/** Runs one behaviour in the page, over the place that `open` makes there. */
async function behaves(open, behaviour, argument) {
  const fault = await opened.tab.evaluate(`(async () => {
    const [library, { BEHAVIOURS }] = await Promise.all([import('/library/index.mjs'), import('/library/conformance.mjs')]);
    try {
      await BEHAVIOURS[${JSON.stringify(behaviour)}](await (${open})(library, ${JSON.stringify(argument ?? null)}));
      return null;
    } catch (error) {
      return error.stack;
    }
  })()`);
  assert.equal(fault, null);
}

/** A folder of the page's own, looked into by its handle. */
async function inOwnStorage({ opfsArchive }) {
  const name = `archives/${crypto.randomUUID()}`;
  const writer = await opfsArchive(name);
  const root = await (await (await navigator.storage.getDirectory()).getDirectoryHandle('archives')).getDirectoryHandle(name.split('/')[1]);
  async function list(folder = root, above = '') {
    const found = [];
    for await (const [part, handle] of folder.entries()) {
      found.push(...(handle.kind === 'file' ? [above + part] : await list(handle, `${above}${part}/`)));
    }
    return found.sort();
  }
  return {
    writer,
    list: () => list(),
    async look(path) {
      if (!(await list()).includes(path)) return null;
      let folder = root;
      const parts = path.split('/');
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
      return new Uint8Array(await (await (await folder.getFileHandle(parts.at(-1))).getFile()).arrayBuffer());
    },
  };
}

async function inBucket({ s3Writer }, url) {
  const writer = s3Writer({ url: `${url}open/${crypto.randomUUID()}`, accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' });
  const written = new Set();
  const look = async (path) => {
    const file = await writer.get(path, { signal: new AbortController().signal });
    return file === null ? null : new Uint8Array(await new Response(file).arrayBuffer());
  };
  // What else is there is looked at in Node; here, what was asked for.
  const kept = {
    ...writer,
    put: (path, ...rest) => (written.add(path), writer.put(path, ...rest)),
    stage: (path, ...rest) => (written.add(path), writer.stage(path, ...rest)),
  };
  async function list() {
    const there = [];
    for (const path of written) {
      const found = await look(path).catch((error) => (error.code === 'USAGE' ? null : Promise.reject(error)));
      if (found !== null) there.push(path);
    }
    return there.sort();
  }
  return { writer: kept, look, list, mixesPuts: true };
}

for (const behaviour of Object.keys(BEHAVIOURS)) {
  test(`the browser's storage: ${behaviour}`, { timeout: TIMEOUT }, () => behaves(inOwnStorage, behaviour));
  test(`a bucket, from a page: ${behaviour}`, { timeout: TIMEOUT }, () => behaves(inBucket, behaviour, bucket));
}

test('a folder that may only be read: told before anything is made', async () => {
  const error = await inPage(async ({ folderWriter }) => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('read-only', { create: true });
    // What the browser answers for a folder that a person gave to be read.
    folder.queryPermission = async ({ mode }) => (mode === 'readwrite' ? 'prompt' : 'granted');
    const writer = folderWriter(folder, 'my folder');
    const { code, name, message, advice } = await writer.put('ledger/a', new Uint8Array(5), { signal: new AbortController().signal }).catch((thrown) => thrown);
    return { code, name, message, advice, left: (await Array.fromAsync(folder.keys())).length };
  });
  assert.equal(error.code, 'NotAllowedError');
  assert.equal(error.name, 'NotAllowedError');
  assert.equal(error.message, 'the folder my folder may not be changed by this page');
  assert.match(error.advice, /readwrite/);
  assert.equal(error.left, 0);
});

test('a folder that was removed is no empty archive', async () => {
  const codes = await inPage(async ({ folderWriter }) => {
    const root = await navigator.storage.getDirectory();
    const writer = folderWriter(await root.getDirectoryHandle('gone', { create: true }));
    await root.removeEntry('gone');
    const options = { signal: new AbortController().signal };
    return Promise.all([writer.exists('a', options), writer.get('a', options), writer.put('a', new Uint8Array(5), options)].map((call) => call.then(() => 'well', ({ code }) => code)));
  });
  assert.deepEqual(codes, ['NotFoundError', 'NotFoundError', 'NotFoundError']);
});

test('storage that is full: the code, and the earlier file as it was', async () => {
  const devtools = await opened.context.newCDPSession(opened.tab);
  const quota = (settings) => devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(stage.site.url).origin, ...settings });
  const put = (size) => inPage(async ({ opfsArchive }, length) => {
    const writer = await opfsArchive('full');
    const options = { signal: new AbortController().signal };
    const fault = await writer.put('a/b', new Uint8Array(length), options).then(() => null, ({ code, advice, message }) => ({ code, advice, message }));
    const other = await writer.put('a/new', new Uint8Array(length), options).then(() => null, ({ code }) => code);
    const file = await writer.get('a/b', options);
    return { fault, other, length: (await new Response(file).arrayBuffer()).byteLength, isNew: await writer.exists('a/new', options) };
  }, size);
  assert.deepEqual(await put(1000), { fault: null, other: null, length: 1000, isNew: true });
  await inPage(async ({ opfsArchive }) => {
    await opfsArchive('full');
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('full');
    await (await folder.getDirectoryHandle('a')).removeEntry('new');
  });
  await quota({ quotaSize: 1_000_000 });
  try {
    const { fault, ...rest } = await put(20_000_000);
    assert.equal(fault.code, 'QuotaExceededError');
    assert.match(fault.message, /^a\/b could not be written to browser storage: full: /);
    assert.match(fault.advice, /room/);
    assert.deepEqual(rest, { other: 'QuotaExceededError', length: 1000, isNew: false });
  } finally {
    await quota({});
  }
});

test('a bucket that does not let pages of this origin write: what to allow', async () => {
  const { code, message, advice } = await inPage(async ({ s3Writer }, url) => {
    const writer = s3Writer({ url: `${url}closed`, accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' });
    const error = await writer.put('a', new Uint8Array(5), { signal: new AbortController().signal }).catch((thrown) => thrown);
    return { code: error.code, message: error.message, advice: error.advice };
  }, bucket);
  assert.equal(code, 'NETWORK');
  assert.match(message, /cannot be reached/);
  assert.match(advice, /CORS/);
});

test('a zip is made in the page', async () => {
  const bytes = await inPage(async ({ zipArchive }) => {
    const zip = zipArchive('archive.zip');
    await zip.put('ledger/a', new Uint8Array([1, 2, 3]), { signal: new AbortController().signal });
    const blob = await zip.blob();
    return { type: blob.type, bytes: [...new Uint8Array(await blob.arrayBuffer())] };
  });
  assert.equal(bytes.type, 'application/zip');
  assert.equal(Buffer.from(bytes.bytes).subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  assert.ok(Buffer.from(bytes.bytes).includes('ledger/a'));
});
