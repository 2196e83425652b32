import type { JSX } from 'preact';
import type { ArchiveProgress } from '../../lib/types.ts';
import { bytes, grouped, shortName } from '../format.ts';
import type { Run } from '../run.ts';
import { Icon, type IconName } from './Icon.tsx';

const STANDING: Readonly<Record<ArchiveProgress['standing'], { readonly word: string; readonly icon: IconName; readonly tone: string }>> = {
  // Of the way to it alone: what it serves may be faulty all the same, and is counted beside it.
  good: { word: 'Answering', icon: 'done', tone: 'verified' },
  resting: { word: 'Resting', icon: 'resting', tone: 'unchecked' },
  unreachable: { word: 'Unreachable', icon: 'faulty', tone: 'faulty' },
};

function Cell({ name, value, bad = false }: { readonly name: string; readonly value: string; readonly bad?: boolean }): JSX.Element {
  return <td role="cell" data-name={name} class={bad ? 'figure some-faulty' : value === '0' ? 'figure none' : 'figure'}>{value}</td>;
}

// The roles are said: where there is no room for a table its rows become cards, and browsers then forget what they were.
function Frame(props: { readonly id: string; readonly columns: readonly string[]; readonly children: readonly JSX.Element[] }): JSX.Element {
  return (
    <table class={`archives-table ${props.id}`} role="table" id={props.id}>
      <thead role="rowgroup">
        <tr role="row">{props.columns.map((column) => <th key={column} role="columnheader" scope="col">{column}</th>)}</tr>
      </thead>
      <tbody role="rowgroup">{props.children}</tbody>
    </table>
  );
}

const IDLE = { requests: 0, failures: 0, throttled: 0, faulty: 0, bytes: '0', standing: 'good' } as const;

/** The archives while the run is under way. */
export function LiveArchives({ run }: { readonly run: Run }): JSX.Element {
  const known = run.progress.value?.archives;
  const rows: readonly ArchiveProgress[] = known ?? run.archives.map((name) => ({ name, ...IDLE }));
  return (
    <Frame id="live-archives" columns={['Archive', 'Requests', 'Failures', 'Faulty files', 'Downloaded']}>
      {rows.map((row) => {
        const standing = STANDING[row.standing];
        return (
          <tr role="row" key={row.name} data-archive={shortName(row.name)}>
            <th role="rowheader" scope="row">
              <span class="archive-head">
                <span class="archive-name" title={row.name}>{shortName(row.name)}</span>
                {known !== undefined && <span class={`badge tone-${standing.tone}`} data-standing={row.standing}><Icon name={standing.icon} />{standing.word}</span>}
              </span>
            </th>
            <Cell name="Requests" value={grouped(row.requests)} />
            <Cell name="Failures" value={grouped(row.failures)} />
            <Cell name="Faulty files" value={grouped(row.faulty)} bad={row.faulty > 0} />
            <Cell name="Downloaded" value={bytes(row.bytes)} />
          </tr>
        );
      })}
    </Frame>
  );
}

function announced(ledger: number | null): string {
  return ledger === null ? 'none' : grouped(ledger);
}

/** What each archive announced and how it did, after the run. */
export function Sources({ run }: { readonly run: Run }): JSX.Element | null {
  const sources = run.report.value?.sources ?? [];
  if (sources.length === 0) return null;
  return (
    <section class="card" aria-labelledby="sources-title">
      <h2 id="sources-title">{sources.length === 1 ? 'Archive' : 'Archives'}</h2>
      <Frame id="sources" columns={['Archive', 'Start ledger', 'End ledger', 'Requests', 'Failures', 'Missing', 'Faulty files', 'Downloaded']}>
        {sources.map((source) => (
          <tr role="row" key={source.archive} data-archive={shortName(source.archive)}>
            <th role="rowheader" scope="row"><span class="archive-name" title={source.archive}>{shortName(source.archive)}</span></th>
            <Cell name="Start ledger" value={announced(source.ledger)} />
            <Cell name="End ledger" value={announced(source.endLedger)} />
            <Cell name="Requests" value={grouped(source.requests)} />
            <Cell name="Failures" value={grouped(source.failures)} />
            <Cell name="Missing" value={grouped(source.missing)} />
            <Cell name="Faulty files" value={grouped(source.faulty)} bad={source.faulty > 0} />
            <Cell name="Downloaded" value={bytes(source.bytes)} />
          </tr>
        ))}
      </Frame>
    </section>
  );
}
