//! `ResolveSnapshotWork`: the buckets of the state as they are published, and the moment for it (rules A.2, A.3).
//!
//! What it is: stellar-core's `prepareForPublish` and `containsValidBuckets` over what is held. Merges are a node's
//! business: one that is under way is not finished here, and such a state is not published.
//!
//! Publishing lags one ledger on purpose: a node that diverged at the checkpoint finds out with the next ledger. So it waits
//! until that has closed, where the checkpoint was closed here. One that was downloaded from an archive waited there: it was
//! not announced before, and whether it is the network's was settled since.

use super::archives::Archives;
use super::checkpoint_data::MissingData;
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use super::{HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{BucketHash, BucketList, HistoryArchiveState, NextBucket};
use crate::codec::file::{FileError, FileSummary};
use crate::codec::record::RecordReader;
use crate::verify::bucket::{BucketCheck, BucketFacts, BucketReport, BucketUse, ListKind};
use crate::verify::bucket_list::{FIRST_PROTOCOL_WITHOUT_SHADOWS, buckets, check_levels};
use crate::verify::checkpoint::{Delivery, Rules, Status};
use crate::verify::finding::{Finding, FindingCode};
use crate::verify::header::HeaderEntry;
use crate::work::Ran;

/// The item.
#[derive(Debug)]
pub struct ResolveSnapshotWork {
    archives: Archives,
    checkpoint: Checkpoint,
    state: SharedHistoryState,
    resolved: bool,
}

impl ResolveSnapshotWork {
    /// For the checkpoint that is in `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, state, resolved: false }
    }
}

impl HistoryWork for ResolveSnapshotWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        let mut state = self.state.lock();
        if !core::mem::replace(&mut self.resolved, true) {
            state.begin(HistoryWorkStage::ResolveSnapshot);
            if let Err(reason) = resolve(&mut state, self.checkpoint, self.archives.rules()) {
                state.publishing.refused = Some(reason);
                return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
            }
        }
        let waits = state.last_closed.is_some_and(|closed| closed <= self.checkpoint.last_ledger());
        Step::Ended(if waits { Ran::Waiting } else { Ran::Success })
    }
}

fn resolve(state: &mut HistoryWorkState, checkpoint: Checkpoint, rules: &Rules) -> Result<(), MissingData> {
    let Some(mut has) = state.history().cloned() else { return Err(MissingData::NotDownloaded(FileKind::History.name())) };
    let protocol = protocol(state);
    check_held_buckets(state, &has, protocol, rules);
    let refuse = |finding: &Finding| MissingData::Faulty(Box::new(finding.clone()));
    let named = |report: &&BucketReport| buckets(&has).any(|(_, bucket)| bucket == report.bucket);
    let faults = state.buckets.iter().filter(named).flat_map(|report| &report.findings);
    if let Some(finding) = faults.into_iter().find(|finding| finding.is_error()) {
        return Err(refuse(finding));
    }
    let facts = |bucket: &BucketHash| facts_of(state, bucket);
    let hot = has.hot_archive_buckets.iter_mut().map(|list| (ListKind::HotArchive, list));
    for (kind, list) in core::iter::once((ListKind::Live, &mut has.current_buckets)).chain(hot) {
        prepare(list, kind, checkpoint, &facts).map_err(MissingData::Faulty)?;
    }
    if let Some(finding) = check_levels(&has, checkpoint, protocol, rules.deep, &facts).iter().find(|finding| finding.is_error()) {
        return Err(refuse(finding));
    }
    state.publishing.resolved = Some(has);
    Ok(())
}

/// `prepareForPublish`: where the bucket above is of a protocol without shadows, whoever reads the state starts the merge
/// anew, and nothing is said of it; otherwise its output stays.
fn prepare(
    list: &mut BucketList,
    kind: ListKind,
    checkpoint: Checkpoint,
    facts: &dyn Fn(&BucketHash) -> Option<BucketFacts>,
) -> Result<(), Box<Finding>> {
    let mut above: Option<BucketHash> = None;
    for (index, level) in list.levels_mut().iter_mut().enumerate() {
        let above = above.replace(level.snap);
        let restarts = above.and_then(|above| facts(&above)).is_some_and(|above| above.version >= FIRST_PROTOCOL_WITHOUT_SHADOWS);
        if restarts {
            level.next = NextBucket::Clear;
        }
        if matches!(level.next, NextBucket::Inputs { .. }) {
            let path = ArchivePath::of_checkpoint(FileKind::History, checkpoint);
            let message = format!("{}[{index}].next is a merge under way: a state is published when its merges are done", kind.field());
            return Err(Box::new(Finding::new(FindingCode::HasNextInvalid, path, message).at_checkpoint(checkpoint)));
        }
    }
    Ok(())
}

/// What is known of a bucket that was read soundly.
pub(super) fn facts_of(state: &HistoryWorkState, bucket: &BucketHash) -> Option<BucketFacts> {
    state.buckets.iter().find(|report| report.bucket == *bucket).and_then(|report| report.facts)
}

/// The protocol of the checkpoint's last ledger.
pub(super) fn protocol(state: &HistoryWorkState) -> Option<u32> {
    let last = || HeaderEntry::parse(state.records.get(&FileKind::Ledger)?.last()?).ok().map(|entry| entry.header.version);
    state.headers().and_then(|headers| headers.last()).map(|header| header.version).or_else(last)
}

/// Buckets that are held without having been verified, as those that were not downloaded.
fn check_held_buckets(state: &mut HistoryWorkState, has: &HistoryArchiveState, protocol: Option<u32>, rules: &Rules) {
    for (place, bucket) in buckets(has) {
        let verified = |report: &BucketReport| report.bucket == bucket && report.status == Status::Verified;
        if state.buckets.iter().any(verified) {
            continue;
        }
        let Some(content) = state.bucket_content.get(&bucket) else { continue };
        let report = check_bucket(bucket, place, content, protocol, rules);
        state.buckets.push(report);
    }
}

fn check_bucket(bucket: BucketHash, place: BucketUse, content: &[u8], protocol: Option<u32>, rules: &Rules) -> BucketReport {
    use crate::codec::file::RecordSink;
    let mut check = BucketCheck::new(rules, bucket, place.list, protocol);
    check.bytes(content);
    let mut records = RecordReader::new(rules.budget.bucket_record_bytes, u64::MAX);
    let read = records.push(content, &mut |record| check.record(record)).and_then(|()| records.finish());
    let summary = || FileSummary { already_inflated: false, zero_padding: 0, records: records.records() };
    check.finish(Delivery::Read(read.map(|()| summary()).map_err(FileError::Framing)))
}
