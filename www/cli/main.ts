/**
 * The command line: `stellar-archive-verifier verify <URL|DIR>`.
 *
 * Results go to stdout, everything about the run (progress, complaints) to stderr. Not here: rules about archives, which
 * are in the WebAssembly, and the words people read, which are in `text.ts` and `help.ts`.
 */
import process from 'node:process';
import { ArchiveVerifierError, toVerifierError } from '../lib/errors.ts';
import { init, verifyArchive, versions } from '../lib/node.ts';
import type { Finding, Report, Verdict } from '../lib/types.ts';
import { openArchive } from './archive.ts';
import { parseCommand } from './arguments.ts';
import type { VerifyCommand } from './arguments.ts';
import { HELP, NAME } from './help.ts';
import { ProgressBar } from './progress.ts';
import { checkReportFile, writeReport } from './report-file.ts';
import { coloured, errorText, findingsText, plain, reportText } from './text.ts';

const COULD_NOT_COMPLETE = 2;
const STATUS: Readonly<Record<Verdict, number>> = { verified: 0, faulty: 1, incomplete: COULD_NOT_COMPLETE };

/** Ctrl-C, `kill`, and whoever read our output going away. */
class Interruption {
  readonly #controller = new AbortController();
  /** Set once stdout is closed: nothing more can be said there. */
  outputGone = false;
  /** Whether the result also goes to a file. */
  reportWanted = false;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: string): void {
    this.#controller.abort(new ArchiveVerifierError('ABORTED', reason));
  }
}

function print(text: string, interruption: Interruption): void {
  if (!interruption.outputGone) process.stdout.write(`${text}\n`);
}

function complain(error: ArchiveVerifierError): void {
  process.stderr.write(`${NAME}: ${errorText(error)}\n`);
  if (error.code === 'USAGE') process.stderr.write(`Try: ${NAME} --help\n`);
}

/** The first signal asks for a partial report, the second ends the process at once. */
function watchSignals(interruption: Interruption, bar: ProgressBar | undefined): void {
  const onSignal = (): void => {
    bar?.clear();
    if (interruption.signal.aborted) process.exit(COULD_NOT_COMPLETE);
    process.stderr.write(`${NAME}: stopping; what was found so far follows (once more to stop at once)\n`);
    interruption.abort('stopped by the user');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** `… | head` closes our stdout: the usual end for a program in a pipe, and no reason for a stack trace. */
function watchOutput(interruption: Interruption): void {
  process.stdout.on('error', (error: Error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    interruption.outputGone = true;
    // With --report there is still somebody who wants the result.
    if (!interruption.reportWanted) interruption.abort('the reader of the output went away');
  });
  process.stderr.on('error', () => undefined);
}

async function verify(command: VerifyCommand, interruption: Interruption): Promise<number> {
  interruption.reportWanted = command.report !== undefined;
  const source = await openArchive(command.archive);
  if (command.report !== undefined) await checkReportFile(command.report);

  const { json, quiet } = command;
  const paint = process.stdout.isTTY && !json && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' ? coloured : plain;
  // JSON lines and a bar on one terminal would run into each other.
  const bar = process.stderr.isTTY && !quiet && !(json && process.stdout.isTTY) && process.env['TERM'] !== 'dumb' ? new ProgressBar(process.stderr) : undefined;
  watchSignals(interruption, bar);

  const run = verifyArchive(source, { ...command.options, signal: interruption.signal });
  const seen: Finding[] = [];
  let report: Report;
  try {
    for await (const event of run) {
      if (json) print(JSON.stringify(event), interruption);
      if (event.type === 'progress') bar?.paint(event);
      else if (event.type === 'finding') seen.push(event.finding);
    }
    report = await run.report;
  } catch (thrown) {
    // There is no report, but what was found before must not be lost with it.
    bar?.clear();
    const error = toVerifierError(thrown);
    if (!json && seen.length > 0) print(findingsText(seen, paint, '--json prints each when it is found'), interruption);
    throw error;
  }
  bar?.clear();
  print(json ? JSON.stringify({ type: 'report', report }) : reportText(report, paint, quiet), interruption);
  if (command.report !== undefined) await writeReport(command.report, report);
  return interruption.signal.aborted ? COULD_NOT_COMPLETE : STATUS[report.verdict];
}

/** Whether `words` ask for JSON, also where they make no sense otherwise. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

async function main(words: readonly string[], interruption: Interruption): Promise<number> {
  watchOutput(interruption);
  if (words.length === 0) {
    process.stderr.write(HELP);
    return COULD_NOT_COMPLETE;
  }
  const command = parseCommand(words);
  switch (command.command) {
    case 'help':
      process.stdout.write(HELP);
      return 0;
    case 'version': {
      await init();
      const { version, xdr } = versions();
      process.stdout.write(`${NAME} ${version} (XDR ${xdr})\n`);
      return 0;
    }
    case 'verify':
      return verify(command, interruption);
  }
}

// `exitCode`, not `exit()`: what is still on its way to a pipe must arrive.
const words = process.argv.slice(2);
const interruption = new Interruption();
main(words, interruption).then(
  (status) => {
    process.exitCode = status;
  },
  (thrown: unknown) => {
    const error = toVerifierError(thrown);
    const { code, message, advice } = error;
    // A program that reads our lines must not have to read stderr as well.
    if (wantsJson(words)) print(JSON.stringify({ type: 'error', code, message, advice }), interruption);
    complain(error);
    process.exitCode = COULD_NOT_COMPLETE;
  },
);
