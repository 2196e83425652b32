/**
 * `verify-proof FILE`: checks a proof by itself, with no archive and no network.
 *
 * Not here: the check. The file is anybody's: nothing of it reaches a terminal as it is.
 */
import { open } from 'node:fs/promises';
import process from 'node:process';
import { ArchiveVerifierError, messageOf } from '../../lib/errors.ts';
import { init, verifyProof as check } from '../../lib/node.ts';
import type { ProofReport, ProofVerdict } from '../../lib/types.ts';
import { defined, network, usage } from '../options.ts';
import { sealText } from '../report-text.ts';
import { clean, time } from '../text.ts';
import type { Paint, Style } from '../colour.ts';
import { readTrust, trustWords } from '../trust.ts';
import { Validators } from '../validators.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK } from './command.ts';
import type { Command } from './command.ts';

/** Proofs have some tens of kB; those of entries may hold a bucket. */
const LARGEST = 256 << 20;

const STATUS: Readonly<Record<ProofVerdict, number>> = { proven: OK, refuted: FAULTS, unproven: COULD_NOT_COMPLETE };
const STYLES: Readonly<Record<ProofVerdict, Style>> = { proven: 'green', refuted: 'red', unproven: 'yellow' };
const MARKS: Readonly<Record<ProofReport['steps'][number]['status'], { readonly mark: string; readonly style: Style }>> = {
  holds: { mark: '✓', style: 'green' },
  failed: { mark: '✗', style: 'red' },
  unchecked: { mark: '–', style: 'yellow' },
};

async function readProof(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const stream: AsyncIterable<Uint8Array> = path === '-' ? process.stdin : (await open(path)).createReadStream();
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > LARGEST) throw usage(`${path} is larger than ${LARGEST >> 20} MB`, 'No proof is: check that it is the file you mean.');
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof ArchiveVerifierError) throw cause;
    throw usage(`the proof cannot be read: ${messageOf(cause)}`, 'Give the file that prove wrote, or - for stdin.');
  }
  return Buffer.concat(chunks);
}

function factsText({ facts, network: passphrase }: ProofReport): string[] {
  if (facts === null) return [];
  const { ledger, ledgerHash, closeTime, protocol, transaction, entry } = facts;
  return [[
    ...(transaction === undefined ? [] : [`transaction  ${clean(transaction.hash)}`, `result       ${clean(transaction.result)}, fee ${clean(transaction.feeCharged)} stroops`]),
    ...(entry === undefined ? [] : [`entry        ${clean(entry.entryType)}, ${entry.standing}`, `key          ${clean(entry.key)}`]),
    `ledger       ${ledger}, closed ${time(closeTime)}, protocol ${protocol}`,
    `its hash     ${clean(ledgerHash)}`,
    ...(passphrase === null ? [] : [`network      ${clean(passphrase)}`]),
  ].join('\n')];
}

function anchorsText({ anchors }: ProofReport, validators: Validators): string[] {
  return anchors.map((anchor) => {
    if (anchor.kind === 'trusted-hash') return `trusted hash of ledger ${anchor.ledger}  ${clean(anchor.hash)}`;
    const [first = '', ...rest] = sealText(anchor, validators);
    return [`seal of ${first}`, ...rest.map((line) => `  ${line}`)].join('\n');
  });
}

function reportText(report: ProofReport, validators: Validators, paint: Paint): string {
  const { steps, fault, verdict, statement, doesNotProve } = report;
  const blocks = [
    ...factsText(report),
    ...(steps.length === 0 ? [] : [steps.map(({ field, status, says }) => {
      const { mark, style } = MARKS[status];
      return `${paint(style, mark)} ${paint('bold', clean(field))}  ${clean(says)}`;
    }).join('\n')]),
    ...anchorsText(report, validators),
    ...(fault === null ? [] : [[
      `${paint('red', '✗')} ${fault.field === '' ? '' : `${paint('bold', clean(fault.field))}  `}${clean(fault.message)}`,
      ...(fault.expected === undefined ? [] : [`    expected  ${clean(fault.expected)}`]),
      ...(fault.actual === undefined ? [] : [`    actual    ${clean(fault.actual)}`]),
    ].join('\n')]),
    [`${paint(STYLES[verdict], paint('bold', verdict.toUpperCase()))}`, clean(statement), ...(doesNotProve === '' ? [] : [clean(doesNotProve)])].join('\n'),
  ];
  return blocks.join('\n\n');
}

export const verifyProof: Command = {
  prepare(words) {
    const { positionals, values } = words;
    const [path = '', ...more] = positionals;
    if (path === '') throw usage('verify-proof needs a file', 'Give the file that prove wrote, or - for stdin.');
    if (more.length > 0) throw usage(`verify-proof takes one file, and ${JSON.stringify(more[0])} is one too many`, 'Run it once for each.');
    const trustedBy = trustWords(words);
    const wanted = network(values);
    return async (session) => {
      await init();
      const { trust, network: fromFile, names } = await readTrust(trustedBy, session);
      const report = await check(await readProof(path), { ...defined({ network: wanted ?? fromFile }), trust, signal: session.signal });
      session.print(session.json ? JSON.stringify({ type: 'proof', report }) : reportText(report, new Validators(names), session.paint));
      return STATUS[report.verdict];
    };
  },
};
