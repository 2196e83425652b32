/**
 * The page's worker: the library's, which answers runs, and beside it messages of its own: one as soon as the verifier is
 * loaded, an answer to each proof that it is given, and to each question about an archive that is looked into.
 *
 * So WebAssembly never runs on the page's own thread, and the first run finds it warm.
 */
import type { NetworkPreset, ProofOptions, ProofReport, QuorumSetPreset, RepairPlan, Report, Versions } from '../lib/types.ts';
import { engine } from '../lib/web-engine.ts';
import '../lib/worker.ts';
import { isForExplorer, serveExplorer } from './explore/serve.ts';

export type Greeting =
  | { readonly greeting: 'ready'; readonly presets: readonly NetworkPreset[]; readonly quorumSets: readonly QuorumSetPreset[]; readonly versions: Versions }
  | { readonly greeting: 'failed'; readonly reason: string };

/** A proof to check, and what it turned out to be; `proof` numbers them. */
export interface ProofQuestion {
  readonly proof: number;
  readonly text: string;
  readonly options: ProofOptions;
}
/** A report of which the repair plan is wanted, and that plan; `plan` numbers them. */
export interface PlanQuestion {
  readonly plan: number;
  readonly report: Report;
}
export type PlanAnswer =
  | { readonly plan: number; readonly repair: RepairPlan }
  | { readonly plan: number; readonly reason: string };

export type ProofAnswer =
  | { readonly proof: number; readonly report: ProofReport }
  | { readonly proof: number; readonly reason: string };

function greet(message: Greeting): void {
  postMessage(message);
}

engine.init().then(
  () => greet({ greeting: 'ready', presets: engine.networkPresets(), quorumSets: engine.quorumSetPresets(), versions: engine.versions() }),
  (error: unknown) => greet({ greeting: 'failed', reason: error instanceof Error ? error.message : String(error) }),
);

function isQuestion(data: unknown): data is ProofQuestion {
  return typeof data === 'object' && data !== null && 'proof' in data && 'text' in data;
}

async function answer({ proof, text, options }: ProofQuestion): Promise<ProofAnswer> {
  try {
    await engine.init();
    return { proof, report: await engine.verifyProof(text, options) };
  } catch (error) {
    return { proof, reason: error instanceof Error ? error.message : String(error) };
  }
}

function isPlanQuestion(data: unknown): data is PlanQuestion {
  return typeof data === 'object' && data !== null && 'plan' in data && 'report' in data;
}

async function plan({ plan: number, report }: PlanQuestion): Promise<PlanAnswer> {
  try {
    await engine.init();
    return { plan: number, repair: engine.repairPlan(report) };
  } catch (error) {
    return { plan: number, reason: error instanceof Error ? error.message : String(error) };
  }
}

addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (isPlanQuestion(data)) void plan(data).then((made) => postMessage(made));
  if (isQuestion(data)) void answer(data).then((found) => postMessage(found));
  if (isForExplorer(data)) void serveExplorer(data, (message) => postMessage(message));
});
