/** The whole archive in Node: the command line from start to exit, and verifications in a process that stays. */
import { absolute, ask } from '../../run.mjs';
import { bundleOf } from '../builds.mjs';
import { resident, shared, timed } from '../processes.mjs';

export const GROUP = 'whole archive';
const WORKERS = [1, 2];

export async function rows({ archive }) {
  const node = process.execPath;
  const cli = absolute('dist/cli.mjs');
  const hasOption = /--workers\b/.test((await ask(node, [cli, 'help', 'verify'])) ?? '');
  const commands = hasOption ? WORKERS.map((count) => [count, ['--workers', String(count)]]) : [[1, []]];
  const warm = shared(async () => resident([node, absolute('pkg-config/bench/programs/warm.mjs'), await bundleOf(archive)]));
  return [
    ...WORKERS.map((count) => ({
      id: `node/cold/${count}`, group: GROUP, name: `Node, command line, cold, ${workers(count)}`,
      ...(commands.some(([each]) => each === count) ? {} : { skip: 'the command line has no --workers' }),
      open: async () => ({ run: async () => ({ metrics: await timed([node, cli, 'verify', archive, ...commands.find(([each]) => each === count)[1]]), facts: { verdict: 'verified' } }) }),
    })),
    { id: 'node/warm', group: GROUP, name: 'Node, warm, in memory, 1 worker', open: () => openWarm(warm, {}) },
    ...WORKERS.map((count) => ({ id: `node/folder/${count}`, group: GROUP, name: `Node, warm, from a folder, ${workers(count)}`, open: () => openWarm(warm, { workers: count, folder: archive }) })),
    {
      id: 'node/first', group: 'time to first verdict', name: 'Node, start to the first checkpoint',
      open: async () => ({ run: async () => ({ metrics: await timed([node, absolute('pkg-config/bench/programs/first.mjs'), archive]) }) }),
    },
  ];
}

/** A reader of the caller's is read by one thread, so several are measured over the folder. */
async function openWarm(warm, options) {
  const program = await warm();
  return { run: async () => asMeasurement(await program.ask(JSON.stringify(options))), close: program.close };
}

/** What `verifyOnce` gives. */
export function asMeasurement({ verdict, inflatedBytes, ...metrics }) {
  return { metrics, facts: { verdict, inflatedBytes } };
}

export function workers(count) {
  return count === 1 ? '1 worker' : `${count} workers`;
}
