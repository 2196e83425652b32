/** Quorum sets in stellar-core's configuration: read as core reads them, and written for it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { init, quorumSetFromConfig, quorumSetPresets, quorumSetToConfig } from '../../dist/node.mjs';

/** Real keys, each with its checksum. */
const KEYS = [
  'GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y', 'GCUCJTIYXSOXKBSNFGNFWW5MUQ54HKRPGJUTQFJ5RQXZXNOLNXYDHRAP',
  'GC2V2EFSXN6SQTWVYA5EPJPBWWIMSD2XQNKUOHGEKB535AQE2I6IXV2Z', 'GCGB2S2KGYARPVIA37HYZXVRM2YZUEXA6S33ZU5BUDC6THSB62LZSTYH',
  'GCM6QMP3DLRPTAZW2UZPCPX2LF3SXWXKPMP3GKFZBDSF3QZGV2G5QSTK', 'GABMKJM6I25XI4K7U6XWMULOUQIQ27BCTMLS6BYYSOWKTBUXVRJSXHYQ',
  'GCFONE23AB7Y6C5YZOMKUKGETPIAJA4QOYLS5VNS4JHBGKRZCPYHDLW7', 'GCB2VSADESRV2DDTIVTFLBDI562K6KE3KMKILBHUHUWFXCUBHGQDI7VL',
  'GA5STBMV6QDXFDGD62MEHLLHZTPDI77U3PFOD2SELU5RJDHQWBR5NNK7', 'GARYGQ5F2IJEBCZJCBNPWNWVDOFK7IBOHLJKKSG2TMHDQKEEC6P4PE4V',
];
const SEED = 'SDQVDISRYN2JXBS7ICL7QJAEKB3HWBJFP2QECXG7GZICAHBK4UNJCWK2';

const validator = (name, domain, key, more = '') => `[[VALIDATORS]]\nNAME="${name}"\nHOME_DOMAIN="${domain}"\nPUBLIC_KEY="${key}"\nHISTORY="curl -sf https://${domain}/{0} -o {1}"\n${more}\n`;
const domain = (name, quality) => `[[HOME_DOMAINS]]\nHOME_DOMAIN="${name}"\nQUALITY="${quality}"\n`;
const organisation = (name, quality, keys) => domain(name, quality) + keys.map((key, index) => validator(`${name}_${index}`, name, key)).join('');
const set = (threshold, validators, innerSets = []) => ({ threshold, validators, innerSets });
const read = (text) => quorumSetFromConfig(text).quorumSet;

function refusal(text) {
  try {
    quorumSetFromConfig(text);
  } catch ({ name, code, message, advice }) {
    assert.equal(name, 'ArchiveVerifierError');
    assert.equal(code, 'USAGE');
    assert.ok(advice, 'says what to do');
    return message;
  }
  return assert.fail('was taken');
}

test('one organisation is its simple majority, and the file says which network', () => {
  const found = quorumSetFromConfig(`NETWORK_PASSPHRASE="Test SDF Network ; September 2015"\n${organisation('a.example', 'HIGH', KEYS.slice(0, 3))}`);
  assert.deepEqual(found.quorumSet, set(2, KEYS.slice(0, 3)));
  assert.equal(found.network, 'Test SDF Network ; September 2015');
  assert.equal(found.names[KEYS[1]], 'a.example_1');
  assert.deepEqual(found.notes, []);
});

test('organisations are joined by two thirds, in the order of their domains', () => {
  const text = organisation('b.example', 'HIGH', KEYS.slice(3, 6)) + organisation('a.example', 'HIGH', KEYS.slice(0, 3)) + organisation('c.example', 'HIGH', KEYS.slice(6, 10));
  // 3 of 4, not 2: n - (n - 1) / 2.
  assert.deepEqual(read(text), set(3, [], [set(2, KEYS.slice(0, 3)), set(2, KEYS.slice(3, 6)), set(3, KEYS.slice(6, 10))]));
});

test('a lower quality is one member of the next higher one', () => {
  const text = organisation('low.example', 'LOW', [KEYS[9]]) + organisation('high.example', 'HIGH', KEYS.slice(0, 3)) + organisation('medium.example', 'MEDIUM', KEYS.slice(3, 5));
  // The only organisation of low quality is one node, so core folds it into the set above.
  assert.deepEqual(read(text), set(2, [], [set(2, KEYS.slice(0, 3)), set(2, [KEYS[9]], [set(2, KEYS.slice(3, 5))])]));
});

test('all organisations of critical quality are needed', () => {
  const text = organisation('a.example', 'CRITICAL', KEYS.slice(0, 3)) + organisation('b.example', 'CRITICAL', KEYS.slice(3, 6)) + organisation('c.example', 'HIGH', KEYS.slice(6, 9));
  assert.deepEqual(read(text), set(3, [], [set(2, KEYS.slice(0, 3)), set(2, KEYS.slice(3, 6)), set(2, KEYS.slice(6, 9))]));
});

test('a validator may have its own quality where its domain has none', () => {
  const text = KEYS.slice(0, 4).map((key, index) => validator(`v${index}`, index < 2 ? 'a.example' : 'b.example', key, 'QUALITY="MEDIUM"')).join('');
  assert.deepEqual(read(text), set(2, [], [set(2, KEYS.slice(0, 2)), set(2, KEYS.slice(2, 4))]));
});

test('a quorum set written by hand: percent, names, sets in sets', () => {
  const text = `
    NODE_NAMES=["${KEYS[0]} first", "${KEYS[1]}   second"]
    [QUORUM_SET]
    THRESHOLD_PERCENT=66
    VALIDATORS=["$first", "$second", "${KEYS[2]} third", "${KEYS[7]}"]
    [QUORUM_SET.1]
    VALIDATORS=["${KEYS[3]}", "${KEYS[4]}", "${KEYS[5]}"]
    [QUORUM_SET.1.deep]
    THRESHOLD_PERCENT=1
    VALIDATORS=["${KEYS[6]} last"]`;
  const found = quorumSetFromConfig(text);
  // 1 + (5 * 66 - 1) / 100 = 4; 67 percent of 4 is 3.
  assert.deepEqual(found.quorumSet, set(4, [KEYS[0], KEYS[1], KEYS[2], KEYS[7]], [set(3, KEYS.slice(3, 6), [set(1, [KEYS[6]])])]));
  assert.equal(found.names[KEYS[2]], 'third');
  assert.equal(found.network, null);
});

test('the percentage is rounded up as core does it', () => {
  const threshold = (count, percent) => read(`[QUORUM_SET]\n${percent === undefined ? '' : `THRESHOLD_PERCENT=${percent}\n`}VALIDATORS=[${KEYS.slice(0, count).map((key) => `"${key}"`)}]`).threshold;
  assert.deepEqual([[3, undefined], [4, undefined], [10, undefined], [3, 66], [3, 67], [3, 34], [3, 33], [10, 51], [10, 100], [10, 1]].map(([count, percent]) => threshold(count, percent)), [3, 3, 7, 2, 3, 2, 1, 6, 10, 1]);
});

test('[QUORUM_SET] counts where there are [[VALIDATORS]] as well, and it is said', () => {
  const { quorumSet, notes, names } = quorumSetFromConfig(`${organisation('a.example', 'HIGH', KEYS.slice(0, 3))}[QUORUM_SET]\nVALIDATORS=["$a.example_0"]`);
  assert.deepEqual(quorumSet, set(1, [KEYS[0]]));
  assert.equal(notes.length, 1);
  assert.equal(names[KEYS[2]], 'a.example_2');
});

test('a validator is left out of its own set, and no fewer of the others must agree', () => {
  const own = `NODE_IS_VALIDATOR=true\nNODE_HOME_DOMAIN="a.example"\nNODE_SEED="${SEED} self"\n`;
  const { quorumSet, notes, names } = quorumSetFromConfig(own + organisation('a.example', 'HIGH', KEYS.slice(0, 2)) + organisation('b.example', 'HIGH', KEYS.slice(3, 6)));
  assert.deepEqual(quorumSet, set(2, [], [set(2, KEYS.slice(0, 2)), set(2, KEYS.slice(3, 6))]));
  assert.match(notes[0], /left out/);
  assert.ok(!JSON.stringify({ quorumSet, names, notes }).includes(SEED));
  assert.deepEqual(read(`NODE_SEED="${SEED} self"\n[QUORUM_SET]\nTHRESHOLD_PERCENT=60\nVALIDATORS=["$self", "${KEYS[0]}", "${KEYS[1]}"]`), set(2, KEYS.slice(0, 2)));
  assert.match(refusal(`NODE_SEED="${SEED} self"\n[QUORUM_SET]\nVALIDATORS=["$self"]`), /without the node itself/);
});

const REFUSED = [
  ['', /neither \[\[VALIDATORS\]\] nor \[QUORUM_SET\]/],
  ['A="b"\n[QUORUM_SET\n', /line 2, column/],
  [`NODE_SEED="${SEED}"\nnonsense\n`, /line 2/],
  ['VALIDATORS=["x"]', /VALIDATORS must be tables/],
  ['QUORUM_SET=3', /QUORUM_SET must be a table, not 3/],
  ['[QUORUM_SET]\nVALIDATORS=[]', /QUORUM_SET has no members/],
  ['[QUORUM_SET]\nVALIDATORS="x"', /QUORUM_SET\.VALIDATORS must be an array of strings/],
  ['[QUORUM_SET]\nVALIDATORS=["$who"]', /QUORUM_SET\.VALIDATORS, entry 1: nobody is named "who"/],
  [`[QUORUM_SET]\nVALIDATORS=["${KEYS[0].slice(0, -1)}A"]`, /entry 1: GDKX.* its checksum is wrong/],
  [`[QUORUM_SET]\nVALIDATORS=["${KEYS[0]}", "G"]`, /entry 2: "G" is no public key/],
  [`[QUORUM_SET]\nVALIDATORS=["${SEED}"]`, /no public key/],
  [`[QUORUM_SET]\nVALIDATORS=["${KEYS[0]}", "${KEYS[0]}"]`, /GDKX\w+ is in the quorum set twice/],
  [`[QUORUM_SET]\nVALIDATORS=["${KEYS[0]} a", "${KEYS[1]} a"]`, /the name "a" stands for two nodes/],
  [`[QUORUM_SET]\nTHRESHOLD_PERCENT=0\nVALIDATORS=["${KEYS[0]}"]`, /THRESHOLD_PERCENT must be a whole number from 1 to 100, not 0/],
  [`[QUORUM_SET]\nTHRESHOLD_PERCENT=101\nVALIDATORS=["${KEYS[0]}"]`, /not 101/],
  [`[QUORUM_SET]\nTHRESHHOLD_PERCENT=66\nVALIDATORS=["${KEYS[0]}"]`, /QUORUM_SET\.THRESHHOLD_PERCENT is no field/],
  [`[QUORUM_SET]\nVALIDATORS=["${KEYS[0]}"]\n[QUORUM_SET.1.2.3.4.5]\nVALIDATORS=["${KEYS[1]}"]`, /nested deeper than 4/],
  [validator('v', 'a.example', KEYS[0]), /entry 1 \("v"\) has no QUALITY/],
  [domain('a.example', 'HIGH') + validator('v', 'a.example', KEYS[0], 'QUALITY="LOW"'), /already that of its home domain/],
  [domain('a.example', 'BEST'), /\[\[HOME_DOMAINS\]\] entry 1: there is no QUALITY "BEST"/],
  [domain('a.example', 'LOW') + domain('a.example', 'LOW'), /entry 2: "a\.example" is there twice/],
  [organisation('a.example', 'HIGH', KEYS.slice(0, 2)), /has only 2 of the 3 validators/],
  [organisation('a.example', 'CRITICAL', KEYS.slice(0, 1)), /has only 1 of the 3/],
  [domain('a.example', 'LOW') + validator('', 'a.example', KEYS[0]), /entry 1 has no NAME/],
  [domain('a.example', 'LOW') + validator('v', '', KEYS[0]), /entry 1 \("v"\) has no HOME_DOMAIN/],
  [domain('a.example', 'LOW') + validator('v', 'a.example', ''), /PUBLIC_KEY: the key is missing/],
  [domain('a.example', 'LOW') + validator('v', 'a.example', KEYS[0], 'WEIGHT=3'), /a field "WEIGHT"/],
  [`NODE_IS_VALIDATOR=true\n${organisation('a.example', 'LOW', KEYS.slice(0, 1))}`, /NODE_HOME_DOMAIN/],
  [validator('a', 'a.example', KEYS[0], 'QUALITY="MEDIUM"') + validator('b', 'a.example', KEYS[1], 'QUALITY="LOW"'), /"a" and "b" of "a\.example" must have the same QUALITY/],
];

test('what core would not take is refused with its place, and no secret is shown', () => {
  for (const [text, says] of REFUSED) {
    const message = refusal(text);
    assert.match(message, says);
    assert.ok(!message.includes(SEED.slice(0, 30)), message);
  }
});

test('presets and sets in sets come back as they went out', async () => {
  await init();
  const deep = set(3, [KEYS[0], KEYS[1]], [set(1, [KEYS[2]], [set(2, KEYS.slice(3, 5), [set(3, KEYS.slice(5, 8), [set(1, KEYS.slice(8, 10))])])])]);
  const sets = [...quorumSetPresets().map(({ quorumSet }) => quorumSet), deep, ...KEYS.map((_, index) => set(index + 1, KEYS))];
  assert.ok(sets.length > 10);
  for (const quorumSet of sets) assert.deepEqual(read(quorumSetToConfig(quorumSet)), quorumSet);
});

test('every threshold of up to 100 members has a percentage', () => {
  for (let members = 1; members <= 100; members += 1) {
    for (let threshold = 1; threshold <= members; threshold += 1) {
      // Only the arithmetic is at stake: the same key a hundred times would be refused on the way back.
      const percent = Number(/THRESHOLD_PERCENT=(\d+)/.exec(quorumSetToConfig(set(threshold, Array(members).fill(KEYS[0]))))[1]);
      assert.equal(1 + Math.floor((members * percent - 1) / 100), threshold, `${threshold} of ${members}`);
    }
  }
});

test('names go with it as single words, each once', () => {
  const text = quorumSetToConfig(set(2, KEYS.slice(0, 4)), { [KEYS[0]]: 'SDF 1', [KEYS[1]]: 'SDF_1', [KEYS[2]]: 'Boötes"\n[x]', [KEYS[3]]: '…' });
  assert.deepEqual(quorumSetFromConfig(text).names, { [KEYS[0]]: 'SDF_1', [KEYS[1]]: 'SDF_1_2', [KEYS[2]]: 'Bootes_x' });
  assert.match(text, /UNSAFE_QUORUM/);
  assert.doesNotMatch(quorumSetToConfig(set(3, KEYS.slice(0, 4))), /UNSAFE_QUORUM/);
});

test('home domains come along, by the keys of their validators', () => {
  const entry = (key, domain) => `[[VALIDATORS]]\nNAME="${key.slice(-4)}"\nHOME_DOMAIN="${domain}"\nPUBLIC_KEY="${key}"\n`;
  const text = `[[HOME_DOMAINS]]\nHOME_DOMAIN="a.example"\nQUALITY="MEDIUM"\n[[HOME_DOMAINS]]\nHOME_DOMAIN="b.example"\nQUALITY="MEDIUM"\n${entry(KEYS[0], 'a.example')}${entry(KEYS[1], 'b.example')}`;
  assert.deepEqual(quorumSetFromConfig(text).homeDomains, { [KEYS[0]]: 'a.example', [KEYS[1]]: 'b.example' });
  assert.deepEqual(quorumSetFromConfig(quorumSetToConfig(set(1, [KEYS[0]]))).homeDomains, {}, 'a set written by hand has none');
});

test('what core cannot say in percent is refused, and so is what is no set', () => {
  for (const [quorumSet, says] of [
    [set(1, Array(101).fill(KEYS[0])), /no whole percentage/],
    [set(0, KEYS), /threshold of QUORUM_SET is 0 of 10/],
    [set(4, KEYS.slice(0, 3)), /4 of 3/],
    [set(1, ['G']), /no public key/],
  ]) assert.throws(() => quorumSetToConfig(quorumSet), ({ code, message }) => code === 'USAGE' && says.test(message));
});
