/** Runs over one archive that believe nobody, the network's preset, and every signature in turn, for bench.mjs: prints CPU times as JSON. */
import { argv, cpuUsage } from 'node:process';
import { directoryReader, init, verifyArchive } from '../dist/node.mjs';

const [dir, rounds] = argv.slice(2);
const CASES = [
  { name: 'the chain alone', trust: { quorumSet: 'none' } },
  { name: 'sealed by the preset', trust: {} },
  { name: 'every signature', trust: { allSignatures: true } },
];

async function cpuMs(trust) {
  const before = cpuUsage();
  const { verdict } = await verifyArchive(directoryReader(dir), { trust, skipBuckets: true }).report;
  const { user, system } = cpuUsage(before);
  if (verdict !== 'verified') throw new Error(`the run ended with ${verdict}`);
  return (user + system) / 1000;
}

await init();
const runs = CASES.map(() => []);
for (let round = 0; round <= Number(rounds) + 1; round += 1) {
  const order = CASES.map((_, index) => (round % 2 === 0 ? index : CASES.length - 1 - index));
  for (const index of order) {
    const ms = await cpuMs(CASES[index].trust);
    // Two rounds to warm up: V8 compiles WebAssembly again while it runs.
    if (round > 1) runs[index].push(ms);
  }
}
const sorted = runs.map((times) => times.toSorted((a, b) => a - b));
const median = (times) => times[Math.floor(times.length / 2)];
const chain = median(sorted[0]);
console.log(
  JSON.stringify(
    CASES.map(({ name }, index) => {
      const cpu = { min: sorted[index][0], median: median(sorted[index]) };
      return { name, cpuMs: cpu, beyondMs: cpu.median - chain, ratio: cpu.median / chain };
    }),
  ),
);
