import { type Signal, useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Finding, Report } from '../../lib/types.ts';
import { grouped, plural, sentence, shortName } from '../format.ts';
import { fetchCommand, hashOf, inside, isMendable } from '../good-file.ts';
import { asFailure, type Run } from '../run.ts';
import { announce, openCopy } from '../store.ts';
import { Command } from './Command.tsx';
import { CopyButton } from './CopyButton.tsx';
import { findingText } from './Findings.tsx';
import { Value } from './Hash.tsx';
import { Icon } from './Icon.tsx';
import { savePlan, saving } from './ReportBox.tsx';

type Model = typeof import('../fix.ts');
type Look =
  | { readonly state: 'none' }
  | { readonly state: 'looking'; readonly at: string }
  | { readonly state: 'done'; readonly sought: Awaited<ReturnType<Model['lookForGood']>> }
  | { readonly state: 'failed'; readonly message: string };

/** Of a finding's files so many are shown; a command for all of them can be copied. */
const SHOWN = 3;

/** A good file: where it is, what it is known by, and how it gets to its place. */
function Good({ path, from, how }: { readonly path: string; readonly from: string; readonly how: string }): JSX.Element {
  const url = inside(from, path);
  const hash = hashOf(path);
  const command = fetchCommand(from, path);
  return (
    <li>
      <p class="good-file">
        <Icon name="verified" />
        <span>
          {url === null ? <span class="path">{path}</span> : <a class="path" href={url.href} download="" target="_blank" rel="noreferrer noopener">{path}</a>} from <strong class="archive-name">{shortName(from)}</strong>: {how}.
        </span>
      </p>
      {command !== null && <Command text={command} />}
      {hash !== null && (
        <div class="good-hash"><span class="hint">Unpacked, its SHA-256 must be its name:</span> <Value value={hash} what="the hash that it must have" /><Command text={`gunzip -c ${path} | sha256sum`} /></div>
      )}
    </li>
  );
}

function useLook(run: Run, report: Report, alike: readonly Finding[]): { readonly look: Signal<Look>; readonly start: () => void; readonly stop: () => void } {
  const look = useSignal<Look>({ state: 'none' });
  const stopping = useRef<AbortController | null>(null);
  useEffect(() => () => stopping.current?.abort(), []);
  const start = async (): Promise<void> => {
    const mine = new AbortController();
    stopping.current = mine;
    look.value = { state: 'looking', at: '' };
    announce('Looking for a good file in other archives');
    try {
      const { lookForGood } = await import('../fix.ts');
      const sought = await lookForGood(run, report, alike, mine.signal, (path, archive) => {
        look.value = { state: 'looking', at: `${path} in ${shortName(archive)}` };
      });
      if (mine.signal.aborted) return;
      look.value = { state: 'done', sought };
      const found = sought.filter(({ outcome }) => outcome.found !== null).length;
      announce(found === 0 ? 'No good file was found' : `${found} of ${plural(sought.length, 'file')} found`);
    } catch (error) {
      if (mine.signal.aborted) return;
      look.value = { state: 'failed', message: asFailure(error).message };
      announce('It could not be looked for');
    }
  };
  const stop = (): void => {
    stopping.current?.abort();
    look.value = { state: 'none' };
    announce('Cancelled');
  };
  return { look, start: () => void start(), stop };
}

function LookForGood(props: { readonly run: Run; readonly report: Report; readonly alike: readonly Finding[]; readonly others: readonly string[]; readonly files: number }): JSX.Element {
  const { run, report, alike, others, files } = props;
  const { look, start, stop } = useLook(run, report, alike);
  const now = look.value;
  const [first] = alike;
  switch (now.state) {
    case 'looking':
      return (
        <p class="seek">
          <button type="button" class="button small" onClick={stop}>Cancel</button>
          <span class="hint">Looking{now.at === '' ? '…' : ` at ${now.at}…`}</span>
        </p>
      );
    case 'done':
      return (
        <ul class="good-files">
          {now.sought.map(({ path, outcome }) => (outcome.found !== null
            ? <Good key={path} path={path} from={outcome.found} how={outcome.how} />
            : (
              <li key={path}>
                <p class="good-file"><Icon name="unchecked" /><span><span class="path">{path}</span>: none of {plural(outcome.why.length, 'archive')} has a good one.</span></p>
                <ul class="not-good">{outcome.why.map(({ archive, what }) => <li key={archive}><strong class="archive-name">{shortName(archive)}</strong> {what}.</li>)}</ul>
              </li>
            )))}
        </ul>
      );
    case 'failed':
    case 'none':
      return (
        <Fragment>
          {now.state === 'failed' && <p class="hint caution">{sentence(now.message)}</p>}
          <p class="seek">
            <button type="button" class="button small" aria-label={`Look for a good one: ${first?.code ?? ''}`} onClick={start}>Look for a good one</button>
            <span class="hint">
              Asks {others.length === 1 ? shortName(others[0] ?? '') : `up to ${others.length} other archives of the network`} for {files === 1 ? 'this file' : `the first ${files} of these files`} and checks what comes. Nothing is written.
            </span>
          </p>
        </Fragment>
      );
  }
}

/** What would mend the files of findings that say the same: the good file of another archive, the repair, the plan of it. */
export function Fix({ run, report, alike, others }: { readonly run: Run; readonly report: Report; readonly alike: readonly Finding[]; readonly others: readonly string[] }): JSX.Element | null {
  const mendable = alike.filter(({ code, path }) => isMendable(code, path));
  const good = mendable.filter((finding, place) => finding.goodFrom !== undefined && mendable.findIndex(({ path }) => path === finding.path) === place);
  const open = mendable.filter(({ goodFrom }) => goodFrom === undefined);
  const [first] = alike;
  if (first === undefined || (mendable.length === 0 && alike.length === 1)) return null;
  const commands = good.flatMap(({ path, goodFrom }) => fetchCommand(goodFrom ?? '', path) ?? []);
  return (
    <li class="fix" data-fix={first.code}>
      {mendable.length > 0 && <h3>What would fix {alike.length === 1 ? 'it' : `these ${grouped(alike.length)}`}</h3>}
      {good.length > 0 && (
        <Fragment>
          <ul class="good-files">
            {good.slice(0, SHOWN).map(({ path, goodFrom }) => <Good key={path} path={path} from={goodFrom ?? ''} how="this check read it there and found it sound" />)}
          </ul>
          <p class="hint">The commands are for a shell in the folder of {shortName(first.archive)}.</p>
        </Fragment>
      )}
      {open.length > 0 && (others.length > 0
        ? <LookForGood run={run} report={report} alike={open} others={others} files={Math.min(SHOWN, new Set(open.map(({ path }) => path)).size)} />
        : <p class="hint">No other archive of {report.network === null ? 'its network' : 'this network'} is known here: add one to the form and check both, then the good files are named.</p>)}
      <p class="actions">
        {mendable.length > 0 && <button type="button" class="button quiet small" aria-label={`Repair… ${first.code}`} onClick={() => openCopy('repair', first.archive, run.setup.form)}>Repair…</button>}
        {mendable.length > 0 && <button type="button" class="button quiet small" aria-label={`Save its plan: ${first.code}`} onClick={saving(() => savePlan({ ...report, findings: alike }))}>Save its plan</button>}
        {commands.length > SHOWN && <CopyButton small label={`Copy all ${grouped(commands.length)} commands`} text={() => commands.join('\n')} />}
        {alike.length > 1 && <CopyButton small label="Copy all text" title={`Copy all text of ${first.code}`} text={() => alike.map(findingText).join('\n\n')} />}
        {alike.length > 1 && <CopyButton small label="Copy all JSON" title={`Copy all JSON of ${first.code}`} text={() => JSON.stringify(alike, null, 2)} />}
      </p>
    </li>
  );
}
