/**
 * Folders of this computer as archives. Nothing of them leaves it.
 *
 * Two ways lead to a folder. A handle (File System Access) can be stored and asked for again with one click; a list of files
 * (`<input webkitdirectory>`, everywhere else) is gone with the page. Not here: which folders the form names.
 */
import { signal } from '@preact/signals';
import type { ArchiveFile, ArchiveReader } from '../lib/types.ts';

/** What the browsers that have it add to the standard's handle. */
export interface FolderHandle extends FileSystemDirectoryHandle {
  requestPermission?(mode: { mode: 'read' }): Promise<PermissionState>;
}

export interface Folder extends ArchiveReader {
  readonly handle?: FolderHandle;
}

/** The folders this page may read at this moment, by their names in the form. */
export const folders = signal<ReadonlyMap<string, Folder>>(new Map());

function keep(name: string, folder: Folder): string {
  folders.value = new Map([...folders.value, [name, folder]]);
  return name;
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

async function readHandle(root: FolderHandle, path: string): Promise<ArchiveFile> {
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  try {
    let folder: FileSystemDirectoryHandle = root;
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

/** The name an archive of this folder gets in reports. */
export function folderLabel(name: string): string {
  return `folder ${name}`;
}

export function openHandle(handle: FolderHandle, name: string): string {
  return keep(name, { name: folderLabel(name), handle, get: (path) => readHandle(handle, path) });
}

export function openFiles(files: FileList, name: string): string {
  // Each path begins with the chosen folder's own name.
  const byPath = new Map([...files].map((file) => [file.webkitRelativePath.slice(file.webkitRelativePath.indexOf('/') + 1), file]));
  return keep(name, { name: folderLabel(name), get: async (path) => byPath.get(path)?.stream() ?? null });
}

/** Two folders may have one name; the form and the report need two. */
export function freeName(wanted: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted} (${number})`;
    if (!taken.includes(name)) return name;
  }
}

type Picker = (options: { mode: 'read' }) => Promise<FolderHandle>;

function picker(): Picker | undefined {
  const found: unknown = Reflect.get(globalThis, 'showDirectoryPicker');
  return typeof found === 'function' ? (options) => Reflect.apply(found, globalThis, [options]) as Promise<FolderHandle> : undefined;
}

/** Lets the person choose a folder; `name` decides what it is called here. `null` when they choose none. */
export async function chooseFolder(name: (own: string) => string): Promise<string | null> {
  const pick = picker();
  if (pick !== undefined) {
    try {
      const handle = await pick({ mode: 'read' });
      return openHandle(handle, name(handle.name));
    } catch {
      return null;
    }
  }
  const input = document.createElement('input');
  input.type = 'file';
  input.webkitdirectory = true;
  return new Promise((resolve) => {
    input.addEventListener('cancel', () => resolve(null));
    input.addEventListener('change', () => {
      const files = input.files;
      const first = files?.[0];
      if (files === null || first === undefined) resolve(null);
      else resolve(openFiles(files, name(first.webkitRelativePath.split('/')[0] ?? 'folder')));
    });
    input.click();
  });
}

/** Asks for a stored folder again; needs the click of a person. */
export async function reopen(handle: FolderHandle, name: string): Promise<boolean> {
  try {
    const answer = await handle.requestPermission?.({ mode: 'read' });
    if (answer !== undefined && answer !== 'granted') return false;
    openHandle(handle, name);
    return true;
  } catch {
    return false;
  }
}
