/** Each stage alone, on one thread: natively, as WebAssembly in Node, and, with `--peers`, beside packages that do the same. */
import { peerPackages, stages, bundleOf, PEER_PACKAGES } from '../builds.mjs';
import { absolute } from '../../run.mjs';
import { resident, shared } from '../processes.mjs';

const STAGES = [
  { stage: 'inflate', group: 'stage: inflate (gzip, with its checksums)', node: 'Node\'s zlib.gunzipSync', peer: 'fflate' },
  { stage: 'hash', group: 'stage: hash (SHA-256)', node: 'Node\'s createHash', peer: 'hash-wasm' },
  { stage: 'decode', group: 'stage: validate (every record as a value of stellar-xdr)', peer: '@stellar/stellar-xdr-json' },
  { stage: 'check', group: 'stage: check (all after inflate, as a run does it)' },
];
const CHECKPOINTS = 1_000_000;
const BATCH = 10_000;

export async function rows({ archive, peers }) {
  const native = shared(async () => resident([(await stages()).program, await bundleOf(archive)]));
  const inNode = shared(async () => {
    const packages = peers ? [await peerPackages()] : [];
    return resident([process.execPath, absolute('pkg-config/bench/programs/stages.mjs'), await bundleOf(archive), (await stages()).wasm, ...packages]);
  });
  return [
    ...STAGES.flatMap(({ stage, group, node, peer }) => [
      { id: `stages/${stage}/wasm`, group, name: 'WebAssembly, in Node', open: () => open(inNode, `wasm ${stage}`) },
      { id: `stages/${stage}/native`, group, role: 'other', name: 'the same natively', open: () => open(native, stage) },
      ...(node === undefined ? [] : [{ id: `stages/${stage}/node`, group, role: 'other', name: node, open: () => open(inNode, `node ${stage}`) }]),
      ...(peer === undefined || !peers ? [] : [{
        id: `stages/${stage}/${peer}`, group, role: 'other', name: `${peer} ${PEER_PACKAGES[peer]}`, open: () => open(inNode, `${peer.split('/').at(-1)} ${stage}`),
      }]),
    ]),
    ...[['wasm', 'WebAssembly, in Node', inNode, 'wasm join'], ['native', 'the same natively', native, 'join']].map(([id, name, program, request]) => ({
      id: `stages/join/${id}`, group: 'stage: join (a million checkpoints, one by one; what one takes)', name, once: true,
      open: () => open(program, `${request} ${CHECKPOINTS} ${BATCH}`),
    })),
  ];
}

async function open(program, request) {
  const { ask, close } = await program();
  return {
    async run() {
      const { joinNs, ...answer } = await ask(request);
      if (joinNs !== undefined) return joinNs.map((ns) => ({ metrics: { joinNs: ns }, facts: { checkpoints: answer.checkpoints } }));
      const { wallMs, cpuMs, bytes } = answer;
      return { metrics: { wallMs, cpuMs }, facts: { bytes } };
    },
    close,
  };
}
