import { Fragment, type JSX } from 'preact';
import type { RunError } from '../../lib/types.ts';
import { quoted } from '../form.ts';
import { grouped, plural, sentence, shortName } from '../format.ts';
import { isOver, type Run } from '../run.ts';
import { busy, engine, form, offline, resumeRun, startAgain } from '../store.ts';
import { CopyButton } from './CopyButton.tsx';
import { FileLinks } from './FileLink.tsx';
import { Icon } from './Icon.tsx';

const TITLE: Readonly<Record<string, string>> = {
  ABORTED: 'The check was cancelled',
  BUDGET: 'A limit of this check was reached',
  CORS_OR_NETWORK: 'The archive could not be read from this page',
  FORBIDDEN: 'The server refused',
  HTTP: 'The server answered with an error',
  NETWORK: 'The connection failed',
  TIMEOUT: 'The server did not answer in time',
  UNSUPPORTED: 'This cannot be read here',
};

/** What may be otherwise the next time; the first of them has the button. */
const AGAIN: readonly string[] = ['NETWORK', 'CORS_OR_NETWORK', 'HTTP', 'TIMEOUT'];

const NGINX = 'add_header Access-Control-Allow-Origin "*" always;';
const S3 = `aws s3api put-bucket-cors --bucket BUCKET --cors-configuration '{"CORSRules":[{"AllowedOrigins":["*"],"AllowedMethods":["GET","HEAD"]}]}'`;
const SHOWN = 10;

function Snippet({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  return <span class="snippet"><code>{text}</code><CopyButton small label="Copy" title={`Copy ${what}`} text={() => text} /></span>;
}

interface CrossOriginProps {
  /** The first one of the form where it is not known which it was. */
  readonly archive: string | undefined;
  /** There is a report below, with a command. */
  readonly report?: boolean;
  /** It did answer this page before: a server that may not be read from pages never does. */
  readonly answered?: boolean;
}

/** A refusal and a dead server look the same to a page; this says so, and how to tell them apart. */
export function CrossOrigin({ archive, report = false, answered = false }: CrossOriginProps): JSX.Element {
  const [first] = form.value.sources;
  const name = archive ?? (first?.kind === 'url' ? first.url : '');
  const root = (URL.canParse(name, location.href) ? new URL(name, location.href).href : 'https://ARCHIVE').replace(/\/*$/, '/');
  const file = `${root}.well-known/stellar-history.json`;
  // What the page does: a GET that names its origin. A HEAD may be answered by other rules.
  const probe = `curl -sS -D - -o /dev/null -H ${quoted(`Origin: ${location.origin}`)} ${quoted(file)}`;
  const relay = `location /relay/ { proxy_pass ${root}; proxy_ssl_server_name on; ${NGINX} }`;
  if (offline.value) {
    return (
      <p data-cause="offline">
        This computer is offline, so no server can be reached. Connect it and try again. Folders of this computer and proofs need no network.
      </p>
    );
  }
  if (root.startsWith(`${location.origin}/`)) {
    return <p data-cause="own">It is on the server that this page came from, which does not answer any more: it was stopped, or the connection to it broke.</p>;
  }
  if (answered) {
    return (
      <p data-cause="lost">
        It answered before, and then no more: the connection broke, or the server stopped. It may be read from this page, so this is no question of
        permission. Try again when it answers: <a href={file} rel="noreferrer">open its newest state</a> to see whether it does.
      </p>
    );
  }
  return (
    <Fragment>
      <p>
        Either the server is down or not known by that name, or it answers but does not send <code>Access-Control-Allow-Origin</code>, and the
        browser keeps the answer from this page. Browsers do not tell a page which of the two it is.
      </p>
      <ol class="ways">
        <li>
          <strong>Find out which.</strong> This asks as this page does. With no headers but an error, the server is down. With headers but no line{' '}
          <code>access-control-allow-origin</code>, the permission is missing:
          <Snippet text={probe} what="the curl command" />
        </li>
        <li>
          <strong>If the server is yours,</strong> let pages read it; archives are public files. For nginx one line does it, in the{' '}
          <code>location</code> of the archive:
          <Snippet text={NGINX} what="the nginx line" />
          For a bucket of S3, or what speaks like it, one command:
          <Snippet text={S3} what="the S3 command" />
        </li>
        <li>
          <strong>If it is not,</strong> verify without a browser between you and it: the command line{report ? ' (below, under “Report”)' : ''} reads any
          archive, and <code>npm start -- --archive DIR</code> offers a downloaded copy to this page. So does “Add a folder” in the form, and nothing of it leaves
          this computer.
        </li>
        <li>
          <strong>Or put a relay of your own in between.</strong> It needs no trust: whatever it alters is found like any other fault. For nginx:
          <Snippet text={relay} what="the nginx lines of a relay" />
        </li>
      </ol>
    </Fragment>
  );
}

/** The run goes on, but only in this tab. */
export function NotKept({ run }: { readonly run: Run }): JSX.Element | null {
  const kept = run.stored.value;
  if (kept === null || kept === 'kept' || isOver(run.phase.value)) return null;
  return (
    <section class="notice tone-unchecked" aria-labelledby="not-kept-title" data-kept={kept}>
      <h2 id="not-kept-title"><Icon name="warning" /> This check would not survive a reload</h2>
      <p>
        {kept === 'full'
          ? 'The room that this browser gives the page is full, so what is verified cannot be kept there. Make room (the page’s stored data, in the browser’s settings), and it is kept again.'
          : 'This browser does not let the page keep anything: private windows and some settings do that.'}{' '}
        The check goes on all the same, as long as this tab stays open.
      </p>
    </section>
  );
}

/** A check that was started before the verifier was there. */
export function NotYet({ run }: { readonly run: Run }): JSX.Element | null {
  if (engine.value.state !== 'loading' || run.phase.value !== 'running') return null;
  return <p class="hint" id="not-yet">The verifier itself (a megabyte) is still on its way here; the check begins as soon as it has come.</p>;
}

/** The verifier says which archive did not deliver. */
type NamedError = RunError & { readonly archive?: string };

/** The archive that most likely did not answer. */
function unheard(run: Run, errors: readonly NamedError[]): string | undefined {
  const named = errors.find((error) => error.archive !== undefined)?.archive;
  if (named !== undefined) return named;
  const sources = run.report.value?.sources ?? [];
  return (sources.find((source) => source.ledger === null) ?? sources.find((source) => source.failures > 0))?.archive ?? run.archives[0];
}

/** Whether it said in this run how far it goes: then it may be read. */
function hasAnswered(run: Run, archive: string | undefined): boolean {
  return run.report.value?.sources.some((source) => source.archive === archive && source.ledger !== null) === true;
}

function titleOf(code: string, run: Run, errors: readonly NamedError[]): string {
  const lost = code === 'CORS_OR_NETWORK' && hasAnswered(run, unheard(run, errors));
  const title = lost ? 'The archive stopped answering' : TITLE[code] ?? code;
  if (code !== 'CORS_OR_NETWORK' || run.archives.length === 1) return title;
  const silent = new Set(errors.map(({ archive }) => archive));
  return title.replace('The archive', silent.size > 1 ? `${silent.size} archives` : shortName(unheard(run, errors) ?? ''));
}

/** `elsewhere`: it was met by somebody else, so that nothing can be tried again from here, and no browser was in the way. */
export function Trouble({ run, elsewhere = false }: { readonly run: Run; readonly elsewhere?: boolean }): JSX.Element | null {
  const report = run.report.value;
  if (report === null || report.errors.length === 0) return null;
  const groups: Record<string, NamedError[]> = {};
  for (const error of report.errors) (groups[error.code] ??= []).push(error);
  const again = AGAIN.find((code) => groups[code] !== undefined);
  // It was given up where nothing answered any more, and knows what it had done.
  const goesOn = again === 'NETWORK' && run.state.value !== null;
  return (
    <Fragment>
      {Object.entries(groups).map(([code, errors]) => (
        <section key={code} class="notice tone-unchecked" aria-label={titleOf(code, run, errors)} data-error={code}>
          <h2><Icon name="warning" /> <span class="archive-name">{titleOf(code, run, errors)}</span></h2>
          {code === 'CORS_OR_NETWORK' && !elsewhere ? (
            <CrossOrigin archive={unheard(run, errors)} report answered={hasAnswered(run, unheard(run, errors))} />
          ) : (
            <p>{sentence(errors[0]?.message ?? '')} {sentence(errors[0]?.advice ?? '')}</p>
          )}
          {errors.some((error) => error.path !== undefined) && (
            <details>
              <summary>{plural(errors.length, 'file')} could not be looked at</summary>
              <ul class="plain-list">
                {errors.slice(0, SHOWN).map((error) => (
                  <li key={error}>
                    {run.archives.length > 1 && error.archive !== undefined && `${shortName(error.archive)}: `}
                    {error.path !== undefined && <FileLinks archives={error.archive === undefined ? run.archives : [error.archive]} path={error.path} />} {sentence(error.message)}
                  </li>
                ))}
                {errors.length > SHOWN && <li>and {grouped(errors.length - SHOWN)} more, all in the report</li>}
              </ul>
            </details>
          )}
          {code === again && !busy.value && !elsewhere && (
            <Fragment>
              {goesOn && <p class="hint">Going on does not look again at the files that failed here; from the beginning, everything is looked at.</p>}
              <p class="actions">
                {goesOn && <button type="button" class="button" data-go-on onClick={resumeRun}>Go on from there</button>}
                <button type="button" class={goesOn ? 'button quiet' : 'button'} data-again onClick={startAgain}>{goesOn ? 'From the beginning' : 'Try again'}</button>
              </p>
            </Fragment>
          )}
        </section>
      ))}
    </Fragment>
  );
}

export function Notes({ run }: { readonly run: Run }): JSX.Element | null {
  const notes = run.report.value?.notes ?? [];
  if (notes.length === 0) return null;
  return (
    <section class="card" aria-labelledby="notes-title">
      <h2 id="notes-title">Notes</h2>
      <p class="hint">Worth knowing; none of this is a fault.</p>
      <ul class="plain-list">
        {notes.slice(0, SHOWN * 2).map((note) => (
          <li key={note}>
            {sentence(note.message)} {note.path !== undefined && <FileLinks archives={run.archives} path={note.path} />}
          </li>
        ))}
        {notes.length > SHOWN * 2 && <li>and {grouped(notes.length - SHOWN * 2)} more, all in the report</li>}
      </ul>
    </section>
  );
}
