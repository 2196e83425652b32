/**
 * What every command shares with the terminal: what is printed where, and being told to stop.
 *
 * Results go to stdout, everything about the run (progress, complaints) to stderr. Not here: any words about archives.
 */
import process from 'node:process';
import { ArchiveVerifierError } from '../lib/errors.ts';
import { NO_CONFIG } from './config/file.ts';
import type { Loaded } from './config/load.ts';
import { WIDEST } from './manual/layout.ts';
import { NAME } from './name.ts';
import { ProgressBar } from './progress.ts';
import { clean } from './text.ts';
import { coloured, plain, wantsColour } from './colour.ts';
import type { ColourWhen, Paint } from './colour.ts';

/** Lines are gathered up to about this many characters: one write for each would be most of the time of a long dump. */
const BATCH = 1 << 16;

/** Of what `--json` prints: goes up when a field goes away or comes to mean something else, never for one more. */
export const SCHEMA = 1;

export class Session {
  readonly #controller = new AbortController();
  #outputGone = false;
  #waiting = '';
  #bar: ProgressBar | undefined;
  /** One JSON value a line, for programs. */
  json = false;
  /** The command that was asked for, where there is one of that name. */
  command: string | undefined;
  /** When there are colours. */
  colour: ColourWhen = 'auto';
  /** The config file. */
  loaded: Loaded = { file: null, places: [], config: NO_CONFIG };
  /** Only what matters most. */
  quiet = false;
  /** Whether the result also goes where a reader of stdout that left does not matter. */
  resultGoesElsewhere = false;
  /** What the first Ctrl-C is answered with. */
  stopping = 'stopping (Ctrl-C again to stop at once)';

  /** Ctrl-C, `kill`, or whoever read our output going away. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The colours of the result: none where programs read it. */
  get paint(): Paint {
    return !this.json && wantsColour(this.colour, process.stdout.isTTY, process.env) ? coloured : plain;
  }

  /** The colours of what is said about the run. */
  get #asidePaint(): Paint {
    return wantsColour(this.colour, process.stderr.isTTY, process.env) ? coloured : plain;
  }

  /** How a page of the manual is laid out there. */
  layout(stream: NodeJS.WriteStream): { readonly paint: Paint; readonly width: number } {
    return { paint: stream === process.stderr ? this.#asidePaint : this.paint, width: stream.isTTY ? stream.columns || WIDEST : WIDEST };
  }

  /** The progress bar, where there is a place for one: JSON lines and a bar on one terminal would run into each other. */
  startBar(): ProgressBar | undefined {
    const wanted = process.stderr.isTTY && !this.quiet && !(this.json && process.stdout.isTTY) && process.env['TERM'] !== 'dumb';
    this.#bar = wanted ? new ProgressBar(process.stderr) : undefined;
    return this.#bar;
  }

  /** A line, or several, of the result. */
  print(text: string): void {
    if (this.#outputGone) return;
    this.flush();
    process.stdout.write(`${this.json ? escaped(text) : text}\n`);
  }

  /** The one object of a command with `--json`, with the version of its form. */
  result({ type, ...fields }: { readonly type: string; readonly [field: string]: unknown }): void {
    this.print(JSON.stringify({ type, schema: SCHEMA, ...fields }));
  }

  /** As `print`, for very many lines; `flush()` after the last. */
  printMany(line: string): void {
    this.#waiting += `${line}\n`;
    if (this.#waiting.length >= BATCH) this.flush();
  }

  flush(): void {
    const text = this.#waiting;
    this.#waiting = '';
    if (text !== '' && !this.#outputGone) process.stdout.write(text);
  }

  /** Something about the run. */
  say(text: string): void {
    this.#bar?.clear();
    process.stderr.write(`${NAME}: ${text}\n`);
  }

  /** What ended the command. A program that reads our lines must not have to read stderr as well. */
  fail(error: ArchiveVerifierError): void {
    const { code, message, advice } = error;
    if (this.json) this.result({ type: 'error', code, message, advice });
    this.#complain(error);
  }

  #complain(error: ArchiveVerifierError): void {
    this.flush();
    const paint = this.#asidePaint;
    this.say(`${paint('red', clean(error.message))}${error.advice === undefined ? '' : `\n${paint('dim', `  → ${clean(error.advice)}`)}`}`);
    if (error.code === 'USAGE') process.stderr.write(`Try: ${NAME} ${this.command === undefined ? '' : `${this.command} `}--help\n`);
  }

  /** The first signal asks for an orderly end, the second ends the process at once with `status`. */
  watchSignals(status: number): void {
    const onSignal = (): void => {
      this.#bar?.clear();
      if (this.signal.aborted) process.exit(status);
      this.say(this.stopping);
      this.#abort('stopped by the user');
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  }

  /** `… | head` closes our stdout: the usual end for a program in a pipe, and no reason for a stack trace. */
  watchOutput(): void {
    process.stdout.on('error', (error: Error) => {
      if (!('code' in error) || error.code !== 'EPIPE') throw error;
      this.#outputGone = true;
      if (!this.resultGoesElsewhere) this.#abort('the reader of the output went away');
    });
    process.stderr.on('error', () => undefined);
  }

  /** Whether it is of no use to say anything more, because nobody reads. */
  get isUnheard(): boolean {
    return this.#outputGone && !this.resultGoesElsewhere;
  }

  #abort(reason: string): void {
    this.#controller.abort(new ArchiveVerifierError('ABORTED', reason));
  }
}

/** JSON that says the same and that a terminal takes for nothing but text: JSON escapes only the first of the control characters itself. */
function escaped(json: string): string {
  return json.replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
