/** What a worker refused, or that it did not answer, with what to do. Not here: what was asked of it. */
import { Fragment, type ComponentChildren, type JSX } from 'preact';
import type { WorkerError } from '../../lib/audit-client.ts';
import { quoted } from '../form.ts';
import { Command } from '../parts/Command.tsx';
import { Icon } from '../parts/Icon.tsx';
import { offline } from '../store.ts';
import { adviceOf, titleOf } from './words.ts';

function Silent({ worker }: { readonly worker: URL }): JSX.Element {
  if (offline.value) return <p>This computer is offline, so no worker can be reached. An audit goes on without it.</p>;
  return (
    <Fragment>
      <p>
        It is down, or not known by that name, or something else is there that lets no page read it; an edge worker lets every page. Outside of the
        browser this asks it. With headers and a list of archives it is there, and something between this browser and it is in the way:
      </p>
      <Command text={`curl -sS -i ${quoted(worker.href)}`} />
    </Fragment>
  );
}

export function WorkerNotice({ error, worker, children }: { readonly error: WorkerError; readonly worker: URL; readonly children?: ComponentChildren }): JSX.Element {
  return (
    <section class="notice tone-unchecked" aria-label={titleOf(error)} data-worker-error={error.problem || error.kind}>
      <h2><Icon name="warning" /> {titleOf(error)}</h2>
      {error.kind === 'unreachable' ? <Silent worker={worker} /> : <p>{error.problem !== 'not-allowed' && error.message} {adviceOf(error)}</p>}
      {children}
    </section>
  );
}
