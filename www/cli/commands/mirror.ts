/** `mirror <ARCHIVE>… <DESTINATION>`: a verified copy of an archive. Not here: what is common with `repair` (`copying.ts`). */
import { mirrorArchive } from '../../lib/node.ts';
import { openArchives } from '../archive.ts';
import { carryOut, checkApart, checkFiles, copyOptions, reportFile } from '../copying.ts';
import { openDestination } from '../destination.ts';
import { defined } from '../options.ts';
import { readTrust, trustWords } from '../trust.ts';
import { sourcesAndDestination } from './command.ts';
import type { Command } from './command.ts';

export const mirror: Command = {
  prepare(words) {
    const { values } = words;
    const { sources: names, destination: to } = sourcesAndDestination('mirror', words);
    const options = { ...copyOptions(values), ...defined({ overwrite: values.overwrite, allowGaps: values['allow-mirror-gaps'] }) };
    const trustedBy = trustWords(words);
    const report = reportFile(values);
    return async (session) => {
      session.resultGoesElsewhere = true;
      session.stopping = 'stopping; what was written stays (Ctrl-C again to stop at once)';
      await checkApart(names, to);
      const sources = await openArchives(names);
      const { trust, network: fromFile } = await readTrust(trustedBy, session);
      await checkFiles({ '--report': report, '--plan': undefined });
      const destination = await openDestination(to, { make: true });
      const run = mirrorArchive(sources, destination, { ...defined({ network: fromFile }), ...options, trust, signal: session.signal });
      return carryOut(run, session, report);
    };
  },
};
