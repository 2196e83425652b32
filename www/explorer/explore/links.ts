/**
 * Where a value of JSON leads within the page: accounts and contracts to their entries, code to its own, buckets to their pages.
 *
 * Pure; no DOM. Only what its name and its shape make certain: hashes look all alike.
 */
import type { Subject } from './routes.ts';
import { codeKey, contractInstanceKey, readAddress } from './strkey.ts';

/** Fields of a state that name buckets. */
const BUCKETS: readonly string[] = ['curr', 'snap', 'output', 'inputs'];
/** Keys of validators are written like accounts, and are none. */
const VALIDATORS: readonly string[] = ['node_id'];

export interface Standpoint {
  /** Entries are looked for as of this one; `null`: the newest. */
  readonly checkpoint: number | null;
  /** The ledger that is shown; `null` where it is none. */
  readonly ledger: number | null;
}

/** `name`: of the field, or of the list that it stands in. */
export function subjectOf(name: string, value: string, { checkpoint, ledger }: Standpoint): Subject | null {
  if (/^[0-9a-f]{64}$/.test(value)) {
    if (/^0+$/.test(value)) return null;
    if (BUCKETS.includes(name)) return { kind: 'bucket', hash: value, from: 0 };
    if (name === 'wasm') return { kind: 'entry', key: codeKey(value), checkpoint };
    return name === 'previous_ledger_hash' && ledger !== null && ledger > 1 ? { kind: 'ledger', ledger: ledger - 1 } : null;
  }
  if (VALIDATORS.includes(name)) return null;
  const address = readAddress(value);
  if (address === null || !address.ok || address.kind === 'secret') return null;
  return { kind: 'entry', key: address.kind === 'contract' ? contractInstanceKey(address.payload) : address.account, checkpoint };
}
