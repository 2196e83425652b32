/** The state of the page: the form, the verifier's readiness, the archives of this server, and the run. */
import { computed, signal } from '@preact/signals';
import type { ArchiveReader, VerifyOptions, VerifyRun } from '../lib/types.ts';
import { verifyInWorker } from '../lib/worker-client.ts';
import { CheckpointTable } from './checkpoints.ts';
import { type Engine, loadEngine, takeWorker } from './engine.ts';
import { folders, type FolderHandle, reopen } from './folders.ts';
import { checkForm, decodeForm, EMPTY_FORM, encodeForm, type FormState, type Source } from './form.ts';
import { isGoing, type Run, type Setup, startRun } from './run.ts';
import { hold, putRun, removeRun, type SavedRun, savedRuns } from './saved-runs.ts';

export interface LocalArchive {
  readonly name: string;
  readonly url: string;
  /** The passphrase, where the archive states one. */
  readonly network?: string | null;
}

export type EngineState =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly engine: Engine }
  | { readonly state: 'failed'; readonly reason: string };

/** Where the server of this repository offers its sample. */
const SAMPLE = '/archive/sample/';

const page = new URL(location.href);

export const form = signal<FormState>(decodeForm(location.hash) ?? EMPTY_FORM);
export const formOpen = signal(true);
/** Faults are shown after the first try to start, and from then on as they are mended. */
export const tried = signal(false);
/** The page was opened by a link that asks for a check to start; that stays with the person in front of it. */
export const askedToRun = signal(/(^#|&)run=1(&|$)/.test(location.hash));
export const engine = signal<EngineState>({ state: 'loading' });
export const localArchives = signal<readonly LocalArchive[]>([]);
export const run = signal<Run | null>(null);
/** Runs begun earlier that can go on, but for the one on the page. */
export const saved = signal<readonly SavedRun[]>([]);
export const announcement = signal('');
/** The archive field that was last in use: known archives go there. */
export const activeSource = signal(0);

export const checked = computed(() => checkForm(form.value, page, folders.value));
export const busy = computed(() => run.value !== null && isGoing(run.value.phase.value));

export function announce(text: string): void {
  announcement.value = text;
}

/** The entry of the browser's history we stand on belongs to a check: it is left as it is, so that Back leads to it again. */
let entryTaken = false;

function writeAddress(): void {
  const link = encodeForm(form.value);
  const standing = decodeForm(location.hash);
  const same = standing !== null && encodeForm(standing) === link;
  if (entryTaken && !same) {
    history.pushState(null, '', link || location.pathname);
    entryTaken = false;
  } else {
    history.replaceState(null, '', link || location.pathname);
  }
}

/** Whether the network in the form was typed; otherwise it came with an archive or a link, and may leave with the archive. */
let networkTyped = false;

/** The network in the form is the one that a known archive among `sources` brought along. */
function networkCameAlong(sources: readonly Source[]): boolean {
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  const known = presets.find((preset) => preset.name === form.value.network)?.archives ?? [];
  return !networkTyped && sources.some((source) => source.kind === 'url' && known.some(({ url }) => url === source.url));
}

/**
 * The address follows what is typed. Another archive may be of another network: one that nobody typed does not stay, because
 * a good archive would be called faulty for it.
 */
export function edit(change: Partial<FormState>): void {
  const left = change.sources !== undefined && networkCameAlong(form.value.sources) && !networkCameAlong(change.sources);
  if (change.network !== undefined) networkTyped = change.network !== '';
  form.value = { ...form.value, ...(left ? { network: '' } : {}), ...change };
  writeAddress();
}

function replaced(place: number, source: Source): readonly Source[] {
  return form.value.sources.map((old, at) => (at === place ? source : old));
}

export function setSource(place: number, source: Source): void {
  edit({ sources: replaced(place, source) });
}

export function addSource(source: Source): void {
  const { sources } = form.value;
  const only = sources.length === 1 ? sources[0] : undefined;
  const fresh = source.kind === 'folder' && only?.kind === 'url' && only.url === '';
  edit({ sources: fresh ? [source] : [...sources, source] });
  activeSource.value = form.value.sources.length - 1;
}

export function removeSource(place: number): void {
  const sources = form.value.sources.filter((_, at) => at !== place);
  edit({ sources: sources.length === 0 ? EMPTY_FORM.sources : sources });
  activeSource.value = Math.max(0, Math.min(activeSource.value, form.value.sources.length - 1));
}

/** Where a known archive goes: into the first empty field, or else the one that was last in use. */
export const targetSource = computed(() => {
  const { sources } = form.value;
  const usable = (at: number): boolean => sources[at]?.kind === 'url';
  const empty = sources.findIndex((source) => source.kind === 'url' && source.url === '');
  return empty >= 0 ? empty : usable(activeSource.value) ? activeSource.value : sources.findIndex((_, at) => usable(at));
});

/** Takes a known archive into the form, with the name of its network where it is one of a known network. */
export function choose(archive: string, network?: string): void {
  const source: Source = { kind: 'url', url: archive };
  const sources = targetSource.value < 0 ? [...form.value.sources, source] : replaced(targetSource.value, source);
  edit(network === undefined ? { sources } : { sources, network });
  if (network !== undefined) networkTyped = false;
}

export async function load(): Promise<void> {
  engine.value = { state: 'loading' };
  try {
    engine.value = { state: 'ready', engine: await loadEngine() };
  } catch (error) {
    engine.value = { state: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

function isLocalArchive(value: unknown): value is LocalArchive {
  return (
    typeof value === 'object' && value !== null &&
    'name' in value && typeof value.name === 'string' &&
    'url' in value && typeof value.url === 'string' &&
    (!('network' in value) || value.network === null || typeof value.network === 'string')
  );
}

/** The only request before Start besides the page's own files; a host without this file is the normal case. */
export async function findLocalArchives(): Promise<void> {
  try {
    const answer = await fetch('/archives.json', { credentials: 'omit', cache: 'no-cache' });
    if (!answer.ok) return;
    const listed: unknown = await answer.json();
    if (!Array.isArray(listed)) return;
    localArchives.value = listed.filter(isLocalArchive);
    // Who serves an archive of their own came for that one. The network stays open: an archive says itself which it is of.
    const first = localArchives.value.find(({ url }) => url !== SAMPLE) ?? localArchives.value[0];
    if (first !== undefined && !form.value.sources.some((source) => source.kind === 'folder' || source.url !== '') && run.value === null) {
      form.value = { ...form.value, sources: [{ kind: 'url', url: first.url }] };
    }
  } catch {
    // Not served, or not JSON: the page is complete without it.
  }
}

function openRun(sources: readonly (string | ArchiveReader)[], options: VerifyOptions): VerifyRun {
  const worker = takeWorker();
  const opened = verifyInWorker(worker, sources, options);
  const end = (): void => worker.terminate();
  opened.report.then(end, end);
  return opened;
}

function handlesOf(sources: readonly Source[]): Record<string, FolderHandle> {
  const handles = sources.flatMap((source): [string, FolderHandle][] => {
    const handle = source.kind === 'folder' ? folders.value.get(source.name)?.handle : undefined;
    return source.kind === 'folder' && handle !== undefined ? [[source.name, handle]] : [];
  });
  return Object.fromEntries(handles);
}

/** One write at a time; while it is under way the newest of what comes is kept for the next. */
function keeper(current: Run): { save: () => void; forget: () => Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  let waiting = false;
  let forgotten = false;
  const write = async (): Promise<void> => {
    waiting = false;
    const { setup, progress, table, findings, state } = current;
    if (forgotten || state.value === null) return;
    const { done, total } = progress.value?.checkpoints ?? { done: 0, total: 0 };
    current.stored.value = await putRun({
      schema: 1, id: setup.id, savedAt: Date.now(), form: setup.form, archives: setup.archives, options: setup.options,
      state: state.value, done, total, handles: handlesOf(setup.form.sources),
      table: table.value?.snapshot() ?? null, findings: findings.value,
    });
  };
  return {
    save: () => {
      if (waiting) return;
      waiting = true;
      writing = writing.then(write);
    },
    forget: async () => {
      forgotten = true;
      await writing;
      await removeRun(current.setup.id);
    },
  };
}

async function findSaved(): Promise<void> {
  const found = await savedRuns();
  saved.value = found.filter(({ id }) => id !== run.value?.setup.id);
}

function ended(current: Run): void {
  const report = current.report.value;
  if (current.phase.value === 'paused') {
    const done = current.progress.value?.checkpoints.done ?? 0;
    return announce(`Paused after ${done} checkpoints`);
  }
  announce(
    report === null
      ? `The check stopped: ${current.failure.value?.message ?? 'unknown cause'}`
      : `Done: ${report.verdict}. ${report.statement}`,
  );
}

/** Ends the keeping of the run on the page. */
let forget: () => Promise<void> = async () => undefined;
/** Lets other tabs have the run on the page, which may be paused. */
let release: () => void = () => undefined;

function begin(setup: Setup, sources: readonly (string | ArchiveReader)[]): void {
  formOpen.value = false;
  askedToRun.value = false;
  release();
  release = hold(setup.id);
  const resumed = setup.resume === undefined ? {} : { resume: setup.resume.state };
  const current = startRun(
    setup,
    (stop) => openRun(sources, { ...setup.options, ...resumed, saveState: true, signal: stop }),
    {
      announce,
      advanced: () => kept.save(),
      settled: () => {
        if (current.phase.value === 'done' || current.phase.value === 'refused') void kept.forget();
        if (run.value === current) ended(current);
      },
    },
  );
  const kept = keeper(current);
  forget = kept.forget;
  run.value = current;
  // A paused run that stood here before is still to be had.
  void findSaved();
}

function nameOf(source: string | ArchiveReader): string {
  return typeof source === 'string' ? source : source.name;
}

/** Drawn here and not by the verifier: a run that is taken up again has to draw the same. */
function randomSeed(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function newId(): string {
  return `${Date.now().toString(36)}-${randomSeed()}`;
}

export function start(): boolean {
  tried.value = true;
  const decision = checked.value;
  if (!decision.ok || busy.value) return false;
  writeAddress();
  entryTaken = true;
  const seed = decision.options.sample !== undefined && decision.options.seed === undefined ? { seed: randomSeed() } : {};
  begin(
    { id: newId(), form: form.value, archives: decision.sources.map(nameOf), options: { ...decision.options, ...seed } },
    decision.sources,
  );
  return true;
}

/** Takes the paused run on the page up again, or one that crashed, from its latest state; without one it begins anew. */
export function resumeRun(): void {
  const current = run.value;
  const decision = current === null ? undefined : checkForm(current.setup.form, page, folders.value);
  if (current === null || busy.value || decision?.ok !== true) return;
  const state = current.state.value;
  const { id, form: entered, archives, options } = current.setup;
  announce('Going on');
  begin({
    id, form: entered, archives, options,
    ...(state === null ? {} : {
      resume: {
        state, done: current.progress.value?.checkpoints.done ?? 0, table: current.table.value, findings: current.findings.value,
      },
    }),
  }, decision.sources);
}

/** The check of a run that could not go on, from its beginning. */
export function startAgain(): void {
  const current = run.value;
  if (current === null) return;
  form.value = current.setup.form;
  if (!start()) formOpen.value = true;
}

/** The form again, beside what is on the page. */
export function newCheck(): void {
  formOpen.value = true;
  requestAnimationFrame(() => document.getElementById('archive')?.focus());
}

/** Gives the paused run on the page up. */
export async function discardRun(): Promise<void> {
  run.value = null;
  formOpen.value = true;
  await forget();
  release();
  await findSaved();
}

export async function discardSaved(id: string): Promise<void> {
  saved.value = saved.value.filter((entry) => entry.id !== id);
  await removeRun(id);
}

/** The folders of a saved run that the page may not read yet. */
export function missingFolders(entry: SavedRun): readonly string[] {
  return entry.form.sources.flatMap((source) => (source.kind === 'folder' && !folders.value.has(source.name) ? [source.name] : []));
}

/** Goes on with a run of an earlier visit. `false` where folders have to be chosen first. */
export async function continueSaved(entry: SavedRun): Promise<boolean> {
  for (const name of missingFolders(entry)) {
    const handle = entry.handles[name];
    if (handle !== undefined) await reopen(handle, name);
  }
  const decision = checkForm(entry.form, page, folders.value);
  if (!decision.ok || busy.value) return false;
  form.value = entry.form;
  networkTyped = entry.form.network !== '';
  writeAddress();
  entryTaken = true;
  const { id, archives, options, state, done, findings } = entry;
  const table = entry.table === null ? null : CheckpointTable.restored(entry.table);
  announce('Going on');
  begin({ id, form: entry.form, archives, options, resume: { state, done, table, findings } }, decision.sources);
  return true;
}

/** The link to the check of `current`; of a sample to the same sample. */
export function linkTo(current: Run): string {
  const link = encodeForm({ ...current.setup.form, seed: current.options.seed ?? '' });
  return new URL(link, location.href).href;
}

function followAddress(): void {
  const linked = decodeForm(location.hash);
  if (linked === null || encodeForm(linked) === encodeForm(form.value)) return;
  form.value = linked;
  networkTyped = false;
  tried.value = false;
  entryTaken = true;
  // A check under way is not disturbed by the back button; its form is one click away.
  if (!busy.value) {
    run.value = null;
    formOpen.value = true;
    release();
    void findSaved();
  }
}

export function boot(): void {
  addEventListener('hashchange', followAddress);
  addEventListener('popstate', followAddress);
  void load();
  void findLocalArchives();
  void findSaved();
}
