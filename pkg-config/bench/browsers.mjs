/** The two browsers, driven alike: CDP to Chromium, WebDriver BiDi to Firefox. Not here: what is measured in them. */
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const PATIENCE = 300_000;
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Each with the path of its program, or `null` where this machine has none. */
export function browsers(env) {
  const found = (path, fallback) => [path, fallback].find((each) => each !== undefined && existsSync(each)) ?? null;
  return [
    { name: 'Chromium', id: 'chromium', variable: 'CHROMIUM', path: found(env.CHROMIUM ?? process.env.CHROMIUM, '/usr/bin/chromium'), options: { browser: 'chrome', args: CHROMIUM_ARGS } },
    { name: 'Firefox', id: 'firefox', variable: 'FIREFOX', path: found(env.FIREFOX ?? process.env.FIREFOX, '/usr/bin/firefox-esr'), options: { browser: 'firefox', extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 } } },
  ];
}

/** `open(url)` is a tab in a fresh profile; `pid` is the browser's process, of which all others come. */
export async function launch({ path, options }) {
  // Not told of requests: to report each of them cost a third of what a check over a network takes.
  const browser = await puppeteer.launch({ executablePath: path, timeout: 60_000, protocolTimeout: PATIENCE, networkEnabled: false, ...options });
  return {
    pid: browser.process().pid,
    async open(url, prepare = async () => {}) {
      const context = await browser.createBrowserContext();
      const tab = await context.newPage();
      tab.setDefaultTimeout(PATIENCE);
      await prepare(tab);
      await tab.goto(url, { waitUntil: 'domcontentloaded' });
      return { tab, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}
