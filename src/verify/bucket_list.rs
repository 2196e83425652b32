//! The bucket list: what the state names against what the header commits to, and level against level (rules B.3, B.6).

use super::bucket::{BucketFacts, BucketUse, ListKind};
use super::checkpoint::{FileReport, Headers, Status, Unchecked};
use super::finding::{Finding, FindingCode};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{BUCKET_LEVELS, BucketHash, BucketList, HistoryArchiveState, NextBucket};

/// Compares the state's buckets with the last header of the checkpoint (B.6).
pub(crate) fn check_against_header(history: &mut FileReport<Option<HistoryArchiveState>>, headers: &Headers) {
    let Some(state) = &history.facts else { return };
    let Some(header) = headers.last() else {
        if history.status == Status::Verified {
            history.status = Status::Unchecked(Unchecked::NoHeaders);
        }
        return;
    };
    let hash = state.bucket_list_hash(header.version);
    if hash == Some(header.bucket_list_hash) {
        return;
    }
    let path = ArchivePath::of_checkpoint(FileKind::History, history.checkpoint);
    let message = match hash {
        Some(_) => "the buckets that the state names are not those that the header commits to",
        None if state.hot_archive_buckets.is_some() => "the state has a hot archive, which the header's protocol does not have",
        None => "the header's protocol commits to a hot archive, which the state does not have",
    };
    let actual = hash.map_or_else(|| format!("version {} state at protocol {}", state.version, header.version), |hash| hash.to_string());
    history.findings.push(
        Finding::new(FindingCode::BucketListHashMismatch, path, message)
            .at_checkpoint(history.checkpoint)
            .at_ledger(header.sequence)
            .comparing(header.bucket_list_hash, actual),
    );
}

/// Every bucket that a state names, with where and in which list.
pub fn buckets(state: &HistoryArchiveState) -> impl Iterator<Item = (BucketUse, BucketHash)> {
    lists(state).flat_map(|(kind, list)| {
        list.buckets().map(move |(level, bucket)| {
            let lowest = level == BUCKET_LEVELS - 1;
            (BucketUse { list: kind, lowest }, bucket)
        })
    })
}

/// What can only be said once the buckets of a checkpoint are known: stellar-core's `containsValidBuckets`, and what
/// each bucket must be for its place (B.3, B.9 K3). `facts` gives what is known of a bucket.
#[must_use]
pub fn check_levels(
    state: &HistoryArchiveState,
    checkpoint: Checkpoint,
    protocol: Option<u32>,
    deep: bool,
    facts: &dyn Fn(&BucketHash) -> Option<BucketFacts>,
) -> Vec<Finding> {
    let path = ArchivePath::of_checkpoint(FileKind::History, checkpoint);
    let mut findings = Vec::new();
    for (kind, list) in lists(state) {
        findings.extend(check_next(list, kind, protocol, &path, facts));
        findings.extend(check_versions(list, kind, facts));
    }
    for (place, bucket) in buckets(state) {
        let Some(facts) = facts(&bucket) else { continue };
        if deep && place.list != facts.list {
            let message = "the bucket is named in both bucket lists, whose entries are of different kinds";
            findings.push(Finding::new(FindingCode::BucketMeta, ArchivePath::of_bucket(bucket), message).at_bucket(bucket));
        }
        if place.lowest && facts.has_tombstones {
            let message = "the lowest level holds tombstones, which there have nothing to bury";
            findings.push(Finding::new(FindingCode::BucketEntry, ArchivePath::of_bucket(bucket), message).at_bucket(bucket));
        }
    }
    findings.into_iter().map(|finding| finding.at_checkpoint(checkpoint)).collect()
}

/// CAP-25: from here on merges have no shadows, and their futures are not stored.
pub(crate) const FIRST_PROTOCOL_WITHOUT_SHADOWS: u32 = 12;

/// From the lowest level upward, as `containsValidBuckets` goes.
fn check_next(
    list: &BucketList,
    kind: ListKind,
    protocol: Option<u32>,
    path: &ArchivePath,
    facts: &dyn Fn(&BucketHash) -> Option<BucketFacts>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut buckets_below = false;
    let above = core::iter::once(None).chain(list.levels().iter().map(|level| Some(level.snap)));
    for ((index, level), above) in list.levels().iter().enumerate().zip(above).collect::<Vec<_>>().into_iter().rev() {
        buckets_below |= !level.curr.is_empty_bucket() || !level.snap.is_empty_bucket();
        let above_version = above.filter(|snap| !snap.is_empty_bucket()).map(|snap| version(&snap, facts));
        let shadows = match above_version {
            Some(version) => version.map(|version| version < FIRST_PROTOCOL_WITHOUT_SHADOWS),
            None => protocol.map(|protocol| protocol < FIRST_PROTOCOL_WITHOUT_SHADOWS).filter(|shadows| *shadows),
        };
        let problem = match (&level.next, above) {
            (NextBucket::Inputs { .. }, _) => Some("holds an unresolved merge, which publishing resolves"),
            (NextBucket::Output(_), None) => Some("must be clear at level 0"),
            (NextBucket::Output(_), Some(_)) if shadows == Some(false) => Some("must be clear above a bucket of protocol 12 or later"),
            (NextBucket::Clear, Some(_)) if shadows == Some(true) && buckets_below => {
                Some("is clear, but below protocol 12 the output of the level's merge is published with it")
            }
            _ => None,
        };
        if let Some(problem) = problem {
            let message = format!("{}[{index}].next {problem}", kind.field());
            findings.push(Finding::new(FindingCode::HasNextInvalid, path.clone(), message));
        }
    }
    findings
}

/// From the oldest bucket to the newest, protocols never go back. A bucket without METAENTRY is of a protocol below 11.
fn check_versions(list: &BucketList, kind: ListKind, facts: &dyn Fn(&BucketHash) -> Option<BucketFacts>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut oldest = 0;
    let newest_last =
        list.levels().iter().enumerate().rev().flat_map(|(index, level)| [(index, "snap", level.snap), (index, "curr", level.curr)]);
    for (index, slot, bucket) in newest_last.filter(|(.., bucket)| !bucket.is_empty_bucket()) {
        let Some(version) = version(&bucket, facts) else { continue };
        if version < oldest {
            let message = format!("{}[{index}].{slot} is of an earlier protocol than an older bucket below it", kind.field());
            let finding = Finding::new(FindingCode::BucketMeta, ArchivePath::of_bucket(bucket), message);
            findings.push(finding.at_bucket(bucket).comparing(format!("{oldest} or later"), version));
        }
        oldest = oldest.max(version);
    }
    findings
}

fn version(bucket: &BucketHash, facts: &dyn Fn(&BucketHash) -> Option<BucketFacts>) -> Option<u32> {
    facts(bucket).map(|facts| facts.version)
}

pub(crate) fn lists(state: &HistoryArchiveState) -> impl Iterator<Item = (ListKind, &BucketList)> {
    let hot = state.hot_archive_buckets.as_ref().map(|list| (ListKind::HotArchive, list));
    core::iter::once((ListKind::Live, &state.current_buckets)).chain(hot)
}
