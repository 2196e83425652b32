/** `exploreArchive`: views whose hashes a shell repeats, searches with progress, what ends a call, errors with a code. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { directoryReader, exploreArchive } from '../../dist/node.mjs';
import {
  SAMPLE, SAMPLE_NETWORK, archive, damage, headers, host, noData, noSample, pathOf, records, sampleCopy, server, temporary,
} from './support.mjs';

/** Ledgers of the sample archive that have transactions, by the records of their results. */
async function busy(checkpoint) {
  return (await records(SAMPLE, pathOf('results', checkpoint))).map((record) => record.readUInt32BE(0));
}

const explore = (folder = SAMPLE) => exploreArchive(directoryReader(folder));

async function shell(command) {
  const { stdout } = await promisify(execFile)('sh', ['-c', command]);
  return stdout.split(' ')[0];
}

/** What the page tells people to type. */
function command(folder, check) {
  if (check.of !== null) {
    const { path, offset, length } = check.of;
    return `gzip -dc '${join(folder, path)}' | tail -c +${offset + 1} | head -c ${length} | sha256sum`;
  }
  return `printf '%s' ${check.hex} | xxd -r -p | sha256sum`;
}

const broken = (checks) => checks.filter(({ outcome }) => outcome === 'broken').map(({ name }) => name);

test('what the archive says of itself', { skip: noSample }, async () => {
  const { ledger, network, server: wrote } = await explore().newest();
  assert.deepEqual([ledger, network], [319, SAMPLE_NETWORK]);
  assert.equal(typeof wrote, 'string');
});

test('a checkpoint: its files, its state, its ledgers', { skip: noSample }, async () => {
  const view = await explore().checkpoint(100);
  assert.deepEqual([view.checkpoint, view.low, view.high], [127, 64, 127]);
  assert.deepEqual(view.files.map(({ kind, status }) => [kind, status]), [
    ['history', 'read'], ['ledger', 'read'], ['transactions', 'read'], ['results', 'read'], ['scp', 'read'],
  ]);
  assert.ok(view.files.every(({ compressed, inflated, message }) => compressed > 0 && inflated > 0 && message === null));
  const expected = await headers(SAMPLE, 127);
  assert.deepEqual(view.ledgers.map(({ hash }) => hash), expected.map(({ hash }) => hash));
  assert.ok(view.ledgers.every(({ outcome, broken: names }) => outcome === 'holds' && names.length === 0));
  assert.deepEqual(view.ledgers.filter(({ transactions }) => transactions > 0).map(({ ledger }) => ledger), await busy(127));
  assert.equal(view.state.live.length, 11);
  assert.equal(view.state.check.outcome, 'holds');
  const { currentBuckets } = JSON.parse(await readFile(join(SAMPLE, pathOf('history', 127)), 'utf8'));
  assert.deepEqual(view.state.live.map(({ curr }) => curr.hash), currentBuckets.map(({ curr }) => curr));
});

test('a ledger, and each of its checks repeated by a shell', { skip: noSample }, async () => {
  const [ledger] = await busy(127);
  const view = await explore().ledger(ledger);
  assert.equal(view.json.header.ledger_seq, ledger);
  assert.equal(typeof view.json.header.total_coins, 'string');
  assert.equal(Buffer.from(view.xdr, 'base64').subarray(0, 32).toString('hex'), view.json.hash);
  for (const name of ['header-hash', 'previous-header', 'next-header', 'transaction-set', 'results', 'result-count', 'scp-value']) {
    assert.ok(view.checks.some((check) => check.name === name && check.outcome === 'holds'), name);
  }
  for (const check of view.checks.filter(({ computed }) => computed !== null)) {
    assert.equal(await shell(command(SAMPLE, check)), check.computed, check.name);
    assert.ok(check.claims.length > 0 && check.claims.every(({ hash }) => hash === check.computed), check.name);
  }
  assert.ok(view.scp.nodes.length >= 3 && view.scp.nodes.every(({ signature, sameValue }) => signature === 'holds' && sameValue));
});

test('a transaction, with its operations and the bytes of its hash', { skip: noSample }, async () => {
  const explorer = explore();
  const [ledger] = await busy(127);
  const { transactions } = await explorer.ledger(ledger);
  for (const row of transactions) {
    const view = await explorer.transaction(ledger, row.index);
    for (const [name, value] of Object.entries(row)) assert.deepEqual(view[name], value, name);
    assert.equal(view.ledger, ledger);
    assert.equal(view.resultPair.json.transaction_hash, row.hash);
    assert.deepEqual(view.details.map(({ type }) => type), row.operations);
    assert.ok(view.words.endsWith('stroops were charged.'), view.words);
    const check = view.checks.find(({ name }) => name === 'transaction-hash');
    const network = createHash('sha256').update(SAMPLE_NETWORK).digest('hex');
    assert.ok(check.hex.startsWith(network));
    assert.equal(createHash('sha256').update(Buffer.from(check.hex, 'hex')).digest('hex'), row.hash);
  }
});

test('what is broken is shown as broken, and what is missing as unknown', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  const [ledger] = await busy(127);
  // In the results of the first ledger that has any: its fee.
  await damage(folder, pathOf('results', 127), 4 + 4 + 4 + 32 + 7);
  await rm(join(folder, pathOf('scp', 127)));
  const explorer = explore(folder);
  const { checks, scp } = await explorer.ledger(ledger);
  assert.deepEqual(broken(checks), ['results']);
  const results = checks.find(({ name }) => name === 'results');
  assert.equal(await shell(command(folder, results)), results.computed);
  assert.notEqual(results.claims[0].hash, results.computed);
  assert.match(checks.find(({ name }) => name === 'scp-value').why, /scp-0000007f\.xdr\.gz is not in the archive/);
  assert.equal(scp, null);
  const { files, ledgers } = await explorer.checkpoint(127);
  assert.equal(files.find(({ kind }) => kind === 'scp').status, 'missing');
  assert.deepEqual(ledgers.filter(({ outcome }) => outcome === 'broken').map((row) => [row.ledger, row.broken]), [[ledger, ['results']]]);
});

test('upgrades beside the header, messages with their ballots, operations in words', { skip: noData }, async () => {
  const explorer = explore(archive('testnet-p22'));
  const { upgrades, scp, checks } = await explorer.ledger(10);
  assert.deepEqual(upgrades.map(({ type, value, before, header, effect }) => [type, value, before, header, effect]), [
    ['version', '22', '0', '22', 'applied'], ['max_tx_set_size', '200', '100', '200', 'applied'], ['base_reserve', '5000000', '100000000', '5000000', 'applied'],
  ]);
  assert.deepEqual(upgrades.map(({ hex }) => hex), ['0000000100000016', '00000003000000c8', '00000004004c4b40']);
  const value = checks.find(({ name }) => name === 'scp-value').computed;
  const said = scp.nodes.flatMap((node) => node.said);
  assert.deepEqual(said.map(({ kind, counter }) => [kind, counter]), [['EXTERNALIZE', 1], ['CONFIRM', 1], ['PREPARE', 1]]);
  assert.ok(said.every((message) => message.signature === 'holds' && message.sameValue && message.value === value));
  const { details: [call], soroban, preconditions } = await explorer.transaction(3014, 3);
  assert.match(call.words, /^call deploy\(.* of the contract CCEN…VYRF$/);
  assert.match(call.outcome, new RegExp(`${call.result.op_inner.invoke_host_function.success}$`));
  assert.deepEqual([soroban.fee, soroban.readOnly, soroban.readWrite], ['13673777', 2, 1]);
  assert.deepEqual(preconditions.timeBounds, ['0', '1750282145']);
});

test('a real ledger of 492 transactions', { skip: noData }, async () => {
  const explorer = explore(archive('synth-p27'));
  const view = await explorer.ledger(10048);
  assert.equal(view.transactions.length, 492);
  assert.ok(view.transactions.every(({ source, operations }) => source !== null && operations.length > 0));
  assert.deepEqual(broken(view.checks), []);
  const last = await explorer.transaction(10048, 491);
  assert.ok(last.checks.every(({ outcome }) => outcome === 'holds'));
});

test('a transaction is found, with progress, and a range may leave it out', { skip: noSample }, async () => {
  const explorer = explore();
  const [ledger] = await busy(127);
  const { hash } = (await explorer.ledger(ledger)).transactions[0];
  const progress = [];
  assert.deepEqual(await explorer.findTransaction(hash, { onProgress: (so) => progress.push(so) }), { ledger, index: 0 });
  assert.deepEqual(progress, [{ done: 1, total: 5, at: '319' }, { done: 2, total: 5, at: '255' }, { done: 3, total: 5, at: '191' }]);
  assert.equal(await explorer.findTransaction(hash, { low: 128 }), null);
  assert.equal(await explorer.findTransaction('ab'.repeat(32)), null);
});

test('a search that could not look everywhere does not say that there is nothing', { skip: noSample }, async (t) => {
  const folder = await sampleCopy(t);
  await rm(join(folder, pathOf('results', 191)));
  await assert.rejects(explore(folder).findTransaction('ab'.repeat(32)), { code: 'FAULTY', message: /results-000000bf/ });
});

test('a bucket by pages, and to its end', { skip: noSample }, async () => {
  const explorer = explore();
  const { state } = await explorer.checkpoint(319);
  const refs = state.live.flatMap(({ curr, snap }) => [curr, snap]).filter(({ path }) => path !== null);
  for (const { hash, path } of refs) {
    const all = await records(SAMPLE, path);
    const found = [];
    for (let more = true; more;) {
      const page = await explorer.bucket(hash, { from: found.length, limit: 3 });
      found.push(...page.entries);
      more = page.more;
    }
    assert.deepEqual(found.map(({ xdr }) => xdr), all.map((record) => record.toString('base64')));
    assert.deepEqual(found.map(({ index }) => index), all.map((_, index) => index));
    const check = await explorer.verifyBucket(hash);
    assert.deepEqual([check.holds, check.computed, check.entries], [true, hash, all.length]);
  }
});

test('an entry by its account, and one that nobody has', { skip: noSample }, async () => {
  const explorer = explore();
  const { state } = await explorer.checkpoint(319);
  const { entries } = await explorer.bucket(state.live[0].curr.hash);
  const account = entries.map(({ json }) => json.liveentry?.data.account?.account_id).find((id) => id !== undefined);
  const seen = [];
  const found = await explorer.findEntry(account, 300, { onProgress: ({ at }) => seen.push(at) });
  assert.deepEqual([found.status, found.level, found.part, found.bucket, found.bucketsRead], ['live', 0, 'curr', state.live[0].curr.hash, 1]);
  assert.equal(found.entry.json.liveentry.data.account.account_id, account);
  assert.deepEqual(seen, [found.bucket]);
  assert.equal((await explorer.findEntry(found.key.xdr, 319)).bucket, found.bucket);
  const nobody = await explorer.findEntry('GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF', 319);
  assert.deepEqual([nobody.status, nobody.entry, nobody.level], ['absent', null, null]);
});

test('from a ledger to the next nothing is asked again', { skip: noSample }, async (t) => {
  const { url, asked } = await host(t, SAMPLE);
  const explorer = exploreArchive(url);
  await explorer.checkpoint(100);
  const first = asked.length;
  for (let ledger = 64; ledger <= 127; ledger += 1) await explorer.ledger(ledger);
  assert.deepEqual(asked.slice(first), []);
  explorer.close();
  await assert.rejects(explorer.ledger(100), { code: 'DISPOSED' });
  await exploreArchive(url).ledger(100);
  assert.equal(asked.length, first + 5);
});

test('a signal ends a call, a listener that throws ends it with its own error, and the next call works', { skip: noSample }, async (t) => {
  const { url } = await host(t, SAMPLE, () => ({ delayMs: 20 }));
  const explorer = exploreArchive(url);
  const stop = new AbortController();
  const search = explorer.findTransaction('ab'.repeat(32), { signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(search, { code: 'ABORTED' });
  await assert.rejects(explorer.ledger(100, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  const failing = () => {
    throw new RangeError('mine');
  };
  await assert.rejects(explorer.findTransaction('ab'.repeat(32), { onProgress: failing }), RangeError);
  assert.equal((await explorer.ledger(100)).ledger, 100);
  const open = explorer.checkpoint(200);
  explorer.close();
  await assert.rejects(open, (error) => ['ABORTED', 'DISPOSED'].includes(error.code));
});

test('errors have a code', { skip: noSample }, async (t) => {
  const explorer = explore();
  for (const [call, code] of [
    [() => explorer.checkpoint(0), 'USAGE'],
    [() => explorer.ledger(1.5), 'USAGE'],
    [() => explorer.checkpoint(100_000), 'NOT_FOUND'],
    [() => explorer.ledger(100_000), 'NOT_FOUND'],
    [() => explorer.transaction(2, 99), 'NOT_FOUND'],
    [() => explorer.transaction(100, -1), 'USAGE'],
    [() => explorer.bucket('11'.repeat(32)), 'NOT_FOUND'],
    [() => explorer.bucket('nonsense'), 'USAGE'],
    [() => explorer.verifyBucket('00'.repeat(32)), 'USAGE'],
    [() => explorer.findTransaction('nonsense'), 'USAGE'],
    [() => explorer.findEntry('GAAA', 100), 'USAGE'],
    [() => explorer.findEntry('GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF', 100_000), 'NOT_FOUND'],
    [() => explorer.ledger(100, { nonsense: true }), 'USAGE'],
    [() => exploreArchive('nonsense').ledger(100), 'UNSUPPORTED'],
  ]) {
    await assert.rejects(call(), { name: 'ArchiveVerifierError', code }, String(call));
  }
  const url = await server(t, (_, response) => response.writeHead(403).end());
  await assert.rejects(exploreArchive(url).checkpoint(100), (error) => error.code === 'FORBIDDEN' && error.advice !== undefined);
});

test('what was missing is found when it is there, by another explorer', { skip: noSample }, async (t) => {
  const folder = join(await temporary(t), 'copy');
  await cp(SAMPLE, folder, { recursive: true });
  await rm(join(folder, pathOf('ledger', 191)));
  const without = await explore(folder).ledger(127);
  assert.match(without.checks.find(({ name }) => name === 'next-header').why, /the archive ends here/);
  await cp(join(SAMPLE, pathOf('ledger', 191)), join(folder, pathOf('ledger', 191)));
  const mended = await explore(folder).ledger(127);
  assert.equal(mended.checks.find(({ name }) => name === 'next-header').outcome, 'holds');
});
