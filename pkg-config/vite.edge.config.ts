/**
 * The edge worker: www/edge and the package's entry for workerd as one module in dist/edge, beside the wasm, which is imported as a module.
 *
 * As little is done to it as to the package: the runtime takes it as it is (`no_bundle` in wrangler.jsonc).
 */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const inRepository = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export default defineConfig({
  root: inRepository('www'),
  logLevel: 'warn',
  plugins: [
    {
      name: 'wasm-as-a-module',
      enforce: 'pre',
      resolveId: {
        filter: { id: /\.wasm$/ },
        handler: (id) => ({ id: `./${basename(id)}`, external: true }),
      },
    },
  ],
  ssr: { noExternal: true, target: 'webworker' },
  build: {
    ssr: true,
    outDir: inRepository('dist/edge'),
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    rollupOptions: {
      external: ['cloudflare:workers'],
      input: { worker: inRepository('www/edge/worker.ts') },
      output: { entryFileNames: '[name].mjs', chunkFileNames: 'chunk-[hash].mjs' },
    },
  },
});
