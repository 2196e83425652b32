/**
 * What every writer has to do, written once: run over each of them by `support.mjs` (Node) and `tests/explorer/writers.test.mjs` (a page).
 *
 * A place is `{ writer, look, list }`: `look(path)` gives the bytes of a file, or `null`, and `list()` the names of everything that is
 * there, both by other means than the writer. `answersForFolders` where a host has something to say at a folder's address,
 * `mixesPuts` where a server made for tests is not equal to two at once. Not here: anything of Node's, since a page runs this as well.
 */

/** A path of each kind, as archives have them. */
export const PATHS = [
  '.well-known/stellar-history.json',
  'history/00/00/00/history-0000003f.json',
  'ledger/00/00/00/ledger-0000003f.xdr.gz',
  'transactions/03/9a/ff/transactions-039aff7f.xdr.gz',
  'results/03/9a/ff/results-039aff7f.xdr.gz',
  'scp/03/9a/ff/scp-039aff7f.xdr.gz',
  `bucket/4e/4c/13/bucket-4e4c13${'0f'.repeat(29)}.xdr.gz`,
];
const [ROOT, HISTORY, LEDGER, , , , BUCKET] = PATHS;

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

function same(actual, expected, what) {
  assert(actual !== null, `${what}: there is no such file`);
  assert(actual.length === expected.length, `${what}: ${actual.length} bytes, not ${expected.length}`);
  const at = expected.findIndex((byte, index) => byte !== actual[index]);
  assert(at === -1, `${what}: differs at ${at}`);
}

function equal(actual, expected, what) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  assert(a === b, `${what}: ${a}, not ${b}`);
}

async function rejects(promise, what, check = () => true) {
  const error = await promise.then(() => null, (thrown) => thrown);
  assert(error !== null, `${what}: went well`);
  assert(check(error), `${what}: rejected by ${error?.name}, ${error?.code}: ${error?.message}`);
}

/** Bytes that look like nothing else, the same for the same seed. */
export function bytes(length, seed = 1) {
  let state = seed * 2_654_435_761 >>> 0;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

const signal = () => ({ signal: new AbortController().signal });

/** What `get` gives, as one array. */
async function whole(file) {
  return file instanceof ReadableStream ? new Uint8Array(await new Response(file).arrayBuffer()) : file;
}

async function absent({ writer, look }, path, what) {
  equal(await writer.exists(path, signal()), false, `${what}: exists`);
  if (writer.get !== undefined) equal(await writer.get(path, signal()), null, `${what}: get`);
  equal(await look(path), null, `${what}: in place`);
}

async function present({ writer, look }, path, expected, what) {
  equal(await writer.exists(path, signal()), true, `${what}: exists`);
  if (writer.get !== undefined) same(await whole(await writer.get(path, signal())), expected, `${what}: get`);
  same(await look(path), expected, `${what}: in place`);
}

async function staged(writer, path, chunks, options = signal()) {
  const file = await writer.stage(path, options);
  for (const chunk of chunks) await file.write(chunk);
  return file;
}

/** Pieces of unequal lengths, all of them in one buffer that is filled anew. */
function* odd(content, lengths) {
  const buffer = new Uint8Array(Math.max(...lengths));
  for (let from = 0, turn = 0; from < content.length; turn += 1) {
    const length = Math.min(lengths[turn % lengths.length], content.length - from);
    buffer.set(content.subarray(from, from + length));
    yield buffer.subarray(0, length);
    from += length;
  }
}

async function writeOdd(writer, path, content, lengths) {
  const file = await writer.stage(path, signal());
  for (const chunk of odd(content, lengths)) await file.write(chunk);
  await file.commit();
}

export const BEHAVIOURS = {
  async 'what was put is there, byte by byte'(place) {
    const content = bytes(100_003);
    await absent(place, LEDGER, 'before');
    await place.writer.put(LEDGER, content, signal());
    await present(place, LEDGER, content, 'after');
  },

  async 'put replaces an earlier file, also by a shorter one'(place) {
    for (const content of [bytes(5000, 2), bytes(70_000, 3), bytes(11, 4)]) {
      await place.writer.put(ROOT, content, signal());
      await present(place, ROOT, content, `${content.length} bytes`);
    }
    equal(await place.list(), [ROOT], 'one file');
  },

  async 'the caller may use its buffer again'(place) {
    const content = bytes(300, 5);
    const lent = content.slice();
    await place.writer.put(LEDGER, lent, signal());
    lent.fill(0);
    await present(place, LEDGER, content, 'after the buffer was filled');
  },

  async 'paths of every kind; what is not there is not'(place) {
    for (const [index, path] of PATHS.entries()) {
      await absent(place, path, path);
      await place.writer.put(path, bytes(40 + index, index + 1), signal());
    }
    for (const [index, path] of PATHS.entries()) await present(place, path, bytes(40 + index, index + 1), path);
    equal(await place.list(), [...PATHS].sort(), 'nothing else');
    await absent(place, 'ledger/00/00/00/ledger-0000007f.xdr.gz', 'beside one that is there');
    if (!place.answersForFolders) await absent(place, 'ledger/00/00', 'a folder is no file');
  },

  async 'names that a URL would read otherwise'(place) {
    const paths = ['a b/c+d.json', 'ä/100%.json', "x/it's (1)!*.json", 'q/a?b#c&d=e.json'].sort();
    for (const [index, path] of paths.entries()) await place.writer.put(path, bytes(50, index + 7), signal());
    for (const [index, path] of paths.entries()) await present(place, path, bytes(50, index + 7), path);
  },

  async 'an empty file'(place) {
    await place.writer.put(HISTORY, new Uint8Array(), signal());
    await present(place, HISTORY, new Uint8Array(), 'put');
    await (await staged(place.writer, BUCKET, [])).commit();
    await present(place, BUCKET, new Uint8Array(), 'staged');
  },

  async 'nothing of a staged file is visible before its commit'(place) {
    const content = bytes(200_000, 8);
    const file = await staged(place.writer, BUCKET, [content.subarray(0, 150_000), content.subarray(150_000)]);
    await absent(place, BUCKET, 'before commit');
    await file.commit();
    await present(place, BUCKET, content, 'after commit');
    equal(await place.list(), [BUCKET], 'nothing else is left');
  },

  async 'an aborted file leaves nothing behind'(place) {
    const file = await staged(place.writer, BUCKET, [bytes(200_000, 9)]);
    await file.abort();
    await absent(place, BUCKET, 'after abort');
    equal(await place.list(), [], 'nothing is left');
    await file.abort();
    await rejects(file.write(bytes(1)), 'a write after the abort');
    await rejects(file.commit(), 'a commit after the abort');
    await (await staged(place.writer, BUCKET, [])).abort();
    equal(await place.list(), [], 'nothing is left of an empty one');
  },

  async 'the earlier file stays until the commit, and for good after an abort'(place) {
    const [earlier, later] = [bytes(3000, 10), bytes(2000, 11)];
    await place.writer.put(LEDGER, earlier, signal());
    const dropped = await staged(place.writer, LEDGER, [later.subarray(0, 1000)]);
    await present(place, LEDGER, earlier, 'while the other is written');
    await dropped.abort();
    await present(place, LEDGER, earlier, 'after the abort');
    const kept = await staged(place.writer, LEDGER, [later]);
    await present(place, LEDGER, earlier, 'before the commit');
    await kept.commit();
    await present(place, LEDGER, later, 'after the commit');
    await kept.abort();
    await present(place, LEDGER, later, 'an abort that comes too late');
    await rejects(kept.commit(), 'a second commit');
    equal(await place.list(), [LEDGER], 'one file');
  },

  async 'a large file in odd chunks'(place) {
    const content = bytes(5_000_011, 12);
    await writeOdd(place.writer, BUCKET, content, [1, 7, 65_549, 999_983, 131_072]);
    await present(place, BUCKET, content, 'the large file');
    equal(await place.list(), [BUCKET], 'nothing else is left');
  },

  async 'a file larger than what is kept in memory, and one that is dropped'(place) {
    const content = bytes((36 << 20) + 5, 13);
    await writeOdd(place.writer, BUCKET, content, [4_194_301, 262_144]);
    await present(place, BUCKET, content, 'the huge file');
    const file = await staged(place.writer, LEDGER, odd(content, [4_194_301]));
    await absent(place, LEDGER, 'before its end');
    await file.abort();
    equal(await place.list(), [BUCKET], 'nothing is left of the other');
  },

  async 'many files at once'(place) {
    const path = (index) => `results/00/${(index % 5).toString(16).padStart(2, '0')}/00/results-${index.toString(16).padStart(8, '0')}.xdr.gz`;
    const count = 60;
    await Promise.all(Array.from({ length: count }, async (_, index) => {
      const content = bytes(1000 + index, index + 1);
      if (index % 2 === 0) return place.writer.put(path(index), content, signal());
      return writeOdd(place.writer, path(index), content, [101, 13]);
    }));
    for (let index = 0; index < count; index += 1) await present(place, path(index), bytes(1000 + index, index + 1), path(index));
    equal((await place.list()).length, count, 'files');
  },

  async 'the same file by two at once: one of the two, whole'(place) {
    const [one, two] = [bytes(90_000, 14), bytes(80_000, 15)];
    const files = await Promise.all([one, two].map((content) => staged(place.writer, LEDGER, odd(content, [7001]))));
    await files[1].commit();
    await present(place, LEDGER, two, 'the first commit');
    await files[0].commit();
    await present(place, LEDGER, one, 'the second commit');
    const puts = [one, two].map((content) => () => place.writer.put(ROOT, content, signal()));
    if (place.mixesPuts) for (const put of puts) await put();
    else await Promise.all(puts.map((put) => put()));
    const found = await place.look(ROOT);
    same(found, found?.length === one.length ? one : two, 'put by two');
    equal(await place.list(), [ROOT, LEDGER], 'nothing else is left');
  },

  async 'an aborted signal stops everything'(place) {
    const earlier = bytes(500, 16);
    await place.writer.put(LEDGER, earlier, signal());
    const reason = new Error('stopped by the test');
    const stopped = { signal: AbortSignal.abort(reason) };
    const isReason = (error) => error === reason;
    await rejects(place.writer.put(LEDGER, bytes(5), stopped), 'put', isReason);
    await rejects(place.writer.exists(LEDGER, stopped), 'exists', isReason);
    await rejects(place.writer.stage(LEDGER, stopped), 'stage', isReason);
    if (place.writer.get !== undefined) await rejects(place.writer.get(LEDGER, stopped), 'get', isReason);

    const controller = new AbortController();
    const [one, two] = [LEDGER, BUCKET].map((path) => staged(place.writer, path, [bytes(5000, 17)], { signal: controller.signal }));
    const files = [await one, await two];
    controller.abort(reason);
    await rejects(files[0].write(bytes(5)), 'write', isReason);
    await rejects(files[1].commit(), 'commit', isReason);
    await rejects(files[0].commit(), 'commit of what lacks a chunk');
    await Promise.all(files.map((file) => file.abort()));
    await present(place, LEDGER, earlier, 'the earlier file');
    equal(await place.list(), [LEDGER], 'nothing else is left');
  },

  async 'paths that leave the archive are refused'(place) {
    for (const path of ['../outside', 'ledger/../../outside', '/etc/outside', '', '.', 'a//b', 'a/./b', 'a/', 'a\\..\\b', 'a\0b']) {
      const what = JSON.stringify(path);
      const refused = (error) => error.code === 'USAGE';
      await rejects(place.writer.put(path, bytes(5), signal()), `put ${what}`, refused);
      await rejects(place.writer.stage(path, signal()), `stage ${what}`, refused);
      await rejects(place.writer.exists(path, signal()), `exists ${what}`, refused);
    }
    equal(await place.list(), [], 'nothing was written');
  },

  async 'folders may be made first, and twice'(place) {
    const { writer } = place;
    for (const folder of ['ledger/00/00/00', 'ledger/00/00/00', 'ledger/00', 'bucket/aa/bb/cc']) await writer.makeDir?.(folder, signal());
    equal(await place.list(), [], 'folders are no files');
    await writer.put(LEDGER, bytes(9, 18), signal());
    await present(place, LEDGER, bytes(9, 18), 'in a folder that was made');
  },
};
