/** What is shown where there is nothing to look at, with the ways out. */
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { checkpointOf } from '../checkpoints.ts';
import { chooseAgain } from '../folders.ts';
import { EMPTY_FORM, encodeForm } from '../form.ts';
import { grouped, sentence, shortName } from '../format.ts';
import { withLook } from '../look.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import { Icon } from '../parts/Icon.tsx';
import { CrossOrigin } from '../parts/Trouble.tsx';
import type { Failure } from '../run.ts';
import { announce, engine, form, localArchives, look, titles } from '../store.ts';
import { type At, to } from './Frame.tsx';
import { useLooked } from './look-up.ts';
import { FREQUENCY } from './routes.ts';
import type { Archive } from './source.ts';

function useSaid(text: string): { current: HTMLHeadingElement | null } {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    announce(text);
    titles.look.value = text;
  }, []);
  return heading;
}

/** Links to the same look in archives that the page knows. */
function Offers(): JSX.Element {
  const state = engine.value;
  const presets = state.state === 'ready' ? state.engine.presets : [];
  const href = (url: string, network: string): string => withLook(encodeForm({ ...EMPTY_FORM, network, sources: [{ kind: 'url', url }] }), look.value);
  return (
    <dl class="offers">
      {localArchives.value.length > 0 && (
        <div><dt>On this server</dt><dd>{localArchives.value.map(({ name, url }) => <a key={url} href={href(url, '')}>{name}</a>)}</dd></div>
      )}
      {presets.filter(({ archives }) => archives.length > 0).map(({ name, archives }) => (
        <div key={name}><dt>{name}</dt><dd>{archives.map((archive) => <a key={archive.url} href={href(archive.url, name)}>{archive.name.startsWith(archive.organisation) ? archive.name : `${archive.organisation} ${archive.name}`}</a>)}</dd></div>
      ))}
    </dl>
  );
}

export function NoArchive(): JSX.Element {
  const heading = useSaid('No archive is chosen');
  return (
    <section class="card view" aria-labelledby="view-title" data-hindrance="no-archive">
      <h2 id="view-title" ref={heading} tabIndex={-1}>In which archive?</h2>
      <p>No archive is chosen yet. Put the address of one into “Look up”, or take one that is known; many of the public ones do not let pages read them.</p>
      <Offers />
      <p class="actions"><a href={encodeForm(form.value) || '#'}>To the form, for a folder, a zip or an address of your own</a></p>
    </section>
  );
}

export function FaultyAddress({ archive }: { readonly archive: Extract<Archive, { readonly state: 'fault' }> }): JSX.Element {
  const heading = useSaid(archive.fault.message);
  const { source, fault: { instead } } = archive;
  return (
    <section class="notice tone-unchecked view" aria-labelledby="view-title" data-hindrance="address">
      <h2 id="view-title" ref={heading} tabIndex={-1}><Icon name="warning" /> <span class="archive-name">{shortName(archive.name)} cannot be looked into</span></h2>
      <p>{archive.fault.message}</p>
      <p class="actions">
        {source.kind === 'folder' && <button type="button" class="button" onClick={() => void chooseAgain(source)}>Choose the {source.zip === true ? 'zip' : 'folder'} again</button>}
        {instead !== undefined && <a href={withLook(encodeForm({ ...EMPTY_FORM, sources: [{ kind: 'url', url: instead }] }), look.value)}>Use {instead}</a>}
        <a href={encodeForm(form.value) || '#'}>To the form</a>
      </p>
    </section>
  );
}

export function Nonsense(): JSX.Element {
  const heading = useSaid('This link leads nowhere');
  return (
    <section class="notice tone-unchecked view" aria-labelledby="view-title" data-hindrance="nonsense">
      <h2 id="view-title" ref={heading} tabIndex={-1}><Icon name="warning" /> This link leads nowhere</h2>
      <p>What it asks for is no ledger, checkpoint, bucket or hash: a part of the link may be missing, or a digit too many.</p>
      <p class="actions"><a href={encodeForm(form.value) || '#'}>To the form</a></p>
    </section>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  CORS_OR_NETWORK: 'The archive could not be read from this page',
  CRASHED: 'The verifier stopped',
  FAULTY: 'The file is faulty',
  FORBIDDEN: 'The server refused',
  HTTP: 'The server answered with an error',
  NETWORK: 'The connection failed',
  NOT_FOUND: 'It is not there',
  TIMEOUT: 'The server did not answer in time',
};

/** Test networks that run faster have a checkpoint every 8 ledgers. */
export function mayBeAccelerated(newest: number): boolean {
  return (newest + 1) % FREQUENCY !== 0 && (newest + 1) % 8 === 0;
}

export function Accelerated(): JSX.Element {
  return (
    <p class="hint" data-accelerated>
      This archive seems to have a checkpoint every 8 ledgers, as test networks that run faster do. The page looks into archives with one every{' '}
      {FREQUENCY} only; the command line checks the others with <code>--checkpoint-frequency 8</code>.
    </p>
  );
}

/** How far the archive goes, where what was asked for lies beyond. */
function Newest({ at, ledger }: { readonly at: At; readonly ledger: number }): JSX.Element | null {
  const { looked } = useLooked((signal) => at.archive.explorer.newest({ signal }));
  const state = looked.value;
  if (state.state !== 'ready') return null;
  const newest = state.value.ledger;
  const beyond = ledger > newest;
  if (mayBeAccelerated(newest)) return <Accelerated />;
  return (
    <p data-newest={newest}>
      {beyond ? `The archive ends at ledger ${grouped(newest)}, before ledger ${grouped(ledger)}.` : `The archive says that it goes on to ledger ${grouped(newest)}; it may begin later than this, or have a gap.`}{' '}
      <a href={to({ kind: 'checkpoint', checkpoint: checkpointOf(newest, FREQUENCY) }, at.place)}>Its newest checkpoint</a>
    </p>
  );
}

interface Props {
  readonly at: At;
  readonly failure: Failure;
  readonly again: () => void;
  /** What was asked for, where it is of a ledger. */
  readonly ledger?: number;
  /** What it was asked for as. */
  readonly what?: 'Ledger' | 'Checkpoint';
}

/** A question that was not answered, as its view's whole content. */
export function Failed({ at, failure, again, ledger, what = 'Ledger' }: Props): JSX.Element {
  const missing = failure.code === 'NOT_FOUND' || failure.code === 'MISSING';
  return (
    <section class={`notice ${failure.code === 'FAULTY' || failure.code === 'CRASHED' ? 'tone-faulty' : 'tone-unchecked'}`} role="alert" data-error={failure.code}>
      <h3><Icon name="warning" /> {missing && ledger !== undefined ? `${what} ${grouped(ledger)} is not in this archive` : TITLES[failure.code] ?? 'This could not be looked at'}</h3>
      {failure.code === 'CORS_OR_NETWORK' ? <CrossOrigin archive={at.archive.name} /> : (
        <Fragment>
          <p>{sentence(failure.message)}</p>
          {missing && ledger !== undefined ? <Newest at={at} ledger={ledger} /> : failure.advice !== '' && <p>{sentence(failure.advice)}</p>}
        </Fragment>
      )}
      <p class="actions">
        <button type="button" class="button" onClick={again}>Try again</button>
        {failure.code === 'CRASHED' && <CopyButton label="Copy what it said" text={() => `${failure.code}: ${failure.message}`} />}
      </p>
    </section>
  );
}
