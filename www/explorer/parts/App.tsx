import { Fragment, type JSX } from 'preact';
import { announcement, copyBusy, copying, formOpen, run } from '../store.ts';
import { ArchiveForm } from './ArchiveForm.tsx';
import { CopyPart } from './CopyPart.tsx';
import { EngineNotice } from './EngineNotice.tsx';
import { Guide } from './Guide.tsx';
import { ProofCheck } from './ProofCheck.tsx';
import { SavedRuns } from './SavedRuns.tsx';
import { RunView } from './RunView.tsx';

export function App(): JSX.Element {
  const current = run.value;
  const copy = copying.value;
  return (
    <Fragment>
      <EngineNotice />
      {copy === null && <SavedRuns />}
      {(formOpen.value || (current === null && copy === null)) && !copyBusy.value && <ArchiveForm />}
      {copy === null ? (
        <Fragment>
          <ProofCheck />
          {current === null ? <Guide /> : <RunView key={current} run={current} />}
        </Fragment>
      ) : <CopyPart />}
      <p class="visually-hidden" role="status" aria-live="polite" id="announcer">{announcement.value}</p>
    </Fragment>
  );
}
