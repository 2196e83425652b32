/**
 * How every archive compares at every checkpoint, by kind of file, in three bits each.
 *
 * Pure. Not here: drawing (`paint.ts`), and any rule of comparison; the cells come from the verifier's events.
 */
import type { CompareCell, CompareEvent, FileKind, LedgerRange } from '../../lib/types.ts';
import { CHECKPOINT_KINDS, checkpointOf, firstLedgerOf } from '../checkpoints.ts';

export type CellState = CompareCell | 'pending';

/** From what matters least on; a number of three bits. */
const STATES: readonly CellState[] = ['pending', 'agrees', 'unchecked', 'unreadable', 'lacks', 'differs', 'faulty', 'provably-wrong'];
const PENDING = 0;
const AGREES = 1;
const LACKS = STATES.indexOf('lacks');

export class CompareTable {
  readonly range: LedgerRange;
  readonly frequency: number;
  readonly first: number;
  readonly count: number;
  /** The archives that take part, by their places among those that were named. */
  readonly archives: readonly number[];
  readonly #kinds: readonly Uint32Array[];
  /** The worst of its kinds, which every frame asks for. */
  readonly #worst: readonly Uint8Array[];
  readonly #sealed: Uint8Array;
  readonly #counts = new Map<CellState, number>();

  /** `total`: how many checkpoints were announced, which says how many ledgers each has. */
  constructor(range: LedgerRange, total: number, archives: readonly number[]) {
    const count = (frequency: number): number => (checkpointOf(range.high, frequency) - checkpointOf(range.low, frequency)) / frequency + 1;
    this.range = range;
    this.frequency = total > count(64) ? 8 : 64;
    this.first = checkpointOf(range.low, this.frequency);
    this.count = count(this.frequency);
    this.archives = archives;
    this.#kinds = archives.map(() => new Uint32Array(this.count));
    this.#worst = archives.map(() => new Uint8Array(this.count));
    this.#sealed = new Uint8Array(this.count);
  }

  checkpointAt(index: number): number {
    return this.first + index * this.frequency;
  }

  firstLedgerAt(index: number): number {
    return firstLedgerOf(this.checkpointAt(index), this.frequency);
  }

  record({ checkpoint, files, sealed }: Extract<CompareEvent, { type: 'checkpoint' }>): void {
    const index = (checkpoint - this.first) / this.frequency;
    if (!Number.isInteger(index) || index < 0 || index >= this.count) return;
    if (sealed !== null) this.#sealed[index] = 1;
    for (let row = 0; row < this.archives.length; row += 1) {
      let bits = 0;
      let worst = PENDING;
      for (const [place, kind] of CHECKPOINT_KINDS.entries()) {
        const code = STATES.indexOf(files[kind]?.[row]?.cell ?? 'pending');
        bits |= code << (place * 3);
        worst = Math.max(worst, code);
      }
      const kinds = this.#kinds[row];
      const states = this.#worst[row];
      if (kinds === undefined || states === undefined) continue;
      this.#count(states[index] ?? PENDING, -1);
      this.#count(worst, 1);
      kinds[index] = bits;
      states[index] = worst;
    }
  }

  #count(code: number, by: number): void {
    const state = STATES[code] ?? 'pending';
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + by);
  }

  /** Cells in a state, over all archives. */
  counted(state: CellState): number {
    const known = this.#counts.get(state) ?? 0;
    return state === 'pending' ? this.count * this.archives.length + known : known;
  }

  sealed(index: number): boolean {
    return this.#sealed[index] === 1;
  }

  kindsAt(row: number, index: number): readonly { readonly kind: FileKind; readonly state: CellState }[] {
    const bits = this.#kinds[row]?.[index] ?? 0;
    return CHECKPOINT_KINDS.map((kind, place) => ({ kind, state: STATES[(bits >> (place * 3)) & 7] ?? 'pending' }));
  }

  /** What matters most among `size` checkpoints from `index` on: a disagreement is never averaged away. */
  worst(row: number, index: number, size: number): CellState {
    const states = this.#worst[row];
    if (states === undefined) return 'pending';
    let worst = PENDING;
    let pending = false;
    for (let at = index; at < Math.min(index + size, this.count); at += 1) {
      const code = states[at] ?? PENDING;
      worst = Math.max(worst, code);
      pending ||= code === PENDING;
    }
    return pending && worst <= AGREES ? 'pending' : STATES[worst] ?? 'pending';
  }

  /** The first checkpoint after `index`, or before it with `step` -1, at which not all agree. */
  nextDisagreement(index: number, step: 1 | -1): number | null {
    for (let at = index + step; at >= 0 && at < this.count; at += step) {
      if (this.#worst.some((states) => (states[at] ?? PENDING) >= LACKS)) return at;
    }
    return null;
  }
}
