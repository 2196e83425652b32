/**
 * Archives in S3 and what speaks its language (MinIO, R2, Google's and others' interoperable stores), with keys at hand.
 *
 * Every body is signed by its hash, also over TLS. Large files go in parts. Not here: where the keys come from; who has none takes
 * `presigned.ts`.
 */
import { AwsV4Signer } from 'aws4fetch';
import { ArchiveVerifierError } from '../errors.ts';
import type { ArchiveReader } from '../types.ts';
import { ArchiveWriteError } from './errors.ts';
import { ask, cleaning, demand, discard, excerpt, fetchFile, isThere, textOf } from './http.ts';
import type { Call } from './http.ts';
import { stagedInParts } from './multipart.ts';
import type { PartsUpload } from './multipart.ts';
import { contentType, encodedPath } from './path.ts';
import type { Asked, StagedWriter } from './staged.ts';

export interface S3Options {
  /**
   * The archive's root: the bucket's URL and the folder in it, as `https://bucket.s3.eu-west-1.amazonaws.com/archive` or
   * `https://host/bucket/archive`.
   */
  readonly url: string | URL;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Default: what an address of Amazon says, else `us-east-1`, which most others take. */
  readonly region?: string | undefined;
  /** Shown in reports. Default: the URL. */
  readonly name?: string | undefined;
}

async function sha256(content: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', content as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The text of an element, of which there is one. */
function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&apos;/g, "'").replace(/&amp;/g, '&');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function adviceFor(method: string): (status: number) => string | undefined {
  return (status) => {
    if (status === 301 || status === 307 || status === 400) return 'Check the region of the bucket.';
    if (status !== 403) return undefined;
    return method === 'PUT' || method === 'POST'
      ? 'Check the keys and the clock of this machine, and that the keys may write there (s3:PutObject).'
      : 'Check the keys, and that they may read there and list the bucket (s3:GetObject, s3:ListBucket): without the latter a file that is not there is refused, too.';
  };
}

/** An archive in a bucket, whose requests are signed here. */
export function s3Writer({ url, accessKeyId, secretAccessKey, sessionToken, region, name }: S3Options): ArchiveReader & StagedWriter {
  const root = new URL(url);
  if (root.username !== '' || root.password !== '' || root.search !== '') {
    throw new ArchiveVerifierError('USAGE', `${root.host}: the URL of a bucket has neither keys nor a query`, { advice: 'Hand the keys over as accessKeyId and secretAccessKey.' });
  }
  const base = root.href.replace(/\/+$/, '');
  const keys = { accessKeyId, secretAccessKey, service: 's3', ...(sessionToken === undefined ? {} : { sessionToken }), ...(region === undefined ? {} : { region }) };
  // What is derived from the secret each day.
  const cache = new Map<string, ArrayBuffer>();
  const place = name ?? base;

  async function signed(method: string, path: string, what: string, { query = '', body, headers = {} }: Signing = {}): Promise<Call> {
    if (globalThis.crypto?.subtle === undefined) {
      throw new ArchiveVerifierError('UNSUPPORTED', 'requests to S3 cannot be signed here', { advice: 'Open the page over https: browsers give others no cryptography.' });
    }
    const signer = new AwsV4Signer({
      ...keys, cache, method, url: `${base}/${encodedPath(path)}${query}`,
      headers: { ...headers, 'X-Amz-Content-Sha256': await sha256(body ?? new Uint8Array()) },
    });
    const { url: address, headers: all } = await signer.sign();
    // Elsewhere the signature would be wrong: whoever answers so has the bucket in another region.
    return { method, url: address, headers: all, body, what: `${what} (${method})`, redirect: 'manual' };
  }

  async function put(path: string, content: Uint8Array, options: Asked): Promise<void> {
    const call = await signed('PUT', path, `${path} could not be written`, { body: content, headers: { 'Content-Type': contentType(path) } });
    await discard(await demand(call, options, adviceFor('PUT')));
  }

  async function begin(path: string, options: Asked): Promise<PartsUpload> {
    const what = `${path} could not be written in parts`;
    const advice = adviceFor('POST');
    const started = await demand(await signed('POST', path, what, { query: '?uploads=', headers: { 'Content-Type': contentType(path) } }), options, advice);
    const text = await textOf(started);
    const id = element(text, 'UploadId');
    if (id === undefined) throw new ArchiveWriteError(`${what}: the answer names no upload: ${excerpt(text)}`, {});
    const upload = `uploadId=${encodeURIComponent(id)}`;
    const tags: string[] = [];
    return {
      async part(number, content) {
        const response = await demand(await signed('PUT', path, what, { query: `?partNumber=${number}&${upload}`, body: content }), options, advice);
        await discard(response);
        const tag = response.headers.get('ETag');
        if (tag === null) {
          throw new ArchiveWriteError(`${what}: the answer has no ETag that can be read`, { advice: "Let the bucket's CORS rules expose the header ETag." });
        }
        tags.push(tag);
      },
      async complete() {
        const parts = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escaped(tag)}</ETag></Part>`).join('');
        const body = new TextEncoder().encode(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts}</CompleteMultipartUpload>`);
        const response = await demand(
          await signed('POST', path, what, { query: `?${upload}`, body, headers: { 'Content-Type': 'application/xml' } }), options, advice,
        );
        // The store begins its answer before it has put the parts together, so that a failure comes with a success's status.
        const said = await textOf(response);
        if (!/<CompleteMultipartUploadResult[\s>]/.test(said)) throw new ArchiveWriteError(`${what}: ${excerpt(said)}`, { status: 500 });
      },
      async abort() {
        const asked = cleaning();
        await discard(await ask(await signed('DELETE', path, what, { query: `?${upload}` }), asked));
      },
    };
  }

  return {
    name: place,
    put,
    async stage(path, options) {
      options.signal.throwIfAborted();
      return stagedInParts(path, options, { put, begin });
    },
    exists: async (path, options) => isThere(await signed('HEAD', path, `${path} could not be looked for`), options, adviceFor('HEAD')),
    get: async (path, options) => fetchFile(await signed('GET', path, `${path} could not be read`), options, adviceFor('GET')),
  };
}

interface Signing {
  readonly query?: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}
