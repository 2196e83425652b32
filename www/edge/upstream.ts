/**
 * The only place that fetches from archives: files by their paths, of archives on the list, in bounded number and size.
 *
 * Redirects are followed within the archive's own origin only. Not here: what the files mean, and the cache (`relay.ts`).
 */
import type { ArchiveFile, ArchiveReader } from '../lib/types.ts';
import type { Archive, Limits } from './config.ts';
import { archiveFile } from './paths.ts';
import type { ArchiveFilePath } from './paths.ts';

const MAX_REDIRECTS = 3;
const RETRY_PAUSE_MS = 300;
/** Compressed bytes of a checkpoint's file; those of the busiest networks have a few tens of megabytes. */
const MAX_FILE_BYTES = 128 << 20;

/** The archive gave no file and did not say that there is none. `code` is understood by the verifier. */
export class UpstreamError extends Error {
  readonly code: 'FORBIDDEN' | 'NETWORK';
  readonly passing: boolean;

  constructor(message: string, { code = 'NETWORK', passing = false }: { readonly code?: 'FORBIDDEN' | 'NETWORK'; readonly passing?: boolean } = {}) {
    super(message);
    this.code = code;
    this.passing = passing;
  }
}

/** How many requests an invocation may still make. */
export class Meter {
  #left: number;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  get left(): number {
    return this.#left;
  }

  take(): void {
    if (this.#left <= 0) throw new UpstreamError(`this worker makes ${this.#most} requests at a time at most (SUBREQUESTS)`);
    this.#left -= 1;
  }
}

export interface Asked {
  readonly method: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The archive's own answer, redirects within its origin followed. */
export async function ask(archive: Archive, file: ArchiveFilePath, meter: Meter, { method, headers = {}, signal }: Asked): Promise<Response> {
  const root = new URL(archive.url);
  let target = new URL(root.href + file.path);
  for (let hops = 0; ; hops += 1) {
    meter.take();
    let response: Response;
    try {
      response = await fetch(target.href, {
        method, signal, redirect: 'manual', cache: 'no-store',
        // Files as they are stored: what is compressed has its length, and is hashed as it comes.
        headers: { 'accept-encoding': 'identity', 'user-agent': 'stellar-archive-verifier', ...headers },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new UpstreamError(`the connection failed: ${error instanceof Error ? error.message : String(error)}`, { passing: true });
    }
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    await discard(response);
    const location = response.headers.get('location');
    const next = location === null ? null : URL.canParse(location, target.href) ? new URL(location, target.href) : null;
    if (next === null || next.origin !== root.origin || next.username !== '' || next.password !== '') {
      throw new UpstreamError(`HTTP ${response.status}: it redirects to another place, which is not on the list`);
    }
    if (hops >= MAX_REDIRECTS) throw new UpstreamError(`it redirects more than ${MAX_REDIRECTS} times`);
    target = next;
  }
}

/** Frees the connection: there are six of them. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** What Content-Length says of a body that comes as it is stored. */
export function statedLength({ headers }: Response): number | null {
  const encoding = headers.get('content-encoding');
  const length = headers.get('content-length');
  if ((encoding !== null && encoding !== 'identity') || length === null || !/^\d{1,15}$/.test(length)) return null;
  return Number(length);
}

/** Fails once more than `most` bytes came. */
export function capped(most: number, what: string): TransformStream<Uint8Array, Uint8Array> {
  let count = 0;
  return new TransformStream({
    transform(chunk, controller) {
      count += chunk.byteLength;
      if (count > most) controller.error(new UpstreamError(`${what} has more than ${most} bytes`));
      else controller.enqueue(chunk);
    },
  });
}

/** The archive as the verifier reads it. */
export function reader(archive: Archive, meter: Meter, limits: Limits): ArchiveReader {
  async function once(file: ArchiveFilePath, signal: AbortSignal): Promise<ArchiveFile> {
    const response = await ask(archive, file, meter, { method: 'GET', signal });
    const { status } = response;
    if (status !== 200) await discard(response);
    if (status === 404 || status === 410) return null;
    if (status === 401 || status === 403) throw new UpstreamError(`HTTP ${status}`, { code: 'FORBIDDEN' });
    if (status !== 200) throw new UpstreamError(`HTTP ${status}`, { passing: status === 429 || status >= 500 });
    const most = file.kind === 'bucket' ? limits.MAX_BUCKET_BYTES : MAX_FILE_BYTES;
    const length = statedLength(response);
    if (length !== null && length > most) {
      await discard(response);
      throw new UpstreamError(tooLarge(file, length, most));
    }
    if (response.body === null) return new Uint8Array();
    return length === null ? response.body.pipeThrough(capped(most, 'the file')) : response.body;
  }

  return {
    name: archive.url.replace(/\/$/, ''),
    async get(path, { signal }) {
      const file = archiveFile(path);
      if (file === null) throw new UpstreamError('no archive has such a file');
      try {
        return await once(file, signal);
      } catch (error) {
        if (!(error instanceof UpstreamError && error.passing)) throw error;
      }
      // What passes, a busy server or a connection that broke, is tried once more.
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
      signal.throwIfAborted();
      return once(file, signal);
    },
  };
}

function tooLarge({ kind }: ArchiveFilePath, length: number, most: number): string {
  return kind === 'bucket'
    ? `the bucket has ${length} bytes, more than the ${most} that this worker reads (MAX_BUCKET_BYTES): it is left unchecked`
    : `the file has ${length} bytes, more than the ${most} that this worker reads`;
}
