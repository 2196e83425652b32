/** One question to the engine, and what became of it, for as long as its view stands. */
import { type Signal, useSignal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { asFailure, type Failure } from '../run.ts';

/** What was asked for is not a check: where nobody knows what to do, nothing is said of one. */
function failureOf(error: unknown): Failure {
  const failure = asFailure(error);
  return error instanceof Error && 'advice' in error && error.advice !== undefined ? failure : { ...failure, advice: '' };
}

export type Looked<T> =
  | { readonly state: 'idle' }
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly failure: Failure };

/** Asks as soon as the view is there; `again` asks anew. A view that goes away takes its question back. */
export function useLooked<T>(ask: (signal: AbortSignal) => Promise<T>, key = ''): { readonly looked: Signal<Looked<T>>; readonly again: () => void } {
  const looked = useSignal<Looked<T>>({ state: 'loading' });
  const turn = useSignal(0);
  useLayoutEffect(() => {
    const abort = new AbortController();
    looked.value = { state: 'loading' };
    ask(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) looked.value = { state: 'ready', value };
      },
      (error: unknown) => {
        if (!abort.signal.aborted) looked.value = { state: 'failed', failure: failureOf(error) };
      },
    );
    return () => abort.abort();
  }, [turn.value, key]);
  return { looked, again: () => { turn.value += 1; } };
}

/** Asks when it is told to, and stops when it is told to. */
export function useTask<T>(): {
  readonly task: Signal<Looked<T>>;
  readonly start: (ask: (signal: AbortSignal) => Promise<T>) => void;
  readonly cancel: () => void;
} {
  const task = useSignal<Looked<T>>({ state: 'idle' });
  const running = useSignal<AbortController | null>(null);
  useLayoutEffect(() => () => running.peek()?.abort(), []);
  const cancel = (): void => {
    running.value?.abort();
    running.value = null;
    task.value = { state: 'idle' };
  };
  const start = (ask: (signal: AbortSignal) => Promise<T>): void => {
    running.value?.abort();
    const abort = new AbortController();
    running.value = abort;
    task.value = { state: 'loading' };
    ask(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) task.value = { state: 'ready', value };
      },
      (error: unknown) => {
        if (!abort.signal.aborted) task.value = { state: 'failed', failure: failureOf(error) };
      },
    );
  };
  return { task, start, cancel };
}
