/** How each state of a comparison is called and drawn, so that no meaning rests on a colour. Pure; no DOM. */
import type { CompareReport, CompareStanding } from '../../lib/types.ts';
import type { IconName } from '../parts/Icon.tsx';
import type { CellState } from './table.ts';

/** In the order of legends. */
export const SHOWN: readonly CellState[] = ['agrees', 'lacks', 'differs', 'provably-wrong', 'faulty', 'unreadable', 'unchecked', 'pending'];

export const WORD: Readonly<Record<CellState, string>> = {
  agrees: 'agrees',
  lacks: 'lacks',
  differs: 'differs',
  'provably-wrong': 'provably wrong',
  faulty: 'faulty',
  unreadable: 'could not be read',
  unchecked: 'not compared',
  pending: 'not reached yet',
};

/** What a state means, where there is room for it. */
export const MEANING: Readonly<Record<CellState, string>> = {
  agrees: 'has what is sealed, or what most have',
  lacks: 'has no such file, and others do',
  differs: 'has something else, and nothing is sealed that says who is right',
  'provably-wrong': 'contradicts what is sealed',
  faulty: 'contradicts its own headers, or is no such file',
  unreadable: 'the archive did not deliver it',
  unchecked: 'there was nothing to compare it with',
  pending: 'comes later, or was not come to',
};

export const TONE: Readonly<Record<CompareStanding, { readonly word: string; readonly icon: IconName; readonly tone: string }>> = {
  agrees: { word: 'Agrees', icon: 'verified', tone: 'verified' },
  lacks: { word: 'Lacks files', icon: 'warning', tone: 'unchecked' },
  differs: { word: 'Differs', icon: 'info', tone: 'differs' },
  'provably-wrong': { word: 'Provably wrong', icon: 'faulty', tone: 'faulty' },
  faulty: { word: 'Faulty', icon: 'failed', tone: 'faulty' },
  'other-network': { word: 'Another network', icon: 'failed', tone: 'faulty' },
  'earlier-network': { word: 'An earlier start of the network', icon: 'failed', tone: 'faulty' },
  unreadable: { word: 'Could not be read', icon: 'unchecked', tone: 'unchecked' },
};

export const VERDICT: Readonly<Record<CompareReport['verdict'], { readonly title: string; readonly icon: IconName; readonly tone: string }>> = {
  agree: { title: 'They agree', icon: 'verified', tone: 'verified' },
  disagree: { title: 'They disagree', icon: 'faulty', tone: 'faulty' },
  incomplete: { title: 'Not all could be compared', icon: 'incomplete', tone: 'unchecked' },
};
