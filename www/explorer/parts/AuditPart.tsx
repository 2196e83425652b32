/** The way to audits of whole archives by somebody's edge worker, and the place of them, whose part is loaded once someone wants it. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { encodeForm } from '../form.ts';
import { withLook } from '../look.ts';
import { form } from '../store.ts';
import { NotLoaded } from './NotLoaded.tsx';

const part = signal<typeof import('../audit/AuditArea.tsx') | null>(null);
const refused = signal(false);

async function load(): Promise<void> {
  refused.value = false;
  try {
    part.value ??= await import('../audit/AuditArea.tsx');
  } catch {
    refused.value = true;
  }
}

/** The address of the beginning of one. */
export function auditHref(): string {
  return withLook(encodeForm(form.value), 'audit=');
}

export function AuditPart(): JSX.Element {
  useEffect(() => void load(), []);
  if (refused.value) return <NotLoaded again={() => void load()}><a class="button quiet" href={encodeForm(form.value) || '#'}>Back</a></NotLoaded>;
  return part.value === null ? <p class="first-paint">Loading…</p> : <part.value.AuditArea />;
}
