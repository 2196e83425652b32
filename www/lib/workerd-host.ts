/**
 * Cloudflare's runtime: it compiles no WebAssembly while it runs, and is given the module ready.
 */
import type { Host } from './instance.ts';
import { watchGlobal } from './web-host.ts';

export function workerdHost(module: WebAssembly.Module): Host {
  return {
    async load(glue, input) {
      const given = input instanceof WebAssembly.Module ? input : module;
      await glue.default({ module_or_path: input ?? module });
      return given;
    },
    watch: watchGlobal,
    restartAdvice: 'The next request needs a fresh isolate; and please report this message, it is a fault in the verifier.',
  };
}
