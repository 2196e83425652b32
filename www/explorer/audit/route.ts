/**
 * What the address of the page says of an audit: the worker, and the audit's id there; without one it is about beginning one.
 *
 * Pure. Not here: how these keys stand beside the form's (`look.ts`).
 */
import { isAuditId, workerAddress } from '../../lib/audit-client.ts';
import { encodeForm, type FormState } from '../form.ts';
import { withLook } from '../look.ts';

export interface AuditRoute {
  /** As it stands there. */
  readonly entered: string;
  readonly worker: URL | null;
  readonly id: string | null;
  /** Something is there that is no id. */
  readonly strange: boolean;
}

export function auditRoute(look: string): AuditRoute {
  const given = new URLSearchParams(look);
  const entered = (given.get('worker') ?? '').replace(/\p{Cc}/gu, '');
  const id = given.get('audit') ?? '';
  return { entered, worker: workerAddress(entered)?.worker ?? null, id: isAuditId(id) ? id : null, strange: id !== '' && !isAuditId(id) };
}

/** The keys of an audit, or of a worker that may begin one. */
export function auditKeys(worker: URL | null, id: string | null): string {
  const at = worker === null ? '' : `worker=${encodeURIComponent(worker.href).replaceAll('%2F', '/').replaceAll('%3A', ':')}&`;
  return `${at}audit=${id ?? ''}`;
}

/** The fragment, beside what the form has. */
export function auditLink(form: FormState, worker: URL | null, id: string | null): string {
  return withLook(encodeForm(form), auditKeys(worker, id));
}
