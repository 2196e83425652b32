import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { taking } from '../folders.ts';
import { announce } from '../store.ts';
import { Icon } from './Icon.tsx';

/** What becomes of a zip that was chosen, or of anything that was dropped on the page, as long as it is not among the archives. */
export function Taken(): JSX.Element | null {
  const { name, fault } = taking.value ?? {};
  useEffect(() => {
    if (fault != null) announce(`${name}: ${fault}`);
  }, [name, fault]);
  if (fault === undefined) return null;
  if (fault === null) return <p class="hint" data-taking={name}>Reading {name}…</p>;
  return (
    <p class="fault" data-taking={name}>
      <Icon name="warning" /><span><strong class="folder-name">{name}</strong>: {fault} <button type="button" class="link" onClick={() => { taking.value = null; }}>Dismiss</button></span>
    </p>
  );
}
