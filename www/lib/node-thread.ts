/**
 * A thread of Node that a run is shared with. Not here: what it does (`thread.ts`).
 */
import { parentPort } from 'node:worker_threads';
import * as glue from '../../target/pkg/stellar_archive_verifier.js';
import { directoryReader } from './directory.ts';
import { nodeHost } from './node-host.ts';
import type { ToThread } from './threads.ts';
import { createVerifyEngine } from './verify-engine.ts';
import type { VerifyExports } from './verify-engine.ts';

const wasm: VerifyExports = glue;
const port = parentPort;
if (port !== null) {
  const { partListener } = createVerifyEngine(wasm, nodeHost('stellar_archive_verifier_bg.wasm'));
  const listener = partListener(directoryReader, (message, transfer) => port.postMessage(message, transfer));
  port.on('message', (message: ToThread) => listener(message));
}
