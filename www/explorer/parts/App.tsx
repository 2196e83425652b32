import { Fragment, type JSX } from 'preact';
import { announcement, copyBusy, copying, formOpen, look, run } from '../store.ts';
import { ArchiveForm } from './ArchiveForm.tsx';
import { ComparePart } from './ComparePart.tsx';
import { CopyPart } from './CopyPart.tsx';
import { EngineNotice } from './EngineNotice.tsx';
import { Guide } from './Guide.tsx';
import { LookInside, LookUp } from './LookUp.tsx';
import { ProofCheck } from './ProofCheck.tsx';
import { SavedRuns } from './SavedRuns.tsx';
import { RunPart } from './RunPart.tsx';

export function App(): JSX.Element {
  const current = run.value;
  const copy = copying.value;
  return (
    <Fragment>
      <EngineNotice />
      <LookUp />
      {look.value !== '' && <LookInside />}
      {/* Kept as it is while one looks inside: a check may be under way. */}
      <div class="checking-part" hidden={look.value !== ''}>
        {copy === null && <SavedRuns />}
        {(formOpen.value || (current === null && copy === null)) && !copyBusy.value && <ArchiveForm />}
        {copy === null ? (
          <Fragment>
            <ComparePart />
            <ProofCheck />
            {current === null ? <Guide /> : <RunPart key={current} run={current} />}
          </Fragment>
        ) : <CopyPart />}
      </div>
      <p class="visually-hidden" role="status" aria-live="polite" id="announcer">{announcement.value}</p>
    </Fragment>
  );
}
