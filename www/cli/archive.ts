/**
 * From the archive's name on the command line to what the verifier reads: a URL or a folder.
 *
 * Not here: judging the archive. Only what cannot be one is refused; a folder that is an archive with its root file
 * missing goes through, because that is a finding.
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { directoryReader } from '../lib/node.ts';
import type { ArchiveSource } from '../lib/types.ts';
import { usage } from './options.ts';

const ROOT_FILE = '.well-known/stellar-history.json';
/** The folders of an archive, any of which shows that the folder was meant. */
const FOLDERS = ['history', 'ledger', 'transactions', 'results', 'bucket'];

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** A host's name without a scheme is the likeliest slip: `history.stellar.org/prd/…`. */
export function looksLikeHost(name: string): boolean {
  return /^[\w-]+(\.[\w-]+)+(:\d+)?(\/|$)/.test(name) && !name.startsWith('.');
}

/** The nearest folder above `path` that is an archive. */
async function enclosingArchive(path: string): Promise<string | undefined> {
  for (let folder = dirname(resolve(path)); folder !== dirname(folder); folder = dirname(folder)) {
    if (await exists(join(folder, ROOT_FILE))) return folder;
  }
  return undefined;
}

/** For a word that follows another archive: it may be the rest of a passphrase. */
const QUOTES = 'Check the spelling; a value with spaces needs quotes around it.';

async function folder(path: string, follows: boolean): Promise<ArchiveSource> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(path)).isDirectory();
    if (isDirectory) await access(path, constants.R_OK | constants.X_OK);
  } catch (cause) {
    if (codeOf(cause) === 'EACCES') throw usage(`the folder ${path} may not be read: permission denied`, 'Run this as a user who may read it.');
    throw usage(`there is no folder ${path}`, looksLikeHost(path)
      ? `If it is on the network, write https://${path}`
      : follows && !/[./\\]/.test(path) ? QUOTES : 'Check the spelling; a URL begins with https:// or http://.');
  }
  const above = async (): Promise<string> => {
    const found = await enclosingArchive(path);
    return found === undefined ? `Give the folder that holds ${ROOT_FILE}.` : `The archive seems to be ${found}`;
  };
  if (!isDirectory) throw usage(`${path} is a file, not the folder of an archive`, await above());
  const names = [ROOT_FILE, ...FOLDERS].map((name) => exists(join(path, name)));
  if (!(await Promise.all(names)).includes(true)) {
    throw usage(`${path} does not look like a history archive: it has no ${ROOT_FILE}`, basename(resolve(path)) === '.well-known'
      ? `Give the folder above it: ${dirname(resolve(path))}`
      : await above());
  }
  return directoryReader(path);
}

/** The archives that `names` name, each of them once. */
export async function openArchives(names: readonly string[]): Promise<ArchiveSource[]> {
  const sources = await Promise.all(names.map((name, index) => openArchive(name, index > 0)));
  const places = await Promise.all(sources.map((source) => (source instanceof URL ? source.href.replace(/\/+$/, '') : realpath(nameOf(source)))));
  const twice = names.find((_, index) => places.indexOf(places[index] ?? '') !== index);
  if (twice !== undefined) throw usage(`${twice} is given twice`, 'Name each archive once: a second copy of the same one vouches for nothing.');
  return sources;
}

function nameOf(source: ArchiveSource): string {
  return typeof source === 'string' || source instanceof URL ? String(source) : source.name;
}

/** The archive that `name` names; `follows` says that it is not the first. */
export async function openArchive(name: string, follows = false): Promise<ArchiveSource> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(name)?.[1]?.toLowerCase();
  if (scheme === undefined) return folder(name, follows);
  let url: URL;
  try {
    url = new URL(name);
  } catch {
    throw usage(`${name} is not a URL`, 'Check the host and the port.');
  }
  if (scheme === 'http' || scheme === 'https') return url;
  if (scheme === 'file') return folder(fileURLToPath(url), follows);
  throw usage(`archives are read over http and https and from folders, not over ${scheme}`, 'Give its https address, or copy it to a folder first.');
}
