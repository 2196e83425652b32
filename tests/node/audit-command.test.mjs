/** `audit`: a whole archive over an edge worker's fleet: estimated, begun, watched, steered; against a worker that plays, and the real one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import nodeTest from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { ESTIMATE, ID, TOKEN, auditWorker, status } from '../audit-worker.mjs';
import { CLI, SAMPLE, cli, jsonLines, noSample, temporary, timeless } from './support.mjs';

/** What waits for words that never come must not wait for ever. */
const test = (name, ...rest) => {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  nodeTest(name, { timeout: 60_000, ...options }, body);
};

const plain = { STELLAR_ARCHIVE_WORKER: '', STELLAR_ARCHIVE_AUDIT_TOKEN: '' };
const run = (worker, words, env = {}) => cli(['audit', ...words], { env: { ...plain, STELLAR_ARCHIVE_WORKER: worker.url, ...env } });
const withToken = { STELLAR_ARCHIVE_AUDIT_TOKEN: TOKEN };

/** The report of a local run over the sample, as a worker would have it; `verdict` may be another. */
async function reportOf(t, verdict) {
  const file = join(await temporary(t), 'report.json');
  await cli(['verify', SAMPLE, '--report', file]);
  return { ...JSON.parse(await readFile(file, 'utf8')), verdict };
}

/** A watcher that is still at it; `until(what, text)` waits until that came out. */
function watching(t, worker, words = [], env = {}) {
  const child = spawn(process.execPath, [CLI, 'audit', 'watch', ID, ...words], { env: { ...process.env, ...plain, STELLAR_ARCHIVE_WORKER: worker.url, ...env } });
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  const listeners = new Set();
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ status: code, ...output }));
  return {
    child, ended,
    until: (name, pattern) => new Promise((resolve, reject) => {
      const look = () => {
        if (!pattern.test(output[name])) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without ${pattern}: ${output.stdout}${output.stderr}`)));
    }),
  };
}

test('estimate: what it would take, with what that assumes, for people and for programs; buckets unless they are left out', async (t) => {
  const worker = await auditWorker(t);
  const { status: code, stdout } = await run(worker, ['estimate', 'testnet', '--low', '0x40', '--high', '127']);
  assert.equal(code, 0);
  assert.match(stdout, /testnet · ledgers 1 to 64,000,063 · 1,000,001 checkpoints in 15,626 parts/);
  assert.match(stdout, /13,000,013 requests, 7\.0 TB[\s\S]*2 days of CPU, 31,252 messages[\s\S]*12\.34 USD beyond the plan’s share, 17\.50 USD/);
  assert.match(stdout, / 1 consumer +8 days\n +10 consumers +21 hours\n +50 consumers +4 hours\n +250 consumers +54 minutes/);
  assert.match(stdout, /filesPerCheckpoint 5: state, headers/);
  assert.deepEqual(worker.asked.at(-1).query, { archive: 'testnet', low: '64', high: '127', buckets: '1' });
  const [json] = jsonLines((await run(worker, ['estimate', '--skip-buckets', '--json'])).stdout);
  assert.deepEqual(json, { type: 'estimate', schema: 1, ...ESTIMATE });
  assert.deepEqual(worker.asked.at(-1).query, {});
  assert.equal(worker.asked.every(({ authorization }) => authorization === undefined), true, 'nobody needs a token to ask');
});

test('start: with the token of the environment or of a file, and says how to watch; the address stands for worker and id', async (t) => {
  const worker = await auditWorker(t);
  const file = join(await temporary(t), 'token');
  await writeFile(file, `${TOKEN}\n`);
  const first = await run(worker, ['start', 'testnet', '--consumers', '50'], withToken);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, new RegExp(`testnet · ledgers 1 to 64,000,063 · running\n +audit +${worker.url}audit/${ID}\n +checkpoints +250,000 of 1,000,001 \\(24 %\\), about 19 hours left`));
  assert.match(first.stdout, /42 in flight \(42 of 50 consumers\), 3 to be joined\n +5 retried, 2 halved, 1 given up, 4 duplicates, 6 lost/);
  assert.match(first.stderr, new RegExp(`to watch it: audit watch ${worker.url}audit/${ID}`));
  assert.deepEqual([worker.asked.at(-1).method, worker.asked.at(-1).path, worker.asked.at(-1).query], ['POST', '/audit', { archive: 'testnet', buckets: '1', consumers: '50' }]);
  const second = await cli(['audit', 'start', '--worker', worker.url, '--token-file', file, '--json'], { env: plain });
  assert.equal(second.status, 0, second.stderr);
  assert.equal(jsonLines(second.stdout)[0].address, `${worker.url}audit/${ID}`);
  const asked = await cli(['audit', 'status', `${worker.url}audit/${ID}`, '--json'], { env: plain });
  assert.deepEqual(jsonLines(asked.stdout), [{ type: 'audit', schema: 1, address: `${worker.url}audit/${ID}`, ...status() }]);
});

test('a token is never a word of the command line, never sent where it can be read, and never told', async (t) => {
  const worker = await auditWorker(t);
  const asArgument = await run(worker, ['start', '--token', TOKEN]);
  assert.equal(asArgument.status, 2);
  assert.match(asArgument.stderr, /no option --token\n.*Everybody on this machine sees.*--token-file/);
  const without = await run(worker, ['start']);
  assert.match(without.stderr, /token of whoever runs the worker\n.*STELLAR_ARCHIVE_AUDIT_TOKEN.*--token-file/);
  const far = await cli(['audit', 'start', '--worker', 'http://archives.example.org'], { env: { ...plain, ...withToken } });
  assert.equal(far.status, 2);
  assert.match(far.stderr, /readable on the way/);
  const wrong = await run(worker, ['cancel', ID], { STELLAR_ARCHIVE_AUDIT_TOKEN: 'not-this-one' });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /takes the token of whoever runs this worker[\s\S]*AUDIT_TOKEN/);
  const broken = await run(worker, ['start'], { STELLAR_ARCHIVE_AUDIT_TOKEN: 'two secretwords' });
  assert.match(broken.stderr, /no spaces/);
  for (const { stdout, stderr } of [without, far, wrong, broken]) assert.doesNotMatch(stdout + stderr, new RegExp(`${TOKEN}|not-this-one|secretwords`));
  assert.deepEqual(worker.asked.map(({ method }) => method), ['POST'], 'only the wrong one went anywhere');
  assert.equal(worker.status.state, 'running');
});

test('pause, resume and cancel say how it stands then; what is over is past that', async (t) => {
  const worker = await auditWorker(t);
  for (const [action, words] of [['pause', /paused: on request/], ['resume', /· running\n/], ['cancel', /cancelled: on request/]]) {
    const { status: code, stdout, stderr } = await run(worker, [action, ID], withToken);
    assert.equal(code, 0, stderr);
    assert.match(stdout, words);
  }
  const late = await run(worker, ['resume', ID], withToken);
  assert.equal(late.status, 2);
  assert.match(late.stderr, /The audit is past that/);
});

for (const [verdict, code] of [['verified', 0], ['faulty', 1], ['incomplete', 2]]) {
  test(`watch and report end with the report and, where it is ${verdict}, with ${code}`, { skip: noSample }, async (t) => {
    const worker = await auditWorker(t);
    worker.report = await reportOf(t, verdict);
    const file = join(await temporary(t), 'report.json');
    const { until, ended } = watching(t, worker, ['--report', file, '--json']);
    await until('stdout', /"state":"running"/);
    await worker.times(2);
    worker.status = status({ state: 'done', verdict, checkpoints: { done: 1_000_001, total: 1_000_001 }, etaSeconds: null });
    const { status: ended1, stdout } = await ended;
    assert.equal(ended1, code);
    const lines = jsonLines(stdout);
    assert.deepEqual(lines.map(({ type, state }) => state ?? type), ['running', 'done', 'report'], 'only what is new');
    assert.deepEqual(lines.at(-1).report, worker.report);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), worker.report);
    const report = await run(worker, ['report', ID]);
    assert.equal(report.status, code);
    assert.match(report.stdout, new RegExp(`${verdict.toUpperCase()}  `));
    assert.match(report.stdout, /✓ chain:/);
  });
}

for (const [state, reason] of [['cancelled', 'on request'], ['failed', 'the part does not fit']]) {
  test(`watch of an audit that was ${state} ends with 2 and the reason, and asks for no report`, async (t) => {
    const worker = await auditWorker(t);
    worker.status = status({ state, reason });
    const { status: code, stdout } = await run(worker, ['watch', ID]);
    assert.equal(code, 2);
    assert.match(stdout, new RegExp(`${state}: ${reason}`));
    assert.deepEqual(worker.asked.map(({ path }) => path), [`/audit/${ID}`]);
  });
}

test('Ctrl-C while watching leaves the audit running, and says so', async (t) => {
  const worker = await auditWorker(t);
  const { child, until, ended } = watching(t, worker, ['--json']);
  await until('stdout', /"state":"running"/);
  child.kill('SIGINT');
  const { status: code, stderr } = await ended;
  assert.equal(code, 2);
  assert.match(stderr, /no longer watching; nothing changes for the audit/);
  assert.match(stderr, new RegExp(`the audit is running there; to look again: audit watch ${worker.url}audit/${ID}`));
  assert.equal(worker.status.state, 'running');
  assert.ok(worker.asked.every(({ method }) => method === 'GET'));
});

test('a worker that falls silent while one watches is asked again, and what goes on meanwhile is told', { skip: noSample }, async (t) => {
  const worker = await auditWorker(t);
  worker.report = await reportOf(t, 'verified');
  const { until, ended } = watching(t, worker);
  await until('stderr', /watching testnet, 250,000 of 1,000,001 checkpoints/);
  worker.status = status({ state: 'paused', reason: 'the archive has not answered since noon' });
  await until('stderr', /paused: the archive has not answered since noon/);
  worker.refuses = () => 'silence';
  await until('stderr', /127\.0\.0\.1:\d+ does not answer\. It is asked again, for 10 minutes/);
  worker.status = status({ state: 'done', verdict: 'verified' });
  worker.refuses = () => undefined;
  await until('stderr', /answers again/);
  assert.equal((await ended).status, 0);
});

test('watching ends where the worker is silent for longer than --timeout-secs; one that never answered is not waited for', async (t) => {
  const worker = await auditWorker(t);
  const { until, ended } = watching(t, worker, ['--timeout-secs', '1', '--json']);
  await until('stdout', /running/);
  worker.refuses = () => 'silence';
  const { status: code, stdout, stderr } = await ended;
  assert.equal(code, 2);
  assert.equal(jsonLines(stdout).at(-1).code, 'TIMEOUT');
  assert.match(stderr, /has not answered for 1 second\n.*audit may well go on there/);
  const never = await run(worker, ['watch', ID]);
  assert.equal(never.status, 2);
  assert.match(never.stderr, /does not answer/);
});

test('list: those of the worker, the newest first as it gives them, with what each came to', async (t) => {
  const worker = await auditWorker(t);
  assert.match((await run(worker, ['list'])).stdout, /^no audit was begun there yet\n$/);
  worker.list = [{ ...status({ state: 'done', verdict: 'faulty' }), checkpoints: 5 }, { ...status({ id: 'f'.repeat(32), archive: 'evil\u001b[2J' }), checkpoints: 7 }];
  const { stdout } = await run(worker, ['list']);
  assert.match(stdout, new RegExp(`^${ID}  testnet +ledgers 1 to 64,000,063  faulty   2026-11-01T10:00:00.000Z\nf{32}  evil +\\[2J +ledgers 1 to 64,000,063  running`));
  assert.ok(!stdout.includes('\u001b'));
  assert.deepEqual(jsonLines((await run(worker, ['list', '--json'])).stdout)[0].audits.map(({ id }) => id), [ID, 'f'.repeat(32)]);
});

test('what is refused, and by whom, in words', async (t) => {
  const worker = await auditWorker(t);
  const says = async (words, pattern, env) => {
    const { status: code, stderr } = await run(worker, words, env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, pattern);
  };
  await says(['status', 'a'.repeat(32)], /There is no such audit[\s\S]*audit list/);
  await says(['status', 'nonsense'], /"nonsense" is no audit\n.*32 hexadecimal digits/);
  await says(['status'], /audit status needs an audit/);
  await says(['strat'], /Did you mean audit start\?/);
  await says([], /estimate, start, status, watch, pause, resume, cancel, report, list/);
  await says(['list', '--consumers', '3'], /audit list takes no --consumers/);
  await says(['estimate', '--low', '64'], /--low and --high together/);
  await says(['report', ID], /There is no report yet[\s\S]*audit watch waits for it/);
  await says(['list'], /--worker URL, or set STELLAR_ARCHIVE_WORKER/, { STELLAR_ARCHIVE_WORKER: '' });
  await says(['list', '--worker', 'ftp://example.org'], /takes the address of an edge worker/);
  worker.refuses = () => 'not-enabled';
  await says(['start'], /does not do that[\s\S]*Whoever runs the worker sets it up/, withToken);
  for (const answer of [{ body: '<html>' }, { body: '[]' }, { status: 404, body: 'nothing' }, { body: JSON.stringify({ ...status(), state: 'dancing' }) }, { body: JSON.stringify({ ...status(), id: 'b'.repeat(32) }) }, { body: `"${'x'.repeat(2 << 20)}"` }]) {
    worker.refuses = () => answer;
    await says(['status', ID], /no edge worker of this verifier/);
  }
  worker.refuses = () => ({ status: 302, headers: { location: 'https://example.org/' } });
  await says(['status', ID], /pointing to another address/);
});

test('how often one looks: soon while things change, seldom while nothing does or nobody answers, and as a worker that has enough wishes', async () => {
  const entry = fileURLToPath(new URL('../../www/lib/audit-client.ts', import.meta.url));
  const { output } = await build({ configFile: false, logLevel: 'error', build: { ssr: entry, write: false, rollupOptions: { output: { entryFileNames: 'module.mjs' } } } });
  const { nextLookMs, workerAddress } = await import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`);
  assert.equal(nextLookMs('running', 0, 0, 0), 2000);
  assert.equal(nextLookMs('running', 30, 0, 0), 15_000);
  assert.equal(nextLookMs('paused', 0, 0, 0), 5000);
  assert.equal(nextLookMs('paused', 30, 0, 0), 60_000);
  assert.deepEqual([1, 2, 3, 10].map((failures) => nextLookMs('running', 0, failures, 0)), [2000, 4000, 8000, 60_000]);
  assert.equal(nextLookMs('running', 0, 1, 90_000), 90_000);
  assert.equal(nextLookMs('running', 0, 1, 9e9), 600_000);
  const at = (text) => {
    const found = workerAddress(text);
    return found === null ? null : [found.worker.href, found.audit];
  };
  assert.deepEqual(at(' archives.example.org '), ['https://archives.example.org/', null]);
  assert.deepEqual(at('localhost:8787/status?x#y'), ['http://localhost:8787/status/', null]);
  assert.deepEqual(at(`https://archives.example.org/audit/${ID}/report`), ['https://archives.example.org/', ID]);
  assert.deepEqual(at('https://archives.example.org/audits'), ['https://archives.example.org/', null]);
  for (const none of ['', 'a b', 'ftp://x.org', 'https://user:secret@x.org', 'javascript:alert(1)', 'nonsense']) assert.equal(at(none), null, none);
});

test('over the real worker, in Cloudflare’s runtime: estimated, begun, watched to the report of a local run', { skip: noSample, timeout: 180_000 }, async (t) => {
  const { auditBindings } = await import('../../pkg-config/edge.mjs');
  const { edge, upstream } = await import('../edge/support.mjs');
  const site = await upstream(t, { sample: SAMPLE });
  const worker = await edge(t, [site.archive('sample')], { AUDIT_TOKEN: TOKEN, AUDIT_CHECKPOINTS: '1' }, auditBindings());
  const estimate = await run(worker, ['estimate']);
  assert.equal(estimate.status, 0, estimate.stderr);
  assert.match(estimate.stdout, /sample · ledgers 1 to 319 · 5 checkpoints in 5 parts/);
  const refused = await run(worker, ['start'], { STELLAR_ARCHIVE_AUDIT_TOKEN: 'another-token-than-that' });
  assert.match(refused.stderr, /token/);
  const started = await run(worker, ['start', 'sample', '--consumers', '3', '--json'], withToken);
  assert.equal(started.status, 0, started.stderr);
  const [{ id, address }] = jsonLines(started.stdout);
  const paused = await run(worker, ['pause', address, '--json'], withToken);
  if (paused.status === 0) {
    assert.equal(jsonLines(paused.stdout)[0].state, 'paused');
    assert.equal((await run(worker, ['resume', id], withToken)).status, 0);
  } else assert.match(paused.stderr, /past that/, 'it may be over already');
  const watched = await run(worker, ['watch', id, '--json']);
  assert.equal(watched.status, 0, watched.stderr);
  const { report } = jsonLines(watched.stdout).at(-1);
  const local = await cli(['verify', `${site.url}/sample`, '--json']);
  const { report: own } = jsonLines(local.stdout).at(-1);
  assert.deepEqual([report.verdict, report.statement, report.totals, report.findings], [own.verdict, own.statement, own.totals, own.findings]);
  assert.deepEqual(Object.keys(timeless(report)), Object.keys(timeless(own)));
  assert.match((await run(worker, ['list'])).stdout, new RegExp(`^${id}  sample +ledgers 1 to 319  verified`));
});

test('whatever a worker says in the place of a report or a problem, it moves no cursor, and is no crash', { skip: noSample }, async (t) => {
  const worker = await auditWorker(t);
  const { report } = jsonLines((await cli(['verify', SAMPLE, '--json'])).stdout).at(-1);
  const evil = '\u001b[2J\u001b]0;all is well\u0007\u009b31m\u202e\nVERIFIED';
  worker.status = status({ state: 'done', verdict: 'verified' });
  const said = {
    ...report, statement: evil, totals: { ...report.totals, ledger: { verified: evil, faulty: 0, unchecked: 0 } }, claims: [{ claim: evil, status: 'verified', statement: evil }],
    errors: [{ code: evil, archive: evil, message: evil, advice: evil }], findings: [{ code: evil, severity: 'error', archive: evil, path: evil, ledger: evil, message: evil, advice: evil }],
  };
  worker.report = said;
  for (const json of [[], ['--json']]) {
    const { stdout, stderr } = await cli(['audit', 'report', ID, '--worker', worker.url, ...json]);
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|^VERIFIED\s*$/m);
    // JSON says what was said all the same.
    if (json.length > 0) assert.deepEqual(jsonLines(stdout).at(-1).report, said);
  }
  worker.report = { ...report, findings: [{}], meaning: {} };
  const odd = await cli(['audit', 'report', ID, '--worker', worker.url]);
  assert.equal(odd.status, 2);
  assert.match(odd.stderr, /not of a form that can be shown/);
  for (const problem of ['constructor', '__proto__', 'toString']) {
    worker.refuses = () => ({ status: 404, body: JSON.stringify({ type: `urn:stellar-archive-verifier:problem:${problem}`, title: 'No', status: 404, detail: 'no' }), headers: { 'content-type': 'application/problem+json' } });
    const { status: exit, stderr } = await cli(['audit', 'status', ID, '--worker', worker.url]);
    assert.equal(exit, 2, stderr);
    assert.doesNotMatch(stderr, /TypeError|crashed/);
  }
});
