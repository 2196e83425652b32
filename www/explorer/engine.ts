/**
 * The verifier's worker and what the page needs of it besides a run: its version and the networks it knows.
 *
 * The page shows itself first and starts this afterwards; a failure is a state with a way back, not a blank page.
 */
import type { NetworkPreset, Versions } from '../lib/types.ts';
import type { Greeting } from './worker.ts';

export interface Engine {
  readonly versions: Versions;
  readonly presets: readonly NetworkPreset[];
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
        if (data.greeting === 'ready') resolve({ versions: data.versions, presets: data.presets });
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
