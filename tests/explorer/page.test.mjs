/** The page without real data: form, links, keyboard, width, policy, and what it says when things cannot work. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deadAddress, link, setUp } from './support.mjs';

let stage;
before(async () => {
  stage = await setUp();
});
after(async () => {
  await stage?.tearDown();
});

test('before Start only the page’s own files and /archives.json are asked for', async () => {
  const opened = await stage.open({ hash: link({ archive: 'https://history.example.org/core_001', low: '1', high: '640' }) });
  await opened.tab.waitForSelector('#known:enabled');
  const foreign = opened.requests.filter((url) => !url.startsWith(stage.site.url));
  assert.deepEqual(foreign, []);
  const labels = await opened.tab.locator('#known optgroup').evaluateAll((groups) => groups.map((group) => group.label));
  assert.ok(labels.includes('Public network') && labels.includes('Test network'), labels.join());
  const insecure = await opened.tab.locator('#known option').evaluateAll((options) => options.filter((option) => option.value.startsWith('http://')).length);
  assert.equal(insecure, 0, 'presets are offered with https');
  await opened.close();
});

test('a preset fills address and network', async () => {
  const opened = await stage.open();
  await opened.tab.waitForSelector('#known:enabled');
  const url = await opened.tab.locator('#known optgroup[label="Test network"] option').first().getAttribute('value');
  await opened.tab.selectOption('#known', url);
  assert.equal(await opened.tab.inputValue('#archive'), url);
  assert.equal(await opened.tab.inputValue('#network'), 'testnet');
  await opened.close();
});

test('a network that came with an archive leaves with it; a typed one stays', async () => {
  const opened = await stage.open();
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  const url = await tab.locator('#known optgroup[label="Test network"] option').first().getAttribute('value');
  await tab.selectOption('#known', url);
  await tab.reload();
  await tab.waitForSelector('#known:enabled');
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await tab.fill('#archive', 'https://history.example.org/');
  assert.equal(await tab.inputValue('#network'), '');
  await tab.fill('#network', 'testnet');
  await tab.fill('#archive', 'https://other.example.org/');
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await tab.fill('#archive', url);
  await tab.fill('#archive', 'https://third.example.org/');
  assert.equal(await tab.inputValue('#network'), 'testnet');
  await opened.close();
});

test('one’s own archive is offered first, and names its network itself', async () => {
  const listed = ['sample', 'local'].map((name) => ({ name, url: `/archive/${name}/`, network: `Network of ${name}` }));
  const opened = await stage.open({
    prepare: (context) => context.route('**/archives.json', (route) => route.fulfill({ json: listed })),
  });
  const { tab } = opened;
  await tab.waitForFunction(() => document.getElementById('archive').value !== '');
  assert.equal(await tab.inputValue('#archive'), '/archive/local/');
  assert.equal(await tab.inputValue('#network'), '');
  await tab.selectOption('#known', '/archive/sample/');
  assert.equal(await tab.inputValue('#archive'), '/archive/sample/');
  assert.equal(await tab.inputValue('#network'), '');
  await opened.close();
});

test('a link restores the whole form, and back and forward move between links', async () => {
  const fields = { archive: 'https://history.example.org/core_001', low: '0x7ff', high: '2175', network: 'testnet', deep: '1', skipOptional: '1' };
  const opened = await stage.open({ hash: link(fields) });
  const read = () =>
    opened.tab.evaluate(() => ({
      archive: document.getElementById('archive').value,
      low: document.getElementById('low').value,
      high: document.getElementById('high').value,
      network: document.getElementById('network').value,
      deep: document.getElementById('deep').checked ? '1' : '0',
      skipOptional: document.getElementById('skipOptional').checked ? '1' : '0',
    }));
  assert.deepEqual(await read(), fields);
  assert.match(await opened.tab.textContent('#range-hint'), /3 checkpoints.*ledgers 1\D?984 to 2\D?175/);

  await opened.tab.evaluate(() => {
    location.hash = 'archive=https://other.example.org/&low=64';
  });
  await opened.tab.waitForFunction(() => document.getElementById('low').value === '64');
  await opened.tab.goBack();
  await opened.tab.waitForFunction(() => document.getElementById('low').value === '0x7ff');
  assert.deepEqual(await read(), fields);
  await opened.tab.goForward();
  await opened.tab.waitForFunction(() => document.getElementById('low').value === '64');
  await opened.close();
});

test('typing writes the link', async () => {
  const opened = await stage.open();
  await opened.tab.fill('#archive', 'https://history.example.org/a b');
  await opened.tab.fill('#high', '640');
  await opened.tab.check('#deep');
  const given = new URLSearchParams(new URL(opened.tab.url()).hash.slice(1));
  assert.deepEqual(Object.fromEntries(given), { archive: 'https://history.example.org/a b', high: '640', deep: '1' });
  await opened.close();
});

test('a link that asks for a run only puts the focus on Start', async () => {
  const dead = await deadAddress();
  const opened = await stage.open({ hash: `${link({ archive: dead })}&run=1` });
  await opened.tab.waitForSelector('#known:enabled');
  await opened.tab.waitForTimeout(300);
  assert.equal(await opened.tab.evaluate(() => document.activeElement.id), 'start');
  assert.equal(await opened.tab.locator('.run').count(), 0);
  assert.deepEqual(opened.requests.filter((url) => url.startsWith(dead)), []);
  await opened.close();
});

test('an http:// archive is explained and never asked for', async () => {
  const opened = await stage.open({ hash: link({ archive: 'http://history.example.org/core_001' }) });
  assert.match(await opened.tab.textContent('#archive-fault'), /https:\/\//);
  await opened.tab.click('#start');
  assert.equal(await opened.tab.locator('.run').count(), 0);
  assert.equal(await opened.tab.evaluate(() => document.activeElement.id), 'archive');
  await opened.tab.click('#archive-fault button');
  assert.equal(await opened.tab.inputValue('#archive'), 'https://history.example.org/core_001/');
  assert.equal(await opened.tab.locator('#archive-fault').count(), 0);
  await opened.close();
});

test('wrong ledgers are refused with words beside the field', async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/sample/', low: '900', high: '64' }) });
  await opened.tab.click('#start');
  assert.match(await opened.tab.textContent('#high-fault'), /before the first/);
  await opened.tab.fill('#high', 'tomorrow');
  assert.match(await opened.tab.textContent('#high-fault'), /decimal or 0x/);
  assert.equal(await opened.tab.getAttribute('#high', 'aria-invalid'), 'true');
  await opened.close();
});

test('a dead host: both causes, the nginx line and the ways around', async () => {
  const dead = await deadAddress();
  const opened = await stage.open({ hash: link({ archive: dead, low: '1', high: '64' }) });
  await opened.tab.click('#start');
  const notice = opened.tab.locator('[data-error="CORS_OR_NETWORK"]');
  await notice.waitFor({ timeout: 60_000 });
  const text = await notice.textContent();
  assert.match(text, /server is down/);
  assert.match(text, /Access-Control-Allow-Origin/);
  assert.match(text, /add_header Access-Control-Allow-Origin "\*" always;/);
  assert.match(text, /npm start -- --archive DIR/);
  assert.equal(await opened.tab.getAttribute('.verdict', 'data-verdict'), 'incomplete');
  await opened.close();
});

test('an address without an archive is told as such', async () => {
  const opened = await stage.open({ hash: link({ archive: '/nothing/here/' }) });
  await opened.tab.click('#start');
  await opened.tab.waitForSelector('[data-verdict]');
  assert.match(await opened.tab.textContent('.verdict'), /may be no archive at this address/);
  assert.equal(await opened.tab.locator('.finding[data-code="file-missing"]').count(), 1);
  assert.equal(await opened.tab.locator('.totals').count(), 0, 'no table of zeros');
  await opened.close();
});

test('back leads from one check to the form of the one before', async () => {
  const opened = await stage.open({ hash: link({ archive: '/nothing/first/' }) });
  await opened.tab.click('#start');
  await opened.tab.waitForSelector('[data-verdict]');
  await opened.tab.click('#change');
  await opened.tab.fill('#archive', '/nothing/second/');
  await opened.tab.click('#start');
  await opened.tab.waitForSelector('[data-verdict]');
  await opened.tab.goBack();
  await opened.tab.waitForFunction(() => document.getElementById('archive')?.value === '/nothing/first/');
  assert.equal(await opened.tab.locator('[data-verdict]').count(), 0, 'another check’s verdict does not stand under this form');
  await opened.close();
});

test('a verifier that does not arrive is explained, and trying again works', async () => {
  let refuse = true;
  const opened = await stage.open({
    prepare: (context) => context.route('**/*.wasm', (route) => (refuse ? route.fulfill({ status: 503, body: 'later' }) : route.continue())),
  });
  const alert = opened.tab.locator('[role="alert"]');
  await alert.waitFor();
  assert.match(await alert.textContent(), /could not be loaded/);
  assert.ok(await opened.tab.isDisabled('#start'));
  assert.ok(await opened.tab.isVisible('.guide'), 'what the page is for stays readable');
  refuse = false;
  await alert.getByRole('button', { name: 'Try again' }).click();
  await opened.tab.waitForSelector('#known:enabled');
  assert.equal(await alert.count(), 0);
  assert.ok(await opened.tab.isEnabled('#start'));
  await opened.close();
});

test('the page is painted before the verifier has loaded', async () => {
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const opened = await stage.open({
    prepare: (context) => context.route('**/*.wasm', async (route) => {
      await held;
      await route.continue();
    }),
  });
  assert.ok(await opened.tab.isVisible('#archive'));
  assert.ok(await opened.tab.isEnabled('#start'));
  release();
  await opened.tab.waitForSelector('#known:enabled');
  await opened.close();
});

test('360 pixels wide: nothing scrolls sideways', async () => {
  const long = `https://${'a'.repeat(60)}.example.org/${'b'.repeat(80)}`;
  const opened = await stage.open({ viewport: { width: 360, height: 740 }, hash: link({ archive: long, network: 'pubnet' }) });
  await opened.tab.waitForSelector('#known:enabled');
  const overflow = await opened.tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  await opened.close();
});

test('the scripts stay within their budgets: those that the page begins with, the worker’s, and each that comes when it is wanted', async () => {
  const { readdirSync, readFileSync } = await import('node:fs');
  const { gzipSync } = await import('node:zlib');
  const page = new URL('../../dist/explorer/', import.meta.url);
  const scripts = new Map(readdirSync(new URL('assets/', page)).filter((name) => name.endsWith('.js'))
    .map((name) => [name, gzipSync(readFileSync(new URL(`assets/${name}`, page)), { level: 9 }).length]));
  const within = (what, budget, wanted) => {
    const names = [...scripts.keys()].filter(wanted);
    assert.ok(names.length > 0, what);
    const size = names.reduce((sum, name) => sum + scripts.get(name), 0);
    assert.ok(size <= budget, `${size} bytes of gzipped JavaScript for ${what}`);
    names.forEach((name) => scripts.delete(name));
  };
  const html = readFileSync(new URL('index.html', page), 'utf8');
  within('the page as it begins', 40_960, (name) => html.includes(name));
  within('the worker', 18_432, (name) => name.startsWith('worker-'));
  within('stellar-core’s configurations', 9_216, (name) => name.startsWith('core-config-'));
  within('copies', 19_456, (name) => name.startsWith('CopyArea-'));
  within('looking inside', 24_576, (name) => name.startsWith('Explore-'));
  within('the chain of headers and quorum sets', 4_096, (name) => name.startsWith('Deeper-'));
  within('making a proof', 4_096, (name) => name.startsWith('Prove-'));
  within('comparing archives', 10_240, (name) => name.startsWith('CompareArea-'));
  within('audits by a worker’s fleet', 14_336, (name) => name.startsWith('AuditArea-'));
  within('how fresh archives are', 4_096, (name) => name.startsWith('Fresh-'));
  within('the archives that are known', 4_096, (name) => name.startsWith('Known-'));
  within('zips, on the page and in its worker, and what is dropped', 9_216, (name) => /^(zip|dropped)-/.test(name));
  within('a proof’s verdict, and who vouches', 4_608, (name) => /^(ProofView|Vouchers)-/.test(name));
  within('what asks archives, and is shared by the parts that do', 4_096, (name) => /^(client|standing|tasks|words)-/.test(name));
  within('sharing a check with threads', 2_048, (name) => name.startsWith('threads-'));
  within('looking for a good file', 2_048, (name) => name.startsWith('fix-'));
  within('what keeps an archive from being read', 4_096, (name) => name.startsWith('Trouble-'));
  within('what to do when the verifier does not come', 2_048, (name) => name.startsWith('Notices-'));
  within('a check and what people take away from it', 22_528, () => true);
});
