/**
 * The body of a Web Worker that verifies archives for a page: `new Worker(thisFile, { type: 'module' })`.
 *
 * Loaded anywhere else it does nothing but export `verifyInWorker`, the page's end. Not here: any choice about workers;
 * the page makes them, one for each run that shall go on at the same time, and terminates them.
 */
import { init, verifyArchive } from './index.ts';
import { messageOf, toVerifierError } from './errors.ts';
import { protocolMessage, reviveError } from './protocol.ts';
import type { Endpoint, FromWorker, RemoteFile, ToWorker } from './protocol.ts';
import type { Run } from './run.ts';
import type { ArchiveFile, ArchiveReader } from './types.ts';

export { verifyInWorker } from './worker-client.ts';

type Post = (message: FromWorker) => void;
type Start = Extract<ToWorker, { type: 'start' }>;

interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A reader that lives in the page: every `get` is a question over the port, every chunk of a stream another one. */
class RemoteReader implements ArchiveReader {
  readonly name: string;
  readonly #id: string;
  readonly #post: Post;
  readonly #files = new Map<number, Settle<RemoteFile>>();
  readonly #chunks = new Map<number, Settle<Uint8Array | null>>();
  #requests = 0;
  #watched: AbortSignal | undefined;

  constructor(id: string, name: string, post: Post) {
    this.#id = id;
    this.name = name;
    this.#post = post;
  }

  async get(path: string, { signal }: { signal: AbortSignal }): Promise<ArchiveFile> {
    signal.throwIfAborted();
    this.#watch(signal);
    this.#requests += 1;
    const request = this.#requests;
    const file = await new Promise<RemoteFile>((resolve, reject) => {
      this.#files.set(request, { resolve, reject });
      this.#post({ id: this.#id, type: 'get', request, path });
    });
    switch (file.kind) {
      case 'bytes':
        return file.bytes;
      case 'missing':
        return null;
      case 'stream':
        return this.#stream(request);
      case 'failed':
        throw reviveError(file.error);
    }
  }

  /** One listener for a run, not one for each of its files: hosts warn of signals with many. */
  #watch(signal: AbortSignal): void {
    if (this.#watched === signal) return;
    this.#watched = signal;
    signal.addEventListener('abort', () => {
      const reason: unknown = signal.reason;
      for (const [request, file] of this.#files) {
        this.#post({ id: this.#id, type: 'drop', request });
        file.reject(reason instanceof Error ? reason : new Error(messageOf(reason)));
      }
      this.#files.clear();
    }, { once: true });
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

interface Active {
  readonly run: Run;
  readonly reader: RemoteReader | undefined;
}

async function carryOut(id: string, run: Run, post: Post): Promise<void> {
  try {
    for await (const event of run) post({ id, type: 'event', event });
    post({ id, type: 'report', report: await run.report });
  } catch (thrown) {
    const { code, message, advice } = toVerifierError(thrown);
    post({ id, type: 'error', code, message, ...(advice === undefined ? {} : { advice }) });
  }
}

/** Answers the runs that arrive on `endpoint`. */
function serve(endpoint: Endpoint): void {
  const active = new Map<string, Active>();
  const post: Post = (message) => endpoint.postMessage(message, []);

  const start = async ({ id, source, options, wasm }: Start): Promise<void> => {
    const reader = source.kind === 'reader' ? new RemoteReader(id, source.name, post) : undefined;
    const archive = source.kind === 'url' ? source.url : reader;
    if (archive === undefined) return;
    // Only the first answer of `init` counts, so a failure here comes out again, with its advice, from the run.
    if (wasm !== undefined) init(typeof wasm === 'string' ? new URL(wasm) : wasm).catch(() => undefined);
    const run = verifyArchive(archive, options);
    active.set(id, { run, reader });
    await carryOut(id, run, post);
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
        known?.run.abort(new DOMException(message.reason, 'AbortError'));
        break;
      case 'file':
        known?.reader?.onFile(message.request, message.file);
        break;
      case 'chunk':
        known?.reader?.onChunk(message.request, message.bytes);
        break;
      case 'chunk-failed':
        known?.reader?.onChunkFailed(message.request, reviveError(message.error));
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

const scope = workerScope();
if (scope !== undefined) serve(scope);
