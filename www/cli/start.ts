/**
 * Where the command line begins: the WebAssembly is compiled, by other threads, while the rest is loaded.
 */
import process from 'node:process';
import { compileEarly } from '../lib/node-host.ts';

// Help and mistakes need none.
if (process.argv[2] === 'verify') compileEarly('stellar_archive_verifier_bg.wasm');
await import('./main.ts');
