/** Hosts that refuse, are overloaded, or are gone: what the run decides on is in the error. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { presignedWriter, s3Writer, webdavWriter } from '../../dist/node.mjs';
import { PATHS, bytes } from './conformance.mjs';
import { server, unstopped } from './support.mjs';

const [, , LEDGER] = PATHS;
const WRITERS = {
  's3': (url) => s3Writer({ url: `${url}bucket`, accessKeyId: 'a', secretAccessKey: 'b' }),
  'signed URLs': (url) => presignedWriter({ url: (path) => `${url}${path}` }),
  'webdav': (url) => webdavWriter({ url: `${url}dav` }),
};

/** Answers PUT by `answer`, and everything else as if it were well. */
function refusing(t, answer) {
  return server(t, (request, response) => {
    if (request.method === 'PUT') answer(request.resume(), response);
    else request.resume().on('end', () => response.writeHead(201).end());
  });
}

const put = (writer, options = unstopped()) => writer.put(LEDGER, bytes(50_000), options);

for (const [name, open] of Object.entries(WRITERS)) {
  for (const status of [400, 403, 413, 429, 500, 503, 507]) {
    test(`${name}: ${status}`, async (t) => {
      const writer = open(await refusing(t, (_, response) => response.writeHead(status).end('<html><head><title>x</title></head><body>The host <b>says</b> no.</body></html>')));
      await assert.rejects(put(writer), (error) => {
        assert.equal(error.status, status);
        assert.equal(error.code, undefined);
        assert.equal(error.retryAfterMs, undefined);
        assert.match(error.message, /ledger-0000003f\.xdr\.gz could not be written \(PUT\): 127\.0\.0\.1:\d+ answered \d+: The host says no$/);
        return true;
      });
    });
  }

  test(`${name}: Retry-After in seconds and as a date`, async (t) => {
    let header = '7';
    const writer = open(await refusing(t, (_, response) => response.writeHead(503, { 'Retry-After': header }).end()));
    await assert.rejects(put(writer), { status: 503, retryAfterMs: 7000 });
    header = new Date(Date.now() + 60_000).toUTCString();
    await assert.rejects(put(writer), ({ retryAfterMs }) => retryAfterMs > 50_000 && retryAfterMs <= 60_000);
    header = 'soon';
    await assert.rejects(put(writer), { status: 503, retryAfterMs: undefined });
  });

  test(`${name}: a connection that is reset, and nobody there`, async (t) => {
    const reset = open(await refusing(t, (request) => request.socket.resetAndDestroy()));
    await assert.rejects(put(reset), { code: 'NETWORK', status: undefined, message: /127\.0\.0\.1:\d+ cannot be reached: .*(ECONNRESET|closed)/ });
    const nobody = open('http://127.0.0.1:9/');
    const calls = [put(nobody), nobody.exists(LEDGER, unstopped()), nobody.get(LEDGER, unstopped())];
    await Promise.all(calls.map((call) => assert.rejects(call, { code: 'NETWORK', message: /cannot be reached/ })));
  });

  test(`${name}: the signal ends a request under way, and the rest is cleaned up`, async (t) => {
    const controller = new AbortController();
    const reason = new Error('stopped by the test');
    const methods = [];
    const url = await server(t, (request, response) => {
      methods.push(request.method);
      request.resume();
      // A PUT that is never answered.
      if (request.method === 'PUT') setImmediate(() => controller.abort(reason));
      else response.writeHead(201).end();
    });
    await assert.rejects(put(open(url), { signal: controller.signal }), (error) => error === reason);
    assert.equal(methods.at(-1), name === 'webdav' ? 'DELETE' : 'PUT');
  });

  test(`${name}: a missing file is none, a host in trouble is an error`, async (t) => {
    let status = 404;
    const writer = open(await server(t, (_, response) => response.writeHead(status).end()));
    assert.equal(await writer.exists(LEDGER, unstopped()), false);
    assert.equal(await writer.get(LEDGER, unstopped()), null);
    for (status of [401, 403, 500, 503]) {
      await assert.rejects(writer.exists(LEDGER, unstopped()), { status });
      await assert.rejects(writer.get(LEDGER, unstopped()), { status });
    }
  });
}

test('s3: a bucket of another region', async (t) => {
  const writer = WRITERS.s3(await refusing(t, (_, response) => response.writeHead(301, { Location: 'https://bucket.s3.eu-west-1.amazonaws.com/' }).end()));
  await assert.rejects(put(writer), { status: 301, message: /points to https:\/\/bucket\.s3\.eu-west-1/, advice: /region/ });
});

test('an upload that fails can be tried again from the same staged bytes', async (t) => {
  let attempts = 0;
  const url = await server(t, (request, response) => {
    attempts += 1;
    request.resume().on('end', () => response.writeHead(attempts === 1 ? 503 : 200).end());
  });
  const writer = WRITERS['signed URLs'](url);
  await assert.rejects(put(writer), { status: 503 });
  await put(writer);
  assert.equal(attempts, 2);
});
