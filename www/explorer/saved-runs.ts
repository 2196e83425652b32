/**
 * Runs that were begun and not ended, kept in this browser (IndexedDB) so that a reload or a crash of the tab costs nothing.
 *
 * Every function says by its result whether it worked: storage may be full, switched off or thrown away by the browser, and
 * the page goes on without it. Not here: the meaning of `state`; it is the verifier's, which refuses what does not fit.
 */
import type { Finding, VerifyOptions } from '../lib/types.ts';
import type { TableSnapshot } from './checkpoints.ts';
import type { FolderHandle } from './folders.ts';
import { EMPTY_FORM, type FormState } from './form.ts';

export interface SavedRun {
  readonly schema: 1;
  readonly id: string;
  readonly savedAt: number;
  readonly form: FormState;
  readonly archives: readonly string[];
  /** Without the text of a file of checkpoint hashes, which may be large: it has to be chosen again. */
  readonly options: VerifyOptions;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  /** By the folders' names in the form; those that came as lists of files are missing. */
  readonly handles: Readonly<Record<string, FolderHandle>>;
  /** What the page showed, for it to show again. */
  readonly table: TableSnapshot | null;
  readonly findings: readonly Finding[];
}

/** What became of an attempt to keep a run: there may be no room, or no storage at all (a private window, a setting). */
export type Kept = 'kept' | 'full' | 'denied';

const STORE = 'runs';

let opening: Promise<IDBDatabase> | undefined;

function settle<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function database(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('stellar-archive-verifier', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onblocked = () => reject(new Error('blocked'));
    settle(request).then(resolve, reject);
  });
  opening.catch(() => {
    opening = undefined;
  });
  return opening;
}

/** One transaction; resolves only once it is on disk, and with what kept it from there where storing does not work. */
async function transact<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<{ readonly value: T } | { readonly fault: Exclude<Kept, 'kept'> }> {
  try {
    const transaction = (await database()).transaction(STORE, mode);
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [value] = await Promise.all([settle(work(transaction.objectStore(STORE))), ended]);
    return { value };
  } catch (error) {
    return { fault: error instanceof DOMException && error.name === 'QuotaExceededError' ? 'full' : 'denied' };
  }
}

export async function putRun(run: SavedRun): Promise<Kept> {
  const put = await transact('readwrite', (store) => store.put(run));
  return 'fault' in put ? put.fault : 'kept';
}

export async function removeRun(id: string): Promise<boolean> {
  return !('fault' in (await transact('readwrite', (store) => store.delete(id))));
}

/** Those that no other tab is carrying out, the latest first. */
export async function savedRuns(): Promise<readonly SavedRun[]> {
  const found = await transact<SavedRun[]>('readonly', (store) => store.getAll());
  const held = await heldElsewhere();
  const own = ('fault' in found ? [] : found.value).filter((run) => run.schema === 1 && !held.has(run.id));
  // A form of an earlier version of this page lacks what was added since.
  return own.map((run) => ({ ...run, form: { ...EMPTY_FORM, ...run.form } })).sort((one, other) => other.savedAt - one.savedAt);
}

/** Says to other tabs that this one carries the run out, until the returned function is called or the tab is gone. */
export function hold(id: string): () => void {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  // Locks exist in secure contexts only; elsewhere another tab may offer this run as well.
  Promise.resolve(navigator.locks?.request(id, () => released)).catch(() => undefined);
  return release;
}

async function heldElsewhere(): Promise<ReadonlySet<string | undefined>> {
  try {
    return new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
  } catch {
    return new Set();
  }
}
