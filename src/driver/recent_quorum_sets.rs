//! Who went by which quorum set in the last checkpoints.

use serde::Serialize;

use super::Host;
use super::options::{ReadOptions, UsageError};
use super::roots::{pinned_tip, read_roots, tip};
use super::schedule::{Drive, DriveEvent};
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::node::NodeId;
use crate::codec::hash::Hash256;
use crate::historywork::fetch_recent_qsets_work::{FetchRecentQsetsWork, FetchedQsets, SharedQsets};
use crate::historywork::plan::{Order, Plan};
use crate::historywork::{COORDINATE, scheduler};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::trust::preset::known_validator;
use crate::verify::finding::Finding;
use crate::verify::quorum::QuorumSet;
use crate::work::WorkSpec;

/// Checkpoints that are looked at by default, as stellar-core's `FetchRecentQsetsWork` does.
pub const DEFAULT_LAST: u32 = 100;

/// Which checkpoints.
#[derive(Clone, Copy, Debug)]
pub struct RecentRange {
    /// How many at most; fewer if the archives are shorter.
    pub last: u32,
    /// A ledger of the highest; by default the newest.
    pub high: Option<LedgerSeq>,
}

impl Default for RecentRange {
    fn default() -> Self {
        Self { last: DEFAULT_LAST, high: None }
    }
}

/// Who went by which quorum set.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentQuorumSets {
    /// The first ledger that was looked at.
    pub low: LedgerSeq,
    /// The last one.
    pub high: LedgerSeq,
    /// The network; where none is known, signatures were not verified.
    pub network: Option<String>,
    /// Whether only messages count that their nodes signed.
    pub signatures_verified: bool,
    /// How the scp files ended.
    pub checkpoints: QsetFiles,
    /// The messages of those files.
    pub messages: QsetMessages,
    /// The sets that were named, by their hash.
    pub quorum_sets: Vec<NamedQuorumSet>,
    /// Who named which, by the node's key.
    pub nodes: Vec<QuorumSetOwner>,
    /// What was left out because there was more than any real network has; empty if nothing was.
    pub left_out: Vec<String>,
    /// What is wrong with the files.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub errors: Vec<RunError>,
}

/// How scp files ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct QsetFiles {
    /// Read.
    pub read: u64,
    /// Not in any archive, which is no fault.
    pub missing: u64,
    /// Faulty; signed messages in them count all the same.
    pub faulty: u64,
    /// Not read for faults of the way.
    pub unreadable: u64,
}

/// Messages by whether they count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct QsetMessages {
    /// They count.
    pub counted: u64,
    /// Not signed by their node, or of another ledger than their entry.
    pub rejected: u64,
    /// Past the cap on signatures of a file.
    pub unchecked: u64,
}

/// A quorum set and its hash.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedQuorumSet {
    /// The hash that messages name.
    pub hash: Hash256,
    /// The set.
    pub quorum_set: QuorumSet,
}

/// A node and what it goes by.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuorumSetOwner {
    /// Its key.
    pub node: NodeId,
    /// Its name, where people know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    /// Who runs it, where people know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<&'static str>,
    /// The hash of the set that it named last.
    pub quorum_set: Hash256,
    /// The first ledger with a message of it.
    pub first_ledger: LedgerSeq,
    /// The last one.
    pub last_ledger: LedgerSeq,
    /// How many messages.
    pub messages: u64,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecentQuorumSetsError {
    /// What the caller got wrong.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The newest state of no archive says how far it is.
    #[error("no archive says how far it is: name a ledger to look down from, or check the archive")]
    NoTip,
    /// The newest state could not be read.
    #[error("{}", .0.message)]
    Unreadable(Box<RunError>),
    /// The run was cancelled.
    #[error("the run was cancelled before all files were read")]
    Cancelled,
}

/// Looks who went by which quorum set in the last checkpoints. `progress` hears how many scp files are settled, of how many.
///
/// # Errors
/// If it is not known where to look, or the run was cancelled. Files that are missing, faulty or cannot be read are counted.
pub async fn recent_quorum_sets(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    range: RecentRange,
    progress: &mut dyn FnMut(u64, u32),
) -> Result<RecentQuorumSets, RecentQuorumSetsError> {
    if readers.is_empty() {
        return Err(UsageError("there is no archive to read scp files from".into()).into());
    }
    if range.last == 0 {
        return Err(UsageError("the last 0 checkpoints are none".into()).into());
    }
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let roots = read_roots(&drive, options, None, &mut |_| {}).await;
    let network = options.network.clone().or_else(|| roots.network());
    let newest = pinned_tip(&roots.list, options.frequency);
    let high = range.high.map(|high| options.frequency.containing(high));
    let high = match (high, newest) {
        (Some(high), Some(newest)) => high.min(newest),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            return Err(match roots.errors.into_iter().next() {
                _ if host.is_cancelled() => RecentQuorumSetsError::Cancelled,
                Some(error) => RecentQuorumSetsError::Unreadable(Box::new(error)),
                None => RecentQuorumSetsError::NoTip,
            });
        }
    };
    let low = low_end(high, range.last);
    let covered = CheckpointRange::covering(low, high.last_ledger(), options.frequency).ok_or(RecentQuorumSetsError::NoTip)?;
    let tips = roots.list.iter().map(|root| tip(root, options.frequency).map(Checkpoint::last_ledger)).collect();
    let archives = options.archives(&pool, network.clone()).with_tips(tips);
    let (ahead, fetched) = (options.concurrency.first(), SharedQsets::default());
    let plan = Plan::new(covered, Order::NewestFirst, None);
    let item = FetchRecentQsetsWork::new(archives, plan, ahead, options.retry, fetched.clone());
    let mut work = scheduler(ahead);
    // A fresh scheduler takes everything.
    let _ = work.add(WorkSpec::new("FetchRecentQsetsWork", "FetchRecentQsetsWork", COORDINATE).with_failing_children(), Box::new(item));
    let mut hear = |event: DriveEvent<'_>| {
        if let DriveEvent::Tick(_) = event {
            let fetched = fetched.lock();
            let done = fetched.read + fetched.missing + fetched.faulty + fetched.unreadable;
            drop(fetched);
            progress(done, covered.count());
        }
    };
    drive.run_to_completion(&mut work, &mut hear).await;
    if host.is_cancelled() {
        return Err(RecentQuorumSetsError::Cancelled);
    }
    let fetched = core::mem::take(&mut *fetched.lock());
    let mut found = answer(covered, fetched);
    found.signatures_verified = network.is_some();
    found.network = network.map(|network| network.passphrase().to_owned());
    found.errors.extend(roots.errors);
    Ok(found)
}

/// The first ledger of the lowest of so many checkpoints.
fn low_end(high: Checkpoint, last: u32) -> LedgerSeq {
    let below = last.saturating_sub(1).saturating_mul(high.frequency().ledgers());
    LedgerSeq::new(high.last_ledger().value().saturating_sub(below).max(1))
}

fn answer(covered: CheckpointRange, fetched: FetchedQsets) -> RecentQuorumSets {
    let FetchedQsets { qsets, read, missing, faulty, unreadable, findings, errors, .. } = fetched;
    let named = |(hash, set): (&Hash256, &QuorumSet)| NamedQuorumSet { hash: *hash, quorum_set: set.clone() };
    let owners = qsets.nodes().iter().map(|(node, said)| {
        let known = known_validator(&node.to_string());
        QuorumSetOwner {
            node: *node,
            name: known.map(|known| known.name),
            organisation: known.map(|known| known.organisation),
            quorum_set: said.quorum_set,
            first_ledger: said.first,
            last_ledger: said.last,
            messages: said.messages,
        }
    });
    let mut left_out = Vec::new();
    if qsets.crowded_out > 0 {
        left_out.push(format!("{} messages of nodes past the first {}", qsets.crowded_out, qsets.nodes().len()));
    }
    if qsets.sets_capped {
        left_out.push(format!("quorum sets past the first {}", qsets.sets().len()));
    }
    if qsets.unchecked > 0 {
        left_out.push(format!("{} messages of files with more than are verified", qsets.unchecked));
    }
    RecentQuorumSets {
        low: covered.first().first_ledger(),
        high: covered.last().last_ledger(),
        network: None,
        signatures_verified: false,
        checkpoints: QsetFiles { read, missing, faulty, unreadable },
        messages: QsetMessages { counted: qsets.counted, rejected: qsets.rejected, unchecked: qsets.unchecked },
        quorum_sets: qsets.sets().iter().map(named).collect(),
        nodes: owners.collect(),
        left_out,
        findings,
        errors,
    }
}
