/**
 * Who verifies what of an audit, and what has come of it: a state machine over SQLite, without a runtime, a clock or a network of its own.
 *
 * It hands out tasks (parts of 64 checkpoints in the archive's order, buckets that no part has verified, the end), takes the first result
 * of each, joins parts in order, and decides what is tried again, when, and how many at a time. Every event is one transaction; what is
 * sent is sent after it, so that whoever stops between the two has lost messages only, and those are sent again. Whoever wakes it up after
 * a crash finds all of it in SQLite. Not here: reading archives, the queue, Cloudflare (`durable.ts`), and what parts say.
 */
import type { AuditStanding, AuditStatus } from '../../lib/audit-client.ts';
import type { AuditBucket, AuditOptions, AuditState, AuditTask } from '../../lib/audit-types.ts';
import { halved, prefix, rank } from './jobs.ts';
import type { AuditMessage, AuditedArchive, Delivery, Hindrance, Outcome, Work } from './messages.ts';
import { answered, fallenSilent, isDown, nextTry, opened, probed, shrink, widen } from './pace.ts';
import { Records } from './records.ts';
import type { Facts, Job, Pace, Progress, Sql, Task } from './records.ts';

/** What is around it. */
export interface Ports {
  readonly sql: Sql;
  /** All of `body`, or nothing of it. */
  transaction<T>(body: () => T): T;
  /** Milliseconds since 1970. */
  now(): number;
  /** To the queue. What is lost there is found out by the watchdog. */
  send(messages: readonly AuditMessage[]): void;
  /** `tick` is to be called then; an earlier call than asked for does no harm. */
  alarm(at: number): void;
  join(state: Uint8Array, parts: readonly Uint8Array[], options: AuditOptions): AuditState;
  giveUp(task: AuditTask, state: Uint8Array, why: string, options: AuditOptions): Uint8Array;
}

export interface Beginning {
  readonly id: string;
  readonly archive: AuditedArchive;
  readonly options: AuditOptions;
  readonly consumers: number;
  readonly pace: Pace;
  readonly began: AuditState;
}

/** Parts that may be begun before the oldest is joined: so many for each consumer, and some. Each that waits has 30 to 80 kB. */
const AHEAD_PER_CONSUMER = 16;
const AHEAD = 64;
/** One join takes some milliseconds a part. */
const JOIN_AT_ONCE = 16;
/** Each has about 10 kB in the joined state, which is read and written by every join. */
const MOST_WAITING = 1024;
/** Of the joined state as it is kept, ten times smaller than in memory. Sound archives have some 100 kB; one that names made-up buckets without end must not fill the coordinator. */
const MOST_STATE_BYTES = 2 << 20;
/** Buckets of one task. Those of an archive that does not begin at genesis may have gigabytes each, and go alone. */
const BUCKETS_AT_ONCE = 8;
/** A message that nobody took is missed ten times sooner than one whose consumer fell silent: another one costs little. */
const TAKES_SOONER = 10;
/** A task that was taken, and lost so often, kills whoever takes it. */
const MOST_LOST = 6;
/** An archive from there on was not begun at genesis: its first checkpoint brings all of its buckets. */
const GENESIS_PART = 64;
/** An alarm that is already set stands where the next one would be but a little earlier. */
const ALARM_SLACK_MS = 500;

const WHY_GIVEN_UP = 'whoever verified it was stopped again and again: it takes more time, CPU time or memory than a worker has';

interface Loaded {
  readonly facts: Facts;
  readonly progress: Progress;
  readonly tasks: Map<number, Task>;
  /** What SQLite has of `progress`. */
  kept: string;
}

export class Coordinator {
  readonly #ports: Ports;
  readonly #records: Records;
  #loaded: Loaded | null = null;
  #outbox: AuditMessage[] = [];
  #alarmAt: number | null = null;
  /** Until then nothing is sent. */
  #heldUntil = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#records = new Records(ports.sql);
  }

  /** Whether there is an audit. */
  get begun(): boolean {
    return this.#load() !== null;
  }

  get state(): AuditStanding | null {
    return this.#load()?.progress.state ?? null;
  }

  begin({ id, archive, options, consumers, pace, began }: Beginning): void {
    if (this.begun) throw new Error('this audit was begun already');
    const now = this.#ports.now();
    const facts: Facts = { id, archive, options, range: began.range, network: began.network, checkpoints: began.checkpoints, startedAt: now, consumers, pace };
    const progress: Progress = {
      state: 'running', reason: null, verdict: null, updatedAt: now, joined: began.joined, waiting: began.waiting, stateBytes: began.state.length, open: began.openBuckets.length,
      requests: began.requests, compressedBytes: began.compressedBytes, findings: began.findings, next: began.joined, nextTask: 1,
      ...opened(consumers), shrunkAt: 0, silence: 0, silentSince: null, probeAt: 0, probePause: pace.retryMs,
      retried: 0, halved: 0, givenUp: 0, duplicates: 0, lost: 0, pacedSince: now, pacedFrom: began.joined,
    };
    this.#loaded = { facts, progress, tasks: new Map(), kept: '' };
    this.#change((audit) => {
      this.#records.create(facts, began.state);
      this.#openTasks(audit, began.openBuckets, true);
      this.#finishIfDone(audit);
    });
  }

  /** Somebody got the message of a task, and asks for it. `taker` names the message, which comes again where its consumer died. */
  take(id: number, taker: string): Work {
    return this.#change<Work>((audit) => {
      const { facts, progress, tasks } = audit;
      const task = tasks.get(id);
      const now = this.#ports.now();
      if (task === undefined || task.standing === 'done') {
        progress.duplicates += 1;
        return { kind: 'none' };
      }
      if (!isActive(progress)) {
        // The message is gone; whoever resumes sends another.
        this.#put(audit, task, { standing: 'ready', at: now, taker: null });
        return { kind: 'none' };
      }
      if (task.standing === 'taken' && task.taker !== taker && now - task.at < facts.pace.lostMs) {
        progress.duplicates += 1;
        return { kind: 'none' };
      }
      this.#put(audit, task, { standing: 'taken', at: now, taker });
      const { archive, options } = facts;
      const askFirst = progress.silence > 0;
      if ('finish' in task.job) return { kind: 'finish', archive, options, state: this.#records.joinedState(), askFirst };
      return { kind: 'verify', archive, options, task: task.job, state: this.#records.beginState(), askFirst };
    });
  }

  /** The result of a task; the first one counts. */
  deliver(id: number, { part, unreadable, passing, reachable }: Delivery): void {
    this.#change((audit) => {
      const { progress, tasks } = audit;
      const task = tasks.get(id);
      if (task === undefined || task.standing === 'done' || 'finish' in task.job) {
        progress.duplicates += 1;
        return;
      }
      if (unreadable > 0 && !reachable) return this.#silence(audit, task);
      answered(progress);
      if (unreadable === 0) widen(progress, audit.facts.consumers);
      // Tried often enough: it is taken as it is, and the report says what could not be read.
      else if (this.#again(audit, task, passing > 0)) return;
      this.#records.keepPart(id, part);
      this.#put(audit, task, { standing: 'done' });
    });
  }

  /** A task came to nothing, without a crash. */
  hindered(id: number, { reachable, passing, slow }: Hindrance): void {
    this.#change((audit) => {
      const task = audit.tasks.get(id);
      if (task === undefined || task.standing === 'done') return;
      if (!reachable) return this.#silence(audit, task);
      answered(audit.progress);
      const isDivisible = !('finish' in task.job) && halved(task.job) !== null;
      if ((slow && isDivisible) || !this.#again(audit, task, passing)) this.#kills(audit, task);
    });
  }

  /** Whoever took it has no room for it, or was not allowed to: no fault of anything. */
  giveBack(id: number): void {
    this.#change((audit) => {
      const task = audit.tasks.get(id);
      if (task?.standing === 'taken') this.#put(audit, task, { standing: 'ready', at: this.#ports.now() + audit.facts.pace.retryMs, taker: null });
    });
  }

  /** The queue did not take these, and is left alone for a while. */
  unsent(ids: readonly number[]): void {
    this.#change((audit) => {
      this.#heldUntil = this.#ports.now() + audit.facts.pace.retryMs;
      for (const id of ids) {
        const task = audit.tasks.get(id);
        if (task?.standing === 'sent') this.#put(audit, task, { standing: 'ready', at: this.#heldUntil });
      }
    });
  }

  /** Its message died: whoever took it was stopped, each time. Or it takes longer than a consumer has. */
  dead(id: number): void {
    this.#change((audit) => {
      const task = audit.tasks.get(id);
      if (task !== undefined && task.standing !== 'done') this.#kills(audit, task);
    });
  }

  /** The report is where it belongs. */
  finished(id: number, { verdict, findings }: Outcome): void {
    this.#change((audit) => {
      const task = audit.tasks.get(id);
      if (task === undefined || !('finish' in task.job)) {
        audit.progress.duplicates += 1;
        return;
      }
      this.#become(audit, 'done', null);
      Object.assign(audit.progress, { verdict, findings });
      this.#records.dropWork();
      audit.tasks.clear();
    });
  }

  /** `false` where the audit is past that. */
  pause(reason: string): boolean {
    return this.#change((audit) => {
      if (audit.progress.state === 'paused') return true;
      if (!isActive(audit.progress)) return false;
      this.#become(audit, 'paused', reason);
      return true;
    });
  }

  resume(): boolean {
    return this.#change((audit) => {
      const { progress, tasks } = audit;
      if (isActive(progress)) return true;
      if (progress.state !== 'paused' && progress.state !== 'failed') return false;
      this.#become(audit, [...tasks.values()].some(({ job }) => 'finish' in job) ? 'finishing' : 'running', null);
      answered(progress);
      Object.assign(progress, { ...opened(audit.facts.consumers), pacedSince: this.#ports.now(), pacedFrom: progress.joined });
      return true;
    });
  }

  cancel(): boolean {
    return this.#change((audit) => {
      if (audit.progress.state === 'cancelled') return true;
      if (audit.progress.state === 'done') return false;
      this.#become(audit, 'cancelled', 'on request');
      this.#records.dropWork();
      audit.tasks.clear();
      return true;
    });
  }

  /** The alarm: what was sent or taken too long ago is sent again. */
  tick(): void {
    this.#alarmAt = null;
    if (!this.begun) return;
    this.#change((audit) => {
      if (!isActive(audit.progress)) return;
      const now = this.#ports.now();
      for (const task of [...audit.tasks.values()]) {
        if (now < this.#deadline(audit, task)) continue;
        audit.progress.lost += 1;
        if (task.standing === 'taken' && task.lost + 1 >= MOST_LOST) this.#kills(audit, task);
        else this.#put(audit, task, { standing: 'ready', at: now, taker: null, lost: Math.min(MOST_LOST, task.lost + 1) });
      }
    });
  }

  /** Joins some of what was delivered; whether there is more. Apart from `deliver`, so that what was delivered is kept whatever becomes of this. */
  advance(): boolean {
    return this.#change((audit) => this.#join(audit));
  }

  status(): AuditStatus {
    const audit = this.#audit();
    const { facts, progress, tasks } = audit;
    const inFlight = [...tasks.values()].filter(({ standing }) => standing === 'sent' || standing === 'taken').length;
    // By what was joined last, and not by the clock: what did not change says the same.
    const [speedFor, covered] = [progress.updatedAt - progress.pacedSince, progress.joined - progress.pacedFrom];
    return {
      id: facts.id, archive: facts.archive.name, url: facts.archive.url, network: facts.network, range: facts.range,
      state: progress.state, reason: progress.reason,
      checkpoints: { done: progress.joined, total: facts.checkpoints },
      buckets: { open: progress.open },
      parts: {
        inFlight, waiting: [...tasks.values()].filter(({ standing }) => standing === 'done').length, retried: progress.retried, halved: progress.halved,
        givenUp: progress.givenUp, duplicates: progress.duplicates, lost: progress.lost,
      },
      requests: progress.requests, compressedBytes: progress.compressedBytes, findings: progress.findings, verdict: progress.verdict,
      startedAt: new Date(facts.startedAt).toISOString(), updatedAt: new Date(progress.updatedAt).toISOString(),
      etaSeconds: isActive(progress) && covered > 0 && speedFor > 0 ? Math.round(((facts.checkpoints - progress.joined) * speedFor) / covered / 1000) : null,
      consumers: { now: isActive(progress) ? Math.floor(progress.window) : 0, max: facts.consumers },
    };
  }

  // ---- what failed

  /** The archive does not answer: nothing of it is the task's fault. */
  #silence(audit: Loaded, task: Task): void {
    const { facts: { pace }, progress } = audit;
    const now = this.#ports.now();
    progress.retried += 1;
    this.#put(audit, task, { standing: 'ready', at: now, taker: null });
    if (fallenSilent(progress, pace, now) && isActive(progress)) {
      this.#become(audit, 'paused', `the archive has not answered since ${new Date(progress.silentSince ?? now).toISOString()}`);
    }
  }

  /** Later, unless it was tried often enough. */
  #again(audit: Loaded, task: Task, passing: boolean): boolean {
    const { facts: { pace }, progress } = audit;
    const now = this.#ports.now();
    if (passing) shrink(progress, task.sentAt, now);
    const next = nextTry(task.tries, passing, pace);
    if (next === null) return false;
    progress.retried += 1;
    this.#put(audit, task, { standing: 'ready', at: now + next.pauseMs, taker: null, tries: next.tries });
    return true;
  }

  // ---- tasks

  #put({ tasks }: Loaded, task: Task, changed: Partial<Task>): void {
    Object.assign(task, changed);
    tasks.set(task.id, task);
    this.#records.task(task);
  }

  #drop({ tasks }: Loaded, { id, standing }: Task): void {
    tasks.delete(id);
    this.#records.dropTask(id);
    if (standing === 'done') this.#records.dropPart(id);
  }

  #add(audit: Loaded, job: Job, changed: Partial<Task> = {}): void {
    const { progress } = audit;
    this.#put(audit, { id: progress.nextTask, job, standing: 'ready', at: 0, sentAt: 0, taker: null, tries: 0, lost: 0 }, changed);
    progress.nextTask += 1;
  }

  /** A task that nobody survives: half of it, until what is left cannot be halved, and is said to be unchecked. */
  #kills(audit: Loaded, task: Task): void {
    const { facts, progress } = audit;
    const { job } = task;
    if ('finish' in job) {
      this.#put(audit, task, { standing: 'ready', at: this.#ports.now(), taker: null, lost: 0, tries: 0 });
      return this.#become(audit, 'failed', 'the report could not be made: whoever made it was stopped again and again. Resuming tries again');
    }
    const halves = halved(job);
    if (halves === null) {
      this.#records.keepPart(task.id, this.#ports.giveUp(job, this.#records.beginState(), WHY_GIVEN_UP, facts.options));
      this.#put(audit, task, { standing: 'done' });
      progress.givenUp += 1;
      return;
    }
    this.#drop(audit, task);
    for (const half of halves) this.#add(audit, half);
    progress.halved += 1;
  }

  /** Buckets that nobody verified become tasks. */
  #openTasks(audit: Loaded, open: readonly AuditBucket[], alone: boolean): void {
    const known = new Set([...audit.tasks.values()].flatMap(({ job }) => ('buckets' in job ? job.buckets.map(({ bucket }) => bucket) : [])));
    const fresh = open.filter(({ bucket }) => !known.has(bucket));
    const size = alone ? 1 : BUCKETS_AT_ONCE;
    for (let at = 0; at < fresh.length; at += size) this.#add(audit, { buckets: fresh.slice(at, at + size) });
  }

  // ---- joining

  #join(audit: Loaded): boolean {
    const { facts, progress, tasks } = audit;
    if (progress.state !== 'running') return false;
    const chosen = [...tasks.values()].filter(({ standing, job }) => standing === 'done' && 'buckets' in job).slice(0, JOIN_AT_ONCE);
    const hasBucketsToCome = [...tasks.values()].some(({ standing, job }) => standing !== 'done' && 'buckets' in job);
    // Apart from each other: a bucket that one call settles may be forgotten in it, and named anew, by the parts after it.
    const ofBuckets = chosen.length > 0;
    const isHeavy = progress.waiting > MOST_WAITING || progress.stateBytes > MOST_STATE_BYTES;
    if (!ofBuckets && !(isHeavy && hasBucketsToCome)) chosen.push(...prefix(tasks, progress.joined, isHeavy ? 1 : JOIN_AT_ONCE));
    if (chosen.length === 0) return false;
    const { state: joined, taken } = this.#joined(audit, chosen);
    if (joined === null) return false;
    const open = new Set(joined.openBuckets.map(({ bucket }) => bucket));
    const still = taken.flatMap(({ job }) => ('buckets' in job ? job.buckets : [])).find(({ bucket }) => open.has(bucket));
    if (still !== undefined) {
      this.#become(audit, 'failed', `bucket ${still.bucket} was verified, and is open all the same: this is a fault of the verifier`);
      return false;
    }
    const alone = progress.joined === 0 && facts.range.low >= GENESIS_PART;
    this.#records.keepJoinedState(joined.state);
    for (const task of taken) this.#drop(audit, task);
    Object.assign(progress, {
      joined: joined.joined, waiting: joined.waiting, stateBytes: joined.state.length, open: joined.openBuckets.length, requests: joined.requests, compressedBytes: joined.compressedBytes,
      findings: joined.findings, updatedAt: this.#ports.now(),
    });
    this.#openTasks(audit, joined.openBuckets, alone);
    this.#finishIfDone(audit);
    return ofBuckets || chosen.length >= JOIN_AT_ONCE;
  }

  /** All at once; where something does not fit, one after the other, and what does not fit is verified again. */
  #joined(audit: Loaded, chosen: readonly Task[]): { readonly state: AuditState | null; readonly taken: readonly Task[] } {
    const { options } = audit.facts;
    const join = (state: Uint8Array, tasks: readonly Task[]): AuditState => this.#ports.join(state, tasks.map(({ id }) => this.#records.part(id)), options);
    const before = this.#records.joinedState();
    try {
      return { state: join(before, chosen), taken: chosen };
    } catch {
      // Said below, of the one that it is about.
    }
    let state: AuditState | null = null;
    const taken: Task[] = [];
    for (const task of chosen) {
      try {
        state = join(state?.state ?? before, [task]);
        taken.push(task);
      } catch (error) {
        this.#refuse(audit, task, error);
        if ('first' in task.job) break;
      }
    }
    return { state, taken };
  }

  #refuse(audit: Loaded, task: Task, error: unknown): void {
    this.#records.dropPart(task.id);
    if (this.#again(audit, task, false)) return;
    this.#put(audit, task, { standing: 'ready', at: this.#ports.now(), taker: null, tries: 0 });
    this.#become(audit, 'failed', `a part cannot be joined (${JSON.stringify(task.job).slice(0, 200)}): ${error instanceof Error ? error.message : String(error)}`);
  }

  #finishIfDone(audit: Loaded): void {
    const { facts, progress, tasks } = audit;
    if (progress.state !== 'running' || progress.joined < facts.checkpoints || progress.open > 0 || tasks.size > 0) return;
    this.#become(audit, 'finishing', null);
    this.#add(audit, { finish: true });
  }

  // ---- what follows every event

  /** As many tasks are sent as may be under way: buckets first, since the joined state grows while it waits for them. */
  #pump(audit: Loaded): void {
    const { facts, progress, tasks } = audit;
    const now = this.#ports.now();
    if (!isActive(progress) || now < this.#heldUntil) return;
    const down = isDown(progress);
    let inFlight = 0;
    const ready: Task[] = [];
    for (const task of tasks.values()) {
      if (task.standing === 'sent' || task.standing === 'taken') inFlight += 1;
      else if (task.standing === 'ready' && (task.at <= now || down)) ready.push(task);
    }
    let room = down ? Number(now >= progress.probeAt) : Math.floor(progress.window) - inFlight;
    if (room <= 0) return;
    ready.sort((a, b) => rank(a) - rank(b) || a.id - b.id);
    for (const task of ready.slice(0, room)) {
      this.#put(audit, task, { standing: 'sent', at: now, sentAt: now, taker: null });
      this.#outbox.push({ audit: facts.id, task: task.id });
      room -= 1;
    }
    const ahead = (AHEAD + AHEAD_PER_CONSUMER * facts.consumers) * facts.pace.partSize;
    while (room > 0 && progress.next < facts.checkpoints && progress.next - progress.joined < ahead && progress.state === 'running') {
      const first = progress.next;
      // Parts begin at multiples of their size.
      const count = Math.min(facts.pace.partSize - (first % facts.pace.partSize), facts.checkpoints - first);
      progress.next += count;
      this.#outbox.push({ audit: facts.id, task: progress.nextTask });
      this.#add(audit, { first, count }, { standing: 'sent', at: now, sentAt: now });
      room -= 1;
    }
    if (down && this.#outbox.length > 0) probed(progress, facts.pace, now);
  }

  /** From when on a message counts as lost; each time it is waited for twice as long. */
  #deadline({ facts }: Loaded, { standing, at, lost }: Task): number {
    if (standing === 'taken') return at + facts.pace.lostMs * 2 ** lost;
    return standing === 'sent' ? at + (facts.pace.lostMs / TAKES_SOONER) * 2 ** lost : Number.POSITIVE_INFINITY;
  }

  #wake(audit: Loaded): void {
    const { progress, tasks } = audit;
    if (!isActive(progress)) return;
    const now = this.#ports.now();
    const down = isDown(progress);
    let next = Number.POSITIVE_INFINITY;
    for (const task of tasks.values()) {
      const at = task.standing === 'ready' && !down && task.at > now ? task.at : this.#deadline(audit, task);
      if (at < next) next = at;
    }
    if (down) next = Math.min(next, Math.max(now, progress.probeAt));
    if (this.#heldUntil > now) next = Math.min(next, this.#heldUntil);
    if (next === Number.POSITIVE_INFINITY) return;
    if (this.#alarmAt !== null && this.#alarmAt <= next + ALARM_SLACK_MS && this.#alarmAt > now) return;
    this.#alarmAt = Math.max(next, now);
    this.#ports.alarm(this.#alarmAt);
  }

  #become({ progress }: Loaded, state: AuditStanding, reason: string | null): void {
    Object.assign(progress, { state, reason, updatedAt: this.#ports.now() });
  }

  #change<T>(body: (audit: Loaded) => T): T {
    const audit = this.#audit();
    let result: T;
    try {
      result = this.#ports.transaction(() => {
        const made = body(audit);
        this.#pump(audit);
        const progress = JSON.stringify(audit.progress);
        if (progress !== audit.kept) this.#records.progress(audit.progress);
        audit.kept = progress;
        return made;
      });
    } catch (error) {
      // What is in memory may be ahead of what is kept.
      this.#loaded = null;
      this.#outbox = [];
      throw error;
    }
    const messages = this.#outbox;
    this.#outbox = [];
    if (messages.length > 0) this.#ports.send(messages);
    this.#wake(audit);
    return result;
  }

  #audit(): Loaded {
    const loaded = this.#load();
    if (loaded === null) throw new Error('there is no such audit');
    return loaded;
  }

  #load(): Loaded | null {
    if (this.#loaded !== null) return this.#loaded;
    const read = this.#records.read();
    if (read !== null) this.#loaded = { ...read, kept: JSON.stringify(read.progress) };
    return this.#loaded;
  }
}

function isActive({ state }: Progress): boolean {
  return state === 'running' || state === 'finishing';
}
