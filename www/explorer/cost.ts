/**
 * What a check will cost in requests and bytes, asked before it is begun and only when a person wants to know.
 *
 * The verifier looks at a few checkpoints and at the sizes of buckets (`estimateMirror`); here that is brought down to what the form
 * asks for. Not here: the estimate of a copy.
 */
import { signal } from '@preact/signals';
import { estimateInWorker } from '../lib/copy-client.ts';
import type { CopyEstimate, MirrorOptions } from '../lib/types.ts';
import { takeWorker, warmUp } from './engine.ts';
import { asFailure } from './run.ts';
import { announce, checked } from './store.ts';

export type Cost =
  | { readonly state: 'none' }
  | { readonly state: 'asking' }
  | { readonly state: 'failed'; readonly message: string; readonly advice: string }
  | { readonly state: 'known'; readonly requests: number; readonly bytes: number; readonly basis: string };

export const cost = signal<Cost>({ state: 'none' });

let question = 0;

/** What was asked is not asked any more, or not like that. */
export function forgetCost(): void {
  question += 1;
  cost.value = { state: 'none' };
}

/** The part of the estimate that a check with these choices takes. */
function partOf(estimate: CopyEstimate, { sample, skipBuckets }: { readonly sample: number | undefined; readonly skipBuckets: boolean }): Cost {
  const share = sample === undefined ? 1 : Math.min(1, sample / estimate.checkpoints);
  const files = (estimate.files - estimate.buckets.files) * share;
  const bytes = (Number(estimate.bytes) - Number(estimate.buckets.bytes)) * share;
  const buckets = skipBuckets || sample !== undefined ? { files: 0, bytes: 0 } : { files: estimate.buckets.files, bytes: Number(estimate.buckets.bytes) };
  const beside = sample !== undefined && !skipBuckets ? ' The buckets that the drawn checkpoints name come on top: they are known once they are drawn.' : '';
  return { state: 'known', requests: Math.round(files + buckets.files), bytes: bytes + buckets.bytes, basis: `${estimate.basis}${beside}` };
}

/** Asks the archives of the form. */
export async function askCost(): Promise<void> {
  const decision = checked.value;
  if (!decision.ok) return;
  question += 1;
  const mine = question;
  cost.value = { state: 'asking' };
  const { range, last, sample, skipOptional = false, skipBuckets = false, network } = decision.options;
  const ask = async (of: MirrorOptions['range']): Promise<CopyEstimate> => {
    const worker = takeWorker();
    try {
      return await estimateInWorker(worker, decision.sources, { ...(of === undefined ? {} : { range: of }), ...(network === undefined ? {} : { network }), skipOptional });
    } finally {
      worker.terminate();
      warmUp();
    }
  };
  let found: Cost;
  try {
    // Which ledger is the newest only the archive knows.
    const high = last === undefined ? undefined : (await ask(undefined)).range.high;
    const wanted = high === undefined || last === undefined ? range : { low: Math.max(1, high - last + 1), high };
    found = partOf(await ask(wanted), { sample, skipBuckets });
  } catch (error) {
    const { message, advice } = asFailure(error);
    found = { state: 'failed', message, advice };
  }
  if (mine !== question) return;
  cost.value = found;
  announce(found.state === 'known' ? `About ${found.requests} requests` : 'No estimate');
}
