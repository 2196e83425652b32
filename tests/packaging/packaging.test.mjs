/**
 * The packed package, installed into fresh projects, each on a host of its own: the same small verification has the same outcome everywhere.
 *
 * Not here: what a verification is to say. The hosts are those of this folder's package.json, and the system's Chromium.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { Miniflare } from 'miniflare';
import { chromium } from 'playwright-core';
import { publint } from 'publint';
import webpack from 'webpack';

const run = promisify(execFile);
const inRepository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const HOSTS = fileURLToPath(new URL('node_modules', import.meta.url));
const host = (path) => join(HOSTS, path);
const SAMPLE = inRepository('target/sample-archive');
const NETWORK = 'Sample Network ; stellar-archive-verifier';
const NPM = { env: { ...process.env, npm_config_update_notifier: 'false' } };

/** What each host is to come to: two checkpoints of the sample archive, verified from genesis on. */
const EXPECTED = { verdict: 'verified', low: 1, high: 127, ledger: { verified: 2, faulty: 0, unchecked: 0 }, events: true };

/** Runs on every host, with the entry's exports and the archive's address. */
const CHECK = `export async function check({ verifyArchive }, archive) {
  const run = verifyArchive(archive, { network: ${JSON.stringify(NETWORK)}, range: { low: 1, high: 127 } });
  let events = 0;
  for await (const event of run) events += event.type === 'checkpoint' ? 1 : 0;
  const { verdict, range, totals, findings } = await run.report;
  return { verdict, ...range, ledger: totals.ledger, events: events === 2 && findings.length === 0 };
}
`;

let folder;
let tarball;
let packed;
let site;
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stellar-archive-verifier-packaging-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { ...NPM, cwd: inRepository('.') });
  [packed] = JSON.parse(stdout);
  tarball = join(folder, packed.filename);
  site = await serve(folder);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  site?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** A fresh project with the package in it, and `files` beside check.mjs. */
async function project(name, files = {}) {
  const root = join(folder, name);
  await mkdir(root);
  await writeFile(join(root, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  await run('npm', ['install', '--no-audit', '--no-fund', '--offline', '--no-package-lock', tarball], { ...NPM, cwd: root });
  for (const [path, text] of Object.entries({ 'check.mjs': CHECK, ...files })) await writeFile(join(root, path), text);
  return root;
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

/** Everything below `root`, and the sample archive under /archive/. */
async function serve(root) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const file = path.startsWith('/archive/') ? join(SAMPLE, path.slice('/archive/'.length)) : join(root, path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'access-control-allow-origin': '*' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, archive: `${url}/archive`, close: () => server.close() };
}

/** What the page says: its script leaves the outcome in `globalThis.outcome`. */
async function inChromium(path) {
  const tab = await browser.newPage();
  const problems = [];
  tab.on('pageerror', (error) => problems.push(error.message));
  tab.on('response', (response) => response.status() >= 400 && problems.push(`${response.status()} ${response.url()}`));
  await tab.goto(`${site.url}/${path}`);
  const outcome = await tab.waitForFunction(() => globalThis.outcome, undefined, { timeout: 60_000 }).catch((error) => {
    throw new Error(`${problems.join('; ')} ${error.message}`);
  });
  const value = await outcome.jsonValue();
  await tab.close();
  return value;
}

const page = (script) => `<!doctype html><meta charset="utf-8"><title>t</title><script type="module" src="${script}"></script>`;
const inPage = (imports) => `${imports}
import { check } from './check.mjs';
check(entry, new URL('/archive', location.href).href).then((value) => (globalThis.outcome = value), (error) => (globalThis.outcome = { error: String(error), cause: String(error.cause), advice: error.advice }));
`;
const main = (specifier) => `import * as entry from '${specifier}';
import { check } from './check.mjs';
console.log(JSON.stringify(await check(entry, (globalThis.Deno?.args ?? process.argv.slice(2))[0])));
`;

async function printed(command, args, cwd) {
  const { stdout } = await run(command, args, { cwd, timeout: 120_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

for (const specifier of ['stellar-archive-verifier', 'stellar-archive-verifier/verify']) {
  const name = specifier.replace('/', '-');

  test(`Node imports ${specifier}`, async () => {
    const root = await project(`node-${name}`, { 'main.mjs': main(specifier) });
    assert.deepEqual(await printed(process.execPath, ['main.mjs', site.archive], root), EXPECTED);
  });

  test(`Node 22 imports ${specifier}`, async () => {
    const root = await project(`node22-${name}`, { 'main.mjs': main(specifier) });
    assert.match((await run(host('node/bin/node'), ['--version'])).stdout, /^v22\./);
    assert.deepEqual(await printed(host('node/bin/node'), ['main.mjs', site.archive], root), EXPECTED);
  });

  test(`Deno imports ${specifier}`, async () => {
    const root = await project(`deno-${name}`, { 'main.mjs': main(specifier) });
    const args = ['run', '--node-modules-dir=manual', '--allow-read', '--allow-net=127.0.0.1', '--allow-env', '--no-lock', 'main.mjs', site.archive];
    assert.deepEqual(await printed(host('.bin/deno'), args, root), EXPECTED);
  });

  test(`Bun imports ${specifier}`, async () => {
    const root = await project(`bun-${name}`, { 'main.mjs': main(specifier) });
    assert.deepEqual(await printed(host('.bin/bun'), ['run', 'main.mjs', site.archive], root), EXPECTED);
  });

  test(`a page of Vite's imports ${specifier}`, async () => {
    const root = await project(`vite-${name}`, { 'index.html': page('./main.js'), 'main.js': inPage(`import * as entry from '${specifier}';`) });
    await run(process.execPath, [inRepository('node_modules/vite/bin/vite.js'), 'build', '--base', './', '--logLevel', 'error'], { cwd: root });
    assert.deepEqual(await inChromium(`vite-${name}/dist/index.html`), EXPECTED);
  });

  test(`a page of webpack's imports ${specifier}`, async () => {
    const root = await project(`webpack-${name}`, { 'index.html': page('./dist/main.js'), 'main.js': inPage(`import * as entry from '${specifier}';`) });
    const stats = await new Promise((resolve, reject) => {
      webpack({ mode: 'production', context: root, entry: './main.js', output: { path: join(root, 'dist'), filename: 'main.js', publicPath: 'auto', module: true }, experiments: { outputModule: true } },
        (error, result) => (error ? reject(error) : resolve(result)));
    });
    assert.deepEqual(stats.toJson({ all: false, errors: true }).errors, []);
    assert.deepEqual(await inChromium(`webpack-${name}/index.html`), EXPECTED);
  });

  test(`a page without a bundler imports ${specifier}`, async () => {
    const root = await project(`plain-${name}`, { 'main.js': inPage(`import * as entry from '${specifier}';`) });
    const manifest = JSON.parse(await readFile(join(root, 'node_modules/stellar-archive-verifier/package.json'), 'utf8'));
    const { default: entry } = manifest.exports[specifier.replace('stellar-archive-verifier', '.')];
    const imports = { [specifier]: new URL(entry, 'http://x/plain/node_modules/stellar-archive-verifier/').pathname.replace('/plain/', `/plain-${name}/`) };
    await writeFile(join(root, 'index.html'), `<!doctype html><title>t</title><script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="main.js"></script>`);
    assert.deepEqual(await inChromium(`plain-${name}/index.html`), EXPECTED);
  });

  test(`workerd imports ${specifier}`, async () => {
    const root = await project(`workerd-${name}`, {
      'main.js': `import * as entry from '${specifier}';
import { check } from './check.mjs';
export default { fetch: async (request) => Response.json(await check(entry, new URL(request.url).searchParams.get('archive'))) };`,
    });
    // As wrangler bundles: the runtime's condition, modules left as imports.
    await esbuild.build({
      absWorkingDir: root, entryPoints: ['main.js'], outdir: 'dist', bundle: true, format: 'esm', target: 'es2022', conditions: ['workerd', 'worker', 'browser'], loader: { '.wasm': 'copy' }, logLevel: 'error',
    });
    const miniflare = new Miniflare({
      modules: true, modulesRoot: join(root, 'dist'), scriptPath: join(root, 'dist/main.js'), cf: false, compatibilityDate: '2026-04-01',
      modulesRules: [{ type: 'ESModule', include: ['**/*.js'] }, { type: 'CompiledWasm', include: ['**/*.wasm'] }],
    });
    try {
      const response = await miniflare.dispatchFetch(`http://localhost/?archive=${encodeURIComponent(site.archive)}`);
      assert.deepEqual(await response.json(), EXPECTED);
    } finally {
      await miniflare.dispose();
    }
  });
}

test('a worker of Vite’s verifies for its page', async () => {
  const root = await project('vite-worker', {
    'index.html': page('./main.js'),
    'main.js': inPage(`import { verifyInWorker } from 'stellar-archive-verifier';
const worker = new Worker(new URL('./body.js', import.meta.url), { type: 'module' });
const entry = { verifyArchive: (archive, options) => verifyInWorker(worker, archive, options) };`),
    'body.js': "import 'stellar-archive-verifier/worker';",
    'vite.config.js': "export default { base: './', worker: { format: 'es' } };",
  });
  await run(process.execPath, [inRepository('node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], { cwd: root });
  assert.deepEqual(await inChromium('vite-worker/dist/index.html'), EXPECTED);
});

test('a page of esbuild’s brings the WebAssembly itself, with the slim entry', async () => {
  const root = await project('esbuild', {
    'index.html': page('./dist/main.js'),
    'main.js': inPage(`import * as entry from 'stellar-archive-verifier/slim';
import wasm from 'stellar-archive-verifier/stellar_archive_verifier_bg.wasm';
await entry.init(new URL(wasm, import.meta.url));`),
  });
  await esbuild.build({ absWorkingDir: root, entryPoints: ['main.js'], outdir: 'dist', bundle: true, format: 'esm', target: 'es2022', loader: { '.wasm': 'file' }, logLevel: 'error' });
  assert.deepEqual(await inChromium('esbuild/index.html'), EXPECTED);
  assert.equal((await readdir(join(root, 'dist'))).filter((name) => name.endsWith('.wasm')).length, 1);
});

test('the slim entry leaves no WebAssembly in a bundle, and says what it waits for', async () => {
  const root = await project('slim', {
    'index.html': page('./main.js'),
    'main.js': "import { versions, verifyArchive } from 'stellar-archive-verifier/slim';\ntry { versions(); } catch ({ code, advice }) { verifyArchive('https://example.invalid').report.catch((late) => (globalThis.outcome = { code, advice, late: late.code })); }",
  });
  await run(process.execPath, [inRepository('node_modules/vite/bin/vite.js'), 'build', '--base', './', '--logLevel', 'error'], { cwd: root });
  const files = await readdir(join(root, 'dist'), { recursive: true });
  assert.deepEqual(files.filter((name) => name.endsWith('.wasm')), []);
  assert.deepEqual(await inChromium('slim/dist/index.html'), { code: 'USED_BEFORE_INIT', advice: 'Write `await init()` before the first versions().', late: 'USED_BEFORE_INIT' });
});

test('CommonJS in Node requires the package', async () => {
  const root = await project('commonjs', {
    'main.cjs': `const entry = require('stellar-archive-verifier');
import('./check.mjs').then(async ({ check }) => console.log(JSON.stringify(await check(entry, process.argv[2]))));`,
  });
  assert.deepEqual(await printed(process.execPath, ['main.cjs', site.archive], root), EXPECTED);
});

test('the command that the package brings verifies', async () => {
  const root = await project('command');
  const { stdout } = await run('npx', ['--offline', 'stellar-archive-verifier', 'verify', site.archive, '--network', NETWORK, '--low', '1', '--high', '127', '--json'], { ...NPM, cwd: root });
  assert.match(stdout, /"verdict":"verified"/);
});

test('every entry exports the same names', async () => {
  const root = await project('names');
  const names = async (file) => {
    const text = await readFile(join(root, 'node_modules/stellar-archive-verifier/dist', file), 'utf8');
    return [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) => list.split(',').map((item) => item.trim().split(' as ').at(-1))).filter(Boolean).sort();
  };
  for (const [first, ...others] of [['index.mjs', 'node.mjs', 'workerd.mjs', 'slim.mjs'], ['verify.mjs', 'verify-node.mjs', 'verify-workerd.mjs']]) {
    const expected = await names(first);
    assert.ok(expected.length > 10, `${first} exports ${expected.length} names`);
    for (const other of others) assert.deepEqual(await names(other), expected, other);
  }
});

for (const moduleResolution of ['bundler', 'nodenext']) {
  test(`TypeScript finds every type by "${moduleResolution}", without any`, async () => {
    const root = await project(`types-${moduleResolution}`, {
      'main.ts': `import { ArchiveVerifierError, CrashError, directoryReader, init, verifyArchive, type Report } from 'stellar-archive-verifier';
import { verifyArchive as verifyOnly } from 'stellar-archive-verifier/verify';
import { init as initSlim } from 'stellar-archive-verifier/slim';
import { verifyInWorker } from 'stellar-archive-verifier/worker';
type IsAny<T> = 0 extends 1 & T ? true : false;
const no: [IsAny<typeof verifyArchive>, IsAny<typeof verifyOnly>, IsAny<typeof initSlim>, IsAny<typeof verifyInWorker>, IsAny<typeof directoryReader>, IsAny<Report['findings'][number]>] = [false, false, false, false, false, false];
export async function main(): Promise<Report['verdict']> {
  await init();
  const run = verifyArchive('https://example.com', { range: { low: 1 } });
  for await (const event of run) if (event.type === 'finding') console.log(event.finding.path);
  // @ts-expect-error there is no such option
  verifyOnly('https://example.com', { frobnicate: true });
  const error: ArchiveVerifierError = new CrashError('');
  console.log(error.code, no);
  return (await run.report).verdict;
}
`,
      'tsconfig.json': JSON.stringify({
        compilerOptions: { target: 'ES2022', lib: ['ES2023', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'], module: moduleResolution === 'nodenext' ? 'NodeNext' : 'ESNext', moduleResolution, strict: true, noEmit: true, skipLibCheck: false, types: [] },
        files: ['main.ts'],
      }),
    });
    const { stdout } = await run(process.execPath, [inRepository('node_modules/typescript/bin/tsc'), '--project', root]).catch((error) => error);
    assert.equal(stdout, '');
  });
}

test('publint has nothing to say of the manifest', async () => {
  const root = await project('publint');
  const { messages } = await publint({ pkgDir: join(root, 'node_modules/stellar-archive-verifier'), strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test('no resolver goes wrong about the types', async () => {
  const args = [tarball, '--profile', 'esm-only', '--format', 'json', '--exclude-entrypoints', 'stellar_archive_verifier_bg.wasm', 'stellar_archive_verify_bg.wasm'];
  const { stdout } = await run(host('.bin/attw'), args, { maxBuffer: 1 << 26 }).catch((error) => error);
  const { analysis } = JSON.parse(stdout);
  // TypeScript's oldest way knows no exports map; `require` of ES modules, which Node has, it warns of.
  const problems = analysis.problems.filter(({ kind, resolutionKind }) => resolutionKind !== 'node10' && kind !== 'CJSResolvesToESM');
  assert.deepEqual(problems, []);
  assert.ok(Object.keys(analysis.entrypoints).length >= 4);
});

test('the package holds what it needs and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  for (const path of ['README.md', 'CHANGELOG.md', 'LICENSE', 'dist/index.d.ts', 'dist/cli.mjs']) assert.ok(paths.includes(path), path);
  assert.deepEqual(paths.filter((path) => !/^(README\.md|CHANGELOG\.md|LICENSE|package\.json|dist\/(writers\/)?[\w-]+(\.d\.ts|\.mjs|\.wasm))$/.test(path)), []);
});

/** Ceilings a little above what is there: whoever adds weight has to say so here. In kB of 1000 bytes: raw, gzip, brotli. */
const BUDGET = {
  'stellar_archive_verifier_bg.wasm': [3330, 1065, 775],
  'stellar_archive_verify_bg.wasm': [2100, 680, 505],
  'everything index.mjs loads': [265, 62, 52],
};

test('sizes stay within their budget', async (t) => {
  const dist = inRepository('dist');
  const loaded = (name, seen = new Set()) => {
    if (seen.has(name)) return seen;
    seen.add(name);
    for (const [, next] of readFileSync(join(dist, name), 'utf8').matchAll(/from "\.\/([\w-]+\.mjs)"/g)) loaded(next, seen);
    return seen;
  };
  for (const [what, budget] of Object.entries(BUDGET)) {
    const bytes = what.endsWith('.wasm') ? readFileSync(join(dist, what)) : Buffer.concat([...loaded('index.mjs')].map((name) => readFileSync(join(dist, name))));
    const sizes = [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)].map(({ length }) => length / 1000);
    t.diagnostic(`${what}: ${sizes.map((size) => size.toFixed(1)).join(' / ')} kB raw / gzip / brotli`);
    for (const [index, size] of sizes.entries()) assert.ok(size <= budget[index], `${what} has ${size} kB, its budget is ${budget[index]}`);
  }
});
