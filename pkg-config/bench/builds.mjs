/** What rows need beside the built package: the crates of this folder, packages to compare with, a folder that browsers are served from. Each is made when it is first needed. */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { absolute, once, stampedStep, step } from '../run.mjs';
import { bundle } from './archive.mjs';

const WASM_TARGET = 'wasm32-unknown-unknown';
/** Beside whom the stages run. They are installed for the bench alone. */
export const PEER_PACKAGES = { '@stellar/stellar-xdr-json': '27.0.0', fflate: '0.8.3', 'hash-wasm': '4.13.0' };

/** The stages as a program and as WebAssembly, with the profile and the versions that the package is built with. */
export const stages = once(async () => {
  const manifest = absolute('pkg-config/bench/stages/Cargo.toml');
  const target = absolute('target/bench/stages');
  const profile = absolute('target/bench/profile.toml');
  mkdirSync(target, { recursive: true });
  writeFileSync(profile, readFileSync(absolute('Cargo.toml'), 'utf8').match(/^\[profile\.release[^]*?(?=^\[(?!profile\.release)|(?![^]))/gm).join('\n'));
  copyFileSync(absolute('Cargo.lock'), absolute('pkg-config/bench/stages/Cargo.lock'));
  const build = ['build', '--release', '--config', profile, '--manifest-path', manifest, '--target-dir', target];
  await step('the stages, natively and as WebAssembly', async ({ run }) => {
    await run('cargo', [...build, '--bin', 'bench-stages']);
    await run('cargo', [...build, '--lib', '--target', WASM_TARGET]);
  });
  return { program: join(target, 'release/bench-stages'), wasm: join(target, WASM_TARGET, 'release/bench_stages.wasm') };
});

/** libdeflate, SHA-NI and the walk over records, natively. */
export const limit = once(async () => {
  copyFileSync(absolute('Cargo.lock'), absolute('pkg-config/bench/limit/Cargo.lock'));
  const target = absolute('target/bench/limit');
  await step('the native limit', ({ run }) => run('cargo', ['build', '--release', '--manifest-path', absolute('pkg-config/bench/limit/Cargo.toml'), '--target-dir', target]));
  return join(target, 'release/bench-limit');
});

export const peerPackages = once(async () => {
  const dir = absolute('target/bench/peers');
  const wanted = Object.entries(PEER_PACKAGES).map(([name, version]) => `${name}@${version}`);
  mkdirSync(dir, { recursive: true });
  await stampedStep('packages to compare with', { inputs: [`=${wanted}`], outputs: ['target/bench/peers/node_modules/.package-lock.json'] }, ({ run }) =>
    run('npm', ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', dir, ...wanted]),
  );
  return dir;
});

/** Makes whatever needs to be made once for an archive: `bundleOf(dir)` is its path. */
const bundles = new Map();
export function bundleOf(archive) {
  if (!bundles.has(archive)) bundles.set(archive, (async () => {
    const file = absolute('target/bench/archive.bundle');
    mkdirSync(absolute('target/bench'), { recursive: true });
    await bundle(archive, file);
    return file;
  })());
  return bundles.get(archive);
}

/** The package, pages and workers around it, and the archive as one file, in one folder. */
const sites = new Map();
export function siteOf(archive) {
  if (!sites.has(archive)) sites.set(archive, (async () => {
    const site = absolute('target/bench/site');
    mkdirSync(site, { recursive: true });
    for (const folder of ['dist', 'pkg-config/bench/page']) {
      for (const name of readdirSync(absolute(folder)).filter((each) => /\.(html|mjs|wasm)$/.test(each))) copyFileSync(absolute(join(folder, name)), join(site, name));
    }
    copyFileSync(await bundleOf(archive), join(site, 'archive.bundle'));
    return site;
  })());
  return sites.get(archive);
}
