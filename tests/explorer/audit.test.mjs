/** Audits of whole archives by somebody's worker: asked by a person only, estimated, begun, watched, steered, to the report; and what can go wrong. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test as nodeTest } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ID, TOKEN, auditWorker, status } from '../audit-worker.mjs';
import { deadAddress, setUp } from './support.mjs';

const inRepository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const sample = inRepository('target/sample-archive');
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const WAIT = { timeout: 30_000 };
const test = (name, body) => nodeTest(name, { timeout: 120_000 }, body);

let stage;
let report;
before(async () => {
  stage = await setUp({ sample });
  const folder = mkdtempSync(join(tmpdir(), 'explorer-audit-'));
  execFileSync(process.execPath, [inRepository('dist/cli.mjs'), 'verify', sample, '--report', join(folder, 'report.json'), '-q']);
  report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
  rmSync(folder, { recursive: true });
});
after(() => stage?.tearDown());

const plain = (text) => text.replace(/[\u202f\u00a0]/g, ' ').replace(/\s+/g, ' ').trim();
/** As people see it. */
const textOf = async (tab, selector) => plain(await tab.innerText(selector));
const linkTo = (worker, id = '') => `#worker=${worker.url}&audit=${id}`;
const done = (change = {}) => status({ state: 'done', verdict: 'verified', range: { low: 1, high: 319 }, checkpoints: { done: 5, total: 5 }, etaSeconds: null, buckets: { open: 0 }, ...change });
/** The figures of a list by their labels. */
const figures = (tab, list) => tab.locator(`${list} > div`).evaluateAll((rows) => Object.fromEntries(rows.map((row) => [...row.children].map(({ textContent }) => textContent.replace(/[\u202f\u00a0]/g, ' ')))));

async function axeClean(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`), []);
}

test('from the form to a running audit: nobody is asked before a person does, the estimate comes first, the token stays in memory', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open();
  const { tab, requests } = opened;
  await tab.waitForSelector('#known:enabled');
  await tab.click('#audit');
  await tab.waitForSelector('#worker');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'audit-title');
  assert.match(await textOf(tab, '.audit-about'), /What you enter here goes to that worker, and what it reports is its word/);
  await tab.click('#ask-worker');
  assert.match(await textOf(tab, '#worker-fault'), /Give the address/);
  await tab.fill('#worker', worker.url);
  assert.deepEqual(worker.asked, []);
  await tab.press('#worker', 'Enter');
  await tab.waitForSelector('#audit-ask', WAIT);
  assert.deepEqual(await tab.locator('#audit-archive option').allTextContents(), ['testnet – history.example.org/testnet', 'pubnet – history.example.org/pubnet']);
  await tab.selectOption('#audit-archive', 'pubnet');
  await tab.fill('#audit-low', '0x40');
  assert.match(await textOf(tab, '#audit-high-fault'), /Give both, or neither/);
  assert.equal(await tab.isDisabled('#audit-start'), true);
  await tab.fill('#audit-high', '1 000');
  await tab.fill('#audit-consumers', '50');
  await tab.click('#audit-ask');
  await tab.waitForSelector('#audit-estimate', WAIT);
  assert.deepEqual(worker.asked.at(-1).query, { archive: 'pubnet', low: '64', high: '1000', buckets: '1' });
  const said = await figures(tab, '#audit-estimate .audit-figures');
  assert.deepEqual(said, {
    'Checkpoints': '1 000 001', 'Requests': '13 000 013', 'Downloads': '6.37 TiB', 'CPU': '66 h 6 min', 'Messages': '31 252', 'Costs': '12.34 USD',
    '1 consumer': '9 days', '10 consumers': '21 h', '50 consumers': '4 h', '250 consumers': '54 min',
  });
  await tab.click('#audit-estimate summary');
  assert.match(await textOf(tab, '#audit-estimate'), /pays 12\.34 USD beyond what the plan includes, 17\.50 USD.*What this assumes filesPerCheckpoint 5/);
  await tab.check('#audit-skip');
  assert.equal(await tab.locator('#audit-estimate').count(), 0, 'another wish has no estimate yet');
  await tab.fill('#audit-token', TOKEN);
  await tab.click('#audit-start');
  await tab.waitForSelector('[data-state="running"]', WAIT);
  const post = worker.asked.find(({ method }) => method === 'POST');
  assert.deepEqual([post.path, post.query, post.authorization], ['/audit', { archive: 'pubnet', low: '64', high: '1000', consumers: '50' }, `Bearer ${TOKEN}`]);
  assert.match(await tab.evaluate(() => location.hash), new RegExp(`worker=http://127.0.0.1:\\d+/&audit=${ID}$`));
  const kept = await tab.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie, document.body.outerHTML]));
  assert.ok(!kept.includes(TOKEN));
  assert.ok(worker.asked.every(({ referer, cookie }) => referer === undefined && cookie === undefined));
  assert.ok(requests.every((url) => url.startsWith(stage.site.url) || url.startsWith(worker.url) || url.startsWith('blob:')), requests.join(' '));
  await tab.goBack();
  await tab.waitForSelector('#audit-ask', WAIT);
  await tab.goBack();
  await tab.goBack();
  await tab.waitForSelector('#start:visible');
  await opened.close();
});

test('a link shows how far an audit is in numbers and words, asks with the tag it has, and ends with the report', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open({ hash: linkTo(worker, ID) });
  const { tab } = opened;
  await tab.waitForSelector('[data-state="running"]', WAIT);
  assert.equal(await textOf(tab, '.subject-archive'), 'testnet, ledgers 1 to 64 000 063');
  assert.deepEqual(await figures(tab, '.progress .audit-figures'), {
    'Time left': 'about 20 h', 'Open buckets': '17', 'In flight': '42', 'To be joined': '3', 'Consumers': '42 of 50', 'Requests': '3 250 000', 'Downloaded': '1.59 TiB',
    'Findings': '0', 'Retried': '5', 'Halved': '2', 'Given up': '1', 'Duplicates': '4', 'Lost': '6', 'Under way for': '6 h 30 min',
  });
  assert.equal(await tab.getAttribute('.progress progress', 'value'), '250000');
  assert.match(await tab.title(), /^Running 24 %, audit of testnet/);
  assert.match(await textOf(tab, '#announcer'), /Running: 20 percent, 250 000 of 1 000 001 checkpoints/);
  await worker.times(2);
  const looks = worker.asked.filter(({ path }) => path === `/audit/${ID}`);
  assert.equal(looks[0].tag, undefined);
  assert.match(looks[1].tag, /^W\/"/);
  worker.report = { ...report, verdict: 'verified' };
  worker.status = done();
  await tab.waitForSelector('[data-verdict="verified"]', WAIT);
  assert.match(await textOf(tab, '.audit'), /This is what 127\.0\.0\.1:\d+ says\. Nothing of it was verified in this tab/);
  assert.match(await textOf(tab, '.audit .snippet'), new RegExp(`STELLAR_ARCHIVE_WORKER=\\S+ node dist/cli.mjs audit report ${ID}`));
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('#download')]);
  assert.deepEqual(JSON.parse(readFileSync(await download.path(), 'utf8')), report);
  assert.equal(await tab.locator('#audit-token').count(), 0, 'there is nothing to steer any more');
  const count = worker.asked.length;
  await tab.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  assert.equal(worker.asked.length, count, 'what is over is not asked after');
  await opened.close();
});

test('pause, resume and cancel take the token; a wrong one changes nothing and is said at its field; cancelling is asked twice', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open({ hash: linkTo(worker, ID) });
  const { tab } = opened;
  await tab.waitForSelector('#audit-first', WAIT);
  await tab.click('#audit-first');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'audit-token', 'without one it is asked for');
  await tab.fill('#audit-token', 'another');
  await tab.click('#audit-first');
  await tab.waitForSelector('[data-worker-error="not-allowed"]');
  assert.equal(worker.status.state, 'running');
  assert.equal(await tab.getAttribute('#audit-token', 'aria-invalid'), 'true');
  await tab.fill('#audit-token', TOKEN);
  await tab.press('#audit-first', 'Enter');
  await tab.waitForSelector('[data-state="paused"]');
  assert.equal(await tab.locator('[data-worker-error]').count(), 0);
  assert.match(await textOf(tab, '[data-state]'), /Paused On request\. Nothing is sent any more/);
  await tab.getByRole('button', { name: 'Resume' }).press('Enter');
  await tab.waitForSelector('[data-state="running"]');
  await tab.press('#audit-cancel', 'Enter');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'audit-sure');
  await tab.getByRole('button', { name: 'Keep it' }).click();
  assert.equal(worker.status.state, 'running');
  await tab.click('#audit-cancel');
  await tab.click('#audit-sure');
  await tab.waitForSelector('[data-state="cancelled"]');
  assert.match(await textOf(tab, '#announcer'), /The audit is cancelled: on request/);
  await opened.close();
});

test('paused by an outage of the archive, and failed: the reason, and what to do', async (t) => {
  const worker = await auditWorker(t);
  worker.status = status({ state: 'paused', reason: 'the archive has not answered since 2026-11-01T16:30:00.000Z', etaSeconds: null });
  const opened = await stage.open({ hash: linkTo(worker, ID) });
  const { tab } = opened;
  await tab.waitForSelector('[data-state="paused"]', WAIT);
  assert.match(await textOf(tab, '[data-state]'), /The archive has not answered since 2026-11-01 16:30 UTC\. It waits until it is resumed: see first whether the archive answers/);
  await tab.fill('#audit-token', TOKEN);
  worker.refuses = (method) => (method === 'POST' ? 'audit-over' : undefined);
  worker.status = status({ state: 'failed', reason: 'the part does not fit' });
  await tab.click('#audit-first');
  await tab.waitForSelector('[data-worker-error="audit-over"], [data-state="failed"]');
  await tab.waitForSelector('[data-state="failed"]', WAIT);
  assert.match(await textOf(tab, '[data-state]'), /Failed The part does not fit\. It cannot go on/);
  await opened.close();
});

test('a worker that falls silent is asked less and less, keeps what was known, and “Ask now” asks at once', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open({ hash: linkTo(worker, ID), prepare: (context) => context.clock.install() });
  const { tab } = opened;
  await tab.waitForSelector('[data-state="running"]', WAIT);
  worker.refuses = () => 'silence';
  await tab.clock.runFor(2000);
  await tab.waitForSelector('[data-worker-error="unreachable"]', WAIT);
  assert.match(await textOf(tab, '[data-worker-error]'), /curl -sS -i.*What is below is as it was at.*asked again by itself, in 2 seconds/);
  assert.match(await textOf(tab, '.subject-archive'), /^testnet/);
  for (const seconds of [4, 8, 16, 32, 60]) {
    const count = worker.asked.length;
    await tab.clock.runFor(seconds * 500 - 500);
    assert.equal(worker.asked.length, count, `not within ${seconds / 2} seconds`);
    await tab.clock.runFor(1000 + (seconds === 60 ? 30_000 : 0));
    await tab.waitForFunction((words) => document.querySelector('[data-worker-error]')?.textContent.replaceAll('\u00a0', ' ').includes(words), `in ${seconds} seconds`, WAIT);
  }
  worker.refuses = () => undefined;
  await tab.click('#audit-look');
  await tab.waitForSelector('[data-worker-error]', { state: 'detached', ...WAIT });
  assert.match(await textOf(tab, '#announcer'), /answers again/);
  await opened.close();
});

test('a tab that nobody sees asks once a minute, and at once when it is seen again', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open({ hash: linkTo(worker, ID), prepare: (context) => context.clock.install() });
  const { tab } = opened;
  const hide = (hidden) => tab.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  const asked = async (count) => {
    await worker.times(count);
    // The answer has to be taken in before time goes on.
    await tab.evaluate(async () => { for (let turn = 0; turn < 50; turn += 1) await new Promise((next) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = next; port2.postMessage(0); }); });
    assert.equal(worker.asked.length, count);
  };
  await tab.waitForSelector('[data-state="running"]', WAIT);
  await hide(true);
  await tab.clock.runFor(2000);
  await asked(2);
  await tab.clock.runFor(50_000);
  await asked(2);
  await tab.clock.runFor(11_000);
  await asked(3);
  await hide(false);
  await asked(4);
  await opened.close();
});

test('nobody there, somebody else, an older worker, audits that are not set up: each in its words', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open({ hash: `#worker=${await deadAddress()}&audit=` });
  const { tab } = opened;
  await tab.waitForSelector('[data-worker-error="unreachable"]', WAIT);
  assert.match(await textOf(tab, '[data-worker-error]'), /The worker does not answer.*curl -sS -i http:/);
  const at = async (kind) => {
    await tab.fill('#worker', worker.url);
    await tab.click('#ask-worker');
    await tab.waitForSelector(`[data-worker-error="${kind}"]`, WAIT);
    return textOf(tab, `[data-worker-error="${kind}"]`);
  };
  worker.refuses = () => ({ body: '<html>', headers: { 'content-type': 'text/html' } });
  assert.match(await at('stranger'), /No edge worker answers there/);
  worker.refuses = () => undefined;
  const { about } = worker;
  worker.about = { ...about, endpoints: { '/verify': '' } };
  await tab.click('[data-again]');
  await tab.waitForFunction(() => /earlier version, which knows nothing of audits/.test(document.querySelector('[data-worker-error]')?.textContent ?? ''), undefined, WAIT);
  worker.about = about;
  worker.refuses = (method, path) => (path === '/audits' ? 'configuration' : method === 'POST' ? 'not-enabled' : undefined);
  assert.match(await at('configuration'), /Audits are not set up there.*Whoever runs the worker sets that up/);
  await tab.fill('#audit-token', TOKEN);
  await tab.press('#audit-token', 'Enter');
  await tab.waitForSelector('[data-worker-error="not-enabled"]');
  worker.refuses = (method, path) => (path === '/audit/estimate' ? 'archive-unreachable' : undefined);
  await tab.click('#audit-ask');
  await tab.waitForSelector('[data-worker-error="archive-unreachable"]');
  assert.match(await textOf(tab, '[data-worker-error="archive-unreachable"]'), /The worker refuses The archive does not answer/);
  await opened.close();
});

test('links that are broken, of an unknown audit, or to a worker that a page cannot reach safely: nothing is sent', async (t) => {
  const worker = await auditWorker(t);
  const opened = await stage.open({ hash: linkTo(worker, 'a'.repeat(32)) });
  const { tab, requests } = opened;
  await tab.waitForSelector('[data-worker-error="audit-unknown"]', WAIT);
  assert.match(await textOf(tab, '[data-worker-error]'), /no such audit there.*Look whether the link came whole/);
  await tab.goto(`${stage.site.url}#worker=http://archives.example.org/&audit=`);
  await tab.waitForSelector('#worker-fault', WAIT);
  assert.match(await textOf(tab, '#worker-fault'), /https:\/\//);
  await tab.goto(`${stage.site.url}#worker=javascript:alert(1)&audit=${ID}`);
  assert.match(await textOf(tab, '.audit > .fault'), /names no worker/);
  await tab.goto(`${stage.site.url}#worker=${worker.url}&audit=nonsense`);
  assert.match(await textOf(tab, '.audit > .fault'), /names no audit/);
  assert.ok(requests.every((url) => url.startsWith(stage.site.url) || url.startsWith(worker.url) || url.startsWith('blob:')));
  await opened.close();
});

test('the address of an audit may be pasted; workers are remembered here until they are forgotten', async (t) => {
  const worker = await auditWorker(t);
  worker.list = [{ ...done(), checkpoints: 5 }, { ...status({ id: 'f'.repeat(32), archive: 'other', state: 'paused' }), checkpoints: 7 }];
  const opened = await stage.open({ hash: '#audit=' });
  const { tab } = opened;
  await tab.fill('#worker', `${worker.url}audit/${ID}`);
  await tab.press('#worker', 'Enter');
  await tab.waitForSelector('[data-state="running"]', WAIT);
  await tab.getByRole('link', { name: 'Other audits there' }).click();
  await tab.waitForSelector('.audit-entry', WAIT);
  assert.match(await textOf(tab, '.audit-entry:first-child'), /testnet, ledgers 1 to 319 ?verified ?5 checkpoints, begun 2026-11-01 10:00 UTC/);
  assert.match(await textOf(tab, '.audit-entry:last-child'), /other.*paused.*still there to go on/);
  await tab.click('.audit-entry:first-child a');
  await tab.waitForSelector('[data-state="running"]', WAIT);
  assert.equal(await tab.evaluate(() => localStorage.getItem('workers-used')), JSON.stringify([worker.url]));
  await tab.goto(`${stage.site.url}#audit=`);
  await tab.reload();
  await tab.getByRole('button', { name: /^Forget 127/ }).click();
  assert.equal(await tab.evaluate(() => localStorage.getItem('workers-used')), null);
  assert.equal(await tab.locator('.worker-used').count(), 0);
  await opened.close();
});

test('a report of another form is no blank page, and can be saved; one with findings leads on to a repair', async (t) => {
  const worker = await auditWorker(t);
  const finding = { code: 'hash-mismatch', severity: 'error', archive: 'https://history.example.org/testnet', path: 'ledger/00/00/00/ledger-0000003f.xdr.gz', checkpoint: 63, message: 'the hash is another', advice: 'replace the file', expected: 'a'.repeat(64), actual: 'b'.repeat(64) };
  worker.status = done({ verdict: 'faulty', findings: 1 });
  worker.report = { ...report, verdict: 'faulty', findings: [{}] };
  const opened = await stage.open({ hash: linkTo(worker, ID) });
  const { tab } = opened;
  await tab.waitForSelector('[data-worker-error="report"]', WAIT);
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('[data-worker-error="report"] button')]);
  assert.deepEqual(JSON.parse(readFileSync(await download.path(), 'utf8')).findings, [{}]);
  worker.report = { schema: 2 };
  await tab.reload();
  await tab.waitForSelector('[data-worker-error="stranger"] #audit-report', WAIT);
  worker.report = { ...report, verdict: 'faulty', archives: [finding.archive], findings: [finding] };
  await tab.click('#audit-report');
  await tab.waitForSelector('[data-verdict="faulty"]', WAIT);
  assert.match(await textOf(tab, '.finding'), /hash-mismatch.*The hash is another/);
  await tab.click('#repair-this');
  await tab.waitForSelector('.copy', WAIT);
  assert.equal(await tab.evaluate(() => /audit=/.test(location.hash)), false);
  await opened.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe, ${colorScheme}, wide and at 320 pixels, without scrolling sideways: before, under way, refused, done`, async (t) => {
    const worker = await auditWorker(t);
    worker.list = [{ ...done(), checkpoints: 5 }];
    const opened = await stage.open({ hash: linkTo(worker), colorScheme });
    const { tab } = opened;
    const clean = async () => {
      for (const width of [1280, 320]) {
        await tab.setViewportSize({ width, height: 700 });
        await axeClean(tab);
        assert.ok((await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
      }
    };
    await tab.waitForSelector('#audit-ask', WAIT);
    await tab.click('#audit-ask');
    await tab.waitForSelector('#audit-estimate');
    await tab.fill('#audit-token', 'wrong');
    await tab.click('#audit-start');
    await tab.waitForSelector('[data-worker-error]');
    await clean();
    await tab.goto(`${stage.site.url}${linkTo(worker, ID)}`);
    await tab.waitForSelector('[data-state="running"]', WAIT);
    await tab.click('.progress summary');
    await clean();
    worker.report = report;
    worker.status = done();
    await tab.waitForSelector('[data-verdict]', WAIT);
    await clean();
    await opened.close();
  });
}

nodeTest('over the real worker, in Cloudflare’s runtime: from its address to the verdict, by the page alone', { timeout: 180_000 }, async (t) => {
  const { auditBindings } = await import('../../pkg-config/edge.mjs');
  const { edge, upstream } = await import('../edge/support.mjs');
  const site = await upstream(t, { sample });
  const worker = await edge(t, [site.archive('sample')], { AUDIT_TOKEN: TOKEN, AUDIT_CHECKPOINTS: '1' }, auditBindings());
  const opened = await stage.open({ hash: '#audit=' });
  const { tab } = opened;
  await tab.fill('#worker', worker.url);
  await tab.press('#worker', 'Enter');
  await tab.waitForSelector('#audit-ask', WAIT);
  await tab.click('#audit-ask');
  await tab.waitForSelector('#audit-estimate', WAIT);
  assert.match(await textOf(tab, '#audit-estimate'), /Ledgers 1 to 319/);
  await tab.fill('#audit-token', 'not-the-token-of-it');
  await tab.click('#audit-start');
  await tab.waitForSelector('[data-worker-error="not-allowed"]', WAIT);
  await tab.fill('#audit-token', TOKEN);
  await tab.click('#audit-start');
  await tab.waitForSelector('.progress', WAIT);
  await tab.waitForSelector('[data-verdict="verified"]', { timeout: 120_000 });
  assert.equal((await figures(tab, '.progress .audit-figures'))['Open buckets'], '0');
  assert.match(await textOf(tab, '.totals'), /Buckets ?63 ?0 ?0/);
  await tab.getByRole('link', { name: 'Other audits there' }).click();
  await tab.waitForSelector('.audit-entry', WAIT);
  assert.match(await textOf(tab, '.audit-entry'), /sample, ledgers 1 to 319 ?verified/);
  await opened.close();
});
