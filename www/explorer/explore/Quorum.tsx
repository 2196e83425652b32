/**
 * A quorum set drawn as a tree: thresholds at the branches, validators at the ends with what they said of a ledger.
 *
 * Not here: whether that is enough for anyone; it says how many of each branch agreed, by the signatures that hold. Archives name
 * validators by their keys: names and organisations are those that the page knows, or a configuration that was pasted.
 */
import type { JSX } from 'preact';
import type { ScpView } from '../../lib/explore-types.ts';
import type { QuorumSet } from '../../lib/types.ts';
import { grouped } from '../format.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { Validator } from '../parts/QuorumTree.tsx';
import { organisationOf } from '../quorum-set.ts';
import { validators } from '../store.ts';

type Node = ScpView['nodes'][number];
export type Said = ReadonlyMap<string, Node>;

interface Word {
  readonly icon: IconName;
  readonly tone: 'verified' | 'faulty' | 'unchecked' | 'pending';
  readonly word: string;
}

/** What a validator said, by shape and word. */
function wordOf(node: Node | undefined): Word {
  const [strongest] = node?.said ?? [];
  if (node === undefined || strongest === undefined) return { icon: 'none', tone: 'pending', word: 'silent' };
  const kind = strongest.kind.toLowerCase();
  if (node.signature === 'broken') return { icon: 'faulty', tone: 'faulty', word: `${kind}, bad signature` };
  if (node.sameValue === false) return { icon: 'failed', tone: 'faulty', word: `${kind}, another value` };
  if (node.signature === 'unknown') return { icon: 'info', tone: 'unchecked', word: `${kind}, signature not known` };
  if (kind === 'externalize') return { icon: 'verified', tone: 'verified', word: kind };
  return kind === 'confirm' ? { icon: 'done', tone: 'verified', word: kind } : { icon: 'unchecked', tone: 'unchecked', word: `${kind} only` };
}

/** Whether it accepted the commit of the ledger's value. */
function agreed(node: Node | undefined): boolean {
  const kind = node?.said[0]?.kind;
  return node?.signature === 'holds' && node.sameValue === true && (kind === 'EXTERNALIZE' || kind === 'CONFIRM');
}

/** Members of a set that agreed: validators, and sets whose own threshold is met. */
function agreeing({ validators: keys, innerSets }: QuorumSet, said: Said): number {
  return keys.filter((key) => agreed(said.get(key))).length + innerSets.filter((inner) => agreeing(inner, said) >= inner.threshold).length;
}

function Threshold({ set, said }: { readonly set: QuorumSet; readonly said: Said }): JSX.Element {
  const members = set.validators.length + set.innerSets.length;
  const count = agreeing(set, said);
  const met = count >= set.threshold;
  return (
    <span class={`threshold tone-${met ? 'verified' : 'unchecked'}`}>
      <strong class="of">{grouped(set.threshold)} of {grouped(members)}</strong>
      <span class="met"><Icon name={met ? 'done' : 'none'} />{grouped(count)} agreed</span>
    </span>
  );
}

function Members({ set, said }: { readonly set: QuorumSet; readonly said: Said }): JSX.Element {
  return (
    <ul class="branches">
      {set.innerSets.map((inner, place) => (
        <li key={`set ${place}`} class="branch">
          <p class="branch-head"><strong>{organisationOf(inner, validators.value) ?? `Set ${grouped(place + 1)}`}</strong> <Threshold set={inner} said={said} /></p>
          <Members set={inner} said={said} />
        </li>
      ))}
      {set.validators.map((key) => {
        const { icon, tone, word } = wordOf(said.get(key));
        return (
          <li key={key} class="branch leaf" data-node={key} data-said={word}>
            <Validator node={key} />
            <span class={`said tone-${tone}`}><Icon name={icon} />{word}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** `name`: whose it is, at the root. */
export function QuorumDrawing({ set, said }: { readonly set: QuorumSet; readonly said: Said }): JSX.Element {
  return (
    <div class="quorum-drawing">
      <p class="branch-head root"><strong>{organisationOf(set, validators.value) ?? 'Quorum set'}</strong> <Threshold set={set} said={said} /></p>
      <Members set={set} said={said} />
    </div>
  );
}
