/** The checks of a ledger, a transaction or a state as a list to walk through: what was computed, who says so, and how to repeat it. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import type { Check } from '../../lib/explore-types.ts';
import { bytes, grouped, plural, sentence } from '../format.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import { FileLink } from '../parts/FileLink.tsx';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { commandOf } from './commands.ts';
import type { OpenArchive } from './Frame.tsx';
import { type Outcome, OUTCOME_WORD, TONE } from './Pieces.tsx';

export const CHECK_TITLE: Readonly<Record<Check['name'], string>> = {
  genesis: 'Genesis',
  'header-hash': 'Header',
  'previous-header': 'Ledger before',
  'next-header': 'Ledger after',
  'transaction-set': 'Transaction set',
  results: 'Results',
  'result-count': 'Number of results',
  'bucket-list': 'Bucket list',
  'scp-value': 'Agreed value',
  'transaction-hash': 'Transaction hash',
  'result-of-transaction': 'Result of the transaction',
};

/** Leads to the evidence of a check that is on the page. */
export function showCheck(name: Check['name']): void {
  const item = document.querySelector(`[data-check="${name}"]`);
  const details = item?.querySelector('details');
  if (details !== null && details !== undefined) details.open = true;
  item?.scrollIntoView({ block: 'center' });
  (details?.querySelector('summary') ?? item?.closest('section')?.querySelector<HTMLElement>('h3'))?.focus({ preventScroll: true });
}

/** Characters of a command that are shown; what is copied is whole. */
const SHOWN = 480;

function shortened(command: string): string {
  return command.length <= SHOWN ? command : `${command.slice(0, SHOWN - 80)} … ${command.slice(-60)}`;
}

/** All of them in one word: what is broken outweighs what is not known, and that what holds. */
export function together(checks: readonly Check[]): Outcome {
  if (checks.some(({ outcome }) => outcome === 'broken')) return 'broken';
  return checks.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'holds';
}

export function summaryOf(checks: readonly Check[]): string {
  const count = (outcome: Outcome): number => checks.filter((check) => check.outcome === outcome).length;
  const parts = [
    count('broken') === 0 ? '' : `${grouped(count('broken'))} broken`,
    count('holds') === 0 ? '' : count('holds') < checks.length ? plural(count('holds'), 'holds', 'hold') : checks.length === 1 ? 'it holds' : checks.length === 2 ? 'both hold' : `all ${grouped(checks.length)} hold`,
    count('unknown') === 0 ? '' : `${grouped(count('unknown'))} not known`,
  ];
  return checks.length === 0 ? 'nothing could be checked' : parts.filter(Boolean).join(', ');
}

function Evidence({ archive, check }: { readonly archive: OpenArchive; readonly check: Check }): JSX.Element {
  const command = commandOf(archive, check);
  return (
    <div class="check-evidence">
      <dl class="evidence">
        {check.computed !== null && <div><dt>Computed</dt><dd><Hash value={check.computed} what="the computed hash" /></dd></div>}
        {check.claims.map((claim) => {
          const same = check.computed === null ? null : claim.hash === check.computed;
          return (
            <div key={claim.by} class={same === false ? 'tone-faulty' : 'tone-verified'}>
              <dt class="claim-by">
                {same !== null && <span class="claim-mark"><Icon name={same ? 'done' : 'failed'} /><span class="visually-hidden">{same ? 'The same: ' : 'Another: '}</span></span>}
                {sentence(claim.by).replace(/\.$/, '')}
              </dt>
              <dd><Hash value={claim.hash} what={`the hash that ${claim.by} gives`} /></dd>
            </div>
          );
        })}
        {check.of !== null && (
          <div>
            <dt>Bytes</dt>
            <dd class="plain-value">{grouped(check.of.length)} from {grouped(check.of.offset)} on, in <FileLink archive={archive.online ? archive.base : ''} path={check.of.path} /></dd>
          </div>
        )}
        {check.of === null && check.parts !== undefined && check.parts.length > 0 && (
          <div><dt>Bytes</dt><dd class="plain-value">{grouped(check.parts.reduce((sum, { length }) => sum + length, 0))}, in {plural(check.parts.length, 'piece')}</dd></div>
        )}
        {check.of === null && check.hex !== null && <div><dt>Bytes</dt><dd class="plain-value">{plural(check.hex.length / 2, 'byte')}, put together from several places</dd></div>}
      </dl>
      {command === null ? check.computed !== null && <p class="hint">The bytes are more than {bytes(65_536)}, and stand together in no file.</p> : (
        <div class="snippet">
          <code>{shortened(command)}</code>
          <CopyButton small label="Copy" title={`Copy the command for ${CHECK_TITLE[check.name].toLowerCase()}`} text={() => command} />
        </div>
      )}
    </div>
  );
}

function Item({ archive, check, open, onToggle }: {
  readonly archive: OpenArchive;
  readonly check: Check;
  readonly open: boolean;
  readonly onToggle: (open: boolean) => void;
}): JSX.Element {
  const tone = TONE[check.outcome];
  const evident = check.computed !== null || check.claims.length > 0;
  return (
    <li class={`check tone-${tone}`} data-check={check.name} data-outcome={check.outcome}>
      <span class="check-mark"><Icon name={tone} /></span>
      <div class="check-body">
        <p class="check-head"><strong>{CHECK_TITLE[check.name]}</strong> <span class="check-word">{OUTCOME_WORD[check.outcome]}</span></p>
        <p class="check-what">{sentence(check.what)} {check.why !== null && <span class="check-why">{sentence(check.why)}</span>}</p>
        {evident && (
          <details open={open} onToggle={(event) => onToggle(event.currentTarget.open)}>
            <summary>Show me<span class="visually-hidden">: {CHECK_TITLE[check.name]}</span></summary>
            {open && <Evidence archive={archive} check={check} />}
          </details>
        )}
      </div>
    </li>
  );
}

interface Props {
  readonly archive: OpenArchive;
  readonly checks: readonly Check[];
  readonly title?: string;
  /** What comes after them. */
  readonly children?: ComponentChildren;
}

export function Checks({ archive, checks, title = 'Checks', children }: Props): JSX.Element {
  // What is broken shows why without being asked.
  const open = useSignal<ReadonlySet<number>>(new Set(checks.flatMap(({ outcome }, place) => (outcome === 'broken' ? [place] : []))));
  const all = open.value.size >= checks.length;
  const toggle = (place: number, now: boolean): void => {
    if (open.value.has(place) === now) return;
    const next = new Set(open.value);
    if (now) next.add(place);
    else next.delete(place);
    open.value = next;
  };
  return (
    <section class="card" aria-labelledby="checks-title">
      <div class="card-head">
        <h3 id="checks-title" tabIndex={-1}>{title} <span class="aside">{summaryOf(checks)}</span></h3>
        {checks.length > 1 && (
          <button type="button" class="button small quiet" onClick={() => { open.value = all ? new Set() : new Set(checks.keys()); }}>{all ? 'Hide the evidence' : 'Show me all'}</button>
        )}
      </div>
      <ol class="checks">
        {checks.map((check, place) => <Item key={place} archive={archive} check={check} open={open.value.has(place)} onToggle={(now) => toggle(place, now)} />)}
      </ol>
      {children}
    </section>
  );
}
