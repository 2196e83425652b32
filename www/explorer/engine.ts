/**
 * The verifier's worker and what the page needs of it besides a run: its version, the networks it knows, and proofs.
 *
 * The page shows itself first and starts this afterwards; a failure is a state with a way back, not a blank page.
 */
import type { NetworkPreset, ProofOptions, ProofReport, QuorumSetPreset, RepairPlan, Report, Versions } from '../lib/types.ts';
import type { Greeting, PlanAnswer, PlanQuestion, ProofAnswer, ProofQuestion } from './worker.ts';

export interface Engine {
  readonly versions: Versions;
  readonly presets: readonly NetworkPreset[];
  readonly quorumSets: readonly QuorumSetPreset[];
}

function newWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
}

/** Loaded ahead of the first run, which takes it. */
let warm: Worker | null = null;

/** A worker for one run; the caller terminates it, which is what gives WebAssembly's memory back. */
export function takeWorker(): Worker {
  const worker = warm ?? newWorker();
  warm = null;
  return worker;
}

/** Makes one ready ahead of what comes next, which may come without a network. */
export function warmUp(): Worker {
  if (warm !== null) return warm;
  const worker = newWorker();
  // One that did not start must not be what the next run gets.
  worker.addEventListener('error', () => {
    if (warm === worker) warm = null;
  });
  warm = worker;
  return worker;
}

let questions = 0;

/** Asks the worker that waits for the next run; `isAnswer` knows the answer to the question of that number. */
async function ask<A extends object>(question: (number: number) => object, isAnswer: (data: object, number: number) => data is A): Promise<A> {
  const worker = warmUp();
  questions += 1;
  const number = questions;
  return new Promise<A>((resolve, reject) => {
    const close = (): void => {
      worker.removeEventListener('message', onMessage);
      worker.removeEventListener('error', onError);
    };
    const onMessage = ({ data }: MessageEvent<unknown>): void => {
      if (typeof data !== 'object' || data === null || !isAnswer(data, number)) return;
      close();
      resolve(data);
    };
    const onError = (event: ErrorEvent): void => {
      close();
      if (warm === worker) warm = null;
      worker.terminate();
      reject(new Error(event.message || 'the worker’s script could not be loaded'));
    };
    worker.addEventListener('message', onMessage);
    worker.addEventListener('error', onError);
    worker.postMessage(question(number));
  });
}

/** Checks a proof; nothing is asked of any server. */
export async function checkProof(text: string, options: ProofOptions): Promise<ProofReport> {
  const answer = await ask((proof): ProofQuestion => ({ proof, text, options }), (data, number): data is ProofAnswer => 'proof' in data && data.proof === number);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer.report;
}

/** What a check found to be mended, as a plan. */
export async function planOf(report: Report): Promise<RepairPlan> {
  const answer = await ask((plan): PlanQuestion => ({ plan, report }), (data, number): data is PlanAnswer => 'plan' in data && data.plan === number);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer.repair;
}

function isGreeting(data: unknown): data is Greeting {
  return typeof data === 'object' && data !== null && 'greeting' in data;
}

export async function loadEngine(): Promise<Engine> {
  if (typeof WebAssembly !== 'object') throw new Error('WebAssembly is switched off or not supported in this browser');
  const worker = newWorker();
  warm = worker;
  try {
    return await new Promise<Engine>((resolve, reject) => {
      worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (!isGreeting(data)) return;
        if (data.greeting === 'ready') resolve({ versions: data.versions, presets: data.presets, quorumSets: data.quorumSets });
        else reject(new Error(data.reason));
      });
      worker.addEventListener('error', (event) => {
        reject(new Error(event.message || 'the worker’s script could not be loaded'));
      });
    });
  } catch (error) {
    // A run that started meanwhile has taken the worker, and hears of the failure itself.
    if (warm === worker) {
      warm = null;
      worker.terminate();
    }
    throw error;
  }
}
