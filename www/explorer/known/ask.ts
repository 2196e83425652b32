/**
 * Which of the known archives answer this page: asked only by a person, each for its newest state, and once more, without looking at the
 * answer, where that could not be read.
 *
 * The second question tells a server that forbids reading from pages (CORS) from one that is not there. Not here: how it is shown
 * (`Known.tsx`), and which archives are known.
 */
import { signal } from '@preact/signals';
import type { ArchiveStatus } from '../../lib/types.ts';
import { askArchives } from '../explore/tasks.ts';
import { plural } from '../format.ts';
import { asFailure, type Failure } from '../run.ts';
import { announce } from '../store.ts';

/** What came of asking one archive. `refuses`: its server answers, but does not let pages read. */
export type Answer =
  | { readonly answer: 'asking' | 'unasked' | 'refuses' | 'dead' }
  | { readonly answer: 'told'; readonly status: ArchiveStatus };

export interface Asking {
  readonly state: 'asking' | 'done';
  readonly at: number;
  /** By their addresses. */
  readonly answers: ReadonlyMap<string, Answer>;
}

export const asking = signal<Asking | null>(null);
export const failure = signal<Failure | null>(null);

/** Milliseconds; whoever takes longer does not answer this question. */
const PATIENCE = 15_000;

let stop = new AbortController();

/** Whether there is a server at all: what it says stays unread. */
async function isThere(archive: string, signal: AbortSignal): Promise<boolean> {
  try {
    await fetch(`${archive}/.well-known/stellar-history.json`, {
      mode: 'no-cors', method: 'HEAD', cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer', signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
    return true;
  } catch {
    return false;
  }
}

function said({ answers }: Asking): string {
  const all = [...answers.values()];
  const told = all.filter((one) => one.answer === 'told' && one.status.ledger !== null).length;
  const refusing = all.filter(({ answer }) => answer === 'refuses').length;
  return `${told} of ${plural(all.length, 'known archive')} ${told === 1 ? 'answers' : 'answer'}${refusing === 0 ? '' : `, ${refusing} let no page read them`}`;
}

export async function askAll(archives: readonly string[]): Promise<void> {
  stop.abort();
  const mine = new AbortController();
  stop = mine;
  failure.value = null;
  const answers = new Map(archives.map((url): [string, Answer] => [url, { answer: 'asking' }]));
  const show = (state: Asking['state']): void => {
    if (stop === mine) asking.value = { state, at: Date.now(), answers: new Map(answers) };
  };
  const probes: Promise<void>[] = [];
  const probe = async (url: string): Promise<void> => {
    const there = await isThere(url, mine.signal);
    if (mine.signal.aborted) return;
    answers.set(url, { answer: there ? 'refuses' : 'dead' });
    show('asking');
  };
  show('asking');
  announce(`Asking ${plural(archives.length, 'archive')}`);
  try {
    await askArchives('status', archives.map((url) => ({ url })), { maxRetries: 0, timeoutMs: PATIENCE }, {
      signal: mine.signal,
      onProgress: ({ place, status }) => {
        const url = archives[place];
        if (url === undefined) return;
        if (status.error?.code === 'CORS_OR_NETWORK' && status.ledger === null) {
          probes.push(probe(url));
        } else {
          answers.set(url, { answer: 'told', status });
          show('asking');
        }
      },
    });
    await Promise.all(probes);
  } catch (error) {
    if (mine.signal.aborted || stop !== mine) return;
    failure.value = asFailure(error);
    asking.value = null;
    announce('The archives could not be asked');
    return;
  }
  if (mine.signal.aborted) return;
  show('done');
  if (asking.value !== null) announce(said(asking.value));
}

/** Keeps what was heard, and waits no longer. */
export function stopAsking(): void {
  stop.abort();
  const now = asking.value;
  if (now?.state === 'asking') {
    asking.value = { ...now, state: 'done', answers: new Map([...now.answers].map(([url, one]) => [url, one.answer === 'asking' ? { answer: 'unasked' } : one])) };
  }
  announce('Stopped');
}
