//! What a run leaves behind (design section 5).

mod statement;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::archive::checkpoint::LedgerSeq;
use crate::codec::hash::Hash256;
use crate::driver::error::RunError;
use crate::driver::event::{Bytes, LedgerRange};
use crate::verify::finding::{Finding, Note};
use crate::verify::segment::Tally;

pub use statement::statement;

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
    /// What it proves and what it does not.
    pub statement: String,
    /// The ledger up to which validators' signatures vouch; none without them.
    pub sealed_through: Option<LedgerSeq>,
    /// What the chain is tied to.
    pub anchors: Vec<Anchor>,
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
    /// ISO 8601, UTC.
    pub started_at: String,
    /// Wall time.
    pub elapsed_ms: u64,
    /// Bytes read.
    pub bytes: Bytes,
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
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportOptions {
    /// Decode and check what no hash covers.
    pub deep: bool,
    /// Leave out scp files.
    pub skip_optional: bool,
    /// Leave out bucket files.
    pub skip_buckets: bool,
}

/// What a chain is tied to.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Anchor {
    /// Ledger 1 is the one that the passphrase implies.
    Genesis {
        /// 1.
        ledger: LedgerSeq,
        /// Its hash.
        hash: Hash256,
    },
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
    /// How many.
    pub count: u64,
}
