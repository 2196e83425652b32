/**
 * The worker's half of looking into archives: one explorer for each, kept for as long as the page wants it.
 *
 * Not here: the page's half (`client.ts`).
 */
import { ArchiveVerifierError, exploreArchive } from '../../lib/index.ts';
import type { ArchiveExplorer, ExploreOptions } from '../../lib/explore-types.ts';
import { filesReader, handleReader } from '../folder-reader.ts';
import type { ExploreFault, ExploreQuestion, ExploreSource, FromExplorer, ToExplorer } from './protocol.ts';

const explorers = new Map<string, ArchiveExplorer>();
const running = new Map<number, AbortController>();

export function isForExplorer(data: unknown): data is ToExplorer {
  return typeof data === 'object' && data !== null && 'explore' in data;
}

function open(source: ExploreSource): ArchiveExplorer {
  if ('url' in source) return exploreArchive(source.url);
  if ('handle' in source) return exploreArchive(handleReader(source.handle, source.name));
  return exploreArchive(filesReader(source.files, source.name));
}

function explorerOf(archive: string, source: ExploreSource | undefined): ArchiveExplorer {
  const known = explorers.get(archive);
  if (known !== undefined) return known;
  if (source === undefined) throw new ArchiveVerifierError('DISPOSED', 'the worker does not know the archive any more');
  const explorer = open(source);
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
    const answer = await call(explorerOf(message.archive, message.source), message, { signal: stop.signal, onProgress });
    post({ explore, answer });
  } catch (error) {
    post({ explore, error: fault(error) });
  } finally {
    running.delete(explore);
  }
}
