/**
 * Looking inside an archive: what the box understood, and the views of checkpoints, ledgers, transactions, buckets and entries.
 *
 * Loaded once someone wants it. Which view is shown the address alone says, so every view is a link and Back and Forward work.
 */
import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { checkpointOf } from '../checkpoints.ts';
import { encodeForm, EMPTY_FORM } from '../form.ts';
import { announce, busy, copyBusy, engine, form, formOpen, keepInMind, look, lookLink, openProof } from '../store.ts';
import { withLook } from '../look.ts';
import { BucketView } from './BucketView.tsx';
import { CheckpointView } from './CheckpointView.tsx';
import { EntryView } from './EntryView.tsx';
import { FindView } from './FindView.tsx';
import { Keys, keysShown } from './Keys.tsx';
import { LedgerView } from './LedgerView.tsx';
import { followKeys } from './moves.ts';
import { NoArchive, FaultyAddress, Nonsense } from './Hindrances.tsx';
import { type Choice, recognise } from './recognise.ts';
import { FREQUENCY, keysOf, type Route, routeOf } from './routes.ts';
import { archiveAt } from './source.ts';
import { TransactionView } from './TransactionView.tsx';
import { Icon } from '../parts/Icon.tsx';
import './explore.css';

/** The checkpoint that is looked at, so that a key is looked for where one is. */
function checkpointInView(): number | null {
  const { subject } = routeOf(look.value);
  switch (subject?.kind) {
    case 'checkpoint': case 'entry': return subject.checkpoint;
    case 'ledger': case 'transaction': return checkpointOf(subject.ledger, FREQUENCY);
    default: return null;
  }
}

function hrefOf(choice: Choice): string {
  if (choice.fragment !== undefined) return choice.fragment;
  const keys = choice.subject === undefined ? '' : keysOf(choice.subject, choice.archive === undefined ? routeOf(look.value).place : 0);
  if (choice.archive === undefined) return lookLink(keys);
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  const network = presets.find(({ archives }) => archives.some(({ url }) => url === choice.archive))?.name ?? '';
  return withLook(encodeForm({ ...EMPTY_FORM, network, sources: [{ kind: 'url', url: choice.archive }] }), keys);
}

function understood(text: string): ReturnType<typeof recognise> {
  return recognise(text, new URL(location.href), checkpointInView());
}

/** Goes to what `text` means most likely. `false` where it means nothing. */
export function go(text: string): boolean {
  const found = understood(text);
  if (found === null) return false;
  if (found.kind === 'proof') {
    takeProof('the pasted proof', text);
    return true;
  }
  const [first] = found.choices;
  if (first === undefined) {
    announce(found.what);
    return false;
  }
  const href = hrefOf(first);
  // Asked for again what is on the page already: nothing would happen otherwise.
  if (new URL(href, location.href).href === location.href) document.getElementById('view-title')?.focus();
  location.hash = href;
  return true;
}

/** Hands a proof over to the check of proofs, which has a place of its own among the checks. */
export function takeProof(name: string, text: string): void {
  if (look.value !== '') location.hash = encodeForm(form.value) || '#';
  if (form.value.sources.length > 0) formOpen.value = true;
  void openProof(name, text);
  requestAnimationFrame(() => document.getElementById('proof-file')?.focus());
}

export { Keys };

export function showKeys(): void {
  keysShown.value = true;
}

/** What was recognised, said while it is typed, with links to all that it can mean. */
export function Understood({ text, onGone }: { readonly text: string; readonly onGone: () => void }): JSX.Element | null {
  const found = understood(text);
  const what = found?.what ?? '';
  const wrong = found?.kind === 'wrong' || found?.kind === 'secret';
  const none = archiveAt(routeOf(look.value).place).state === 'none' && found !== null && found.choices.some(({ archive, fragment }) => archive === undefined && fragment === undefined);
  useEffect(() => {
    // Once the hand rests.
    const waiting = setTimeout(() => announce(what), 700);
    return () => clearTimeout(waiting);
  }, [what]);
  if (found === null) return null;
  return (
    <Fragment>
      <p class={wrong ? 'fault' : 'said-there'} data-recognised={found.kind}>
        {wrong && <Icon name="warning" />}
        <span>{found.what}{none ? ' No archive is chosen yet to look in.' : ''}</span>
      </p>
      {found.choices.length > 0 && (
        <p class="choices">
          {found.choices.map((choice, place) => (
            <a key={choice.label} href={hrefOf(choice)} class={place === 0 ? 'choice first' : 'choice'} onClick={onGone}>{choice.label}</a>
          ))}
        </p>
      )}
      {found.kind === 'proof' && <p class="choices"><button type="button" class="link" onClick={() => takeProof('the pasted proof', text)}>Check it</button></p>}
    </Fragment>
  );
}

function Subject({ route }: { readonly route: Route }): JSX.Element {
  const { subject, place } = route;
  if (subject === null) return <Nonsense />;
  const archive = archiveAt(place);
  if (archive.state === 'none') return <NoArchive />;
  if (archive.state === 'fault') return <FaultyAddress archive={archive} />;
  const at = { archive, place };
  switch (subject.kind) {
    case 'checkpoint': return <CheckpointView {...at} checkpoint={subject.checkpoint} />;
    case 'ledger': return <LedgerView {...at} ledger={subject.ledger} />;
    case 'transaction': return <TransactionView {...at} ledger={subject.ledger} index={subject.index} />;
    case 'bucket': return <BucketView {...at} hash={subject.hash} from={subject.from} />;
    case 'entry': return <EntryView {...at} entryKey={subject.key} checkpoint={subject.checkpoint} />;
    case 'find': return <FindView {...at} hash={subject.hash} />;
  }
}

export function Explore(): JSX.Element {
  useEffect(followKeys, []);
  const route = routeOf(look.value);
  const archive = archiveAt(route.place);
  // Another subject, or another archive, is another view from its beginning.
  const used = archive.state === 'open' && archive.online ? archive.name : '';
  useEffect(() => {
    if (used !== '') keepInMind([used]);
  }, [used]);
  const key = `${archive.state === 'none' ? '' : `${archive.state} ${archive.name}`} ${look.value}`;
  return (
    <Fragment>
      {busy.value && <p class="hint">{copyBusy.value ? 'A copy' : 'A check'} goes on meanwhile. <a href={encodeForm(form.value) || '#'}>Back to it</a></p>}
      <Subject key={key} route={route} />
    </Fragment>
  );
}
