/**
 * `verify <ARCHIVE>…`: a run with its progress, its report and the files that it leaves.
 *
 * Not here: what is wrong with an archive, and the words of the report.
 */
import { messageOf, toVerifierError } from '../../lib/errors.ts';
import { prometheusText, repairPlan, verifyArchive } from '../../lib/node.ts';
import type { Run } from '../../lib/node.ts';
import type { Finding, Report, Verdict, VerifyOptions } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import { checkpointFrequency, concurrency, defined, ledgers, maxRetries, network, order, outputFile, sample, timeoutMs, workers } from '../options.ts';
import type { Values } from '../options.ts';
import { checkDistinct, checkOutputFile, writeOutput } from '../output-file.ts';
import { planText } from '../plan-file.ts';
import { findingsText, reportText } from '../report-text.ts';
import type { Session } from '../session.ts';
import { StateFile } from '../state-file.ts';
import { plural } from '../text.ts';
import { readTrust, trustWords } from '../trust.ts';
import type { TrustWords } from '../trust.ts';
import { Validators } from '../validators.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK, archives } from './command.ts';
import type { Command } from './command.ts';

const ROOT_FILE = '.well-known/stellar-history.json';

const STATUS: Readonly<Record<Verdict, number>> = { verified: OK, faulty: FAULTS, incomplete: COULD_NOT_COMPLETE };

type Options = Omit<VerifyOptions, 'resume' | 'saveState' | 'signal' | 'trust'>;

interface Files {
  readonly report: string | undefined;
  readonly metrics: string | undefined;
  readonly plan: string | undefined;
  readonly state: string | undefined;
}

function runOptions(values: Values): Options {
  return {
    ...ledgers(values),
    ...sample(values),
    ...defined({
      order: order(values),
      network: network(values),
      deep: values.deep,
      skipOptional: values['skip-optional'],
      skipBuckets: values['skip-buckets'],
      concurrency: concurrency(values),
      maxRetries: maxRetries(values),
      timeoutMs: timeoutMs(values),
      workers: workers(values),
      checkpointFrequency: checkpointFrequency(values),
    }),
  };
}

async function openFiles(files: Files, session: Session): Promise<StateFile | undefined> {
  await checkDistinct({ '--report': files.report, '--metrics': files.metrics, '--plan': files.plan, '--state': files.state });
  if (files.report !== undefined) await checkOutputFile('--report', files.report);
  if (files.metrics !== undefined) await checkOutputFile('--metrics', files.metrics);
  if (files.plan !== undefined) await checkOutputFile('--plan', files.plan);
  if (files.state === undefined) return undefined;
  const state = await StateFile.open(files.state);
  if (state.text !== undefined && !session.quiet) session.say(`going on from the state in ${state.path}`);
  return state;
}

/** Reads the run to its end; `seen` gets the findings, for the case that there is no report. */
async function follow(run: Run, session: Session, state: StateFile | undefined, seen: Finding[]): Promise<Report> {
  const bar = session.startBar();
  let saves = true;
  try {
    for await (const event of run) {
      if (event.type === 'state') {
        // Not a line of the output: it is large, and of no use to anyone but the next run.
        try {
          state?.write(event.state);
          saves = true;
        } catch (cause) {
          // Hours of work are worth more than the means to interrupt them.
          if (saves) session.say(`the state could not be written to ${state?.path}: ${messageOf(cause)}; the run goes on`);
          saves = false;
        }
        continue;
      }
      if (session.json) session.print(JSON.stringify(event));
      if (event.type === 'progress') bar?.paint(event);
      else if (event.type === 'finding') seen.push(event.finding);
    }
    return await run.report;
  } finally {
    bar?.clear();
  }
}

function sayHowToGoOn(state: StateFile | undefined, session: Session): void {
  if (state?.holdsState === true) session.say(`to go on from here, run the same command again: what was verified is in ${state.path}`);
}

async function act(names: readonly string[], options: Options, words: TrustWords, files: Files, session: Session): Promise<number> {
  session.resultGoesElsewhere = files.report !== undefined;
  session.stopping = 'stopping; what was found so far follows (Ctrl-C again to stop at once)';
  const sources = await openArchives(names);
  const { trust, network: named, names: ownNames } = await readTrust(words, session);
  const state = await openFiles(files, session);

  const run = verifyArchive(sources, {
    ...(named === undefined ? {} : { network: named }),
    ...options,
    trust,
    ...(state === undefined ? {} : { saveState: true }),
    ...(state?.text === undefined ? {} : { resume: state.text }),
    signal: session.signal,
  });
  const seen: Finding[] = [];
  let report: Report;
  try {
    report = await follow(run, session, state, seen);
  } catch (thrown) {
    // There is no report, but what was found before must not be lost with it.
    if (!session.json && seen.length > 0) session.print(findingsText(seen, session.paint, '--json prints each when it is found', names.length > 1));
    const error = toVerifierError(thrown);
    if (error.code !== 'USAGE') sayHowToGoOn(state, session);
    throw error;
  }
  session.print(session.json ? JSON.stringify({ type: 'report', report }) : reportText(report, session.paint, session.quiet, new Validators(ownNames)));
  if (files.report !== undefined) await writeOutput('the report', files.report, `${JSON.stringify(report, null, 2)}\n`);
  if (files.metrics !== undefined) await writeOutput('the metrics', files.metrics, prometheusText(report));
  if (files.plan !== undefined) {
    const plan = repairPlan(report);
    await writeOutput('the plan', files.plan, planText(plan));
    if (plan.well_known === null && report.findings.some(({ severity, path }) => severity === 'error' && path === ROOT_FILE)) {
      session.say(`the plan does not list ${ROOT_FILE}: nothing says how far the archive goes; name its last ledger with --high N`);
    }
    if (report.findingsDropped > 0) session.say(`the plan is not complete: ${plural(report.findingsDropped, 'finding')} did not fit into the report; mend what it lists and verify again`);
  }
  if (!session.signal.aborted) {
    await state?.remove();
    return STATUS[report.verdict];
  }
  sayHowToGoOn(state, session);
  return COULD_NOT_COMPLETE;
}

export const verify: Command = {
  prepare(words) {
    const { values } = words;
    const names = archives('verify', words);
    const options = runOptions(values);
    const trust = trustWords(words);
    const files: Files = {
      report: outputFile('report', values, 'Name a file (./- for one of that name), or use --json, whose last line has the report.'),
      metrics: outputFile('metrics', values, 'Name a file (./- for one of that name), or /dev/stdout.'),
      plan: outputFile('plan', values, 'Name a file (./- for one of that name), or /dev/stdout.'),
      state: outputFile('state', values, 'Name a file (./- for one of that name).'),
    };
    return (session) => act(names, options, trust, files, session);
  },
};
