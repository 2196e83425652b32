/**
 * What a config file says, from its text: names of archives and quorum sets, defaults of options. What makes no sense is refused with
 * the file, the line, the field and what to do; so are unknown keys, which may be misspelt ones.
 *
 * Not here: where the file lies (`place.ts`), and what follows from the names (`names.ts`). The grammar is TOML's.
 */
import { dirname, resolve } from 'node:path';
import { TomlError, parse } from 'smol-toml';
import { ArchiveVerifierError, messageOf } from '../../lib/errors.ts';
import { QUORUM_SET_NAMES } from '../option-table.ts';
import { bandwidthLimit, colour, concurrency, maxRetries, network, similar, timeoutMs, usage } from '../options.ts';
import type { OptionName, Values } from '../options.ts';
import { clean, listed } from '../text.ts';

export interface NamedArchive {
  /** URLs and folders, at least one: copies of one history. */
  readonly at: readonly string[];
  readonly network: string | undefined;
  /** As of `--quorum-set`. */
  readonly quorumSet: string | undefined;
}

/** The options that may have a default: how to read, never what to verify or whom to believe, which a name has or a person writes. */
export const DEFAULT_OPTIONS = ['concurrency', 'max-retries', 'timeout-secs', 'bandwidth-limit', 'color'] as const satisfies readonly OptionName[];
export type DefaultOption = (typeof DEFAULT_OPTIONS)[number];

export interface Config {
  readonly archives: ReadonlyMap<string, NamedArchive>;
  /** A preset, or the path of a file. */
  readonly quorumSets: ReadonlyMap<string, string>;
  /** As they would be written on the command line. */
  readonly options: Readonly<Partial<Record<DefaultOption, string>>>;
}

export const NO_CONFIG: Config = { archives: new Map(), quorumSets: new Map(), options: {} };

const SECTIONS = ['archives', 'quorum-sets', 'options'];
const ARCHIVE_FIELDS = ['at', 'network', 'quorum-set'];
/** No dots, slashes and colons: a URL, a path and a host can never be mistaken for a name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

const CHECKS: Readonly<Record<DefaultOption, (values: Values) => unknown>> = {
  'bandwidth-limit': bandwidthLimit, 'color': colour, 'concurrency': concurrency, 'max-retries': maxRetries, 'timeout-secs': timeoutMs,
};

type Table = Readonly<Record<string, unknown>>;
type Field = readonly string[];

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** As TOML writes it: `archives.main.at`. */
function spelt(field: Field): string {
  return field.map((part) => (/^[\w-]+$/.test(part) ? part : JSON.stringify(part))).join('.');
}

function has(value: unknown, field: Field): boolean {
  const [first, ...rest] = field;
  if (first === undefined) return true;
  return isTable(value) && Object.hasOwn(value, first) && has(value[first], rest);
}

/** The line on which `field` stands: the one after the longest beginning of the file that is TOML and does not have it. */
function lineOf(text: string, field: Field): number {
  const lines = text.split('\n');
  let before = 0;
  for (let count = 1; count <= lines.length; count += 1) {
    let beginning: unknown;
    try {
      beginning = parse(lines.slice(0, count).join('\n'));
    } catch {
      continue;
    }
    if (has(beginning, field)) break;
    before = count;
  }
  return before + 1;
}

class Reader {
  readonly #path: string;
  readonly #text: string;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  refused(field: Field, problem: string, advice: string): ArchiveVerifierError {
    return usage(`${this.#path}, line ${lineOf(this.#text, field)}: ${clean(spelt(field))} ${problem}`, advice);
  }

  read(): Config {
    const root = this.#parse();
    this.#known([], root, SECTIONS);
    const quorumSets = new Map(this.#entries(['quorum-sets'], root).map(([name, value]) => [name, this.#quorumSet(['quorum-sets', name], value)]));
    const archives = new Map(this.#entries(['archives'], root).map(([name, value]) => [name, this.#archive(['archives', name], value, quorumSets)]));
    return { archives, quorumSets, options: this.#options(root) };
  }

  #parse(): Table {
    try {
      return parse(this.#text);
    } catch (cause) {
      if (!(cause instanceof TomlError)) throw cause;
      // The first line of its message; the rest draws the place.
      const [problem = ''] = messageOf(cause).split('\n');
      throw usage(`${this.#path}, line ${cause.line}, column ${cause.column}: ${clean(problem)}`, 'Mend that line; help config shows what such a file looks like.');
    }
  }

  #known(field: Field, table: Table, names: readonly string[]): void {
    const stranger = Object.keys(table).find((key) => !names.includes(key));
    if (stranger === undefined) return;
    const near = similar(stranger, names);
    throw this.refused([...field, stranger], 'is not known', near === undefined ? `Leave it out: ${field.length === 0 ? 'the file' : spelt(field)} has ${listed(names)} only.` : `Did you mean ${near}?`);
  }

  /** The names of a section and what stands behind them. */
  #entries(field: readonly [string], root: Table): [string, unknown][] {
    const section = root[field[0]];
    if (section === undefined) return [];
    if (!isTable(section)) throw this.refused(field, 'is not a table', `Write [${field[0]}] on a line of its own, and a name = "…" below for each.`);
    for (const name of Object.keys(section)) {
      if (!NAME.test(name)) throw this.refused([...field, name], 'cannot be a name', 'Names have letters, digits, - and _, begin with a letter or a digit, and have 64 of them at most.');
    }
    return Object.entries(section);
  }

  #string(field: Field, value: unknown, what: string): string {
    if (typeof value !== 'string') throw this.refused(field, `takes ${what} in quotes, not ${clean(JSON.stringify(value) ?? String(value))}`, `Write ${spelt(field.slice(-1))} = "…".`);
    if (value.trim() === '') throw this.refused(field, 'is empty', `Write ${what}, or leave it out.`);
    return value;
  }

  /** A URL, or a folder as seen from the config file. */
  #address(field: Field, value: unknown): string {
    const text = this.#string(field, value, 'a URL or a folder');
    return /^[a-z][a-z0-9+.-]+:\/\//i.test(text) ? text : this.#absolute(text);
  }

  #absolute(path: string): string {
    return resolve(dirname(this.#path), path);
  }

  #quorumSet(field: Field, value: unknown): string {
    const name = field.at(-1) ?? '';
    if (QUORUM_SET_NAMES.some((preset) => preset === name)) throw this.refused(field, 'is the name of a preset', 'Choose another name: a preset means the same everywhere.');
    const text = this.#string(field, value, 'a preset or a file');
    return QUORUM_SET_NAMES.some((preset) => preset === text) ? text : this.#absolute(text);
  }

  #archive(field: Field, value: unknown, quorumSets: ReadonlyMap<string, string>): NamedArchive {
    if (!isTable(value)) return { at: this.#addresses(field, value), network: undefined, quorumSet: undefined };
    this.#known(field, value, ARCHIVE_FIELDS);
    if (value['at'] === undefined) throw this.refused(field, 'does not say where the archive is', 'Write at = "…" with its URL or its folder.');
    const passphrase = value['network'] === undefined ? undefined : this.#string([...field, 'network'], value['network'], 'a name or a passphrase');
    if (passphrase !== undefined) this.#checked([...field, 'network'], () => network({ network: passphrase }));
    return { at: this.#addresses([...field, 'at'], value['at']), network: passphrase, quorumSet: this.#believed([...field, 'quorum-set'], value['quorum-set'], quorumSets) };
  }

  #addresses(field: Field, value: unknown): readonly string[] {
    if (!Array.isArray(value)) return [this.#address(field, value)];
    if (value.length === 0) throw this.refused(field, 'is an empty list', 'Write at least one URL or folder, or leave it out.');
    return value.map((one: unknown) => this.#address(field, one));
  }

  #believed(field: Field, value: unknown, quorumSets: ReadonlyMap<string, string>): string | undefined {
    if (value === undefined) return undefined;
    const text = this.#string(field, value, 'a name of [quorum-sets], a preset or a file');
    const named = quorumSets.get(text) ?? QUORUM_SET_NAMES.find((preset) => preset === text);
    if (named !== undefined) return named;
    // A word alone is a name; whoever means a file beside the config writes ./ before it.
    if (!/[./\\]/.test(text)) {
      const names = [...quorumSets.keys(), ...QUORUM_SET_NAMES];
      const near = similar(text, names);
      throw this.refused(field, `names ${JSON.stringify(text)}, which is not under [quorum-sets]`, near === undefined ? `There are ${listed(names)}; a file beside this one is ./${text}.` : `Did you mean ${near}?`);
    }
    return this.#absolute(text);
  }

  #options(root: Table): Config['options'] {
    const section = root['options'];
    if (section === undefined) return {};
    if (!isTable(section)) throw this.refused(['options'], 'is not a table', 'Write [options] on a line of its own, and concurrency = 8 or the like below.');
    this.#known(['options'], section, DEFAULT_OPTIONS);
    const options: Partial<Record<DefaultOption, string>> = {};
    for (const name of DEFAULT_OPTIONS) {
      const value = section[name];
      if (value === undefined) continue;
      const field = ['options', name];
      if (typeof value !== 'string' && typeof value !== 'number') throw this.refused(field, `takes what --${name} takes, not ${clean(JSON.stringify(value) ?? String(value))}`, `help verify says what --${name} takes.`);
      const text = String(value);
      this.#checked(field, () => CHECKS[name]({ [name]: text }));
      options[name] = text;
    }
    return options;
  }

  /** Refused as on the command line would it be, with the place. */
  #checked(field: Field, check: () => unknown): void {
    try {
      check();
    } catch (cause) {
      if (!(cause instanceof ArchiveVerifierError)) throw cause;
      throw this.refused(field, `is refused: ${cause.message}`, cause.advice ?? 'Write another value, or leave it out.');
    }
  }
}

/** What the file at `path` (absolute) says. */
export function readConfig(path: string, text: string): Config {
  return new Reader(path, text.replace(/^\ufeff/, '')).read();
}
