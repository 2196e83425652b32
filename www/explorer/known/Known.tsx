/** All archives that the page knows, by network and organisation, with those that were used here; and which of them answer. */
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { ArchiveStatus } from '../../lib/types.ts';
import { ago, iso, utc } from '../explore/words.ts';
import { lagOf, standingOf } from '../fresh/standing.ts';
import { grouped, plural, sentence, shortName } from '../format.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { forgetUsed, recent } from '../recent.ts';
import { announce, choose, engine, localArchives, NETWORK_LABEL } from '../store.ts';
import { type Answer, askAll, asking, failure, stopAsking } from './ask.ts';
import './known.css';

export const shown = signal(false);

export function open(): void {
  shown.value = true;
}

function close(): void {
  shown.value = false;
  if (asking.value?.state === 'asking') stopAsking();
  document.getElementById('show-known')?.focus();
}

interface Offer {
  readonly url: string;
  readonly label: string;
  readonly network: string;
}

interface Look {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: string;
}

function lookOf(status: ArchiveStatus, all: readonly ArchiveStatus[], now: number): Look {
  switch (standingOf(status, lagOf(status, all), now)) {
    case 'fresh': return { word: 'Answers', icon: 'done', tone: 'verified' };
    case 'behind': return { word: 'Answers, but is behind', icon: 'resting', tone: 'unchecked' };
    case 'old': return { word: 'Answers, but is old', icon: 'resting', tone: 'unchecked' };
    case 'doubtful': return { word: 'Answers, but with faults', icon: 'warning', tone: 'unchecked' };
    case 'silent': return { word: status.error?.code === 'NOT_FOUND' ? 'No archive there' : status.error?.code === 'TIMEOUT' ? 'No answer in time' : 'No usable answer', icon: 'failed', tone: 'faulty' };
  }
}

const LOOK: Readonly<Record<Exclude<Answer['answer'], 'told'>, Look>> = {
  asking: { word: 'Asking', icon: 'pending', tone: 'pending' },
  unasked: { word: 'Not waited for', icon: 'none', tone: 'pending' },
  refuses: { word: 'Refuses pages', icon: 'failed', tone: 'faulty' },
  dead: { word: 'No answer', icon: 'failed', tone: 'faulty' },
};

function Heard({ answer, all, now }: { readonly answer: Answer | undefined; readonly all: readonly ArchiveStatus[]; readonly now: number }): JSX.Element | null {
  if (answer === undefined) return null;
  const { word, icon, tone } = answer.answer === 'told' ? lookOf(answer.status, all, now) : LOOK[answer.answer];
  const { ledger = null, closeTime = null } = answer.answer === 'told' ? answer.status : {};
  const seconds = Number(closeTime);
  return (
    <span class="known-answer" data-answer={answer.answer}>
      <span class={`badge tone-${tone}`}><Icon name={icon} />{word}</span>
      {ledger !== null && (
        <span class="hint">
          ledger {grouped(ledger)}{closeTime !== null && iso(seconds) !== '' && <Fragment>, <time dateTime={iso(seconds)} title={utc(seconds)}>{ago(seconds, now, 'always')}</time></Fragment>}
        </span>
      )}
    </span>
  );
}

function Row({ offer, children }: { readonly offer: Offer; readonly children?: JSX.Element }): JSX.Element {
  const { url, label, network } = offer;
  const now = asking.value;
  const all = [...now?.answers.values() ?? []].flatMap((one) => (one.answer === 'told' ? [one.status] : []));
  const take = (): void => {
    choose(url, network === '' ? undefined : network);
    announce(`${shortName(url)} is in the form`);
    requestAnimationFrame(() => document.getElementById('archive')?.focus());
  };
  return (
    <li class="known-row" data-url={url}>
      <span class="known-name">
        <button type="button" class="link" aria-label={`Use ${label}, ${shortName(url)}`} onClick={take}>{label}</button>
        {label !== shortName(url) && <span class="hint archive-name">{shortName(url)}</span>}
      </span>
      <Heard answer={now?.answers.get(url)} all={all} now={now?.at ?? 0} />
      {children}
    </li>
  );
}

function Used({ offers }: { readonly offers: readonly Offer[] }): JSX.Element {
  const after = (words: string): void => {
    announce(words);
    requestAnimationFrame(() => document.getElementById('known-title')?.focus());
  };
  return (
    <section aria-labelledby="known-used">
      <div class="card-head">
        <h3 id="known-used">Used in this browser</h3>
        <button type="button" class="button small quiet" onClick={() => { forgetUsed(); after('All forgotten'); }}>Forget all</button>
      </div>
      <ul class="plain-list">
        {offers.map((offer) => (
          <Row key={offer.url} offer={offer}>
            <button type="button" class="button small quiet known-forget" aria-label={`Forget ${shortName(offer.url)}`} onClick={() => { forgetUsed(offer.url); after(`${shortName(offer.url)} is forgotten`); }}>Forget</button>
          </Row>
        ))}
      </ul>
    </section>
  );
}

/** In the order of the list, which keeps an organisation's together. */
function byOrganisation<T extends { readonly organisation: string }>(archives: readonly T[]): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const one of archives) groups.set(one.organisation, [...groups.get(one.organisation) ?? [], one]);
  return [...groups];
}

export function Known(): JSX.Element | null {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (shown.value) title.current?.focus();
  }, [shown.value]);
  if (!shown.value) return null;
  const presets = (engine.value.state === 'ready' ? engine.value.engine.presets : []).filter(({ archives }) => archives.length > 0);
  const here = localArchives.value.map(({ name, url }): Offer => ({ url, label: name, network: '' }));
  const used = recent.value.map(({ url, network }): Offer => ({ url, label: shortName(url), network }));
  // Those of this server by their whole address, as the question names them.
  const asked = [...new Set([...used, ...presets.flatMap(({ archives }) => archives)].map(({ url }) => url))];
  const now = asking.value;
  const heard = [...now?.answers.values() ?? []];
  const done = heard.filter(({ answer }) => answer !== 'asking').length;
  return (
    <section class="known" aria-labelledby="known-title" aria-busy={now?.state === 'asking'} data-known={now?.state ?? 'unasked'}>
      <div class="card-head">
        <h2 id="known-title" ref={title} tabIndex={-1}>Known archives</h2>
        <p class="actions">
          {now?.state === 'asking'
            ? <button id="ask-known" type="button" class="button small" onClick={stopAsking}>Stop asking</button>
            : <button id="ask-known" type="button" class="button small" disabled={asked.length === 0} onClick={() => void askAll(asked)}>Which answer?</button>}
          <button type="button" class="button small quiet" onClick={close}>Close</button>
        </p>
      </div>
      <p class="hint">
        {now === null ? `“Which answer?” asks each of the ${asked.length} for its newest state, and tells them nothing but that somebody asks.`
          : now.state === 'asking' ? `${done} of ${now.answers.size} so far.` : `Asked at ${utc(now.at / 1000).slice(11)}. What each announces itself; nothing of it is verified yet.`}
      </p>
      {now?.state === 'asking' && <progress class="known-progress" value={done} max={now.answers.size} aria-label="Archives that have been heard" />}
      {failure.value !== null && <p class="fault"><Icon name="warning" /><span>{sentence(failure.value.message)} {sentence(failure.value.advice)}</span></p>}
      {heard.some(({ answer }) => answer === 'refuses') && (
        <p class="hint caution"><Icon name="warning" /><span>Those that refuse pages have a server that answers, but does not allow pages to read from it (CORS). The command line reads them; so does this page from a copy in a folder or a zip.</span></p>
      )}
      {used.length > 0 && <Used offers={used} />}
      {here.length > 0 && (
        <section aria-labelledby="known-here">
          <h3 id="known-here">On this server</h3>
          <ul class="plain-list">{here.map((offer) => <Row key={offer.url} offer={offer} />)}</ul>
        </section>
      )}
      {presets.map(({ name, archives }) => (
        <section key={name} aria-labelledby={`known-${name}`}>
          <h3 id={`known-${name}`}>{NETWORK_LABEL[name] ?? name} <span class="hint">{plural(archives.length, 'archive')}</span></h3>
          <div class="known-organisations">
            {byOrganisation(archives).map(([organisation, own]) => (
              <div key={organisation} data-organisation={organisation}>
                <h4>{organisation}</h4>
                <ul class="plain-list">{own.map((archive) => <Row key={archive.url} offer={{ url: archive.url, label: archive.name, network: name }} />)}</ul>
              </div>
            ))}
          </div>
        </section>
      ))}
    </section>
  );
}
