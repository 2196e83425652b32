/**
 * How the steps of x.mjs run: their lines on the screen, their logs, their stamps and the processes they start.
 *
 * Not here: which steps there are.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
const LOGS = join(ROOT, 'target/logs');
const STAMPS = join(ROOT, 'target/stamps');
const TAIL_LINES = 80;

/** Already told to the user; whoever catches it has only to stop. */
export class Failed extends Error {}

/** Told in one line, without a log: something is missing or wrong that only the user can put right. */
export class Advice extends Error {}

let stream = process.stdout;
const started = performance.now();
const children = new Set();
const running = new Map();

/**
 * Runs `body` under a name: `… name`, then `✓ name (time)` and the list of lines it returned, if it did, or `✗ name (time)` and the
 * `lines` of its error or else the end of its log.
 *
 * `body` gets a context with `run(command, args, options)`; everything those commands print goes to the step's log.
 */
export async function step(name, body) {
  const log = join(LOGS, `${slug(name)}.log`);
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(log, '');
  const since = performance.now();
  say(`… ${name}`);
  running.set(name, since);
  try {
    const lines = await body({ run: (command, args, options) => run(log, command, args, options) });
    running.delete(name);
    say(`✓ ${name} (${seconds(since)})`, ...indented(Array.isArray(lines) ? lines : []));
  } catch (error) {
    running.delete(name);
    if (error instanceof Advice) say(`✗ ${name}: ${error.message}`);
    else reportFailure(name, since, log, error);
    throw error instanceof Failed ? error : new Failed(name, { cause: error });
  }
}

/** As `step`, but not at all while `inputs` (files, folders, plain strings after `=`) are what they were and `outputs` exist. */
export async function stampedStep(name, { inputs, outputs }, body) {
  const stamp = join(STAMPS, slug(name));
  const key = fingerprint(inputs);
  if (outputs.every((path) => existsSync(absolute(path))) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) {
    say(`✓ ${name} (unchanged)`);
    return;
  }
  rmSync(stamp, { force: true });
  await step(name, body);
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stamp, key);
}

/** Makes a step that several others need run once. */
export function once(body) {
  let result;
  return () => (result ??= body());
}

/** What a command prints, or `null` where it is missing or fails. */
export async function ask(command, args) {
  try {
    return (await execute(command, args, {}, () => {})).trim();
  } catch {
    return null;
  }
}

export function say(...lines) {
  clearStatus();
  stream.write(`${lines.join('\n')}\n`);
}

/** Leaves standard output to what a command is asked for. */
export function speakOn(other) {
  stream = other;
}

export function total() {
  return seconds(started);
}

/** Ends every process that is still under way; each was started as a group of its own. */
export function stopChildren() {
  for (const child of children) {
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      child.kill();
    }
  }
}

export function absolute(path) {
  return join(ROOT, path);
}

async function run(log, command, args, { env = {}, cwd = ROOT } = {}) {
  appendFileSync(log, `$ ${[command, ...args].join(' ')}\n`);
  return execute(command, args, { cwd, env }, (text) => {
    appendFileSync(log, text);
    if (process.env.VERBOSE) process.stdout.write(text);
  });
}

function execute(command, args, { cwd = ROOT, env = {} }, onText) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      detached: process.platform !== 'win32',
      env: { ...process.env, CARGO_TERM_COLOR: 'never', NO_COLOR: '1', PATH: searchPath(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (text) => {
      output += text;
      onText(text);
    };
    children.add(child);
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('error', (error) => {
      children.delete(child);
      reject(error);
    });
    child.once('close', (code, signal) => {
      children.delete(child);
      if (code === 0) resolve(output);
      else reject(Object.assign(new Error(`${command} ended with ${code ?? signal}`), { output }));
    });
  });
}

/** rustup puts its folder on the path of new shells only; the one it was installed from can work on. */
function searchPath() {
  return [process.env.PATH, join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')].join(delimiter);
}

function fingerprint(inputs) {
  const hash = createHash('sha256').update(process.version);
  for (const input of inputs) {
    if (input.startsWith('=')) hash.update(input);
    else for (const file of filesUnder(absolute(input))) hash.update(relative(ROOT, file)).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesUnder(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

function reportFailure(name, since, log, error) {
  const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES);
  const lines = error.counted ? error.lines : tail;
  say(`✗ ${name} (${seconds(since)}): ${error.message}`, ...indented(lines), `    whole log: ${relative(ROOT, log)}`);
}

function indented(lines) {
  return lines.map((line) => `    ${line}`);
}

function slug(name) {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

// On a terminal, one line at the bottom says what is still under way.
let statusShown = false;
if (stream.isTTY && !process.env.VERBOSE) setInterval(showStatus, 500).unref();

function showStatus() {
  if (running.size === 0) return;
  const text = [...running].map(([name, since]) => `${name} ${Math.round((performance.now() - since) / 1000)} s`).join(' · ');
  stream.write(`\r\x1b[2K  ${text.slice(0, (stream.columns ?? 80) - 3)}`);
  statusShown = true;
}

function clearStatus() {
  if (statusShown) stream.write('\r\x1b[2K');
  statusShown = false;
}
