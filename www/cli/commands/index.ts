/** The commands by name. Not here: what they do. */
import { checkHeader } from './check-header.ts';
import type { Command } from './command.ts';
import { dump } from './dump.ts';
import { log } from './log.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';

export const COMMANDS = { verify, status, 'check-header': checkHeader, log, dump } as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

export function isCommandName(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}
