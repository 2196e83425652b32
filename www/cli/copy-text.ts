/**
 * The report of a mirror or a repair for people: what stands on the terminal, as strings.
 *
 * Not here: printing. Everything that an archive can say passes `clean` first, because it is shown on a terminal.
 */
import type { CopiedFile, CopyReport, FileKind } from '../lib/types.ts';
import { isEmptyPlan } from './plan-file.ts';
import { errorsText, findingsText, section } from './report-text.ts';
import { clean, duration, grouped, plural, size } from './text.ts';
import type { Paint, Style } from './colour.ts';

const KINDS: readonly FileKind[] = ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'];

/** A screen has an end; a report keeps more. */
const MAX_FILES = 100;
const MAX_NOTES = 20;

/** Findings that say no more than the list of files does. */
const ABSENT = ['bucket-missing', 'file-missing'];

const VERDICT: Readonly<Record<CopyReport['verdict'], Style>> = { complete: 'green', faulty: 'red', incomplete: 'yellow' };

const OUTCOME: Readonly<Record<CopiedFile['outcome'], { readonly mark: string; readonly style: Style }>> = {
  'written': { mark: '✓', style: 'green' },
  'planned': { mark: '–', style: 'yellow' },
  'no-sound-source': { mark: '✗', style: 'red' },
  'failed': { mark: '✗', style: 'red' },
};

function outcome({ outcome: came, from }: CopiedFile, several: boolean): string {
  // With one source there is no telling it from others.
  const source = several && from !== null ? ` from ${clean(from)}` : '';
  switch (came) {
    case 'written':
      return `written${source}`;
    case 'planned':
      return `to be written${source}`;
    case 'no-sound-source':
      return several ? 'no source has it sound' : 'the source has no sound one';
    case 'failed':
      return 'could not be written';
  }
}

function fileText(file: CopiedFile, paint: Paint, several: boolean): string {
  const { mark, style } = OUTCOME[file.outcome];
  const line = `${paint(style, mark)} ${clean(file.path)}  ${file.problem}, ${outcome(file, several)}`;
  return file.message === null ? line : `${line}\n    ${clean(file.message)}`;
}

function filesText(report: CopyReport, paint: Paint): string[] {
  const several = report.sources.length > 1;
  // What could not be mended matters most, and a screen is short.
  const rank = ({ outcome: came }: CopiedFile): number => (came === 'failed' || came === 'no-sound-source' ? 0 : 1);
  const shown = report.files.toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_FILES).map((file) => fileText(file, paint, several));
  const rest = report.files.length - shown.length;
  if (rest > 0) shown.push(`… and ${plural(rest, 'more file')}: --report FILE has ${report.filesDropped > 0 ? `the first ${grouped(report.files.length)}` : `all ${grouped(report.files.length)}`}`);
  if (report.filesDropped > 0) shown.push(`${plural(report.filesDropped, 'further file')} did not fit into any report`);
  if (report.files.some(({ outcome: came }) => came === 'no-sound-source')) shown.push('→ name more archives of the network before the destination: one of them may have these files sound');
  const all = report.files.every(({ outcome: came }) => came === 'written');
  const title = report.dryRun ? 'To be mended' : report.task !== 'repair' ? 'Faulty or failed' : all ? 'Mended' : 'Missing or faulty';
  return section(title, shown);
}

function totalsTable({ written, kept, dryRun }: CopyReport): string {
  const rows = KINDS.map((kind) => [kind, grouped(written.byKind[kind]), grouped(kept[kind])]);
  return [['', dryRun ? 'to be written' : 'written', 'kept'], ...rows]
    .map(([name = '', ...cells]) => `${name.padEnd(14)}${cells.map((cell) => cell.padStart(14)).join('')}`)
    .join('\n');
}

function wellKnownText({ wellKnown: { status, ledger, reason } }: CopyReport): string {
  const says = ledger === null ? '' : ` of ledger ${ledger}`;
  const why = reason === null ? '' : `: ${clean(reason)}`;
  const was = { 'written': `the newest state${says} was written`, 'kept': `the newest state${says} is as it was`, 'planned': `the newest state${says} is to be written`, 'not-written': `the newest state${says} was not written` };
  return `${was[status]}${why}`;
}

function subject({ sources, destination, network, range }: CopyReport): string {
  return [
    `${sources.length === 1 ? sources.map(clean).join('') : plural(sources.length, 'archive')} → ${clean(destination)}`,
    clean(network ?? 'network unknown'),
    ...(range === null ? [] : [`ledgers ${range.low} to ${range.high}`]),
  ].join(' · ');
}

function headline(report: CopyReport, paint: Paint): string {
  const { files, bytes } = report.written;
  const facts = [
    `${plural(files, 'file')} ${report.dryRun ? 'to be written' : 'written'} (${size(bytes)})`,
    `${size(report.verification.bytes.inflated)} verified in ${duration(report.elapsedMs)}`,
  ];
  return `${paint(VERDICT[report.verdict], paint('bold', report.verdict.toUpperCase()))}  ${facts.join(' · ')}`;
}

/** The report, what is wrong first, verdict last: a terminal shows the end. */
export function copyText(report: CopyReport, paint: Paint, quiet: boolean): string {
  const { verification, sources } = report;
  const blocks: string[] = [];
  if (!quiet) blocks.push(subject(report));
  // What one place has wrong and another sound is no more than a line of the list below, and neither is what is nowhere.
  const listed = new Set(report.files.map(({ path }) => path));
  const errors = verification.findings.filter(({ severity, code, path }) => severity === 'error' && !(ABSENT.includes(code) && (listed.has(path) || report.filesDropped > 0)));
  if (errors.length > 0) blocks.push(findingsText(errors, paint, '--report FILE has more of them', true));
  blocks.push(...errorsText(verification.errors, sources.length > 0));
  blocks.push(...filesText(report, paint));
  if (!quiet && report.range !== null) blocks.push(totalsTable(report));
  // A note may be why it is not complete.
  if (!quiet || report.verdict === 'incomplete') {
    blocks.push(...section('Notes', verification.notes.slice(0, MAX_NOTES).map(({ path, message }) => `${path === undefined ? '' : `${clean(path)}: `}${clean(message)}`)));
  }
  // The statement says why it was not.
  if (!quiet && report.wellKnown.status !== 'not-written') blocks.push(wellKnownText(report));
  if (!report.dryRun && report.files.length > 0 && !isEmptyPlan(report.plan)) blocks.push('--report FILE writes what is left to be mended as well, as a plan');
  blocks.push(quiet && report.verdict === 'complete' ? headline(report, paint) : `${headline(report, paint)}\n${clean(report.statement)}`);
  return blocks.join('\n\n');
}
