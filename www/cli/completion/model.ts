/**
 * What a shell can complete, from the pages of the manual and the table of options. Not here: the languages of shells.
 */
import { CHAPTERS, COMMAND_NAMES, PAGES } from '../manual/index.ts';
import { optionText } from '../manual/layout.ts';
import type { Operand, Page } from '../manual/page.ts';
import { OPTIONS, optionWords } from '../option-table.ts';
import type { Completes, OptionName, OptionWords } from '../option-table.ts';

export interface CompletedOption {
  readonly name: OptionName;
  readonly short: string | undefined;
  readonly multiple: boolean;
  /** What stands behind it, as the help calls it; `undefined` where nothing does. */
  readonly value: string | undefined;
  readonly completes: Completes;
  readonly says: string;
}

export interface CompletedCommand {
  readonly name: string;
  readonly says: string;
  readonly options: readonly CompletedOption[];
  readonly operands: readonly Operand[];
}

/** The beginning of a sentence: a list of choices has short lines. */
function brief(text: string): string {
  return text.split(/[;:(]/)[0]?.trim() ?? '';
}

function completed(name: OptionName, text: string): CompletedOption {
  const words: OptionWords = optionWords(name);
  return { name, short: words.short, multiple: words.multiple === true, value: words.value, completes: words.completes ?? [], says: brief(text) };
}

function optionsOf({ groups }: Page): readonly CompletedOption[] {
  return groups.flatMap(({ options }) => options.flatMap((line) => (typeof line !== 'string' && 'note' in line ? [] : [completed(...optionText(line))])));
}

/** The commands in the order of the help. */
export function completedCommands(): readonly CompletedCommand[] {
  const commands = CHAPTERS.flatMap(({ commands: names }) => names.map((name) => ({ name, says: brief(PAGES[name].title), options: optionsOf(PAGES[name]), operands: PAGES[name].operands })));
  return [...commands, { name: 'help', says: 'all options of a command, with examples', options: [], operands: [{ completes: 'command' }] }];
}

/** What `help` takes. */
export function topics(): readonly string[] {
  return [...COMMAND_NAMES, 'help'];
}

/** Options that may stand before a command. */
export function generalOptions(): readonly CompletedOption[] {
  return (['help', 'version', 'config', 'color'] as const).map((name) => completed(name, OPTIONS[name].says));
}

/** Every option with a value, whichever command takes it. */
export function valueOptions(): readonly CompletedOption[] {
  return (Object.keys(OPTIONS) as OptionName[]).map((name) => completed(name, OPTIONS[name].says)).filter(({ value }) => value !== undefined);
}
