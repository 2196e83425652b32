import type { JSX } from 'preact';
import type { Verdict } from '../../lib/types.ts';
import type { ShownState } from '../checkpoints.ts';
import type { WorkState } from '../works.ts';

export type IconName = ShownState | Verdict | WorkState | 'info' | 'warning' | 'link' | 'folder' | 'remove' | 'resting' | 'none';

const SHAPES: Readonly<Record<IconName, JSX.Element>> = {
  verified: (<><circle cx="8" cy="8" r="7" fill="currentColor" /><path class="cut" d="M4.6 8.3l2.3 2.3 4.5-5" /></>),
  faulty: (<><path fill="currentColor" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" /><path class="cut" d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" /></>),
  unchecked: (<><circle class="line" cx="8" cy="8" r="6.2" stroke-dasharray="3.2 2.3" /><path class="line" d="M5.2 8h5.6" /></>),
  incomplete: (<><circle class="line" cx="8" cy="8" r="6.2" stroke-dasharray="3.2 2.3" /><path class="line" d="M5.2 8h5.6" /></>),
  pending: (<circle cx="8" cy="8" r="2.4" fill="currentColor" />),
  'in-flight': (<><circle class="line" cx="8" cy="8" r="6.2" /><path fill="currentColor" d="M1.8 8h12.4a6.2 6.2 0 0 1-12.4 0z" /></>),
  info: (<><circle class="line" cx="8" cy="8" r="6.4" /><path class="line" d="M8 7.2v4M8 4.4v.9" /></>),
  warning: (<><path class="line" d="M8 1.8l6.6 12H1.4z" /><path class="line" d="M8 6.2v3.6M8 11.2v.9" /></>),
  done: (<path class="line" d="M2.6 8.6l3.4 3.4 7.4-8" />),
  running: (<path fill="currentColor" d="M4 2.5l9 5.5-9 5.5z" />),
  retrying: (<path class="line" d="M13.2 8a5.2 5.2 0 1 1-1.6-3.8M13.6 1.8v3.4h-3.4" />),
  failed: (<path class="line" d="M3.5 3.5l9 9M12.5 3.5l-9 9" />),
  resting: (<><circle class="line" cx="8" cy="8" r="6.4" /><path class="line" d="M6.3 5.6v4.8M9.7 5.6v4.8" /></>),
  none: (<path class="line" d="M4 8h8" />),
  folder: (<path class="line" d="M1.8 12.8V3.2h4.4l1.6 2h6.4v7.6z" />),
  remove: (<path class="line" d="M4 4l8 8M12 4l-8 8" />),
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
