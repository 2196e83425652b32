/**
 * The report for people: what stands on the terminal, as strings.
 *
 * Not here: printing. Everything that an archive can say passes `clean` first, because it is shown on a terminal.
 */
import type { ArchiveVerifierError } from '../lib/errors.ts';
import type { FileKind, Finding, Note, Report, RunError, Severity, Status, Verdict } from '../lib/types.ts';

const KINDS: readonly FileKind[] = ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'];

/** A screen has an end; a report keeps more. */
const MAX_FINDINGS = 100;
const MAX_LINES = 20;

/** Codes of the notes that say that less was verified than was asked for. */
const NARROWED = ['archive-empty', 'range-clamped', 'range-empty', 'starts-late'];

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';
export type Paint = (style: Style, text: string) => string;

const SGR: Readonly<Record<Style, number>> = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 };

export const plain: Paint = (_, text) => text;
export const coloured: Paint = (style, text) => `\u001b[${SGR[style]}m${text}\u001b[0m`;

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

function plural(count: number, one: string): string {
  return `${grouped(count)} ${one}${count === 1 ? '' : 's'}`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
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

const SEVERITY: Readonly<Record<Severity, { readonly mark: string; readonly style: Style }>> = {
  error: { mark: '✗', style: 'red' },
  warning: { mark: '!', style: 'yellow' },
};
const STATUS: Readonly<Record<Status, { readonly mark: string; readonly style: Style }>> = {
  verified: { mark: '✓', style: 'green' },
  faulty: { mark: '✗', style: 'red' },
  unchecked: { mark: '–', style: 'yellow' },
};
const VERDICT: Readonly<Record<Verdict, Style>> = { verified: 'green', faulty: 'red', incomplete: 'yellow' };

function where(finding: Finding): string[] {
  return [
    ...(finding.checkpoint === undefined ? [] : [`checkpoint ${finding.checkpoint} (${hex(finding.checkpoint)})`]),
    ...(finding.ledger === undefined ? [] : [`ledger ${finding.ledger}`]),
    ...(finding.bucket === undefined ? [] : [`bucket ${clean(finding.bucket)}`]),
    ...(finding.offset === undefined ? [] : [`offset ${finding.offset}`]),
  ];
}

/** One finding as a block of lines. */
export function findingText(finding: Finding, paint: Paint): string {
  const { mark, style } = SEVERITY[finding.severity];
  const place = where(finding).join(', ');
  const consequences = Object.entries(finding.consequences ?? {}).map(([code, count]) => `${grouped(count)} × ${clean(code)}`);
  return [
    `${paint(style, `${mark} ${clean(finding.code)}`)}  ${paint('bold', clean(finding.path))}`,
    ...(place === '' ? [] : [`    ${place}`]),
    `    ${clean(finding.message)}`,
    ...(finding.expected === undefined ? [] : [`    expected  ${clean(finding.expected)}`]),
    ...(finding.actual === undefined ? [] : [`    actual    ${clean(finding.actual)}`]),
    ...(consequences.length === 0 ? [] : [`    explains  ${consequences.join(', ')}`]),
    ...(finding.advice === '' ? [] : [paint('dim', `    → ${clean(finding.advice)}`)]),
  ].join('\n');
}

/** `where` says what holds those past the first screens. */
export function findingsText(findings: readonly Finding[], paint: Paint, where: string): string {
  const shown = findings.slice(0, MAX_FINDINGS).map((finding) => findingText(finding, paint));
  const rest = findings.length - shown.length;
  if (rest > 0) shown.push(`… and ${plural(rest, 'more finding')}: ${where}`);
  return shown.join('\n\n');
}

function table(report: Report): string {
  const rows = KINDS.map((kind) => {
    const { verified, faulty, unchecked } = report.totals[kind];
    return [kind, grouped(verified), grouped(faulty), grouped(unchecked)];
  });
  return [['', 'verified', 'faulty', 'unchecked'], ...rows]
    .map(([name = '', ...cells]) => `${name.padEnd(14)}${cells.map((cell) => cell.padStart(12)).join('')}`)
    .join('\n');
}

/** At most a screenful of a list that could be long. */
function lines<T>(items: readonly T[], line: (item: T) => string): string[] {
  const shown = items.slice(0, MAX_LINES).map(line);
  if (items.length > MAX_LINES) shown.push(`… and ${grouped(items.length - MAX_LINES)} more`);
  return shown;
}

function section(title: string, body: readonly string[]): string[] {
  return body.length === 0 ? [] : [[title, ...body.map((line) => `  ${line}`)].join('\n')];
}

function pathed(item: Note | RunError): string {
  return `${item.path === undefined ? '' : `${clean(item.path)}: `}${clean(item.message)}`;
}

function subject(report: Report): string {
  const { network, range } = report;
  return [
    ...report.archives.map(clean),
    clean(network.name ?? network.passphrase ?? 'network unknown'),
    ...(range === null ? [] : [`ledgers ${range.low} to ${range.high}`]),
  ].join(' · ');
}

function headline(report: Report, paint: Paint): string {
  const count = report.findings.length + report.findingsDropped;
  const facts = [
    ...(count === 0 ? [] : [plural(count, 'finding')]),
    `${size(report.bytes.inflated)} in ${duration(report.elapsedMs)}`,
  ];
  return `${paint(VERDICT[report.verdict], paint('bold', report.verdict.toUpperCase()))}  ${facts.join(' · ')}`;
}

/** The report, findings first, verdict last: a terminal shows the end. */
export function reportText(report: Report, paint: Paint, quiet: boolean): string {
  const blocks: string[] = [];
  if (!quiet) blocks.push(subject(report));
  if (report.findings.length > 0) {
    const held = plural(report.findings.length, 'finding');
    blocks.push(findingsText(report.findings, paint, report.findingsDropped > 0 ? `--report FILE has the first ${held}` : `--report FILE has all ${held}`));
  }
  if (report.findingsDropped > 0) blocks.push(`${plural(report.findingsDropped, 'further finding')} did not fit into any report: mend what is shown and run again, or verify a shorter range`);
  blocks.push(...section('Could not be looked at', lines(report.errors, (error) => `${error.code} ${pathed(error)}${error.advice === '' ? '' : `\n    → ${clean(error.advice)}`}`)));
  // What makes a verdict be about less than was asked for belongs to the verdict.
  if (quiet) blocks.push(...section('Notes', report.notes.filter(({ code }) => NARROWED.includes(code)).map(pathed)));
  if (!quiet) {
    blocks.push(table(report));
    blocks.push(...section('Unchecked', lines(report.unchecked, ({ kind, count, reason }) => `${grouped(count)} ${kind}: ${clean(reason)}`)));
    blocks.push(...section('Notes', lines(report.notes, pathed)));
    blocks.push(...section('Claims', report.claims.map(({ claim, status, statement }) => {
      const { mark, style } = STATUS[status];
      return `${paint(style, mark)} ${claim}: ${clean(statement)}`;
    })));
  }
  blocks.push(quiet ? headline(report, paint) : `${headline(report, paint)}\n${clean(report.statement)}`);
  return blocks.join('\n\n');
}

export function errorText(error: ArchiveVerifierError): string {
  return `${clean(error.message)}${error.advice === undefined ? '' : `\n  → ${clean(error.advice)}`}`;
}
