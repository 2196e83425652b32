/**
 * Archives in local folders, read. Not here: writing them (`writers/folder.ts`).
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveVerifierError } from './errors.ts';
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

/**
 * An archive in a local folder. A file that is not there is `null`; links inside the archive are followed (mirrors are
 * often made of them), but a path never climbs out of the folder by itself.
 */
export function directoryReader(path: string): ArchiveReader {
  return {
    name: path,
    async get(name, { signal }): Promise<ArchiveFile> {
      if (name.startsWith('/') || name.includes('\0') || name.split(/[/\\]/).includes('..')) {
        throw new ArchiveVerifierError('USAGE', `${JSON.stringify(name)} is not a path inside an archive`);
      }
      signal.throwIfAborted();
      const full = join(path, name);
      let file: FileHandle;
      try {
        // Not blocking on what only looks like a file: opening a FIFO would wait for a writer for ever.
        file = await open(full, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      } catch (cause) {
        const code = errnoOf(cause);
        if (code === 'ENOENT' || code === 'ENOTDIR') return null;
        throw readError(full, cause);
      }
      let streaming = false;
      try {
        const stat = await file.stat();
        if (!stat.isFile()) return null;
        if (stat.size > WHOLE_FILE_LIMIT) {
          streaming = true;
          return streamOf(file, full);
        }
        return await file.readFile();
      } catch (cause) {
        throw readError(full, cause);
      } finally {
        if (!streaming) await file.close();
      }
    },
  };
}
