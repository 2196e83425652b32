/**
 * The verifier's worker and what the page needs of it besides a run: its version, the networks it knows, and proofs.
 *
 * The page shows itself first and starts this afterwards; a failure is a state with a way back, not a blank page.
 */
import type { NetworkPreset, ProofOptions, ProofReport, QuorumSetPreset, Versions } from '../lib/types.ts';
import type { Greeting, ProofAnswer, ProofQuestion } from './worker.ts';

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

function isAnswer(data: unknown): data is ProofAnswer {
  return typeof data === 'object' && data !== null && 'proof' in data;
}

let proofs = 0;

/** Checks a proof in the worker that waits for the next run; nothing is asked of any server. */
export async function checkProof(text: string, options: ProofOptions): Promise<ProofReport> {
  const worker = warmUp();
  proofs += 1;
  const question: ProofQuestion = { proof: proofs, text, options };
  return new Promise<ProofReport>((resolve, reject) => {
    const close = (): void => {
      worker.removeEventListener('message', onMessage);
      worker.removeEventListener('error', onError);
    };
    const onMessage = ({ data }: MessageEvent<unknown>): void => {
      if (!isAnswer(data) || data.proof !== question.proof) return;
      close();
      if ('report' in data) resolve(data.report);
      else reject(new Error(data.reason));
    };
    const onError = (event: ErrorEvent): void => {
      close();
      if (warm === worker) warm = null;
      worker.terminate();
      reject(new Error(event.message || 'the worker’s script could not be loaded'));
    };
    worker.addEventListener('message', onMessage);
    worker.addEventListener('error', onError);
    worker.postMessage(question);
  });
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
