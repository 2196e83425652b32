/**
 * The form as a value: to and from the address bar, and into what the verifier takes.
 *
 * Not here: DOM, requests. `checkForm` decides everything that can be known before the first byte is asked for.
 */
import type { VerifyOptions } from '../lib/types.ts';

export interface FormState {
  readonly archive: string;
  readonly low: string;
  readonly high: string;
  readonly network: string;
  readonly deep: boolean;
  readonly skipOptional: boolean;
  readonly skipBuckets: boolean;
}

export const EMPTY_FORM: FormState = {
  archive: '',
  low: '',
  high: '',
  network: '',
  deep: false,
  skipOptional: false,
  skipBuckets: false,
};

export type Field = 'archive' | 'low' | 'high';

export interface FieldFault {
  readonly message: string;
  /** A value that would be accepted in place of the one entered. */
  readonly instead?: string;
}

export type Checked =
  | { readonly ok: true; readonly archive: URL; readonly options: VerifyOptions }
  | { readonly ok: false; readonly faults: Readonly<Partial<Record<Field, FieldFault>>> };

export function encodeForm(form: FormState): string {
  const parts: string[] = [];
  // encodeURIComponent, but for the characters that make a pasted link readable and are legal in a fragment.
  const add = (name: string, value: string): void => {
    if (value.trim() !== '') parts.push(`${name}=${encodeURIComponent(value.trim()).replaceAll('%2F', '/').replaceAll('%3A', ':')}`);
  };
  add('archive', form.archive);
  add('low', form.low);
  add('high', form.high);
  add('network', form.network);
  if (form.deep) parts.push('deep=1');
  if (form.skipOptional) parts.push('skipOptional=1');
  if (form.skipBuckets) parts.push('skipBuckets=1');
  return parts.length === 0 ? '' : `#${parts.join('&')}`;
}

/** `null` where the fragment says nothing about the form. */
export function decodeForm(hash: string): FormState | null {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  if (!given.has('archive') && !given.has('low') && !given.has('high') && !given.has('network')) return null;
  // A link comes from anywhere: what no one would type is not taken over into fields and commands.
  const text = (name: string): string => (given.get(name) ?? '').slice(0, 2048).replace(/\p{Cc}/gu, '');
  return {
    archive: text('archive'),
    low: text('low'),
    high: text('high'),
    network: text('network'),
    deep: given.get('deep') === '1',
    skipOptional: given.get('skipOptional') === '1',
    skipBuckets: given.get('skipBuckets') === '1',
  };
}

const MAX_LEDGER = 0xffff_ffff;

/** Decimal or 0x; separators people paste are let through. `null` is not a ledger. */
export function parseLedger(text: string): number | null {
  const plain = text.replace(/[\s,_\u202f\u00a0']/g, '');
  if (!/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(plain)) return null;
  const value = Number(plain);
  return value >= 1 && value <= MAX_LEDGER ? value : null;
}

const LOCAL_HOSTS = ['localhost', '127.0.0.1'];

/** What people paste, as a URL: a path of this server, a full URL, or a bare host name. */
export function parseArchive(text: string, page: URL): URL | null {
  const entered = text.trim();
  if (entered === '') return null;
  let candidate = entered;
  if (!/^(https?:\/\/|\/)/i.test(entered)) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(entered) || !/^[a-z0-9-]+([.:][a-z0-9-]+)*(\/|$)/i.test(entered)) return null;
    candidate = `${LOCAL_HOSTS.some((host) => entered.startsWith(host)) ? 'http' : 'https'}://${entered}`;
  }
  if (!URL.canParse(candidate, page.href)) return null;
  const url = new URL(candidate, page.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
  // A pasted link to the archive's own root file means the archive.
  url.pathname = url.pathname.replace(/\.well-known\/stellar-history\.json$/, '');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.search = '';
  url.hash = '';
  return url;
}

/** Requests without encryption are only possible to the page's own server and to this machine. */
function reachable(archive: URL, page: URL): boolean {
  return archive.protocol === 'https:' || archive.origin === page.origin || LOCAL_HOSTS.includes(archive.hostname);
}

export function checkForm(form: FormState, page: URL): Checked {
  const faults: Partial<Record<Field, FieldFault>> = {};
  const archive = parseArchive(form.archive, page);
  if (archive === null) {
    faults.archive = {
      message:
        form.archive.trim() === ''
          ? 'Give the address of an archive, or choose a known one.'
          : 'This is not an address an archive can be read from. It starts with https://, or with / for an archive on this server.',
    };
  } else if (archive.username !== '' || archive.password !== '') {
    faults.archive = { message: 'Browsers refuse addresses with a user name or password in them.' };
  } else if (!reachable(archive, page)) {
    const secure = new URL(archive.href);
    secure.protocol = 'https:';
    faults.archive = {
      message:
        page.protocol === 'https:'
          ? 'This page came over https, and browsers do not let such a page read from an http:// address (mixed content). Most archives answer at https:// as well.'
          : 'This page reads from https:// addresses and, without encryption, only from this machine. Most archives answer at https:// as well.',
      instead: secure.href,
    };
  }
  const ledger = (name: 'low' | 'high'): number | undefined => {
    if (form[name].trim() === '') return undefined;
    const value = parseLedger(form[name]);
    if (value === null) faults[name] = { message: 'A ledger is a number from 1 to 4294967295, decimal or 0x….' };
    return value ?? undefined;
  };
  const low = ledger('low');
  const high = ledger('high');
  if (low !== undefined && high !== undefined && low > high) faults.high = { message: 'The last ledger comes before the first.' };
  if (archive === null || Object.keys(faults).length > 0) return { ok: false, faults };

  const range = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
  const network = form.network.trim();
  return {
    ok: true,
    archive,
    options: {
      ...(low === undefined && high === undefined ? {} : { range }),
      ...(network === '' ? {} : { network }),
      deep: form.deep,
      skipOptional: form.skipOptional,
      skipBuckets: form.skipBuckets,
    },
  };
}

/** One word for a POSIX shell, whatever it contains. */
export function quoted(argument: string): string {
  return /^[\w./:@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The same check at the command line. */
export function commandLine(archive: string, options: VerifyOptions): string {
  const words = ['node', 'dist/cli.mjs', 'verify', quoted(archive)];
  if (options.range?.low !== undefined) words.push('--low', String(options.range.low));
  if (options.range?.high !== undefined) words.push('--high', String(options.range.high));
  if (options.network !== undefined) words.push('--network', quoted(options.network));
  if (options.deep === true) words.push('--deep');
  if (options.skipOptional === true) words.push('--skip-optional');
  if (options.skipBuckets === true) words.push('--skip-buckets');
  return words.join(' ');
}
