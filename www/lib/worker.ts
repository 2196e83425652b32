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

/** The readers of a run, which live in the page: every `get` is a question over the port, every chunk of a stream another one. */
class RemoteReaders {
  readonly #id: string;
  readonly #post: Post;
  readonly #files = new Map<number, Settle<RemoteFile>>();
  readonly #chunks = new Map<number, Settle<Uint8Array | null>>();
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

  async #get(archive: number, path: string, signal: AbortSignal): Promise<ArchiveFile> {
    signal.throwIfAborted();
    this.#requests += 1;
    const request = this.#requests;
    const asked = this.#watch(signal);
    asked.add(request);
    const file = await new Promise<RemoteFile>((resolve, reject) => {
      this.#files.set(request, { resolve, reject });
      this.#post({ id: this.#id, type: 'get', request, archive, path });
    }).finally(() => asked.delete(request));
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

  /** One listener for a signal, not one for each of the files it is for: hosts warn of signals with many. */
  #watch(signal: AbortSignal): Set<number> {
    const known = this.#asked.get(signal);
    if (known !== undefined) return known;
    const asked = new Set<number>();
    this.#asked.set(signal, asked);
    signal.addEventListener('abort', () => {
      const reason: unknown = signal.reason;
      for (const request of asked) {
        this.#post({ id: this.#id, type: 'drop', request });
        this.#files.get(request)?.reject(reason instanceof Error ? reason : new Error(messageOf(reason)));
        this.#files.delete(request);
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
  readonly readers: RemoteReaders;
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

  const start = async ({ id, sources, options, wasm }: Start): Promise<void> => {
    const readers = new RemoteReaders(id, post);
    const archives = sources.map((source, index) => (source.kind === 'url' ? source.url : readers.reader(index, source.name)));
    // Only the first answer of `init` counts, so a failure here comes out again, with its advice, from the run.
    if (wasm !== undefined) init(typeof wasm === 'string' ? new URL(wasm) : wasm).catch(() => undefined);
    const run = verifyArchive(archives, options);
    active.set(id, { run, readers });
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
        known?.readers.onFile(message.request, message.file);
        break;
      case 'chunk':
        known?.readers.onChunk(message.request, message.bytes);
        break;
      case 'chunk-failed':
        known?.readers.onChunkFailed(message.request, reviveError(message.error));
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
