/**
 * Audits over a fleet for people: estimates, how far one is, the list, as strings. Not here: printing, and asking the worker.
 *
 * Everything that a worker says passes `clean`, because it is shown on a terminal.
 */
import type { AuditEntry, AuditEstimate, AuditStanding, AuditStatus } from '../lib/audit-client.ts';
import type { Paint, Style } from './colour.ts';
import { clean, grouped, plural, size, span, table } from './text.ts';

const STYLE: Readonly<Record<AuditStanding, Style>> = { running: 'bold', finishing: 'bold', paused: 'yellow', done: 'green', cancelled: 'yellow', failed: 'red' };

function money(amount: number): string {
  return amount > 0 && amount < 0.01 ? 'less than 0.01 USD' : `${amount.toLocaleString('en-US', { maximumFractionDigits: 2, minimumFractionDigits: 2 })} USD`;
}

function hours(amount: number): string {
  return span(amount * 3600);
}

function ledgers({ range: { low, high } }: { readonly range: { readonly low: number; readonly high: number } }): string {
  return `ledgers ${grouped(low)} to ${grouped(high)}`;
}

/** With every assumption: they are what the numbers rest on. */
export function estimateText(estimate: AuditEstimate, paint: Paint): string {
  const { archive, checkpoints, parts, requests, bytes, cpuSeconds, messages, usd: beyondPlan, usdWithoutShare: withoutShare, wall, assumptions } = estimate;
  return [
    `${paint('bold', clean(archive))} · ${ledgers(estimate)} · ${plural(checkpoints, 'checkpoint')} in ${plural(parts, 'part')}`,
    `    reads     ${plural(requests, 'request')}, ${size(bytes)}`,
    `    works     ${span(cpuSeconds)} of CPU, ${plural(messages, 'message')}`,
    `    costs     ${money(beyondPlan)} beyond the plan’s share, ${money(withoutShare)} where that is used up`,
    '    takes',
    ...table(wall.map((one) => [plural(one.consumers, 'consumer'), hours(one.hours)])).split('\n').map((line) => `        ${line}`),
    '    if',
    ...assumptions.map((line) => paint('dim', `        ${clean(line)}`)),
  ].join('\n');
}

function farText({ checkpoints: { done, total }, etaSeconds }: AuditStatus): string {
  const share = total === 0 ? 0 : Math.floor((done / total) * 100);
  return `${grouped(done)} of ${grouped(total)} (${share} %)${etaSeconds === null ? '' : `, about ${span(etaSeconds)} left`}`;
}

export function statusText(status: AuditStatus, address: string, paint: Paint): string {
  const { archive, state, reason, verdict, buckets, parts, consumers, requests, compressedBytes, findings, startedAt, updatedAt } = status;
  const stands = `${paint(STYLE[state], state)}${verdict === null ? '' : `, ${paint(verdict === 'verified' ? 'green' : verdict === 'faulty' ? 'red' : 'yellow', verdict)}`}`;
  return [
    `${paint('bold', clean(archive))} · ${ledgers(status)} · ${stands}${reason === null ? '' : `: ${clean(reason)}`}`,
    `    audit        ${clean(address)}`,
    `    checkpoints  ${farText(status)}`,
    `    buckets      ${grouped(buckets.open)} open`,
    `    parts        ${grouped(parts.inFlight)} in flight (${grouped(consumers.now)} of ${plural(consumers.max, 'consumer')}), ${grouped(parts.waiting)} to be joined`,
    `                 ${grouped(parts.retried)} retried, ${grouped(parts.halved)} halved, ${grouped(parts.givenUp)} given up, ${plural(parts.duplicates, 'duplicate')}, ${grouped(parts.lost)} lost`,
    `    read         ${plural(requests, 'request')}, ${size(compressedBytes)}`,
    `    findings     ${grouped(findings)}`,
    `    begun        ${clean(startedAt)}, last news ${clean(updatedAt)}`,
  ].join('\n');
}

/** The line under which one watches: what matters most comes first, because a narrow terminal cuts the end. */
export function auditLine({ state, checkpoints, buckets, parts, findings, etaSeconds, compressedBytes }: AuditStatus): string {
  return [
    `${checkpoints.done}/${checkpoints.total} checkpoints`,
    ...(state === 'running' ? [] : [state]),
    ...(etaSeconds === null ? [] : [`about ${span(etaSeconds)} left`]),
    ...(findings === 0 ? [] : [plural(findings, 'finding')]),
    `${parts.inFlight} in flight`,
    ...(buckets.open === 0 ? [] : [`${plural(buckets.open, 'bucket')} open`]),
    ...(parts.givenUp === 0 ? [] : [`${parts.givenUp} given up`]),
    size(compressedBytes),
  ].join(' · ');
}

export function listText(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'no audit was begun there yet';
  return table(entries.map((entry) => [entry.id, clean(entry.archive), ledgers(entry), entry.verdict ?? entry.state, clean(entry.startedAt)]), 5);
}

/** Deeper than any report is. */
const DEEPEST = 32;

/** The same without anything that moves a cursor, paints or breaks lines, wherever it stands: also in the place of a number. Throws for what is too deep. */
export function harmless<T>(value: T): T {
  const walk = (one: unknown, depth: number): unknown => {
    if (depth > DEEPEST) throw new RangeError('it is too deep');
    if (typeof one === 'string') return clean(one);
    if (Array.isArray(one)) return one.map((item: unknown) => walk(item, depth + 1));
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([name, item]) => [clean(name), walk(item, depth + 1)]));
  };
  return walk(value, 0) as T;
}
