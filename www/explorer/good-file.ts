/**
 * A file of another archive that takes the place of a faulty one: its address, and the command that puts it there.
 *
 * Pure. Not here: where it is found (`fix.ts`, and the verifier's own word in a report).
 */
import { quoted } from './form.ts';

/** The address of a file of an archive, only where it stays inside the archive's own origin. */
export function inside(archive: string, path: string): URL | null {
  const root = archive.endsWith('/') ? archive : `${archive}/`;
  if (!URL.canParse(path, root)) return null;
  const url = new URL(path, root);
  return /^https?:$/.test(url.protocol) && url.origin === new URL(root).origin ? url : null;
}

/** A file of an archive's folders, and nothing above them: a report that somebody else made may name anything. */
function isFile(path: string): boolean {
  return /^(history|ledger|transactions|results|scp|bucket)\/(?:[0-9a-f]{2}\/){3}\1-[0-9a-f]{8,64}\.(?:json|xdr\.gz)$/.test(path);
}

/** What its content must hash to, where its name says so. */
export function hashOf(path: string): string | null {
  return /^bucket\/(?:[0-9a-f]{2}\/){3}bucket-([0-9a-f]{64})\.xdr\.gz$/.exec(path)?.[1] ?? null;
}

/** For a shell in the archive's folder. */
export function fetchCommand(archive: string, path: string): string | null {
  const url = inside(archive, path);
  return url === null || !isFile(path) ? null : `curl -f --create-dirs -o ${quoted(path)} ${quoted(url.href)}`;
}

/** Findings that no other archive's file mends: its name is its hash, the file is this archive's own word, or it is the history itself. */
const BEYOND = new Set(['anchor-mismatch', 'genesis-mismatch', 'archives-disagree', 'bucket-order', 'bucket-meta', 'bucket-entry']);

/** Whether another archive can have the file that mends it. */
export function isMendable(code: string, path: string): boolean {
  return !BEYOND.has(code) && isFile(path);
}
