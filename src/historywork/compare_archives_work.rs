//! `CompareArchivesWork`: a batch of checkpoints, each of every archive by itself, joined from the newest down.
//!
//! A checkpoint of one archive is the graph of one checkpoint (see the drawing in [`super`]) with that archive alone: so each
//! file comes from it, and is held against its own headers. Checkpoints run ahead, at most a window; what they bring is joined
//! in order, so the report is the same whoever came first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::archives::{Accounts, Archives};
use super::builder::HistoryWorkBuilder;
use super::plan::Plan;
use super::state::SharedHistoryState;
use super::verify_checkpoint_work::{VerifiedCheckpoint, put_together};
use super::{COORDINATE, HistoryEvent, HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::trust::comparison::{Compared, Fault, HeldFile, Holding};
use crate::verify::checkpoint::{Status, Unchecked};
use crate::verify::finding::FindingCode;
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// Errors kept of one run; the rest says the same.
const ERRORS_KEPT: usize = 1000;

/// What a comparison has come to so far.
#[derive(Debug)]
pub struct Comparing {
    /// What the archives have.
    pub compared: Compared,
    /// What was asked of each archive.
    pub accounts: Accounts,
    /// Files that could not be read, as far as they are kept.
    pub errors: Vec<RunError>,
    /// How many more there were.
    pub errors_dropped: u64,
}

impl Comparing {
    /// Nothing, of nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Compared::new(crate::verify::checkpoint::Rules::default(), Vec::new()))
    }

    fn new(compared: Compared) -> Self {
        Self { compared, accounts: Accounts::default(), errors: Vec::new(), errors_dropped: 0 }
    }
}

/// A handle to what a comparison has come to; whoever reports holds one as well.
#[derive(Clone, Debug)]
pub struct SharedComparing(Arc<Mutex<Comparing>>);

impl SharedComparing {
    /// Nothing compared yet.
    #[must_use]
    pub fn new(compared: Compared) -> Self {
        Self(Arc::new(Mutex::new(Comparing::new(compared))))
    }

    /// What it has come to, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, Comparing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one archive has of a checkpoint, with the place of the checkpoint in the plan.
type Held = Arc<Mutex<Vec<(u32, ArchiveId, Option<VerifiedCheckpoint>)>>>;

/// The item.
#[derive(Debug)]
pub struct CompareArchivesWork {
    archives: Archives,
    plan: Plan,
    retry: RetryPolicy,
    window: u32,
    comparing: SharedComparing,
    started: u32,
    held: Held,
    /// Checkpoints that are not complete, or wait for a newer one.
    early: BTreeMap<u32, BTreeMap<ArchiveId, Option<VerifiedCheckpoint>>>,
}

impl CompareArchivesWork {
    /// The checkpoints of a plan that begins with the newest, in all archives that take part; at most `window` at once.
    #[must_use]
    pub fn new(archives: Archives, plan: Plan, retry: RetryPolicy, window: u32, comparing: SharedComparing) -> Self {
        Self { archives, plan, retry, window, comparing, started: 0, held: Held::default(), early: BTreeMap::new() }
    }

    fn looks(&self, index: u32) -> bool {
        self.archives.rules().all_signatures || self.plan.looks_at_signatures(index)
    }

    fn start_more(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        loop {
            let joined = self.comparing.lock().compared.joined();
            let room = self.started.saturating_sub(joined) < self.window.max(1) && !turn.unreachable;
            let Some(checkpoint) = self.plan.get(self.started).filter(|_| room) else { return Ok(()) };
            for archive in self.archives.ids() {
                let work = HoldingWork {
                    archives: self.archives.without(self.archives.everybody().filter(|other| *other != archive).collect()),
                    archive,
                    checkpoint,
                    index: self.started,
                    retry: self.retry,
                    keep_messages: self.looks(self.started),
                    state: None,
                    held: Arc::clone(&self.held),
                };
                let spec = WorkSpec::new("VerifyCheckpointWork", format!("VerifyCheckpointWork {checkpoint} {archive}"), COORDINATE);
                turn.scheduler.add_child(turn.id, spec, Box::new(work))?;
            }
            self.started = self.started.saturating_add(1);
        }
    }

    fn join(&mut self, turn: &mut Turn<'_>) {
        for (index, archive, verified) in self.held.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.early.entry(index).or_default().insert(archive, verified);
        }
        loop {
            let mut comparing = self.comparing.lock();
            let next = comparing.compared.joined();
            let Some(checkpoint) = self.plan.get(next) else { return };
            if self.early.get(&next).is_none_or(|held| held.len() < self.archives.count()) {
                return;
            }
            let mut holdings = Vec::new();
            for (archive, verified) in self.early.remove(&next).into_iter().flatten() {
                let Some(verified) = verified else {
                    holdings.push(Holding::unread(archive, checkpoint));
                    continue;
                };
                comparing.accounts.add(&verified.accounts);
                for error in verified.errors.iter().cloned() {
                    if comparing.errors.len() < ERRORS_KEPT {
                        comparing.errors.push(error);
                    } else {
                        comparing.errors_dropped = comparing.errors_dropped.saturating_add(1);
                    }
                }
                holdings.push(holding(archive, verified));
            }
            let looks = self.looks(next);
            let compared = comparing.compared.add(checkpoint, &holdings, looks);
            drop(comparing);
            (turn.emit)(HistoryEvent::Compared(Box::new(compared)));
        }
    }
}

impl HistoryWork for CompareArchivesWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        self.join(turn);
        // Children can be refused only after an abort, which ends this item as well.
        if self.start_more(turn).is_err() {
            return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
        }
        let unfinished = turn.scheduler.family(turn.id).is_some_and(|family| family.unfinished > 0);
        Step::Ended(if unfinished { Ran::Waiting } else { Ran::Success })
    }
}

/// A checkpoint of one archive.
#[derive(Debug)]
struct HoldingWork {
    /// That archive alone.
    archives: Archives,
    archive: ArchiveId,
    checkpoint: Checkpoint,
    index: u32,
    retry: RetryPolicy,
    keep_messages: bool,
    state: Option<SharedHistoryState>,
    held: Held,
}

impl HoldingWork {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Ran {
        let state = SharedHistoryState::default();
        let builder = HistoryWorkBuilder::new(self.archives.clone(), self.checkpoint, state.clone())
            .retrying(self.retry)
            .reporting()
            .without_buckets()
            .keeping_messages(self.keep_messages);
        self.state = Some(state);
        match builder.register_children(turn.scheduler, turn.id) {
            Ok(_) => Ran::Waiting,
            Err(_) => Ran::Failure { retry: false, at_least_ms: 0 },
        }
    }
}

impl HistoryWork for HoldingWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        let Some(state) = self.state.take() else { return Step::Ended(self.begin(turn)) };
        let verified = put_together(&state, &self.archives);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push((self.index, self.archive, verified));
        Step::Ended(Ran::Success)
    }
}

fn holding(archive: ArchiveId, verified: VerifiedCheckpoint) -> Holding {
    let VerifiedCheckpoint { outcome, headers, .. } = verified;
    let findings = outcome.segment.findings().list();
    let mut kinds = FileKind::ALL.into_iter();
    let files = outcome.statuses.map(|status| {
        let kind = kinds.next();
        let mut errors = findings.iter().filter(|finding| finding.is_error() && finding.path.kind() == kind);
        match (status, errors.next()) {
            (Status::Verified, _) => HeldFile::Sound,
            (Status::Faulty, Some(finding)) if finding.code == FindingCode::FileMissing => HeldFile::Missing,
            (Status::Faulty, finding) => HeldFile::Faulty(Fault {
                ledger: finding.and_then(|finding| finding.ledger),
                message: finding.map_or_else(|| "the file is faulty".into(), |finding| finding.message.to_string()),
            }),
            (Status::Unchecked(Unchecked::OptionalAbsent), _) => HeldFile::Missing,
            (Status::Unchecked(Unchecked::Unreadable | Unchecked::Cancelled), _) => HeldFile::Unread,
            (Status::Unchecked(_), _) => HeldFile::Unchecked,
        }
    });
    Holding { archive, headers, files, state: outcome.state, messages: outcome.scp.messages }
}
