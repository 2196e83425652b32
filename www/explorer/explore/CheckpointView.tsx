/** A checkpoint: its files, its 64 ledgers, and the state of the buckets after the last of them. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { BucketLevel, BucketRef, CheckpointFile, CheckpointState, CheckpointView as Checkpoint, LedgerRow } from '../../lib/explore-types.ts';
import { checkpointOf, KIND_LABEL } from '../checkpoints.ts';
import { encodeForm, EMPTY_FORM } from '../form.ts';
import { bytes, grouped, hex, plural, sentence } from '../format.ts';
import { FileLink } from '../parts/FileLink.tsx';
import { Icon } from '../parts/Icon.tsx';
import { announce, form, look, lookLink } from '../store.ts';
import { bucketPath } from './BucketView.tsx';
import { CHECK_TITLE, Checks } from './Checks.tsx';
import { type At, Frame, Skeleton, to } from './Frame.tsx';
import { Accelerated, Failed } from './Hindrances.tsx';
import { JsonTree } from './JsonTree.tsx';
import { useLooked, useTask } from './look-up.ts';
import { Fold, HashLink, OutcomeBadge, ShortTime } from './Pieces.tsx';
import { FREQUENCY, keysOf } from './routes.ts';
import { sizeOf } from './source.ts';
import { utc } from './words.ts';

const NOTHING = '0'.repeat(64);

const FILE_STATUS: Readonly<Record<CheckpointFile['status'], { readonly word: string; readonly tone: 'verified' | 'faulty' | 'unchecked' | 'pending' }>> = {
  // Read and decoded, no more: what it says is judged ledger by ledger.
  read: { word: 'Readable', tone: 'verified' },
  missing: { word: 'Missing', tone: 'unchecked' },
  faulty: { word: 'Faulty', tone: 'faulty' },
  unread: { word: 'Not read', tone: 'pending' },
};

function Files({ at, files }: { readonly at: At; readonly files: readonly CheckpointFile[] }): JSX.Element {
  return (
    <section class="card" aria-labelledby="files-title">
      <h3 id="files-title">Files</h3>
      <ul class="files look-files">
        {files.map((file) => {
          const { word, tone } = FILE_STATUS[file.status];
          return (
            <li key={file.kind} data-file={file.kind} data-status={file.status}>
              <span class="file-kind">{KIND_LABEL[file.kind]}</span>
              <span class={`badge tone-${tone}`}><Icon name={tone} />{word}</span>
              <span class="figure file-size">{file.compressed > 0 && <>{bytes(file.compressed)}{file.inflated > file.compressed && <span class="aside-size"> of {bytes(file.inflated)}</span>}</>}</span>
              <span class="figure file-records">{file.kind !== 'history' && file.status === 'read' && plural(file.records, 'record')}</span>
              <FileLink archive={at.archive.online ? at.archive.base : ''} path={file.path} />
              {file.message !== null && <span class="file-message hint">{sentence(file.message)}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Ledgers({ at, rows }: { readonly at: At; readonly rows: readonly LedgerRow[] }): JSX.Element {
  const scp = rows.some(({ scpMessages }) => scpMessages > 0);
  return (
    <section class="card" aria-labelledby="ledgers-title">
      <h3 id="ledgers-title">Ledgers <span class="aside">{grouped(rows.length)}</span></h3>
      {rows.length === 0 ? <p class="hint">Without the file of headers there is nothing to list.</p> : (
        <table class="look-table ledgers-table">
          <thead>
            <tr>
              <th scope="col">Ledger</th>
              <th scope="col">Closed (UTC)</th>
              <th scope="col">Checks</th>
              <th scope="col" class="number"><span class="wide-word">Transactions</span><abbr class="narrow-word" title="Transactions">Txs</abbr></th>
              <th scope="col" class="number roomy">Failed</th>
              <th scope="col" class="number roomy">Operations</th>
              {scp && <th scope="col" class="number roomy">SCP</th>}
              <th scope="col" class="number roomy">Protocol</th>
              <th scope="col" class="roomiest">Hash</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.ledger} data-ledger={row.ledger} data-outcome={row.outcome}>
                <th scope="row" class="figure"><a href={to({ kind: 'ledger', ledger: row.ledger }, at.place)}>{grouped(row.ledger)}</a></th>
                <td><ShortTime seconds={row.closeTime} /></td>
                <td>
                  <OutcomeBadge outcome={row.outcome} />
                  {row.broken.length > 0 && <span class="broken-names">{row.broken.map((name) => CHECK_TITLE[name].toLowerCase()).join(', ')}</span>}
                </td>
                <td class={row.transactions === 0 ? 'number none' : 'number'}>{grouped(row.transactions)}</td>
                <td class={row.failed === 0 ? 'number roomy none' : 'number roomy'}>{grouped(row.failed)}</td>
                <td class={row.operations === 0 ? 'number roomy none' : 'number roomy'}>{grouped(row.operations)}</td>
                {scp && <td class={row.scpMessages === 0 ? 'number roomy none' : 'number roomy'}>{grouped(row.scpMessages)}</td>}
                <td class="number roomy">{row.protocol}</td>
                <td class="roomiest"><code class="hash-text" title={row.hash}><span class="hash-head">{row.hash.slice(0, -8)}</span><span class="hash-tail">{row.hash.slice(-8)}</span></code></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Bytes of buckets as stored, by their hashes; `null` where the server does not say. */
type Sizes = ReadonlyMap<string, number | null>;

function Bucket({ at, bucket, sizes }: { readonly at: At; readonly bucket: BucketRef; readonly sizes: Sizes | null }): JSX.Element {
  const size = sizes?.get(bucket.hash);
  if (bucket.hash === NOTHING) return <span class="none">empty</span>;
  return (
    <span class="bucket">
      <HashLink value={bucket.hash} href={to({ kind: 'bucket', hash: bucket.hash, from: 0 }, at.place)} />
      {bucket.shared !== null && (
        <span class={bucket.shared ? 'share' : 'share share-new'} title={bucket.shared ? 'The checkpoint before names it as well' : 'The checkpoint before does not name it'}>{bucket.shared ? 'as before' : 'new'}</span>
      )}
      {size !== undefined && <span class="bucket-size figure">{size === null ? 'size not said' : bytes(size)}</span>}
    </span>
  );
}

const NEXT: Readonly<Record<BucketLevel['next']['state'], string>> = { clear: 'none', output: 'merged', inputs: 'to merge', invalid: 'makes no sense' };

interface LevelsProps {
  readonly at: At;
  readonly levels: readonly BucketLevel[];
  readonly name: string;
  readonly id: string;
  readonly sizes: Sizes | null;
}

function Levels({ at, levels, name, id, sizes }: LevelsProps): JSX.Element {
  return (
    <table class="look-table levels" id={id}>
      <caption>{name}</caption>
      <thead><tr><th scope="col">Level</th><th scope="col">curr</th><th scope="col">snap</th><th scope="col">next</th></tr></thead>
      <tbody>
        {levels.map(({ level, curr, snap, next }) => (
          <tr key={level}>
            <th scope="row" class="figure">{level}</th>
            <td><Bucket at={at} bucket={curr} sizes={sizes} /></td>
            <td><Bucket at={at} bucket={snap} sizes={sizes} /></td>
            <td>
              <span class={next.state === 'clear' ? 'none' : 'next-state'}>{NEXT[next.state]}</span>
              {next.hashes.filter((hash) => hash !== NOTHING).map((hash, place) => <HashLink key={place} value={hash} href={to({ kind: 'bucket', hash, from: 0 }, at.place)} />)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The buckets of the levels, each once, and those of them that the checkpoint before does not name. */
function bucketsOf({ live, hotArchive }: CheckpointState): { readonly all: readonly string[]; readonly fresh: readonly string[] } {
  const named = [...live, ...(hotArchive ?? [])].flatMap(({ curr, snap }) => [curr, snap]).filter(({ hash }) => hash !== NOTHING);
  return { all: [...new Set(named.map(({ hash }) => hash))], fresh: [...new Set(named.filter(({ shared }) => shared === false).map(({ hash }) => hash))] };
}

/** Sizes cost a request each, so they are asked for when someone wants them. */
function SizesOf({ at, state, sizes, given }: { readonly at: At; readonly state: CheckpointState; readonly sizes: Sizes | null; readonly given: (sizes: Sizes) => void }): JSX.Element {
  const { all, fresh } = bucketsOf(state);
  const { task, start } = useTask<Sizes>();
  const asked = task.value;
  useEffect(() => {
    if (asked.state !== 'ready') return;
    given(asked.value);
    announce(`Sizes of ${all.length} buckets`);
  }, [asked]);
  const total = (hashes: readonly string[]): string => {
    const known = hashes.map((hash) => sizes?.get(hash) ?? null).filter((size) => size !== null);
    return `${bytes(known.reduce((sum, size) => sum + size, 0))}${known.length < hashes.length ? ` and ${plural(hashes.length - known.length, 'bucket')} of which the server does not say` : ''}`;
  };
  if (sizes !== null) return <p class="hint" id="bucket-sizes">{plural(all.length, 'bucket')} with {total(all)} as stored; {fresh.length === 0 ? 'none is new.' : `${grouped(fresh.length)} new with ${total(fresh)}.`}</p>;
  return (
    <p class="actions">
      <button id="ask-sizes" type="button" class="button small" disabled={asked.state === 'loading' || all.length === 0} onClick={() => start(async (signal) => new Map(await Promise.all(all.map(async (hash) => [hash, await sizeOf(at.archive, bucketPath(hash), signal)] as const))))}>
        {asked.state === 'loading' ? 'Asking for sizes…' : 'Show sizes'}
      </button>
      <span class="hint">{plural(all.length, 'bucket')}, {grouped(fresh.length)} new{at.archive.online ? `; ${plural(all.length, 'request')} without a download` : ''}</span>
    </p>
  );
}

function State({ at, state, checkpoint }: { readonly at: At; readonly state: CheckpointState; readonly checkpoint: number }): JSX.Element {
  const sizes = useSignal<Sizes | null>(null);
  return (
    <Fragment>
      <Checks archive={at.archive} checks={[state.check]} title="Check of the buckets" />
      <section class="card" aria-labelledby="buckets-title">
        <h3 id="buckets-title">Buckets after ledger {grouped(state.currentLedger)}</h3>
        <p class="hint">
          All entries of the ledger, the newest changes at level 0. {state.server !== null && <>Written by {state.server}, format {state.version}. </>}
          {state.network !== null && <>Network “{state.network}”. </>}
          To find an entry as it was then, put an address or a LedgerKey into <a href="#look-up" onClick={(event) => { event.preventDefault(); document.getElementById('look-up')?.focus(); }}>Look up</a>.
        </p>
        <SizesOf at={at} state={state} sizes={sizes.value} given={(known) => { sizes.value = known; }} />
        <Levels sizes={sizes.value} at={at} levels={state.live} name={state.hotArchive === null ? 'Buckets' : 'Live entries'} id="live-buckets" />
        {state.hotArchive !== null && <Levels sizes={sizes.value} at={at} levels={state.hotArchive} name="Hot archive: entries that were evicted" id="hot-buckets" />}
        <Fold summary="The state as JSON, as the file has it">{() => <JsonTree what="The state as JSON" value={state.json} />}</Fold>
      </section>
      {state.currentLedger !== checkpoint && <p class="fault"><Icon name="warning" /><span>This state is of ledger {grouped(state.currentLedger)}, not of this checkpoint.</span></p>}
    </Fragment>
  );
}

function summaryOf({ ledgers }: Checkpoint): string {
  const broken = ledgers.filter(({ outcome }) => outcome === 'broken').length;
  const unknown = ledgers.filter(({ outcome }) => outcome === 'unknown').length;
  if (ledgers.length === 0) return 'no ledgers could be read';
  if (broken > 0) return `${plural(broken, 'ledger')} with something broken`;
  return unknown > 0 ? `nothing broken; of ${plural(unknown, 'ledger')} not everything is known` : `the checks of all ${grouped(ledgers.length)} ledgers hold`;
}

/** The day of its ledgers, or the two that they lie in. */
function closedWhen(rows: readonly LedgerRow[]): string {
  const days = [...new Set(rows.filter(({ closeTime }) => closeTime > 0).map(({ closeTime }) => utc(closeTime).slice(0, 10)))];
  const [first] = days;
  return first === undefined ? '' : days.length === 1 ? `, closed on ${first}` : `, closed from ${first} to ${days.at(-1) ?? ''}`;
}

export function CheckpointView({ checkpoint, ...at }: At & { readonly checkpoint: number | null }): JSX.Element {
  const { explorer } = at.archive;
  const newest = useSignal<number | null>(null);
  const { looked, again } = useLooked(async (signal) => {
    if (checkpoint === null) newest.value = checkpointOf((await explorer.newest({ signal })).ledger, FREQUENCY);
    return explorer.checkpoint(checkpoint ?? newest.value ?? 0, { signal });
  });
  const state = looked.value;
  const found = state.state === 'ready' ? state.value : null;
  useEffect(() => {
    // "The newest" is another one tomorrow; a link that is passed on shall show the same.
    if (checkpoint !== null || found === null) return;
    const keys = keysOf({ kind: 'checkpoint', checkpoint: found.checkpoint }, at.place);
    history.replaceState(null, '', lookLink(keys));
    look.value = keys;
  }, [found]);
  const number = checkpoint ?? found?.checkpoint ?? newest.value;
  const beside = (offset: number): { readonly label: string; readonly subject: { readonly kind: 'checkpoint'; readonly checkpoint: number } } | null =>
    number === null || number + offset < FREQUENCY - 1 ? null : { label: `Checkpoint ${grouped(number + offset)}`, subject: { kind: 'checkpoint', checkpoint: number + offset } };
  const gone = found !== null && found.files.every(({ status }) => status === 'missing');
  return (
    <Frame
      at={at} kind="checkpoint" crumbs={[]} title={number === null ? 'Newest checkpoint' : `Checkpoint ${grouped(number)}`} {...(number === null ? {} : { aside: hex(number) })}
      steps={{ before: beside(-FREQUENCY), after: beside(FREQUENCY) }} busy={state.state === 'loading'}
      said={found === null ? null : `Checkpoint ${found.checkpoint}: ${summaryOf(found)}`}
    >
      {state.state === 'loading' && <Skeleton />}
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={again} what="Checkpoint" {...(number === null ? {} : { ledger: number })} />}
      {found !== null && gone && (
        <Failed
          at={at} again={again} ledger={found.checkpoint} what="Checkpoint"
          failure={{ code: 'NOT_FOUND', message: 'None of the files of this checkpoint is there', advice: 'See which checkpoints the archive has' }}
        />
      )}
      {found !== null && !gone && (
        <Fragment>
          <p class="view-summary">
            Ledgers {grouped(found.low)} to {grouped(found.high)}{closedWhen(found.ledgers)}: {summaryOf(found)}.{' '}
            <a href={encodeForm({ ...EMPTY_FORM, sources: [at.archive.source], network: form.value.network, low: String(found.low), high: String(found.high) })}>Check this range with its buckets</a>
          </p>
          {/* A file of 8 ledgers, in the place of one of 64. */}
          {found.ledgers.length === 8 && found.ledgers[0]?.ledger === found.high - 7 && <Accelerated />}
          <Files at={at} files={found.files} />
          <Ledgers at={at} rows={found.ledgers} />
          {found.state !== null && <State at={at} state={found.state} checkpoint={found.checkpoint} />}
        </Fragment>
      )}
    </Frame>
  );
}
