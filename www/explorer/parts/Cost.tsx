import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { amountWords, cost, forgetCost } from '../cost.ts';
import { ended, sentence } from '../format.ts';
import { form } from '../store.ts';

export { askCost } from '../cost.ts';

/** What a check will take, once a person wants to know; it holds for the form as it stands. */
export function Cost(): JSX.Element | null {
  const asked = form.value;
  useEffect(() => forgetCost, [asked]);
  const known = cost.value;
  switch (known.state) {
    case 'none':
      return null;
    case 'asking':
      return <p class="hint cost">Looking at a few checkpoints…</p>;
    case 'failed':
      return <p class="hint cost caution">{sentence(known.message)} {ended(known.advice)}</p>;
    case 'known':
      return (
        <p class="hint cost" id="cost">
          <strong>{amountWords(known.least, known.most)}</strong> {known.basis}
        </p>
      );
  }
}
