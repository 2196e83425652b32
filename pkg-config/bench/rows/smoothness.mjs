/** How smooth the page is: its map of a million checkpoints, and its main thread while a check runs. Both are measured inside of one browser run each. */
import { absolute } from '../../run.mjs';
import { browsers } from '../browsers.mjs';
import { printed } from '../processes.mjs';

export async function rows({ archive, env }) {
  const [chromium] = browsers(env);
  const common = { once: true, ...(chromium.path === null ? { skip: `no ${chromium.name} here (${chromium.variable})` } : {}) };
  const program = (name, ...args) => [process.execPath, absolute(`pkg-config/bench/programs/${name}`), ...args];
  const cases = (command) => printed(command, { ...env, CHROMIUM: chromium.path });
  // One run of the program has all its cases; each is a row.
  const parts = (id, group, names, command, metricsOf) => {
    let all = null;
    return names.map((name, index) => ({
      ...common, id: `${id}/${index + 1}`, group, name,
      open: async () => ({
        run: async () => {
          all ??= cases(command);
          return { metrics: metricsOf((await all)[index]) };
        },
      }),
    }));
  };
  const frames = ({ frameMs: { median, p99, max } }) => ({ frameMs: median, frameP99Ms: p99, frameMaxMs: max });
  return [
    ...parts('map', 'the map of a million checkpoints', ['whole, drawn again', 'zoomed in and out', 'moved, half of it at once'], program('map.mjs'), frames),
    ...parts('page', 'the page while a check runs', ['a real archive', '100,000 checkpoints, played'], program('smooth.mjs', archive), (seen) => ({
      ...frames(seen), longTasks: seen.runTasks.count, longestTaskMs: seen.computedMs, layoutShift: seen.layoutShift,
    })),
  ];
}
