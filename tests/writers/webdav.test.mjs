/** Archives on a WebDAV server that keeps them in a folder and wants a password. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import webdav from 'webdav-server';
import { webdavWriter } from '../../dist/node.mjs';
import { PATHS, bytes } from './conformance.mjs';
import { bodyOf, conforms, filesIn, inFolder, server, temporary, unstopped } from './support.mjs';

const [, , LEDGER] = PATHS;
const { v2 } = webdav;

async function host(t) {
  const folder = await temporary(t);
  const users = new v2.SimpleUserManager();
  const rights = new v2.SimplePathPrivilegeManager();
  rights.setRights(users.addUser('mirror', 'geheim', false), '/', ['all']);
  const dav = new v2.WebDAVServer({
    hostname: '127.0.0.1', port: 0, requireAuthentification: true, httpAuthentication: new v2.HTTPBasicAuthentication(users, 'archives'), privilegeManager: rights,
  });
  await dav.setFileSystemAsync('/', new v2.PhysicalFileSystem(folder));
  const { port } = (await dav.startAsync(0)).address();
  t.after(() => dav.stopAsync());
  return { url: `http://127.0.0.1:${port}/archive`, folder: join(folder, 'archive') };
}

conforms('WebDAV', async (t) => {
  const { url, folder } = await host(t);
  const writer = webdavWriter({ url, username: 'mirror', password: 'geheim' });
  return { writer, ...inFolder(folder), list: () => filesIn(folder).catch(() => []), answersForFolders: true };
});

test('user and password may stand in the URL, and are shown nowhere', async (t) => {
  const { url } = await host(t);
  const writer = webdavWriter({ url: url.replace('://', '://mirror:geheim@') });
  await writer.put(LEDGER, bytes(9), unstopped());
  assert.equal(writer.name, `${url}/`);
  const wrong = webdavWriter({ url: url.replace('://', '://mirror:falsch@') });
  await assert.rejects(wrong.put(LEDGER, bytes(9), unstopped()), (error) => {
    assert.equal(error.status, 401);
    assert.match(error.advice, /password/);
    assert.doesNotMatch(JSON.stringify([error.message, wrong.name]), /falsch/);
    return true;
  });
  await assert.rejects(wrong.exists(LEDGER, unstopped()), { status: 401 });
});

/** A server of the simplest kind; `answers` says what a method is answered. */
async function simple(t, answers) {
  const asked = [];
  const url = await server(t, async (request, response) => {
    const body = await bodyOf(request);
    asked.push({ method: request.method, url: request.url, headers: request.headers, body });
    const answer = answers[request.method];
    const { status = 201, headers = {} } = (typeof answer === 'function' ? answer(request.url) : answer) ?? {};
    response.writeHead(status, headers).end();
  });
  return { asked, url, writer: webdavWriter({ url: `${url}dav`, headers: { 'X-Token': 'abc' } }) };
}

test('folders are made from the top where they are missing, once, and the file is moved into place', async (t) => {
  const made = new Set(['/', '/dav/']);
  const { asked, url, writer } = await simple(t, {
    MKCOL: (path) => {
      if (made.has(path)) return { status: 405 };
      if (!made.has(path.replace(/[^/]+\/$/, ''))) return { status: 409 };
      made.add(path);
      return {};
    },
  });
  await writer.put('a/b/c d.json', bytes(5), unstopped());
  await writer.put('a/b/e.json', bytes(5), unstopped());
  const [move] = asked.filter(({ method }) => method === 'MOVE');
  assert.deepEqual(asked.map(({ method }) => method), ['MKCOL', 'MKCOL', 'MKCOL', 'PUT', 'MOVE', 'PUT', 'MOVE']);
  assert.deepEqual([...made], ['/', '/dav/', '/dav/a/', '/dav/a/b/']);
  assert.equal(move.headers.destination, `${url}dav/a/b/c%20d.json`);
  assert.equal(move.headers.overwrite, 'T');
  assert.match(move.url, /^\/dav\/a\/b\/\.c%20d\.json\.[0-9a-f]{12}\.partial$/);
  assert.ok(asked.every(({ headers }) => headers['x-token'] === 'abc'));
});

test('the folder above the archive is missing', async (t) => {
  const { writer } = await simple(t, { MKCOL: { status: 409 } });
  await assert.rejects(writer.put('a/b.json', bytes(5), unstopped()), { status: 409, advice: /above/ });
});

for (const [what, answers, check] of [
  ['a PUT that is refused', { PUT: { status: 507 } }, { status: 507, advice: /room/ }],
  ['a MOVE that is refused', { MOVE: { status: 502 } }, { status: 502 }],
  ['a MOVE of which some failed', { MOVE: { status: 207 } }, { status: 207 }],
]) {
  test(`${what}: what was put is removed again`, async (t) => {
    const { asked, writer } = await simple(t, answers);
    await assert.rejects(writer.put(LEDGER, bytes(5), unstopped()), check);
    const [put, last] = [asked.find(({ method }) => method === 'PUT'), asked.at(-1)];
    assert.deepEqual([last.method, last.url], ['DELETE', put.url]);
  });
}

test('a large file waits in a temporary folder, is sent with its length, and nothing stays', async (t) => {
  const { asked, writer } = await simple(t, {});
  const spools = async () => (await readdir(tmpdir())).filter((name) => /^stellar-archive-(?!verifier)/.test(name));
  const before = await spools();
  const file = await writer.stage(LEDGER, unstopped());
  const hash = createHash('sha256');
  for (let index = 0; index < 10; index += 1) {
    const chunk = bytes(4 << 20, index + 1);
    hash.update(chunk);
    await file.write(chunk);
  }
  assert.equal((await spools()).length, before.length + 1);
  await file.commit();
  const { headers, body } = asked.find(({ method }) => method === 'PUT');
  assert.equal(headers['content-length'], String(40 << 20));
  assert.equal(headers['content-type'], 'application/gzip');
  assert.equal(createHash('sha256').update(body).digest('hex'), hash.digest('hex'));
  assert.deepEqual(await spools(), before);
});
