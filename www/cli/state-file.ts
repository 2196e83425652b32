/**
 * The file that an interrupted run goes on from: read before it, replaced whole on the way, gone after it.
 *
 * Written at once, without waiting: the process may be ended at any moment, and a state on its way helps nobody.
 * Not here: what is in it, and whether it belongs to this run; the verifier decides that.
 */
import { realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import process from 'node:process';
import { messageOf } from '../lib/errors.ts';
import { usage } from './options.ts';
import { checkOutputFile } from './output-file.ts';

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

export class StateFile {
  readonly path: string;
  /** The state of an earlier run, if there is one. */
  readonly text: string | undefined;
  #written = false;

  private constructor(path: string, text: string | undefined) {
    this.path = path;
    this.text = text;
  }

  /** An empty file, as `mktemp` makes them, holds no state; anything else is for the verifier to judge, and left alone if it refuses. */
  static async open(path: string): Promise<StateFile> {
    await checkOutputFile('--state', path);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && !found.isFile()) throw usage(`--state ${path} is not a file`, 'Name a file, which a later run can read again.');
    try {
      const text = await readFile(path, 'utf8');
      return new StateFile(path, text.trim() === '' ? undefined : text);
    } catch (cause) {
      if (isAbsent(cause)) return new StateFile(path, undefined);
      throw usage(`--state ${path} cannot be read: ${messageOf(cause)}`, 'Make it readable, or name another file.');
    }
  }

  /** Whether there is a state to go on from. */
  get holdsState(): boolean {
    return this.#written || this.text !== undefined;
  }

  /** Replaces the state; what stood there before stays if that fails. */
  write(state: string): void {
    const target = this.#target();
    const draft = `${target}.${process.pid}.tmp`;
    try {
      writeFileSync(draft, state);
      renameSync(draft, target);
      this.#written = true;
    } catch (cause) {
      rmSync(draft, { force: true });
      throw cause;
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }

  /** Moving a file onto a link would replace the link. */
  #target(): string {
    try {
      return realpathSync(this.path);
    } catch {
      return this.path;
    }
  }
}
