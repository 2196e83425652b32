/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A verification or a copy under way, whatever carries it out: this thread's WebAssembly or a worker's.
 *
 * Not here: how the work is done; that is the body handed in.
 */
import { ArchiveVerifierError, toVerifierError } from './errors.ts';
import { VERIFY_OPTIONS, plainOptions, plainSources } from './plain.ts';
import type { Plain, PlainSource } from './plain.ts';
import { EventQueue } from './queue.ts';
import type { ArchiveSources, CopyReport, CopyTask, Report, RunEvent, VerifyOptions, VerifyRun } from './types.ts';

export type RunOptions = Plain<VerifyOptions>;

/** Carries a run out. Resolves with a report also after an abort; rejects only where there can be no report at all. */
export type RunBody = (
  sources: PlainSource[],
  options: RunOptions,
  onEvent: (event: RunEvent) => void,
  signal: AbortSignal,
) => Promise<Report>;

/** The same of whatever has a report; what it throws, also before it waits for anything, is the run's error. */
export type Body<R> = (onEvent: (event: RunEvent) => void, signal: AbortSignal) => Promise<R>;

/** Safari has no `Symbol.asyncDispose` yet; a registered symbol in its place keeps the class well-formed there. */
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** What goes on and has a report: iterate it for events, await `report` for the result, `abort()` it to stop the network and the CPU. */
class Task<R> implements AsyncIterable<RunEvent>, AsyncDisposable {
  readonly report: Promise<R>;
  readonly #controller = new AbortController();
  readonly #events = new EventQueue();
  #iterated = false;

  constructor(body: Body<R>, outer: AbortSignal | undefined) {
    this.report = this.#carryOut(body, outer);
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

  async #carryOut(body: Body<R>, outer: AbortSignal | undefined): Promise<R> {
    const forward = (): void => this.#controller.abort(outer?.reason);
    try {
      if (outer?.aborted === true) forward();
      else outer?.addEventListener('abort', forward, { once: true });
      const report = await body((event) => this.#events.push(event), this.#controller.signal);
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

/** A verification. */
export class Run extends Task<Report> implements VerifyRun {
  constructor(body: RunBody, sources: ArchiveSources, options: VerifyOptions) {
    super((onEvent, signal) => body(plainSources(sources), plainOptions(options, VERIFY_OPTIONS), onEvent, signal), options.signal);
  }
}

/** A mirror or a repair. */
export class CopyRun extends Task<CopyReport> implements CopyTask {}
