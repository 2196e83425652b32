/**
 * One check under way: consumes the verifier's events and keeps what the page shows as signals.
 *
 * Events can come faster than a screen is drawn. Checkpoint statuses go straight into a table of bits, findings into a list, and
 * one animation frame at most makes both visible.
 */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Finding, Progress, Report, RunEvent, Stage, VerifyOptions, VerifyRun } from '../lib/types.ts';
import { CheckpointTable } from './checkpoints.ts';
import type { FormState } from './form.ts';
import { duration } from './format.ts';
import { ASLEEP_MS, Pace, timeLeft } from './time-left.ts';
import type { Kept } from './saved-runs.ts';

/** `paused` can go on, `refused` could not: its saved state does not belong to what was asked for. */
export type Phase = 'running' | 'pausing' | 'paused' | 'stopping' | 'done' | 'crashed' | 'refused';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
}

export interface Retry {
  readonly archive: string;
  readonly path: string;
  readonly attempt: number;
  readonly reason: string;
}

/** What a run starts with. */
export interface Setup {
  /** The same for all parts of a run that was paused and went on. */
  readonly id: string;
  readonly form: FormState;
  readonly archives: readonly string[];
  readonly options: VerifyOptions;
  /** What an earlier part left: the verifier's state, and what the page knew then. */
  readonly resume?: {
    readonly state: string;
    readonly done: number;
    readonly table: CheckpointTable | null;
    readonly findings: readonly Finding[];
  };
}

export interface Run {
  readonly setup: Setup;
  readonly archives: readonly string[];
  readonly options: VerifyOptions;
  readonly phase: ReadonlySignal<Phase>;
  readonly stage: ReadonlySignal<Stage>;
  readonly progress: ReadonlySignal<Progress | null>;
  readonly findings: ReadonlySignal<readonly Finding[]>;
  readonly table: ReadonlySignal<CheckpointTable | null>;
  /** Goes up whenever the table's contents changed. */
  readonly tick: ReadonlySignal<number>;
  readonly retry: ReadonlySignal<Retry | null>;
  /** Compressed bytes a second over the last few seconds. */
  readonly rate: ReadonlySignal<number>;
  readonly elapsedMs: ReadonlySignal<number>;
  /** Milliseconds that it will still take by how fast it was lately; `null` where that cannot be said. */
  readonly leftMs: ReadonlySignal<number | null>;
  /** How long the tab was put to sleep last, in milliseconds; 0 where it was not. */
  readonly sleptMs: ReadonlySignal<number>;
  readonly report: ReadonlySignal<Report | null>;
  readonly failure: ReadonlySignal<Failure | null>;
  readonly selected: Signal<number>;
  readonly opened: Signal<number | null>;
  /** The latest state to go on from, and the checkpoints that it has; `null` before there is one. */
  readonly state: ReadonlySignal<SavedState | null>;
  /** Whether the browser keeps it beyond this tab; `null` before the first try. */
  readonly stored: Signal<Kept | null>;
  pause(): void;
  cancel(): void;
}

export interface SavedState {
  readonly text: string;
  readonly done: number;
}

export interface RunHooks {
  readonly announce: (text: string) => void;
  /** There is a new state to go on from. */
  readonly advanced: () => void;
  readonly settled: () => void;
}

/** Nothing more will happen by itself. */
export function isOver(phase: Phase): boolean {
  return phase === 'done' || phase === 'crashed' || phase === 'refused';
}

export function isGoing(phase: Phase): boolean {
  return phase === 'running' || phase === 'pausing' || phase === 'stopping';
}

const RATE_WINDOW_MS = 4000;
/** The live list is a preview; the report has the folded, ranked one. */
const LIVE_FINDINGS = 500;

export function asFailure(error: unknown): Failure {
  const described = error instanceof Error ? error : new Error(String(error));
  const word = (name: 'code' | 'advice', otherwise: string): string => {
    const value: unknown = Reflect.get(described, name);
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
  return {
    code: word('code', 'CRASHED'),
    message: described.message,
    advice: word('advice', 'Start the check again; if it stops at the same place, the report of the problem below helps to find the cause'),
  };
}

function isComplete(progress: Progress | null): boolean {
  return progress !== null && progress.checkpoints.total > 0 &&
    progress.checkpoints.done === progress.checkpoints.total && progress.buckets.done === progress.buckets.total;
}

export function startRun(setup: Setup, open: (signal: AbortSignal) => VerifyRun, hooks: RunHooks): Run {
  const { archives, options, resume } = setup;
  const phase = signal<Phase>('running');
  const stage = signal<Stage>('root');
  const progress = signal<Progress | null>(null);
  const findings = signal<readonly Finding[]>(resume?.findings ?? []);
  const table = signal<CheckpointTable | null>(resume?.table ?? null);
  const tick = signal(0);
  const retry = signal<Retry | null>(null);
  const rate = signal(0);
  const elapsedMs = signal(0);
  const leftMs = signal<number | null>(null);
  const sleptMs = signal(0);
  const report = signal<Report | null>(null);
  const failure = signal<Failure | null>(null);
  const selected = signal(0);
  const opened = signal<number | null>(null);
  const state = signal<SavedState | null>(resume === undefined ? null : { text: resume.state, done: resume.done });
  const stored = signal<Kept | null>(resume === undefined ? null : 'kept');

  const abort = new AbortController();
  const startedAt = performance.now();
  const clock = setInterval(() => {
    elapsedMs.value = performance.now() - startedAt;
  }, 250);
  // The clock on the wall goes on while a tab or a computer sleeps. Timers of a hidden tab are slowed down to one a minute, which is no sleep.
  let awake = { at: Date.now(), hidden: document.hidden };
  const watch = setInterval(() => {
    const missed = Date.now() - awake.at;
    const slow = awake.hidden || document.hidden;
    awake = { at: Date.now(), hidden: document.hidden };
    if (missed < (slow ? 90_000 : ASLEEP_MS)) return;
    sleptMs.value = missed;
    hooks.announce(`This tab was asleep for ${duration(missed)}; the check goes on`);
  }, 1000);

  let frame = 0;
  let fresh: Finding[] = [];
  /** A run that goes on may tell again what its earlier part has found. */
  const seen = new Set(findings.value.map((finding) => JSON.stringify(finding)));
  const show = (): void => {
    frame = 0;
    tick.value += 1;
    if (fresh.length > 0) {
      findings.value = [...findings.value, ...fresh];
      fresh = [];
    }
  };
  const soon = (): void => {
    if (frame === 0) frame = requestAnimationFrame(show);
  };

  const pace = new Pace();
  const samples: { at: number; bytes: number }[] = [];
  let range: { readonly low: number; readonly high: number } | undefined;
  let announcedTenth = 0;
  let heard = false;
  const sampled = options.sample !== undefined;

  const onProgress = (event: Progress): void => {
    progress.value = event;
    if (table.value === null && range !== undefined && event.checkpoints.total > 0) {
      table.value = CheckpointTable.announced(range, event.checkpoints.total, sampled);
    }
    table.value?.setInFlight(phase.value === 'running' ? event.inFlight.checkpoints : []);
    soon();
    const at = performance.now();
    leftMs.value = pace.take({ at, checkpoints: event.checkpoints, buckets: event.buckets });
    samples.push({ at, bytes: Number(event.bytes.compressed) });
    while (samples.length > 2 && at - (samples[0]?.at ?? at) > RATE_WINDOW_MS) samples.shift();
    const oldest = samples[0];
    const newest = samples.at(-1);
    if (oldest !== undefined && newest !== undefined && newest.at > oldest.at) {
      rate.value = ((newest.bytes - oldest.bytes) / (newest.at - oldest.at)) * 1000;
    }
    const total = event.checkpoints.total + event.buckets.total;
    const tenth = total === 0 ? 0 : Math.floor(((event.checkpoints.done + event.buckets.done) / total) * 10);
    if (tenth > announcedTenth && tenth < 10 && phase.value === 'running') {
      announcedTenth = tenth;
      const found = event.findings === 0 ? 'no findings' : `${event.findings} finding${event.findings === 1 ? '' : 's'}`;
      const left = leftMs.value === null ? '' : `, about ${timeLeft(leftMs.value)} left`;
      hooks.announce(`${tenth * 10} percent: ${event.checkpoints.done} of ${event.checkpoints.total} checkpoints, ${found}${left}`);
    }
  };

  const onEvent = (event: RunEvent): void => {
    switch (event.type) {
      case 'stage':
        // What is paused is not at its end, though this part of it is.
        if (phase.value !== 'pausing') stage.value = event.stage;
        range = event.range ?? range;
        if (event.stage === 'root') hooks.announce('Reading the archive’s state');
        if (event.stage === 'checkpoints') hooks.announce('Verifying checkpoints');
        return;
      case 'progress':
        onProgress(event);
        return;
      case 'checkpoint':
        // The first statuses can overtake the first progress, which is coalesced.
        if (table.value === null && range !== undefined) {
          table.value = CheckpointTable.announced(range, progress.value?.checkpoints.total ?? 0, sampled);
        }
        table.value?.record(event);
        soon();
        return;
      case 'finding':
        if (seen.size < LIVE_FINDINGS) {
          const known = seen.size;
          if (seen.add(JSON.stringify(event.finding)).size > known) fresh.push(event.finding);
          soon();
        }
        return;
      case 'retry':
        retry.value = { archive: event.archive, path: event.path, attempt: event.attempt, reason: event.reason };
        return;
      case 'state':
        // Before the first checkpoint there is nothing to keep, and beginning again asks the archives for their state afresh.
        if (resume === undefined && event.done === 0) return;
        state.value = { text: event.state, done: event.done };
        hooks.advanced();
        return;
      case 'done':
        return;
    }
  };

  const follow = async (): Promise<void> => {
    // The caller gets its handle before anything can go wrong.
    await Promise.resolve();
    try {
      const running = open(abort.signal);
      for await (const event of running) {
        // Whether a state fits is decided before the first checkpoint, though after the first stage is announced.
        heard ||= event.type !== 'stage';
        onEvent(event);
      }
      const result = await running.report;
      // A pause can come too late, when everything is done.
      if (phase.value === 'pausing' && !isComplete(progress.value)) {
        phase.value = 'paused';
        return;
      }
      report.value = result;
      findings.value = result.findings;
      elapsedMs.value = result.elapsedMs;
      phase.value = 'done';
    } catch (error) {
      failure.value = asFailure(error);
      if (resume === undefined || heard || failure.value.code !== 'USAGE') {
        phase.value = 'crashed';
      } else {
        // Nothing of it counts: it was not of this check.
        phase.value = 'refused';
        table.value = null;
        findings.value = [];
      }
    } finally {
      clearInterval(clock);
      clearInterval(watch);
      leftMs.value = null;
      table.value?.setInFlight([]);
      if (frame !== 0) cancelAnimationFrame(frame);
      fresh = report.value === null ? fresh : [];
      show();
      hooks.settled();
    }
  };
  void follow();

  const stop = (next: Phase, words: string): void => {
    if (phase.value !== 'running') return;
    phase.value = next;
    table.value?.setInFlight([]);
    soon();
    hooks.announce(words);
    abort.abort();
  };

  return {
    setup, archives, options, phase, stage, progress, findings, table, tick, retry, rate, elapsedMs, leftMs, sleptMs, report, failure, selected, opened, state, stored,
    pause: () => stop('pausing', 'Pausing'),
    cancel: () => stop('stopping', 'Stopping'),
  };
}
