/**
 * What `npm run bench` measures: the command line from a cold start, and the memory a run takes.
 *
 * Contenders run in the same rounds, in turned order, so that what else the machine does meets all of them. Absolute
 * times belong to one machine; ratios carry over.
 */
import { execFile } from 'node:child_process';
import { readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Advice, TARGET, absolute, say, stampedStep, step } from './run.mjs';
import { addBigBucket } from './bench-bucket.mjs';
import { PEER, installPeer } from './peer.mjs';

const call = promisify(execFile);
const BIG = 'target/bench/big-bucket';
const MB = 1_000_000;
const SHOWN_FINDINGS = 5;

/** `archives` is the folder of real archives, or `null`: the sample archive then stands in. */
export async function measure({ archives, env, json = false, peers = false, rounds = '7' }) {
  const archive = archives === null ? absolute('target/sample-archive') : join(archives, 'testnet-p22');
  if (!(Number(rounds) >= 1)) throw new Advice(`--rounds needs a number, not ${rounds}`);
  const peer = peers ? await installPeer() : null;
  const result = {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cpus: availableParallelism(), node: process.version, platform: process.platform },
    archive: await describe(archive),
    commandLine: await commandLine(archive, peer, Number(rounds)),
    memory: await memory(archive),
    trust: archives === null ? [] : await trust(archive, Number(rounds)),
    forgery: await forgery(peer),
    map: await map(env),
  };
  if (json) console.log(JSON.stringify(result, null, 2));
  else print(result);
}

// ---- the command line

async function commandLine(archive, peer, rounds) {
  const contenders = [{ name: 'stellar-archive-verifier', command: [process.execPath, absolute('dist/cli.mjs'), 'verify', archive] }];
  if (peer !== null) contenders.push({ name: `${PEER.name} ${PEER.version}`, command: [peer, '--verify', 'scan', `file://${archive}`] });
  const runs = new Map(contenders.map(({ name }) => [name, []]));
  await step(`command line, ${rounds} rounds after a warm-up`, async () => {
    for (let round = 0; round <= rounds; round += 1) {
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const { name, command } of order) {
        const times = await timed(command);
        if (round > 0) runs.get(name).push(times);
      }
    }
  });
  return contenders.map(({ name }) => ({ name, wall: summary(runs.get(name), 'wall'), cpu: summary(runs.get(name), 'cpu') }));
}

/** Node does not tell the CPU time of one child; bash, which both Debian and macOS have, does. */
async function timed(command) {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1';
  const { stderr } = await call('bash', ['-c', script, 'bash', ...command], { env: { ...process.env, LC_ALL: 'C' } }).catch((error) => {
    throw new Error(`${command.join(' ')} ended with ${error.code}`);
  });
  const [wall, user, system] = stderr.trim().split(' ').map(Number);
  return { wall, cpu: user + system };
}

function summary(runs, key) {
  const sorted = runs.map((run) => run[key]).sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[Math.floor(sorted.length / 2)] };
}

// ---- the memory

async function memory(archive) {
  const checkpoints = await checkpointsOf(archive);
  const few = checkpoints[Math.min(8, checkpoints.length) - 1];
  const cases = [
    { name: `${checkpoints.indexOf(few) + 1} checkpoints`, args: [archive, '1', String(few)] },
    { name: `${checkpoints.length} checkpoints`, args: [archive, '1', String(checkpoints.at(-1))] },
    { name: 'one bucket of 200 MB', args: [await bigBucketArchive()] },
  ];
  const measured = [];
  await step('memory of runs', async () => {
    for (const { name, args } of cases) {
      const { stdout } = await call(process.execPath, [absolute('pkg-config/bench-memory.mjs'), ...args]);
      measured.push({ name, ...JSON.parse(stdout) });
    }
  });
  return measured;
}

async function bigBucketArchive() {
  const inputs = ['pkg-config/bench-bucket.mjs', 'tests/sample-archive/src'];
  const outputs = [`${BIG}/.well-known/stellar-history.json`];
  await stampedStep('an archive with a bucket of 200 MB', { inputs, outputs }, async ({ run }) => {
    await rm(absolute(BIG), { recursive: true, force: true });
    await run('cargo', ['build', '-p', 'sample-archive']);
    await run(join(TARGET, 'debug/sample-archive'), ['--protocol', '22', '--ledgers', '63', absolute(BIG)]);
    await addBigBucket(absolute(BIG));
  });
  return absolute(BIG);
}

// ---- trust

/** What it costs to find out who vouches for a chain, in a process of its own with one WebAssembly thread. */
async function trust(archive, rounds) {
  let measured = [];
  await step('who vouches for it', async () => {
    const { stdout } = await call(process.execPath, [absolute('pkg-config/bench-trust.mjs'), archive, String(rounds)]);
    measured = JSON.parse(stdout);
  });
  return measured;
}

/** The page's map of a million checkpoints, in the browser that `env` names. */
async function map(env) {
  let measured = [];
  await step('the map of a million checkpoints', async () => {
    const { stdout } = await call(process.execPath, [absolute('pkg-config/bench-map.mjs')], { env: { ...process.env, ...env } });
    measured = JSON.parse(stdout);
  });
  return measured;
}

/** A history that agrees with itself, under testnet's passphrase, but signed by made-up validators. */
async function forgery(peer) {
  const dir = absolute('target/bench/forgery');
  const commands = [['stellar-archive-verifier', [process.execPath, absolute('dist/cli.mjs'), 'verify', dir]]];
  if (peer !== null) commands.push([`${PEER.name} ${PEER.version}`, [peer, '--verify', 'scan', `file://${dir}`]]);
  const exits = [];
  await step('a forged history', async ({ run }) => {
    await rm(dir, { recursive: true, force: true });
    await run('cargo', ['build', '-p', 'sample-archive']);
    await run(join(TARGET, 'debug/sample-archive'), ['--passphrase', 'Test SDF Network ; September 2015', dir]);
    for (const [name, [program, ...args]] of commands) {
      const exit = await call(program, args).then(() => 0, ({ code }) => code);
      exits.push({ name, exit });
    }
  });
  return exits;
}

// ---- what is printed

function print({ machine, archive, commandLine: contenders, memory: runs, trust: trusts, forgery: forged, map: frames }) {
  const [ours, ...others] = contenders;
  const inflated = runs[1].inflatedBytes;
  say(
    '',
    `${machine.cpu}, ${machine.cpus} CPUs, Node ${machine.node}`,
    `${archive.name}: ${archive.checkpoints} checkpoints, ${archive.files} files, ${megabytes(archive.bytes)} (${megabytes(inflated)} inflated)`,
    '',
    'command line, cold start            wall min   median     CPU min   median',
    ...contenders.map(({ name, wall, cpu }) => `  ${name.padEnd(32)}${cells(wall)}  ${cells(cpu)}`),
    ...others.map(({ name, wall, cpu }) => `  ours ÷ ${name}: wall ${ratio(ours.wall, wall)}, CPU ${ratio(ours.cpu, cpu)} (medians)`),
    '',
    'memory                              wasm       process    inflated   time     verdict',
    ...runs.map(
      (run) =>
        `  ${run.name.padEnd(32)}${megabytes(run.wasmBytes).padStart(8)}${megabytes(run.processBytes).padStart(11)}` +
        `${megabytes(run.inflatedBytes).padStart(12)}${`${(run.elapsedMs / 1000).toFixed(2)} s`.padStart(9)}     ${run.verdict}`,
    ),
    '',
    'who vouches for it, one wasm thread   CPU min   median   beyond the chain',
    ...trusts.map(
      ({ name, cpuMs, beyondMs, ratio: times }) =>
        `  ${name.padEnd(32)}${`${cpuMs.min.toFixed(0)} ms`.padStart(11)}${`${cpuMs.median.toFixed(0)} ms`.padStart(9)}` +
        `${`${beyondMs.toFixed(1)} ms`.padStart(12)} (× ${times.toFixed(2)})`,
    ),
    '',
    'a history forged under testnet\'s passphrase',
    ...forged.map(({ name, exit }) => `  ${name.padEnd(32)}${exit === 0 ? 'passes it' : 'refuses it'} (exit status ${exit})`),
    '',
    'the map of a million checkpoints    frame median      p99      max',
    ...frames.map(({ name, frameMs }) => `  ${name.padEnd(32)}${[frameMs.median, frameMs.p99, frameMs.max].map((ms) => `${ms.toFixed(1)} ms`.padStart(11)).join('')}`),
    ...runs.flatMap(({ name, findings }) => findings.slice(0, SHOWN_FINDINGS).map((finding) => `    ${name}: ${finding}`)),
  );
}

function cells({ min, median }) {
  return `${`${min.toFixed(2)} s`.padStart(12)}${`${median.toFixed(2)} s`.padStart(9)}`;
}

function ratio(ours, theirs) {
  return (ours.median / theirs.median).toFixed(2);
}

function megabytes(bytes) {
  return `${(bytes / MB).toFixed(1)} MB`;
}

// ---- the archive

async function describe(dir) {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  return {
    name: dir.slice(dir.lastIndexOf('/') + 1),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    checkpoints: (await checkpointsOf(dir)).length,
    files: files.length,
  };
}

async function checkpointsOf(dir) {
  const names = await readdir(join(dir, 'history'), { recursive: true });
  const found = names.map((name) => /history-([0-9a-f]{8})\.json$/.exec(name)?.[1]).filter((hex) => hex !== undefined);
  return found.map((hex) => Number.parseInt(hex, 16)).sort((a, b) => a - b);
}
