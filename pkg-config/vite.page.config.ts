/** The static page: www/explorer with the library, its worker and the wasm as hashed files in dist/explorer. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const inRepository = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export default defineConfig({
  root: inRepository('www/explorer'),
  // Relative, so that the folder can be put anywhere on a site.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: inRepository('dist/explorer'),
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inlined: the page's policy allows neither inline scripts nor data: URLs for code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
