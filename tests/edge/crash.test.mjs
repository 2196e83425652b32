/**
 * A crash of the WebAssembly in Cloudflare's own runtime: who loses by it, and who comes after.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { runtime } from '../../pkg-config/edge.mjs';
import { SAMPLE, edge, lines, noSample, pathOf, upstream } from './support.mjs';

const LEDGER = pathOf('ledger', 319);
const DIST = dirname(runtime().scriptPath);
const WASM = 'stellar_archive_verifier_bg.wasm';

/** The worker, and an address at which a trap comes to light as one does: as an error that nobody caught. */
const CRASHING = `import worker from './worker.mjs';
export default {
  ...worker,
  fetch(request, env, context) {
    if (new URL(request.url).pathname !== '/crash') return worker.fetch(request, env, context);
    queueMicrotask(() => { throw new WebAssembly.RuntimeError('unreachable'); });
    return new Response('crashed');
  },
};`;

test('a crash ends the verification under way with a problem that says so, and the next one has a fresh instance', { skip: noSample }, async (t) => {
  const reached = {};
  reached.promise = new Promise((resolve) => (reached.resolve = resolve));
  const site = await upstream(t, { sample: SAMPLE }, ({ path }) => (path === LEDGER ? (reached.resolve(), null) : undefined));
  const { get } = await edge(t, [site.archive('sample')], {}, {
    modulesRoot: DIST,
    modules: [
      { type: 'ESModule', path: join(DIST, 'crashing.mjs'), contents: CRASHING },
      { type: 'ESModule', path: join(DIST, 'worker.mjs') },
      { type: 'CompiledWasm', path: join(DIST, WASM), contents: readFileSync(join(DIST, WASM)) },
    ],
    scriptPath: undefined,
    modulesRules: undefined,
  });
  const under = get('/verify').then(lines);
  await reached.promise;
  await (await get('/crash')).text().catch(() => undefined);
  const last = (await under).at(-1);
  assert.deepEqual([last.type, last.problem.type, last.problem.status], ['problem', 'urn:stellar-archive-verifier:problem:crashed', 500]);

  site.script = () => undefined;
  for (let rounds = 0; rounds < 3; rounds += 1) assert.equal((await lines(await get('/verify'))).at(-1).report?.verdict, 'verified');
});
