/**
 * The manual as text for a terminal: the help of a command, and the general one.
 *
 * Not here: any words of a page, and where it is printed.
 */
import type { Paint } from '../colour.ts';
import { NAME } from '../name.ts';
import { optionWords } from '../option-table.ts';
import type { OptionName } from '../option-table.ts';
import { ENVIRONMENT } from './environment.ts';
import type { VariableName } from './environment.ts';
import { CHAPTERS, PAGES } from './index.ts';
import type { CommandName } from './index.ts';
import type { OptionLine, Page } from './page.ts';
import { ARCHIVE, CORE_TESTNET } from './words.ts';

export interface Layout {
  readonly paint: Paint;
  /** Of the terminal, in columns. */
  readonly width: number;
}

/** What is printed where there is no terminal. */
export const WIDEST = 120;
const NARROWEST = 60;
/** Where the words on an option begin. */
const COLUMN = 28;
const COMMAND_COLUMN = 39;
const VARIABLE_COLUMN = 35;

/** Whole words, as many to a line as there is room for. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** `label` and, from `column` on, its words; on lines of its own where it is too long. */
function entry(label: string, text: string, column: number, width: number): string[] {
  const lines = wrap(text, width - column).map((line) => ' '.repeat(column) + line);
  if (label.length >= column) return [label, ...lines];
  return [`${label.padEnd(column)}${lines[0]?.trimStart() ?? ''}`, ...lines.slice(1)];
}

/** A paragraph; one with line breaks of its own stays as it is. */
function paragraph(text: string, width: number): string[] {
  return text.includes('\n') ? ['', ...text.split('\n'), ''] : wrap(text, width);
}

/** How an option is written: `-c, --concurrency N`. */
export function optionLabel(name: OptionName): string {
  const { short, value } = optionWords(name);
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

/** What `line` says on its option. */
export function optionText(line: Exclude<OptionLine, { note: string }>): readonly [OptionName, string] {
  return typeof line === 'string' ? [line, optionWords(line).says] : [line[0], line[1]];
}

function optionLines(line: OptionLine, width: number): string[] {
  if (typeof line !== 'string' && 'note' in line) return wrap(line.note, width - COLUMN).map((words) => ' '.repeat(COLUMN) + words);
  const [name, text] = optionText(line);
  return entry(`  ${optionLabel(name)}`, text, COLUMN, width);
}

function exitLines(exit: Page['exit'], width: number): string[] {
  return exit.flatMap(([status, text]) => entry(`  ${status}`, text, 5, width));
}

function variableLines(names: readonly VariableName[], width: number): string[] {
  return names.flatMap((name) => entry(`  ${name}`, ENVIRONMENT[name], VARIABLE_COLUMN, width));
}

function exampleLines(examples: Page['examples'], width: number): string[] {
  return examples.flatMap(({ says, lines }) => [
    ...wrap(says, width - 2).map((words) => `  ${words}`), ...lines.map((line) => `    ${line.replaceAll('$0', NAME)}`),
  ]);
}

/** A terminal that is too narrow folds lines by itself; one that is wide is no reason for lines that nobody can follow. */
function fitting(width: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, width));
}

/** The help of one command. */
export function commandHelp(name: CommandName, { paint, width: columns }: Layout): string {
  const page: Page = PAGES[name];
  const width = fitting(columns);
  const title = (text: string): string => paint('bold', text);
  const usage = page.forms.map((form, index) => `${index === 0 ? title('Usage:') : '      '} ${NAME} ${name} ${form}`);
  const seeAlso = page.seeAlso.map((other) => (other === 'help' ? 'help' : `help ${other}`)).join(', ');
  return [
    ...page.about.slice(0, 1).flatMap((text) => paragraph(text, width)), '',
    ...usage, '',
    ...page.about.slice(1).flatMap((text) => paragraph(text, width)),
    ...(page.about.length > 1 ? [''] : []),
    ...page.groups.flatMap((group) => [title(group.title), ...group.options.flatMap((line) => optionLines(line, width)), '']),
    title('Exit status'), ...exitLines(page.exit, width), '',
    title('Environment'), ...variableLines(page.environment, width), '',
    title('Examples'), ...exampleLines(page.examples, width), '',
    title('See also'), `  ${seeAlso}`, '',
  ].join('\n');
}

/** The help on the program: which commands there are, and what holds for all of them. */
export function generalHelp({ paint, width: columns }: Layout): string {
  const width = fitting(columns);
  const title = (text: string): string => paint('bold', text);
  return [
    ...wrap('Verifies Stellar history archives: that every file is what its hashes say, that ledgers form one unbroken chain, that transactions, results and buckets belong to it, and which validators vouch for it. Makes copies of them that are as sound, and mends those that are not.', width),
    '', `${title('Usage:')} ${NAME} <command> <ARCHIVE>… [options]`, '',
    ...CHAPTERS.flatMap((chapter) => [
      title(chapter.title),
      ...chapter.commands.flatMap((name) => entry(`  ${name} ${PAGES[name].brief}`, PAGES[name].title, COMMAND_COLUMN, width)), '',
    ]),
    title('Help'), ...entry('  help [COMMAND]', 'all options of a command, with examples; the same as COMMAND --help', COMMAND_COLUMN, width), '',
    ...wrap(ARCHIVE, width),
    ...wrap('Every command takes --json, for programs. --version prints the versions of the verifier and of its XDR.', width), '',
    title('Exit status'),
    ...exitLines([
      [0, 'all is well'], [1, 'there are faults'], [2, 'could not complete: usage, network, a limit, or cancelled; or those whom you named do not vouch for it'],
    ], width), '',
    title('Environment'), ...variableLines(Object.keys(ENVIRONMENT) as VariableName[], width),
    ...wrap('Where they disagree on colours, --color wins, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE.', width - 2).map((line) => `  ${line}`), '',
    title('Examples'),
    ...exampleLines([
      { says: 'What does an archive say of itself? (a second)', lines: [`$0 status ${CORE_TESTNET}`] },
      { says: 'Are its first two checkpoints sound? (a few seconds)', lines: [`$0 verify ${CORE_TESTNET} --high 127`] },
      { says: 'A whole archive on this machine:', lines: ['$0 verify ./archive'] },
      { says: 'A copy of it, every file verified before it is there:', lines: ['$0 mirror ./archive ./copy'] },
    ], width), '',
    title('See also'), '  help verify, help config, help completion', '',
  ].join('\n');
}
