/** What every test of the page needs: the built page served with its policy, a browser, and archives to look at. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from '../../pkg-config/serve.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const page = join(repository, 'dist/explorer');

export const dataDir = process.env.STELLAR_ARCHIVE_DATA ?? join(repository, '../shared/data');
export const TESTNET = 'Test SDF Network ; September 2015';

/**
 * For `test(name, { skip: skipWithoutData() }, …)`: a reason where the real archives are not at hand. On CI their absence
 * is no excuse, so there the test runs and fails.
 */
export function skipWithoutData() {
  const present = existsSync(join(dataDir, 'archives/testnet-p22'));
  return present || process.env.CI === 'true' ? false : `no real archives at ${dataDir} (STELLAR_ARCHIVE_DATA)`;
}

const temporary = [];

/** Builds one corrupted variant of the data set; its folder goes away with `tearDown`. */
export function variant(id) {
  const out = join(mkdtempSync(join(tmpdir(), 'explorer-variant-')), 'archive');
  temporary.push(join(out, '..'));
  execFileSync('python3', [join(dataDir, 'tools/materialize.py'), '--set-dir', dataDir, '--id', id, '--out', out], { stdio: 'pipe' });
  const manifest = JSON.parse(readFileSync(join(dataDir, 'variants/manifest.json'), 'utf8'));
  const described = manifest.variants.find((entry) => entry.id === id);
  assert.ok(described, `variant ${id} is in the manifest`);
  return { dir: out, ...described };
}

/** An address of this machine where nothing listens. */
export async function deadAddress() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

/** Removes what `variant` built. */
export function removeVariants() {
  for (const dir of temporary.splice(0)) rmSync(dir, { recursive: true, force: true });
}

/** The built page and archives beside it, served as `serve` does. */
export async function servePage(archives = {}) {
  assert.ok(existsSync(join(page, 'index.html')), 'dist/explorer is missing: `npm run build` makes it');
  return serve({ root: page, archives });
}

/** One browser and one server for a file of tests. */
export async function setUp(archives = {}) {
  const site = await servePage(archives);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
  return {
    site,
    browser,
    /** A page in a fresh profile; `problems` collects policy violations and script errors, `requests` every URL asked for. */
    async open({ hash = '', prepare = async () => {}, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
      const tab = await context.newPage();
      const problems = [];
      const requests = [];
      context.on('request', (request) => requests.push(request.url()));
      tab.on('pageerror', (error) => problems.push(`script error: ${error.message}`));
      tab.on('console', (message) => {
        // Also what a worker's policy refuses is told on the console; failed requests alone are part of some tests.
        if (/content security policy|refused to/i.test(message.text())) problems.push(message.text());
      });
      await tab.addInitScript(() => {
        globalThis.policyViolations = [];
        document.addEventListener('securitypolicyviolation', (event) => {
          globalThis.policyViolations.push(`${event.violatedDirective} ${event.blockedURI}`);
        });
      });
      await prepare(context, tab);
      await tab.goto(`${site.url}${hash}`);
      await tab.waitForSelector('#start', { state: 'attached' });
      return {
        tab,
        context,
        problems,
        requests,
        async close() {
          problems.push(...(await tab.evaluate(() => globalThis.policyViolations)));
          await context.close();
          assert.deepEqual(problems, [], 'no policy violations and no script errors');
        },
      };
    },
    async tearDown() {
      await browser.close();
      await site.close();
      removeVariants();
    },
  };
}

/** For `prepare`: a worker that plays runs (actor.js) takes the place of the one that does them. */
export function playing(settings = {}) {
  const body = `self.settings = ${JSON.stringify(settings)};\n${readFileSync(new URL('./actor.js', import.meta.url), 'utf8')}`;
  return (context) => context.route('**/worker-*.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
}

/** The address of a form with several archives; `fields` as for `link`. */
export function linkToAll(archives, fields = {}) {
  return `#${new URLSearchParams([...archives.map((archive) => ['archive', archive]), ...Object.entries(fields)])}`;
}

/** The address of a filled-in form. */
export function link(fields) {
  return `#${new URLSearchParams(fields)}`;
}
