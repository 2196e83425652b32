/**
 * The body of a Web Worker that verifies, mirrors and repairs archives for a page: `new Worker(thisFile, { type: 'module' })`.
 *
 * Loaded anywhere else it does nothing but export the page's end. Not here: any choice about workers;
 * the page makes them, one for each run that shall go on at the same time, and terminates them.
 */
import { directoryReader } from './elsewhere.ts';
import { messageOf, toVerifierError } from './errors.ts';
import { protocolMessage, reviveError, transferable } from './protocol.ts';
import type { Endpoint, FromWorker, RemoteDestination, RemoteFile, ToWorker, WriterCall } from './protocol.ts';
import type { ToThread } from './threads.ts';
import type { ArchiveFile, ArchiveReader, ArchiveSources, ArchiveWriter, CopyEstimate, CopyReport, Report, RunEvent, StagedFile } from './types.ts';
import { engine } from './web-engine.ts';
import { servesParts } from './web-host.ts';

export { estimateInWorker, mirrorInWorker, repairInWorker } from './copy-client.ts';
export { verifyInWorker } from './worker-client.ts';

type Post = (message: FromWorker, transfer?: Transferable[]) => void;
type Start = Extract<ToWorker, { type: 'start' }>;

interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** What of a run lives in the page, its readers and its destination: every call is a question over the port, every chunk another one. */
class RemotePlaces {
  readonly #id: string;
  readonly #post: Post;
  readonly #files = new Map<number, Settle<RemoteFile>>();
  readonly #chunks = new Map<number, Settle<Uint8Array | null>>();
  readonly #calls = new Map<number, Settle<boolean>>();
  readonly #asked = new WeakMap<AbortSignal, Set<number>>();
  #requests = 0;

  constructor(id: string, post: Post) {
    this.#id = id;
    this.#post = post;
  }

  /** The one at `archive` among the sources of the run. */
  reader(archive: number, name: string): ArchiveReader {
    return { name, get: (path, { signal }) => this.#get(archive, path, signal) };
  }

  /** `archive`: the place of its `get`. */
  writer(archive: number, { name, can }: RemoteDestination): ArchiveWriter {
    return {
      name,
      put: async (path, content, { signal }) => {
        const bytes = transferable(content);
        await this.#call({ kind: 'put', path, bytes }, signal, [bytes.buffer]);
      },
      exists: (path, { signal }) => this.#call({ kind: 'exists', path }, signal),
      ...(can.get ? { get: (path, { signal }) => this.#get(archive, path, signal) } : {}),
      ...(can.stage ? { stage: (path, { signal }) => this.#stage(path, signal) } : {}),
      ...(can.makeDir ? { makeDir: async (path, { signal }) => void (await this.#call({ kind: 'makeDir', path }, signal)) } : {}),
    } satisfies ArchiveWriter;
  }

  async #stage(path: string, signal: AbortSignal): Promise<StagedFile> {
    const file = this.#requests + 1;
    await this.#call({ kind: 'stage', path }, signal);
    // One call at a time, whether or not the caller waits for each: what is not sent yet takes no memory over there.
    let last: Promise<unknown> = Promise.resolve();
    const next = (call: () => Promise<unknown>): Promise<void> => {
      const done = last.then(call).then(() => undefined);
      last = done;
      // Whoever was handed the promise hears of it.
      done.catch(() => undefined);
      return done;
    };
    return {
      write: (chunk) => {
        const bytes = transferable(chunk);
        return next(() => this.#call({ kind: 'write', file, bytes }, signal, [bytes.buffer]));
      },
      commit: () => next(() => this.#call({ kind: 'commit', file }, signal)),
      // Also after a failure, and whatever became of the run.
      abort: () => this.#call({ kind: 'abort', file }).then(() => undefined, () => undefined),
    };
  }

  async #get(archive: number, path: string, signal: AbortSignal): Promise<ArchiveFile> {
    const file = await this.#ask(this.#files, signal, (request) => this.#post({ id: this.#id, type: 'get', request, archive, path }));
    switch (file.value.kind) {
      case 'bytes':
        return file.value.bytes;
      case 'missing':
        return null;
      case 'stream':
        return this.#stream(file.request);
      case 'failed':
        throw reviveError(file.value.error);
    }
  }

  async #call(call: WriterCall, signal?: AbortSignal, transfer: Transferable[] = []): Promise<boolean> {
    return (await this.#ask(this.#calls, signal, (request) => this.#post({ id: this.#id, type: 'call', request, call }, transfer))).value;
  }

  /** Numbers a question, sends it, and waits for its answer or for `signal`. */
  async #ask<T>(waiting: Map<number, Settle<T>>, signal: AbortSignal | undefined, send: (request: number) => void): Promise<{ readonly request: number; readonly value: T }> {
    signal?.throwIfAborted();
    this.#requests += 1;
    const request = this.#requests;
    const asked = signal === undefined ? undefined : this.#watch(signal);
    asked?.add(request);
    try {
      const value = await new Promise<T>((resolve, reject) => {
        waiting.set(request, { resolve, reject });
        send(request);
      });
      return { request, value };
    } finally {
      asked?.delete(request);
    }
  }

  /** One listener for a signal, not one for each of the questions it is for: hosts warn of signals with many. */
  #watch(signal: AbortSignal): Set<number> {
    const known = this.#asked.get(signal);
    if (known !== undefined) return known;
    const asked = new Set<number>();
    this.#asked.set(signal, asked);
    signal.addEventListener('abort', () => {
      const reason: unknown = signal.reason;
      const error = reason instanceof Error ? reason : new Error(messageOf(reason));
      for (const request of asked) {
        this.#post({ id: this.#id, type: 'drop', request });
        this.#files.get(request)?.reject(error);
        this.#files.delete(request);
        this.#calls.get(request)?.reject(error);
        this.#calls.delete(request);
      }
    }, { once: true });
    return asked;
  }

  onFile(request: number, file: RemoteFile): void {
    this.#files.get(request)?.resolve(file);
    this.#files.delete(request);
  }

  onChunk(request: number, bytes: Uint8Array | null): void {
    this.#chunks.get(request)?.resolve(bytes);
    this.#chunks.delete(request);
  }

  onChunkFailed(request: number, error: Error): void {
    this.#chunks.get(request)?.reject(error);
    this.#chunks.delete(request);
  }

  onWritten(request: number, found: boolean): void {
    this.#calls.get(request)?.resolve(found);
    this.#calls.delete(request);
  }

  onWriteFailed(request: number, error: Error): void {
    this.#calls.get(request)?.reject(error);
    this.#calls.delete(request);
  }

  #stream(request: number): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const bytes = await new Promise<Uint8Array | null>((resolve, reject) => {
          this.#chunks.set(request, { resolve, reject });
          this.#post({ id: this.#id, type: 'pull', request });
        });
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => {
        this.#chunks.delete(request);
        this.#post({ id: this.#id, type: 'drop', request });
      },
    }, { highWaterMark: 0 });
  }
}

/** What goes on: a run, or the making of an estimate, which has no events. */
interface Work extends AsyncIterable<RunEvent> {
  readonly report: Promise<Report | CopyReport | CopyEstimate>;
  abort(reason: unknown): void;
}

interface Active {
  readonly work: Work;
  readonly places: RemotePlaces;
}

function estimate(sources: ArchiveSources, options: Extract<Start, { task: 'estimate' }>['options']): Work {
  const stop = new AbortController();
  return {
    report: engine.estimateMirror(sources, { ...options, signal: stop.signal }),
    abort: (reason) => stop.abort(reason),
    [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
  };
}

function begin(start: Start, places: RemotePlaces): Work {
  const sources = start.sources.map((source, index) => (source.kind === 'url' ? source.url : places.reader(index, source.name)));
  switch (start.task) {
    case 'verify':
      return engine.verifyArchive(sources, start.options);
    case 'estimate':
      return estimate(sources, start.options);
    case 'mirror':
      return engine.mirrorArchive(sources, places.writer(sources.length, start.destination), start.options);
    case 'repair':
      return engine.repairArchive(sources, places.writer(sources.length, start.destination), start.options);
  }
}

async function carryOut(id: string, work: Work, post: Post): Promise<void> {
  try {
    for await (const event of work) post({ id, type: 'event', event });
    post({ id, type: 'report', report: await work.report });
  } catch (thrown) {
    const { code, message, advice } = toVerifierError(thrown);
    post({ id, type: 'error', code, message, ...(advice === undefined ? {} : { advice }) });
  }
}

/** Answers the runs that arrive on `endpoint`. */
function serve(endpoint: Endpoint): void {
  const active = new Map<string, Active>();
  const post: Post = (message, transfer = []) => endpoint.postMessage(message, transfer);

  const start = async (message: Start): Promise<void> => {
    const { id, wasm } = message;
    const places = new RemotePlaces(id, post);
    // Only the first answer of `init` counts, so a failure here comes out again, with its advice, from the run.
    if (wasm !== undefined) engine.init(typeof wasm === 'string' ? new URL(wasm) : wasm).catch(() => undefined);
    const work = begin(message, places);
    active.set(id, { work, places });
    await carryOut(id, work, post);
    active.delete(id);
  };

  endpoint.addEventListener('message', (event) => {
    const message = protocolMessage<ToWorker>(event);
    if (message === undefined) return;
    const known = active.get(message.id);
    switch (message.type) {
      case 'start':
        void start(message);
        break;
      case 'cancel':
        known?.work.abort(new DOMException(message.reason, 'AbortError'));
        break;
      case 'file':
        known?.places.onFile(message.request, message.file);
        break;
      case 'chunk':
        known?.places.onChunk(message.request, message.bytes);
        break;
      case 'chunk-failed':
        known?.places.onChunkFailed(message.request, reviveError(message.error));
        break;
      case 'written':
        known?.places.onWritten(message.request, message.found);
        break;
      case 'write-failed':
        known?.places.onWriteFailed(message.request, reviveError(message.error));
        break;
    }
  });
}

/** A worker's global scope, without the library of types that would contradict the page's. */
function workerScope(): Endpoint | undefined {
  const scope: object = globalThis;
  const isWorker = 'WorkerGlobalScope' in scope && typeof scope.WorkerGlobalScope === 'function' && scope instanceof scope.WorkerGlobalScope;
  return isWorker ? (scope as unknown as Endpoint) : undefined;
}

/** Another worker of this script may ask for parts of its run. */
function serveParts(endpoint: Endpoint): void {
  servesParts();
  const listener = engine.partListener(directoryReader, (thread, transfer) => endpoint.postMessage({ thread }, transfer));
  endpoint.addEventListener('message', (event) => {
    const data: unknown = 'data' in event ? event.data : undefined;
    // The other end is this package, so the shape is then known.
    if (typeof data === 'object' && data !== null && 'thread' in data) listener(data.thread as ToThread);
  });
}

const scope = workerScope();
if (scope !== undefined) {
  serve(scope);
  serveParts(scope);
}
