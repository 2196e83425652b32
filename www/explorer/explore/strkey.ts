/**
 * Addresses as people copy them (StrKey, SEP-23), and keys of ledger entries in base64: what they are, and whether they are whole.
 *
 * Pure; no DOM. Only what the box has to tell; the verifier reads them again.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** By their version bytes, which make the first letter. */
const KINDS: Readonly<Record<string, { readonly version: number; readonly length: number; readonly name: string }>> = {
  G: { version: 6 << 3, length: 56, name: 'account' },
  M: { version: 12 << 3, length: 69, name: 'muxed account' },
  C: { version: 2 << 3, length: 56, name: 'contract' },
  S: { version: 18 << 3, length: 56, name: 'secret key' },
};

function fromBase32(text: string): Uint8Array | null {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}

function toBase32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31];
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

export type Address =
  | { readonly ok: true; readonly kind: 'account' | 'muxed' | 'contract' | 'secret'; readonly account: string; readonly payload: Uint8Array }
  | { readonly ok: false; readonly why: string };

function written(version: number, payload: Uint8Array): string {
  const body = Uint8Array.from([version, ...payload]);
  const crc = crc16(body);
  return toBase32(Uint8Array.from([...body, crc & 0xff, crc >> 8]));
}

/** `null` where it does not look like an address at all. */
export function readAddress(text: string): Address | null {
  if (!/^[GMCS][A-Z0-9]{19,}$/i.test(text) || /^[0-9a-f]+$/i.test(text)) return null;
  const letter = text[0]?.toUpperCase() ?? '';
  const kind = KINDS[letter];
  if (kind === undefined) return null;
  const begins = `It begins like the address of ${kind.name === 'account' ? 'an' : 'a'} ${kind.name} (${letter}…)`;
  if (text !== text.toUpperCase()) return { ok: false, why: `${begins}, but addresses have capital letters only.` };
  const strange = [...text].find((character) => !ALPHABET.includes(character));
  if (strange !== undefined) return { ok: false, why: `${begins}, but “${strange}” is in none.` };
  if (text.length !== kind.length) return { ok: false, why: `${begins}, but has ${text.length} characters; one has ${kind.length}.` };
  const bytes = fromBase32(text);
  const body = bytes?.subarray(0, -2);
  const [low = 0, high = 0] = bytes?.subarray(-2) ?? [];
  if (body === undefined || crc16(body) !== (low | (high << 8)) || body[0] !== kind.version) {
    return { ok: false, why: `${letter}… with a wrong checksum: a character is wrong, or two are swapped.` };
  }
  const payload = body.slice(1, 33);
  const known = ({ G: 'account', M: 'muxed', C: 'contract', S: 'secret' } as const)[letter];
  if (known === undefined) return null;
  return { ok: true, kind: known, payload, account: known === 'muxed' || known === 'account' ? written(6 << 3, payload) : text };
}

/** `LedgerKey` of the entry that says what code a contract runs, and holds what it keeps for all. */
export function contractInstanceKey(contract: Uint8Array): string {
  // CONTRACT_DATA, SC_ADDRESS_TYPE_CONTRACT, its id, SCV_LEDGER_KEY_CONTRACT_INSTANCE, PERSISTENT.
  const bytes = [0, 0, 0, 6, 0, 0, 0, 1, ...contract, 0, 0, 0, 20, 0, 0, 0, 1];
  return btoa(String.fromCharCode(...bytes));
}

/** `LedgerKey` of the code of contracts, by its hash. */
export function codeKey(hash: string): string {
  const bytes = hash.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(0, 0, 0, 7, ...bytes));
}

const KEY_NAMES = ['account', 'trustline', 'offer', 'data', 'claimable balance', 'liquidity pool', 'contract data', 'contract code', 'config setting', 'ttl'];
/** Bytes, where all keys of the type have as many. */
const KEY_SIZES: readonly (number | null)[] = [40, null, 48, null, 40, 36, null, 36, 8, 36];

export type LedgerKey = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly why: string };

/** `null` where it does not look like XDR in base64. All keys begin with a small number in four bytes. */
export function readLedgerKey(text: string): LedgerKey | null {
  if (!/^AAAA[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  if (text.length % 4 !== 0) return { ok: false, why: 'It looks like XDR in base64, but its end is missing: base64 comes in fours.' };
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return { ok: false, why: 'It looks like XDR in base64, but is not well formed.' };
  }
  const type = bytes.charCodeAt(3);
  const name = KEY_NAMES[type];
  if (name === undefined) return { ok: false, why: `It is XDR, but no LedgerKey: there is no type ${type} of entries.` };
  const size = KEY_SIZES[type] ?? null;
  const wrong = size === null ? bytes.length < 40 || bytes.length % 4 !== 0 : bytes.length !== size;
  if (wrong) return { ok: false, why: `It begins like the LedgerKey of ${name}, but has ${bytes.length} bytes${size === null ? '' : `; one has ${size}`}.` };
  return { ok: true, name };
}
