/**
 * Archives in folders that a browser opens: those a person chose (File System Access) and the page's own (OPFS).
 *
 * A browser makes an empty file of a new name before it can be written, so a file waits among the browser's blobs until it is whole:
 * what is visible too early is empty, and only for as long as it takes to copy it. Not here: asking the person.
 */
import type { ArchiveReader } from '../types.ts';
import { ArchiveWriteError, codeOf, writeFault } from './errors.ts';
import { partsOf } from './path.ts';
import { blobSpool } from './spool.ts';
import { stagedFile } from './staged.ts';
import type { Asked, StagedWriter } from './staged.ts';

/** What the browsers that have it add to the standard's handle. */
interface Permitted extends FileSystemDirectoryHandle {
  queryPermission?(mode: { mode: 'readwrite' }): Promise<PermissionState>;
}

/** An archive in a folder for which the page has a handle with the permission to write. */
export function folderWriter(handle: FileSystemDirectoryHandle, name: string = handle.name): ArchiveReader & StagedWriter {
  const root: Permitted = handle;

  async function demandPermission(): Promise<void> {
    const answer = await root.queryPermission?.({ mode: 'readwrite' });
    if (answer === undefined || answer === 'granted') return;
    throw new ArchiveWriteError(`the folder ${name} may not be changed by this page`, {
      code: 'NotAllowedError', advice: "Ask for it at a person's click: requestPermission({ mode: 'readwrite' }).",
    });
  }

  async function within(folders: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
    let folder: FileSystemDirectoryHandle = root;
    for (const part of folders) folder = await folder.getDirectoryHandle(part, { create });
    return folder;
  }

  async function find(path: string): Promise<FileSystemFileHandle | null> {
    const { folders, file } = partsOf(path);
    try {
      return await (await within(folders, false)).getFileHandle(file);
    } catch (cause) {
      const code = codeOf(cause);
      if (code !== 'NotFoundError' && code !== 'TypeMismatchError') throw writeFault(`${path} could not be looked for in ${name}`, cause);
    }
    // A folder that is gone must not look like one that has nothing in it.
    try {
      await root.keys().next();
      return null;
    } catch (cause) {
      throw writeFault(`the folder ${name} cannot be read any more`, cause);
    }
  }

  async function write(path: string, content: Blob | Uint8Array<ArrayBuffer>, { signal }: Asked): Promise<void> {
    signal.throwIfAborted();
    const { folders, file } = partsOf(path);
    await demandPermission();
    let folder: FileSystemDirectoryHandle | undefined;
    const earlier = await find(path);
    try {
      folder = await within(folders, true);
      const writable = await (await folder.getFileHandle(file, { create: true })).createWritable();
      try {
        await writable.write(content);
        signal.throwIfAborted();
        await writable.close();
      } catch (cause) {
        await writable.abort().catch(() => undefined);
        throw cause;
      }
    } catch (cause) {
      // Nothing but the empty file that was made for it.
      if (earlier === null) await folder?.removeEntry(file).catch(() => undefined);
      throw writeFault(`${path} could not be written to ${name}`, cause, signal);
    }
  }

  return {
    name,
    put: (path, content, options) => write(path, content as Uint8Array<ArrayBuffer>, options),
    async stage(path, options) {
      options.signal.throwIfAborted();
      partsOf(path);
      await demandPermission();
      const content = blobSpool();
      return stagedFile(path, options, {
        write: content.write,
        async commit() {
          await write(path, content.blob(), options);
          await content.close();
        },
        abort: content.close,
      });
    },
    async exists(path, { signal }) {
      signal.throwIfAborted();
      return (await find(path)) !== null;
    },
    async get(path, { signal }) {
      signal.throwIfAborted();
      const found = await find(path);
      if (found === null) return null;
      try {
        return (await found.getFile()).stream();
      } catch (cause) {
        throw writeFault(`${path} could not be read from ${name}`, cause);
      }
    },
    async makeDir(path, { signal }) {
      signal.throwIfAborted();
      const { folders, file } = partsOf(path);
      await demandPermission();
      try {
        await within([...folders, file], true);
      } catch (cause) {
        throw writeFault(`the folder ${path} could not be made in ${name}`, cause);
      }
    },
  };
}

/** An archive in the browser's own storage for this site (OPFS): nobody is asked, and nobody sees it elsewhere. */
export async function opfsArchive(name: string): Promise<ArchiveReader & StagedWriter> {
  let folder = await navigator.storage.getDirectory();
  for (const part of name.split('/')) folder = await folder.getDirectoryHandle(part, { create: true });
  return folderWriter(folder, `browser storage: ${name}`);
}
