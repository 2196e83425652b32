/**
 * A static server on the loopback interface: the built page at `/`, archives at `/archive/<name>/`.
 *
 * For `npm start` and the tests. It behaves like a plain web host on purpose (files as they are, no `Content-Encoding`),
 * so that what works here works on one. Not for the internet: no caching, no compression, no access log.
 */
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What the page may do. The README asks those who host the page to send the same. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.gz': 'application/gzip',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Thrown for an answer that is no file. */
class Refusal extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Starts serving.
 *
 * @param {object} options
 * @param {string} options.root The folder of the page.
 * @param {Record<string, string>} [options.archives] Folders of archives by the name they get in the URL.
 * @param {number} [options.port] 0, the default, takes any free port.
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` ends with a slash.
 */
export async function serve({ root, archives = {}, port = 0 }) {
  const roots = {
    page: await realpath(root),
    archives: new Map(await Promise.all(Object.entries(archives).map(async ([name, dir]) => [name, await realpath(dir)]))),
  };
  const server = createServer((request, response) => {
    answer(request, response, roots).catch((error) => refuse(request, response, error));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request, response, roots) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refusal(405, 'only GET and HEAD', { allow: 'GET, HEAD' });
  }
  const path = decodedPath(request.url ?? '/');
  if (path === '/archives.json') {
    return sendText(request, response, JSON.stringify(await archiveList(roots.archives)), 'application/json');
  }
  const { dir, rest, headers } = place(path, roots);
  const file = await fileWithin(dir, rest);
  response.writeHead(200, {
    'cache-control': 'no-cache',
    'content-length': file.size,
    'content-type': TYPES[extname(file.path)] ?? 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  if (request.method === 'HEAD') return response.end();
  // A client that goes away in the middle (every cancelled run does) is no fault of ours.
  await pipeline(createReadStream(file.path), response).catch(() => response.destroy());
}

/** Percent-decoded after the split from the query, as an archive's own path is. */
function decodedPath(url) {
  let path;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0]);
  } catch {
    throw new Refusal(400, 'malformed URL');
  }
  if (!path.startsWith('/') || path.includes('\0') || path.includes('\\')) throw new Refusal(400, 'malformed URL');
  return path;
}

function place(path, roots) {
  const archive = /^\/archive\/([^/]+)\/(.*)$/.exec(path);
  if (archive) {
    const dir = roots.archives.get(archive[1]);
    if (dir === undefined) throw new Refusal(404, `no archive named ${archive[1]}`);
    return { dir, rest: archive[2], headers: {} };
  }
  const headers = { 'content-security-policy': CONTENT_SECURITY_POLICY, 'referrer-policy': 'no-referrer' };
  return { dir: roots.page, rest: path.endsWith('/') ? `${path}index.html` : path, headers };
}

/** The file's real place decides, so that neither `..` nor a symbolic link leads out of `dir`. */
async function fileWithin(dir, rest) {
  const notFound = new Refusal(404, 'not found');
  const path = await realpath(join(dir, rest)).catch(() => {
    throw notFound;
  });
  if (!path.startsWith(dir.endsWith(sep) ? dir : dir + sep)) throw notFound;
  const { size, isFile } = await stat(path).then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
  if (!isFile) throw notFound;
  return { path, size };
}

async function archiveList(archives) {
  return Promise.all(
    [...archives].map(async ([name, dir]) => ({ name: title(name, dir), url: `/archive/${encodeURIComponent(name)}/`, network: await passphrase(dir) })),
  );
}

function title(name, dir) {
  if (name === 'sample') return 'Sample archive';
  return name === 'local' ? basename(dir) : name;
}

/** `null` where the archive does not say (format version 1 need not) or says it unreadably: the verifier finds out why. */
async function passphrase(dir) {
  try {
    const state = JSON.parse(await readFile(join(dir, '.well-known/stellar-history.json'), 'utf8'));
    return typeof state.networkPassphrase === 'string' ? state.networkPassphrase : null;
  } catch {
    return null;
  }
}

function refuse(request, response, error) {
  if (response.headersSent) return response.destroy();
  const known = error instanceof Refusal;
  const status = known ? error.status : 500;
  sendText(request, response, `${status} ${known ? error.message : 'internal error'}\n`, 'text/plain; charset=utf-8', status, known ? error.headers : {});
}

function sendText(request, response, text, type, status = 200, headers = {}) {
  response.writeHead(status, {
    'cache-control': 'no-cache',
    'content-length': Buffer.byteLength(text),
    'content-type': type,
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
