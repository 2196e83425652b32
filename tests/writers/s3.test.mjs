/**
 * Archives in S3, with keys and behind signed URLs, over a server that checks signatures. It does not hold bodies against the hashes
 * that were signed, so that is done here.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import test from 'node:test';
import S3rver from '@20minutes/s3rver';
import { AwsV4Signer } from 'aws4fetch';
import { presignedWriter, s3Writer } from '../../dist/node.mjs';
import { PATHS, bytes } from './conformance.mjs';
import { bodyOf, conforms, inFolder, server, temporary, unstopped } from './support.mjs';

const [, , LEDGER] = PATHS;
const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', region: 'eu-west-1' };
const PREFIX = 'pubnet (1)/archive+1';
const ENCODED = 'pubnet%20%281%29/archive%2B1';

async function bucket(t) {
  const directory = await temporary(t);
  const store = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: 'archives' }] });
  const { port } = await store.run();
  t.after(() => store.close());
  return { url: `http://127.0.0.1:${port}/archives/${ENCODED}`, ...inFolder(join(directory, 'archives', PREFIX), { ending: '._S3rver_object' }), directory };
}

/** The server makes a folder of every slash. */
const listed = ({ list }) => () => list().catch((error) => (error.code === 'ENOENT' ? [] : Promise.reject(error)));

conforms('S3', async (t) => {
  const place = await bucket(t);
  return { writer: s3Writer({ ...KEYS, url: place.url }), look: place.look, list: listed(place), mixesPuts: true };
});

function signedUrls(url) {
  return async (path, method) => {
    const encoded = path.split('/').map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)).join('/');
    return (await new AwsV4Signer({ ...KEYS, service: 's3', method, url: `${url}/${encoded}`, signQuery: true }).sign()).url;
  };
}

conforms('signed URLs', async (t) => {
  const place = await bucket(t);
  return { writer: presignedWriter({ url: signedUrls(place.url) }), look: place.look, list: listed(place), mixesPuts: true };
});

test('keys that are wrong are told apart from files that are missing', async (t) => {
  const { url } = await bucket(t);
  const writer = s3Writer({ ...KEYS, secretAccessKey: 'another', url });
  await assert.rejects(writer.put(LEDGER, bytes(9), unstopped()), { status: 403, message: /ledger-0000003f.*403.*signature/, advice: /s3:PutObject/ });
  await assert.rejects(writer.exists(LEDGER, unstopped()), { status: 403, advice: /s3:ListBucket/ });
  await assert.rejects(writer.get(LEDGER, unstopped()), { status: 403 });
  const unknown = s3Writer({ ...KEYS, url: url.replace('archives', 'nowhere') });
  await assert.rejects(unknown.put(LEDGER, bytes(9), unstopped()), { status: 404, message: /bucket does not exist/ });
});

test('signed URLs of another method or another file are refused', async (t) => {
  const { url } = await bucket(t);
  const signed = signedUrls(url);
  const swapped = presignedWriter({ url: (path) => signed(path, 'GET') });
  await assert.rejects(swapped.put(LEDGER, bytes(9), unstopped()), { status: 403, advice: /expired|method/ });
});

test('each body is signed by its hash, has its length, its type, and the token', async (t) => {
  const seen = [];
  const url = await server(t, async (request, response) => {
    const body = await bodyOf(request);
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    response.end();
  });
  const writer = s3Writer({ ...KEYS, sessionToken: 'a token', url: `${url}archives` });
  await writer.put(LEDGER, bytes(1000), unstopped());
  await writer.put('.well-known/stellar-history.json', bytes(10), unstopped());
  await writer.exists(LEDGER, unstopped());
  assert.deepEqual(seen.map(({ method, url: asked }) => `${method} ${asked}`), [
    `PUT /archives/${LEDGER}`, 'PUT /archives/.well-known/stellar-history.json', `HEAD /archives/${LEDGER}`,
  ]);
  for (const { headers, body } of seen) {
    assert.equal(headers['x-amz-content-sha256'], createHash('sha256').update(body).digest('hex'));
    assert.equal(headers['x-amz-security-token'], 'a token');
    assert.match(headers.authorization, /Credential=S3RVER\/\d{8}\/eu-west-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/);
  }
  assert.deepEqual(seen.map(({ headers }) => headers['content-length']), ['1000', '10', undefined]);
  assert.deepEqual(seen.slice(0, 2).map(({ headers }) => headers['content-type']), ['application/gzip', 'application/json']);
});

/** A store that takes parts; `answers` may say otherwise for one of the steps. */
async function partsStore(t, answers = {}) {
  const steps = [];
  const url = await server(t, async (request, response) => {
    const { searchParams } = new URL(request.url, 'http://host');
    let length = 0;
    const hash = createHash('sha256');
    for await (const chunk of request) {
      length += chunk.length;
      hash.update(chunk);
    }
    assert.equal(request.headers['x-amz-content-sha256'], hash.digest('hex'));
    const step = request.method === 'DELETE' ? 'abort' : searchParams.has('uploads') ? 'begin' : searchParams.has('partNumber') ? 'part' : 'end';
    steps.push(step === 'part' ? length : step);
    const standard = {
      begin: '<InitiateMultipartUploadResult><UploadId>a&amp;b</UploadId></InitiateMultipartUploadResult>',
      part: '',
      end: '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>',
      abort: '',
    };
    if (step !== 'begin') assert.equal(searchParams.get('uploadId'), 'a&b');
    const { status = 200, body = standard[step] } = answers[step] ?? {};
    response.writeHead(status, { ETag: '"tag"' }).end(body);
  });
  return { steps, writer: s3Writer({ ...KEYS, url: `${url}archives` }) };
}

async function writeLarge(writer, signal = unstopped().signal) {
  const file = await writer.stage(LEDGER, { signal });
  try {
    for (let index = 0; index < 10; index += 1) await file.write(bytes(4 << 20));
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

test('large files go in parts of one size', async (t) => {
  const { steps, writer } = await partsStore(t);
  await writeLarge(writer);
  assert.deepEqual(steps, ['begin', 16 << 20, 16 << 20, 8 << 20, 'end']);
});

test('an upload in parts that fails is taken back, also where the failure has the status of a success', async (t) => {
  const late = await partsStore(t, { end: { body: '<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>' } });
  await assert.rejects(writeLarge(late.writer), { status: 500, message: /internal error/ });
  assert.deepEqual(late.steps.slice(-2), ['end', 'abort']);
  const early = await partsStore(t, { part: { status: 503, body: '<Error><Message>Reduce your request rate.</Message></Error>' } });
  await assert.rejects(writeLarge(early.writer), { status: 503, message: /request rate/ });
  assert.deepEqual(early.steps, ['begin', 16 << 20, 'abort']);
});

test('a large signed PUT has its length', async (t) => {
  const seen = [];
  const url = await server(t, async (request, response) => {
    let length = 0;
    for await (const chunk of request) length += chunk.length;
    seen.push([request.headers['content-length'], request.headers['transfer-encoding'], length]);
    response.end();
  });
  await writeLarge(presignedWriter({ url: (path) => `${url}${path}` }));
  assert.deepEqual(seen, [[String(40 << 20), undefined, 40 << 20]]);
});

test('the URL of a bucket holds no keys', () => {
  assert.throws(() => s3Writer({ ...KEYS, url: 'https://key:secret@host/bucket' }), { code: 'USAGE' });
});
