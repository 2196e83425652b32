//! An audit: one archive's range, cut into parts that anyone may verify anywhere, and joined to the report of one run
//! (design section 1).
//!
//! What it is: the five steps (begin, verify a part, join, give up, finish), each on its own, with a state of bytes between
//! them. What it is not: who takes which part, what is tried again, where the state is kept; that is an engine's, as
//! `www/edge/audit` is one. States and parts are trusted as far as their owner trusts the place where they were.

use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Host;
use super::event::Event;
use super::options::UsageError;
use super::schedule::Drive;
use super::verify::{self, RunOptions, archives, request};
use crate::archive::error::RunError;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::gzip::{GzipDecoder, GzipLimits};
use crate::codec::gzip_encoder::gzip;
use crate::historywork::archives::{Accounts, Archives};
use crate::historywork::get_and_unzip_remote_file_work::{Kept, Settled};
use crate::historywork::plan::Order;
use crate::historywork::range::{JoinedRange, NotJoined};
use crate::historywork::saved::{LARGEST, Refusal, Request, SavedHead, read};
use crate::historywork::verify_bucket_work::BucketJob;
use crate::historywork::verify_checkpoint_work::VerifiedCheckpoint;
use crate::historywork::verify_range_work::SharedRange;
use crate::report::{LedgerRange, Report};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::bucket::BucketCheck;
use crate::verify::checkpoint::{CheckpointOutcome, Delivery, Headers, Status, Unchecked};
use crate::verify::scp::ScpFacts;
use crate::verify::segment::Segment;

/// What an audit, or a part of it, has come to.
#[derive(Clone, Debug)]
pub struct AuditState {
    /// What is kept of it: gzip of JSON.
    pub bytes: Vec<u8>,
    /// The same in numbers.
    pub facts: AuditFacts,
}

/// An audit, or a part of it, in numbers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditFacts {
    /// The ledgers of the whole audit.
    pub range: LedgerRange,
    /// The network's passphrase, where it is known.
    pub network: Option<String>,
    /// Checkpoints that it is to have.
    pub checkpoints: u32,
    /// Those that were joined.
    pub joined: u32,
    /// States of checkpoints that wait for buckets.
    pub waiting: usize,
    /// Buckets that nobody verified yet.
    pub open_buckets: Vec<BucketJob>,
    /// Files that could not be read, though they might be another time.
    pub unreadable: u64,
    /// Requests to the archive, since it was begun.
    pub requests: u64,
    /// Bytes as they came, in decimal.
    pub compressed_bytes: String,
    /// What was found, warnings included.
    pub findings: u64,
}

/// What one part is to verify.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AuditTask {
    /// Checkpoints, by their places from the oldest one.
    Places {
        /// The first place.
        first: u32,
        /// How many; parts of 64 come to 50 kB.
        count: u32,
    },
    /// Buckets that a state of the audit leaves open.
    Buckets {
        /// As they were given.
        buckets: Vec<BucketJob>,
    },
}

/// Why a step of an audit could not be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuditError {
    /// The call contradicts itself, or the audit.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The bytes are no state of this audit.
    #[error(transparent)]
    State(#[from] Refusal),
    /// The part does not fit.
    #[error(transparent)]
    NotJoined(#[from] NotJoined),
    /// The archive cannot be reached (any more).
    #[error("{}", .0.message)]
    Unread(RunError),
    /// It was cancelled.
    #[error("the part was cancelled before it was whole")]
    Cancelled,
}

/// Finds out what is to be audited: reads the archive's newest state, and the range that follows from it.
///
/// # Errors
/// If the options contradict themselves or ask for what parts cannot give (a sample, another order), if the archive cannot be
/// read, or has no checkpoint.
pub async fn begin_audit(reader: &dyn ArchiveReader, host: &dyn Host, options: &RunOptions) -> Result<AuditState, AuditError> {
    check(options, reader)?;
    let pool = ArchivePool::new(vec![reader]);
    let (head, range) = verify::begin(&Drive::new(&pool, host, options.timeouts), host, options).await?;
    match range {
        _ if host.is_cancelled() => Err(AuditError::Cancelled),
        Some(range) => Ok(kept(&head, &range)?),
        None => Err(AuditError::Unread(head.errors.into_iter().next().unwrap_or_else(|| RunError {
            code: "FAULTY".into(),
            archive: reader.name().to_owned(),
            path: Some(ArchivePath::well_known()),
            message:
                head.roots.iter().flat_map(|root| &root.findings).next().map_or_else(
                    || "there is no checkpoint in the range that was asked for".to_owned(),
                    |finding| finding.message.to_string(),
                ),
            advice: "check the address and the range; verify says more".into(),
        }))),
    }
}

/// Verifies a part of what `state`, that of the beginning, is the whole of.
///
/// # Errors
/// If the state is of another audit or the task not of it, if the archive cannot be reached any more, if it was cancelled.
pub async fn verify_part(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &RunOptions,
    state: &[u8],
    task: AuditTask,
) -> Result<AuditState, AuditError> {
    check(options, reader)?;
    let (head, range) = part(reader, host, options, unpacked(state)?, task, &mut |_| {}).await?;
    if host.is_cancelled() {
        return Err(AuditError::Cancelled);
    }
    Ok(kept(&head, &range)?)
}

/// Verifies a part of a run that is shared between threads ([`super::workers`]): as [`verify_part`], but neither state nor part
/// is compressed, and one that was cancelled is a part up to where it came.
///
/// # Errors
/// As for [`verify_part`].
pub async fn verify_shared_part(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &RunOptions,
    state: &str,
    task: AuditTask,
    emit: &mut dyn FnMut(Event),
) -> Result<String, AuditError> {
    check(options, reader)?;
    let (head, range) = part(reader, host, options, read(state)?, task, emit).await?;
    Ok(head.with(&range))
}

async fn part(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &RunOptions,
    (head, whole): (SavedHead, JoinedRange),
    task: AuditTask,
    emit: &mut dyn FnMut(Event),
) -> Result<(SavedHead, JoinedRange), AuditError> {
    let pool = ArchivePool::new(vec![reader]);
    head.refuse_another(&request(options, &pool))?;
    let range = SharedRange::new(part_of(&whole, task)?);
    verify::go_through(&Drive::new(&pool, host, options.timeouts), host, options, &head, &range, emit).await;
    let range = range.lock();
    if host.is_cancelled() {
        return Ok((head, range.clone().cut_short()));
    }
    // What a part leaves open are the buckets of its first state; what it was to read it did.
    if range.joined() < range.count() || (range.count() == 0 && !range.bucket_jobs().is_empty()) {
        return Err(AuditError::Unread(RunError {
            code: "NETWORK".into(),
            archive: reader.name().to_owned(),
            path: None,
            message: "the archive could not be reached any more before the part was whole".into(),
            advice: "verify the part again, once the archive answers".into(),
        }));
    }
    Ok((head, range.clone()))
}

/// Adds parts to what was joined: those of places in their order, the first where the state ends; those of buckets anywhere.
///
/// # Errors
/// If a part does not fit, or bytes are of another audit.
pub fn join_parts(options: &RunOptions, state: &[u8], parts: &[impl AsRef<[u8]>]) -> Result<AuditState, AuditError> {
    let (head, mut joined) = unpacked(state)?;
    let archives = archives_of(options, &head)?;
    for part in parts {
        let (of, part) = unpacked(part.as_ref())?;
        if of.request != head.request || of.started_at != head.started_at {
            return Err(NotJoined::Another.into());
        }
        joined.append(part, &archives, &mut |_| {})?;
    }
    Ok(kept(&head, &joined)?)
}

/// The part of a task that nobody can do, because whoever takes it comes to grief: its files count as not looked at, and the
/// report says `why`.
///
/// # Errors
/// If the state is of another audit, or the task not of it.
pub fn give_up_part(options: &RunOptions, state: &[u8], task: AuditTask, why: &str) -> Result<AuditState, AuditError> {
    let (head, whole) = unpacked(state)?;
    let archives = archives_of(options, &head)?;
    let archive = head.request.archives.first().cloned().unwrap_or_default();
    let error = |path: ArchivePath| RunError {
        code: "GIVEN_UP".into(),
        archive: archive.clone(),
        path: Some(path),
        message: why.to_owned(),
        advice: "verify these ledgers alone, where there is more time and memory".into(),
    };
    let mut range = part_of(&whole, task)?;
    for job in range.bucket_jobs() {
        let check = BucketCheck::new(archives.rules(), job.bucket, job.place.list, job.protocol);
        let settled = Settled {
            report: check.finish(Delivery::NotRead(Unchecked::Unreadable)),
            archive: None,
            kept: Kept::default(),
            accounts: Accounts::default(),
            error: Some(error(ArchivePath::of_bucket(job.bucket))),
            destination: None,
            copied: None,
        };
        range.bucket_done(&job, settled, archives.rules(), &mut |_| {});
    }
    while let Some(checkpoint) = range.plan().get(range.next_place()).filter(|_| range.joined() < range.count()) {
        let statuses = FileKind::ALL.map(|kind| match kind {
            FileKind::Scp if options.skip_optional => Status::Unchecked(Unchecked::Skipped),
            _ => Status::Unchecked(Unchecked::Unreadable),
        });
        let verified = VerifiedCheckpoint {
            outcome: CheckpointOutcome {
                segment: Segment::of_checkpoint(checkpoint, None, None, None, statuses, Vec::new(), Vec::new()),
                statuses,
                state: None,
                protocol: None,
                scp: ScpFacts::default(),
            },
            headers: Arc::new(Headers::none(checkpoint)),
            served: BTreeMap::new(),
            accounts: Accounts::default(),
            errors: vec![error(ArchivePath::of_checkpoint(FileKind::History, checkpoint))],
            stored: BTreeMap::new(),
            at_destination: BTreeMap::new(),
            rivals: Vec::new(),
        };
        range.join(verified, &archives, options.skip_buckets, &mut |_| {});
    }
    Ok(kept(&head, &range)?)
}

/// The report, the same as that of one run over the whole range but for times; what is still open is verified first.
///
/// # Errors
/// If the state is of another audit.
pub async fn finish_audit(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &RunOptions,
    state: &[u8],
    emit: &mut dyn FnMut(Event),
) -> Result<Report, AuditError> {
    check(options, reader)?;
    let options = RunOptions { resume: Some(inflated(state)?), ..options.clone() };
    Ok(super::verify_archive(reader, host, &options, emit).await?)
}

fn check(options: &RunOptions, reader: &dyn ArchiveReader) -> Result<(), UsageError> {
    let refuse = |what: &str| Err(UsageError(format!("an audit goes over every checkpoint, from the oldest: leave out {what}")));
    match () {
        () if options.sample.is_some() || options.seed.is_some() => refuse("the sample"),
        () if options.order != Order::OldestFirst => refuse("the order"),
        () if options.resume.is_some() || options.save_state => refuse("the state of a run"),
        () => verify::check(options, &[reader]),
    }
}

pub(super) fn part_of(whole: &JoinedRange, task: AuditTask) -> Result<JoinedRange, UsageError> {
    match task {
        AuditTask::Buckets { buckets } => Ok(whole.part_of_buckets(buckets)),
        AuditTask::Places { first, count } => whole.part(first, count).filter(|_| count > 0).ok_or_else(|| {
            UsageError(format!("there are no {count} checkpoints from place {first} in an audit of {}", whole.plan().count()))
        }),
    }
}

/// What the items of an audit are held against. The options must be those that it was begun with.
fn archives_of(options: &RunOptions, head: &SavedHead) -> Result<Archives, Refusal> {
    let pool = ArchivePool::new(Vec::new());
    let asked = Request { archives: head.request.archives.clone(), ..request(options, &pool) };
    head.refuse_another(&asked)?;
    Ok(archives(options, head, None))
}

/// What could not be read back is not handed out: the state before it stays the one to go on from.
fn kept(head: &SavedHead, range: &JoinedRange) -> Result<AuditState, Refusal> {
    let total = range.accounts().total();
    let whole = range.plan().range();
    let found = range.segments().into_iter().map(Segment::findings).chain([range.bucket_findings()]);
    let facts = AuditFacts {
        range: LedgerRange { low: whole.first().first_ledger(), high: whole.last().last_ledger() },
        network: head.network.clone(),
        checkpoints: range.count(),
        joined: range.joined(),
        waiting: range.waiting(),
        open_buckets: range.bucket_jobs(),
        unreadable: range.incomplete(),
        requests: total.requests,
        compressed_bytes: total.compressed.to_string(),
        findings: found.map(|kept| crate::codec::u64_from(kept.list().len()).saturating_add(kept.dropped())).sum(),
    };
    let json = head.with(range);
    if json.len() > LARGEST {
        return Err(Refusal::Unreadable(format!("it would be larger than {} MB: the archive names buckets without end", LARGEST >> 20)));
    }
    Ok(AuditState { bytes: gzip(json.as_bytes()), facts })
}

fn unpacked(bytes: &[u8]) -> Result<(SavedHead, JoinedRange), Refusal> {
    read(&inflated(bytes)?)
}

fn inflated(bytes: &[u8]) -> Result<String, Refusal> {
    let most = crate::codec::u64_from(LARGEST);
    let mut text = Vec::new();
    // What compresses well is no attack here: the whole is bounded.
    let mut decoder = GzipDecoder::new(GzipLimits { inflated: most, ratio: u64::MAX, ratio_grace: most });
    let mut sink = |bytes: &[u8]| {
        text.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    let read = decoder.push(bytes, &mut sink).and_then(|_| decoder.finish());
    read.map_err(|error| Refusal::Unreadable(error.to_string()))?;
    String::from_utf8(text).map_err(|error| Refusal::Unreadable(error.to_string()))
}
