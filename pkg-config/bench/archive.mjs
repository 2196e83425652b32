/** The archive that is measured: what it has, and all of it as one file that programs of every kind read into their memory. */
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';

/** The paths of its files, sorted. */
export async function pathsIn(dir) {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/')).sort();
}

export async function describe(dir) {
  const paths = await pathsIn(dir);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(join(dir, path))).size));
  return { name: basename(dir), bytes: sizes.reduce((sum, size) => sum + size, 0), checkpoints: (await checkpointsOf(dir)).length, files: paths.length };
}

/** The last ledgers of its checkpoints, ascending. */
export async function checkpointsOf(dir) {
  const found = (await pathsIn(dir)).map((path) => /^history\/.*history-([0-9a-f]{8})\.json$/.exec(path)?.[1]).filter((hex) => hex !== undefined);
  return found.map((hex) => Number.parseInt(hex, 16)).sort((a, b) => a - b);
}

/** `path length, path, content length, content`, again and again; lengths are four bytes, the lowest first. */
export async function bundle(dir, file) {
  const parts = [];
  for (const path of await pathsIn(dir)) {
    for (const part of [Buffer.from(path), await readFile(join(dir, path))]) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(part.length);
      parts.push(length, part);
    }
  }
  await writeFile(file, Buffer.concat(parts));
}
