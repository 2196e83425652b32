/**
 * One verification in a process of its own: prints what it took as JSON. `memory.mjs DIR [LOW HIGH]` reads a folder;
 * `memory.mjs DIR --stream BYTES` gives the archive a bucket of that size, which is on no disk: it comes as it is asked for.
 */
import { argv, cpuUsage, resourceUsage } from 'node:process';
import { directoryReader, init, verifyArchive, wasmMemoryBytes } from '../../../dist/node.mjs';
import { streamedReader } from '../big-bucket.mjs';

const [dir, low, high] = argv.slice(2);
const streamed = low === '--stream';
const range = streamed ? {} : { ...(low === undefined ? {} : { low: Number(low) }), ...(high === undefined ? {} : { high: Number(high) }) };
const source = streamed ? await streamedReader(dir, Number(high)) : directoryReader(dir);
await init();
const before = cpuUsage();
const { bytes, elapsedMs, findings, verdict } = await verifyArchive(source, { range, timeoutMs: 600_000 }).report;
const { user, system } = cpuUsage(before);
console.log(
  JSON.stringify({
    cpuMs: (user + system) / 1000,
    wallMs: elapsedMs,
    findings: findings.map(({ code, path }) => `${code} ${path}`),
    inflatedBytes: Number(bytes.inflated),
    processBytes: resourceUsage().maxRSS * 1024,
    verdict,
    wasmBytes: wasmMemoryBytes(),
  }),
);
