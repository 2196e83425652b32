/**
 * What is known of the archives, as JSON, Prometheus text, and a badge.
 */
import type { Level } from './alerts.ts';
import type { Archive } from './config.ts';
import type { Known } from './store.ts';

export interface Shown {
  readonly archive: string;
  readonly url: string;
  readonly state: Level | 'unknown';
  /** Nobody looked for too long: the rest is what was true then. */
  readonly stale: boolean;
  readonly reason: string;
  /** Since when it is in this state. */
  readonly since: string | null;
  readonly checkedAt: string | null;
  readonly verdict: string | null;
  readonly statement: string | null;
  readonly network: string | null;
  readonly newestLedger: number | null;
  /** Seconds since the newest ledger closed. */
  readonly ageSeconds: number | null;
  readonly sealedThrough: number | null;
  readonly findings: number;
}

export function shown(archives: readonly Archive[], known: ReadonlyMap<string, Known>, staleMinutes: number, now: number): readonly Shown[] {
  return archives.map(({ name, url }) => {
    const { state, last } = known.get(name) ?? {};
    return {
      archive: name,
      url,
      state: state?.level ?? 'unknown',
      stale: last === undefined || now - last.at > staleMinutes * 60_000,
      reason: state?.reason ?? 'not looked at yet',
      since: state === undefined ? null : new Date(state.since).toISOString(),
      checkedAt: last === undefined ? null : new Date(last.at).toISOString(),
      verdict: last?.verdict ?? null,
      statement: last?.statement ?? null,
      network: last?.network ?? null,
      newestLedger: last?.ledger ?? null,
      ageSeconds: last?.closedAt == null ? null : Math.max(0, Math.round(now / 1000) - last.closedAt),
      sealedThrough: last?.sealedThrough ?? null,
      findings: last?.findings ?? 0,
    };
  });
}

const PREFIX = 'stellar_archive_';
const STATES = ['ok', 'degraded', 'unreachable', 'faulty', 'unknown'] as const;

export function prometheus(archives: readonly Shown[], known: ReadonlyMap<string, Known>, memoryBytes: number): string {
  const lines: string[] = [];
  const family = (name: string, help: string, value: (archive: Shown) => number | null): void => {
    lines.push(`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} gauge`);
    for (const archive of archives) {
      const number = value(archive);
      if (number !== null) lines.push(`${PREFIX}${name}{archive="${archive.archive}"} ${number}`);
    }
  };
  const seconds = (time: string | null): number | null => (time === null ? null : Date.parse(time) / 1000);
  lines.push(`# HELP ${PREFIX}state 1 for the state that the archive is in`, `# TYPE ${PREFIX}state gauge`);
  for (const { archive, state } of archives) for (const one of STATES) lines.push(`${PREFIX}state{archive="${archive}",state="${one}"} ${Number(state === one)}`);
  family('state_since_timestamp_seconds', 'when the archive entered its state', ({ since }) => seconds(since));
  family('checked_timestamp_seconds', 'when the archive was last looked at', ({ checkedAt }) => seconds(checkedAt));
  family('stale', '1 where nobody looked for too long', ({ stale }) => Number(stale));
  family('newest_ledger', 'the newest ledger that the archive announces', ({ newestLedger }) => newestLedger);
  family('newest_ledger_age_seconds', 'seconds since that ledger closed', ({ ageSeconds }) => ageSeconds);
  family('sealed_through_ledger', 'the ledger up to which believed validators vouch', ({ sealedThrough }) => sealedThrough);
  family('findings', 'faults that the last look found', ({ findings }) => findings);
  const last = (archive: string): Known['last'] | undefined => known.get(archive)?.last;
  family('look_seconds', 'what the last look took', ({ archive }) => { const ms = last(archive)?.elapsedMs; return ms === undefined ? null : ms / 1000; });
  family('answer_seconds', 'what its newest state and headers took', ({ archive }) => { const ms = last(archive)?.answerMs; return ms == null ? null : ms / 1000; });
  family('look_requests', 'requests of the last look', ({ archive }) => last(archive)?.requests ?? null);
  family('look_bytes', 'compressed bytes of the last look', ({ archive }) => last(archive)?.bytes ?? null);
  lines.push(`# HELP ${PREFIX}isolate_wasm_bytes memory of the verifier in the isolate that answers`, `# TYPE ${PREFIX}isolate_wasm_bytes gauge`, `${PREFIX}isolate_wasm_bytes ${memoryBytes}`);
  return `${lines.join('\n')}\n`;
}

/** The word of a badge and its colour; each has a contrast of 4.5 with white at least. */
function word({ stale, state }: Shown): readonly [string, string] {
  if (stale) return [state === 'unknown' ? 'unknown' : 'stale', '#5f6368'];
  switch (state) {
    case 'ok': return ['verified', '#17703f'];
    case 'degraded': return ['degraded', '#8a5300'];
    case 'unreachable': return ['unreachable', '#5f6368'];
    case 'faulty': return ['faulty', '#b3261e'];
    case 'unknown': return ['unknown', '#5f6368'];
  }
}

const CHAR = 6.6;
const PADDING = 12;

export function badge(archive: Shown): string {
  const [status, colour] = word(archive);
  const says = archive.newestLedger === null || status === 'unknown' ? status : `${status} · ${archive.newestLedger}`;
  const width = (text: string): number => Math.ceil(text.length * CHAR) + PADDING;
  const [left, right] = [width(archive.archive), width(says)];
  const label = escaped(`${archive.archive}: ${says}`);
  const text = (x: number, content: string, room: number): string =>
    `<text x="${x}" y="14" textLength="${room - PADDING}" lengthAdjust="spacingAndGlyphs">${escaped(content)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" viewBox="0 0 ${left + right} 20" role="img" aria-label="${label}"><title>${label}</title>`
    + `<rect width="${left + right}" height="20" rx="3" fill="#3c4043"/><path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H${left}z" fill="${colour}"/>`
    + `<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(left / 2, archive.archive, left)}${text(left + right / 2, says, right)}</g></svg>\n`;
}

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
