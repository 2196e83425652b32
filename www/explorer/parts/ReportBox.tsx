import type { JSX } from 'preact';
import type { Report } from '../../lib/types.ts';
import { planOf } from '../engine.ts';
import { saveFile } from '../files.ts';
import { commandLine, SET_FILE } from '../form.ts';
import { duration } from '../format.ts';
import { prettySet } from '../quorum-set.ts';
import type { Run } from '../run.ts';
import { announce, linkTo } from '../store.ts';
import { Command } from './Command.tsx';
import { CopyButton } from './CopyButton.tsx';
import { sealedRanges } from './Vouchers.tsx';

/** `kind` of the check's archive and range. */
function fileName(kind: string, report: Report): string {
  const [archive] = report.archives;
  const host = archive !== undefined && URL.canParse(archive) ? new URL(archive).hostname : 'archive';
  const range = report.range === null ? '' : `-${report.range.low}-${report.range.high}`;
  return `archive-${kind}-${host}${range}`;
}

async function saveTable(report: Report): Promise<void> {
  const { findingsCsv } = await import('../take-away.ts');
  saveFile(`${fileName('findings', report)}.csv`, findingsCsv(report.findings), 'text/csv');
}

async function savePicture(run: Run, report: Report): Promise<void> {
  const table = run.table.value;
  if (table === null) return;
  const { mapPicture } = await import('../take-away.ts');
  saveFile(`${fileName('map', report)}.png`, await mapPicture(table, report, sealedRanges(report), document.body));
}

export async function savePlan(report: Report): Promise<void> {
  saveFile(`${fileName('plan', report)}.json`, `${JSON.stringify(await planOf(report), null, 2)}\n`);
}

/** Saving may fail: the part is loaded then, or the picture too large. */
export function saving(save: () => Promise<void>): () => void {
  return () => {
    save().then(() => announce('Saved'), (error: unknown) => announce(`Not saved: ${error instanceof Error ? error.message : String(error)}`));
  };
}

/** `from`: where the report is from, if it is not of a check in this tab. */
export function ReportBox({ run, from }: { readonly run: Run; readonly from?: { readonly link: string; readonly command: string } }): JSX.Element | null {
  const report = run.report.value;
  if (report === null) return null;
  const command = from?.command ?? commandLine(run.archives, run.options, run.setup.form.hashesFile || undefined);
  const own = run.options.trust?.quorumSet;
  return (
    <section class="card" aria-labelledby="report-title">
      <div class="card-head">
        <h2 id="report-title">Report</h2>
        <div class="actions">
          <button id="download" type="button" class="button" onClick={() => saveFile(`${fileName('report', report)}.json`, `${JSON.stringify(report, null, 2)}\n`)}>Download JSON</button>
          {from === undefined ? <CopyButton label="Copy link" title="Copy link to this check" text={() => linkTo(run)} /> : <CopyButton label="Copy link" title="Copy link to this report" text={() => from.link} />}
        </div>
      </div>
      <p class="actions take-away">
        {report.findings.length > 0 && <button type="button" class="button small" onClick={saving(() => saveTable(report))}>Findings as CSV</button>}
        {report.verdict !== 'verified' && <button type="button" class="button small" onClick={saving(() => savePlan(report))}>Repair plan</button>}
        {run.table.value !== null && <button type="button" class="button small" onClick={saving(() => savePicture(run, report))}>Map as PNG</button>}
        <button type="button" class="button small" onClick={() => print()}>Print</button>
      </p>
      <p>{from === undefined ? 'The same check at the command line:' : 'The same report at the command line:'}</p>
      <Command text={command} />
      {typeof own === 'object' && (
        <p class="hint">
          It reads your quorum set from a file: <button type="button" class="link" onClick={() => saveFile(SET_FILE, `${prettySet(own)}\n`)}>save {SET_FILE}</button>
        </p>
      )}
      <p class="hint">
        Verifier {report.verifier.version}, stellar-xdr {report.verifier.xdr}. Started {report.startedAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}, took {duration(report.elapsedMs)}.
      </p>
    </section>
  );
}
