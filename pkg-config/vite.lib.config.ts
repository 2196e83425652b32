/**
 * The npm package: www/lib and www/cli as plain ES modules that lie flat in dist, beside the wasm.
 *
 * A `ssr` build, whatever the host, because it leaves `new URL('…', import.meta.url)` as written; a client build would
 * inline the wasm as base64. Whoever bundles the package then finds the URL and emits the file.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const inRepository = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export default defineConfig({
  root: inRepository('www'),
  logLevel: 'warn',
  plugins: [builtSiblings(), shebang('cli')],
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: true,
    outDir: inRepository('dist'),
    // dist/explorer is the page's.
    emptyOutDir: false,
    target: 'es2022',
    minify: false,
    rollupOptions: {
      input: {
        cli: inRepository('www/cli/main.ts'),
        index: inRepository('www/lib/index.ts'),
        node: inRepository('www/lib/node.ts'),
        worker: inRepository('www/lib/worker.ts'),
      },
      output: { entryFileNames: '[name].mjs', chunkFileNames: 'chunk-[hash].mjs' },
    },
  },
});

/** `new URL('./worker.ts', import.meta.url)` names a source file: what is built from it lies beside the bundle. */
function builtSiblings(): Plugin {
  return {
    name: 'built-siblings',
    transform: {
      filter: { id: /\/www\/.*\.ts$/ },
      handler: (code) => code.replace(/(new URL\(\s*['"]\.\/[\w-]+)\.ts(['"],\s*import\.meta\.url)/g, '$1.mjs$2'),
    },
  };
}

/** Makes an entry executable; the package manager sets the mode when it installs the `bin`. */
function shebang(entry: string): Plugin {
  return {
    name: 'shebang',
    renderChunk: (code, chunk) => (chunk.isEntry && chunk.name === entry && !code.startsWith('#!') ? `#!/usr/bin/env node\n${code}` : null),
  };
}
