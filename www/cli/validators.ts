/**
 * Validators by the names that people know them by, with who runs them.
 *
 * Not here: whether to believe them. A name is of this program's list or of the user's own file, never of an archive.
 */
import { networkPresets } from '../lib/node.ts';
import type { QuorumSet, Strength } from '../lib/types.ts';
import { clean, plural } from './text.ts';

export const STRENGTHS: Readonly<Record<Strength, string>> = { 'accepted-commit': 'they accepted the commit', 'commit-vote': 'they voted to commit' };

interface Known {
  readonly name: string;
  readonly organisation: string | undefined;
}

export class Validators {
  readonly #known = new Map<string, Known>();

  /** `names` are the user's, by key; they come before those that everybody knows. Needs `init()`. */
  constructor(names: Readonly<Record<string, string>> = {}) {
    for (const { archives } of networkPresets()) {
      for (const { key, name, organisation } of archives) this.#known.set(key, { name, organisation });
    }
    for (const [key, name] of Object.entries(names)) this.#known.set(key, { name, organisation: this.#known.get(key)?.organisation });
  }

  name(key: string): string {
    return clean(this.#known.get(key)?.name ?? shortKey(key));
  }

  /** `SDF: SDF 1, SDF 2`, an organisation each. */
  byOrganisation(keys: readonly string[]): string[] {
    const organisations = new Map<string, string[]>();
    for (const key of keys) {
      const organisation = clean(this.#known.get(key)?.organisation ?? '');
      organisations.set(organisation, [...(organisations.get(organisation) ?? []), this.name(key)]);
    }
    return [...organisations].map(([organisation, names]) => `${organisation === '' ? '' : `${organisation}: `}${names.join(', ')}`);
  }
}

/** Enough of a key to tell it from others. */
export function shortKey(key: string): string {
  return clean(key.length > 16 ? `${key.slice(0, 6)}…${key.slice(-6)}` : key);
}

/** `2 of 3`; with sets in it `5 of 7: 2 of 3, 2 of 3, …` in short. */
export function shape({ threshold, validators, innerSets }: QuorumSet): string {
  const own = `${threshold} of ${validators.length + innerSets.length}`;
  if (innerSets.length === 0) return own;
  const inner = new Map<string, number>();
  for (const set of innerSets) inner.set(shape(set), (inner.get(shape(set)) ?? 0) + 1);
  const sets = [...inner].map(([text, count]) => (count === 1 ? `(${text})` : `${count} × (${text})`));
  return `${own}: ${[...(validators.length === 0 ? [] : [plural(validators.length, 'node')]), ...sets].join(', ')}`;
}
