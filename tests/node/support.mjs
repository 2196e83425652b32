/**
 * What the tests of the package and of the command line share: where things lie, running the command, real archives.
 *
 * Not here: any assertion about archives.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';

const inRepository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const CLI = inRepository('dist/cli.mjs');
export const WASM = inRepository('dist/stellar_archive_verifier_bg.wasm');

const DATA = process.env.STELLAR_ARCHIVE_DATA ?? inRepository('../shared/data');

/** The reason why tests over real archives cannot run, or `false`; on CI there is no such reason, they fail instead. */
export const noData = process.env.CI !== 'true' && !existsSync(join(DATA, 'archives'))
  ? `no real archives at ${DATA}: set STELLAR_ARCHIVE_DATA`
  : false;

/** The archive of a made-up network that the repository makes for itself: ledgers 1 to 319. */
export const SAMPLE = inRepository('target/sample-archive');
export const SAMPLE_NETWORK = 'Sample Network ; stellar-archive-verifier';
export const SAMPLE_CHECKPOINTS = [63, 127, 191, 255, 319];

/** What makes sample archives; the build leaves it there. Each has four validators, of whom three are a quorum. */
const SAMPLE_MAKER = inRepository('target/xtask/sample-archive');

/** As `noData`, for the sample archive. */
export const noSample = process.env.CI !== 'true' && !existsSync(join(SAMPLE, '.well-known'))
  ? 'no sample archive in target/sample-archive: npm start makes it'
  : false;

/** Makes an archive of 128 ledgers in `folder`: another history of the test network, say, with validators of its own. */
export async function makeArchive(folder, ...options) {
  await promisify(execFile)(SAMPLE_MAKER, ['--ledgers', '128', ...options, folder]);
  return folder;
}

/** Variables that change what the command does: those of whoever runs the tests must not. */
const CHANGING = ['NO_COLOR', 'FORCE_COLOR', 'CLICOLOR', 'CLICOLOR_FORCE', 'STELLAR_ARCHIVE_VERIFIER_CONFIG'];

/** The environment of a machine without a config file and without wishes for colours. */
export const plainEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !CHANGING.includes(name))),
  XDG_CONFIG_HOME: join(tmpdir(), 'stellar-archive-verifier-no-config'), APPDATA: join(tmpdir(), 'stellar-archive-verifier-no-config'),
};

/** Runs the command to its end. `stdout` and `stderr` are not terminals here. */
export async function cli(args, { env = {}, timeout = 120_000, stdin, cwd } = {}) {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...plainEnv, ...env }, cwd, timeout, killSignal: 'SIGKILL' });
  if (stdin !== undefined) child.stdin.end(stdin);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  const [status, signal] = await once(child, 'close');
  return { status: status ?? signal, ...output };
}

/** The objects of `--json` output. */
export function jsonLines(text) {
  return text.trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** A folder that is gone after the test. */
export async function temporary(test) {
  const folder = await mkdtemp(join(tmpdir(), 'stellar-archive-verifier-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const ARCHIVES = ['pubnet-1.2m', 'pubnet-12m', 'synth-p27', 'testnet-genesis-p24', 'testnet-p22'];

export const archive = (name) => join(DATA, 'archives', name);

/** The ledgers that `folder` holds: an excerpt begins at its first checkpoint, not at genesis. */
export async function ledgers(folder) {
  const names = await readdir(join(folder, 'history'), { recursive: true });
  const checkpoints = names
    .map((name) => /history-([0-9a-f]{8})\.json$/.exec(name)?.[1])
    .filter((hex) => hex !== undefined)
    .map((hex) => Number.parseInt(hex, 16));
  return { low: Math.max(1, Math.min(...checkpoints) - 63), high: Math.max(...checkpoints) };
}

/** The variants of the data set, each a clean archive with one thing made wrong. */
export function variants() {
  return JSON.parse(readFileSync(join(DATA, 'variants/manifest.json'), 'utf8')).variants;
}

/** Builds `variant` in `folder`. */
export async function materialize(variant, folder) {
  const script = join(DATA, 'tools/materialize.py');
  await promisify(execFile)('python3', ['-B', script, '--set-dir', DATA, '--id', variant.id, '--out', folder]);
  return folder;
}

/** A web server that answers as `handler` says. */
export async function server(test, handler) {
  const http = createServer(handler);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  test.after(() => {
    http.close();
    http.closeAllConnections();
  });
  return `http://127.0.0.1:${http.address().port}/`;
}

/** A copy of the sample archive that a test may damage. */
export async function sampleCopy(test, name = 'copy') {
  const folder = join(await temporary(test), name);
  await cp(SAMPLE, folder, { recursive: true });
  return folder;
}

export function pathOf(kind, checkpoint) {
  const hex = typeof checkpoint === 'string' ? checkpoint : checkpoint.toString(16).padStart(8, '0');
  return `${kind}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4, 6)}/${kind}-${hex}.${kind === 'history' ? 'json' : 'xdr.gz'}`;
}

/** What `path` says, with one bit turned around and still well-formed gzip. */
export function lie(bytes, offset = 100) {
  const content = gunzipSync(bytes);
  // An empty file can only say too much.
  if (content.length === 0) return gzipSync(Buffer.from([0x80, 0, 0, 0]));
  content[Math.min(offset, content.length - 1)] ^= 1;
  return gzipSync(content);
}

export async function damage(folder, path, offset) {
  const file = join(folder, path);
  await writeFile(file, lie(await readFile(file), offset));
}

/** Rolls the newest state of `folder` back to `checkpoint`: an archive that has not got further yet. */
export async function rollBack(folder, checkpoint) {
  await cp(join(folder, pathOf('history', checkpoint)), join(folder, '.well-known/stellar-history.json'));
}

/** The records of a file, each without its mark. */
export async function records(folder, path) {
  const content = gunzipSync(await readFile(join(folder, path)));
  const found = [];
  for (let offset = 0; offset < content.length;) {
    const length = content.readUInt32BE(offset) - 0x8000_0000;
    found.push(content.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return found;
}

/** The headers of a checkpoint, with what their bytes say. */
export async function headers(folder, checkpoint) {
  return (await records(folder, pathOf('ledger', checkpoint))).map((entry) => ({
    entry,
    hash: entry.subarray(0, 32).toString('hex'),
    protocol: entry.readUInt32BE(32),
    closeTime: entry.readBigUInt64BE(32 + 68).toString(),
  }));
}

/**
 * A folder on a web server, like any static host. `answer(path, body)` may say otherwise: `undefined` for the file as it
 * is, or `{ status, headers, body, delayMs }`. `asked` are the paths in their order.
 */
export async function host(test, folder, answer = () => undefined) {
  const asked = [];
  const url = await server(test, async (request, response) => {
    const path = new URL(request.url, 'http://host').pathname.slice(1);
    asked.push(path);
    const file = await readFile(join(folder, path)).catch(() => null);
    const { status = file === null ? 404 : 200, headers = {}, body = file, delayMs = 0 } = answer(path, file) ?? {};
    setTimeout(() => response.writeHead(status, headers).end(body ?? 'not found'), delayMs);
  });
  return { url, asked };
}

/** What a report says whenever it is made: without the times, and without what depends on who was asked first. */
export function timeless({ startedAt, elapsedMs, ...report }) {
  return report;
}
