/**
 * A comparison of the archives of the form: what it will take, how it goes, and what came of it.
 *
 * Nothing of it begins by itself, and a long one not without a person's word. Not here: any view, and any rule of comparison.
 */
import { type Signal, signal } from '@preact/signals';
import type { ArchiveStatus, CompareOptions, CompareReport, LedgerRange } from '../../lib/types.ts';
import { checkpointOf } from '../checkpoints.ts';
import type { ExploreSource } from '../explore/protocol.ts';
import { askArchives, asSource } from '../explore/tasks.ts';
import { grouped } from '../format.ts';
import { asFailure, type Failure } from '../run.ts';
import { announce, checked, form, keepInMind, sourceLabel } from '../store.ts';
import { CompareTable } from './table.ts';

/** Checkpoints. A longer comparison needs a person's word beyond the click. */
export const MANY = 2000;
/** Checkpoints; what is more has no map, which would take more memory than pages have. */
const MOST_DRAWN = 4_000_000;
/** Cells. The map of so many is not drawn anew on every frame. */
const LARGE = 500_000;
const FREQUENCY = 64;
/** Files of a checkpoint that are read of each archive; buckets are not compared. */
const FILES = 5;

export interface Archives {
  readonly sources: readonly ExploreSource[];
  readonly names: readonly string[];
  readonly options: Omit<CompareOptions, 'signal'>;
}

export interface Plan extends Archives {
  /** The form that it was made for. */
  readonly of: unknown;
  readonly range: LedgerRange;
  readonly checkpoints: number;
  readonly requests: number;
  /** The form asks for a sample, and there is none of a comparison. */
  readonly noSample: boolean;
  /** Archives that did not say how far they go. */
  readonly silent: readonly string[];
  /** Archives of another network than the form says, which have nothing to be compared. */
  readonly foreign: readonly string[];
}

export interface Live {
  readonly names: readonly string[];
  readonly total: number;
  readonly done: number;
  readonly bytes: string;
  readonly elapsedMs: number;
  readonly requests: number;
}

export type Comparison =
  | { readonly state: 'closed' }
  | { readonly state: 'planning'; readonly names: readonly string[] }
  | { readonly state: 'planned'; readonly plan: Plan }
  | { readonly state: 'running'; readonly plan: Plan; readonly stopping: boolean }
  | { readonly state: 'done'; readonly plan: Plan; readonly report: CompareReport }
  /** Without a plan it is not even known what to compare. */
  | { readonly state: 'failed'; readonly plan: Plan | null; readonly failure: Failure; readonly silent?: string | undefined };

export const comparison: Signal<Comparison> = signal<Comparison>({ state: 'closed' });
export const live = signal<Live | null>(null);
export const table = signal<CompareTable | null>(null);
/** Moves on whenever the table has changed. */
export const tick = signal(0);

let stop = new AbortController();

function archivesOfForm(): Archives | null {
  const decision = checked.value;
  if (!decision.ok) return null;
  keepInMind(decision.sources);
  const named = new Map(form.value.sources.flatMap((source): [string, ExploreSource][] => {
    const given = asSource(source);
    return given === null ? [] : [[sourceLabel(source), given]];
  }));
  const { range, last, network, trust } = decision.options;
  const { allSignatures: _, ...whom } = trust ?? {};
  return {
    names: [...named.keys()],
    sources: [...named.values()],
    options: {
      ...(range === undefined ? {} : { range }), ...(last === undefined ? {} : { last }), ...(network === undefined ? {} : { network }),
      ...(Object.keys(whom).length === 0 ? {} : { trust: whom }),
    },
  };
}

function aborted(error: unknown, mine: AbortController): boolean {
  return stop !== mine || (mine.signal.aborted && asFailure(error).code === 'ABORTED');
}

/** The newest ledger that a comparison goes to: with an end in the form the newest of all, else the newest that all announce. */
function endOf(told: readonly ArchiveStatus[], bounded: boolean): number {
  const tips = told.flatMap(({ ledger }) => (ledger === null ? [] : [ledger]));
  return bounded ? Math.max(...tips) : Math.min(...tips);
}

function planOf(archives: Archives, told: readonly ArchiveStatus[], of: unknown): Plan {
  const { range, last, network } = archives.options;
  const isForeign = (status: ArchiveStatus): boolean => network !== undefined && status.network !== null && network !== status.network && network !== status.networkName;
  const able = told.filter((status) => status.ledger !== null && !isForeign(status));
  // Which of several networks it will be is found out on the way: the one that takes most counts here.
  const ends = [...new Set(able.map((status) => status.network))].map((each) => endOf(able.filter((status) => status.network === each), range?.high !== undefined));
  const newest = Math.max(...ends);
  const high = Math.min(range?.high ?? newest, newest);
  const low = last === undefined ? Math.min(range?.low ?? 1, high) : Math.max(1, high - last + 1);
  const checkpoints = (checkpointOf(high, FREQUENCY) - checkpointOf(low, FREQUENCY)) / FREQUENCY + 1;
  const named = (wanted: (status: ArchiveStatus) => boolean): readonly string[] => told.flatMap((status, at) => (wanted(status) ? [archives.names[at] ?? ''] : []));
  return {
    ...archives, of, checkpoints, silent: named(({ ledger }) => ledger === null), foreign: named((status) => status.ledger !== null && isForeign(status)),
    range: { low, high: checkpointOf(high, FREQUENCY) }, requests: checkpoints * FILES * able.length, noSample: form.value.scope === 'sample',
  };
}

/** Says what a comparison of the form's archives will take. Where the form has no end, the archives are asked how far they go. */
export async function plan(): Promise<void> {
  const archives = archivesOfForm();
  if (archives === null) return;
  stop.abort();
  const mine = new AbortController();
  stop = mine;
  live.value = null;
  table.value = null;
  const of = form.value;
  comparison.value = { state: 'planning', names: archives.names };
  announce('Asking the archives how far they go');
  let silent: string | undefined;
  try {
    const told = await askArchives('status', archives.sources, { maxRetries: 1, timeoutMs: 15_000 }, { signal: mine.signal });
    const heard = told.filter(({ ledger }) => ledger !== null).length;
    if (heard < 2) {
      const at = told.findIndex(({ error }) => error !== null);
      const why = told[at]?.error;
      silent = archives.names[at];
      throw Object.assign(new Error(`${heard === 0 ? 'none of the archives says' : 'only one of the archives says'} how far it goes${why == null ? '' : `: ${why.message}`}`), {
        code: why?.code ?? 'NETWORK', advice: why?.advice ?? 'See that the addresses are right',
      });
    }
    const made = planOf(archives, told, of);
    if (made.silent.length + made.foreign.length > archives.names.length - 2) {
      throw Object.assign(new Error('fewer than two of the archives are of the network that the form names'), { code: 'USAGE', advice: 'Leave the network empty, or choose archives of it' });
    }
    comparison.value = { state: 'planned', plan: made };
    announce(`${made.checkpoints} checkpoints in ${made.names.length} archives, about ${made.requests} requests`);
  } catch (error) {
    if (aborted(error, mine)) return;
    const failure = asFailure(error);
    comparison.value = { state: 'failed', plan: null, failure, silent };
    announce(`They cannot be compared: ${failure.message}`);
  }
}

export async function start(made: Plan): Promise<void> {
  stop.abort();
  const mine = new AbortController();
  stop = mine;
  comparison.value = { state: 'running', plan: made, stopping: false };
  live.value = null;
  table.value = null;
  announce('Comparing');
  let range: LedgerRange | null = null;
  let taking: readonly number[] = [];
  let waiting = false;
  const changed = (): void => {
    if (waiting) return;
    waiting = true;
    const show = (): void => {
      waiting = false;
      tick.value += 1;
    };
    // Every cell is looked at for each picture: of a large table a few a second are enough.
    if ((table.value?.count ?? 0) * made.names.length < LARGE) requestAnimationFrame(show);
    else setTimeout(show, 500);
  };
  try {
    const report = await askArchives('compare', made.sources, made.options, {
      signal: mine.signal,
      partial: true,
      onProgress: (event) => {
        if (stop !== mine) return;
        if (event.type === 'range') {
          ({ range, archives: taking } = event);
        } else if (event.type === 'progress') {
          const { checkpoints: { done, total }, bytes: { compressed }, elapsedMs, archives } = event;
          if (total > MANY && made.checkpoints <= MANY) {
            // More than was said: that is not what was agreed to.
            stop = new AbortController();
            mine.abort();
            comparison.value = { state: 'planned', plan: { ...made, checkpoints: total, requests: total * FILES * taking.length, range: range ?? made.range } };
            announce(`It takes more than was known: ${total} checkpoints`);
            return;
          }
          live.value = { names: made.names, done, total, bytes: compressed, elapsedMs, requests: archives.reduce((sum, { requests }) => sum + requests, 0) };
          if (table.value === null && range !== null && total > 0 && total <= MOST_DRAWN) table.value = new CompareTable(range, total, taking);
        } else if (event.type === 'checkpoint') {
          table.value?.record(event);
          changed();
        }
      },
    });
    if (stop !== mine) return;
    comparison.value = { state: 'done', plan: made, report };
    tick.value += 1;
    const { disagreements, missing } = report;
    announce(`${report.verdict === 'agree' ? 'They agree' : report.verdict === 'disagree' ? 'They disagree' : 'Not all could be compared'}. ${grouped(disagreements.length)} disagreements, ${grouped(missing.length)} gaps`);
  } catch (error) {
    if (stop !== mine) return;
    const failure = asFailure(error);
    comparison.value = failure.code === 'ABORTED' ? { state: 'planned', plan: made } : { state: 'failed', plan: made, failure };
    announce(failure.code === 'ABORTED' ? 'Cancelled' : `The comparison stopped: ${failure.message}`);
  }
}

/** What was compared until now is told. */
export function cancel(): void {
  const now = comparison.value;
  if (now.state === 'running') comparison.value = { ...now, stopping: true };
  stop.abort();
  if (now.state === 'planning') close();
  else announce('Stopping');
}

export function close(): void {
  const mine = new AbortController();
  stop.abort();
  stop = mine;
  comparison.value = { state: 'closed' };
  live.value = null;
  table.value = null;
  requestAnimationFrame(() => document.getElementById('compare')?.focus());
}
