/** `publish <ARCHIVE>… <DESTINATION> --ledger N`: one checkpoint, verified, and the newest state after it. Not here: what that takes. */
import { publishCheckpoint } from '../../lib/node.ts';
import type { PublishSummary } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import { checkApart } from '../copying.ts';
import { openDestination } from '../destination.ts';
import { checkpointFrequency, concurrency, defined, ledger, maxRetries, network, timeoutMs, usage } from '../options.ts';
import { clean, hex, plural, size } from '../text.ts';
import { COULD_NOT_COMPLETE, OK, orFaults, sourcesAndDestination } from './command.ts';
import type { Command } from './command.ts';

function summaryText({ checkpoint, destinations }: PublishSummary): string {
  return destinations.map(({ destination, written, kept, error }) => {
    const what = `${plural(written.files, 'file')} written (${size(written.bytes)}), ${plural(kept, 'file')} there already`;
    if (error === null) return `checkpoint ${checkpoint} (${hex(checkpoint)}) is published to ${clean(destination)}: ${what}`;
    // Where nothing was done, numbers would only hide the reason.
    const done = written.files === 0 ? '' : `\n  ${what}; all that was written stays`;
    return `checkpoint ${checkpoint} (${hex(checkpoint)}) is not published to ${clean(destination)}: ${clean(error.message)}${done}\n  → ${clean(error.advice)}`;
  }).join('\n');
}

export const publish: Command = {
  prepare(words) {
    const { values } = words;
    const { sources: names, destination: to } = sourcesAndDestination('publish', words);
    const sequence = ledger(values);
    if (sequence === undefined) throw usage('publish needs --ledger N', 'Any ledger of the checkpoint to publish.');
    const options = defined({
      network: network(values), concurrency: concurrency(values), maxRetries: maxRetries(values), timeoutMs: timeoutMs(values),
      checkpointFrequency: checkpointFrequency(values),
    });
    // The last ledger of its checkpoint, as every command takes any of them.
    const checkpoint = (Math.floor(sequence / (options.checkpointFrequency ?? 64)) + 1) * (options.checkpointFrequency ?? 64) - 1;
    return (session) => orFaults(session, async () => {
      await checkApart(names, to);
      const sources = await openArchives(names);
      const destination = await openDestination(to, { make: false });
      const summary = await publishCheckpoint(sources, checkpoint, destination, { ...options, signal: session.signal });
      if (session.json) session.result({ type: 'publish', ...summary });
      else session.print(summaryText(summary));
      return summary.destinations.every(({ error }) => error === null) ? OK : COULD_NOT_COMPLETE;
    });
  },
};
