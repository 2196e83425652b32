/**
 * The npm package: www/lib and www/cli as plain ES modules that lie flat in dist, beside the wasm.
 *
 * A `ssr` build, whatever the host, because it leaves `new URL('…', import.meta.url)` as written; a client build would
 * inline the wasm as base64. Whoever bundles the package then finds the URL and emits the file.
 */
import { basename } from 'node:path';
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
        cli: inRepository('www/cli/start.ts'),
        index: inRepository('www/lib/index.ts'),
        node: inRepository('www/lib/node.ts'),
        'node-thread': inRepository('www/lib/node-thread.ts'),
        slim: inRepository('www/lib/slim.ts'),
        verify: inRepository('www/lib/verify.ts'),
        'verify-node': inRepository('www/lib/verify-node.ts'),
        'verify-workerd': inRepository('www/lib/verify-workerd.ts'),
        worker: inRepository('www/lib/worker.ts'),
        workerd: inRepository('www/lib/workerd.ts'),
      },
      output: { entryFileNames: '[name].mjs', chunkFileNames: 'chunk-[hash].mjs' },
    },
  },
});

/**
 * What a source file names by its place in the repository lies beside the bundle: a script by `new URL('./worker.ts', …)`, a module by
 * `new URL('../../target/pkg/….wasm', …)` or an import of it.
 */
function builtSiblings(): Plugin {
  return {
    name: 'built-siblings',
    enforce: 'pre',
    resolveId: {
      filter: { id: /\.wasm$/ },
      handler: (id) => ({ id: `./${basename(id)}`, external: true }),
    },
    transform: {
      filter: { id: /\/www\/.*\.ts$/ },
      handler: (code) =>
        code
          .replace(/(new URL\(\s*['"]\.\/[\w-]+)\.ts(['"],\s*import\.meta\.url)/g, '$1.mjs$2')
          .replace(/(new URL\(\s*['"])\.\.\/\.\.\/target\/pkg\/([\w.]+['"],\s*import\.meta\.url)/g, '$1./$2'),
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
