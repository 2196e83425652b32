/**
 * From the words of the command line to the command they ask for and its options.
 *
 * Not here: what a command does with them, and looking at any archive or file. A word that makes no sense is a `USAGE`
 * error that says what would.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../lib/errors.ts';
import type { ArchiveVerifierError } from '../lib/errors.ts';
import { COMMANDS, isCommandName } from './commands/index.ts';
import type { Action } from './commands/command.ts';
import type { CommandName } from './commands/index.ts';
import { OPTIONS, similar, usage } from './options.ts';
import type { OptionName, Values } from './options.ts';

export type Request =
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'action'; readonly command: CommandName; readonly json: boolean; readonly quiet: boolean; readonly act: Action };

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

/** Node's own sentences, in the words of this program. */
function parseError(cause: unknown): ArchiveVerifierError {
  const message = messageOf(cause);
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const name = unknown.replace(/^-+/, '');
    const near = similar(name, Object.keys(OPTIONS));
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
    throw parseError(cause);
  }
}

function unknownCommand(word: string): ArchiveVerifierError {
  const known = Object.hasOwn(OTHER_COMMANDS, word) ? OTHER_COMMANDS[word] : undefined;
  const near = similar(word, [...Object.keys(COMMANDS), 'help']);
  const advice = known
    ?? (/[./]/.test(word) ? `Did you mean: verify ${word}` : undefined)
    ?? (near === undefined ? `The commands are ${Object.keys(COMMANDS).join(', ')} and help.` : `Did you mean ${near}?`);
  return usage(`there is no command ${JSON.stringify(word)}`, advice);
}

/** An option that another command has is no mistake of spelling. */
function checkOptions(name: CommandName, values: Values): void {
  const allowed: readonly OptionName[] = COMMANDS[name].options;
  const given = Object.keys(values) as OptionName[];
  const stranger = given.find((option) => !allowed.includes(option));
  if (stranger === undefined) return;
  const owners = Object.entries(COMMANDS).filter(([, { options }]) => options.includes(stranger)).map(([owner]) => owner);
  throw usage(`${name} takes no --${stranger}`, `That is an option of ${owners.join(' and ')}; ${name} takes ${allowed.map((option) => `--${option}`).join(', ')}.`);
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
  const act = COMMANDS[name].prepare({ values, positionals: rest });
  return { kind: 'action', command: name, json: values.json === true, quiet: values.quiet === true, act };
}
