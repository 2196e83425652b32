/**
 * The page's end of a verification in a worker: the same run, with the work on another thread.
 *
 * Not here: making the worker. Bundlers differ in how they find a worker's file, so the caller makes it, usually by
 * `new Worker(new URL('stellar-archive-verifier/worker', import.meta.url), { type: 'module' })`, and terminates it: that
 * also gives back the memory, which WebAssembly never does by itself. Terminate it after the report, not before.
 */
import { ArchiveVerifierError, messageOf } from './errors.ts';
import type { PlainSource } from './plain.ts';
import { ID_PREFIX, protocolMessage, remoteError } from './protocol.ts';
import type { Endpoint, FromWorker, RemoteFile, RemoteSource, ToWorker } from './protocol.ts';
import { Run } from './run.ts';
import type { RunBody } from './run.ts';
import type { ArchiveSources, Report, VerifyOptions } from './types.ts';

const RESTART_ADVICE = 'Terminate the worker and start a new one; if it happens again, please report it with this message.';
const START_ADVICE =
  "Check that the worker's file is served as text/javascript, that it was made with { type: 'module' }, and that a Content-Security-Policy allows it (worker-src).";

let runs = 0;

/** Random, so that two copies of this package can share one worker. */
const session = Math.random().toString(36).slice(2);

/** A copy in a buffer of its own: sending a part of a larger buffer would clone all of it, sending it by transfer take it away. */
function detached(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** A chunk of a stream is ours to give away if nothing else lives in its buffer. */
function transferable(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = chunk.byteLength === chunk.buffer.byteLength && chunk.buffer instanceof ArrayBuffer;
  return whole ? (chunk as Uint8Array<ArrayBuffer>) : detached(chunk);
}

/** Answers the worker's questions about the readers that live on this side. */
class ReaderServer {
  readonly #sources: readonly PlainSource[];
  readonly #post: (message: ToWorker, transfer?: Transferable[]) => void;
  readonly #id: string;
  readonly #requests = new Map<number, AbortController>();
  readonly #streams = new Map<number, ReadableStreamDefaultReader<Uint8Array>>();

  constructor(id: string, sources: readonly PlainSource[], post: (message: ToWorker, transfer?: Transferable[]) => void) {
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
    return new ArchiveVerifierError('CRASHED', 'a message between the page and the worker could not be read', {
      advice: RESTART_ADVICE, cause: event,
    });
  }
  const text = 'message' in event && typeof event.message === 'string' ? event.message : '';
  return new ArchiveVerifierError(
    'CRASHED',
    answered ? `the worker crashed${text === '' ? '' : `: ${text}`}` : `the worker could not be started${text === '' ? '' : `: ${text}`}`,
    { advice: answered ? RESTART_ADVICE : START_ADVICE, cause: event },
  );
}

function remoteSource(source: PlainSource): RemoteSource {
  return typeof source === 'string' ? { kind: 'url', url: source } : { kind: 'reader', name: String(source.name) };
}

function inWorker(
  endpoint: Endpoint, wasm: string | WebAssembly.Module | undefined, ...[sources, options, onEvent, signal]: Parameters<RunBody>
): Promise<Report> {
  runs += 1;
  const id = `${ID_PREFIX}${session}/${runs}`;
  const post = (message: ToWorker, transfer: Transferable[] = []): void => endpoint.postMessage(message, transfer);
  const server = new ReaderServer(id, sources, post);

  return new Promise<Report>((resolve, reject) => {
    let answered = false;
    const cancel = (): void => post({ id, type: 'cancel', reason: messageOf(signal.reason) });
    const close = (): void => {
      endpoint.removeEventListener('message', onMessage);
      endpoint.removeEventListener('messageerror', onFailure);
      endpoint.removeEventListener('error', onFailure);
      signal.removeEventListener('abort', cancel);
      server.close();
    };
    const onFailure = (event: Event): void => {
      close();
      reject(workerFailure(event, answered));
    };
    const onMessage = (event: Event): void => {
      const message = protocolMessage<FromWorker>(event);
      if (message?.id !== id) return;
      answered = true;
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
        case 'report':
          close();
          resolve(message.report);
          break;
        case 'error':
          close();
          reject(new ArchiveVerifierError(message.code, message.message, {
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
        id, type: 'start', options, sources: sources.map(remoteSource),
        ...(wasm === undefined ? {} : { wasm }),
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
  const where = wasm instanceof URL ? wasm.href : wasm;
  return new Run((...run) => inWorker(worker, where, ...run), sources, options);
}
