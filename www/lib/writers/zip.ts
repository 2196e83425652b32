/**
 * An archive in one zip file. Its entries are not compressed again, since nearly all of an archive is already.
 */
import { makeZip } from 'client-zip';
import type { ArchiveReader } from '../types.ts';
import { checkedPath } from './path.ts';
import { blobSpool } from './spool.ts';
import { stagedFile } from './staged.ts';
import type { Asked, StagedWriter } from './staged.ts';

/** The first day that zips know, so that equal archives are equal files. Local, as the zip's own clock is. */
const DATE = new Date(1980, 0, 1);

export interface ZipArchive extends ArchiveReader, StagedWriter {
  /** The zip of what has been written so far, made as it is read. */
  stream(): ReadableStream<Uint8Array>;
  blob(): Promise<Blob>;
  get: ArchiveReader['get'];
}

/** Gathers files (in a browser on its disk, where they are large) and gives them as a zip. */
export function zipArchive(name = 'archive.zip'): ZipArchive {
  const files = new Map<string, Blob>();

  function stream(): ReadableStream<Uint8Array> {
    // Whichever was written first.
    const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
    return makeZip(entries.map(([path, input]) => ({ name: path, input, lastModified: DATE, size: input.size })));
  }

  return {
    name,
    async put(path, content, { signal }: Asked) {
      signal.throwIfAborted();
      files.set(checkedPath(path), new Blob([new Uint8Array(content)]));
    },
    async stage(path, options) {
      options.signal.throwIfAborted();
      checkedPath(path);
      const content = blobSpool();
      return stagedFile(path, options, {
        write: content.write,
        async commit() {
          files.set(path, content.blob());
        },
        abort: content.close,
      });
    },
    async exists(path, { signal }) {
      signal.throwIfAborted();
      return files.has(checkedPath(path));
    },
    async get(path, { signal }) {
      signal.throwIfAborted();
      return files.get(checkedPath(path))?.stream() ?? null;
    },
    stream,
    blob: () => new Response(stream(), { headers: { 'Content-Type': 'application/zip' } }).blob(),
  };
}
