/**
 * JSON to be folded: every object and list opens and closes by itself, and what is closed is not in the document.
 *
 * It shows what it is given, field by field and as it is; what is copied is the whole text. Not here: what values mean, but that
 * some lead to other views (`links.ts`).
 */
import { useSignal } from '@preact/signals';
import { createContext, Fragment, type JSX } from 'preact';
import { useContext } from 'preact/hooks';
import { bytes, grouped } from '../format.ts';
import { CopyButton } from '../parts/CopyButton.tsx';

/** The address that a value leads to; `null` for most. */
export const Links = createContext<(name: string, value: string) => string | null>(() => null);

/** Values that are open from the beginning, if they have no more than these inside. */
const SMALL = 160;
/** Items of one list or object that are in the document before one asks for more. */
const STEP = 100;
/** Of an inner one that opens by itself. */
const FEW = 20;
/** Characters of a text. */
const LONG = 600;
/** Values that can be opened all at once. */
const MOST_AT_ONCE = 2000;

type Branch = Readonly<Record<string, unknown>> | readonly unknown[];

function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null;
}

/** How many values are inside, counted no further than `most`. */
function sizeOf(value: unknown, most: number): number {
  let count = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && count <= most) {
    const next = waiting.pop();
    count += 1;
    if (isBranch(next)) for (const inner of Object.values(next).slice(0, most)) waiting.push(inner);
  }
  return count;
}

/** What is behind a closed one: its first names, or how many there are. */
function brief(value: Branch): string {
  const names = Object.keys(value);
  if (Array.isArray(value)) return `[ ${grouped(value.length)} ]`;
  const more = names.length > 3 ? `, ${grouped(names.length - 3)} more` : '';
  return `{ ${names.slice(0, 3).map((name) => (name.length > 40 ? `${name.slice(0, 40)}…` : name)).join(', ')}${more} }`;
}

function Text({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  const whole = useSignal(false);
  const href = useContext(Links)(name, value);
  if (href !== null) return <a class="json-text" href={href}>{JSON.stringify(value)}</a>;
  if (value.length <= LONG || whole.value) return <span class="json-text">{JSON.stringify(value)}</span>;
  return (
    <Fragment>
      <span class="json-text">{JSON.stringify(value.slice(0, LONG)).slice(0, -1)}…</span>{' '}
      <button type="button" class="link" onClick={() => { whole.value = true; }}>Show all of {bytes(value.length)}</button>
    </Fragment>
  );
}

type Opened = (value: Branch, depth: number) => boolean;

interface NodeProps {
  /** Of its field; absent in lists and at the root. */
  readonly name?: string;
  /** Of the field that it is in, however deep in lists. */
  readonly of: string;
  readonly value: unknown;
  readonly depth: number;
  readonly opened: Opened;
}

function Name({ name }: { readonly name: string | undefined }): JSX.Element | null {
  return name === undefined ? null : <Fragment><span class="json-name">{JSON.stringify(name)}</span>: </Fragment>;
}

function BranchNode({ name, of, value, depth, opened }: NodeProps & { readonly value: Branch }): JSX.Element {
  const open = useSignal(opened(value, depth));
  const shown = useSignal(STEP);
  const entries = open.value ? Object.entries(value).slice(0, shown.value) : [];
  const list = Array.isArray(value);
  const count = open.value ? Object.keys(value).length : 0;
  return (
    <details class="json-branch" open={open.value} onToggle={(event) => { open.value = event.currentTarget.open; }}>
      <summary><Name name={name} />{open.value ? (list ? '[' : '{') : <span class="json-brief">{brief(value)}</span>}</summary>
      {open.value && (
        <Fragment>
          <ul>
            {entries.map(([key, inner]) => <li key={key}><Node {...(list ? {} : { name: key })} of={list ? of : key} value={inner} depth={depth + 1} opened={opened} /></li>)}
            {count > shown.value && (
              <li><button type="button" class="link" onClick={() => { shown.value += STEP; }}>Show {grouped(Math.min(STEP, count - shown.value))} more of {grouped(count)}</button></li>
            )}
          </ul>
          <span class="json-end" aria-hidden="true">{list ? ']' : '}'}</span>
        </Fragment>
      )}
    </details>
  );
}

function Node(props: NodeProps): JSX.Element {
  const { name, of, value } = props;
  if (isBranch(value) && Object.keys(value).length > 0) return <BranchNode {...props} value={value} />;
  return (
    <span class="json-leaf">
      <Name name={name} />{typeof value === 'string' ? <Text name={of} value={value} /> : <span class="json-plain">{JSON.stringify(value) ?? 'null'}</span>}
    </span>
  );
}

/** Characters of the text that are shown without being asked for: a browser takes long over megabytes. */
const SHOWN = 30_000;

/** A value as JSON. `what` names it for those who hear the page. */
export function JsonTree({ value, what }: { readonly value: unknown; readonly what: string }): JSX.Element {
  const form = useSignal<'tree' | 'all' | 'text'>('tree');
  const whole = useSignal(false);
  const small = sizeOf(value, SMALL) <= SMALL;
  const all = !small && sizeOf(value, MOST_AT_ONCE) <= MOST_AT_ONCE;
  const text = (): string => JSON.stringify(value, null, 2) ?? 'null';
  const opened: Opened = (branch, depth) => small || form.value === 'all' || depth === 0 || (depth === 1 && Object.keys(branch).length <= FEW);
  return (
    <figure class="verbatim">
      <figcaption>
        <span class="label">{what}</span>
        <span class="actions">
          {all && form.value !== 'text' && <button type="button" class="button quiet small" onClick={() => { form.value = form.value === 'all' ? 'tree' : 'all'; }}>{form.value === 'all' ? 'Close' : 'Open all'}</button>}
          <button type="button" class="button quiet small" aria-pressed={form.value === 'text'} onClick={() => { form.value = form.value === 'text' ? 'tree' : 'text'; }}>Text</button>
          <CopyButton small label="Copy" title={`Copy ${what}`} text={text} />
        </span>
      </figcaption>
      {form.value === 'text' ? <AsText text={text()} what={what} whole={whole.value} all={() => { whole.value = true; }} /> : (
        <div class="json" role="group" aria-label={what} tabIndex={0}><Node key={form.value} of="" value={value} depth={0} opened={opened} /></div>
      )}
    </figure>
  );
}

function AsText({ text, what, whole, all }: { readonly text: string; readonly what: string; readonly whole: boolean; readonly all: () => void }): JSX.Element {
  const cut = text.length > SHOWN && !whole;
  return (
    <Fragment>
      <pre class="wrap-lines" tabIndex={0} role="group" aria-label={what}>{cut ? `${text.slice(0, SHOWN)}…` : text}</pre>
      {cut && <button type="button" class="button small quiet" onClick={all}>Show all of {bytes(text.length)}</button>}
    </Fragment>
  );
}
