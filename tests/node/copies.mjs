/**
 * What the tests of mirrors and repairs share: what is in a folder, whether that is sound, places that fail on purpose.
 *
 * Not here: anything of the verifier. Files are judged by Node's zlib and SHA-256 alone, so that a fault that the verifier is
 * blind to is seen here.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { filesIn } from './misbehaving-server.mjs';
import { pathOf } from './support.mjs';

export const ROOT_FILE = '.well-known/stellar-history.json';
export const CHECKPOINT_KINDS = ['history', 'ledger', 'transactions', 'results', 'scp'];
export const KINDS = [...CHECKPOINT_KINDS, 'bucket'];

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A name that no reader asks for: what a writer has begun. */
const isPartial = (path) => /(^|\/)\.[^/]+\.partial$/.test(path);

/** The files of a folder by their path, without what a writer has begun there. */
export function visible(folder) {
  return existsSync(folder) ? new Map([...filesIn(folder)].filter(([path]) => !isPartial(path))) : new Map();
}

/** What a writer has begun in a folder. */
export function begun(folder) {
  return readdirSync(folder, { recursive: true }).map(String).filter(isPartial);
}

/** When each file was written. */
export function times(folder) {
  return new Map([...visible(folder).keys()].map((path) => [path, statSync(join(folder, path)).mtimeMs]));
}

export const bucketPath = (hash) => `bucket/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(4, 6)}/bucket-${hash}.xdr.gz`;

/** The buckets that a state names. */
export function bucketsOf(state) {
  const levels = [...state.currentBuckets, ...(state.hotArchiveBuckets ?? [])];
  const named = levels.flatMap(({ curr, snap, next }) => [curr, snap, next?.output, next?.curr, next?.snap, ...(next?.shadow ?? [])]);
  return [...new Set(named.filter((hash) => hash !== undefined && !/^0*$/.test(hash)))];
}

/** What a state says in terms of buckets: servers and formatting may differ. */
export const essence = ({ currentLedger, currentBuckets, hotArchiveBuckets }) => ({ currentLedger, currentBuckets, hotArchiveBuckets });

/** The same files, byte by byte; states may differ in what is not about buckets where `states` says so. */
export function assertSame(actual, expected, { states = 'bytes', path: only = () => true } = {}) {
  const paths = (files) => [...files.keys()].filter(only).toSorted();
  assert.deepEqual(paths(actual), paths(expected), 'the same files are there');
  for (const path of paths(expected)) {
    const equal = actual.get(path).equals(expected.get(path));
    if (equal) continue;
    assert.ok(states === 'buckets' && path.endsWith('.json'), `${path} is another`);
    assert.deepEqual(essence(JSON.parse(actual.get(path))), essence(JSON.parse(expected.get(path))), path);
  }
}

/** Whole gzip, records that end where the file ends. */
function assertRecords(path, bytes) {
  const content = gunzipSync(bytes);
  for (let offset = 0; offset < content.length;) {
    assert.ok(offset + 4 <= content.length && content[offset] >= 0x80, `${path}: a record's mark at ${offset}`);
    offset += 4 + (content.readUInt32BE(offset) - 0x8000_0000);
    assert.ok(offset <= content.length, `${path}: a record goes on after the end`);
  }
  return content;
}

/** Every visible file is whole and what its name says, and the newest state names only what is there, from ledger `low` on. */
export function assertSound(files, { low = 1, frequency = 64, optional = true } = {}) {
  for (const [path, bytes] of files) {
    if (path.endsWith('.json')) {
      const { currentLedger } = JSON.parse(bytes);
      if (path !== ROOT_FILE) assert.equal(path, pathOf('history', currentLedger), `${path} is of its ledger`);
      continue;
    }
    const content = assertRecords(path, bytes);
    const bucket = /bucket-([0-9a-f]{64})/.exec(path)?.[1];
    if (bucket !== undefined) assert.equal(sha256(content), bucket, path);
  }
  const root = files.get(ROOT_FILE);
  if (root === undefined) return undefined;
  const state = JSON.parse(root);
  for (const hash of bucketsOf(state)) assert.ok(files.has(bucketPath(hash)), `.well-known names bucket ${hash}`);
  for (let checkpoint = Math.floor(low / frequency) * frequency + frequency - 1; checkpoint <= state.currentLedger; checkpoint += frequency) {
    for (const kind of CHECKPOINT_KINDS.filter((kind) => !optional || kind !== 'scp')) {
      assert.ok(files.has(pathOf(kind, checkpoint)), `.well-known is of ledger ${state.currentLedger}, but there is no ${pathOf(kind, checkpoint)}`);
    }
    for (const hash of bucketsOf(JSON.parse(files.get(pathOf('history', checkpoint))))) {
      assert.ok(files.has(bucketPath(hash)), `checkpoint ${checkpoint} names bucket ${hash}`);
    }
  }
  return state.currentLedger;
}

/** The kind of a path, as reports count them; `.well-known` is no file of a kind. */
export const kindOf = (path) => KINDS.find((kind) => path.startsWith(`${kind}/`));

/** How many of the paths are of each kind. */
export function byKind(paths) {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  for (const path of paths) if (kindOf(path) !== undefined) counts[kindOf(path)] += 1;
  return counts;
}

/** Of a failed system call. */
export const errno = (code) => Object.assign(new Error(`${code}: as the test wants it`), { code });
/** Of a refused request. */
export const refusal = (status, more = {}) => Object.assign(new Error(`answered with ${status}`), { status, ...more });

/**
 * A place in memory. `on({ path, nth, n })` is called before each file that is put, numbered from 1 for its path and over all; what it throws
 * is the place's answer, and what it returns is stored instead of the content. `written` are the paths in their order.
 */
export function place(files = new Map(), { name = 'place', on = () => undefined, get = true } = {}) {
  const written = [];
  const counts = new Map();
  return {
    name,
    files,
    written,
    async put(path, content) {
      const nth = (counts.get(path) ?? 0) + 1;
      counts.set(path, nth);
      const instead = await on({ path, nth, n: [...counts.values()].reduce((sum, count) => sum + count, 0), content: Buffer.from(content) });
      files.set(path, instead ?? Buffer.from(content));
      written.push(path);
    },
    exists: async (path) => files.has(path),
    tries: (path) => counts.get(path) ?? 0,
    ...(get ? { get: async (path) => files.get(path) ?? null } : {}),
  };
}

/** Files in memory to read from. */
export function reader(files, name = 'memory') {
  return { name, get: async (path) => files.get(path) ?? null };
}

export function read(folder, path) {
  return readFileSync(join(folder, path));
}

/** Numbers from 0 to 1, the same for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
