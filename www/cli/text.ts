/**
 * Numbers, times and names as people read them on a terminal.
 *
 * Not here: printing. Everything that an archive can say passes `clean` first, because it is shown on a terminal.
 */

/**
 * Makes control characters and direction overrides visible: an archive must not be able to move the cursor, repaint the
 * verdict or turn a line around.
 */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

export function hex(checkpoint: number): string {
  return `0x${checkpoint.toString(16).padStart(8, '0')}`;
}

export function plural(count: number, one: string): string {
  return `${grouped(count)} ${one}${count === 1 ? '' : 's'}`;
}

/** Whole numbers, by hand: the first word of `Intl` costs 20 ms. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `bytes` is a decimal string; a double is exact enough to read. */
export function size(bytes: string | number): string {
  let value = Number(bytes);
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const pair = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${pair(Math.floor(seconds / 60) % 60)}:${pair(seconds % 60)}`;
}

/** How long ago, or how far apart, in words: `4 minutes`. */
export function span(seconds: number): string {
  const units: readonly (readonly [number, string])[] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  const value = Math.max(0, Math.round(seconds));
  // Twice a unit, so that what is rounded away is never half of it: 90 seconds, not 1 minute.
  const [length, name] = units.find(([unit]) => value >= 2 * unit) ?? [1, 'second'];
  return plural(Math.floor(value / length), name);
}

/** The time of a ledger: `2026-06-01 12:00:00 UTC`. `seconds` is what the archive says, so it may be no date at all. */
export function time(seconds: string): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? clean(seconds) : date.toISOString().replace('T', ' ').replace('.000Z', ' UTC');
}

/** Columns as wide as their widest cell: the first so many are words, to the left, the others numbers, to the right. */
export function table(rows: readonly (readonly string[])[], words = 1): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows
    .map((row) => row.map((cell, column) => `${column === 0 ? '' : '  '}${column < words ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)}`).join('').trimEnd())
    .join('\n');
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
