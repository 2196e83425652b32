/** Attacks on copies from outside: places that answer without end, and sources that would fill the memory. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { SAMPLE, cli, noSample, temporary } from './support.mjs';

const MB = 1 << 20;
const skip = noSample;

async function serving(t, answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

test('of the words with which a place refuses a file no more is read than is told', { skip, timeout: 60_000 }, async (t) => {
  let largest = 0;
  const url = await serving(t, (request, response) => {
    request.resume();
    response.writeHead({ GET: 404, HEAD: 404, PUT: 500 }[request.method] ?? 201);
    if (request.method !== 'PUT') return response.end();
    let sent = 0;
    const chunk = Buffer.alloc(MB, 'x');
    const more = () => {
      while (sent < 64 * MB && !response.destroyed) {
        sent += chunk.length;
        largest = Math.max(largest, sent);
        if (!response.write(chunk)) return response.once('drain', more);
      }
      return response.end();
    };
    return more();
  });
  const { status } = await cli(['mirror', SAMPLE, `${url}/archive`, '--max-retries', '0', '--quiet']);
  assert.notEqual(status, 0);
  assert.ok(largest <= 16 * MB, `${largest / MB} MB of one answer were taken`);
});

/** The largest memory that a run of the program had. */
async function memoryOf(...words) {
  const child = spawn(process.execPath, [new URL('../../dist/cli.mjs', import.meta.url).pathname, ...words], { stdio: 'ignore' });
  let peak = 0;
  const watch = setInterval(() => {
    const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : '';
    peak = Math.max(peak, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) * 1024);
  }, 20);
  await once(child, 'close');
  clearInterval(watch);
  return peak;
}

test('files that are large and wrong cost a mirror no more memory than they cost a verification', {
  // It is some 500 MB through two programs; a machine that is busy beside it takes minutes.
  skip: skip || process.platform !== 'linux', timeout: 480_000,
}, async (t) => {
  const records = Array.from({ length: 48 }, (_, index) => {
    const record = randomFillSync(Buffer.alloc(4 + MB));
    record.writeUInt32BE(0x8000_0000 + MB);
    record.writeUInt32BE(index + 1, 4);
    return record;
  });
  const large = gzipSync(Buffer.concat(records), { level: 0 });
  const url = await serving(t, (request, response) => {
    const path = join(SAMPLE, decodeURIComponent(new URL(request.url, 'http://host').pathname));
    if (!existsSync(path)) return response.writeHead(404).end();
    const isAttack = request.url.startsWith('/transactions/') || request.url.startsWith('/results/');
    return response.end(isAttack ? large : readFileSync(path));
  });
  const [verified, mirrored] = [await memoryOf('verify', url, '--quiet'), await memoryOf('mirror', url, await temporary(t), '--quiet')];
  assert.ok(mirrored < verified + 150 * MB, `${Math.round(mirrored / MB)} MB against ${Math.round(verified / MB)} MB`);
});
