/** The command line over HTTP: a plain web host, hosts that misbehave, and being stopped in the middle. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { serve } from '../../pkg-config/serve.mjs';
import { CLI, archive, cli, jsonLines, ledgers, noData, server, temporary } from './support.mjs';

async function hosted(t, name) {
  const folder = archive(name);
  const host = await serve({ root: folder, archives: { real: folder } });
  t.after(() => host.close());
  const { low, high } = await ledgers(folder);
  return { url: `${host.url}archive/real/`, range: ['--low', String(low), '--high', String(high)] };
}

test('an archive on a web host is verified, with and without the last slash', { skip: noData }, async (t) => {
  const { url, range } = await hosted(t, 'testnet-genesis-p24');
  for (const address of [url, url.slice(0, -1)]) {
    const { status, stdout, stderr } = await cli(['verify', address, ...range, '--json']);
    const { report } = jsonLines(stdout).at(-1);
    assert.equal(report.verdict, 'verified', JSON.stringify([report.findings, report.errors]));
    assert.equal(status, 0);
    assert.equal(stderr, '');
  }
});

const QUICK = ['--max-retries', '1', '--json'];

test('a host without the archive: the root file is missing', async (t) => {
  const url = await server(t, (_, response) => response.writeHead(404).end('not found'));
  const { status, stdout } = await cli(['verify', url, ...QUICK]);
  const { report } = jsonLines(stdout).at(-1);
  assert.notEqual(status, 0);
  const said = [...report.findings, ...report.errors].find(({ path }) => path === '.well-known/stellar-history.json');
  assert.ok(said, JSON.stringify(report));
});

test('a host that is broken: could not complete, after retries', async (t) => {
  let requests = 0;
  const url = await server(t, (_, response) => {
    requests += 1;
    response.writeHead(500).end('oops');
  });
  const { status, stdout } = await cli(['verify', url, ...QUICK]);
  const events = jsonLines(stdout);
  const { report } = events.at(-1);
  assert.equal(status, 2);
  assert.equal(report.verdict, 'incomplete');
  assert.equal(requests, 2);
  assert.ok(events.some(({ type }) => type === 'retry'));
  assert.match(JSON.stringify(report.errors), /500/);
  assert.deepEqual(report.findings, []);
});

test('a host that refuses: no retries, and words that say so', async (t) => {
  let requests = 0;
  const url = await server(t, (_, response) => {
    requests += 1;
    response.writeHead(403).end('no');
  });
  const { status, stdout } = await cli(['verify', url, ...QUICK]);
  const { report } = jsonLines(stdout).at(-1);
  assert.equal(status, 2);
  assert.equal(requests, 1);
  assert.equal(report.errors[0].code, 'FORBIDDEN');
});

test('a host that answers every path with a page', async (t) => {
  const url = await server(t, (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Hello</title>'));
  const { status, stdout } = await cli(['verify', url, ...QUICK]);
  const { report } = jsonLines(stdout).at(-1);
  assert.notEqual(status, 0);
  assert.match(JSON.stringify([report.findings, report.errors]), /web page/);
});

test('nobody there', async (t) => {
  const host = await serve({ root: await temporary(t) });
  await host.close();
  const { status, stdout } = await cli(['verify', host.url, ...QUICK]);
  const { report } = jsonLines(stdout).at(-1);
  assert.equal(status, 2);
  assert.equal(report.verdict, 'incomplete');
  assert.equal(report.errors[0].code, 'NETWORK');
  assert.ok(report.errors[0].advice !== '');
});

/** A real archive on a host so slow that a run is still under way when the test wants to stop it. */
async function slow(t) {
  const folder = archive('testnet-p22');
  const url = await server(t, async (request, response) => {
    const body = await readFile(join(folder, new URL(request.url, 'http://x').pathname)).catch(() => null);
    setTimeout(() => (body === null ? response.writeHead(404).end() : response.end(body)), 40);
  });
  return ['verify', url, '--low', '1', '--high', '3647', '--concurrency', '4'];
}

async function untilText(child, text) {
  let seen = '';
  for await (const chunk of child.stdout) {
    seen += chunk;
    if (seen.includes(text)) return;
  }
  assert.fail(`${text} never came`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} gives the partial report and status 2`, { skip: noData }, async (t) => {
    const file = join(await temporary(t), 'report.json');
    const child = spawn(process.execPath, [CLI, ...(await slow(t)), '--json', '--report', file]);
    let stdout = '';
    let stderr = '';
    child.stderr.on('data', (text) => (stderr += text));
    child.stdout.on('data', (text) => {
      stdout += text;
      if (!child.killed && stdout.includes('"checkpoint",')) child.kill(signal);
    });
    const [status] = await once(child, 'close');
    assert.equal(status, 2);
    assert.match(stderr, /stopping/);
    const { type, report } = jsonLines(stdout).at(-1);
    assert.equal(type, 'report');
    assert.equal(report.verdict, 'incomplete');
    assert.ok(report.totals.ledger.verified > 0 && report.totals.ledger.unchecked > 0, JSON.stringify(report.totals));
    assert.deepEqual(report.findings, []);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), report);
  });
}

test('a second SIGINT stops at once', { skip: noData }, async (t) => {
  // A host that never answers, so that only the second signal can end it early if the first does not.
  const url = await server(t, () => undefined);
  const child = spawn(process.execPath, [CLI, 'verify', url, '--max-retries', '0', '--json']);
  child.stdout.resume();
  child.stderr.on('data', () => child.kill('SIGINT'));
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [status] = await once(child, 'exit');
  assert.equal(status, 2);
});

test('a reader of the output that goes away ends the run quietly', { skip: noData }, async (t) => {
  const child = spawn(process.execPath, [CLI, ...(await slow(t)), '--json']);
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  await untilText(child, '"stage"');
  child.stdout.destroy();
  const [status] = await once(child, 'close');
  assert.equal(status, 2);
  assert.equal(stderr, '');
});
