/**
 * What the tests of the package and of the command line share: where things lie, running the command, real archives.
 *
 * Not here: any assertion about archives.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const inRepository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const CLI = inRepository('dist/cli.mjs');
export const WASM = inRepository('dist/stellar_archive_verifier_bg.wasm');

const DATA = process.env.STELLAR_ARCHIVE_DATA ?? inRepository('../shared/data');

/** The reason why tests over real archives cannot run, or `false`; on CI there is no such reason, they fail instead. */
export const noData = process.env.CI !== 'true' && !existsSync(join(DATA, 'archives'))
  ? `no real archives at ${DATA}: set STELLAR_ARCHIVE_DATA`
  : false;

/** Runs the command to its end. `stdout` and `stderr` are not terminals here. */
export async function cli(args, { env = {}, timeout = 120_000 } = {}) {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, ...env }, timeout });
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
