/**
 * An archive to look into, over the WebAssembly's own explorer.
 *
 * Not here: what a view says (Rust), and the instance's life (`engine.ts`), which this is given by its `Calls`.
 */
import type {
  ArchiveExplorer, BucketCheck, BucketPage, CheckpointView, ExploreOptions, FoundEntry, FoundTransaction, LedgerView, SearchOptions, SearchProgress,
  TransactionView,
} from './explore-types.ts';
import { ArchiveVerifierError } from './errors.ts';
import { plainLedger, plainOptions, plainPlace } from './plain.ts';
import type { PlainSource } from './plain.ts';

interface BytesRead {
  readonly compressed: number;
  readonly inflated: number;
}

/** The class that the generated module exports. */
export interface WasmExplorer {
  clear(): void;
  newest(signal: AbortSignal): Promise<Awaited<ReturnType<ArchiveExplorer['newest']>>>;
  checkpoint(ledger: number, signal: AbortSignal): Promise<CheckpointView>;
  ledger(ledger: number, signal: AbortSignal): Promise<LedgerView>;
  transaction(ledger: number, index: number, signal: AbortSignal): Promise<TransactionView>;
  findTransaction(
    hash: string, low: number | undefined, high: number | undefined, onProgress: (progress: SearchProgress) => void, signal: AbortSignal,
  ): Promise<FoundTransaction | null>;
  bucket(hash: string, from: number, limit: number, signal: AbortSignal): Promise<BucketPage>;
  verifyBucket(hash: string, onProgress: (progress: BytesRead) => void, signal: AbortSignal): Promise<BucketCheck>;
  findEntry(key: string, ledger: number, onProgress: (progress: SearchProgress) => void, signal: AbortSignal): Promise<FoundEntry>;
}

/** How a call reaches the instance. */
export interface Calls {
  /** Throws what keeps the archive from being one. */
  readonly check: () => PlainSource;
  /** A fresh explorer; and a number that changes when earlier ones are gone with their instance. */
  readonly open: (source: PlainSource) => WasmExplorer;
  readonly instance: () => number;
  readonly ask: <T>(name: string, signal: AbortSignal | undefined, body: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  readonly tell: <L, T>(
    name: string, signal: AbortSignal | undefined, onLine: (line: L) => void, body: (onLine: (line: L) => void, signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
}

/** Entries of a bucket's page, unless another number is asked for. */
const PAGE = 50;

const ONLY_SIGNAL: Readonly<Record<keyof ExploreOptions, true>> = { signal: true };
const SEARCH: Readonly<Record<keyof SearchOptions, true>> = { high: true, low: true, onProgress: true, signal: true };
const ENTRY_SEARCH = { onProgress: true, signal: true } as const;
const BUCKET_PAGE = { from: true, limit: true, signal: true } as const;
const BUCKET_CHECK = { onProgress: true, signal: true } as const;

export function explorerOver(calls: Calls): ArchiveExplorer {
  let held: { readonly instance: number; readonly explorer: WasmExplorer } | undefined;
  const closing = new AbortController();

  /** Only within `ask` and `tell`: then there is an instance. */
  function explorer(): WasmExplorer {
    const instance = calls.instance();
    if (held?.instance !== instance) held = { instance, explorer: calls.open(calls.check()) };
    return held.explorer;
  }

  /** What ends a call: the caller's signal, or the end of the explorer. */
  function ending(signal: AbortSignal | undefined): { readonly signal: AbortSignal; readonly done: () => void } {
    if (closing.signal.aborted) throw new ArchiveVerifierError('DISPOSED', 'this explorer was closed', { advice: 'Make another one with exploreArchive().' });
    const stop = new AbortController();
    const onSignal = (): void => stop.abort(signal?.reason);
    const onClose = (): void => stop.abort(closing.signal.reason);
    if (signal?.aborted === true) onSignal();
    signal?.addEventListener('abort', onSignal, { once: true });
    closing.signal.addEventListener('abort', onClose, { once: true });
    return {
      signal: stop.signal,
      done() {
        signal?.removeEventListener('abort', onSignal);
        closing.signal.removeEventListener('abort', onClose);
      },
    };
  }

  async function look<T>(name: string, outer: AbortSignal | undefined, body: (own: WasmExplorer, signal: AbortSignal) => Promise<T>): Promise<T> {
    calls.check();
    const { signal, done } = ending(outer);
    return calls.ask(name, signal, (stop) => body(explorer(), stop)).finally(done);
  }

  async function search<L, T>(
    name: string, outer: AbortSignal | undefined, onProgress: ((progress: L) => void) | undefined,
    body: (own: WasmExplorer, onProgress: (progress: L) => void, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    calls.check();
    const { signal, done } = ending(outer);
    return calls.tell<L, T>(name, signal, onProgress ?? (() => undefined), (listener, stop) => body(explorer(), listener, stop)).finally(done);
  }

  return {
    async newest(options = {}) {
      plainOptions(options, ONLY_SIGNAL);
      return look('newest', options.signal, (own, signal) => own.newest(signal));
    },
    async checkpoint(ledger, options = {}) {
      plainOptions(options, ONLY_SIGNAL);
      const sequence = plainLedger(ledger);
      return look('checkpoint', options.signal, (own, signal) => own.checkpoint(sequence, signal));
    },
    async ledger(ledger, options = {}) {
      plainOptions(options, ONLY_SIGNAL);
      const sequence = plainLedger(ledger);
      return look('ledger', options.signal, (own, signal) => own.ledger(sequence, signal));
    },
    async transaction(ledger, index, options = {}) {
      plainOptions(options, ONLY_SIGNAL);
      const [sequence, place] = [plainLedger(ledger), plainPlace(index, 'place of a transaction')];
      return look('transaction', options.signal, (own, signal) => own.transaction(sequence, place, signal));
    },
    async findTransaction(hash, options = {}) {
      plainOptions(options, SEARCH);
      const [low, high] = [options.low, options.high].map((bound) => (bound === undefined ? undefined : plainLedger(bound)));
      return search('findTransaction', options.signal, options.onProgress, (own, listener, signal) => own.findTransaction(hash, low, high, listener, signal));
    },
    async bucket(hash, options = {}) {
      plainOptions(options, BUCKET_PAGE);
      const [from, limit] = [plainPlace(options.from ?? 0, 'first entry of a page'), plainPlace(options.limit ?? PAGE, 'number of entries')];
      return look('bucket', options.signal, (own, signal) => own.bucket(hash, from, limit, signal));
    },
    async verifyBucket(hash, options = {}) {
      plainOptions(options, BUCKET_CHECK);
      return search('verifyBucket', options.signal, options.onProgress, (own, listener, signal) => own.verifyBucket(hash, listener, signal));
    },
    async findEntry(key, ledger, options = {}) {
      plainOptions(options, ENTRY_SEARCH);
      const sequence = plainLedger(ledger);
      return search('findEntry', options.signal, options.onProgress, (own, listener, signal) => own.findEntry(key, sequence, listener, signal));
    },
    close() {
      if (closing.signal.aborted) return;
      closing.abort(new ArchiveVerifierError('DISPOSED', 'the explorer was closed'));
      if (held !== undefined && held.instance === calls.instance()) held.explorer.clear();
      held = undefined;
    },
  };
}
