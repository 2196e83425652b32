/**
 * The question how fresh archives are, and its answers as they come in; asked only by a person, of the archives of the form or, where
 * it names none, of the known ones of a network.
 *
 * Not here: what is shown of it (`Fresh.tsx`), and how answers are judged (`standing.ts`).
 */
import { signal } from '@preact/signals';
import type { ArchiveStatus } from '../../lib/types.ts';
import type { ExploreSource } from '../explore/protocol.ts';
import { askArchives, asSource } from '../explore/tasks.ts';
import { checkedAs, engine, form, announce, network, sourceLabel, tried } from '../store.ts';
import { grouped, plural } from '../format.ts';
import { asFailure, type Failure } from '../run.ts';

export interface Asked {
  readonly name: string;
  /** Who runs it, where that is known. */
  readonly organisation: string | null;
  /** Of a known archive: what puts it into the form. */
  readonly offer: { readonly url: string; readonly network: string } | null;
  /** `null` as long as it has not answered. */
  readonly status: ArchiveStatus | null;
}

export type Freshness =
  | { readonly state: 'none' }
  /** The form names neither an archive nor a network. */
  | { readonly state: 'which-network' }
  | { readonly state: 'asking' | 'done'; readonly at: number; readonly known: boolean; readonly archives: readonly Asked[] }
  | { readonly state: 'failed'; readonly failure: Failure };

export const freshness = signal<Freshness>({ state: 'none' });

/** Who does not answer for so long does not answer this question. */
const OPTIONS = { maxRetries: 1, timeoutMs: 15_000 } as const;

let stop = new AbortController();

export function forget(): void {
  stop.abort();
  freshness.value = { state: 'none' };
}

async function ask(wanted: readonly { readonly asked: Asked; readonly source: ExploreSource }[], known: boolean): Promise<void> {
  stop.abort();
  const mine = new AbortController();
  stop = mine;
  let archives = wanted.map(({ asked }) => asked);
  const show = (state: 'asking' | 'done'): void => {
    if (stop === mine) freshness.value = { state, at: Date.now(), known, archives };
  };
  show('asking');
  announce(`Asking ${plural(archives.length, 'archive')}`);
  try {
    await askArchives('status', wanted.map(({ source }) => source), OPTIONS, {
      signal: mine.signal,
      onProgress: ({ place, status }) => {
        archives = archives.map((one, at) => (at === place ? { ...one, status } : one));
        show('asking');
      },
    });
  } catch (error) {
    // What was heard until then is kept.
    if (!mine.signal.aborted && stop === mine) {
      freshness.value = { state: 'failed', failure: asFailure(error) };
      announce('The archives could not be asked');
    }
    return;
  }
  if (mine.signal.aborted) return;
  show('done');
  const answered = archives.flatMap(({ status }) => (status?.ledger == null ? [] : [status.ledger]));
  announce(`${answered.length} of ${plural(archives.length, 'archive')} answered${answered.length === 0 ? '' : `; the newest ledger is ${grouped(Math.max(...answered))}`}`);
}

/** Keeps what was heard, and waits no longer. */
export function stopAsking(): void {
  stop.abort();
  const now = freshness.value;
  if (now.state === 'asking') freshness.value = { ...now, state: 'done' };
  announce('Stopped');
}

/** Asks the known archives of a network. */
export async function askKnown(name: string): Promise<void> {
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  const archives = presets.find((preset) => preset.name === name)?.archives ?? [];
  await ask(archives.map(({ url, organisation }) => ({
    source: { url }, asked: { name: url, organisation, offer: { url, network: name }, status: null },
  })), true);
}

/** Asks the archives of the form. */
export async function askFresh(): Promise<void> {
  const { sources } = form.value;
  const given = sources.filter((source) => source.kind === 'folder' || source.url.trim() !== '');
  if (given.length === 0) {
    const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
    const chosen = presets.find(({ name, archives }) => name === network.value && archives.length > 0);
    if (chosen !== undefined) return askKnown(chosen.name);
    freshness.value = { state: 'which-network' };
    announce('Of which network?');
    return;
  }
  const decision = checkedAs({ scope: 'range', low: '', high: '', hashes: '', hashesFile: '', quorum: '' });
  if (!decision.ok) {
    tried.value = true;
    freshness.value = { state: 'none' };
    const [field, fault] = Object.entries(decision.faults)[0] ?? [];
    announce(fault?.message ?? 'The form is not right');
    if (field !== undefined) requestAnimationFrame(() => document.getElementById(field)?.focus());
    return;
  }
  const named = new Map(given.map((source) => [sourceLabel(source), source]));
  await ask([...named].flatMap(([name, source]) => {
    const at = asSource(source);
    return at === null ? [] : [{ source: at, asked: { name, organisation: null, offer: null, status: null } }];
  }), false);
}
