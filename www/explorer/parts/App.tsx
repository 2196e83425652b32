import { Fragment, type JSX } from 'preact';
import { announcement, copyBusy, copying, formOpen, look, run } from '../store.ts';
import { isAuditLook } from '../look.ts';
import { ArchiveForm } from './ArchiveForm.tsx';
import { AuditPart } from './AuditPart.tsx';
import { ComparePart } from './ComparePart.tsx';
import { CopyPart } from './CopyPart.tsx';
import { EngineNotice } from './EngineNotice.tsx';
import { Guide } from './Guide.tsx';
import { LookInside, LookUp, showKeys } from './LookUp.tsx';
import { ProofCheck } from './ProofCheck.tsx';
import { SavedRuns } from './SavedRuns.tsx';
import { Taken } from './Taken.tsx';
import { RunPart } from './RunPart.tsx';
import { Welcome } from './Welcome.tsx';

export function App(): JSX.Element {
  const current = run.value;
  const copy = copying.value;
  const formShown = (formOpen.value || (current === null && copy === null)) && !copyBusy.value;
  return (
    <Fragment>
      <EngineNotice />
      {current === null && copy === null && look.value === '' && <Welcome />}
      <LookUp />
      {(look.value !== '' || !formShown) && <Taken />}
      {look.value !== '' && (isAuditLook(look.value) ? <AuditPart /> : <LookInside />)}
      {/* Kept as it is while one looks inside: a check may be under way. */}
      <div class="checking-part" hidden={look.value !== ''}>
        {copy === null && <SavedRuns />}
        {formShown && <ArchiveForm />}
        {copy === null ? (
          <Fragment>
            <ComparePart />
            <ProofCheck />
            {current === null ? <Guide /> : <RunPart key={current} run={current} />}
          </Fragment>
        ) : <CopyPart />}
      </div>
      <p class="foot hint">Keys: press <kbd>?</kbd>, or <button type="button" class="link" onClick={showKeys}>see them</button>.</p>
      <p class="visually-hidden" role="status" aria-live="polite" id="announcer">{announcement.value}</p>
    </Fragment>
  );
}
