/**
 * What is known of every checkpoint of a run, in ten bits each, and the arithmetic between ledgers and checkpoints.
 *
 * Not here: drawing (`map-paint.ts`) and any rule of verification; statuses come from the verifier's events.
 */
import type { FileKind, RunEvent, Status } from '../lib/types.ts';

export type CheckpointKind = Exclude<FileKind, 'bucket'>;
export type CellState = Status | 'pending';
/** What a cell shows: a state, or that its work is under way just now. */
export type ShownState = CellState | 'in-flight';

export const CHECKPOINT_KINDS: readonly CheckpointKind[] = ['history', 'ledger', 'transactions', 'results', 'scp'];

export const KIND_LABEL: Readonly<Record<FileKind, string>> = {
  history: 'Archive state',
  ledger: 'Ledger headers',
  transactions: 'Transactions',
  results: 'Results',
  scp: 'SCP messages',
  bucket: 'Buckets',
};

const CODES: readonly CellState[] = ['pending', 'verified', 'unchecked', 'faulty'];
const FAULTY_CODE = CODES.indexOf('faulty');
const PENDING = 1 << CODES.indexOf('pending');
const UNCHECKED = 1 << CODES.indexOf('unchecked');
const FAULTY = 1 << FAULTY_CODE;
/** Changes that are remembered; who asks later than that looks at everything. */
const LOG = 4096;
const NONE: readonly number[] = [];

/** The checkpoint that holds `ledger`. */
export function checkpointOf(ledger: number, frequency: number): number {
  return Math.ceil((ledger + 1) / frequency) * frequency - 1;
}

export function firstLedgerOf(checkpoint: number, frequency: number): number {
  return Math.max(1, checkpoint - frequency + 1);
}

export function filePath(kind: CheckpointKind, checkpoint: number): string {
  const name = checkpoint.toString(16).padStart(8, '0');
  const folders = `${name.slice(0, 2)}/${name.slice(2, 4)}/${name.slice(4, 6)}`;
  return `${kind}/${folders}/${kind}-${name}.${kind === 'history' ? 'json' : 'xdr.gz'}`;
}

/** A table as it is stored beside a run. */
export interface TableSnapshot {
  readonly range: { readonly low: number; readonly high: number };
  readonly frequency: number;
  readonly sampled: boolean;
  readonly bits: Uint16Array;
}

export class CheckpointTable {
  readonly range: { readonly low: number; readonly high: number };
  readonly frequency: number;
  /** Only some checkpoints are looked at, so the others say nothing about a cell. */
  readonly sampled: boolean;
  readonly first: number;
  readonly count: number;
  readonly #bits: Uint16Array;
  /** `stateAt` and `counts`, kept as they change: both are asked for on every frame, over a million checkpoints at most. */
  readonly #states: Uint8Array;
  readonly #counts: Record<CellState, number>;
  /** Places whose checkpoints are under way, at most as many as the verifier tells. */
  #inFlight: readonly number[] = NONE;
  /** The places that changed last, and how many changed before them. */
  #log: number[] = [];
  #forgotten = 0;

  constructor(range: { readonly low: number; readonly high: number }, frequency: number, sampled: boolean) {
    this.range = range;
    this.frequency = frequency;
    this.sampled = sampled;
    this.first = checkpointOf(range.low, frequency);
    this.count = (checkpointOf(range.high, frequency) - this.first) / frequency + 1;
    this.#bits = new Uint16Array(this.count);
    this.#states = new Uint8Array(this.count);
    this.#counts = { verified: 0, faulty: 0, unchecked: 0, pending: this.count };
  }

  /** Two rhythms exist: 64 ledgers, and 8 on networks with accelerated time. The announced total says which, unless it is a sample's. */
  static announced(range: { readonly low: number; readonly high: number }, total: number, sampled: boolean): CheckpointTable {
    const table = new CheckpointTable(range, 64, sampled);
    return total > table.count ? new CheckpointTable(range, 8, sampled) : table;
  }

  static restored({ range, frequency, sampled, bits }: TableSnapshot): CheckpointTable {
    const table = new CheckpointTable(range, frequency, sampled);
    for (const [index, value] of bits.subarray(0, table.count).entries()) if (value !== 0) table.#set(index, value);
    return table;
  }

  snapshot(): TableSnapshot {
    return { range: this.range, frequency: this.frequency, sampled: this.sampled, bits: this.#bits };
  }

  checkpointAt(index: number): number {
    return this.first + index * this.frequency;
  }

  indexOf(checkpoint: number): number {
    return (checkpoint - this.first) / this.frequency;
  }

  record(event: Extract<RunEvent, { type: 'checkpoint' }>): void {
    const index = this.indexOf(event.checkpoint);
    if (!Number.isInteger(index) || index < 0 || index >= this.count) return;
    this.#set(index, CHECKPOINT_KINDS.reduce((bits, kind, place) => bits | (CODES.indexOf(event.status[kind]) << (place * 2)), 0));
    if (this.#inFlight.includes(index)) this.#inFlight = this.#inFlight.filter((other) => other !== index);
    if (this.#log.length >= LOG) {
      this.#forgotten += this.#log.length;
      this.#log = [];
    }
    this.#log.push(index);
  }

  /** How many changes there were. */
  get changes(): number {
    return this.#forgotten + this.#log.length;
  }

  /** The places that changed after so many changes; `null` where that is not remembered any more. */
  changedSince(changes: number): readonly number[] | null {
    return changes < this.#forgotten ? null : this.#log.slice(changes - this.#forgotten);
  }

  /** Takes the checkpoints that are under way just now; what is settled is not. */
  setInFlight(checkpoints: readonly number[]): void {
    const places = checkpoints.map((checkpoint) => this.indexOf(checkpoint));
    this.#inFlight = places.filter((index) => Number.isInteger(index) && index >= 0 && index < this.count && this.stateAt(index) === 'pending');
  }

  get inFlight(): readonly number[] {
    return this.#inFlight;
  }

  /** What is to be seen of `size` checkpoints from `index` on: a fault before all else, then that there is work under way. */
  shown(index: number, size: number): ShownState {
    const worst = this.worst(index, size);
    return worst !== 'faulty' && this.#inFlight.some((at) => at >= index && at < index + size) ? 'in-flight' : worst;
  }

  #set(index: number, bits: number): void {
    if (index < 0 || index >= this.count) return;
    this.#bits[index] = bits;
    const state = this.#judge(index);
    this.#counts[this.stateAt(index)] -= 1;
    this.#counts[state] += 1;
    this.#states[index] = CODES.indexOf(state);
  }

  statusOf(index: number, kind: CheckpointKind): CellState {
    const bits = this.#bits[index] ?? 0;
    return CODES[(bits >> (CHECKPOINT_KINDS.indexOf(kind) * 2)) & 3] ?? 'pending';
  }

  stateAt(index: number): CellState {
    return CODES[this.#states[index] ?? 0] ?? 'pending';
  }

  /**
   * One word for the checkpoint. SCP files are optional in an archive, so an unchecked one does not take the green away; it
   * is still listed as unchecked in the detail and in the totals.
   */
  #judge(index: number): CellState {
    const states = CHECKPOINT_KINDS.map((kind) => this.statusOf(index, kind));
    if (states.includes('faulty')) return 'faulty';
    return states.every((state, place) => state === 'verified' || CHECKPOINT_KINDS[place] === 'scp') ? 'verified' : 'unchecked';
  }

  /** The state that matters most among `size` checkpoints from `index` on: a fault is never averaged away. */
  worst(index: number, size: number): CellState {
    // A bit a state, and no words: a map of a million asks this a million times a frame.
    let seen = 0;
    const end = Math.min(index + size, this.count);
    for (let at = index; at < end; at += 1) seen |= 1 << (this.#states[at] ?? 0);
    if ((seen & FAULTY) !== 0) return 'faulty';
    const pending = (seen & PENDING) !== 0 && !(this.sampled && seen !== PENDING);
    return pending ? 'pending' : (seen & UNCHECKED) !== 0 ? 'unchecked' : 'verified';
  }

  /** The first faulty checkpoint after `index`, or before it with `step` -1. */
  nextFault(index: number, step: 1 | -1): number | null {
    for (let at = index + step; at >= 0 && at < this.count; at += step) if (this.#states[at] === FAULTY_CODE) return at;
    return null;
  }

  /** How many are what: those under way are not counted as pending. */
  counts(): Readonly<Record<ShownState, number>> {
    const flying = this.#inFlight.length;
    return { ...this.#counts, pending: this.#counts.pending - flying, 'in-flight': flying };
  }
}
