/** What a run takes of memory, each in a process of its own: few checkpoints, all of them, one big bucket. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TARGET, absolute, once, stampedStep } from '../../run.mjs';
import { checkpointsOf } from '../archive.mjs';
import { addBigBucket } from '../big-bucket.mjs';
import { printed } from '../processes.mjs';

const GROUP = 'memory';
const SAMPLE = ['--protocol', '22', '--ledgers', '63'];
const HUGE = 4_000_000_000;

export async function rows({ archive, long }) {
  const checkpoints = await checkpointsOf(archive);
  const few = Math.min(8, checkpoints.length);
  const row = (id, name, args, more = {}) => ({ id: `memory/${id}`, group: GROUP, name, open: async () => open(await args()), ...more });
  return [
    row('few', `${few} checkpoints`, async () => [archive, '1', String(checkpoints[few - 1])]),
    row('all', `${checkpoints.length} checkpoints`, async () => [archive, '1', String(checkpoints.at(-1))]),
    row('bucket-200mb', 'one bucket of 200 MB', async () => [await bigBucketArchive()]),
    row('bucket-4gb', 'one bucket of 4 GB, as a stream', async () => [await plainArchive(), '--stream', String(HUGE)], {
      once: true, ...(long ? {} : { skip: 'takes a minute: only with --long' }),
    }),
  ];
}

function open(args) {
  return {
    async run() {
      const { findings, verdict, inflatedBytes, ...metrics } = await printed([process.execPath, absolute('pkg-config/bench/programs/memory.mjs'), ...args]);
      if (verdict !== 'verified') throw new Error(`the verdict is ${verdict}: ${findings.slice(0, 5).join(', ')}`);
      return { metrics, facts: { verdict, inflatedBytes } };
    },
  };
}

const bigBucketArchive = once(async () => {
  const dir = absolute('target/bench/big-bucket');
  await madeArchive('an archive with a bucket of 200 MB', dir, () => addBigBucket(dir));
  return dir;
});

const plainArchive = once(async () => {
  const dir = absolute('target/bench/plain');
  await madeArchive('an archive for a bucket of 4 GB', dir, async () => {});
  return dir;
});

async function madeArchive(name, dir, more) {
  const inputs = ['pkg-config/bench/big-bucket.mjs', 'tests/sample-archive/src'];
  await stampedStep(name, { inputs, outputs: [join(dir, '.well-known/stellar-history.json').slice(absolute('.').length)] }, async ({ run }) => {
    await rm(dir, { recursive: true, force: true });
    await run('cargo', ['build', '--profile', 'xtask', '-p', 'sample-archive']);
    await run(join(TARGET, 'xtask/sample-archive'), [...SAMPLE, dir]);
    await more();
  });
}
