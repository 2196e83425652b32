/** What the command line takes for a destination, and what it says where that is none. */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { PATHS, bytes } from './conformance.mjs';
import { filesIn, temporary, unstopped } from './support.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));

let openDestination;
before(async () => {
  // Built by itself: the command line runs when it is imported.
  const outDir = await temporary({ after });
  await build({
    configFile: false, root: repository, logLevel: 'warn', ssr: { noExternal: true },
    build: { ssr: join(repository, 'www/cli/destination.ts'), outDir, emptyOutDir: true, rollupOptions: { output: { entryFileNames: 'destination.mjs' } } },
  });
  ({ openDestination } = await import(pathToFileURL(join(outDir, 'destination.mjs')).href));
});

const KEYS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
const REGION = { AWS_REGION: 'eu-west-1' };

async function refused(name, options, message, advice) {
  await assert.rejects(openDestination(name, { make: true, env: {}, ...options }), (error) => {
    assert.equal(error.code, 'USAGE');
    assert.match(error.message, message);
    assert.match(error.advice, advice);
    return true;
  });
}

test('a folder that is not there is made by the first file, not before', async (t) => {
  const folder = await temporary(t);
  const place = join(folder, 'a/b');
  const writer = await openDestination(place, { make: true, env: {} });
  assert.equal(writer.name, place);
  assert.deepEqual(await filesIn(folder), []);
  await writer.put(PATHS[0], bytes(9), unstopped());
  assert.deepEqual(await filesIn(folder), [`a/b/${PATHS[0]}`]);
  const again = await openDestination(pathToFileURL(place).href, { make: false, env: {} });
  assert.equal(again.name, place);
});

test('folders that cannot be destinations', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'file'), '');
  await mkdir(join(folder, 'empty'));
  await refused(join(folder, 'file'), {}, /is a file, not a folder/, /Give the folder/);
  await refused(join(folder, 'file/below'), {}, /names above it is a file/, /spelling/);
  await refused(join(folder, 'nowhere'), { make: false }, /there is no folder/, /spelling/);
  await refused(join(folder, 'empty'), { make: false }, /does not look like a history archive/, /stellar-history\.json/);
  await refused('history.example.org/archive', {}, /looks like a host/, /https:\/\/history\.example\.org\/archive/);
  await refused('', {}, /empty/, /folder/);
  if (process.getuid?.() !== 0) {
    await chmod(join(folder, 'empty'), 0o555);
    await refused(join(folder, 'empty/new'), {}, /permission denied/, /user/);
  }
});

test('buckets: what is missing is named', async () => {
  await refused('s3://', { env: { ...KEYS, ...REGION } }, /names no bucket/, /BUCKET/);
  await refused('s3://bucket/../other', { env: { ...KEYS, ...REGION } }, /leaves/, /PREFIX/);
  await refused('s3://bucket/prefix', { env: REGION }, /AWS_ACCESS_KEY_ID is not set/, /environment/);
  await refused('s3://bucket', { env: { ...REGION, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: '' } }, /AWS_SECRET_ACCESS_KEY is not set/, /environment/);
  await refused('s3://bucket', { env: KEYS }, /region of s3:\/\/bucket is not known/, /AWS_REGION/);
  await refused('s3://bucket', { env: { ...KEYS, AWS_ENDPOINT_URL: 'localhost:9000' } }, /AWS_ENDPOINT_URL is not a URL/, /https/);
});

test('where buckets are', async (t) => {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (url) => {
    asked.push(String(url));
    return new Response(null, { status: 404 });
  });
  for (const [name, env] of [
    ['s3://bucket/pre fix/', REGION],
    ['s3://dotted.bucket', { AWS_DEFAULT_REGION: 'us-west-2' }],
    ['s3://bucket/a', { AWS_ENDPOINT_URL: 'http://127.0.0.1:9000/', ...REGION }],
    ['S3://bucket', { AWS_ENDPOINT_URL_S3: 'https://one.example', AWS_ENDPOINT_URL: 'https://two.example' }],
  ]) {
    const writer = await openDestination(name, { make: true, env: { ...KEYS, ...env } });
    assert.equal(await writer.exists('x', unstopped()), false);
    assert.equal(writer.name, name.replace(/\/$/, ''));
  }
  assert.deepEqual(asked, [
    'https://bucket.s3.eu-west-1.amazonaws.com/pre%20fix/x',
    'https://s3.us-west-2.amazonaws.com/dotted.bucket/x',
    'http://127.0.0.1:9000/bucket/a/x',
    'https://one.example/bucket/x',
  ]);
});

test('WebDAV servers: by their schemes, with the password of the URL or of the environment', async (t) => {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (url, { headers }) => {
    asked.push([String(url), headers.Authorization === undefined ? null : atob(headers.Authorization.slice('Basic '.length))]);
    return new Response(null, { status: 404 });
  });
  const env = { WEBDAV_USER: 'user', WEBDAV_PASSWORD: 'word' };
  for (const [name, settings] of [
    ['webdavs://host/a', {}], ['webdav://host:8080/a/', {}], ['https://host/a', env], ['davs://me:mine%40@host/a', env], ['http://host', {}],
  ]) {
    const writer = await openDestination(name, { make: true, env: settings });
    await writer.exists('x', unstopped());
    assert.doesNotMatch(writer.name, /mine|word/);
  }
  assert.deepEqual(asked, [
    ['https://host/a/x', null], ['http://host:8080/a/x', null], ['https://host/a/x', 'user:word'], ['https://host/a/x', 'me:mine@'], ['http://host/x', null],
  ]);
});

test('addresses that are no destinations', async () => {
  await refused('ftp://host/a', {}, /not written over ftp/, /s3:\/\//);
  await refused('webdavs://me:secret@host:port/a', {}, /^webdavs:\/\/host:port\/a is not a URL/, /port/);
  await refused('https://host/a?b=c', {}, /query/, /\?/);
  await refused('https://bucket.s3.eu-west-1.amazonaws.com/a', {}, /S3, which is not WebDAV/, /s3:\/\/BUCKET/);
});
