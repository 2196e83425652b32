/**
 * Folders of this computer as archives. Nothing of them leaves it.
 *
 * Two ways lead to a folder. A handle (File System Access) can be stored and asked for again with one click; a list of files
 * (`<input webkitdirectory>`, everywhere else) is gone with the page. Not here: reading them (`folder-reader.ts`), and which folders the form names.
 */
import { signal } from '@preact/signals';
import type { ArchiveReader } from '../lib/types.ts';
import { filesReader, handleReader } from './folder-reader.ts';
import type { FolderHandle } from './folder-reader.ts';

export { folderLabel } from './folder-reader.ts';
export type { FolderHandle } from './folder-reader.ts';

/** One of the two ways, with what its reader reads: a worker makes a reader of its own of that. */
export interface Folder extends ArchiveReader {
  readonly handle?: FolderHandle;
  readonly files?: ReadonlyMap<string, File>;
}

/** The folders this page may read at this moment, by their names in the form. */
export const folders = signal<ReadonlyMap<string, Folder>>(new Map());

function keep(name: string, folder: Folder): string {
  folders.value = new Map([...folders.value, [name, folder]]);
  return name;
}

export function openHandle(handle: FolderHandle, name: string): string {
  return keep(name, { ...handleReader(handle, name), handle });
}

export function openFiles(files: FileList, name: string): string {
  // Each path begins with the chosen folder's own name.
  const byPath = new Map([...files].map((file) => [file.webkitRelativePath.slice(file.webkitRelativePath.indexOf('/') + 1), file]));
  return keep(name, { ...filesReader(byPath, name), files: byPath });
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
