import type { JSX } from 'preact';
import { chooseAgain, chooseFolder, chooseZip, folders, freeName } from '../folders.ts';
import { MAX_ARCHIVES, type Source, sourceField } from '../form.ts';
import { activeSource, addSource, announce, form, removeSource, setSource, takenNames } from '../store.ts';
import { Fault, shownFault } from './Fault.tsx';
import { AskFresh } from './FreshPart.tsx';
import { Icon } from './Icon.tsx';
import { Taken } from './Taken.tsx';

function focusSoon(id: string): void {
  requestAnimationFrame(() => document.getElementById(id)?.focus());
}

async function add(zip: boolean): Promise<void> {
  const name = await (zip ? chooseZip : chooseFolder)((own) => freeName(own, takenNames()));
  if (name !== null) addSource({ kind: 'folder', name, ...(zip ? { zip: true } : {}) });
}

function remove(place: number): void {
  removeSource(place);
  announce('Archive removed');
  focusSoon(sourceField(Math.max(0, place - 1)));
}

function Row({ source, place, only }: { readonly source: Source; readonly place: number; readonly only: boolean }): JSX.Element {
  const id = sourceField(place);
  const fault = shownFault(id);
  const label = place === 0 ? 'Archive address' : `Archive ${place + 1}`;
  const open = source.kind === 'folder' && folders.value.has(source.name);
  return (
    <div class="field">
      <div class="archive-row">
        {source.kind === 'url' ? (
          <input
            id={id}
            type="text"
            inputMode="url"
            aria-label={label}
            value={source.url}
            placeholder="https://history.example.org/archive"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            aria-invalid={fault === undefined ? undefined : 'true'}
            aria-describedby={fault === undefined ? undefined : `${id}-fault`}
            onFocus={() => { activeSource.value = place; }}
            onInput={(event) => setSource(place, { kind: 'url', url: event.currentTarget.value })}
          />
        ) : (
          <p class="folder" id={id} tabIndex={-1}>
            <Icon name="folder" />
            <span class="folder-name">{source.name}</span>
            {open ? <span class="hint">on this computer</span> : (
              <button type="button" class="button small" aria-label={`Choose the ${source.zip === true ? 'zip' : 'folder'} ${source.name}`} onClick={() => void chooseAgain(source)}>
                Choose it again
              </button>
            )}
          </p>
        )}
        {!(only && source.kind === 'url') && (
          <button type="button" class="button quiet remove" aria-label={`Remove ${label.toLowerCase()}`} onClick={() => remove(place)}>
            <Icon name="remove" />
          </button>
        )}
      </div>
      <Fault field={id} onInstead={(url) => setSource(place, { kind: 'url', url })} />
    </div>
  );
}

/** The archives of the check: the first is what one came for, the others stand in for it and are compared with it. */
export function ArchiveRows(): JSX.Element {
  const { sources } = form.value;
  const full = sources.length >= MAX_ARCHIVES;
  return (
    <fieldset class="archives">
      <legend>{sources.length === 1 ? 'Archive address' : 'Archives'}</legend>
      {sources.map((source, place) => <Row key={place} source={source} place={place} only={sources.length === 1} />)}
      <p class="actions">
        <button
          id="add-archive" type="button" class="button small quiet" disabled={full}
          onClick={() => {
            addSource({ kind: 'url', url: '' });
            focusSoon(sourceField(form.value.sources.length - 1));
          }}
        >
          Add an archive
        </button>
        <button id="add-folder" type="button" class="button small quiet" disabled={full} onClick={() => void add(false)}>Add a folder</button>
        <button id="add-zip" type="button" class="button small quiet" disabled={full} onClick={() => void add(true)}>Add a zip</button>
        <AskFresh />
      </p>
      <Taken />
    </fieldset>
  );
}
