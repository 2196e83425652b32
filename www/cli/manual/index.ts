/** The pages of the manual by command, in the order of the list of commands. Not here: the pages. */
import { mirror, newHist, publish, repair } from './copies.ts';
import { audit } from './fleet.ts';
import { dump, log, quorumSets, status } from './looking.ts';
import type { Page } from './page.ts';
import { completion, config } from './program.ts';
import { prove, verifyProof } from './proofs.ts';
import { checkHeader, compare, verify, verifyCheckpoints } from './verifying.ts';

export const PAGES = {
  verify, compare, 'check-header': checkHeader, 'verify-checkpoints': verifyCheckpoints, status, log, dump, 'quorum-sets': quorumSets, prove,
  'verify-proof': verifyProof, mirror, repair, publish, 'new-hist': newHist, audit, config, completion,
} as const satisfies Readonly<Record<string, Page>>;

export type CommandName = keyof typeof PAGES;

export const COMMAND_NAMES = Object.keys(PAGES) as readonly CommandName[];

export function isCommandName(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(PAGES, word);
}

/** What the commands are for, in the order in which people meet them. */
export const CHAPTERS: readonly { readonly title: string; readonly commands: readonly CommandName[] }[] = [
  { title: 'Verify', commands: ['verify', 'compare', 'check-header', 'verify-checkpoints'] },
  { title: 'Look', commands: ['status', 'log', 'dump', 'quorum-sets'] },
  { title: 'Prove', commands: ['prove', 'verify-proof'] },
  { title: 'Copy', commands: ['mirror', 'repair', 'publish', 'new-hist'] },
  { title: 'Have it done', commands: ['audit'] },
  { title: 'This program', commands: ['config', 'completion'] },
];
