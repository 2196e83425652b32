/**
 * The help as a teacher: what it shows is run, word by word, against the sample archive; what was misspelt is understood.
 *
 * Where an example names a public archive, the same words are run against a server on this machine that has the sample in its place.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { TOKEN, auditWorker, status } from '../audit-worker.mjs';
import { CLI, SAMPLE, SAMPLE_NETWORK, cli, jsonLines, noSample, pathOf, plainEnv, server, temporary } from './support.mjs';

const PROGRAM = 'stellar-archive-verifier';
const noBash = spawnSync('bash', ['--version']).error === undefined ? false : 'no bash on the path: the examples are words for one';
const noJq = spawnSync('jq', ['--version']).error === undefined ? false : 'no jq on the path: some examples pass JSON to it';

/** The commands by the general help. */
async function commands() {
  const { stdout } = await cli(['help']);
  return [...stdout.matchAll(/^ {2}([a-z][a-z-]+)(?= [<[A-Z])/gm)].map(([, name]) => name).filter((name) => name !== 'help');
}

/** The sections of a help by their titles. */
function sections(text) {
  return new Map(text.split(/\n(?=[A-Z][^\n:]*\n {2})/).slice(1).map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]));
}

/** Examples as they stand in a help: the lines that belong together, without what is said about them. */
function examples(text) {
  const found = [[]];
  for (const line of sections(text).get('Examples').split('\n')) {
    if (line.startsWith('    ')) found.at(-1).push(line.slice(4));
    else found.push([]);
  }
  return found.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
}

/** Where the right answer is not that all is well: the mirror is damaged, the sample is not the test network, and nobody knows its validators. */
const ENDS = [
  [/^stellar-archive-verifier verify \.\/mirror --plan/, 1],
  [/^stellar-archive-verifier check-header \.\/archive --ledger 1 \\/, 1],
  [/^stellar-archive-verifier verify-proof payment\.json$/, 2],
];

/** A folder with what the examples name: an archive, a damaged mirror of it, a node's configuration, a proof. */
async function scene(t) {
  const folder = await temporary(t);
  await symlink(SAMPLE, join(folder, 'archive'));
  await cp(SAMPLE, join(folder, 'mirror'), { recursive: true });
  await rm(join(folder, 'mirror', pathOf('results', 255)));
  const { quorumSets: [{ quorumSet }] } = JSON.parse((await cli(['quorum-sets', SAMPLE, '--json'])).stdout);
  const names = quorumSet.validators.map((key, index) => `"${key} v${index}"`);
  await writeFile(join(folder, 'stellar-core.cfg'), `NETWORK_PASSPHRASE="${SAMPLE_NETWORK}"\n[QUORUM_SET]\nTHRESHOLD_PERCENT=67\nVALIDATORS=[${names.join(',')}]\n`);
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, PROGRAM), `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@"\n`, { mode: 0o755 });
  const [transaction] = (await cli(['dump', SAMPLE, 'results', '127'])).stdout.split('\n').map((line) => /"transaction_hash":"([0-9a-f]{64})"/.exec(line)?.[1]).filter(Boolean);
  const [account] = (await cli(['dump', SAMPLE, 'transactions', '127'])).stdout.split('\n').map((line) => /"source_account":"(G[A-Z2-7]{55})"/.exec(line)?.[1]).filter(Boolean);
  const made = await cli(['prove', SAMPLE, '--tx', transaction, '--output', join(folder, 'payment.json')]);
  assert.equal(made.status, 0, made.stderr);
  return { folder, transaction, account, url: await publicArchives(t), worker: await fleet(t, folder) };
}

/** An edge worker with an audit that is done, whose report is that of a run over the sample; its token is in the folder. */
async function fleet(t, folder) {
  const worker = await auditWorker(t);
  const { stdout } = await cli(['verify', SAMPLE, '--json']);
  const { report } = jsonLines(stdout).at(-1);
  worker.report = report;
  worker.status = status({ state: 'done', verdict: report.verdict });
  // What is done cannot be paused; nor does this one have to be.
  worker.refuses = (method, path) => (method === 'POST' && path.endsWith('/pause') ? { body: JSON.stringify(worker.status) } : undefined);
  await writeFile(join(folder, 'audit-token'), `${TOKEN}\n`);
  return worker.url.replace(/\/$/, '');
}

/** A host that has the sample at every address of public archives. */
function publicArchives(t) {
  return server(t, async (request, response) => {
    const path = new URL(request.url, 'http://host').pathname.replace(/^\/prd\/core-[a-z]+\/core_[a-z]+_\d+\//, '');
    const file = await readFile(join(SAMPLE, path)).catch(() => null);
    response.writeHead(file === null ? 404 : 200).end(file ?? 'not found');
  });
}

/** `words` in bash, in `folder`. */
async function shell(words, folder) {
  const child = spawn('bash', ['-c', words], { cwd: folder, env: { ...plainEnv, HOME: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` }, timeout: 120_000 });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  const [status] = await once(child, 'close');
  return { status, ...output };
}

test('every example of every help does what the help says of it', { skip: noSample || noBash || noJq, timeout: 600_000 }, async (t) => {
  for (const command of [...(await commands()), 'help']) {
    await t.test(`the examples of ${command}`, async (t) => {
      const { folder, transaction, account, url, worker } = await scene(t);
      const all = examples((await cli(command === 'help' ? ['help'] : ['help', command])).stdout);
      assert.ok(all.length >= 2, `${all.length} examples`);
      for (const example of all) {
        const words = example
          .replaceAll('https://history.stellar.org/', url)
          .replaceAll('https://archives.example.org', worker)
          .replace(/--tx [0-9a-f]{64}/, `--tx ${transaction}`)
          .replace(/--entry G[A-Z2-7]{55}/, `--entry ${account}`);
        assert.ok(example.includes(PROGRAM), example);
        const { status, stdout, stderr } = await shell(words, folder);
        const [, expected = 0] = ENDS.find(([pattern]) => pattern.test(example)) ?? [];
        assert.equal(status, expected, `${words}\n${stdout.slice(-1000)}\n${stderr}`);
        if (/\| jq|--json/.test(example) && !/select\(\.(status|standing)/.test(example)) assert.notEqual(stdout + stderr, '', words);
      }
    });
  }
});

test('every help says what, how, with which options, how it ends, by which variables, with examples, and where to read on', async () => {
  const all = await commands();
  assert.ok(all.length >= 16, all.join(' '));
  for (const command of all) {
    const { stdout } = await cli(['help', command]);
    assert.match(stdout, /^[A-Z].{20,}/, command);
    assert.match(stdout, new RegExp(`\nUsage: ${PROGRAM} ${command} `), command);
    const found = sections(stdout);
    for (const title of ['Of every command', 'Exit status', 'Environment', 'Examples', 'See also']) assert.ok(found.has(title), `${command}: ${title}`);
    assert.match(found.get('Exit status'), /^ {2}0 {2}\w/, command);
    const seeAlso = found.get('See also').trim().split(', ').map((word) => word.replace(/^help /, ''));
    for (const other of seeAlso) assert.ok(other === 'help' || all.includes(other), `${command} names ${other}`);
    assert.ok(!seeAlso.includes(command), command);
  }
});

test('the general help has a line for every command, under what it is for', async () => {
  const { stdout } = await cli(['help']);
  const found = sections(stdout);
  for (const [title, command] of [['Verify', 'verify'], ['Look', 'status'], ['Prove', 'prove'], ['Copy', 'mirror'], ['Have it done', 'audit'], ['This program', 'config']]) assert.match(found.get(title), new RegExp(`^ {2}${command} `, 'm'));
  const { stderr } = await cli(['frobnicate']);
  const [, listed] = /The commands are (.*) and help\./.exec(stderr);
  assert.deepEqual((await commands()).toSorted(), listed.split(', ').toSorted());
});

const MEANT = [
  [['verfy', '.'], 'Did you mean verify?'],
  [['confg'], 'Did you mean config?'],
  [['comple', 'bash'], 'Did you mean completion?'],
  [['quorum', '.'], 'Did you mean quorum-sets?'],
  [['verify', '.', '--quorumset', 'x'], 'Did you mean --quorum-set?'],
  [['verify', '.', '--conc', '5'], 'Did you mean --concurrency?'],
  [['verify', '.', '--colour', 'never'], 'Did you mean --color?'],
  [['check-header', '.', '--leger', '5'], 'Did you mean --ledger?'],
  [['check-header', '.', '--has', 'x'], 'Did you mean --hash?'],
  [['config', 'archive'], 'Did you mean archives?'],
  [['verify', '.', '--color', 'allways'], 'Did you mean --color always?'],
];
for (const [words, says] of MEANT) {
  test(`${words.join(' ')}: ${says}`, async () => {
    const { status, stdout, stderr } = await cli(words);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.ok(stderr.includes(says), stderr);
  });
}

test('an option of the command is nearer than one of another', async () => {
  // One letter from both.
  assert.match((await cli(['log', '.', '--hast', '5'])).stderr, /Did you mean --last\?/);
  assert.match((await cli(['check-header', '.', '--hast', '5'])).stderr, /Did you mean --hash\?/);
});

test('JSON of a refusal names its form', async () => {
  const [error] = jsonLines((await cli(['verfy', '--json'])).stdout);
  assert.deepEqual([error.type, error.schema, error.code], ['error', 1, 'USAGE']);
});
