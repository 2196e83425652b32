/** What a client can carry without any verifying: for programs of every kind. As a worker it answers messages `{ url, paths }`. */

/** As many requests at once as a run comes to over a network. */
const AT_ONCE = 64;

/** Fetches the files below `url` and reads their bodies to the end, for nothing. Resolves with the time it took. */
export async function fetchAlone({ url, paths }) {
  const began = performance.now();
  const left = [...paths];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      const response = await fetch(new URL(path, url), { credentials: 'omit', referrerPolicy: 'no-referrer' });
      if (response.status !== 200) throw new Error(`${path}: HTTP ${response.status}`);
      const reader = response.body.getReader();
      for (let part = await reader.read(); !part.done;) part = await reader.read();
    }
  }));
  return { wallMs: performance.now() - began };
}

if (globalThis.WorkerGlobalScope !== undefined) {
  onmessage = async ({ data }) => postMessage(await fetchAlone(data).catch(({ message }) => ({ error: message })));
}
