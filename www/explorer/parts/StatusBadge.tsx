import type { JSX } from 'preact';
import type { ShownState } from '../checkpoints.ts';
import { Icon } from './Icon.tsx';

const WORDS: Readonly<Record<ShownState, string>> = {
  verified: 'Verified',
  faulty: 'Faulty',
  unchecked: 'Unchecked',
  pending: 'Pending',
  'in-flight': 'In flight',
};

/** Shape, colour and word together. `word` replaces the state's own, for example when a stopped run never got there. */
export function StatusBadge({ state, word }: { readonly state: ShownState; readonly word?: string }): JSX.Element {
  return (
    <span class={`badge tone-${state}`}>
      <Icon name={state} />
      {word ?? WORDS[state]}
    </span>
  );
}
