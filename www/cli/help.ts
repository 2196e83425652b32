/** The help of the command line: what it prints, word by word. Not here: the options' parsing (`arguments.ts`). */

export const NAME = 'stellar-archive-verifier';

const USAGE = `Usage: ${NAME} verify <URL|DIR> [options]`;

export const HELP = `Verifies a Stellar history archive: that every file is what its hashes say, that ledgers form one
unbroken chain, and that transactions, results and buckets belong to it.

${USAGE}
       ${NAME} help

The archive is the URL of its root (http or https) or a local folder. The root is where
.well-known/stellar-history.json lies.

What to verify
  --low N                   first ledger, decimal or hexadecimal (0x3f); default: the archive's beginning
  --high N                  last ledger; default: the newest checkpoint the archive announces
                            Both are rounded out to whole checkpoints.
  --deep                    also decode what no hash covers: transactions against results, contents of buckets
  --skip-optional           leave out the SCP files, which an archive need not have
  --skip-buckets            leave out the bucket files (the bulk of the bytes); their list is still checked
  --network NAME|PASSPHRASE the network it must belong to: pubnet, testnet, futurenet, standalone, or a passphrase;
                            default: what the archive itself says
  --checkpoint-frequency N  64, or 8 for a network with accelerated time; default: 64

How
  --concurrency N           requests in flight at once; default: 16
  --max-retries N           tries after the first when the network fails; default: 3

What comes out
  --report FILE             write the report as JSON: a file appears whole or not at all, a link stays a link;
                            pipes and devices (/dev/stdout) are written straight into; - is refused
  --json                    print events as JSON, one a line; the last line is {"type":"report","report":{…}},
                            or {"type":"error","code":…,"message":…} where there can be no report
  -q, --quiet               print only findings, the verdict, and what of the range was left out; no progress
  --help, --version

Exit status
  0  verified: nothing wrong in what was asked for
  1  faulty: there are findings
  2  could not complete: usage, network, a limit, or cancelled (Ctrl-C prints what was found so far)

Examples
  A folder, everything in it:
    ${NAME} verify /srv/stellar/archive
  The first 16 checkpoints of a public archive of the test network:
    ${NAME} verify https://history.stellar.org/prd/core-testnet/core_testnet_001 --high 1023
  A stretch of the public network, without the large bucket files, report to a file:
    ${NAME} verify https://history.stellar.org/prd/core-live/core_live_001 \\
      --low 50000000 --high 50001000 --skip-buckets --report report.json
  A copy that begins in mid-history, of a network of your own:
    ${NAME} verify ./copy --low 0x277f --network "My Private Network ; June 2026"
  Only the findings, for another program:
    ${NAME} verify ./archive --json | jq -c 'select(.type == "finding") | .finding'
`;
