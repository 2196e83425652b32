/** The config file: where it is looked for, what its names mean, what wins over it, and how it is refused. */
import assert from 'node:assert/strict';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { SAMPLE, SAMPLE_NETWORK, cli, host, jsonLines, noSample, server, temporary } from './support.mjs';

const VARIABLE = 'STELLAR_ARCHIVE_VERIFIER_CONFIG';

/** A config file with `text` in a folder of its own. */
async function configured(t, text) {
  const folder = await temporary(t);
  const file = join(folder, 'config.toml');
  await writeFile(file, text);
  return { folder, file };
}

async function shown(words, options) {
  const { status, stdout, stderr } = await cli(['config', ...words, '--json'], options);
  assert.equal(status, 0, stderr);
  const [config, ...more] = jsonLines(stdout);
  assert.deepEqual(more, []);
  return config;
}

async function reported(words, options) {
  const { status, stdout, stderr } = await cli(['verify', ...words, '--json'], options);
  const { type, report } = jsonLines(stdout).at(-1);
  assert.equal(type, 'report', stdout + stderr);
  return { status, stderr, report };
}

test('the file of --config is read before that of the variable, and that before the usual one', async (t) => {
  const folder = await temporary(t);
  const usual = join(folder, 'xdg', 'stellar-archive-verifier', 'config.toml');
  await mkdir(join(usual, '..'), { recursive: true });
  const files = { option: join(folder, 'option.toml'), variable: join(folder, 'variable.toml'), usual };
  for (const [name, file] of Object.entries(files)) await writeFile(file, `[archives]\n${name} = "/srv/${name}"\n`);
  const env = { XDG_CONFIG_HOME: join(folder, 'xdg') };
  const cases = [
    [['--config', files.option], { ...env, [VARIABLE]: files.variable }, 'option', ['read', 'not looked at', 'not looked at']],
    [[], { ...env, [VARIABLE]: files.variable }, 'variable', ['not named', 'read', 'not looked at']],
    [[], env, 'usual', ['not named', 'not named', 'read']],
    [[], { ...env, [VARIABLE]: '' }, 'usual', ['not named', 'not named', 'read']],
  ];
  for (const [words, variables, name, statuses] of cases) {
    const { file, archives, places } = await shown(words, { env: variables });
    assert.equal(file, files[name]);
    assert.deepEqual(Object.keys(archives), [name]);
    assert.deepEqual(places.map(({ status }) => status), statuses);
    const people = await cli(['config', ...words], { env: variables });
    assert.ok(people.stdout.includes(files[name]) && people.stdout.includes(`/srv/${name}`), people.stdout);
  }
});

test('without a config file all is as before, and config says where one would be', async (t) => {
  const folder = await temporary(t);
  const env = { XDG_CONFIG_HOME: folder };
  const { file, places } = await shown([], { env });
  assert.equal(file, null);
  assert.deepEqual(places.at(-1), { from: 'the usual place', path: join(folder, 'stellar-archive-verifier/config.toml'), status: 'absent' });
  assert.match((await cli(['config'], { env })).stdout, /There is no config file/);
  assert.equal((await cli(['config', 'archives'], { env })).stdout, '');
});

/** The folders of config files as other systems have them. */
const PLATFORMS = [
  { platform: 'linux', env: { HOME: '/home/me', XDG_CONFIG_HOME: '' }, path: '/home/me/.config/stellar-archive-verifier/config.toml' },
  { platform: 'linux', env: { HOME: '/home/me', XDG_CONFIG_HOME: 'relative' }, path: '/home/me/.config/stellar-archive-verifier/config.toml' },
  { platform: 'linux', env: { HOME: '/home/me', XDG_CONFIG_HOME: '/etc/me' }, path: '/etc/me/stellar-archive-verifier/config.toml' },
  { platform: 'darwin', env: { HOME: '/Users/me', XDG_CONFIG_HOME: '' }, path: '/Users/me/Library/Application Support/stellar-archive-verifier/config.toml' },
  { platform: 'darwin', env: { HOME: '/Users/me', XDG_CONFIG_HOME: '/etc/me' }, path: '/etc/me/stellar-archive-verifier/config.toml' },
  { platform: 'win32', env: { HOME: '/x', APPDATA: '/Users/me/AppData/Roaming', XDG_CONFIG_HOME: '/etc/me' }, path: '/Users/me/AppData/Roaming/stellar-archive-verifier/config.toml' },
];
for (const { platform, env, path } of PLATFORMS) {
  test(`on ${platform} with ${JSON.stringify(env)} it is ${path}`, { skip: process.platform === 'win32' ? 'paths of another kind' : false }, async () => {
    const played = `data:text/javascript,Object.defineProperty(process,'platform',{value:'${platform}'})`;
    const { places } = await shown([], { env: { ...env, NODE_OPTIONS: `--import ${played}` } });
    assert.equal(places.at(-1).path, path);
  });
}

test('a name stands for its archive, folders as seen from the config file', { skip: noSample }, async (t) => {
  const web = await host(t, SAMPLE);
  const { folder, file } = await configured(t, `[archives]\nhere = "sample"\nthere = "${web.url}"\n`);
  await symlink(SAMPLE, join(folder, 'sample'));
  for (const [name, place] of [['here', join(folder, 'sample')], ['there', web.url]]) {
    const { status, report } = await reported([name, '--high', '63', '--config', file]);
    assert.equal(status, 0);
    assert.deepEqual(report.archives, [place.replace(/\/$/, '')]);
  }
  for (const words of [['status', 'here'], ['log', 'here'], ['check-header', 'here', 'there', '--ledger', '63'], ['compare', 'here', 'there', '--high', '63'], ['dump', 'here', 'history'], ['quorum-sets', 'here']]) {
    const { status, stderr } = await cli(words, { env: { [VARIABLE]: file } });
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  }
});

test('a list is several copies of one history, and refused where only one goes', { skip: noSample }, async (t) => {
  const { folder, file } = await configured(t, `[archives]\nall = ["a", "b"]\n`);
  for (const name of ['a', 'b']) await symlink(SAMPLE, join(folder, name));
  await rm(join(folder, 'b'));
  await cp(SAMPLE, join(folder, 'b'), { recursive: true });
  const { report } = await reported(['all', '--high', '63', '--config', file]);
  assert.deepEqual(report.archives, [join(folder, 'a'), join(folder, 'b')]);
  for (const words of [['quorum-sets', 'all'], ['mirror', SAMPLE, 'all'], ['dump', 'all', 'history']]) {
    const { status, stderr } = await cli([...words, '--config', file], { cwd: folder });
    assert.equal(status, 2, words.join(' '));
    assert.match(stderr, /all is 2 archives in .*config\.toml, and here goes one only[\s\S]*Write one of them: /);
  }
});

test('a name is a destination, and what is there grows', { skip: noSample }, async (t) => {
  const { folder, file } = await configured(t, '[archives]\ncopy = "deep/copy"\n');
  const mirrored = await cli(['mirror', SAMPLE, 'copy', '--high', '63', '--config', file], { cwd: folder });
  assert.equal(mirrored.status, 0, mirrored.stderr);
  assert.equal((await reported([join(folder, 'deep/copy')])).report.range.high, 63);
});

test('a folder of the name wins, as without a config file, and it is said', { skip: noSample }, async (t) => {
  const { folder, file } = await configured(t, '[archives]\nmain = "elsewhere"\n');
  const before = await reported(['main'], { cwd: (await symlink(SAMPLE, join(folder, 'main')), folder) });
  const after = await reported(['main', '--config', file], { cwd: folder });
  assert.deepEqual([before.status, after.status], [0, 0]);
  assert.deepEqual(after.report.archives, before.report.archives);
  assert.match(after.stderr, /main is taken for the folder \.\/main, not for the archive of that name in .*config\.toml: rename one of them/);
  assert.doesNotMatch((await reported(['./main', '--config', file], { cwd: folder })).stderr, /taken for/);
});

test('what is known of an archive counts as its options, and an option that is written wins', { skip: noSample }, async (t) => {
  const { quorumSets: [{ quorumSet }] } = JSON.parse((await cli(['quorum-sets', SAMPLE, '--json'])).stdout);
  const { folder, file } = await configured(t, `
[quorum-sets]
ours = "validators.json"
[archives.own]
at = "${SAMPLE}"
network = "${SAMPLE_NETWORK}"
quorum-set = "ours"
[archives.wrong]
at = "${SAMPLE}"
network = "testnet"
`);
  await writeFile(join(folder, 'validators.json'), JSON.stringify(quorumSet));
  const env = { [VARIABLE]: file };
  const own = await reported(['own'], { env });
  assert.equal(own.status, 0);
  assert.equal(own.report.trust.quorumSet.askedFor, true);
  assert.deepEqual(own.report.trust.quorumSet.set, quorumSet);
  const nobody = await reported(['own', '--quorum-set', 'none'], { env });
  assert.equal(nobody.report.trust.quorumSet, null);
  const named = await reported([SAMPLE, '--quorum-set', 'ours'], { env });
  assert.deepEqual(named.report.trust.quorumSet.set, quorumSet);

  assert.equal((await reported(['wrong'], { env })).status, 1, 'of another network');
  assert.equal((await reported(['wrong', '--network', SAMPLE_NETWORK], { env })).status, 0);
  // A node's configuration says which network it is of, where it was written on the command line.
  const keys = quorumSet.validators.map((key) => JSON.stringify(key)).join(',');
  await writeFile(join(folder, 'node.cfg'), `NETWORK_PASSPHRASE="${SAMPLE_NETWORK}"\n[QUORUM_SET]\nTHRESHOLD_PERCENT=67\nVALIDATORS=[${keys}]\n`);
  assert.equal((await reported(['wrong', '--quorum-set', join(folder, 'node.cfg')], { env })).status, 0);
  assert.equal((await reported(['wrong', '--quorum-set', 'ours'], { env })).status, 1, 'where it says none, the config file does');

  const both = await cli(['compare', 'own', 'wrong'], { env });
  assert.equal(both.status, 2);
  assert.match(both.stderr, /another network for wrong \(testnet\) than for own[\s\S]*--network/);
});

test('a file of the name of a quorum set wins, and it is said', { skip: noSample }, async (t) => {
  const { folder, file } = await configured(t, '[quorum-sets]\nours = "none"\n');
  await writeFile(join(folder, 'ours'), '{"threshold":0}');
  const { stderr } = await cli(['verify', SAMPLE, '--quorum-set', 'ours', '--config', file], { cwd: folder });
  assert.match(stderr, /--quorum-set ours is taken for the file \.\/ours/);
  assert.match(stderr, /--quorum-set: |--quorum-set ours: /, 'and that file is no quorum set');
});

test('defaults of options hold where none is written', async (t) => {
  const { file } = await configured(t, '[options]\nmax-retries = 0\ntimeout-secs = "1"\ncolor = "always"\n');
  const asked = [];
  const url = await server(t, (request, response) => {
    asked.push(request.url);
    response.writeHead(500).end();
  });
  const env = { [VARIABLE]: file };
  const { stdout } = await cli(['status', url], { env });
  assert.equal(asked.length, 1, 'no retries');
  assert.ok(stdout.includes('\u001b['));
  asked.length = 0;
  const written = await cli(['status', url, '--max-retries', '1', '--color', 'never'], { env });
  assert.equal(asked.length, 2);
  assert.ok(!written.stdout.includes('\u001b['));
  // dump takes none of them but the last.
  assert.equal((await cli(['config', 'archives'], { env })).status, 0);
});

test('config shows what the file says', async (t) => {
  const { folder, file } = await configured(t, `
[archives]
main = "https://history.example.org/main"
[archives.own]
at = ["own", "s3://bucket/own"]
network = "My Network"
quorum-set = "pubnet-sdf"
[quorum-sets]
node = "core.cfg"
[options]
concurrency = 4
`);
  const config = await shown(['--config', file]);
  assert.deepEqual(config.archives, {
    main: { at: ['https://history.example.org/main'], network: null, quorumSet: null },
    own: { at: [join(folder, 'own'), 's3://bucket/own'], network: 'My Network', quorumSet: 'pubnet-sdf' },
  });
  assert.deepEqual(config.quorumSets, { node: join(folder, 'core.cfg') });
  assert.deepEqual(config.options, { concurrency: '4' });
  const { stdout } = await cli(['config', '--config', file]);
  for (const part of ['https://history.example.org/main', 'network My Network', 'quorum set pubnet-sdf', join(folder, 'core.cfg'), '--concurrency  4']) assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
  assert.equal((await cli(['config', 'archives', '--config', file])).stdout, 'main\nown\n');
  assert.equal((await cli(['config', 'quorum-sets', '--config', file])).stdout, 'node\n');
});

test('a password in the address of a destination is not shown', async (t) => {
  const { file } = await configured(t, '[archives]\ncopies = ["webdavs://me:secret@host/a", "webdavs://me:secret@host/b"]\n');
  for (const words of [['config'], ['config', '--json'], ['mirror', SAMPLE, 'copies'], ['mirror', SAMPLE, 'copies', '--json']]) {
    const { stdout, stderr } = await cli([...words, '--config', file]);
    assert.ok((stdout + stderr).includes('webdavs://host/a'), stdout + stderr);
    assert.ok(!(stdout + stderr).includes('secret'), stdout + stderr);
  }
});

test('the config file that the help shows is one', async (t) => {
  const { stdout } = await cli(['help', 'config']);
  const [text] = /^ {4}\[archives\]\n[\s\S]*?color = .*\n/m.exec(stdout);
  const { file } = await configured(t, text);
  const { archives, quorumSets, options } = await shown(['--config', file]);
  assert.deepEqual(Object.keys(archives), ['main', 'all', 'own']);
  assert.deepEqual(quorumSets, { node: '/etc/stellar/stellar-core.cfg' });
  assert.deepEqual(Object.keys(options).toSorted(), ['color', 'concurrency', 'max-retries', 'timeout-secs']);
});

/** What is wrong, on which line, with which field, and what helps. */
const REFUSED = [
  { text: '[archives]\nmain = \n', says: /config\.toml, line 2, column \d+: .*\n.*Mend that line/ },
  { text: '[archives]\nmain = "a"\nmain = "b"\n', says: /line 3/ },
  { text: '\n[archive]\nmain = "a"\n', says: /line 2: archive is not known\n.*Did you mean archives\?/ },
  { text: 'colour = "never"\n', says: /line 1: colour is not known\n.*archives, quorum-sets and options only/ },
  { text: '[archives.main]\nat = "a"\n# of the network\nnetwrok = "testnet"\n', says: /line 4: archives\.main\.netwrok is not known\n.*Did you mean network\?/ },
  { text: '[archives]\nok = "a"\nmain = 5\n', says: /line 3: archives\.main takes a URL or a folder in quotes, not 5\n.*Write main = "…"/ },
  { text: '[archives]\nmain = ["a",\n  5]\n', says: /line 2: archives\.main takes a URL or a folder in quotes, not 5/ },
  { text: '[archives]\nmain = ""\n', says: /line 2: archives\.main is empty/ },
  { text: '[archives]\nmain = []\n', says: /line 2: archives\.main is an empty list/ },
  { text: '[archives.main]\nnetwork = "testnet"\n', says: /line 1: archives\.main does not say where the archive is\n.*at = "…"/ },
  { text: '[archives.main]\nat = "a"\nnetwork = "testet"\n', says: /line 3: archives\.main\.network is refused: .*did you mean testnet\?/ },
  { text: '[archives.main]\nat = "a"\nquorum-set = "mine"\n', says: /line 3: archives\.main\.quorum-set names "mine", which is not under \[quorum-sets\]/ },
  { text: '[archives]\n"https://x" = "a"\n', says: /line 2: archives\."https:\/\/x" cannot be a name\n.*letters, digits/ },
  { text: '[archives]\n"a/b" = "a"\n', says: /cannot be a name/ },
  { text: '[archives]\n"history.example.org" = "a"\n', says: /cannot be a name/ },
  { text: 'archives = 5\n', says: /line 1: archives is not a table/ },
  { text: '[quorum-sets]\npubnet = "a"\n', says: /line 2: quorum-sets\.pubnet is the name of a preset/ },
  { text: '[quorum-sets]\nnone = "a"\n', says: /is the name of a preset/ },
  { text: '[options]\nconcurrency = 0\n', says: /line 2: options\.concurrency is refused: --concurrency takes a number from 1/ },
  { text: '[options]\ndeep = true\n', says: /line 2: options\.deep is not known/ },
  { text: '[options]\nconcurrency = [1]\n', says: /line 2: options\.concurrency takes what --concurrency takes/ },
  { text: '[options]\n"\\u001b[31m" = 1\n', says: /options\."\\u001b\[31m" is not known/ },
];
for (const { text, says } of REFUSED) {
  test(`refused with its line and what to do: ${JSON.stringify(text)}`, async (t) => {
    const { file } = await configured(t, text);
    for (const words of [['verify', 'main'], ['config']]) {
      const { status, stdout, stderr } = await cli([...words, '--config', file]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, says);
      assert.ok(stderr.includes(file));
      assert.ok(!stderr.includes('\u001b'));
      assert.doesNotMatch(stderr, /at .*\.mjs:/, 'no stack trace');
    }
  });
}

test('a config file that was named and cannot be read is refused, by whoever named it', async (t) => {
  const folder = await temporary(t);
  const none = join(folder, 'none.toml');
  assert.match((await cli(['config', '--config', none])).stderr, /there is no config file .*none\.toml \(--config\)/);
  assert.match((await cli(['config'], { env: { [VARIABLE]: none } })).stderr, /there is no config file .*none\.toml \(STELLAR_ARCHIVE_VERIFIER_CONFIG\)[\s\S]*unset/);
  assert.match((await cli(['config', '--config', folder])).stderr, /is a folder/);
  assert.match((await cli(['config', '--config', ''])).stderr, /--config needs the name of a file/);
  await writeFile(join(folder, 'large.toml'), '#'.repeat((1 << 20) + 1));
  assert.match((await cli(['config', '--config', join(folder, 'large.toml')])).stderr, /larger than 1 MB/);
});

test('help and the version need no config file, not even a sound one', async (t) => {
  const { file } = await configured(t, 'nonsense');
  for (const words of [['help'], ['help', 'config'], ['verify', '--help'], ['--version']]) assert.equal((await cli(words, { env: { [VARIABLE]: file } })).status, 0, words.join(' '));
});

test('the names of presets are those of the verifier', async () => {
  const { init, quorumSetPresets } = await import('../../dist/node.mjs');
  await init();
  const { stdout } = await cli(['completion', 'fish']);
  const [, completed] = /-l quorum-set .* -a '([^(]*)\(/.exec(stdout);
  assert.deepEqual(completed.trim().split(' ').toSorted(), [...quorumSetPresets().map(({ name }) => name), 'none'].toSorted());
});
