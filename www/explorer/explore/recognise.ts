/**
 * What someone typed into the box: everything that it can mean, the likeliest first, or what is wrong with it.
 *
 * Pure; no DOM and no requests: whether it is there is found out where it leads.
 */
import { checkpointOf, firstLedgerOf } from '../checkpoints.ts';
import { decodeForm, parseArchive, parseLedger } from '../form.ts';
import { grouped, hex, shortName } from '../format.ts';
import { lookIn } from '../look.ts';
import { FREQUENCY, type Subject } from './routes.ts';
import { contractInstanceKey, readAddress, readLedgerKey } from './strkey.ts';

/** A place to go to. */
export interface Choice {
  readonly label: string;
  readonly subject?: Subject;
  /** Another archive than the form's. */
  readonly archive?: string;
  /** A fragment of this page, as it is. */
  readonly fragment?: string;
}

export interface Recognised {
  readonly kind: 'ledger' | 'checkpoint' | 'hash' | 'bucket' | 'address' | 'key' | 'archive' | 'link' | 'proof' | 'secret' | 'wrong';
  /** A sentence. */
  readonly what: string;
  readonly choices: readonly Choice[];
}

function wrong(what: string): Recognised {
  return { kind: 'wrong', what, choices: [] };
}

const FILE = /(?:^|\/)(?:history|ledger|transactions|results|scp)-([0-9a-f]{8})\.(?:xdr\.gz|json)$/i;
const BUCKET_FILE = /(?:^|\/)bucket-([0-9a-f]{64})\.xdr\.gz$/i;
/** Up to the folders that all archives have. */
const FOLDERS = /(?:history|ledger|transactions|results|scp|bucket)\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{2}\/[^/]*$/i;

/** The subject of a file of an archive, by its name. */
function ofFile(path: string): Choice | null {
  const [, checkpoint] = FILE.exec(path) ?? [];
  if (checkpoint !== undefined) {
    const number = checkpointOf(Math.max(1, parseInt(checkpoint, 16)), FREQUENCY);
    return { label: `Checkpoint ${grouped(number)}`, subject: { kind: 'checkpoint', checkpoint: number } };
  }
  const [, bucket] = BUCKET_FILE.exec(path) ?? [];
  return bucket === undefined ? null : { label: 'The bucket', subject: { kind: 'bucket', hash: bucket.toLowerCase(), from: 0 } };
}

function ofLedger(ledger: number, asHex: boolean): Recognised {
  const checkpoint = checkpointOf(ledger, FREQUENCY);
  const toLedger: Choice = { label: `Ledger ${grouped(ledger)}`, subject: { kind: 'ledger', ledger } };
  const toCheckpoint: Choice = { label: `Checkpoint ${grouped(checkpoint)}`, subject: { kind: 'checkpoint', checkpoint } };
  const ledgers = `ledgers ${grouped(firstLedgerOf(checkpoint, FREQUENCY))} to ${grouped(checkpoint)}`;
  if (ledger === checkpoint) return { kind: 'checkpoint', what: `Checkpoint ${grouped(ledger)} (${hex(ledger)}) with ${ledgers}, or the last of them.`, choices: [toCheckpoint, toLedger] };
  return { kind: 'ledger', what: `Ledger ${grouped(ledger)}${asHex ? '' : ` (${hex(ledger)})`}, in checkpoint ${grouped(checkpoint)} (${hex(checkpoint)}).`, choices: [toLedger, toCheckpoint] };
}

function ofAddress(text: string, at: number | null): Recognised | null {
  const address = readAddress(text);
  if (address === null) return null;
  if (!address.ok) return wrong(address.why);
  if (address.kind === 'secret') {
    return { kind: 'secret', what: 'This is a secret key. It did not leave this tab, and is not looked up; give it to no page. The address begins with G.', choices: [] };
  }
  const key = address.kind === 'contract' ? contractInstanceKey(address.payload) : address.account;
  const name = address.kind === 'contract' ? 'A contract: its instance' : address.kind === 'muxed' ? `A muxed account of ${address.account.slice(0, 5)}…${address.account.slice(-5)}: its entry` : 'An account, with a sound checksum: its entry';
  return { kind: 'address', ...entryOf(name, key, at) };
}

function entryOf(name: string, key: string, at: number | null): { readonly what: string; readonly choices: readonly Choice[] } {
  const newest: Choice = { label: 'As of the newest checkpoint', subject: { kind: 'entry', key, checkpoint: null } };
  if (at === null) return { what: `${name} is looked for in the buckets of a checkpoint.`, choices: [newest] };
  return { what: `${name} is looked for in the buckets of a checkpoint.`, choices: [{ label: `As of checkpoint ${grouped(at)}`, subject: { kind: 'entry', key, checkpoint: at } }, newest] };
}

function ofHex(text: string): Recognised | null {
  const plain = text.replace(/^0x/i, '').toLowerCase();
  if (!/^[0-9a-f]+$/.test(plain) || plain.length < 20) return null;
  if (plain.length !== 64) return wrong(`${plain.length} hexadecimal digits; the hash of a transaction or of a bucket has 64.`);
  return {
    kind: 'hash',
    what: 'A hash. It does not say of what: transactions and buckets have 64 hexadecimal digits alike.',
    choices: [{ label: 'Search for the transaction', subject: { kind: 'find', hash: plain } }, { label: 'Open the bucket', subject: { kind: 'bucket', hash: plain, from: 0 } }],
  };
}

function ofUrl(text: string, page: URL): Recognised | null {
  if (!/^(https?:\/\/|\/)/i.test(text) && !/^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?(\/|$)/i.test(text) && !/^localhost(:[0-9]+)?(\/|$)/i.test(text)) {
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? wrong('Archives are read from https:// addresses.') : null;
  }
  const fragment = text.includes('#') ? text.slice(text.indexOf('#')) : '';
  if (fragment !== '' && (lookIn(fragment) !== '' || decodeForm(fragment) !== null)) {
    return { kind: 'link', what: 'A link to this page.', choices: [{ label: 'Follow it', fragment }] };
  }
  const file = ofFile(text.replace(/[?#].*$/, ''));
  const url = parseArchive(file === null ? text : text.replace(FOLDERS, ''), page);
  if (url === null) return wrong('This is not an address that an archive can be read from.');
  if (url.username !== '' || url.password !== '') return wrong('Browsers refuse addresses with a user name or password in them.');
  const name = shortName(url.href);
  const newest: Choice = { label: 'Its newest checkpoint', subject: { kind: 'checkpoint', checkpoint: null }, archive: url.href };
  return {
    kind: 'archive',
    what: file === null ? `An archive: ${name}.` : `A file of the archive ${name}.`,
    choices: [...(file === null ? [] : [{ ...file, archive: url.href }]), newest, { label: 'Check it', archive: url.href }],
  };
}

/** `at`: the checkpoint that is being looked at. */
export function recognise(entered: string, page: URL, at: number | null): Recognised | null {
  const text = entered.trim();
  if (text === '') return null;
  if (text.startsWith('{')) return { kind: 'proof', what: 'A proof, as it seems: it is checked in this tab.', choices: [] };
  const ledger = parseLedger(text);
  if (ledger !== null) return ofLedger(ledger, /^\s*0x/i.test(text));
  if (/^-?(0x[0-9a-f]+|[0-9][0-9\s,_'\u202f\u00a0]*)$/i.test(text) && text.length < 20) return wrong('Ledgers have numbers from 1 to 4 294 967 295.');
  // The name of a checkpoint as files have it.
  if (/^[0-9a-f]{8}$/i.test(text)) return ofLedger(checkpointOf(Math.max(1, parseInt(text, 16)), FREQUENCY), true);
  const key = readLedgerKey(text);
  if (key !== null) return key.ok ? { kind: 'key', ...entryOf(`A LedgerKey (${key.name}): its entry`, text, at) } : wrong(key.why);
  // By itself, or from the archive's root on; with more before it, it is an address.
  const file = text.replace(FOLDERS, '') === '' || !text.includes('/') ? ofFile(text) : null;
  if (file !== null) return { kind: file.subject?.kind === 'bucket' ? 'bucket' : 'checkpoint', what: 'A file of an archive, by its name.', choices: [file] };
  return ofHex(text) ?? ofAddress(text, at) ?? ofUrl(text, page) ?? wrong('Not recognised. It takes a ledger or checkpoint, 64 hexadecimal digits, an address (G…), a LedgerKey in base64, an archive’s address or a proof.');
}
