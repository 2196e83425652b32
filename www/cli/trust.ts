/**
 * Whose word counts, from the options of the command line: a quorum set by its name or from a file, hashes that are trusted.
 *
 * Not here: what is made of it. A file is a stellar-core configuration or JSON by what is in it, whatever its name.
 */
import { quorumSetFromConfig } from '../lib/core-config.ts';
import { messageOf, toVerifierError } from '../lib/errors.ts';
import type { ArchiveVerifierError } from '../lib/errors.ts';
import { init, quorumSetPresets } from '../lib/node.ts';
import type { QuorumSet, TrustOptions } from '../lib/types.ts';
import type { Words } from './commands/command.ts';
import { readText } from './input-file.ts';
import { MAX_LEDGER, defined, hash, inputFile, similar, usage } from './options.ts';
import type { OptionName } from './options.ts';
import type { Session } from './session.ts';
import { listed } from './text.ts';

/** The options as they were written, before any file is opened. */
export interface TrustWords {
  readonly quorumSet: string | undefined;
  readonly hashes: readonly string[] | undefined;
  readonly hashesFile: string | undefined;
  readonly allSignatures: boolean | undefined;
  /** Of a config file: a stellar-core configuration that was written on the command line knows better. */
  readonly network: string | undefined;
}

/** What they come to. */
export interface Trusted {
  readonly trust: TrustOptions;
  /** The network of a stellar-core configuration, or of the config file. */
  readonly network: string | undefined;
  /** The names that such a file has for validators, by their keys. */
  readonly names: Readonly<Record<string, string>>;
}

/** To believe nobody is a choice. */
const NOBODY = 'none';
const LARGEST_SET = 4 << 20;
/** The verifier's own limit. */
const LARGEST_HASHES = 256 << 20;

/** Refuses what makes no sense in itself. */
export function trustWords({ values, network }: Words): TrustWords {
  return {
    quorumSet: inputFile('quorum-set', values),
    hashes: trustedHashes(values['trusted-hash']),
    hashesFile: inputFile('trusted-checkpoint-hashes', values),
    allSignatures: values['all-signatures'],
    network,
  };
}

function trustedHashes(words: readonly string[] | undefined): readonly string[] | undefined {
  const hashes = new Map<string, string>();
  for (const pair of words?.map(trustedHash) ?? []) {
    const [sequence = '', digits = ''] = pair.split(':');
    if ((hashes.get(sequence) ?? digits) !== digits) throw usage(`--trusted-hash names two hashes for ledger ${sequence}`, 'Only one can be right: leave the other one out.');
    hashes.set(sequence, digits);
  }
  return words === undefined ? undefined : [...hashes].map(([sequence, digits]) => `${sequence}:${digits}`);
}

function trustedHash(text: string): string {
  const [, ledger = '', digits = ''] = /^(\d+|0x[0-9a-f]+):(.*)$/is.exec(text) ?? [];
  const sequence = Number(ledger);
  if (ledger === '' || sequence < 1 || sequence > MAX_LEDGER) {
    throw usage(`--trusted-hash takes LEDGER:HASH, not ${JSON.stringify(text)}`, 'For example --trusted-hash 63:04f2… with the 64 digits of the hash of ledger 63.');
  }
  return `${sequence}:${hash('--trusted-hash', digits)}`;
}

/** Reads the files that the options name. */
export async function readTrust(words: TrustWords, session: Session): Promise<Trusted> {
  const { quorumSet, hashes, hashesFile, allSignatures, network } = words;
  const believed = quorumSet === undefined ? undefined : await readQuorumSet(quorumSet);
  for (const note of believed?.notes ?? []) session.say(`${quorumSet}: ${note}`);
  const checkpointHashes = hashesFile === undefined ? undefined : await readHashes('trusted-checkpoint-hashes', hashesFile);
  return {
    trust: defined({ quorumSet: believed?.quorumSet, hashes, checkpointHashes, allSignatures }),
    network: believed?.network ?? network,
    names: believed?.names ?? {},
  };
}

interface ReadQuorumSet {
  readonly quorumSet: string | QuorumSet;
  readonly network: string | undefined;
  readonly names: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

async function readQuorumSet(word: string): Promise<ReadQuorumSet> {
  await init();
  const presets = [...quorumSetPresets().map(({ name }) => name), NOBODY];
  if (presets.includes(word)) return { quorumSet: word, network: undefined, names: {}, notes: [] };
  const near = similar(word, presets);
  const advice = near === undefined ? `The presets are ${listed(presets)}; a file is a quorum set as JSON or a stellar-core configuration.` : `Did you mean ${near}?`;
  const text = await readText('quorum-set', word, LARGEST_SET, advice);
  const trimmed = text.replace(/^\ufeff/, '').trim();
  try {
    if (trimmed.startsWith('{')) return { quorumSet: parseJson(trimmed), network: undefined, names: {}, notes: [] };
    const { quorumSet, network, names, notes } = quorumSetFromConfig(trimmed);
    return { quorumSet, network: network ?? undefined, names, notes };
  } catch (thrown) {
    const error = toVerifierError(thrown);
    throw usage(`--quorum-set ${word}: ${error.message}`, error.advice);
  }
}

/** The verifier looks at what is in it. */
function parseJson(text: string): QuorumSet {
  try {
    return JSON.parse(text) as QuorumSet;
  } catch (cause) {
    throw usage(`this is no JSON: ${messageOf(cause)}`, 'A quorum set is {"threshold":2,"validators":["G…"],"innerSets":[]}, with innerSets of the same form.');
  }
}

/** The text of a file of trusted hashes. */
export function readHashes(option: 'trusted-checkpoint-hashes' | 'trusted-hash-file', path: string): Promise<string> {
  return readText(option, path, LARGEST_HASHES, 'verify-checkpoints writes such a file.');
}

/** The verifier names its own fields; whoever wrote a command line knows only its options. */
export function inWordsOfOptions(error: ArchiveVerifierError): ArchiveVerifierError {
  if (error.code !== 'USAGE') return error;
  const [field, option] = Object.entries(OPTIONS_OF_FIELDS).find(([name]) => error.message.startsWith(`${name}:`)) ?? [];
  if (field === undefined || option === undefined) return error;
  return usage(`--${option}: ${error.message.slice(field.length + 1).trim()}`, error.advice ?? 'Mend that file, or choose another one.');
}

const OPTIONS_OF_FIELDS: Readonly<Record<string, OptionName>> = {
  'plan': 'plan',
  'trust.quorumSet': 'quorum-set', 'trust.hashes': 'trusted-hash', 'trust.checkpointHashes': 'trusted-checkpoint-hashes', 'trustedHashes': 'trusted-hash-file',
};
