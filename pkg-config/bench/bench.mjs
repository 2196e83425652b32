/**
 * What `npm run bench` measures, the one place where speed is claimed. Every module of KINDS gives rows of one kind (see rounds.mjs); those of
 * one group are measured in the same rounds. Absolute times belong to one machine; ratios carry over.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { Advice, Failed, absolute, ask, say, step } from '../run.mjs';
import { PEER } from '../peer.mjs';
import { compare } from './against.mjs';
import { describe } from './archive.mjs';
import { browsers } from './browsers.mjs';
import { PEER_PACKAGES } from './builds.mjs';
import { lines } from './print.mjs';
import { WARM_UPS, groupsOf, measureGroup, ratios } from './rounds.mjs';

/** In the order in which they are measured and shown. Whoever has another kind of row adds its module here. */
const KINDS = ['node', 'peers', 'browsers', 'edge', 'network', 'stages', 'memory', 'trust', 'forgery', 'smoothness'];
const FORMAT = 1;

/**
 * `archives` is the folder of real archives, or `null`: the sample archive then stands in. `json` is `true` for standard output, or a path;
 * `against` is the path of an earlier result.
 */
export async function measure({ archives, env, json, against, only, strict = false, peers = false, long = false, rounds = '7' }) {
  if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new Advice(`--rounds needs a number, not ${rounds}`);
  const before = against === undefined ? null : await earlier(against);
  const archive = archives === null ? absolute('target/sample-archive') : join(archives, 'testnet-p22');
  const rows = await chosen({ archive, env, peers, long, real: archives !== null }, only);
  const measured = [];
  for (const [group, members] of groupsOf(rows)) {
    await step(group, async () => {
      measured.push(...(await measureGroup(members, { rounds: Number(rounds) })));
    });
  }
  const result = {
    format: FORMAT,
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cpus: availableParallelism(), platform: process.platform },
    versions: await versions(env, peers),
    archive: await describe(archive),
    rounds: Number(rounds),
    warmUps: WARM_UPS,
    ratios: ratios(measured),
    rows: measured,
  };
  const compared = before === null ? null : compare(result, before);
  if (json === true) console.log(JSON.stringify({ ...result, ...(compared === null ? {} : { against: compared }) }, null, 2));
  else if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  say(...lines(result, compared));
  const failed = measured.filter((row) => row.failed !== undefined);
  if (failed.length > 0) say('', `${failed.length} ${failed.length === 1 ? 'row' : 'rows'} failed`);
  if (failed.length > 0 || (strict && compared !== null && compared.warnings.length > 0)) throw new Failed('bench');
}

async function chosen(context, only) {
  const modules = await Promise.all(KINDS.map((name) => import(`./rows/${name}.mjs`)));
  const all = (await Promise.all(modules.map(({ rows }) => rows(context)))).flat();
  const rows = only === undefined ? all : all.filter(({ id }) => pattern(only).test(id));
  if (rows.length === 0) throw new Advice(`no row matches --only ${only}; there are ${all.map(({ id }) => id).join(', ')}`);
  return rows;
}

function pattern(only) {
  try {
    return new RegExp(only);
  } catch {
    throw new Advice(`--only ${only} is no regular expression`);
  }
}

async function earlier(path) {
  const result = await readFile(path, 'utf8').then(JSON.parse).catch(({ message }) => {
    throw new Advice(`--against ${path}: ${message}`);
  });
  if (result?.format !== FORMAT) throw new Advice(`--against ${path}: no result that bench --json wrote`);
  return result;
}

/** Of everything whose change may change times. */
async function versions(env, peers) {
  const { version } = JSON.parse(await readFile(absolute('package.json'), 'utf8'));
  const { version: workerd } = JSON.parse(await readFile(absolute('node_modules/workerd/package.json'), 'utf8'));
  const found = await Promise.all(browsers(env).filter(({ path }) => path !== null).map(async ({ name, path }) => [name, /\d+(\.\d+)+/.exec((await ask(path, ['--version'])) ?? '')?.[0] ?? 'unknown']));
  return { verifier: version, Node: process.versions.node, ...Object.fromEntries(found), workerd, ...(peers ? { [PEER.name]: PEER.version, ...PEER_PACKAGES } : {}) };
}
