/**
 * The threads that a run is shared with: each has an instance of the same compiled module, and verifies parts of the range.
 *
 * Not here: which part is whose and how parts are joined, which the WebAssembly decides, and how a host starts a thread. A thread
 * that is lost costs the part that it had; the run verifies that part itself.
 */
import type { RunOptions } from './run.ts';
import type { Progress, RunEvent } from './types.ts';

/** An archive as another thread can open it. */
export type ThreadSource = { readonly url: string } | { readonly folder: string };

/** What a thread is told. */
export type ToThread =
  | { readonly type: 'begin'; readonly module: WebAssembly.Module; readonly source: ThreadSource; readonly options: RunOptions; readonly state: string }
  | { readonly type: 'part'; readonly part: number; readonly task: string }
  | { readonly type: 'cancel' };

/** What it answers: `bytes` are missing where nothing came of a part. */
export type FromThread =
  | { readonly type: 'part'; readonly part: number; readonly bytes?: Uint8Array<ArrayBuffer> }
  | { readonly type: 'event'; readonly event: RunEvent };

/** A worker of the host. */
export interface Thread {
  post(message: ToThread): void;
  /** In place of the listener before; `undefined` where the thread was lost. */
  listen(listener: (message: FromThread | undefined) => void): void;
  /** Whether somebody waits for it: only then it keeps the program running. */
  busy(is: boolean): void;
  terminate(): void;
}

/** What the WebAssembly knows of them. */
export interface SharedThreads {
  readonly count: number;
  begin(state: string): void;
  verify(task: string): Promise<Uint8Array | undefined>;
  /** Checkpoints, buckets, bytes as they came and of content, reads begun and failed, retries, of the parts under way. */
  progress(): number[];
}

interface Member {
  readonly thread: Thread;
  readonly waiting: Map<number, (bytes: Uint8Array | undefined) => void>;
  progress: Progress | undefined;
  lost: boolean;
}

/** As many as an event names of a kind, however many threads there are. */
const MOST_IN_FLIGHT = 64;
/** Threads stay for the next run, warm, for it takes half the time then; but not for long: each has some MB of memory. */
const IDLE_MS = 60_000;

/** The threads of one instance, as many as a run asked for at most. */
export class Threads {
  readonly #start: () => Thread;
  readonly #idle = new Set<Thread>();

  constructor(start: () => Thread) {
    this.#start = start;
  }

  /** `count` threads for a run; `close` gives them back. */
  take(
    count: number, module: WebAssembly.Module, source: ThreadSource, options: RunOptions, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ): SharedThreads & { also(event: RunEvent): RunEvent; close(): void } {
    let parts = 0;
    const members = Array.from({ length: count }, (): Member => ({ thread: this.#next(), waiting: new Map(), progress: undefined, lost: false }));

    function settle(member: Member, part: number, bytes: Uint8Array | undefined): void {
      const resolve = member.waiting.get(part);
      member.waiting.delete(part);
      member.progress = undefined;
      resolve?.(bytes);
    }

    for (const member of members) {
      member.thread.busy(true);
      member.thread.listen((message) => {
        if (message === undefined) {
          member.lost = true;
          for (const part of [...member.waiting.keys()]) settle(member, part, undefined);
        } else if (message.type === 'part') {
          settle(member, message.part, message.bytes);
        } else if (message.event.type === 'progress') {
          member.progress = message.event;
        } else if (message.event.type === 'checkpoint' || message.event.type === 'retry') {
          // Findings are said when the part is joined: two parts may have found the same.
          onEvent(message.event);
        }
      });
    }
    const cancel = (): void => members.forEach(({ thread }) => thread.post({ type: 'cancel' }));
    signal.addEventListener('abort', cancel, { once: true });

    return {
      count,
      begin(state) {
        for (const { thread } of members) thread.post({ type: 'begin', module, source, options, state });
      },
      verify(task) {
        const able = members.filter(({ lost }) => !lost).toSorted((one, other) => one.waiting.size - other.waiting.size);
        const [member] = able;
        if (member === undefined || signal.aborted) return Promise.resolve(undefined);
        parts += 1;
        const part = parts;
        return new Promise((resolve) => {
          member.waiting.set(part, resolve);
          member.thread.post({ type: 'part', part, task });
        });
      },
      progress: () => members.map(({ progress }) => counts(progress)).reduce((sum, own) => sum.map((count, index) => count + (own[index] ?? 0))),
      /** An event of the run, with what the threads have under way beside it. */
      also(event) {
        if (event.type !== 'progress') return event;
        const all = [event, ...members.flatMap(({ progress }) => progress ?? [])].map(({ inFlight }) => inFlight);
        return {
          ...event,
          inFlight: {
            checkpoints: all.flatMap(({ checkpoints }) => checkpoints).slice(0, MOST_IN_FLIGHT),
            files: all.flatMap(({ files }) => files).slice(0, MOST_IN_FLIGHT),
            fileCount: all.reduce((sum, { fileCount }) => sum + fileCount, 0),
          },
        };
      },
      close: () => {
        signal.removeEventListener('abort', cancel);
        for (const { thread, waiting, lost } of members) {
          // One that still works on what nobody waits for is of no use to anybody.
          if (lost || waiting.size > 0 || signal.aborted) thread.terminate();
          else this.#keep(thread);
        }
      },
    };
  }

  #next(): Thread {
    const [idle] = this.#idle;
    if (idle === undefined) return this.#start();
    this.#idle.delete(idle);
    return idle;
  }

  #keep(thread: Thread): void {
    this.#idle.add(thread);
    thread.busy(false);
    thread.listen((message) => {
      if (message === undefined) this.#idle.delete(thread);
    });
    const timer: unknown = setTimeout(() => {
      if (this.#idle.delete(thread)) thread.terminate();
    }, IDLE_MS);
    // In Node it must not keep the process running.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
  }
}

function counts(progress: Progress | undefined): number[] {
  if (progress === undefined) return [0, 0, 0, 0, 0, 0, 0];
  const [archive] = progress.archives;
  return [
    progress.checkpoints.done, progress.buckets.done, Number(progress.bytes.compressed), Number(progress.bytes.inflated),
    archive?.requests ?? 0, archive?.failures ?? 0, progress.retries,
  ];
}
