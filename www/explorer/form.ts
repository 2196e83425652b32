/**
 * The form as a value: to and from the address bar, and into what the verifier takes.
 *
 * Not here: DOM, requests. `checkForm` decides everything that can be known before the first byte is asked for.
 */
import type { ArchiveReader, QuorumSetPreset, TrustOptions, VerifyOptions } from '../lib/types.ts';
import { prettySet, readQuorumSet } from './quorum-set.ts';

/** An archive as entered. A folder, or a zip of one, is known by its name alone: what it holds the browser shows only to this page, and only once it is chosen. */
export type Source =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'folder'; readonly name: string; readonly zip?: true };

export type Scope = 'range' | 'last' | 'sample';

export interface FormState {
  /** Never empty. */
  readonly sources: readonly Source[];
  readonly scope: Scope;
  readonly low: string;
  readonly high: string;
  readonly last: string;
  readonly sample: string;
  readonly seed: string;
  readonly network: string;
  readonly deep: boolean;
  readonly skipOptional: boolean;
  readonly skipBuckets: boolean;
  readonly newestFirst: boolean;
  /** Whose word counts: a preset's name, `own`, or nothing for the preset of the network. */
  readonly quorum: string;
  /** A quorum set in JSON; of use with `own`. */
  readonly ownQuorum: string;
  /** `SEQ:HASH`, any number of them. */
  readonly hashes: string;
  /** The name of a file of checkpoint hashes. Its text is known only to the page that it was given to. */
  readonly hashesFile: string;
  readonly allSignatures: boolean;
}

export const EMPTY_FORM: FormState = {
  sources: [{ kind: 'url', url: '' }],
  scope: 'range',
  low: '',
  high: '',
  last: '',
  sample: '',
  seed: '',
  network: '',
  deep: false,
  skipOptional: false,
  skipBuckets: false,
  newestFirst: false,
  quorum: '',
  ownQuorum: '',
  hashes: '',
  hashesFile: '',
  allSignatures: false,
};

export type TextName = 'low' | 'high' | 'last' | 'sample' | 'seed' | 'network';
export type ToggleName = 'deep' | 'skipOptional' | 'skipBuckets' | 'newestFirst' | 'allSignatures';
const TOGGLES: readonly ToggleName[] = ['deep', 'skipOptional', 'skipBuckets', 'newestFirst', 'allSignatures'];

/** The choice of a quorum set of one's own. */
export const OWN = 'own';
/** The choice to believe no validators. */
export const NOBODY = 'none';
/** In the order of the form. */
export const TRUST_FIELDS: readonly string[] = ['quorum', 'ownQuorum', 'hashes', 'hashesFile'];

/** The fields that `scope` leaves in the form, in their order. */
export const SCOPE_FIELDS: Readonly<Record<Scope, readonly TextName[]>> = {
  range: ['low', 'high'],
  last: ['last'],
  sample: ['sample', 'seed', 'low', 'high'],
};

/** The name of a source's field, by which its fault is found as well. */
export function sourceField(place: number): string {
  return place === 0 ? 'archive' : `archive-${place + 1}`;
}

export interface FieldFault {
  readonly message: string;
  /** A value that would be accepted in place of the one entered. */
  readonly instead?: string;
}

export type Checked =
  | { readonly ok: true; readonly sources: readonly (string | ArchiveReader)[]; readonly options: VerifyOptions }
  | { readonly ok: false; readonly faults: Readonly<Record<string, FieldFault>> };

export function encodeForm(form: FormState): string {
  const parts: string[] = [];
  // encodeURIComponent, but for the characters that make a pasted link readable and are legal in a fragment.
  const add = (name: string, value: string): void => {
    if (value.trim() !== '') parts.push(`${name}=${encodeURIComponent(value.trim()).replaceAll('%2F', '/').replaceAll('%3A', ':')}`);
  };
  for (const source of form.sources) {
    if (source.kind === 'url') add('archive', source.url);
    else add(source.zip === true ? 'zip' : 'folder', source.name);
  }
  for (const name of SCOPE_FIELDS[form.scope]) {
    // Also empty it says which choice was made.
    if (name === form.scope && form[name].trim() === '') parts.push(`${name}=`);
    else add(name, form[name]);
  }
  add('network', form.network);
  for (const name of TOGGLES) if (form[name]) parts.push(`${name}=1`);
  const own = form.quorum === OWN ? readQuorumSet(form.ownQuorum) : null;
  if (own === null) add('quorumSet', form.quorum);
  else if (own.ok) add('quorumSet', JSON.stringify(own.set));
  add('trustedHash', form.hashes.trim().replace(/[\s,;]+/g, ','));
  return parts.length === 0 ? '' : `#${parts.join('&')}`;
}

/** `null` where the fragment says nothing about the form. */
export function decodeForm(hash: string): FormState | null {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  if (!['archive', 'folder', 'zip', 'low', 'high', 'last', 'sample', 'network', 'quorumSet', 'trustedHash'].some((name) => given.has(name))) return null;
  // A link comes from anywhere: what no one would type is not taken over into fields and commands.
  const clean = (value: string | null, longest = 2048): string => (value ?? '').slice(0, longest).replace(/\p{Cc}/gu, '');
  const text = (name: string): string => clean(given.get(name));
  const sources = [...given].slice(0, MAX_ARCHIVES * 4).flatMap(([name, value]): Source[] => {
    if (name === 'archive') return [{ kind: 'url', url: clean(value) }];
    if (clean(value) === '') return [];
    return name === 'folder' ? [{ kind: 'folder', name: clean(value) }] : name === 'zip' ? [{ kind: 'folder', name: clean(value), zip: true }] : [];
  });
  const quorum = clean(given.get('quorumSet'), MAX_LINKED_SET);
  const own = quorum.startsWith('{');
  const linked = own ? readQuorumSet(quorum) : null;
  return {
    sources: sources.length === 0 ? EMPTY_FORM.sources : sources.slice(0, MAX_ARCHIVES),
    scope: given.has('sample') ? 'sample' : given.has('last') ? 'last' : 'range',
    low: text('low'),
    high: text('high'),
    last: text('last'),
    sample: text('sample'),
    seed: text('seed'),
    network: text('network'),
    deep: given.get('deep') === '1',
    skipOptional: given.get('skipOptional') === '1',
    skipBuckets: given.get('skipBuckets') === '1',
    newestFirst: given.get('newestFirst') === '1',
    quorum: own ? OWN : quorum,
    ownQuorum: linked?.ok === true ? prettySet(linked.set) : own ? quorum : '',
    hashes: clean(given.get('trustedHash'), MAX_LINKED_SET).replaceAll(',', '\n'),
    hashesFile: '',
    allSignatures: given.get('allSignatures') === '1',
  };
}

export const MAX_ARCHIVES = 16;
/** Characters; a set of the largest size that networks have is a third of it. */
const MAX_LINKED_SET = 16_384;
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

/** Only a network leads to it. */
export function isFar(entered: string, page: URL): boolean {
  return !LOCAL_HOSTS.includes(parseArchive(entered, page)?.hostname ?? 'localhost');
}

function addressFault(entered: string, archive: URL | null, page: URL): FieldFault | undefined {
  if (archive === null) {
    return {
      message:
        entered.trim() === ''
          ? 'Give the address of an archive, or choose a known one.'
          : 'This is not an address an archive can be read from. It starts with https://, or with / for an archive on this server.',
    };
  }
  if (archive.username !== '' || archive.password !== '') {
    return { message: 'Browsers refuse addresses with a user name or password in them.' };
  }
  if (reachable(archive, page)) return undefined;
  const secure = new URL(archive.href);
  secure.protocol = 'https:';
  return {
    message:
      page.protocol === 'https:'
        ? 'This page came over https, and browsers do not let such a page read from an http:// address (mixed content). Most archives answer at https:// as well; of one that does not, check a copy in a folder, or use the command line.'
        : 'This page reads from https:// addresses and, without encryption, only from this machine. Most archives answer at https:// as well.',
    instead: secure.href,
  };
}

/** What the page has at this moment beside the form. */
export interface AtHand {
  /** Those it may read. */
  readonly folders: ReadonlyMap<string, ArchiveReader>;
  /** The texts of files of checkpoint hashes, by their names. */
  readonly files: ReadonlyMap<string, string>;
  /** None before the verifier is loaded. */
  readonly quorumSets: readonly QuorumSetPreset[];
}

/** Whose word counts, as the verifier takes it; `faults` gets what is wrong, by field. */
export function checkTrust(form: FormState, { files, quorumSets }: Omit<AtHand, 'folders'>, faults: Record<string, FieldFault>): TrustOptions {
  const trust: { -readonly [Name in keyof TrustOptions]: TrustOptions[Name] } = {};
  if (form.quorum === OWN) {
    const own = readQuorumSet(form.ownQuorum);
    if (own.ok) trust.quorumSet = own.set;
    else faults['ownQuorum'] = { message: own.message };
  } else if (form.quorum !== '') {
    trust.quorumSet = form.quorum;
    if (form.quorum !== NOBODY && quorumSets.length > 0 && !quorumSets.some(({ name }) => name === form.quorum)) faults['quorum'] = { message: `There is no quorum set called “${form.quorum}”.` };
  }
  const hashes = new Map<string, string>();
  for (const pair of form.hashes.split(/[\s,;]+/).filter(Boolean)) {
    const [, ledger = '', hash = ''] = /^([0-9]+):([0-9a-f]{64})$/i.exec(pair) ?? [];
    if (parseLedger(ledger) === null) {
      faults['hashes'] = { message: `“${pair.length > 24 ? `${pair.slice(0, 24)}…` : pair}” is no trusted hash: one is LEDGER:HASH, with 64 hexadecimal digits.` };
    } else if (hashes.has(ledger) && hashes.get(ledger) !== hash.toLowerCase()) {
      faults['hashes'] = { message: `Two hashes are given for ledger ${ledger}.` };
    }
    hashes.set(ledger, hash.toLowerCase());
  }
  if (hashes.size > 0) trust.hashes = [...hashes].map((pair) => pair.join(':'));
  if (form.hashesFile !== '') {
    const text = files.get(form.hashesFile);
    if (text === undefined) faults['hashesFile'] = { message: 'A page keeps no access to files: choose it again, or leave it out.' };
    else if (/^\s*\[/.test(text)) trust.checkpointHashes = text;
    else faults['hashesFile'] = { message: `${form.hashesFile} is no list of checkpoint hashes: one is [[LEDGER, "HASH"], …], as verify-checkpoints writes it.` };
  }
  if (form.allSignatures) trust.allSignatures = true;
  return trust;
}

export function checkForm(form: FormState, page: URL, atHand: AtHand): Checked {
  const { folders } = atHand;
  const faults: Record<string, FieldFault> = {};
  const sources: (string | ArchiveReader)[] = [];
  const several = form.sources.some((source) => source.kind === 'folder' || source.url.trim() !== '');
  for (const [place, source] of form.sources.entries()) {
    const field = sourceField(place);
    if (source.kind === 'folder') {
      const folder = folders.get(source.name);
      if (folder === undefined) faults[field] = { message: `A page keeps no access to ${source.zip === true ? 'files' : 'folders'}: choose it again to let this page read it.` };
      else sources.push(folder);
      continue;
    }
    // A row added and left empty beside others asks for nothing.
    if (several && source.url.trim() === '') continue;
    const archive = parseArchive(source.url, page);
    const fault = addressFault(source.url, archive, page);
    if (fault !== undefined) faults[field] = fault;
    else if (archive !== null && sources.includes(archive.href)) faults[field] = { message: 'This archive is in the list already.' };
    else if (archive !== null) sources.push(archive.href);
  }
  const read = (name: TextName, parse: (text: string) => number | null, message: string): number | undefined => {
    if (!SCOPE_FIELDS[form.scope].includes(name) || form[name].trim() === '') return undefined;
    const value = parse(form[name]);
    if (value === null) faults[name] = { message };
    return value ?? undefined;
  };
  const ledger = 'A ledger is a number from 1 to 4294967295, decimal or 0x….';
  const low = read('low', parseLedger, ledger);
  const high = read('high', parseLedger, ledger);
  if (low !== undefined && high !== undefined && low > high) faults['high'] = { message: 'The last ledger comes before the first.' };
  const last = read('last', parseLedger, 'How many ledgers, as a number; they are rounded out to whole checkpoints.');
  const sample = read('sample', parseLedger, 'How many checkpoints to draw, as a number.');
  if (form.scope !== 'range' && form[form.scope].trim() === '') {
    faults[form.scope] = { message: form.scope === 'last' ? 'How many ledgers, counted back from the newest?' : 'How many checkpoints shall be drawn?' };
  }
  const seed = form.scope === 'sample' ? form.seed.trim().toLowerCase() : '';
  if (seed !== '' && !/^[0-9a-f]{16}$/.test(seed)) faults['seed'] = { message: 'A seed is 16 hexadecimal digits, as a report shows it.' };
  const trust = checkTrust(form, atHand, faults);
  if (Object.keys(faults).length > 0) return { ok: false, faults };

  const range = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
  const network = form.network.trim();
  return {
    ok: true,
    sources,
    options: {
      ...(low === undefined && high === undefined ? {} : { range }),
      ...(last === undefined ? {} : { last }),
      ...(sample === undefined ? {} : { sample }),
      ...(seed === '' ? {} : { seed }),
      ...(form.newestFirst ? { order: 'newest-first' } : {}),
      ...(network === '' ? {} : { network }),
      deep: form.deep,
      skipOptional: form.skipOptional,
      skipBuckets: form.skipBuckets,
      ...(Object.keys(trust).length === 0 ? {} : { trust }),
    },
  };
}

/** One word for a POSIX shell, whatever it contains. */
export function quoted(argument: string): string {
  return /^[\w./:@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** What a file with the quorum set of one's own is called where a command names it. */
export const SET_FILE = 'quorum-set.json';

/** The same check at the command line, which reads a zip once it is unpacked. `hashesFile`: the name of the file of checkpoint hashes. */
export function commandLine(archives: readonly string[], options: VerifyOptions, hashesFile = 'checkpoint-hashes.json'): string {
  const words = ['node', 'dist/cli.mjs', 'verify', ...archives.map((archive) => quoted(archive.replace(/^folder /, './').replace(/^zip (.*?)(\.zip)?$/i, './$1')))];
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) words.push(`--${name}`, typeof value === 'number' ? String(value) : quoted(value));
  };
  add('low', options.range?.low);
  add('high', options.range?.high);
  add('last', options.last);
  add('sample', options.sample);
  add('seed', options.seed);
  add('order', options.order);
  add('network', options.network);
  if (options.deep === true) words.push('--deep');
  if (options.skipOptional === true) words.push('--skip-optional');
  if (options.skipBuckets === true) words.push('--skip-buckets');
  const { quorumSet, hashes = [], checkpointHashes, allSignatures } = options.trust ?? {};
  add('quorum-set', typeof quorumSet === 'object' ? SET_FILE : quorumSet);
  for (const pair of hashes) add('trusted-hash', pair);
  if (checkpointHashes !== undefined) add('trusted-checkpoint-hashes', hashesFile);
  if (allSignatures === true) words.push('--all-signatures');
  return words.join(' ');
}
