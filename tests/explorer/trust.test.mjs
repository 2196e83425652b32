/** Whose word counts, and who vouches: the choice in the form, seals and forgeries in the result, and proofs without a network. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dataDir, link, playing, setUp, skipWithoutData, TESTNET } from './support.mjs';

const RUN = { timeout: 180_000 };
const maker = join(process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url)), 'xtask/sample-archive');
const cli = fileURLToPath(new URL('../../dist/cli.mjs', import.meta.url));
/** The validators of SDF's test network, as the presets have them. */
const KEYS = [
  'GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y', 'GCUCJTIYXSOXKBSNFGNFWW5MUQ54HKRPGJUTQFJ5RQXZXNOLNXYDHRAP',
  'GC2V2EFSXN6SQTWVYA5EPJPBWWIMSD2XQNKUOHGEKB535AQE2I6IXV2Z',
];
const CONFIG = `
NETWORK_PASSPHRASE="${TESTNET}"
[QUORUM_SET]
THRESHOLD_PERCENT=67
VALIDATORS=["${KEYS[0]} alice", "${KEYS[1]} bob", "${KEYS[2]} carol"]
`;
const skip = skipWithoutData();

let stage;
let folder;
before(async () => {
  assert.ok(existsSync(maker), `${maker} is missing: \`cargo build -p sample-archive\` makes it`);
  folder = mkdtempSync(join(tmpdir(), 'explorer-trust-'));
  // A history that holds together, of a network whose validators had no part in it.
  execFileSync(maker, ['--passphrase', TESTNET, join(folder, 'forged')]);
  execFileSync(maker, [join(folder, 'sample')]);
  const real = skip ? {} : { testnet: join(dataDir, 'archives/testnet-p22') };
  stage = await setUp({ forged: join(folder, 'forged'), sample: join(folder, 'sample'), ...real });
});
after(async () => {
  await stage?.tearDown();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** A page whose verifier is ready, with the choice unfolded. */
async function openChoice(fields = { archive: '/archive/forged/' }, options = {}) {
  const opened = await stage.open({ hash: link(fields), ...options });
  await opened.tab.waitForSelector('#known:enabled');
  await opened.tab.click('.trust summary');
  return opened;
}

/** The hash of the sample's last ledger of a checkpoint, as its archive's headers have it. */
function sampleHash(ledger) {
  const shown = execFileSync(process.execPath, [cli, 'check-header', join(folder, 'sample'), '--ledger', String(ledger), '--json'], { encoding: 'utf8' });
  return JSON.parse(shown).expected.hash;
}

/** The one line, once it says what is expected. */
async function believes(tab, words) {
  await tab.waitForFunction((line) => document.getElementById('trust-line')?.textContent === line, `Believes ${words}`);
}

async function run(tab) {
  await tab.click('#start');
  await tab.waitForSelector('[data-verdict]', RUN);
  return tab.getAttribute('[data-verdict]', 'data-verdict');
}

async function saved(tab, name) {
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name }).click()]);
  return readFileSync(await download.path(), 'utf8');
}

test('one line says whom the page believes, and unfolds to their names, their date and their keys', async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/forged/', network: 'testnet' }) });
  const { tab } = opened;
  await believes(tab, 'testnet’s 3 validators (2 of 3)');
  assert.equal(await tab.isVisible('#quorum'), false, 'folded away');
  await tab.focus('.trust summary');
  await tab.keyboard.press('Enter');
  assert.match(await tab.textContent('#quorum-hint'), /August 2026/);
  assert.match(await tab.textContent('.trust .quorum'), /2 of 3 must agree.*SDF testnet 1.*GDKXE…YA7Y/s);
  await tab.fill('#network', 'pubnet');
  await believes(tab, 'pubnet’s 7 organisations (5 of 7)');
  assert.match(await tab.textContent('.trust .quorum'), /LOBSTR 2 of 3/);
  await tab.selectOption('#quorum', 'pubnet-sdf');
  await believes(tab, 'pubnet-sdf’s 3 validators (2 of 3)');
  assert.equal(new URLSearchParams(new URL(tab.url()).hash.slice(1)).get('quorumSet'), 'pubnet-sdf');
  await opened.close();
});

test('a quorum set of one’s own is pasted as JSON, a bad one says why, and the link has it', async () => {
  const opened = await openChoice();
  const { tab } = opened;
  await tab.selectOption('#quorum', 'own');
  const bad = [
    ['', null],
    ['{"threshold": 2', /neither JSON nor/],
    [JSON.stringify({ threshold: 4, validators: KEYS }), /4 of 3 members/],
    [JSON.stringify({ threshold: 1, validators: [KEYS[0], KEYS[0]] }), /in it twice/],
    [JSON.stringify({ threshold: 1, validators: [KEYS[0].replace('GDKX', 'GDKY')] }), /no validator’s key.*mistyped/],
    [JSON.stringify({ threshold: 1, validators: KEYS, innerset: [] }), /“innerset” is no part/],
  ];
  for (const [text, why] of bad) {
    await tab.fill('#ownQuorum', text);
    if (why !== null) assert.match(await tab.textContent('#ownQuorum-fault'), why);
  }
  await tab.click('.trust summary');
  await tab.click('#start');
  assert.equal(await tab.evaluate(() => document.activeElement.id), 'ownQuorum', 'the folded field is opened and focused');
  assert.equal(await tab.locator('[data-verdict]').count(), 0);

  await tab.fill('#ownQuorum', JSON.stringify({ threshold: 1, validators: [KEYS[0]], innerSets: [{ threshold: 2, validators: KEYS.slice(1) }] }));
  assert.equal(await tab.locator('#ownQuorum-fault').count(), 0);
  await believes(tab, 'your own 2 members (1 of 2)');
  const linked = await stage.open({ hash: new URL(tab.url()).hash });
  await linked.tab.waitForSelector('#known:enabled');
  await believes(linked.tab, 'your own 2 members (1 of 2)');
  await linked.close();
  await opened.close();
});

test('a stellar-core configuration is taken, and both forms are given back', async () => {
  const opened = await openChoice();
  const { tab, requests } = opened;
  const readers = () => requests.filter((url) => url.includes('core-config')).length;
  assert.equal(readers(), 0, 'its reader is loaded only for a configuration');
  await tab.selectOption('#quorum', 'own');
  await tab.fill('#ownQuorum', CONFIG);
  await believes(tab, 'your own 3 validators (3 of 3)');
  assert.ok(readers() > 0);
  assert.deepEqual(JSON.parse(await saved(tab, 'Save as JSON')), { threshold: 3, validators: KEYS });
  assert.match(await saved(tab, 'Save as stellar-core configuration'), /\[QUORUM_SET\]\nTHRESHOLD_PERCENT=100\nVALIDATORS=\[\n {2}"GDKXE/);

  await tab.fill('#ownQuorum', '[QUORUM_SET]\nTHRESHOLD_PERCENT=67\nVALIDATORS=["GBAD"]');
  await tab.waitForFunction(() => /no public key/.test(document.getElementById('ownQuorum-fault')?.textContent ?? ''));
  await opened.close();
});

test('a dropped file is taken as a quorum set', async () => {
  const opened = await openChoice();
  const { tab } = opened;
  await tab.selectOption('#quorum', 'own');
  await drop(tab, '.own-set', 'my.cfg', CONFIG);
  await believes(tab, 'your own 3 validators (3 of 3)');
  await opened.close();
});

test('trusted hashes are checked as they are typed, and a ledger that has another hash is named', async () => {
  const opened = await openChoice();
  const { tab } = opened;
  await tab.fill('#hashes', '63:12');
  await tab.click('#start');
  assert.match(await tab.textContent('#hashes-fault'), /LEDGER:HASH/);
  await tab.fill('#hashes', `63:${'0'.repeat(64)}`);
  assert.equal(await run(tab), 'faulty');
  assert.match(await tab.textContent('[data-mismatch]'), /not the history that you trust.*ledger 63/s);
  assert.match(await tab.textContent('.snippet'), /--trusted-hash 63:0{64}/);
  assert.match(new URL(tab.url()).hash, /&trustedHash=63:0{64}$/);
  await opened.close();
});

test('a file of checkpoint hashes vouches, and is no part of the link', async () => {
  const opened = await openChoice({ archive: '/archive/sample/' });
  const { tab } = opened;
  await tab.selectOption('#quorum', 'none');
  await believes(tab, 'no validators');
  const choose = async (text) => {
    const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), tab.click('#hashesFile button')]);
    await chooser.setFiles({ name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from(text) });
    await tab.waitForSelector('#hashesFile .chosen');
  };
  await choose('{}');
  await tab.click('#start');
  assert.match(await tab.textContent('#hashesFile-fault'), /no list of checkpoint hashes/);
  await tab.click('#hashesFile button');
  await choose(JSON.stringify([[127, sampleHash(127)], [0, '']]));
  await believes(tab, 'no validators, the hashes of mine.json');
  assert.equal(new URL(tab.url()).hash, '#archive=/archive/sample/&quorumSet=none');
  assert.equal(await run(tab), 'verified');
  assert.match(await tab.textContent('#verdict-title'), /vouched for through ledger 127/);
  assert.match(await tab.textContent('[data-anchor="trusted-hash"]'), /ledgers 1 to 127/);
  assert.match(await tab.textContent('.snippet'), /--quorum-set none --trusted-checkpoint-hashes mine\.json/);
  await opened.close();
});

test('a paused run that trusts a file asks for it again after a reload', async () => {
  const opened = await openChoice({ archive: '/archive/sample/' }, { prepare: playing({ hold: 12 }) });
  const { tab } = opened;
  const file = { name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify([[127, 'ab'.repeat(32)]])) };
  const choose = async (button) => {
    const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), tab.locator(button).click()]);
    await chooser.setFiles(file);
  };
  await choose('#hashesFile button');
  await tab.click('#start');
  await tab.waitForFunction(() => /12\D*of\D57/.test(document.querySelector('.bars')?.textContent ?? ''), null, RUN);
  await tab.click('#pause');
  await tab.waitForSelector('[data-phase="paused"]');
  await tab.reload();
  const offer = tab.locator('.offer');
  await offer.waitFor();
  assert.match(await offer.textContent(), /hashes of a file, which has to be chosen again/);
  const go = offer.getByRole('button', { name: 'Continue' });
  assert.ok(await go.isDisabled());
  await choose('.offer .hint button');
  await go.click();
  await tab.waitForSelector('[data-verdict="verified"]', RUN);
  assert.match(await tab.textContent('.subject-range'), /hashes of mine\.json/);
  await opened.close();
});

test('the real testnet archive is sealed through 3646 by 3 of 3', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/testnet/' }) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.equal(await run(tab), 'verified');
  assert.match(await tab.textContent('#verdict-title'), /sealed through ledger 3\D646/);
  assert.match(await tab.textContent('.statement'), /Ledgers 1 to 3646 are sealed by 3 of the 3 validators/);
  // What such a verdict proves and what it does not are the README's words, which a native test holds to the report's.
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const row = readme.split('\n').find((line) => line.startsWith('| **verified, sealed by validators** |')).split(' | ');
  const meaning = await tab.textContent('#meaning');
  assert.ok(meaning.includes(row[1]) && meaning.includes(row[2].replace(/ \|$/, '')), meaning);
  const seal = await tab.textContent('[data-anchor="seal"]');
  assert.match(seal, /ledgers 1 to 3\D646/);
  assert.match(seal, /3 of 3.*signed ledger 3\D647/);
  assert.equal((seal.match(/SDF testnet \d\S+signed/g) ?? []).length, 3, seal);
  assert.match(seal, /accepted the commit/);
  assert.match(await tab.textContent('.legend'), /vouched for/);
  await tab.focus('.map-canvas');
  assert.match(await tab.getAttribute('.map-canvas', 'aria-valuetext'), /verified, vouched for$/);
  await tab.keyboard.press('End');
  assert.match(await tab.getAttribute('.map-canvas', 'aria-valuetext'), /vouched for in part/);
  await opened.close();
});

test('every signature is verified on request', { skip }, async () => {
  const opened = await openChoice({ archive: '/archive/testnet/', low: '1', high: '127' });
  const { tab } = opened;
  await tab.check('#allSignatures');
  assert.match(await tab.textContent('#trust-line'), /verifies all signatures$/);
  assert.equal(await run(tab), 'verified');
  assert.match(await tab.textContent('.vouchers'), /Of all ledgers with messages \d+ are sealed by accepted commits/);
  assert.match(await tab.textContent('.snippet'), /--all-signatures/);
  await opened.close();
});

test('a forged history is named as such, before anything else', async () => {
  const opened = await stage.open({ viewport: { width: 360, height: 740 }, hash: link({ archive: '/archive/forged/' }) });
  const { tab } = opened;
  assert.equal(await run(tab), 'faulty');
  const mismatch = await tab.textContent('.verdict [data-mismatch]');
  assert.match(mismatch, /not the history that you trust/);
  assert.match(await tab.textContent('.verdict .statement'), /signed by 4 validators.*none of them is in the quorum set testnet/s);
  assert.match(await tab.textContent('.not-anchored'), /Nobody whom you believe/);
  assert.equal(await tab.locator('.finding[data-code="anchor-mismatch"]').count(), 1);
  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  await opened.close();
});

test('a history of which nobody knows the validators is consistent, not anchored', async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/sample/' }) });
  const { tab } = opened;
  await tab.waitForSelector('#known:enabled');
  assert.equal(await run(tab), 'verified');
  assert.match(await tab.textContent('#verdict-title'), /consistent, not anchored/);
  assert.match(await tab.textContent('.not-anchored'), /no quorum set is .*known for this network/);
  assert.doesNotMatch(await tab.textContent('.legend'), /vouched for/);
  await opened.close();
});

/** Drops a file of that text. */
async function drop(tab, place, name, text) {
  const data = await tab.evaluateHandle(([fileName, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], fileName));
    return transfer;
  }, [name, text]);
  await tab.dispatchEvent(place, 'dragover', { dataTransfer: data });
  await tab.dispatchEvent(place, 'drop', { dataTransfer: data });
}

/** A proof of the first transaction of a ledger, made by the command line. */
function proofOf(archive, ledger) {
  return execFileSync(process.execPath, [cli, 'prove', archive, '--ledger', String(ledger), '--index', '0'], { encoding: 'utf8' });
}

let real;
function realProof() {
  return (real ??= proofOf(join(dataDir, 'archives/testnet-p22'), 3300));
}

async function verdictOf(tab) {
  await tab.waitForSelector('[data-proof]');
  return tab.getAttribute('[data-proof]', 'data-proof');
}

test('a proof of a real transaction is proven in the page with the network off', { skip }, async () => {
  const opened = await stage.open({ hash: link({ archive: '/archive/sample/' }) });
  const { tab, context, requests } = opened;
  await tab.waitForSelector('#quorum option:nth-child(4)', { state: 'attached' });
  // A run takes the verifier with it, and a fresh one is made ready when it ends.
  const [fresh] = await Promise.all([tab.waitForResponse((response) => response.url().endsWith('.wasm')), run(tab)]);
  await fresh.finished();
  await context.setOffline(true);
  await tab.click('#change');
  const asked = requests.length;
  await drop(tab, '.proof-check', 'proof.json', realProof());
  assert.equal(await verdictOf(tab), 'proven');
  const text = await tab.textContent('.proof');
  assert.match(text, /3 of 3 validators of the quorum set testnet/);
  assert.match(text, /XLM/);
  assert.equal(await tab.locator('.proof .validator.tone-verified').count(), 3);
  assert.ok((await tab.locator('[data-step="holds"]').count()) >= 6);
  assert.equal(await tab.locator('[data-step="failed"]').count(), 0);
  assert.match(await tab.textContent('#announcer'), /^proven: /);
  assert.equal(requests.length, asked, 'nothing was asked of any server');
  await opened.close();
});

test('a proof that was tampered with is refuted, with the step that failed and what was expected', { skip }, async () => {
  const opened = await stage.open({ viewport: { width: 360, height: 740 } });
  const { tab } = opened;
  const proof = JSON.parse(realProof());
  await tab.click('.paste summary');
  await tab.fill('#proof-text', JSON.stringify({ ...proof, transactionHash: '0'.repeat(64) }));
  await tab.click('#proof-check');
  assert.equal(await verdictOf(tab), 'refuted');
  assert.match(await tab.textContent('[data-step="failed"]'), /transactionHash/);
  assert.match(await tab.textContent('[data-proof]'), /Expected[0-9a-f]{64}.*Actual0{64}/s);
  assert.equal(await tab.locator('#signers-title').count(), 0);
  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  for (const text of ['no proof', '{}', '[1]']) {
    await tab.fill('#proof-text', text);
    await tab.click('#proof-check');
    await tab.waitForFunction(() => !document.querySelector('.checking') && document.querySelector('[data-proof="refuted"]'));
  }
  await opened.close();
});

test('whose word counts decides a proof: strangers’ is not proven until their own set is believed', async () => {
  const opened = await openChoice();
  const { tab } = opened;
  const text = proofOf(join(folder, 'sample'), 70);
  await drop(tab, '.proof-check', 'strangers.json', text);
  assert.equal(await verdictOf(tab), 'unproven');
  assert.match(await tab.textContent('[data-proof] .statement'), /nobody whom you trust vouches for it/);
  const keys = await tab.locator('.proof .validator .key').evaluateAll((all) => all.map((key) => key.title));
  await tab.selectOption('#quorum', 'own');
  await tab.fill('#ownQuorum', JSON.stringify({ threshold: 3, validators: keys }));
  await drop(tab, '.proof-check', 'strangers.json', text);
  await tab.waitForSelector('[data-proof="proven"]');
  assert.match(await tab.textContent('.proof-check > section > .hint'), /It believes your own 4 validators \(3 of 4\)/);
  await tab.fill('#ownQuorum', '{');
  await drop(tab, '.proof-check', 'strangers.json', text);
  await tab.waitForSelector('.proof-check .fault');
  assert.match(await tab.textContent('.proof-check .fault'), /“Whose word counts” above is not right/);
  await opened.close();
});
