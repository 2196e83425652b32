/**
 * A proof of one transaction: made from the archives of the form, saved as a file, and checked as a stranger would.
 *
 * Not here: what is in a proof, and whom to believe; the form says that, and the verifier what it comes to.
 */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { TransactionView } from '../../lib/explore-types.ts';
import type { ProofReport } from '../../lib/types.ts';
import { checkProof } from '../engine.ts';
import { saveFile } from '../files.ts';
import { bytes, ended, grouped, plural, sentence, shortName } from '../format.ts';
import { NOBODY } from '../form.ts';
import { CrossOrigin } from '../parts/Trouble.tsx';
import { Icon } from '../parts/Icon.tsx';
import { ProofView } from '../parts/ProofView.tsx';
import type { Failure } from '../run.ts';
import { announce, believed, checkedAs, form } from '../store.ts';
import type { At } from './Frame.tsx';
import { useTask } from './look-up.ts';
import { archiveAt } from './source.ts';
import { askArchives, asSource } from './tasks.ts';
import type { ExploreSource } from './protocol.ts';
import './prove.css';

interface Made {
  readonly text: string;
  readonly report: ProofReport;
}

/** The archive that is looked into, and after it the others of the form that can be read. */
function sourcesFor({ archive, place }: At): { readonly sources: readonly ExploreSource[]; readonly names: readonly string[] } {
  const found = new Map<string, ExploreSource>();
  const others = form.value.sources.flatMap((source, at) => {
    const other = at === place || asSource(source) === null ? null : archiveAt(at);
    return other?.state === 'open' ? [other] : [];
  });
  for (const { name, source } of [archive, ...others]) {
    const given = asSource(source);
    if (given !== null && !found.has(name)) found.set(name, given);
  }
  return { sources: [...found.values()], names: [...found.keys()] };
}

const TITLES: Readonly<Record<string, string>> = {
  CORS_OR_NETWORK: 'The archive could not be read from this page',
  FAULTY: 'A file that a proof needs is missing or faulty',
  NOT_FOUND: 'The archive lacks what a proof needs',
  UNANCHORED: 'Nobody who is believed vouches for it',
  USAGE: 'This cannot be proven',
};

function Failed({ failure, archive, again }: { readonly failure: Failure; readonly archive: string; readonly again: () => void }): JSX.Element {
  const faulty = failure.code === 'FAULTY' || failure.code === 'CRASHED';
  return (
    <section class={`notice ${faulty ? 'tone-faulty' : 'tone-unchecked'}`} role="alert" data-error={failure.code}>
      <h4><Icon name="warning" /> {TITLES[failure.code] ?? 'No proof could be made'}</h4>
      {failure.code === 'CORS_OR_NETWORK' ? <CrossOrigin archive={archive} /> : <p class="archive-name">{/^\S+\/\S+:/.test(failure.message) ? ended(failure.message) : sentence(failure.message)}</p>}
      {failure.code === 'UNANCHORED' && <p>Whom to believe is said in the form, under “Whose word counts”: now it is {believed.value.words}.</p>}
      {failure.code !== 'CORS_OR_NETWORK' && failure.advice !== '' && <p>{sentence(failure.advice)}</p>}
      <p class="actions"><button type="button" class="button" onClick={again}>Try again</button></p>
    </section>
  );
}

/** What the verdict means to who made the file. */
function Meaning({ report }: { readonly report: ProofReport }): JSX.Element | null {
  if (report.verdict === 'proven') return null;
  const { signers } = report;
  return (
    <p class="said-there tone-unchecked" id="who-does-not-vouch">
      <Icon name="warning" />
      <span>
        The file is made, but {form.value.quorum === NOBODY ? 'you chose to believe no validators' : believed.value.words.startsWith('nobody') ? 'no validators of this network are known whom you could believe' : `not vouched for by ${believed.value.words}`}: {signers.length === 0
          ? 'the archive has no signatures for it.'
          : `those who signed it are ${signers.length === 1 ? 'another one' : `${grouped(signers.length)} others`}, named below.`}{' '}
        It convinces those who believe enough of its signers, or a hash of its ledger.
      </span>
    </p>
  );
}

export function Prove({ at, found }: { readonly at: At; readonly found: TransactionView }): JSX.Element {
  const { task, start, cancel } = useTask<Made>();
  const requests = useSignal(0);
  const done = useRef<HTMLParagraphElement>(null);
  const name = `proof-${found.hash.slice(0, 8)}.json`;
  const { sources, names } = sourcesFor(at);
  const save = (text: string): void => saveFile(name, text.endsWith('\n') ? text : `${text}\n`);
  const make = (): void => {
    requests.value = 0;
    announce('Making the proof');
    start(async (signal) => {
      const decision = checkedAs({ sources: [at.archive.source], scope: 'range', low: '', high: '' });
      if (!decision.ok) throw Object.assign(new Error(Object.values(decision.faults)[0]?.message ?? 'the form is not right'), { code: 'USAGE', advice: 'Mend it in the form, under “Whose word counts”' });
      const { network, trust = {} } = decision.options;
      const common = { ...(network === undefined ? {} : { network }), trust };
      const { allSignatures: _, ...whom } = trust;
      const text = await askArchives('prove', sources, { ...common, trust: whom, ledger: found.ledger, index: found.index }, {
        signal, onProgress: (count) => { requests.value = count; },
      });
      return { text, report: await checkProof(text, { ...common, trust: whom }) };
    });
  };
  useEffect(make, []);
  const state = task.value;
  useEffect(() => {
    if (state.state === 'failed') announce(`No proof: ${state.failure.message}`);
    if (state.state !== 'ready') return;
    save(state.value.text);
    announce(`${name} is made. ${state.value.report.verdict}: ${state.value.report.statement}`);
    done.current?.focus({ preventScroll: true });
  }, [state]);
  const stop = (): void => {
    cancel();
    announce('Cancelled');
    requestAnimationFrame(() => document.getElementById('make-proof')?.focus());
  };
  return (
    <div class="prove" data-prove={state.state}>
      {state.state === 'idle' && <p class="actions"><button id="make-proof" type="button" class="button" onClick={make}>Make a proof</button></p>}
      {state.state === 'loading' && (
        <Fragment>
          <progress aria-label="Making the proof" />
          <p class="hint figure">
            Reading the chain of headers and the signatures from {names.length === 1 ? shortName(names[0] ?? '') : plural(names.length, 'archive')}
            {requests.value > 0 ? `; ${plural(requests.value, 'request')} so far` : '…'}
          </p>
          <p class="actions"><button type="button" class="button" onClick={stop}>Cancel</button></p>
        </Fragment>
      )}
      {state.state === 'failed' && <Failed failure={state.failure} archive={at.archive.name} again={make} />}
      {state.state === 'ready' && (
        <Fragment>
          <p class="made" ref={done} tabIndex={-1}>
            <Icon name="done" /> <span><strong>{name}</strong> ({bytes(new Blob([state.value.text]).size)}) is saved. Anyone can check it: here, by dropping it on the page, or with <code>verify-proof</code>.</span>
          </p>
          <p class="actions">
            <button type="button" class="button" onClick={() => save(state.value.text)}>Save it again</button>
            <button type="button" class="button quiet" onClick={make}>Make it anew</button>
          </p>
          <Meaning report={state.value.report} />
          <ProofView name={name} report={state.value.report} ids="made-" />
        </Fragment>
      )}
    </div>
  );
}
