/** Archives in R2, over the binding that a Worker has, by Cloudflare's own runtime. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Miniflare } from '../miniflare.mjs';
import { r2Writer } from '../../dist/node.mjs';
import { PATHS, bytes } from './conformance.mjs';
import { conforms, unstopped } from './support.mjs';

const LEDGER = PATHS[2];

let runtime;
let bucket;
before(async () => {
  runtime = new Miniflare({ modules: true, script: 'export default { fetch: () => new Response() }', r2Buckets: ['ARCHIVES'] });
  bucket = await runtime.getR2Bucket('ARCHIVES');
});
after(() => runtime?.dispose());

let places = 0;

/** A folder of the bucket, looked into by the bucket itself. */
function place(prefix = `archive ${(places += 1)}`) {
  const within = `${prefix}/`;
  return {
    writer: r2Writer(bucket, { prefix: `/${prefix}/`, name: 'R2' }),
    async look(path) {
      const found = await bucket.get(within + path);
      return found === null ? null : new Uint8Array(await found.arrayBuffer());
    },
    list: async () => (await bucket.list({ prefix: within })).objects.map(({ key }) => key.slice(within.length)).sort(),
  };
}

conforms('R2', () => place());

test('R2: files have their types', async () => {
  const { writer } = place('types');
  await writer.put(LEDGER, bytes(9), unstopped());
  assert.equal((await bucket.head(`types/${LEDGER}`)).httpMetadata.contentType, 'application/gzip');
});

test('R2: a large file goes in parts, and the parts of one that is dropped are taken back', async () => {
  const steps = [];
  // The real bucket, listened to.
  const heard = {
    head: (key) => bucket.head(key),
    get: (key) => bucket.get(key),
    put: (...file) => bucket.put(...file),
    async createMultipartUpload(...file) {
      const upload = await bucket.createMultipartUpload(...file);
      steps.push('begin');
      return {
        uploadPart: (number, value) => (steps.push(value.length), upload.uploadPart(number, value)),
        complete: (parts) => (steps.push('complete'), upload.complete(parts)),
        abort: () => (steps.push('abort'), upload.abort()),
      };
    },
  };
  const writer = r2Writer(heard);
  for (const end of ['commit', 'abort']) {
    const file = await writer.stage(`large/${end}`, unstopped());
    for (let index = 0; index < 10; index += 1) await file.write(bytes(4 << 20, index + 1));
    await file[end]();
  }
  const parts = [16 << 20, 16 << 20];
  assert.deepEqual(steps, ['begin', ...parts, 8 << 20, 'complete', 'begin', ...parts, 'abort']);
  assert.equal((await bucket.head('large/commit')).size, 40 << 20);
  assert.equal(await bucket.head('large/abort'), null);
});

test("R2: the bucket's own words, and the file", async () => {
  const broken = r2Writer({ put: async () => Promise.reject(new Error('internal error (10001)')) }, { name: 'my-bucket' });
  await assert.rejects(broken.put(LEDGER, bytes(9), unstopped()), /ledger-0000003f\.xdr\.gz could not be written to my-bucket: internal error/);
});
