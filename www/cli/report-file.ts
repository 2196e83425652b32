/**
 * The report on disk: complete or not there at all.
 *
 * Not here: what is in it.
 */
import { constants } from 'node:fs';
import { access, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../lib/errors.ts';
import type { Report } from '../lib/types.ts';
import { usage } from './arguments.ts';

/** Refuses, before hours of work, a file that could not be written after them. */
export async function checkReportFile(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw usage(`--report ${path} cannot be written: ${messageOf(cause)}`, `Make the folder ${folder}, or choose another.`);
  }
  const isDirectory = await stat(path).then((found) => found.isDirectory(), () => false);
  if (isDirectory) throw usage(`--report ${path} is a folder`, 'Name a file in it.');
}

/** Written beside its place and moved there, so that nobody ever reads half a report. */
export async function writeReport(path: string, report: Report): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(report, null, 2)}\n`);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw usage(`the report could not be written to ${path}: ${messageOf(cause)}`, 'Free some space or choose another place, and run again.');
  }
}
