/**
 * What a check will cost in requests and bytes, asked before it is begun and only when a person wants to know.
 *
 * The verifier looks at a few checkpoints and at the sizes of buckets (`estimateMirror`); here that is brought down to what the form
 * asks for. What a random sample takes of buckets has two bounds: it depends on which checkpoints are drawn. Not here: the estimate of
 * a copy.
 */
import { signal } from '@preact/signals';
import { estimateInWorker } from '../lib/copy-client.ts';
import type { CopyEstimate, EstimateOptions } from '../lib/types.ts';
import { takeWorker, warmUp } from './engine.ts';
import { bytes as inBytes, grouped } from './format.ts';
import { asFailure } from './run.ts';
import { announce, checked } from './store.ts';

export type Cost =
  | { readonly state: 'none' }
  | { readonly state: 'asking' }
  | { readonly state: 'failed'; readonly message: string; readonly advice: string }
  | { readonly state: 'known'; readonly least: Amount; readonly most: Amount; readonly basis: string };

export interface Amount {
  readonly requests: number;
  readonly bytes: number;
}

export const cost = signal<Cost>({ state: 'none' });

let question = 0;

/** What was asked is not asked any more, or not like that. */
export function forgetCost(): void {
  question += 1;
  cost.value = { state: 'none' };
}

const NOTHING = { files: 0, bytes: '0' };

/** The part of the estimate that a check with these choices takes. */
function partOf(estimate: CopyEstimate, { sample, skipBuckets }: { readonly sample: number | undefined; readonly skipBuckets: boolean }): Cost {
  const share = sample === undefined ? 1 : Math.min(1, sample / estimate.checkpoints);
  const files = (estimate.files - estimate.buckets.files) * share;
  const bytes = (Number(estimate.bytes) - Number(estimate.buckets.bytes)) * share;
  const drawn = estimate.sample ?? { least: NOTHING, most: NOTHING };
  const [least, most] = skipBuckets ? [NOTHING, NOTHING] : sample === undefined ? [estimate.buckets, estimate.buckets] : [drawn.least, drawn.most];
  const amount = (buckets: { readonly files: number; readonly bytes: string }): Amount => ({ requests: Math.round(files + buckets.files), bytes: bytes + Number(buckets.bytes) });
  const beside = sample !== undefined && !skipBuckets && least.files < most.files
    ? ` The drawn checkpoints name between ${grouped(least.files)} and ${grouped(most.files)} buckets: those that lie close to each other share most of them.`
    : '';
  return { state: 'known', least: amount(least), most: amount(most), basis: `${estimate.basis}${beside}` };
}

/** The same in a line. */
export function amountWords(least: Amount, most: Amount): string {
  const requests = least.requests === most.requests ? `${grouped(most.requests)} requests` : `${grouped(least.requests)} to ${grouped(most.requests)} requests`;
  const [low, high] = [inBytes(least.bytes), inBytes(most.bytes)];
  return `About ${requests} and ${low === high ? high : `${low} to ${high}`}.`;
}

/** Asks the archives of the form. */
export async function askCost(): Promise<void> {
  const decision = checked.value;
  if (!decision.ok) return;
  question += 1;
  const mine = question;
  cost.value = { state: 'asking' };
  const { range, last, sample, skipOptional = false, skipBuckets = false, network } = decision.options;
  const drawn = sample === undefined || skipBuckets ? {} : { sample };
  const ask = async (of: EstimateOptions['range']): Promise<CopyEstimate> => {
    const worker = takeWorker();
    try {
      return await estimateInWorker(worker, decision.sources, { ...(of === undefined ? {} : { range: of }), ...(network === undefined ? {} : { network }), skipOptional, ...drawn });
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
  announce(found.state === 'known' ? amountWords(found.least, found.most) : 'No estimate');
}
