/**
 * What the page and its worker say to each other about archives: one that is looked into, or several that are asked something as a whole.
 *
 * Everything here can be cloned, folders too, so that the worker reads them by itself. Not here: what a view says.
 */
import type { ArchiveExplorer } from '../../lib/explore-types.ts';
import type { ArchiveStatus, CompareEvent, CompareOptions, CompareReport, ReadOptions, TransactionProofOptions } from '../../lib/types.ts';

/** An archive to look into. `files`: by their path in the archive. */
export type ExploreSource =
  | { readonly url: string }
  | { readonly name: string; readonly handle: FileSystemDirectoryHandle }
  | { readonly name: string; readonly files: ReadonlyMap<string, File> }
  | { readonly name: string; readonly zip: File };

type Methods = Omit<ArchiveExplorer, 'close'>;
/** Arguments as they are called with, but for what cannot be cloned. */
type Cloned<A> = A extends readonly [infer First, ...infer Rest]
  ? readonly [First extends object ? Omit<First, 'signal' | 'onProgress'> : First, ...Cloned<Rest>]
  : readonly [];

export type ExploreCall = keyof Methods;
export type ExploreAnswer<C extends ExploreCall> = Awaited<ReturnType<Methods[C]>>;
/** A call with its arguments. */
export type ExploreQuestion = { readonly [C in ExploreCall]: { readonly call: C; readonly args: Cloned<Required<Parameters<Methods[C]>>> } }[ExploreCall];

/** What archives are asked as a whole: with what, what is told meanwhile, and the answer. */
export interface Tasks {
  /** Progress: each as soon as it has answered, by its place in the list. */
  readonly status: {
    readonly options: Omit<ReadOptions, 'signal'>;
    readonly progress: { readonly place: number; readonly status: ArchiveStatus };
    readonly answer: ArchiveStatus[];
  };
  readonly compare: { readonly options: Omit<CompareOptions, 'signal'>; readonly progress: CompareEvent; readonly answer: CompareReport };
  /** Progress: requests so far. */
  readonly prove: { readonly options: Omit<TransactionProofOptions, 'signal'>; readonly progress: number; readonly answer: string };
}
export type TaskName = keyof Tasks;
export type TaskQuestion = { readonly [N in TaskName]: { readonly task: N; readonly options: Tasks[N]['options'] } }[TaskName];

/** `archive` names the source for as long as the worker lives, which is given it once. Calls are numbered by `explore`. */
export type ToExplorer =
  | ({ readonly explore: number; readonly archive: string; readonly source?: ExploreSource } & ExploreQuestion)
  | ({ readonly explore: number; readonly sources: readonly ExploreSource[] } & TaskQuestion)
  | { readonly explore: number; readonly cancel: true }
  | { readonly explore: number; readonly archive: string; readonly close: true };

export interface ExploreFault {
  readonly message: string;
  readonly code: string;
  readonly advice?: string;
}

export type FromExplorer =
  | { readonly explore: number; readonly answer: unknown }
  | { readonly explore: number; readonly progress: unknown }
  | { readonly explore: number; readonly error: ExploreFault };
