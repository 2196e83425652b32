/** The config file of this run: looked for, read, and what was seen on the way. Not here: what is in it (`file.ts`). */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { ArchiveVerifierError, messageOf } from '../../lib/errors.ts';
import { usage } from '../options.ts';
import { NO_CONFIG, readConfig } from './file.ts';
import type { Config } from './file.ts';
import { places } from './place.ts';
import type { Place } from './place.ts';

export interface Loaded {
  /** Its absolute path; `null` where there is none. */
  readonly file: string | null;
  readonly places: readonly Place[];
  readonly config: Config;
}

/** It is written by hand. */
const LARGEST = 1 << 20;

/** A home that the system does not know is none. */
function home(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}

function isAbsent(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}

/** Finds the file and reads it. One that somebody named must be there. */
export async function loadConfig(option: string | undefined): Promise<Loaded> {
  if (option === '') throw usage('--config needs the name of a file', 'Name one; /dev/null is no config file at all.');
  const all = places(option, process.env, { name: process.platform, home: home() });
  const place = all.find(({ path }) => path !== null);
  if (place === undefined || place.path === null) return { file: null, places: all, config: NO_CONFIG };
  const file = resolve(place.path);
  try {
    const found = await stat(file);
    if (found.isDirectory()) throw usage(`the config file ${file} is a folder (${place.from})`, 'Name a file in it.');
    if (found.size > LARGEST) throw usage(`the config file ${file} is larger than ${LARGEST >> 20} MB (${place.from})`, 'Check that it is the file you mean; help config shows what is in one.');
    return { file, places: all, config: readConfig(file, await readFile(file, 'utf8')) };
  } catch (cause) {
    if (cause instanceof ArchiveVerifierError) throw cause;
    if (!isAbsent(cause)) throw usage(`the config file ${file} cannot be read (${place.from}): ${messageOf(cause)}`, 'Make it readable, or name another one with --config FILE.');
    if (place.from === 'the usual place') return { file: null, places: all, config: NO_CONFIG };
    throw usage(`there is no config file ${file} (${place.from})`, `Check the spelling${place.from === '--config' ? '' : `, or unset ${place.from}`}; help config shows what is in one.`);
  }
}
