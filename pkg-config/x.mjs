#!/usr/bin/env node
/**
 * Everything this repository can be asked to do: `npm start`, `npm test`, `npm run build`, `npm run edge`,
 * `npm run simulate-audit`, `npm run bench`.
 *
 * Needs Node and rustup, and nothing else: it has no dependencies of its own, so it speaks before anything is installed,
 * and installs what it finds missing. Steps that do not need each other run side by side; those whose inputs have not
 * changed do not run.
 */
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Advice, Failed, ROOT, TARGET, absolute, ask, once, say, speakOn, stampedStep, step, stopChildren, total } from './run.mjs';
import { installPeer } from './peer.mjs';
import { serve } from './serve.mjs';

const USAGE = `usage: node pkg-config/x.mjs <command>

  start [--archive DIR] [--port N]   builds the page and serves it with a sample archive, and with the archive in DIR
  edge [--archive DIR] [--port N]    builds the edge worker and runs it here, over the same archives
  test [native|wasm|node|page|packaging|edge|peers ...] [--peers]
                                     runs all tests, or some of them; those with stellar-archivist (peers) only when named
  simulate-audit [--checkpoints N] [--consumers N,N…] [--seed N] [--json]
                                     runs the audit of a whole archive in virtual time, with faults, and says what it takes
  build                              leaves the package and the page in dist/
  bench [--peers] [--long] [--only PATTERN] [--rounds N] [--json [FILE]] [--against FILE [--strict]]
                                     measures speed and memory: whole archives, every stage, in Node, browsers and workerd`;

const COMMANDS = { start, edge, test, build, 'simulate-audit': simulation, bench };
const WASM_TARGET = 'wasm32-unknown-unknown';
/** The modules of the package, each with its features: everything, and what a verification needs. */
const MODULES = {
  stellar_archive_verifier: 'audit,explore,prove,publish,web',
  stellar_archive_verify: 'web',
};
const WASM_FILES = Object.keys(MODULES).map((name) => `${name}_bg.wasm`);
const DEFAULT_PORT = 4173;
const DEFAULT_EDGE_PORT = 8787;
const FAILURE_LINES = 120;
const WANTED_BROWSER = 'Chrome or Chromium with its chromedriver, on the path or named by CHROMIUM and CHROMEDRIVER';
// Their own files rather than node_modules/.bin, which Windows would need a shell for.
const VITE = 'node_modules/vite/bin/vite.js';
const TSC = 'node_modules/typescript/bin/tsc';
const NODE_TEST = ['--test', '--test-reporter=spec'];

async function main([name, ...args]) {
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (command === undefined) {
    console.error(USAGE);
    return quit(2);
  }
  try {
    checkNode();
    await command(args);
  } catch (error) {
    if (error instanceof Advice) console.error(error.message);
    else if (!(error instanceof Failed)) console.error(error);
    quit(1);
  }
}

function quit(status) {
  stopChildren();
  process.exit(status);
}

// ---- the commands

async function start(args) {
  const { port, archives } = served('start', args);
  say('Building the page and the command line; the first time takes two or three minutes (logs: target/logs)');
  await Promise.all([page(), library(), sampleArchive()]);
  const { url } = await serveOn(port, archives);
  say(`Ready in ${total()}: ${url}`, 'Ctrl-C ends it.');
}

async function edge(args) {
  const { port, archives } = served('run edge', args);
  say('Building the edge worker and the page; the first time takes two or three minutes (logs: target/logs)');
  await Promise.all([edgeWorker(), page(), sampleArchive()]);
  const site = await serve({ root: absolute('dist/explorer'), archives });
  const { LOCAL_TOKEN, serveEdge } = await import('./edge.mjs');
  const addresses = Object.fromEntries(Object.keys(archives).map((name) => [name, `${site.url}archive/${name}`]));
  const { url } = await onPort(port, DEFAULT_EDGE_PORT, (free) => serveEdge({ archives: addresses, port: free }));
  const tries = Object.keys(archives).flatMap((name) => [
    `verify?archive=${name}`, `report/${name}`, `history/${name}`, `badge/${name}.svg`, `relay/${name}/.well-known/stellar-history.json`,
  ]);
  say(
    `Ready in ${total()}: ${url}`, ...['status', 'metrics', 'audits', ...tries].map((path) => `  curl ${url}${path}`),
    `  curl -X POST -H 'Authorization: Bearer ${LOCAL_TOKEN}' '${url}audit?archive=${Object.keys(archives)[0]}&buckets=1'`,
    `In the page at ${site.url} the address of an archive may be ${url}relay/${Object.keys(archives)[0]}/`, 'Ctrl-C ends it.',
  );
}

/** What `start` and `edge` take: a port, and a folder with an archive beside the sample. */
function served(command, args) {
  const { values, positionals } = parse(args, { archive: { type: 'string' }, port: { type: 'string' } });
  // npm takes options for itself unless they stand behind `--`, and hands on what is left of them.
  if (positionals.length > 0) throw new Advice(`${command} takes no "${positionals[0]}"; options go behind two dashes: npm ${command} -- --archive DIR`);
  if (values.port !== undefined && !(/^\d+$/.test(values.port) && Number(values.port) < 65536)) {
    throw new Advice(`--port ${values.port} is no port: it is a number below 65536`);
  }
  // npm runs scripts in the repository; INIT_CWD is where the user stands.
  const local = values.archive === undefined ? undefined : existingFolder(resolve(process.env.INIT_CWD ?? '.', values.archive));
  if (local !== undefined && !existsSync(join(local, '.well-known'))) {
    throw new Advice(`${local} is no archive: it has no .well-known/stellar-history.json`);
  }
  return { port: values.port, archives: { sample: absolute('target/sample-archive'), ...(local === undefined ? {} : { local }) } };
}

async function build() {
  say('Building dist/ (logs: target/logs)');
  await Promise.all([dist(), typeCheck()]);
  say(`Built dist/ in ${total()}`);
}

async function simulation(args) {
  const { values } = parse(args, { checkpoints: { type: 'string' }, consumers: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean' } });
  const number = (name, text, most) => {
    if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most) return Number(text);
    throw new Advice(`--${name} ${text}: it is a number from 1 to ${most}`);
  };
  const wanted = {
    json: values.json === true,
    ...(values.checkpoints === undefined ? {} : { checkpoints: number('checkpoints', values.checkpoints, 4_000_000) }),
    ...(values.consumers === undefined ? {} : { consumers: values.consumers.split(',').map((each) => number('consumers', each, 250)) }),
    ...(values.seed === undefined ? {} : { seed: number('seed', values.seed, 999_999_999) }),
  };
  if (wanted.json) speakOn(process.stderr);
  await packages();
  const { simulateAudit } = await import('./simulate-audit.mjs');
  await simulateAudit(wanted);
}

async function test(args) {
  const lanes = { native: [nativeTests, lint], wasm: [wasmTests], node: [typeCheck, nodeTests], page: [pageTests], packaging: [packagingTests, crate], edge: [edgeTests], peers: [peerTests] };
  const { values, positionals } = parse(args, { peers: { type: 'boolean' } });
  const unknown = positionals.find((name) => !Object.hasOwn(lanes, name));
  if (unknown !== undefined) throw new Advice(`there are no tests named ${unknown}\n\n${USAGE}`);
  // Whoever did not ask for it need not build another program.
  const named = positionals.length > 0 ? positionals : Object.keys(lanes).filter((name) => name !== 'peers');
  const chosen = [...new Set([...named, ...(values.peers ? ['peers'] : [])])];
  withTestRunner = chosen.includes('wasm');
  say(`Testing: ${chosen.join(', ')} (logs: target/logs)`);
  // The first fault of one lane must not hide those of another.
  const results = await Promise.allSettled(chosen.flatMap((name) => lanes[name]).map((lane) => lane()));
  const faults = new Set(results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason));
  for (const fault of faults) countFault(fault);
  say(`Tested in ${total()}`, `tests: ${tally.passed} passed, ${tally.failed} failed`);
  if (faults.size > 0) quit(1);
}

async function bench(args) {
  const flags = Object.fromEntries(['json', 'long', 'peers', 'strict'].map((name) => [name, { type: 'boolean' }]));
  const texts = Object.fromEntries(['against', 'only', 'rounds'].map((name) => [name, { type: 'string' }]));
  const { values: { json, ...values }, positionals } = parse(args, { ...flags, ...texts });
  // The file of --json is the only word that stands alone.
  if (positionals.length > (json === true ? 1 : 0)) throw new Advice(`bench takes no "${positionals.at(-1)}"\n\n${USAGE}`);
  const path = (name) => (name === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', name));
  const [file] = positionals;
  if (json === true && file === undefined) speakOn(process.stderr);
  // What a machine cannot have is said of the rows that need it.
  const found = Promise.all([browser().catch(() => ({})), firefox()]);
  await Promise.all([found, library(), page(), ...(realArchives() === null ? [sampleArchive()] : [])]);
  const { measure } = await import('./bench/bench.mjs');
  const env = Object.assign({}, ...(await found));
  await measure({ ...values, env, archives: realArchives(), json: path(file) ?? json, against: path(values.against) });
}

// ---- what has to be there first

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Advice(`Node ${process.versions.node} is too old: 20.19 or later is needed`);
}

const rust = once(async () => {
  if ((await ask('cargo', ['--version'])) === null) throw new Advice('Rust is missing: install it from https://rustup.rs and run this again');
  await linker();
});

async function linker() {
  if ((await ask('cc', ['--version'])) !== null) return;
  await debianPackages(['gcc', 'libc6-dev'], 'a C compiler, which Rust links with (on macOS: xcode-select --install)');
}

const wasmTarget = once(async () => {
  await rust();
  const libraries = await ask('rustc', ['--print', 'target-libdir', '--target', WASM_TARGET]);
  if (libraries !== null && existsSync(libraries)) return;
  await step(`Rust's ${WASM_TARGET} target`, ({ run }) => run('rustup', ['target', 'add', WASM_TARGET]));
});

const clippy = once(async () => {
  await rust();
  if ((await ask('cargo', ['clippy', '--version'])) !== null) return;
  await step("Rust's clippy", ({ run }) => run('rustup', ['component', 'add', 'clippy']));
});

const packages = once(() =>
  stampedStep('npm packages', { inputs: ['package-lock.json'], outputs: ['node_modules/.package-lock.json'] }, ({ run }) =>
    run('npm', ['ci', '--no-audit', '--no-fund']),
  ),
);

/** The browser for the page and the wasm tests; its path and its driver's go to the tests by environment. */
const browser = once(async () => {
  let found = await findBrowser();
  if (found === null) {
    await debianPackages(['chromium', 'chromium-driver'], WANTED_BROWSER);
    found = await findBrowser();
  }
  if (found === null) throw new Advice(`missing: ${WANTED_BROWSER}`);
  return found;
});

async function findBrowser() {
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  const installed = await onPath(['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']);
  const CHROMIUM = process.env.CHROMIUM ?? installed ?? (existsSync(mac) ? mac : null);
  const CHROMEDRIVER = process.env.CHROMEDRIVER ?? (await onPath(['chromedriver']));
  return CHROMIUM === null || CHROMEDRIVER === null ? null : { CHROMIUM, CHROMEDRIVER };
}

/** The page's second browser. Its tests say that they are skipped where it cannot be had. */
const firefox = once(async () => {
  let found = await findFirefox();
  if (found === null) {
    // Whatever hindered it has been told, or is told by the tests.
    await debianPackages(['firefox-esr'], 'Firefox').catch(() => {});
    found = await findFirefox();
  }
  return found === null ? {} : { FIREFOX: found };
});

async function findFirefox() {
  const mac = '/Applications/Firefox.app/Contents/MacOS/firefox';
  return process.env.FIREFOX ?? (await onPath(['firefox-esr', 'firefox'])) ?? (existsSync(mac) ? mac : null);
}

/** Some corrupted archives are made by a script in Python. */
const python = once(async () => {
  if ((await ask('python3', ['--version'])) === null) await debianPackages(['python3'], 'Python 3');
});

async function onPath(names) {
  for (const name of names) {
    const path = await ask('sh', ['-c', 'command -v "$1"', 'sh', name]);
    if (path) return path;
  }
  return null;
}

// apt allows one at a time, so that each call waits for the one before.
let apt = Promise.resolve();

async function debianPackages(names, description) {
  const system = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID=debian$/m.test(system) || process.getuid?.() !== 0) {
    throw new Advice(`missing: ${description}${/^ID=debian$/m.test(system) ? ` (as root: apt-get install ${names.join(' ')})` : ''}`);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  apt = apt.catch(() => {}).then(() =>
    step(`Debian packages: ${names.join(', ')}`, async ({ run }) => {
      await run('apt-get', ['update'], { env });
      await run('apt-get', ['install', '-y', '--no-install-recommends', ...names], { env });
    }),
  );
  return apt;
}

// ---- what is built

// Decided before the first step: the tool is built once, with or without what only tests need.
let withTestRunner = false;

const xtask = once(async () => {
  await rust();
  const features = withTestRunner ? ['--features', 'runner'] : [];
  await step('wasm-bindgen tools', ({ run }) => run('cargo', ['build', '--profile', 'xtask', '-p', 'xtask', ...features]));
});

const wasm = once(async () => {
  await wasmTarget();
  // One after the other: they end up in one file, which is linked to before the next one is made.
  for (const [name, features] of Object.entries(MODULES)) {
    await step(`Rust to wasm: ${features}`, async ({ run }) => {
      await run('cargo', ['build', '--release', '--target', WASM_TARGET, '--features', features, '--lib']);
      mkdirSync(join(TARGET, 'modules'), { recursive: true });
      copyFileSync(join(TARGET, WASM_TARGET, 'release/stellar_archive_verifier.wasm'), join(TARGET, `modules/${name}.wasm`));
    });
  }
});

const bindings = once(async () => {
  await Promise.all([wasm(), xtask()]);
  for (const name of Object.keys(MODULES)) {
    const module = join(TARGET, `modules/${name}.wasm`);
    const inputs = ['Cargo.lock', 'pkg-config/xtask', `=${contentHash(module)}`];
    await stampedStep(`JavaScript for ${name}.wasm`, { inputs, outputs: [`target/pkg/${name}_bg.wasm`] }, ({ run }) =>
      run(join(TARGET, 'xtask/xtask'), ['pkg', module, name]),
    );
  }
});

const page = once(async () => {
  await Promise.all([packages(), bindings()]);
  const inputs = ['package.json', 'package-lock.json', 'pkg-config/vite.page.config.ts', 'target/pkg', 'www/explorer', 'www/lib'];
  await stampedStep('the page', { inputs, outputs: ['dist/explorer/index.html'] }, ({ run }) =>
    run('node', [VITE, 'build', '--config', 'pkg-config/vite.page.config.ts']),
  );
});

const library = once(async () => {
  await Promise.all([packages(), bindings()]);
  const inputs = ['package.json', 'package-lock.json', 'pkg-config/vite.lib.config.ts', 'target/pkg', 'www/cli', 'www/lib'];
  await stampedStep('the package and the command line', { inputs, outputs: ['dist/cli.mjs', ...WASM_FILES.map((name) => `dist/${name}`)] }, async ({ run }) => {
    removeFromDist('.mjs');
    await run('node', [VITE, 'build', '--config', 'pkg-config/vite.lib.config.ts']);
    for (const name of WASM_FILES) copyFileSync(absolute(`target/pkg/${name}`), absolute(`dist/${name}`));
    chmodSync(absolute('dist/cli.mjs'), 0o755);
  });
});

const edgeWorker = once(async () => {
  await Promise.all([packages(), bindings()]);
  const [name] = WASM_FILES;
  const inputs = ['package-lock.json', 'pkg-config/vite.edge.config.ts', 'target/pkg', 'www/edge', 'www/lib'];
  await stampedStep('the edge worker', { inputs, outputs: ['dist/edge/worker.mjs', `dist/edge/${name}`] }, async ({ run }) => {
    await run('node', [VITE, 'build', '--config', 'pkg-config/vite.edge.config.ts']);
    copyFileSync(absolute(`target/pkg/${name}`), absolute(`dist/edge/${name}`));
  });
});

const declarations = once(async () => {
  await Promise.all([packages(), bindings()]);
  const inputs = ['package-lock.json', 'pkg-config/tsconfig.json', 'pkg-config/tsconfig.types.json', 'target/pkg', 'www/lib'];
  await stampedStep('type declarations', { inputs, outputs: ['dist/index.d.ts'] }, async ({ run }) => {
    removeFromDist('.d.ts');
    rmSync(absolute('dist/writers'), { recursive: true, force: true });
    await run('node', [TSC, '--project', 'pkg-config/tsconfig.types.json']);
  });
});

const typeCheck = once(async () => {
  await Promise.all([packages(), bindings()]);
  await stampedStep('TypeScript', { inputs: ['package-lock.json', 'pkg-config', 'target/pkg', 'www'], outputs: [] }, ({ run }) =>
    run('node', [TSC, '--project', 'pkg-config/tsconfig.json']),
  );
});

const sampleArchive = once(async () => {
  await rust();
  const out = 'target/sample-archive';
  // Not in the tests' folder: there it would replace the library that documentation tests link to at their end.
  await step('sample archive: its maker', ({ run }) => run('cargo', ['build', '--profile', 'xtask', '-p', 'sample-archive']));
  const maker = join(TARGET, 'xtask/sample-archive');
  await stampedStep('sample archive', { inputs: [`=${contentHash(maker)}`], outputs: [`${out}/.well-known/stellar-history.json`] }, ({ run }) => {
    rmSync(absolute(out), { recursive: true, force: true });
    return run(maker, [absolute(out)]);
  });
});

/** The sample beside the page, and the list that names it, so that there is something to try wherever the folder is put. */
const example = once(async () => {
  await Promise.all([page(), sampleArchive()]);
  const from = absolute('target/sample-archive');
  const { networkPassphrase: network } = JSON.parse(readFileSync(join(from, '.well-known/stellar-history.json'), 'utf8'));
  cpSync(from, absolute('dist/explorer/sample'), { recursive: true });
  writeFileSync(absolute('dist/explorer/archives.json'), `${JSON.stringify([{ name: 'Sample archive', url: './sample/', network }])}\n`);
});

const dist = once(() => Promise.all([page(), library(), declarations(), edgeWorker(), example()]));

/** Chunks carry a hash in their names, so what an earlier build left would stay for ever. */
function removeFromDist(ending) {
  if (!existsSync(absolute('dist'))) return;
  for (const name of readdirSync(absolute('dist'))) if (name.endsWith(ending)) rmSync(absolute(`dist/${name}`));
}

async function serveOn(wanted, archives) {
  return onPort(wanted, DEFAULT_PORT, (port) => serve({ root: absolute('dist/explorer'), archives, port }));
}

/** The wanted port or none; the usual one, or any where that is taken. */
async function onPort(wanted, usual, body) {
  try {
    return await body(wanted === undefined ? usual : Number(wanted));
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    if (wanted !== undefined) throw new Advice(`port ${wanted} is taken`);
    return body(0);
  }
}

// ---- what is tested

const tally = { passed: 0, failed: 0 };

const nativeTests = once(async () => {
  await rust();
  // xtask has no tests, and its dependencies are many.
  const args = ['test', '--workspace', '--exclude', 'xtask', '--features', 'native', '--no-fail-fast', '--', '--show-output'];
  await testStep('native tests', ({ run }) => run('cargo', args), cargoResults);
});

async function lint() {
  await Promise.all([clippy(), wasmTarget()]);
  // They share a build folder, so one waits for the other in any case, and the tests tell more.
  await nativeTests().catch(() => {});
  const strict = ['--', '-D', 'warnings'];
  await step('clippy and the documentation', async ({ run }) => {
    await run('cargo', ['clippy', '--workspace', '--exclude', 'xtask', '--all-targets', '--features', 'native', ...strict]);
    await run('cargo', ['clippy', '--target', WASM_TARGET, '--features', MODULES.stellar_archive_verifier, '--lib', ...strict]);
    await run('cargo', ['doc', '--workspace', '--exclude', 'xtask', '--no-deps', '--features', 'native'], { env: { RUSTDOCFLAGS: '-D warnings' } });
  });
}

/** The crate as others get it: every feature alone and together, and with the oldest Rust that it says is enough. */
async function crate() {
  await Promise.all([clippy(), wasmTarget()]);
  const oldest = /^rust-version = "(.+)"$/m.exec(readFileSync(absolute('Cargo.toml'), 'utf8'))[1];
  await step('the crate: features and package', async ({ run }) => {
    // In a folder of their own: documentation tests take whatever other variants of the crate lie beside theirs.
    const strict = ['--lib', '--target-dir', join(TARGET, 'features'), '--', '-D', 'warnings'];
    for (const features of ['', 'explore', 'native']) await run('cargo', ['clippy', '--features', features, ...strict]);
    for (const features of ['web', 'audit,web', 'explore,web', 'prove,web', 'publish,web']) await run('cargo', ['clippy', '--target', WASM_TARGET, '--features', features, ...strict]);
    await run('cargo', ['package', '--allow-dirty', '--no-verify', '--package', 'stellar-archive-verifier']);
  });
  const installed = await ask('rustup', ['toolchain', 'install', oldest, '--profile', 'minimal', '--no-self-update', '--target', WASM_TARGET]);
  if (installed === null) return say(`skipped the crate with Rust ${oldest}: rustup cannot install that here`);
  await step(`the crate with Rust ${oldest}`, async ({ run }) => {
    const check = [`+${oldest}`, 'check', '--locked', '--lib', '--target-dir', join(TARGET, 'oldest')];
    await run('cargo', [...check, '--features', 'explore,native']);
    await run('cargo', [...check, '--target', WASM_TARGET, '--features', MODULES.stellar_archive_verifier]);
  });
}

async function wasmTests() {
  const [env] = await Promise.all([browser(), xtask(), wasm()]);
  const args = ['test', '--release', '--target', WASM_TARGET, '--features', MODULES.stellar_archive_verifier, '--test', 'web'];
  await testStep('wasm tests in a browser window', ({ run }) => run('cargo', args, { env }), cargoResults);
  const worker = { ...env, WASM_BINDGEN_USE_DEDICATED_WORKER: '1' };
  await testStep('wasm tests in a worker', ({ run }) => run('cargo', args, { env: worker }), cargoResults);
}

async function nodeTests() {
  await Promise.all([dist(), python(), sampleArchive()]);
  const files = [...testFiles('pkg-config'), ...testFiles('tests/node'), ...testFiles('tests/writers')];
  await testStep('package and command line tests', ({ run }) => run('node', [...NODE_TEST, ...files]), nodeResults);
}

/** What other programs make of what ours writes, and ours of theirs. */
async function peerTests() {
  await Promise.all([dist(), rust(), sampleArchive()]);
  const env = { STELLAR_ARCHIVIST: await installPeer() };
  await testStep('tests with stellar-archivist', ({ run }) => run('node', [...NODE_TEST, ...testFiles('tests/peers')], { env }), nodeResults);
}

async function pageTests() {
  const [chromium, second] = await Promise.all([browser(), firefox(), dist(), python(), sampleArchive()]);
  const env = { ...chromium, ...second };
  await testStep('page tests', ({ run }) => run('node', [...NODE_TEST, ...testFiles('tests/explorer')], { env }), nodeResults);
}

/** The packed package on every host that a registry has; these are many, so that only this lane installs them. */
async function packagingTests() {
  const hosts = once(() =>
    // Without a lock file: Deno's binaries for other systems are not in every registry, and `npm ci` wants to see them all.
    stampedStep('runtimes and bundlers', { inputs: ['tests/packaging/package.json'], outputs: ['tests/packaging/node_modules/.package-lock.json'] }, ({ run }) =>
      run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', 'tests/packaging']),
    ),
  );
  const [env] = await Promise.all([browser(), hosts(), dist(), sampleArchive()]);
  await testStep('packaging tests', ({ run }) => run('node', [...NODE_TEST, ...testFiles('tests/packaging')], { env }), nodeResults);
}

/** The edge worker in Cloudflare's own runtime. */
async function edgeTests() {
  await Promise.all([edgeWorker(), library(), sampleArchive()]);
  await testStep('edge tests', ({ run }) => run('node', [...NODE_TEST, ...testFiles('tests/edge')]), nodeResults);
}

function testFiles(folder) {
  return readdirSync(absolute(folder)).filter((name) => name.endsWith('.test.mjs')).sort().map((name) => `${folder}/${name}`);
}

/** A step whose command is a test runner: its closing lines are shown and counted, also when it fails. */
function testStep(name, body, results) {
  return step(name, async (context) => {
    try {
      return count(results(await body(context)));
    } catch (error) {
      const found = results(error.output ?? '');
      throw Object.assign(error, { lines: [...count(found), ...found.failures], counted: found.failed > 0 });
    }
  });
}

function count({ passed, failed, lines }) {
  tally.passed += passed;
  tally.failed += failed;
  return lines;
}

/** A step that failed without counting (a build, a runner that did not start) is one failure; tools missing outside a step are told here. */
function countFault(fault) {
  if (fault instanceof Advice) say(`✗ ${fault.message}`);
  else if (!(fault instanceof Failed)) throw fault;
  if (fault.cause?.counted !== true) tally.failed += 1;
}

/** cargo's test runner, and wasm-bindgen's, which imitates it: one closing line for each binary. */
function cargoResults(output) {
  const closing = [...output.matchAll(/^test result: .*?(\d+) passed; (\d+) failed;.*$/gm)];
  const sum = (group) => closing.reduce((total, match) => total + Number(match[group]), 0);
  return {
    passed: sum(1),
    failed: sum(2),
    lines: [...output.matchAll(/^skipped .*$/gm), ...closing.filter(([, passed, failed]) => passed + failed !== '00')].map(([line]) => line),
    failures: blocks(output, /^failures:\n[^]*?^test result: FAILED/gm),
  };
}

/** The `spec` reporter of `node --test`. */
function nodeResults(output) {
  const closing = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const skipped = [...output.matchAll(/^\s*﹣ (.*?)(?: \([\d.]+ms\))? # (.*)$/gm)].map(([, name, why]) => `skipped ${name}: ${why}`);
  const summary = ['tests', 'pass', 'fail', 'cancelled', 'skipped'].map((word) => `${word} ${closing(word)}`).join(', ');
  return {
    passed: closing('pass'),
    failed: closing('fail') + closing('cancelled'),
    lines: [...skipped, summary],
    failures: blocks(output, /^✖ failing tests:$[^]*/gm),
  };
}

/** The beginnings say what failed; a whole structure printed by one assertion is left to the log. */
function blocks(output, pattern) {
  return [...output.matchAll(pattern)].flatMap(([block]) => {
    const lines = block.split('\n');
    return lines.length <= FAILURE_LINES ? lines : [...lines.slice(0, FAILURE_LINES), `(${lines.length - FAILURE_LINES} more lines in the log)`];
  });
}

// ---- small things

function parse(args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new Advice(`${error.message}\n\n${USAGE}`);
  }
}

function existingFolder(path) {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Advice(`${path} is no folder`);
  return path;
}

/** The folder of real archives, where there is one. */
function realArchives() {
  const path = join(process.env.STELLAR_ARCHIVE_DATA ?? join(ROOT, '../shared/data'), 'archives');
  return existsSync(path) ? path : null;
}

function contentHash(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

process.on('SIGINT', () => quit(130));
process.on('SIGTERM', () => quit(143));
await main(process.argv.slice(2));
