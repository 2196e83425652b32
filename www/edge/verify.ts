/**
 * `/verify` and `/proof`: what a visitor asks to be looked at now, within bounds, streamed, and stopped when the visitor leaves.
 */
import type { RunEvent, VerifyOptions } from '../lib/types.ts';
import type { Context } from './bindings.ts';
import type { Archive, Config, Limits } from './config.ts';
import { CONCURRENCY, IDLE_MS, archiveStatus, asProblem, place, proveTransaction, verifyArchive } from './engine.ts';
import type { LedgerRange } from './params.ts';
import { PLAIN, Problem } from './problem.ts';
import { Meter, reader } from './upstream.ts';

const CHECKPOINT = 64;
/** Without a range. */
const NEWEST_CHECKPOINTS = 2;

/** How everything here reads. The reader tries again by itself. */
export function readOptions(archive: Archive): { network?: string; trust?: { quorumSet: string }; concurrency: number; maxRetries: number; timeoutMs: number } {
  return {
    concurrency: CONCURRENCY,
    maxRetries: 0,
    timeoutMs: IDLE_MS,
    ...(archive.network === null ? {} : { network: archive.network }),
    ...(archive.quorumSet === null ? {} : { trust: { quorumSet: archive.quorumSet } }),
  };
}

export interface Wanted {
  readonly archive: Archive;
  readonly range: LedgerRange | null;
  readonly buckets: boolean;
}

/** One line a time as JSON: the events of the run, and last of all the report, or why there is none. */
export function verifyResponse({ archive, range, buckets }: Wanted, { limits }: Config, request: Request, context: Context): Response {
  const free = place(limits.RUN_SECONDS);
  const deadline = AbortSignal.timeout(limits.RUN_SECONDS * 1000);
  const options: VerifyOptions = {
    ...readOptions(archive),
    signal: AbortSignal.any([request.signal, deadline]),
    skipBuckets: !buckets,
    ...(range === null ? { last: NEWEST_CHECKPOINTS * CHECKPOINT } : { range }),
  };
  const run = verifyArchive(reader(archive, new Meter(limits.SUBREQUESTS), limits), options);
  // The invocation lives until the run has stopped, also when the client is gone: what is cut off would never free its memory.
  context.waitUntil(run.report.then(free, free));
  return new Response(lines(run, () => (deadline.aborted ? `after ${limits.RUN_SECONDS} s (RUN_SECONDS)` : null)), {
    headers: { ...PLAIN, 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' },
  });
}

function lines(run: ReturnType<typeof verifyArchive>, stopped: () => string | null): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const events: AsyncIterator<RunEvent, undefined> = run[Symbol.asyncIterator]();
  const line = (value: object): Uint8Array => encoder.encode(`${JSON.stringify(value)}\n`);
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await events.next();
        if (done !== true) return controller.enqueue(line(value));
        const why = stopped();
        controller.enqueue(line({ type: 'report', ...(why === null ? {} : { stopped: why }), report: await run.report }));
      } catch (error) {
        controller.enqueue(line({ type: 'problem', problem: asProblem(error) }));
      }
      controller.close();
    },
    cancel(reason) {
      run.abort(reason);
    },
  });
}

/** A proof of one transaction, searched from the newest of the range down. */
export async function proofResponse(
  { archive, range, hash }: { readonly archive: Archive; readonly range: LedgerRange | null; readonly hash: string }, { limits }: Config, request: Request, context: Context,
): Promise<Response> {
  const free = place(limits.RUN_SECONDS);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limits.RUN_SECONDS * 1000)]);
  const source = reader(archive, new Meter(limits.SUBREQUESTS), limits);
  const work = (async () => {
    const searched = range ?? (await newest(archive, source, limits, signal));
    return proveTransaction(source, { ...readOptions(archive), hash, range: searched, signal });
  })();
  context.waitUntil(work.then(free, free));
  const proof = await work;
  return new Response(proof, {
    headers: { ...PLAIN, 'content-type': 'application/json', 'cache-control': 'public, max-age=3600', 'content-disposition': `attachment; filename="proof-${hash}.json"` },
  });
}

async function newest(archive: Archive, source: ReturnType<typeof reader>, limits: Limits, signal: AbortSignal): Promise<LedgerRange> {
  const [status] = await archiveStatus([source], { ...withoutTrust(archive), signal });
  if (status?.checkpoint == null) {
    throw new Problem('archive-unreachable', status?.error?.message ?? status?.findings[0]?.message ?? 'its newest state could not be read');
  }
  return { low: Math.max(1, status.checkpoint - limits.MAX_SEARCH_CHECKPOINTS * CHECKPOINT + 1), high: status.checkpoint };
}

/** What only asks, and believes nobody. */
export function withoutTrust(archive: Archive): Omit<ReturnType<typeof readOptions>, 'trust'> {
  const { trust: _, ...rest } = readOptions(archive);
  return rest;
}
