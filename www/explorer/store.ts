/** The state of the page: the form, the verifier's readiness, the archives of this server, and the run. */
import { computed, signal } from '@preact/signals';
import type { VerifyOptions, VerifyRun } from '../lib/types.ts';
import { verifyInWorker } from '../lib/worker-client.ts';
import { type Engine, loadEngine, takeWorker } from './engine.ts';
import { checkForm, decodeForm, EMPTY_FORM, encodeForm, type FormState } from './form.ts';
import { type Run, startRun } from './run.ts';

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
export const announcement = signal('');

export const checked = computed(() => checkForm(form.value, page));
export const busy = computed(() => run.value?.phase.value === 'running' || run.value?.phase.value === 'stopping');

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

/** The network in the form is the one that a known archive, still in the form, brought along. */
function networkCameAlong(): boolean {
  const { archive, network } = form.value;
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  return !networkTyped && presets.some((preset) => preset.name === network && preset.archives.some(({ url }) => url === archive));
}

/**
 * The address follows what is typed. Another archive may be of another network: one that nobody typed does not stay, because
 * a good archive would be called faulty for it.
 */
export function edit(change: Partial<FormState>): void {
  const forgotten = change.archive !== undefined && change.archive !== form.value.archive && networkCameAlong() ? { network: '' } : {};
  if (change.network !== undefined) networkTyped = change.network !== '';
  form.value = { ...form.value, ...forgotten, ...change };
  writeAddress();
}

/** Takes a known archive into the form, with the name of its network where it is one of a known network. */
export function choose(archive: string, network?: string): void {
  edit(network === undefined ? { archive } : { archive, network });
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
    if (first !== undefined && form.value.archive === '' && run.value === null) form.value = { ...form.value, archive: first.url };
  } catch {
    // Not served, or not JSON: the page is complete without it.
  }
}

function openRun(archive: string, options: VerifyOptions): VerifyRun {
  const worker = takeWorker();
  const opened = verifyInWorker(worker, archive, options);
  const end = (): void => worker.terminate();
  opened.report.then(end, end);
  return opened;
}

function settled(): void {
  const current = run.value;
  if (current === null) return;
  const report = current.report.value;
  announce(
    report === null
      ? `The check stopped: ${current.failure.value?.message ?? 'unknown cause'}`
      : `Done: ${report.verdict}. ${report.statement}`,
  );
}

export function start(): boolean {
  tried.value = true;
  const decision = checked.value;
  if (!decision.ok || busy.value) return false;
  askedToRun.value = false;
  formOpen.value = false;
  writeAddress();
  entryTaken = true;
  const archive = decision.archive.href;
  run.value = startRun(
    archive,
    decision.options,
    (stop) => openRun(archive, { ...decision.options, signal: stop }),
    { announce, settled },
  );
  return true;
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
  }
}

export function boot(): void {
  addEventListener('hashchange', followAddress);
  addEventListener('popstate', followAddress);
  void load();
  void findLocalArchives();
}
