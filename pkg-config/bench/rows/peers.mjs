/** What the whole archive takes others, with `--peers`: the native program that people would install, and the least work that there is. */
import { PEER, installPeer } from '../../peer.mjs';
import { bundleOf, limit } from '../builds.mjs';
import { resident, timed } from '../processes.mjs';
import { GROUP } from './node.mjs';

export async function rows({ archive, peers }) {
  if (!peers) return [];
  return [
    {
      id: 'peer/scan', group: GROUP, role: 'other', name: `${PEER.name} ${PEER.version}, cold`,
      open: async () => {
        const program = await installPeer();
        return { run: async () => ({ metrics: await timed([program, '--verify', 'scan', `file://${archive}`]) }) };
      },
    },
    {
      // What is cold does other things, too.
      id: 'limit', group: GROUP, role: 'other', with: '^node/warm$|/warm/memory$', name: 'native limit, one thread, in memory',
      open: async () => {
        const program = resident([await limit(), await bundleOf(archive)]);
        const run = async () => {
          const { wallMs, cpuMs, ...facts } = await program.ask('');
          return { metrics: { wallMs, cpuMs }, facts };
        };
        return { run, close: program.close };
      },
    },
  ];
}
