/** An entry of the ledger as it was after a checkpoint: looked for from the newest bucket to the oldest, once someone says so. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { BucketLevel, FoundEntry, SearchProgress } from '../../lib/explore-types.ts';
import { checkpointOf } from '../checkpoints.ts';
import { bytes, grouped, plural } from '../format.ts';
import { Hash } from '../parts/Hash.tsx';
import { Icon } from '../parts/Icon.tsx';
import { announce } from '../store.ts';
import { bucketPath } from './BucketView.tsx';
import { type At, Frame, type OpenArchive, Skeleton, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { useLooked, useTask } from './look-up.ts';
import { Fact, HashLink, Raw } from './Pieces.tsx';
import { FREQUENCY } from './routes.ts';
import { sizeOf } from './source.ts';
import { readAddress } from './strkey.ts';
import { spaced } from './words.ts';

/** What a search may read at most. */
interface Cost {
  readonly checkpoint: number;
  readonly buckets: number;
  /** Bytes as stored; `null` where the server does not say for all of them. */
  readonly bytes: number | null;
}

function bucketsOf(levels: readonly BucketLevel[]): readonly string[] {
  return [...new Set(levels.flatMap(({ curr, snap }) => [curr.hash, snap.hash]))].filter((hash) => !/^0+$/.test(hash));
}

async function costOf(archive: OpenArchive, wanted: number | null, signal: AbortSignal): Promise<Cost> {
  const checkpoint = wanted ?? checkpointOf((await archive.explorer.newest({ signal })).ledger, FREQUENCY);
  const { state } = await archive.explorer.checkpoint(checkpoint, { signal });
  if (state === null) throw Object.assign(new Error('the state of this checkpoint, which says what its buckets are, could not be read'), { code: 'NOT_FOUND', advice: 'Try another checkpoint' });
  const buckets = bucketsOf(state.live);
  const sizes = await Promise.all(buckets.map((hash) => sizeOf(archive, bucketPath(hash), signal)));
  const known = sizes.filter((size) => size !== null);
  return { checkpoint, buckets: buckets.length, bytes: known.length === sizes.length ? known.reduce((sum, size) => sum + size, 0) : null };
}

const STATUS: Readonly<Record<FoundEntry['status'], { readonly title: string; readonly tone: 'verified' | 'unchecked' }>> = {
  live: { title: 'Found', tone: 'verified' },
  deleted: { title: 'Deleted', tone: 'unchecked' },
  absent: { title: 'In no bucket', tone: 'unchecked' },
};

function words(found: FoundEntry, checkpoint: number): string {
  switch (found.status) {
    case 'live': return `As it was after ledger ${grouped(checkpoint)}.`;
    case 'deleted': return `It was deleted: the newest bucket that has its key says so, as of ledger ${grouped(checkpoint)}.`;
    case 'absent': return `All buckets of checkpoint ${grouped(checkpoint)} were read, and none has its key: it was not there.`;
  }
}

function Found({ at, found, checkpoint }: { readonly at: At; readonly found: FoundEntry; readonly checkpoint: number }): JSX.Element {
  const { title, tone } = STATUS[found.status];
  return (
    <section class={`card found tone-${tone}`} aria-labelledby="found-title" data-entry={found.status}>
      <h3 id="found-title"><Icon name={tone} /> {title}</h3>
      <p>{words(found, checkpoint)}</p>
      <dl class="evidence facts">
        {found.bucket !== null && <Fact name="Bucket"><HashLink value={found.bucket} href={to({ kind: 'bucket', hash: found.bucket, from: 0 }, at.place)} /></Fact>}
        {found.level !== null && <Fact name="Place"><span>Level {found.level}{found.part === null ? '' : `, ${found.part}`}</span></Fact>}
        <Fact name="Read"><span class="figure">{plural(found.bucketsRead, 'bucket')}, {bytes(found.compressed)}</span></Fact>
      </dl>
      {found.entry !== null && <Raw name="The entry" json={found.entry.json} xdr={found.entry.xdr} />}
      <Raw name="Its key" json={found.key.json} xdr={found.key.xdr} />
    </section>
  );
}

export function EntryView({ entryKey, checkpoint, ...at }: At & { readonly entryKey: string; readonly checkpoint: number | null }): JSX.Element {
  const { explorer } = at.archive;
  const { looked, again } = useLooked((signal) => costOf(at.archive, checkpoint, signal));
  const { task, start, cancel } = useTask<FoundEntry>();
  const progress = useSignal<SearchProgress | null>(null);
  const cost = looked.value.state === 'ready' ? looked.value.value : null;
  const state = task.value;
  const number = checkpoint ?? cost?.checkpoint ?? null;
  useEffect(() => {
    if (state.state === 'ready') announce(`${STATUS[state.value.status].title}. ${words(state.value, number ?? 0)}`);
  }, [state]);
  const search = (): void => {
    if (number === null) return;
    progress.value = null;
    start((signal) => explorer.findEntry(entryKey, number, { signal, onProgress: (event) => { progress.value = event; } }));
  };
  const address = readAddress(entryKey);
  const title = address?.ok === true ? (address.kind === 'contract' ? 'Contract' : 'Account') : 'Entry';
  const beside = (offset: number): { readonly label: string; readonly subject: { readonly kind: 'entry'; readonly key: string; readonly checkpoint: number } } | null =>
    number === null || number + offset < FREQUENCY - 1 ? null : { label: `As of checkpoint ${grouped(number + offset)}`, subject: { kind: 'entry', key: entryKey, checkpoint: number + offset } };
  return (
    <Frame
      at={at} kind="entry" title={spaced(title)} {...(number === null ? {} : { aside: `as of checkpoint ${grouped(number)}` })}
      crumbs={number === null ? [] : [{ label: `Checkpoint ${grouped(number)}`, href: to({ kind: 'checkpoint', checkpoint: number }, at.place) }]}
      steps={{ before: beside(-FREQUENCY), after: beside(FREQUENCY) }} busy={looked.value.state === 'loading'} said={cost === null ? null : `${title} as of checkpoint ${cost.checkpoint}`}
    >
      <section class="card" aria-label="What is looked for">
        <dl class="evidence facts"><Fact name={title === 'Entry' ? 'Key' : 'Address'}><Hash value={entryKey} what="the key" /></Fact></dl>
        {cost !== null && state.state === 'idle' && (
          <Fragment>
            <div class="form-foot">
              <button id="search" type="button" class="button primary" onClick={search}>Look through the buckets</button>
              <p class="hint" id="cost">
                At most {plural(cost.buckets, 'bucket')}{cost.bytes === null ? ', of a size that the server does not say' : ` with ${bytes(cost.bytes)}${at.archive.online ? ' to download' : ''}`}; from the newest on, so mostly less.
              </p>
            </div>
          </Fragment>
        )}
        {state.state === 'loading' && (
          <div class="searching">
            <progress aria-label="Buckets read" value={progress.value?.done ?? 0} max={Math.max(1, progress.value?.total ?? cost?.buckets ?? 1)} />
            <p class="hint figure">{grouped(progress.value?.done ?? 0)} of {plural(progress.value?.total ?? cost?.buckets ?? 0, 'bucket')}</p>
            <button id="stop-search" type="button" class="button small" onClick={cancel}>Cancel</button>
          </div>
        )}
      </section>
      {looked.value.state === 'loading' && <Skeleton />}
      {looked.value.state === 'failed' && <Failed at={at} failure={looked.value.failure} again={again} {...(number === null ? {} : { ledger: number })} />}
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={search} />}
      {state.state === 'ready' && number !== null && <Found at={at} found={state.value} checkpoint={number} />}
    </Frame>
  );
}
