/** Audits in words: what a state means, what went wrong, and what to do. Pure; not here: anything that is shown. */
import type { AuditStanding, AuditStatus, WorkerError } from '../../lib/audit-client.ts';
import type { IconName } from '../parts/Icon.tsx';

export const STANDING: Readonly<Record<AuditStanding, { readonly word: string; readonly icon: IconName; readonly tone: string }>> = {
  running: { word: 'Running', icon: 'running', tone: 'in-flight' },
  finishing: { word: 'Finishing', icon: 'running', tone: 'in-flight' },
  paused: { word: 'Paused', icon: 'resting', tone: 'unchecked' },
  done: { word: 'Done', icon: 'done', tone: 'verified' },
  cancelled: { word: 'Cancelled', icon: 'none', tone: 'pending' },
  failed: { word: 'Failed', icon: 'failed', tone: 'faulty' },
};

/** What follows from a state, for whoever looks at it. */
export function meaningOf({ state, reason, checkpoints, buckets, parts }: AuditStatus): string {
  switch (state) {
    case 'running':
      if (parts.inFlight === 0) return 'No part is in flight just now: the next ones are sent by themselves.';
      return checkpoints.done === checkpoints.total && buckets.open > 0 ? 'All checkpoints are joined; the buckets that they left open are being verified.' : 'Parts are verified beside each other, and joined in the order of the ledgers. This page only looks: it may be closed.';
    case 'finishing':
      return 'Everything is joined; the report is being written.';
    case 'paused':
      return reason?.startsWith('on request') === true
        ? 'Nothing is sent any more; what was under way is still taken. It waits until it is resumed.'
        : 'It waits until it is resumed: see first whether the archive answers again. Nothing that was verified is lost.';
    case 'done':
      return 'Everything is verified as far as it could be read; the report follows.';
    case 'cancelled':
      return 'It was ended before its end, and there is no report. What it had verified is not kept.';
    case 'failed':
      return 'It cannot go on. Whoever runs the worker finds more in its log; a new audit begins from the beginning.';
  }
}

const TITLE: Readonly<Record<string, string>> = {
  'audit-unknown': 'There is no such audit there',
  'audit-over': 'It is past that',
  'archive-unknown': 'This archive is not on the worker’s list',
  'not-allowed': 'The token is not the worker’s',
  'not-enabled': 'Audits are not set up there',
  'configuration': 'Audits are not set up there',
  'rate-limited': 'The worker asks for fewer requests',
  'bad-range': 'These ledgers cannot be asked for',
  'no-report': 'There is no report',
};

const ADVICE: Readonly<Record<string, string>> = {
  'audit-unknown': 'Look whether the link came whole. Ids are of one worker: at another one there is another audit, or none.',
  'not-allowed': 'Ask whoever runs the worker for its AUDIT_TOKEN, or look for a character that was lost on the way. Nothing was begun or changed.',
  'not-enabled': 'Whoever runs the worker sets that up; estimates and links to audits need no token.',
  'configuration': 'Whoever runs the worker sets that up: a queue, a Durable Object, D1 and R2, as its configuration has them.',
  'rate-limited': 'Try again in a minute.',
};

export function titleOf({ kind, problem }: WorkerError): string {
  if (kind === 'unreachable') return 'The worker does not answer';
  if (kind === 'timeout') return 'The worker did not answer in time';
  if (kind === 'stranger') return 'No edge worker answers there';
  return (Object.hasOwn(TITLE, problem) ? TITLE[problem] : undefined) ?? (kind === 'usage' ? 'It was not sent' : 'The worker refuses');
}

export function adviceOf({ kind, problem }: WorkerError): string {
  if (kind === 'timeout') return 'It may be busy: try again.';
  if (kind === 'stranger') return 'Look whether the address is right. An edge worker is one of this verifier’s, in a version that knows of audits; its address, opened in a browser, lists its archives.';
  return (Object.hasOwn(ADVICE, problem) ? ADVICE[problem] : undefined) ?? '';
}

/** A reason as the worker gave it, but for times that only programs write so. */
export function reasonWords(reason: string): string {
  return reason.replace(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z/g, '$1 $2 UTC');
}

/** `0.003` is no price. */
export function usd(amount: number): string {
  if (amount > 0 && amount < 0.01) return 'under 0.01\u00a0USD';
  return `${amount.toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f')}\u00a0USD`;
}
