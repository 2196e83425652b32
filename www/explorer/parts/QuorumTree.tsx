import type { JSX } from 'preact';
import type { QuorumSet } from '../../lib/types.ts';
import { organisationOf, shortKey, validatorsOf } from '../quorum-set.ts';
import { validators } from '../store.ts';
import { Icon } from './Icon.tsx';

/** By their keys; absent where nothing is said of signatures. */
type Signed = ReadonlySet<string> | undefined;

/** A validator by its name, and by enough of its key to tell it from another one of that name. */
export function Validator({ node, signed }: { readonly node: string; readonly signed?: boolean | undefined }): JSX.Element {
  const known = validators.value.get(node);
  return (
    <span class={signed === undefined ? 'validator' : signed ? 'validator tone-verified' : 'validator tone-pending'}>
      {signed !== undefined && <Icon name={signed ? 'done' : 'none'} />}
      {known !== undefined && <span class="validator-name">{known.name}</span>}
      <code class="key" title={node}>{shortKey(node)}</code>
      {signed !== undefined && <span class="visually-hidden">{signed ? 'signed' : 'no signature'}</span>}
    </span>
  );
}

function Members({ set, signed }: { readonly set: QuorumSet; readonly signed: Signed }): JSX.Element {
  return (
    <ul class="members">
      {set.validators.map((node) => <li key={node}><Validator node={node} signed={signed?.has(node)} /></li>)}
      {set.innerSets.map((inner, place) => {
        const members = validatorsOf(inner);
        const count = inner.validators.length + inner.innerSets.length;
        const name = organisationOf(inner, validators.value) ?? 'A set';
        return (
          <li key={place} class="organisation">
            <p>
              <strong>{name}</strong> <span class="rule">{inner.threshold} of {count}</span>
              {signed !== undefined && <span class="rule">, {members.filter((node) => signed.has(node)).length} signed</span>}
            </p>
            <Members set={inner} signed={signed} />
          </li>
        );
      })}
    </ul>
  );
}

/** A quorum set as people read it: whom it names, and how many of them must agree. */
export function QuorumTree({ set, signed }: { readonly set: QuorumSet; readonly signed?: Signed }): JSX.Element {
  return (
    <div class={set.innerSets.length === 0 ? 'quorum' : 'quorum nested'}>
      {signed === undefined && <p class="rule">{set.threshold} of {set.validators.length + set.innerSets.length} must agree:</p>}
      <Members set={set} signed={signed} />
    </div>
  );
}
