import type { JSX } from 'preact';
import type { Report } from '../../lib/types.ts';
import { saveFile } from '../files.ts';
import { commandLine, SET_FILE } from '../form.ts';
import { duration } from '../format.ts';
import { prettySet } from '../quorum-set.ts';
import type { Run } from '../run.ts';
import { linkTo } from '../store.ts';
import { Command } from './Command.tsx';
import { CopyButton } from './CopyButton.tsx';

function download(report: Report, archive: string | undefined): void {
  const host = archive !== undefined && URL.canParse(archive) ? new URL(archive).hostname : 'archive';
  const range = report.range === null ? '' : `-${report.range.low}-${report.range.high}`;
  saveFile(`archive-report-${host}${range}.json`, `${JSON.stringify(report, null, 2)}\n`);
}

export function ReportBox({ run }: { readonly run: Run }): JSX.Element | null {
  const report = run.report.value;
  if (report === null) return null;
  const command = commandLine(run.archives, run.options, run.setup.form.hashesFile || undefined);
  const own = run.options.trust?.quorumSet;
  return (
    <section class="card" aria-labelledby="report-title">
      <div class="card-head">
        <h2 id="report-title">Report</h2>
        <div class="actions">
          <button id="download" type="button" class="button" onClick={() => download(report, run.archives[0])}>Download JSON</button>
          <CopyButton label="Copy link" title="Copy link to this check" text={() => linkTo(run)} />
        </div>
      </div>
      <p>The same check at the command line:</p>
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
