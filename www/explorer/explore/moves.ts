/** Going from view to view: by keys, and where the page stands after Back. Not here: what is shown. */
import { look } from '../store.ts';

/** How far down the page each address was when it was left, so that Back leads to the same line. */
const heights = new Map<string, number>();
let left = false;

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || look.value === '') return;
  // Where arrows move something of their own they do that.
  if (event.target instanceof Element && event.target.closest('input, textarea, select, pre, dialog, [role="slider"]') !== null) return;
  const rel = event.key === 'ArrowLeft' ? 'prev' : event.key === 'ArrowRight' ? 'next' : null;
  if (rel === null) return;
  const link = document.querySelector<HTMLAnchorElement>(`.view-steps a[rel="${rel}"]`);
  if (link === null) return;
  event.preventDefault();
  link.click();
}

/** A click on a link leaves the address for another; Back and Forward do so without one. */
function onClick(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href^="#"]') : null;
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
  heights.set(location.hash, scrollY);
  left = true;
}

export function followKeys(): () => void {
  addEventListener('keydown', onKey);
  addEventListener('click', onClick, true);
  return () => {
    removeEventListener('keydown', onKey);
    removeEventListener('click', onClick, true);
  };
}

/** Where to stand once the view is there: at its beginning when a link led to it, where one was when one came back. */
export function arrive(): void {
  const height = left ? 0 : heights.get(location.hash);
  left = false;
  if (height !== undefined) scrollTo({ top: height });
}
