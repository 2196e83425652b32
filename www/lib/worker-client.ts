/**
 * The page's end of a run in a worker: the same run, with the work on another thread.
 *
 * Not here: making the worker. Bundlers differ in how they find a worker's file, so the caller makes it, usually by
 * `new Worker(new URL('stellar-archive-verifier/worker', import.meta.url), { type: 'module' })`, and terminates it: that
 * also gives back the memory, which WebAssembly never does by itself. Terminate it after the report, not before. Nor what it takes
 * to write (`copy-client.ts`): whoever only verifies need not load it.
 */
import { ArchiveVerifierError, CrashError, messageOf, verifierError } from './errors.ts';
import type { PlainSource } from './plain.ts';
import { ID_PREFIX, detached, protocolMessage, remoteError, transferable } from './protocol.ts';
import type { Endpoint, FromWorker, RemoteFile, RemoteSource, RemoteTask, ToWorker } from './protocol.ts';
import { Run } from './run.ts';
import type { ArchiveSources, Report, RunEvent, VerifyOptions } from './types.ts';

const RESTART_ADVICE = 'Terminate the worker and start a new one; if it happens again, please report it with this message.';
const START_ADVICE =
  "Check that the worker's file is served as text/javascript, that it was made with { type: 'module' }, and that a Content-Security-Policy allows it (worker-src).";

let runs = 0;

/** Random, so that two copies of this package can share one worker. */
const session = Math.random().toString(36).slice(2);

/** Sends to the worker; what is in `transfer` is gone here. */
export type Post = (message: ToWorker, transfer?: Transferable[]) => void;

/** Whatever else of a run stays on this side. */
export interface Beside {
  onMessage(message: FromWorker): void;
  /** The run is over, or the worker is lost. */
  close(): void;
}

export interface Job {
  /** The archives that stay on this side, by their places; addresses are the worker's own business. */
  readonly readers: readonly PlainSource[];
  readonly sources: readonly PlainSource[];
  readonly task: RemoteTask;
  readonly wasm: string | URL | WebAssembly.Module | undefined;
  readonly beside?: (id: string, post: Post) => Beside;
}

/** Answers the worker's questions about the readers that live on this side. */
class ReaderServer {
  readonly #sources: readonly PlainSource[];
  readonly #post: Post;
  readonly #id: string;
  readonly #requests = new Map<number, AbortController>();
  readonly #streams = new Map<number, ReadableStreamDefaultReader<Uint8Array>>();

  constructor(id: string, sources: readonly PlainSource[], post: Post) {
    this.#id = id;
    this.#sources = sources;
    this.#post = post;
  }

  async get(request: number, archive: number, path: string): Promise<void> {
    const reader = this.#sources[archive];
    if (typeof reader !== 'object') return;
    const controller = new AbortController();
    this.#requests.set(request, controller);
    try {
      const body = await reader.get(path, { signal: controller.signal });
      if (!this.#requests.delete(request)) {
        // Dropped while the reader was at it: nobody waits for an answer.
        if (body instanceof ReadableStream) await body.cancel();
        return;
      }
      if (body === null) {
        this.#answer(request, { kind: 'missing' });
      } else if (body instanceof ReadableStream) {
        this.#streams.set(request, body.getReader());
        this.#answer(request, { kind: 'stream' });
      } else {
        // The reader may keep its bytes (an archive in memory does), so they are copied, once.
        const bytes = detached(body);
        this.#answer(request, { kind: 'bytes', bytes }, [bytes.buffer]);
      }
    } catch (thrown) {
      if (this.#requests.delete(request)) this.#answer(request, { kind: 'failed', error: remoteError(thrown) });
    }
  }

  async pull(request: number): Promise<void> {
    const stream = this.#streams.get(request);
    if (stream === undefined) return;
    try {
      const { done, value } = await stream.read();
      if (done) {
        this.#streams.delete(request);
        this.#post({ id: this.#id, type: 'chunk', request, bytes: null });
      } else {
        const bytes = transferable(value);
        this.#post({ id: this.#id, type: 'chunk', request, bytes }, [bytes.buffer]);
      }
    } catch (thrown) {
      this.#streams.delete(request);
      this.#post({ id: this.#id, type: 'chunk-failed', request, error: remoteError(thrown) });
    }
  }

  drop(request: number): void {
    this.#requests.get(request)?.abort();
    this.#requests.delete(request);
    // A stream that fails while being thrown away is of no interest.
    this.#streams.get(request)?.cancel().catch(() => undefined);
    this.#streams.delete(request);
  }

  close(): void {
    for (const request of [...this.#requests.keys(), ...this.#streams.keys()]) this.drop(request);
  }

  #answer(request: number, file: RemoteFile, transfer: Transferable[] = []): void {
    this.#post({ id: this.#id, type: 'file', request, file }, transfer);
  }
}

function workerFailure(event: Event, answered: boolean): ArchiveVerifierError {
  if (event.type === 'messageerror') {
    return new CrashError('a message between the page and the worker could not be read', {
      advice: RESTART_ADVICE, cause: event,
    });
  }
  const text = 'message' in event && typeof event.message === 'string' ? event.message : '';
  return new CrashError(
    answered ? `the worker crashed${text === '' ? '' : `: ${text}`}` : `the worker could not be started${text === '' ? '' : `: ${text}`}`,
    { advice: answered ? RESTART_ADVICE : START_ADVICE, cause: event },
  );
}

function remoteSource(source: PlainSource): RemoteSource {
  return typeof source === 'string' ? { kind: 'url', url: source } : { kind: 'reader', name: String(source.name) };
}

/** Has the worker do it. What the promise resolves with is of the task's own kind. */
export function inWorker<R>(endpoint: Endpoint, { readers, sources, task, wasm, beside }: Job, onEvent: (event: RunEvent) => void, signal: AbortSignal): Promise<R> {
  runs += 1;
  const id = `${ID_PREFIX}${session}/${runs}`;
  const post: Post = (message, transfer = []) => endpoint.postMessage(message, transfer);
  const server = new ReaderServer(id, readers, post);
  const other = beside?.(id, post);

  return new Promise<R>((resolve, reject) => {
    let answered = false;
    const cancel = (): void => post({ id, type: 'cancel', reason: messageOf(signal.reason) });
    const close = (): void => {
      endpoint.removeEventListener('message', onMessage);
      endpoint.removeEventListener('messageerror', onFailure);
      endpoint.removeEventListener('error', onFailure);
      signal.removeEventListener('abort', cancel);
      server.close();
      other?.close();
    };
    const onFailure = (event: Event): void => {
      close();
      reject(workerFailure(event, answered));
    };
    const onMessage = (event: Event): void => {
      const message = protocolMessage<FromWorker>(event);
      if (message?.id !== id) return;
      answered = true;
      other?.onMessage(message);
      switch (message.type) {
        case 'event':
          onEvent(message.event);
          break;
        case 'get':
          void server.get(message.request, message.archive, message.path);
          break;
        case 'pull':
          void server.pull(message.request);
          break;
        case 'drop':
          server.drop(message.request);
          break;
        case 'call':
          break;
        case 'report':
          close();
          // The other end answers with what the task has for a report.
          resolve(message.report as R);
          break;
        case 'error':
          close();
          reject(verifierError(message.code, message.message, {
            advice: message.code === 'CRASHED' ? RESTART_ADVICE : message.advice,
          }));
          break;
      }
    };

    endpoint.addEventListener('message', onMessage);
    endpoint.addEventListener('messageerror', onFailure);
    endpoint.addEventListener('error', onFailure);
    // A port delivers nothing until it is started; a worker has no such switch.
    if ('start' in endpoint && typeof endpoint.start === 'function') endpoint.start();
    try {
      post({
        id, type: 'start', sources: sources.map(remoteSource), ...task,
        ...(wasm === undefined ? {} : { wasm: wasm instanceof URL ? wasm.href : wasm }),
      });
    } catch (cause) {
      close();
      reject(new ArchiveVerifierError('USAGE', `the options cannot be sent to a worker: ${messageOf(cause)}`, {
        advice: 'Options are plain numbers, strings and booleans.', cause,
      }));
      return;
    }
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * Starts a verification in `worker`, whose body must be this package's `worker` file, and returns at once.
 * Readers work too, also beside URLs: they stay on this side and are asked for each file. `wasm` says where the worker finds the
 * WebAssembly (absolute URL, or the compiled module) when it is not beside the worker's own file.
 */
export function verifyInWorker(
  worker: Worker | MessagePort, sources: ArchiveSources, options: VerifyOptions = {}, wasm?: string | URL | WebAssembly.Module,
): Run {
  return new Run(
    (plain, rest, onEvent, signal): Promise<Report> =>
      inWorker(worker, { readers: plain, sources: plain, task: { task: 'verify', options: rest }, wasm }, onEvent, signal),
    sources, options,
  );
}
