/**
 * From the words of the command line to the command they ask for and its options.
 *
 * Not here: what a command does with them, and looking at any archive or file. A word that makes no sense is a `USAGE`
 * error that says what would.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../lib/errors.ts';
import type { ArchiveVerifierError } from '../lib/errors.ts';
import type { ColourWhen } from './colour.ts';
import { COMMAND_NAMES, PAGES, isCommandName } from './manual/index.ts';
import type { CommandName } from './manual/index.ts';
import { optionsOf } from './manual/page.ts';
import { COLOUR_WORDS, OPTIONS, isOptionName } from './option-table.ts';
import { similar, usage } from './options.ts';
import type { Values } from './options.ts';
import type { Words } from './commands/command.ts';
import { listed } from './text.ts';

export type Request =
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'action'; readonly command: CommandName; readonly words: Words };

/** What the users of stellar-archivist and stellar-core know under other names. */
const OTHER_OPTIONS: Readonly<Record<string, string>> = {
  'atomic-file-writes': 'Leave it out: files appear whole or not at all in any case.',
  'dryrun': 'Write --dry-run.',
  'force': 'Write --overwrite.',
  'io-timeout-secs': 'Write --timeout-secs N.',
  'max-concurrent': 'Write --concurrency N.',
  'recent': 'Write --last N.',
  'resume': 'Write --state FILE: if the file exists, the run goes on from it.',
  'retries': 'Write --max-retries N.',
  'reverse': 'Write --order oldest-first.',
  's3endpoint': 'Set AWS_ENDPOINT_URL in the environment.',
  's3region': 'Set AWS_REGION in the environment.',
  'start': 'Write --low N.',
  'thorough': 'Write --deep.',
  'token': 'Everybody on this machine sees the words of a command. Set STELLAR_ARCHIVE_AUDIT_TOKEN, or write --token-file FILE.',
  'timeout': 'Write --timeout-secs N.',
  'verify': 'Leave it out: everything is verified in any case.',
};

const OTHER_COMMANDS: Readonly<Record<string, string>> = {
  'check-quorum-intersection': 'This program does not analyse quorums. quorum-sets lists the sets that nodes went by.',
  'check': 'To verify an archive: verify <ARCHIVE>…. To compare one header: check-header.',
  'diff': 'Write compare <ARCHIVE> <ARCHIVE>….',
  'dump-ledger': 'Write dump <ARCHIVE> ledger <CHECKPOINT>.',
  'dump-xdr': 'Write dump <FILE>.',
  'dumpxdr': 'Write dump <FILE>.',
  'print-xdr': 'Write dump <FILE>.',
  'report-last-history-checkpoint': 'Write status <ARCHIVE>….',
  'scan': 'Write verify <ARCHIVE>….',
  'self-check': 'Write check-header <ARCHIVE>… --ledger N --hash HEX.',
};

/** What was written before a `--` of its own. */
function beforeDashes(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end);
}

/** Whether `words` ask for JSON, also where they make no sense otherwise. */
export function wantsJson(words: readonly string[]): boolean {
  return beforeDashes(words).includes('--json');
}

/** The colours that `words` ask for, also where they make no sense otherwise. */
export function wantedColour(words: readonly string[]): ColourWhen {
  const written = beforeDashes(words);
  const said = written.map((word, index) => (word === '--color' ? written[index + 1] : /^--color=(.*)$/.exec(word)?.[1])).findLast((word) => word !== undefined);
  return COLOUR_WORDS.find((word) => word === said) ?? 'auto';
}

/** The option that a word was most likely meant to be: one of the command's rather than another, one that is cut short rather than none. */
function nearestOption(word: string, command: CommandName | undefined): string | undefined {
  const own = command === undefined ? [] : optionsOf(PAGES[command]);
  const all = Object.keys(OPTIONS);
  const cut = [own, all].map((names) => names.filter((name) => word.length > 1 && name.startsWith(word))).find((names) => names.length === 1)?.[0];
  return cut ?? (own.length === 0 ? undefined : similar(word, own)) ?? similar(word, all);
}

/** Node's own sentences, in the words of this program. */
function parseError(cause: unknown, words: readonly string[]): ArchiveVerifierError {
  const message = messageOf(cause);
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const name = unknown.replace(/^-+/, '');
    const near = unknown.startsWith('--') ? nearestOption(name, words.find(isCommandName)) : undefined;
    const known = Object.hasOwn(OTHER_OPTIONS, name) ? OTHER_OPTIONS[name] : undefined;
    return usage(`there is no option ${unknown}`, known ?? (near === undefined ? undefined : `Did you mean --${near}?`));
  }
  const missing = /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?' argument (missing|is ambiguous)/.exec(message)?.[1];
  if (missing !== undefined) return usage(`${missing} needs a value`, `Write it after the option: ${missing} VALUE, or ${missing}=VALUE where it begins with a dash.`);
  const flag = /^Option '(?:-\w, )?(--[\w-]+)' does not take an argument/.exec(message)?.[1];
  if (flag !== undefined) return usage(`${flag} takes no value`);
  return usage(message);
}

function parse(words: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw parseError(cause, words);
  }
}

/** One that is cut short is as good as one that is misspelt. */
function nearestCommand(word: string): string | undefined {
  const all = [...COMMAND_NAMES, 'help'];
  const cut = all.filter((name) => word.length > 1 && name.startsWith(word));
  return cut.length === 1 ? cut[0] : similar(word, all);
}

function unknownCommand(word: string): ArchiveVerifierError {
  const known = Object.hasOwn(OTHER_COMMANDS, word) ? OTHER_COMMANDS[word] : undefined;
  const near = nearestCommand(word);
  const advice = known
    ?? (/[./]/.test(word) ? `Did you mean: verify ${word}` : undefined)
    ?? (near === undefined ? `The commands are ${COMMAND_NAMES.join(', ')} and help.` : `Did you mean ${near}?`);
  return usage(`there is no command ${JSON.stringify(word)}`, advice);
}

/** An option that another command has is no mistake of spelling. */
function checkOptions(name: CommandName, values: Values): void {
  const allowed = optionsOf(PAGES[name]);
  const given = Object.keys(values).filter(isOptionName);
  const stranger = given.find((option) => !allowed.includes(option));
  if (stranger === undefined) return;
  const owners = COMMAND_NAMES.filter((owner) => optionsOf(PAGES[owner]).includes(stranger));
  throw usage(`${name} takes no --${stranger}`, `That is an option of ${listed(owners)}; ${name} takes ${allowed.map((option) => `--${option}`).join(', ')}.`);
}

/** What `words` (without node and the script) ask for. */
export function parseRequest(words: readonly string[]): Request {
  const { values, positionals } = parse(words);
  const [name, ...rest] = positionals;
  if (name === 'help') {
    const topic = rest[0];
    if (topic !== undefined && topic !== 'help' && !isCommandName(topic)) throw unknownCommand(topic);
    return { kind: 'help', topic: isCommandName(topic) ? topic : undefined };
  }
  if (values.help === true) return { kind: 'help', topic: isCommandName(name) ? name : undefined };
  if (values.version === true || name === 'version') return { kind: 'version' };
  if (name === undefined) throw usage('what shall be done?', 'To verify an archive: verify <URL|DIR>.');
  if (!isCommandName(name)) throw unknownCommand(name);
  checkOptions(name, values);
  return { kind: 'action', command: name, words: { values, positionals: rest } };
}
