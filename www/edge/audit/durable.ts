/**
 * The coordinator as a Durable Object, one for each audit: its SQLite, its alarm, the queue, the verifier that joins parts.
 *
 * The only file that knows Cloudflare's own module. Not here: what is decided (`coordinator.ts`). What was delivered is on disk before it is
 * joined, so that a join which is stopped (memory, CPU) loses nothing, and is tried again by the alarm.
 */
import { DurableObject } from 'cloudflare:workers';
import type { DurableObjectState } from 'cloudflare:workers';
import type { AuditStatus } from '../../lib/audit-client.ts';
import type { Env } from '../bindings.ts';
import { giveUpAuditPart, init, joinAuditParts } from '../engine.ts';
import { Coordinator } from './coordinator.ts';
import type { Beginning } from './coordinator.ts';
import { AuditIndex } from './list.ts';
import type { AuditMessage, AuditObject, Delivery, Hindrance, Outcome, Work } from './messages.ts';

/** What one call to the queue takes. */
const BATCH = 100;
const AGAIN_MS = 60_000;

export class AuditCoordinator extends DurableObject<Env> implements AuditObject {
  readonly #coordinator: Coordinator;
  #unsettled: Promise<unknown>[] = [];
  /** What the list of audits says of this one. */
  #listed = '';

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#coordinator = new Coordinator({
      sql: ctx.storage.sql,
      transaction: (body) => ctx.storage.transactionSync(body),
      now: () => Date.now(),
      send: (messages) => void this.#unsettled.push(this.#send(messages)),
      alarm: (at) => void this.#unsettled.push(ctx.storage.setAlarm(at)),
      join: joinAuditParts,
      giveUp: (...all) => giveUpAuditPart(...all).part,
    });
    void ctx.blockConcurrencyWhile(() => init());
  }

  async begin(beginning: Beginning): Promise<AuditStatus> {
    this.#coordinator.begin(beginning);
    await this.#settle();
    return this.#coordinator.status();
  }

  async status(): Promise<AuditStatus> {
    return this.#coordinator.status();
  }

  async take(task: number, taker: string): Promise<Work> {
    // Whoever asks for what never was, or is no more, need not know.
    if (!this.#coordinator.begun) return { kind: 'none' };
    const work = this.#coordinator.take(task, taker);
    await this.#settle();
    return work;
  }

  async deliver(task: number, delivery: Delivery): Promise<void> {
    this.#coordinator.deliver(task, delivery);
    await this.#settleAndJoin();
  }

  async hindered(task: number, hindrance: Hindrance): Promise<void> {
    this.#coordinator.hindered(task, hindrance);
    await this.#settle();
  }

  async giveBack(task: number): Promise<void> {
    this.#coordinator.giveBack(task);
    await this.#settle();
  }

  async dead(task: number): Promise<void> {
    if (!this.#coordinator.begun) return;
    this.#coordinator.dead(task);
    await this.#settleAndJoin();
  }

  async finished(task: number, outcome: Outcome): Promise<void> {
    this.#coordinator.finished(task, outcome);
    await this.#settle();
  }

  async pause(reason: string): Promise<boolean> {
    const done = this.#coordinator.pause(reason);
    await this.#settle();
    return done;
  }

  async resume(): Promise<boolean> {
    const done = this.#coordinator.resume();
    await this.#settleAndJoin();
    return done;
  }

  async cancel(): Promise<boolean> {
    const done = this.#coordinator.cancel();
    await this.#settle();
    return done;
  }

  async alarm(): Promise<void> {
    this.#coordinator.tick();
    await this.#settleAndJoin();
  }

  async #settleAndJoin(): Promise<void> {
    await this.#settle();
    if (!this.#coordinator.begun) return;
    await this.ctx.storage.sync();
    try {
      await init();
      while (this.#coordinator.advance()) await this.ctx.storage.sync();
    } catch (error) {
      console.error('stellar-archive-verifier: an audit could not be joined', error);
      await this.ctx.storage.setAlarm(Date.now() + AGAIN_MS);
    }
    await this.#settle();
  }

  /** What was begun beside an event is done with it. */
  async #settle(): Promise<void> {
    while (this.#unsettled.length > 0) {
      const all = this.#unsettled;
      this.#unsettled = [];
      await Promise.all(all);
    }
    await this.#list();
  }

  async #send(messages: readonly AuditMessage[]): Promise<void> {
    for (let at = 0; at < messages.length; at += BATCH) {
      const batch = messages.slice(at, at + BATCH);
      try {
        if (this.env.AUDIT_QUEUE === undefined) throw new Error('no queue is bound as AUDIT_QUEUE');
        await this.env.AUDIT_QUEUE.sendBatch(batch.map((body) => ({ body, contentType: 'json' })));
      } catch (error) {
        console.error('stellar-archive-verifier: the queue took no messages', error);
        this.#coordinator.unsent(batch.map(({ task }) => task));
      }
    }
  }

  /** The list says what state an audit is in; where it could not be told, it is told with the next event. */
  async #list(): Promise<void> {
    if (!this.#coordinator.begun) return;
    const status = this.#coordinator.status();
    const key = `${status.state} ${status.verdict}`;
    if (key === this.#listed) return;
    try {
      await (await AuditIndex.open(this.env)).keep(status);
      this.#listed = key;
    } catch (error) {
      console.error('stellar-archive-verifier: the list of audits was not written', error);
    }
  }
}
