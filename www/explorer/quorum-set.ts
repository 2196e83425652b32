/**
 * Quorum sets as people hand them over and read them: text to a set or to the reason why it is none, counts, names.
 *
 * Not here: DOM, and what a quorum is. The verifier judges a set once more when a check begins; this only says early and
 * beside the field what it would refuse.
 */
import type { NetworkPreset, QuorumSet } from '../lib/types.ts';

/** As stellar-core has them: the outermost set is level 0. */
const DEEPEST = 4;
const MOST_NODES = 1000;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SHAPE = '{"threshold":2,"validators":["G…"],"innerSets":[…]}';

export type ReadSet =
  | { readonly ok: true; readonly set: QuorumSet }
  | { readonly ok: false; readonly message: string };

class Refusal extends Error {}

/** A public key with its type and checksum (SEP-23): a mistyped letter would be a validator that nobody is. */
function isNodeKey(text: string): boolean {
  if (!/^G[A-Z2-7]{55}$/.test(text)) return false;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    held = (held << 5) | BASE32.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
      held &= (1 << bits) - 1;
    }
  }
  let sum = 0;
  for (const byte of bytes.slice(0, 33)) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff;
  }
  return bytes[33] === (sum & 0xff) && bytes[34] === sum >> 8;
}

function readLevel(value: unknown, depth: number, seen: Set<string>): QuorumSet {
  if (depth > DEEPEST) throw new Refusal(`Its sets are nested deeper than ${DEEPEST} levels.`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(`A quorum set is written ${SHAPE}.`);
  const { threshold, validators = [], innerSets, inner_sets: second, innerQuorumSets: third, ...strange } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(strange);
  if (unknown !== undefined) throw new Refusal(`“${unknown.slice(0, 40)}” is no part of a quorum set, which is written ${SHAPE}.`);
  const inner = innerSets ?? second ?? third ?? [];
  if (!Array.isArray(validators) || !Array.isArray(inner)) throw new Refusal('“validators” and “innerSets” are lists.');
  const members = validators.length + inner.length;
  if (typeof threshold !== 'number' || !Number.isInteger(threshold) || threshold < 1 || threshold > members) {
    throw new Refusal(`A threshold is ${JSON.stringify(threshold) ?? 'missing'} of ${members} members: it is a number from 1 to ${members}.`);
  }
  for (const key of validators as readonly unknown[]) {
    if (typeof key !== 'string' || !isNodeKey(key)) throw new Refusal(`${JSON.stringify(key)?.slice(0, 64)} is no validator’s key: one has 56 characters and begins with G; see that none is mistyped.`);
    if (seen.has(key)) throw new Refusal(`The validator ${key} is in it twice.`);
    seen.add(key);
    if (seen.size > MOST_NODES) throw new Refusal(`It has more than ${MOST_NODES} validators.`);
  }
  return { threshold, validators: validators as string[], innerSets: inner.map((set) => readLevel(set, depth + 1, seen)) };
}

/** JSON, in the spellings that this verifier, stellar-core and network explorers use. */
export function readQuorumSet(text: string): ReadSet {
  if (text.trim() === '') return { ok: false, message: 'Paste a quorum set, drop a file with one, or choose a known one.' };
  try {
    const seen = new Set<string>();
    const set = readLevel(JSON.parse(text), 0, seen);
    return seen.size === 0 ? { ok: false, message: 'There is no validator in it.' } : { ok: true, set };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ok: false, message: thrown.message };
    return { ok: false, message: `This is neither JSON nor a stellar-core configuration (${thrown instanceof Error ? thrown.message : 'unreadable'}).` };
  }
}

/** Whether a text is a configuration rather than JSON, which is then read by another reader. */
export function looksLikeConfig(text: string): boolean {
  return !text.trimStart().startsWith('{') && /^\s*(\[+\s*(VALIDATORS|QUORUM_SET|HOME_DOMAINS)|[A-Z_]+\s*=)/m.test(text);
}

export function prettySet(set: QuorumSet): string {
  // A set a line each would be long: keys stand alone, empty lists are left out.
  const plain = ({ threshold, validators, innerSets }: QuorumSet): object => ({
    threshold,
    ...(validators.length === 0 ? {} : { validators }),
    ...(innerSets.length === 0 ? {} : { innerSets: innerSets.map(plain) }),
  });
  return JSON.stringify(plain(set), null, 2);
}

export function validatorsOf(set: QuorumSet): readonly string[] {
  return [...set.validators, ...set.innerSets.flatMap(validatorsOf)];
}

export interface KnownValidator {
  readonly name: string;
  readonly organisation?: string | undefined;
}

export function knownValidators(networks: readonly NetworkPreset[]): ReadonlyMap<string, KnownValidator> {
  return new Map(networks.flatMap(({ archives }) => archives.map(({ key, name, organisation }) => [key, { name, organisation }] as const)));
}

/** The one organisation that all validators of a set are of, where they are known. */
export function organisationOf(set: QuorumSet, known: ReadonlyMap<string, KnownValidator>): string | undefined {
  const names = new Set(validatorsOf(set).map((key) => known.get(key)?.organisation));
  return names.size === 1 ? [...names][0] : undefined;
}

/** Of what and how many: “3 validators (2 of 3)”. */
export function summaryOf({ threshold, validators, innerSets }: QuorumSet): string {
  const members = validators.length + innerSets.length;
  const what = validators.length === 0 ? 'organisation' : innerSets.length === 0 ? 'validator' : 'member';
  return `${members} ${what}${members === 1 ? '' : 's'} (${threshold} of ${members})`;
}

/** Enough of a key to compare it by eye. */
export function shortKey(key: string): string {
  return `${key.slice(0, 5)}…${key.slice(-4)}`;
}
