/** What validators said of a ledger: every message with its ballot and its signature, and the quorum sets that they went by. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import type { ScpView } from '../../lib/explore-types.ts';
import { grouped } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Validator } from '../parts/QuorumTree.tsx';
import { summaryOf, validatorsOf } from '../quorum-set.ts';
import { Later } from './Later.tsx';
import { Fold, OutcomeBadge, Pager } from './Pieces.tsx';

const SIGNATURE = { holds: 'Signed', broken: 'Bad signature', unknown: 'Not known' } as const;
/** Validators whose messages are in the document at a time. */
const PAGE = 100;
/** A set of more is drawn when it is asked for. */
const MANY = 60;

function Value({ value, same }: { readonly value: string | null; readonly same: boolean | null }): JSX.Element {
  if (value === null || same === null) return <span class="none">none</span>;
  return (
    <Fragment>
      <span class={`badge tone-${same ? 'verified' : 'faulty'}`}><Icon name={same ? 'done' : 'failed'} />{same ? 'This ledger’s' : 'Another'}</span>{' '}
      <code class="key" title={`SHA-256 of the value: ${value}`}>{value.slice(0, 8)}</code>
    </Fragment>
  );
}

function Messages({ scp }: { readonly scp: ScpView }): JSX.Element {
  const from = useSignal(0);
  return (
    <Fragment>
      <Pager from={from.value} size={PAGE} total={scp.nodes.length} go={(next) => { from.value = next; }} />
      <table class="look-table scp-table">
        <thead>
          <tr><th scope="col">Validator</th><th scope="col">Says</th><th scope="col" class="number roomy">Ballot</th><th scope="col">Value</th><th scope="col">Signature</th></tr>
        </thead>
        {scp.nodes.slice(from.value, from.value + PAGE).map((node) => (
          <tbody key={node.node} data-node={node.node}>
            {node.said.map((message, place) => (
              <tr key={place} data-statement={message.kind}>
                {place === 0 && <th scope="rowgroup" rowSpan={node.said.length}><Validator node={node.node} /></th>}
                <td><code class="statement-kind">{message.kind}</code><span class="under hint">{message.words}</span></td>
                <td class="number roomy">{message.counter === null ? <span class="none">none</span> : grouped(message.counter)}</td>
                <td><Value value={message.value} same={message.sameValue} /></td>
                <td><OutcomeBadge outcome={message.signature} word={SIGNATURE[message.signature]} /></td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </Fragment>
  );
}

function Sets({ scp }: { readonly scp: ScpView }): JSX.Element | null {
  const said = new Map(scp.nodes.map((node) => [node.node, node]));
  const sets = scp.quorumSets
    .map((named) => ({ ...named, users: scp.nodes.filter(({ quorumSet }) => quorumSet === named.hash).length }))
    .sort((one, other) => other.users - one.users);
  if (sets.length === 0) return <p class="hint">The file has no quorum sets: whom these validators listen to is not in it.</p>;
  return (
    <Fragment>
      {sets.map(({ hash, set, users }, place) => (
        <Fold key={hash} open={place === 0 && validatorsOf(set).length <= MANY} summary={`Quorum set of ${grouped(users)} of them: ${summaryOf(set)}`}>
          {() => (
            <div class="quorum-fold">
              <Later>{({ QuorumDrawing }) => <QuorumDrawing set={set} said={said} />}</Later>
              <Hash value={hash} what="the hash of the quorum set" />
            </div>
          )}
        </Fold>
      ))}
      <p class="hint">
        An archive has validators’ keys alone. Names and organisations are those that this page knows, or a stellar-core configuration that was
        pasted into the form; where all of a set are of one organisation, the set has its name. “Silent” means that the archive has no message.
      </p>
    </Fragment>
  );
}

export function Scp({ scp }: { readonly scp: ScpView | null }): JSX.Element {
  const count = scp?.nodes.length ?? 0;
  const signed = scp?.nodes.filter(({ signature }) => signature === 'holds').length ?? 0;
  return (
    <section class="card" aria-labelledby="scp-title">
      <h3 id="scp-title">Validators <span class="aside">{count === 0 ? 'no messages' : `${grouped(count)}, of whom ${grouped(signed)} signed`}</span></h3>
      {scp === null || count === 0 ? (
        <p class="hint">The archive has no messages of validators for this ledger. Archives need not keep them.</p>
      ) : (
        <Fragment>
          <Messages scp={scp} />
          {scp.proposer !== null && <p class="proposer">The value was proposed and signed by <Validator node={scp.proposer} /></p>}
          <p class="hint">They sign the value: transaction set, closing time and upgrades. The set names the header of the ledger before, which these signatures seal; this header is sealed by those over the ledger after.</p>
          <Sets scp={scp} />
        </Fragment>
      )}
    </section>
  );
}
