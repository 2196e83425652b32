//! `WriteVerifiedCheckpointHashesWork`: the hashes of checkpoints, each proven by the one above it, from a trusted end down
//! (rules A.2; what `stellar-core verify-checkpoints` runs).
//!
//! Ledger files are downloaded ahead, verification is ordered: each file must be sound by itself, and the header that the
//! file above it names as its previous ledger must hash to what is named there. So every hash that comes out is vouched for
//! by the trusted end, whoever served the file. A file that is faulty, or sound but of another chain, is asked of another
//! archive, and the one that served it is blamed.
//!
//! stellar-core's words for what is wrong (A.3) are these codes here: BAD_HASH is `header-hash-mismatch` in a file,
//! `header-chain-break` between headers and between files, `anchor-mismatch` against what is trusted; OVERSHOT and
//! UNDERSHOT are `header-missing` and `header-sequence`; MISSING_ENTRIES is `header-missing` or `header-out-of-range`;
//! CORRUPT_HEADER is `xdr-decode`, `xdr-framing` or `gzip-corrupt`. BAD_LEDGER_VERSION has none: headers of newer
//! protocols are read all the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::archives::Archives;
use super::download_ledger_headers_work::DownloadLedgerHeadersWork;
use super::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use super::state::SharedHistoryState;
use super::{DOWNLOAD, HistoryEvent, HistoryWork, Step, Turn};
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::hash::Hash256;
use crate::trust::checkpoint_hashes::CheckpointHashes;
use crate::verify::checkpoint::{FileReport, Headers, Status};
use crate::verify::finding::{Finding, FindingCode, Severity, fold};
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// stellar-core's `NESTED_DOWNLOAD_BATCH_SIZE`: files under way at once, those that wait for their turn included.
pub const WINDOW: usize = 64;

/// From where down to where.
#[derive(Clone, Debug)]
pub struct CheckpointWalk {
    /// The end that is trusted. Unlike stellar-core, which wants the last ledger of a checkpoint, this may be any ledger:
    /// its checkpoint's file is read, and the hash of that checkpoint itself is proven only if it is its last ledger.
    end: (LedgerSeq, Hash256),
    /// The newest of the hashes that were verified earlier.
    earlier: Option<(LedgerSeq, Hash256)>,
    /// The files to read; none where the earlier hashes say it all.
    range: Option<CheckpointRange>,
}

/// Why there is nothing to walk.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointWalkError {
    /// Both an earlier file and a first ledger.
    #[error("either earlier hashes or a ledger to stop at are given, not both: with earlier hashes it stops at the newest of them")]
    TwoStops,
    /// The end is below the first checkpoint's.
    #[error("no checkpoint ends at or below ledger {0}: the first one ends at ledger {1}")]
    NoCheckpoint(LedgerSeq, LedgerSeq),
    /// The stop is above the end.
    #[error("the ledger to stop at, {from}, is above the trusted ledger {end}")]
    FromAboveEnd {
        /// Where to stop.
        from: LedgerSeq,
        /// What is trusted.
        end: LedgerSeq,
    },
    /// The earlier hashes are not of checkpoints.
    #[error("ledger {0} of the earlier hashes ends no checkpoint: the file is another network's, or the checkpoint frequency is wrong")]
    EarlierNoCheckpoint(LedgerSeq),
    /// The earlier hashes reach further than the end.
    #[error("the trusted ledger {end} is older than the newest of the earlier hashes, {newest}: there is nothing to add")]
    EndBelowEarlier {
        /// What is trusted.
        end: LedgerSeq,
        /// The newest of the earlier hashes.
        newest: LedgerSeq,
    },
    /// The earlier hashes name another one for the end.
    #[error("the earlier hashes say that ledger {0} has the hash {1}, but {2} is given: one of the two is of another history")]
    EndDiffers(LedgerSeq, Hash256, Hash256),
}

impl CheckpointWalk {
    /// From a trusted ledger down to where `from` is (its checkpoint, if it is the last ledger of one; else the checkpoint
    /// before, as stellar-core has it), to the newest of the earlier hashes, or to ledger 1.
    ///
    /// # Errors
    /// If these contradict each other.
    pub fn new(
        end: (LedgerSeq, Hash256),
        earlier: &CheckpointHashes,
        from: Option<LedgerSeq>,
        frequency: CheckpointFrequency,
    ) -> Result<Self, CheckpointWalkError> {
        let genesis = frequency.containing(LedgerSeq::GENESIS);
        if end.0 < genesis.last_ledger() {
            return Err(CheckpointWalkError::NoCheckpoint(end.0, genesis.last_ledger()));
        }
        if let Some(stranger) = earlier.by_ledger().keys().find(|ledger| frequency.ending_at(**ledger).is_none()) {
            return Err(CheckpointWalkError::EarlierNoCheckpoint(*stranger));
        }
        let lowest = match (earlier.newest(), from) {
            (Some(_), Some(_)) => return Err(CheckpointWalkError::TwoStops),
            (None, None) => Some(genesis),
            (None, Some(from)) if from > end.0 => return Err(CheckpointWalkError::FromAboveEnd { from, end: end.0 }),
            (None, Some(from)) => {
                let containing = frequency.containing(from);
                let before = if containing.last_ledger() == from { Some(containing) } else { containing.previous() };
                Some(before.unwrap_or(genesis))
            }
            (Some((newest, hash)), None) => {
                if end.0 < newest {
                    return Err(CheckpointWalkError::EndBelowEarlier { end: end.0, newest });
                }
                if end.0 == newest && end.1 != hash {
                    return Err(CheckpointWalkError::EndDiffers(newest, hash, end.1));
                }
                newest.next().filter(|next| *next <= end.0).map(|next| frequency.containing(next))
            }
        };
        let range = lowest.and_then(|lowest| CheckpointRange::covering(lowest.first_ledger(), end.0, frequency));
        Ok(Self { end, earlier: earlier.newest(), range })
    }
}

/// What a walk has come to.
#[derive(Debug, Default)]
pub struct CheckpointsWalked {
    /// The hashes, added to those that were there before; whole only if the walk ended well.
    pub hashes: CheckpointHashes,
    /// Files that are verified.
    pub done: u32,
    /// Of how many.
    pub total: u32,
    /// What is wrong with archives that others made up for.
    pub findings: Vec<Finding>,
    /// How it ended; none while it runs, or if it was cancelled.
    pub end: Option<Result<(), WalkFailure>>,
}

/// Why a walk could not go on.
#[derive(Clone, Debug)]
pub enum WalkFailure {
    /// No archive has the file as it must be: the main finding, and the other evidence.
    Faulty(Box<Finding>, Vec<Finding>),
    /// The file could not be read.
    Unreadable(Box<RunError>),
}

/// A handle to what a walk has come to; whoever reports holds one as well.
#[derive(Clone, Debug, Default)]
pub struct SharedWalk(Arc<Mutex<CheckpointsWalked>>);

impl SharedWalk {
    /// The walk, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, CheckpointsWalked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The item.
#[derive(Debug)]
pub struct WriteVerifiedCheckpointHashesWork {
    archives: Archives,
    walk: CheckpointWalk,
    retry: RetryPolicy,
    /// What the file above names, or what is trusted.
    expected: (LedgerSeq, Hash256),
    /// The next file to ask for.
    next: Option<Checkpoint>,
    under_way: VecDeque<Attempt>,
    into: SharedWalk,
}

/// A checkpoint whose file is read.
#[derive(Debug)]
struct Attempt {
    checkpoint: Checkpoint,
    state: SharedHistoryState,
    /// Whose files are known not to do.
    tried: Vec<ArchiveId>,
    /// What is wrong with them.
    evidence: Vec<Finding>,
}

impl WriteVerifiedCheckpointHashesWork {
    /// The hashes of a walk, into `into`.
    #[must_use]
    pub fn new(archives: Archives, walk: CheckpointWalk, retry: RetryPolicy, into: SharedWalk) -> Self {
        into.lock().total = walk.range.map_or(0, CheckpointRange::count);
        let (expected, next) = (walk.end, walk.range.map(CheckpointRange::last));
        Self { archives, walk, retry, expected, next, under_way: VecDeque::new(), into }
    }

    fn start_more(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        while let Some(checkpoint) = self.next.filter(|_| self.under_way.len() < WINDOW) {
            let lowest = self.walk.range.map(CheckpointRange::first);
            self.next = checkpoint.previous().filter(|previous| Some(*previous) >= lowest);
            let mut attempt = Attempt { checkpoint, state: SharedHistoryState::default(), tried: Vec::new(), evidence: Vec::new() };
            self.download(&mut attempt, turn)?;
            self.under_way.push_back(attempt);
        }
        Ok(())
    }

    fn download(&self, attempt: &mut Attempt, turn: &mut Turn<'_>) -> Result<(), AddError> {
        const KIND: &str = "DownloadLedgerHeadersWork";
        attempt.state = SharedHistoryState::default();
        let mut avoid = self.archives.behind(attempt.checkpoint.last_ledger());
        avoid.extend(&attempt.tried);
        let file = DownloadLedgerHeadersWork::new(self.archives.clone(), attempt.checkpoint, avoid, attempt.state.clone());
        let work = GetAndUnzipRemoteFileWork::new(file, self.archives.clone(), self.retry, OnFault::Report);
        let again = if attempt.tried.is_empty() { "" } else { " again" };
        let spec = WorkSpec::new(KIND, format!("{KIND} {}{again}", attempt.checkpoint), DOWNLOAD).retrying(self.retry);
        turn.scheduler.add_child(turn.id, spec, Box::new(work)).map(drop)
    }

    /// Verifies what came, from the highest down, as far as it came.
    fn advance(&mut self, turn: &mut Turn<'_>) -> Result<Result<(), WalkFailure>, AddError> {
        while let Some(mut attempt) = self.under_way.pop_front() {
            let report = attempt.state.lock().ledger.take();
            let Some(report) = report else {
                self.under_way.push_front(attempt);
                break;
            };
            if report.status == Status::Verified && self.misfit(&report).is_none() {
                self.accept(attempt, report, turn);
                continue;
            }
            match self.reject(&mut attempt, report) {
                Some(failure) => return Ok(Err(failure)),
                None => self.download(&mut attempt, turn)?,
            }
            self.under_way.push_front(attempt);
            break;
        }
        Ok(Ok(()))
    }

    /// What is wrong with a file that is sound by itself: it is not of the chain that is trusted.
    fn misfit(&self, report: &FileReport<Arc<Headers>>) -> Option<Finding> {
        let (ledger, expected) = self.expected;
        let actual = report.facts.header(ledger).map(|header| header.hash);
        if actual == Some(expected) {
            return None;
        }
        let (code, message) = if self.expected == self.walk.end {
            (
                FindingCode::AnchorMismatch,
                "the header is not the one that is trusted: the file is of another history, or the trusted hash is wrong",
            )
        } else {
            (FindingCode::HeaderChainBreak, "the header is not the one that the checkpoint above names: the file is of another history")
        };
        let path = ArchivePath::of_checkpoint(FileKind::Ledger, report.checkpoint);
        let actual = actual.map_or_else(|| "no such header".to_owned(), |hash| hash.to_string());
        Some(Finding::new(code, path, message).at_checkpoint(report.checkpoint).at_ledger(ledger).comparing(expected, actual))
    }

    fn accept(&mut self, attempt: Attempt, report: FileReport<Arc<Headers>>, turn: &mut Turn<'_>) {
        let (checkpoint, headers) = (attempt.checkpoint, report.facts);
        let server = attempt.state.lock().served(FileKind::Ledger).map_or("", |archive| self.archives.name(archive)).to_owned();
        let blamed = attempt.evidence.into_iter().map(|finding| finding.with_sound_copy(&server));
        let findings: Vec<_> = blamed.chain(report.findings).collect();
        for finding in &findings {
            (turn.emit)(HistoryEvent::Finding(Box::new(finding.clone())));
        }
        let mut walked = self.into.lock();
        let room = self.archives.rules().budget.findings.saturating_sub(walked.findings.len());
        walked.findings.extend(findings.into_iter().take(room));
        if let Some(last) = headers.last().filter(|last| last.sequence <= self.walk.end.0) {
            walked.hashes.add(last.sequence, last.hash);
        }
        walked.done += 1;
        if let Some(first) = headers.first() {
            self.expected = (LedgerSeq::new(checkpoint.first_ledger().value().saturating_sub(1)), first.previous_hash);
        }
    }

    /// Remembers what is wrong with a file, and fails if there is nobody else to ask.
    fn reject(&self, attempt: &mut Attempt, report: FileReport<Arc<Headers>>) -> Option<WalkFailure> {
        let state = attempt.state.lock();
        let known = attempt.tried.len();
        let server = state.served(FileKind::Ledger);
        let misfit = (report.status == Status::Verified).then(|| self.misfit(&report)).flatten();
        let name = server.map_or("", |archive| self.archives.name(archive));
        let evidence: Vec<_> = misfit.map(|finding| finding.from_archive(name)).into_iter().chain(report.findings).collect();
        let named = evidence.iter().filter_map(|finding| self.archives.id(&finding.archive));
        for archive in server.into_iter().chain(named) {
            if !attempt.tried.contains(&archive) {
                attempt.tried.push(archive);
            }
        }
        let error = state.errors().first().cloned();
        drop(state);
        for finding in evidence {
            if !attempt.evidence.contains(&finding) {
                attempt.evidence.push(finding);
            }
        }
        let behind = self.archives.behind(attempt.checkpoint.last_ledger());
        let left = self.archives.ids().any(|id| !attempt.tried.contains(&id) && !behind.contains(&id));
        if left && attempt.tried.len() > known {
            return None;
        }
        let evidence = core::mem::take(&mut attempt.evidence).into_iter().map(as_error).collect();
        let mut evidence = fold(evidence);
        // What is worst comes first: what an archive has says more than what it has not.
        evidence.sort_by_key(|finding| finding.code == FindingCode::FileMissing);
        let mut evidence = evidence.into_iter();
        Some(match (evidence.next(), error) {
            (Some(main), _) => WalkFailure::Faulty(Box::new(main), evidence.collect()),
            (None, Some(error)) => WalkFailure::Unreadable(Box::new(error)),
            (None, None) => WalkFailure::Unreadable(Box::new(unread(attempt.checkpoint))),
        })
    }

    /// Whether the chain led to the earlier hashes.
    fn arrive(&self) -> Result<(), WalkFailure> {
        let Some((newest, hash)) = self.walk.earlier else { return Ok(()) };
        let Some(range) = self.walk.range.filter(|_| self.expected != (newest, hash)) else { return Ok(()) };
        let path = ArchivePath::of_checkpoint(FileKind::Ledger, range.first());
        let message = "the chain from the trusted end does not lead to the newest of the earlier hashes: no archive is to blame, one of the two is of another history";
        let finding = Finding::new(FindingCode::AnchorMismatch, path, message).at_checkpoint(range.first()).at_ledger(newest);
        let mut finding = finding.comparing(hash, self.expected.1);
        finding.advice =
            "find out which of the two is right before you use either: ask an operator whom you trust for the hash of that ledger".into();
        Err(WalkFailure::Faulty(Box::new(finding), Vec::new()))
    }

    fn turn(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        let mut ended = self.advance(turn)?;
        if ended.is_ok() {
            self.start_more(turn)?;
            if !self.under_way.is_empty() {
                return Ok(Ran::Waiting);
            }
            ended = self.arrive();
        }
        let ran = if ended.is_ok() { Ran::Success } else { Ran::Failure { retry: false, at_least_ms: 0 } };
        self.into.lock().end = Some(ended);
        Ok(ran)
    }
}

impl HistoryWork for WriteVerifiedCheckpointHashesWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        // Children can be refused only after an abort, which ends this item as well.
        Step::Ended(self.turn(turn).unwrap_or(Ran::Failure { retry: false, at_least_ms: 0 }))
    }
}

/// Without anybody whose file does, no copy is the sound one.
fn as_error(mut finding: Finding) -> Finding {
    (finding.severity, finding.good_from) = (Severity::Error, None);
    if finding.code == FindingCode::FileMissing {
        finding.advice =
            "copy the file from another archive of the network; if the archive begins later, stop there with a first ledger".into();
    }
    finding
}

fn unread(checkpoint: Checkpoint) -> RunError {
    let error = crate::archive::error::ReadError::new(crate::archive::error::ReadErrorKind::Aborted, "the file was not read");
    RunError::new(&error, "", &ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint))
}
