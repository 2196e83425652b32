/** How fresh archives are, as a table: the newest ledger of each, its age, how far it is behind, and why one does not answer. */
import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ArchiveStatus } from '../../lib/types.ts';
import { ago, iso, utc } from '../explore/words.ts';
import { duration, grouped, hex, plural, sentence, shortName } from '../format.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { CrossOrigin } from '../parts/Trouble.tsx';
import { announce, choose, engine, form, lookLink } from '../store.ts';
import { type Asked, askKnown, forget, freshness, stopAsking } from './ask.ts';
import { type Lag, lagOf, type Standing, standingOf } from './standing.ts';
import './fresh.css';

export { askFresh } from './ask.ts';

const LOOK: Readonly<Record<Standing | 'waiting' | 'unasked', { readonly word: string; readonly icon: IconName; readonly tone: string }>> = {
  waiting: { word: 'Asking', icon: 'pending', tone: 'pending' },
  unasked: { word: 'Not waited for', icon: 'none', tone: 'pending' },
  silent: { word: 'No answer', icon: 'failed', tone: 'faulty' },
  doubtful: { word: 'Doubtful', icon: 'warning', tone: 'unchecked' },
  behind: { word: 'Behind', icon: 'resting', tone: 'unchecked' },
  old: { word: 'Old', icon: 'resting', tone: 'unchecked' },
  fresh: { word: 'Fresh', icon: 'done', tone: 'verified' },
};

function Lagging({ lag }: { readonly lag: Lag | null }): JSX.Element {
  if (lag === null) return <span class="none">–</span>;
  if (lag.ledgers === 0) return <span class="none">none</span>;
  return (
    <Fragment>
      {plural(lag.ledgers, 'ledger')} <span class="under">{plural(lag.checkpoints, 'checkpoint')}{lag.seconds === null || lag.seconds <= 0 ? '' : `, ${duration(lag.seconds * 1000)}`}</span>
    </Fragment>
  );
}

function Age({ closeTime, now }: { readonly closeTime: string | null; readonly now: number }): JSX.Element {
  const seconds = Number(closeTime);
  if (closeTime === null || iso(seconds) === '') return <span class="none">unknown</span>;
  const future = seconds * 1000 - now > 60_000;
  return (
    <time dateTime={iso(seconds)}>{future ? 'in the future: ' : ''}{ago(seconds, now, 'always')} <span class="under">{utc(seconds)}</span></time>
  );
}

function Row({ asked, all, now, over }: { readonly asked: Asked; readonly all: readonly ArchiveStatus[]; readonly now: number; readonly over: boolean }): JSX.Element {
  const { status, name, organisation, offer } = asked;
  const lag = status === null ? null : lagOf(status, all);
  const standing = status === null ? (over ? 'unasked' : 'waiting') : standingOf(status, lag, now);
  const { word, icon, tone } = LOOK[standing];
  const take = (): void => {
    if (offer === null) return;
    choose(offer.url, offer.network);
    announce(`${shortName(offer.url)} is in the form`);
    requestAnimationFrame(() => document.getElementById('archive')?.focus());
  };
  return (
    <tr role="row" data-archive={shortName(name)} data-standing={standing}>
      <th role="rowheader" scope="row">
        {organisation !== null && <span class="under">{organisation}</span>}
        <span class="archive-name" title={name}>{status?.ledger == null ? shortName(name) : <a href={lookLink('checkpoint=newest', name)}>{shortName(name)}</a>}</span>
        {offer !== null && status?.ledger != null && <button type="button" class="link" aria-label={`Use ${shortName(name)}`} onClick={take}>Use it</button>}
      </th>
      <td role="cell" data-name="Standing"><span class={`badge tone-${tone}`}><Icon name={icon} />{word}</span></td>
      <td role="cell" data-name="Newest ledger">
        {status?.ledger == null ? <span class="none">–</span> : (
          <Fragment>{grouped(status.ledger)} {status.checkpoint !== null && <span class="under" title={`checkpoint ${status.checkpoint}`}>{hex(status.checkpoint)}</span>}</Fragment>
        )}
      </td>
      <td role="cell" data-name="Its age">{status?.ledger == null ? <span class="none">–</span> : <Age closeTime={status.closeTime} now={now} />}</td>
      <td role="cell" data-name="Behind"><Lagging lag={lag} /></td>
      <td role="cell" data-name="Network">
        {status?.network == null ? <span class="none">{status?.ledger == null ? '–' : 'not said'}</span> : (
          <Fragment>{status.networkName ?? status.network}{status.protocol !== null && <span class="under"> protocol {status.protocol}</span>}</Fragment>
        )}
      </td>
    </tr>
  );
}

const WHY: Readonly<Record<string, string>> = {
  CORS_OR_NETWORK: 'could not be read from this page',
  NOT_FOUND: 'has no archive at this address',
  TIMEOUT: 'did not answer in time',
};

/** Why archives gave no answer, or not a whole one. */
function Reasons({ all }: { readonly all: readonly ArchiveStatus[] }): JSX.Element | null {
  const troubled = all.filter(({ error, findings }) => error !== null || findings.length > 0);
  if (troubled.length === 0) return null;
  return (
    <div class="fresh-why">
      {troubled.map(({ archive, error, findings }) => (
        <details key={archive} data-error={error?.code ?? 'FINDINGS'}>
          <summary><span class="archive-name">{shortName(archive)}</span> {error === null ? 'answers with faults' : WHY[error.code] ?? 'did not answer as an archive does'}</summary>
          {error !== null && (error.code === 'CORS_OR_NETWORK' ? <CrossOrigin archive={archive} /> : <p>{sentence(error.message)} {sentence(error.advice)}</p>)}
          {findings.length > 0 && <ul class="plain-list">{findings.map((finding) => <li key={finding}>{sentence(finding.message)} {sentence(finding.advice)}</li>)}</ul>}
        </details>
      ))}
    </div>
  );
}

function Networks(): JSX.Element {
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  return (
    <Fragment>
      <p>No archive and no network is chosen yet. The archives that are known of which network shall be asked?</p>
      <p class="actions">
        {presets.filter(({ archives }) => archives.length > 0).map(({ name, archives }) => (
          <button key={name} type="button" class="button small" onClick={() => void askKnown(name)}>{name}: {plural(archives.length, 'archive')}</button>
        ))}
        {presets.length === 0 && <span class="hint">They are known as soon as the verifier is loaded.</span>}
      </p>
    </Fragment>
  );
}

export function Fresh(): JSX.Element | null {
  const { sources, network } = form.value;
  // It was asked of this form.
  useEffect(() => forget, [sources, network]);
  const state = freshness.value;
  if (state.state === 'none') return null;
  const told = 'archives' in state ? state.archives.flatMap(({ status }) => (status === null ? [] : [status])) : [];
  const networks = new Set(told.flatMap(({ ledger, network: of }) => (ledger === null ? [] : [of])));
  return (
    <section class="fresh" aria-labelledby="fresh-title" aria-busy={state.state === 'asking'} data-fresh={state.state}>
      <div class="card-head">
        <h2 id="fresh-title">How fresh {'archives' in state && state.archives.length === 1 ? 'it is' : 'they are'}</h2>
        <p class="actions">
          {state.state === 'asking'
            ? <button type="button" class="button small" onClick={stopAsking}>Stop asking</button>
            : <button type="button" class="button small quiet" onClick={() => { forget(); document.getElementById('ask-fresh')?.focus(); }}>Close</button>}
        </p>
      </div>
      {state.state === 'which-network' && <Networks />}
      {state.state === 'failed' && <p class="fault"><Icon name="warning" /><span>{sentence(state.failure.message)} {sentence(state.failure.advice)}</span></p>}
      {'archives' in state && (
        <Fragment>
          <p class="hint">
            {state.known ? 'Asked of the known archives of the network, because the form names none. ' : ''}
            What each announces itself, {state.state === 'asking' ? `${told.length} of ${state.archives.length} so far` : `asked at ${utc(state.at / 1000).slice(11)}`}; nothing of it is verified yet.
          </p>
          <table class="archives-table fresh-table" role="table">
            <thead role="rowgroup">
              <tr role="row">{['Archive', 'Standing', 'Newest ledger', 'Its age', 'Behind the newest', 'Network'].map((name) => <th key={name} role="columnheader" scope="col">{name}</th>)}</tr>
            </thead>
            <tbody role="rowgroup">{state.archives.map((asked) => <Row key={asked.name} asked={asked} all={told} now={state.at} over={state.state === 'done'} />)}</tbody>
          </table>
          {networks.size > 1 && <p class="hint caution"><Icon name="warning" /><span>These are archives of {networks.size} networks: each is compared with those of its own only, and a check of all together would find one of them wrong.</span></p>}
          <Reasons all={told} />
        </Fragment>
      )}
    </section>
  );
}
