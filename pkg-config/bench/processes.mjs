/**
 * Processes and what they cost: commands that are timed from start to exit, programs that stay and answer line by line, and the CPU time of
 * a whole tree of processes.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const call = promisify(execFile);

/** Start to exit. Node does not tell the CPU time of one child; bash, which both Debian and macOS have, does: that of all processes under it. */
export async function timed(command, env = {}) {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1';
  const { stderr } = await call('bash', ['-c', script, 'bash', ...command], { env: { ...process.env, ...env, LC_ALL: 'C' } }).catch((error) => {
    throw new Error(`${command.join(' ')} ended with ${error.code}`);
  });
  const [wall, user, system] = stderr.trim().split(' ').map(Number);
  return { wallMs: wall * 1000, cpuMs: (user + system) * 1000 };
}

/** What a command printed as JSON. */
export async function printed(command, env = {}) {
  const { stdout } = await call(command[0], command.slice(1), { env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

/** A program that answers each line on its standard input with a line of JSON; `{ "error": … }` is a failure. */
export function resident(command, env = {}) {
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-2000);
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // A program that is gone is told by its answer that does not come.
  child.stdin.on('error', () => {});
  child.on('error', (error) => {
    complaint = error.message;
  });
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`${command.join(' ')} ended: ${complaint.trim()}`);
      const answer = JSON.parse(value);
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    close: () => void child.kill(),
  };
}

/** Several rows may ask one program; it begins with the first and ends with the last of them. */
export function shared(start) {
  let running = null;
  let users = 0;
  return async () => {
    users += 1;
    running ??= start();
    const { close, ...rest } = await running;
    return {
      ...rest,
      close: async () => {
        users -= 1;
        if (users > 0) return;
        running = null;
        await close();
      },
    };
  };
}

/** The CPU time of a process and all it started, in milliseconds, or `undefined` where there is no /proc. In steps of a hundredth of a second. */
export function treeCpuMs(root) {
  const processes = stats();
  if (processes === null) return undefined;
  const tree = descendants(root, processes);
  return processes.filter(({ pid }) => tree.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0) * 10;
}

/** The processes of that name which `root` started. */
export function startedBy(root, name) {
  const processes = stats() ?? [];
  const tree = descendants(root, processes);
  return processes.filter((found) => tree.has(found.pid) && found.name.startsWith(name)).map(({ pid }) => pid);
}

function descendants(root, processes) {
  const tree = new Set([root]);
  // Parents need not come first.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of processes) if (tree.has(parent)) tree.add(pid);
  }
  return tree;
}

function stats() {
  if (process.platform !== 'linux') return null;
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name stands in brackets and may have any character.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      // Fields 14 to 17 of proc(5): its own time and that of children that have ended, in ticks of which a second has a hundred.
      return [{ pid: Number(pid), name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')), parent: Number(fields[1]), ticks: fields.slice(11, 15).map(Number).reduce((a, b) => a + b) }];
    } catch {
      return [];
    }
  });
}

/** Runs `body` and says what it took, by the clock and of the processor by everything under `root`. */
export async function measured(root, body) {
  const [before, began] = [treeCpuMs(root), performance.now()];
  const result = await body();
  const wallMs = performance.now() - began;
  const after = treeCpuMs(root);
  return { result, metrics: { wallMs, ...(before === undefined ? {} : { cpuMs: after - before }) } };
}
