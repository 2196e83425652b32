/**
 * What it means that the verifier did not come, or that the network is gone, and what to do then.
 *
 * Browsers give no codes for this: which cause it is has to be read out of their words, and where that fails the words themselves
 * stand below (`EngineNotice.tsx`). Not here: archives that do not answer (`Trouble.tsx`).
 */
import { Fragment, type JSX } from 'preact';
import { commandLine } from '../form.ts';
import { checked, offline, run, waiting } from '../store.ts';
import { CopyButton } from './CopyButton.tsx';
import { Icon } from './Icon.tsx';

type Cause = 'no-wasm' | 'policy' | 'script' | 'refused' | 'network' | 'corrupt';

export function causeOf(reason: string): Cause {
  if (typeof WebAssembly !== 'object') return 'no-wasm';
  if (/content security policy|\bCSP\b|unsafe-eval/i.test(reason)) return 'policy';
  if (/worker/i.test(reason)) return 'script';
  if (/failed to fetch wasm: \d/i.test(reason)) return 'refused';
  if (/failed to fetch|networkerror|load failed/i.test(reason)) return 'network';
  return 'corrupt';
}

const POLICY = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

const WORDS: Readonly<Record<Cause, JSX.Element>> = {
  'no-wasm': (
    <p>
      This page verifies with WebAssembly, and this browser has none, or it is switched off: Lockdown Mode (iOS, macOS) does that, and so do some
      security settings. Allow it for this page (in Safari: Page Settings, then switch Lockdown Mode off for this site), or open the page in another browser.
    </p>
  ),
  policy: (
    <p>
      The server of this page sends a Content-Security-Policy that forbids WebAssembly. Whoever hosts the page has to allow it, with these parts of the policy
      for the page and for its scripts: <span class="snippet"><code>{POLICY}</code><CopyButton small label="Copy" title="Copy the policy" text={() => POLICY} /></span>
    </p>
  ),
  script: (
    <p>
      The script that does the work beside the page did not start. Either the server does not send it, or not as JavaScript (the page may have been updated:
      reload it), or a policy or an extension of the browser keeps pages from starting workers. A policy has to have <code>worker-src 'self'</code>.
    </p>
  ),
  refused: (
    <p>
      The server of this page has no WebAssembly file where this page expects it. The page may have been updated since you opened it: reload it. Whoever hosts
      it has to put all files of <code>dist/explorer</code> there, of one build.
    </p>
  ),
  network: <p>The connection to the server of this page broke off before the verifier was here. Try again once it is back.</p>,
  corrupt: (
    <p>
      What came is not the verifier, or only a part of it: a download that was cut short, an error page in its place, or a file of another version. Try again,
      then reload the page. Whoever hosts it has to put all files of <code>dist/explorer</code> there, of one build.
    </p>
  ),
};

/** The verifier did not come: why, and how to verify all the same. */
export function NotStarted({ reason }: { readonly reason: string }): JSX.Element {
  const cause = causeOf(reason);
  const decision = checked.value;
  const archives = decision.ok ? decision.sources.map((source) => (typeof source === 'string' ? source : source.name)) : [];
  const command = archives.length > 0 && decision.ok ? commandLine(archives, decision.options) : 'node dist/cli.mjs verify https://ARCHIVE';
  return (
    <div data-cause={cause}>
      {WORDS[cause]}
      <p>
        Without this page, Node does the same; after <code>npm run build</code> in the repository:
        <span class="snippet"><code>{command}</code><CopyButton small label="Copy" title="Copy the command" text={() => command} /></span>
      </p>
    </div>
  );
}

/** There is no network: what that means for what is on the page. */
export function Offline(): JSX.Element | null {
  if (!offline.value) return null;
  const held = waiting.value !== null && waiting.value === run.value;
  return (
    <section class="notice tone-unchecked" aria-labelledby="offline-title" data-offline>
      <h2 id="offline-title"><Icon name="warning" /> This computer is offline</h2>
      <p>
        {held
          ? 'The check waits where it was, and goes on by itself when the network is back.'
          : (
            <Fragment>
              Archives on servers do not answer before the network is back. What is here works all the same: folders of this computer, proofs,
              and what this tab has shown already. Do not reload the page: it comes from its server.
            </Fragment>
          )}
      </p>
    </section>
  );
}
