/** What programs read: the README's lists of fields, held against what the commands really print, and what they promise about it. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { ID, auditWorker, status } from '../audit-worker.mjs';
import { SAMPLE, SAMPLE_NETWORK, cli, damage, headers, host, jsonLines, makeArchive, noSample, pathOf, sampleCopy, temporary } from './support.mjs';

const README = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

/** A section of the README without those below it. */
function section(title) {
  const [, text] = new RegExp(`\\n#+ ${title}\\n([\\s\\S]*?)\\n#`).exec(README);
  return text;
}

const names = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

/** The cells of the rows of every table, without those of its head. */
const rows = (text) => text.split('\n').filter((line) => /^\| (?!`?type`? \|)/.test(line)).map((line) => line.slice(2, -2).split(/(?<!\\) \| /));

/** Field names, with whether they are always there. */
const fields = (cell) => new Map(names(cell).map((name) => [name.replace('?', ''), !name.endsWith('?')]));

const TABLES = rows(section('Machine output'));
/** What a line may be: by its command and its type. */
const LINES = TABLES.filter((row) => row.length === 3).flatMap(([type, of, cell]) => (of === 'every command' ? ['*'] : names(of)).map((command) => ({ command, type: names(type)[0], fields: fields(cell) })));
const OBJECTS = new Map(TABLES.filter((row) => row.length === 2).map(([what, cell]) => [what, fields(cell)]));

function assertFields(value, documented, what) {
  const found = Object.keys(value).filter((name) => name !== 'type');
  for (const name of found) assert.ok(documented.has(name), `${what} has ${name}, which the README does not list`);
  for (const [name, always] of documented) if (always) assert.ok(found.includes(name), `${what} lacks ${name}, which the README lists as always there`);
}

const REPORTS = { audit: 'the report of `verify`', verify: 'the report of `verify`', mirror: 'the report of `mirror` and `repair`', repair: 'the report of `mirror` and `repair`', compare: 'the report of `compare`', 'verify-proof': 'the report of `verify-proof`' };

/** Of notes on states that are at odds with each other, which no archive here has. */
const RARE = ['a note of a report.path', 'a note of a report.checkpoint'];

/** Words for each command that together show every type of line. */
async function runs(t) {
  const folder = await temporary(t);
  const mirror = await sampleCopy(t, 'mirror');
  await rm(join(mirror, pathOf('results', 255)));
  await rm(join(mirror, pathOf('scp', 127)));
  const place = (name) => join(folder, name);
  const lacking = await sampleCopy(t, 'lacking');
  await rm(join(lacking, pathOf('results', 255)));
  // Ledger headers that nobody can read.
  const forged = await sampleCopy(t, 'forged');
  await writeFile(join(forged, pathOf('ledger', 127)), 'no gzip');
  const hurt = await sampleCopy(t, 'hurt');
  await damage(hurt, pathOf('transactions', 127), 60);
  await damage(hurt, pathOf('ledger', 191), 400);
  const { currentBuckets } = JSON.parse(await readFile(join(SAMPLE, pathOf('history', 319)), 'utf8'));
  const bucket = currentBuckets.map(({ curr }) => curr).find((hash) => !/^0+$/.test(hash));
  await damage(hurt, `bucket/${bucket.slice(0, 2)}/${bucket.slice(2, 4)}/${bucket.slice(4, 6)}/bucket-${bucket}.xdr.gz`);
  // Which archive is asked is drawn by lot: of this one some file will be.
  const wrong = await sampleCopy(t, 'wrong');
  for (const checkpoint of [63, 127, 191, 255, 319]) for (const category of ['ledger', 'transactions', 'results']) await damage(wrong, pathOf(category, checkpoint), 60);
  const another = await makeArchive(place('another'));
  const dead = await host(t, SAMPLE, (path) => (path.startsWith('results/') ? { status: 500, body: 'no' } : undefined));
  const [last] = (await headers(SAMPLE, 319)).slice(-1);
  const worker = await auditWorker(t);
  const { report } = jsonLines((await cli(['verify', SAMPLE, '--json'])).stdout).at(-1);
  [worker.report, worker.status] = [report, status({ state: 'done', verdict: report.verdict })];
  const fleet = ['--worker', worker.url];
  return [
    ['verify', mirror], ['verify', SAMPLE, '--sample', '2'], ['verify', SAMPLE, '--all-signatures', '--high', '400'], ['verify', dead.url, '--max-retries', '0'], ['verify', forged], ['verify', hurt], ['verify', wrong, SAMPLE],
    ['verify', place('none')],
    ['compare', SAMPLE, mirror], ['compare', SAMPLE, another], ['compare', SAMPLE],
    ['mirror', forged, place('copy')], ['mirror', SAMPLE, place('copy')], ['repair', lacking, mirror, '--dry-run'], ['repair', SAMPLE, mirror],
    ['log', SAMPLE], ['log', forged], ['status', SAMPLE, mirror], ['status', place('none')],
    ['check-header', SAMPLE, '--ledger', '63'], ['check-header', SAMPLE, '--ledger', '999'],
    ['verify-checkpoints', SAMPLE, '--output-filename', place('hashes.json'), '--history-ledger', '319', '--history-hash', last.hash], ['verify-checkpoints', SAMPLE, '--output-filename', place('none.json')],
    ['quorum-sets', SAMPLE], ['prove', SAMPLE, '--ledger', '64', '--index', '0', '--output', place('proof.json')], ['prove', SAMPLE, '--tx', '0'.repeat(64)],
    ['verify-proof', place('proof.json')], ['verify-proof', join(SAMPLE, '.well-known/stellar-history.json')],
    ['audit', 'estimate', ...fleet], ['audit', 'status', ID, ...fleet], ['audit', 'list', ...fleet], ['audit', 'watch', ID, ...fleet], ['audit', 'report', ID, ...fleet],
    ['new-hist', place('new'), '--network', SAMPLE_NETWORK], ['publish', SAMPLE, place('new'), '--ledger', '63'], ['config'], ['completion', 'fish'], ['dump', place('none')],
  ];
}

test('every line of every command has the fields that the README lists, and it lists nothing that is not there', { skip: noSample, timeout: 300_000 }, async (t) => {
  const seen = new Set();
  const optional = new Map();
  const note = (what, value, documented) => {
    assertFields(value, documented, what);
    for (const [name, always] of documented) if (!always) optional.set(`${what}.${name}`, (optional.get(`${what}.${name}`) ?? false) || Object.hasOwn(value, name));
  };
  for (const words of await runs(t)) {
    const [command] = words;
    const { status, stdout, stderr } = await cli([...words, '--json']);
    const lines = jsonLines(stdout);
    const what = `${command} (${status}) ${stderr.slice(0, 200)}`;
    assert.ok(lines.length > 0, what);
    for (const line of lines) {
      const documented = LINES.find((one) => one.type === line.type && (one.command === command || one.command === '*'));
      assert.ok(documented, `${command} prints a ${line.type}, which the README does not list`);
      seen.add(`${documented.command} ${documented.type}`);
      note(`${documented.command} ${documented.type}`, line, documented.fields);
      if (documented.fields.has('schema')) assert.equal(line.schema, 1, what);
      if (line.type === 'finding') note('a finding', line.finding, OBJECTS.get('a finding'));
      if (line.report !== undefined) {
        const { report } = line;
        assert.equal(report.schema, 1);
        note(REPORTS[command], report, OBJECTS.get(REPORTS[command]));
        const { findings = [], errors = [], notes = [] } = report.verification ?? report;
        for (const finding of findings) note('a finding', finding, OBJECTS.get('a finding'));
        for (const error of errors) note('an error of a report', error, OBJECTS.get('an error of a report'));
        for (const one of notes) note('a note of a report', one, OBJECTS.get('a note of a report'));
      }
    }
    const last = lines.at(-1);
    // The only exits without an error of its own are those with a result.
    assert.ok(last.type === 'error' || last.type === 'report' || last.schema === 1 || last.report?.schema === 1, `${what}: ${last.type} is last`);
  }
  assert.deepEqual(LINES.map(({ command, type }) => `${command} ${type}`).filter((one) => !seen.has(one)), [], 'lines that the README lists and nothing printed');
  assert.deepEqual([...optional].filter(([, was]) => !was).map(([name]) => name), RARE, 'fields that may be absent and were never there');
});

test('the exit status is the same with and without --json', { skip: noSample, timeout: 300_000 }, async (t) => {
  for (const words of await runs(t)) {
    // What changes what is there is not asked twice.
    if (['mirror', 'repair', 'publish', 'new-hist'].includes(words[0])) continue;
    assert.equal((await cli(words)).status, (await cli([...words, '--json'])).status, words.join(' '));
  }
});

test('nothing but JSON is on stdout, and numbers of bytes are strings', { skip: noSample }, async () => {
  const { stdout } = await cli(['verify', SAMPLE, '--json', '--color', 'always'], { env: { FORCE_COLOR: '1' } });
  const lines = jsonLines(stdout);
  const { report } = lines.at(-1);
  assert.deepEqual([typeof report.bytes.inflated, typeof report.range.high], ['string', 'number']);
  assert.deepEqual(lines.map(({ type }) => type).at(-2), 'done');
});

test('the README has the commands, variables and exit statuses of the help', async () => {
  const { stdout } = await cli(['help']);
  const listed = (text) => [...text.matchAll(/^ *([a-z][a-z-]+) (?=[<[]|FILE)/gm)].map(([, name]) => name).toSorted();
  assert.deepEqual(listed(section('COMMANDS')), listed(stdout.slice(0, stdout.indexOf('\nExit status'))));
  const variables = [...stdout.slice(stdout.indexOf('\nEnvironment\n'), stdout.indexOf('\nExamples\n')).matchAll(/^ {2}([A-Z_]+) /gm)].map(([, name]) => name);
  assert.ok(variables.length > 10);
  assert.deepEqual(rows(section('ENVIRONMENT')).flatMap(([cell]) => names(cell)).toSorted(), variables.toSorted());
  const verify = (await cli(['help', 'verify'])).stdout;
  const options = new Set([...verify.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name));
  const written = new Set(rows(section('OPTIONS')).flatMap(([cell]) => [...cell.matchAll(/--[a-z-]+/g)].map(([name]) => name)));
  // It is for tests alone, and the version is of no command.
  options.delete('--checkpoint-frequency');
  written.delete('--version');
  assert.deepEqual([...written].toSorted(), [...options].toSorted());
});

test('the config file of the README is that of the help', async (t) => {
  const [, text] = /```toml\n([\s\S]*?)```/.exec(section('The config file'));
  const file = join(await temporary(t), 'config.toml');
  await writeFile(file, text);
  const { status, stdout } = await cli(['config', '--json', '--config', file]);
  assert.equal(status, 0);
  assert.deepEqual(Object.keys(JSON.parse(stdout).archives), ['main', 'all', 'own']);
  const help = (await cli(['help', 'config'])).stdout;
  const words = (one) => one.replaceAll(/#.*$/gm, '').split(/\s+/).filter(Boolean).join(' ');
  assert.ok(words(help).includes(words(text)));
});
