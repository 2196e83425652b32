/**
 * Node: how the WebAssembly is read, what is no archive's address, and where errors that nobody caught show.
 *
 * Not here: archives in folders (`directory.ts`).
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ArchiveVerifierError } from './errors.ts';
import type { Host, WasmInput } from './instance.ts';
import { Threads } from './threads.ts';
import type { FromThread, Thread } from './threads.ts';

/** `wasm`, `thread`: names of files beside this one. No literal in `new URL`: bundlers would take it for an asset of theirs and move or inline it. */
export function nodeHost(wasm: string, thread?: string): Host {
  return {
    addressFault,
    async load(glue, input) {
      const module = await (input === undefined ? early.get(wasm) ?? compile(new URL(wasm, import.meta.url)) : compile(input));
      glue.initSync({ module });
      return module;
    },
    ...(thread === undefined ? {} : { threads: async () => new Threads(() => startThread(new URL(thread, import.meta.url))) }),
    watch: watchProcess,
    restartAdvice: 'Start a new process or worker thread; and please report this message, it is a fault in the verifier.',
  };
}

/** Everything that is not ours keeps its usual end: with no other listener, Node's own. */
function watchProcess(isOurs: (error: unknown) => boolean): () => void {
  const onUncaught = (error: unknown): void => {
    if (!isOurs(error) && process.listenerCount('uncaughtException') === 1) {
      process.off('uncaughtException', onUncaught);
      process.nextTick(() => {
        throw error;
      });
    }
  };
  process.on('uncaughtException', onUncaught);
  return () => process.off('uncaughtException', onUncaught);
}

async function compile(source: WasmInput): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof URL) {
    if (source.protocol === 'file:') return WebAssembly.compile(await readFile(fileURLToPath(source)));
    const response = await fetch(source);
    if (!response.ok) throw new Error(`${source.href} answered ${response.status}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
  // Not `instanceof Response` first: it alone makes Node load all of its fetch.
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return WebAssembly.compile(source);
  return WebAssembly.compile(source instanceof Response ? await source.arrayBuffer() : source);
}

/** Modules that are being compiled before anybody asks for them. */
const early = new Map<string, Promise<WebAssembly.Module>>();

/** Begins to compile the module `wasm`, a file beside this one, while other code is still being loaded. */
export function compileEarly(wasm: string): void {
  const compiling = compile(new URL(wasm, import.meta.url));
  // Who asks for it hears of it.
  compiling.catch(() => undefined);
  early.set(wasm, compiling);
}

function startThread(script: URL): Thread {
  // Flags of the process, such as --input-type, are not for this script.
  const worker = new Worker(script, { execArgv: [] });
  return {
    post: (message) => worker.postMessage(message),
    listen(listener) {
      worker.removeAllListeners();
      worker.on('message', (message: FromThread) => listener(message));
      worker.on('error', () => listener(undefined));
      worker.on('exit', () => listener(undefined));
    },
    busy: (is) => (is ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

/** In Node, a text that is no URL is most often a folder's path. */
function addressFault(address: string): ArchiveVerifierError | undefined {
  const text = address.trim();
  if (text === '') {
    return new ArchiveVerifierError('USAGE', 'the address of the archive is empty', {
      advice: "Pass the URL of the archive's root, or directoryReader(path) for a local folder.",
    });
  }
  if (/^https?:/i.test(text)) return undefined;
  return new ArchiveVerifierError('UNSUPPORTED', `${JSON.stringify(text)} is not an http or https URL`, {
    advice: 'For a local folder pass directoryReader(path); a URL begins with https:// or http://.',
  });
}
