/** The help of the command line: what it prints, word by word. Not here: the options' parsing (`options.ts`, `commands/`). */
import type { CommandName } from './commands/index.ts';

export const NAME = 'stellar-archive-verifier';

const ARCHIVE = `An archive is the URL of its root (http or https) or a local folder. The root is where
.well-known/stellar-history.json lies.`;

const FREQUENCY = '--checkpoint-frequency N  64, or 8 for a network with accelerated time; default: 64';
const NETWORK = `--network NAME|PASSPHRASE the network it must belong to: pubnet, testnet, futurenet, standalone, or a passphrase;
                            default: what the archive itself says`;

const TRUST = `Whose word counts
  --quorum-set PRESET|FILE  the validators that you believe: pubnet, pubnet-packages, pubnet-sdf, testnet, futurenet, or
                            none; or a file with a quorum set as JSON, or a stellar-core configuration, whose
                            NETWORK_PASSPHRASE counts as --network; default: the preset of the network
  --trusted-hash SEQ:HASH   the hash of a ledger's header that you know from elsewhere; may be given several times
  --trusted-checkpoint-hashes FILE
                            such hashes in a file, as verify-checkpoints and stellar-core write it`;
const QUORUM_SET = `--quorum-set PRESET|FILE  the validators that you believe: a preset (pubnet, testnet, …; see help verify), or a file
                            with a quorum set as JSON or a stellar-core configuration; default: the network's preset`;
const DESTINATION = `A destination is a folder, s3://BUCKET/PREFIX (with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
AWS_REGION and AWS_ENDPOINT_URL from the environment), or the URL of a WebDAV server (webdav://, webdavs://, http or
https; user and password in the URL, or in WEBDAV_USER and WEBDAV_PASSWORD).`;
const WRITING = `--read-back               read every file again after it was written, and compare: for places that may lie
  --bandwidth-limit N       read at most N bytes a second; 0, the default, is no limit`;
const COPY_OUTPUT = `--report FILE             write the report as JSON; the file appears whole or not at all
  --json                    print events as JSON, one a line; the last line is {"type":"report","report":{…}},
                            or {"type":"error","code":…,"message":…} where there can be no report
  -q, --quiet               print only what is wrong and the verdict; no progress
  -h, --help`;
const READING = `-c, --concurrency N       requests in flight at once; default: 16
  --max-retries N           tries after the first when the network fails; default: 3
  --timeout-secs N          give a read up after so long without a byte; default: 60`;

export const GENERAL_HELP = `Verifies Stellar history archives: that every file is what its hashes say, that ledgers form one
unbroken chain, that transactions, results and buckets belong to it, and which validators vouch for it. Makes copies of
them that are as sound, and mends those that are not.

Usage: ${NAME} <command> <ARCHIVE>… [options]

Commands
  verify <ARCHIVE>…                    verify an archive, or several copies of one history
  status <ARCHIVE>…                    newest checkpoint, age, server and network of each, and how far it lags behind
  compare <ARCHIVE> <ARCHIVE>…         who agrees with whom, who lacks what, and who is provably wrong
  check-header <ARCHIVE>… --ledger N   compare one ledger's header between archives, or with a hash
  log <ARCHIVE>…                       one line a checkpoint, newest first
  dump <FILE | ARCHIVE PATH>           the records of one file as JSON lines
  quorum-sets <ARCHIVE>                the quorum sets that nodes went by lately, and whose they are
  verify-checkpoints <ARCHIVE>… --output-filename FILE
                                       the hashes of all checkpoints, in stellar-core's file of them
  prove <ARCHIVE>… --tx HASH           a proof of one transaction, or of one ledger entry, for anybody to check
  verify-proof FILE                    check such a proof, without any archive or network
  mirror <ARCHIVE>… <DESTINATION>      copy an archive, every file verified before it is there
  repair <ARCHIVE>… <DESTINATION>      replace what is missing or faulty in an archive from others
  publish <ARCHIVE>… <DESTINATION> --ledger N
                                       write one checkpoint, verified, and the newest state after it
  new-hist <DESTINATION> --network NAME
                                       make the archive of a network that has no ledgers yet
  help [COMMAND]                       all options of a command, with examples; the same as COMMAND --help

${ARCHIVE}
Every command takes --json, for programs. --version prints the versions of the verifier and of its XDR.

Exit status
  0  all is well
  1  there are faults
  2  could not complete: usage, network, a limit, or cancelled; or those whom you named do not vouch for it

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

${TRUST}
  --all-signatures          verify every signature of the range, not only those that seal its end
                            Without anybody's word the verdict can only be that a history agrees with itself. Where you
                            name validators and they do not vouch for it, the run is incomplete; where a quorum of
                            others signed it and none of yours, or a hash differs, it is faulty.

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
  --plan FILE               write what is to be mended as a plan: for repair --plan of this program and of
                            stellar-archivist
  --json                    print events as JSON, one a line; the last line is {"type":"report","report":{…}},
                            or {"type":"error","code":…,"message":…} where there can be no report
  -q, --quiet               print only findings, the verdict, and what of the range was left out; no progress
  -h, --help

Exit status
  0  verified: nothing wrong in what was asked for
  1  faulty: there are findings
  2  could not complete: usage, network, a limit, or cancelled (Ctrl-C prints what was found so far); or nobody vouches
     for it of those whom you named

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
  What your own node believes decides, and every signature is looked at:
    ${NAME} verify ./archive --quorum-set /etc/stellar/stellar-core.cfg \\
      --all-signatures
  Old ledgers, which only three of today's validators signed:
    ${NAME} verify https://history.stellar.org/prd/core-live/core_live_001 \\
      --low 1214080 --high 1220000 --quorum-set pubnet-sdf
  A history that ends in a ledger whose hash you know:
    ${NAME} verify ./archive --high 63 \\
      --trusted-hash 63:04f2…
  A copy that begins in mid-history, of a network of your own:
    ${NAME} verify ./copy --low 0x277f --network "My Private Network ; June 2026"
  What is wrong with a mirror, for repair:
    ${NAME} verify ./mirror --plan plan.json
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

const COMPARE = `Holds archives against each other, checkpoint by checkpoint: what their files commit to, never their raw bytes. Says
who lacks what, who is provably wrong because validators that you believe sealed something else, and who merely
differs. The signatures of all archives count together.

Usage: ${NAME} compare <ARCHIVE> <ARCHIVE>… [options]

${ARCHIVE}

What to compare
  --low N, --high N         first and last ledger, decimal or hexadecimal; default: from where the first archive begins
                            to the newest checkpoint that all announce
  --last N                  only the last N ledgers
  ${NETWORK}
  ${FREQUENCY}

${TRUST}

How
  ${READING}

What comes out
  --json                    one JSON object a checkpoint; the last line is {"type":"report","report":{…}}
  -h, --help

Exit status
  0  all have the same
  1  they disagree, or an archive is faulty or of another network
  2  could not complete: usage, network, a limit, or cancelled

Examples
  Is this mirror what it mirrors?
    ${NAME} compare ./mirror https://history.stellar.org/prd/core-live/core_live_001 --last 10000
  The three archives of the test network:
    ${NAME} compare https://history.stellar.org/prd/core-testnet/core_testnet_00{1,2,3} --high 4095
  Which archives are provably wrong, for another program:
    ${NAME} compare ./a ./b ./c --json \\
      | jq -r '.report.archives[]? | select(.standing == "provably-wrong") | .name'
`;

const QUORUM_SETS = `Lists the nodes whose messages the archive has kept lately, and the quorum set that each of them went by: what
nodes say of themselves, signed by them. It is no reason to believe them.

Usage: ${NAME} quorum-sets <ARCHIVE> [options]

${ARCHIVE}

Options
  --last N                  the last N checkpoints; default: 100
  --high N                  up to the checkpoint of this ledger; default: the newest
  ${NETWORK}
  ${READING}
  ${FREQUENCY}
  --json                    one JSON object with the sets, the nodes and the counts
  -h, --help

Exit status
  0  the files that the archive has could be read; it need not have them all
  1  a file is faulty
  2  could not complete: usage, network, a limit, or cancelled

Examples
  Who made the test network's last day?
    ${NAME} quorum-sets https://history.stellar.org/prd/core-testnet/core_testnet_001 --last 270
  The set that most nodes go by, to edit and to give to --quorum-set:
    ${NAME} quorum-sets ./archive --json \\
      | jq '(.nodes | group_by(.quorumSet) | max_by(length)[0].quorumSet) as $hash
          | .quorumSets[] | select(.hash == $hash) | .quorumSet'
`;

const VERIFY_CHECKPOINTS = `Verifies the chain of headers from a ledger that is vouched for down to the beginning, and writes the hash of every
checkpoint to a file: the same file, byte by byte, that stellar-core's command of this name writes, for catchup with
trusted hashes and for verify --trusted-checkpoint-hashes. Only headers and messages are read.

Usage: ${NAME} verify-checkpoints <ARCHIVE>… --output-filename FILE [options]

${ARCHIVE}

Options
  --output-filename FILE    where the hashes go; the file appears whole or not at all
  --history-ledger N        a ledger whose hash you know; default: the newest that your validators sealed
  --history-hash HEX        that hash
  --trusted-hash-file FILE  a file of an earlier run: the chain must lead to its newest hash, and the list goes on from
                            there; it may be the same as --output-filename
  --from-ledger N           stop at this ledger; not together with --trusted-hash-file
  ${QUORUM_SET}
  ${NETWORK}
  ${READING}
  ${FREQUENCY}
  --json                    one JSON object that says what was written and what vouches for it
  -h, --help

Exit status
  0  the file is written, and every hash in it is vouched for
  1  there is none: no archive has all of the chain sound
  2  there is none: nobody whom you believe vouches for it, usage, network, or cancelled

Examples
  All checkpoints of the test network, sealed by its validators:
    ${NAME} verify-checkpoints https://history.stellar.org/prd/core-testnet/core_testnet_001 \\
      --output-filename testnet.json
  The same file a day later, in a fraction of the time:
    ${NAME} verify-checkpoints https://history.stellar.org/prd/core-testnet/core_testnet_001 \\
      --trusted-hash-file testnet.json --output-filename testnet.json
  From a ledger whose hash your own node told you:
    ${NAME} verify-checkpoints ./archive --history-ledger 1023 \\
      --history-hash 2a0c… --output-filename hashes.json
`;

const PROVE = `Makes a file that proves one transaction and its result, or one ledger entry, to anybody: with the headers, the
signatures and whatever else it takes, so that a stranger can check it with no archive and no network.

Usage: ${NAME} prove <ARCHIVE>… --tx HASH [options]
       ${NAME} prove <ARCHIVE>… --ledger N --index I [options]
       ${NAME} prove <ARCHIVE>… --entry KEY --checkpoint C [options]

${ARCHIVE}

What to prove
  --tx HASH                 the transaction of this hash; the archive has no index, so its results are searched from the
                            newest down
  --low N, --high N         search it in these ledgers only
  --ledger N                the transaction of this ledger
  --index I                 that the ledger applied in this place, from 0
  --entry KEY               the ledger entry of this key: the address of an account (G…), or a LedgerKey's XDR in
                            base64; its buckets are read, which on a public network are gigabytes
  --checkpoint C            as it was after this ledger, the last of a checkpoint
  ${NETWORK}
  ${FREQUENCY}

How
  ${QUORUM_SET};
                            their signatures are looked for; the proof's reader may believe others
  ${READING}

What comes out
  --output FILE             write the proof to FILE, whole or not at all; default: stdout
  --json                    with --output: one JSON object that says what was written
  -h, --help

Exit status
  0  the proof is made, and those whom you believe vouch for it
  1  there is none: the archive's files are faulty
  2  it is made, but nobody whom you believe vouches for it; or there is none: no such transaction, usage, network,
     or cancelled

Examples
  A payment on the test network:
    ${NAME} prove https://history.stellar.org/prd/core-testnet/core_testnet_001 \\
      --tx 3389e9f0…  --output payment.json
  The first transaction that ledger 100 applied, made and checked at once:
    ${NAME} prove ./archive --ledger 100 --index 0 | ${NAME} verify-proof -
  An account after ledger 1023:
    ${NAME} prove ./archive --entry GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7 \\
      --checkpoint 1023 --output account.json
`;

const VERIFY_PROOF = `Checks a proof that prove made: every step from the transaction or the entry up to the signatures, with nothing
but the file and your own choice of whom to believe.

Usage: ${NAME} verify-proof FILE [options]
       ${NAME} verify-proof - < FILE

${TRUST}
  ${NETWORK.replace('the network it must belong to', 'the network it must be of').replace('the archive itself', 'the proof')}

What comes out
  --json                    one JSON object with every step
  -h, --help

Exit status
  0  proven: those whom you believe vouch for it
  1  refuted: something in it is wrong, or it is no proof
  2  unproven: it fits together, but nobody whom you believe vouches for it; or usage

Examples
  A proof that somebody sent, by the word of the network's known validators:
    ${NAME} verify-proof payment.json
  By the word of those that your own node believes:
    ${NAME} verify-proof payment.json --quorum-set /etc/stellar/stellar-core.cfg
  Which step fails?
    ${NAME} verify-proof payment.json --json | jq '.report.steps[] | select(.status != "holds")'
`;

const MIRROR = `Copies an archive. Every file is verified before it is visible at the destination, against the chain of headers and
against whoever vouches for it, and .well-known/stellar-history.json is written last: whoever reads the copy while it is
made, or after a power cut, finds nothing that is not sound. What is there already and sound is kept, so an interrupted
mirror is gone on with by the same command.

Usage: ${NAME} mirror <ARCHIVE>… <DESTINATION> [options]

${ARCHIVE}
With several archives of one network, each file is copied from one that has it sound.
${DESTINATION}

What to copy
  --low N                   first ledger, decimal or hexadecimal (0x3f); default: the archive's beginning
  --high N                  last ledger; default: the newest checkpoint the archive announces
                            Both are rounded out to whole checkpoints.
  --overwrite               fetch and replace also what is there already
  --allow-mirror-gaps       let --low be above the end of what the destination has
  --skip-optional           leave out the SCP files, which an archive need not have
  ${NETWORK}
  ${FREQUENCY}

${TRUST}

How
  ${WRITING}
  ${READING}

What comes out
  ${COPY_OUTPUT}

Exit status
  0  complete: the destination has all of the range, verified
  1  faulty: no archive has a file sound; it is not at the destination, and .well-known ends before it
  2  could not complete: usage, network, a disk that is full, a limit, or cancelled (Ctrl-C leaves what was written)

Examples
  The test network's archive in a folder, and the same command a day later for what is new:
    ${NAME} mirror https://history.stellar.org/prd/core-testnet/core_testnet_001 /srv/testnet
  From whichever of three archives has a file sound:
    ${NAME} mirror https://history.stellar.org/prd/core-testnet/core_testnet_00{1,2,3} /srv/testnet
  A stretch of the public network to a bucket of S3, slowly:
    AWS_REGION=eu-central-1 ${NAME} mirror https://history.stellar.org/prd/core-live/core_live_001 \\
      s3://my-archives/pubnet --low 50000000 --high 50100000 --bandwidth-limit 10000000
  Only what the validators of your own node sealed:
    ${NAME} mirror ./archive ./copy --quorum-set /etc/stellar/stellar-core.cfg
`;

const REPAIR = `Replaces what is missing or faulty in an archive by what others have sound. Everything there is verified first; what is
sound stays as it is. A replacement is verified before it takes the place of what was there.

Usage: ${NAME} repair <ARCHIVE>… <DESTINATION> [options]

${ARCHIVE}
The last one is the archive to mend.
${DESTINATION}

What to mend
  --low N                   first ledger, decimal or hexadecimal (0x3f); default: the archive's beginning
  --high N                  last ledger; default: the newest checkpoint that is announced
                            Both are rounded out to whole checkpoints.
  --dry-run                 write nothing: say what would be
  --plan FILE               with --dry-run: write to FILE what would be mended. Without it: mend what FILE lists, and
                            look for nothing else. Such a FILE is also what verify --plan writes, and the --report of
                            stellar-archivist; each file is verified in any case
  --skip-optional           leave out the SCP files, which an archive need not have
  ${NETWORK}
  ${FREQUENCY}

${TRUST}

How
  ${WRITING}
  ${READING}

What comes out
  ${COPY_OUTPUT}

Exit status
  0  complete: the destination has all of the range, verified; with --dry-run: it would have
  1  faulty: no archive has a file sound
  2  could not complete: usage, network, a disk that is full, a limit, or cancelled (Ctrl-C leaves what was mended)

Examples
  A mirror, from what it mirrors:
    ${NAME} repair https://history.stellar.org/prd/core-live/core_live_001 ./mirror
  What would be done, to look at, and then to do:
    ${NAME} repair ./archive ./mirror --dry-run --plan plan.json
    ${NAME} repair ./archive ./mirror --plan plan.json
  What stellar-archivist found:
    stellar-archivist --verify --report found.json scan file:///srv/mirror
    ${NAME} repair ./archive /srv/mirror --plan found.json
`;

const PUBLISH = `Writes one checkpoint to an archive, as a validator does: its files, its buckets, and after them its state and the
newest state. All of it is read from the archives named first, and verified before it is written.

Usage: ${NAME} publish <ARCHIVE>… <DESTINATION> --ledger N [options]

${ARCHIVE}
${DESTINATION}

Options
  --ledger N                any ledger of the checkpoint, decimal or hexadecimal
  ${NETWORK}
  ${FREQUENCY}
  ${READING}
  --json                    one JSON object that says what was written
  -h, --help

Exit status
  0  the checkpoint is published
  1  it is not: no archive has its files sound
  2  could not complete: usage, network, a disk that is full, a limit, or cancelled

Examples
  The first checkpoint of an archive that new-hist made:
    ${NAME} publish ./archive ./mine --ledger 63
`;

const NEW_HIST = `Makes the archive of a network that has no ledgers yet: the state of ledger 0, as stellar-core's new-hist writes it.
Refuses a place that has a state already.

Usage: ${NAME} new-hist <DESTINATION> --network NAME|PASSPHRASE [options]

${DESTINATION}

Options
  --network NAME|PASSPHRASE the network that it is for: pubnet, testnet, futurenet, standalone, or a passphrase
  --json                    one JSON object that says what was made
  -h, --help

Exit status
  0  the archive is made
  2  could not complete: usage, an archive that is there already, network, a disk that is full, or cancelled

Examples
  For a network of your own:
    ${NAME} new-hist /srv/archive --network "My Private Network ; June 2026"
`;

/** The help of each command. */
export const HELP: Readonly<Record<CommandName, string>> = {
  verify: VERIFY, status: STATUS, compare: COMPARE, 'check-header': CHECK_HEADER, log: LOG, dump: DUMP, 'quorum-sets': QUORUM_SETS,
  'verify-checkpoints': VERIFY_CHECKPOINTS, prove: PROVE, 'verify-proof': VERIFY_PROOF, mirror: MIRROR, repair: REPAIR,
  publish: PUBLISH, 'new-hist': NEW_HIST,
};
