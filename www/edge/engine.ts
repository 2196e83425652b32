/**
 * The package's entry for this runtime, and how many verifications an isolate carries at a time.
 *
 * Everything else of the worker takes the verifier from here.
 */
import { ArchiveVerifierError } from '../lib/errors.ts';
import { Problem } from './problem.ts';

export {
  archiveStatus, beginAudit, finishAudit, giveUpAuditPart, init, joinAuditParts, proveTransaction, verifyArchive, verifyAuditPart, versions,
  wasmMemoryBytes,
} from '../lib/workerd.ts';

/** Connections that the runtime has for one invocation. */
export const CONCURRENCY = 6;
/** A read is given up after so long without a byte. */
export const IDLE_MS = 20_000;
/** Two of the largest checkpoints at a time stay well below the 128 MB of an isolate. */
const MAX_RUNS = 2;
/** Whoever is cut off by the runtime gives nothing back: its place is free again by itself. */
const GRACE_MS = 15_000;
const PLACE_POLL_MS = 250;

const running = new Map<symbol, number>();

/** A place for one verification; the returned function frees it. */
export function place(seconds: number): () => void {
  return placed(seconds).free;
}

/** A place that is whoever's has it as long as it is renewed. */
export interface Place {
  free(): void;
  renew(): void;
}

function placed(seconds: number): Place {
  const now = Date.now();
  for (const [token, until] of running) if (until < now) running.delete(token);
  if (running.size >= MAX_RUNS) {
    throw new Problem('busy', `This isolate verifies ${MAX_RUNS} ranges at a time.`, { 'retry-after': '5' });
  }
  const token = Symbol('run');
  const renew = (): void => void running.set(token, Date.now() + seconds * 1000 + GRACE_MS);
  renew();
  return { free: () => void running.delete(token), renew };
}

/** A place as soon as there is one, for whoever has time; `null` where there was none for so long. */
export async function placeInTime(seconds: number, patienceMs: number): Promise<Place | null> {
  for (const since = Date.now(); ; ) {
    try {
      return placed(seconds);
    } catch (error) {
      if (!(error instanceof Problem) || Date.now() - since >= patienceMs) return null;
    }
    await new Promise((resolve) => setTimeout(resolve, PLACE_POLL_MS));
  }
}

/** What the verifier threw, as an answer. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (!(error instanceof ArchiveVerifierError)) return new Problem('crashed', 'The worker met an error that it does not know.');
  const detail = `${error.message}${error.advice === undefined ? '' : `: ${error.advice}`}`;
  switch (error.code) {
    case 'NOT_FOUND': return new Problem('transaction-not-found', detail);
    case 'FAULTY': return new Problem('archive-faulty', detail);
    case 'ABORTED': return new Problem('timeout', detail);
    case 'USAGE': return new Problem('bad-parameter', detail);
    case 'CRASHED': case 'DISPOSED': case 'UNSUPPORTED': case 'USED_BEFORE_INIT': return new Problem('crashed', detail);
    default: return new Problem('archive-unreachable', detail);
  }
}
