/**
 * From the name of a destination on the command line to what writes an archive there: a folder, a bucket, or a WebDAV server.
 *
 * Not here: whether there is an archive already and what is done then. Nothing is written before the run; only what cannot be a
 * destination is refused.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { directoryWriter, s3Writer, webdavWriter } from '../lib/node.ts';
import type { ArchiveReader, ArchiveWriter } from '../lib/types.ts';
import { looksLikeHost, openArchive } from './archive.ts';
import { usage } from './options.ts';

export interface DestinationOptions {
  /** The folder may be missing, or be empty: it is made. Otherwise it must be an archive. */
  readonly make: boolean;
  /** Where keys and passwords stand. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A destination can be read as well, so that what is there is kept. */
export type Destination = ArchiveReader & ArchiveWriter;

const SCHEMES = 'A destination is a folder, s3://BUCKET/PREFIX, or the URL of a WebDAV server (webdavs://, https://).';

/** A value that stands in the environment and is not empty. */
function setting(env: Readonly<Record<string, string | undefined>>, ...names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value !== '');
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** The nearest folder above `path`, itself included, that is there. */
async function nearest(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    try {
      await stat(folder);
      return folder;
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT' || dirname(folder) === folder) throw cause;
    }
  }
}

async function demandWritable(path: string): Promise<void> {
  let existing: string;
  try {
    existing = await nearest(path);
    if ((await stat(existing)).isDirectory()) {
      await access(existing, constants.W_OK | constants.X_OK);
      return;
    }
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOTDIR') throw usage(`${path} cannot be a folder: one of the names above it is a file`, 'Check the spelling.');
    if (code === 'EROFS') throw usage(`the folder ${path} may not be written: the disk is read-only`, 'Give a folder on another one.');
    throw usage(`the folder ${path} may not be written: permission denied`, 'Run this as a user who may write there.');
  }
  throw usage(`${existing} is a file, not a folder`, 'Give the folder that the archive is to be written to.');
}

async function folder(path: string, make: boolean): Promise<Destination> {
  if (path === '') throw usage('the destination is empty', SCHEMES);
  // Whoever forgot the scheme would find a folder of that name later.
  if (make && looksLikeHost(path) && !(await stat(path).then(() => true, () => false))) {
    throw usage(`${path} looks like a host, not like a folder`, `If it is on the network, write https://${path}; if not, ./${path}`);
  }
  if (!make) await openArchive(path);
  await demandWritable(path);
  return directoryWriter(path);
}

/** `s3://BUCKET/PREFIX`, by the environment that everybody's S3 tools go by. */
function bucket(name: string, env: Readonly<Record<string, string | undefined>>): Destination {
  const [, host = '', path = ''] = /^s3:\/\/([^/]*)\/*(.*?)\/*$/i.exec(name) ?? [];
  if (host === '') throw usage(`${name} names no bucket`, 'Write s3://BUCKET/PREFIX.');
  if (!/^[a-z0-9][a-z0-9._-]{2,62}$/i.test(host)) {
    throw usage(`${JSON.stringify(host)} is not the name of a bucket`, 'Those have 3 to 63 letters, digits, dots and dashes. Write s3://BUCKET/PREFIX.');
  }
  if (path.split('/').some((part) => part === '.' || part === '..')) throw usage(`${name} leaves its own prefix`, 'Write s3://BUCKET/PREFIX without dots.');
  const [accessKeyId, secretAccessKey] = [setting(env, 'AWS_ACCESS_KEY_ID'), setting(env, 'AWS_SECRET_ACCESS_KEY')];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw usage(
      `${name} cannot be written without keys: ${accessKeyId === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY'} is not set`,
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, and AWS_SESSION_TOKEN if they are for a while only.',
    );
  }
  const endpoint = setting(env, 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL');
  const region = setting(env, 'AWS_REGION', 'AWS_DEFAULT_REGION');
  if (endpoint === undefined && region === undefined) {
    throw usage(`the region of ${name} is not known`, 'Set AWS_REGION in the environment, or AWS_ENDPOINT_URL for a store that is not Amazon\'s.');
  }
  return s3Writer({
    url: `${bucketAddress(host, endpoint, region)}${path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`}`,
    accessKeyId, secretAccessKey, sessionToken: setting(env, 'AWS_SESSION_TOKEN'), region, name: name.replace(/\/+$/, ''),
  });
}

function bucketAddress(name: string, endpoint: string | undefined, region: string | undefined): string {
  if (endpoint === undefined) {
    const amazon = `s3.${region ?? ''}.amazonaws.com`;
    // Amazon's certificates are for one name below theirs, without dots.
    return name.includes('.') ? `https://${amazon}/${name}` : `https://${name}.${amazon}`;
  }
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint)) {
    throw usage(`AWS_ENDPOINT_URL is not a URL: ${endpoint}`, 'It begins with https:// or http://.');
  }
  return `${endpoint.replace(/\/+$/, '')}/${name}`;
}

function webdav(name: string, scheme: 'http' | 'https', env: Readonly<Record<string, string | undefined>>): Destination {
  const address = `${scheme}${name.slice(name.indexOf(':'))}`;
  if (!URL.canParse(address)) throw usage(`${shown(name)} is not a URL`, 'Check the host and the port.');
  const url = new URL(address);
  if (url.search !== '' || url.hash !== '') throw usage(`${shown(name)} is not the URL of a folder: it has a query`, 'Give the URL without what follows the ? or #.');
  if (/(^|\.)amazonaws\.com$/i.test(url.hostname)) throw usage(`${url.host} is S3, which is not WebDAV`, 'Write s3://BUCKET/PREFIX.');
  const [username, password] = [setting(env, 'WEBDAV_USER'), setting(env, 'WEBDAV_PASSWORD')];
  // Those in the URL were meant for this one.
  return webdavWriter(url.username === '' ? { url, username, password } : { url });
}

/** `name` as it may be shown: passwords stay out of errors, too. */
export function shown(name: string): string {
  return name.replace(/\/\/[^/@]*@/, '//');
}

/** The place that `name` names. */
export async function openDestination(name: string, { make, env = process.env }: DestinationOptions): Promise<Destination> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(name)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined: return folder(name, make);
    case 'file': return folder(fileURLToPath(name), make);
    case 's3': return bucket(name, env);
    case 'http': case 'https': return webdav(name, scheme, env);
    case 'webdav': case 'dav': return webdav(name, 'http', env);
    case 'webdavs': case 'davs': return webdav(name, 'https', env);
    default: throw usage(`archives are not written over ${scheme}`, SCHEMES);
  }
}
