/** Who signed for a ledger, and whom each of them listens to. */
import type { JSX } from 'preact';
import type { ScpView } from '../../lib/explore-types.ts';
import { grouped } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { QuorumTree, Validator } from '../parts/QuorumTree.tsx';
import { summaryOf } from '../quorum-set.ts';
import { Fold, OutcomeBadge } from './Pieces.tsx';

const SIGNATURE = { holds: 'Signed', broken: 'Bad signature', unknown: 'Not known' } as const;

function SameValue({ same }: { readonly same: boolean | null }): JSX.Element {
  if (same === null) return <span class="none">not known</span>;
  return <span class={`badge tone-${same ? 'verified' : 'faulty'}`}><Icon name={same ? 'done' : 'failed'} />{same ? 'This ledger' : 'Another value'}</span>;
}

export function Scp({ scp }: { readonly scp: ScpView | null }): JSX.Element {
  const count = scp?.nodes.length ?? 0;
  const signed = new Set(scp?.nodes.flatMap(({ node, signature }) => (signature === 'holds' ? [node] : [])));
  return (
    <section class="card" aria-labelledby="scp-title">
      <h3 id="scp-title">Validators <span class="aside">{count === 0 ? 'no messages' : `${grouped(count)}, of whom ${grouped(signed.size)} signed`}</span></h3>
      {scp === null || count === 0 ? (
        <p class="hint">The archive has no messages of validators for this ledger. Archives need not keep them.</p>
      ) : (
        <table class="look-table scp-table">
          <thead>
            <tr><th scope="col">Validator</th><th scope="col">Signature</th><th scope="col">Agreed to</th><th scope="col" class="roomy">Statements</th></tr>
          </thead>
          <tbody>
            {scp.nodes.map((node) => (
              <tr key={node.node} data-node={node.node}>
                <th scope="row"><Validator node={node.node} /></th>
                <td><OutcomeBadge outcome={node.signature} word={SIGNATURE[node.signature]} /></td>
                <td><SameValue same={node.sameValue} /></td>
                <td class="roomy">{node.statements.map((statement) => <code key={statement} class="statement-kind">{statement}</code>)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {scp !== null && scp.proposer !== null && <p class="proposer">The value was proposed and signed by <Validator node={scp.proposer} /></p>}
      {scp !== null && scp.quorumSets.map(({ hash, set }) => {
        const users = scp.nodes.filter(({ quorumSet }) => quorumSet === hash).length;
        return (
          <Fold key={hash} summary={`Quorum set of ${grouped(users)} of them: ${summaryOf(set)}`}>
            {() => (
              <div class="quorum-fold">
                <Hash value={hash} what="the hash of the quorum set" />
                <p class="rule">{grouped(set.threshold)} of {grouped(set.validators.length + set.innerSets.length)} must agree; a tick is a signature for this ledger.</p>
                <QuorumTree set={set} signed={signed} />
              </div>
            )}
          </Fold>
        );
      })}
    </section>
  );
}
