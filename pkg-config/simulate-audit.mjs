/**
 * `npm run simulate-audit`: what the audit of a whole public archive takes, with everything going wrong that can, in virtual time.
 *
 * The real coordinator runs in Cloudflare's own runtime, on the SQLite of real Durable Objects (www/edge/audit/simulation.ts); here it is
 * started and its numbers are shown. The same seed gives the same table.
 */
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';
import { build } from 'vite';
import { runtime } from './edge.mjs';

const SIMULATION = fileURLToPath(new URL('../www/edge/audit/simulation.ts', import.meta.url));
const ESTIMATE = fileURLToPath(new URL('../www/edge/audit/estimate.ts', import.meta.url));
/** As many as Cloudflare runs of one queue at once: 250. */
const CONSUMERS = [1, 10, 50, 100, 250];
/** Shares of messages and consumers; the rest are counts. */
export const FAULTS = { lost: 0.002, doubled: 0.005, late: 0.02, stopped: 0.01, poisoned: 3, outages: 2, storms: 3, restarts: 20 };

/** The table, on standard output. */
export async function simulateAudit({ checkpoints = 1_000_000, seed = 1, partSize = 64, consumers = CONSUMERS, json = false }) {
  const [{ assumptions }, worker] = await Promise.all([module(ESTIMATE), simulationWorker()]);
  try {
    const outcomes = [];
    const began = Date.now();
    for (const each of consumers) outcomes.push(await worker.run({ checkpoints, partSize, consumers: each, seed, faults: FAULTS }));
    if (json) return console.log(JSON.stringify(outcomes, null, 1));
    console.log(table(outcomes));
    for (const { consumers: each, joins, met, counted } of outcomes) {
      const isProven = joins.places === checkpoints && joins.inOrder && joins.once && joins.givenUp.join() === joins.poisoned.join();
      console.log(`\n${each} consumers: ${isProven ? 'every checkpoint was joined once, in order, and every open bucket' : 'THE JOINS ARE WRONG'}; given up: ${joins.givenUp.length} of ${joins.poisoned.length} poisoned`);
      console.log(`  met: ${pairs(met)}\n  counted: ${pairs(counted)}`);
      if (!isProven) process.exitCode = 1;
    }
    console.log(`\n${checkpoints} checkpoints in parts of ${partSize}, seed ${seed}; simulated in ${((Date.now() - began) / 1000).toFixed(0)} s. Assumed:`);
    for (const line of assumptions()) console.log(`  ${line}`);
  } finally {
    await worker.close();
  }
}

/** The simulation in workerd. */
export async function simulationWorker() {
  const { compatibilityDate } = runtime();
  const miniflare = new Miniflare({
    compatibilityDate, cf: false,
    modules: [{ type: 'ESModule', path: 'simulation.mjs', contents: await bundled(SIMULATION) }],
    durableObjects: { SIMULATIONS: { className: 'Simulation', useSQLite: true } },
  });
  const { href } = await miniflare.ready;
  return {
    async run(setting) {
      const response = await fetch(href, { method: 'POST', body: JSON.stringify(setting), signal: AbortSignal.timeout(600_000) });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return JSON.parse(text);
    },
    close: () => miniflare.dispose(),
  };
}

function table(outcomes) {
  const header = ['consumers', 'hours', 'requests', 'TB', 'messages', 'deliveries', 'object requests', 'rows written', 'CPU hours', 'USD', 'most at once'];
  const number = (value, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const rows = outcomes.map((one) => [
    number(one.consumers), number(one.hours, 1), number(one.requests), number(one.bytes / 1e12, 2), number(one.messages), number(one.deliveries),
    number(one.objectRequests), number(one.rowsWritten), number(one.cpuSeconds / 3600, 1), number(one.usd, 2), number(one.mostAtOnce),
  ]);
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padStart(widths[column])).join(' | ')} |`;
  return [line(header), `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`, ...rows.map(line)].join('\n');
}

function pairs(counts) {
  return Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', ');
}

/** A module of www/edge with what it imports. */
export async function bundled(file) {
  const built = await build({
    configFile: false, logLevel: 'error',
    build: { ssr: file, write: false, target: 'es2022', minify: false, rollupOptions: { output: { entryFileNames: 'module.mjs' } } },
  });
  return (Array.isArray(built) ? built[0] : built).output[0].code;
}

/** By itself, in this process. */
async function module(file) {
  return import(`data:text/javascript;base64,${Buffer.from(await bundled(file)).toString('base64')}`);
}
