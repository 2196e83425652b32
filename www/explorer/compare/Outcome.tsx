/** What came of a comparison: the verdict, each archive, every disagreement with who says what, and what is missing where. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import type { Agreement, ComparedArchive, CompareReport, Disagreement } from '../../lib/types.ts';
import { KIND_LABEL } from '../checkpoints.ts';
import { saveFile } from '../files.ts';
import { bytes, duration, grouped, hex, plural, sentence, shortName } from '../format.ts';
import { Value } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { CrossOrigin } from '../parts/Trouble.tsx';
import { lookLink } from '../store.ts';
import { MEANING, TONE, VERDICT, WORD } from './words.ts';

const PAGE = 25;

function nameOf(report: CompareReport, place: number): string {
  return report.archives[place]?.name ?? '';
}

export function fileName({ range, startedAt }: CompareReport): string {
  return `archive-comparison-${range === null ? 'none' : `${range.low}-${range.high}`}-${startedAt.slice(0, 19).replaceAll(/[:T]/g, '-')}.json`;
}

export function Verdict({ report, onClose }: { readonly report: CompareReport; readonly onClose: () => void }): JSX.Element {
  const { title, icon, tone } = VERDICT[report.verdict];
  const { done, total } = report.checkpoints;
  const requests = report.archives.reduce((sum, archive) => sum + archive.requests, 0);
  const read = report.archives.reduce((sum, archive) => sum + Number(archive.bytes), 0);
  return (
    <section class={`verdict tone-${tone}`} aria-labelledby="compare-verdict" data-comparison={report.verdict}>
      <h3 id="compare-verdict" tabIndex={-1}><Icon name={icon} /> {title}</h3>
      <p class="statement">{report.statement}</p>
      <p class="meta">
        {report.range !== null && `Ledgers ${grouped(report.range.low)} to ${grouped(report.range.high)} · `}
        {done < total ? `${grouped(done)} of ${plural(total, 'checkpoint')}` : plural(total, 'checkpoint')}
        {report.sealedThrough === null ? ' · nothing of it is sealed by whom you believe' : ` · sealed up to ledger ${grouped(report.sealedThrough)}`}
        {` · ${plural(requests, 'request')}, ${bytes(read)}, ${duration(report.elapsedMs)}`}
      </p>
      <p class="actions">
        <button type="button" class="button" onClick={() => saveFile(fileName(report), `${JSON.stringify(report, null, 2)}\n`)}>Download JSON</button>
        <button type="button" class="button quiet" onClick={onClose}>Close</button>
      </p>
    </section>
  );
}

const NONE: Agreement = { agrees: 0, lacks: 0, faulty: 0, provablyWrong: 0, differs: 0, unreadable: 0, unchecked: 0 };

function sum({ files }: ComparedArchive): Agreement {
  return Object.values(files).reduce((all, one) => ({
    agrees: all.agrees + one.agrees, lacks: all.lacks + one.lacks, faulty: all.faulty + one.faulty, provablyWrong: all.provablyWrong + one.provablyWrong,
    differs: all.differs + one.differs, unreadable: all.unreadable + one.unreadable, unchecked: all.unchecked + one.unchecked,
  }), NONE);
}

const COLUMNS = ['Agree', 'Lack', 'Differ', 'Provably wrong', 'Faulty', 'Not compared'] as const;

export function Archives({ report }: { readonly report: CompareReport }): JSX.Element {
  return (
    <section aria-labelledby="compare-archives-title">
      <h3 id="compare-archives-title">Archive by archive</h3>
      <table class="archives-table compare-archives" role="table">
        <thead role="rowgroup">
          <tr role="row">{['Archive', 'Newest ledger', ...COLUMNS].map((name) => <th key={name} role="columnheader" scope="col">{name}</th>)}</tr>
        </thead>
        <tbody role="rowgroup">
          {report.archives.map((archive, place) => {
            const { word, icon, tone } = TONE[archive.standing];
            const { agrees, lacks, differs, provablyWrong, faulty, unreadable, unchecked } = sum(archive);
            return (
              <tr role="row" key={archive.name} data-archive={shortName(archive.name)} data-standing={archive.standing}>
                <th role="rowheader" scope="row">
                  <span class="archive-name" title={archive.name}>{place + 1}. {shortName(archive.name)}</span>
                  <span class={`badge tone-${tone}`}><Icon name={icon} />{word}</span>
                  {archive.reason !== null && <span class="under">{sentence(archive.reason)}</span>}
                </th>
                <td role="cell" data-name="Newest ledger" class="figure">
                  {archive.tip === null ? '–' : grouped(archive.tip)}
                  {archive.behind !== null && archive.behind > 0 && <span class="under">{plural(archive.behind, 'ledger')} behind</span>}
                </td>
                {[agrees, lacks, differs, provablyWrong, faulty, unreadable + unchecked].map((count, column) => (
                  <td key={COLUMNS[column]} role="cell" data-name={COLUMNS[column]} class={count === 0 ? 'figure none' : column === 3 || column === 4 ? 'figure some-faulty' : 'figure'}>{grouped(count)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="hint">Files of the range, buckets aside.</p>
    </section>
  );
}

function Groups({ of, report }: { readonly of: Disagreement; readonly report: CompareReport }): JSX.Element {
  const keys = of.ledger === null ? `checkpoint=${of.checkpoint}` : `ledger=${of.ledger}`;
  return (
    <ul class="sayings">
      {of.groups.map((group) => (
        <li key={group} data-saying={group.standing}>
          <span class={`saying cell-${group.standing}`} title={MEANING[group.standing]}>{WORD[group.standing]}</span>{' '}
          {group.archives.map((place, at) => (
            <Fragment key={place}>{at > 0 && ', '}<a class="archive-name" href={lookLink(keys, nameOf(report, place))} title={`Look at it in ${shortName(nameOf(report, place))}`}>{shortName(nameOf(report, place))}</a></Fragment>
          ))}
          {group.fault !== undefined && <span class="under">{sentence(group.fault)}</span>}
          {group.value !== null && <Value value={group.value} what="what it has" />}
        </li>
      ))}
      {of.sealed !== null && !of.groups.some(({ value }) => value === of.sealed) && <li data-saying="sealed"><span class="saying cell-agrees">sealed</span> <Value value={of.sealed} what="what is sealed" /></li>}
    </ul>
  );
}

export function Disagreements({ report }: { readonly report: CompareReport }): JSX.Element {
  const shown = useSignal(PAGE);
  const { disagreements, disagreementsDropped } = report;
  const more = disagreements.length - shown.value;
  return (
    <section aria-labelledby="disagreements-title">
      <h3 id="disagreements-title">Disagreements</h3>
      {disagreements.length === 0 ? <p class="hint">No file of one archive contradicts that of another, or what is sealed.</p> : (
        <table class="archives-table disagreements" role="table">
          <thead role="rowgroup">
            <tr role="row">{['Checkpoint', 'Files', 'Who says what'].map((name) => <th key={name} role="columnheader" scope="col">{name}</th>)}</tr>
          </thead>
          <tbody role="rowgroup">
            {disagreements.slice(0, shown.value).map((one) => (
              <tr role="row" key={one} data-checkpoint={one.checkpoint} data-kind={one.kind}>
                <th role="rowheader" scope="row" class="figure">{grouped(one.checkpoint)} <span class="under">{hex(one.checkpoint)}</span></th>
                <td role="cell" data-name="Files">{KIND_LABEL[one.kind]}{one.ledger !== null && <span class="under">from ledger {grouped(one.ledger)}</span>}</td>
                <td role="cell" data-name="Who says what"><Groups of={one} report={report} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {more > 0 && <p class="actions"><button type="button" class="button small" onClick={() => { shown.value += PAGE * 4; }}>Show {grouped(Math.min(more, PAGE * 4))} more of {grouped(more)}</button></p>}
      {disagreementsDropped > 0 && more <= 0 && <p class="hint">And {grouped(disagreementsDropped)} more, which no report keeps.</p>}
    </section>
  );
}

export function Missing({ report }: { readonly report: CompareReport }): JSX.Element | null {
  const shown = useSignal(PAGE);
  const { missing, missingDropped } = report;
  if (missing.length === 0) return null;
  const more = missing.length - shown.value;
  return (
    <section aria-labelledby="missing-title">
      <h3 id="missing-title">What is missing</h3>
      <ul class="plain-list">
        {missing.slice(0, shown.value).map((gap) => (
          <li key={gap} data-missing={gap.kind}>
            <span class="archive-name">{gap.archive + 1}. {shortName(nameOf(report, gap.archive))}</span>: {KIND_LABEL[gap.kind].toLowerCase()} of{' '}
            {gap.low === gap.high ? <Fragment>checkpoint <a href={lookLink(`checkpoint=${gap.low}`, nameOf(report, gap.archive))}>{grouped(gap.low)}</a></Fragment>
              : <Fragment>{plural(gap.checkpoints, 'checkpoint')} from <a href={lookLink(`checkpoint=${gap.low}`, nameOf(report, gap.archive))}>{grouped(gap.low)}</a> to <a href={lookLink(`checkpoint=${gap.high}`, nameOf(report, gap.archive))}>{grouped(gap.high)}</a></Fragment>}
          </li>
        ))}
      </ul>
      {more > 0 && <p class="actions"><button type="button" class="button small" onClick={() => { shown.value += PAGE * 4; }}>Show {grouped(Math.min(more, PAGE * 4))} more of {grouped(more)}</button></p>}
      {missingDropped > 0 && more <= 0 && <p class="hint">And {grouped(missingDropped)} more, which no report keeps.</p>}
    </section>
  );
}

/** What kept archives from being read, and what else is worth knowing. */
export function Troubles({ report }: { readonly report: CompareReport }): JSX.Element | null {
  const { errors, errorsDropped, notes } = report;
  const first = new Map(errors.map((error) => [`${error.archive} ${error.code}`, error]));
  const counted = (archive: string, code: string): number => errors.filter((error) => error.archive === archive && error.code === code).length;
  if (errors.length === 0 && notes.length === 0) return null;
  return (
    <section aria-labelledby="compare-notes-title">
      <h3 id="compare-notes-title">{errors.length > 0 ? 'What could not be read' : 'Notes'}</h3>
      <div class="compare-why">
        {[...first.values()].map(({ archive, code, message, advice }) => (
          <details key={`${archive} ${code}`} data-error={code}>
            <summary><span class="archive-name">{shortName(archive)}</span>: {code === 'CORS_OR_NETWORK' ? 'could not be read from this page' : sentence(message)} <span class="figure">{plural(counted(archive, code), 'file')}</span></summary>
            {code === 'CORS_OR_NETWORK' ? <CrossOrigin archive={archive} /> : <p>{sentence(advice)}</p>}
          </details>
        ))}
        {errorsDropped > 0 && <p class="hint">And {grouped(errorsDropped)} more.</p>}
      </div>
      {notes.length > 0 && <ul class="plain-list">{notes.slice(0, PAGE).map((note) => <li key={note}>{sentence(note.message)}</li>)}</ul>}
    </section>
  );
}
