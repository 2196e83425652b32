/** The help of the command line: what it prints, word by word. Not here: the options' parsing (`options.ts`, `commands/`). */
import type { CommandName } from './commands/index.ts';

export const NAME = 'stellar-archive-verifier';

const ARCHIVE = `An archive is the URL of its root (http or https) or a local folder. The root is where
.well-known/stellar-history.json lies.`;

const FREQUENCY = '--checkpoint-frequency N  64, or 8 for a network with accelerated time; default: 64';
const NETWORK = `--network NAME|PASSPHRASE the network it must belong to: pubnet, testnet, futurenet, standalone, or a passphrase;
                            default: what the archive itself says`;

export const GENERAL_HELP = `Verifies Stellar history archives: that every file is what its hashes say, that ledgers form one
unbroken chain, and that transactions, results and buckets belong to it.

Usage: ${NAME} <command> <ARCHIVE>… [options]

Commands
  verify <ARCHIVE>…                    verify an archive, or several copies of one history
  status <ARCHIVE>…                    newest checkpoint, age, server and network of each, and how far it lags behind
  check-header <ARCHIVE>… --ledger N   compare one ledger's header between archives, or with a hash
  log <ARCHIVE>…                       one line a checkpoint, newest first
  dump <FILE | ARCHIVE PATH>           the records of one file as JSON lines
  help [COMMAND]                       all options of a command, with examples; the same as COMMAND --help

${ARCHIVE}
Every command takes --json, for programs. --version prints the versions of the verifier and of its XDR.

Exit status
  0  all is well
  1  there are faults
  2  could not complete: usage, network, a limit, or cancelled

Examples
  ${NAME} verify /srv/stellar/archive
  ${NAME} status https://history.stellar.org/prd/core-testnet/core_testnet_001
`;

const VERIFY = `Verifies an archive: that every file is what its hashes say, that ledgers form one unbroken chain, and
that transactions, results and buckets belong to it.

Usage: ${NAME} verify <ARCHIVE>… [options]

${ARCHIVE}
With several archives of one network a file is verified if one of them has it sound; a copy that is not is shown with
the archive to blame.

What to verify
  --low N                   first ledger, decimal or hexadecimal (0x3f); default: the archive's beginning
  --high N                  last ledger; default: the newest checkpoint the archive announces
  --last N                  only the last N ledgers
                            All three are rounded out to whole checkpoints.
  --sample N                only N checkpoints, drawn at random; the report says what that guarantees
  --seed HEX                16 digits: draw the sample of an earlier run again
  --deep                    also decode what no hash covers: transactions against results, contents of buckets
  --skip-optional           leave out the SCP files, which an archive need not have
  --skip-buckets            leave out the bucket files (the bulk of the bytes); their list is still checked
  ${NETWORK}
  ${FREQUENCY}

How
  --order ORDER             oldest-first or newest-first; default: oldest-first
  -c, --concurrency N       requests in flight at once; default: 16
  --max-retries N           tries after the first when the network fails; default: 3
  --timeout-secs N          give a read up after so long without a byte; default: 60
  --state FILE              keep in FILE what was verified so far: after Ctrl-C or a crash the same command goes on from
                            there; the file is removed when the run comes to its end

What comes out
  --report FILE             write the report as JSON: a file appears whole or not at all, a link stays a link;
                            pipes and devices (/dev/stdout) are written straight into; - is refused
  --metrics FILE            write the numbers as text for Prometheus, in the same way
  --json                    print events as JSON, one a line; the last line is {"type":"report","report":{…}},
                            or {"type":"error","code":…,"message":…} where there can be no report
  -q, --quiet               print only findings, the verdict, and what of the range was left out; no progress
  -h, --help

Exit status
  0  verified: nothing wrong in what was asked for
  1  faulty: there are findings
  2  could not complete: usage, network, a limit, or cancelled (Ctrl-C prints what was found so far)

Examples
  A folder, everything in it:
    ${NAME} verify /srv/stellar/archive
  The first 16 checkpoints of a public archive of the test network:
    ${NAME} verify https://history.stellar.org/prd/core-testnet/core_testnet_001 --high 1023
  Three archives of the test network at once, newest ledgers first, to be interrupted and gone on with:
    ${NAME} verify https://history.stellar.org/prd/core-testnet/core_testnet_00{1,2,3} \\
      --order newest-first --state testnet.state
  A stretch of the public network, without the large bucket files, report to a file:
    ${NAME} verify https://history.stellar.org/prd/core-live/core_live_001 \\
      --low 50000000 --high 50001000 --skip-buckets --report report.json
  A hundred checkpoints at random, numbers for a monitor:
    ${NAME} verify https://history.stellar.org/prd/core-live/core_live_001 \\
      --sample 100 --metrics archive.prom
  A copy that begins in mid-history, of a network of your own:
    ${NAME} verify ./copy --low 0x277f --network "My Private Network ; June 2026"
  Only the findings, for another program:
    ${NAME} verify ./archive --json | jq -c 'select(.type == "finding") | .finding'
`;

const STATUS = `Says what each archive announces: its newest checkpoint and how old that is, its server and network, and how far it
is behind the others of the same network. Nothing but the newest state is looked at.

Usage: ${NAME} status <ARCHIVE>… [options]

${ARCHIVE}

Options
  --max-retries N           tries after the first when the network fails; default: 3
  --timeout-secs N          give a read up after so long without a byte; default: 60
  ${FREQUENCY}
  --json                    one JSON object a line for each archive
  -h, --help

Exit status
  0  every archive could be read
  1  what an archive announces is faulty
  2  an archive could not be read

Examples
  The three archives of the test network:
    ${NAME} status https://history.stellar.org/prd/core-testnet/core_testnet_00{1,2,3}
  Ledgers that a mirror lags behind, for another program:
    ${NAME} status ./mirror https://history.stellar.org/prd/core-live/core_live_001 \\
      --json | jq .lag.ledgers
`;

const CHECK_HEADER = `Compares the header of one ledger between archives, and with its hash or its whole entry if you know them, for example
from your own node.

Usage: ${NAME} check-header <ARCHIVE>… --ledger N [--hash HEX | --entry BASE64|FILE] [options]

${ARCHIVE}

Options
  --ledger N                the ledger, decimal or hexadecimal
  --hash HEX                the hash that its header must have: 64 digits
  --entry BASE64|FILE       the LedgerHeaderHistoryEntry that it must be, in base64, or a file that holds it in base64
                            or as XDR
                            Without these the archives are compared with the first that has the header.
  ${NETWORK}
  --max-retries N           tries after the first when the network fails; default: 3
  --timeout-secs N          give a read up after so long without a byte; default: 60
  ${FREQUENCY}
  --json                    one JSON object with the hash of each archive
  -h, --help

Exit status
  0  every archive has this header
  1  an archive has another one
  2  an archive does not have it, or could not be read

Examples
  Do these two have the same history up to this ledger?
    ${NAME} check-header ./mirror https://history.stellar.org/prd/core-live/core_live_001 \\
      --ledger 50000000
  Does this archive begin with the test network's genesis ledger?
    ${NAME} check-header https://history.stellar.org/prd/core-testnet/core_testnet_001 \\
      --ledger 1 --hash 63d98f536ee68d1b27b5b89f23af5311b7569a24faf1403ad0b52b633b07be99
`;

const LOG = `Prints one line a checkpoint, newest first: its ledgers, when the last of them closed, its protocol, and its hash.
The headers of every checkpoint are verified; other files are not looked at.

Usage: ${NAME} log <ARCHIVE>… [options]

${ARCHIVE}

Options
  --low N, --high N         first and last ledger, decimal or hexadecimal; default: all that the archive holds
  --last N                  only the last N ledgers
  --order ORDER             newest-first or oldest-first; default: newest-first
  -c, --concurrency N       requests in flight at once; default: 16
  --max-retries N           tries after the first when the network fails; default: 3
  --timeout-secs N          give a read up after so long without a byte; default: 60
  ${FREQUENCY}
  --json                    one JSON object a line; findings after them, and a last line with the counts
  -h, --help

Exit status
  0  all that is shown is verified
  1  there are findings
  2  could not complete: usage, network, a limit, or cancelled

Examples
  The newest checkpoints:
    ${NAME} log https://history.stellar.org/prd/core-testnet/core_testnet_001 --last 1000
  How many checkpoints closed under each protocol?
    ${NAME} log ./archive --order oldest-first --json | jq -r '.protocol | values' | uniq -c
`;

const DUMP = `Prints the records of one file as JSON, one a line. 64-bit integers are strings, so that no digit is lost.

Usage: ${NAME} dump <FILE>
       ${NAME} dump <ARCHIVE> <PATH>
       ${NAME} dump <ARCHIVE> <history|ledger|transactions|results|scp> <CHECKPOINT>
       ${NAME} dump <ARCHIVE> bucket <HASH>

The name of a FILE must be as in an archive, because it says what is in it: ledger-0000003f.xdr.gz.
A PATH is relative to the archive's root. A CHECKPOINT is any of its ledgers, decimal or hexadecimal (0x3f), or the
eight digits of its files (0000003f).

${ARCHIVE}

Options
  ${FREQUENCY}
  --json                    changes nothing: the output is JSON in any case; complaints become a last line of it
  -h, --help

Exit status
  0  the whole file was printed
  1  the file is faulty, or the archive does not have it; the records before a fault were printed
  2  could not complete: usage, network, a limit, or cancelled

Examples
  A file on this machine:
    ${NAME} dump ./ledger-0000003f.xdr.gz
  The headers of the first checkpoint of the test network:
    ${NAME} dump https://history.stellar.org/prd/core-testnet/core_testnet_001 ledger 0x3f
  Its state:
    ${NAME} dump ./archive history/00/00/00/history-0000003f.json | jq .currentBuckets
`;

/** The help of each command. */
export const HELP: Readonly<Record<CommandName, string>> = { verify: VERIFY, status: STATUS, 'check-header': CHECK_HEADER, log: LOG, dump: DUMP };
