/**
 * What the address says of a look inside an archive, beside the form's own keys (`form.ts`): which ledger, bucket, entry; or of a
 * whole archive's audit by somebody's worker.
 *
 * Only what the page has to know before the part that looks is loaded; what the keys mean is in `explore/routes.ts` and `audit/route.ts`.
 */

const AUDIT = 'audit';
/** One of these makes a look; the others say more about it. */
const SUBJECTS: readonly string[] = ['checkpoint', 'ledger', 'bucket', 'entry', 'find', AUDIT];
const KEYS: readonly string[] = ['ledger', 'tx', 'bucket', 'from', 'entry', 'find', 'checkpoint', 'in', 'worker', AUDIT];

/** The keys of a look in a fragment, in one order; empty where it is about a check. */
export function lookIn(hash: string): string {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  if (!SUBJECTS.some((name) => given.has(name))) return '';
  return KEYS.flatMap((name) => {
    const value = given.get(name);
    return value === null ? [] : [`${name}=${encodeURIComponent(value.slice(0, 4096))}`];
  }).join('&');
}

/** Whether a look is one at an audit. */
export function isAuditLook(look: string): boolean {
  return /(^|&)audit=/.test(look);
}

/** A fragment of both: `form` as `encodeForm` writes it. */
export function withLook(form: string, look: string): string {
  return look === '' ? form : form === '' ? `#${look}` : `${form}&${look}`;
}
