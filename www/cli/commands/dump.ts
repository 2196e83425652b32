/**
 * `dump <FILE>` and `dump <ARCHIVE> <PATH>`: the records of one file as JSON lines.
 *
 * Not here: the decoding.
 */
import { access } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { directoryReader, dumpFile } from '../../lib/node.ts';
import type { ArchiveSource } from '../../lib/types.ts';
import { openArchive } from '../archive.ts';
import { MAX_LEDGER, checkpointFrequency, hash, similar, usage } from '../options.ts';
import { hex } from '../text.ts';
import { OK, orFaults } from './command.ts';
import type { Command } from './command.ts';

const ROOT_FILE = '.well-known/stellar-history.json';
const CHECKPOINT_KINDS = ['history', 'ledger', 'transactions', 'results', 'scp'] as const;
const KINDS = [...CHECKPOINT_KINDS, 'bucket'] as const;
type Kind = (typeof KINDS)[number];

const FORMS = 'The forms are: dump FILE, dump ARCHIVE PATH, dump ARCHIVE ledger 0x3f (or history, transactions, results, scp), dump ARCHIVE bucket HASH.';

/** A file and the path that says to the verifier what is in it. */
interface Target {
  readonly source: ArchiveSource;
  readonly path: string;
}

function isKind(word: string | undefined): word is Kind {
  return KINDS.some((kind) => kind === word);
}

function pathOf(kind: Kind, digits: string): string {
  const folders = [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6)].join('/');
  return `${kind}/${folders}/${kind}-${digits}${kind === 'history' ? '.json' : '.xdr.gz'}`;
}

/** The path in an archive of a file of this name, if the name says what is in it. */
function pathOfName(name: string): string | undefined {
  if (name === basename(ROOT_FILE)) return ROOT_FILE;
  const [, kind, digits, ending] = /^([a-z]+)-([0-9a-f]+)(\.json|\.xdr|\.xdr\.gz)$/i.exec(name) ?? [];
  if (!isKind(kind) || digits === undefined || (kind === 'history') !== (ending === '.json')) return undefined;
  return digits.length === (kind === 'bucket' ? 64 : 8) ? pathOf(kind, digits.toLowerCase()) : undefined;
}

/** A checkpoint as a number, as in `0x3f`, or with the eight digits of file names. */
function checkpointOf(word: string): number {
  const inName = /^(?=.*[a-f]|0)[0-9a-f]{8}$/i.test(word);
  const value = inName ? Number.parseInt(word, 16) : /^(\d+|0x[0-9a-f]+)$/i.test(word) ? Number(word) : Number.NaN;
  if (Number.isNaN(value) || value > MAX_LEDGER) {
    throw usage(`${JSON.stringify(word)} is not a checkpoint`, 'Write it in decimal (63), in hexadecimal (0x3f), or with the eight digits of its file (0000003f).');
  }
  return value;
}

/** What a local file is read through: whatever is asked for, it is this file, compressed as in an archive. */
function fileReader(file: string): ArchiveSource {
  const folder = directoryReader(dirname(file));
  return {
    name: file,
    async get(_, options) {
      const body = await folder.get(basename(file), options);
      if (body === null || !file.endsWith('.xdr')) return body;
      return (body instanceof ReadableStream ? body : new Blob([new Uint8Array(body)]).stream()).pipeThrough(new CompressionStream('gzip') as ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>);
    },
  };
}

function localFile(file: string): Target {
  const path = pathOfName(basename(file));
  if (path === undefined) {
    throw usage(`the name ${basename(file)} does not say what is in the file`, 'It must be as in an archive: ledger-0000003f.xdr.gz, bucket-<64 digits>.xdr.gz, history-0000003f.json.');
  }
  return { source: fileReader(file), path };
}

/** The URL of a file of an archive, taken apart: `https://host/archive` and `ledger/00/00/00/ledger-0000003f.xdr.gz`. */
function splitAddress(address: string): readonly [string, string] | undefined {
  const [, root, path] = /^(https?:\/\/.+?)\/((?:history|ledger|transactions|results|scp|bucket)(?:\/[0-9a-f]{2}){3}\/[^/]+|\.well-known\/[^/]+)$/i.exec(address) ?? [];
  return root === undefined || path === undefined ? undefined : [root, path];
}

async function oneWord(word: string): Promise<Target> {
  if (/^https?:\/\//i.test(word)) {
    const parts = splitAddress(word);
    if (parts === undefined) throw usage(`which file of ${word}?`, FORMS);
    return { source: await openArchive(parts[0]), path: parts[1] };
  }
  const isFolder = await access(`${word}/.`).then(() => true, () => false);
  if (isFolder) throw usage(`which file of ${word}?`, FORMS);
  await access(word).catch(() => {
    throw usage(`there is no file ${word}`, FORMS);
  });
  return localFile(word);
}

/** `ledger 0x3f`, `bucket HASH` or a path. */
function pathIn(words: readonly string[], frequency: number, say: (text: string) => void): string {
  const [first = '', second, ...rest] = words;
  if (rest.length > 0) throw usage(`dump takes one file, and ${JSON.stringify(rest[0])} is one too many`, FORMS);
  if (second === undefined) {
    if (first === 'history') return ROOT_FILE;
    if (isKind(first)) throw usage(`dump ${first} needs ${first === 'bucket' ? 'a hash' : 'a checkpoint'}`, FORMS);
    const path = first.replace(/^\.?\/+/, '');
    // The name alone will do: the folders follow from it.
    return path.includes('/') ? path : pathOfName(path) ?? path;
  }
  if (!isKind(first)) {
    const near = similar(first, KINDS);
    throw usage(`there is no kind of file ${JSON.stringify(first)}`, near === undefined ? FORMS : `Did you mean ${near}?`);
  }
  if (first === 'bucket') return pathOf(first, hash('dump bucket', second));
  const ledger = checkpointOf(second);
  const checkpoint = (Math.floor(ledger / frequency) + 1) * frequency - 1;
  // Archives made by new-hist have a state of ledger 0.
  if (first === 'history' && ledger === 0) return pathOf(first, '00000000');
  if (checkpoint !== ledger) say(`ledger ${ledger} is in checkpoint ${checkpoint} (${hex(checkpoint)})`);
  return pathOf(first, hex(checkpoint).slice(2));
}

export const dump: Command = {
  prepare({ positionals, values }) {
    const [first, ...rest] = positionals;
    const frequency = checkpointFrequency(values) ?? 64;
    if (first === undefined || first === '') throw usage('dump needs a file', FORMS);
    return async (session) => {
      const target = rest.length === 0
        ? await oneWord(first)
        : { path: pathIn(rest, frequency, (text) => session.say(text)), source: await openArchive(first) };
      return orFaults(session, async () => {
        await dumpFile(target.source, target.path, (line) => session.printMany(line), { signal: session.signal });
        session.flush();
        return OK;
      });
    };
  },
};
