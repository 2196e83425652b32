import type { JSX } from 'preact';
import { CopyButton } from './CopyButton.tsx';

/**
 * A long value in one line. Where there is room it is whole; where not, its middle gives way, and the last eight characters
 * stay. The text is complete in the document either way, so selecting it or finding it in the page works.
 */
export function Hash({ value, what }: { readonly value: string; readonly what: string }): JSX.Element {
  return (
    <span class="hash">
      <code class="hash-text" title={value}>
        <span class="hash-head">{value.slice(0, -8)}</span>
        <span class="hash-tail">{value.slice(-8)}</span>
      </code>
      <CopyButton small label="Copy" title={`Copy ${what}`} text={() => value} />
    </span>
  );
}

const LONG_HEX = /^[0-9a-f]{40,}$/i;

/** A value of a finding: a hash as such, anything else as it is. */
export function Value({ value, what }: { readonly value: string; readonly what: string }): JSX.Element {
  return LONG_HEX.test(value) ? <Hash value={value} what={what} /> : <code class="plain-value">{value}</code>;
}
