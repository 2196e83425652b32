/**
 * The box that takes anything one may want to see of an archive, and the place where that is shown.
 *
 * Only the field is here. What is typed is understood by a part that is loaded once someone comes near it, or by a link.
 */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { encodeForm } from '../form.ts';
import { shortName } from '../format.ts';
import { form, lookLink, sourceLabel } from '../store.ts';
import { NotLoaded } from './NotLoaded.tsx';

type Part = typeof import('../explore/Explore.tsx');

const part = signal<Part | null>(null);
const refused = signal(false);
const entered = signal('');

async function load(): Promise<Part | null> {
  refused.value = false;
  try {
    part.value = await import('../explore/Explore.tsx');
  } catch {
    refused.value = true;
  }
  return part.value;
}

/** Keys are the page's own only where nobody types. */
function typing(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, dialog') !== null;
}

/** The list of the page's keys. */
export function showKeys(): void {
  void load().then((loaded) => loaded?.showKeys());
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === '/') {
    event.preventDefault();
    document.getElementById('look-up')?.focus();
  } else if (event.key === '?') {
    showKeys();
  }
}

async function go(): Promise<void> {
  if ((await load())?.go(entered.value) === true) entered.value = '';
}

function onPaste(event: ClipboardEvent): void {
  const text = event.clipboardData?.getData('text') ?? '';
  if (!text.trimStart().startsWith('{')) return;
  // A proof has lines, and this field has one.
  event.preventDefault();
  void load().then((loaded) => loaded?.takeProof('the pasted proof', text));
}

export function LookUp(): JSX.Element {
  useEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const Loaded = part.value;
  const [first] = form.value.sources;
  const named = first !== undefined && (first.kind === 'folder' || first.url.trim() !== '');
  return (
    <div class="look-up">
      <form
        role="search" aria-label="Look up" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <label for="look-up">Look up</label>
        <div class="look-row">
          <input
            id="look-up" type="text" value={entered.value} placeholder="Ledger, checkpoint, hash, account, archive, proof"
            autocomplete="off" autocapitalize="off" spellcheck={false} aria-describedby="look-hint" enterkeyhint="go"
            onFocus={() => void load()} onPaste={onPaste} onInput={(event) => { entered.value = event.currentTarget.value; }}
          />
          <button type="submit" class="button">Go</button>
        </div>
        <div class="look-hint hint" id="look-hint">
          {Loaded !== null && entered.value.trim() !== '' ? <Loaded.Understood text={entered.value} onGone={() => { entered.value = ''; }} /> : (
            <p>
              {named
                ? <>Looks in {shortName(sourceLabel(first))}: <a href={lookLink('checkpoint=newest')}>its newest checkpoint</a>.</>
                : 'What it holds: ledgers, transactions, buckets, each beside its checks.'}
            </p>
          )}
        </div>
      </form>
      {Loaded !== null && <Loaded.Keys />}
    </div>
  );
}

export function LookInside(): JSX.Element {
  useEffect(() => {
    if (part.value === null) void load();
  }, []);
  if (part.value !== null) return <part.value.Explore />;
  if (!refused.value) return <p class="first-paint">Loading…</p>;
  return <NotLoaded again={() => void load()}><a class="button quiet" href={encodeForm(form.value) || '#'}>Back</a></NotLoaded>;
}
