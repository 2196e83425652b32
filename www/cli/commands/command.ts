/** What a command is. Not here: any of them, and which words it takes (`manual/`). */
import { toVerifierError } from '../../lib/errors.ts';
import type { Values } from '../options.ts';
import { usage } from '../options.ts';
import type { Session } from '../session.ts';

/** Carries a command out; resolves with the exit status. */
export type Action = (session: Session) => Promise<number>;

/** What stands on the command line, with what a config file adds to it. */
export interface Words {
  readonly values: Values;
  /** Without the command's own name. */
  readonly positionals: readonly string[];
  /** The network by a config file, where a file that was written on the command line may know better. */
  readonly network?: string;
}

export interface Command {
  /** Refuses what makes no sense, before anything is opened. */
  prepare(words: Words): Action;
}

/** All went well; there are faults; it could not be completed. */
export const OK = 0;
export const FAULTS = 1;
export const COULD_NOT_COMPLETE = 2;

/** The archives that a command is for: at least one. */
export function archives(command: string, { positionals }: Words): readonly string[] {
  if (positionals.length === 0 || positionals.includes('')) throw usage(`${command} needs an archive`, `Give its URL or a folder: ${command} <URL|DIR>.`);
  return positionals;
}

/** The archives that are read, and after them the one that is written. */
export function sourcesAndDestination(command: string, { positionals }: Words): { readonly sources: readonly string[]; readonly destination: string } {
  const sources = positionals.slice(0, -1);
  const destination = positionals.at(-1);
  if (sources.length === 0 || destination === undefined || positionals.includes('')) {
    throw usage(`${command} needs an archive to read and one to write`, `${positionals.length === 1 ? 'Only one is given. ' : ''}The last one is written: ${command} <ARCHIVE>… <DESTINATION>.`);
  }
  return { sources, destination };
}

/** The one archive that a command is for. */
export function oneArchive(command: string, words: Words): string {
  const [first = '', ...more] = archives(command, words);
  if (more.length > 0) throw usage(`${command} is for one archive, and ${JSON.stringify(more[0])} is one too many`, 'Run it once for each; a value with spaces needs quotes around it.');
  return first;
}

/** For what is made of an archive's files: where they are faulty, that is how it ends, and no failure of this program. */
export async function orFaults(session: Session, body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (thrown) {
    const error = toVerifierError(thrown);
    session.flush();
    if (error.code !== 'FAULTY') throw error;
    session.fail(error);
    return FAULTS;
  }
}
