/** How numbers, sizes and times are written on the page. Pure; no DOM. */

const GROUP = '\u202f';

/** Thin-space grouping that never breaks over a line: 1 048 576. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, GROUP);
}

/** For narrow columns: 12 345 as 12k. The exact number stands in the title. */
export function compact(value: number): string {
  if (value < 10_000) return String(value);
  const [unit, letter] = value < 1_000_000 ? [1000, 'k'] : [1_000_000, 'M'];
  const amount = value / unit;
  return `${amount < 10 ? Math.floor(amount * 10) / 10 : Math.floor(amount)}${letter}`;
}

/** An archive's name without what all of them share. */
export function shortName(archive: string): string {
  return archive.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

export function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Binary units, three significant digits. Sizes arrive as decimal strings; the rounding of `Number` is far below what is shown. */
export function bytes(value: number | string): string {
  let amount = Number(value);
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 100 ? 0 : amount >= 10 ? 1 : 2;
  return `${amount.toFixed(digits)}\u00a0${UNITS[unit] ?? ''}`;
}

export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}\u00a0s`;
  if (seconds < 60) return `${Math.floor(seconds)}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min ${Math.floor(seconds % 60)}\u00a0s`;
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)}\u00a0${count === 1 ? one : many}`;
}

/** Text that came without its period. */
export function ended(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?:]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** The verifier's messages fit into the middle of a line; here they stand alone. */
export function sentence(text: string): string {
  const whole = ended(text);
  // An address stays as it is, and the name of a field.
  if (/^(\w+:\/\/|[a-z]+[A-Z])/.test(whole)) return whole;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}
