/**
 * A web server on this machine that holds history archives and misbehaves as a script says.
 *
 * Everything is decided by what was asked for and how often, never by the clock: `script({ path, nth, n })` is called for
 * each request and returns one of the faults below, a promise of one, or nothing for a sound answer. Every request is kept
 * with its time, so that a test can count them, and see who came back before they were allowed to.
 *
 * Not here: any assertion, and anything that knows what is in an archive's files.
 */
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, sep } from 'node:path';

/** The files of an archive's folder by their path below it. */
export function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return new Map(paths.map((path) => [path.slice(folder.length + 1).replaceAll(sep, '/'), readFileSync(path)]));
}

// ---- faults, as data

/** Another status; `retryAfter` (seconds, or a date) makes everybody who comes back before it early. */
export const status = (code, { retryAfter, body = 'try later' } = {}) => ({ kind: 'status', code, retryAfter, body });
/** The connection ends without a word. */
export const reset = () => ({ kind: 'reset' });
/** The connection breaks when this part of the body is on its way. */
export const dropped = (part = 0.5) => ({ kind: 'dropped', part });
/** The body ends in good order after this part of what Content-Length promises. */
export const shorter = (part = 0.5) => ({ kind: 'shorter', part });
/** The body goes on after what Content-Length promises. */
export const longer = (extra = 'and more') => ({ kind: 'longer', extra });
/** Content-Length promises only this part of the body, all of which is sent. */
export const understated = (part = 0.5) => ({ kind: 'understated', part });
/** Another file's bytes, or none at all. */
export const instead = (bytes) => ({ kind: 'instead', bytes: Buffer.from(bytes) });
/** Not the file: a page that says so, with status 200. */
export const page = () => ({ kind: 'page' });
/** So many bytes of the body, then nothing more. Without a number not even an answer. `sent` is called when they are on their way. */
export const stalled = (bytes, sent = () => undefined) => ({ kind: 'stalled', bytes, sent });
/** One byte every so many milliseconds. */
export const trickling = (everyMs) => ({ kind: 'trickling', everyMs });

// ---- scripts

/** The k-th request for `path` meets the k-th fault; those after the last are answered soundly. */
export const inTurn = (path, ...faults) => (request) => (request.path === path ? faults[request.nth - 1] : undefined);
/** Every request for `path` meets the fault. */
export const always = (path, fault) => (request) => (request.path === path ? fault : undefined);
/** The first requests of all, whatever they are for. */
export const first = (count, fault) => (request) => (request.n <= count ? fault : undefined);
/** What the first of the scripts says that says anything. */
export const either = (...scripts) => (request) => scripts.reduce((said, script) => said ?? script(request), undefined);

/** Every `period`-th request meets one of the faults, chosen by `seed`. */
export function everyNth(period, seed, ...faults) {
  let state = seed >>> 0;
  return ({ n }) => {
    if (n % period !== 0) return undefined;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return faults[(state >>> 16) % faults.length];
  };
}

// ---- the server

/** Between the clocks of two ends of one machine, timers included. */
const CLOCKS_MS = 5;

class Host {
  /** `{ n, nth, path, at, fault, early, whole }`: numbered over all and for its path from 1; `whole` once all of a 200 was sent. */
  requests = [];
  #notBefore = 0;
  #counts = new Map();
  #waiting = [];

  /** `files` and `script` may be changed at any time. */
  constructor(files, script) {
    this.files = files;
    this.script = script;
    this.http = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
    // What tests leave open is closed at their end, not by the server.
    this.http.requestTimeout = 0;
    this.http.keepAliveTimeout = 60_000;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  get url() {
    return `${this.origin}/`;
  }

  /** As reports name the archive. */
  get name() {
    return this.origin;
  }

  /** How often `path` was asked for. */
  count(path) {
    return this.#counts.get(path) ?? 0;
  }

  /** The requests that came before the time that Retry-After had named was over. */
  get early() {
    return this.requests.filter(({ early }) => early);
  }

  /** The requests that met a fault of this kind, or any. */
  faulted(kind) {
    return this.requests.filter(({ fault }) => fault !== undefined && (kind === undefined || fault.kind === kind));
  }

  /** Resolves when a request has come that `wanted` is true of. */
  until(wanted) {
    if (this.requests.some(wanted)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }));
  }

  async listen() {
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    this.port = this.http.address().port;
  }

  close() {
    this.http.close();
    this.http.closeAllConnections();
  }

  async #answer(incoming, response) {
    const path = decodeURIComponent(new URL(incoming.url, this.origin).pathname).slice(1);
    const nth = this.count(path) + 1;
    this.#counts.set(path, nth);
    const at = performance.now();
    const request = { n: this.requests.length + 1, nth, path, at, fault: undefined, early: at + CLOCKS_MS < this.#notBefore, whole: false };
    this.requests.push(request);
    request.fault = await this.script(request);
    this.#waiting = this.#waiting.filter(({ wanted, resolve }) => !wanted(request) || resolve());
    response.on('finish', () => (request.whole = response.statusCode === 200));
    const body = this.files.get(path);
    if (request.fault === undefined) this.#soundly(response, body);
    else ANSWERS[request.fault.kind](response, body ?? Buffer.alloc(0), request.fault, (until) => (this.#notBefore = Math.max(this.#notBefore, until)));
  }

  #soundly(response, body) {
    if (body === undefined) response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    else response.writeHead(200, headers(body.length)).end(body);
  }
}

const headers = (length) => ({ 'content-type': 'application/octet-stream', 'content-length': String(length) });

/** Sends what is to be sent before the connection is cut. */
function sendThenCut(response, bytes, cut) {
  response.flushHeaders();
  if (bytes.length === 0) cut();
  else response.write(bytes, cut);
}

const partOf = (body, part) => body.subarray(0, Math.floor(body.length * part));

const ANSWERS = {
  status(response, _, { code, retryAfter, body }, notBefore) {
    const more = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
    if (retryAfter !== undefined) {
      const delay = typeof retryAfter === 'number' ? retryAfter * 1000 : Date.parse(retryAfter) - Date.now();
      notBefore(performance.now() + delay);
    }
    response.writeHead(code, { 'content-type': 'text/plain', ...more }).end(body);
  },
  reset(response) {
    response.socket.resetAndDestroy();
  },
  dropped(response, body, { part }) {
    response.writeHead(200, headers(body.length));
    sendThenCut(response, partOf(body, part), () => response.socket?.resetAndDestroy());
  },
  shorter(response, body, { part }) {
    response.writeHead(200, headers(body.length));
    sendThenCut(response, partOf(body, part), () => response.socket?.end());
  },
  longer(response, body, { extra }) {
    response.writeHead(200, headers(body.length));
    response.write(body);
    response.end(extra);
  },
  understated(response, body, { part }) {
    response.writeHead(200, headers(partOf(body, part).length)).end(body);
  },
  instead(response, _, { bytes }) {
    response.writeHead(200, headers(bytes.length)).end(bytes);
  },
  page(response) {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Welcome</title><p>This is not the file you are looking for');
  },
  stalled(response, body, { bytes, sent }) {
    if (bytes === undefined) return sent();
    response.writeHead(200, headers(body.length));
    sendThenCut(response, body.subarray(0, bytes), sent);
  },
  trickling(response, body, { everyMs }) {
    response.writeHead(200, headers(body.length));
    response.flushHeaders();
    let at = 0;
    const timer = setInterval(() => {
      if (at < body.length) response.write(body.subarray(at, (at += 1)));
      else response.end();
    }, everyMs);
    response.on('close', () => clearInterval(timer));
  },
};

/** Serves `files` until the end of the test. */
export async function misbehaving(test, files, script = () => undefined) {
  const host = new Host(files, script);
  await host.listen();
  test.after(() => host.close());
  return host;
}
