/**
 * Browsers, and whatever else has their globals: how the WebAssembly is fetched, and where errors that nobody caught show.
 *
 * Not here: which file it is. An entry that bundlers shall not look into has none, and waits for `init` to be given one.
 */
import { ArchiveVerifierError } from './errors.ts';
import type { Host, WasmInput } from './instance.ts';
import type { FromThread, Thread } from './threads.ts';

export function webHost(wasm?: () => URL): Host {
  return {
    async load(glue, input) {
      const from = input ?? wasm?.();
      if (from === undefined) {
        throw new ArchiveVerifierError('USED_BEFORE_INIT', 'this entry loads no WebAssembly by itself', {
          advice: 'Write `await init(module)` before anything else, with a WebAssembly.Module, the URL of stellar_archive_verifier_bg.wasm, or its bytes.',
        });
      }
      const module = await compile(from);
      glue.initSync({ module });
      return module;
    },
    get threads() {
      if (!serves || threadScript() === undefined) return undefined;
      return async () => new (await import('./threads.ts')).Threads(startThread);
    },
    watch: watchGlobal,
    restartAdvice: 'Reload the page, or start a new worker; and please report this message, it is a fault in the verifier.',
  };
}

async function compile(from: WasmInput): Promise<WebAssembly.Module> {
  if (from instanceof WebAssembly.Module) return from;
  if (!(from instanceof URL || from instanceof Response)) return WebAssembly.compile(from);
  const response = from instanceof URL ? await fetch(from) : from;
  if (!response.ok) throw new Error(`failed to fetch wasm: ${response.status} (${response.url})`);
  // Servers that do not know the type are no reason not to run; compiling while it downloads needs it.
  const known = response.headers.get('content-type')?.startsWith('application/wasm') === true;
  return known ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

let serves = false;

/** Says that the script of this worker answers other threads: without that, asking another one of it would be asking nobody. */
export function servesParts(): void {
  serves = true;
}

/** In a worker: its own script, which serves both a page and another worker. A page has no script that it could start by itself. */
function threadScript(): string | undefined {
  const scope: object = globalThis;
  const isWorker = 'WorkerGlobalScope' in scope && typeof Worker === 'function';
  return isWorker && 'location' in scope ? String(scope.location) : undefined;
}

function startThread(): Thread {
  const worker = new Worker(threadScript() ?? '', { type: 'module' });
  let heard: (message: FromThread | undefined) => void = () => undefined;
  worker.addEventListener('message', ({ data }: MessageEvent<{ readonly thread?: FromThread }>) => {
    if (data.thread !== undefined) heard(data.thread);
  });
  for (const type of ['error', 'messageerror']) worker.addEventListener(type, () => heard(undefined));
  return {
    post: (thread) => worker.postMessage({ thread }),
    listen(listener) {
      heard = listener;
    },
    busy: () => undefined,
    terminate: () => worker.terminate(),
  };
}

/** By the events that browsers, workers and workerd share. */
export function watchGlobal(isOurs: (error: unknown) => boolean): () => void {
  const onError = (event: ErrorEvent): void => {
    if (isOurs(event.error)) event.preventDefault();
  };
  const onRejection = (event: PromiseRejectionEvent): void => {
    if (isOurs(event.reason)) event.preventDefault();
  };
  globalThis.addEventListener('error', onError);
  globalThis.addEventListener('unhandledrejection', onRejection);
  return () => {
    globalThis.removeEventListener('error', onError);
    globalThis.removeEventListener('unhandledrejection', onRejection);
  };
}
