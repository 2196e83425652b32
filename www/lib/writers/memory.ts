/** An archive in memory, read and written: for tests, and for what is small. */
import type { ArchiveFile, ArchiveReader } from '../types.ts';
import { checkedPath } from './path.ts';
import type { Asked, StagedWriter } from './staged.ts';
import { stagedWriter } from './staged.ts';

export interface MemoryArchive extends ArchiveReader, StagedWriter {
  /** The files by their paths. */
  readonly files: Map<string, Uint8Array>;
  get(path: string, options: Asked): Promise<ArchiveFile>;
}

/** Fill and read `files` as you like; the archive keeps and gives copies. */
export function memoryArchive(name = 'memory'): MemoryArchive {
  const files = new Map<string, Uint8Array>();
  const archive = {
    name,
    files,
    async put(path: string, content: Uint8Array, { signal }: Asked): Promise<void> {
      signal.throwIfAborted();
      files.set(checkedPath(path), content.slice());
    },
    async exists(path: string, { signal }: Asked): Promise<boolean> {
      signal.throwIfAborted();
      return files.has(checkedPath(path));
    },
    async get(path: string, { signal }: Asked): Promise<ArchiveFile> {
      signal.throwIfAborted();
      return files.get(checkedPath(path))?.slice() ?? null;
    },
  };
  return { ...archive, stage: stagedWriter(archive).stage };
}
