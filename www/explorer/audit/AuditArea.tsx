/** The part of the page on audits of whole archives by somebody's edge worker. Not here: a check in this tab. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { encodeForm } from '../form.ts';
import { Icon } from '../parts/Icon.tsx';
import { busy, copyBusy, copying, form, look } from '../store.ts';
import { Begin } from './Begin.tsx';
import { auditLink, auditRoute } from './route.ts';
import { Watch } from './Watch.tsx';
import './audit.css';

function back(): string {
  return encodeForm(form.value) || '#';
}

export function AuditArea(): JSX.Element {
  const route = auditRoute(look.value);
  const { worker, id } = route;
  const watching = worker !== null && id !== null;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    title.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, [watching, id]);
  // A copy of what the report is about is made in the form.
  const stood = useRef(copying.value);
  useEffect(() => {
    if (copying.value !== stood.current) location.hash = back();
  }, [copying.value]);
  return (
    <section class="audit" aria-labelledby="audit-title">
      <div class="card-head">
        <h2 id="audit-title" ref={title} tabIndex={-1}>Audit over a fleet</h2>
        <p class="actions">
          {watching && <a href={auditLink(form.value, worker, null)}>Other audits there</a>}
          <a href={back()}>Back to the form</a>
        </p>
      </div>
      {busy.value && <p class="hint">{copyBusy.value ? 'A copy' : 'A check'} goes on meanwhile. <a href={back()}>Back to it</a></p>}
      {!watching && (
        <p class="audit-about">
          A whole archive of a public network is more than a tab can read: a million checkpoints, terabytes. An edge worker of this verifier has many machines
          verify it in parts, on the account of whoever runs it. What you enter here goes to that worker, and what it reports is its word. Anybody
          can run one: the README of this verifier says how, under “At the edge”.
        </p>
      )}
      {(route.strange || (id !== null && worker === null)) && (
        <p class="fault" role="alert"><Icon name="warning" /><span>{route.strange ? 'This link names no audit: an id has 32 hexadecimal digits.' : 'This link names no worker to ask for the audit.'} Look whether it came whole.</span></p>
      )}
      {watching ? <Watch key={`${worker.href} ${id}`} worker={worker} id={id} /> : <Begin route={route} />}
    </section>
  );
}
