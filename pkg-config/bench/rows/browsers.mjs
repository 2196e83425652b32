/**
 * The whole archive in browsers: the page from its opening to the verdict, and verifications in a page that stays open. CPU is that of
 * the whole browser, in hundredths of a second, and only on Linux.
 */
import { absolute } from '../../run.mjs';
import { serve } from '../../serve.mjs';
import { browsers, launch } from '../browsers.mjs';
import { siteOf } from '../builds.mjs';
import { measured, shared } from '../processes.mjs';
import { GROUP, asMeasurement, workers } from './node.mjs';

export async function rows({ archive, env }) {
  return browsers(env).flatMap((browser) => {
    const common = { group: GROUP, ...(browser.path === null ? { skip: `no ${browser.name} here (${browser.variable})` } : {}) };
    const running = shared(() => launch(browser));
    const served = (count) => ({
      ...common, id: `${browser.id}/warm/served/${count}`, name: `${browser.name}, warm, served, ${workers(count)}`,
      open: () => openWarm(running, archive, `bench.served(${JSON.stringify({ workers: count })})`),
    });
    return [
      { ...common, id: `${browser.id}/cold`, name: `${browser.name}, page, cold`, open: () => openPage(running, archive) },
      served(1),
      served(2),
      // A reader of the caller's is read by one thread.
      { ...common, id: `${browser.id}/warm/memory`, name: `${browser.name}, warm, in memory, 1 worker`, open: () => openWarm(running, archive, 'bench.memory({})') },
    ];
  });
}

async function openPage(running, archive) {
  const browser = await running();
  const site = await serve({ root: absolute('dist/explorer'), archives: { measured: archive } });
  return {
    async run() {
      const { result, metrics } = await measured(browser.pid, async () => {
        const { tab, close } = await browser.open(`${site.url}#archive=/archive/measured/`, (each) => each.evaluateOnNewDocument(watch));
        try {
          return await tab.evaluate('globalThis.watched');
        } finally {
          await close();
        }
      });
      if (result.verdict !== 'verified') throw new Error(`the verdict is ${result.verdict}`);
      return { metrics: { ...metrics, wallMs: result.wallMs, firstMs: result.firstMs }, facts: { verdict: result.verdict } };
    },
    async close() {
      await site.close();
      await browser.close();
    },
  };
}

async function openWarm(running, archive, expression) {
  const browser = await running();
  const site = await serve({ root: await siteOf(archive), archives: { measured: archive } });
  const { tab, close: closeTab } = await browser.open(`${site.url}warm.html`);
  const close = async () => {
    await closeTab();
    await site.close();
    await browser.close();
  };
  try {
    await tab.waitForFunction('globalThis.bench !== undefined');
    const asked = `${expression}.then(JSON.stringify)`;
    return {
      async run() {
        const { result, metrics } = await measured(browser.pid, async () => JSON.parse(await tab.evaluate(asked)));
        // The time that counts is the page's own, without the way to it.
        return asMeasurement({ ...metrics, ...result });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** In the page, before anything of it: presses start as soon as it may be, and notes when the first checkpoint and the verdict are there. */
function watch() {
  globalThis.watched = new Promise((resolve) => {
    let firstMs;
    let pressed = false;
    new MutationObserver((_, observer) => {
      // The form begins with what it knows of archives, and may be sent once that is there.
      if (!pressed && document.querySelector('#known:enabled') !== null && document.querySelector('#start:enabled') !== null) {
        pressed = true;
        document.querySelector('#start').click();
      }
      if (firstMs === undefined && /[1-9]/.test(document.querySelector('.legend .figure')?.textContent ?? '')) firstMs = performance.now();
      const verdict = document.querySelector('[data-verdict]')?.dataset.verdict;
      if (verdict === undefined) return;
      observer.disconnect();
      resolve({ verdict, firstMs, wallMs: performance.now() });
    }).observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
  });
}
