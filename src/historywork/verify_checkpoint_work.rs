//! `VerifyCheckpointWork`: the graph of one checkpoint, and its files held against each other.
//!
//! With several archives a file that is sound by itself may still be a lie: a forged ledger file accuses the honest files
//! that it is held against. So where files contradict each other, the one in doubt is read again from another archive, and
//! what agrees with the others counts. Retries belong to the composite step (rules A.1).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::answers::ANSWERS;
use super::archives::{Accounts, Archives};
use super::builder::HistoryWorkBuilder;
use super::state::SharedHistoryState;
use super::{HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::verify::checkpoint::{CheckpointFiles, CheckpointOutcome, Headers, Status, assemble};
use crate::verify::finding::{Finding, FindingCode};
use crate::work::Ran;
use crate::work::retry::RetryPolicy;

/// A checkpoint, verified.
#[derive(Clone, Debug)]
pub struct VerifiedCheckpoint {
    /// What its files turned out to be.
    pub outcome: CheckpointOutcome,
    /// Its headers.
    pub headers: Arc<Headers>,
    /// Whose files they are.
    pub served: BTreeMap<FileKind, ArchiveId>,
    /// What was asked of each archive.
    pub accounts: Accounts,
    /// Files that no archive delivered.
    pub errors: Vec<RunError>,
}

/// Checkpoints that were verified, with what they were ordered by.
pub type CheckpointsDone = Arc<Mutex<Vec<(CheckpointOrder, VerifiedCheckpoint)>>>;

/// What a checkpoint was ordered for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CheckpointOrder {
    /// Its place in the plan.
    pub index: u32,
    /// Whether it was verified before and is to be read from other archives.
    pub again: bool,
}

/// The item.
#[derive(Debug)]
pub struct VerifyCheckpointWork {
    archives: Archives,
    checkpoint: Checkpoint,
    retry: RetryPolicy,
    with_scp: bool,
    order: CheckpointOrder,
    avoid: BTreeMap<FileKind, Vec<ArchiveId>>,
    state: Option<SharedHistoryState>,
    tried: Vec<VerifiedCheckpoint>,
    done: CheckpointsDone,
}

impl VerifyCheckpointWork {
    /// A checkpoint, its outcome into `done`.
    #[must_use]
    pub fn new(
        archives: Archives,
        checkpoint: Checkpoint,
        retry: RetryPolicy,
        with_scp: bool,
        order: CheckpointOrder,
        done: CheckpointsDone,
    ) -> Self {
        Self { archives, checkpoint, retry, with_scp, order, avoid: BTreeMap::new(), state: None, tried: Vec::new(), done }
    }

    /// Not to be asked for the ledger file: they gave one that does not fit its neighbours.
    #[must_use]
    pub fn avoiding(mut self, archive: Option<ArchiveId>) -> Self {
        self.avoid.insert(FileKind::Ledger, archive.into_iter().collect());
        self
    }

    fn begin(&mut self, turn: &mut Turn<'_>) -> Ran {
        let state = SharedHistoryState::default();
        let mut builder = HistoryWorkBuilder::new(self.archives.clone(), self.checkpoint, state.clone())
            .retrying(self.retry)
            .reporting()
            .without_buckets()
            .avoiding(self.avoid.clone());
        if !self.with_scp {
            builder = builder.without_scp();
        }
        self.state = Some(state);
        match builder.register_children(turn.scheduler, turn.id) {
            Ok(_) => Ran::Waiting,
            Err(_) => Ran::Failure { retry: false, at_least_ms: 0 },
        }
    }

    /// Which archives' files to doubt, if the files contradict each other and others can be asked.
    fn doubt(&mut self) -> bool {
        let Some(last) = self.tried.last() else { return false };
        if self.archives.count() < 2 || self.tried.len() >= ANSWERS {
            return false;
        }
        let contradicts = |finding: &Finding| finding.is_error() && finding.code.contradicts_another_file();
        let errors: Vec<_> = last.outcome.segment.findings().list().iter().filter(|finding| contradicts(finding)).collect();
        if errors.is_empty() {
            return false;
        }
        // A state that does not fit the headers is in doubt itself, unless another one did not fit either.
        let only_state = errors.iter().all(|finding| finding.code == FindingCode::BucketListHashMismatch);
        let kind = if only_state && !self.avoid.contains_key(&FileKind::History) { FileKind::History } else { FileKind::Ledger };
        let Some(archive) = last.served.get(&kind) else { return false };
        let avoid = self.avoid.entry(kind).or_default();
        if avoid.contains(archive) {
            return false;
        }
        avoid.push(*archive);
        true
    }

    fn finish(&mut self) {
        let tried = core::mem::take(&mut self.tried);
        if let Some(best) = best_of(tried, &self.archives) {
            self.done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((self.order, best));
        }
    }
}

impl HistoryWork for VerifyCheckpointWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        let Some(state) = self.state.take() else { return Step::Ended(self.begin(turn)) };
        let Some(verified) = put_together(&state, &self.archives) else {
            return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
        };
        self.tried.push(verified);
        if self.doubt() {
            return Step::Ended(self.begin(turn));
        }
        self.finish();
        Step::Ended(Ran::Success)
    }
}

/// Holds the files of a checkpoint against each other.
fn put_together(state: &SharedHistoryState, archives: &Archives) -> Option<VerifiedCheckpoint> {
    let mut state = core::mem::take(&mut *state.lock());
    let ledger = state.ledger.take()?;
    let headers = Arc::clone(&ledger.facts);
    let files = CheckpointFiles {
        history: state.history.take()?,
        ledger,
        transactions: state.transactions.take()?,
        results: state.results.take()?,
        scp: state.scp.take()?,
    };
    let mut outcome = assemble(files);
    let served = &state.served;
    outcome.segment.name_archives(|path| {
        path.kind().and_then(|kind| served.get(&kind)).map_or_else(String::new, |archive| archives.name(*archive).to_owned())
    });
    Some(VerifiedCheckpoint { outcome, headers, served: state.served, accounts: state.accounts, errors: state.errors })
}

/// The one with the fewest faults; of equals, the first. What the others show of archives that are to blame is kept in it.
pub(super) fn best_of(tried: Vec<VerifiedCheckpoint>, archives: &Archives) -> Option<VerifiedCheckpoint> {
    let faults = |verified: &VerifiedCheckpoint| verified.outcome.statuses.iter().filter(|status| **status == Status::Faulty).count();
    let best = tried.iter().enumerate().min_by_key(|(_, verified)| faults(verified)).map(|(index, _)| index)?;
    let mut others = Vec::new();
    let mut chosen = None;
    for (index, verified) in tried.into_iter().enumerate() {
        if index == best {
            chosen = Some(verified);
        } else {
            others.push(verified);
        }
    }
    let mut chosen = chosen?;
    for other in others {
        // Whom it blamed, it may have blamed by what was wrong itself: only the requests count.
        chosen.accounts.add(&other.accounts.without_blame());
        let differences = differences(&chosen, &other, archives);
        // What does not depend on the doubted files stands.
        let doubtful = |finding: &Finding| !differences.is_empty() && finding.code.contradicts_another_file();
        let evidence = other.outcome.segment.findings().list().iter();
        let stands = evidence.filter(|finding| finding.good_from.is_some() && !doubtful(finding)).cloned();
        for finding in stands.chain(differences.iter().cloned()).collect::<Vec<_>>() {
            let known = |other: &Finding| other.path == finding.path && other.archive == finding.archive && other.good_from.is_some();
            if !chosen.outcome.segment.findings().list().iter().any(known)
                && let Some(archive) = archives.ids().find(|id| archives.name(*id) == finding.archive)
            {
                chosen.accounts.of(archive).faulty += 1;
            }
            chosen.outcome.segment.accuse(finding);
        }
    }
    Some(chosen)
}

/// What the archives of the other one have other than those of the chosen one.
pub(super) fn differences(chosen: &VerifiedCheckpoint, other: &VerifiedCheckpoint, archives: &Archives) -> Vec<Finding> {
    let checkpoint = chosen.headers.checkpoint();
    let mut findings = Vec::new();
    let mut blame = |kind, ledger, expected: String, actual: String| {
        let (Some(good), Some(bad)) = (chosen.served.get(&kind), other.served.get(&kind)) else { return };
        if good == bad {
            return;
        }
        let message = "the file is sound by itself, but does not fit what surrounds it; another archive has one that does";
        let finding = Finding::new(FindingCode::ArchivesDisagree, ArchivePath::of_checkpoint(kind, checkpoint), message)
            .at_checkpoint(checkpoint)
            .at_ledger(ledger)
            .comparing(expected, actual)
            .from_archive(archives.name(*bad))
            .with_sound_copy(archives.name(*good));
        findings.push(finding);
    };
    let different = checkpoint.ledgers().find_map(|ledger| {
        let (good, bad) = (chosen.headers.header(ledger)?, other.headers.header(ledger)?);
        (good.hash != bad.hash).then_some((ledger, good.hash, bad.hash))
    });
    if let Some((ledger, good, bad)) = different {
        blame(FileKind::Ledger, ledger, good.to_string(), bad.to_string());
    }
    if let (Some(good), Some(bad)) = (&chosen.outcome.state, &other.outcome.state) {
        let (good, bad) = (good.current_buckets.hash(), bad.current_buckets.hash());
        if good != bad {
            blame(FileKind::History, checkpoint.last_ledger(), good.to_string(), bad.to_string());
        }
    }
    findings
}
