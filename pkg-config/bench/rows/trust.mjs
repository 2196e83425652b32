/** What it costs to find out who vouches for a chain, in one process that stays: runs that believe nobody, the network's preset, and every signature. */
import { absolute } from '../../run.mjs';
import { bundleOf } from '../builds.mjs';
import { resident, shared } from '../processes.mjs';
import { asMeasurement } from './node.mjs';

const GROUP = 'who vouches for it, one wasm thread';
const CASES = [
  { id: 'chain', name: 'the chain alone', role: 'other', trust: { quorumSet: 'none' } },
  { id: 'preset', name: 'sealed by the preset', trust: {} },
  { id: 'every', name: 'every signature', trust: { allSignatures: true } },
];

/** Only real archives have validators that a preset names. */
export async function rows({ archive, real }) {
  const program = shared(async () => resident([process.execPath, absolute('pkg-config/bench/programs/warm.mjs'), await bundleOf(archive)]));
  return CASES.map(({ id, name, role, trust }) => ({
    id: `trust/${id}`, group: GROUP, name, role, ...(real ? {} : { skip: 'no real archives (STELLAR_ARCHIVE_DATA)' }),
    open: async () => {
      const { ask, close } = await program();
      return { run: async () => asMeasurement(await ask(JSON.stringify({ trust, skipBuckets: true }))), close };
    },
  }));
}
