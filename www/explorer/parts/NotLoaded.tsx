import type { ComponentChildren, JSX } from 'preact';
import { Icon } from './Icon.tsx';

/** In place of a part of the page that comes later, and did not. `children`: the way back. */
export function NotLoaded({ again, children }: { readonly again: () => void; readonly children: ComponentChildren }): JSX.Element {
  return (
    <section class="notice tone-unchecked" role="alert">
      <h2><Icon name="warning" /> This part of the page could not be loaded</h2>
      <p>It comes from this page’s own server, which did not answer, or has a newer version of the page: then reload it.</p>
      <p class="actions">
        <button type="button" class="button" onClick={again}>Try again</button>
        {children}
      </p>
    </section>
  );
}
