/**
 * Archives behind URLs that somebody else has signed: writing to a bucket from a page that has no keys.
 */
import type { ArchiveReader } from '../types.ts';
import { demand, discard, fetchFile, isThere } from './http.ts';
import type { Call } from './http.ts';
import { checkedPath, contentType } from './path.ts';
import { blobSpool } from './spool.ts';
import type { Payload, Spool } from './spool.ts';
import { spooledFile } from './staged.ts';
import type { Asked, StagedWriter } from './staged.ts';

export interface PresignedOptions {
  /** The URL at which `path` is written (`PUT`), read (`GET`) or looked for (`HEAD`); asked for anew each time, since they expire. */
  url(path: string, method: 'PUT' | 'GET' | 'HEAD'): string | URL | Promise<string | URL>;
  /** Sent along with every PUT, where they were signed as well. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Shown in reports. */
  readonly name?: string;
}

const advice = (status: number): string | undefined =>
  status === 403 || status === 400 ? 'The URL may have expired, be signed for another method, or want other headers.' : undefined;

/** An archive whose files each have a signed URL. */
export function presignedWriter(
  { url, headers = {}, name = 'signed URLs' }: PresignedOptions, spool: () => Spool = blobSpool,
): ArchiveReader & StagedWriter {
  async function call(method: 'PUT' | 'GET' | 'HEAD', path: string, what: string): Promise<Call> {
    return { method, url: await url(checkedPath(path), method), what: `${what} (${method})` };
  }

  async function send(path: string, body: Uint8Array | Payload, options: Asked): Promise<void> {
    options.signal.throwIfAborted();
    const request = await call('PUT', path, `${path} could not be written`);
    await discard(await demand({ ...request, body, headers: { 'Content-Type': contentType(path), ...headers } }, options, advice));
  }

  return {
    name,
    put: send,
    async stage(path, options) {
      options.signal.throwIfAborted();
      checkedPath(path);
      return spooledFile(path, options, spool(), (whole) => send(path, whole, options));
    },
    async exists(path, options) {
      options.signal.throwIfAborted();
      return isThere(await call('HEAD', path, `${path} could not be looked for`), options, advice);
    },
    async get(path, options) {
      options.signal.throwIfAborted();
      return fetchFile(await call('GET', path, `${path} could not be read`), options, advice);
    },
  };
}
