/**
 * The page's worker: the library's, which answers runs, and beside it one message of its own as soon as the verifier is loaded.
 *
 * So WebAssembly never runs on the page's own thread, and the first run finds it warm.
 */
import { init, networkPresets, versions } from '../lib/index.ts';
import type { NetworkPreset, Versions } from '../lib/types.ts';
import '../lib/worker.ts';

export type Greeting =
  | { readonly greeting: 'ready'; readonly presets: readonly NetworkPreset[]; readonly versions: Versions }
  | { readonly greeting: 'failed'; readonly reason: string };

function greet(message: Greeting): void {
  postMessage(message);
}

init().then(
  () => greet({ greeting: 'ready', presets: networkPresets(), versions: versions() }),
  (error: unknown) => greet({ greeting: 'failed', reason: error instanceof Error ? error.message : String(error) }),
);
