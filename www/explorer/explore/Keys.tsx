/** The list of the keys that the page knows. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export const keysShown = signal(false);

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'To the field “Look up”'],
  ['Enter', 'In that field: to the first of what it can mean'],
  ['←  →', 'To the ledger, checkpoint, transaction or page before and after'],
  ['↑  ↓', 'In a map of checkpoints: to others, as do ← and →; Enter shows their files'],
  ['PgDn  PgUp', 'In a map: to the next fault, and back'],
  ['Alt ←', 'Back, as in all pages'],
  ['?', 'This list'],
  ['Esc', 'Closes it'],
];

export function showKeysButton(): JSX.Element {
  return <button type="button" class="button small quiet" aria-label="Keys of this page" title="Keys of this page" onClick={() => { keysShown.value = true; }}>?</button>;
}

export function Keys(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = keysShown.value;
  useEffect(() => {
    if (shown && dialog.current?.open === false) dialog.current.showModal();
    if (!shown && dialog.current?.open === true) dialog.current.close();
  }, [shown]);
  return (
    <dialog
      ref={dialog} class="keys" aria-labelledby="keys-title" onClose={() => { keysShown.value = false; }}
      onClick={(event) => { if (event.target === dialog.current) keysShown.value = false; }}
    >
      <div class="keys-body">
        <div class="card-head">
          <h2 id="keys-title">Keys</h2>
          <button type="button" class="button small quiet" onClick={() => { keysShown.value = false; }}>Close</button>
        </div>
        <dl>
          {KEYS.map(([key, meaning]) => <div key={key}><dt>{key.split('  ').map((one) => <kbd key={one}>{one}</kbd>)}</dt><dd>{meaning}</dd></div>)}
        </dl>
      </div>
    </dialog>
  );
}
