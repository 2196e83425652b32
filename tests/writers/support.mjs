/** What the tests of the writers share: running the conformance suite, and folders and servers that can be looked into. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import test from 'node:test';
import { temporary } from '../node/support.mjs';
import { BEHAVIOURS } from './conformance.mjs';

export { server, temporary } from '../node/support.mjs';

/** A writer that waits for ever must not hang the tests. */
const TIMEOUT = 120_000;

/** Runs every behaviour over places that `open(t)` makes, each over one of its own. */
export function conforms(name, open) {
  for (const [behaviour, run] of Object.entries(BEHAVIOURS)) {
    test(`${name}: ${behaviour}`, { timeout: TIMEOUT }, async (t) => run(await open(t)));
  }
}

export async function filesIn(folder) {
  const names = await readdir(folder, { recursive: true });
  const files = [];
  for (const name of names) if ((await stat(join(folder, name))).isFile()) files.push(name.split(sep).join('/'));
  return files.sort();
}

/** Looks into a folder of this machine, whose files may be kept under other names. */
export function inFolder(folder, { ending = '' } = {}) {
  return {
    look: (path) => readFile(join(folder, path + ending)).catch((error) => {
      if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code)) return null;
      throw error;
    }),
    list: async () => (await filesIn(folder)).filter((name) => name.endsWith(ending)).map((name) => name.slice(0, name.length - ending.length)),
  };
}

/** A folder in which an archive can be written, whose name is not there yet. */
export async function freshFolder(t) {
  return join(await temporary(t), 'deep', 'archive');
}

export const unstopped = () => ({ signal: new AbortController().signal });

export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
