/** A checkpoint in Cloudflare's own runtime: the whole archive, in the worker's memory, by the number of its checkpoints. CPU only on Linux. */
import { serve } from '../../serve.mjs';
import { wranglerConfig } from '../../edge.mjs';
import { checkpointsOf } from '../archive.mjs';
import { siteOf } from '../builds.mjs';
import { startedBy, measured } from '../processes.mjs';

export async function rows({ archive }) {
  return [{ id: 'workerd/checkpoint', group: 'workerd, a checkpoint', name: 'workerd, warm, in memory', open: () => open(archive) }];
}

async function open(archive) {
  const { Miniflare } = await import('miniflare');
  const root = await siteOf(archive);
  const count = (await checkpointsOf(archive)).length;
  const site = await serve({ root });
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = wranglerConfig();
  const before = new Set(startedBy(process.pid, 'workerd'));
  const miniflare = new Miniflare({
    compatibilityDate, compatibilityFlags, cf: false, modules: true, modulesRoot: root, scriptPath: `${root}/edge-worker.mjs`,
    modulesRules: [{ type: 'ESModule', include: ['**/*.mjs'] }, { type: 'CompiledWasm', include: ['**/*.wasm'] }],
  });
  const close = async () => {
    await miniflare.dispose();
    await site.close();
  };
  const ask = async (path) => {
    const { error, ...answer } = await (await fetch(new URL(path, await miniflare.ready))).json();
    if (error !== undefined) throw new Error(error);
    return answer;
  };
  try {
    await ask(`/?bundle=${encodeURIComponent(`${site.url}archive.bundle`)}`);
  } catch (error) {
    await close();
    throw error;
  }
  const [pid] = startedBy(process.pid, 'workerd').filter((each) => !before.has(each));
  return {
    async run() {
      // Time stands still in there while it computes: only this side can tell it.
      const { result: { verdict, inflatedBytes, wasmBytes }, metrics: { wallMs, cpuMs } } = await measured(pid, () => ask('/'));
      const metrics = { wallMs: wallMs / count, ...(cpuMs === undefined ? {} : { cpuMs: cpuMs / count }), wasmBytes };
      return { metrics, facts: { verdict, checkpoints: count } };
    },
    close,
  };
}
