/**
 * A good file for a faulty one, looked for in other archives of the network, when a person asks for it.
 *
 * A bucket is good where its content hashes to its name. The other files are nobody's by themselves: so the one of the other archive is put
 * in its place, on the way and not on any disk, and the checkpoint is verified again with those beside it, as the archive would be with it. Bounded: the
 * first files of a finding, a few archives, three checkpoints each. Not here: any view, and any rule of verification.
 */
import type { ArchiveFile, ArchiveReader, Finding, Report, VerifyOptions } from '../lib/types.ts';
import { verifyInWorker } from '../lib/worker-client.ts';
import { checkpointOf, firstLedgerOf } from './checkpoints.ts';
import { takeWorker, warmUp } from './engine.ts';
import { explorerOf } from './explore/client.ts';
import { folders } from './folders.ts';
import { inside } from './good-file.ts';
import { bare, othersOf } from './others.ts';
import { asFailure, type Run } from './run.ts';
import { sourceLabel } from './store.ts';

/** Files of a finding that are looked for. */
const FILES = 3;
/** Ledgers of a checkpoint, unless the range says that it is a network of shorter ones. */
const FREQUENCY = 64;

export interface Sought {
  readonly path: string;
  readonly outcome:
    | { readonly found: string; readonly how: string }
    /** What each of the others has instead. */
    | { readonly found: null; readonly why: readonly { readonly archive: string; readonly what: string }[] };
}

/** The files of a finding that can be looked for, the first of them. */
export function soughtOf(alike: readonly Finding[]): readonly string[] {
  return [...new Set(alike.map(({ path }) => path))].slice(0, FILES);
}

async function fileOf(archive: string, path: string, signal: AbortSignal): Promise<ArchiveFile> {
  const url = inside(archive, path);
  if (url === null) return null;
  const answer = await fetch(url, { credentials: 'omit', referrerPolicy: 'no-referrer', signal });
  if (answer.status === 404 || answer.status === 403) return null;
  if (!answer.ok) throw Object.assign(new Error(`the server answered ${answer.status}`), { status: answer.status });
  return answer.body;
}

/** The archive of the check with some of its files taken from another one. */
function mended(run: Run, archive: string, other: string, paths: ReadonlySet<string>): ArchiveReader {
  const source = run.setup.form.sources.find((one) => bare(sourceLabel(one)) === bare(archive));
  const folder = source?.kind === 'folder' ? folders.value.get(source.name) : undefined;
  return {
    name: archive,
    get: (path, options) => {
      if (paths.has(path)) return fileOf(other, path, options.signal);
      return folder === undefined ? fileOf(archive, path, options.signal) : folder.get(path, options);
    },
  };
}

async function verified(reader: ArchiveReader, options: VerifyOptions): Promise<Report> {
  const worker = takeWorker();
  try {
    const running = verifyInWorker(worker, [reader], options);
    return await running.report;
  } finally {
    worker.terminate();
    warmUp();
  }
}

/** Whether the file of `other` mends the archive: what it is found good by, or what is wrong with it. */
async function tryFile(run: Run, report: Report, finding: Finding, other: string, signal: AbortSignal): Promise<{ readonly good: boolean; readonly words: string }> {
  const { path, archive, checkpoint } = finding;
  const bucket = /^bucket\/(?:[0-9a-f]{2}\/){3}bucket-([0-9a-f]{64})\./.exec(path)?.[1];
  if (bucket !== undefined) {
    const explorer = explorerOf({ url: other });
    try {
      const check = await explorer.verifyBucket(bucket, { signal });
      return check.holds ? { good: true, words: 'its content was hashed just now, and the hash is its name' } : { good: false, words: 'has another content under this name as well' };
    } finally {
      explorer.close();
    }
  }
  const range = report.range;
  if (checkpoint === undefined || range === null) return { good: false, words: 'cannot be judged: the check did not get as far as this file' };
  const frequency = checkpointOf(checkpoint, FREQUENCY) === checkpoint ? FREQUENCY : 8;
  const low = Math.max(range.low, firstLedgerOf(checkpoint, frequency) - frequency, 1);
  const high = Math.min(range.high, checkpoint + frequency);
  const about = (one: Finding): boolean => one.archive === archive && one.checkpoint !== undefined && one.checkpoint >= low && one.checkpoint <= high;
  const paths = new Set([path, ...report.findings.filter(about).map((one) => one.path)]);
  const passphrase = report.network?.passphrase;
  const { deep = false, trust } = run.options;
  const { checkpointHashes: _, ...rest } = trust ?? {};
  const tried = await verified(mended(run, archive, other, paths), {
    range: { low, high }, deep, skipBuckets: true, skipOptional: !path.startsWith('scp/'), signal, maxRetries: 1,
    ...(passphrase === null || passphrase === undefined ? {} : { network: passphrase }), ...(Object.keys(rest).length === 0 ? {} : { trust: rest }),
  });
  signal.throwIfAborted();
  const wrong = tried.findings.find((one) => one.path === path) ?? tried.findings.find(({ severity, path: where }) => severity === 'error' && !where.startsWith('.well-known/'));
  if (wrong !== undefined) return { good: false, words: wrong.code === 'file-missing' ? 'does not have it either' : `does not fit: ${wrong.message}` };
  const [error] = tried.errors;
  if (error !== undefined) return { good: false, words: `could not be read: ${error.message}` };
  const kind = path.slice(0, path.indexOf('/'));
  const looked = tried.totals[kind as keyof Report['totals']];
  if (looked === undefined || looked.verified === 0 || looked.faulty + looked.unchecked > 0) return { good: false, words: 'could not be judged' };
  return { good: true, words: `with it in its place this archive’s ledgers ${low} to ${high} were verified again, and no fault was found` };
}

/** Looks for the first files of a finding. `onStep` hears what is asked for where. */
export async function lookForGood(
  run: Run, report: Report, alike: readonly Finding[], signal: AbortSignal, onStep: (path: string, archive: string) => void,
): Promise<readonly Sought[]> {
  const sought: Sought[] = [];
  for (const path of soughtOf(alike)) {
    const finding = alike.find((one) => one.path === path);
    const why: { archive: string; what: string }[] = [];
    let outcome: Sought['outcome'] = { found: null, why };
    for (const other of finding === undefined ? [] : othersOf(report)) {
      signal.throwIfAborted();
      onStep(path, other);
      try {
        const { good, words } = await tryFile(run, report, finding as Finding, other, signal);
        if (good) {
          outcome = { found: other, how: words };
          break;
        }
        why.push({ archive: other, what: words });
      } catch (error) {
        if (signal.aborted) throw error;
        const { code, message } = asFailure(error);
        why.push({ archive: other, what: code === 'NOT_FOUND' ? 'does not have it either' : `could not be asked: ${message}` });
      }
    }
    sought.push({ path, outcome });
  }
  return sought;
}
