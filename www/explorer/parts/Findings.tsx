import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Finding } from '../../lib/types.ts';
import { grouped, plural, sentence, shortName } from '../format.ts';
import { othersOf } from '../others.ts';
import type { Run } from '../run.ts';
import { engine, form, localArchives, lookLink } from '../store.ts';
import { CopyButton } from './CopyButton.tsx';
import { FileLink } from './FileLink.tsx';
import { Fix } from './Fix.tsx';
import { Value } from './Hash.tsx';
import { Icon } from './Icon.tsx';
import { Prose } from './Prose.tsx';

const PAGE = 25;
/** Of findings that say the same, so many stand for all. */
const ALIKE = 3;
/** No more cards than this at one press of a button: a browser takes seconds to lay out thousands. */
const MAX_STEP = 500;

/** Findings that say the same about different places: errors, then warnings, each in the order of the first. */
function groups(findings: readonly Finding[]): readonly (readonly [key: string, alike: readonly Finding[]])[] {
  const byWords = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.code} ${finding.archive} ${finding.message}`;
    const alike = byWords.get(key);
    if (alike === undefined) byWords.set(key, [finding]);
    else alike.push(finding);
  }
  const isWarning = ([, [first]]: readonly [string, readonly Finding[]]): number => (first?.severity === 'error' ? 0 : 1);
  return [...byWords].sort((one, other) => isWarning(one) - isWarning(other));
}

/** A finding as one would paste it into an issue. */
export function findingText(finding: Finding): string {
  const lines = [
    `${finding.code} (${finding.severity}): ${sentence(finding.message)}`,
    `archive: ${finding.archive}`,
    `file: ${finding.path}`,
  ];
  if (finding.goodFrom !== undefined) lines.push(`sound in: ${finding.goodFrom}`);
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
            ? <a href={lookLink(`ledger=${finding.ledger}`, finding.archive)}>Ledger {grouped(finding.ledger)}</a>
            : finding.checkpoint !== undefined && <a href={lookLink(`checkpoint=${finding.checkpoint}`, finding.archive)}>Checkpoint {grouped(finding.checkpoint)}</a>}
        </span>
      </div>
      <p class="message"><Prose text={finding.message} /></p>
      <dl class="evidence">
        {finding.expected !== undefined && <Row name="Expected"><Value value={finding.expected} what="the expected value" /></Row>}
        {finding.actual !== undefined && <Row name="Actual"><Value value={finding.actual} what="the actual value" /></Row>}
        <Row name="File"><FileLink archive={finding.archive} path={finding.path} /></Row>
        <Row name="Archive"><span class="plain-value">{shortName(finding.archive)}</span></Row>
        {finding.goodFrom !== undefined && <Row name="Sound in"><span class="plain-value some-verified">{shortName(finding.goodFrom)}</span></Row>}
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
  const unfolded = useSignal<ReadonlySet<string>>(new Set());
  const findings = run.findings.value;
  const report = run.report.value;
  const others = useMemo(() => (report === null ? [] : othersOf(report)), [report, engine.value, localArchives.value, form.value]);
  if (findings.length === 0) return null;
  const dropped = report?.findingsDropped ?? 0;
  const counts: Record<string, number> = {};
  for (const finding of findings) counts[finding.code] = (counts[finding.code] ?? 0) + 1;
  const codes = Object.entries(counts);
  const unfold = (key: string, count: number): void => {
    unfolded.value = new Set([...unfolded.value, key]);
    shown.value += Math.min(count, MAX_STEP);
  };
  const rows = groups(findings).flatMap(([key, alike]) => {
    const fix = report === null ? [] : [<Fix key={`fix ${key}`} run={run} report={report} alike={alike} others={others} />];
    if (alike.length <= ALIKE || unfolded.value.has(key)) return [...alike.map((finding) => <FindingCard key={finding} finding={finding} />), ...fix];
    return [
      ...alike.slice(0, ALIKE).map((finding) => <FindingCard key={finding} finding={finding} />),
      <li key={key} class="alike">
        <button type="button" class="button" onClick={() => unfold(key, alike.length)}>
          Show all {grouped(alike.length)} × {alike[0]?.code}
        </button>
      </li>,
      ...fix,
    ];
  });
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
        {rows.slice(0, shown.value)}
      </ol>
      {rows.length > shown.value && (
        <button type="button" class="button" onClick={() => { shown.value += PAGE; }}>
          Show {grouped(Math.min(PAGE, rows.length - shown.value))} more of {grouped(rows.length - shown.value)}
        </button>
      )}
    </section>
  );
}
