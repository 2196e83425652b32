/**
 * Whoever takes a message from the queue: asks the coordinator what it is about, verifies, hands in the result. And whoever takes a dead one.
 *
 * One message at a time. It keeps nothing: killed in the middle of a part it loses that work only, and the queue brings the message again.
 * Not here: what is tried again, and when (`coordinator.ts`).
 */
import type { AuditOptions } from '../../lib/audit-types.ts';
import { ArchiveVerifierError } from '../../lib/errors.ts';
import type { ArchiveReader } from '../../lib/types.ts';
import type { Batch, Env, QueueMessage } from '../bindings.ts';
import type { Archive, Config } from '../config.ts';
import { configOf } from '../config.ts';
import { finishAudit, placeInTime, verifyAuditPart } from '../engine.ts';
import { ROOT } from '../paths.ts';
import { Problem } from '../problem.ts';
import { reportsOf } from '../store.ts';
import { Meter, UpstreamError, reader } from '../upstream.ts';
import type { AuditMessage, AuditObject, AuditedArchive, Work } from './messages.ts';
import { DEAD_LETTERS, auditMessage, reportKey } from './messages.ts';

/** So many files in a row whose reading failed for what passes: the part is given up rather than the archive worn out. */
const MOST_FAILURES = 24;
/** An invocation may take 15 minutes; some of it is for waiting and for handing in. */
const WAIT_FOR_PLACE_MS = 60_000;
const PROBE_MS = 30_000;
/** A place in the isolate is free again where its owner asked the archive for nothing for so long: it was stopped. */
const PLACE_S = 45;

/** Why a verification does not come to its end that is no fault of the verifier's. */
const OF_THE_WAY: ReadonlySet<string> = new Set(['BUDGET', 'CORS_OR_NETWORK', 'FORBIDDEN', 'HTTP', 'NETWORK', 'TIMEOUT']);

export async function consume(batch: Batch, env: Env): Promise<void> {
  for (const message of batch.messages) {
    const wanted = auditMessage(message.body);
    if (wanted === null) {
      console.error(`stellar-archive-verifier: a message on ${batch.queue} is none of an audit's`);
      message.ack();
      continue;
    }
    await (batch.queue === DEAD_LETTERS ? bury(wanted, env) : serve(wanted, message, env));
    message.ack();
  }
}

async function bury({ audit, task }: AuditMessage, env: Env): Promise<void> {
  await coordinatorOf(env, audit).dead(task);
}

/** What it throws makes the queue bring the message again, and in the end bury it. */
async function serve({ audit, task }: AuditMessage, message: QueueMessage, env: Env): Promise<void> {
  const coordinator = coordinatorOf(env, audit);
  const work = await coordinator.take(task, message.id);
  if (work.kind === 'none') return;
  const setUp = setUpFor(work.archive, env);
  if (typeof setUp === 'string') return refuse(coordinator, task, setUp);
  const { archive, config } = setUp;
  const place = await placeInTime(PLACE_S, WAIT_FOR_PLACE_MS);
  if (place === null) return coordinator.giveBack(task);
  const meter = new Meter(config.limits.AUDIT_SUBREQUESTS);
  const source = reader(archive, meter, { ...config.limits, MAX_BUCKET_BYTES: config.limits.AUDIT_BUCKET_BYTES });
  try {
    await attempt(coordinator, { audit, task }, work, new Watched(source, meter, place.renew), config, env);
  } finally {
    place.free();
  }
}

/** What no other consumer could do better: nothing is tried again before somebody has looked. */
async function refuse(coordinator: AuditObject, task: number, why: string): Promise<void> {
  await coordinator.giveBack(task);
  await coordinator.pause(why);
}

/** The archive as it is on the list now, or why there is nothing to go by. */
function setUpFor({ name, url }: AuditedArchive, env: Env): { readonly archive: Archive; readonly config: Config } | string {
  try {
    const config = configOf(env);
    reportsOf(env);
    const archive = config.archives.find((one) => one.name === name && one.url === url);
    return archive === undefined ? `the archive ${name} at ${url} is not on this worker's list any more` : { archive, config };
  } catch (error) {
    return `this worker is not set up: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function attempt(coordinator: AuditObject, { audit, task }: AuditMessage, work: Exclude<Work, { readonly kind: 'none' }>, watched: Watched, { limits }: Config, env: Env): Promise<void> {
  if (work.askFirst && !(await watched.answers())) return coordinator.hindered(task, { reachable: false, passing: true, slow: false });
  const late = AbortSignal.timeout(limits.AUDIT_SECONDS * 1000);
  const options: AuditOptions = { ...work.options, signal: AbortSignal.any([late, watched.worn]) };
  try {
    if (work.kind === 'finish') {
      const report = await finishAudit(watched, work.state, options);
      options.signal?.throwIfAborted();
      await reportsOf(env).put(reportKey(audit), JSON.stringify(report), { httpMetadata: { contentType: 'application/json' } });
      return await coordinator.finished(task, { verdict: report.verdict, findings: report.findings.length + report.findingsDropped });
    }
    const { part, unreadable } = await verifyAuditPart(watched, work.task, work.state, options);
    options.signal?.throwIfAborted();
    // Out of requests: what was not read is no fault of the archive, and half of it takes half as many.
    if (unreadable > 0 && watched.isSpent) return await coordinator.hindered(task, { reachable: true, passing: false, slow: true });
    const reachable = unreadable === 0 || (await watched.answers());
    return await coordinator.deliver(task, { part, unreadable, passing: Math.max(0, unreadable - watched.lasting), reachable });
  } catch (error) {
    const isStopped = late.aborted || watched.worn.aborted;
    const code = error instanceof ArchiveVerifierError ? error.code : null;
    // Another version of the verifier, say, which does not take the state that this audit began with.
    if (code === 'USAGE' || code === 'UNSUPPORTED') return refuse(coordinator, task, `the verifier refuses it: ${error instanceof Error ? error.message : ''}`);
    if (!isStopped && (code === null || !OF_THE_WAY.has(code))) throw error;
    return coordinator.hindered(task, { reachable: await watched.answers(), passing: watched.worn.aborted, slow: late.aborted });
  }
}

/** The archive, and how reading it goes. */
class Watched implements ArchiveReader {
  readonly name: string;
  readonly #source: ArchiveReader;
  readonly #meter: Meter;
  readonly #onRead: () => void;
  readonly #worn = new AbortController();
  #failures = 0;
  #lasting = 0;

  constructor(source: ArchiveReader, meter: Meter, onRead: () => void) {
    this.name = source.name;
    this.#source = source;
    this.#meter = meter;
    this.#onRead = onRead;
  }

  /** Whether the invocation may make no further requests. */
  get isSpent(): boolean {
    return this.#meter.left <= 0;
  }

  /** Aborted where one file after the other could not be read. */
  get worn(): AbortSignal {
    return this.#worn.signal;
  }

  /** Files that could not be read for what does not pass: forbidden, too large. */
  get lasting(): number {
    return this.#lasting;
  }

  async get(path: string, options: { readonly signal: AbortSignal }): ReturnType<ArchiveReader['get']> {
    this.#onRead();
    try {
      const file = await this.#source.get(path, options);
      this.#failures = 0;
      return file;
    } catch (error) {
      if (error instanceof UpstreamError && !error.passing) this.#lasting += 1;
      else this.#failures += 1;
      if (this.#failures >= MOST_FAILURES) this.#worn.abort(new Error('the archive does not answer'));
      throw error;
    }
  }

  /** Whether it gives its newest state now. */
  async answers(): Promise<boolean> {
    try {
      const file = await this.#source.get(ROOT, { signal: AbortSignal.timeout(PROBE_MS) });
      if (file instanceof ReadableStream) await file.cancel();
      return file !== null;
    } catch {
      return false;
    }
  }
}

function coordinatorOf({ AUDITS }: Env, audit: string): AuditObject {
  if (AUDITS === undefined) throw new Problem('configuration', 'No Durable Object is bound as AUDITS.');
  return AUDITS.get(AUDITS.idFromName(audit));
}
