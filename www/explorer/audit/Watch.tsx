/** An audit under way, or over: how far it is, what was met, steering it, and its report. Not here: asking the worker (`model.ts`). */
import { useSignal } from '@preact/signals';
import { Fragment, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isAuditOver, type AuditAction, type AuditStatus } from '../../lib/audit-client.ts';
import { bytes, duration, grouped, plural, sentence, shortName } from '../format.ts';
import { quoted } from '../form.ts';
import { CopyButton } from '../parts/CopyButton.tsx';
import { Icon } from '../parts/Icon.tsx';
import { titles } from '../store.ts';
import { timeLeft } from '../time-left.ts';
import { AuditReport } from './AuditReport.tsx';
import { refusal, sending, token, Watched } from './model.ts';
import { auditKeys } from './route.ts';
import { TokenField } from './TokenField.tsx';
import { meaningOf, reasonWords, STANDING } from './words.ts';
import { WorkerNotice } from './WorkerNotice.tsx';

/** For others: without what the form here has in it. */
function linkTo(worker: URL, id: string): string {
  return new URL(`#${auditKeys(worker, id)}`, location.href).href;
}

function Figure({ label, value, tone }: { readonly label: string; readonly value: string; readonly tone?: string | undefined }): JSX.Element {
  return <div><dt>{label}</dt><dd class={tone === undefined ? 'figure' : `figure some-${tone}`}>{value}</dd></div>;
}

/** What the numbers count, for whoever meets them for the first time. */
function Glossary(): JSX.Element {
  return (
    <details class="meaning">
      <summary>What these numbers count</summary>
      <dl class="evidence glossary">
        <div><dt>Open buckets</dt><dd>named by states that are joined, and verified by nobody yet: each becomes a part of its own</dd></div>
        <div><dt>In flight</dt><dd>parts that a consumer has, or that are on the queue</dd></div>
        <div><dt>To be joined</dt><dd>parts that came, and wait for an older one</dd></div>
        <div><dt>Consumers</dt><dd>how many may work at a time just now, of those that were allowed: fewer while the archive is slow</dd></div>
        <div><dt>Retried</dt><dd>tried again after the archive did not give a file</dd></div>
        <div><dt>Halved</dt><dd>parts that no consumer could end, and that were cut in two</dd></div>
        <div><dt>Given up</dt><dd>single checkpoints or buckets that nobody could end; the report has them as unchecked</dd></div>
        <div><dt>Duplicates</dt><dd>results that came twice; the first counted</dd></div>
        <div><dt>Lost</dt><dd>parts that were sent and never came back; they were sent again</dd></div>
      </dl>
    </details>
  );
}

function Numbers({ status }: { readonly status: AuditStatus }): JSX.Element {
  const { state, checkpoints: { done, total }, buckets, parts, requests, compressedBytes, findings, etaSeconds, consumers, startedAt, updatedAt } = status;
  const over = isAuditOver(state);
  const ran = Date.parse(updatedAt) - Date.parse(startedAt);
  return (
    <section class="card progress" aria-label="Progress">
      <div class="bar">
        <div class="bar-head"><span id="audit-bar">Checkpoints joined</span><span class="figure">{grouped(done)} of {grouped(total)}</span></div>
        <progress aria-labelledby="audit-bar" max={Math.max(1, total)} value={done} />
      </div>
      <dl class="figures audit-figures">
        <Figure label="Time left" value={over ? '–' : etaSeconds === null ? 'not known yet' : `about ${timeLeft(etaSeconds * 1000)}`} />
        <Figure label="Open buckets" value={grouped(buckets.open)} />
        <Figure label="In flight" value={grouped(parts.inFlight)} />
        <Figure label="To be joined" value={grouped(parts.waiting)} />
        <Figure label="Consumers" value={`${grouped(consumers.now)} of ${grouped(consumers.max)}`} />
        <Figure label="Requests" value={grouped(requests)} />
        <Figure label="Downloaded" value={bytes(compressedBytes)} />
        <Figure label="Findings" value={grouped(findings)} tone={findings > 0 ? 'faulty' : undefined} />
        <Figure label="Retried" value={grouped(parts.retried)} />
        <Figure label="Halved" value={grouped(parts.halved)} />
        <Figure label="Given up" value={grouped(parts.givenUp)} tone={parts.givenUp > 0 ? 'unchecked' : undefined} />
        <Figure label="Duplicates" value={grouped(parts.duplicates)} />
        <Figure label="Lost" value={grouped(parts.lost)} />
        <Figure label={over ? 'Took' : 'Under way for'} value={Number.isFinite(ran) && ran >= 0 ? duration(ran) : '–'} />
      </dl>
      <Glossary />
    </section>
  );
}

const DOING: Readonly<Record<AuditAction, string>> = { pause: 'Pause', resume: 'Resume', cancel: 'Cancel the audit…' };

function Steer({ watched, status }: { readonly watched: Watched; readonly status: AuditStatus }): JSX.Element | null {
  const sure = useSignal(false);
  if (isAuditOver(status.state)) return null;
  const act = (action: AuditAction): void => {
    if (token.value.trim() === '') return document.getElementById('audit-token')?.focus();
    void watched.steer(action).then(() => {
      if (refusal.value?.problem === 'not-allowed') document.getElementById('audit-token')?.focus();
    });
  };
  const first: AuditAction = status.state === 'paused' ? 'resume' : 'pause';
  const cancel = (): void => {
    sure.value = false;
    act('cancel');
  };
  return (
    <section class="card stack" aria-labelledby="steer-title">
      <h2 id="steer-title">Steer it</h2>
      <TokenField />
      <p class="actions">
        {status.state !== 'finishing' && <button id="audit-first" type="button" class="button" aria-disabled={sending.value} onClick={() => act(first)}>{DOING[first]}</button>}
        {sure.value ? (
          <Fragment>
            <button id="audit-sure" type="button" class="button" ref={(element) => element?.focus()} onClick={cancel}>Cancel it for good</button>
            <button type="button" class="button quiet" onClick={() => { sure.value = false; }}>Keep it</button>
          </Fragment>
        ) : <button id="audit-cancel" type="button" class="button quiet" aria-disabled={sending.value} onClick={() => { sure.value = true; }}>{DOING.cancel}</button>}
      </p>
      {sure.value && <p class="hint">What was verified is not kept, and there will be no report.</p>}
      {refusal.value !== null && <WorkerNotice error={refusal.value} worker={watched.client.worker} />}
    </section>
  );
}

function Standing({ status }: { readonly status: AuditStatus }): JSX.Element | null {
  const { state, reason } = status;
  // The report's own verdict says more.
  if (state === 'done') return null;
  const { word, icon, tone } = STANDING[state];
  if (state === 'running' || state === 'finishing') {
    return (
      <p class="audit-going" data-state={state}>
        <span class={`badge tone-${tone}`}><Icon name={icon} />{word}</span> <span class="hint">{meaningOf(status)}</span>
      </p>
    );
  }
  return (
    <section class={`verdict tone-${tone}`} aria-labelledby="audit-state" data-state={state}>
      <h2 id="audit-state"><Icon name={icon} /> {word}</h2>
      {reason !== null && <p class="statement">{sentence(reasonWords(reason))}</p>}
      <p class={reason === null ? 'statement' : 'meta'}>{meaningOf(status)}</p>
    </section>
  );
}

function Silence({ watched }: { readonly watched: Watched }): JSX.Element | null {
  const silence = watched.silence.value;
  if (silence === null) return null;
  const seen = watched.status.value !== null;
  return (
    <WorkerNotice error={silence.error} worker={watched.client.worker}>
      {seen && <p>What is below is as it was at {new Date(watched.heardAt.value).toLocaleTimeString()}. An audit goes on whether or not this page reaches the worker.</p>}
      <p class="actions"><button id="audit-look" type="button" class="button" onClick={() => watched.look()}>Ask now</button></p>
      {!silence.lasting && <p class="hint">It is asked again by itself, in {plural(Math.max(1, Math.round(silence.nextMs / 1000)), 'second')}, and then less and less often.</p>}
    </WorkerNotice>
  );
}

function Ending({ watched }: { readonly watched: Watched }): JSX.Element | null {
  const { report, reportError, client, id } = watched;
  if (watched.status.value?.state !== 'done') return null;
  const command = `STELLAR_ARCHIVE_WORKER=${quoted(client.worker.href)} node dist/cli.mjs audit report ${id}`;
  if (report.value !== null) {
    return (
      <Fragment>
        <p class="hint caution"><Icon name="info" /><span>This is what {client.worker.host} says. Nothing of it was verified in this tab: a check of some of these ledgers here, from the same archive, is the way to hold it to its word.</span></p>
        <AuditReport report={report.value} id={id} link={linkTo(client.worker, id)} command={command} />
      </Fragment>
    );
  }
  if (reportError.value === null) return <p class="hint">The report is on its way…</p>;
  return (
    <WorkerNotice error={reportError.value} worker={client.worker}>
      <p class="actions"><button id="audit-report" type="button" class="button" onClick={() => void watched.fetchReport()}>Ask for the report again</button></p>
    </WorkerNotice>
  );
}

function titleOf({ state, verdict, archive, checkpoints: { done, total } }: AuditStatus): string {
  return `${verdict === null ? STANDING[state].word : `${verdict.slice(0, 1).toUpperCase()}${verdict.slice(1)}`}${isAuditOver(state) || total === 0 ? '' : ` ${Math.floor((done / total) * 100)} %`}, audit of ${archive}`;
}

export function Watch({ worker, id }: { readonly worker: URL; readonly id: string }): JSX.Element {
  const [watched, setWatched] = useState<Watched | null>(null);
  useEffect(() => {
    const mine = new Watched(worker, id);
    refusal.value = null;
    setWatched(mine);
    return () => mine.close();
  }, [worker.href, id]);
  const status = watched?.status.value ?? null;
  const title = status === null ? 'Audit' : titleOf(status);
  useEffect(() => {
    titles.look.value = title;
    return () => { titles.look.value = ''; };
  }, [title]);
  if (watched === null) return <p class="first-paint">Asking…</p>;
  return (
    <Fragment>
      <div class="runbar">
        <div class="subject">
          <p class="subject-archive">{status === null ? `Audit ${id}` : `${status.archive}, ledgers ${grouped(status.range.low)} to ${grouped(status.range.high)}`}</p>
          <p class="subject-range">
            {status !== null && `${shortName(status.url)} · ${plural(status.checkpoints.total, 'checkpoint')}${status.network === null ? '' : ` · ${status.network}`} · `}by {worker.host}
          </p>
        </div>
        <div class="runbar-actions actions"><CopyButton label="Copy link" title="Copy link to this audit" text={() => linkTo(worker, id)} /></div>
      </div>
      <Silence watched={watched} />
      {status === null ? watched.silence.value === null && <p class="first-paint">Asking…</p> : (
        <Fragment>
          <Standing status={status} />
          <Ending watched={watched} />
          <Numbers status={status} />
          <Steer watched={watched} status={status} />
        </Fragment>
      )}
    </Fragment>
  );
}
