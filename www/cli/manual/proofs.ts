/** The manual: the commands that make and check proofs. Not here: what the commands do. */
import { EVERYWHERE } from './environment.ts';
import type { Page } from './page.ts';
import { ARCHIVE, CORE_TESTNET, EVERYWHERE_OPTIONS, QUORUM_SET, READING, TRUST } from './words.ts';

export const prove: Page = {
  brief: '<ARCHIVE>… --tx HASH',
  title: 'a proof of one transaction, or of one ledger entry, for anybody to check',
  forms: ['<ARCHIVE>… --tx HASH [options]', '<ARCHIVE>… --ledger N --index I [options]', '<ARCHIVE>… --entry KEY --checkpoint C [options]'],
  operands: [{ completes: 'archive', many: true }],
  about: [
    'Makes a file that proves one transaction and its result, or one ledger entry, to anybody: with the headers, the signatures and whatever else it takes, so that a stranger can check it with no archive and no network.',
    ARCHIVE,
  ],
  groups: [
    {
      title: 'What to prove',
      options: [
        'tx', ['low', 'search it from this ledger on only'], ['high', 'and up to this one'], ['ledger', 'the transaction of this ledger'], 'index',
        ['entry', "the ledger entry of this key: the address of an account (G…), or a LedgerKey's XDR in base64; its buckets are read, which on a public network are gigabytes"],
        'checkpoint', 'network', 'checkpoint-frequency',
      ],
    },
    { title: 'How', options: [QUORUM_SET, { note: "Their signatures are looked for; the proof's reader may believe others." }, ...READING] },
    { title: 'What comes out', options: ['output', ['json', 'with --output: one JSON object that says what was written']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'the proof is made, and those whom you believe vouch for it'],
    [1, "there is none: the archive's files are faulty"],
    [2, 'it is made, but nobody whom you believe vouches for it; or there is none: no such transaction, usage, network, or cancelled'],
  ],
  environment: EVERYWHERE,
  examples: [
    {
      says: 'A transaction of the test network:',
      lines: [`$0 prove ${CORE_TESTNET} \\`, '  --tx b9d0b2292c4e09e8eb22d036171491e87b8d2086bf8b265874c8d182cb9c9020 --high 127 --output payment.json'],
    },
    {
      says: 'The first transaction that a ledger applied, made and checked at once:',
      lines: ['$0 prove ./archive --ledger 64 --index 0 --quorum-set ./stellar-core.cfg \\', '  | $0 verify-proof - --quorum-set ./stellar-core.cfg'],
    },
    {
      says: 'An account after a checkpoint:',
      lines: ['$0 prove ./archive --entry GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7 \\', '  --checkpoint 127 --output account.json'],
    },
  ],
  seeAlso: ['verify-proof', 'dump'],
};

export const verifyProof: Page = {
  brief: 'FILE',
  title: 'check such a proof, without any archive or network',
  forms: ['FILE [options]', '- < FILE'],
  operands: [{ completes: 'file' }],
  about: ['Checks a proof that prove made: every step from the transaction or the entry up to the signatures, with nothing but the file and your own choice of whom to believe.'],
  groups: [
    {
      title: TRUST.title,
      options: [...TRUST.options, ['network', 'the network it must be of: pubnet, testnet, futurenet, standalone, or a passphrase; default: what the proof says']],
    },
    { title: 'What comes out', options: [['json', 'one JSON object with every step']] },
    EVERYWHERE_OPTIONS,
  ],
  exit: [
    [0, 'proven: those whom you believe vouch for it'], [1, 'refuted: something in it is wrong, or it is no proof'],
    [2, 'unproven: it fits together, but nobody whom you believe vouches for it; or usage'],
  ],
  environment: EVERYWHERE,
  examples: [
    { says: "A proof that somebody sent, by the word of the network's known validators:", lines: ['$0 verify-proof payment.json'] },
    { says: 'By the word of those that your own node believes:', lines: ['$0 verify-proof payment.json --quorum-set ./stellar-core.cfg'] },
    { says: 'Which step fails?', lines: ["$0 verify-proof payment.json --json | jq '.report.steps[] | select(.status != \"holds\")'"] },
  ],
  seeAlso: ['prove', 'quorum-sets'],
};
