/**
 * Folders and zips of this computer as archives. Nothing of them leaves it.
 *
 * Two ways lead to a folder. A handle (File System Access) can be stored and asked for again with one click; a list of files
 * (`<input webkitdirectory>`, everywhere else) is gone with the page, and so is a zip. Not here: reading them (`folder-reader.ts`), and which of them the form names.
 */
import { signal } from '@preact/signals';
import type { ArchiveReader } from '../lib/types.ts';
import { chooseFile } from './files.ts';
import { filesReader, folderLabel, handleReader } from './folder-reader.ts';
import type { FolderHandle } from './folder-reader.ts';
import type { Zip } from './zip.ts';

export { folderLabel } from './folder-reader.ts';
export type { FolderHandle } from './folder-reader.ts';

/** One of the ways, with what its reader reads: a worker makes a reader of its own of that. */
export interface Folder extends ArchiveReader {
  readonly handle?: FolderHandle;
  readonly files?: ReadonlyMap<string, File>;
  readonly zip?: File;
  /** Of a zip: which folder in it is the archive, and the sizes of its files. */
  readonly inside?: Pick<Zip, 'root' | 'sizeOf'>;
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

/** `files`: by their paths in the archive. */
export function openFiles(files: ReadonlyMap<string, File>, name: string): string {
  return keep(name, { ...filesReader(files, name), files });
}

/** What becomes of a file or a folder that is not an archive of this page yet, or will not be. */
export interface Taking {
  readonly name: string;
  /** Why it is not taken; `null` while it is looked at. */
  readonly fault: string | null;
}

export const taking = signal<Taking | null>(null);

/** `false` where it is no archive that can be read: `taking` says why. */
export async function openZip(file: File, name: string): Promise<boolean> {
  taking.value = { name: file.name, fault: null };
  try {
    const zip = await (await import('./zip.ts')).openZip(file);
    keep(name, { name: folderLabel(name, true), get: (path, { signal: stop }) => zip.get(path, stop), zip: file, inside: zip });
    taking.value = null;
    return true;
  } catch (thrown) {
    taking.value = { name: file.name, fault: thrown instanceof Error ? thrown.message : String(thrown) };
    return false;
  }
}

/** Lets the person choose a zip, which is called `name` here. */
export async function chooseZip(name: (own: string) => string): Promise<string | null> {
  const file = await chooseFile('.zip,application/zip');
  if (file === null) return null;
  const called = name(file.name);
  return (await openZip(file, called)) ? called : null;
}

/** Lets the person choose again what a page does not keep. */
export function chooseAgain({ name, zip }: { readonly name: string; readonly zip?: true }): Promise<string | null> {
  return (zip === true ? chooseZip : chooseFolder)(() => name);
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
      else {
        // Each path begins with the chosen folder's own name.
        const byPath = new Map([...files].map((file) => [file.webkitRelativePath.slice(file.webkitRelativePath.indexOf('/') + 1), file]));
        resolve(openFiles(byPath, name(first.webkitRelativePath.split('/')[0] ?? 'folder')));
      }
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
