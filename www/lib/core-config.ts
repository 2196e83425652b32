/**
 * Quorum sets as stellar-core's configuration has them: read as core reads them (`Config.cpp`), and written for it.
 *
 * Not here: whether a set is one that anybody should believe, and the rest of such a file. It needs no WebAssembly, so a
 * page can read a file on its main thread. Nothing of NODE_SEED but the name behind it is looked at, and no error shows it.
 */
import { TomlError, parse } from 'smol-toml';
import type { TomlTableWithoutBigInt, TomlValueWithoutBigInt } from 'smol-toml';
import { ArchiveVerifierError, messageOf } from './errors.ts';
import type { QuorumSet } from './types.ts';

/** What a configuration says of whom its node listens to. */
export interface ConfigQuorumSet {
  readonly quorumSet: QuorumSet;
  /** The names that the file has for validators, by their keys. */
  readonly names: Readonly<Record<string, string>>;
  /** The home domains that the file has for validators, by their keys. */
  readonly homeDomains: Readonly<Record<string, string>>;
  /** Its NETWORK_PASSPHRASE. */
  readonly network: string | null;
  /** Where the set is not all that the file says, a sentence for each. */
  readonly notes: readonly string[];
}

type Value = TomlValueWithoutBigInt;
type Table = TomlTableWithoutBigInt;

interface Draft {
  threshold: number;
  validators: string[];
  innerSets: Draft[];
}

interface Validator {
  readonly name: string;
  readonly key: string;
  readonly homeDomain: string;
  readonly quality: number;
}

/** From the least to the most, as core orders them. */
const QUALITIES = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
const HIGH = 2;
const CRITICAL = 3;
/** core's `MAXIMUM_QUORUM_NESTING_LEVEL`. */
const DEEPEST = 4;
const DEFAULT_PERCENT = 67;
const LEAST_OF_HIGH_QUALITY = 3;
/** Real files have a few tens of kB. */
const LARGEST = 4 << 20;
/** Stands for the node whose configuration it is: its key would have to be derived from its secret seed. */
const SELF = '';

const VALIDATOR_FIELDS = ['NAME', 'HOME_DOMAIN', 'QUALITY', 'PUBLIC_KEY', 'ADDRESS', 'HISTORY'];
const DOMAIN_FIELDS = ['HOME_DOMAIN', 'QUALITY'];

function refused(message: string, advice: string, cause?: unknown): ArchiveVerifierError {
  return new ArchiveVerifierError('USAGE', `stellar-core's configuration: ${message}`, { advice, cause });
}

/** A value of the file in a message: never a secret, never a page of text. */
function shown(value: Value | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return (text.length > 100 ? `${text.slice(0, 100)}…` : text).replace(/S[A-Z2-7]{20,}/g, 'S… (a secret seed?)');
}

/**
 * Reads the quorum set of a stellar-core configuration: its `[QUORUM_SET]`, or the one that core generates of its
 * `[[VALIDATORS]]` and `[[HOME_DOMAINS]]`.
 *
 * @throws ArchiveVerifierError `USAGE`, with the line or the field.
 */
export function quorumSetFromConfig(text: string): ConfigQuorumSet {
  const config = parseToml(text);
  const names = new Names(config);
  const qualities = homeDomains(config);
  const validators = tables(config, 'VALIDATORS').map((entry, index) => validator(entry, index, qualities, names));
  const manual = config['QUORUM_SET'];
  const isValidator = config['NODE_IS_VALIDATOR'] === true;
  const notes: string[] = [];

  let draft: Draft;
  if (manual !== undefined) {
    draft = manualSet(tableOf(manual, 'QUORUM_SET'), 'QUORUM_SET', names, 0);
    if (validators.length > 0) notes.push('the file has both [QUORUM_SET] and [[VALIDATORS]]: as in stellar-core, [QUORUM_SET] counts');
  } else {
    if (validators.length === 0) {
      throw refused('it names no validators: it has neither [[VALIDATORS]] nor [QUORUM_SET]', 'Give the file that the node runs with, or a quorum set as JSON.');
    }
    draft = normalized(generatedSet([...validators, ...(isValidator ? [self(config, qualities)] : [])]));
  }

  refuseTwice(draft, new Set());
  const quorumSet = withoutSelf(draft);
  if (quorumSet === undefined) {
    throw refused('no quorum of it is complete without the node itself, whose word is not in an archive', 'Give a quorum set of other validators.');
  }
  if (hasSelf(draft)) notes.push('the node itself is left out, and as many of the others as with it must agree: its word is not known here');
  const domains = Object.fromEntries(validators.map(({ key, homeDomain }) => [key, homeDomain]));
  return { quorumSet, names: names.byKey(), homeDomains: domains, network: passphrase(config), notes };
}

/**
 * Writes a quorum set as the `[QUORUM_SET]` of a stellar-core configuration; `names` are by key. core has thresholds in
 * percent: a set whose threshold no whole percentage is, which needs more than 100 members, is refused.
 *
 * @throws ArchiveVerifierError `USAGE`.
 */
export function quorumSetToConfig(set: QuorumSet, names: Readonly<Record<string, string>> = {}): string {
  const lines = ['# A quorum set for stellar-core.'];
  const members = set.validators.length + set.innerSets.length;
  if (members < 4 || set.threshold < twoThirds(members)) {
    lines.push('# stellar-core takes this one only with UNSAFE_QUORUM=true: it wants four members and two thirds of them.');
  }
  return `${[...lines, ...sections(set, 'QUORUM_SET', oneWordNames(names), 0)].join('\n')}\n`;
}

function parseToml(text: string): Table {
  if (text.length > LARGEST) throw refused(`it is larger than ${LARGEST >> 20} MB`, 'Give the configuration of one node.');
  try {
    return parse(text, { maxDepth: 32 });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw refused(messageOf(cause), 'Give a stellar-core configuration, or a quorum set as JSON.');
    // The library's message goes on with the lines around the place, and one of them may be NODE_SEED.
    const why = cause.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    throw refused(`line ${cause.line}, column ${cause.column} is no TOML: ${why}`, 'Mend that line; or give a quorum set as JSON, which begins with {.');
  }
}

function isTable(value: Value | undefined): value is Table {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

function tableOf(value: Value | undefined, place: string): Table {
  if (isTable(value)) return value;
  throw refused(`${place} must be a table, not ${shown(value)}`, `Write it as [${place}].`);
}

/** The tables of `[[name]]`; none if there is none. */
function tables(config: Table, name: string): Table[] {
  const value = config[name];
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(isTable)) return value;
  throw refused(`${name} must be tables, not ${shown(value)}`, `Write each as [[${name}]], with two brackets.`);
}

function texts(value: Value | undefined, place: string): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  throw refused(`${place} must be an array of strings, not ${shown(value)}`, `Write ${place}=["G… name", "$name"].`);
}

/** The text of a field; empty where it has none. */
function textIn(entry: Table, field: string, place: string): string {
  const value = entry[field] ?? '';
  if (typeof value === 'string') return value;
  throw refused(`${place}: ${field} must be a string, not ${shown(value)}`, `Write ${field}="…".`);
}

function refuseStrangers(entry: Table, known: readonly string[], place: string): void {
  const stranger = Object.keys(entry).find((field) => !known.includes(field));
  if (stranger !== undefined) throw refused(`${place} has a field ${shown(stranger)}, which stellar-core does not know`, `The fields are ${known.join(', ')}.`);
}

function passphrase(config: Table): string | null {
  const text = textIn(config, 'NETWORK_PASSPHRASE', 'the file');
  return text === '' ? null : text;
}

function qualityOf(text: string, place: string): number {
  const quality = QUALITIES.indexOf(text);
  if (quality === -1) throw refused(`${place}: there is no QUALITY ${shown(text)}`, `It is one of ${QUALITIES.join(', ')}.`);
  return quality;
}

/** `[[HOME_DOMAINS]]`: how much the validators of a domain are worth. */
function homeDomains(config: Table): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const [index, entry] of tables(config, 'HOME_DOMAINS').entries()) {
    const place = `[[HOME_DOMAINS]] entry ${index + 1}`;
    refuseStrangers(entry, DOMAIN_FIELDS, place);
    const domain = textIn(entry, 'HOME_DOMAIN', place);
    if (domain === '') throw refused(`${place} has no HOME_DOMAIN`, 'Add HOME_DOMAIN="…", the domain of the organisation.');
    if (qualities.has(domain)) throw refused(`${place}: ${shown(domain)} is there twice`, 'Leave one of the two out.');
    qualities.set(domain, qualityOf(textIn(entry, 'QUALITY', place), place));
  }
  return qualities;
}

function validator(entry: Table, index: number, qualities: ReadonlyMap<string, number>, names: Names): Validator {
  const name = textIn(entry, 'NAME', `[[VALIDATORS]] entry ${index + 1}`);
  const place = `[[VALIDATORS]] entry ${index + 1}${name === '' ? '' : ` (${shown(name)})`}`;
  refuseStrangers(entry, VALIDATOR_FIELDS, place);
  if (name === '') throw refused(`${place} has no NAME`, 'Add NAME="…".');
  const homeDomain = textIn(entry, 'HOME_DOMAIN', place);
  if (homeDomain === '') throw refused(`${place} has no HOME_DOMAIN`, 'Add HOME_DOMAIN="…", the domain of its organisation.');
  const key = checkedKey(textIn(entry, 'PUBLIC_KEY', place), `${place}: PUBLIC_KEY`);
  names.add(name, key, place);
  const own = textIn(entry, 'QUALITY', place);
  const ofDomain = qualities.get(homeDomain);
  if (ofDomain !== undefined && own !== '') {
    throw refused(`${place}: its QUALITY is already that of its home domain ${shown(homeDomain)}`, 'Leave QUALITY out here, or in [[HOME_DOMAINS]].');
  }
  if (ofDomain === undefined && own === '') {
    throw refused(`${place} has no QUALITY, and its home domain ${shown(homeDomain)} has none either`, 'Add [[HOME_DOMAINS]] with that domain and its QUALITY.');
  }
  return { name, key, homeDomain, quality: ofDomain ?? qualityOf(own, place) };
}

/** A node that is a validator is one of its own organisation. */
function self(config: Table, qualities: ReadonlyMap<string, number>): Validator {
  const homeDomain = textIn(config, 'NODE_HOME_DOMAIN', 'the file');
  const quality = qualities.get(homeDomain);
  if (quality === undefined) {
    throw refused(`NODE_IS_VALIDATOR is true, and NODE_HOME_DOMAIN ${shown(homeDomain)} is none of [[HOME_DOMAINS]]`, 'Add that home domain with its QUALITY, or set NODE_IS_VALIDATOR=false.');
  }
  return { name: 'self', key: SELF, homeDomain, quality };
}

/** Which names stand for which nodes. */
class Names {
  readonly #keys = new Map<string, string>();

  constructor(config: Table) {
    for (const [index, text] of texts(config['NODE_NAMES'], 'NODE_NAMES').entries()) this.resolve(text, `NODE_NAMES, entry ${index + 1}`);
    const seed = textIn(config, 'NODE_SEED', 'the file').trim().split(/\s+/)[1];
    if (seed !== undefined) this.add(seed, SELF, 'NODE_SEED');
  }

  add(name: string, key: string, place: string): void {
    const known = this.#keys.get(name);
    if (known !== undefined && known !== key) throw refused(`${place}: the name ${shown(name)} stands for two nodes`, 'Give each a name of its own.');
    this.#keys.set(name, key);
  }

  /** The key that `G… name`, `G…` or `$name` means; a name that it gives is known from then on. */
  resolve(text: string, place: string): string {
    if (!text.startsWith('$')) {
      const [node = '', name] = text.trim().split(/\s+/);
      checkedKey(node, place);
      if (name !== undefined) this.add(name, node, place);
      return node;
    }
    const key = this.#keys.get(text.slice(1));
    if (key === undefined) throw refused(`${place}: nobody is named ${shown(text.slice(1))}`, 'Add it to NODE_NAMES as "G… name", or write the key itself.');
    return key;
  }

  /** The first name of each. */
  byKey(): Record<string, string> {
    return Object.fromEntries([...this.#keys].filter(([, key]) => key !== SELF).map(([name, key]) => [key, name]).toReversed());
  }
}

function innerTables(set: Table, place: string): [string, Table][] {
  return Object.entries(set)
    .filter(([field]) => field !== 'THRESHOLD_PERCENT' && field !== 'VALIDATORS')
    .map(([field, value]) => {
      const name = `${place}.${field}`;
      if (!isTable(value)) throw refused(`${name} is no field of a quorum set, and no quorum set in it`, `The fields are THRESHOLD_PERCENT and VALIDATORS; a set in it is written as [${place}.1].`);
      return [name, value];
    });
}

/** core's `loadQset`. */
function manualSet(set: Table, place: string, names: Names, level: number): Draft {
  if (level > DEEPEST) throw refused(`${place} is nested deeper than ${DEEPEST} levels`, 'Flatten it: stellar-core takes no deeper set.');
  const percent = set['THRESHOLD_PERCENT'] ?? DEFAULT_PERCENT;
  if (typeof percent !== 'number' || !Number.isInteger(percent) || percent < 1 || percent > 100) {
    throw refused(`${place}.THRESHOLD_PERCENT must be a whole number from 1 to 100, not ${shown(percent)}`, `Without it the threshold is ${DEFAULT_PERCENT} percent.`);
  }
  const validators = texts(set['VALIDATORS'], `${place}.VALIDATORS`)
    .map((text, index) => names.resolve(text, `${place}.VALIDATORS, entry ${index + 1}`));
  const innerSets = innerTables(set, place).map(([name, inner]) => manualSet(inner, name, names, level + 1));
  const members = validators.length + innerSets.length;
  if (members === 0) throw refused(`${place} has no members`, 'Add VALIDATORS=["G…"], or take it out.');
  return { threshold: thresholdOf(members, percent), validators, innerSets };
}

/** Rounded up, in whole numbers as core does it. */
function thresholdOf(members: number, percent: number): number {
  return 1 + Math.floor((members * percent - 1) / 100);
}

function simpleMajority(members: number): number {
  return members - Math.floor((members - 1) / 2);
}

function twoThirds(members: number): number {
  return members - Math.floor((members - 1) / 3);
}

/** core's `generateQuorumSet`. */
function generatedSet(validators: readonly Validator[]): Draft {
  const byQuality = [...validators].sort((a, b) => b.quality - a.quality || (a.homeDomain < b.homeDomain ? -1 : Number(a.homeDomain > b.homeDomain)));
  return ofQuality(byQuality, CRITICAL);
}

/** core's `generateQuorumSetHelper`: an inner set for each organisation of a quality, one more for all that is of less. */
function ofQuality(validators: readonly Validator[], quality: number): Draft {
  const innerSets: Draft[] = [];
  let rest = validators;
  for (let first = rest[0]; first?.quality === quality; first = rest[0]) {
    const { homeDomain } = first;
    const end = rest.findIndex((one) => one.homeDomain !== homeDomain);
    const organisation = rest.slice(0, end === -1 ? undefined : end);
    innerSets.push(ofOrganisation(organisation, first));
    rest = rest.slice(organisation.length);
  }
  const [next] = rest;
  if (next !== undefined) innerSets.push(ofQuality(rest, next.quality));
  return { threshold: quality === CRITICAL ? innerSets.length : twoThirds(innerSets.length), validators: [], innerSets };
}

function ofOrganisation(validators: readonly Validator[], first: Validator): Draft {
  const other = validators.find(({ quality }) => quality !== first.quality);
  if (other !== undefined) {
    throw refused(`the validators ${shown(first.name)} and ${shown(other.name)} of ${shown(first.homeDomain)} must have the same QUALITY`, 'Give the QUALITY once, in [[HOME_DOMAINS]].');
  }
  if (first.quality >= HIGH && validators.length < LEAST_OF_HIGH_QUALITY) {
    throw refused(`${shown(first.homeDomain)} is of ${QUALITIES[first.quality]} quality and has only ${validators.length} of the ${LEAST_OF_HIGH_QUALITY} validators that stellar-core asks for`, 'Add its other validators, or give it QUALITY="MEDIUM".');
  }
  return { threshold: simpleMajority(validators.length), validators: validators.map(({ key }) => key), innerSets: [] };
}

/** core's `normalizeQSet`: sets of one member are that member. */
function normalized({ threshold, validators, innerSets }: Draft): Draft {
  const inner = innerSets.map(normalized);
  const isOneNode = (set: Draft): boolean => set.threshold === 1 && set.validators.length === 1 && set.innerSets.length === 0;
  const all = [...validators, ...inner.filter(isOneNode).flatMap((set) => set.validators)];
  const sets = inner.filter((set) => !isOneNode(set));
  const [only] = sets;
  return threshold === 1 && all.length === 0 && sets.length === 1 && only !== undefined ? only : { threshold, validators: all, innerSets: sets };
}

function refuseTwice({ validators, innerSets }: Draft, seen: Set<string>): void {
  for (const key of validators) {
    if (seen.has(key)) throw refused(`the node ${key === SELF ? 'itself' : key} is in the quorum set twice`, 'Leave one of the two out.');
    seen.add(key);
  }
  for (const inner of innerSets) refuseTwice(inner, seen);
}

function hasSelf({ validators, innerSets }: Draft): boolean {
  return validators.includes(SELF) || innerSets.some(hasSelf);
}

/** The same set for somebody else: thresholds stay, so whatever satisfies it satisfies the node's own. None if nothing can. */
function withoutSelf(set: Draft): QuorumSet | undefined {
  const validators = set.validators.filter((key) => key !== SELF);
  const innerSets = set.innerSets.map(withoutSelf).filter((inner) => inner !== undefined);
  return set.threshold > validators.length + innerSets.length ? undefined : { threshold: set.threshold, validators, innerSets };
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const KEY = /^G[A-Z2-7]{55}$/;

function checkedKey(key: string, place: string): string {
  if (KEY.test(key) && isIntact(key)) return key;
  const why = key === '' ? 'the key is missing' : KEY.test(key) ? `${key} has a slip in it: its checksum is wrong` : `${shown(key)} is no public key`;
  throw refused(`${place}: ${why}`, 'A key has 56 characters and begins with G; copy it anew.');
}

/** SEP-23's checksum: CRC-16/XMODEM of what stands before it. */
function isIntact(key: string): boolean {
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const char of key) {
    buffer = ((buffer << 5) | BASE32.indexOf(char)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((buffer >> bits) & 0xff);
  }
  let crc = 0;
  for (const byte of bytes.slice(0, -2)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return bytes.at(-2) === (crc & 0xff) && bytes.at(-1) === crc >> 8;
}

/** core ends a name at a blank and takes none twice. */
function oneWordNames(names: Readonly<Record<string, string>>): Map<string, string> {
  const taken = new Set<string>();
  const words = new Map<string, string>();
  for (const [key, name] of Object.entries(names)) {
    const word = name.normalize('NFD').replace(/\p{M}/gu, '').replace(/[^\w.-]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 64);
    if (word === '') continue;
    let free = word;
    for (let count = 2; taken.has(free); count += 1) free = `${word}_${count}`;
    taken.add(free);
    words.set(key, free);
  }
  return words;
}

function sections(set: QuorumSet, place: string, names: ReadonlyMap<string, string>, level: number): string[] {
  const members = set.validators.length + set.innerSets.length;
  if (level > DEEPEST) throw refused(`the quorum set is nested deeper than ${DEEPEST} levels`, 'Flatten it: stellar-core takes no deeper set.');
  if (!Number.isInteger(set.threshold) || set.threshold < 1 || set.threshold > members) {
    throw refused(`the threshold of ${place} is ${String(set.threshold)} of ${members} members`, `It must be from 1 to ${members}.`);
  }
  const percent = Math.floor((100 * set.threshold) / members);
  if (percent < 1 || thresholdOf(members, percent) !== set.threshold) {
    throw refused(`${set.threshold} of ${members} members (${place}) is no whole percentage`, 'stellar-core knows thresholds in percent only: keep this set as JSON, or split it into smaller sets.');
  }
  const entry = (key: string): string => {
    const name = names.get(checkedKey(key, place));
    return `  "${key}${name === undefined ? '' : ` ${name}`}",`;
  };
  return [
    '', `[${place}]`, `THRESHOLD_PERCENT=${percent}`,
    ...(set.validators.length === 0 ? [] : ['VALIDATORS=[', ...set.validators.map(entry), ']']),
    ...set.innerSets.flatMap((inner, index) => sections(inner, `${place}.${index + 1}`, names, level + 1)),
  ];
}
