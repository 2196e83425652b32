//! `VerifyRangeWork`: a batch of checkpoints that become segments and join (design section 1).
//!
//! Its children run ahead, at most a window; what they bring is joined in the order of the plan, so the report is the same
//! whoever came first. With several archives a seam that does not hold is looked at again with other archives' ledger files
//! on both sides before it counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::archives::Archives;
use super::copying::Copying;
use super::download_buckets_work::DownloadBucketsWork;
use super::get_and_unzip_remote_file_work::{OnFault, Settled};
use super::range::{JoinedRange, seam};
use super::saved::SavedHead;
use super::state::SharedHistoryState;
use super::verify_bucket_work::{BucketJob, BucketsDone};
use super::verify_checkpoint_work::{CheckpointOrder, CheckpointsDone, VerifiedCheckpoint, VerifyCheckpointWork, choose, rank, votes};
use super::{COORDINATE, DOWNLOAD, HistoryEvent, HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::FileKind;
use crate::codec::usize_from;
use crate::verify::bucket::BucketReport;
use crate::verify::checkpoint::{Status, Unchecked};
use crate::verify::finding::Finding;
use crate::verify::segment::Segment;
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// Between two states that are written down.
const SAVE_MS: u64 = 2000;

/// A handle to what a run has come to; whoever reports holds one as well.
#[derive(Clone, Debug)]
pub struct SharedRange(Arc<Mutex<JoinedRange>>);

impl SharedRange {
    /// Shares a range.
    #[must_use]
    pub fn new(range: JoinedRange) -> Self {
        Self(Arc::new(Mutex::new(range)))
    }

    /// The range, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, JoinedRange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a range is verified.
#[derive(Clone, Debug)]
pub struct RangeSettings {
    /// For faults of the way.
    pub retry: RetryPolicy,
    /// With scp files.
    pub with_scp: bool,
    /// With bucket files.
    pub with_buckets: bool,
    /// What a saved state begins with; none: no state is saved.
    pub saving: Option<Arc<SavedHead>>,
}

/// The item.
#[derive(Debug)]
pub struct VerifyRangeWork {
    archives: Archives,
    settings: RangeSettings,
    range: SharedRange,
    begun: bool,
    started: u32,
    /// Checkpoints that wait for an earlier one.
    early: BTreeMap<u32, VerifiedCheckpoint>,
    /// The last one in order, not joined yet: its seam with the next may still show that it is wrong.
    held: Option<VerifiedCheckpoint>,
    accepted: u32,
    /// What comes next in order was lost with the connection.
    lost: bool,
    recheck: Option<Recheck>,
    checkpoints_done: CheckpointsDone,
    buckets_done: BucketsDone,
    saved_ms: u64,
    /// What is written meanwhile.
    copying: Option<Copying>,
}

/// A seam that does not hold, and the two checkpoints at it, read again from other archives.
#[derive(Debug)]
struct Recheck {
    new: VerifiedCheckpoint,
    again: Vec<(CheckpointOrder, Vec<VerifiedCheckpoint>)>,
    wanted: usize,
}

impl VerifyRangeWork {
    /// What is left of a range.
    #[must_use]
    pub fn new(archives: Archives, settings: RangeSettings, range: SharedRange) -> Self {
        let accepted = range.lock().next_place();
        Self {
            archives,
            settings,
            range,
            begun: false,
            started: accepted,
            early: BTreeMap::new(),
            held: None,
            accepted,
            lost: false,
            recheck: None,
            checkpoints_done: CheckpointsDone::default(),
            buckets_done: BucketsDone::default(),
            saved_ms: 0,
            copying: None,
        }
    }

    /// Writes what a destination lacks.
    #[must_use]
    pub fn copying(mut self, copying: Option<Copying>) -> Self {
        self.copying = copying;
        self
    }

    /// Whether it is of no use to begin more.
    fn is_over(&self, turn: &Turn<'_>) -> bool {
        turn.unreachable || self.copying.as_ref().is_some_and(Copying::is_stopped)
    }

    fn take_what_is_done(&mut self, turn: &mut Turn<'_>) {
        let buckets: Vec<_> = self.buckets_done.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        let lost = |settled: &Settled<BucketReport>| turn.unreachable && settled.report.status == Status::Unchecked(Unchecked::Unreadable);
        for (job, settled) in buckets.into_iter().filter(|(_, settled)| !lost(settled)) {
            if let Some(copying) = &mut self.copying {
                copying.take_bucket(&job, &settled);
            }
            self.range.lock().bucket_done(&job, settled, self.archives.rules(), turn.emit);
        }
        let checkpoints: Vec<_> = self.checkpoints_done.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for (order, verified) in checkpoints {
            match &mut self.recheck {
                Some(recheck) if order.again => recheck.again.push((order, verified)),
                _ => self.early.extend(verified.into_iter().map(|verified| (order.index, verified))),
            }
        }
    }

    /// Joins as far as the order allows.
    fn advance(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        loop {
            if let Some(recheck) = self.recheck.take() {
                if recheck.again.len() < recheck.wanted {
                    self.recheck = Some(recheck);
                    return Ok(());
                }
                self.settle_seam(recheck, turn)?;
                continue;
            }
            // What an outage took is not joined: a run that is resumed looks at it again.
            if turn.unreachable && self.early.get(&self.accepted).is_some_and(is_lost) {
                self.lost = true;
                return Ok(());
            }
            let Some(new) = self.early.remove(&self.accepted) else { return Ok(()) };
            let torn = self.held.as_ref().is_some_and(|held| !self.seam(held, &new).is_empty());
            if torn && self.archives.count() > 1 {
                self.look_again(new, turn)?;
                continue;
            }
            self.accept(new, turn)?;
        }
    }

    fn seam(&self, one: &VerifiedCheckpoint, other: &VerifiedCheckpoint) -> Vec<crate::verify::finding::Finding> {
        seam(&one.outcome.segment, &other.outcome.segment, self.archives.rules())
    }

    fn accept(&mut self, new: VerifiedCheckpoint, turn: &mut Turn<'_>) -> Result<(), AddError> {
        self.accepted += 1;
        if let Some(held) = self.held.take() {
            self.join(held, Some(&new), turn)?;
        }
        // With one archive there is nobody to ask again.
        if self.archives.count() > 1 {
            self.held = Some(new);
            return Ok(());
        }
        self.join(new, None, turn)
    }

    fn join(&mut self, mut verified: VerifiedCheckpoint, next: Option<&VerifiedCheckpoint>, turn: &mut Turn<'_>) -> Result<(), AddError> {
        let forks = self.range.lock().take_forks();
        let mut open = false;
        for rival in core::mem::take(&mut verified.rivals) {
            // A rival that does not fit its neighbours is to blame; one that does leaves the question open.
            let disputed = self.fits_as_well(&rival, &verified, &forks, next);
            if disputed {
                self.range.lock().add_fork(rival.outcome.segment.clone());
            }
            open |= disputed;
            verified.blame(rival, &self.archives, disputed);
        }
        let (checkpoint, _) = verified.outcome.segment.range();
        let mut with_buckets = self.settings.with_buckets;
        if let Some(copying) = &mut self.copying {
            with_buckets &= copying.wants_buckets_of(checkpoint);
            let torn_below = self.range.lock().seam_with(&verified, self.archives.rules()).iter().any(Finding::is_error);
            let own = next.filter(|next| copying.is_sound_there(next));
            let torn_above = own.is_some_and(|own| {
                seam(&verified.outcome.segment, &own.outcome.segment, self.archives.rules()).iter().any(Finding::is_error)
            });
            copying.take(&mut verified, open || torn_below || torn_above, turn)?;
        }
        let jobs = self.range.lock().join(verified, &self.archives, !with_buckets, turn.emit);
        self.verify_buckets(jobs, &checkpoint.to_string(), checkpoint, turn)
    }

    /// Whether a rival fits what comes before and after as well as the chosen one, the rivals of both included.
    fn fits_as_well(
        &self,
        rival: &VerifiedCheckpoint,
        chosen: &VerifiedCheckpoint,
        forks: &[Segment],
        next: Option<&VerifiedCheckpoint>,
    ) -> bool {
        let joined = |one: &VerifiedCheckpoint| self.range.lock().seam_with(one, self.archives.rules()).len();
        let before = forks.iter().map(|fork| seam(fork, &rival.outcome.segment, self.archives.rules()).len()).chain([joined(rival)]).min();
        let after = next.into_iter().flat_map(|next| next.rivals.iter().chain([next])).map(|next| self.seam(rival, next).len()).min();
        before <= Some(joined(chosen)) && after <= next.map(|next| self.seam(chosen, next).len())
    }

    fn verify_buckets(&self, jobs: Vec<BucketJob>, of: &str, checkpoint: Checkpoint, turn: &mut Turn<'_>) -> Result<(), AddError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let state = SharedHistoryState::default();
        let work = DownloadBucketsWork::new(self.archives.clone(), checkpoint, self.settings.retry, OnFault::Report, state)
            .only(jobs, Arc::clone(&self.buckets_done), turn.id)
            .copying(self.copying.as_ref().and_then(Copying::buckets_to));
        let spec = WorkSpec::new("DownloadBucketsWork", format!("DownloadBucketsWork {of}"), COORDINATE);
        turn.scheduler.add_child(turn.id, spec, Box::new(work)).map(drop)
    }

    /// Both checkpoints at a seam that does not hold, from other archives.
    fn look_again(&mut self, new: VerifiedCheckpoint, turn: &mut Turn<'_>) -> Result<(), AddError> {
        let mut wanted = 0;
        for (index, verified) in [(self.accepted.saturating_sub(1), self.held.as_ref()), (self.accepted, Some(&new))] {
            let Some(verified) = verified else { continue };
            let order = CheckpointOrder { index, again: true, look: true, seek: false };
            let served = verified.served.get(&FileKind::Ledger).copied().into_iter().collect();
            self.verify(verified.headers.checkpoint(), order, |work| work.avoiding(served), turn)?;
            wanted += 1;
        }
        self.recheck = Some(Recheck { new, again: Vec::new(), wanted });
        Ok(())
    }

    /// Takes the pair whose seam holds and that most archives have, if there is one, and blames those of what was not taken.
    fn settle_seam(&mut self, recheck: Recheck, turn: &mut Turn<'_>) -> Result<(), AddError> {
        let Recheck { new, mut again, .. } = recheck;
        let Some(held) = self.held.take() else { return self.accept(new, turn) };
        let mut all = |first: VerifiedCheckpoint, index: u32| {
            let others = again.iter_mut().find(|(order, _)| order.index == index).map(|(_, others)| core::mem::take(others));
            let mut all = vec![first];
            all.extend(others.unwrap_or_default());
            all
        };
        let (lefts, rights) = (all(held, self.accepted.saturating_sub(1)), all(new, self.accepted));
        let (left, right) = self.best_pair(&lefts, &rights).unwrap_or((0, 0));
        // Those that as many archives have may be right as well: their neighbours will tell.
        let ranks = |of: &[VerifiedCheckpoint]| of.iter().map(|one| (rank(one), core::cmp::Reverse(votes(one, of)))).collect::<Vec<_>>();
        let (left_ranks, right_ranks) = (ranks(&lefts), ranks(&rights));
        self.held = choose(lefts, left, &self.archives, |other| left_ranks.get(other) <= left_ranks.get(left));
        match choose(rights, right, &self.archives, |other| right_ranks.get(other) <= right_ranks.get(right)) {
            Some(new) => self.accept(new, turn),
            None => Ok(()),
        }
    }

    /// The pair without a tear, neither between the two nor to what was joined before, with the fewest faults; of equals, the
    /// one that most archives have.
    fn best_pair(&self, lefts: &[VerifiedCheckpoint], rights: &[VerifiedCheckpoint]) -> Option<(usize, usize)> {
        let range = self.range.lock();
        let rules = self.archives.rules();
        let pairs = lefts.iter().enumerate().flat_map(|left| rights.iter().enumerate().map(move |right| (left, right)));
        // Without headers there is no seam to tear.
        let heard = |one: &VerifiedCheckpoint| one.headers.first().is_some() && one.headers.last().is_some();
        let whole = pairs.filter(|((_, left), (_, right))| heard(left) && heard(right) && self.seam(left, right).is_empty());
        let pair = |left: &VerifiedCheckpoint, right: &VerifiedCheckpoint| {
            let tears = range.seam_with(left, rules).len();
            let (left_rank, right_rank) = (rank(left), rank(right));
            (
                left_rank.unheard + right_rank.unheard,
                u8::from(left_rank.sealed.0.is_none()) + u8::from(right_rank.sealed.0.is_none()),
                left_rank.faulty + right_rank.faulty,
                tears,
                core::cmp::Reverse(votes(left, lefts) + votes(right, rights)),
            )
        };
        whole.min_by_key(|((_, left), (_, right))| pair(left, right)).map(|((left, _), (right, _))| (left, right))
    }

    /// The checkpoint that is started next.
    fn next(&self) -> Option<Checkpoint> {
        let range = self.range.lock();
        range.plan().get(self.started).filter(|_| self.started < range.end_place())
    }

    /// Starts as many checkpoints as the window allows.
    fn start_more(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        // As many checkpoints as files: they take turns at theirs, one or two at a time.
        let window = turn.scheduler.limit(DOWNLOAD).and_then(|files| u32::try_from(files).ok()).unwrap_or(u32::MAX);
        loop {
            let waiting = self.range.lock().waiting_for_own().max(self.copying.as_ref().map_or(0, Copying::waiting));
            // Checkpoints may run ahead of the one that all later ones wait for, but not far.
            let room = self.started - self.accepted < window && waiting < usize_from(window.saturating_mul(4));
            let next = self.next();
            // Where archives contradict each other, signatures tell who is right.
            let seek = self.range.lock().plan().looks_at_signatures(self.started);
            let voices = self.archives.count() - usize::from(self.archives.destination().is_some());
            let look = seek || voices > 1;
            let full = self.copying.as_ref().is_some_and(Copying::is_full);
            let Some(checkpoint) = next.filter(|_| room && !full && !self.is_over(turn)) else { return Ok(()) };
            let order = CheckpointOrder { index: self.started, again: false, look, seek };
            self.started += 1;
            self.range.lock().begun(self.started);
            self.verify(checkpoint, order, |work| work, turn)?;
        }
    }

    fn verify(
        &self,
        checkpoint: Checkpoint,
        order: CheckpointOrder,
        change: impl FnOnce(VerifyCheckpointWork) -> VerifyCheckpointWork,
        turn: &mut Turn<'_>,
    ) -> Result<(), AddError> {
        let settings = &self.settings;
        let done = Arc::clone(&self.checkpoints_done);
        let work = VerifyCheckpointWork::new(self.archives.clone(), checkpoint, settings.retry, settings.with_scp, order, done)
            .storing(self.copying.is_some());
        let again = if order.again { " again" } else { "" };
        let spec = WorkSpec::new("VerifyCheckpointWork", format!("VerifyCheckpointWork {checkpoint}{again}"), COORDINATE);
        turn.scheduler.add_child(turn.id, spec, Box::new(change(work))).map(drop)
    }

    /// Goes on with what is to be written.
    fn write(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        let begun = self.next().is_none();
        let Some(copying) = &mut self.copying else { return Ok(()) };
        let all_started = begun || turn.unreachable || copying.is_stopped();
        let idle = all_started && turn.scheduler.family(turn.id).is_none_or(|family| family.unfinished == 0);
        copying.advance(&self.range.lock(), idle, turn)
    }

    fn turn(&mut self, turn: &mut Turn<'_>) -> Result<Ran, AddError> {
        if !core::mem::replace(&mut self.begun, true) {
            self.saved_ms = turn.now_ms;
            // What an interrupted run had asked for and did not get.
            let jobs = self.range.lock().bucket_jobs();
            if let Some(checkpoint) = jobs.first().map(|job| job.checkpoint) {
                // The checkpoint may have buckets of its own later on.
                self.verify_buckets(jobs, "before", checkpoint, turn)?;
            }
        }
        self.take_what_is_done(turn);
        self.advance(turn)?;
        self.start_more(turn)?;
        let nothing_more = self.is_over(turn) || self.next().is_none();
        if nothing_more && (self.started == self.accepted || self.lost) && self.recheck.is_none() {
            if let Some(held) = self.held.take() {
                self.join(held, None, turn)?;
            }
            self.write(turn)?;
            if turn.scheduler.family(turn.id).is_none_or(|family| family.unfinished == 0) {
                return Ok(Ran::Success);
            }
        }
        self.write(turn)?;
        if let Some(head) = self.settings.saving.as_ref().filter(|_| turn.now_ms.saturating_sub(self.saved_ms) >= SAVE_MS) {
            self.saved_ms = turn.now_ms;
            let (state, done) = head.state(&self.range.lock());
            (turn.emit)(HistoryEvent::Saved(state, done));
        }
        Ok(Ran::Waiting)
    }
}

impl HistoryWork for VerifyRangeWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        // Children can be refused only after an abort, which ends this item as well.
        Step::Ended(self.turn(turn).unwrap_or(Ran::Failure { retry: false, at_least_ms: 0 }))
    }
}

fn is_lost(verified: &VerifiedCheckpoint) -> bool {
    verified.outcome.statuses.contains(&Status::Unchecked(Unchecked::Unreadable))
}
