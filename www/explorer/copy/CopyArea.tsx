/**
 * Mirror and repair, from the choice of a place to what came of it. Loaded once someone wants them.
 */
import type { JSX } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { copying } from '../store.ts';
import { CopyView } from './CopyView.tsx';
import { copy, prepare } from './model.ts';
import { Prepare } from './Prepare.tsx';

export function CopyArea(): JSX.Element | null {
  const wanted = copying.value;
  useLayoutEffect(prepare, [wanted]);
  const made = copy.value;
  if (wanted === null) return null;
  return made === null ? <Prepare kind={wanted.kind} /> : <CopyView key={made} copy={made} />;
}
