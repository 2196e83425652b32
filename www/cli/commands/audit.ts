/**
 * `audit <what> …`: the audit of a whole archive that an edge worker's fleet does: estimated, begun, watched, steered.
 *
 * Not here: what an audit does (`www/edge/audit`), asking the worker (`lib/audit-client.ts`), and the words (`audit-text.ts`). Nothing is
 * verified on this computer: the report is the worker's word.
 */
import process from 'node:process';
import { AuditClient, WorkerError, isAuditId, isAuditOver, watchAudit, workerAddress } from '../../lib/audit-client.ts';
import type { AuditStatus, AuditWanted } from '../../lib/audit-client.ts';
import { ArchiveVerifierError, messageOf } from '../../lib/errors.ts';
import { init } from '../../lib/node.ts';
import type { ErrorCode, Report, Verdict } from '../../lib/types.ts';
import { estimateText, harmless, listText, statusText } from '../audit-text.ts';
import { readText } from '../input-file.ts';
import { AUDIT_WORDS } from '../option-table.ts';
import { inputFile, ledgers, outputFile, similar, timeoutMs, usage, wholeNumber } from '../options.ts';
import type { Values } from '../options.ts';
import { checkOutputFile, writeOutput } from '../output-file.ts';
import { reportText } from '../report-text.ts';
import type { Session } from '../session.ts';
import { clean, grouped, plural, span } from '../text.ts';
import { Validators } from '../validators.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK } from './command.ts';
import type { Action, Command, Words } from './command.ts';

const WORKER = 'STELLAR_ARCHIVE_WORKER';
const TOKEN = 'STELLAR_ARCHIVE_AUDIT_TOKEN';
const MOST_CONSUMERS = 9999;
const LARGEST_TOKEN_FILE = 1 << 20;
/** How long a worker may be silent while one watches. */
const SILENCE_MS = 10 * 60_000;

type What = (typeof AUDIT_WORDS)[number];

const STATUS: Readonly<Record<Verdict, number>> = { verified: OK, faulty: FAULTS, incomplete: COULD_NOT_COMPLETE };

function isWhat(word: string | undefined): word is What {
  return AUDIT_WORDS.some((what) => what === word);
}

/** Where the worker is, and on which audit it is asked. */
interface Asked {
  readonly client: AuditClient;
  readonly id: string;
}

function clientOf(values: Values): AuditClient {
  const given = values.worker ?? process.env[WORKER] ?? '';
  if (given === '') throw usage('audit needs to know the worker', `Name it: --worker URL, or set ${WORKER}. npm run edge runs one here.`);
  const found = workerAddress(given);
  if (found === null) throw usage(`${values.worker === undefined ? WORKER : '--worker'} takes the address of an edge worker, not ${JSON.stringify(given)}`, 'It begins with https://, or with http://localhost for one on this machine.');
  return new AuditClient(found.worker);
}

/** The audit is named by its id at the worker, or by its address, which says the worker as well. */
function askedOf(what: What, { values, positionals: [, named, ...more] }: Words): Asked {
  if (named === undefined || named === '') throw usage(`audit ${what} needs an audit`, `Name it by its id or its address, as audit start printed it: audit ${what} <ID|URL>.`);
  if (more.length > 0) throw usage(`audit ${what} is for one audit, and ${JSON.stringify(more[0])} is one too many`);
  if (isAuditId(named)) return { client: clientOf(values), id: named };
  const found = workerAddress(named);
  if (found === null || found.audit === null) throw usage(`${JSON.stringify(named)} is no audit`, 'An id has 32 hexadecimal digits, and an address ends with /audit/ and the id.');
  return { client: new AuditClient(found.worker), id: found.audit };
}

function wantedOf(what: What, { values, positionals: [, archive, ...more] }: Words): AuditWanted {
  if (more.length > 0) throw usage(`audit ${what} is for one archive, and ${JSON.stringify(more[0])} is one too many`);
  const { low, high } = ledgers(values).range ?? {};
  if ((low === undefined) !== (high === undefined)) throw usage('an audit takes --low and --high together', 'Give both, or neither for all that the archive has.');
  return { archive: archive === '' ? undefined : archive, range: low === undefined || high === undefined ? undefined : { low, high }, buckets: values['skip-buckets'] !== true };
}

/** Never a word of the command line: those are shown to everybody on the machine, and stay in the shell's history. */
async function tokenOf(values: Values): Promise<string> {
  const path = inputFile('token-file', values);
  const token = path === undefined ? process.env[TOKEN] ?? '' : await readText('token-file', path, LARGEST_TOKEN_FILE, 'It has the token of the worker, AUDIT_TOKEN, in one line.');
  if (token.trim() !== '') return token.trim();
  throw usage(path === undefined ? 'this takes the token of whoever runs the worker' : `--token-file ${path} is empty`, `Set ${TOKEN}, or name a file that has it: --token-file FILE.`);
}

const CODES: ReadonlyMap<string, ErrorCode> = new Map(Object.entries<ErrorCode>({ 'audit-unknown': 'NOT_FOUND', 'no-report': 'NOT_FOUND', 'archive-unknown': 'NOT_FOUND', 'not-allowed': 'FORBIDDEN', 'not-enabled': 'FORBIDDEN', 'bad-parameter': 'USAGE', 'bad-range': 'USAGE' }));
const ADVICE: ReadonlyMap<string, string> = new Map(Object.entries({
  'audit-unknown': 'audit list shows those that it has.',
  'archive-unknown': 'The worker audits the archives of its own list only; its address, in a browser, shows them.',
  'audit-over': 'audit status shows where it stands.',
  'no-report': 'audit watch waits for it, as long as the audit goes on.',
  'not-allowed': `Look whether ${TOKEN} or --token-file has the AUDIT_TOKEN of this worker.`,
  'not-enabled': 'Whoever runs the worker sets it up.',
  'configuration': 'Whoever runs the worker sets it up.',
}));

/** In the words of every command's errors. */
function asVerifierError(error: unknown): unknown {
  if (!(error instanceof WorkerError)) return error;
  const { kind, message, problem, cause } = error;
  switch (kind) {
    case 'usage':
      return usage(message);
    case 'timeout':
      return new ArchiveVerifierError('TIMEOUT', message, { cause });
    case 'unreachable':
      return new ArchiveVerifierError('NETWORK', `${message}${cause instanceof Error && cause.cause !== undefined ? ` (${messageOf(cause.cause)})` : ''}`, { cause, advice: 'Look whether the address is right and the worker runs.' });
    case 'stranger':
      return new ArchiveVerifierError('UNSUPPORTED', message, { cause, advice: 'The address of an edge worker answers with a list of its archives and endpoints.' });
    case 'refused':
      return new ArchiveVerifierError(CODES.get(problem) ?? 'HTTP', message, { cause, advice: ADVICE.get(problem) });
  }
}

/** `ms`, or until the signal. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      done();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
}

function showStatus(status: AuditStatus, client: AuditClient, session: Session): void {
  const address = client.addressOf(status.id);
  if (session.json) session.result({ type: 'audit', address, ...status });
  else session.print(session.quiet ? address : statusText(status, address, session.paint));
}

async function showReport(report: Report, client: AuditClient, path: string | undefined, session: Session): Promise<number> {
  if (!session.json) await init();
  if (!session.json && !session.quiet) session.say(`this is what ${client.worker.host} says; nothing of it was verified here`);
  session.print(session.json ? JSON.stringify({ type: 'report', report }) : workersText(report, session));
  if (path !== undefined) await writeOutput('the report', path, `${JSON.stringify(report, null, 2)}\n`);
  return STATUS[report.verdict];
}

/** A worker may say anything in a report's place: what is shown of it is made harmless first. */
function workersText(report: Report, { paint, quiet }: Session): string {
  try {
    return reportText(harmless(report), paint, quiet, new Validators());
  } catch (cause) {
    throw new ArchiveVerifierError('UNSUPPORTED', 'the report of this worker is not of a form that can be shown', { cause, advice: 'Keep it with --json, and ask whoever runs the worker.' });
  }
}

/** To its end. The one who leaves, by Ctrl-C or for want of answers, leaves it running. */
async function watch({ client, id }: Asked, silenceMs: number, path: string | undefined, session: Session): Promise<number> {
  const address = client.addressOf(id);
  session.stopping = 'no longer watching; nothing changes for the audit (Ctrl-C again to stop at once)';
  const bar = session.startBar();
  let last: AuditStatus | null = null;
  let silentSince: number | null = null;
  try {
    for await (const { status, error, isNew } of watchAudit(client, id, (ms) => rest(ms, session.signal), session.signal)) {
      if (status === null) {
        if (last === null) throw error;
        if (silentSince === null) session.say(`${clean(error.message)} It is asked again, for ${span(silenceMs / 1000)}.`);
        silentSince ??= Date.now();
        if (Date.now() - silentSince >= silenceMs) {
          throw new ArchiveVerifierError('TIMEOUT', `${client.worker.host} has not answered for ${span(silenceMs / 1000)}`, { cause: error, advice: `The audit may well go on there. To look again: audit watch ${address}` });
        }
        continue;
      }
      if (silentSince !== null) session.say(`${client.worker.host} answers again`);
      silentSince = null;
      if (isNew && session.json) showStatus(status, client, session);
      if (!session.quiet && !isAuditOver(status.state)) {
        if (last === null) session.say(`watching ${clean(status.archive)}, ${grouped(status.checkpoints.done)} of ${plural(status.checkpoints.total, 'checkpoint')}; Ctrl-C ends the watching only`);
        if (status.state !== (last?.state ?? 'running')) session.say(`${status.state}${status.reason === null ? '' : `: ${clean(status.reason)}`}`);
      }
      bar?.paintAudit(status);
      last = status;
    }
  } catch (thrown) {
    bar?.clear();
    if (session.signal.aborted && last !== null) session.say(`the audit is ${last.state} there; to look again: audit watch ${address}`);
    throw thrown;
  }
  bar?.clear();
  if (last?.state !== 'done') {
    if (last !== null && !session.json) showStatus(last, client, session);
    return COULD_NOT_COMPLETE;
  }
  return showReport(await client.report(id, session.signal), client, path, session);
}

function prepared(what: What, words: Words): Action {
  const { values } = words;
  switch (what) {
    case 'list': {
      if (words.positionals.length > 1) throw usage(`audit list takes nothing more, and ${JSON.stringify(words.positionals[1])} is something`);
      const client = clientOf(values);
      return async (session) => {
        const audits = await client.audits(session.signal);
        if (session.json) session.result({ type: 'audits', audits });
        else session.print(listText(audits));
        return OK;
      };
    }
    case 'estimate': {
      const [client, wanted] = [clientOf(values), wantedOf(what, words)];
      return async (session) => {
        const estimate = await client.estimate(wanted, session.signal);
        if (session.json) session.result({ type: 'estimate', ...estimate });
        else session.print(estimateText(estimate, session.paint));
        return OK;
      };
    }
    case 'start': {
      const [client, wanted] = [clientOf(values), wantedOf(what, words)];
      const consumers = wholeNumber('consumers', values.consumers, 1, MOST_CONSUMERS);
      return async (session) => {
        const status = await client.start(wanted, consumers, await tokenOf(values), session.signal);
        showStatus(status, client, session);
        if (!session.json && !session.quiet) session.say(`to watch it: audit watch ${client.addressOf(status.id)}`);
        return OK;
      };
    }
    case 'status': {
      const { client, id } = askedOf(what, words);
      return async (session) => {
        showStatus(await client.status(id, session.signal), client, session);
        return OK;
      };
    }
    case 'pause':
    case 'resume':
    case 'cancel': {
      const { client, id } = askedOf(what, words);
      return async (session) => {
        showStatus(await client.steer(id, what, await tokenOf(values), session.signal), client, session);
        return OK;
      };
    }
    case 'watch':
    case 'report': {
      const asked = askedOf(what, words);
      const silenceMs = timeoutMs(values) ?? SILENCE_MS;
      const path = outputFile('report', values, 'Name a file (./- for one of that name), or use --json, whose last line has the report.');
      return async (session) => {
        session.resultGoesElsewhere = path !== undefined;
        if (path !== undefined) await checkOutputFile('--report', path);
        return what === 'watch' ? watch(asked, silenceMs, path, session) : showReport(await asked.client.report(asked.id, session.signal), asked.client, path, session);
      };
    }
  }
}

/** Which of the options belong to what; the others would be passed over in silence. */
const TAKES: Readonly<Record<What, readonly string[]>> = {
  estimate: ['worker', 'low', 'high', 'skip-buckets'], start: ['worker', 'low', 'high', 'skip-buckets', 'consumers', 'token-file'],
  status: ['worker'], watch: ['worker', 'timeout-secs', 'report'], report: ['worker', 'report'], list: ['worker'],
  pause: ['worker', 'token-file'], resume: ['worker', 'token-file'], cancel: ['worker', 'token-file'],
};
const ALWAYS: readonly string[] = ['json', 'quiet', 'config', 'color'];

export const audit: Command = {
  prepare(words) {
    const [what] = words.positionals;
    if (!isWhat(what)) {
      const near = what === undefined ? undefined : similar(what, AUDIT_WORDS);
      throw usage(what === undefined ? 'what shall be done about audits?' : `audit has no ${JSON.stringify(what)}`, near === undefined ? `Write audit and one of ${AUDIT_WORDS.join(', ')}.` : `Did you mean audit ${near}?`);
    }
    const stranger = Object.keys(words.values).find((option) => !ALWAYS.includes(option) && !TAKES[what].includes(option));
    if (stranger !== undefined) throw usage(`audit ${what} takes no --${stranger}`, `It takes ${[...TAKES[what], ...ALWAYS].map((option) => `--${option}`).join(', ')}.`);
    const act = prepared(what, words);
    return async (session) => {
      try {
        return await act(session);
      } catch (error) {
        throw asVerifierError(error);
      }
    };
  },
};
