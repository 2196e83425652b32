/**
 * The other end: a thread that verifies parts of a run, one after the other.
 *
 * Not here: how messages come and go, and how a folder is opened, which hosts say.
 */
import type { Instance } from './instance.ts';
import type { PlainSource } from './plain.ts';
import { transferable } from './protocol.ts';
import type { RunOptions } from './run.ts';
import type { FromThread, ThreadSource, ToThread } from './threads.ts';
import type { ArchiveReader, RunEvent } from './types.ts';

/** The export for it. */
export interface PartExports {
  verifySharedPart(
    source: PlainSource, task: string, begun: string, options: RunOptions, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ): Promise<Uint8Array>;
}

/** To the thread whose run it is. */
export type PostToOwner = (message: FromThread, transfer: ArrayBuffer[]) => void;

type Begin = Extract<ToThread, { type: 'begin' }>;

/** Makes the listener of a thread's messages. */
export function threadOf(
  wasm: PartExports, instance: Instance, openFolder: (path: string) => ArchiveReader, post: PostToOwner,
): (message: ToThread) => void {
  let stop = new AbortController();
  let run: Begin | undefined;
  let last: Promise<void> = Promise.resolve();

  const open = (source: ThreadSource): PlainSource => ('url' in source ? source.url : openFolder(source.folder));

  async function verify(begin: Begin | undefined, part: number, task: string, { signal }: AbortController): Promise<void> {
    // Of its own: what listens to it is gone with the part.
    const own = new AbortController();
    const forward = (): void => own.abort();
    if (signal.aborted) forward();
    signal.addEventListener('abort', forward, { once: true });
    try {
      if (begin === undefined) throw new Error('a part came before the run that it is of');
      await instance.init(begin.module);
      const bytes = transferable(await instance.guarded('verifySharedPart', () => wasm.verifySharedPart(
        open(begin.source), task, begin.state, begin.options, (event) => post({ type: 'event', event }, []), own.signal,
      )));
      post({ type: 'part', part, bytes }, [bytes.buffer]);
    } catch {
      // Whoever asked verifies the part itself, and says what is wrong.
      post({ type: 'part', part }, []);
    } finally {
      signal.removeEventListener('abort', forward);
    }
  }

  return (message) => {
    if (message.type === 'cancel') {
      stop.abort();
    } else if (message.type === 'begin') {
      run = message;
      stop = new AbortController();
    } else {
      const [begun, until] = [run, stop];
      last = last.then(() => verify(begun, message.part, message.task, until));
    }
  };
}
