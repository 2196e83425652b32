/**
 * A valid archive with one big bucket, for `npm run bench`: a real one of that size is too much to carry along.
 *
 * The first checkpoint of a made archive (protocol 22, so that no hot archive enters the hash) gets the bucket in its
 * deepest level; its last header and both state files are changed to fit. A bucket of 200 MB lies in the folder; larger ones come as
 * a stream of gzip members that are all the same, and are nowhere: their entries repeat, which only a deep verification looks at.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { directoryReader } from '../../dist/node.mjs';

const SIZE = 200_000_000;
const RECORD = 100;
const BATCH = 10_000;
const PIECE = 65_536;
const STATE_FILES = ['.well-known/stellar-history.json', 'history/00/00/00/history-0000003f.json'];
const HEADERS = 'ledger/00/00/00/ledger-0000003f.xdr.gz';

/** Adds the bucket to the archive in `dir`, which must consist of checkpoint 63 at protocol 22. */
export async function addBigBucket(dir) {
  for (const [path, content] of await changedFiles(dir, await writeBucket(dir))) await writeFile(join(dir, path), content);
}

/** The archive in `dir` with a bucket of about `size` bytes instead of one on the disk. */
export async function streamedReader(dir, size) {
  const [meta, batch] = firstEntries();
  const batches = Math.round(size / batch.length);
  const hash = createHash('sha256').update(meta);
  for (let index = 0; index < batches; index += 1) hash.update(batch);
  const name = hash.digest('hex');
  const changed = await changedFiles(dir, name);
  const bucket = bucketPath(name);
  const [head, member] = [gzipSync(meta), gzipSync(batch)];
  const inner = directoryReader(dir);
  return {
    name: dir,
    get: async (path, options) => {
      if (path === bucket) return streamOf(head, member, batches);
      return changed.get(path) ?? inner.get(path, options);
    },
  };
}

/** Pieces as a network brings them. */
function streamOf(head, member, count) {
  const pieces = [];
  for (let at = 0; at < member.length; at += PIECE) pieces.push(member.subarray(at, at + PIECE));
  let next = -1;
  return new ReadableStream({
    pull(controller) {
      if (next < 0) controller.enqueue(head.slice());
      // A copy of its own: whoever reads it may hand it on for good.
      else if (next < count * pieces.length) controller.enqueue(pieces[next % pieces.length].slice());
      else controller.close();
      next += 1;
    },
  });
}

/** The files of the archive that name its buckets, as they are with that one. */
async function changedFiles(dir, hash) {
  const state = JSON.parse(await readFile(join(dir, STATE_FILES[0]), 'utf8'));
  const before = bucketListHash(state);
  state.currentBuckets.at(-1).curr = hash;
  const header = await changedLastHeader(join(dir, HEADERS), before, bucketListHash(state));
  const text = Buffer.from(JSON.stringify(state, null, 2));
  return new Map([[HEADERS, header], ...STATE_FILES.map((path) => [path, text])]);
}

function bucketPath(name) {
  return `bucket/${name.slice(0, 2)}/${name.slice(2, 4)}/${name.slice(4, 6)}/bucket-${name}.xdr.gz`;
}

async function writeBucket(dir) {
  const unnamed = join(dir, 'big-bucket');
  const hash = createHash('sha256');
  async function* hashed() {
    for await (const chunk of entries()) {
      hash.update(chunk);
      yield chunk;
    }
  }
  await rm(unnamed, { force: true });
  await pipeline(Readable.from(hashed()), createGzip({ level: 1 }), createWriteStream(unnamed));
  const name = hash.digest('hex');
  const path = join(dir, bucketPath(name));
  await mkdir(dirname(path), { recursive: true });
  await rename(unnamed, path);
  return name;
}

function firstEntries() {
  const made = entries();
  return [made.next().value, made.next().value];
}

/** A metadata entry, then accounts in ascending order with made-up, hardly compressible keys and balances. */
function* entries() {
  const meta = Buffer.alloc(16);
  meta.writeUInt32BE(0x8000_000c, 0);
  meta.writeInt32BE(-1, 4);
  meta.writeUInt32BE(22, 8);
  yield meta;
  const random = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let first = 0; first < SIZE / RECORD; first += BATCH) {
    const noise = random.update(Buffer.alloc(BATCH * 32));
    const batch = Buffer.alloc(BATCH * RECORD);
    for (let index = 0; index < BATCH; index += 1) {
      account(batch.subarray(index * RECORD), first + index, noise.subarray(index * 32));
    }
    yield batch;
  }
}

/** BucketEntry LIVEENTRY of an AccountEntry; what is not written is zero: no sub-entries, flags, home domain or signers. */
function account(record, number, noise) {
  record.writeUInt32BE(0x8000_0000 + RECORD - 4, 0);
  record.writeUInt32BE(1 + (number % 63), 8); // lastModifiedLedgerSeq
  record.writeUInt32BE(number, 20); // the key begins with the number, which keeps the order
  noise.copy(record, 24, 0, 28);
  record.writeUInt32BE(1, 56); // balance
  noise.copy(record, 56 + 4, 28, 32);
  record.writeUInt8(1, 84); // master weight
}

/** Up to protocol 22: the hash of the levels' hashes, each that of its two buckets. */
function bucketListHash({ currentBuckets }) {
  const levels = currentBuckets.map(({ curr, snap }) => sha256(Buffer.from(curr + snap, 'hex')));
  return sha256(Buffer.concat(levels));
}

/** The last header of the file has no successor that would notice its new hash. */
async function changedLastHeader(path, before, after) {
  const file = gunzipSync(await readFile(path));
  let start = 0;
  let end = 0;
  while (end < file.length) {
    start = end + 4;
    end = start + (file.readUInt32BE(end) & 0x7fff_ffff);
  }
  // LedgerHeaderHistoryEntry: hash, header, and four bytes of extension.
  const header = file.subarray(start + 32, end - 4);
  const at = header.indexOf(before);
  if (at < 0) throw new Error('the last header does not have the bucket list hash of the state file');
  after.copy(header, at);
  sha256(header).copy(file, start);
  return gzipSync(file);
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest();
}
