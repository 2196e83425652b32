import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { checkpointOf } from '../checkpoints.ts';
import { parseLedger, SCOPE_FIELDS, type Scope, sourceField, type TextName, TRUST_FIELDS } from '../form.ts';
import { grouped } from '../format.ts';
import { announce, askedToRun, busy, checked, copying, edit, engine, form, NETWORK_LABEL, openCopy, run, start, tried } from '../store.ts';
import { auditHref } from './AuditPart.tsx';
import { ArchiveRows } from './ArchiveRows.tsx';
import { CompareButton } from './ComparePart.tsx';
import { Fault, shownFault } from './Fault.tsx';
import { FreshPart } from './FreshPart.tsx';
import { Icon } from './Icon.tsx';
import { KnownArchives, KnownPart } from './KnownPart.tsx';
import { Toggle } from './Toggle.tsx';
import { TrustFields } from './TrustFields.tsx';

const TEXT: Readonly<Record<TextName, { readonly label: string; readonly placeholder: string }>> = {
  low: { label: 'From ledger', placeholder: 'first' },
  high: { label: 'To ledger', placeholder: 'last' },
  last: { label: 'How many ledgers', placeholder: '64' },
  sample: { label: 'Checkpoints', placeholder: '100' },
  seed: { label: 'Seed', placeholder: 'random' },
  network: { label: 'Network or passphrase', placeholder: 'as the archive says' },
};

function TextField({ name }: { readonly name: TextName }): JSX.Element {
  const { label, placeholder } = TEXT[name];
  const fault = shownFault(name);
  const described = [fault === undefined ? '' : `${name}-fault`, name === 'network' ? '' : 'range-hint'].filter(Boolean).join(' ');
  return (
    <div class={`field field-${name}`}>
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        type="text"
        value={form.value[name]}
        placeholder={placeholder}
        list={name === 'network' ? 'networks' : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-invalid={fault === undefined ? undefined : 'true'}
        aria-describedby={described === '' ? undefined : described}
        onInput={(event) => edit({ [name]: event.currentTarget.value })}
      />
      <Fault field={name} />
    </div>
  );
}

function ScopeField(): JSX.Element {
  return (
    <div class="field field-scope">
      <label for="scope">Which ledgers</label>
      <select id="scope" value={form.value.scope} onChange={(event) => edit({ scope: event.currentTarget.value as Scope })}>
        <option value="range">A range</option>
        <option value="last" disabled={copying.value !== null}>The newest</option>
        <option value="sample" disabled={copying.value !== null}>A random sample</option>
      </select>
    </div>
  );
}

function RangeHint(): JSX.Element {
  const scoped = form.value.scope === 'range';
  const low = parseLedger(form.value.low);
  const high = parseLedger(form.value.high);
  if (scoped && low !== null && high !== null && low <= high) {
    const first = checkpointOf(low, 64);
    const last = checkpointOf(high, 64);
    const count = (last - first) / 64 + 1;
    return (
      <p class="hint range-hint" id="range-hint">
        {count === 1 ? 'One checkpoint' : `${grouped(count)} checkpoints`}, rounded out to ledgers {grouped(Math.max(1, first - 63))} to {grouped(last)}.
      </p>
    );
  }
  if (form.value.scope === 'last') return <p class="hint range-hint" id="range-hint">Counted back from the newest ledger of the archive, rounded out to whole checkpoints.</p>;
  if (form.value.scope === 'sample') {
    return <p class="hint range-hint" id="range-hint">Checkpoints are drawn at random from these ledgers; empty means from all of them. The same seed draws the same ones again.</p>;
  }
  const whole = form.value.low.trim() === '' && form.value.high.trim() === '';
  if (whole && form.value.network === 'pubnet') {
    return (
      <p class="hint range-hint caution" id="range-hint">
        <Icon name="warning" />
        <span>Without a range this downloads the whole history of the public network, which is terabytes. Give a range first, or choose the newest ledgers or a sample. For all of it there is the <a href={auditHref()}>audit over a fleet</a>.</span>
      </p>
    );
  }
  return <p class="hint range-hint" id="range-hint">Ledger numbers, decimal or 0x…, rounded out to whole checkpoints. Empty means from the first, to the last.</p>;
}

/** Shows what is wrong with the form and goes to the first of it. */
export function toFault(): void {
  tried.value = true;
  const decision = checked.value;
  // In the order of the form.
  const fields = form.value.sources.map((_, place) => sourceField(place)).concat(SCOPE_FIELDS[form.value.scope], TRUST_FIELDS);
  const first = decision.ok ? undefined : fields.find((field) => decision.faults[field] !== undefined);
  const field = first === undefined ? null : document.getElementById(first);
  field?.closest('details')?.setAttribute('open', '');
  field?.focus();
}

function usable(): boolean {
  if (!checked.value.ok) toFault();
  return checked.value.ok;
}

const costPart = signal<typeof import('./Cost.tsx') | null>(null);

async function whatItTakes(): Promise<void> {
  if (!usable()) return;
  try {
    costPart.value = await import('./Cost.tsx');
    await costPart.value.askCost();
  } catch {
    announce('That part of the page could not be loaded: try again');
  }
}

export function ArchiveForm(): JSX.Element {
  const startButton = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // A link may ask for a run, but only a person starts a download: the button is put under their finger instead.
    if (askedToRun.value) startButton.current?.focus();
  }, []);
  const state = engine.value;
  const { scope } = form.value;
  const names = state.state === 'ready' ? state.engine.presets.map((preset) => preset.name) : Object.keys(NETWORK_LABEL);
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (copying.value === null && !start()) toFault();
  };
  const check = copying.value === null;
  return (
    <form class="card form" aria-label={check ? 'Check an archive' : 'Archives to copy from'} noValidate onSubmit={onSubmit}>
      <div class={`form-grid scope-${scope}`}>
        <ArchiveRows />
        <KnownArchives />
        <FreshPart />
        <KnownPart />
        <ScopeField />
        {SCOPE_FIELDS[scope].map((name) => <TextField key={name} name={name} />)}
        <TextField name="network" />
        <RangeHint />
        <datalist id="networks">{names.map((name) => <option key={name} value={name} />)}</datalist>
      </div>
      <fieldset class={check ? 'toggles' : 'toggles single'}>
        <legend class="visually-hidden">How much to check</legend>
        {check && <Toggle name="deep" label="Deep check" hint="Also compares every result with its transaction and looks inside buckets. Slower." />}
        <Toggle name="skipOptional" label="Skip SCP files" hint="Leaves out the consensus messages, which archives need not have." />
        {check && <Toggle name="skipBuckets" label="Skip bucket files" hint="Saves about half of the download; their hashes are still compared with the headers." />}
        {check && <Toggle name="newestFirst" label="Newest first" hint="Begins at the end of the ledgers instead of at their start." />}
      </fieldset>
      <TrustFields />
      {check && <div class="form-foot">
        <button ref={startButton} id="start" type="submit" class="button primary" disabled={busy.value || state.state === 'failed'}>
          {run.value === null ? 'Start check' : 'Start another check'}
        </button>
        <p class="hint">
          {askedToRun.value ? 'You followed a link that suggests this check. ' : ''}
          {busy.value ? 'A check is under way below; cancel it to start another.'
            : form.value.sources.every(({ kind }) => kind === 'folder') ? 'Everything is read on this computer: no server is asked for anything.' : 'Nothing is downloaded from the archive before you start.'}
        </p>
        <p class="actions copy-ways">
          <button id="ask-cost" type="button" class="button quiet" disabled={busy.value || state.state === 'failed'} onClick={() => void whatItTakes()}>Estimate</button>
          <button id="mirror" type="button" class="button quiet" disabled={busy.value || state.state === 'failed'} onClick={() => openCopy('mirror')}>Mirror…</button>
          <button id="repair" type="button" class="button quiet" disabled={busy.value || state.state === 'failed'} onClick={() => openCopy('repair')}>Repair…</button>
          <CompareButton ready={usable} />
          <button id="audit" type="button" class="button quiet" onClick={() => { location.hash = auditHref(); }}>Fleet audit…</button>
        </p>
        {costPart.value !== null && <costPart.value.Cost />}
      </div>}
    </form>
  );
}
