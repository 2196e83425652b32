/**
 * What is kept: reports in R2, and in D1 the state of every archive, a row for each observation, and the alerts that are to be sent.
 *
 * Not here: what it means (`alerts.ts`), and when it is written (`watch.ts`).
 */
import type { Report } from '../lib/types.ts';
import type { Level, State } from './alerts.ts';
import type { Bucket, Database, Env, Statement } from './bindings.ts';
import type { Archive } from './config.ts';
import { Problem } from './problem.ts';

/** What is known of an archive. */
export interface Known {
  readonly archive: string;
  /** Where it was: a name that means another place now is a new archive. */
  readonly url: string;
  readonly state: State;
  readonly last: Seen;
}

/** The last observation, in the numbers that people ask for. */
export interface Seen {
  readonly at: number;
  readonly level: Level;
  readonly verdict: string | null;
  readonly statement: string | null;
  /** The newest ledger that it announces, and when that closed (Unix seconds). */
  readonly ledger: number | null;
  readonly closedAt: number | null;
  readonly sealedThrough: number | null;
  readonly network: string | null;
  readonly findings: number;
  readonly requests: number;
  readonly bytes: number;
  readonly answerMs: number | null;
  readonly elapsedMs: number;
}

export interface Alert {
  /** The same for the same change, however often it is found or sent. */
  readonly id: string;
  readonly body: string;
}

const SCHEMA = [
  'CREATE TABLE IF NOT EXISTS states (archive TEXT PRIMARY KEY, checked_at INTEGER NOT NULL, body TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS observations (archive TEXT NOT NULL, at INTEGER NOT NULL, level TEXT NOT NULL, state TEXT NOT NULL, verdict TEXT, reason TEXT NOT NULL,
    ledger INTEGER, sealed_through INTEGER, findings INTEGER NOT NULL, requests INTEGER NOT NULL, bytes INTEGER NOT NULL, answer_ms INTEGER, elapsed_ms INTEGER NOT NULL,
    PRIMARY KEY (archive, at)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, archive TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0, delivered_at INTEGER, last_error TEXT)`,
];
const KEPT_MS = 90 * 86_400_000;
const ALERT_KEPT_MS = 7 * 86_400_000;
/** A delivery that was begun and not ended (the isolate was lost) is taken up again after so long. */
const LEASE_MS = 5 * 60_000;
const AT_ONCE = 20;

export function reportsOf({ REPORTS }: Env): Bucket {
  if (REPORTS === undefined) throw new Problem('configuration', 'No R2 bucket is bound as REPORTS: reports are kept there.');
  return REPORTS;
}

export class Store {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open({ HISTORY }: Env): Promise<Store> {
    if (HISTORY === undefined) throw new Problem('configuration', 'No D1 database is bound as HISTORY: states and alerts are kept there.');
    await HISTORY.batch(SCHEMA.map((statement) => HISTORY.prepare(statement)));
    return new Store(HISTORY);
  }

  /** By name. What was known of another place under the same name is left out. */
  async known(archives: readonly Archive[]): Promise<ReadonlyMap<string, Known>> {
    const { results } = await this.#database.prepare('SELECT body FROM states').all();
    const known = results.map(({ body }) => JSON.parse(String(body)) as Known);
    return new Map(known.filter(({ archive, url }) => archives.some((one) => one.name === archive && one.url === url)).map((one) => [one.archive, one]));
  }

  /** Everything of one observation at once, or nothing of it. */
  async keep(known: Known, alert: Alert | null, now: number): Promise<void> {
    const { archive, state, last } = known;
    const statements: Statement[] = [
      this.#database.prepare('INSERT OR REPLACE INTO states (archive, checked_at, body) VALUES (?, ?, ?)').bind(archive, last.at, JSON.stringify(known)),
      this.#database
        .prepare('INSERT OR REPLACE INTO observations (archive, at, level, state, verdict, reason, ledger, sealed_through, findings, requests, bytes, answer_ms, elapsed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .bind(archive, last.at, last.level, state.level, last.verdict, state.reason, last.ledger, last.sealedThrough, last.findings, last.requests, last.bytes, last.answerMs, last.elapsedMs),
      this.#database.prepare('DELETE FROM observations WHERE archive = ? AND at < ?').bind(archive, now - KEPT_MS),
    ];
    // A second cron that ran beside this one found the same change, and named it the same.
    if (alert !== null) statements.push(this.#database.prepare('INSERT OR IGNORE INTO alerts (id, archive, at, body) VALUES (?, ?, ?, ?)').bind(alert.id, archive, last.at, alert.body));
    await this.#database.batch(statements);
  }

  async history(archive: string, last: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const query = this.#database.prepare('SELECT at, level, state, verdict, reason, ledger, sealed_through, findings, requests, bytes, answer_ms, elapsed_ms FROM observations WHERE archive = ? ORDER BY at DESC LIMIT ?');
    return (await query.bind(archive, last).all()).results;
  }

  /** Alerts that nobody has been told of, oldest first; those that are too old to matter are given up. */
  async waiting(now: number): Promise<readonly Alert[]> {
    const [, waiting] = await this.#database.batch([
      this.#database.prepare('DELETE FROM alerts WHERE at < ?').bind(now - ALERT_KEPT_MS),
      this.#database.prepare('SELECT id, body FROM alerts WHERE delivered_at IS NULL AND lease_until <= ? ORDER BY at, id LIMIT ?').bind(now, AT_ONCE),
    ]);
    return (waiting?.results ?? []).map(({ id, body }) => ({ id: String(id), body: String(body) }));
  }

  /** Whether the alert is ours to send: of several that try only one has it. */
  async take(id: string, now: number): Promise<boolean> {
    const query = this.#database.prepare('UPDATE alerts SET lease_until = ?, attempts = attempts + 1 WHERE id = ? AND delivered_at IS NULL AND lease_until <= ? RETURNING id');
    return (await query.bind(now + LEASE_MS, id, now).all()).results.length === 1;
  }

  async delivered(id: string, now: number): Promise<void> {
    await this.#database.prepare('UPDATE alerts SET delivered_at = ?, last_error = NULL WHERE id = ?').bind(now, id).all();
  }

  /** The next cron tries again. */
  async failed(id: string, error: string): Promise<void> {
    await this.#database.prepare('UPDATE alerts SET lease_until = 0, last_error = ? WHERE id = ?').bind(error, id).all();
  }
}

/** The last one, and one that stays, by the time of the observation. */
export async function keepReport(bucket: Bucket, archive: string, at: number, report: Report): Promise<void> {
  const text = JSON.stringify(report);
  const options = { httpMetadata: { contentType: 'application/json' } };
  await bucket.put(`reports/${archive}/${new Date(at).toISOString().replace(/\.\d+Z$/, 'Z').replaceAll(':', '-')}.json`, text, options);
  await bucket.put(latestReport(archive), text, options);
}

export function latestReport(archive: string): string {
  return `reports/${archive}/latest.json`;
}
