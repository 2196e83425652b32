/**
 * What may be on the list of archives, and which paths are an archive's: by themselves, without a worker.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SAMPLE, noSample, source } from './support.mjs';
import { filesIn } from '../node/misbehaving-server.mjs';

const [{ archiveRoot }, { archiveFile }, { configOf, listed }, { Allowances, client }] = await Promise.all(
  ['addresses.ts', 'paths.ts', 'config.ts', 'rate.ts'].map((name) => source(name)),
);

const PRIVATE = [
  // Every notation of the loopback address, and of others.
  'https://127.0.0.1/', 'https://127.1/', 'https://2130706433/', 'https://0x7f000001/', 'https://0177.0.0.1/', 'https://0x7f.1/', 'https://017700000001/',
  'https://127.255.255.254/', 'https://0.0.0.0/', 'https://0/', 'https://10.0.0.1/', 'https://167772161/', 'https://100.64.0.1/', 'https://169.254.169.254/',
  'https://0xa9fea9fe/', 'https://172.16.0.1/', 'https://172.31.255.255/', 'https://192.168.1.1/', 'https://192.0.0.1/', 'https://192.0.2.1/', 'https://198.18.0.1/',
  'https://198.51.100.1/', 'https://203.0.113.1/', 'https://224.0.0.1/', 'https://255.255.255.255/', 'https://240.0.0.1/', 'https://１２７.０.０.１/',
  'https://[::1]/', 'https://[::]/', 'https://[::ffff:127.0.0.1]/', 'https://[::ffff:8.8.8.8]/', 'https://[0:0:0:0:0:ffff:7f00:1]/', 'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/', 'https://[fe80::1]/', 'https://[fec0::1]/', 'https://[fc00::1]/', 'https://[fd12:3456::1]/', 'https://[ff02::1]/', 'https://[2001:db8::1]/',
  'https://[2001::1]/', 'https://[2002:7f00:1::]/', 'https://[100::1]/', 'https://[3fff::1]/',
  'https://localhost/', 'https://LOCALHOST/', 'https://localhost./', 'https://api.localhost/', 'https://router/', 'https://db.internal/', 'https://metadata.google.internal/',
  'https://printer.local/', 'https://x.home.arpa/', 'https://a.onion/', 'https://example.com./',
];
const MALFORMED = [
  'http://history.stellar.org/', 'ftp://history.stellar.org/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:,x', '//history.stellar.org', 'history.stellar.org', '',
  'https://user@history.stellar.org/', 'https://user:password@history.stellar.org/', 'https://:password@history.stellar.org/', 'https://history.stellar.org/?a=b',
  'https://history.stellar.org/#a', 'https://history.stellar.org/?', 'https://history.stellar.org/a%2fb', 'https://history.stellar.org//a', 'https://256.1.1.1/', 'https://[::1', 'https://a b/',
];

for (const address of [...PRIVATE, ...MALFORMED]) {
  test(`${address || 'nothing'} cannot be put on the list`, () => {
    assert.throws(() => archiveRoot(address, false), /./);
    assert.throws(() => configOf({ ARCHIVES: [{ name: 'a', url: address }] }), /ARCHIVES\[0\]/);
  });
}

for (const [address, root] of [
  ['https://history.stellar.org/prd/core-live/core_live_001', 'https://history.stellar.org/prd/core-live/core_live_001/'],
  ['https://HISTORY.stellar.org:8443/a/', 'https://history.stellar.org:8443/a/'],
  ['https://8.8.8.8/', 'https://8.8.8.8/'], ['https://172.32.0.1', 'https://172.32.0.1/'], ['https://[2606:4700::1111]/x', 'https://[2606:4700::1111]/x/'],
]) {
  test(`${address} can`, () => assert.equal(archiveRoot(address, false).href, root));
}

test('loopback is for those who say so, and http for loopback only', () => {
  assert.equal(archiveRoot('http://127.0.0.1:8080/a', true).href, 'http://127.0.0.1:8080/a/');
  assert.equal(archiveRoot('http://[::1]:8080/', true).href, 'http://[::1]:8080/');
  for (const address of ['http://history.stellar.org/', 'http://192.168.1.1/', 'https://10.0.0.1/', 'http://127.0.0.2/']) assert.throws(() => archiveRoot(address, true), /./);
});

const BUCKET = 'a'.repeat(64);
const NO_PATHS = [
  '', '/', '.', '..', '../secret', '.well-known/', '.well-known/stellar-history.json/', '.well-known/stellar-history.json?x', '/.well-known/stellar-history.json', '.well-known/other.json',
  '.well-known/security.txt', 'index.html', 'ledger/', 'ledger/00/00/00/', 'ledger/00/00/00/ledger-0000003e.xdr.gz', 'ledger/00/00/01/ledger-0000003f.xdr.gz', 'ledger/00/00/00/ledger-0000003f.json',
  'ledger/00/00/00/ledger-0000003F.xdr.gz', 'ledger/00/00/00/scp-0000003f.xdr.gz', 'history/00/00/00/history-0000003f.xdr.gz', 'ledger/00/00/00/../00/ledger-0000003f.xdr.gz',
  'ledger%2f00/00/00/ledger-0000003f.xdr.gz', 'ledger/00/00/00/ledger-0000003f.xdr.gz\n', 'ledger/00/00/00/ledger-0000003f.xdr.gz ', 'ledger\\00\\00\\00\\ledger-0000003f.xdr.gz',
  `bucket/aa/aa/aa/bucket-${BUCKET}a.xdr.gz`, `bucket/aa/aa/ab/bucket-${BUCKET}.xdr.gz`, `bucket/AA/AA/AA/bucket-${BUCKET.toUpperCase()}.xdr.gz`, 'bucket/aa/aa/aa/bucket-aaaaaa.xdr.gz',
  'https://example.com/', 'ledger/00/00/00/ledger-000000000000003f.xdr.gz',
];

test('every file of an archive has a path that is relayed', { skip: noSample }, () => {
  const paths = [...filesIn(SAMPLE).keys()];
  assert.ok(paths.length > 50);
  for (const path of [...paths, 'history/00/00/00/history-00000000.json', 'ledger/00/00/00/ledger-00000007.xdr.gz']) assert.equal(archiveFile(path)?.path, path);
});

for (const path of NO_PATHS) test(`${JSON.stringify(path)} is no path of an archive`, () => assert.equal(archiveFile(path), null));

test('everything that is wrong with the list is said at once, with its place', () => {
  const list = [{ name: 'A!', url: 'https://a.example.com' }, { url: 'https://b.example.com' }, { name: 'c' }, { name: 'd', url: 'http://d.example.com', speed: 3 }, 5, { name: 'e', url: 'https://e.example.com', buckets: 'no' }];
  assert.throws(() => configOf({ ARCHIVES: JSON.stringify(list), MAX_CHECKPOINTS: '1e9', WEBHOOK_URL: 'http://10.0.0.1/' }), ({ message, kind, status }) => {
    assert.equal(`${kind} ${status}`, 'configuration 500');
    for (const said of [/ARCHIVES\[0\]: name/, /ARCHIVES\[1\]: name/, /ARCHIVES\[2\]: url is missing/, /ARCHIVES\[3\]: it has unknown fields: speed/, /ARCHIVES\[3\]: url: it does not begin with https/, /ARCHIVES\[4\]/, /ARCHIVES\[5\]: buckets/, /MAX_CHECKPOINTS/, /WEBHOOK_URL/]) assert.match(message, said);
    return true;
  });
  for (const none of [undefined, '', '{', '{}', '[]']) assert.throws(() => configOf({ ARCHIVES: none }), /ARCHIVES/);
  assert.throws(() => configOf({ ARCHIVES: [{ name: 'a', url: 'https://a.example.com' }, { name: 'a', url: 'https://b.example.com' }] }), /twice/);
});

test('an archive is meant by its name or by the very address of the list, and by nothing that looks like it', () => {
  const { archives } = configOf({ ARCHIVES: [{ name: 'sdf1', url: 'https://history.stellar.org/one' }] });
  for (const wanted of ['sdf1', 'https://history.stellar.org/one', 'https://history.stellar.org/one/']) assert.equal(listed(archives, wanted).name, 'sdf1');
  for (const wanted of ['SDF1', '', 'https://history.stellar.org/', 'https://history.stellar.org/one/two', 'https://history.stellar.org@evil.example/one', 'https://evil.example/?https://history.stellar.org/one', 'http://history.stellar.org/one', '__proto__', 'constructor']) {
    assert.throws(() => listed(archives, wanted), ({ kind }) => kind === 'archive-unknown', wanted);
  }
});

test('a client has so many requests a minute, and gets them back evenly', () => {
  const allowances = new Allowances();
  assert.deepEqual([0, 0, 0].map(() => allowances.take('a', 2, 0)), [0, 0, 30_000]);
  assert.equal(allowances.take('b', 2, 0), 0);
  assert.equal(allowances.take('a', 2, 29_000) > 0, true);
  assert.equal(allowances.take('a', 2, 60_000), 0);
});

test('addresses of one IPv6 network are one client', () => {
  assert.equal(client('2001:db8:1:2:aaaa::1'), client('2001:0db8:1:2:bbbb:0:0:9'));
  assert.equal(client('2001:db8::1'), client('2001:db8:0:0:5::'));
  assert.notEqual(client('2001:db8:1:2::1'), client('2001:db8:1:3::1'));
  assert.equal(client('192.0.2.7'), '192.0.2.7');
});
