/** One verification in a process of its own, for bench.mjs: prints what it took as JSON. */
import { argv, resourceUsage } from 'node:process';
import { directoryReader, init, verifyArchive, wasmMemoryBytes } from '../dist/node.mjs';

const [dir, low, high] = argv.slice(2);
const range = { ...(low === undefined ? {} : { low: Number(low) }), ...(high === undefined ? {} : { high: Number(high) }) };
await init();
const { report } = verifyArchive(directoryReader(dir), { range });
const { bytes, elapsedMs, findings, verdict } = await report;
console.log(
  JSON.stringify({
    elapsedMs,
    findings: findings.map(({ code, path }) => `${code} ${path}`),
    inflatedBytes: Number(bytes.inflated),
    processBytes: resourceUsage().maxRSS * 1024,
    verdict,
    wasmBytes: wasmMemoryBytes(),
  }),
);
