/** A bucket: what is in it page by page, and whether it is the one of its hash. */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { BucketEntryView, BucketPage } from '../../lib/explore-types.ts';
import { bytes, grouped, plural } from '../format.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import { FileLink } from '../parts/FileLink.tsx';
import { Hash } from '../parts/Hash.tsx';
import { announce } from '../store.ts';
import { bucketCommand } from './commands.ts';
import { type At, Frame, Skeleton, to } from './Frame.tsx';
import { Failed } from './Hindrances.tsx';
import { useLooked, useTask } from './look-up.ts';
import { Fact, Fold, OutcomeBadge, Raw } from './Pieces.tsx';
import { sizeOf } from './source.ts';
import type { Subject } from './routes.ts';
import { spaced, telling } from './words.ts';

const PAGE = 50;

export function bucketPath(hash: string): string {
  return `bucket/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(4, 6)}/bucket-${hash}.xdr.gz`;
}

const KINDS: Readonly<Record<string, { readonly word: string; readonly means: string }>> = {
  liveentry: { word: 'Live', means: 'as it is from then on' },
  initentry: { word: 'New', means: 'it was not there before' },
  deadentry: { word: 'Deleted', means: 'it is no more' },
  metaentry: { word: 'Metadata', means: 'of the bucket itself' },
  archived: { word: 'Archived', means: 'it was evicted' },
  live: { word: 'Restored', means: 'it is live again' },
};

export function kindWord(kind: string): string {
  return KINDS[kind]?.word ?? spaced(kind);
}

function Entry({ entry }: { readonly entry: BucketEntryView }): JSX.Element {
  const told = telling(entry.json);
  return (
    <li data-entry={entry.index}>
      <Fold
        class="fold entry"
        summary={(
          <span class="entry-line">
            <span class="figure entry-number">{grouped(entry.index + 1)}</span>
            <span class={`entry-kind kind-${entry.kind}`} title={KINDS[entry.kind]?.means}>{kindWord(entry.kind)}</span>
            <span class="entry-type">{entry.type === null ? '' : spaced(entry.type)}</span>
            {told !== null && <span class="entry-told" title={`${told.name} ${told.value}`}>{told.value}</span>}
          </span>
        )}
      >
        {() => <Raw name={`Entry ${entry.index + 1}`} json={entry.json} xdr={entry.xdr} />}
      </Fold>
    </li>
  );
}

function Verify({ at, hash }: { readonly at: At; readonly hash: string }): JSX.Element {
  const path = bucketPath(hash);
  const { looked } = useLooked((signal) => sizeOf(at.archive, path, signal));
  const { task, start, cancel } = useTask<Awaited<ReturnType<typeof at.archive.explorer.verifyBucket>>>();
  const read = useSignal(0);
  const size = looked.value.state === 'ready' ? looked.value.value : null;
  const state = task.value;
  useEffect(() => {
    if (state.state === 'ready') announce(state.value.holds ? 'The bucket has the hash that it is named by' : 'The bucket has another hash than it is named by');
  }, [state]);
  const verify = (): void => {
    read.value = 0;
    start((signal) => at.archive.explorer.verifyBucket(hash, { signal, onProgress: ({ compressed }) => { read.value = compressed; } }));
  };
  const command = bucketCommand(at.archive, path);
  return (
    <section class="card" aria-labelledby="verify-title">
      <div class="card-head">
        <h3 id="verify-title">Is it the bucket of this hash?</h3>
        {state.state === 'ready' && <OutcomeBadge outcome={state.value.holds ? 'holds' : 'broken'} />}
      </div>
      {state.state === 'idle' && (
        <div class="form-foot">
          <button id="verify-bucket" type="button" class="button" onClick={verify}>Verify this bucket</button>
          <p class="hint" id="bucket-cost">
            {looked.value.state === 'loading' ? 'Asking for its size…' : size === null ? 'Reads it to its end; how large it is the server does not say.' : `Reads it to its end: ${bytes(size)}${at.archive.online ? ' to download' : ''}.`}
          </p>
        </div>
      )}
      {state.state === 'loading' && (
        <div class="searching">
          <progress aria-label="Bytes read" {...(size === null ? {} : { value: Math.min(read.value, size), max: size })} />
          <p class="hint figure">{bytes(read.value)}{size === null ? '' : ` of ${bytes(size)}`}</p>
          <button type="button" class="button small" onClick={cancel}>Cancel</button>
        </div>
      )}
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={verify} />}
      {state.state === 'ready' && (
        <div class={`bucket-check tone-${state.value.holds ? 'verified' : 'faulty'}`} data-holds={state.value.holds}>
          <dl class="evidence">
            <Fact name="Computed"><Hash value={state.value.computed} what="the computed hash" /></Fact>
            <Fact name="Named"><Hash value={state.value.hash} what="the hash that it is named by" /></Fact>
            <Fact name="Read"><span class="figure">{plural(state.value.entries, 'entry', 'entries')}, {bytes(state.value.compressed)} as stored, {bytes(state.value.inflated)} inflated</span></Fact>
          </dl>
        </div>
      )}
      <div class="snippet"><code>{command}</code><CopyButton small label="Copy" title="Copy the command for the bucket" text={() => command} /></div>
    </section>
  );
}

function Entries({ at, page }: { readonly at: At; readonly page: BucketPage }): JSX.Element {
  const counts = new Map<string, number>();
  for (const { kind } of page.entries) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const link = (from: number): string => to({ kind: 'bucket', hash: page.hash, from }, at.place);
  const pager = (page.from > 0 || page.more) && (
    <p class="pager">
      {page.from > 0 ? <a class="button small" href={link(Math.max(0, page.from - PAGE))}>Earlier</a> : <span class="button small" aria-disabled="true">Earlier</span>}
      <span class="figure">{grouped(page.from + 1)} to {grouped(page.from + page.entries.length)}{page.more ? '' : ', the last'}</span>
      {page.more ? <a class="button small" href={link(page.from + PAGE)}>Later</a> : <span class="button small" aria-disabled="true">Later</span>}
    </p>
  );
  return (
    <section class="card" aria-labelledby="entries-title">
      <h3 id="entries-title">Entries <span class="aside">{[...counts].map(([kind, count]) => `${grouped(count)} ${kindWord(kind).toLowerCase()}`).join(', ')}{counts.size > 0 && (page.more || page.from > 0) ? ' on this page' : ''}</span></h3>
      {page.entries.length === 0 && <p class="hint">{page.from === 0 ? 'There are none: this bucket is empty.' : 'There are no more.'}</p>}
      {pager}
      <ol class="entries">{page.entries.map((entry) => <Entry key={entry.index} entry={entry} />)}</ol>
      {page.entries.length > 10 && pager}
    </section>
  );
}

export function BucketView({ hash, from, ...at }: At & { readonly hash: string; readonly from: number }): JSX.Element {
  const { looked, again } = useLooked((signal) => at.archive.explorer.bucket(hash, { signal, from, limit: PAGE }));
  const state = looked.value;
  const page = state.state === 'ready' ? state.value : null;
  const beside = (start: number): { readonly label: string; readonly subject: Subject } => ({ label: `Entries from ${grouped(start + 1)} on`, subject: { kind: 'bucket', hash, from: start } });
  return (
    <Frame
      at={at} kind="bucket" crumbs={[]} title="Bucket" aside={`${hash.slice(0, 8)}…`} busy={state.state === 'loading'}
      steps={{ before: from > 0 ? beside(Math.max(0, from - PAGE)) : null, after: page?.more === true ? beside(from + PAGE) : null }}
      said={page === null ? null : `Bucket ${hash.slice(0, 8)}: ${plural(page.entries.length, 'entry', 'entries')} on this page`}
    >
      <section class="card" aria-label="Its name">
        <dl class="evidence facts">
          <Fact name="Hash"><Hash value={hash} what="the hash of the bucket" /></Fact>
          <Fact name="File"><FileLink archive={at.archive.online ? at.archive.base : ''} path={bucketPath(hash)} /></Fact>
        </dl>
      </section>
      {state.state === 'failed' && <Failed at={at} failure={state.failure} again={again} />}
      {state.state !== 'failed' && <Verify at={at} hash={hash} />}
      {state.state === 'loading' && <Skeleton />}
      {page !== null && <Fragment><Entries at={at} page={page} /></Fragment>}
    </Frame>
  );
}
