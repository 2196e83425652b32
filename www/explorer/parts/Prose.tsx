import { Fragment, type JSX } from 'preact';
import { sentence } from '../format.ts';
import { Hash } from './Hash.tsx';

/** A sentence of the verifier, with the hashes in it made usable. Each stands on a line of its own, which needs no comma after it. */
export function Prose({ text }: { readonly text: string }): JSX.Element {
  const parts = sentence(text).split(/\b([0-9a-f]{64})\b/);
  return (
    <Fragment>
      {parts.map((part, place) => (place % 2 === 1 ? <Hash key={place} value={part} what="the hash" /> : /^[.,] ?$/.test(part) ? null : part))}
    </Fragment>
  );
}
