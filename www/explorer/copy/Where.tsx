import { Fragment, type ComponentChildren, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { folders } from '../folders.ts';
import { bytes, grouped, shortName } from '../format.ts';
import { Icon } from '../parts/Icon.tsx';
import { copying, engine } from '../store.ts';
import {
  asking, choosePlace, copyName, emptyStorage, folder, free, known, lookAtStorage, makeInside, place, type Place, remote, remoteUrl, reuse, sourceNames,
  storage, tried, unfit,
} from './model.ts';
import { canPickFolders, hasStorage, type Holding } from './places.ts';

const NEW_FOLDER = 'stellar-archive';

function nameOfNetwork(passphrase: string): string {
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  return presets.find((preset) => preset.passphrase === passphrase)?.name ?? passphrase;
}

function Said({ tone, children }: { readonly tone: 'verified' | 'unchecked' | 'faulty'; readonly children: ComponentChildren }): JSX.Element {
  return (
    <p class={`said-there tone-${tone}`}>
      <Icon name={tone === 'verified' ? 'done' : tone === 'unchecked' ? 'info' : 'warning'} />
      <span>{children}</span>
    </p>
  );
}

/** What a folder holds, and what that means for what is to be done. */
function Holds({ holding, here, kind }: { readonly holding: Holding; readonly here: string; readonly kind: 'mirror' | 'repair' }): JSX.Element {
  const fault = unfit(holding, kind);
  if (fault === 'other-network' && holding.holds === 'archive') {
    return (
      <Said tone="faulty">
        <strong>It holds the archive of another network,</strong> {nameOfNetwork(holding.passphrase ?? '')}. Two networks in one folder would ruin both:
        choose another folder, or archives of that network above.
      </Said>
    );
  }
  if (fault === 'not-empty' && holding.holds === 'other') {
    return (
      <Fragment>
        <Said tone="unchecked">
          <strong>It is not empty, and what it holds is not an archive:</strong> {holding.names.slice(0, 3).join(', ')}{holding.names.length > 3 && ` and ${grouped(holding.names.length - 3)} more`}.
          An archive is many thousand files, better kept in a folder of its own.
        </Said>
        <p class="actions">
          <button id="make-inside" type="button" class="button small" aria-disabled={asking.value} onClick={() => void makeInside(NEW_FOLDER)}>Make a folder “{NEW_FOLDER}” in it</button>
        </p>
      </Fragment>
    );
  }
  if (fault === 'no-archive') {
    return (
      <Said tone="faulty">
        <strong>There is no archive in it.</strong> The folder to choose is the one that has <code>.well-known</code>, <code>ledger</code> and <code>bucket</code> in it.
        To make a new copy, close this and choose Mirror.
      </Said>
    );
  }
  switch (holding.holds) {
    case 'archive':
      return (
        <Said tone="verified">
          It holds an archive{holding.passphrase === null ? '' : ` of ${nameOfNetwork(holding.passphrase)}`} up to ledger {grouped(holding.ledger)}.
          {kind === 'mirror' ? ' Files that are there and sound are kept; only the others are fetched.' : ''}
        </Said>
      );
    case 'part':
      return <Said tone="unchecked">{here} holds part of an archive, without a state that can be read: a copy that was not finished. {kind === 'mirror' ? 'It goes on from there.' : 'What is there is mended.'}</Said>;
    default:
      return <Said tone="verified">{here} is empty.</Said>;
  }
}

function FolderPlace({ kind }: { readonly kind: 'mirror' | 'repair' }): JSX.Element {
  const now = folder.value;
  const read = kind === 'repair' ? [...folders.value.values()].find(({ name }) => name === copying.value?.mend)?.handle : undefined;
  return (
    <Fragment>
      {now.state === 'open' ? (
        <p class="folder">
          <Icon name="folder" /><span class="folder-name">{now.handle.name}</span><span class="hint">on this computer</span>
          <button id="choose-place" type="button" class="button small" aria-disabled={asking.value} onClick={() => void choosePlace()}>Choose another</button>
        </p>
      ) : (
        <p class="actions">
          {read !== undefined && <button id="reuse" type="button" class="button" aria-disabled={asking.value} onClick={() => void reuse(read)}>Let this page change “{read.name}”</button>}
          <button id="choose-place" type="button" class={read === undefined ? 'button' : 'button quiet'} aria-disabled={asking.value} onClick={() => void choosePlace()}>
            Choose {read === undefined ? 'a' : 'another'} folder
          </button>
        </p>
      )}
      {now.state === 'open' && <Holds holding={now.holding} here="The folder" kind={kind} />}
      {now.state === 'refused' && (
        <Said tone="faulty">
          <strong>This page may not write there</strong> ({now.reason}). Choose the folder again and allow the change when the browser asks, or choose another:
          browsers never hand over some, such as the whole home folder.
        </Said>
      )}
      {now.state === 'source' && <Said tone="faulty"><strong>{now.name} is one of the archives above,</strong> and would be copied onto itself. Choose another folder, or remove it there.</Said>}
      {now.state === 'unreadable' && <Said tone="faulty"><strong>{now.name} cannot be read</strong> ({now.reason}). See that the drive is there, and choose it again.</Said>}
      {now.state === 'none' && <p class={tried.value ? 'fault' : 'hint'}>{kind === 'mirror' ? 'An empty folder, or one with an earlier copy.' : 'The folder that has the archive’s .well-known in it.'} The browser asks whether this page may change it.</p>}
    </Fragment>
  );
}

function StoragePlace(): JSX.Element {
  const name = copyName.value;
  useEffect(() => {
    const soon = setTimeout(() => void lookAtStorage(), 150);
    return () => clearTimeout(soon);
  }, [name]);
  const now = storage.value;
  const needed = Number(known.value?.bytes ?? 0);
  const short = free.value !== null && needed > free.value;
  return (
    <Fragment>
      {now.state === 'open' && (now.holding.holds === 'nothing' ? <Said tone="verified">It will be kept here as {name}.</Said> : <Holds holding={now.holding} here={name} kind="mirror" />)}
      {now.state === 'refused' && <Said tone="faulty"><strong>This browser does not let the page keep anything</strong> ({now.reason}). In a private window that is usual. Choose another place.</Said>}
      {free.value !== null && (
        short
          ? <Said tone="faulty"><strong>There is not enough room:</strong> {bytes(free.value)} of the {bytes(needed)} that the copy may take. Choose a folder, or fewer ledgers.</Said>
          : <p class="hint">Room for {bytes(free.value)}. Only this page sees it, and the browser may throw it away when it needs the room: verify it, and do not let it be the only copy.</p>
      )}
      {now.state === 'open' && now.holding.holds !== 'nothing' && (
        <p class="actions"><button id="empty-storage" type="button" class="button small quiet" aria-disabled={asking.value} onClick={() => void emptyStorage()}>Delete what is there</button></p>
      )}
    </Fragment>
  );
}

const LARGE = 2 ** 31;

function ZipPlace(): JSX.Element {
  const large = Number(known.value?.bytes ?? 0) > LARGE;
  return large
    ? <Said tone="unchecked">A zip of that size may be more than this browser can gather: a folder takes any size, and can go on after a break.</Said>
    : <p class="hint">The browser gathers it and offers it at the end. If the tab is closed before, it is gone; for more than a few gigabytes choose a folder.</p>;
}

function RemotePlace(): JSX.Element {
  const url = remoteUrl.value;
  const wrong = remote.value.trim() !== '' ? url === null : tried.value;
  const twice = url !== null && sourceNames.value.includes(url.href);
  return (
    <div class="field">
      <label for="mend">Address of the archive to mend</label>
      <input
        id="mend" type="text" inputMode="url" value={remote.value} placeholder="https://history.example.org/archive" autocomplete="off" autocapitalize="off" spellcheck={false}
        aria-invalid={wrong || twice ? 'true' : undefined} aria-describedby="mend-hint" onInput={(event) => { remote.value = event.currentTarget.value; }}
      />
      {twice && <p class="fault"><Icon name="warning" /><span>{shortName(url.href)} is among the archives above, and would be mended from itself. Name other ones there.</span></p>}
      {wrong && <p class="fault"><Icon name="warning" /><span>Give the address of the archive’s root, as for a check.</span></p>}
      <p class="hint" id="mend-hint">
        It is only read. What it lacks goes into a zip, which whoever keeps the archive unpacks over it.
      </p>
    </div>
  );
}

interface Choice {
  readonly place: Place;
  readonly label: string;
  readonly hint: string;
  /** Why it cannot be chosen here. */
  readonly not?: string;
}

function Choices({ legend, choices }: { readonly legend: string; readonly choices: readonly Choice[] }): JSX.Element {
  return (
    <fieldset class="places" id="places" tabIndex={-1}>
      <legend>{legend}</legend>
      <div class="place-choices">
        {choices.map((choice) => (
          <label key={choice.place} class={choice.not === undefined ? 'place-choice' : 'place-choice unavailable'}>
            <input
              type="radio" name="place" id={`place-${choice.place}`} value={choice.place} checked={place.value === choice.place} disabled={choice.not !== undefined}
              onChange={() => { place.value = choice.place; }}
            />
            <span class="place-label">{choice.label}</span>
            <span class="hint">{choice.not ?? choice.hint}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const NO_PICKER = 'This browser does not let pages write to folders; Chrome and Edge on a computer do.';

export function MirrorPlace(): JSX.Element {
  return (
    <div class="place">
      <Choices legend="Where to" choices={[
        { place: 'folder', label: 'A folder', hint: 'On this computer. Can be resumed later.', ...(canPickFolders() ? {} : { not: NO_PICKER }) },
        { place: 'zip', label: 'A zip file', hint: 'Saved at the end, all at once.' },
        { place: 'storage', label: 'This browser’s storage', hint: 'To try it out, or to verify and read it here.', ...(hasStorage() ? {} : { not: 'This browser has none that pages can write to.' }) },
      ]} />
      <div class="place-detail">
        {place.value === 'folder' ? <FolderPlace kind="mirror" /> : place.value === 'storage' ? <StoragePlace /> : <ZipPlace />}
      </div>
    </div>
  );
}

export function RepairPlace(): JSX.Element {
  return (
    <div class="place">
      <Choices legend="Which archive" choices={[
        { place: 'folder', label: 'In a folder', hint: 'Mended in place, on this computer.', ...(canPickFolders() ? {} : { not: NO_PICKER }) },
        { place: 'zip', label: 'On a server', hint: 'This page cannot write to it: the sound files come as a zip.' },
      ]} />
      <div class="place-detail">{place.value === 'zip' ? <RemotePlace /> : <FolderPlace kind="repair" />}</div>
    </div>
  );
}
