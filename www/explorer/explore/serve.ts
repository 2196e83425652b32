/**
 * The worker's half of looking into archives: one explorer for each, kept for as long as the page wants it; and of what several are
 * asked as a whole.
 *
 * Not here: the page's halves (`client.ts`, `tasks.ts`).
 */
import { ArchiveVerifierError } from '../../lib/errors.ts';
import type { ArchiveExplorer, ExploreOptions } from '../../lib/explore-types.ts';
import type { ArchiveReader } from '../../lib/types.ts';
import { engine } from '../../lib/web-engine.ts';
import { filesReader, handleReader, zipReader } from '../folder-reader.ts';
import type { ExploreFault, ExploreQuestion, ExploreSource, FromExplorer, TaskQuestion, ToExplorer } from './protocol.ts';

const explorers = new Map<string, ArchiveExplorer>();
const running = new Map<number, AbortController>();

export function isForExplorer(data: unknown): data is ToExplorer {
  return typeof data === 'object' && data !== null && 'explore' in data;
}

function read(source: ExploreSource): string | ArchiveReader {
  if ('url' in source) return source.url;
  if ('zip' in source) return zipReader(source.zip, source.name);
  return 'handle' in source ? handleReader(source.handle, source.name) : filesReader(source.files, source.name);
}

function explorerOf(archive: string, source: ExploreSource | undefined): ArchiveExplorer {
  const known = explorers.get(archive);
  if (known !== undefined) return known;
  if (source === undefined) throw new ArchiveVerifierError('DISPOSED', 'the worker does not know the archive any more');
  const explorer = engine.exploreArchive(read(source));
  explorers.set(archive, explorer);
  return explorer;
}

interface Live extends ExploreOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: unknown) => void;
}

function call(explorer: ArchiveExplorer, question: ExploreQuestion, { signal, onProgress }: Live): Promise<unknown> {
  switch (question.call) {
    case 'newest': return explorer.newest({ signal });
    case 'checkpoint': return explorer.checkpoint(question.args[0], { signal });
    case 'ledger': return explorer.ledger(question.args[0], { signal });
    case 'transaction': return explorer.transaction(question.args[0], question.args[1], { signal });
    case 'findTransaction': return explorer.findTransaction(question.args[0], { ...question.args[1], signal, onProgress });
    case 'bucket': return explorer.bucket(question.args[0], { ...question.args[1], signal });
    case 'verifyBucket': return explorer.verifyBucket(question.args[0], { signal, onProgress });
    case 'findEntry': return explorer.findEntry(question.args[0], question.args[1], { signal, onProgress });
  }
}

async function carryOut(question: TaskQuestion, sources: readonly ExploreSource[], { signal, onProgress }: Live): Promise<unknown> {
  const archives = sources.map(read);
  switch (question.task) {
    // One by one: who answers is not kept waiting by who does not.
    case 'status': return Promise.all(archives.map(async (archive, place) => {
      const [status] = await engine.archiveStatus(archive, { ...question.options, signal });
      onProgress({ place, status });
      return status;
    }));
    case 'compare': return engine.compareArchives(archives, { ...question.options, signal }, onProgress);
    case 'prove': {
      // The library tells nothing meanwhile; the browser knows what was asked for.
      let requests = 0;
      const seen = new PerformanceObserver((list) => onProgress(requests += list.getEntries().length));
      seen.observe({ type: 'resource' });
      try {
        return await engine.proveTransaction(archives, { ...question.options, signal });
      } finally {
        seen.disconnect();
      }
    }
  }
}

function fault(error: unknown): ExploreFault {
  if (!(error instanceof ArchiveVerifierError)) return { message: error instanceof Error ? error.message : String(error), code: 'CRASHED' };
  const { message, code, advice } = error;
  return { message, code, ...(advice === undefined ? {} : { advice }) };
}

/** Answers one message; the answer to a call may be preceded by progress. */
export async function serveExplorer(message: ToExplorer, post: (message: FromExplorer) => void): Promise<void> {
  const { explore } = message;
  if ('cancel' in message) {
    running.get(explore)?.abort();
    return;
  }
  if ('close' in message) {
    explorers.get(message.archive)?.close();
    explorers.delete(message.archive);
    return;
  }
  const stop = new AbortController();
  running.set(explore, stop);
  try {
    const onProgress = (progress: unknown): void => post({ explore, progress });
    const live = { signal: stop.signal, onProgress };
    const answer = await ('task' in message ? carryOut(message, message.sources, live) : call(explorerOf(message.archive, message.source), message, live));
    post({ explore, answer });
  } catch (error) {
    post({ explore, error: fault(error) });
  } finally {
    running.delete(explore);
  }
}
