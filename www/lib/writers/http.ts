/**
 * What the writers over HTTP share: one request, and what a host's refusal means. Not here: any host's own ways.
 */
import { messageOf } from '../errors.ts';
import type { ArchiveFile } from '../types.ts';
import { ArchiveWriteError } from './errors.ts';
import type { Asked } from './staged.ts';
import type { Payload } from './spool.ts';

/** As much as is told of a host's own words. */
const EXCERPT = 200;
/** What is done after a run was stopped must not keep it from ending. */
const CLEANING_MS = 10_000;

export interface Call {
  readonly method: string;
  readonly url: string | URL;
  readonly headers?: HeadersInit | undefined;
  readonly body?: Uint8Array | Payload | undefined;
  /** What is done, for errors: `writing ledger/00/00/00/ledger-0000003f.xdr.gz`. */
  readonly what: string;
  readonly redirect?: RequestRedirect;
}

/** For what is cleaned up even after the run was stopped. */
export function cleaning(): Asked {
  return { signal: AbortSignal.timeout(CLEANING_MS) };
}

/** Lets go of an answer of which nothing more is read, so that its connection can be used again. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

function isPayload(body: Uint8Array | Payload): body is Payload {
  return 'body' in body;
}

/** Node's way to send a stream: of a length that is said, since many hosts take no other. */
interface StreamInit extends RequestInit {
  duplex?: 'half';
}

function withBody(init: StreamInit, body: Call['body']): StreamInit {
  if (body === undefined) return init;
  // Not shared memory: the verifier's own is not.
  if (!isPayload(body)) return { ...init, body: body as Uint8Array<ArrayBuffer> };
  if (body.body instanceof Blob) return { ...init, body: body.body };
  const headers = new Headers(init.headers);
  headers.set('Content-Length', String(body.length));
  return { ...init, headers, body: body.body, duplex: 'half' };
}

/** `fetch`, which for a failed connection says so only in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : messageOf(cause);
}

/** Sends a request; every status is an answer. */
export async function ask({ method, url, headers, body, what, redirect = 'follow' }: Call, { signal }: Asked): Promise<Response> {
  signal.throwIfAborted();
  const init: StreamInit = { method, signal, redirect, cache: 'no-store', credentials: 'omit', ...(headers === undefined ? {} : { headers }) };
  try {
    return await fetch(url, withBody(init, body));
  } catch (cause) {
    signal.throwIfAborted();
    const { host } = new URL(url);
    throw new ArchiveWriteError(`${what}: ${host} cannot be reached: ${reasonOf(cause)}`, {
      code: 'NETWORK',
      advice: 'document' in globalThis || 'importScripts' in globalThis
        ? 'Check the connection, and that the host allows pages of this site to write there (CORS: methods, headers and ETag).'
        : 'Check the address and the connection.',
      cause,
    });
  }
}

/** Seconds, or a date. */
function retryAfterMs(response: Response): number | undefined {
  const text = response.headers.get('Retry-After')?.trim();
  if (text === undefined || text === '') return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** As much of an answer as is read: a host may go on for ever. */
const ANSWER_LIMIT = 64 << 10;

/** The text of an answer, or its beginning. */
export async function textOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let read = await reader.read(); !read.done && text.length < ANSWER_LIMIT; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
  }
  await reader.cancel().catch(() => undefined);
  return text;
}

/** The host's own words, if it has any. */
export function excerpt(text: string): string {
  const message = /<Message>([^<]+)<\/Message>/.exec(text)?.[1] ?? text.replace(/<(style|script|head)\b[^]*?<\/\1>|<[^>]*>/gi, ' ');
  const words = message.replace(/\s+/g, ' ').trim().replace(/[.]$/, '');
  return words.length > EXCERPT ? `${words.slice(0, EXCERPT)}…` : words;
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'Check the user and the password.',
  403: 'Check the keys, and that they may write there.',
  404: 'Check the address.',
  413: 'The host takes no files of this size: raise its limit.',
  429: 'The host asks for fewer requests: lower the concurrency.',
  507: 'Make room there, or write to another place; what is there already is kept.',
};

/** What an answer that is none of those wanted means. */
export async function refusal(response: Response, { what, url }: Call, advice?: string): Promise<ArchiveWriteError> {
  const said = excerpt(await textOf(response).catch(() => ''));
  const { host } = new URL(url);
  const moved = response.type === 'opaqueredirect' ? 'somewhere else' : response.headers.get('Location');
  const where = moved !== null && (response.status === 0 || response.status >= 300) && response.status < 400 ? ` and points to ${moved}` : '';
  const status = response.status === 0 ? '' : ` ${response.status}`;
  return new ArchiveWriteError(`${what}: ${host} answered${status}${where}${said === '' ? '' : `: ${said}`}`, {
    status: response.status,
    retryAfterMs: retryAfterMs(response),
    advice: advice ?? ADVICE[response.status],
  });
}

/** Sends a request that must be answered by a success; the answer's body is dropped. */
export async function demand(call: Call, asked: Asked, advice?: (status: number) => string | undefined): Promise<Response> {
  const response = await ask(call, asked);
  if (!response.ok) throw await refusal(response, call, advice?.(response.status));
  return response;
}

/** Whether there is such a file, by the status of a HEAD. */
export async function isThere(call: Call, asked: Asked, advice?: (status: number) => string | undefined): Promise<boolean> {
  const response = await ask(call, asked);
  if (response.status === 404 || response.status === 410) {
    await discard(response);
    return false;
  }
  if (!response.ok) throw await refusal(response, call, advice?.(response.status));
  await discard(response);
  return true;
}

export async function fetchFile(call: Call, asked: Asked, advice?: (status: number) => string | undefined): Promise<ArchiveFile> {
  const response = await ask(call, asked);
  if (response.status === 404 || response.status === 410) {
    await discard(response);
    return null;
  }
  if (!response.ok) throw await refusal(response, call, advice?.(response.status));
  return response.body ?? new Uint8Array(await response.arrayBuffer());
}
