/**
 * The page's end of a mirror, a repair or an estimate in a worker: the work on another thread, the destination on this one.
 *
 * Wherever an archive is written (a folder's handle, a zip, a server), the writer stays with the caller and is called over the port: one
 * call at a time for each file, so a slow disk holds the download back. Not here: making the worker, and terminating it.
 */
import { ESTIMATE_OPTIONS, MIRROR_OPTIONS, REPAIR_OPTIONS, plainDestination, plainOptions, plainSources } from './plain.ts';
import type { PlainSource } from './plain.ts';
import { remoteError } from './protocol.ts';
import type { FromWorker, RemoteDestination, RemoteTask, WriterCall } from './protocol.ts';
import { CopyRun } from './run.ts';
import type { ArchiveSources, ArchiveWriter, CopyEstimate, CopyReport, EstimateOptions, MirrorOptions, RepairOptions, StagedFile } from './types.ts';
import { inWorker } from './worker-client.ts';
import type { Beside, Post } from './worker-client.ts';

type Wasm = string | URL | WebAssembly.Module;

/** Carries out the worker's calls of the destination. */
class WriterServer implements Beside {
  readonly #id: string;
  readonly #destination: ArchiveWriter;
  readonly #post: Post;
  readonly #calls = new Map<number, AbortController>();
  /** By the requests that began them. */
  readonly #files = new Map<number, StagedFile>();
  #closed = false;

  constructor(id: string, destination: ArchiveWriter, post: Post) {
    this.#id = id;
    this.#destination = destination;
    this.#post = post;
  }

  onMessage(message: FromWorker): void {
    if (message.type === 'call') void this.#answer(message.request, message.call);
    else if (message.type === 'drop') this.#calls.get(message.request)?.abort();
  }

  /** What was begun and not committed is not wanted: nobody is left who knows whether it is sound. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls.values()) call.abort();
    for (const file of this.#files.values()) void discard(file);
    this.#files.clear();
  }

  async #answer(request: number, call: WriterCall): Promise<void> {
    const controller = new AbortController();
    this.#calls.set(request, controller);
    try {
      const found = await this.#carryOut(request, call, controller.signal);
      this.#post({ id: this.#id, type: 'written', request, found });
    } catch (thrown) {
      this.#post({ id: this.#id, type: 'write-failed', request, error: remoteError(thrown) });
    } finally {
      this.#calls.delete(request);
    }
  }

  async #carryOut(request: number, call: WriterCall, signal: AbortSignal): Promise<boolean> {
    switch (call.kind) {
      case 'put':
        await this.#destination.put(call.path, call.bytes, { signal });
        return true;
      case 'exists':
        return this.#destination.exists(call.path, { signal });
      case 'makeDir':
        await this.#destination.makeDir?.(call.path, { signal });
        return true;
      case 'stage': {
        const file = await this.#destination.stage?.(call.path, { signal });
        if (file === undefined) throw new Error(`${this.#destination.name} takes whole files only`);
        // Begun while the worker went away, or gave up waiting: nobody will end it.
        if (this.#closed || signal.aborted) await discard(file);
        else this.#files.set(request, file);
        return true;
      }
      case 'write':
        await this.#staged(call.file).write(call.bytes);
        return true;
      case 'commit': {
        const file = this.#staged(call.file);
        // What is being committed is discarded only if that fails, also where the worker goes away meanwhile.
        this.#files.delete(call.file);
        try {
          await file.commit();
        } catch (thrown) {
          await discard(file);
          throw thrown;
        }
        return true;
      }
      case 'abort': {
        const file = this.#files.get(call.file);
        this.#files.delete(call.file);
        if (file !== undefined) await discard(file);
        return true;
      }
    }
  }

  #staged(request: number): StagedFile {
    const file = this.#files.get(request);
    if (file === undefined) throw new Error('the file was discarded');
    return file;
  }
}

/** `abort` is said never to reject; a writer of someone else's may. */
async function discard(file: StagedFile): Promise<void> {
  try {
    await file.abort();
  } catch {
    // There is nothing more to be done about it.
  }
}

function remoteDestination({ name, stage, get, makeDir }: ArchiveWriter): RemoteDestination {
  return { name: String(name), can: { stage: stage !== undefined, get: get !== undefined, makeDir: makeDir !== undefined } };
}

/** The destination as one more archive that is read from. */
function asReader(destination: ArchiveWriter): PlainSource {
  return { name: destination.name, get: async (path, options) => (await destination.get?.(path, options)) ?? null };
}

function copyInWorker(
  worker: Worker | MessagePort, sources: ArchiveSources, destination: ArchiveWriter, task: (to: RemoteDestination) => RemoteTask,
  signal: AbortSignal | undefined, wasm: Wasm | undefined,
): CopyRun {
  return new CopyRun((onEvent, stop) => {
    const plain = plainSources(sources);
    const place = plainDestination(destination);
    return inWorker<CopyReport>(worker, {
      readers: [...plain, asReader(place)], sources: plain, task: task(remoteDestination(place)), wasm,
      beside: (id, post) => new WriterServer(id, place, post),
    }, onEvent, stop);
  }, signal);
}

/**
 * Starts a mirror in `worker`, whose body must be this package's `worker` file, and returns at once. `destination` stays on this side; so do
 * sources that are readers. `wasm` as for `verifyInWorker`.
 */
export function mirrorInWorker(
  worker: Worker | MessagePort, sources: ArchiveSources, destination: ArchiveWriter, options: MirrorOptions = {}, wasm?: Wasm,
): CopyRun {
  return copyInWorker(worker, sources, destination, (to) => ({ task: 'mirror', options: plainOptions(options, MIRROR_OPTIONS), destination: to }), options.signal, wasm);
}

/** Starts a repair in `worker`; everything else as for `mirrorInWorker`. */
export function repairInWorker(
  worker: Worker | MessagePort, sources: ArchiveSources, destination: ArchiveWriter, options: RepairOptions = {}, wasm?: Wasm,
): CopyRun {
  return copyInWorker(worker, sources, destination, (to) => ({ task: 'repair', options: plainOptions(options, REPAIR_OPTIONS), destination: to }), options.signal, wasm);
}

/** What a mirror would take, asked in `worker`. Rejects with `ABORTED` after an abort. */
export async function estimateInWorker(
  worker: Worker | MessagePort, sources: ArchiveSources, options: EstimateOptions = {}, wasm?: Wasm,
): Promise<CopyEstimate> {
  const plain = plainSources(sources);
  const task: RemoteTask = { task: 'estimate', options: plainOptions(options, ESTIMATE_OPTIONS) };
  return inWorker(worker, { readers: plain, sources: plain, task, wasm }, () => undefined, options.signal ?? new AbortController().signal);
}
