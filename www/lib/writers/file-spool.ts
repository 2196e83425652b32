/** A spool for Node: what is too large for memory waits in a temporary file. */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { writeFault } from './errors.ts';
import { GATHER_LIMIT, blobSpool } from './spool.ts';
import type { Spool } from './spool.ts';

interface TemporaryFile {
  readonly folder: string;
  readonly path: string;
  readonly handle: FileHandle;
}

async function temporaryFile(): Promise<TemporaryFile> {
  const folder = await mkdtemp(join(tmpdir(), 'stellar-archive-'));
  const path = join(folder, 'file');
  return { folder, path, handle: await open(path, 'wx') };
}

export function fileSpool(): Spool {
  const memory = blobSpool();
  let length = 0;
  let file: TemporaryFile | undefined;

  async function append(chunk: Uint8Array): Promise<void> {
    try {
      if (file === undefined) {
        file = await temporaryFile();
        await file.handle.appendFile(new Uint8Array(await memory.blob().arrayBuffer()));
        await memory.close();
      }
      await file.handle.appendFile(chunk);
    } catch (cause) {
      throw writeFault(`a temporary file in ${file?.folder ?? tmpdir()} could not be written`, cause);
    }
  }

  return {
    async write(chunk) {
      length += chunk.length;
      await (file === undefined && length <= GATHER_LIMIT ? memory.write(chunk) : append(chunk));
    },
    async payload() {
      if (file === undefined) return memory.payload();
      // A stream of its own each time: what was sent half can be sent again.
      return { body: Readable.toWeb(createReadStream(file.path)) as ReadableStream<Uint8Array>, length };
    },
    async close() {
      await memory.close();
      await file?.handle.close();
      if (file !== undefined) await rm(file.folder, { recursive: true, force: true });
    },
  };
}
