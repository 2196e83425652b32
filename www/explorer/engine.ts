/**
 * What the page needs of the verifier besides a run: its version and the networks it knows.
 *
 * The page shows itself first and loads this afterwards; a failure is a state with a way back, not a blank page.
 */
import { init, networkPresets, versions } from '../lib/index.ts';
import type { NetworkPreset, Versions } from '../lib/types.ts';

export interface Engine {
  readonly versions: Versions;
  readonly presets: readonly NetworkPreset[];
}

export async function loadEngine(): Promise<Engine> {
  if (typeof WebAssembly !== 'object') throw new Error('WebAssembly is switched off or not supported in this browser');
  await init();
  return { versions: versions(), presets: networkPresets() };
}
