/**
 * The addresses of audits: what one would take, beginning it, how far it is, its report, and steering it.
 *
 * Beginning and steering take the token of whoever runs this worker. Everybody may look. Not here: what an audit does (`coordinator.ts`).
 */
import type { AuditState } from '../../lib/audit-types.ts';
import type { Bucket, Env } from '../bindings.ts';
import type { Archive, Config } from '../config.ts';
import { asProblem, beginAudit, place } from '../engine.ts';
import type { LedgerRange } from '../params.ts';
import { PLAIN, Problem, quoted } from '../problem.ts';
import { reportsOf } from '../store.ts';
import { Meter, reader } from '../upstream.ts';
import { readOptions } from '../verify.ts';
import type { AuditStatus } from '../../lib/audit-client.ts';
import { estimate } from './estimate.ts';
import { AuditIndex } from './list.ts';
import type { AuditObject } from './messages.ts';
import { ID, reportKey } from './messages.ts';

const USUAL_CONSUMERS = 10;
const LEAST_TOKEN = 16;

export interface Wanted {
  readonly archive: Archive;
  readonly range: LedgerRange | null;
  readonly buckets: boolean;
}

/** A few requests to the archive: what it holds. */
export async function estimateResponse(wanted: Wanted, config: Config, request: Request): Promise<Response> {
  const { range, checkpoints } = await beginning(wanted, config, request);
  return json(estimate(wanted.archive.name, range, checkpoints, config.limits.AUDIT_CHECKPOINTS, wanted.buckets), 200);
}

export async function startResponse(wanted: Wanted, consumers: string | undefined, config: Config, env: Env, request: Request): Promise<Response> {
  const max = consumersOf(consumers, config);
  const { index } = await enabled(env);
  const { state: began, options } = await beginning(wanted, config, request);
  const { limits } = config;
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const status = await objectOf(env, id).begin({
    id, archive: { name: wanted.archive.name, url: wanted.archive.url }, options, consumers: max, began,
    pace: {
      partSize: limits.AUDIT_CHECKPOINTS, lostMs: limits.AUDIT_LOST_SECONDS * 1000, retryMs: limits.AUDIT_RETRY_SECONDS * 1000,
      longestRetryMs: Math.max(LONGEST_RETRY_MS, limits.AUDIT_RETRY_SECONDS * 1000), outageMs: limits.AUDIT_OUTAGE_MINUTES * 60_000,
    },
  });
  await index.keep(status);
  return json(shown(status), 201, { location: `/audit/${id}` });
}

const LONGEST_RETRY_MS = 15 * 60_000;

export async function statusResponse(id: string, env: Env, request: Request): Promise<Response> {
  const status = await (await known(id, env)).status();
  const body = text(shown(status));
  const etag = `W/"${[...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)))].slice(0, 12).map((byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
  const headers = { ...PLAIN, 'content-type': 'application/json', 'cache-control': 'no-cache', etag };
  return request.headers.get('if-none-match') === etag ? new Response(null, { status: 304, headers }) : new Response(body, { headers });
}

export async function auditReportResponse(id: string, env: Env): Promise<Response> {
  const { state, checkpoints } = await (await known(id, env)).status();
  // One that was cancelled while its report was made has none.
  const found: Awaited<ReturnType<Bucket['get']>> = state === 'done' ? await reportsOf(env).get(reportKey(id)) : null;
  if (found === null) {
    throw new Problem('no-report', `The audit is ${state}: ${checkpoints.done} of ${checkpoints.total} checkpoints are joined.`);
  }
  return new Response(found.body.pipeThrough(new FixedLengthStream(found.size)), {
    headers: { ...PLAIN, 'content-type': 'application/json', 'cache-control': 'public, max-age=3600', 'etag': found.httpEtag, 'last-modified': found.uploaded.toUTCString() },
  });
}

export async function listResponse(env: Env): Promise<Response> {
  return json({ audits: await (await AuditIndex.open(env)).last() }, 200);
}

export async function steerResponse(id: string, action: string, env: Env): Promise<Response> {
  const object = await known(id, env);
  const done = await (action === 'pause' ? object.pause('on request') : action === 'resume' ? object.resume() : object.cancel());
  const status = await object.status();
  if (!done) throw new Problem('audit-over', `The audit is ${status.state}; it cannot ${action} any more.`);
  return json(shown(status), 200);
}

/** Throws unless the request shows the token. Nothing is told of it: not its length, not how much of it was right. */
export async function authorize(request: Request, { AUDIT_TOKEN: token }: Env): Promise<void> {
  if (typeof token !== 'string' || token === '') {
    throw new Problem('not-enabled', 'Audits are begun and steered by whoever shows the token; none is set up here. Set it: npx wrangler secret put AUDIT_TOKEN');
  }
  if (token.length < LEAST_TOKEN || /\s/.test(token)) throw new Problem('configuration', `AUDIT_TOKEN must have ${LEAST_TOKEN} characters or more, and no spaces.`);
  const shown = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
  const [a, b] = await Promise.all([digest(token), digest(shown)]);
  // Of hashes of one length each byte is looked at, whatever the others were.
  const different = a.reduce((all, byte, index) => all | (byte ^ (b[index] ?? 0)), 0);
  if (different !== 0) throw new Problem('not-allowed', 'Send it as: Authorization: Bearer <AUDIT_TOKEN>.', { 'www-authenticate': 'Bearer realm="audits"' });
}

async function digest(value: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(value)));
}

/** The newest state of the archive, and the range that is meant. */
async function beginning({ archive, range, buckets }: Wanted, { limits }: Config, request: Request) {
  const free = place(limits.RUN_SECONDS);
  try {
    const options = { ...readOptions(archive), skipBuckets: !buckets, ...(range === null ? {} : { range }) };
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limits.RUN_SECONDS * 1000)]);
    const state: AuditState = await beginAudit(reader(archive, new Meter(limits.SUBREQUESTS), limits), { ...options, signal });
    if (state.checkpoints > limits.AUDIT_MAX_CHECKPOINTS) {
      throw new Problem('bad-range', `These are ${state.checkpoints} checkpoints; an audit may have ${limits.AUDIT_MAX_CHECKPOINTS} (AUDIT_MAX_CHECKPOINTS).`);
    }
    return { state, options, range: state.range, checkpoints: state.checkpoints };
  } catch (error) {
    throw asProblem(error);
  } finally {
    free();
  }
}

/** Throws what is missing. */
async function enabled(env: Env): Promise<{ readonly index: AuditIndex }> {
  if (env.AUDITS === undefined) throw new Problem('configuration', 'No Durable Object is bound as AUDITS: audits are coordinated there.');
  if (env.AUDIT_QUEUE === undefined) throw new Problem('configuration', 'No queue is bound as AUDIT_QUEUE: the parts of audits go there.');
  reportsOf(env);
  return { index: await AuditIndex.open(env) };
}

/** An audit of the list: asking any other would make one. */
async function known(id: string, env: Env): Promise<AuditObject> {
  if (!ID.test(id)) throw new Problem('audit-unknown', `An audit is known by 32 hexadecimal digits, not ${quoted(id)}.`);
  const { index } = await enabled(env);
  if (!(await index.has(id))) throw new Problem('audit-unknown', `No audit ${id} was begun here. /audits has the list.`);
  return objectOf(env, id);
}

function objectOf({ AUDITS }: Env, id: string): AuditObject {
  if (AUDITS === undefined) throw new Problem('configuration', 'No Durable Object is bound as AUDITS: audits are coordinated there.');
  return AUDITS.get(AUDITS.idFromName(id));
}

function consumersOf(value: string | undefined, { limits: { AUDIT_MAX_CONSUMERS: most } }: Config): number {
  if (value === undefined) return Math.min(USUAL_CONSUMERS, most);
  const number = /^[1-9]\d{0,3}$/.test(value) ? Number(value) : Number.NaN;
  if (number <= most) return number;
  throw new Problem('bad-parameter', `consumers is a number from 1 to ${most}, not ${quoted(value)}.`);
}

/** With the addresses of what belongs to it. */
function shown(status: AuditStatus): object {
  return { ...status, links: { self: `/audit/${status.id}`, report: status.state === 'done' ? `/audit/${status.id}/report` : null } };
}

function text(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function json(value: object, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text(value), { status, headers: { ...PLAIN, 'content-type': 'application/json', 'cache-control': 'no-store', ...headers } });
}
