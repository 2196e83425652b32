/**
 * An archive in a zip of this computer, read in place: by the zip's table of contents, and of the file only what is asked for.
 *
 * On the page and in its worker alike, each with a table of its own; loaded apart from them. A zip may come from anywhere: how much of
 * it is held is bounded, and one that programs would unpack differently (two files of one name, names that lead out of it, a table that
 * contradicts itself) is refused with the reason, because a verdict about it would say nothing. Not here: how people choose zips
 * (`folders.ts`), making them (the package's writer), encrypted or split ones, and the zip's own checksums: what they would find, hashes
 * that matter find. Of the libraries for this the small ones unpack whole files into memory; zip.js was tried, and takes 4 kB of memory for
 * each file of the table, lets no more streams run than there are cores, and is eight times this code.
 */
import type { ArchiveFile } from '../lib/types.ts';

/** Files that a table may list. Their names alone are up to `MOST_TABLE` bytes of memory. */
const MOST_FILES = 1_000_000;
const MOST_TABLE = 256 << 20;
/** Bytes of the table that are read at once; no record is as long. */
const WINDOW = 1 << 20;
/** Bytes that are handed to the unpacker at once: what comes out of it is a thousand times as much at most, and has to lie somewhere. */
const PIECE = 16 << 10;
const END = { size: 22, longestComment: 0xffff };

/** What is wrong with a zip, in a sentence. */
export class ZipFault extends Error {
  override readonly name = 'ZipFault';
}

interface Entry {
  /** Where its own header is. */
  readonly at: number;
  readonly packed: number;
  readonly size: number;
  readonly deflated: boolean;
}

export interface Zip {
  /** The folder inside of the zip that is the archive, with a slash at its end, or nothing. */
  readonly root: string;
  readonly files: number;
  /** Bytes of a file as an archive's server would have it; `null` where it is not there. */
  sizeOf(path: string): number | null;
  get(path: string, signal: AbortSignal): Promise<ArchiveFile>;
}

interface Table {
  readonly at: number;
  readonly length: number;
  readonly files: number;
  /** Of old zips with many files only the last 16 bits of their number are known. */
  readonly wrapped: boolean;
  /** Bytes before the zip's own beginning. */
  readonly shift: number;
}

const DAMAGED = 'The zip is damaged: its table of contents';

function said(name: string): string {
  const plain = name.replace(/\p{Cc}/gu, '?');
  return `“${plain.length > 80 ? `${plain.slice(0, 80)}…` : plain}”`;
}

function unreadable(file: File, cause: unknown): Error {
  const words = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(`the zip ${file.name} cannot be read any more: ${words}`, { cause }), {
    code: 'FORBIDDEN',
    advice: 'See that the zip is still there and unchanged, choose it again, and continue the run',
  });
}

function broken(path: string, what: string, cause?: unknown): Error {
  return Object.assign(new Error(`${path} cannot be unpacked: ${what}`, { cause }), {
    code: 'FORBIDDEN',
    advice: 'Make the zip again, or unpack it and choose the folder',
  });
}

async function bytesAt(file: File, at: number, length: number): Promise<DataView> {
  try {
    return new DataView(await file.slice(at, at + length).arrayBuffer());
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function u64(view: DataView, at: number): number {
  // What is beyond the numbers of this language is beyond the end of any file, too.
  return Number(view.getBigUint64(at, true));
}

/** The end of the table in the 64-bit form, or `null` where the zip has none. */
async function findLongEnd(file: File, end: number): Promise<Table | null> {
  const locator = end < 20 ? null : await bytesAt(file, end - 20, 20);
  if (locator === null || locator.getUint32(0, true) !== 0x07064b50) return null;
  // Where it says, or right before itself: something may have been put before the zip.
  for (const at of [u64(locator, 8), end - 76]) {
    if (at < 0 || at + 56 > end) continue;
    const view = await bytesAt(file, at, 56);
    if (view.getUint32(0, true) !== 0x06064b50) continue;
    const length = u64(view, 40);
    return { at: at - length, length, files: u64(view, 32), wrapped: false, shift: at - length - u64(view, 48) };
  }
  throw new ZipFault(`${DAMAGED} has no end where its end is said to be.`);
}

async function findTable(file: File): Promise<Table> {
  const from = Math.max(0, file.size - END.size - END.longestComment);
  const tail = await bytesAt(file, from, file.size - from);
  let at = tail.byteLength - END.size;
  while (at >= 0 && !(tail.getUint32(at, true) === 0x06054b50 && at + END.size + tail.getUint16(at + 20, true) === tail.byteLength)) at -= 1;
  if (at < 0) {
    const begun = tail.byteLength >= 4 && (await bytesAt(file, 0, 4)).getUint32(0, true) === 0x04034b50;
    throw new ZipFault(begun ? 'The zip ends too early: its table of contents, which is at the end, is missing. The download or the copy of it was not complete.' : 'This is not a zip.');
  }
  if (tail.getUint16(at + 4, true) % 0xffff !== 0) throw new ZipFault('This is one part of a zip that was split. Join its parts first.');
  const length = tail.getUint32(at + 12, true);
  const begin = from + at - length;
  const table = await findLongEnd(file, from + at)
    ?? { at: begin, length, files: tail.getUint16(at + 10, true), wrapped: true, shift: begin - tail.getUint32(at + 16, true) };
  if (table.at < 0 || table.shift < 0) throw new ZipFault(`${DAMAGED} would begin before the zip does.`);
  if (table.files > MOST_FILES || table.length > MOST_TABLE) {
    throw new ZipFault(`The zip says that it has ${table.files > MOST_FILES ? `${table.files} files` : `${table.length >> 20} MB of names`}: more than a page can keep in mind. Unpack it and choose the folder.`);
  }
  return table;
}

/** The names of the table are of UTF-8 or of ASCII; those of archives are the same in both. */
const names = new TextDecoder();

function pathOf(raw: string): string {
  // Some programs for Windows write their own kind of slash.
  const path = raw.replaceAll('\\', '/').replace(/^(?:\.\/)+/, '');
  if (path.startsWith('/') || /^[a-z]:/i.test(path) || path.split('/').includes('..')) {
    throw new ZipFault(`The zip has a file with the name ${said(raw)}, which leads out of the folder that it is unpacked into. No archive has that: do not unpack it.`);
  }
  return path;
}

/** Sizes and place, which are in an extra field where they do not fit. */
function figuresOf(record: DataView, nameLength: number, extraLength: number): { readonly size: number; readonly packed: number; readonly at: number } {
  const short = [record.getUint32(24, true), record.getUint32(20, true), record.getUint32(42, true)];
  let field = 46 + nameLength;
  const fieldsEnd = field + extraLength;
  while (field + 4 <= fieldsEnd && short.includes(0xffff_ffff)) {
    const length = record.getUint16(field + 2, true);
    if (record.getUint16(field, true) === 1) {
      let at = field + 4;
      const long = short.map((value) => {
        if (value !== 0xffff_ffff || at + 8 > Math.min(field + 4 + length, fieldsEnd)) return value;
        at += 8;
        return u64(record, at - 8);
      });
      return { size: long[0] ?? 0, packed: long[1] ?? 0, at: long[2] ?? 0 };
    }
    field += 4 + length;
  }
  return { size: short[0] ?? 0, packed: short[1] ?? 0, at: short[2] ?? 0 };
}

/** Why a file cannot be read out of a zip; `undefined` where it can. */
function hindrance(record: DataView): string | undefined {
  const method = record.getUint16(10, true);
  if ((record.getUint16(8, true) & 0x2041) !== 0) return 'is encrypted. Unpack the zip with its password, and choose the folder';
  if (record.getUint8(5) === 3 && record.getUint16(40, true) >> 12 === 0xa) return 'is a link, which leads nowhere inside of a zip. Unpack it and choose the folder';
  if (method !== 0 && method !== 8) return `is packed by method ${method}, which browsers cannot unpack. Make the zip with the usual one (deflate), or unpack it and choose the folder`;
  return undefined;
}

const STATE = /^(.*\/)?\.well-known\/stellar-history\.json$/;
const FILE = /^(.*\/)?(?:history|ledger|transactions|results|scp|bucket)(?:\/[0-9a-f]{2}){3}\/[a-z]+-[0-9a-f]+\.(?:json|xdr\.gz)$/;
/** Characters; no file of an archive has a path as long, wherever in a zip it is. */
const LONGEST = 1024;

class Contents {
  readonly entries = new Map<string, Entry>();
  readonly hindrances = new Map<string, string>();
  /** Folders with an archive's state, and such as have other files of archives. */
  readonly #roots = new Set<string>();
  readonly #others = new Set<string>();

  add(path: string, entry: Entry, why: string | undefined): void {
    if (this.entries.has(path)) throw new ZipFault(`The zip has two files with the name ${said(path)}: which of them counts is up to whoever unpacks it. Make it again from the folder.`);
    this.entries.set(path, entry);
    if (why !== undefined && this.hindrances.size < 1000) this.hindrances.set(path, why);
    const state = STATE.exec(path);
    const roots = state === null ? this.#others : this.#roots;
    const root = (state ?? FILE.exec(path))?.[1] ?? '';
    // A few are enough to know that there are several.
    if ((state !== null || FILE.test(path)) && roots.size < 4) roots.add(root);
  }

  /** The folder that is the archive. */
  root(): string {
    const found = this.#roots.size > 0 ? this.#roots : this.#others;
    const [root] = found;
    if (root === undefined) throw new ZipFault('There is no archive in the zip: neither it nor a folder in it has .well-known/stellar-history.json.');
    if (found.size > 1) throw new ZipFault(`There are several archives in the zip, in ${[...found].map((one) => (one === '' ? 'its root' : said(one))).join(', ')}. Make a zip of one of them.`);
    return root;
  }
}

async function readTable(file: File, table: Table): Promise<Contents> {
  const contents = new Contents();
  const end = table.at + table.length;
  let base = table.at;
  let window: DataView = new DataView(new ArrayBuffer(0));
  let at = table.at;
  /** The record's bytes from its beginning; read afresh where they are not at hand. */
  const record = async (length: number): Promise<DataView> => {
    if (at + length > base + window.byteLength) {
      base = at;
      window = await bytesAt(file, at, Math.min(WINDOW, end - at));
    }
    if (window.byteLength < at - base + length) throw new ZipFault(`${DAMAGED} ends in the middle of a file’s name.`);
    return new DataView(window.buffer, at - base, length);
  };
  let files = 0;
  while (at < end) {
    const head = await record(46);
    if (head.getUint32(0, true) !== 0x02014b50) throw new ZipFault(`${DAMAGED} has something else among its names.`);
    files += 1;
    if (files > MOST_FILES) throw new ZipFault(`The zip has more than ${MOST_FILES} files, which is more than a page can keep in mind. Unpack it and choose the folder.`);
    const nameLength = head.getUint16(28, true);
    const extraLength = head.getUint16(30, true);
    const length = 46 + nameLength + extraLength + head.getUint16(32, true);
    const whole = await record(length);
    at += length;
    if (nameLength > LONGEST) continue;
    const path = pathOf(names.decode(new Uint8Array(whole.buffer, whole.byteOffset + 46, nameLength)));
    if (path === '' || path.endsWith('/')) continue;
    const figures = figuresOf(whole, nameLength, extraLength);
    const start = figures.at + table.shift;
    const deflated = whole.getUint16(10, true) === 8;
    if (start + 30 + figures.packed > table.at) throw new ZipFault(`${DAMAGED} says that ${said(path)} lies beyond the files of the zip.`);
    if (!deflated && figures.packed !== figures.size && hindrance(whole) === undefined) throw new ZipFault(`${DAMAGED} gives ${said(path)} two sizes.`);
    contents.add(path, { at: start, packed: figures.packed, size: figures.size, deflated }, hindrance(whole));
  }
  if (table.wrapped ? files % 0x1_0000 !== table.files : files !== table.files) throw new ZipFault(`${DAMAGED} lists ${files} files and says that there are ${table.files}.`);
  return contents;
}

/** A stream in small pieces, each given when it is asked for. */
function inPieces(content: Blob): ReadableStream<BufferSource> {
  const source = content.stream().getReader();
  let rest = new Uint8Array(0);
  return new ReadableStream({
    async pull(controller) {
      while (rest.byteLength === 0) {
        const { done, value } = await source.read();
        if (done) return controller.close();
        rest = value;
      }
      controller.enqueue(rest.subarray(0, PIECE));
      rest = rest.subarray(PIECE);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}

/** What is packed in `content`, which is `size` bytes and not one more. */
function unpacked(path: string, content: Blob, size: number): ReadableStream<Uint8Array> {
  const source = inPieces(content).pipeThrough<Uint8Array>(new DecompressionStream('deflate-raw')).getReader();
  let left = size;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.read().catch((cause: unknown) => {
        throw broken(path, cause instanceof Error ? cause.message : String(cause), cause);
      });
      if (done && left === 0) return controller.close();
      left -= value?.byteLength ?? 0;
      if (!done && left >= 0) return controller.enqueue(value);
      await source.cancel().catch(() => undefined);
      throw broken(path, `it is ${done ? 'less' : 'more'} than the ${size} bytes that the zip says`);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Opens a zip with an archive in it; throws a `ZipFault` where it is none that can be read. */
export async function openZip(file: File): Promise<Zip> {
  const table = await findTable(file);
  const contents = await readTable(file, table);
  const root = contents.root();
  for (const [path, why] of contents.hindrances) if (path.startsWith(root)) throw new ZipFault(`${said(path)} in the zip ${why}.`);
  return {
    root,
    files: contents.entries.size,
    sizeOf: (path) => contents.entries.get(root + path)?.size ?? null,
    async get(path, signal) {
      signal.throwIfAborted();
      const entry = contents.entries.get(root + path);
      if (entry === undefined) return null;
      const header = await bytesAt(file, entry.at, 30);
      if (header.byteLength < 30 || header.getUint32(0, true) !== 0x04034b50 || header.getUint16(8, true) !== (entry.deflated ? 8 : 0)) {
        throw broken(path, 'what is at its place is another than the zip’s table of contents says');
      }
      const start = entry.at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
      if (start + entry.packed > table.at) throw broken(path, 'it would lie beyond the files of the zip');
      const content = file.slice(start, start + entry.packed);
      return entry.deflated ? unpacked(path, content, entry.size) : content.stream();
    },
  };
}
