/**
 * What archives are asked as a whole, from the page: each question in a worker of its own, which gives its memory back when it is answered.
 *
 * Not here: looking into one archive (`client.ts`), whose worker stays; and any view.
 */
import { ArchiveVerifierError, toVerifierError } from '../../lib/errors.ts';
import { takeWorker, warmUp } from '../engine.ts';
import { folders } from '../folders.ts';
import type { Source } from '../form.ts';
import { sourceLabel } from '../store.ts';
import { isAnswer, revived } from './client.ts';
import type { ExploreSource, TaskName, Tasks, ToExplorer } from './protocol.ts';

/** Milliseconds that what was found until a cancel is waited for. */
const LAST_WORDS = 5000;

/** An archive of the form as the worker takes it; `null` for an empty row and for a folder that the page may not read. */
export function asSource(source: Source): ExploreSource | null {
  if (source.kind === 'url') return source.url.trim() === '' ? null : { url: sourceLabel(source) };
  const folder = folders.value.get(source.name);
  if (folder?.handle !== undefined) return { name: source.name, handle: folder.handle };
  if (folder?.zip !== undefined) return { name: source.name, zip: folder.zip };
  return folder?.files === undefined ? null : { name: source.name, files: folder.files };
}

interface While<N extends TaskName> {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Tasks[N]['progress']) => void;
  /** A cancelled question is still answered, by what was found until then. */
  readonly partial?: boolean;
}

function cancelled(cause: unknown): ArchiveVerifierError {
  return new ArchiveVerifierError('ABORTED', 'it was cancelled', { cause });
}

export async function askArchives<N extends TaskName>(
  task: N, sources: readonly ExploreSource[], options: Tasks[N]['options'], { signal, onProgress, partial = false }: While<N>,
): Promise<Tasks[N]['answer']> {
  if (signal.aborted) throw cancelled(signal.reason);
  const worker = takeWorker();
  const post = (message: ToExplorer): void => worker.postMessage(message);
  try {
    return await new Promise<Tasks[N]['answer']>((resolve, reject) => {
      worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (!isAnswer(data)) return;
        if ('error' in data) reject(revived(data.error));
        else if ('answer' in data) resolve(data.answer as Tasks[N]['answer']);
        else if (!signal.aborted || partial) onProgress?.(data.progress as Tasks[N]['progress']);
      });
      worker.addEventListener('error', (event) => {
        const advice = 'Try again: it starts afresh. If it stops again, please report this message.';
        reject(new ArchiveVerifierError('CRASHED', event.message || 'the worker’s script could not be loaded', { advice }));
      });
      signal.addEventListener('abort', () => {
        if (!partial) return reject(cancelled(signal.reason));
        post({ explore: 1, cancel: true });
        setTimeout(() => reject(cancelled(signal.reason)), LAST_WORDS);
      }, { once: true });
      try {
        post({ explore: 1, sources, task, options } as ToExplorer);
      } catch (error) {
        reject(toVerifierError(error));
      }
    });
  } finally {
    worker.terminate();
    warmUp();
  }
}
