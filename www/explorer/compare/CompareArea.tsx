/** Comparing archives, from what it will take to what came of it. Loaded once someone wants it. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { bytes, grouped, plural, sentence, shortName } from '../format.ts';
import { CrossOrigin } from '../parts/Trouble.tsx';
import { Icon } from '../parts/Icon.tsx';
import { form } from '../store.ts';
import { CompareMap } from './CompareMap.tsx';
import { cancel, close, comparison, live, MANY, type Plan, plan, start, table } from './model.ts';
import { Archives, Disagreements, Missing, Troubles, Verdict } from './Outcome.tsx';
import './compare.css';

/** Opens the comparison of the form's archives; without a click more nothing is compared. */
export async function openComparison(): Promise<void> {
  await plan();
}

function Planned({ made }: { readonly made: Plan }): JSX.Element {
  const agreed = useSignal(false);
  const { range, checkpoints, requests, names, silent, foreign, noSample, options } = made;
  const many = checkpoints > MANY;
  const stale = made.of !== form.value;
  const begins = options.range?.low === undefined && options.last === undefined ? ' at most: where the archives begin is found out on the way' : '';
  return (
    <Fragment>
      <p>
        <strong class="figure">{plural(checkpoints, 'checkpoint')}</strong> (ledgers {grouped(range.low)} to {grouped(range.high)}{begins}) in {plural(names.length - foreign.length - silent.length, 'archive')}:{' '}
        <strong class="figure">about {plural(requests, 'request')}</strong>. Headers, transactions, results, states and messages of consensus are compared with each other and with what is sealed; buckets are not.
      </p>
      {noSample && <p class="hint">A comparison draws no sample: it takes every checkpoint of the range.</p>}
      {foreign.length > 0 && <p class="hint caution"><Icon name="warning" /><span>{foreign.map(shortName).join(', ')} {foreign.length === 1 ? 'is' : 'are'} of another network, and left out.</span></p>}
      {silent.length > 0 && <p class="hint caution"><Icon name="warning" /><span>{silent.map(shortName).join(', ')} did not say how far {silent.length === 1 ? 'it goes' : 'they go'}, and may have nothing to compare.</span></p>}
      {many && !stale && (
        <div class="toggle consent">
          <input id="compare-consent" type="checkbox" checked={agreed.value} onChange={(event) => { agreed.value = event.currentTarget.checked; }} />
          <label for="compare-consent">Yes, compare all {grouped(checkpoints)} checkpoints</label>
          <p class="hint">This takes long, and is a load on the archives’ servers. A range in the form above makes it short.</p>
        </div>
      )}
      <p class="actions">
        {stale
          ? <button id="compare-plan" type="button" class="button primary" onClick={() => void plan()}>The form has changed: look again</button>
          : <button id="compare-start" type="button" class="button primary" disabled={many && !agreed.value} onClick={() => void start(made)}>Compare them</button>}
        <button type="button" class="button quiet" onClick={close}>Close</button>
      </p>
    </Fragment>
  );
}

function Running({ made, stopping }: { readonly made: Plan; readonly stopping: boolean }): JSX.Element {
  const now = live.value;
  const total = now?.total ?? 0;
  return (
    <Fragment>
      <div class="bar">
        <div class="bar-head"><span>{now === null || total === 0 ? 'Looking where they begin and end' : 'Checkpoints, from the newest down'}</span><span class="figure">{total === 0 ? '' : `${grouped(now?.done ?? 0)} of ${grouped(total)}`}</span></div>
        <progress aria-label="Checkpoints compared" {...(total === 0 ? {} : { value: now?.done ?? 0, max: total })} />
      </div>
      <p class="hint figure">{now === null ? `${plural(made.names.length, 'archive')}` : `${plural(now.requests, 'request')}, ${bytes(now.bytes)}`}</p>
      <p class="actions"><button type="button" class="button" disabled={stopping} onClick={cancel}>{stopping ? 'Stopping…' : 'Cancel'}</button></p>
    </Fragment>
  );
}

export function CompareArea(): JSX.Element | null {
  const top = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const now = comparison.value;
  useEffect(() => {
    if (now.state === 'closed') return;
    // Focus goes along, where a button that was pressed has gone.
    if (document.activeElement === document.body || document.activeElement?.id === 'compare') title.current?.focus({ preventScroll: true });
    top.current?.scrollIntoView({ block: 'nearest' });
  }, [now.state]);
  if (now.state === 'closed') return null;
  const over = now.state === 'done';
  const names = now.state === 'planning' ? now.names : now.plan?.names ?? [];
  return (
    <section ref={top} class="card compare" aria-labelledby="compare-title" aria-busy={now.state === 'planning' || now.state === 'running'} data-compare={now.state}>
      <h2 id="compare-title" ref={title} tabIndex={-1}>Archives compared</h2>
      {now.state !== 'done' && names.length > 0 && <ol class="compared-names">{names.map((name) => <li key={name} class="archive-name">{shortName(name)}</li>)}</ol>}
      {now.state === 'planning' && (
        <Fragment>
          <p class="hint">Asking the archives how far they go…</p>
          <p class="actions"><button type="button" class="button" onClick={cancel}>Cancel</button></p>
        </Fragment>
      )}
      {now.state === 'planned' && <Planned key={now.plan} made={now.plan} />}
      {now.state === 'running' && <Running made={now.plan} stopping={now.stopping} />}
      {now.state === 'failed' && (
        <section class={`notice ${now.failure.code === 'CRASHED' ? 'tone-faulty' : 'tone-unchecked'}`} role="alert" data-error={now.failure.code}>
          <h3><Icon name="warning" /> They cannot be compared</h3>
          <p class="archive-name">{sentence(now.failure.message)}</p>
          {now.failure.code === 'CORS_OR_NETWORK' ? <CrossOrigin archive={now.silent} /> : <p>{sentence(now.failure.advice)}</p>}
          <p class="actions">
            <button type="button" class="button" onClick={() => void plan()}>Try again</button>
            <button type="button" class="button quiet" onClick={close}>Close</button>
          </p>
        </section>
      )}
      {now.state === 'done' && <Verdict report={now.report} onClose={close} />}
      {now.state === 'done' && <Archives report={now.report} />}
      {(now.state === 'running' || now.state === 'done') && table.value !== null && <CompareMap key={table.value} table={table.value} names={names} over={over} />}
      {now.state === 'done' && (
        <Fragment>
          <Disagreements report={now.report} />
          <Missing report={now.report} />
          <Troubles report={now.report} />
        </Fragment>
      )}
    </section>
  );
}
