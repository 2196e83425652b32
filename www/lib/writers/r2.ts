/**
 * Cloudflare R2 by a Worker's binding. By its S3 interface, from anywhere else: `s3.ts`.
 */
import type { ArchiveFile } from '../types.ts';
import { writeFault } from './errors.ts';
import { stagedInParts } from './multipart.ts';
import type { PartsUpload } from './multipart.ts';
import { checkedPath, contentType } from './path.ts';
import type { Asked, StagedWriter } from './staged.ts';
import type { ArchiveReader } from '../types.ts';

interface R2Settings {
  readonly httpMetadata?: { readonly contentType?: string };
}

/** As much of Cloudflare's `R2Bucket` as is used here. */
export interface R2BucketLike {
  put(key: string, value: Uint8Array, options?: R2Settings): Promise<unknown>;
  head(key: string): Promise<object | null>;
  get(key: string): Promise<{ readonly body: ReadableStream } | null>;
  createMultipartUpload(key: string, options?: R2Settings): Promise<R2UploadLike>;
}

interface R2PartLike {
  readonly partNumber: number;
  readonly etag: string;
}

export interface R2UploadLike {
  uploadPart(partNumber: number, value: Uint8Array): Promise<R2PartLike>;
  complete(parts: R2PartLike[]): Promise<unknown>;
  abort(): Promise<void>;
}

export interface R2Options {
  /** The folder of the bucket that the archive is in. */
  readonly prefix?: string;
  /** Shown in reports. */
  readonly name?: string;
}

/** An archive in the bucket that a Worker is bound to. */
export function r2Writer(bucket: R2BucketLike, { prefix = '', name = 'R2' }: R2Options = {}): ArchiveReader & StagedWriter {
  const folder = prefix.replace(/^\/+|\/+$/g, '');
  const key = (path: string): string => checkedPath(folder === '' ? path : `${folder}/${path}`);

  /** The binding knows no signals: what is under way goes on to its end, and nothing new is begun. */
  async function call<T>(what: string, { signal }: Asked, body: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await body();
    } catch (cause) {
      throw writeFault(what, cause, signal);
    }
  }

  const settings = (path: string): R2Settings => ({ httpMetadata: { contentType: contentType(path) } });

  async function put(path: string, content: Uint8Array, options: Asked): Promise<void> {
    await call(`${path} could not be written to ${name}`, options, () => bucket.put(key(path), content, settings(path)));
  }

  async function begin(path: string, options: Asked): Promise<PartsUpload> {
    const what = `${path} could not be written to ${name} in parts`;
    const upload = await call(what, options, () => bucket.createMultipartUpload(key(path), settings(path)));
    const parts: R2PartLike[] = [];
    return {
      async part(number, content) {
        parts.push(await call(what, options, () => upload.uploadPart(number, content)));
      },
      async complete() {
        await call(what, options, () => upload.complete(parts));
      },
      abort: () => upload.abort(),
    };
  }

  return {
    name,
    put,
    async stage(path, options) {
      options.signal.throwIfAborted();
      return stagedInParts(path, options, { put, begin });
    },
    exists: async (path, options) => (await call(`${path} could not be looked for in ${name}`, options, () => bucket.head(key(path)))) !== null,
    async get(path, options): Promise<ArchiveFile> {
      const found = await call(`${path} could not be read from ${name}`, options, () => bucket.get(key(path)));
      return found === null ? null : (found.body as ReadableStream<Uint8Array>);
    },
  };
}
