/** Repair plans as files. Not here: what is in them; the verifier makes them and reads them. */
import type { RepairPlan } from '../lib/types.ts';
import { readText } from './input-file.ts';

/** The verifier's own limit. */
const LARGEST = 128 << 20;

/** Whether there is nothing to mend. */
export function isEmptyPlan({ well_known, files, buckets, checkpoints }: RepairPlan): boolean {
  return well_known === null && Object.keys(files).length === 0 && buckets.length === 0 && checkpoints.length === 0;
}

export function planText(plan: RepairPlan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

export function readPlan(path: string): Promise<string> {
  return readText('plan', path, LARGEST, 'repair --dry-run --plan and verify --plan write such a file, and so does --report of stellar-archivist.');
}
