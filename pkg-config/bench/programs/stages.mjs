/**
 * The stages of a verification in Node: `node stages.mjs BUNDLE WASM [PEERS]`, then `ENGINE STAGE`, one line a round.
 *
 * Engines: `wasm` (the verifier's own parts, see stages/src), `node` (zlib and crypto of Node itself), and the packages in the folder PEERS:
 * `fflate`, `hash-wasm`, `stellar-xdr-json`. All of them go over the same files and records. `wasm join COUNT BATCH` joins checkpoints.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { argv, cpuUsage, stdin } from 'node:process';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { unbundle } from '../page/unbundle.mjs';

const [, , bundle, wasmPath, peers] = argv;
const STAGES = ['inflate', 'hash', 'decode', 'check'];
const TYPES = { bucket: 'BucketEntry', ledger: 'LedgerHeaderHistoryEntry', results: 'TransactionHistoryResultEntry', scp: 'ScpHistoryEntry', transactions: 'TransactionHistoryEntry' };
const bytes = readFileSync(bundle);
const stored = [...unbundle(bytes)].filter(([path]) => path.endsWith('.gz')).map(([path, content]) => ({ kind: path.split('/')[0], content }));
const inflated = stored.map(({ kind, content }) => ({ kind, content: gunzipSync(content) }));
const engines = { wasm: await wasmEngine(), node: { inflate: () => inflateWith(gunzipSync), hash: () => hashWith(nodeHash) } };
if (peers !== undefined) Object.assign(engines, await peerEngines());

for await (const line of createInterface({ input: stdin })) {
  const [engine, stage, ...args] = line.split(' ');
  try {
    const answer = stage === 'join' ? engines[engine].join(...args.map(Number)) : timed(engines[engine][stage]);
    console.log(JSON.stringify(answer));
  } catch ({ message }) {
    console.log(JSON.stringify({ error: message }));
  }
}

function timed(body) {
  const [before, began] = [cpuUsage(), performance.now()];
  const result = body();
  const wallMs = performance.now() - began;
  const { user, system } = cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1000, bytes: result };
}

function inflateWith(gunzip) {
  return stored.reduce((sum, { content }) => sum + gunzip(content).length, 0);
}

/** The same messages as stages/src/lib.rs: whole buckets, records of the other files, nothing of what validators said. */
function hashWith(hash) {
  let sum = 0;
  for (const { kind, content } of inflated) {
    if (kind === 'scp') continue;
    for (const message of kind === 'bucket' ? [content] : records(content)) {
      hash(message);
      sum += message.length;
    }
  }
  return sum;
}

function nodeHash(message) {
  createHash('sha256').update(message).digest();
}

function* records(content) {
  for (let at = 0; at < content.length; ) {
    const end = at + 4 + (content.readUInt32BE(at) & 0x7fff_ffff);
    yield content.subarray(at + 4, end);
    at = end;
  }
}

async function wasmEngine() {
  const { instance: { exports: wasm } } = await WebAssembly.instantiate(readFileSync(wasmPath), {});
  const call = (name, ...args) => {
    try {
      return wasm[name](...args);
    } catch (error) {
      const words = new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, wasm.message(), wasm.message_length()));
      throw words === '' ? error : new Error(words);
    }
  };
  // Making room may move the memory: it is looked up afterwards.
  const room = wasm.room(bytes.length);
  new Uint8Array(wasm.memory.buffer, room, bytes.length).set(bytes);
  call('load');
  return {
    ...Object.fromEntries(STAGES.map((name, which) => [name, () => call('stage', which)])),
    join(count, batch) {
      call('join_begin');
      const joinNs = [];
      let checkpoints = 0;
      for (let from = 0; from < count; from += batch) {
        const size = Math.min(batch, count - from);
        call('join_prepare', size);
        const began = performance.now();
        checkpoints = call('join_run');
        joinNs.push(((performance.now() - began) * 1e6) / size);
      }
      return { checkpoints, joinNs };
    },
  };
}

async function peerEngines() {
  const from = createRequire(join(peers, 'package.json'));
  const load = (name) => import(pathToFileURL(from.resolve(name)));
  const [fflate, { createSHA256 }, xdr] = await Promise.all(['fflate', 'hash-wasm', '@stellar/stellar-xdr-json'].map(load));
  await xdr.default(readFileSync(from.resolve('@stellar/stellar-xdr-json/stellar_xdr_json_bg.wasm')));
  const hasher = await createSHA256();
  return {
    fflate: { inflate: () => inflateWith((content) => fflate.gunzipSync(content)) },
    'hash-wasm': { hash: () => hashWith((message) => hasher.init().update(message).digest('binary')) },
    'stellar-xdr-json': {
      decode() {
        let sum = 0;
        for (const { kind, content } of inflated) {
          for (const record of records(content)) {
            xdr.decode(TYPES[kind], record.toString('base64'));
            sum += record.length;
          }
        }
        return sum;
      },
    },
  };
}
