/**
 * Completion in the shells themselves: their own line editors complete what is typed, and insert all that they found.
 *
 * In bash and zsh a stand-in for the program writes down the words that it was called with in the end; the names of the config file come
 * from the program. A shell that is not there is said to be missing.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { CLI, cli, jsonLines, plainEnv, temporary } from './support.mjs';

const PROGRAM = 'stellar-archive-verifier';
const noPython = spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'no pseudo-terminals: Python with pty is needed';

/** Why a shell cannot be tried, or `false`. */
const lacks = (shell) => (spawnSync(shell, ['--version']).error === undefined ? false : `no ${shell} on the path`);

/** A folder with something to complete, a config file, and a stand-in for the program. */
async function scene(t, shell) {
  const folder = await temporary(t);
  const here = join(folder, 'here');
  await mkdir(join(here, 'archive-folder'), { recursive: true });
  await mkdir(join(here, 'with space'));
  await writeFile(join(here, 'notes.txt'), '');
  await writeFile(join(folder, 'config.toml'), '[archives]\nmain = "https://history.example.org"\nmirror-of-main = "x"\n[quorum-sets]\nmynode = "core.cfg"\n');
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const record = join(folder, 'record');
  await writeFile(record, '');
  await writeFile(join(bin, PROGRAM), `#!/bin/sh
if [ -t 1 ]; then { printf '%s\\n' "$@"; printf '\\f\\n'; } >> ${JSON.stringify(record)}; else exec ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@"; fi
`, { mode: 0o755 });
  const script = join(folder, `${PROGRAM}.${shell}`);
  const made = await cli(['completion', shell]);
  assert.equal(made.status, 0, made.stderr);
  await writeFile(script, made.stdout);
  const env = { ...plainEnv, HOME: folder, PATH: `${bin}:${process.env.PATH}`, STELLAR_ARCHIVE_VERIFIER_CONFIG: join(folder, 'config.toml'), TERM: 'xterm', XDG_CONFIG_HOME: join(folder, 'xdg') };
  return { folder, here, record, script, env };
}

/** Types into a shell on a terminal until it ends. */
async function typed(words, keys, { env, cwd }) {
  const play = `
import os, pty, sys
keys = sys.stdin.buffer.read()
pid, master = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
os.write(master, keys)
while True:
    try:
        if not os.read(master, 65536): break
    except OSError: break
os.waitpid(pid, 0)
`;
  const running = promisify(execFile)('python3', ['-c', play, ...words], { env, cwd, timeout: 120_000, killSignal: 'SIGKILL' });
  running.child.stdin.end(keys);
  await running;
}

/** The words that were on each line in the end, by what was recorded. */
async function recorded(record, lines) {
  const calls = (await readFile(record, 'utf8')).split('\f\n').slice(0, -1).map((call) => call.trimEnd().split('\n'));
  assert.equal(calls.length, lines.length, JSON.stringify(calls));
  return calls.map((words, index) => words.slice(lines[index].split(' ').length - 1));
}

const SHELLS = {
  /** `insert-completions` of readline, on its usual key. */
  async bash(t, lines) {
    const { here, record, script, env } = await scene(t, 'bash');
    const rc = join(here, '../rc');
    await writeFile(rc, `source ${JSON.stringify(script)}\n`);
    await typed(['bash', '--noprofile', '--rcfile', rc, '-i'], `${lines.map((line) => `${PROGRAM} ${line}\u001b*\r`).join('')}exit\r`, { env, cwd: here });
    return recorded(record, lines);
  },
  /** The completer `_all_matches`, on a key of its own. */
  async zsh(t, lines) {
    const { here, folder, record, script, env } = await scene(t, 'zsh');
    const functions = join(folder, 'functions');
    await mkdir(functions);
    await writeFile(join(functions, `_${PROGRAM}`), await readFile(script, 'utf8'));
    await writeFile(join(folder, '.zshrc'), `
fpath=(${JSON.stringify(functions)} $fpath)
autoload -U compinit && compinit -u -d ${JSON.stringify(join(folder, 'dump'))}
zle -C all-matches complete-word _generic
bindkey '^X' all-matches
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
unsetopt prompt_cr
`);
    await typed(['zsh', '-o', 'no_global_rcs', '-i'], `${lines.map((line) => `${PROGRAM} ${line}\u0018\r`).join('')}exit\r`, { env: { ...env, ZDOTDIR: folder }, cwd: here });
    return recorded(record, lines);
  },
  /** \`complete -C\`: what its line editor would list. */
  async fish(t, lines) {
    const { here, script, env } = await scene(t, 'fish');
    const all = [];
    for (const line of lines) {
      const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', `source ${JSON.stringify(script)}; complete -C ${JSON.stringify(`${PROGRAM} ${line}`)}`], { env, cwd: here, timeout: 60_000 });
      all.push(stdout.trimEnd().split('\n').map((found) => found.split('\t')[0]));
    }
    return all;
  },
};

const COMMANDS = [
  'verify', 'compare', 'audit', 'check-header', 'verify-checkpoints', 'status', 'log', 'dump', 'quorum-sets', 'prove', 'verify-proof', 'mirror', 'repair', 'publish',
  'new-hist', 'config', 'completion',
];

/** What is typed, all that must be offered (`only`: and nothing else), and what must not. */
const CASES = [
  { line: '', has: [...COMMANDS, 'help'], only: true },
  { line: 'verify-', has: ['verify-checkpoints', 'verify-proof'], only: true },
  { line: 'status --', has: ['--max-retries', '--json', '--color', '--config', '--help'], not: ['--deep', '--low'] },
  { line: 'verify --q', has: ['--quiet', '--quorum-set'], only: true },
  { line: 'verify --order ', has: ['oldest-first', 'newest-first'], only: true },
  { line: 'verify --color a', has: ['auto', 'always'], only: true },
  { line: 'verify --network t', has: ['testnet'], only: true },
  { line: 'verify --quorum-set m', has: ['mynode'], only: true },
  { line: 'verify --quorum-set pubnet-', has: ['pubnet-packages', 'pubnet-sdf'], only: true },
  { line: 'verify --report n', has: ['notes.txt'], only: true },
  { line: 'verify m', has: ['main', 'mirror-of-main'], only: true },
  { line: 'verify a', has: ['archive-folder'], only: true },
  { line: 'verify w', has: ['with space'], only: true },
  { line: 'verify n', not: ['notes.txt'] },
  { line: 'verify --low 5 --json mai', has: ['main'], only: true },
  { line: 'mirror https://history.example.org/x mir', has: ['mirror-of-main'], only: true },
  { line: 'dump main ', has: ['history', 'ledger', 'transactions', 'results', 'scp', 'bucket'], only: true },
  { line: 'dump https://host:80/x led', has: ['ledger'], only: true },
  { line: 'dump --checkpoint-frequency 64 main led', has: ['ledger'], only: true },
  { line: '--color never log --or', has: ['--order'], only: true },
  { line: 'verify-proof n', has: ['notes.txt'], only: true },
  { line: 'help quorum', has: ['quorum-sets'], only: true },
  { line: 'completion ', has: ['bash', 'zsh', 'fish'], only: true },
  { line: 'config q', has: ['quorum-sets'], only: true },
];

/** A word without a shell's own spelling: what follows it, and how it is quoted. */
const word = (text) => text.replace(/[=/]$/, '').replaceAll('\\ ', ' ');

for (const [shell, complete] of Object.entries(SHELLS)) {
  test(`${shell} completes commands, options, their values, files and the names of the config file`, { skip: lacks(shell) || (shell === 'fish' ? false : noPython), timeout: 240_000 }, async (t) => {
    const found = await complete(t, CASES.map(({ line }) => line));
    for (const [index, { line, has = [], only = false, not = [] }] of CASES.entries()) {
      const offered = new Set(found[index].map(word));
      for (const one of has) assert.ok(offered.has(one), `${JSON.stringify(line)}: ${one} in ${[...offered].join(' ')}`);
      for (const one of not) assert.ok(!offered.has(one), `${JSON.stringify(line)}: ${one} in ${[...offered].join(' ')}`);
      if (only) assert.deepEqual([...offered].toSorted(), has.toSorted(), JSON.stringify(line));
    }
  });

  test(`${shell} knows exactly the options that the help of each command lists`, { skip: lacks(shell) || (shell === 'fish' ? false : noPython), timeout: 240_000 }, async (t) => {
    const found = await complete(t, COMMANDS.map((command) => `${command} --`));
    for (const [index, command] of COMMANDS.entries()) {
      const { stdout } = await cli(['help', command]);
      const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name);
      assert.deepEqual([...new Set(found[index].map(word))].filter((one) => one.startsWith('--')).toSorted(), listed.toSorted(), command);
    }
  });
}

test('bash completes the value behind an equals sign', { skip: lacks('bash') || noPython }, async (t) => {
  const [words] = await SHELLS.bash(t, ['verify --order=new']);
  assert.deepEqual(words, ['--order=newest-first']);
});

test('a script is refused for a shell that there is none for, and says how to use it otherwise', async () => {
  for (const [words, says] of [[['completion'], /needs the name of a shell/], [['completion', 'tcsh'], /no completion for "tcsh"[\s\S]*bash, zsh, fish/], [['completion', 'bash', 'zsh'], /one too many/]]) {
    const { status, stderr } = await cli(words);
    assert.equal(status, 2);
    assert.match(stderr, says);
  }
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await cli(['completion', shell]);
    assert.match(stdout, /^# To use it: /m);
    const [{ script }] = jsonLines((await cli(['completion', `/usr/bin/${shell}`, '--json'])).stdout);
    assert.equal(`${script.trimEnd()}\n`, stdout);
  }
});
