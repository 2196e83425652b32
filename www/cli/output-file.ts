/**
 * Results on disk: complete or not there at all; or straight into what is no file (a pipe, a device).
 *
 * Not here: what is in them.
 */
import { constants, fstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import { messageOf } from '../lib/errors.ts';
import { usage } from './options.ts';

/** Where links lead, also when there is nothing yet at their end: moving a file onto a link would replace the link. */
async function behindLinks(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const next = await readlink(path).catch(() => undefined);
  return next === undefined ? path : behindLinks(resolve(dirname(path), next));
}

/** Our own stdout or stderr under another name: opening it anew would start at its beginning, and sockets cannot be opened. */
function ownStream(found: Stats): NodeJS.WriteStream | undefined {
  return [process.stdout, process.stderr].find(({ fd }) => {
    try {
      const { dev, ino } = fstatSync(fd);
      return dev === found.dev && ino === found.ino;
    } catch {
      return false;
    }
  });
}

/** Names of open files as well: what is behind `/dev/fd/3` must stay the file that somebody has open. */
function takesNoRename(path: string, found: Stats | undefined): found is Stats {
  return found !== undefined && (!found.isFile() || /^\/(dev|proc)\//.test(path) || ownStream(found) !== undefined);
}

function existing(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

/** Refuses, before hours of work, a file that could not be written after them. */
export async function checkOutputFile(option: string, path: string): Promise<void> {
  const found = await existing(path);
  if (found?.isDirectory() === true) throw usage(`${option} ${path} is a folder`, 'Name a file in it.');
  const straight = takesNoRename(path, found);
  if (straight && ownStream(found) !== undefined) return;
  const needed = straight ? path : dirname(await behindLinks(path));
  try {
    await access(needed, constants.W_OK);
  } catch (cause) {
    throw usage(`${option} ${path} cannot be written: ${messageOf(cause)}`, straight ? 'Choose another place.' : `Make the folder ${needed}, or choose another.`);
  }
}

/** Refuses two results that would end up in one file. */
export async function checkDistinct(files: Readonly<Record<string, string | undefined>>): Promise<void> {
  const named = Object.entries(files).flatMap(([option, path]) => (path === undefined ? [] : [{ option, path }]));
  const real = await Promise.all(named.map(async ({ path }) => {
    const found = await existing(path);
    // Two may well go to one terminal or to /dev/null.
    return takesNoRename(path, found) ? undefined : behindLinks(resolve(path));
  }));
  const second = real.findIndex((path, index) => path !== undefined && real.indexOf(path) !== index);
  const first = real.indexOf(real[second]);
  if (second !== -1) throw usage(`${named[first]?.option} and ${named[second]?.option} name the same file`, 'Give each a file of its own.');
}

function writeStream(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((done, failed) => {
    stream.write(text, (error) => (error ? failed(error) : done()));
  });
}

/** Written beside its place and moved there, so that nobody ever reads half of it. */
async function replaceFile(path: string, text: string): Promise<void> {
  const target = await behindLinks(path);
  const draft = `${target}.${process.pid}.tmp`;
  try {
    // On the disk before it takes its place: after a power failure it is the old file or the new one.
    await writeFile(draft, text, { flush: true });
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
}

/** `what` is it called in a complaint: `the report`. */
export async function writeOutput(what: string, path: string, text: string): Promise<void> {
  try {
    const found = await existing(path);
    if (!takesNoRename(path, found)) await replaceFile(path, text);
    else {
      const stream = ownStream(found);
      await (stream === undefined ? writeFile(path, text) : writeStream(stream, text));
    }
  } catch (cause) {
    throw usage(`${what} could not be written to ${path}: ${messageOf(cause)}`, 'Free some space or choose another place, and run again.');
  }
}
