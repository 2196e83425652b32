import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Finding } from '../../lib/types.ts';
import { grouped, plural, sentence } from '../format.ts';
import type { Run } from '../run.ts';
import { CopyButton } from './CopyButton.tsx';
import { FileLink } from './FileLink.tsx';
import { Value } from './Hash.tsx';
import { Icon } from './Icon.tsx';
import { Prose } from './Prose.tsx';

const PAGE = 25;

/** A finding as one would paste it into an issue. */
export function findingText(finding: Finding): string {
  const lines = [
    `${finding.code} (${finding.severity}): ${sentence(finding.message)}`,
    `archive: ${finding.archive}`,
    `file: ${finding.path}`,
  ];
  if (finding.checkpoint !== undefined) lines.push(`checkpoint: ${finding.checkpoint} (0x${finding.checkpoint.toString(16).padStart(8, '0')})`);
  if (finding.ledger !== undefined) lines.push(`ledger: ${finding.ledger}`);
  if (finding.bucket !== undefined) lines.push(`bucket: ${finding.bucket}`);
  if (finding.offset !== undefined) lines.push(`offset: ${finding.offset}`);
  if (finding.expected !== undefined) lines.push(`expected: ${finding.expected}`);
  if (finding.actual !== undefined) lines.push(`actual:   ${finding.actual}`);
  for (const [code, count] of Object.entries(finding.consequences ?? {})) lines.push(`explains: ${count} × ${code}`);
  lines.push(`advice: ${sentence(finding.advice)}`);
  return lines.join('\n');
}

function Row({ name, children }: { readonly name: string; readonly children: JSX.Element | string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function FindingCard({ finding }: { readonly finding: Finding }): JSX.Element {
  const consequences = Object.entries(finding.consequences ?? {});
  return (
    <li class={`finding tone-${finding.severity === 'error' ? 'faulty' : 'unchecked'}`} data-code={finding.code}>
      <div class="finding-head">
        <Icon name={finding.severity === 'error' ? 'faulty' : 'warning'} />
        <code class="code">{finding.code}</code>
        <span class="severity">{finding.severity}</span>
        <span class="where">
          {finding.ledger !== undefined
            ? `Ledger ${grouped(finding.ledger)}`
            : finding.checkpoint !== undefined
              ? `Checkpoint ${grouped(finding.checkpoint)}`
              : ''}
        </span>
      </div>
      <p class="message"><Prose text={finding.message} /></p>
      <dl class="evidence">
        {finding.expected !== undefined && <Row name="Expected"><Value value={finding.expected} what="the expected value" /></Row>}
        {finding.actual !== undefined && <Row name="Actual"><Value value={finding.actual} what="the actual value" /></Row>}
        <Row name="File"><FileLink archive={finding.archive} path={finding.path} /></Row>
        {finding.bucket !== undefined && <Row name="Bucket"><Value value={finding.bucket} what="the bucket's hash" /></Row>}
        {finding.offset !== undefined && <Row name="Offset">{`${grouped(finding.offset)} bytes`}</Row>}
      </dl>
      {consequences.length > 0 && (
        <p class="consequences">
          This explains {consequences.map(([code, count], place) => (
            <span key={code}>{place > 0 ? ', ' : ''}{grouped(count)} × <code>{code}</code></span>
          ))}.
        </p>
      )}
      <p class="advice"><strong>What to do:</strong> {sentence(finding.advice)}</p>
      <p class="actions">
        <CopyButton small label="Copy text" title={`Copy text of ${finding.code}`} text={() => findingText(finding)} />
        <CopyButton small label="Copy JSON" title={`Copy JSON of ${finding.code}`} text={() => JSON.stringify(finding, null, 2)} />
      </p>
    </li>
  );
}

export function Findings({ run }: { readonly run: Run }): JSX.Element | null {
  const shown = useSignal(PAGE);
  const findings = run.findings.value;
  if (findings.length === 0) return null;
  const report = run.report.value;
  const dropped = report?.findingsDropped ?? 0;
  const counts: Record<string, number> = {};
  for (const finding of findings) counts[finding.code] = (counts[finding.code] ?? 0) + 1;
  const codes = Object.entries(counts);
  return (
    <section class="findings" aria-labelledby="findings-title">
      <div class="card-head">
        <h2 id="findings-title" tabIndex={-1}>{plural(findings.length, 'finding')}{report === null ? ' so far' : ''}</h2>
        <CopyButton label="Copy all as text" text={() => findings.map(findingText).join('\n\n')} />
      </div>
      {codes.length > 1 && (
        <p class="hint">{codes.map(([code, count]) => `${grouped(count)} × ${code}`).join(' · ')}</p>
      )}
      {dropped > 0 && <p class="hint">{plural(dropped, 'more finding')} did not fit into the report.</p>}
      <ol class="finding-list">
        {findings.slice(0, shown.value).map((finding) => <FindingCard key={finding} finding={finding} />)}
      </ol>
      {findings.length > shown.value && (
        <button type="button" class="button" onClick={() => { shown.value += PAGE; }}>
          Show {grouped(Math.min(PAGE, findings.length - shown.value))} more of {grouped(findings.length - shown.value)}
        </button>
      )}
    </section>
  );
}
