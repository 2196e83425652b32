/** The files of a bundle that archive.mjs made: for programs of every kind, this side of a browser and the other. */

/** @returns {Map<string, Uint8Array>} Content by path. */
export function unbundle(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder();
  const files = new Map();
  let at = 0;
  const field = () => {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    return bytes.slice(start, at);
  };
  while (at < bytes.length) {
    const path = text.decode(field());
    files.set(path, field());
  }
  return files;
}

/** An archive in memory: only what is computed counts. */
export function memoryReader(files) {
  return { name: 'memory', get: async (path) => files.get(path) ?? null };
}

/** Runs the verification of this library once and says what came of it; `options` are those of `verifyArchive`. */
export async function verifyOnce({ verifyArchive, wasmMemoryBytes }, source, options = {}) {
  const began = performance.now();
  const run = verifyArchive(source, options);
  let firstMs;
  for await (const event of run) {
    if (event.type === 'checkpoint' && firstMs === undefined && Object.values(event.status).every((status) => status === 'verified')) firstMs = performance.now() - began;
  }
  const { verdict, bytes, findings } = await run.report;
  if (verdict !== 'verified') throw new Error(`the verdict is ${verdict}: ${findings.slice(0, 3).map(({ code, path }) => `${code} ${path}`).join(', ')}`);
  return { wallMs: performance.now() - began, firstMs, wasmBytes: wasmMemoryBytes(), inflatedBytes: Number(bytes.inflated), verdict };
}
