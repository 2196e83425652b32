/**
 * The whole archive over links of a given bandwidth, whose answers begin 50 ms after their requests. Each is held against the link alone:
 * the time that the same bytes take at full bandwidth, so that the ratio in brackets is the share of the link that is filled. Rows that fetch
 * the same files and do nothing with them, and all of them without a limit, say whether the client and the machine, which plays the server
 * as well, are slower than the link.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { absolute } from '../../run.mjs';
import { pathsIn } from '../archive.mjs';
import { browsers, launch } from '../browsers.mjs';
import { bundleOf, siteOf } from '../builds.mjs';
import { serveOverLink } from '../link.mjs';
import { resident } from '../processes.mjs';
import { NotMeasured } from '../rounds.mjs';
import { serve } from '../../serve.mjs';
import { asMeasurement } from './node.mjs';

const LATENCY_MS = 50;
const MBIT = 1_000_000 / 8;
const LINKS = [
  { id: '20', name: '20 Mbit/s, 50 ms', bandwidth: 20 * MBIT, latencyMs: LATENCY_MS },
  { id: '100', name: '100 Mbit/s, 50 ms', bandwidth: 100 * MBIT, latencyMs: LATENCY_MS },
  { id: 'unlimited', name: 'no limit, no latency', bandwidth: Number.POSITIVE_INFINITY, latencyMs: 0 },
];

export async function rows({ archive, env, long }) {
  const [chromium] = browsers(env);
  const missing = chromium.path === null ? { skip: `no ${chromium.name} here (${chromium.variable})` } : {};
  return LINKS.flatMap((link) => {
    const group = `over a link: ${link.name}`;
    const latest = { bytes: null };
    const over = (id, name, http2, start, more = {}) => ({ ...more, id: `network/${link.id}/${id}`, group, name, open: () => openOver(archive, { ...link, http2 }, start, latest) });
    const clients = [
      over('chromium/h2', 'Chromium, HTTP/2', true, inChromium(chromium, archive), missing),
      over('chromium/fetch', 'Chromium, HTTP/2, fetch alone', true, fetchingIn(inChromium(chromium, archive)), { ...missing, role: 'other', with: '/chromium/h2$' }),
      over('node', 'Node, HTTP/1.1', false, inNode(archive)),
      over('node/fetch', 'Node, HTTP/1.1, fetch alone', false, fetchingIn(inNode(archive)), { role: 'other', with: '/node$' }),
      // Six connections to a host, and no more.
      ...(long ? [over('chromium/h1', 'Chromium, HTTP/1.1', false, inChromium(chromium, archive), missing)] : []),
    ];
    const alone = { id: `network/${link.id}/alone`, group, name: 'the link alone', role: 'other', open: async () => ({ run: () => aloneOver(link, latest) }) };
    return link.bandwidth === Number.POSITIVE_INFINITY ? clients : [...clients, alone];
  });
}

async function openOver(archive, how, start, latest) {
  const paths = await pathsIn(archive);
  const files = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(archive, path))])));
  const server = await serveOverLink({ files, ...how });
  const close = () => server.close();
  const client = await start(server, paths).catch(async (error) => {
    await close();
    throw error;
  });
  return {
    async run() {
      server.carried();
      const measured = await client.run({ url: server.url });
      latest.bytes = server.carried();
      return measured;
    },
    async close() {
      await client.close();
      await close();
    },
  };
}

function aloneOver({ bandwidth }, { bytes }) {
  if (bytes === null) throw new NotMeasured('nobody went over it');
  return { metrics: { wallMs: (bytes / bandwidth) * 1000 } };
}

/** In a page of another origin that stays open. */
function inChromium({ path, options }, archive) {
  return async () => {
    const args = [...options.args, '--ignore-certificate-errors'];
    const [browser, site] = [await launch({ path, options: { ...options, args } }), await serve({ root: await siteOf(archive), archives: {} })];
    const { tab } = await browser.open(`${site.url}warm.html`);
    await tab.waitForFunction('globalThis.bench !== undefined');
    return {
      run: async (what) => wallOf(JSON.parse(await tab.evaluate(`bench.${what.paths === undefined ? 'served' : 'fetched'}(${JSON.stringify(what)}).then(JSON.stringify)`))),
      async close() {
        await browser.close();
        await site.close();
      },
    };
  };
}

/** In a process that stays. */
function inNode(archive) {
  return async ({ certificate }) => {
    const program = resident([process.execPath, absolute('pkg-config/bench/programs/warm.mjs'), await bundleOf(archive)], { NODE_EXTRA_CA_CERTS: certificate });
    return { run: async (what) => wallOf(await program.ask(JSON.stringify(what))), close: async () => program.close() };
  };
}

/** The same client asked for nothing but the bytes. */
function fetchingIn(start) {
  return async (server, paths) => {
    const client = await start(server);
    return { ...client, run: ({ url }) => client.run({ url, paths }) };
  };
}

/** Of what `verifyOnce` gives, or of a fetching, which proves nothing. */
function wallOf(result) {
  const { metrics: { wallMs }, facts } = asMeasurement(result);
  return { metrics: { wallMs }, facts: result.verdict === undefined ? {} : facts };
}
