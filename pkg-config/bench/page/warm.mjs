/**
 * Verifications in one page that stays open, for `npm run bench`: `bench.served(options, url)` has the library's worker read an archive from a
 * server, this one's unless another is named; `bench.memory(options)` has a worker verify one that it holds in memory. Resolves with what `verifyOnce` gives.
 */
import * as library from './index.mjs';
import { verifyOnce } from './unbundle.mjs';

const libraryWorker = new Worker('worker.mjs', { type: 'module' });
const memoryWorker = new Worker('memory-worker.mjs', { type: 'module' });
const verifyArchive = (source, options) => library.verifyInWorker(libraryWorker, source, options);

function ask(message) {
  return new Promise((resolve, reject) => {
    memoryWorker.onerror = ({ message: words }) => reject(new Error(words));
    memoryWorker.onmessage = ({ data: { error, ...answer } }) => (error === undefined ? resolve(answer) : reject(new Error(error)));
    memoryWorker.postMessage(message);
  });
}

globalThis.bench = {
  /** The worker's memory is not to be seen from here. */
  served: (options, url = new URL('/archive/measured/', location.href).href) => verifyOnce({ verifyArchive, wasmMemoryBytes: () => undefined }, url, options),
  memory: (options) => ask({ options }),
};
