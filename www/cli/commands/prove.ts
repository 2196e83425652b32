/**
 * `prove <ARCHIVE>`: a proof of one transaction or of one ledger entry, as a file that anybody can check.
 *
 * Not here: what is in a proof. It is made for readers who believe other validators than its maker, so it says nothing of
 * whom to believe.
 */
import { proveEntry, proveTransaction, verifyProof } from '../../lib/node.ts';
import { openArchives } from '../archive.ts';
import {
  MAX_LEDGER, checkpointFrequency, concurrency, defined, hash, ledger, ledgers, maxRetries, network, outputFile, timeoutMs, usage, wholeNumber,
} from '../options.ts';
import type { Values } from '../options.ts';
import { checkOutputFile, writeOutput } from '../output-file.ts';
import { NAME } from '../name.ts';
import { clean, size } from '../text.ts';
import { readTrust, trustWords } from '../trust.ts';
import { COULD_NOT_COMPLETE, OK, archives, orFaults } from './command.ts';
import type { Command } from './command.ts';

const FORMS = 'The forms are: --tx HASH, --ledger N --index I, --entry KEY --checkpoint C.';
/** A ledger has at most a few thousand transactions. */
const MOST_TRANSACTIONS = 1_000_000;

type Wanted =
  | { readonly kind: 'hash'; readonly hash: string; readonly range?: { readonly low?: number; readonly high?: number } }
  | { readonly kind: 'place'; readonly ledger: number; readonly index: number }
  | { readonly kind: 'entry'; readonly key: string; readonly checkpoint: number };

function wantedBy(values: Values): Wanted {
  const { tx, entry } = values;
  const sequence = ledger(values);
  const index = wholeNumber('index', values.index, 0, MOST_TRANSACTIONS);
  const checkpoint = wholeNumber('checkpoint', values.checkpoint, 1, MAX_LEDGER);
  const { range } = ledgers(values);
  const ways = [tx !== undefined, sequence !== undefined || index !== undefined, entry !== undefined || checkpoint !== undefined].filter(Boolean).length;
  if (ways === 0) throw usage('what shall be proven?', FORMS);
  if (ways > 1) throw usage('these options name two things to prove', FORMS);
  if (range !== undefined && tx === undefined) throw usage('--low and --high say where --tx HASH is searched', FORMS);
  if (tx !== undefined) return { kind: 'hash', hash: hash('--tx', tx), ...(range === undefined ? {} : { range }) };
  if (entry !== undefined || checkpoint !== undefined) {
    if (entry === undefined || checkpoint === undefined) throw usage('--entry and --checkpoint belong together', FORMS);
    if (entry.trim() === '') throw usage('--entry needs a key', 'It is the address of an account (G…) or the XDR of a LedgerKey in base64.');
    return { kind: 'entry', key: entry.trim(), checkpoint };
  }
  if (sequence === undefined || index === undefined) throw usage('--ledger and --index belong together', 'The index counts the transactions that the ledger applied, from 0.');
  return { kind: 'place', ledger: sequence, index };
}

export const prove: Command = {
  prepare(words) {
    const { values } = words;
    const names = archives('prove', words);
    const wanted = wantedBy(values);
    const output = outputFile('output', values, 'Leave it out, and the proof goes to stdout.');
    const trustedBy = trustWords(words);
    const options = defined({
      network: network(values), concurrency: concurrency(values), maxRetries: maxRetries(values), timeoutMs: timeoutMs(values),
      checkpointFrequency: checkpointFrequency(values),
    });
    return (session) => orFaults(session, async () => {
      const sources = await openArchives(names);
      if (output !== undefined) await checkOutputFile('--output', output);
      const { trust, network: fromFile } = await readTrust(trustedBy, session);
      const common = { ...defined({ network: fromFile }), ...options, trust, signal: session.signal };
      const { kind, ...what } = wanted;
      const proof = 'key' in what ? await proveEntry(sources, { ...common, ...what }) : await proveTransaction(sources, { ...common, ...what });
      // As a reader would see it who believes the same.
      const { verdict, statement } = await verifyProof(proof, { ...defined({ network: options.network ?? fromFile }), trust, signal: session.signal });
      if (output === undefined) {
        session.print(proof.trimEnd());
      } else {
        session.resultGoesElsewhere = true;
        await writeOutput('the proof', output, proof.endsWith('\n') ? proof : `${proof}\n`);
        if (session.json) session.result({ type: 'prove', kind, output, bytes: Buffer.byteLength(proof), verdict, statement });
        else session.print(`written to ${clean(output)} (${size(Buffer.byteLength(proof))}); to check it, anywhere: ${NAME} verify-proof FILE`);
      }
      if (verdict === 'proven') return OK;
      session.say(`the proof is made, but it would be ${verdict} for you: ${clean(statement)}`);
      // Who names a quorum set wants a proof that it vouches for; else the file is all that was asked for.
      return trustedBy.quorumSet === undefined ? OK : COULD_NOT_COMPLETE;
    });
  },
};
