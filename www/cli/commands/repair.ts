/**
 * `repair <ARCHIVE>… <DESTINATION>`: what is missing or faulty in an archive, replaced from others; with `--dry-run` only a list of it.
 *
 * Not here: what is common with `mirror` (`copying.ts`).
 */
import { repairArchive } from '../../lib/node.ts';
import { openArchives } from '../archive.ts';
import { carryOut, checkApart, checkFiles, copyOptions, reportFile } from '../copying.ts';
import { openDestination } from '../destination.ts';
import { defined, inputFile, outputFile, usage } from '../options.ts';
import type { Values } from '../options.ts';
import { writeOutput } from '../output-file.ts';
import { planText, readPlan } from '../plan-file.ts';
import { readTrust, trustWords } from '../trust.ts';
import { sourcesAndDestination } from './command.ts';
import type { Command } from './command.ts';

/** A plan is what a dry run leaves, and what another run goes by. */
function planFiles(values: Values): { readonly read: string | undefined; readonly write: string | undefined } {
  if (values['dry-run'] === true) return { read: undefined, write: outputFile('plan', values, 'Name a file (./- for one of that name), or /dev/stdout.') };
  const read = inputFile('plan', values);
  if (read !== undefined && (values.low !== undefined || values.high !== undefined)) {
    throw usage('--plan says what to mend, and --low and --high say it as well', 'Leave --low and --high out; with --dry-run, --plan FILE is written.');
  }
  return { read, write: undefined };
}

export const repair: Command = {
  prepare(words) {
    const { values } = words;
    const { sources: names, destination: to } = sourcesAndDestination('repair', words);
    const options = { ...copyOptions(values), ...defined({ dryRun: values['dry-run'] }) };
    const trustedBy = trustWords(words);
    const report = reportFile(values);
    const plans = planFiles(values);
    return async (session) => {
      session.resultGoesElsewhere = options.dryRun !== true || report !== undefined || plans.write !== undefined;
      session.stopping = options.dryRun === true
        ? 'stopping; what was found so far follows (Ctrl-C again to stop at once)'
        : 'stopping; what was written stays (Ctrl-C again to stop at once)';
      await checkApart(names, to);
      const sources = await openArchives(names);
      const { trust, network: fromFile } = await readTrust(trustedBy, session);
      await checkFiles({ '--report': report, '--plan': plans.write });
      const plan = plans.read === undefined ? undefined : await readPlan(plans.read);
      const destination = await openDestination(to, { make: false });
      const run = repairArchive(sources, destination, { ...defined({ network: fromFile, plan }), ...options, trust, signal: session.signal });
      return carryOut(run, session, report, async (made) => {
        if (plans.write !== undefined) await writeOutput('the plan', plans.write, planText(made.plan));
      });
    };
  },
};
