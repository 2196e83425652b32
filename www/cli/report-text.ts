/**
 * The report for people: what stands on the terminal, as strings.
 *
 * Not here: printing. Everything that an archive can say passes `clean` first, because it is shown on a terminal.
 */
import type { Anchor, FileKind, Finding, LedgerRange, Note, Report, RunError, Seal, Severity, SourceReport, Status, Verdict } from '../lib/types.ts';
import { clean, duration, grouped, hex, listed, plural, size, table } from './text.ts';
import type { Paint, Style } from './colour.ts';
import { STRENGTHS } from './validators.ts';
import type { Validators } from './validators.ts';

const KINDS: readonly FileKind[] = ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'];

/** A screen has an end; a report keeps more. */
const MAX_FINDINGS = 100;
const MAX_LINES = 20;

/** Codes of the notes that say that less was verified than was asked for. */
const NARROWED = ['archive-empty', 'range-clamped', 'range-empty', 'starts-late'];

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

/** One finding as a block of lines; where there are several archives it says whose it is. */
function findingText(finding: Finding, paint: Paint, several: boolean): string {
  const { mark, style } = SEVERITY[finding.severity];
  const place = where(finding).join(', ');
  const consequences = Object.entries(finding.consequences ?? {}).map(([code, count]) => `${grouped(count)} × ${clean(code)}`);
  return [
    `${paint(style, `${mark} ${clean(finding.code)}`)}  ${paint('bold', clean(finding.path))}`,
    ...(several ? [`    in ${clean(finding.archive)}`] : []),
    ...(place === '' ? [] : [`    ${place}`]),
    `    ${clean(finding.message)}`,
    ...(finding.expected === undefined ? [] : [`    expected  ${clean(finding.expected)}`]),
    ...(finding.actual === undefined ? [] : [`    actual    ${clean(finding.actual)}`]),
    ...(finding.goodFrom === undefined ? [] : [`    the same file from ${clean(finding.goodFrom)} is sound`]),
    ...(consequences.length === 0 ? [] : [`    explains  ${consequences.join(', ')}`]),
    ...(finding.advice === '' ? [] : [paint('dim', `    → ${clean(finding.advice)}`)]),
  ].join('\n');
}

/** `where` says what holds those past the first screens. */
export function findingsText(findings: readonly Finding[], paint: Paint, where: string, several = false): string {
  const shown = findings.slice(0, MAX_FINDINGS).map((finding) => findingText(finding, paint, several));
  const rest = findings.length - shown.length;
  if (rest > 0) shown.push(`… and ${plural(rest, 'more finding')}: ${where}`);
  return shown.join('\n\n');
}

function totalsTable(report: Report): string {
  const rows = KINDS.map((kind) => {
    const { verified, faulty, unchecked } = report.totals[kind];
    return [kind, grouped(verified), grouped(faulty), grouped(unchecked)];
  });
  return [['', 'verified', 'faulty', 'unchecked'], ...rows]
    .map(([name = '', ...cells]) => `${name.padEnd(14)}${cells.map((cell) => cell.padStart(12)).join('')}`)
    .join('\n');
}

/** What it announced; at the end as well, where that is something else. */
function announced({ ledger, endLedger }: SourceReport): string {
  if (ledger === null) return '–';
  return endLedger === null || endLedger === ledger ? String(ledger) : `${ledger} → ${endLedger}`;
}

/** Who announced what and how each did. */
function sourcesTable(sources: readonly SourceReport[]): string[] {
  const throttled = sources.some((source) => source.throttled > 0);
  const rows = sources.map((source) => [
    clean(source.archive), announced(source), grouped(source.requests), grouped(source.failures),
    ...(throttled ? [grouped(source.throttled)] : []),
    grouped(source.missing), grouped(source.faulty), size(source.bytes),
  ]);
  return table([['', 'newest ledger', 'requests', 'failures', ...(throttled ? ['throttled'] : []), 'missing', 'faulty', 'bytes'], ...rows]).split('\n');
}

/** One sentence for each archive that answered with something else than its file. */
function blame(report: Report, paint: Paint): string[] {
  return report.sources.filter(({ faulty }) => faulty > 0).map(({ archive, faulty }) => {
    const sound = new Map(report.findings.filter((finding) => finding.archive === archive).map(({ path, goodFrom }) => [path, goodFrom]));
    const from = [...new Set([...sound.values()].filter((name) => name !== undefined))];
    const elsewhere = from.length === 0 ? '' : [...sound.values()].includes(undefined)
      ? `; some of them are sound in ${listed(from.map(clean))}`
      : `; sound in ${listed(from.map(clean))}`;
    return `${paint('red', paint('bold', clean(archive)))} is to blame for ${plural(faulty, 'faulty file')}${elsewhere}`;
  });
}

/** How to draw it again, and what it is worth unless the statement says so already. */
function sampleText(report: Report, quiet: boolean): string[] {
  const { sample } = report.options;
  if (sample === null) return [];
  const said = !quiet && report.statement.includes(sample.guarantee);
  return [...(said ? [] : [clean(sample.guarantee)]), `to look at the same checkpoints again: --sample ${sample.count} --seed ${clean(sample.seed)}`];
}

/** At most a screenful of a list that could be long. */
function lines<T>(items: readonly T[], line: (item: T) => string): string[] {
  const shown = items.slice(0, MAX_LINES).map(line);
  if (items.length > MAX_LINES) shown.push(`… and ${grouped(items.length - MAX_LINES)} more`);
  return shown;
}

export function section(title: string, body: readonly string[]): string[] {
  return body.length === 0 ? [] : [[title, ...body.map((line) => `  ${line}`)].join('\n')];
}

function pathed(item: Note | RunError): string {
  return `${item.path === undefined ? '' : `${clean(item.path)}: `}${clean(item.message)}`;
}

/** What could not be looked at, and where there are several archives, in which. */
export function errorsText(errors: readonly RunError[], several: boolean): string[] {
  const body = lines(errors, (error) => {
    const where = several ? `${clean(error.archive)}: ` : '';
    return `${error.code} ${where}${pathed(error)}${error.advice === '' ? '' : `\n    → ${clean(error.advice)}`}`;
  });
  return section('Could not be looked at', body);
}

function covered(covers: LedgerRange | null): string {
  if (covers === null) return 'vouches for nothing here: the chain to it is not sound';
  return covers.low === covers.high ? `vouches for ledger ${covers.low}` : `vouches for ledgers ${covers.low} to ${covers.high}`;
}

/** Who signed, how much that says, and what it vouches for. */
export function sealText(seal: Seal & { readonly quorumSet: string }, validators: Validators): string[] {
  const others = seal.others === 0 ? '' : `, and ${plural(seal.others, 'node')} besides on which they rely`;
  return [
    `ledger ${seal.ledger}  ${clean(seal.hash)}`,
    `signed in ledger ${seal.signed} by ${seal.signers.length} of ${seal.of} validators (${STRENGTHS[seal.strength]})${others}`,
    ...validators.byOrganisation(seal.signers).map((line) => `  ${line}`),
    clean(seal.quorumSet),
  ];
}

function anchorText(anchor: Anchor, validators: Validators): string[] {
  switch (anchor.kind) {
    case 'seal': {
      const [first = '', ...rest] = sealText(anchor, validators);
      return [`seal: ${first}`, ...[...rest, covered(anchor.covers)].map((line) => `  ${line}`)];
    }
    case 'archives':
      return [`archives: ledger ${anchor.ledger}  ${clean(anchor.hash)}`, `  announced by ${listed(anchor.archives.map(clean))}; ${covered(anchor.covers)}`];
    case 'genesis':
    case 'trusted-hash':
      return [`${anchor.kind}: ledger ${anchor.ledger}  ${clean(anchor.hash)}`, `  ${covered(anchor.covers)}`];
  }
}

/** What the history is tied to; with every signature verified, also how many ledgers show whom. */
function anchorsText({ anchors, trust }: Report, validators: Validators): string[] {
  const { quorums } = trust;
  const counts = quorums === null ? [] : [
    `signatures: ${plural(quorums.acceptedCommit, 'ledger')} with a quorum that accepted the commit, ${grouped(quorums.commitVote)} with one that voted for it, ${grouped(quorums.inconclusive)} that show none, which proves nothing`,
  ];
  return section('Anchors', [...anchors.slice(0, MAX_LINES).flatMap((anchor) => anchorText(anchor, validators)), ...counts]);
}

function subject(report: Report): string {
  const { network, range } = report;
  return [
    report.archives.length === 1 ? report.archives.map(clean).join('') : plural(report.archives.length, 'archive'),
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

function meaningText({ meaning: { proves, doesNotProve } }: Report): string {
  return `This proves that ${clean(proves)}. It does not prove ${clean(doesNotProve)}.`;
}

/** The report, findings first, verdict last: a terminal shows the end. */
export function reportText(report: Report, paint: Paint, quiet: boolean, validators: Validators): string {
  const blocks: string[] = [];
  const several = report.archives.length > 1;
  if (!quiet) blocks.push(subject(report));
  if (report.findings.length > 0) {
    const held = plural(report.findings.length, 'finding');
    blocks.push(findingsText(report.findings, paint, report.findingsDropped > 0 ? `--report FILE has the first ${held}` : `--report FILE has all ${held}`, several));
  }
  if (report.findingsDropped > 0) blocks.push(`${plural(report.findingsDropped, 'further finding')} did not fit into any report: mend what is shown and run again, or verify a shorter range`);
  blocks.push(...errorsText(report.errors, several));
  // What makes a verdict be about less than was asked for belongs to the verdict.
  if (quiet) blocks.push(...section('Notes', report.notes.filter(({ code }) => NARROWED.includes(code)).map(pathed)));
  if (!quiet) {
    if (several) blocks.push(...section('Archives', sourcesTable(report.sources)));
    blocks.push(totalsTable(report));
    blocks.push(...section('Unchecked', lines(report.unchecked, ({ kind, count, reason }) => `${grouped(count)} ${kind}: ${clean(reason)}`)));
    // What is said of the sample stands in a section of its own.
    blocks.push(...section('Notes', lines(report.notes.filter(({ code }) => code !== 'sampled'), pathed)));
    blocks.push(...section('Claims', report.claims.map(({ claim, status, statement }) => {
      const { mark, style } = STATUS[status];
      return `${paint(style, mark)} ${claim}: ${clean(statement)}`;
    })));
    blocks.push(...anchorsText(report, validators));
  }
  blocks.push(...section('Sample', sampleText(report, quiet)));
  if (several) blocks.push(...section('To blame', blame(report, paint)));
  blocks.push(quiet ? headline(report, paint) : [headline(report, paint), clean(report.statement), paint('dim', meaningText(report))].join('\n'));
  return blocks.join('\n\n');
}
