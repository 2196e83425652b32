/**
 * What follows from the config file for the words of a command: names become archives and quorum sets, options that were not written
 * get their defaults.
 *
 * What was written wins, always. A folder (for quorum sets: a file) of the same name wins over a name, because every command line means
 * with a config file what it means without one. Not here: the file.
 */
import { stat } from 'node:fs/promises';
import type { Words } from '../commands/command.ts';
import { shown } from '../destination.ts';
import { optionsOf } from '../manual/page.ts';
import type { Operand, Page } from '../manual/page.ts';
import { QUORUM_SET_NAMES } from '../option-table.ts';
import { usage } from '../options.ts';
import type { Values } from '../options.ts';
import { plural } from '../text.ts';
import { DEFAULT_OPTIONS } from './file.ts';
import type { Config, NamedArchive } from './file.ts';

export interface Named extends Words {
  /** What was not done that somebody may have expected. */
  readonly remarks: readonly string[];
}

/** A word that names an archive of the config file. */
interface Meant {
  readonly name: string;
  readonly archive: NamedArchive;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

/** The operand that each word stands for: of two with one that repeats, the last word is the last one's. */
function operandOf(operands: readonly Operand[], index: number, count: number): Operand | undefined {
  const last = operands.at(-1);
  const repeats = operands[0]?.many === true;
  if (!repeats) return operands[index];
  return operands.length > 1 && index === count - 1 ? last : operands[0];
}

/** An option that all named archives agree on. */
function agreed(what: 'network' | 'quorum-set', meant: readonly Meant[], of: (archive: NamedArchive) => string | undefined): string | undefined {
  const said = meant.flatMap(({ name, archive }) => {
    const value = of(archive);
    return value === undefined ? [] : [{ name, value }];
  });
  const [first] = said;
  const other = said.find(({ value }) => value !== first?.value);
  if (first !== undefined && other !== undefined) {
    throw usage(
      `the config file has another ${what} for ${other.name} (${other.value}) than for ${first.name} (${first.value})`,
      `Say which one counts with --${what}, or name archives that go together.`,
    );
  }
  return first?.value;
}

export class Names {
  readonly #config: Config;
  readonly #file: string;
  readonly #remarks: string[] = [];

  /** `file` is what the config file is called in remarks. */
  constructor(config: Config, file: string) {
    this.#config = config;
    this.#file = file;
  }

  /** `words` of the command of `page` with all that the config file has to say of them. */
  async applied(page: Page, words: Words): Promise<Named> {
    const meant: Meant[] = [];
    const positionals: string[] = [];
    for (const [index, word] of words.positionals.entries()) {
      const operand = operandOf(page.operands, index, words.positionals.length);
      const archive = await this.#archive(word, operand);
      if (archive === undefined) {
        positionals.push(word);
        continue;
      }
      if (archive.at.length > 1 && operand?.many !== true) {
        throw usage(`${word} is ${plural(archive.at.length, 'archive')} in ${this.#file}, and here goes one only`, `Write one of them: ${archive.at.map(shown).join(', ')}`);
      }
      meant.push({ name: word, archive });
      positionals.push(...archive.at);
    }
    const { values, network } = await this.#values(page, words.values, meant);
    return { positionals, values, ...(network === undefined ? {} : { network }), remarks: this.#remarks };
  }

  async #archive(word: string, operand: Operand | undefined): Promise<NamedArchive | undefined> {
    if (operand === undefined || !['archive', 'archive-or-file', 'destination'].includes(String(operand.completes))) return undefined;
    const archive = this.#config.archives.get(word);
    if (archive === undefined || !(await exists(word))) return archive;
    this.#remarks.push(`${word} is taken for the ${operand.completes === 'archive-or-file' ? 'file or folder' : 'folder'} ./${word}, not for the archive of that name in ${this.#file}: rename one of them`);
    return undefined;
  }

  async #quorumSet(word: string): Promise<string> {
    const named = this.#config.quorumSets.get(word);
    if (named === undefined || QUORUM_SET_NAMES.some((preset) => preset === word)) return word;
    if (!(await exists(word))) return named;
    this.#remarks.push(`--quorum-set ${word} is taken for the file ./${word}, not for the quorum set of that name in ${this.#file}: rename one of them`);
    return word;
  }

  async #values(page: Page, written: Values, meant: readonly Meant[]): Promise<{ readonly values: Values; readonly network: string | undefined }> {
    const options = optionsOf(page);
    const takes = (name: (typeof options)[number]): boolean => options.includes(name);
    const added: Record<string, string> = {};
    // They are about reading archives; what reads none means something else by them.
    const reads = takes('max-retries');
    for (const name of DEFAULT_OPTIONS) {
      const value = this.#config.options[name];
      if (value !== undefined && takes(name) && (reads || name === 'color')) added[name] = value;
    }
    const own = written['quorum-set'];
    if (takes('quorum-set') && own === undefined) {
      const believed = agreed('quorum-set', meant, ({ quorumSet }) => quorumSet);
      if (believed !== undefined) added['quorum-set'] = believed;
    }
    const network = takes('network') && written.network === undefined ? agreed('network', meant, (archive) => archive.network) : undefined;
    // A stellar-core configuration that was written on the command line may name the network itself.
    const isLast = network !== undefined && own !== undefined;
    if (network !== undefined && !isLast) added['network'] = network;
    return {
      values: { ...added, ...written, ...(own === undefined || !takes('quorum-set') ? {} : { 'quorum-set': await this.#quorumSet(own) }) },
      network: isLast ? network : undefined,
    };
  }
}
