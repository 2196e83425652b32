/** The report of an audit in the view of a check's report. The worker's word: what is in it may be of any form, so a part that fails is caught. */
import { signal } from '@preact/signals';
import { Component, type ComponentChildren, type JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Report, VerifyOptions } from '../../lib/types.ts';
import { EMPTY_FORM, type FormState } from '../form.ts';
import { saveFile } from '../files.ts';
import { Icon } from '../parts/Icon.tsx';
import { NotLoaded } from '../parts/NotLoaded.tsx';
import type { Run } from '../run.ts';

type View = typeof import('../parts/RunView.tsx');

const view = signal<View | null>(null);
const refused = signal(false);

async function load(): Promise<void> {
  refused.value = false;
  try {
    view.value ??= await import('../parts/RunView.tsx');
  } catch {
    refused.value = true;
  }
}

/** A check that came to this report, as if it had been made here. */
function runOf(report: Report, id: string): Run {
  const { range, options: { deep, skipOptional, skipBuckets } } = report;
  const options: VerifyOptions = { ...(range === null ? {} : { range }), deep, skipOptional, skipBuckets };
  const form: FormState = {
    ...EMPTY_FORM, sources: report.archives.map((url) => ({ kind: 'url', url })), low: String(range?.low ?? ''), high: String(range?.high ?? ''), deep, skipOptional, skipBuckets,
  };
  return {
    setup: { id, form, archives: report.archives, options }, archives: report.archives, options,
    phase: signal('done'), stage: signal('done'), progress: signal(null), findings: signal(report.findings), table: signal(null), tick: signal(0),
    retry: signal(null), rate: signal(0), elapsedMs: signal(report.elapsedMs), leftMs: signal(null), sleptMs: signal(0), report: signal(report),
    failure: signal(null), selected: signal(0), opened: signal(null), state: signal(null), stored: signal(null),
    pause: () => undefined, cancel: () => undefined,
  };
}

class Guard extends Component<{ readonly report: Report; readonly children: ComponentChildren }, { readonly failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ComponentChildren {
    const { report, children } = this.props;
    if (!this.state.failed) return children;
    return (
      <section class="notice tone-unchecked" data-worker-error="report">
        <h2><Icon name="warning" /> The report is not of a form that this page can show</h2>
        <p>It says “{report.verdict}”. The worker may be of another version; its report can be saved and read elsewhere.</p>
        <p class="actions"><button type="button" class="button" onClick={() => saveFile('audit-report.json', `${JSON.stringify(report, null, 2)}\n`)}>Download JSON</button></p>
      </section>
    );
  }
}

export function AuditReport({ report, id, link, command }: { readonly report: Report; readonly id: string; readonly link: string; readonly command: string }): JSX.Element {
  useEffect(() => void load(), []);
  const run = useMemo(() => runOf(report, id), [report, id]);
  if (refused.value) return <NotLoaded again={() => void load()}>{null}</NotLoaded>;
  if (view.value === null) return <p class="first-paint">Loading…</p>;
  return <Guard key={id} report={report}><view.value.ReportView run={run} link={link} command={command} /></Guard>;
}
