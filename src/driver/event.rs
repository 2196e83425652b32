//! What a run says while it runs (design section 5). Progress is data; the sentence is the page's.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::archive::checkpoint::LedgerSeq;
use crate::archive::path::FileKind;
use crate::report::{Bytes, LedgerRange, Verdict};
use crate::transport::pool::Standing;
use crate::verify::finding::Finding;
use crate::work::WorkCounts;

/// One event of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The five files of a checkpoint were looked at.
    Checkpoint {
        /// Which.
        checkpoint: LedgerSeq,
        /// How they ended: `verified`, `faulty` or `unchecked`.
        status: BTreeMap<FileKind, &'static str>,
    },
    /// The last event.
    Done {
        /// The verdict.
        verdict: Verdict,
    },
    /// Something is wrong with the archive.
    Finding {
        /// What.
        finding: Box<Finding>,
    },
    /// At most ten a second.
    Progress(Progress),
    /// A file is tried again.
    #[serde(rename_all = "camelCase")]
    Retry {
        /// Which.
        path: String,
        /// Which archive did not deliver.
        archive: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// When the next one starts.
        delay_ms: u64,
        /// Why it failed.
        reason: String,
    },
    /// Hand it back to go on where the run is now.
    State {
        /// JSON, for `RunOptions::resume`.
        state: String,
        /// Checkpoints that need not be verified again then.
        done: u32,
    },
    /// A stage begins.
    Stage {
        /// Which.
        stage: Stage,
        /// The range, once it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        range: Option<LedgerRange>,
    },
}

/// The stages of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading the newest state.
    Root,
    /// Checkpoints and their buckets.
    Checkpoints,
    /// Over.
    Done,
}

/// How far a run is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Checkpoints.
    pub checkpoints: Count,
    /// Distinct buckets; the total grows as states name new ones.
    pub buckets: Count,
    /// Bytes so far.
    pub bytes: Bytes,
    /// Findings so far.
    pub findings: u64,
    /// Retries so far.
    pub retries: u64,
    /// Since the start.
    pub elapsed_ms: u64,
    /// Work items by their kind.
    pub works: BTreeMap<&'static str, WorkCounts>,
    /// The archives.
    pub archives: Vec<ArchiveProgress>,
    /// What is under way just now.
    pub in_flight: InFlight,
    /// What was written, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenSoFar>,
}

/// What is under way just now; of both lists the first [`MOST_IN_FLIGHT`].
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InFlight {
    /// Checkpoints that were begun and are not settled, in the order of the plan.
    pub checkpoints: Vec<LedgerSeq>,
    /// Files that are being read, those that were begun first.
    pub files: Vec<FileInFlight>,
    /// How many files are.
    pub file_count: u64,
}

/// A snapshot of what is under way names no more than so many checkpoints, nor files.
pub const MOST_IN_FLIGHT: usize = 64;

/// A file that is being read.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FileInFlight {
    /// Which.
    pub path: String,
    /// Of which archive.
    pub archive: String,
    /// What came of it, decimal.
    pub bytes: String,
}

/// What was written so far, or would be in a dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenSoFar {
    /// Files.
    pub files: u64,
    /// Their bytes, decimal.
    pub bytes: String,
}

/// How an archive does.
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveProgress {
    /// Its name.
    pub name: String,
    /// Reads begun.
    pub requests: u64,
    /// Reads that failed for faults of the way.
    pub failures: u64,
    /// Reads refused because there were too many.
    pub throttled: u64,
    /// Files that it is to blame for, so far as they are settled.
    pub faulty: u64,
    /// Bytes as they came, decimal.
    pub bytes: String,
    /// Whether it is asked.
    pub standing: Standing,
}

/// Done of all.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Count {
    /// Done.
    pub done: u64,
    /// All.
    pub total: u64,
}
