/** The worker of warm.mjs that holds an archive in memory. It loads it with the first thing it is asked. */
import * as library from './index.mjs';
import { memoryReader, unbundle, verifyOnce } from './unbundle.mjs';

let source;

async function answer({ options }) {
  source ??= memoryReader(unbundle(new Uint8Array(await (await fetch('archive.bundle')).arrayBuffer())));
  return verifyOnce(library, source, options);
}

globalThis.onmessage = ({ data }) => answer(data).then(
  (result) => globalThis.postMessage(result),
  ({ message }) => globalThis.postMessage({ error: message }),
);
