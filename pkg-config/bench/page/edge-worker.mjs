/** A worker for Cloudflare's runtime that verifies an archive in memory: `GET /` with `?bundle=URL` once, then without. For rows/edge.mjs. */
import * as library from './workerd.mjs';
import { memoryReader, unbundle, verifyOnce } from './unbundle.mjs';

let source;

export default {
  async fetch(request) {
    const bundle = new URL(request.url).searchParams.get('bundle');
    if (bundle !== null) source = memoryReader(unbundle(new Uint8Array(await (await fetch(bundle)).arrayBuffer())));
    try {
      return Response.json(await verifyOnce(library, source));
    } catch ({ message }) {
      return Response.json({ error: message });
    }
  },
};
