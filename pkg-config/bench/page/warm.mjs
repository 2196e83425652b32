/**
 * Verifications in one page that stays open, for `npm run bench`: `bench.served(options, url)` has the library's worker read an archive from a
 * server, this one's unless another is named; `bench.memory(options)` has a worker verify one that it holds in memory. Resolves with what
 * `verifyOnce` gives. `bench.fetched({ url, paths })` only fetches.
 */
import * as library from './index.mjs';
import { verifyOnce } from './unbundle.mjs';

const libraryWorker = new Worker('worker.mjs', { type: 'module' });
const memoryWorker = new Worker('memory-worker.mjs', { type: 'module' });
const fetchWorker = new Worker('fetch-alone.mjs', { type: 'module' });
const verifyArchive = (source, options) => library.verifyInWorker(libraryWorker, source, options);

function ask(worker, message) {
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message: words }) => reject(new Error(words));
    worker.onmessage = ({ data: { error, ...answer } }) => (error === undefined ? resolve(answer) : reject(new Error(error)));
    worker.postMessage(message);
  });
}

globalThis.bench = {
  /** The worker's memory is not to be seen from here. */
  served: ({ url = new URL('/archive/measured/', location.href).href, ...options }) => verifyOnce({ verifyArchive, wasmMemoryBytes: () => undefined }, url, options),
  memory: (options) => ask(memoryWorker, { options }),
  fetched: (what) => ask(fetchWorker, what),
};
