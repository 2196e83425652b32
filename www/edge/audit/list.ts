/**
 * The list of audits, in D1: which there are, and in what state each was last seen.
 *
 * Who is not on it is not asked: a Durable Object comes into being by being asked. Not here: how far an audit is (`coordinator.ts`).
 */
import type { Database, Env } from '../bindings.ts';
import { Problem } from '../problem.ts';
import type { AuditStatus } from '../../lib/audit-client.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS audits (id TEXT PRIMARY KEY, archive TEXT NOT NULL, url TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
  checkpoints INTEGER NOT NULL, state TEXT NOT NULL, verdict TEXT, started_at TEXT NOT NULL, updated_at TEXT NOT NULL)`;
const SHOWN = 50;

export class AuditIndex {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open({ HISTORY }: Env): Promise<AuditIndex> {
    if (HISTORY === undefined) throw new Problem('configuration', 'No D1 database is bound as HISTORY: the list of audits is kept there.');
    await HISTORY.batch([HISTORY.prepare(SCHEMA)]);
    return new AuditIndex(HISTORY);
  }

  async has(id: string): Promise<boolean> {
    return (await this.#database.prepare('SELECT id FROM audits WHERE id = ?').bind(id).all()).results.length === 1;
  }

  /** What is older than what is there changes nothing. */
  async keep({ id, archive, url, range, checkpoints, state, verdict, startedAt, updatedAt }: AuditStatus): Promise<void> {
    await this.#database
      .prepare('INSERT INTO audits (id, archive, url, low, high, checkpoints, state, verdict, started_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, verdict = excluded.verdict, updated_at = excluded.updated_at WHERE excluded.updated_at >= updated_at')
      .bind(id, archive, url, range.low, range.high, checkpoints.total, state, verdict, startedAt, updatedAt)
      .all();
  }

  /** The newest first. */
  async last(): Promise<readonly object[]> {
    const { results } = await this.#database.prepare('SELECT * FROM audits ORDER BY started_at DESC, id LIMIT ?').bind(SHOWN).all();
    return results.map(({ id, archive, url, low, high, checkpoints, state, verdict, started_at: startedAt, updated_at: updatedAt }) => ({
      id, archive, url, range: { low, high }, checkpoints, state, verdict, startedAt, updatedAt,
    }));
  }
}
