/**
 * A link between a server and its client, for `npm run bench`: all answers share its bandwidth, each of them getting its turn, and the
 * first byte of each comes a latency after its request.
 *
 * It is a model, and it leaves things out: handshakes, TCP's slow start and losses cost nothing, and only bodies count as bytes, so that
 * headers are free.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes of one answer before it is the next one's turn. */
const TURN = 8192;

/**
 * Serves `files`, contents by path, below `url` over TLS. `bandwidth`: bytes a second; `http2`: HTTP/2, or else HTTP/1.1. `certificate` is a
 * file with what a client is to trust; `carried()` gives the bytes that went over the link since it was asked last.
 */
export async function serveOverLink({ files, http2, bandwidth, latencyMs }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-link-'));
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
  const server = http2 ? createSecureServer(credentials, answer) : createServer(credentials, answer);
  const sessions = new Set();
  server.on('session', (session) => sessions.add(session));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${server.address().port}/archive/`, certificate,
    carried: () => link.carried(),
    async close() {
      for (const session of sessions) session.destroy();
      server.closeAllConnections?.();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its own clock says when what has passed, so that a timer that comes late makes it no slower: what should have been sent by then is sent at once. */
class Link {
  #bandwidth;
  #latencyMs;
  /** Answers whose first byte is still on its way, in order; those that have their turns; when the link is free. */
  #coming = [];
  #turns = [];
  #freeAtMs = 0;
  #timer = null;
  #bytes = 0;

  constructor({ bandwidth, latencyMs }) {
    this.#bandwidth = bandwidth;
    this.#latencyMs = latencyMs;
  }

  carry(body, response) {
    const answer = { readyMs: performance.now() + this.#latencyMs, body, sent: 0, response, gone: false };
    response.on('close', () => {
      answer.gone = true;
    });
    this.#coming.push(answer);
    this.#go();
  }

  carried() {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  #go() {
    clearTimeout(this.#timer);
    for (;;) {
      if (this.#turns.length === 0 && this.#coming.length > 0) this.#freeAtMs = Math.max(this.#freeAtMs, this.#coming[0].readyMs);
      while (this.#coming.length > 0 && this.#coming[0].readyMs <= this.#freeAtMs) this.#turns.push(this.#coming.shift());
      const answer = this.#turns[0];
      if (answer === undefined) return;
      const turn = answer.gone ? 0 : Math.min(TURN, answer.body.length - answer.sent);
      const endsMs = this.#freeAtMs + (turn / this.#bandwidth) * 1000;
      if (endsMs > performance.now()) {
        this.#timer = setTimeout(() => this.#go(), endsMs - performance.now());
        return;
      }
      this.#turns.shift();
      this.#freeAtMs = endsMs;
      if (!answer.gone) this.#send(answer, turn);
    }
  }

  #send(answer, turn) {
    const { body, response } = answer;
    this.#bytes += turn;
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
