import { Fragment, type JSX } from 'preact';
import { announcement, formOpen, run } from '../store.ts';
import { ArchiveForm } from './ArchiveForm.tsx';
import { EngineNotice } from './EngineNotice.tsx';
import { Guide } from './Guide.tsx';
import { ProofCheck } from './ProofCheck.tsx';
import { SavedRuns } from './SavedRuns.tsx';
import { RunView } from './RunView.tsx';

export function App(): JSX.Element {
  const current = run.value;
  return (
    <Fragment>
      <EngineNotice />
      <SavedRuns />
      {(formOpen.value || current === null) && <ArchiveForm />}
      <ProofCheck />
      {current === null ? <Guide /> : <RunView key={current} run={current} />}
      <p class="visually-hidden" role="status" aria-live="polite" id="announcer">{announcement.value}</p>
    </Fragment>
  );
}
