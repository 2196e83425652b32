/** `new-hist <DESTINATION> --network NAME`: the archive of a network that has no ledgers yet. Not here: what is in it. */
import { newHistory } from '../../lib/node.ts';
import { openDestination } from '../destination.ts';
import { isNetworkName, network, usage } from '../options.ts';
import { clean } from '../text.ts';
import { OK } from './command.ts';
import type { Command } from './command.ts';

export const newHist: Command = {
  prepare({ values, positionals }) {
    const [to = '', ...more] = positionals;
    if (to === '') throw usage('new-hist needs a destination', 'Give a folder or a URL: new-hist <DESTINATION> --network NAME.');
    if (more.length > 0) throw usage(`new-hist makes one archive, and ${JSON.stringify(more[0])} is one too many`, 'Run it once for each; a value with spaces needs quotes around it.');
    const named = network(values);
    if (named === undefined) throw usage('new-hist needs --network NAME|PASSPHRASE', 'An archive says which network it belongs to: pubnet, testnet, futurenet, standalone, or a passphrase.');
    return async (session) => {
      const destination = await openDestination(to, { make: true });
      await newHistory(destination, { network: named, signal: session.signal });
      if (session.json) session.result({ type: 'new-hist', destination: destination.name, network: named });
      else session.print(`${clean(destination.name)} is an archive of ${isNetworkName(named) ? named : `the network with the passphrase ${clean(JSON.stringify(named))}`} now, without any ledger yet`);
      return OK;
    };
  },
};
