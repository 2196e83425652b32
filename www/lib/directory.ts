/**
 * Archives in local folders, read. Not here: writing them (`writers/folder.ts`).
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveVerifierError } from './errors.ts';
import { FOLDER } from './plain.ts';
import type { ArchiveFile, ArchiveReader } from './types.ts';

/** Files up to this size are read in one go; larger ones (buckets) are streamed, so that they never lie in memory whole. */
const WHOLE_FILE_LIMIT = 1 << 20;
const CHUNK = 256 << 10;

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What keeps a file of an existing folder from being read; the verifier's report adds the cause's own words. */
function readError(path: string, cause: unknown): Error {
  if (cause instanceof Error && cause.name === 'AbortError') return cause;
  const code = errnoOf(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return new ArchiveVerifierError('FORBIDDEN', `${path} may not be read`, {
      advice: 'Make the archive readable for the user who runs the verifier.', cause,
    });
  }
  return new ArchiveVerifierError('NETWORK', `${path} could not be read`, {
    advice: 'Check the disk or the network drive that holds the archive.', cause,
  });
}

/** The rest of an open file, chunk by chunk; closes it at the end, on cancel and on failure. */
function streamOf(file: FileHandle, path: string): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        // A buffer of its own for each chunk: the reader may hand it on to another thread.
        const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK), 0, CHUNK);
        if (bytesRead > 0) {
          controller.enqueue(buffer.subarray(0, bytesRead));
          return;
        }
        await file.close();
        controller.close();
      } catch (cause) {
        await file.close().catch(() => undefined);
        throw readError(path, cause);
      }
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

/** Not blocking on what only looks like a file: opening a FIFO would wait for a writer for ever. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function isAbsent(cause: unknown): boolean {
  const code = errnoOf(cause);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A small file at once, as most of an archive are: five calls of the system, where asking for each and waiting costs ten times as much. */
function readAtOnce(path: string): ArchiveFile | 'large' {
  const file = openSync(path, FLAGS);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    if (stat.size > WHOLE_FILE_LIMIT) return 'large';
    const bytes = new Uint8Array(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** A file as it comes, while others are asked for. */
async function readSlowly(path: string): Promise<ArchiveFile> {
  const file = await open(path, FLAGS);
  let streaming = false;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return null;
    if (stat.size > WHOLE_FILE_LIMIT) {
      streaming = true;
      return streamOf(file, path);
    }
    return await file.readFile();
  } finally {
    if (!streaming) await file.close();
  }
}

/** A disk that takes longer for a small file is better asked for several at once. */
const SLOW_MS = 4;
/** So many files are then read that way, before it is looked at again. */
const SLOW_FILES = 256;

/**
 * An archive in a local folder. A file that is not there is `null`; links inside the archive are followed (mirrors are
 * often made of them), but a path never climbs out of the folder by itself.
 */
export function directoryReader(path: string): ArchiveReader {
  let slow = 0;
  const reader: ArchiveReader & { readonly [FOLDER]: string } = {
    name: path,
    [FOLDER]: path,
    async get(name, { signal }): Promise<ArchiveFile> {
      if (name.startsWith('/') || name.includes('\0') || name.split(/[/\\]/).includes('..')) {
        throw new ArchiveVerifierError('USAGE', `${JSON.stringify(name)} is not a path inside an archive`);
      }
      signal.throwIfAborted();
      const full = join(path, name);
      try {
        if (slow > 0) {
          slow -= 1;
          return await readSlowly(full);
        }
        const begun = performance.now();
        const file = readAtOnce(full);
        if (performance.now() - begun > SLOW_MS) slow = SLOW_FILES;
        return file === 'large' ? await readSlowly(full) : file;
      } catch (cause) {
        if (isAbsent(cause)) return null;
        throw readError(full, cause);
      }
    },
  };
  return reader;
}
