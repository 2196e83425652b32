import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { chooseAgain } from '../folders.ts';
import { plural, grouped, shortName } from '../format.ts';
import type { SavedRun } from '../saved-runs.ts';
import { busy, continueSaved, discardSaved, engine, formOpen, missesHashes, missingFolders, run, saved } from '../store.ts';
import { Icon } from './Icon.tsx';
import { chooseHashesFile } from './TrustFields.tsx';

function Offer({ entry }: { readonly entry: SavedRun }): JSX.Element {
  const refused = useSignal(false);
  const missing = missingFolders(entry);
  // A list of files cannot be had again without choosing; a stored folder needs no more than a permission.
  const lost = missing.filter(({ name }) => refused.value || entry.handles[name] === undefined);
  const onContinue = async (): Promise<void> => {
    refused.value = !(await continueSaved(entry));
  };
  return (
    <li class="offer" data-run={entry.id}>
      <p>
        Continue the run of <strong class="archive-name">{entry.archives.map(shortName).join(', ')}</strong>,{' '}
        {entry.total === 0 ? 'barely begun' : `${grouped(entry.done)} of ${plural(entry.total, 'checkpoint')} done`}
        <span class="hint"> · saved {new Date(entry.savedAt).toLocaleString()}</span>
      </p>
      {lost.length > 0 ? (
        <p class="hint">
          Part of it is read from a {lost[0]?.zip === true ? 'zip' : 'folder'} of this computer. Browsers forget such {lost[0]?.zip === true ? 'files' : 'folders'} with the page, so it has to be chosen again:{' '}
          {lost.map((source) => (
            <button key={source.name} type="button" class="button small" onClick={() => void chooseAgain(source)}><Icon name="folder" /> Choose {source.name}</button>
          ))}
        </p>
      ) : missing.length > 0 && <p class="hint">The browser will ask whether this page may read {missing.map(({ name }) => name).join(' and ')} again.</p>}
      {missesHashes(entry) && (
        <p class="hint">
          It trusts the checkpoint hashes of a file, which has to be chosen again:{' '}
          <button type="button" class="button small" onClick={() => void chooseHashesFile(entry.form.hashesFile)}><Icon name="folder" /> Choose {entry.form.hashesFile}</button>
        </p>
      )}
      <p class="actions">
        <button type="button" class="button" disabled={lost.length > 0 || missesHashes(entry) || engine.value.state === 'failed'} onClick={() => void onContinue()}>Continue</button>
        <button type="button" class="button quiet" onClick={() => void discardSaved(entry.id)}>Discard</button>
      </p>
    </li>
  );
}

/** Runs of earlier visits that can go on. */
export function SavedRuns(): JSX.Element | null {
  if (saved.value.length === 0 || busy.value || !(formOpen.value || run.value === null)) return null;
  return (
    <section class="card offers" aria-labelledby="saved-title">
      <h2 id="saved-title">{saved.value.length === 1 ? 'A run was left unfinished' : 'Runs left unfinished'}</h2>
      <ul class="plain-list">{saved.value.map((entry) => <Offer key={entry.id} entry={entry} />)}</ul>
    </section>
  );
}
