/** The archives that the page knows: a list to choose from, and all of them with who answers, a part that is loaded once someone wants it. */
import { signal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { shortName } from '../format.ts';
import { recent } from '../recent.ts';
import { announce, choose, engine, form, localArchives, NETWORK_LABEL, targetSource } from '../store.ts';

const part = signal<typeof import('../known/Known.tsx') | null>(null);

async function open(): Promise<void> {
  try {
    part.value ??= await import('../known/Known.tsx');
    part.value.open();
  } catch {
    announce('That part of the page could not be loaded: try again');
  }
}

export function KnownArchives(): JSX.Element {
  const state = engine.value;
  const presets = state.state === 'ready' ? state.engine.presets : [];
  const listed = presets.flatMap(({ name, archives }) => archives.map(({ url }) => ({ url, network: name })));
  const known = [...localArchives.value.map(({ url }) => ({ url, network: undefined })), ...listed, ...recent.value];
  const target = form.value.sources[targetSource.value];
  const entered = target?.kind === 'url' ? target.url : '';
  const onChoice = (chosen: string): void => {
    const found = known.find(({ url }) => url === chosen);
    if (found !== undefined) choose(chosen, found.network || undefined);
  };
  return (
    <div class="field">
      <label for="known">Known archives</label>
      <select
        id="known"
        value={known.some(({ url }) => url === entered) ? entered : ''}
        disabled={known.length === 0}
        onChange={(event) => onChoice(event.currentTarget.value)}
      >
        <option value="">{state.state === 'loading' ? 'Loading…' : known.length === 0 ? 'None available' : 'Choose…'}</option>
        {localArchives.value.length > 0 && (
          <optgroup label="On this server">
            {localArchives.value.map((archive) => <option key={archive.url} value={archive.url}>{archive.name}</option>)}
          </optgroup>
        )}
        {recent.value.length > 0 && (
          <optgroup label="Used in this browser">
            {recent.value.map(({ url }) => <option key={url} value={url}>{shortName(url)}</option>)}
          </optgroup>
        )}
        {presets.filter((preset) => preset.archives.length > 0).map((preset) => (
          <optgroup key={preset.name} label={NETWORK_LABEL[preset.name] ?? preset.name}>
            {preset.archives.map((archive) => (
              <option key={archive.url} value={archive.url}>{archive.organisation} – {archive.name}</option>
            ))}
          </optgroup>
        ))}
      </select>
      <p class="actions known-ways"><button id="show-known" type="button" class="button small quiet" onClick={() => void open()}>Which of them answer…</button></p>
    </div>
  );
}

export function KnownPart(): JSX.Element {
  return <Fragment>{part.value !== null && <part.value.Known />}</Fragment>;
}
