import type { JSX } from 'preact';
import type { Verdict } from '../../lib/types.ts';
import type { CellState } from '../checkpoints.ts';

export type IconName = CellState | Verdict | 'info' | 'warning' | 'link';

const SHAPES: Readonly<Record<IconName, JSX.Element>> = {
  verified: (<><circle cx="8" cy="8" r="7" fill="currentColor" /><path class="cut" d="M4.6 8.3l2.3 2.3 4.5-5" /></>),
  faulty: (<><path fill="currentColor" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" /><path class="cut" d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" /></>),
  unchecked: (<><circle class="line" cx="8" cy="8" r="6.2" stroke-dasharray="3.2 2.3" /><path class="line" d="M5.2 8h5.6" /></>),
  incomplete: (<><circle class="line" cx="8" cy="8" r="6.2" stroke-dasharray="3.2 2.3" /><path class="line" d="M5.2 8h5.6" /></>),
  pending: (<circle cx="8" cy="8" r="2.4" fill="currentColor" />),
  info: (<><circle class="line" cx="8" cy="8" r="6.4" /><path class="line" d="M8 7.2v4M8 4.4v.9" /></>),
  warning: (<><path class="line" d="M8 1.8l6.6 12H1.4z" /><path class="line" d="M8 6.2v3.6M8 11.2v.9" /></>),
  link: (<path class="line" d="M9.5 2.5h4v4M13.2 2.8L7.6 8.4M11.5 9.5v4h-9v-9h4" />),
};

/** Decoration beside a word; never the only bearer of a meaning. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {SHAPES[name]}
    </svg>
  );
}
