/**
 * Archives in local folders, written (Node). A file grows under a name beside its own and is renamed when it is whole and on the disk,
 * so that whoever reads the folder, or finds it after a power cut, has the earlier file or the new one.
 *
 * Not here: reading them (`directory.ts`).
 */
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { directoryReader } from '../directory.ts';
import type { ArchiveReader, StagedFile } from '../types.ts';
import { codeOf, writeFault } from './errors.ts';
import { checkedPath, partialName, partsOf, randomMark } from './path.ts';
import { putStaged, stagedFile } from './staged.ts';
import type { Asked, StagedWriter } from './staged.ts';

/** Of `partialName`, with the process that writes it. */
const PARTIAL = /^\..+\.(\d+)-[0-9a-f]{12}\.partial$/;
/** A process of another machine is as unknown as one that has ended; nobody writes at one file for so long. */
const STALE_MS = 24 * 3600 * 1000;

/** What this process is writing, by whichever writer. */
const growing = new Set<string>();

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is somebody else's, but it is there.
    return codeOf(error) === 'EPERM';
  }
}

/** Whether the partial file at `path` is what a process left that came to its end too early. */
async function isLeftover(path: string, pid: number, since: number): Promise<boolean> {
  if (growing.has(path)) return false;
  const { mtimeMs } = await stat(path);
  if (mtimeMs >= since) return false;
  // In containers every process may have the number of this one.
  return pid === process.pid || !isRunning(pid) || mtimeMs < Date.now() - STALE_MS;
}

async function removeLeftovers(folder: string, since: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = PARTIAL.exec(name)?.[1];
    if (pid === undefined) continue;
    const path = join(folder, name);
    try {
      if (await isLeftover(path, Number(pid), since)) await unlink(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** Makes what was done in `folder` outlast a power cut, where folders can be opened. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network drives do not know that for folders.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

/** Makes `folder` and what is missing above it. Node's own way to do that calls a read-only disk one that is not there. */
async function makeFolder(folder: string, parentIsThere = false): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = codeOf(error);
    // Some places, such as /proc, say of a new folder that it is not there.
    if (code === 'ENOENT' && !parentIsThere && dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
      return makeFolder(folder, true);
    }
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    throw error;
  }
  await syncFolder(dirname(folder));
}

/** A disk may take less than it was given. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) written += (await file.write(chunk, written)).bytesWritten;
}

/** An archive in a local folder, which is made if it is not there. */
export function directoryWriter(path: string): ArchiveReader & StagedWriter {
  const reader = directoryReader(path);
  const since = Date.now();

  async function stage(name: string, options: Asked): Promise<StagedFile> {
    const { folders, file } = partsOf(name);
    const { signal } = options;
    signal.throwIfAborted();
    const folder = join(path, ...folders);
    const target = join(folder, file);
    const partial = join(folder, partialName(file, `${process.pid}-${randomMark()}`));
    const fault = (cause: unknown): unknown => writeFault(`${target} could not be written`, cause, signal);

    async function begin(): Promise<FileHandle> {
      await makeFolder(folder);
      await removeLeftovers(folder, since);
      growing.add(partial);
      // Not through a link that somebody put there.
      return open(partial, 'wx');
    }

    let handle: FileHandle;
    try {
      handle = await begin();
    } catch (cause) {
      growing.delete(partial);
      throw fault(cause);
    }
    return stagedFile(target, options, {
      async write(chunk) {
        try {
          await writeAll(handle, chunk);
        } catch (cause) {
          throw fault(cause);
        }
      },
      async commit() {
        try {
          await handle.sync();
          await handle.close();
          signal.throwIfAborted();
          await rename(partial, target);
          growing.delete(partial);
          await syncFolder(folder);
        } catch (cause) {
          throw fault(cause);
        }
      },
      async abort() {
        await handle.close().catch(() => undefined);
        await unlink(partial).catch(() => undefined);
        growing.delete(partial);
      },
    });
  }

  return {
    name: path,
    stage,
    put: (name, content, options) => putStaged(stage, name, content, options),
    async exists(name, { signal }) {
      signal.throwIfAborted();
      const full = join(path, checkedPath(name));
      try {
        return (await stat(full)).isFile();
      } catch (cause) {
        const code = codeOf(cause);
        if (code === 'ENOENT' || code === 'ENOTDIR') return false;
        throw writeFault(`${full} could not be looked at`, cause);
      }
    },
    get: (name, options) => reader.get(checkedPath(name), options),
    async makeDir(name, { signal }) {
      signal.throwIfAborted();
      const full = join(path, checkedPath(name));
      try {
        await makeFolder(full);
      } catch (cause) {
        throw writeFault(`the folder ${full} could not be made`, cause);
      }
    },
  };
}
