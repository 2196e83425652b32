import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CopyEstimate } from '../../lib/types.ts';
import { bytes, grouped, plural, sentence, shortName } from '../format.ts';
import { toFault } from '../parts/ArchiveForm.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Figure } from '../parts/ProgressPanel.tsx';
import { checked, copying, engine } from '../store.ts';
import {
  allowGaps, asking, askEstimate, begin, estimate, folder, known, leave, limit, limitBytes, missing, outdated, overwrite, place, readBack, sourceNames,
  storage, tried,
} from './model.ts';
import { MirrorPlace, RepairPlace } from './Where.tsx';

function Choice(props: { readonly id: string; readonly label: string; readonly hint: string; readonly of: { value: boolean } }): JSX.Element {
  return (
    <div class="toggle">
      <input id={props.id} type="checkbox" checked={props.of.value} aria-describedby={`${props.id}-hint`} onChange={(event) => { props.of.value = event.currentTarget.checked; }} />
      <label for={props.id}>{props.label}</label>
      <p class="hint" id={`${props.id}-hint`}>{props.hint}</p>
    </div>
  );
}

function More({ kind }: { readonly kind: 'mirror' | 'repair' }): JSX.Element {
  return (
    <details class="copy-more" id="copy-more">
      <summary>More choices</summary>
      <div class="copy-choices">
        {kind === 'mirror' && <Choice id="overwrite" label="Replace everything" hint="Also fetches files that are there and sound." of={overwrite} />}
        {kind === 'mirror' && <Choice id="allowGaps" label="Allow a gap" hint="Between what is there and the first ledger of the range." of={allowGaps} />}
        {place.value !== 'zip' && <Choice id="readBack" label="Read every file back" hint="After writing, and compares it: for drives that may lie. Slower." of={readBack} />}
        <div class="field">
          <label for="limit">Limit, in MiB a second</label>
          <input
            id="limit" type="text" inputMode="decimal" value={limit.value} placeholder="no limit" autocomplete="off" aria-invalid={limitBytes.value === null ? 'true' : undefined}
            onInput={(event) => { limit.value = event.currentTarget.value; }}
          />
          {limitBytes.value === null && <p class="fault"><Icon name="warning" /><span>A number above 0, or nothing.</span></p>}
        </div>
      </div>
    </details>
  );
}

/** From which archives, or that there are none yet. */
function From({ kind }: { readonly kind: 'mirror' | 'repair' }): JSX.Element {
  const names = sourceNames.value;
  const verb = kind === 'mirror' ? 'Copies' : 'Sound files come';
  if (!checked.value.ok) {
    return (
      <p class="hint">
        {kind === 'mirror' ? 'Name the archives to copy in the form above.' : 'Name one archive or more above that may have the files sound: other archives of the same network.'}
      </p>
    );
  }
  return (
    <p class="hint">
      {verb} from {names.map((name, at) => <Fragment key={name}>{at > 0 && ', '}<span class="archive-name">{shortName(name)}</span></Fragment>)}.{' '}
      {kind === 'mirror' ? 'Every file is verified before it counts; the newest state is written last.' : 'Ledgers, network and trust are those of the form above.'}
    </p>
  );
}

/** How much of what is there is left out of the number. */
function Kept(): JSX.Element | null {
  const there = place.value === 'folder' ? folder.value : place.value === 'storage' ? storage.value : null;
  if (there?.state !== 'open' || there.holding.holds === 'nothing' || there.holding.holds === 'other' || overwrite.value) return null;
  return <p class="hint">Sound files that are there already are not fetched again, so it will be less.</p>;
}

function Numbers({ of }: { readonly of: CopyEstimate }): JSX.Element {
  return (
    <Fragment>
      <dl class="figures estimate-figures">
        <Figure label="To download" value={`≈ ${bytes(of.bytes)}`} />
        <Figure label="Requests" value={`≈ ${grouped(of.files)}`} />
        <Figure label="Checkpoints" value={grouped(of.checkpoints)} />
        <Figure label="Ledgers" value={`${grouped(of.range.low)} to ${grouped(of.range.high)}`} />
      </dl>
      <p class="hint">{sentence(of.basis)} Measured: {plural(of.measured.checkpoints, 'checkpoint')} and {plural(of.measured.buckets, 'bucket')}.</p>
      <Kept />
    </Fragment>
  );
}

function EstimateBox(): JSX.Element {
  const now = estimate.value;
  const of = known.value;
  const ask = (): void => {
    if (checked.value.ok) void askEstimate();
    else toFault();
  };
  return (
    <section class="estimate" aria-labelledby="estimate-title">
      <div class="card-head">
        <h3 id="estimate-title">What it takes</h3>
        {now.state === 'asking'
          ? <button id="estimate-cancel" type="button" class="button small" onClick={now.cancel}>Stop</button>
          : <button id="estimate" type="button" class={of === null ? 'button' : 'button small quiet'} disabled={engine.value.state === 'failed'} onClick={ask}>{of === null ? 'Estimate' : 'Estimate again'}</button>}
      </div>
      {now.state === 'asking' && <p class="hint">Measuring: the newest state and a few files are read…</p>}
      {now.state === 'failed' && <p class="fault"><Icon name="warning" /><span>No estimate: {sentence(now.failure.message)} {sentence(now.failure.advice)}</span></p>}
      {of !== null && <Numbers of={of} />}
      {of === null && now.state !== 'asking' && now.state !== 'failed' && (
        <p class="hint">
          {outdated.value ? 'The form has changed since: estimate again.' : 'Reads the archive’s newest state and measures a few files. Nothing is copied yet.'}
        </p>
      )}
    </section>
  );
}

const LACKS: Readonly<Record<Exclude<typeof missing.value, null>, string>> = {
  form: 'Something in the form above is missing.',
  place: 'First choose where to copy to.',
  limit: 'See “More choices”.',
  estimate: 'Estimate first, to know how much it downloads.',
};

function toLack(): void {
  tried.value = true;
  const lack = missing.value;
  if (lack === 'form') return toFault();
  const more = document.getElementById('copy-more');
  if (lack === 'limit') more?.setAttribute('open', '');
  const ids = lack === 'estimate' ? ['estimate'] : lack === 'limit' ? ['limit'] : ['mend', 'choose-place', 'place-zip'];
  ids.map((id) => document.getElementById(id)).find((found) => found !== null)?.focus();
}

export function Prepare({ kind }: { readonly kind: 'mirror' | 'repair' }): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const mend = document.getElementById('archive') as HTMLInputElement | null;
    // Of an archive to mend the sources are what is missing; otherwise what is new on the page.
    if (copying.value?.mend !== null && mend?.value === '') mend.focus();
    else title.current?.focus({ preventScroll: true });
    title.current?.scrollIntoView({ block: 'nearest' });
  }, [kind]);
  const lack = missing.value;
  const mirror = kind === 'mirror';
  return (
    <section class="card copy" aria-labelledby="copy-title" data-copy={kind}>
      <div class="card-head">
        <h2 id="copy-title" ref={title} tabIndex={-1}>{mirror ? 'Mirror an archive' : 'Repair an archive'}</h2>
        <button id="copy-close" type="button" class="button quiet" onClick={leave}>Close</button>
      </div>
      <From kind={kind} />
      {mirror ? <MirrorPlace /> : <RepairPlace />}
      <More kind={kind} />
      {mirror && <EstimateBox />}
      <div class="form-foot">
        <button
          id="copy-start" type="button" class="button primary" aria-disabled={lack !== null || asking.value} aria-describedby="copy-lack"
          onClick={() => (lack === null ? void begin(!mirror) : toLack())}
        >
          {mirror ? 'Start copying' : 'See what is broken'}
        </button>
        <p class="hint" id="copy-lack">
          {lack !== null
            ? lack === 'place' && place.value === 'folder' && folder.value.state === 'open' ? 'This folder cannot be used; the reason is above.'
              : lack === 'place' && !mirror ? 'Choose the archive to mend first.' : LACKS[lack]
            : mirror ? `Downloads about ${bytes(known.value?.bytes ?? 0)}.` : 'Reads all files of that archive in these ledgers, and writes nothing.'}
        </p>
      </div>
    </section>
  );
}
