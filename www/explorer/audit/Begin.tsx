/** An audit before it begins: the worker, its archives and audits, what it would take, and the token. Not here: watching one. */
import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { isAuditOver, type AuditEntry, type AuditEstimate } from '../../lib/audit-client.ts';
import { bytes, duration, grouped, plural, shortName } from '../format.ts';
import { Icon } from '../parts/Icon.tsx';
import { form } from '../store.ts';
import { timeLeft } from '../time-left.ts';
import {
  address, addressFault, askEstimate, askWorker, begin, edit, estimated, fields, forgetAsked, known, refusal, sending, typedWorker, wanted,
  type Fields, type Known,
} from './model.ts';
import { forgetWorker, recentWorkers } from './recent-workers.ts';
import { auditLink, type AuditRoute } from './route.ts';
import { TokenField } from './TokenField.tsx';
import { STANDING, usd } from './words.ts';
import { WorkerNotice } from './WorkerNotice.tsx';

function open(worker: URL): void {
  const link = auditLink(form.value, worker, null);
  if (location.hash === link) void askWorker(worker);
  else location.hash = link;
}

function onWorker(event: SubmitEvent): void {
  event.preventDefault();
  const found = typedWorker();
  if (found === null) return document.getElementById('worker')?.focus();
  if (found.audit !== null) location.hash = auditLink(form.value, found.worker, found.audit);
  else open(found.worker);
}

function Used(): JSX.Element | null {
  if (recentWorkers.value.length === 0) return null;
  return (
    <div>
      <h3 id="workers-used">Used in this browser</h3>
      <ul class="plain-list" aria-labelledby="workers-used">
        {recentWorkers.value.map((worker) => (
          <li key={worker} class="worker-used">
            <a href={auditLink(form.value, new URL(worker), null)}>{shortName(worker)}</a>
            <button
              type="button" class="button small quiet" aria-label={`Forget ${shortName(worker)}`}
              onClick={() => {
                forgetWorker(worker);
                document.getElementById('worker')?.focus();
              }}
            >
              Forget
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function WorkerForm(): JSX.Element {
  const fault = addressFault.value;
  const asking = known.value.state === 'asking';
  return (
    <form class="worker-form" aria-label="The worker" noValidate onSubmit={onWorker}>
      <div class="field">
        <label for="worker">Address of the edge worker</label>
        <div class="worker-row">
          <input
            id="worker" type="text" value={address.value} placeholder="https://archives.example.workers.dev" autocomplete="off" autocapitalize="off"
            spellcheck={false} enterkeyhint="go" aria-invalid={fault === null ? undefined : 'true'} aria-describedby={fault === null ? 'worker-hint' : 'worker-fault'}
            onInput={(event) => {
              address.value = event.currentTarget.value;
              addressFault.value = null;
            }}
          />
          <button id="ask-worker" type="submit" class="button" aria-disabled={asking}>{asking ? 'Asking…' : 'Ask it'}</button>
        </div>
        {fault !== null && <p class="fault" id="worker-fault"><Icon name="warning" /><span>{fault}</span></p>}
        <p class="hint" id="worker-hint">Or the link of an audit there. Nothing is asked before you do; the address is remembered in this browser only.</p>
      </div>
    </form>
  );
}

function Text({ name, label, placeholder }: { readonly name: 'low' | 'high' | 'consumers'; readonly label: string; readonly placeholder: string }): JSX.Element {
  const entered = wanted.value;
  const fault = 'fault' in entered && entered.fault.field === name ? entered.fault.message : null;
  return (
    <div class="field">
      <label for={`audit-${name}`}>{label}</label>
      <input
        id={`audit-${name}`} type="text" inputMode="numeric" value={fields.value[name]} placeholder={placeholder} autocomplete="off" spellcheck={false}
        aria-invalid={fault === null ? undefined : 'true'} aria-describedby={fault === null ? undefined : `audit-${name}-fault`}
        onInput={(event) => edit({ [name]: event.currentTarget.value } satisfies Partial<Fields>)}
      />
      {fault !== null && <p class="fault" id={`audit-${name}-fault`}><Icon name="warning" /><span>{fault}</span></p>}
    </div>
  );
}

function hours(amount: number): string {
  return amount === 0 ? 'no time' : amount * 3600 < 10 ? 'a few\u00a0s' : timeLeft(amount * 3_600_000);
}

function Estimate({ estimate }: { readonly estimate: AuditEstimate }): JSX.Element {
  const { range, checkpoints, parts, requests, cpuSeconds, messages, usd: beyondPlan, usdWithoutShare: withoutShare, wall, assumptions } = estimate;
  const figures: readonly (readonly [string, string])[] = [
    ['Checkpoints', grouped(checkpoints)], ['Requests', grouped(Math.round(requests))], ['Downloads', bytes(estimate.bytes)],
    ['CPU', duration(cpuSeconds * 1000)], ['Messages', grouped(messages)], ['Costs', usd(beyondPlan)],
  ];
  return (
    <div class="estimate" id="audit-estimate">
      <p>
        <strong>Ledgers {grouped(range.low)} to {grouped(range.high)}</strong>, in {plural(parts, 'part')}. Whoever runs the worker pays {usd(beyondPlan)} beyond
        what the plan includes, {usd(withoutShare)} where that share is used up already.
      </p>
      <dl class="figures audit-figures">
        {figures.map(([label, value]) => <div key={label}><dt>{label}</dt><dd class="figure">{value}</dd></div>)}
      </dl>
      <h3 id="audit-wall">How long it takes, by how many consumers work beside each other</h3>
      <dl class="figures audit-figures" aria-labelledby="audit-wall">
        {wall.map((one) => <div key={one.consumers}><dt>{plural(one.consumers, 'consumer')}</dt><dd class="figure">{hours(one.hours)}</dd></div>)}
      </dl>
      <details>
        <summary>What this assumes</summary>
        <ul class="plain-list assumptions">{assumptions.map((line) => <li key={line}>{line}</li>)}</ul>
      </details>
    </div>
  );
}

async function onStart(): Promise<void> {
  if (known.value.state !== 'known') return;
  const { client } = known.value;
  const id = await begin();
  if (id !== null) location.hash = auditLink(form.value, client.worker, id);
  else if (refusal.value?.problem === 'not-allowed') document.getElementById('audit-token')?.focus();
}

type AtWorker = Extract<Known, { readonly state: 'known' }>;

function Wanted({ at }: { readonly at: AtWorker }): JSX.Element {
  const { client, edge } = at;
  const wrong = 'fault' in wanted.value;
  const asking = estimated.value.state === 'asking';
  return (
    <section class="card stack" aria-labelledby="wanted-title">
      <h2 id="wanted-title">What {shortName(client.worker.href)} shall audit</h2>
      <div class="audit-grid">
        <div class="field audit-archive">
          <label for="audit-archive">Archive</label>
          <select id="audit-archive" value={fields.value.archive} onChange={(event) => edit({ archive: event.currentTarget.value })}>
            {edge.archives.map(({ name, url }) => <option key={name} value={name}>{name} – {shortName(url)}</option>)}
          </select>
        </div>
        <Text name="low" label="From ledger" placeholder="first" />
        <Text name="high" label="To ledger" placeholder="last" />
        <Text name="consumers" label="Consumers at most" placeholder="as the worker has it" />
      </div>
      <div class="toggle">
        <input id="audit-skip" type="checkbox" checked={fields.value.skipBuckets} aria-describedby="audit-skip-hint" onChange={(event) => edit({ skipBuckets: event.currentTarget.checked })} />
        <label for="audit-skip">Skip bucket files</label>
        <p class="hint" id="audit-skip-hint">Saves about half of the download; their hashes are still compared with the headers.</p>
      </div>
      <p class="actions"><button id="audit-ask" type="button" class="button" disabled={wrong} aria-disabled={asking} onClick={() => void askEstimate()}>{asking ? 'Estimating…' : 'Estimate'}</button></p>
      {estimated.value.state === 'known' && <Estimate estimate={estimated.value.estimate} />}
      {estimated.value.state === 'failed' && <WorkerNotice error={estimated.value.error} worker={client.worker} />}
      <div class="audit-start">
        <TokenField onEnter={() => void onStart()} />
        <p class="actions"><button id="audit-start" type="button" class="button primary" disabled={wrong} aria-disabled={sending.value} onClick={() => void onStart()}>{sending.value ? 'Beginning…' : 'Start the audit'}</button></p>
      </div>
      {refusal.value !== null && <WorkerNotice error={refusal.value} worker={client.worker} />}
    </section>
  );
}

function Entry({ entry, worker }: { readonly entry: AuditEntry; readonly worker: URL }): JSX.Element {
  const { id, archive, range, checkpoints, state, verdict, startedAt } = entry;
  const standing = STANDING[state];
  return (
    <li class="audit-entry" data-audit={id}>
      <a href={auditLink(form.value, worker, id)}>{archive}, ledgers {grouped(range.low)} to {grouped(range.high)}</a>
      <span class={`badge tone-${verdict === null ? standing.tone : verdict === 'incomplete' ? 'unchecked' : verdict}`}><Icon name={verdict ?? standing.icon} />{verdict ?? standing.word.toLowerCase()}</span>
      <span class="hint">{plural(checkpoints, 'checkpoint')}, begun {startedAt.replace('T', ' ').replace(/(:\d+)(\.\d+)?Z$/, ' UTC')}{isAuditOver(state) ? '' : ', still there to go on'}</span>
    </li>
  );
}

function AtWorker({ at }: { readonly at: AtWorker }): JSX.Element {
  const { client, list, edge } = at;
  return (
    <Fragment>
      {!Array.isArray(list) && 'problem' in list && <WorkerNotice error={list} worker={client.worker} />}
      {edge.archives.length === 0
        ? <p class="card">The worker has no archive on its list: whoever runs it puts one there.</p>
        : <Wanted at={at} />}
      {Array.isArray(list) && (
        <section class="card" aria-labelledby="audits-title">
          <h2 id="audits-title">Audits there</h2>
          {list.length === 0 ? <p class="hint">None was begun yet.</p> : <ul class="plain-list">{list.map((entry: AuditEntry) => <Entry key={entry.id} entry={entry} worker={client.worker} />)}</ul>}
        </section>
      )}
    </Fragment>
  );
}

export function Begin({ route }: { readonly route: AuditRoute }): JSX.Element {
  const { worker, entered } = route;
  const wish = worker?.href ?? '';
  useEffect(() => {
    address.value = worker?.href ?? entered;
    addressFault.value = null;
    // Whoever follows a link with a worker has named it.
    if (worker !== null && typedWorker() !== null) void askWorker(worker);
    return forgetAsked;
  }, [wish, entered]);
  const now = known.value;
  return (
    <Fragment>
      <section class="card stack" aria-label="The worker">
        <WorkerForm />
        <Used />
      </section>
      {now.state === 'failed' && (
        <WorkerNotice error={now.error} worker={now.worker}><p class="actions"><button type="button" class="button" data-again onClick={() => void askWorker(now.worker)}>Ask again</button></p></WorkerNotice>
      )}
      {now.state === 'known' && <AtWorker at={now} />}
    </Fragment>
  );
}
