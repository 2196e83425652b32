/**
 * What has changed since an earlier `npm run bench -- --json FILE`: a ratio for every row, and a warning where it is worse past noise.
 *
 * Not here: measuring, reading files.
 */

/** A difference below this share of the earlier value is never worth a warning; of what was measured less than three times, whose noise nobody knows, the greater. */
const NOISE_SHARE = 0.05;
const UNKNOWN_NOISE_SHARE = 0.25;
const FEW = 3;

/**
 * Compares two results. Where rows are missing on one side, or another machine measured, `notes` say so.
 *
 * @returns {{ rows: { id: string, metric: string, before: number, now: number, ratio: number | null, worse: boolean }[], warnings: string[], notes: string[] }}
 */
export function compare(now, before) {
  const [earlier, later] = [before, now].map(({ rows }) => new Map(rows.map((row) => [row.id, row])));
  const rows = [];
  const warnings = [];
  const notes = differences(now, before);
  for (const [id, row] of later) {
    const old = earlier.get(id);
    if (row.metrics === undefined || old?.metrics === undefined) {
      if (row.metrics !== undefined) notes.push(`${id} was not measured then`);
      else if (old?.metrics !== undefined) warnings.push(`${id} was measured then, and is not now: ${row.failed ?? row.notMeasured}`);
      continue;
    }
    for (const [name, fact] of Object.entries(row.facts)) {
      if (Object.hasOwn(old.facts, name) && old.facts[name] !== fact) warnings.push(`${id}: ${name} was ${old.facts[name]}, and is ${fact}`);
    }
    for (const [metric, summary] of Object.entries(row.metrics)) {
      const then = old.metrics[metric];
      if (then === undefined) continue;
      const compared = { id, metric, before: then.median, now: summary.median, ratio: then.median === 0 ? null : summary.median / then.median, worse: isWorse(summary, then) };
      rows.push(compared);
      if (compared.worse) warnings.push(`${id}: ${metric} was ${rounded(then.median)}, and is ${rounded(summary.median)}: past noise`);
    }
  }
  for (const [id, old] of earlier) if (old.metrics !== undefined && !later.has(id)) notes.push(`${id} was measured then, and not now`);
  return { rows, warnings, notes };
}

/** Past noise: by more than a share of the earlier value, and by more than rounds of either differ among themselves. */
export function isWorse(now, before) {
  const spread = ({ lowerQuartile, upperQuartile }) => upperQuartile - lowerQuartile;
  const share = Math.min(now.values.length, before.values.length) < FEW ? UNKNOWN_NOISE_SHARE : NOISE_SHARE;
  return now.median - before.median > Math.max(share * before.median, spread(now), spread(before));
}

function rounded(value) {
  return Number(value.toPrecision(3));
}

function differences(now, before) {
  const notes = [];
  const of = ({ cpu, cpus, platform }) => `${cpu}, ${cpus} CPUs, ${platform}`;
  if (of(now.machine) !== of(before.machine)) notes.push(`another machine measured then (${of(before.machine)}): absolute times do not compare, ratios to the peer do`);
  for (const [name, version] of Object.entries(now.versions)) {
    const then = before.versions[name];
    if (then !== undefined && then !== version) notes.push(`${name} was ${then}, and is ${version}`);
  }
  if (now.archive.name !== before.archive.name || now.archive.bytes !== before.archive.bytes) notes.push(`another archive was measured then: ${before.archive.name}`);
  return notes;
}
