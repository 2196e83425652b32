/** What the page says when something is missing: the verifier, the network, a permission, room; and what one can do then. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { archiveOfOneCheckpoint, archiveServer, fillStorage, NOT_STARTED, overHttps, sample, startAndReach } from './conditions.mjs';
import { deadAddress, link, linkToAll, playing, setUp } from './support.mjs';

const GOOD = 'https://good.example.org/core_001/';
const LIAR = 'https://lies.example.org/core_002/';

let stage;
let single;
before(async () => {
  single = archiveOfOneCheckpoint();
  stage = await setUp({ sample, single: single.dir });
});
after(async () => {
  await stage?.tearDown();
  single?.remove();
});

const announced = (tab, wanted) => tab.waitForFunction((text) => document.getElementById('announcer').textContent.includes(text), wanted);
const run = promisify(execFile);

describe('the first visit', () => {
  test('says what the page does, and one click verifies the sample', async () => {
    const opened = await stage.open();
    const { tab } = opened;
    assert.match(await tab.textContent('.welcome'), /whole and unaltered\?.*Start check/);
    await tab.click('#try:enabled');
    await tab.waitForSelector('[data-verdict="verified"]');
    assert.equal(await tab.locator('.welcome').count(), 0);
    assert.match(new URL(tab.url()).hash, /archive=.*sample/);
    await opened.close();
  });

  test('a list of archives beside the page may name them relative to it', async () => {
    const opened = await stage.open({
      prepare: (context) => context.route('**/archives.json', (route) => route.fulfill({ json: [{ name: 'Sample archive', url: './archive/sample/' }] })),
    });
    await opened.tab.waitForFunction(() => document.getElementById('archive').value === '/archive/sample/');
    await opened.close();
  });

  test('without a sample there is no button for it, and nothing moves when it is known', async () => {
    const opened = await stage.open({ prepare: (context) => context.route('**/archives.json', (route) => route.fulfill({ status: 404, body: '' })) });
    await opened.tab.waitForSelector('#known:enabled');
    assert.equal(await opened.tab.isVisible('#try'), false);
    await opened.close();
  });
});

describe('the verifier', () => {
  for (const [cause, ways] of Object.entries(NOT_STARTED)) {
    for (const { what, prepare, says, refuses } of ways) {
      test(`${what}: why, what to do, and the command that does the same`, async () => {
        const opened = await stage.open({ hash: link({ archive: '/archive/sample/', low: '1', high: '64' }), prepare });
        const alert = opened.tab.locator('[role="alert"]');
        await alert.locator(`[data-cause="${cause}"]`).waitFor();
        assert.match(await alert.textContent(), says);
        assert.match(await alert.textContent(), /node dist\/cli\.mjs verify http:\S+\/archive\/sample\/ --low 1 --high 64/);
        assert.ok(await opened.tab.isDisabled('#start'));
        if (refuses) opened.problems.length = 0;
        await (refuses ? opened.context.close() : opened.close());
      });
    }
  }

  test('one that is still on its way does not keep a check from being started: it says that it waits, and then begins', async () => {
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    const opened = await stage.open({
      hash: link({ archive: '/archive/sample/' }),
      prepare: (context) => context.route('**/*.wasm', async (route) => {
        await held;
        await route.continue();
      }),
    });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('#not-yet');
    release();
    await tab.waitForSelector('[data-verdict="verified"]');
    assert.equal(await tab.locator('#not-yet').count(), 0);
    await opened.close();
  });

  test('one that crashes keeps what was seen, says that the archive is not to blame, and goes on from there', async () => {
    const opened = await stage.open({ prepare: playing({ crashAt: 33 }), hash: linkToAll([LIAR, GOOD]) });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('#resume');
    assert.match(await tab.textContent('.verdict'), /says nothing about the archive.*kept below/s);
    assert.match(await tab.textContent('.legend'), /33\D+verified/);
    assert.ok(await tab.locator('.finding').count() > 0);
    await tab.click('#resume');
    await tab.waitForSelector('[data-verdict]');
    await opened.close();
  });
});

describe('without a network', () => {
  test('a page that is open says what still works, and that the network is back', async () => {
    const opened = await stage.open({ hash: link({ archive: '/archive/sample/' }) });
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    await opened.context.setOffline(true);
    await tab.waitForSelector('[data-offline]');
    await announced(tab, 'offline');
    assert.match(await tab.textContent('[data-offline]'), /folders of this computer, proofs/);
    await opened.context.setOffline(false);
    await tab.waitForSelector('[data-offline]', { state: 'detached' });
    await announced(tab, 'back');
    await opened.close();
  });

  test('a check waits where it was, and goes on by itself', async () => {
    const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
    const { tab } = opened;
    await startAndReach(tab, 41);
    await opened.context.setOffline(true);
    await tab.waitForSelector('[data-phase="paused"]');
    assert.match(await tab.textContent('[data-offline]'), /goes on by itself/);
    await opened.context.setOffline(false);
    await tab.waitForSelector('[data-verdict="verified"]');
    assert.match(await tab.textContent('.legend'), /57\D+verified/);
    await opened.close();
  });

  test('a check that its owner paused does not go on by itself', async () => {
    const opened = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
    const { tab } = opened;
    await startAndReach(tab, 41);
    await tab.click('#pause');
    await tab.waitForSelector('[data-phase="paused"]');
    await opened.context.setOffline(true);
    await tab.waitForSelector('[data-offline]');
    await opened.context.setOffline(false);
    await announced(tab, 'back');
    assert.ok(await tab.isVisible('#resume'));
    await opened.close();
  });

  test('what fails for the lack of it is not laid to the archive, and can be tried again', async () => {
    const opened = await stage.open({ hash: link({ archive: '/archive/sample/' }) });
    const { tab } = opened;
    await tab.waitForSelector('#known:enabled');
    await opened.context.setOffline(true);
    await tab.waitForSelector('[data-offline]');
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict="incomplete"]');
    assert.match(await tab.textContent('[data-cause="offline"]'), /computer is offline/);
    assert.equal(await tab.locator('.ways').count(), 0);
    await opened.context.setOffline(false);
    await tab.click('[data-again]');
    await tab.waitForSelector('[data-verdict="verified"]');
    await opened.close();
  });

  test('a server that is gone in the middle is not called one that forbids reading; back again, the check goes on, or begins anew', async (t) => {
    // From the third checkpoint on, whatever is asked first.
    const server = await archiveServer({ dir: sample, cors: true, gone: (path) => /-000000(bf|ff)|-0000013f/.test(path) });
    t.after(server.close);
    const opened = await stage.open({ hash: link({ archive: server.url }) });
    const { tab } = opened;
    const finished = () => tab.waitForSelector('.verdict[data-verdict]', { timeout: 60_000 });
    await tab.click('#start');
    await finished();
    assert.equal(await tab.getAttribute('.verdict', 'data-verdict'), 'incomplete');
    assert.match((await tab.locator('.notice').allTextContents()).join(), /connection failed|stopped answering/);
    assert.equal(await tab.locator('.ways').count(), 0);
    server.revive();
    await tab.click('[data-go-on]');
    await tab.waitForFunction(() => document.querySelectorAll('.map-canvas').length > 0 && /[2-5]\D+verified/.test(document.querySelector('.legend').textContent));
    await finished();
    assert.match(await tab.textContent('.totals tbody tr:first-child'), /5/);
    await tab.click('#change');
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict="verified"]', { timeout: 60_000 });
    await opened.close();
  });

  test('the page’s own server that is gone is told as such', async () => {
    const opened = await stage.open({ hash: link({ archive: '/archive/sample/' }), prepare: (context) => context.route('**/archive/**', (route) => route.abort()) });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('[data-cause="own"]', { timeout: 60_000 });
    assert.equal(await tab.locator('.ways').count(), 0);
    await opened.close();
  });
});

describe('an archive that cannot be read from a page', () => {
  const curlOf = async (tab) => tab.locator('.ways .snippet code').first().textContent();
  /** What a person gets who pastes the line into a shell. */
  const pasted = (command) => run('sh', ['-c', command]).then(({ stdout }) => stdout, ({ stderr }) => stderr);

  test('the curl line tells a server that forbids it from one that is down, and both from one that permits it', async (t) => {
    const silent = await archiveServer({ dir: sample, cors: false });
    const open = await archiveServer({ dir: sample, cors: true });
    t.after(silent.close);
    t.after(open.close);
    const dead = await deadAddress();
    const opened = await stage.open({ hash: link({ archive: silent.url }) });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('[data-error="CORS_OR_NETWORK"] .ways', { timeout: 60_000 });
    const command = await curlOf(tab);
    assert.match(command, new RegExp(`Origin: ${stage.site.url.slice(0, -1)}`));
    const refused = await pasted(command);
    assert.match(refused, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(refused, /access-control-allow-origin/i);
    assert.match(await pasted(command.replace(silent.url, open.url)), /access-control-allow-origin: \*/i);
    assert.match(await pasted(command.replace(silent.url, dead)), /curl: \(7\)/);
    await opened.close();
  });

  test('what its operator has to do, for nginx and for S3, and the ways around: command line, folder, relay', async () => {
    const dead = await deadAddress();
    const opened = await stage.open({ hash: link({ archive: dead }) });
    const { tab } = opened;
    await tab.click('#start');
    await tab.waitForSelector('.ways', { timeout: 60_000 });
    const snippets = await tab.locator('.ways .snippet code').allTextContents();
    assert.ok(snippets.includes('add_header Access-Control-Allow-Origin "*" always;'));
    const s3 = snippets.find((text) => text.startsWith('aws s3api put-bucket-cors'));
    assert.deepEqual(JSON.parse(/'(.*)'/.exec(s3)[1]), { CORSRules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET', 'HEAD'] }] });
    assert.ok(snippets.some((text) => text.includes(`proxy_pass ${dead};`)), snippets.join('\n'));
    assert.match(await tab.textContent('.ways'), /command line.*Add a folder.*needs no trust/s);
    await opened.close();
  });
});

describe('a page over https', () => {
  test('does not ask http:// archives, which the browser would block, says so, and verifies its own', async (t) => {
    const secure = await overHttps(stage.site);
    t.after(secure.close);
    const context = await stage.browser.newContext({ ignoreHTTPSErrors: true });
    const tab = await context.newPage();
    const asked = [];
    context.on('request', (request) => asked.push(request.url()));
    await tab.goto(`${secure.url}${link({ archive: 'http://history.example.org/core/' })}`);
    await tab.waitForSelector('#known:enabled');
    assert.match(await tab.textContent('#archive-fault'), /came over https.*mixed content.*folder.*command line/s);
    // That it really is: the browser's word, not ours.
    const blocked = await tab.evaluate(() => fetch('http://history.example.org/core/').then(() => 'read', (error) => error.name));
    assert.equal(blocked, 'TypeError');
    await tab.click('#start');
    assert.equal(await tab.locator('.run').count(), 0);
    assert.deepEqual(asked.filter((url) => url.startsWith('http:') && url.includes('stellar-history.json')), []);
    await tab.fill('#archive', '/archive/sample/');
    await tab.click('#start');
    await tab.waitForSelector('[data-verdict="verified"]');
    await context.close();
  });
});

describe('storage', () => {
  test('that is full: the run goes on, and says that it would not survive a reload', async () => {
    const opened = await stage.open({
      prepare: async (context, tab) => {
        await playing({ hold: 41 })(context);
        await fillStorage(context, tab, new URL(stage.site.url).origin);
      },
      hash: linkToAll([GOOD]),
    });
    const { tab } = opened;
    await startAndReach(tab, 41);
    await tab.waitForSelector('[data-kept="full"]');
    assert.match(await tab.textContent('[data-kept]'), /not survive a reload.*is full.*stays open/s);
    await tab.click('#pause');
    await tab.waitForSelector('[data-phase="paused"]');
    await tab.click('#resume');
    await tab.waitForSelector('[data-verdict="verified"]');
    assert.equal(await tab.locator('[data-kept]').count(), 0);
    await opened.close();
  });

  test('that is switched off: the same, with its own reason; where it works nothing is said', async () => {
    const denied = await stage.open({
      prepare: async (context, tab) => {
        await playing({ hold: 41 })(context);
        await tab.addInitScript(() => { indexedDB.open = () => { throw new DOMException('switched off', 'SecurityError'); }; });
      },
      hash: linkToAll([GOOD]),
    });
    await startAndReach(denied.tab, 41);
    assert.match(await denied.tab.textContent('[data-kept="denied"]'), /private windows/);
    await denied.close();
    const kept = await stage.open({ prepare: playing({ hold: 41 }), hash: linkToAll([GOOD]) });
    await startAndReach(kept.tab, 41);
    await kept.tab.click('#pause');
    await kept.tab.waitForSelector('[data-phase="paused"]');
    assert.equal(await kept.tab.locator('[data-kept]').count(), 0);
    await kept.close();
  });
});

test('an archive of one checkpoint is verified, and its map has one cell that opens', async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/single/' }) });
  const { tab } = opened;
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict="verified"]');
  assert.match(await tab.textContent('.legend'), /1\D+verified/);
  await tab.focus('.map-canvas');
  await tab.keyboard.press('ArrowRight');
  await tab.keyboard.press('Enter');
  assert.match((await tab.textContent('#detail-title')), /Checkpoint 63 /);
  await opened.close();
});
