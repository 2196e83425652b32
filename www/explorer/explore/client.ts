/**
 * Archives to look into, from the page: every call is answered by one worker that lives as long as the page does, and is made
 * anew after it crashed.
 *
 * Not here: any view, and what archives are asked as a whole (`tasks.ts`). Explorers of the same archive are the same, so what was read is read once.
 */
import { ArchiveVerifierError, toVerifierError } from '../../lib/errors.ts';
import type { ArchiveExplorer, ExploreOptions } from '../../lib/explore-types.ts';
import type { ExploreAnswer, ExploreCall, ExploreFault, ExploreQuestion, ExploreSource, FromExplorer, ToExplorer } from './protocol.ts';

export type { ExploreSource } from './protocol.ts';

interface Pending {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
  progress(progress: unknown): void;
}

type ProgressListener = ((progress: never) => void) | undefined;

let worker: Worker | null = null;
let calls = 0;
/** Archives that the worker was given. */
const given = new Set<string>();
const pending = new Map<number, Pending>();

const explorers = new Map<string, ArchiveExplorer>();
const folderNames = new WeakMap<object, string>();
let folders = 0;

/** What the archive is called between here and the worker: a folder that was chosen twice is two. */
function archiveOf(source: ExploreSource): string {
  if ('url' in source) return `url ${source.url}`;
  const identity = 'handle' in source ? source.handle : 'zip' in source ? source.zip : source.files;
  const known = folderNames.get(identity);
  if (known !== undefined) return known;
  folders += 1;
  const name = `folder ${folders} ${source.name}`;
  folderNames.set(identity, name);
  return name;
}

export function isAnswer(data: unknown): data is FromExplorer {
  return typeof data === 'object' && data !== null && 'explore' in data;
}

export function revived({ message, code, advice }: ExploreFault): ArchiveVerifierError {
  return toVerifierError(Object.assign(new Error(message), { code, ...(advice === undefined ? {} : { advice }) }));
}

function lose(lost: Worker, reason: string): void {
  if (worker !== lost) return;
  worker = null;
  given.clear();
  lost.terminate();
  const error = new ArchiveVerifierError('CRASHED', reason, { advice: 'Try again: the next call starts afresh. If it stops again, please report this message.' });
  for (const { reject } of [...pending.values()]) reject(error);
}

function running(): Worker {
  if (worker !== null) return worker;
  const made = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module' });
  made.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (!isAnswer(data)) return;
    const waiting = pending.get(data.explore);
    if (waiting === undefined) return;
    if ('progress' in data) waiting.progress(data.progress);
    else if ('answer' in data) waiting.resolve(data.answer);
    else waiting.reject(revived(data.error));
  });
  made.addEventListener('error', (event) => lose(made, event.message || 'the worker’s script could not be loaded'));
  made.addEventListener('messageerror', () => lose(made, 'an answer of the worker could not be read'));
  worker = made;
  return made;
}

function post(message: ToExplorer): void {
  running().postMessage(message);
}

function ask<C extends ExploreCall>(
  archive: string, source: ExploreSource, question: ExploreQuestion & { readonly call: C }, signal: AbortSignal | undefined, onProgress?: ProgressListener,
): Promise<ExploreAnswer<C>> {
  calls += 1;
  const explore = calls;
  return new Promise<unknown>((resolve, reject) => {
    const onAbort = (): void => {
      worker?.postMessage({ explore, cancel: true } satisfies ToExplorer);
      settle(() => reject(new ArchiveVerifierError('ABORTED', 'the look into the archive was cancelled', { cause: signal?.reason })));
    };
    const settle = (how: () => void): void => {
      pending.delete(explore);
      signal?.removeEventListener('abort', onAbort);
      how();
    };
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    pending.set(explore, {
      resolve: (answer) => settle(() => resolve(answer)),
      reject: (error) => settle(() => reject(error)),
      progress(progress) {
        try {
          onProgress?.(progress as never);
        } catch (error) {
          worker?.postMessage({ explore, cancel: true } satisfies ToExplorer);
          settle(() => reject(error));
        }
      },
    });
    try {
      running();
      const first = !given.has(archive);
      post({ explore, archive, ...(first ? { source } : {}), ...question });
      given.add(archive);
    } catch (error) {
      settle(() => reject(toVerifierError(error)));
    }
  }) as Promise<ExploreAnswer<C>>;
}

/** What of the options can be cloned. */
function plain<O extends ExploreOptions>(options: O): Omit<O, 'signal' | 'onProgress'> {
  const said = Object.entries(options).filter(([name, value]) => name !== 'signal' && name !== 'onProgress' && value !== undefined);
  return Object.fromEntries(said) as Omit<O, 'signal' | 'onProgress'>;
}

/** An archive to look into. */
export function explorerOf(source: ExploreSource): ArchiveExplorer {
  const archive = archiveOf(source);
  const known = explorers.get(archive);
  if (known !== undefined) return known;
  const explorer: ArchiveExplorer = {
    newest: (options = {}) => ask(archive, source, { call: 'newest', args: [plain(options)] }, options.signal),
    checkpoint: (ledger, options = {}) => ask(archive, source, { call: 'checkpoint', args: [ledger, plain(options)] }, options.signal),
    ledger: (ledger, options = {}) => ask(archive, source, { call: 'ledger', args: [ledger, plain(options)] }, options.signal),
    transaction: (ledger, index, options = {}) => ask(archive, source, { call: 'transaction', args: [ledger, index, plain(options)] }, options.signal),
    findTransaction: (hash, options = {}) =>
      ask(archive, source, { call: 'findTransaction', args: [hash, plain(options)] }, options.signal, options.onProgress),
    bucket: (hash, options = {}) => ask(archive, source, { call: 'bucket', args: [hash, plain(options)] }, options.signal),
    verifyBucket: (hash, options = {}) => ask(archive, source, { call: 'verifyBucket', args: [hash, plain(options)] }, options.signal, options.onProgress),
    findEntry: (key, ledger, options = {}) =>
      ask(archive, source, { call: 'findEntry', args: [key, ledger, plain(options)] }, options.signal, options.onProgress),
    close() {
      explorers.delete(archive);
      if (!given.delete(archive)) return;
      calls += 1;
      worker?.postMessage({ explore: calls, archive, close: true } satisfies ToExplorer);
    },
  };
  explorers.set(archive, explorer);
  return explorer;
}
