/**
 * Archives on WebDAV servers. A file is put under a name beside its own and moved when it is there as a whole.
 */
import { ArchiveVerifierError } from '../errors.ts';
import type { ArchiveReader } from '../types.ts';
import { ask, cleaning, discard, fetchFile, isThere, refusal } from './http.ts';
import type { Call } from './http.ts';
import { checkedPath, contentType, encodedPath, partialName, partsOf, randomMark } from './path.ts';
import { blobSpool } from './spool.ts';
import type { Payload, Spool } from './spool.ts';
import { spooledFile } from './staged.ts';
import type { Asked, StagedWriter } from './staged.ts';

export interface WebdavOptions {
  /** The archive's root. A user and a password in it are sent as Basic authentication. */
  readonly url: string | URL;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Sent along with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Shown in reports. Default: the URL, without the password. */
  readonly name?: string | undefined;
}

/** Folders that are known to be there; a whole public archive has a million, too many to keep. */
const KNOWN_FOLDERS = 10_000;

function basic(username: string, password: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)))}`;
}

/** An archive on a WebDAV server; its folders are made as needed, the root's own too, if the one above is there. */
export function webdavWriter(
  { url, username, password, headers = {}, name }: WebdavOptions, spool: () => Spool = blobSpool,
): ArchiveReader & StagedWriter {
  const root = new URL(url);
  if (root.search !== '' || root.hash !== '') {
    throw new ArchiveVerifierError('USAGE', `${root.host}: the URL of a WebDAV folder has no query`, { advice: 'Put tokens into headers.' });
  }
  const user = username ?? decodeURIComponent(root.username);
  const secret = password ?? decodeURIComponent(root.password);
  // `fetch` takes no address with a password in it, and reports must not show one.
  root.username = '';
  root.password = '';
  const base = root.href.replace(/\/*$/, '/');
  const common: Readonly<Record<string, string>> = user === '' ? headers : { Authorization: basic(user, secret), ...headers };
  let folders = new Map<string, Promise<void>>();

  const call = (method: string, path: string, what: string, more: Readonly<Record<string, string>> = {}): Call => (
    { method, url: base + encodedPath(path), headers: { ...common, ...more }, what: `${what} (${method})` }
  );

  /** Makes `path` and whatever is missing above it. */
  async function makeFolder(path: string, options: Asked): Promise<void> {
    // Some servers want the slash at the end of a folder's name.
    const url = path === '' ? base : `${base}${encodedPath(path)}/`;
    const request: Call = { method: 'MKCOL', url, headers: common, what: `the folder ${path === '' ? base : path} could not be made (MKCOL)` };
    let response = await ask(request, options);
    if (response.status === 409 && path !== '') {
      await discard(response);
      await folder(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '', options);
      response = await ask(request, options);
    }
    // 405: it is there.
    if (!response.ok && response.status !== 405) {
      throw await refusal(response, request, response.status === 409 ? 'The folder above it is not there: make it first.' : undefined);
    }
    await discard(response);
  }

  /** Each folder is made once, however many files of it are written at the same time. */
  async function folder(path: string, options: Asked): Promise<void> {
    const known = folders.get(path);
    if (known !== undefined) {
      // Another file's request may have been stopped, or have failed for a moment only.
      await known.catch(() => folder(path, options));
      return;
    }
    if (folders.size >= KNOWN_FOLDERS) folders = new Map();
    const making = makeFolder(path, options);
    folders.set(path, making);
    try {
      await making;
    } catch (cause) {
      folders.delete(path);
      throw cause;
    }
  }

  async function send(path: string, body: Uint8Array | Payload, options: Asked): Promise<void> {
    const { folders: above, file } = partsOf(path);
    const within = above.join('/');
    await folder(within, options);
    const partial = [...above, partialName(file, randomMark())].join('/');
    const what = `${path} could not be written`;
    const put = { ...call('PUT', partial, what, { 'Content-Type': contentType(path) }), body };
    const move = call('MOVE', partial, what, { Destination: base + encodedPath(path), Overwrite: 'T' });
    try {
      const response = await ask(put, options);
      if (!response.ok) {
        // Somebody may have removed the folder.
        if (response.status === 404 || response.status === 409) folders.delete(within);
        throw await refusal(response, put);
      }
      await discard(response);
      const moved = await ask(move, options);
      // 207: some of it could not be done.
      if (!moved.ok || moved.status === 207) throw await refusal(moved, move);
      await discard(moved);
    } catch (cause) {
      await ask(call('DELETE', partial, what), cleaning()).then(discard, () => undefined);
      throw cause;
    }
  }

  return {
    name: name ?? base,
    put: send,
    async stage(path, options) {
      options.signal.throwIfAborted();
      partsOf(path);
      return spooledFile(path, options, spool(), (whole) => send(path, whole, options));
    },
    exists: async (path, options) => isThere(call('HEAD', path, `${path} could not be looked for`), options),
    get: async (path, options) => fetchFile(call('GET', path, `${path} could not be read`), options),
    makeDir: async (path, options) => folder(checkedPath(path), options),
  };
}
