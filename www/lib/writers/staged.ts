/**
 * Staged files for writers of every kind: one order of calls for all of them, and `stage` for those that only have `put`.
 *
 * Not here: where the bytes of large files wait (`spool.ts`), and what a place does to make a file visible at once.
 */
import { ArchiveVerifierError } from '../errors.ts';
import type { ArchiveWriter, StagedFile } from '../types.ts';
import { checkedPath } from './path.ts';
import type { Payload, Spool } from './spool.ts';

export interface Asked {
  readonly signal: AbortSignal;
}

/** A writer whose large files can be staged. */
export type StagedWriter = ArchiveWriter & Required<Pick<ArchiveWriter, 'stage'>>;

/**
 * `steps` in their order: nothing after the end, no commit of a file of which a chunk is missing, one abort at most, which never
 * rejects, and nothing but that once the signal is aborted.
 */
export function stagedFile(path: string, { signal }: Asked, steps: StagedFile): StagedFile {
  let state: 'open' | 'committed' | 'broken' | 'aborted' = 'open';
  async function attempt(step: () => Promise<void>): Promise<void> {
    if (state !== 'open') throw new ArchiveVerifierError('USAGE', `${path} is ${state} already`);
    // Until it has gone well, it has not.
    state = 'broken';
    signal.throwIfAborted();
    await step();
  }
  return {
    async write(chunk) {
      await attempt(() => steps.write(chunk));
      state = 'open';
    },
    async commit() {
      await attempt(() => steps.commit());
      state = 'committed';
    },
    async abort() {
      if (state === 'committed' || state === 'aborted') return;
      state = 'aborted';
      await steps.abort().catch(() => undefined);
    },
  };
}

/** A file that is at hand as a whole, by way of a staged one. */
export async function putStaged(stage: StagedWriter['stage'], path: string, content: Uint8Array, options: Asked): Promise<void> {
  const file = await stage(path, options);
  try {
    await file.write(content);
    await file.commit();
  } catch (cause) {
    await file.abort();
    throw cause;
  }
}

/** The chunks as one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** A file that waits in a spool until `send` takes all of it. */
export function spooledFile(path: string, options: Asked, content: Spool, send: (whole: Payload) => Promise<void>): StagedFile {
  return stagedFile(path, options, {
    write: content.write,
    async commit() {
      await send(await content.payload());
      await content.close();
    },
    abort: content.close,
  });
}

/** A file that waits in memory until `put` takes all of it. */
function gathered(path: string, options: Asked, put: ArchiveWriter['put']): StagedFile {
  let chunks: Uint8Array[] = [];
  return stagedFile(path, options, {
    async write(chunk) {
      // A copy: the caller may fill the same buffer again.
      chunks.push(chunk.slice());
    },
    async commit() {
      await put(path, joined(chunks), options);
      chunks = [];
    },
    async abort() {
      chunks = [];
    },
  });
}

/** `writer` with `stage`, whether it has that or not: files are gathered in memory, and handed to `put` when they are whole. */
export function stagedWriter(writer: ArchiveWriter): StagedWriter {
  const { get, makeDir } = writer;
  return {
    name: writer.name,
    put: async (path, content, options) => writer.put(checkedPath(path), content, options),
    exists: async (path, options) => writer.exists(checkedPath(path), options),
    async stage(path, options) {
      options.signal.throwIfAborted();
      checkedPath(path);
      return writer.stage === undefined ? gathered(path, options, (...file) => writer.put(...file)) : writer.stage(path, options);
    },
    // Called on the writer, which may be an instance of a class.
    ...(get === undefined ? {} : { get: (path: string, options: Asked) => get.call(writer, path, options) }),
    ...(makeDir === undefined ? {} : { makeDir: (path: string, options: Asked) => makeDir.call(writer, path, options) }),
  };
}
