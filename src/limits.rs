//! Every cap on hostile input, each with its reason.
//!
//! What it is: one plain value, [`Budget`], that every parser takes. What it is not: a policy on what to do when a cap
//! is reached; the parsers report that as `limit-exceeded` and go on with the next file. Rules: E 21, design section 7.

/// Caps on what one file of an archive may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Bytes of a HistoryArchiveState JSON. Typical is below 50 kB; stellar-core PR #5185 proposes 10 MB.
    pub has_json_bytes: usize,
    /// Inflated bytes of a checkpoint file (ledger, transactions, results, scp). 64 ledgers of 16 MiB each: far above
    /// anything a network with today's limits can close, far below what would stall a tab.
    pub checkpoint_file_bytes: u64,
    /// Inflated bytes of a bucket. stellar-core refuses buckets above 100 GB (`MAX_HISTORY_ARCHIVE_BUCKET_SIZE`).
    pub bucket_bytes: u64,
    /// Inflated to compressed bytes, looked at once [`Budget::ratio_grace`] bytes came out. Deflate's own ceiling is
    /// 1,032; real files stay below 50, a bomb sits at the ceiling.
    pub inflate_ratio: u64,
    /// Inflated bytes before the ratio is looked at: small files of zeros are harmless.
    pub ratio_grace: u64,
    /// Bytes of one record of a checkpoint file. The largest is a transaction set; networks cap a ledger's
    /// transactions at a few MiB.
    pub record_bytes: usize,
    /// Bytes of one bucket entry. The largest are contract code and data entries, capped at a few hundred kB.
    pub bucket_record_bytes: usize,
    /// Records in a checkpoint file. One a ledger is expected; duplicates and strangers are counted up to here.
    pub records_per_file: u64,
    /// Nesting of an XDR value, as stellar-xdr counts it. Its own tools use 500.
    pub xdr_depth: u32,
    /// Inflated bytes of a checkpoint file that is held to be looked into: a busy network's have tens of megabytes.
    pub held_file_bytes: u64,
    /// Findings kept of one run; the rest are counted.
    pub findings: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            has_json_bytes: 10_000_000,
            checkpoint_file_bytes: 1 << 30,
            bucket_bytes: 100_000_000_000,
            inflate_ratio: 500,
            ratio_grace: 8 << 20,
            record_bytes: 32 << 20,
            bucket_record_bytes: 8 << 20,
            records_per_file: 4096,
            xdr_depth: 500,
            held_file_bytes: 256 << 20,
            findings: 10_000,
        }
    }
}
