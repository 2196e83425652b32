/** The paths that archives are made of, as their writers take them. Not here: which paths an archive has. */
import { ArchiveVerifierError } from '../errors.ts';

/** Refuses what would leave the archive, and what different places would take for different files. */
export function checkedPath(path: string): string {
  if (/[\\\0]/.test(path) || path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw new ArchiveVerifierError('USAGE', `${JSON.stringify(path)} is not a path inside an archive`);
  }
  return path;
}

/** The folders of `path` and its last name. */
export function partsOf(path: string): { readonly folders: readonly string[]; readonly file: string } {
  const folders = checkedPath(path).split('/');
  const file = folders.pop() ?? '';
  return { folders, file };
}

/** A name beside the file's own, under which it grows; archives have no such file. */
export function partialName(file: string, mark: string): string {
  return `.${file}.${mark}.partial`;
}

/** Percent-encodes what could mean anything else in a URL, or be encoded in two ways. */
export function encodedPath(path: string): string {
  return checkedPath(path)
    .split('/')
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`))
    .join('/');
}

export function contentType(path: string): string {
  return path.endsWith('.json') ? 'application/json' : path.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream';
}

/** 12 hex digits. */
export function randomMark(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
