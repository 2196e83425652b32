/** The state of the page: the form, the verifier's readiness, the archives of this server, and the run. */
import { computed, effect, signal } from '@preact/signals';
import type { ArchiveReader, ProofReport, QuorumSet, VerifyOptions, VerifyRun } from '../lib/types.ts';
import { verifyInWorker } from '../lib/worker-client.ts';
import { CheckpointTable } from './checkpoints.ts';
import { checkProof, type Engine, loadEngine, takeWorker, warmUp } from './engine.ts';
import { folderLabel, folders, type FolderHandle, reopen } from './folders.ts';
import { watchDrops } from './drops.ts';
import { remember } from './recent.ts';
import { type AtHand, type Checked, checkForm, checkTrust, decodeForm, EMPTY_FORM, encodeForm, type FormState, isFar, NOBODY, OWN, parseArchive, type Source } from './form.ts';
import { type KnownValidator, knownValidators, readQuorumSet, summaryOf } from './quorum-set.ts';
import { lookIn, withLook } from './look.ts';
import { isGoing, isOver, type Run, type Setup, startRun } from './run.ts';
import { hold, putRun, removeRun, type SavedRun, savedRuns } from './saved-runs.ts';

/** Threads of one check: more wait for the archive, not for the processor. */
const THREADS = Math.min(Math.max(navigator.hardwareConcurrency, 1), 4);

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

export const NETWORK_LABEL: Readonly<Record<string, string>> = {
  pubnet: 'Public network',
  testnet: 'Test network',
  futurenet: 'Futurenet',
  standalone: 'Standalone',
};

/** The archive that is there to try the page on: the server of this repository offers one, and one lies beside the built page. */
export function sampleOf(archives: readonly LocalArchive[]): LocalArchive | undefined {
  return archives.find(({ url }) => url.endsWith('/sample/'));
}

const page = new URL(location.href);

/** What is looked at inside an archive, as keys of the address; empty: nothing, the page is about checks. */
export const look = signal(lookIn(location.hash));
export const form = signal<FormState>(decodeForm(location.hash) ?? EMPTY_FORM);
export const formOpen = signal(true);
/** Faults are shown after the first try to start, and from then on as they are mended. */
export const tried = signal(false);
/** The page was opened by a link that asks for a check to start; that stays with the person in front of it. */
export const askedToRun = signal(/(^#|&)run=1(&|$)/.test(location.hash));
export const engine = signal<EngineState>({ state: 'loading' });
export const localArchives = signal<readonly LocalArchive[]>([]);
export const run = signal<Run | null>(null);
/** What the form is used for instead of a check. `mend`: the name of the archive that a check found faulty. */
export const copying = signal<{ readonly kind: 'mirror' | 'repair'; readonly mend: string | null } | null>(null);
/** A copy is under way. What it is knows the part of the page that is loaded for it. */
export const copyBusy = signal(false);
/** Runs begun earlier that can go on, but for the one on the page. */
export const saved = signal<readonly SavedRun[]>([]);
export const announcement = signal('');
/** What the browser says; that it says otherwise does not mean that a server answers. */
export const offline = signal(!navigator.onLine);
/** The check that was paused because the network went, and goes on when it is back. */
export const waiting = signal<Run | null>(null);
/** What the title of the tab says of a look inside, and of the check. */
export const titles = { look: signal(''), check: signal('') } as const;
/** The archive field that was last in use: known archives go there. */
export const activeSource = signal(0);

/** The texts of the files of checkpoint hashes that this page was given, by their names. */
export const hashFiles = signal<ReadonlyMap<string, string>>(new Map());

const ready = computed(() => (engine.value.state === 'ready' ? engine.value.engine : null));

const atHand = computed((): AtHand => ({ folders: folders.value, files: hashFiles.value, quorumSets: ready.value?.quorumSets ?? [] }));

export const checked = computed(() => checkForm(form.value, page, atHand.value));

/** The form with other values in some of its fields, as far as that can be known before anything is asked. */
export function checkedAs(change: Partial<FormState>): Checked {
  return checkForm({ ...form.value, ...change }, page, atHand.value);
}

/** Names, and home domains as organisations, that a configuration gave to validators, by their keys. */
export const givenNames = signal<ReadonlyMap<string, KnownValidator>>(new Map());

export const validators = computed((): ReadonlyMap<string, KnownValidator> => {
  return new Map([...givenNames.value, ...knownValidators(ready.value?.presets ?? [])]);
});

/** The short name of the network that the form is about, as far as that is known before a file is read. */
export const network = computed((): string | undefined => {
  const presets = ready.value?.presets ?? [];
  const [first] = form.value.sources;
  const address = first?.kind === 'url' ? first.url.trim() : '';
  const listed = presets.find(({ archives }) => archives.some(({ url }) => url === address))?.name;
  const said = form.value.network.trim() || listed || (localArchives.value.find(({ url }) => url === address)?.network ?? '');
  return said === '' ? undefined : presets.find(({ name, passphrase }) => name === said || passphrase === said)?.name ?? said;
});

/** Whose word the form says counts. */
export interface Believed {
  /** `null` where it is not known yet, or nobody. */
  readonly set: QuorumSet | null;
  /** Whom, in a line. */
  readonly words: string;
  /** Where a known set is from, and when. */
  readonly source: string | null;
  readonly preset: string | null;
}

export const believed = computed((): Believed => {
  const { quorum, ownQuorum } = form.value;
  const sets = ready.value?.quorumSets ?? [];
  const nobody = { set: null, source: null, preset: null };
  if (quorum === OWN) {
    const own = readQuorumSet(ownQuorum);
    return own.ok ? { ...nobody, set: own.set, words: `your own ${summaryOf(own.set)}` } : { ...nobody, words: 'a quorum set of your own' };
  }
  const preset = sets.find(({ name, network: of }) => (quorum === '' ? of === network.value : name === quorum));
  if (preset !== undefined) return { set: preset.quorumSet, words: `${preset.name}’s ${summaryOf(preset.quorumSet)}`, source: preset.source, preset: preset.name };
  if (quorum === NOBODY) return { ...nobody, words: 'no validators' };
  if (quorum !== '') return { ...nobody, words: quorum };
  const unknown = network.value === undefined || sets.length === 0;
  return { ...nobody, words: unknown ? 'the validators of the archive’s network' : 'nobody: no validators of this network are known' };
});
export const busy = computed(() => copyBusy.value || (run.value !== null && isGoing(run.value.phase.value)));

export function announce(text: string): void {
  announcement.value = text;
}

/** The entry of the browser's history we stand on belongs to a check: it is left as it is, so that Back leads to it again. */
let entryTaken = false;

function writeAddress(): void {
  const entered = encodeForm(form.value);
  const link = withLook(entered, look.value);
  const standing = decodeForm(location.hash);
  const same = standing !== null && encodeForm(standing) === entered;
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

/** Two folders may have one name: these are not free. */
export function takenNames(): readonly string[] {
  return form.value.sources.flatMap((source) => (source.kind === 'folder' ? [source.name] : []));
}

export function setSource(place: number, source: Source): void {
  edit({ sources: replaced(place, source) });
}

/** What the page put into the form by itself. */
let prefilled: string | null = null;

export function addSource(source: Source): void {
  const { sources } = form.value;
  const only = sources.length === 1 ? sources[0] : undefined;
  // What nobody chose stands there until somebody does.
  const fresh = source.kind === 'folder' && only?.kind === 'url' && (only.url === '' || only.url === prefilled);
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
    const answer = await fetch('./archives.json', { credentials: 'omit', cache: 'no-cache' });
    if (!answer.ok) return;
    const listed: unknown = await answer.json();
    if (!Array.isArray(listed)) return;
    localArchives.value = listed.filter(isLocalArchive).map((archive) => ({ ...archive, url: new URL(archive.url, page).href.replace(page.origin, '') }));
    // Who serves an archive of their own came for that one. The network stays open: an archive says itself which it is of.
    const first = localArchives.value.find((archive) => archive !== sampleOf(localArchives.value)) ?? localArchives.value[0];
    if (first !== undefined && !form.value.sources.some((source) => source.kind === 'folder' || source.url !== '') && run.value === null) {
      form.value = { ...form.value, sources: [{ kind: 'url', url: first.url }] };
      prefilled = first.url;
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

/** What is kept of options: a file is not. */
function withoutFiles({ trust, ...options }: VerifyOptions): VerifyOptions {
  const { checkpointHashes: _, ...rest } = trust ?? {};
  return Object.keys(rest).length === 0 ? options : { ...options, trust: rest };
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
    const total = progress.value?.checkpoints.total ?? 0;
    current.stored.value = await putRun({
      schema: 1, id: setup.id, savedAt: Date.now(), form: setup.form, archives: setup.archives, options: withoutFiles(setup.options),
      state: state.value.text, done: state.value.done, total, handles: handlesOf(setup.form.sources),
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
    (stop) => openRun(sources, { ...setup.options, ...resumed, saveState: true, workers: THREADS, signal: stop }),
    {
      announce,
      advanced: () => kept.save(),
      settled: () => {
        if (current.phase.value === 'done' || current.phase.value === 'refused') void kept.forget();
        // A proof may come when there is no network any more. What is paused asks for nothing at all.
        if (isOver(current.phase.value)) warmUp();
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

/** Those that this server offers need not be remembered. */
export function keepInMind(sources: readonly (string | ArchiveReader)[]): void {
  const offered = localArchives.value.map(({ url }) => parseArchive(url, page)?.href);
  remember(sources.filter((source) => typeof source === 'string' && !offered.includes(source)), network.value);
}

export function start(): boolean {
  tried.value = true;
  const decision = checked.value;
  if (!decision.ok || busy.value) return false;
  writeAddress();
  entryTaken = true;
  keepInMind(decision.sources);
  const seed = decision.options.sample !== undefined && decision.options.seed === undefined ? { seed: randomSeed() } : {};
  begin(
    { id: newId(), form: form.value, archives: decision.sources.map(nameOf), options: { ...decision.options, ...seed } },
    decision.sources,
  );
  return true;
}

/** The check of the sample, for whoever has no archive at hand. */
export function trySample(): void {
  const sample = sampleOf(localArchives.value);
  if (sample === undefined || busy.value) return;
  edit({ ...EMPTY_FORM, sources: [{ kind: 'url', url: sample.url }] });
  start();
}

/** Takes the paused run on the page up again, or one that crashed, from its latest state; without one it begins anew. */
export function resumeRun(): void {
  const current = run.value;
  const decision = current === null ? undefined : checkForm(current.setup.form, page, atHand.value);
  if (current === null || busy.value || decision?.ok !== true) return;
  const state = current.state.value;
  const { id, form: entered, archives, options } = current.setup;
  announce('Going on');
  begin({
    id, form: entered, archives, options,
    ...(state === null ? {} : {
      resume: {
        state: state.text, done: state.done, table: current.table.value, findings: current.findings.value,
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

/** The name that an archive has in reports. */
export function sourceLabel(source: Source): string {
  return source.kind === 'folder' ? folderLabel(source.name, source.zip) : parseArchive(source.url, page)?.href ?? source.url;
}

/** The form for a copy of what it names, or of what a check was about; of the archive to mend its own files are of no use. */
export function openCopy(kind: 'mirror' | 'repair', mend: string | null = null, entered: FormState = form.value): void {
  if (busy.value) return;
  const sources = entered.sources.filter((source) => mend === null || sourceLabel(source) !== mend);
  tried.value = false;
  // A copy is of a range.
  edit({ ...entered, scope: 'range', sources: sources.length === 0 ? EMPTY_FORM.sources : sources });
  copying.value = { kind, mend };
  formOpen.value = true;
}

export function closeCopy(): void {
  copying.value = null;
  requestAnimationFrame(() => document.getElementById('start')?.focus());
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
export function missingFolders(entry: SavedRun): readonly Extract<Source, { kind: 'folder' }>[] {
  return entry.form.sources.flatMap((source) => (source.kind === 'folder' && !folders.value.has(source.name) ? [source] : []));
}

/** Whether the run needs a file of checkpoint hashes that the page does not have. */
export function missesHashes({ form: { hashesFile } }: SavedRun): boolean {
  return hashesFile !== '' && !hashFiles.value.has(hashesFile);
}

/** Goes on with a run of an earlier visit. `false` where folders have to be chosen first. */
export async function continueSaved(entry: SavedRun): Promise<boolean> {
  for (const { name } of missingFolders(entry)) {
    const handle = entry.handles[name];
    if (handle !== undefined) await reopen(handle, name);
  }
  const decision = checkForm(entry.form, page, atHand.value);
  if (!decision.ok || busy.value) return false;
  form.value = entry.form;
  networkTyped = entry.form.network !== '';
  writeAddress();
  entryTaken = true;
  const { id, archives, state, done, findings } = entry;
  const checkpointHashes = decision.options.trust?.checkpointHashes;
  const options = checkpointHashes === undefined ? entry.options : { ...entry.options, trust: { ...entry.options.trust, checkpointHashes } };
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

export type ProofState =
  | { readonly state: 'checking'; readonly name: string }
  | { readonly state: 'done'; readonly name: string; readonly report: ProofReport }
  | { readonly state: 'failed'; readonly name: string; readonly reason: string };

/** The proof on the page. */
export const proof = signal<ProofState | null>(null);

/** Checks a proof by those whom the form says to believe; its network is its own word, which decides whose preset is taken. */
export async function openProof(name: string, text: string): Promise<void> {
  const faults = {};
  const trust = checkTrust(form.value, atHand.value, faults);
  const [fault] = Object.values<{ readonly message: string }>(faults);
  const asked: ProofState = { state: 'checking', name };
  proof.value = asked;
  announce('Checking the proof');
  let found: ProofState;
  try {
    if (fault !== undefined) throw new Error(`“Whose word counts” above is not right: ${fault.message}`);
    found = { state: 'done', name, report: await checkProof(text, { trust }) };
  } catch (error) {
    found = { state: 'failed', name, reason: error instanceof Error ? error.message : String(error) };
  }
  if (proof.value !== asked) return;
  proof.value = found;
  announce(found.state === 'done' ? `${found.report.verdict}: ${found.report.statement}` : `The proof could not be checked: ${found.reason}`);
}

/** The link to a look inside an archive of the form, the first one unless `archive` is the name of another. */
export function lookLink(keys: string, archive?: string): string {
  const { sources } = form.value;
  // Reports leave the slash at the end out.
  const place = archive === undefined ? 0 : sources.findIndex((source) => sourceLabel(source).replace(/\/$/, '') === archive.replace(/\/$/, ''));
  if (archive !== undefined && place < 0) return withLook(encodeForm({ ...EMPTY_FORM, sources: [{ kind: 'url', url: archive }] }), keys);
  return withLook(encodeForm(form.value), place > 0 ? `${keys}&in=${place + 1}` : keys);
}

function followAddress(): void {
  look.value = lookIn(location.hash);
  const linked = decodeForm(location.hash);
  if (linked === null || encodeForm(linked) === encodeForm(form.value)) return;
  form.value = linked;
  networkTyped = false;
  tried.value = false;
  entryTaken = true;
  // A check under way is not disturbed by the back button; its form is one click away.
  if (!busy.value) {
    run.value = null;
    copying.value = null;
    formOpen.value = true;
    release();
    void findSaved();
  }
}

/** A check that goes on without a network only spends its tries; what is on this computer needs none. */
function connectionLost(): void {
  offline.value = true;
  announce('This computer is offline');
  const current = run.value;
  if (current?.phase.value !== 'running' || !current.setup.form.sources.some((source) => source.kind === 'url' && isFar(source.url, page))) return;
  waiting.value = current;
  current.pause();
}

function connectionBack(): void {
  offline.value = false;
  announce('The network is back');
  const held = waiting.value;
  waiting.value = null;
  if (held !== null && held === run.value && held.phase.value === 'paused') resumeRun();
}

/** Resolves once it is known what was left unfinished. */
export function boot(): Promise<void> {
  watchDrops();
  addEventListener('offline', connectionLost);
  addEventListener('online', connectionBack);
  effect(() => {
    const said = look.value === '' ? titles.check.value : titles.look.value;
    document.title = said === '' ? 'Stellar Archive Verifier' : `${said} · Stellar Archive Verifier`;
  });
  addEventListener('hashchange', followAddress);
  addEventListener('popstate', followAddress);
  void load();
  void findLocalArchives();
  return findSaved();
}
