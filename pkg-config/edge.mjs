/**
 * The edge worker on this machine: Cloudflare's own runtime through Miniflare, set up by wrangler.jsonc, on the loopback interface.
 *
 * For `npm run edge` and the tests. Not for the internet: that is what Cloudflare is for.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';

const WRANGLER = new URL('wrangler.jsonc', import.meta.url);
const CRON_MS = 10 * 60_000;

/** What wrangler.jsonc says, comments left out: they stand on lines of their own. */
export function wranglerConfig() {
  return JSON.parse(readFileSync(WRANGLER, 'utf8').replace(/^\s*\/\/.*$/gm, ''));
}

/** Its part on the code and the runtime, as Miniflare wants it. */
export function runtime() {
  const { main, rules, compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = wranglerConfig();
  const scriptPath = fileURLToPath(new URL(main, WRANGLER));
  return {
    compatibilityDate, compatibilityFlags, scriptPath,
    modules: true,
    modulesRoot: dirname(scriptPath),
    modulesRules: rules.map(({ type, globs }) => ({ type, include: globs })),
    // Miniflare would ask Cloudflare what a request looks like there.
    cf: false,
  };
}

/** Its queues and the Durable Objects of audits, in the same way. */
export function auditBindings() {
  const { durable_objects: objects, migrations, queues } = wranglerConfig();
  const withSqlite = new Set(migrations.flatMap(({ new_sqlite_classes: classes }) => classes));
  return {
    durableObjects: Object.fromEntries(objects.bindings.map(({ name, class_name: className }) => [name, { className, useSQLite: withSqlite.has(className) }])),
    queueProducers: Object.fromEntries(queues.producers.map(({ binding, queue }) => [binding, queue])),
    queueConsumers: Object.fromEntries(queues.consumers.map(({ queue, max_batch_size: maxBatchSize, max_batch_timeout: maxBatchTimeout, max_retries: maxRetries, retry_delay: retryDelay, dead_letter_queue: deadLetterQueue }) =>
      [queue, { maxBatchSize, maxBatchTimeout, maxRetries, retryDelay, ...(deadLetterQueue === undefined ? {} : { deadLetterQueue }) }])),
  };
}

/** Whoever shows this may begin audits of what `npm run edge` serves. */
export const LOCAL_TOKEN = 'the-token-of-this-machine';

/**
 * Serves the worker over `archives` (name to address on this machine), looks at them once, and again as often as the cron would.
 *
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` ends with a slash.
 */
export async function serveEdge({ archives, port = 0 }) {
  await checkFree(port);
  const list = Object.entries(archives).map(([name, url]) => ({ name, url, behindSeconds: 0 }));
  const miniflare = new Miniflare({
    ...runtime(), host: '127.0.0.1', port,
    bindings: { ARCHIVES: list, ALLOW_LOOPBACK: 'true', AUDIT_TOKEN: LOCAL_TOKEN },
    r2Buckets: { REPORTS: 'reports' },
    d1Databases: { HISTORY: 'history' },
    ...auditBindings(),
  });
  const { href } = await miniflare.ready;
  const worker = await miniflare.getWorker();
  const look = () => worker.scheduled({ scheduledTime: new Date(), cron: '*/10 * * * *' });
  await look();
  const timer = setInterval(() => void look().catch(() => undefined), CRON_MS);
  return {
    url: href,
    close: async () => {
      clearInterval(timer);
      await miniflare.dispose();
    },
  };
}

/** The runtime itself says only in a stack trace that a port is taken. */
async function checkFree(port) {
  const probe = createServer().listen(port, '127.0.0.1');
  await once(probe, 'listening');
  await new Promise((resolve) => probe.close(resolve));
}
