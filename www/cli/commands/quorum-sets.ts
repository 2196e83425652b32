/**
 * `quorum-sets <ARCHIVE>`: who went by which quorum set in the last checkpoints.
 *
 * Not here: reading the messages. What nodes say of themselves is no reason to believe them.
 */
import { recentQuorumSets } from '../../lib/node.ts';
import type { RecentQuorumSets } from '../../lib/types.ts';
import { openArchive } from '../archive.ts';
import { MAX_LEDGER, checkpointFrequency, concurrency, defined, maxRetries, network, timeoutMs, wholeNumber } from '../options.ts';
import { errorsText, findingsText } from '../report-text.ts';
import { clean, grouped, plural, table } from '../text.ts';
import type { Paint } from '../colour.ts';
import { Validators, shape, shortKey } from '../validators.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK, oneArchive, orFaults } from './command.ts';
import type { Command } from './command.ts';

/** A million is more than any archive has. */
const MOST_CHECKPOINTS = 1_000_000;

/** Columns of the table of nodes that are words. */
const WORDS = 5;

function shortHash(hash: string): string {
  return clean(hash.slice(0, 8));
}

function nodesTable({ nodes, quorumSets }: RecentQuorumSets): string {
  const shapes = new Map(quorumSets.map(({ hash, quorumSet }) => [hash, shape(quorumSet)]));
  const rows = nodes.map(({ node, name, organisation, quorumSet, lastLedger, messages }) => [
    shortKey(node), clean(name ?? '–'), clean(organisation ?? '–'), shortHash(quorumSet), shapes.get(quorumSet)?.split(':')[0] ?? 'not in the files',
    String(lastLedger), grouped(messages),
  ]);
  return table([['node', 'name', 'organisation', 'quorum set', 'shape', 'last ledger', 'messages'], ...rows], WORDS);
}

function setText({ hash, quorumSet }: RecentQuorumSets['quorumSets'][number], found: RecentQuorumSets, validators: Validators, paint: Paint): string {
  const by = found.nodes.filter((node) => node.quorumSet === hash).length;
  const members = (set: typeof quorumSet): string[] => [
    ...validators.byOrganisation(set.validators),
    ...set.innerSets.flatMap((inner) => [shape(inner), ...members(inner).map((line) => `  ${line}`)]),
  ];
  return [`${paint('bold', shortHash(hash))}  ${shape(quorumSet)}, of ${plural(by, 'node')}`, ...members(quorumSet).map((line) => `    ${line}`)].join('\n');
}

function text(found: RecentQuorumSets, paint: Paint): string {
  const { low, high, network: passphrase, signaturesVerified, checkpoints, messages, quorumSets, leftOut, findings, errors } = found;
  const validators = new Validators();
  const files = [
    `${plural(checkpoints.read, 'scp file')} read`,
    ...(checkpoints.missing === 0 ? [] : [`${grouped(checkpoints.missing)} not in the archive`]),
    ...(checkpoints.faulty === 0 ? [] : [`${grouped(checkpoints.faulty)} faulty`]),
    ...(checkpoints.unreadable === 0 ? [] : [`${grouped(checkpoints.unreadable)} unreadable`]),
  ];
  return [
    `ledgers ${low} to ${high}${passphrase === null ? '' : ` · ${clean(passphrase)}`} · ${files.join(', ')}`,
    found.nodes.length === 0 ? 'These files have no messages of any node.' : nodesTable(found),
    ...quorumSets.map((set) => setText(set, found, validators, paint)),
    ...(messages.rejected === 0 ? [] : [`${plural(messages.rejected, 'message')} left out: not signed by their node`]),
    ...leftOut.map(clean),
    ...(signaturesVerified ? [] : ['The network is not known, so no signature was verified: name it with --network.']),
    ...(findings.length === 0 ? [] : [findingsText(findings, paint, '--json has them all')]),
    ...errorsText(errors, false),
  ].join('\n\n');
}

export const quorumSets: Command = {
  prepare(words) {
    const { values } = words;
    const name = oneArchive('quorum-sets', words);
    const options = defined({
      last: wholeNumber('last', values.last, 1, MOST_CHECKPOINTS), high: wholeNumber('high', values.high, 1, MAX_LEDGER), network: network(values),
      concurrency: concurrency(values), maxRetries: maxRetries(values), timeoutMs: timeoutMs(values), checkpointFrequency: checkpointFrequency(values),
    });
    return (session) => orFaults(session, async () => {
      const found = await recentQuorumSets(await openArchive(name), { ...options, signal: session.signal });
      if (session.json) session.result({ type: 'quorum-sets', ...found });
      else session.print(text(found, session.paint));
      if (found.findings.some(({ severity }) => severity === 'error')) return FAULTS;
      return found.errors.length > 0 || found.checkpoints.unreadable > 0 ? COULD_NOT_COMPLETE : OK;
    });
  },
};
