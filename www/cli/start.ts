/**
 * Where the command line begins: the WebAssembly is compiled, by other threads, while the rest is loaded.
 */
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { compileEarly } from '../lib/node-host.ts';

// Help and mistakes need none.
if (process.argv[2] === 'verify') {
  // Node 20 optimises functions so early that a run of some seconds ends before that pays; this is what Node 22 waits for.
  if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString('--wasm-tiering-budget=13000000');
  compileEarly('stellar_archive_verifier_bg.wasm');
}
await import('./main.ts');
