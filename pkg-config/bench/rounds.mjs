/**
 * How rows are measured: those of one group in the same rounds, after warm-up rounds, in turned order, so that what else the machine does
 * meets all of them. Also the summary of what was measured.
 *
 * Not here: what a row measures, and how results are shown.
 *
 * A row is `{ id, group, name, role, open }`:
 * - `role` is `ours`, or `other` for what ours is compared with: all of its group, or those whose ids match `with`;
 * - `open()` makes everything ready and resolves with `{ run, close }`; `run()` resolves with one measurement or a list of them, each
 *   `{ metrics, facts }`: numbers of which less is better, and words or numbers that must be the same in every round;
 * - `skip` says why it cannot be measured here; `once` measures it a single time without warm-up, because it takes long.
 */

/** Thrown by `open`, in place of `skip`, where only then it shows that a row cannot be measured here. */
export class NotMeasured extends Error {}

/** V8 and SpiderMonkey compile WebAssembly again while it runs. */
export const WARM_UPS = 2;

/** Measures the rows of one group. `say` is told of each round. */
export async function measureGroup(rows, { rounds, warmUps = WARM_UPS, say = () => {} }) {
  const entries = rows.map((row) => ({ row, state: null, samples: [], facts: {}, failed: null }));
  const open = (entry) => attempt(entry, async () => {
    entry.state = await entry.row.open();
  });
  const live = () => entries.filter(({ row, failed }) => row.skip === undefined && failed === null);
  try {
    for (const entry of live()) await open(entry);
    for (let round = 0; round < warmUps + rounds; round += 1) {
      const order = live().filter(({ row }) => !row.once || round === warmUps);
      if (order.length > 0) say(round < warmUps ? `warm-up ${round + 1} of ${warmUps}` : `round ${round - warmUps + 1} of ${rounds}`);
      for (const entry of round % 2 === 0 ? order : order.toReversed()) await attempt(entry, () => measureOnce(entry, round >= warmUps));
    }
  } finally {
    for (const { state } of entries) await state?.close?.();
  }
  return entries.map(outcome);
}

/** `[group, its rows]`, in the order in which groups come first. */
export function groupsOf(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return [...groups];
}

async function attempt(entry, body) {
  try {
    await body();
  } catch (error) {
    entry.failed = error;
  }
}

async function measureOnce(entry, counted) {
  for (const { metrics, facts = {} } of [await entry.state.run()].flat()) {
    for (const [name, fact] of Object.entries(facts)) {
      if (Object.hasOwn(entry.facts, name) && entry.facts[name] !== fact) throw new Error(`${name} was ${entry.facts[name]}, then ${fact}`);
      entry.facts[name] = fact;
    }
    if (counted) entry.samples.push(metrics);
  }
}

function outcome({ row: { id, group, name, role = 'ours', skip, with: matching }, samples, facts, failed }) {
  const common = { id, group, name, role, ...(matching === undefined ? {} : { with: matching }) };
  if (skip !== undefined) return { ...common, notMeasured: skip };
  if (failed instanceof NotMeasured) return { ...common, notMeasured: failed.message };
  if (failed !== null) return { ...common, failed: failed.message };
  return { ...common, facts, metrics: summaries(samples) };
}

/** Every metric by itself: its minimum, median and quartiles, and all of its values. */
export function summaries(samples) {
  const values = (name) => samples.map((sample) => sample[name]).filter((value) => value !== undefined);
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample)))].filter((name) => values(name).length > 0);
  return Object.fromEntries(names.map((name) => [name, summary(values(name))]));
}

/** Of an even number of values the median is the mean of the middle two; quartiles lie between values in the same way. */
export function summary(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return { min: sorted[0], lowerQuartile: at(sorted, 0.25), median: at(sorted, 0.5), upperQuartile: at(sorted, 0.75), max: sorted.at(-1), values };
}

function at(sorted, share) {
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** Metrics whose ratio says how fast something is. */
const COMPARED = ['wallMs', 'cpuMs'];

/** Each of ours against each of the others of its group, by medians: below 1 is less than theirs. */
export function ratios(rows) {
  const measured = rows.filter(({ metrics }) => metrics !== undefined);
  return measured.filter(({ role }) => role === 'ours').flatMap((ours) =>
    measured.filter((other) => isComparedWith(other, ours)).map((other) => ({
      id: ours.id, against: other.id, group: ours.group, name: ours.name, other: other.name,
      ratios: Object.fromEntries(COMPARED.flatMap((metric) => {
        const [one, two] = [ours.metrics[metric]?.median, other.metrics[metric]?.median];
        return one === undefined || two === undefined || two === 0 ? [] : [[metric, one / two]];
      })),
    })),
  ).filter(({ ratios: of }) => Object.keys(of).length > 0);
}

function isComparedWith({ role, group, with: matching = '' }, ours) {
  return role === 'other' && group === ours.group && new RegExp(matching).test(ours.id);
}
