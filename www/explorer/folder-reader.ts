/**
 * Folders and zips of this computer, read as archives: by a handle (File System Access), by a list of files, or out of the zip. Nothing
 * of them leaves it.
 *
 * On the page and in its worker alike, so without anything of the page. Not here: how people choose them (`folders.ts`), and what a zip is (`zip.ts`).
 */
import type { ArchiveFile, ArchiveReader } from '../lib/types.ts';

/** What the browsers that have it add to the standard's handle. */
export interface FolderHandle extends FileSystemDirectoryHandle {
  requestPermission?(mode: { mode: 'read' }): Promise<PermissionState>;
}

function unreadable(name: string, cause: unknown): Error {
  const said = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(`the folder ${name} cannot be read any more: ${said}`, { cause }), {
    code: 'FORBIDDEN',
    advice: 'See that the folder is still there, choose it again, and continue the run',
  });
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof DOMException && (thrown.name === 'NotFoundError' || thrown.name === 'TypeMismatchError');
}

async function readHandle(root: FileSystemDirectoryHandle, path: string): Promise<ArchiveFile> {
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  try {
    let folder = root;
    for (const part of folders) folder = await folder.getDirectoryHandle(part);
    return (await (await folder.getFileHandle(name)).getFile()).stream();
  } catch (thrown) {
    if (!isMissing(thrown)) throw unreadable(root.name, thrown);
  }
  // A drive pulled out must not look like an archive with its files missing.
  try {
    await root.keys().next();
    return null;
  } catch (thrown) {
    throw unreadable(root.name, thrown);
  }
}

/** The name an archive of this folder, or zip, gets in reports. */
export function folderLabel(name: string, zip = false): string {
  return `${zip ? 'zip' : 'folder'} ${name}`;
}

export function handleReader(handle: FileSystemDirectoryHandle, name: string): ArchiveReader {
  return { name: folderLabel(name), get: (path) => readHandle(handle, path) };
}

/** `files`: by their path in the archive. */
export function filesReader(files: ReadonlyMap<string, File>, name: string): ArchiveReader {
  return { name: folderLabel(name), get: async (path) => files.get(path)?.stream() ?? null };
}

/** What reads zips comes with the first of them. */
export function zipReader(file: File, name: string): ArchiveReader {
  const zip = import('./zip.ts').then(({ openZip }) => openZip(file));
  // Told to whoever asks for a file.
  zip.catch(() => undefined);
  return { name: folderLabel(name, true), get: async (path, { signal }) => (await zip).get(path, signal) };
}
