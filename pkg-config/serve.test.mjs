import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serve } from './serve.mjs';

let dir;
let server;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'serve-'));
  await mkdir(join(dir, 'page/assets'), { recursive: true });
  await mkdir(join(dir, 'archive/.well-known'), { recursive: true });
  await writeFile(join(dir, 'page/index.html'), '<!doctype html>');
  await writeFile(join(dir, 'page/assets/a.wasm'), 'wasm');
  await writeFile(join(dir, 'page/assets/a b.js'), 'js');
  await writeFile(join(dir, 'archive/.well-known/stellar-history.json'), '{"networkPassphrase":"Here"}');
  await writeFile(join(dir, 'archive/x.xdr.gz'), 'gzip');
  await writeFile(join(dir, 'secret.txt'), 'secret');
  await symlink(join(dir, 'secret.txt'), join(dir, 'archive/link.txt'));
  server = await serve({ root: join(dir, 'page'), archives: { sample: join(dir, 'archive') } });
});

after(async () => {
  await server?.close();
  await rm(dir, { recursive: true, force: true });
});

/** Sends the path as it stands; `fetch` would resolve the dots first. */
function raw(path, method = 'GET') {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const call = request({ hostname, port, path, method }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode, headers: response.headers, body });
    });
    call.on('error', reject).end();
  });
}

test('the page comes with its policy and types', async () => {
  const page = await raw('/?archive=x');
  assert.equal(page.status, 200);
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.match(page.headers['content-security-policy'], /script-src 'self' 'wasm-unsafe-eval'/);
  assert.equal((await raw('/assets/a.wasm')).headers['content-type'], 'application/wasm');
  assert.match((await raw('/assets/a%20b.js')).headers['content-type'], /^text\/javascript/);
});

test('archive files come as they lie', async () => {
  const file = await raw('/archive/sample/x.xdr.gz');
  assert.equal(file.body, 'gzip');
  assert.equal(file.headers['content-type'], 'application/gzip');
  assert.equal(file.headers['content-encoding'], undefined);
  assert.equal((await raw('/archive/sample/.well-known/stellar-history.json')).status, 200);
});

test('the list of archives carries their networks', async () => {
  assert.deepEqual(JSON.parse((await raw('/archives.json')).body), [{ name: 'Sample archive', url: '/archive/sample/', network: 'Here' }]);
});

test('HEAD has the length and no body', async () => {
  const head = await raw('/archive/sample/x.xdr.gz', 'HEAD');
  assert.equal(head.headers['content-length'], '4');
  assert.equal(head.body, '');
});

const refused = {
  '/missing': 404,
  '/assets/': 404,
  '/assets': 404,
  '/../secret.txt': 404,
  '/%2e%2e/secret.txt': 404,
  '/archive/sample/../../secret.txt': 404,
  '/archive/sample/..%2f..%2fsecret.txt': 404,
  '/archive/sample/link.txt': 404,
  '/archive/sample/': 404,
  '/archive/other/x.xdr.gz': 404,
  '/archive/__proto__/x': 404,
  '/%': 400,
  '/a%00b': 400,
};
for (const [path, status] of Object.entries(refused)) {
  test(`${path} is refused in plain text`, async () => {
    const answer = await raw(path);
    assert.equal(answer.status, status);
    assert.match(answer.headers['content-type'], /^text\/plain/);
    assert.doesNotMatch(answer.body, /secret/);
  });
}

test('other methods are refused', async () => {
  assert.equal((await raw('/', 'POST')).status, 405);
});
