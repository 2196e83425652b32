/**
 * `verify-checkpoints <ARCHIVE>… --output-filename FILE`: the hashes of all checkpoints, in stellar-core's file of them.
 *
 * The options are those of stellar-core's own command. Not here: the verification, and the form of the file.
 */
import { verifyCheckpoints as verifyHashes } from '../../lib/node.ts';
import type { VerifiedCheckpoints } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import {
  MAX_LEDGER, checkpointFrequency, concurrency, defined, hash, inputFile, maxRetries, network, outputFile, timeoutMs, usage, wholeNumber,
} from '../options.ts';
import { checkOutputFile, writeOutput } from '../output-file.ts';
import { findingsText, sealText } from '../report-text.ts';
import { clean, plural } from '../text.ts';
import type { Paint } from '../colour.ts';
import { readHashes, readTrust, trustWords } from '../trust.ts';
import { Validators } from '../validators.ts';
import { OK, archives, orFaults } from './command.ts';
import type { Command } from './command.ts';

function anchorText({ anchor }: VerifiedCheckpoints, validators: Validators): string[] {
  if (anchor.kind === 'trusted-hash') return [`from ledger ${anchor.ledger}, whose hash you gave: ${clean(anchor.hash)}`];
  const [first = '', ...rest] = sealText(anchor, validators);
  return [`from the seal of ${first}`, ...rest.map((line) => `  ${line}`)];
}

function bottomText({ earlier, genesis, oldest }: VerifiedCheckpoints): string {
  if (earlier !== null) return `down to ledger ${earlier.ledger} of the earlier file, whose hashes are kept as they were`;
  return genesis
    ? "down to the genesis ledger, which is the one that the network's passphrase implies"
    : `down to ledger ${oldest.ledger}`;
}

function summary(verified: VerifiedCheckpoints, path: string, validators: Validators, paint: Paint, several: boolean): string {
  const { count, newest, oldest, findings, network } = verified;
  return [
    ...(findings.length === 0 ? [] : [`${findingsText(findings, paint, '--json has them all', several)}\n`]),
    `${paint('green', paint('bold', 'VERIFIED'))}  the hashes of ${plural(count, 'checkpoint')}, ledgers ${oldest.ledger} to ${newest.ledger}${network === null ? '' : `, ${clean(network)}`}`,
    ...anchorText(verified, validators),
    bottomText(verified),
    `written to ${clean(path)}`,
  ].join('\n');
}

export const verifyCheckpoints: Command = {
  prepare(words) {
    const { values } = words;
    const names = archives('verify-checkpoints', words);
    const output = outputFile('output-filename', values, 'Name a file (./- for one of that name), or /dev/stdout.');
    if (output === undefined) throw usage('verify-checkpoints needs --output-filename FILE', 'It is where the hashes go.');
    const historyLedger = wholeNumber('history-ledger', values['history-ledger'], 1, MAX_LEDGER);
    if ((historyLedger === undefined) !== (values['history-hash'] === undefined)) {
      throw usage('--history-ledger and --history-hash belong together', 'Give the ledger and its hash; or neither, and the newest ledger that your validators sealed is taken.');
    }
    const historyHash = values['history-hash'] === undefined ? undefined : hash('--history-hash', values['history-hash']);
    const fromLedger = wholeNumber('from-ledger', values['from-ledger'], 1, MAX_LEDGER);
    const earlier = inputFile('trusted-hash-file', values);
    if (earlier !== undefined && fromLedger !== undefined) throw usage('--trusted-hash-file and --from-ledger both say where to stop', 'Leave one of them out.');
    const trustedBy = trustWords(words);
    const options = defined({
      historyLedger, historyHash, fromLedger, network: network(values), concurrency: concurrency(values), maxRetries: maxRetries(values),
      timeoutMs: timeoutMs(values), checkpointFrequency: checkpointFrequency(values),
    });
    return (session) => orFaults(session, async () => {
      const sources = await openArchives(names);
      await checkOutputFile('--output-filename', output);
      const { trust, network: named, names: ownNames } = await readTrust(trustedBy, session);
      const trustedHashes = earlier === undefined ? undefined : await readHashes('trusted-hash-file', earlier);
      session.resultGoesElsewhere = true;
      const verified = await verifyHashes(sources, { ...defined({ network: named, trustedHashes }), ...options, trust, signal: session.signal });
      await writeOutput('the hashes', output, verified.json);
      const { json: _, ...rest } = verified;
      if (session.json) session.result({ type: 'verify-checkpoints', output, ...rest });
      else session.print(summary(verified, output, new Validators(ownNames), session.paint, names.length > 1));
      return OK;
    });
  },
};
