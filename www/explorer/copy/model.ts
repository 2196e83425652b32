/**
 * A copy as the page prepares and makes it: where to, what it would take, and the run with what came of it.
 *
 * Nothing here asks an archive for anything before a person has pressed the button that says so: `estimate`, `begin`.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { estimateInWorker, mirrorInWorker, repairInWorker } from '../../lib/copy-client.ts';
import type { CopyRun } from '../../lib/run.ts';
import type { ArchiveReader, ArchiveWriter, CopyEstimate, CopyReport, MirrorOptions, VerifyRun } from '../../lib/types.ts';
import { folderWriter } from '../../lib/writers/browser-folder.ts';
import { zipArchive } from '../../lib/writers/zip.ts';
import { takeWorker, warmUp } from '../engine.ts';
import { folderLabel, folders, openHandle } from '../folders.ts';
import { commandLine, EMPTY_FORM, parseArchive } from '../form.ts';
import { bytes } from '../format.ts';
import { asFailure, type Failure, type Run, startRun } from '../run.ts';
import { announce, checked, copyBusy, copying, edit, engine, form, formOpen, keepInMind, network, run } from '../store.ts';
import {
  canPickFolders, clearStorage, freeStorage, hasStorage, type Holding, look, lookInStorage, mendedIn, type Obstacle, pickFolder, remoteArchive, storageFolder, toWrite, watched,
  type WritableHandle, type ZipLike,
} from './places.ts';

export type Place = 'folder' | 'storage' | 'zip';

/** A folder, as far as the page has it. */
export type Folder =
  | { readonly state: 'none' }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'unreadable'; readonly name: string; readonly reason: string }
  /** One of the archives that are read from. */
  | { readonly state: 'source'; readonly name: string }
  | { readonly state: 'open'; readonly handle: WritableHandle; readonly holding: Holding };

export type Estimate =
  | { readonly state: 'none' }
  | { readonly state: 'asking'; readonly cancel: () => void }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'known'; readonly estimate: CopyEstimate; readonly of: string };

/** This browser's storage, as far as it was looked at. */
export type Storage =
  | { readonly state: 'none' }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'open'; readonly holding: Holding };

export interface ZipFile {
  readonly name: string;
  readonly blob: Blob;
}

/** A copy under way, or over. */
export interface Copy {
  readonly kind: 'mirror' | 'repair';
  readonly dryRun: boolean;
  readonly place: Place;
  /** Where to, in words. */
  readonly where: string;
  readonly estimate: CopyEstimate | null;
  readonly run: Run;
  readonly report: ReadonlySignal<CopyReport | null>;
  readonly obstacle: ReadonlySignal<Obstacle | null>;
  readonly zip: ReadonlySignal<ZipFile | null>;
  readonly command: string;
  /** After a dry run: writes what it found. */
  readonly mend: () => void;
  readonly again: () => void;
  /** The finished copy as an archive to be checked; `null` for a zip. */
  readonly handle: WritableHandle | null;
}

export const place = signal<Place>(canPickFolders() ? 'folder' : hasStorage() ? 'storage' : 'zip');
export const folder = signal<Folder>({ state: 'none' });
/** This browser's storage: looked at when it is chosen. */
export const storage = signal<Storage>({ state: 'none' });
export const free = signal<number | null>(null);
/** The address of an archive that cannot be written to from here. */
export const remote = signal('');
export const overwrite = signal(false);
export const allowGaps = signal(false);
export const readBack = signal(false);
/** Mebibytes a second, as typed. */
export const limit = signal('');
export const estimate = signal<Estimate>({ state: 'none' });
export const copy = signal<Copy | null>(null);
/** Something is being asked for that takes a moment, or a dialog of the browser is open. */
export const asking = signal(false);
export const tried = signal(false);

const page = new URL(location.href);

export const limitBytes = computed((): number | null => {
  if (limit.value.trim() === '') return 0;
  const mebibytes = Number(limit.value.replace(',', '.'));
  return Number.isFinite(mebibytes) && mebibytes > 0 ? Math.max(1, Math.round(mebibytes * (1 << 20))) : null;
});

/** The archives to read from, as they are asked; `null` where the form is not right. */
const decision = computed(() => (checked.value.ok ? checked.value : null));

export const sourceNames = computed((): readonly string[] =>
  (decision.value?.sources ?? []).map((source) => (typeof source === 'string' ? source : source.name)));

/** What the copy is of. What a check alone can do is left out. */
function copyOptions(): MirrorOptions {
  const { range, network: of, trust, skipOptional } = decision.value?.options ?? {};
  const bandwidthLimit = limitBytes.value ?? 0;
  return {
    ...(range === undefined ? {} : { range }),
    ...(of === undefined ? {} : { network: of }),
    ...(trust === undefined ? {} : { trust }),
    ...(skipOptional === true ? { skipOptional } : {}),
    ...(bandwidthLimit === 0 ? {} : { bandwidthLimit }),
  };
}

/** An estimate is of this; anything else needs another one. */
const subject = computed(() => {
  const { bandwidthLimit: _, ...rest } = copyOptions();
  return JSON.stringify([sourceNames.value, rest]);
});

export const known = computed((): CopyEstimate | null =>
  estimate.value.state === 'known' && estimate.value.of === subject.value ? estimate.value.estimate : null);
export const outdated = computed(() => estimate.value.state === 'known' && known.value === null);

/** The passphrase that the form says or implies. */
const passphrase = computed((): string | undefined => {
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  return presets.find(({ name }) => name === network.value)?.passphrase ?? network.value;
});

/** The network of an archive that is there, if it is another one than the form's. */
export function otherNetwork(holding: Holding): string | null {
  if (holding.holds !== 'archive' || holding.passphrase === null || passphrase.value === undefined) return null;
  return holding.passphrase === passphrase.value ? null : holding.passphrase;
}

/** Why nothing can be written to a folder as it is; `null` where it can. */
export function unfit(holding: Holding, kind: 'mirror' | 'repair'): 'other-network' | 'not-empty' | 'no-archive' | null {
  if (otherNetwork(holding) !== null) return 'other-network';
  if (holding.holds === 'other') return kind === 'mirror' ? 'not-empty' : 'no-archive';
  return holding.holds === 'nothing' && kind === 'repair' ? 'no-archive' : null;
}

/** The archive that is to be mended elsewhere, as it is asked; `null` where that is no address. */
export const remoteUrl = computed(() => parseArchive(remote.value, page));

/** What it is called in this browser's storage, and what its zip is: after the first archive. */
export const copyName = computed(() => {
  const [first = 'archive'] = sourceNames.value;
  return first.replace(/^https?:\/\//, '').replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'archive';
});

async function looked(handle: WritableHandle): Promise<Folder> {
  try {
    for (const source of form.value.sources) {
      const read = source.kind === 'folder' ? folders.value.get(source.name)?.handle : undefined;
      if (await read?.isSameEntry(handle)) return { state: 'source', name: handle.name };
    }
    return { state: 'open', handle, holding: await look(handle) };
  } catch (thrown) {
    return { state: 'unreadable', name: handle.name, reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

async function take(picked: Awaited<ReturnType<typeof pickFolder>>): Promise<void> {
  if (picked.outcome === 'none') return;
  folder.value = picked.outcome === 'refused' ? { state: 'refused', reason: picked.reason } : await looked(picked.handle);
  const now = folder.value;
  announce(now.state === 'open' ? `Folder ${now.handle.name} chosen` : 'The folder cannot be used');
}

async function once(body: () => Promise<void>): Promise<void> {
  if (asking.value) return;
  asking.value = true;
  try {
    await body();
  } finally {
    asking.value = false;
  }
}

/** What a folder holds has changed with a copy. */
async function lookAgain(handle: WritableHandle | null): Promise<void> {
  const now = folder.value;
  if (now.state !== 'open' || now.handle !== handle) return;
  const again = await looked(now.handle);
  if (folder.value === now) folder.value = again;
}

export function choosePlace(): Promise<void> {
  return once(async () => take(await pickFolder()));
}

/** A folder that a check read becomes the one that is mended. */
export function reuse(handle: WritableHandle): Promise<void> {
  return once(async () => take(await toWrite(handle)));
}

/** An empty folder inside of the one that was chosen. */
export function makeInside(name: string): Promise<void> {
  return once(async () => {
    const now = folder.value;
    if (now.state !== 'open') return;
    try {
      folder.value = await looked(await now.handle.getDirectoryHandle(name, { create: true }));
    } catch (thrown) {
      folder.value = { state: 'refused', reason: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  });
}

export async function lookAtStorage(): Promise<void> {
  const name = copyName.value;
  free.value = await freeStorage();
  try {
    const holding = await lookInStorage(name);
    if (name === copyName.value) storage.value = { state: 'open', holding };
  } catch (thrown) {
    storage.value = { state: 'refused', reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** What is there under the name of this copy, thrown away. */
export function emptyStorage(): Promise<void> {
  return once(async () => {
    try {
      await clearStorage(copyName.value);
      announce('The copy in this browser was deleted');
    } catch (thrown) {
      announce(`It could not be deleted: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
    await lookAtStorage();
  });
}

/** The page as it comes up for a kind of copy: what was chosen for the other one does not fit it. */
export function prepare(): void {
  const wanted = copying.value;
  if (wanted === null) return;
  copy.value = null;
  tried.value = false;
  estimate.value = { state: 'none' };
  const handle = [...folders.value.values()].find(({ name }) => name === wanted.mend)?.handle;
  remote.value = wanted.mend !== null && /^https?:/.test(wanted.mend) ? wanted.mend : '';
  if (wanted.kind === 'repair' && (remote.value !== '' || place.value === 'storage' || !canPickFolders())) place.value = 'zip';
  if (handle !== undefined) {
    place.value = 'folder';
    // It may be read; whether it may be changed is asked with the next click.
    folder.value = { state: 'none' };
  }
}

export async function askEstimate(): Promise<void> {
  const chosen = decision.value;
  if (chosen === null || estimate.value.state === 'asking') return;
  const stop = new AbortController();
  const of = subject.value;
  const mine: Estimate = { state: 'asking', cancel: () => stop.abort(new DOMException('the estimate was cancelled', 'AbortError')) };
  estimate.value = mine;
  announce('Estimating');
  const worker = takeWorker();
  let found: Estimate;
  try {
    found = { state: 'known', of, estimate: await estimateInWorker(worker, chosen.sources, { ...copyOptions(), signal: stop.signal }) };
  } catch (error) {
    found = stop.signal.aborted ? { state: 'none' } : { state: 'failed', failure: asFailure(error) };
  }
  worker.terminate();
  warmUp();
  if (estimate.value !== mine) return;
  estimate.value = found;
  if (found.state === 'known') announce(`About ${bytes(found.estimate.bytes)} in ${found.estimate.files} files`);
  if (found.state === 'failed') announce(`No estimate: ${found.failure.message}`);
}

interface Target {
  readonly where: string;
  readonly writer: ArchiveWriter;
  readonly handle: WritableHandle | null;
  readonly zip: ZipLike | null;
}

async function openTarget(): Promise<Target | null> {
  if (place.value === 'zip') {
    const zip = zipArchive(`${copyName.value}.zip`);
    if (copying.value?.kind === 'mirror') return { where: 'a zip', writer: zip, handle: null, zip };
    return remoteUrl.value === null ? null : { where: remoteUrl.value.href, writer: mendedIn(zip, remoteArchive(remoteUrl.value.href)), handle: null, zip };
  }
  if (place.value === 'storage') {
    const handle = await storageFolder(copyName.value);
    const where = `this browser’s storage, ${handle.name}`;
    return { where, writer: folderWriter(handle, where), handle, zip: null };
  }
  if (folder.value.state !== 'open') return null;
  const { handle } = folder.value;
  const where = folderLabel(handle.name);
  return { where, writer: folderWriter(handle, where), handle, zip: null };
}

function readme(report: CopyReport, file: string): string {
  return `Files that mend a Stellar history archive
=========================================

Archive:  ${report.destination}
Mended from:  ${report.sources.join(', ')}
Ledgers:  ${report.range === null ? 'none' : `${report.range.low} to ${report.range.high}`}
Files:  ${report.written.files} (and this text)
Made:  ${report.startedAt}, by stellar-archive-verifier ${report.verifier.version}

Every file in here was verified before it was put here. Unpack them over the archive's root, the folder that holds
.well-known, so that each takes the place of the missing or faulty one:

    unzip -o ${file} -x README.txt -d /path/to/archive

For an archive in a bucket of S3 or the like, unpack into an empty folder and copy that over the bucket's prefix:

    unzip ${file} -x README.txt -d mended && aws s3 cp --recursive mended s3://BUCKET/PREFIX

If the zip has .well-known/stellar-history.json, let that be the last file that you put in place. Caches in front of the archive may go
on serving the old files for a while. Then verify the archive again.
`;
}

/** What the zip is made of once nothing more comes, or `null` where there is nothing in it. */
async function finished(zip: ZipLike, report: CopyReport): Promise<ZipFile | null> {
  if (report.dryRun || report.written.files === 0) return null;
  const name = report.task === 'repair' ? `repair-${copyNameOf(report.destination)}.zip` : zip.name;
  if (report.task === 'repair') await zip.put('README.txt', new TextEncoder().encode(readme(report, name)), { signal: new AbortController().signal });
  return { name, blob: await zip.blob() };
}

function copyNameOf(destination: string): string {
  return destination.replace(/^https?:\/\//, '').replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'archive';
}

interface Start {
  readonly kind: 'mirror' | 'repair';
  readonly dryRun: boolean;
  readonly plan?: string;
  readonly sources: readonly (string | ArchiveReader)[];
  readonly target: Target;
}

/** The form again as it was, with what was chosen. */
function back(): void {
  copy.value = null;
  formOpen.value = true;
}

/** So that a tab is not closed over a copy by accident: what is in a zip would be gone. */
function guard(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function carryOut(start: Start): void {
  const { kind, dryRun, plan, sources, target } = start;
  const report = signal<CopyReport | null>(null);
  const obstacle = signal<Obstacle | null>(null);
  const zip = signal<ZipFile | null>(null);
  const told = known.value;
  const options = copyOptions();
  const { range: _, ...ofPlan } = options;
  const writer = watched(target.writer, (found) => { obstacle.value ??= found; });
  const archives = sources.map((source) => (typeof source === 'string' ? source : source.name));
  const begun = (stop: AbortSignal): CopyRun => {
    const worker = takeWorker();
    const common = { ...(plan === undefined ? options : ofPlan), ...(readBack.value && target.zip === null ? { readBack: true } : {}), signal: stop };
    const going = kind === 'mirror'
      ? mirrorInWorker(worker, sources, writer, { ...common, ...(overwrite.value ? { overwrite: true } : {}), ...(allowGaps.value ? { allowGaps: true } : {}) })
      : repairInWorker(worker, sources, writer, { ...common, ...(dryRun ? { dryRun: true } : {}), ...(plan === undefined ? {} : { plan }) });
    const end = (): void => worker.terminate();
    going.report.then(end, end);
    return going;
  };
  /** As a verification, which is what the page can show: its report is within the other one. */
  const asVerification = (stop: AbortSignal): VerifyRun => {
    const going = begun(stop);
    const verification = going.report.then(async (whole) => {
      if (target.zip !== null) zip.value = await finished(target.zip, whole);
      report.value = whole;
      return whole.verification;
    });
    verification.catch(() => undefined);
    return { report: verification, abort: (reason) => going.abort(reason), [Symbol.asyncIterator]: () => going[Symbol.asyncIterator]() };
  };
  copyBusy.value = true;
  addEventListener('beforeunload', guard);
  const current = startRun({ id: 'copy', form: form.value, archives, options }, asVerification, {
    announce,
    advanced: () => undefined,
    settled: () => {
      copyBusy.value = false;
      removeEventListener('beforeunload', guard);
      warmUp();
      void lookAgain(target.handle);
      announce(report.value === null ? `The copy stopped: ${current.failure.value?.message ?? 'unknown cause'}` : `Done. ${report.value.statement}`);
    },
  });
  formOpen.value = false;
  const ofCheck = commandLine([...archives, place.value === 'folder' && target.handle !== null ? folderLabel(target.handle.name) : folderLabel('archive')], options, form.value.hashesFile || undefined);
  const command = [
    ofCheck.replace(' verify ', ` ${kind} `),
    ...(dryRun ? ['--dry-run'] : []),
    ...(kind === 'mirror' && overwrite.value ? ['--overwrite'] : []),
    ...(kind === 'mirror' && allowGaps.value ? ['--allow-mirror-gaps'] : []),
    ...(readBack.value && target.zip === null ? ['--read-back'] : []),
    ...(options.bandwidthLimit === undefined ? [] : [`--bandwidth-limit ${options.bandwidthLimit}`]),
  ].join(' ');
  copy.value = {
    kind, dryRun, place: place.value, where: target.where, estimate: kind === 'mirror' ? told : null, run: current, report, obstacle, zip, handle: target.handle,
    command,
    mend: () => {
      const found = report.value;
      if (found !== null && !copyBusy.value) carryOut({ ...start, dryRun: false, plan: JSON.stringify(found.plan) });
    },
    again: back,
  };
}

/** What is missing before anything can begin: the form, a place, an estimate. The first that is, by where it stands on the page. */
export const missing = computed((): 'form' | 'place' | 'limit' | 'estimate' | null => {
  const kind = copying.value?.kind ?? 'mirror';
  if (decision.value === null) return 'form';
  if (place.value === 'zip' ? kind === 'repair' && remoteUrl.value === null : place.value === 'storage' ? storage.value.state !== 'open' : folder.value.state !== 'open') return 'place';
  const there = place.value === 'folder' ? folder.value : place.value === 'storage' ? storage.value : null;
  if (there?.state === 'open' && unfit(there.holding, kind) !== null) return 'place';
  if (place.value === 'zip' && kind === 'repair' && remoteUrl.value !== null && sourceNames.value.includes(remoteUrl.value.href)) return 'place';
  if (limitBytes.value === null) return 'limit';
  return kind === 'mirror' && known.value === null ? 'estimate' : null;
});

/** Writes, or with `dryRun` only looks. */
export function begin(dryRun: boolean): Promise<void> {
  return once(async () => {
    const kind = copying.value?.kind;
    const chosen = decision.value;
    if (kind === undefined || chosen === null || missing.value !== null || copyBusy.value) return;
    try {
      const target = await openTarget();
      keepInMind(chosen.sources);
      if (target !== null) carryOut({ kind, dryRun, sources: chosen.sources, target });
    } catch (thrown) {
      storage.value = { state: 'refused', reason: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  });
}

/** Leaves the copy for a check of what was made. */
export function checkCopy(made: Copy): void {
  if (made.handle === null) return;
  const name = openHandle(made.handle, made.handle.name);
  copy.value = null;
  copying.value = null;
  run.value = null;
  formOpen.value = true;
  edit({ sources: [{ kind: 'folder', name }] });
  requestAnimationFrame(() => document.getElementById('start')?.focus());
}

export function leave(): void {
  copy.value = null;
  if (run.value !== null) formOpen.value = false;
  copying.value = null;
  if (form.value.sources.length === 0) edit({ sources: EMPTY_FORM.sources });
}


