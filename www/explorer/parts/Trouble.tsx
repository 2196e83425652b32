import { Fragment, type JSX } from 'preact';
import type { RunError } from '../../lib/types.ts';
import { quoted } from '../form.ts';
import { grouped, plural, sentence, shortName } from '../format.ts';
import type { Run } from '../run.ts';
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

const NGINX = 'add_header Access-Control-Allow-Origin "*" always;';
const SHOWN = 10;

/** A refusal and a dead server look the same to a page; this says so, and how to tell them apart. */
export function CrossOrigin({ archive, report = false }: { readonly archive: string | undefined; readonly report?: boolean }): JSX.Element {
  const probe = `curl -sSI ${quoted(`${(archive ?? '').replace(/\/?$/, '/')}.well-known/stellar-history.json`)}`;
  return (
    <Fragment>
      <p>
        Either the server is down or not known by that name, or it answers but does not send <code>Access-Control-Allow-Origin</code>, and the
        browser keeps the answer from this page. Browsers do not tell a page which of the two it is.
        {navigator.onLine ? '' : ' This computer also reports that it is offline.'}
      </p>
      <ol class="ways">
        <li>
          <strong>Find out which.</strong> If this prints headers, the server is up and the permission is missing:
          <span class="snippet"><code>{probe}</code><CopyButton small label="Copy" title="Copy the curl command" text={() => probe} /></span>
        </li>
        <li>
          <strong>If the server is yours,</strong> let pages read it; archives are public files. For nginx one line does it:
          <span class="snippet"><code>{NGINX}</code><CopyButton small label="Copy" title="Copy the nginx line" text={() => NGINX} /></span>
        </li>
        <li>
          <strong>If it is not,</strong> verify without a browser between you and it: the command line{report ? ' (below, under “Report”)' : ''} reads any
          archive, and <code>npm start -- --archive DIR</code> offers a downloaded copy to this page.
        </li>
      </ol>
    </Fragment>
  );
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

function titleOf(code: string, run: Run, errors: readonly NamedError[]): string {
  const title = TITLE[code] ?? code;
  if (code !== 'CORS_OR_NETWORK' || run.archives.length === 1) return title;
  const silent = new Set(errors.map(({ archive }) => archive));
  return title.replace('The archive', silent.size > 1 ? `${silent.size} archives` : shortName(unheard(run, errors) ?? ''));
}

export function Trouble({ run }: { readonly run: Run }): JSX.Element | null {
  const report = run.report.value;
  if (report === null || report.errors.length === 0) return null;
  const groups: Record<string, NamedError[]> = {};
  for (const error of report.errors) (groups[error.code] ??= []).push(error);
  return (
    <Fragment>
      {Object.entries(groups).map(([code, errors]) => (
        <section key={code} class="notice tone-unchecked" aria-label={titleOf(code, run, errors)} data-error={code}>
          <h2><Icon name="warning" /> <span class="archive-name">{titleOf(code, run, errors)}</span></h2>
          {code === 'CORS_OR_NETWORK' ? (
            <CrossOrigin archive={unheard(run, errors)} report />
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
