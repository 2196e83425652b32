/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A verification under way, whatever carries it out: this thread's WebAssembly or a worker's.
 *
 * Not here: how the work is done; that is the `RunBody` handed in.
 */
import { ArchiveVerifierError, toVerifierError } from './errors.ts';
import { VERIFY_OPTIONS, plainOptions, plainSources } from './plain.ts';
import type { Plain, PlainSource } from './plain.ts';
import { EventQueue } from './queue.ts';
import type { ArchiveSources, Report, RunEvent, VerifyOptions, VerifyRun } from './types.ts';

export type RunOptions = Plain<VerifyOptions>;

/** Carries a run out. Resolves with a report also after an abort; rejects only where there can be no report at all. */
export type RunBody = (
  sources: PlainSource[],
  options: RunOptions,
  onEvent: (event: RunEvent) => void,
  signal: AbortSignal,
) => Promise<Report>;

/** Safari has no `Symbol.asyncDispose` yet; a registered symbol in its place keeps the class well-formed there. */
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** A run: iterate it for events, await `report` for the result, `abort()` it to stop the network and the CPU. */
export class Run implements VerifyRun, AsyncDisposable {
  readonly report: Promise<Report>;
  readonly #controller = new AbortController();
  readonly #events = new EventQueue();
  #iterated = false;

  constructor(body: RunBody, sources: ArchiveSources, options: VerifyOptions) {
    this.report = this.#carryOut(body, sources, options);
    // Who only iterates gets the error from the iterator: that must not count as an unhandled rejection as well.
    this.report.catch(() => undefined);
  }

  /** Stops the run. `report` then resolves with what was found so far, marked incomplete. */
  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent, undefined> {
    if (this.#iterated) {
      throw new ArchiveVerifierError('USAGE', 'the events of a run can be iterated only once', {
        advice: 'Read the events in one loop; the findings are all in the report as well.',
      });
    }
    this.#iterated = true;
    return this.#events;
  }

  /** For `await using`: aborts what still runs and waits for its end. */
  async [asyncDispose](): Promise<void> {
    this.abort(new ArchiveVerifierError('DISPOSED', 'the run was disposed of before its end'));
    await this.report.then(() => undefined, () => undefined);
  }

  async #carryOut(body: RunBody, sources: ArchiveSources, options: VerifyOptions): Promise<Report> {
    const outer = options.signal;
    const forward = (): void => this.#controller.abort(outer?.reason);
    try {
      if (outer?.aborted === true) forward();
      else outer?.addEventListener('abort', forward, { once: true });
      const onEvent = (event: RunEvent): void => this.#events.push(event);
      const report = await body(plainSources(sources), plainOptions(options, VERIFY_OPTIONS), onEvent, this.#controller.signal);
      this.#events.end();
      return report;
    } catch (thrown) {
      const error = toVerifierError(thrown);
      this.#events.fail(error);
      throw error;
    } finally {
      outer?.removeEventListener('abort', forward);
    }
  }
}
