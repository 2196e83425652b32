/**
 * Verifications of an archive in memory, again and again in one process: `node warm.mjs BUNDLE`, then options as JSON, one line a round.
 * `{ "trust": …, "skipBuckets": … }` are those of `verifyArchive`; with `"folder"` or `"url"` the archive is read from there, not from memory,
 * and with `"url"` and `"paths"` these files are only fetched.
 */
import { readFileSync } from 'node:fs';
import { argv, cpuUsage, stdin } from 'node:process';
import { createInterface } from 'node:readline';
import * as library from '../../../dist/node.mjs';
import { fetchAlone } from '../page/fetch-alone.mjs';
import { memoryReader, unbundle, verifyOnce } from '../page/unbundle.mjs';

const source = memoryReader(unbundle(readFileSync(argv[2])));
await library.init();
for await (const line of createInterface({ input: stdin })) {
  const { folder, url, paths, ...options } = JSON.parse(line);
  const from = folder === undefined ? url ?? source : library.directoryReader(folder);
  const measured = paths === undefined ? round(from, options) : fetchAlone({ url, paths });
  console.log(JSON.stringify(await measured.catch(({ message }) => ({ error: message }))));
}

/** The whole process' CPU time, that of its threads included. */
async function round(from, options) {
  const before = cpuUsage();
  const result = await verifyOnce(library, from, options);
  const { user, system } = cpuUsage(before);
  return { ...result, cpuMs: (user + system) / 1000 };
}
