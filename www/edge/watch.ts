/**
 * The cron: looks at every archive of the list, one after the other, keeps what it saw, and sends the alerts that wait.
 *
 * Where the requests of an invocation do not last for all, those that were not looked at for longest come first the next time.
 * Not here: what makes a change (`alerts.ts`). The time is the cron's own, so that a run can be repeated.
 */
import type { ArchiveReader, ArchiveStatus, Finding, Report, VerifyOptions } from '../lib/types.ts';
import { initialState, observe } from './alerts.ts';
import type { Fault, Observation, State } from './alerts.ts';
import type { Env } from './bindings.ts';
import type { Archive, Config } from './config.ts';
import { configOf } from './config.ts';
import { archiveStatus, verifyArchive } from './engine.ts';
import { ROOT } from './paths.ts';
import { Store, keepReport, reportsOf } from './store.ts';
import type { Known, Seen } from './store.ts';
import { Meter, reader } from './upstream.ts';
import { readOptions, withoutTrust } from './verify.ts';
import { send } from './webhook.ts';

const CHECKPOINT = 64;
/** Checkpoints of known faults that are looked at again each time. */
const MAX_REVISITS = 4;
/** So many checkpoints behind another archive of the network is behind, whatever the clock says. */
const LAGGING = 3;
/** What others announced longer ago says nothing of now. */
const FRESH_MS = 2 * 3_600_000;
/** Requests that an archive may take at least: its newest state and headers, and a checkpoint. */
const LEAST_REQUESTS = 10;

export async function watch(env: Env, now: number): Promise<void> {
  const config = configOf(env);
  const bucket = reportsOf(env);
  const store = await Store.open(env);
  const known = new Map(await store.known(config.archives));
  const meter = new Meter(config.limits.SUBREQUESTS);
  const faults: unknown[] = [];
  const turn = [...config.archives].sort((a, b) => (known.get(a.name)?.last.at ?? 0) - (known.get(b.name)?.last.at ?? 0));
  for (const archive of turn) {
    if (meter.left < LEAST_REQUESTS) break;
    try {
      const before = known.get(archive.name)?.state ?? initialState(now);
      const look = await lookAt(archive, before, [...known.values()], config, meter, now);
      const { state, level, change } = observe(before, look.observation, { alertAfter: config.limits.ALERT_AFTER, recoverAfter: config.limits.RECOVER_AFTER });
      const after: Known = { archive: archive.name, url: archive.url, state, last: { ...look.seen, level } };
      if (look.report !== null) await keepReport(bucket, archive.name, now, look.report);
      const alert = change === null ? null : {
        id: `${archive.name}.${state.began}.${change.number}`,
        body: JSON.stringify({
          type: 'archive.state', archive: archive.name, url: archive.url, from: change.from, to: change.to, at: new Date(change.at).toISOString(),
          reason: change.reason, ledger: look.seen.ledger, verdict: look.seen.verdict,
        }),
      };
      await store.keep(after, alert, now);
      known.set(archive.name, after);
    } catch (error) {
      // One archive, or one write, must not keep the others from being looked at.
      faults.push(error);
    }
  }
  await deliver(store, config, now).catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} steps of the cron failed: ${faults.map((fault) => (fault instanceof Error ? fault.message : String(fault))).join('; ')}`);
}

async function deliver(store: Store, { webhook }: Config, now: number): Promise<void> {
  if (webhook === null) return;
  for (const alert of await store.waiting(now)) {
    if (!(await store.take(alert.id, now))) continue;
    try {
      await send(alert, webhook);
    } catch (error) {
      await store.failed(alert.id, error instanceof Error ? error.message : String(error));
      // In their order: a later one would be misread before it.
      return;
    }
    await store.delivered(alert.id, now);
  }
}

interface Look {
  readonly observation: Observation;
  readonly seen: Omit<Seen, 'level'>;
  /** The report that is to be kept. */
  readonly report: Report | null;
}

async function lookAt(archive: Archive, before: State, others: readonly Known[], { limits }: Config, meter: Meter, now: number): Promise<Look> {
  const source = reader(archive, meter, limits);
  const started = Date.now();
  const left = meter.left;
  const signal = AbortSignal.timeout(limits.RUN_SECONDS * 1000);
  const [status] = await archiveStatus([source], { ...withoutTrust(archive), signal });
  const answerMs = Date.now() - started;
  const unreachable = status === undefined ? 'it was not asked' : rootFault(status);
  const runs = unreachable === null ? await verified(archive, source, before, limits, signal) : null;
  const main = runs?.main ?? null;
  const faults = runs?.faults ?? [];
  const ledger = status?.ledger ?? null;
  const closedAt = status?.closeTime == null ? null : Number(status.closeTime);
  const network = status?.network ?? main?.network.passphrase ?? null;
  const incomplete = runs?.reports.find(({ verdict }) => verdict === 'incomplete');
  return {
    observation: {
      at: now,
      unreachable,
      verdict: runs === null ? null : runs.reports.some(({ verdict }) => verdict === 'faulty') ? 'faulty' : (incomplete?.verdict ?? 'verified'),
      incomplete: incomplete === undefined ? null : whyIncomplete(incomplete),
      faults,
      slow: answerMs > limits.SLOW_SECONDS * 1000 ? `slow: its newest state and headers took ${(answerMs / 1000).toFixed(1)} s` : null,
      behind: behind(archive, { ledger, closedAt, network }, others, now),
    },
    seen: {
      at: now, verdict: main?.verdict ?? null, statement: main?.statement ?? null, ledger, closedAt, sealedThrough: main?.sealedThrough ?? null, network,
      findings: faults.length, requests: left - meter.left, bytes: runs?.reports.reduce((sum, { bytes }) => sum + Number(bytes.compressed), 0) ?? 0,
      answerMs: unreachable === null ? answerMs : null, elapsedMs: Date.now() - started,
    },
    report: main,
  };
}

/** Why the newest state could not be had. A page in its place, as while a server is mended, is no state, and no proof of a fault either. */
function rootFault({ ledger, error, findings }: ArchiveStatus): string | null {
  if (ledger !== null) return null;
  if (error !== null) return `its newest state could not be read: ${error.message}`;
  return `it has no newest state: ${findings[0]?.message ?? 'nothing was there'}`;
}

async function verified(
  archive: Archive, source: ArchiveReader, before: State, limits: Config['limits'], signal: AbortSignal,
): Promise<{ readonly main: Report; readonly reports: readonly Report[]; readonly faults: readonly Fault[] }> {
  const common: VerifyOptions = { ...readOptions(archive), skipBuckets: !archive.buckets, signal };
  const main = await twice(source, { ...common, last: limits.CRON_CHECKPOINTS * CHECKPOINT });
  const reports = [main.report];
  const faults = [...main.faults];
  // The newest checkpoints move on; a fault stays where it is, and is no less there for being old.
  const low = main.report.range?.low ?? 0;
  const earlier = before.faults.map(({ checkpoint }) => checkpoint).filter((checkpoint) => checkpoint !== null && checkpoint < low);
  for (const checkpoint of [...new Set(earlier)].slice(0, MAX_REVISITS)) {
    if (checkpoint === null) continue;
    const again = await twice(source, { ...common, range: { low: checkpoint, high: checkpoint } });
    reports.push(again.report);
    faults.push(...again.faults);
  }
  return { main: main.report, reports, faults };
}

/** Verifies, and where something is found that no hash proves, a second time: what was a bad moment is not there any more. */
async function twice(source: ArchiveReader, options: VerifyOptions): Promise<{ readonly report: Report; readonly faults: readonly Fault[] }> {
  const first = await verifyArchive(source, options).report;
  const found = errors(first);
  if (found.every((finding) => isProven(finding) || isAbsent(finding))) return { report: first, faults: found.map((finding) => fault(finding, 'once')) };
  const second = await verifyArchive(source, options).report;
  const seen = new Set(found.map(keyOf));
  const again = errors(second).map((finding) => fault(finding, seen.has(keyOf(finding)) ? 'twice' : 'once'));
  // A proven one counts also where the second fetch was served something else.
  const gone = found.filter((finding) => isProven(finding) && again.every(({ key }) => key !== keyOf(finding))).map((finding) => fault(finding, 'once'));
  return { report: gone.length > 0 ? first : second, faults: [...again, ...gone] };
}

function errors({ findings }: Report): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

function keyOf({ code, path, ledger }: Finding): string {
  return `${code} ${path}${ledger === undefined ? '' : ` ${ledger}`}`;
}

function fault(finding: Finding, evidence: 'once' | 'twice'): Fault {
  return {
    key: keyOf(finding),
    checkpoint: finding.checkpoint ?? null,
    message: `${finding.code} in ${finding.path}: ${finding.message}`,
    evidence: isProven(finding) ? 'hash' : evidence,
    absent: isAbsent(finding),
  };
}

/** Content that came whole (gzip's checksum held) and has another hash than what vouches for it says. No way to a server makes that up. */
function isProven({ expected, actual, path }: Finding): boolean {
  const hash = /^[0-9a-f]{64}$/;
  return path !== ROOT && expected !== undefined && actual !== undefined && expected !== actual && hash.test(expected) && hash.test(actual);
}

function isAbsent({ code, path }: Finding): boolean {
  return path === ROOT || code === 'file-missing' || code === 'bucket-missing';
}

function whyIncomplete({ errors: [first], statement }: Report): string {
  return first === undefined ? statement : `${first.path ?? 'a file'} could not be read: ${first.message}`;
}

function behind(archive: Archive, { ledger, closedAt, network }: Pick<Seen, 'ledger' | 'closedAt' | 'network'>, others: readonly Known[], now: number): string | null {
  if (archive.behindSeconds === 0 || ledger === null) return null;
  const age = closedAt === null ? 0 : Math.round(now / 1000) - closedAt;
  if (age > archive.behindSeconds) return `behind: its newest ledger ${ledger} is ${age} s old`;
  const peers = others.filter(({ archive: name, last }) => name !== archive.name && last.network !== null && last.network === network && now - last.at < FRESH_MS);
  const newest = Math.max(0, ...peers.map(({ last }) => last.ledger ?? 0));
  const lag = Math.floor((newest - ledger) / CHECKPOINT);
  return lag >= LAGGING ? `behind: its newest ledger is ${ledger}, another archive's ${newest}` : null;
}
