/**
 * Where the page can write an archive, and what is there already: a folder of this computer, this browser's storage, a zip.
 *
 * Not here: how a file is written (the package's writers) and what is written. Nothing of this asks a server for anything but
 * `remoteArchive`, and that only once a repair reads from it.
 */
import type { ArchiveFile, ArchiveReader, ArchiveWriter } from '../../lib/types.ts';
import type { FolderHandle } from '../folders.ts';

const STATE = '.well-known/stellar-history.json';
/** What an archive has in its root. */
const OWN = ['.well-known', 'bucket', 'history', 'ledger', 'results', 'scp', 'transactions'];

/** What was found where an archive shall be written. */
export type Holding =
  | { readonly holds: 'nothing' }
  | { readonly holds: 'archive'; readonly ledger: number; readonly passphrase: string | null }
  /** An archive's folders, and no state that could be read: a copy that did not get to its end. */
  | { readonly holds: 'part' }
  | { readonly holds: 'other'; readonly names: readonly string[] };

/** Chrome's; other browsers have handles only of their own storage, for which nobody needs to be asked. */
export interface WritableHandle extends FolderHandle {
  queryPermission?(mode: { mode: 'readwrite' }): Promise<PermissionState>;
}

type Picker = (options: { id: string; mode: 'readwrite' }) => Promise<WritableHandle>;

function picker(): Picker | undefined {
  const found: unknown = Reflect.get(globalThis, 'showDirectoryPicker');
  return typeof found === 'function' ? (options) => Reflect.apply(found, globalThis, [options]) as Promise<WritableHandle> : undefined;
}

export function canPickFolders(): boolean {
  return picker() !== undefined;
}

/** Storage of one's own is old; writing to it from a page is not. */
export function hasStorage(): boolean {
  return typeof navigator.storage?.getDirectory === 'function' && 'FileSystemFileHandle' in globalThis && 'createWritable' in FileSystemFileHandle.prototype;
}

export type Picked =
  | { readonly outcome: 'picked'; readonly handle: WritableHandle }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'refused'; readonly reason: string };

async function permission(handle: WritableHandle): Promise<boolean> {
  // The method looks at `this`, and its mode is another one than the reader's.
  const ask: unknown = Reflect.get(handle, 'requestPermission');
  const known = await handle.queryPermission?.({ mode: 'readwrite' });
  if (known === undefined || known === 'granted' || typeof ask !== 'function') return true;
  return (await Reflect.apply(ask, handle, [{ mode: 'readwrite' }])) === 'granted';
}

/** Asks for leave to change a folder that the page has read so far; needs the click of a person. */
export async function toWrite(handle: WritableHandle): Promise<Picked> {
  try {
    if (await permission(handle)) return { outcome: 'picked', handle };
    return { outcome: 'refused', reason: `this page may not change the folder ${handle.name}` };
  } catch (thrown) {
    return { outcome: 'refused', reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

export async function pickFolder(): Promise<Picked> {
  try {
    const handle = await picker()?.({ id: 'archive-copy', mode: 'readwrite' });
    return handle === undefined ? { outcome: 'none' } : await toWrite(handle);
  } catch (thrown) {
    // Closing the dialog and refusing what it asks look alike; a folder that browsers give to nobody does not.
    if (thrown instanceof DOMException && thrown.name === 'AbortError') return { outcome: 'none' };
    return { outcome: 'refused', reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** A folder of this browser's storage, for archives of this page's making. */
export async function storageFolder(name: string): Promise<WritableHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle('archives', { create: true })).getDirectoryHandle(name, { create: true });
}

/** What is under a name in this browser's storage, without making it. */
export async function lookInStorage(name: string): Promise<Holding> {
  try {
    const root = await navigator.storage.getDirectory();
    return await look(await (await root.getDirectoryHandle('archives')).getDirectoryHandle(name));
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'NotFoundError') return { holds: 'nothing' };
    throw thrown;
  }
}

export async function clearStorage(name: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await (await root.getDirectoryHandle('archives', { create: true })).removeEntry(name, { recursive: true });
}

/** Bytes that this browser still lets the page keep; `null` where it does not say. */
export async function freeStorage(): Promise<number | null> {
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined ? null : Math.max(0, quota - (usage ?? 0));
  } catch {
    return null;
  }
}

async function stateIn(handle: WritableHandle): Promise<Holding> {
  try {
    const folder = await handle.getDirectoryHandle('.well-known');
    const text = await (await (await folder.getFileHandle('stellar-history.json')).getFile()).text();
    const state: unknown = JSON.parse(text);
    if (typeof state !== 'object' || state === null) return { holds: 'part' };
    const ledger: unknown = Reflect.get(state, 'currentLedger');
    const passphrase: unknown = Reflect.get(state, 'networkPassphrase');
    return typeof ledger === 'number' ? { holds: 'archive', ledger, passphrase: typeof passphrase === 'string' ? passphrase : null } : { holds: 'part' };
  } catch {
    // Without a state, or with one that is damaged: what is beside it tells.
    return { holds: 'part' };
  }
}

/** Looks at a folder's root, and no further. Throws where it cannot be read. */
export async function look(handle: WritableHandle): Promise<Holding> {
  const names: string[] = [];
  for await (const name of handle.keys()) names.push(name);
  if (names.some((name) => OWN.includes(name))) return stateIn(handle);
  // What systems leave in every folder that somebody has looked into.
  const strange = names.filter((name) => !/^(\.DS_Store|Thumbs\.db|desktop\.ini|lost\+found)$/i.test(name));
  return strange.length === 0 ? { holds: 'nothing' } : { holds: 'other', names: strange.sort() };
}

/** A file of an archive that is only read, over the network: the page's own reader, since what is mended goes elsewhere. */
export function remoteArchive(root: string): ArchiveReader & { has(path: string, signal: AbortSignal): Promise<boolean> } {
  const ask = async (path: string, method: 'GET' | 'HEAD', signal: AbortSignal): Promise<Response | null> => {
    const url = new URL(path, root);
    const answer = await fetch(url, { method, signal, credentials: 'omit', cache: path === STATE ? 'no-cache' : 'default' });
    if (answer.ok) return answer;
    await answer.body?.cancel();
    if (answer.status === 404 || answer.status === 410) return null;
    throw Object.assign(new Error(`${url.href}: the server answered ${answer.status}`), {
      status: answer.status, ...(answer.status === 401 || answer.status === 403 ? { code: 'FORBIDDEN' } : {}),
    });
  };
  return {
    name: root,
    get: async (path, { signal }): Promise<ArchiveFile> => {
      const answer = await ask(path, 'GET', signal);
      return answer === null ? null : answer.body ?? new Uint8Array();
    },
    has: async (path, signal) => (await ask(path, 'HEAD', signal)) !== null,
  };
}

export interface ZipLike extends ArchiveWriter {
  blob(): Blob | Promise<Blob>;
}

/** An archive that cannot be written to, mended in a zip: what the zip has counts, and everything else is as the archive has it. */
export function mendedIn(zip: ZipLike, archive: ReturnType<typeof remoteArchive>): ArchiveWriter {
  const fromZip = async (path: string, options: { signal: AbortSignal }): Promise<ArchiveFile> =>
    (await zip.exists(path, options)) ? (await zip.get?.(path, options)) ?? null : null;
  return {
    name: archive.name,
    put: (path, content, options) => zip.put(path, content, options),
    ...(zip.stage === undefined ? {} : { stage: (path, options) => zip.stage?.(path, options) ?? Promise.reject(new Error('the zip takes whole files only')) }),
    exists: async (path, options) => (await zip.exists(path, options)) || archive.has(path, options.signal),
    get: async (path, options) => (await fromZip(path, options)) ?? archive.get(path, options),
  } satisfies ArchiveWriter;
}

/** Why writing failed, by what browsers call it. Everything else is told by its message alone. */
export type Obstacle = 'full' | 'refused' | 'gone' | 'locked';

const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  EACCES: 'refused', ENOSPC: 'full', EPERM: 'refused', EROFS: 'refused',
  InvalidStateError: 'gone', NoModificationAllowedError: 'locked', NotAllowedError: 'refused', NotFoundError: 'gone', QuotaExceededError: 'full',
};

function obstacleOf(thrown: unknown): Obstacle | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const names: readonly unknown[] = [Reflect.get(thrown, 'code'), Reflect.get(thrown, 'name')];
  return names.map((name) => (typeof name === 'string' ? OBSTACLES[name] : undefined)).find((found) => found !== undefined);
}

/** The same writer, and `onObstacle` hears what keeps it from writing: a report has only the words. */
export function watched(writer: ArchiveWriter, onObstacle: (obstacle: Obstacle) => void): ArchiveWriter {
  const told = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (thrown) {
      const obstacle = obstacleOf(thrown);
      if (obstacle !== undefined) onObstacle(obstacle);
      throw thrown;
    }
  };
  const { stage, get, makeDir } = writer;
  return {
    name: writer.name,
    put: (path, content, options) => told(writer.put(path, content, options)),
    exists: (path, options) => writer.exists(path, options),
    ...(get === undefined ? {} : { get: (path, options) => get.call(writer, path, options) }),
    ...(makeDir === undefined ? {} : { makeDir: (path, options) => told(makeDir.call(writer, path, options)) }),
    ...(stage === undefined ? {} : {
      stage: async (path, options) => {
        const file = await told(stage.call(writer, path, options));
        return { write: (chunk) => told(file.write(chunk)), commit: () => told(file.commit()), abort: () => file.abort() };
      },
    }),
  } satisfies ArchiveWriter;
}
