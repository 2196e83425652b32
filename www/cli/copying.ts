/**
 * What `mirror` and `repair` have in common: their options, the places they are between, following the run, what comes out.
 *
 * Not here: what is copied, which the verifier decides, and how a place is written (`destination.ts`).
 */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CopyRun } from '../lib/node.ts';
import type { CopyOptions, CopyReport } from '../lib/types.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK } from './commands/command.ts';
import { copyText } from './copy-text.ts';
import { bandwidthLimit, checkpointFrequency, concurrency, defined, ledgers, maxRetries, network, outputFile, timeoutMs, usage } from './options.ts';
import type { Values } from './options.ts';
import { checkDistinct, checkOutputFile, writeOutput } from './output-file.ts';
import type { Session } from './session.ts';

const STATUS: Readonly<Record<CopyReport['verdict'], number>> = { complete: OK, faulty: FAULTS, incomplete: COULD_NOT_COMPLETE };

export function copyOptions(values: Values): Omit<CopyOptions, 'signal' | 'trust'> {
  return {
    ...ledgers(values),
    ...defined({
      skipOptional: values['skip-optional'],
      readBack: values['read-back'],
      bandwidthLimit: bandwidthLimit(values),
      network: network(values),
      concurrency: concurrency(values),
      maxRetries: maxRetries(values),
      timeoutMs: timeoutMs(values),
      checkpointFrequency: checkpointFrequency(values),
    }),
  };
}

export function reportFile(values: Values): string | undefined {
  return outputFile('report', values, 'Name a file (./- for one of that name), or use --json, whose last line has the report.');
}

/** One spelling of each place. */
async function place(name: string): Promise<string> {
  if (/^file:\/\//i.test(name)) return place(decodeURIComponent(name.slice('file://'.length)));
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(name)) return name.replace(/\/+$/, '');
  return realpath(name).catch(() => resolve(name));
}

/** An archive that is read while it is written would vouch for itself. */
export async function checkApart(sources: readonly string[], destination: string): Promise<void> {
  const [written, ...read] = await Promise.all([destination, ...sources].map(place));
  if (written !== undefined && read.includes(written)) {
    throw usage(`${destination} is both read and written`, 'Name as the destination, the last one, a place that is none of the sources.');
  }
}

export async function checkFiles(files: Readonly<Record<'--plan' | '--report', string | undefined>>): Promise<void> {
  await checkDistinct(files);
  for (const [option, path] of Object.entries(files)) if (path !== undefined) await checkOutputFile(option, path);
}

/** Reads the run to its end. */
async function follow(run: CopyRun, session: Session): Promise<CopyReport> {
  const bar = session.startBar();
  try {
    for await (const event of run) {
      if (session.json) session.print(JSON.stringify(event));
      if (event.type === 'progress') bar?.paint(event);
    }
    return await run.report;
  } finally {
    bar?.clear();
  }
}

/** Follows a run and says what came of it; `alsoWrite` is for what else is made of its report. Resolves with the exit status. */
export async function carryOut(
  run: CopyRun, session: Session, file: string | undefined, alsoWrite: (report: CopyReport) => Promise<void> = async () => undefined,
): Promise<number> {
  const report = await follow(run, session);
  session.print(session.json ? JSON.stringify({ type: 'report', report }) : copyText(report, session.paint, session.quiet));
  if (file !== undefined) await writeOutput('the report', file, `${JSON.stringify(report, null, 2)}\n`);
  await alsoWrite(report);
  if (!session.signal.aborted) return STATUS[report.verdict];
  // People have read it in the statement.
  if (session.json && !report.dryRun) session.say('what was written stays; to go on from here, run the same command again');
  return COULD_NOT_COMPLETE;
}
