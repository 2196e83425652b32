/** What all views share: the way to it, its title with what is before and after it, and the places that are filled later. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { checkpointOf } from '../checkpoints.ts';
import { encodeForm } from '../form.ts';
import { shortName } from '../format.ts';
import { announce, form, look, lookLink, sourceLabel, titles } from '../store.ts';
import { Icon } from '../parts/Icon.tsx';
import { arrive } from './moves.ts';
import { showKeysButton } from './Keys.tsx';
import { Links } from './JsonTree.tsx';
import { subjectOf } from './links.ts';
import { FREQUENCY, keysOf, routeOf, type Subject } from './routes.ts';
import type { Archive } from './source.ts';

export type OpenArchive = Extract<Archive, { readonly state: 'open' }>;

/** What every view gets. */
export interface At {
  readonly archive: OpenArchive;
  /** Which of the form's archives. */
  readonly place: number;
}

/** The address of another subject of the same archive. */
export function to(subject: Subject, place: number): string {
  return lookLink(keysOf(subject, place));
}

export interface Crumb {
  readonly label: string;
  readonly href: string;
}

export interface Step {
  readonly label: string;
  readonly subject: Subject;
}

function Steps({ before, after, place }: { readonly before: Step | null; readonly after: Step | null; readonly place: number }): JSX.Element {
  return (
    <p class="view-steps">
      {before === null ? <span class="button small quiet" aria-disabled="true">←</span> : <a class="button small" rel="prev" href={to(before.subject, place)} aria-label={before.label} title={before.label}>←</a>}
      {after === null ? <span class="button small quiet" aria-disabled="true">→</span> : <a class="button small" rel="next" href={to(after.subject, place)} aria-label={after.label} title={after.label}>→</a>}
    </p>
  );
}

/** Which of the form's archives is looked into; the others show the same. */
function Switch({ at }: { readonly at: At }): JSX.Element | null {
  const { subject } = routeOf(look.value);
  const archives = form.value.sources.map((source, place) => ({ name: sourceLabel(source), place })).filter(({ name }) => name !== '');
  if (archives.length < 2 || subject === null) return null;
  return (
    <nav class="switch" aria-label="Archive that is looked into">
      <span class="hint">Look into</span>
      <ul>
        {archives.map(({ name, place }) => (
          <li key={place}>
            {name === at.archive.name ? <a aria-current="true" href={to(subject, place)}>{shortName(name)}</a> : <a href={to(subject, place)}>{shortName(name)}</a>}
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Where values of JSON lead from this view. */
function linksFrom(place: number): (name: string, value: string) => string | null {
  const { subject } = routeOf(look.value);
  const checkpoint = subject?.kind === 'checkpoint' || subject?.kind === 'entry' ? subject.checkpoint
    : subject?.kind === 'ledger' || subject?.kind === 'transaction' ? checkpointOf(subject.ledger, FREQUENCY) : null;
  const ledger = subject?.kind === 'ledger' ? subject.ledger : null;
  return (name, value) => {
    const found = subjectOf(name, value, { checkpoint, ledger });
    // What is on the page already needs no way to it.
    return found === null || (found.kind === 'entry' && subject?.kind === 'entry' && found.key === subject.key) ? null : to(found, place);
  };
}

interface Props {
  readonly at: At;
  readonly crumbs: readonly Crumb[];
  readonly title: string;
  readonly aside?: string;
  /** Absent where there is no order. */
  readonly steps?: { readonly before: Step | null; readonly after: Step | null };
  /** What is said aloud once it is there; `null` as long as it is not. */
  readonly said: string | null;
  readonly busy?: boolean;
  readonly kind: Subject['kind'];
  readonly children: ComponentChildren;
}

export function Frame({ at, crumbs, title, aside, steps, said, busy = false, kind, children }: Props): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    titles.look.value = `${title}, ${shortName(at.archive.name)}`;
  }, [title]);
  useEffect(() => {
    if (busy) return;
    arrive();
    if (said !== null) announce(said);
  }, [busy, said]);
  return (
    <article class="view" aria-labelledby="view-title" data-view={kind} aria-busy={busy}>
      <nav aria-label="Where you are">
        <ol class="crumbs">
          <li><a href={encodeForm(form.value) || '#'} title="Back to the checks of this archive">{shortName(at.archive.name)}</a></li>
          {crumbs.map(({ label, href }) => <li key={label}><a href={href}>{label}</a></li>)}
          <li aria-current="page">{title}</li>
        </ol>
      </nav>
      <div class="view-head">
        <h2 id="view-title" ref={heading} tabIndex={-1}>{title} {aside !== undefined && <span class="aside">{aside}</span>}</h2>
        <div class="view-tools">
          {steps !== undefined && <Steps {...steps} place={at.place} />}
          {showKeysButton()}
        </div>
      </div>
      <Switch at={at} />
      {!at.archive.online && <p class="hint"><Icon name="folder" /> On this computer: nothing is asked of any server.</p>}
      <Links.Provider value={linksFrom(at.place)}>{children}</Links.Provider>
    </article>
  );
}

/** Stands where a view will be, and takes its room. */
export function Skeleton(): JSX.Element {
  return (
    <div class="skeleton" data-state="loading">
      <p class="visually-hidden">Loading…</p>
      {[0, 1, 2].map((card) => (
        <div key={card} class="card" aria-hidden="true">
          {[0, 1, 2, 3, 4].map((line) => <span key={line} class={`bone bone-${(card + line) % 3}`} />)}
        </div>
      ))}
    </div>
  );
}
