import type { JSX } from 'preact';
import type { FieldFault } from '../form.ts';
import { checked, tried } from '../store.ts';
import { Icon } from './Icon.tsx';

/** An empty field is not scolded before the first try; a wrong value is told at once where it explains what cannot work. */
export function shownFault(field: string): FieldFault | undefined {
  const decision = checked.value;
  const fault = decision.ok ? undefined : decision.faults[field];
  return tried.value || fault?.instead !== undefined ? fault : undefined;
}

export function Fault({ field, onInstead }: { readonly field: string; readonly onInstead?: (value: string) => void }): JSX.Element | null {
  const fault = shownFault(field);
  if (fault === undefined) return null;
  const { instead } = fault;
  return (
    <p class="fault" id={`${field}-fault`}>
      <Icon name="warning" />
      <span>
        {fault.message}{' '}
        {instead !== undefined && <button type="button" class="link" onClick={() => onInstead?.(instead)}>Use {instead}</button>}
      </span>
    </p>
  );
}
