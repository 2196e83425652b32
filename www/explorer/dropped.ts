/**
 * What becomes of things that were dropped on the page: a folder or a zip goes among the archives of the form, a proof is checked.
 *
 * Each is judged by what it is, not by its name. Not here: catching them (`drops.ts`), and what a zip holds (`zip.ts`).
 */
import type { Dropped } from './drops.ts';
import { textOf } from './files.ts';
import { freeName, openFiles, openHandle, openZip, taking } from './folders.ts';
import { encodeForm, MAX_ARCHIVES, type Source } from './form.ts';
import { addSource, announce, copyBusy, form, formOpen, look, openProof, takenNames } from './store.ts';

/** Bytes; the verifier itself takes no larger proof. */
const LARGEST_PROOF = 32 << 20;
/** What is walked through of a folder for which a browser has no handle. */
const MOST_FILES = 1_000_000;
const DEEPEST = 12;

class TooMuch extends Error {}

function settled<T>(call: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
  return new Promise(call);
}

/** All files below a folder, by their paths in it. Browsers give the names in portions, until there are none. */
async function filesBelow(root: FileSystemDirectoryEntry): Promise<ReadonlyMap<string, File>> {
  const files = new Map<string, File>();
  const walk = async (folder: FileSystemDirectoryEntry, path: string, depth: number): Promise<void> => {
    if (depth > DEEPEST) throw new TooMuch(`The folder has folders in it more than ${DEEPEST} deep, which no archive has.`);
    const reader = folder.createReader();
    for (;;) {
      const portion = await settled<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (portion.length === 0) return;
      await Promise.all(portion.filter(({ isFile }) => isFile).map(async (entry) => {
        files.set(path + entry.name, await settled<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
      }));
      if (files.size > MOST_FILES) throw new TooMuch(`The folder has more than ${MOST_FILES} files. “Add a folder” may take it.`);
      for (const entry of portion) if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, `${path}${entry.name}/`, depth + 1);
    }
  };
  await walk(root, '', 0);
  return files;
}

function add(source: Extract<Source, { kind: 'folder' }>): void {
  if (form.value.sources.length >= MAX_ARCHIVES) {
    taking.value = { name: source.name, fault: `There are ${MAX_ARCHIVES} archives already. Remove one first.` };
    return;
  }
  addSource(source);
  if (!copyBusy.value) formOpen.value = true;
  const { length } = form.value.sources;
  announce(`${source.zip === true ? 'Zip' : 'Folder'} ${source.name} is ${length === 1 ? 'the archive' : `archive ${length}`} of the form. It is read on this computer only`);
}

async function begins(file: File, ...with_: readonly (readonly number[])[]): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return with_.some((bytes) => bytes.every((byte, at) => head[at] === byte));
}

/** An empty zip is one as well: its end is its beginning. */
async function isZip(file: File): Promise<boolean> {
  return /\.zip$/i.test(file.name) || (await begins(file, [0x50, 0x4b, 3, 4], [0x50, 0x4b, 5, 6]));
}

async function takeFile(file: File): Promise<void> {
  if (await isZip(file)) {
    const name = freeName(file.name, takenNames());
    if (await openZip(file, name)) add({ kind: 'folder', name, zip: true });
    return;
  }
  const text = await textOf(file, LARGEST_PROOF);
  if (!text.trimStart().startsWith('{')) throw new TooMuch('This is neither an archive’s folder, nor a zip of one, nor a proof.');
  if (look.value !== '') location.hash = encodeForm(form.value) || '#';
  if (!copyBusy.value) formOpen.value = true;
  taking.value = null;
  await openProof(file.name, text);
  document.getElementById('proof-title')?.scrollIntoView({ block: 'nearest' });
}

async function takeOne({ handle: promised, entry, file }: Dropped): Promise<void> {
  const handle = await promised;
  const own = handle?.name ?? entry?.name ?? file?.name ?? 'What was dropped';
  taking.value = { name: own, fault: null };
  try {
    if (handle?.kind === 'directory') {
      add({ kind: 'folder', name: openHandle(handle as FileSystemDirectoryHandle, freeName(own, takenNames())) });
    } else if (entry?.isDirectory === true) {
      add({ kind: 'folder', name: openFiles(await filesBelow(entry as FileSystemDirectoryEntry), freeName(own, takenNames())) });
    } else if (file !== null) {
      await takeFile(file);
    }
    if (taking.value?.fault === null) taking.value = null;
  } catch (thrown) {
    taking.value = { name: own, fault: thrown instanceof TooMuch ? thrown.message : `It cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  }
}

/** One after another; of what cannot be taken the last is told. */
export async function takeDropped(dropped: readonly Dropped[]): Promise<void> {
  const faults: string[] = [];
  for (const one of dropped.slice(0, MAX_ARCHIVES)) {
    await takeOne(one);
    if (taking.value !== null) faults.push(taking.value.name);
  }
  const last = taking.value;
  if (last !== null && faults.length > 1) taking.value = { ...last, fault: `${last.fault} (And so with ${faults.slice(0, -1).join(', ')}.)` };
}
