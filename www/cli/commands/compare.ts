/**
 * `compare <ARCHIVE> <ARCHIVE>…`: archives held against each other and against what is sealed.
 *
 * Not here: the comparison, and the statement of what it proves.
 */
import { compareArchives } from '../../lib/node.ts';
import type { Agreement, CompareReport, CompareStanding, ComparedAnchor, Disagreement } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import { checkpointFrequency, concurrency, defined, ledgers, maxRetries, network, timeoutMs, usage } from '../options.ts';
import { errorsText, sealText, section } from '../report-text.ts';
import { readTrust, trustWords } from '../trust.ts';
import { clean, grouped, hex, listed, plural, table } from '../text.ts';
import type { Paint, Style } from '../colour.ts';
import { Validators } from '../validators.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK, archives } from './command.ts';
import type { Command } from './command.ts';

/** A screen has an end; `--json` has more. */
const MAX_LINES = 40;

const STATUS: Readonly<Record<CompareReport['verdict'], number>> = { agree: OK, disagree: FAULTS, incomplete: COULD_NOT_COMPLETE };
const STYLES: Readonly<Record<CompareReport['verdict'], Style>> = { agree: 'green', disagree: 'red', incomplete: 'yellow' };
const MARKS: Readonly<Record<CompareStanding, { readonly mark: string; readonly style: Style; readonly words: string }>> = {
  agrees: { mark: '✓', style: 'green', words: 'agrees' },
  lacks: { mark: '!', style: 'yellow', words: 'lacks files' },
  faulty: { mark: '✗', style: 'red', words: 'faulty: against its own headers' },
  'provably-wrong': { mark: '✗', style: 'red', words: 'provably wrong: against what is sealed' },
  differs: { mark: '✗', style: 'red', words: 'differs: nothing is sealed that says who is right' },
  'other-network': { mark: '✗', style: 'red', words: 'of another network' },
  'earlier-network': { mark: '✗', style: 'red', words: 'of an earlier start of the network' },
  unreadable: { mark: '–', style: 'yellow', words: 'could not be read' },
};
const NONE: Agreement = { agrees: 0, lacks: 0, faulty: 0, provablyWrong: 0, differs: 0, unreadable: 0, unchecked: 0 };

function sum(files: CompareReport['archives'][number]['files']): Agreement {
  return Object.values(files).reduce((all, one) => ({
    agrees: all.agrees + one.agrees, lacks: all.lacks + one.lacks, faulty: all.faulty + one.faulty, provablyWrong: all.provablyWrong + one.provablyWrong,
    differs: all.differs + one.differs, unreadable: all.unreadable + one.unreadable, unchecked: all.unchecked + one.unchecked,
  }), NONE);
}

function archivesText({ archives: all }: CompareReport, paint: Paint): string {
  const rows = all.map(({ name, tip, files }) => {
    const { agrees, lacks, faulty, provablyWrong, differs, unreadable, unchecked } = sum(files);
    return [clean(name), tip === null ? '–' : String(tip), ...[agrees, lacks, differs, provablyWrong, faulty, unreadable + unchecked].map(grouped)];
  });
  const standings = all.map(({ name, standing, reason }) => {
    const { mark, style, words } = MARKS[standing];
    return `${paint(style, mark)} ${paint('bold', clean(name))}  ${words}${reason === null ? '' : `\n    ${clean(reason)}`}`;
  });
  return [
    standings.join('\n'),
    table([['files', 'newest ledger', 'agree', 'lack', 'differ', 'provably wrong', 'faulty', 'not compared'], ...rows]),
  ].join('\n\n');
}

function named(report: CompareReport, places: readonly number[]): string {
  return listed(places.map((place) => clean(report.archives[place]?.name ?? `archive ${place}`)));
}

function disagreementText({ checkpoint, kind, ledger, groups, sealed }: Disagreement, report: CompareReport, paint: Paint): string {
  const at = ledger === null ? '' : `, from ledger ${ledger}`;
  return [
    `${paint('bold', kind)}  checkpoint ${checkpoint} (${hex(checkpoint)})${at}`,
    ...groups.map(({ value, archives: places, standing, fault }) => {
      const what = value === null ? '' : `  ${clean(value)}`;
      return `    ${standing.replaceAll('-', ' ')}: ${named(report, places)}${what}${fault === undefined ? '' : `\n        ${clean(fault)}`}`;
    }),
    ...(sealed === null ? [] : [`    sealed  ${clean(sealed)}`]),
  ].join('\n');
}

function anchorText(anchor: ComparedAnchor, report: CompareReport, validators: Validators): string {
  const state = [...(anchor.disputed ? ['another history is vouched for as well'] : []), ...(anchor.kind === 'seal' && anchor.superseded ? ['of an earlier start of the network'] : [])];
  const holders = anchor.holders.length === 0 ? 'no archive has it' : `in ${named(report, anchor.holders)}`;
  const covers = anchor.covers === null ? '' : `; vouches for ledgers ${anchor.covers.low} to ${anchor.covers.high}`;
  const end = `  ${[holders + covers, ...state].join('; ')}`;
  if (anchor.kind === 'trusted-hash') return [`trusted-hash: ledger ${anchor.ledger}  ${clean(anchor.hash)}`, end].join('\n');
  const [first = '', ...rest] = sealText(anchor, validators);
  const merged = anchor.merged ? [`  no archive shows this quorum alone: the messages of ${named(report, anchor.archives)} together do`] : [];
  return [`seal: ${first}`, ...rest.map((line) => `  ${line}`), ...merged, end].join('\n');
}

/** At most a screenful; `dropped` are those that are not even in the report. */
function atMost(lines: readonly string[], dropped: number, what: string): string[] {
  const more = lines.length - MAX_LINES + dropped;
  return [...lines.slice(0, MAX_LINES), ...(lines.length > MAX_LINES || dropped > 0 ? [`… and ${plural(Math.max(more, dropped), what)} more`] : [])];
}

/** The lines of blocks. */
function linesOf(blocks: readonly string[]): string[] {
  return blocks.flatMap((block) => block.split('\n'));
}

function reportText(report: CompareReport, validators: Validators, paint: Paint): string {
  const { verdict, statement, range, network: passphrase, checkpoints, disagreements, disagreementsDropped, missing, missingDropped, anchors, notes, errors } = report;
  const about = [
    ...(passphrase === null ? [] : [clean(passphrase)]), ...(range === null ? [] : [`ledgers ${range.low} to ${range.high}`]),
    `${grouped(checkpoints.done)} of ${plural(checkpoints.total, 'checkpoint')}`,
  ].join(' · ');
  const lacks = missing.map(({ archive, kind, low, high, checkpoints: count }) => {
    const where = low === high ? `checkpoint ${low} (${hex(low)})` : `${plural(count, 'checkpoint')} from ${low} (${hex(low)}) to ${high} (${hex(high)})`;
    return `${named(report, [archive])}: ${kind} of ${where}`;
  });
  return [
    about,
    archivesText(report, paint),
    ...section('Disagreements', linesOf(atMost(disagreements.map((one) => disagreementText(one, report, paint)), disagreementsDropped, 'disagreement'))),
    ...section('Missing', atMost(lacks, missingDropped, 'file')),
    ...section('Anchors', linesOf(anchors.map((anchor) => anchorText(anchor, report, validators)))),
    ...section('Notes', notes.map(({ message }) => clean(message))),
    ...errorsText(errors, true),
    `${paint(STYLES[verdict], paint('bold', verdict.toUpperCase()))}\n${clean(statement)}`,
  ].join('\n\n');
}

export const compare: Command = {
  prepare(words) {
    const { values } = words;
    const names = archives('compare', words);
    if (names.length < 2) throw usage('compare needs two archives or more', 'To verify one archive: verify <ARCHIVE>.');
    const trustedBy = trustWords(words);
    const options = {
      ...ledgers(values),
      ...defined({
        network: network(values), concurrency: concurrency(values), maxRetries: maxRetries(values), timeoutMs: timeoutMs(values),
        checkpointFrequency: checkpointFrequency(values),
      }),
    };
    return async (session) => {
      session.stopping = 'stopping; what was compared so far follows (Ctrl-C again to stop at once)';
      const sources = await openArchives(names);
      const { trust, network: fromFile, names: ownNames } = await readTrust(trustedBy, session);
      const bar = session.startBar();
      const comparing = compareArchives(sources, { ...defined({ network: fromFile }), ...options, trust, signal: session.signal }, (event) => {
        if (session.json) session.print(JSON.stringify(event));
        if (event.type === 'progress') bar?.paintComparison(event);
      });
      const report = await comparing.finally(() => bar?.clear());
      session.print(session.json ? JSON.stringify({ type: 'report', report }) : reportText(report, new Validators(ownNames), session.paint));
      return session.signal.aborted ? COULD_NOT_COMPLETE : STATUS[report.verdict];
    };
  },
};
