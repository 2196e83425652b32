/** What `npm run bench` prints, as lines: ratios first, then every group as a table. Not here: any measuring. */
import { groupsOf } from './rounds.mjs';

const MB = 1_000_000;
/** These columns come first, where a group has them. */
const FIRST = ['wallMs', 'cpuMs'];
const FACTS_APART = ['inflatedBytes', 'bytes', 'hashedBytes', 'checkpoints'];

/** The whole text. `compared` is what `compare` of against.mjs gave, or `null`. */
export function lines(result, compared) {
  const { machine, versions, archive } = result;
  return [
    '',
    `${machine.cpu}, ${machine.cpus} CPUs, ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}`,
    `${archive.name}: ${archive.checkpoints} checkpoints, ${archive.files} files, ${megabytes(archive.bytes)}; ${result.rounds} rounds after ${result.warmUps} warm-ups`,
    ...ratioLines(result.ratios),
    ...groupsOf(result.rows).flatMap(([group, rows]) => table(group, rows)),
    ...(compared === null ? [] : comparison(compared)),
  ];
}

function ratioLines(ratios) {
  if (ratios.length === 0) return [];
  const width = Math.max(...ratios.map(({ group, name, other }) => `${group}: ${name} ÷ ${other}`.length));
  return ['', 'ratios of medians (below 1 is less than theirs; in brackets the other way round)', ...ratios.map(({ group, name, other, ratios: of }) =>
    `  ${`${group}: ${name} ÷ ${other}`.padEnd(width)}  ${Object.entries(of).map(([metric, ratio]) => `${heading(metric)} ${ratio.toFixed(2)} (${(1 / ratio).toFixed(2)})`).join('   ')}`)];
}

function table(group, rows) {
  const found = new Set(rows.flatMap((row) => Object.keys(row.metrics ?? {})));
  const metrics = [...FIRST.filter((metric) => found.has(metric)), ...[...found].filter((metric) => !FIRST.includes(metric))];
  const width = Math.max(group.length, ...rows.map(({ name }) => name.length + 2));
  return [
    '',
    `${group.padEnd(width)}${metrics.map((metric) => `${heading(metric)} min`.padStart(17) + 'median'.padStart(11)).join('')}`,
    ...rows.map((row) => {
      const start = `  ${row.name}`.padEnd(width);
      if (row.metrics === undefined) return `${start}   ${row.failed === undefined ? `not measured: ${row.notMeasured}` : `FAILED: ${row.failed}`}`;
      const cells = metrics.map((metric) => {
        const summary = row.metrics[metric];
        return summary === undefined ? ' '.repeat(28) : shown(metric, summary.min).padStart(17) + shown(metric, summary.median).padStart(11);
      });
      return `${start}${cells.join('')}   ${factsOf(row)}`.trimEnd();
    }),
  ];
}

function factsOf({ facts, metrics }) {
  const bytes = facts.bytes ?? facts.inflatedBytes;
  const speed = bytes === undefined || metrics.wallMs === undefined ? [] : [`${(bytes / 1000 / metrics.wallMs.median).toFixed(0)} MB/s`];
  return [...speed, ...Object.entries(facts).map(([name, fact]) => (FACTS_APART.includes(name) ? `${words(name)} ${name.endsWith('ytes') ? megabytes(fact) : fact}` : fact))].join(', ');
}

function comparison({ rows, warnings, notes }) {
  const width = Math.max(0, ...rows.map(({ id, metric }) => `${id} ${heading(metric)}`.length));
  return [
    '', 'against the earlier result',
    ...rows.map(({ id, metric, before, now, ratio, worse }) =>
      `  ${`${id} ${heading(metric)}`.padEnd(width)}${shown(metric, before).padStart(11)} → ${shown(metric, now).padStart(9)}   × ${ratio === null ? '–' : ratio.toFixed(2)}${worse ? '   WORSE' : ''}`),
    ...notes.map((note) => `  note: ${note}`),
    ...warnings.map((warning) => `  warning: ${warning}`),
    warnings.length === 0 ? '  nothing is worse past noise' : `  ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`,
  ];
}

/** `cpuMs` as `CPU`, `wasmBytes` as `wasm`. */
function heading(metric) {
  return words(metric.replace(/(Ms|Ns|Bytes)$/, ''));
}

function words(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/\bcpu\b/, 'CPU');
}

function shown(metric, value) {
  if (metric.endsWith('Bytes')) return megabytes(value);
  if (metric.endsWith('Ns')) return `${value.toFixed(0)} ns`;
  if (metric.endsWith('Ms')) return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
  return Number.isInteger(value) ? String(value) : value.toFixed(4);
}

function megabytes(bytes) {
  return `${(bytes / MB).toFixed(1)} MB`;
}
