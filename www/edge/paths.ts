/**
 * The files that an archive has, by their paths: nothing else is relayed.
 *
 * The same grammar as `ArchivePath::parse` in Rust. A path is compared as it was sent: no escapes, no dots, no capitals.
 */

export type FileClass = 'root' | 'state' | 'checkpoint' | 'bucket';

export interface ArchiveFilePath {
  readonly path: string;
  readonly kind: FileClass;
  /** Of a bucket: the hash of its content. */
  readonly hash: string | null;
}

export const ROOT = '.well-known/stellar-history.json';
const INITIAL = 'history/00/00/00/history-00000000.json';
const STATE = /^history\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{2})\/history-([0-9a-f]{8})\.json$/;
const CHECKPOINT = /^(ledger|transactions|results|scp)\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{2})\/\1-([0-9a-f]{8})\.xdr\.gz$/;
const BUCKET = /^bucket\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{2})\/bucket-([0-9a-f]{64})\.xdr\.gz$/;

export function archiveFile(path: string): ArchiveFilePath | null {
  if (path === ROOT) return { path, kind: 'root', hash: null };
  if (path === INITIAL) return { path, kind: 'state', hash: null };
  const state = STATE.exec(path);
  if (state !== null) return inFolder(state.slice(1)) ? { path, kind: 'state', hash: null } : null;
  const checkpoint = CHECKPOINT.exec(path);
  if (checkpoint !== null) return inFolder(checkpoint.slice(2)) ? { path, kind: 'checkpoint', hash: null } : null;
  const bucket = BUCKET.exec(path);
  const [, a, b, c, hash] = bucket ?? [];
  return hash !== undefined && hash.startsWith(`${a}${b}${c}`) ? { path, kind: 'bucket', hash } : null;
}

/** Checkpoints end at multiples of 64, or of 8 where time is accelerated. */
function inFolder([a, b, c, hex = '']: readonly string[]): boolean {
  return hex.startsWith(`${a}${b}${c}`) && Number.parseInt(hex, 16) % 8 === 7;
}
