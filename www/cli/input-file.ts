/** Files that options name, as text. Not here: what is in them. */
import { readFile, stat } from 'node:fs/promises';
import { ArchiveVerifierError, messageOf } from '../lib/errors.ts';
import { usage } from './options.ts';
import type { OptionName } from './options.ts';

/** The text of the file that `option` names; `advice` says what such a file is, or who makes one. */
export async function readText(option: OptionName, path: string, largest: number, advice: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw usage(`--${option} ${path} is a folder`, advice);
    if (found.size > largest) throw usage(`--${option} ${path} is larger than ${largest >> 20} MB`, advice);
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof ArchiveVerifierError) throw cause;
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isAbsent) throw usage(option === 'quorum-set' ? `there is no quorum set ${JSON.stringify(path)}, and no file of that name` : `--${option}: there is no file ${path}`, advice);
    throw usage(`--${option} ${path} cannot be read: ${messageOf(cause)}`, 'Make it readable, or name another file.');
  }
}
