//! What a run leaves behind (design section 5).

pub mod compose;
pub mod copy;
pub mod plan;
pub mod prometheus;
mod statement;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::checkpoint::LedgerSeq;
use crate::archive::error::RunError;
use crate::codec::hash::Hash256;
use crate::historywork::metrics::Metrics;
use crate::historywork::plan::{Order, Seed};
use crate::verify::finding::{Finding, Note};
use crate::verify::quorum::QuorumSet;
use crate::verify::scp::Quorums;
use crate::verify::segment::Tally;
use crate::verify::votes::Seal;

pub use statement::{MEANINGS, Meaning, meaning, statement};

/// The version of this crate, and of the XDR types in it.
#[derive(Clone, Debug, Serialize)]
pub struct Versions {
    /// This crate's.
    pub version: &'static str,
    /// stellar-xdr's.
    pub xdr: &'static str,
}

impl Versions {
    /// Of this build.
    pub const CURRENT: Self = Self { version: env!("CARGO_PKG_VERSION"), xdr: stellar_xdr::VERSION.pkg };
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that was asked for was looked at, and every rule holds.
    Verified,
    /// There is a finding of severity error.
    Faulty,
    /// There is none, but something could not be looked at.
    Incomplete,
}

/// The report of a run, schema 1. Deterministic but for `startedAt` and `elapsedMs`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// 1.
    pub schema: u32,
    /// What made it.
    pub verifier: Versions,
    /// The archives' names.
    pub archives: Vec<String>,
    /// The network.
    pub network: NetworkName,
    /// The ledgers that were asked for, whole checkpoints; none if they could not be found out.
    pub range: Option<LedgerRange>,
    /// What was asked for.
    pub options: ReportOptions,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found, in words.
    pub statement: String,
    /// What such a verdict proves and what it does not.
    pub meaning: &'static Meaning,
    /// The ledger up to which validators' signatures vouch; none without them.
    pub sealed_through: Option<LedgerSeq>,
    /// What the chain is tied to.
    pub anchors: Vec<Anchor>,
    /// Whose word was asked for.
    pub trust: TrustReport,
    /// Statements about the run as a whole.
    pub claims: Vec<Claim>,
    /// How files ended, by kind; `bucket` counts distinct buckets.
    pub totals: BTreeMap<&'static str, Tally>,
    /// Why files were not checked.
    pub unchecked: Vec<UncheckedCount>,
    /// What is wrong with the archive.
    pub findings: Vec<Finding>,
    /// Findings past those kept.
    pub findings_dropped: u64,
    /// What could not be looked at.
    pub errors: Vec<RunError>,
    /// What is worth saying.
    pub notes: Vec<Note>,
    /// The archives and how they did. Which of several was asked for what is left to chance.
    pub sources: Vec<Source>,
    /// What was counted.
    pub metrics: Metrics,
    /// ISO 8601, UTC.
    pub started_at: String,
    /// Wall time.
    pub elapsed_ms: u64,
    /// Bytes read.
    pub bytes: Bytes,
}

/// Ledgers, both ends included.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct LedgerRange {
    /// The lowest.
    pub low: LedgerSeq,
    /// The highest.
    pub high: LedgerSeq,
}

/// Bytes, as decimal strings: JavaScript's numbers end at 2^53.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Bytes {
    /// As they came.
    pub compressed: String,
    /// As they were checked.
    pub inflated: String,
}

/// One archive of a run: what it announced, and how it did.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its name.
    pub archive: String,
    /// The newest ledger that it announced when the run began.
    pub ledger: Option<LedgerSeq>,
    /// The newest ledger that it announced when the run ended.
    pub end_ledger: Option<LedgerSeq>,
    /// Reads begun.
    pub requests: u64,
    /// Reads that failed for faults of the way.
    pub failures: u64,
    /// Reads refused because there were too many.
    pub throttled: u64,
    /// Files that it does not have, though it must.
    pub missing: u64,
    /// Files that it is to blame for.
    pub faulty: u64,
    /// Bytes as they came, decimal.
    pub bytes: String,
}

/// A network as reports name it.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkName {
    /// The passphrase, where it is known.
    pub passphrase: Option<String>,
    /// The short name, where there is one.
    pub name: Option<&'static str>,
}

/// What a run was asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportOptions {
    /// Decode and check what no hash covers.
    pub deep: bool,
    /// Leave out scp files.
    pub skip_optional: bool,
    /// Leave out bucket files.
    pub skip_buckets: bool,
    /// In which order checkpoints were verified.
    pub order: Order,
    /// The sample, where only some were.
    pub sample: Option<SampleReport>,
}

/// A sample of a range.
#[derive(Clone, Debug, Serialize)]
pub struct SampleReport {
    /// Checkpoints that were drawn.
    pub count: u32,
    /// Of how many.
    pub of: u32,
    /// What they were drawn from: the same seed draws the same checkpoints of the same range.
    pub seed: Seed,
    /// What a sample without a fault says about the rest.
    pub guarantee: String,
}

/// What a chain is tied to.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Anchor {
    /// Ledger 1 is the one that the passphrase implies.
    Genesis {
        /// 1.
        ledger: LedgerSeq,
        /// Its hash.
        hash: Hash256,
        /// What it vouches for.
        covers: Option<LedgerRange>,
    },
    /// Validators that the user believes signed the ledger after.
    Seal {
        /// The highest ledger that is sealed, its hash, and who signed.
        #[serde(flatten)]
        seal: Seal,
        /// The quorum set that is believed.
        quorum_set: String,
        /// The ledgers that the hash chain ties to the sealed one; none if the chain is not sound.
        covers: Option<LedgerRange>,
    },
    /// A header has the hash that the user trusts.
    TrustedHash {
        /// The ledger.
        ledger: LedgerSeq,
        /// Its hash.
        hash: Hash256,
        /// The ledgers that the hash chain ties to it; none if the chain is not sound.
        covers: Option<LedgerRange>,
    },
    /// Several archives announce the same state.
    Archives {
        /// Its ledger.
        ledger: LedgerSeq,
        /// The hash of its live buckets' list.
        hash: Hash256,
        /// Who announces it.
        archives: Vec<String>,
        /// That ledger's state, not what led to it.
        covers: Option<LedgerRange>,
    },
}

/// Whose word was asked for, and what it came to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    /// The quorum set that was believed; none where no preset is known and none was given.
    pub quorum_set: Option<BelievedReport>,
    /// Whether every signature was verified.
    pub all_signatures: bool,
    /// Checkpoints whose signatures were looked at.
    pub looked: u64,
    /// Ledgers by what their signatures come to; only where all were verified.
    pub quorums: Option<Quorums>,
    /// Trusted hashes that were given, and those of them that the headers have.
    pub hashes: HashCount,
}

/// A quorum set that was believed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BelievedReport {
    /// What it is, in words.
    pub name: String,
    /// Whether the user named it; else it is the preset of the network.
    pub asked_for: bool,
    /// The set.
    pub set: QuorumSet,
}

/// Trusted hashes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct HashCount {
    /// That were given.
    pub given: u64,
    /// That the headers have.
    pub met: u64,
}

/// A statement about the whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// `network`, `chain`, `genesis` or `tip`.
    pub claim: &'static str,
    /// `verified`, `faulty` or `unchecked`.
    pub status: &'static str,
    /// In words, with the reason where it was not checked.
    pub statement: String,
}

/// How many files of a kind were not checked for a reason.
#[derive(Clone, Debug, Serialize)]
pub struct UncheckedCount {
    /// The kind.
    pub kind: &'static str,
    /// Why.
    pub reason: &'static str,
    /// Whether the run did not complete what it was asked for.
    #[serde(skip)]
    pub incomplete: bool,
    /// How many.
    pub count: u64,
}
