/**
 * A mirror that is killed again and again: whatever the moment, what is visible at the destination is sound, and the next run goes on.
 *
 * The moments are drawn from a seed and counted from the first request of a run, so that they fall into its work and not into the start of
 * its process. The server answers late, by as much as the same seed says. Files are judged without the verifier (`copies.mjs`).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { assertSame, assertSound, begun, seeded, visible } from './copies.mjs';
import { CLI, SAMPLE, noSample, temporary } from './support.mjs';

const SEED = 20_260_605;
const KILLS = 50;
const BOUND_MS = 90_000;
/** The longest that an answer waits. */
const LATE_MS = 30;
/** The longest that a kill waits, on a machine so slow that a whole mirror takes longer. */
const LONGEST_MS = 800;

test('fifty kills lose nothing and let nothing false through', { skip: noSample, timeout: BOUND_MS }, async (t) => {
  const files = visible(SAMPLE);
  const random = seeded(SEED);
  let onRequest = () => undefined;
  const http = createServer((request, response) => {
    onRequest();
    const body = files.get(decodeURIComponent(new URL(request.url, 'http://host').pathname.slice(1)));
    setTimeout(() => response.writeHead(body === undefined ? 404 : 200).end(body ?? 'not found'), random() * LATE_MS);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.close();
    http.closeAllConnections();
  });
  const folder = join(await temporary(t), 'copy');

  /** Runs the command, to be killed so long after its first request; resolves with how it ended, and how long after that request. */
  async function mirror(killMs) {
    const child = spawn(process.execPath, [CLI, 'mirror', `http://127.0.0.1:${http.address().port}/`, folder, '--concurrency', '4', '--json'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let timer;
    let first;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    onRequest = () => {
      first ??= performance.now();
      if (killMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), killMs);
    };
    const [status, signal] = await once(child, 'close');
    onRequest = () => undefined;
    clearTimeout(timer);
    assert.ok(signal === 'SIGKILL' || status === 0, `ended with ${status ?? signal}: ${stderr}`);
    return { signal, tookMs: performance.now() - first };
  }

  // As long as the work takes here, so that the moments fall into all of it.
  const whole = await mirror();
  assert.equal(whole.signal, null);
  assertSame(visible(folder), files);
  await rm(folder, { recursive: true });
  const longestMs = Math.min(whole.tookMs, LONGEST_MS);

  let killed = 0;
  let halfway = 0;
  while (killed < KILLS) {
    const { signal } = await mirror(random() * longestMs);
    const copy = visible(folder);
    assertSound(copy);
    for (const [path, bytes] of copy) if (path.endsWith('.gz')) assert.ok(bytes.equals(files.get(path)), path);
    if (signal === null) {
      // It was faster than the kill: once more from the beginning.
      assertSame(copy, files);
      await rm(folder, { recursive: true });
    } else {
      killed += 1;
      if (copy.size > 0 && copy.size < files.size) halfway += 1;
    }
  }
  assert.ok(halfway >= KILLS / 4, `only ${halfway} of ${KILLS} kills left a copy that was not whole`);

  assert.equal((await mirror()).signal, null);
  const copy = visible(folder);
  assertSame(copy, files);
  assert.equal(assertSound(copy, { optional: false }), 319);
  t.diagnostic(`${halfway} of ${KILLS} kills left a copy that was not whole; ${begun(folder).length} files were begun and left`);
});
