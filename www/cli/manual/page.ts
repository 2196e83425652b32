/**
 * What the manual says of a command: its words, options in groups, exit status, examples. What it lists is what the command takes: the
 * parser, the help and the completion of shells read the same pages.
 *
 * Not here: the pages, and how they are laid out (`layout.ts`).
 */
import type { Completes, OptionName } from '../option-table.ts';
import type { VariableName } from './environment.ts';

/** An option with its own words or with those of this command; or a remark under the one before. */
export type OptionLine = OptionName | readonly [OptionName, string] | { readonly note: string };

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionLine[];
}

/** A word of the command that is no option. */
export interface Operand {
  readonly completes: Completes;
  /** Whether there may be several of them. */
  readonly many?: boolean;
}

export interface Example {
  readonly says: string;
  /** Lines for a shell; `$0` stands for the program. */
  readonly lines: readonly string[];
}

export interface Page {
  /** In the list of commands: `<ARCHIVE>…`. */
  readonly brief: string;
  /** One line of that list, and the title of the page. */
  readonly title: string;
  /** All that may follow the command's name. */
  readonly forms: readonly string[];
  readonly operands: readonly Operand[];
  /** Paragraphs; a line break in one stays. */
  readonly about: readonly string[];
  readonly groups: readonly OptionGroup[];
  /** What each exit status says. */
  readonly exit: readonly (readonly [0 | 1 | 2, string])[];
  readonly environment: readonly VariableName[];
  readonly examples: readonly Example[];
  /** Other commands, or `help` for the general one. */
  readonly seeAlso: readonly string[];
}

/** The options that `page` lists, in its order. */
export function optionsOf({ groups }: Page): readonly OptionName[] {
  return groups.flatMap(({ options }) => options.flatMap((line) => (typeof line === 'string' ? [line] : 'note' in line ? [] : [line[0]])));
}
