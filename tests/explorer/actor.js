/**
 * A worker that plays a run instead of doing one: what the page makes of rare answers can then be tested at leisure.
 *
 * It speaks the protocol of `www/lib/worker.ts`. What it plays, the names of the archives say: one with `lies` serves faulty
 * files, one with `dead` does not answer. The settings: how many checkpoints there are (`total`), after how many a run that was
 * not taken up again stands still (`hold`) or crashes (`crashAt`), and the milliseconds each takes (`pace`). A state that does not
 * say `sound` is refused.
 *
 * Findings say what `says` says. Mirror and repair are played as well: a repair finds `broken` files broken, of which the last has no sound copy if an archive's name has
 * `lies`; what is written really goes to the page's destination over the port, and what that refuses is told in the report. With
 * `stop` they end with that code and message.
 */
const KINDS = ['history', 'ledger', 'transactions', 'results', 'scp'];
const WORKS = [
  'GetHistoryArchiveStateWork', 'DownloadLedgerHeadersWork', 'DownloadTransactionsWork', 'DownloadTxResultsWork',
  'DownloadScpHistoryWork', 'DownloadBucketsWork', 'VerifyBucketWork', 'VerifyCheckpointWork', 'VerifyRangeWork',
];
const IDLE = { pending: 0, blocked: 0, running: 0, waiting: 0, retrying: 0, success: 0, failure: 0, aborted: 0 };
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// `playing` in support.mjs writes the settings in front of this text.
const { total: TOTAL = 57, hold: HOLD = TOTAL, pace: PACE = 5, crashAt: CRASH_AT = -1, broken: BROKEN = 3, estimate: ESTIMATE = 41_234_567, stop: STOP, says: SAYS = 'the header does not hash to what the entry says' } = self.settings ?? {};
const BUCKETS = 31;
const presets = [
  { name: 'pubnet', passphrase: 'Public Global Stellar Network ; September 2015', archives: [{ organisation: 'SDF', name: '1', url: 'https://history.stellar.org/prd/core-live/core_live_001/' }] },
  { name: 'testnet', passphrase: 'Test SDF Network ; September 2015', archives: [{ organisation: 'SDF', name: '1', url: 'https://history.stellar.org/prd/core-testnet/core_testnet_001/' }] },
];

postMessage({ greeting: 'ready', presets, quorumSets: [], versions: { version: '0.0.0', xdr: '0' } });

const cancelled = new Set();
addEventListener('message', ({ data }) => {
  if (data?.type === 'cancel') cancelled.add(data.id);
  if (data?.type === 'written' || data?.type === 'write-failed' || data?.type === 'file') answered(data);
  const played = { estimate: playEstimate, mirror: playCopy, repair: playCopy }[data?.task] ?? play;
  if (data?.type === 'start') played(data).catch((error) => postMessage({ id: data.id, type: 'error', code: 'CRASHED', message: String(error) }));
});

const nameOf = (source) => (source.kind === 'url' ? source.url : source.name);

async function play({ id, sources, options }) {
  const archives = sources.map(nameOf);
  const event = (event) => postMessage({ id, type: 'event', event });
  event({ type: 'stage', stage: 'root' });
  if (options.resume !== undefined && !options.resume.includes('sound')) {
    return postMessage({
      id, type: 'error', code: 'USAGE', message: 'the saved state is of a run over other archives: it names https://other.example.org/',
      advice: 'Start a new run, or give the archives of the saved one',
    });
  }
  let done = options.resume === undefined ? 0 : JSON.parse(options.resume).done;
  const range = { low: 1, high: TOTAL * 64 - 1 };
  const liars = archives.filter((name) => name.includes('lies'));
  const works = () => Object.fromEntries(WORKS.map((kind) => [kind, { ...IDLE, ...worksOf(kind, done) }]));
  const progress = () => event({
    type: 'progress', stage: 'checkpoints', checkpoints: { done, total: TOTAL }, buckets: { done: Math.min(done, BUCKETS), total: BUCKETS },
    bytes: { compressed: String(done * 712_345), inflated: String(done * 3_712_345) }, findings: found.length, retries: Math.floor(done / 7), elapsedMs: done * 100,
    works: works(),
    inFlight: inFlightOf(done, archives),
    archives: archives.map((name) => ({
      name, requests: done * 4, failures: name.includes('dead') ? 5 : Math.floor(done / 7), throttled: 0, faulty: name.includes('lies') ? found.length : 0,
      bytes: String(done * 312_345), standing: name.includes('dead') ? 'unreachable' : name.includes('busy') ? 'resting' : 'good',
    })),
  });
  const found = [];
  await pause(50);
  event({ type: 'stage', stage: 'checkpoints', range });
  progress();
  while (done < TOTAL && !cancelled.has(id)) {
    if (done === CRASH_AT && options.resume === undefined) throw new Error('unreachable executed');
    if (done >= HOLD && options.resume === undefined) {
      await pause(50);
      continue;
    }
    await pause(PACE);
    const checkpoint = (done + 1) * 64 - 1;
    const faulty = liars.length > 0 && liars.length === archives.length && done === 20;
    event({ type: 'checkpoint', checkpoint, status: Object.fromEntries(KINDS.map((kind) => [kind, kind === 'ledger' && faulty ? 'faulty' : 'verified'])) });
    if (liars.length > 0 && [11, 20, 33].includes(done)) {
      const finding = findingOf(liars[0], archives.find((name) => !liars.includes(name)), checkpoint);
      found.push(finding);
      event({ type: 'finding', finding });
    }
    done += 1;
    if (done % 7 === 0) {
      event({ type: 'retry', archive: archives.at(-1), path: path('transactions', checkpoint), attempt: 1, delayMs: 100, reason: 'the server answered 503 Service Unavailable' });
    }
    progress();
    if (options.saveState && (done % 5 === 0 || done === HOLD)) event({ type: 'state', state: JSON.stringify({ sound: true, done }), done });
  }
  const aborted = done < TOTAL;
  if (aborted && options.saveState) event({ type: 'state', state: JSON.stringify({ sound: true, done }), done });
  progress();
  event({ type: 'stage', stage: 'done' });
  const report = reportOf({ archives, options, range, found, done, aborted });
  event({ type: 'done', verdict: report.verdict });
  postMessage({ id, type: 'report', report });
}

async function playEstimate({ id, options }) {
  for (let waited = 0; waited < PACE * 4 && !cancelled.has(id); waited += 10) await pause(10);
  if (cancelled.has(id)) return postMessage({ id, type: 'error', code: 'ABORTED', message: 'the estimate was cancelled' });
  if (STOP !== undefined) return postMessage({ id, type: 'error', ...STOP });
  const { low = 1, high = TOTAL * 64 - 1 } = options.range ?? {};
  const checkpoints = Math.ceil((high - low + 1) / 64);
  postMessage({
    id, type: 'report',
    report: {
      range: { low, high }, checkpoints, files: checkpoints * 5 + BUCKETS, bytes: String(ESTIMATE), buckets: { files: BUCKETS, bytes: String(Math.floor(ESTIMATE / 2)) }, measured: { checkpoints: 5, buckets: BUCKETS },
      basis: 'every bucket was measured, and the checkpoints are taken to be as large as the 5 that were: it may be off by a fifth',
    },
  });
}

/** The page's destination, asked over the port. */
const waiting = new Map();
let asked = 0;
function call(id, message) {
  asked += 1;
  const request = asked;
  postMessage({ id, type: message.path !== undefined && message.kind === 'get' ? 'get' : 'call', request, ...(message.kind === 'get' ? { archive: message.archive, path: message.path } : { call: message }) });
  return new Promise((resolve, reject) => waiting.set(request, { request, resolve, reject }));
}
function answered({ type, request, file, found, error }) {
  const known = waiting.get(request);
  waiting.delete(request);
  if (type === 'write-failed') known?.reject(Object.assign(new Error(error.message), error));
  else known?.resolve(type === 'file' ? file : found);
}

/** One file, in two chunks where the place takes them. `null`, or why it could not be written. */
async function writeTo(id, destination, path) {
  const chunk = () => new TextEncoder().encode(`half of ${path}\n`);
  try {
    if (destination.can.stage) {
      asked += 1;
      const file = asked;
      const begun = new Promise((resolve, reject) => waiting.set(file, { resolve, reject }));
      postMessage({ id, type: 'call', request: file, call: { kind: 'stage', path } });
      await begun;
      try {
        await call(id, { kind: 'write', file, bytes: chunk() });
        await call(id, { kind: 'write', file, bytes: chunk() });
        await call(id, { kind: 'commit', file });
      } catch (error) {
        await call(id, { kind: 'abort', file });
        throw error;
      }
    } else {
      await call(id, { kind: 'put', path, bytes: new Uint8Array([...chunk(), ...chunk()]) });
    }
    return null;
  } catch (error) {
    return `${path} could not be written: ${error.message}`;
  }
}

const ROOT = '.well-known/stellar-history.json';

async function playCopy({ id, task, sources, options, destination }) {
  const names = sources.map(nameOf);
  const event = (event) => postMessage({ id, type: 'event', event });
  if (STOP !== undefined) return postMessage({ id, type: 'error', ...STOP });
  const plan = options.plan === undefined ? undefined : JSON.parse(options.plan);
  const range = { low: 1, high: TOTAL * 64 - 1 };
  const unsound = names.some((name) => name.includes('lies'));
  const files = [];
  const left = {};
  let bytes = 0;
  let written = 0;
  const progress = (done) => event({
    type: 'progress', stage: 'checkpoints', checkpoints: { done, total: TOTAL }, buckets: { done: Math.min(done, BUCKETS), total: BUCKETS },
    bytes: { compressed: String(done * 712_345), inflated: String(done * 3_712_345) }, findings: 0, retries: 0, elapsedMs: done * 100,
    works: Object.fromEntries(WORKS.map((kind) => [kind, { ...IDLE, ...worksOf(kind, done) }])),
    inFlight: inFlightOf(done, names),
    archives: names.map((name) => ({ name, requests: done * 4, failures: 0, throttled: 0, faulty: 0, bytes: String(done * 312_345), standing: 'good' })),
    ...(options.dryRun ? {} : { written: { files: written, bytes: String(bytes) } }),
  });
  event({ type: 'stage', stage: 'root' });
  if (task === 'repair' && destination.can.get && plan === undefined) await call(id, { kind: 'get', archive: sources.length, path: ROOT });
  event({ type: 'stage', stage: 'checkpoints', range });
  const keep = async (path, problem, checkpoint) => {
    const lost = unsound && checkpoint === BROKEN;
    const why = options.dryRun || lost ? null : await writeTo(id, destination, path);
    if (why === null && !lost && !options.dryRun) {
      written += 1;
      bytes += 2 * `half of ${path}\n`.length;
    }
    if (task === 'repair' || why !== null) {
      files.push({
        path, problem, outcome: lost ? 'no-sound-source' : options.dryRun ? 'planned' : why === null ? 'written' : 'failed',
        from: lost || why !== null ? null : names.find((name) => !name.includes('lies')) ?? names[0], message: lost ? 'no archive has it sound' : why,
      });
    }
    if (options.dryRun || why !== null || lost) (left[(checkpoint + 1) * 64 - 1] ??= []).push('ledger');
  };
  let done = 0;
  progress(done);
  while (done < TOTAL && !cancelled.has(id)) {
    if (done >= HOLD) {
      await pause(50);
      continue;
    }
    await pause(PACE);
    done += 1;
    const checkpoint = done * 64 - 1;
    if (task === 'mirror' ? done <= 3 : done <= BROKEN) await keep(path('ledger', checkpoint), done === 2 ? 'faulty' : 'missing', done);
    event({ type: 'checkpoint', checkpoint, status: Object.fromEntries(KINDS.map((kind) => [kind, 'verified'])) });
    progress(done);
  }
  const aborted = done < TOTAL;
  const failed = files.some(({ outcome }) => outcome === 'failed');
  if (!aborted && !failed && task === 'mirror') {
    await writeTo(id, destination, ROOT);
    written += 1;
    bytes += 100;
  }
  event({ type: 'stage', stage: 'done' });
  const verdict = aborted || failed ? 'incomplete' : files.some(({ outcome }) => outcome === 'no-sound-source') ? 'faulty' : 'complete';
  event({ type: 'done', verdict: verdict === 'complete' ? 'verified' : verdict });
  const planned = files.filter(({ outcome }) => outcome === 'planned').length;
  const none = Object.fromEntries([...KINDS, 'bucket'].map((kind) => [kind, 0]));
  const count = options.dryRun ? planned : written;
  postMessage({
    id, type: 'report',
    report: {
      schema: 1, task, verifier: { version: '0.0.0', xdr: '0' }, sources: names, destination: destination.name, network: presets[1].passphrase, range, dryRun: options.dryRun === true,
      verdict, statement: aborted
        ? 'the run was stopped before its end; what was written is whole and verified'
        : options.dryRun ? `${files.length} files of 316 are missing or faulty, and the archives have ${planned} of them sound` : failed ? 'some files could not be written' : `${count} files were written, each verified`,
      written: { files: count, bytes: options.dryRun ? String(planned * 23_456) : String(bytes), byKind: { ...none, ledger: count } },
      kept: { ...none, history: TOTAL - 3, ledger: TOTAL - count, transactions: TOTAL, results: TOTAL, scp: TOTAL, bucket: BUCKETS },
      wellKnown: task === 'mirror' && !aborted && !failed ? { status: 'written', ledger: range.high, reason: null } : { status: task === 'repair' ? 'kept' : 'not-written', ledger: task === 'repair' ? range.high : null, reason: task === 'repair' ? null : 'what it names is not all there' },
      files, filesDropped: 0,
      plan: { version: 1, well_known: null, files: left, buckets: [], checkpoints: Object.keys(left).map(Number), summary: { succeeded: 0, skipped: 0, failed: 0, retries: 0 } },
      verification: reportOf({ archives: names, options: {}, range, found: [], done, aborted }),
      startedAt: '2026-11-21T07:00:00Z', elapsedMs: 8123,
    },
  });
}

function worksOf(kind, done) {
  const running = Math.min(16, TOTAL - done);
  switch (kind) {
    case 'GetHistoryArchiveStateWork': return { success: 1 };
    case 'DownloadBucketsWork': return { success: Math.min(done, BUCKETS), running: done < BUCKETS ? 6 : 0, pending: Math.max(0, BUCKETS - done - 6) };
    case 'VerifyBucketWork': return { success: Math.max(0, Math.min(done, BUCKETS) - 1), running: done > 0 && done < BUCKETS ? 1 : 0 };
    case 'VerifyRangeWork': return done === TOTAL ? { success: 1 } : { waiting: 1 };
    case 'VerifyCheckpointWork': return { success: done, waiting: running, pending: TOTAL - done - running };
    case 'DownloadTxResultsWork': return { success: done, running, retrying: done % 7 === 0 ? 2 : 0, failure: done > 40 ? 1 : 0, blocked: TOTAL - done - running };
    default: return { success: done, running, pending: TOTAL - done - running };
  }
}

/** The next sixteen, and a file of each. */
function inFlightOf(done, archives) {
  const checkpoints = Array.from({ length: Math.min(16, TOTAL - done) }, (_, place) => (done + place + 1) * 64 - 1);
  return {
    checkpoints, fileCount: checkpoints.length,
    files: checkpoints.map((checkpoint, place) => ({ path: path('ledger', checkpoint), archive: archives[place % archives.length], bytes: String(place * 12_345) })),
  };
}

function path(kind, checkpoint) {
  const name = checkpoint.toString(16).padStart(8, '0');
  return `${kind}/${name.slice(0, 2)}/${name.slice(2, 4)}/${name.slice(4, 6)}/${kind}-${name}.xdr.gz`;
}

function findingOf(archive, goodFrom, checkpoint) {
  return {
    code: 'header-hash-mismatch', severity: goodFrom === undefined ? 'error' : 'warning', archive, path: path('ledger', checkpoint), checkpoint, ledger: checkpoint - 3,
    expected: 'ab'.repeat(32), actual: 'cd'.repeat(32), ...(goodFrom === undefined ? {} : { goodFrom }),
    message: SAYS, advice: 'Replace the file by the one of another archive',
  };
}

function reportOf({ archives, options, range, found, done, aborted }) {
  const good = archives.filter((name) => !name.includes('lies') && !name.includes('dead'));
  const faulty = found.filter(({ severity }) => severity === 'error').length;
  const verdict = aborted ? 'incomplete' : faulty > 0 ? 'faulty' : 'verified';
  const count = options.sample ?? done;
  return {
    schema: 1, verifier: { version: '0.0.0', xdr: '0' }, archives, network: { passphrase: presets[1].passphrase, name: 'testnet' }, range,
    options: {
      deep: false, skipOptional: false, skipBuckets: false, order: options.order ?? 'oldest-first',
      sample: options.sample === undefined ? null : {
        count, of: TOTAL, seed: options.seed ?? '00ff00ff00ff00ff',
        guarantee: 'if one checkpoint in twenty of the range were damaged, this sample would have met one of them with a probability of 40.1 %',
      },
    },
    verdict,
    statement: verdict === 'verified' ? `all ${done} checkpoints are complete and agree with one chain of ledgers` : verdict === 'faulty' ? 'some files are damaged' : 'the run was stopped before its end',
    meaning: { title: verdict, proves: 'what was read has no fault', doesNotProve: 'anything else' },
    sealedThrough: null, anchors: [],
    trust: { quorumSet: null, allSignatures: false, looked: 0, quorums: null, hashes: { given: 0, met: 0 } },
    claims: [{ claim: 'chain', status: aborted ? 'unchecked' : 'verified', statement: 'every header names the hash of the one before it' }],
    totals: Object.fromEntries([...KINDS, 'bucket'].map((kind) => [kind, { verified: kind === 'bucket' ? Math.min(done, BUCKETS) : done - (kind === 'ledger' ? faulty : 0), faulty: kind === 'ledger' ? faulty : 0, unchecked: kind === 'bucket' ? 0 : TOTAL - done }])),
    unchecked: aborted ? [{ kind: 'ledger', reason: 'the run was cancelled', count: TOTAL - done }] : [],
    findings: found, findingsDropped: 0,
    errors: [
      ...archives.filter((name) => name.includes('dead')).map((name) => ({ code: 'CORS_OR_NETWORK', archive: name, path: '.well-known/stellar-history.json', message: `${name} could not be read`, advice: 'See that it is up' })),
    ],
    notes: [], metrics: {},
    sources: archives.map((archive) => ({
      archive, ledger: good.includes(archive) || archive.includes('lies') ? range.high : null, endLedger: good.includes(archive) ? range.high + 64 : archive.includes('lies') ? range.high : null,
      requests: done * 4, failures: archive.includes('dead') ? 5 : 1, throttled: 0, missing: 0, faulty: archive.includes('lies') ? found.length : 0, bytes: String(done * 312_345),
    })),
    startedAt: '2026-11-21T07:00:00Z', elapsedMs: 8123, bytes: { compressed: String(done * 712_345), inflated: String(done * 3_712_345) },
  };
}
