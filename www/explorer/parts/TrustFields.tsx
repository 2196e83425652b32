import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { chooseFile, saveFile, textOf } from '../files.ts';
import { NOBODY, OWN, SET_FILE } from '../form.ts';
import { plural, sentence } from '../format.ts';
import { type KnownValidator, looksLikeConfig, prettySet, readQuorumSet, summaryOf } from '../quorum-set.ts';
import { announce, believed, edit, engine, form, givenNames, hashFiles, validators } from '../store.ts';
import { DropZone } from './DropZone.tsx';
import { Fault, shownFault } from './Fault.tsx';
import { Icon } from './Icon.tsx';
import { QuorumTree } from './QuorumTree.tsx';
import { Toggle } from './Toggle.tsx';

/** Bytes of a quorum set, and of a list of checkpoint hashes: public Stellar's has about a million lines of 80 bytes. */
const LARGEST_SET = 1 << 20;
const LARGEST_LIST = 256 << 20;

/** Lets the person choose a file of checkpoint hashes; it is known by its name, or by `name` where it stands in for another. */
export async function chooseHashesFile(name?: string): Promise<string | null> {
  const file = await chooseFile('.json,application/json,text/plain');
  if (file === null) return null;
  // One that cannot be read is known by an empty text, which is no list, as the field then says.
  const text = await textOf(file, LARGEST_LIST).catch(() => '');
  hashFiles.value = new Map([...hashFiles.value, [name ?? file.name, text]]);
  return name ?? file.name;
}

interface Taken {
  /** Why it is no quorum set, where a configuration says so; JSON is read with every letter typed. */
  readonly refusal: string | null;
  readonly notes: readonly string[];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const advice: unknown = Reflect.get(error, 'advice');
  return `${sentence(error.message)}${typeof advice === 'string' ? ` ${advice}` : ''}`;
}

/** Takes a quorum set's text: JSON stays as it is, a configuration becomes JSON. The reader of configurations is loaded only for one. */
async function takeText(text: string): Promise<Taken> {
  if (!looksLikeConfig(text)) {
    edit({ quorum: OWN, ownQuorum: text });
    return { refusal: null, notes: [] };
  }
  try {
    const { quorumSetFromConfig } = await import('../../lib/core-config.ts');
    const { quorumSet, names, homeDomains, notes } = quorumSetFromConfig(text);
    givenNames.value = new Map([...givenNames.value, ...Object.entries(names).map(([key, name]): [string, KnownValidator] => [key, { name, organisation: homeDomains[key] }])]);
    edit({ quorum: OWN, ownQuorum: prettySet(quorumSet) });
    announce(`Taken from the configuration: ${summaryOf(quorumSet)}`);
    return { refusal: null, notes };
  } catch (error) {
    edit({ quorum: OWN, ownQuorum: text });
    return { refusal: reasonOf(error), notes: [] };
  }
}

async function saveConfig(): Promise<void> {
  const { set } = believed.value;
  if (set === null) return;
  const names = [...validators.value].map(([key, { name }]) => [key, name]);
  try {
    const { quorumSetToConfig } = await import('../../lib/core-config.ts');
    saveFile('quorum-set.cfg', quorumSetToConfig(set, Object.fromEntries(names)), 'text/plain');
  } catch (error) {
    announce(reasonOf(error));
  }
}

function Exports(): JSX.Element | null {
  const { set } = believed.value;
  if (set === null) return null;
  return (
    <>
      <button type="button" class="button small quiet" onClick={() => saveFile(SET_FILE, `${prettySet(set)}\n`)}>Save as JSON</button>
      <button type="button" class="button small quiet" onClick={() => void saveConfig()}>Save as stellar-core configuration</button>
    </>
  );
}

function OwnSet(): JSX.Element {
  const taken = useSignal<Taken>({ refusal: null, notes: [] });
  const { ownQuorum } = form.value;
  const read = readQuorumSet(ownQuorum);
  // What is being typed is told what it lacks at once: there is nothing else to see the set by.
  const fault = taken.value.refusal ?? (read.ok || (ownQuorum.trim() === '' && shownFault('ownQuorum') === undefined) ? null : read.message);
  const take = async (text: string): Promise<void> => {
    taken.value = await takeText(text);
  };
  const takeFile = async (file: File | null): Promise<void> => {
    if (file === null) return;
    try {
      await take(await textOf(file, LARGEST_SET));
    } catch (error) {
      taken.value = { refusal: reasonOf(error), notes: [] };
    }
  };
  return (
    <DropZone class="field own-set" onFile={(file) => void takeFile(file)}>
      <label for="ownQuorum">Your quorum set</label>
      <textarea
        id="ownQuorum"
        rows={8}
        value={ownQuorum}
        placeholder={'{ "threshold": 2, "validators": ["G…", "G…", "G…"] }'}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-invalid={fault === null ? undefined : 'true'}
        aria-describedby={fault === null ? 'ownQuorum-hint' : 'ownQuorum-fault ownQuorum-hint'}
        onInput={(event) => void take(event.currentTarget.value)}
      />
      {fault !== null && <p class="fault" id="ownQuorum-fault"><Icon name="warning" /><span>{fault}</span></p>}
      {taken.value.notes.map((note) => <p key={note} class="hint">{sentence(note)}</p>)}
      <p class="hint" id="ownQuorum-hint">JSON, or a stellar-core configuration with its VALIDATORS or QUORUM_SET: paste it, drop the file here or choose it.</p>
      <p class="actions">
        <button type="button" class="button small" onClick={() => void chooseFile('.json,.cfg,.toml,application/json,text/plain').then(takeFile)}>Choose a file</button>
        <Exports />
      </p>
    </DropZone>
  );
}

const HINT: Readonly<Record<string, string>> = {
  [OWN]: 'Only these validators count; who else signed does not matter.',
  [NOBODY]: 'Signatures are not looked at: only a hash that you trust can vouch for the history.',
};

function QuorumField(): JSX.Element {
  const { quorum } = form.value;
  const { set, source, preset } = believed.value;
  const sets = engine.value.state === 'ready' ? engine.value.engine.quorumSets : [];
  const fault = shownFault('quorum');
  const onChoice = (choice: string): void => {
    // A set of one's own begins as a copy of the one that was shown.
    const copy = choice === OWN && form.value.ownQuorum === '' && set !== null ? { ownQuorum: prettySet(set) } : {};
    edit({ quorum: choice, ...copy });
  };
  return (
    <div class="field">
      <label for="quorum">Quorum set</label>
      <select id="quorum" value={quorum} aria-describedby="quorum-hint" aria-invalid={fault === undefined ? undefined : 'true'} onChange={(event) => onChoice(event.currentTarget.value)}>
        <option value="">{quorum === '' && preset !== null ? `The network’s: ${preset}` : 'The network’s'}</option>
        {sets.map(({ name }) => <option key={name} value={name}>{name}</option>)}
        {quorum !== '' && quorum !== OWN && quorum !== NOBODY && !sets.some(({ name }) => name === quorum) && <option value={quorum}>{quorum}</option>}
        <option value={OWN}>Your own…</option>
        <option value={NOBODY}>Nobody’s</option>
      </select>
      <Fault field="quorum" />
      <p class="hint" id="quorum-hint">
        {source ?? HINT[quorum] ?? (set === null ? 'It is taken once the archive says which network it is of, if one of that network is known.' : '')}
      </p>
    </div>
  );
}

function HashFields(): JSX.Element {
  const { hashes, hashesFile } = form.value;
  const fault = shownFault('hashes');
  const onChoose = async (): Promise<void> => {
    const name = await chooseHashesFile();
    if (name !== null) edit({ hashesFile: name });
  };
  return (
    <>
      <div class="field">
        <label for="hashes">Trusted hashes</label>
        <textarea
          id="hashes"
          rows={2}
          value={hashes}
          placeholder="LEDGER:HASH"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-invalid={fault === undefined ? undefined : 'true'}
          aria-describedby={fault === undefined ? 'hashes-hint' : 'hashes-fault hashes-hint'}
          onInput={(event) => edit({ hashes: event.currentTarget.value })}
        />
        <Fault field="hashes" />
        <p class="hint" id="hashes-hint">Hashes of ledger headers that you know from elsewhere, one a line. They vouch for all ledgers below.</p>
      </div>
      <div class="field" id="hashesFile" tabIndex={-1}>
        <p class="label">File of checkpoint hashes</p>
        {hashesFile === '' ? (
          <p class="actions"><button type="button" class="button small" onClick={() => void onChoose()}>Choose a file</button></p>
        ) : (
          <p class="chosen">
            <span class="folder-name">{hashesFile}</span>
            <button type="button" class="button small quiet" onClick={() => edit({ hashesFile: '' })}>Remove</button>
          </p>
        )}
        <Fault field="hashesFile" />
        <p class="hint">As verify-checkpoints writes it, of this program or of stellar-core.</p>
      </div>
    </>
  );
}

/** What is chosen besides the quorum set, in words. */
function extras(): ComponentChildren {
  const { hashes, hashesFile, allSignatures } = form.value;
  const count = hashes.split(/[\s,;]+/).filter(Boolean).length;
  const parts = [
    ...(count === 0 ? [] : [plural(count, 'trusted hash', 'trusted hashes')]),
    ...(hashesFile === '' ? [] : [`the hashes of ${hashesFile}`]),
    ...(allSignatures ? ['verifies all signatures'] : []),
  ];
  return parts.length === 0 ? null : `, ${parts.join(', ')}`;
}

/** Whose word counts: one line until someone wants another. */
export function TrustFields(): JSX.Element {
  const { set, words } = believed.value;
  return (
    <details class="trust">
      <summary><span class="summary-name">Whose word counts</span> <span class="summary-line" id="trust-line">Believes {words}{extras()}</span></summary>
      <div class="trust-grid">
        <div class="trust-set">
          <QuorumField />
          {form.value.quorum === OWN && <OwnSet />}
          {set !== null && <QuorumTree set={set} />}
          {form.value.quorum !== OWN && <p class="actions"><Exports /></p>}
        </div>
        <div class="trust-more">
          <HashFields />
          <Toggle name="allSignatures" label="Verify all signatures" hint="Not only as many as it takes to seal the end: also tells of each ledger whether it can be proven, and of every signature that is wrong." />
        </div>
      </div>
    </details>
  );
}
