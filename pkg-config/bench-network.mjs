/**
 * How much of a link a verification fills, for bench.mjs: prints as JSON. `argv`: the folder of an archive, and how many rounds.
 *
 * The server is of this process and serves the archive from memory over TLS: every answer's first byte comes `LATENCY_MS` after its
 * request, and all answers share one link of a given bandwidth, each of them getting its turn. It is a model, and it leaves things out:
 * handshakes, TCP's slow start and losses cost nothing, and only bodies count as bytes, so headers are free.
 *
 * What is measured is the time from the first request that the server sees to the verdict, in a fresh worker for each round. The floor
 * is what no client can be faster than: the bytes at full bandwidth, and three answers that wait for one another, which are the newest
 * state, a checkpoint's state, and a bucket that only it names. `machineMs` is what the same takes over a link without latency and
 * without a limit: where that is more than the floor, the machine is the limit, not the link.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { extname, join, relative, sep } from 'node:path';
import { argv, env, execPath } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const LATENCY_MS = 50;
const MBIT = 1_000_000 / 8;
const LINKS = [20 * MBIT, 100 * MBIT];
const DEPENDENT_ANSWERS = 3;
/** Bytes of one answer before it is the next one's turn. */
const TURN = 8192;

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const call = promisify(execFile);
const now = () => performance.timeOrigin + performance.now();

/** `options`: more of the verification's own, such as a fixed `concurrency`. */
export async function measureNetwork({ archive, rounds = 3, browser = env.CHROMIUM ?? '/usr/bin/chromium', options = {} }) {
  const files = inMemory(archive);
  const clients = [
    { name: 'Chromium, HTTP/2', http2: true, start: (server) => inChromium(server, browser) },
    { name: 'Chromium, HTTP/1.1', http2: false, start: (server) => inChromium(server, browser) },
    { name: 'Node, HTTP/1.1', http2: false, start: inNode },
  ];
  const rows = [];
  for (const { name, http2, start } of clients) {
    const over = (link) => overLink({ name, start, rounds, options, server: { files, http2, ...link } });
    const { ms: machineMs } = await over({ bandwidth: Number.POSITIVE_INFINITY, latencyMs: 0 });
    for (const bandwidth of LINKS) rows.push({ name, mbits: bandwidth / MBIT, latencyMs: LATENCY_MS, machineMs, ...(await over({ bandwidth, latencyMs: LATENCY_MS })) });
  }
  return rows;
}

/** The round with the median time of one client over one link. */
async function overLink({ name, start, rounds, options, server: how }) {
  const server = await serveOverLink(how);
  const client = await start(server);
  try {
    const measured = [];
    // One round to warm up: WebAssembly is compiled while it runs first.
    for (let round = 0; round <= rounds; round += 1) {
      server.link.begin();
      const { verdict, endedMs } = await client.run(`${server.url}archive/`, options);
      if (verdict !== 'verified') throw new Error(`${name}: the run ended with ${verdict}`);
      if (round > 0) measured.push(server.link.summary(endedMs));
    }
    return measured.toSorted((a, b) => a.ms - b.ms)[Math.floor(measured.length / 2)];
  } finally {
    await client.close();
    await server.close();
  }
}

function inMemory(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const path = (entry) => join(entry.parentPath, entry.name);
  return new Map(entries.map((entry) => [relative(folder, path(entry)).split(sep).join('/'), readFileSync(path(entry))]));
}

// ---- the link

/**
 * All that a server sends goes over it. Its own clock says when what has passed, so that a timer that comes late makes it no slower:
 * what should have been sent by then is sent at once.
 */
class Link {
  #bandwidth;
  #latencyMs;
  /** Answers whose first byte is still on its way, in order; those that have their turns; when the link is free. */
  #coming = [];
  #turns = [];
  #freeAtMs = 0;
  #timer = null;
  #seen = null;

  constructor({ bandwidth, latencyMs }) {
    this.#bandwidth = bandwidth;
    this.#latencyMs = latencyMs;
  }

  /** Counts from the next request on. */
  begin() {
    this.#seen = { firstMs: null, lastMs: 0, bytes: 0, answers: 0, inFlight: 0, mostInFlight: 0, busyMs: 0, firstByteMs: null };
  }

  summary(endedMs) {
    const { firstMs, lastMs, bytes, answers, mostInFlight, busyMs, firstByteMs } = this.#seen;
    const [ms, floorMs] = [endedMs - firstMs, (bytes / this.#bandwidth) * 1000 + DEPENDENT_ANSWERS * this.#latencyMs];
    return {
      ms, bytes, answers, mostInFlight, share: ((bytes / this.#bandwidth) * 1000) / ms, floorMs, ofFloor: floorMs / ms,
      // Where the link had nothing to send.
      idleMs: { untilFirstByte: firstByteMs - firstMs, between: lastMs - firstByteMs - busyMs, afterLastByte: endedMs - lastMs },
    };
  }

  carry(body, response) {
    const seen = this.#seen;
    seen.firstMs ??= now();
    seen.answers += 1;
    seen.inFlight += 1;
    seen.mostInFlight = Math.max(seen.mostInFlight, seen.inFlight);
    const answer = { readyMs: now() + this.#latencyMs, body, sent: 0, response, gone: false, seen };
    response.on('close', () => {
      answer.gone = true;
      seen.inFlight -= 1;
    });
    this.#coming.push(answer);
    this.#go();
  }

  #go() {
    clearTimeout(this.#timer);
    for (;;) {
      if (this.#turns.length === 0 && this.#coming.length > 0) this.#freeAtMs = Math.max(this.#freeAtMs, this.#coming[0].readyMs);
      while (this.#coming.length > 0 && this.#coming[0].readyMs <= this.#freeAtMs) this.#turns.push(this.#coming.shift());
      const answer = this.#turns[0];
      if (answer === undefined) return;
      const turn = answer.gone ? 0 : Math.min(TURN, answer.body.length - answer.sent);
      const beginsMs = this.#freeAtMs;
      const endsMs = beginsMs + (turn / this.#bandwidth) * 1000;
      if (endsMs > now()) {
        this.#timer = setTimeout(() => this.#go(), endsMs - now());
        return;
      }
      this.#turns.shift();
      this.#freeAtMs = endsMs;
      if (!answer.gone) this.#send(answer, turn, beginsMs, endsMs);
    }
  }

  #send(answer, turn, beginsMs, endsMs) {
    const { body, response, seen } = answer;
    seen.firstByteMs ??= beginsMs;
    seen.bytes += turn;
    seen.busyMs += endsMs - beginsMs;
    seen.lastMs = Math.max(seen.lastMs, endsMs);
    const part = body.subarray(answer.sent, answer.sent + turn);
    answer.sent += turn;
    if (answer.sent < body.length) {
      response.write(part);
      this.#turns.push(answer);
    } else {
      response.end(part);
    }
  }
}

async function serveOverLink({ files, http2, bandwidth, latencyMs }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-network-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate,
  ], { stdio: 'pipe' });
  const link = new Link({ bandwidth, latencyMs });
  const answer = (request, response) => {
    const file = files.get(new URL(request.url, 'https://127.0.0.1').pathname.slice('/archive/'.length));
    // A client's cache would carry what the link is to.
    const headers = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' };
    response.writeHead(file === undefined ? 404 : 200, file === undefined ? headers : { ...headers, 'content-type': 'application/octet-stream', 'content-length': file.length });
    link.carry(file ?? Buffer.alloc(0), response);
  };
  const credentials = { key: readFileSync(key), cert: readFileSync(certificate) };
  const server = http2 ? createSecureServer({ ...credentials, allowHTTP1: true }, answer) : createHttpsServer(credentials, answer);
  const sessions = new Set();
  server.on('session', (session) => sessions.add(session));
  const port = await listening(server);
  return {
    url: `https://127.0.0.1:${port}/`, link, certificate,
    async close() {
      for (const session of sessions) session.destroy();
      server.closeAllConnections?.();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

// ---- the clients

/** The built library in a page of another origin. */
async function inChromium(_, executablePath) {
  const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
  const site = createServer((request, response) => {
    const path = request.url === '/' ? null : join(dist, request.url);
    try {
      response.setHeader('content-type', types[path === null ? '.html' : extname(path)] ?? 'application/octet-stream');
      response.end(path === null ? '<!doctype html><link rel="icon" href="data:,">' : readFileSync(path));
    } catch {
      response.writeHead(404).end();
    }
  });
  const port = await listening(site);
  const driven = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--ignore-certificate-errors'],
  });
  const tab = await driven.newPage();
  await tab.goto(`http://127.0.0.1:${port}/`);
  return {
    run: (url, options) => tab.evaluate(async ({ url: archive, options: own }) => {
      const { verifyInWorker } = await import('/worker.mjs');
      globalThis.compiled ??= await WebAssembly.compileStreaming(fetch('/stellar_archive_verifier_bg.wasm'));
      const worker = new Worker('/worker.mjs', { type: 'module' });
      try {
        const { verdict } = await verifyInWorker(worker, archive, own, globalThis.compiled).report;
        return { verdict, endedMs: performance.timeOrigin + performance.now() };
      } finally {
        worker.terminate();
      }
    }, { url, options }),
    async close() {
      await driven.close();
      await new Promise((resolve) => {
        site.close(resolve);
        site.closeAllConnections();
      });
    },
  };
}

/** The same in a process of its own, which begins anew for each round and compiles before it asks for anything. */
async function inNode({ certificate }) {
  return {
    async run(url, options) {
      const { stdout } = await call(execPath, [fileURLToPath(import.meta.url), '--client', url, JSON.stringify(options)], { env: { ...env, NODE_EXTRA_CA_CERTS: certificate } });
      return JSON.parse(stdout);
    },
    async close() {},
  };
}

async function client(url, options) {
  const { init, verifyArchive } = await import('../dist/node.mjs');
  await init();
  const { verdict } = await verifyArchive(url, options).report;
  return { verdict, endedMs: now() };
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const [first, second, third] = argv.slice(2);
  const result = first === '--client' ? await client(second, JSON.parse(third)) : await measureNetwork({ archive: first, rounds: Number(second ?? 3), options: JSON.parse(third ?? '{}') });
  console.log(JSON.stringify(result));
}
