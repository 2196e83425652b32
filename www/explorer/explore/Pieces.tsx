/** Small things that several views show: outcomes, times, hashes that lead somewhere, JSON and XDR. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import type { Check } from '../../lib/explore-types.ts';
import { bytes, grouped } from '../format.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import { Icon } from '../parts/Icon.tsx';
import { JsonTree } from './JsonTree.tsx';
import { ago, iso, utc } from './words.ts';

export type Outcome = Check['outcome'];

export const TONE: Readonly<Record<Outcome, 'verified' | 'faulty' | 'unchecked'>> = { holds: 'verified', broken: 'faulty', unknown: 'unchecked' };
export const OUTCOME_WORD: Readonly<Record<Outcome, string>> = { holds: 'Holds', broken: 'Broken', unknown: 'Not known' };

/** Shape, colour and word together. */
export function OutcomeBadge({ outcome, word = OUTCOME_WORD[outcome] }: { readonly outcome: Outcome; readonly word?: string }): JSX.Element {
  return <span class={`badge tone-${TONE[outcome]}`} data-outcome={outcome}><Icon name={TONE[outcome]} />{word}</span>;
}

/** A moment, and how long ago that is. */
export function Time({ seconds }: { readonly seconds: number }): JSX.Element {
  if (seconds <= 0 || iso(seconds) === '') return <span class="none">none</span>;
  return <time dateTime={iso(seconds)} class="figure">{utc(seconds)} <span class="relative">{ago(seconds, Date.now())}</span></time>;
}

/** A moment in a narrow column, which has room for the time of day alone. */
export function ShortTime({ seconds }: { readonly seconds: number }): JSX.Element {
  if (seconds <= 0 || iso(seconds) === '') return <span class="none">none</span>;
  const [date, time] = utc(seconds).split(' ');
  return <time dateTime={iso(seconds)} class="figure" title={ago(seconds, Date.now())}><span class="date">{date} </span>{time}</time>;
}

/** A hash as a link: as much of it as there is room for, and always its end. */
export function HashLink({ value, href, title = value }: { readonly value: string; readonly href: string; readonly title?: string }): JSX.Element {
  return (
    <a class="hash-link" href={href} title={title}>
      <code class="hash-text"><span class="hash-head">{value.slice(0, -8)}</span><span class="hash-tail">{value.slice(-8)}</span></code>
    </a>
  );
}

/** A closed part whose content is made when it is opened, so that thousands of them cost nothing. */
export function Fold(props: {
  readonly summary: ComponentChildren;
  readonly class?: string;
  readonly open?: boolean;
  readonly children: () => ComponentChildren;
}): JSX.Element {
  const open = useSignal(props.open === true);
  return (
    <details class={props.class ?? 'fold'} open={open.value} onToggle={(event) => { open.value = event.currentTarget.open; }}>
      <summary>{props.summary}</summary>
      {open.value && props.children()}
    </details>
  );
}

/** Characters that are shown without being asked for: a browser takes long over megabytes in one line. */
const SHOWN = 30_000;

/** Text as it is, wrapped or in its own lines. `what` names it for those who hear the page. */
export function Verbatim({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const wrap = useSignal(true);
  const whole = useSignal(false);
  const cut = text.length > SHOWN && !whole.value;
  return (
    <figure class="verbatim">
      <figcaption>
        <span class="label">{what}</span>
        <span class="actions">
          <button type="button" class="button quiet small" aria-pressed={wrap.value} onClick={() => { wrap.value = !wrap.value; }}>Wrap</button>
          <CopyButton small label="Copy" title={`Copy ${what}`} text={() => text} />
        </span>
      </figcaption>
      <pre class={wrap.value ? 'wrap-lines' : ''} tabIndex={0} role="group" aria-label={what}>{cut ? `${text.slice(0, SHOWN)}…` : text}</pre>
      {cut && <button type="button" class="button small quiet" onClick={() => { whole.value = true; }}>Show all of {bytes(text.length)}</button>}
    </figure>
  );
}

/** A value as stellar’s tools print it, and the same as XDR. */
export function Raw({ json, xdr, hex, name }: {
  readonly json: unknown;
  /** Base64. */
  readonly xdr?: string | undefined;
  readonly hex?: string;
  readonly name: string;
}): JSX.Element {
  const beside = xdr ?? hex;
  return (
    <div class={beside === undefined ? 'raw single' : 'raw'}>
      {json === null || json === undefined ? <p class="hint">It is newer than this verifier, which cannot decode it.</p> : <JsonTree what={`${name} as JSON`} value={json} />}
      {beside !== undefined && <Verbatim what={`${name} as XDR, ${xdr === undefined ? 'hexadecimal' : 'base64'}`} text={beside} />}
    </div>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Going through a long list by pages. */
export function Pager({ from, size, total, go }: { readonly from: number; readonly size: number; readonly total: number; readonly go: (from: number) => void }): JSX.Element | null {
  if (total <= size) return null;
  const last = Math.min(total, from + size);
  return (
    <p class="pager">
      <button type="button" class="button small" disabled={from === 0} onClick={() => go(Math.max(0, from - size))}>Earlier</button>
      <span class="figure" aria-live="off">{grouped(from + 1)} to {grouped(last)} of {grouped(total)}</span>
      <button type="button" class="button small" disabled={last >= total} onClick={() => go(from + size)}>Later</button>
    </p>
  );
}
