/**
 * A mirror that is killed again and again: whatever the moment, what is visible at the destination is sound, and the next run goes on.
 *
 * The moments are drawn from a seed and counted in requests and not in milliseconds, so that they fall into the same work on every machine;
 * a little while follows the request, so that they fall between requests too. From that request on, the server answers nothing more in every
 * other run, so that no run is over before a slow machine comes to kill it. It answers late otherwise, by as much as the same seed says.
 * Files are judged without the verifier (`copies.mjs`).
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
/** Some seconds alone; a machine that is busy beside it takes minutes. */
const BOUND_MS = 600_000;
/** The longest that an answer waits, and that a kill waits after its request. */
const LATE_MS = 30;
/** The greatest part of a whole mirror's requests that one run makes before it is killed. */
const PART = 1 / 3;

test('fifty kills lose nothing and let nothing false through', { skip: noSample, timeout: BOUND_MS }, async (t) => {
  const files = visible(SAMPLE);
  const random = seeded(SEED);
  /** Told of each request; says whether it is answered. */
  let onRequest = () => true;
  const http = createServer((request, response) => {
    if (!onRequest()) return;
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

  /** Runs the command, to be killed after so many of its requests; resolves with how it ended, and how many it made. */
  async function mirror(killAfter = Infinity) {
    const child = spawn(process.execPath, [CLI, 'mirror', `http://127.0.0.1:${http.address().port}/`, folder, '--concurrency', '4', '--json'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const lateMs = random() * LATE_MS;
    const mute = random() < 0.5;
    let timer;
    let requests = 0;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    onRequest = () => {
      requests += 1;
      if (requests < killAfter) return true;
      timer ??= setTimeout(() => child.kill('SIGKILL'), lateMs);
      return !mute;
    };
    const [status, signal] = await once(child, 'close');
    onRequest = () => true;
    clearTimeout(timer);
    assert.ok(signal === 'SIGKILL' || status === 0, `ended with ${status ?? signal}: ${stderr}`);
    return { signal, requests };
  }

  const whole = await mirror();
  assert.equal(whole.signal, null);
  assertSame(visible(folder), files);
  await rm(folder, { recursive: true });
  const most = Math.floor(whole.requests * PART);

  let killed = 0;
  let halfway = 0;
  while (killed < KILLS) {
    const { signal } = await mirror(1 + Math.floor(random() * most));
    const copy = visible(folder);
    assertSound(copy);
    for (const [path, bytes] of copy) if (path.endsWith('.gz')) assert.ok(bytes.equals(files.get(path)), path);
    if (signal === null) {
      // It was at its end before the kill: once more from the beginning.
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
