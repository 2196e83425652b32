//! Parts of a range: cut out to be verified elsewhere, and joined again (design section 1).
//!
//! What it is: the promise that the parts of one archive's range, verified anywhere and joined in their order, come to what
//! one run over it comes to. (One exception: a bucket that comes back after `BUCKET_MEMORY` places while it is still open
//! counts once.) A part leaves the buckets of its first state open, since nearly all of them are named by the part before as
//! well; whoever joins knows which are left. What it is not: who verifies parts and when; that is the driver's and its
//! caller's.

use core::iter::once;
use core::ops::Range;
use std::collections::BTreeMap;

use super::super::HistoryEvent;
use super::super::archives::Archives;
use super::super::plan::Order;
use super::super::verify_bucket_work::BucketJob;
use super::{BUCKET_MEMORY, BucketEntry, JoinedRange, NOTES_KEPT};
use crate::archive::checkpoint::CheckpointFrequency;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::archive::state::BucketHash;
use crate::verify::bucket_list::buckets;
use crate::verify::checkpoint::{Status, Unchecked};
use crate::verify::segment::{Kept, Segment};

/// Why a part cannot be joined.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotJoined {
    /// It is of another range.
    #[error("the part is of another range than what was joined so far")]
    Another,
    /// It does not begin where what was joined ends.
    #[error(
        "the part begins at place {part}, and what was joined so far ends before place {joined}: join the parts in their order, each once"
    )]
    Apart {
        /// The place that would be joined next.
        joined: u32,
        /// Where it begins.
        part: u32,
    },
    /// It is not whole.
    #[error("the part ends before place {end}, but it stopped at place {stopped}: verify it once more")]
    Unfinished {
        /// Where it is to end.
        end: u32,
        /// Where it stopped.
        stopped: u32,
    },
}

impl JoinedRange {
    /// Nothing joined yet of some places of the same plan; none where the plan has not as many.
    #[must_use]
    pub fn part(&self, first: u32, count: u32) -> Option<Self> {
        let end = first.checked_add(count).filter(|end| *end <= self.plan.count())?;
        let part = Self::new(self.plan.clone(), self.announced.keys().copied(), false);
        Some(Self { first, end, is_part: true, ..part })
    }

    /// A part that was not finished, as one that ends where it stopped.
    #[must_use]
    pub fn cut_short(self) -> Self {
        Self { end: self.next_place(), ..self }
    }

    /// What is left of the plan, as a part with nothing joined yet.
    #[must_use]
    pub fn rest(&self) -> Self {
        let rest = Self::new(self.plan.clone(), self.announced.keys().copied(), false);
        Self { first: self.next_place(), end: self.end, ..rest }
    }

    /// The buckets that nobody verified yet, those of the deepest levels first, which are the largest.
    #[must_use]
    pub fn bucket_jobs_by_level(&self) -> Vec<BucketJob> {
        let mut jobs: BTreeMap<BucketHash, (usize, BucketJob)> = self.bucket_jobs().into_iter().map(|job| (job.bucket, (0, job))).collect();
        for waiting in &self.waiting {
            // From the first level to the last, of one list and then of the other.
            for (depth, (_, bucket)) in buckets(&waiting.state).enumerate() {
                if let Some((deepest, _)) = jobs.get_mut(&bucket) {
                    *deepest = depth.max(*deepest);
                }
            }
        }
        let mut jobs: Vec<_> = jobs.into_values().collect();
        jobs.sort_by_key(|(depth, job)| (core::cmp::Reverse(*depth), job.bucket));
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// No checkpoint, only buckets.
    #[must_use]
    pub fn part_of_buckets(&self, jobs: impl IntoIterator<Item = BucketJob>) -> Self {
        let part = Self::new(self.plan.clone(), [], false).wanting(jobs);
        Self { end: 0, is_part: true, ..part }
    }

    /// Files that could not be looked at, though they might be another time.
    #[must_use]
    pub fn incomplete(&self) -> u64 {
        let counts = self.unchecked().into_iter().filter(|(_, why, _)| why.is_incomplete());
        counts.fold(0, |sum, (.., count)| sum.saturating_add(count))
    }

    /// Adds a part as [`Self::append`] does, with those that waited for it; one that is apart waits for what lies between.
    ///
    /// # Errors
    /// If it does not fit; nothing is changed then.
    pub fn take(&mut self, part: Self, archives: &Archives, emit: &mut dyn FnMut(HistoryEvent)) -> Result<(), NotJoined> {
        let place = self.apart.partition_point(|other| other.first < part.first);
        let below = place.checked_sub(1).and_then(|below| self.apart.get(below));
        let is_free =
            below.is_none_or(|below| below.end <= part.first) && self.apart.get(place).is_none_or(|above| part.end <= above.first);
        match () {
            () if part.count() > 0 && !is_free => return Err(NotJoined::Apart { joined: self.next_place(), part: part.first }),
            () if part.count() == 0 || part.first <= self.next_place() => self.append(part, archives, emit)?,
            () => {
                self.check_part(&part)?;
                self.apart.insert(place, part);
            }
        }
        while self.apart.first().is_some_and(|part| part.first == self.next_place()) {
            let part = self.apart.remove(0);
            self.append(part, archives, emit)?;
        }
        Ok(())
    }

    /// Parts that wait for what lies between.
    #[must_use]
    pub fn apart(&self) -> &[Self] {
        &self.apart
    }

    /// Lets go of the parts that wait: their checkpoints are verified once more.
    #[must_use]
    pub fn without_parts_apart(self) -> Self {
        Self { apart: Vec::new(), ..self }
    }

    /// The places of the plan that no part has, from the lowest to the highest.
    #[must_use]
    pub fn places_left(&self) -> Vec<Range<u32>> {
        let starts = once(self.next_place()).chain(self.apart.iter().map(|part| part.end));
        let ends = self.apart.iter().map(|part| part.first).chain(once(self.end));
        starts.zip(ends).map(|(start, end)| start..end).filter(|places| !places.is_empty()).collect()
    }

    /// Whether the parts that wait are whole, of this plan, above what was joined, and none is of what another has.
    pub(super) fn parts_apart_fit(&self, frequency: CheckpointFrequency) -> bool {
        let mut free_from = self.next_place().saturating_add(1);
        self.apart.iter().all(|part| {
            let is_above = core::mem::replace(&mut free_from, part.end) <= part.first;
            let is_one = part.count() > 0 && part.apart.is_empty() && self.check_part(part).is_ok();
            is_above && is_one && self.plan.order() == Order::OldestFirst && part.contradiction(frequency).is_none()
        })
    }

    /// Whether a part is whole and of the same range.
    fn check_part(&self, part: &Self) -> Result<(), NotJoined> {
        match () {
            () if part.plan != self.plan || part.end > self.end => Err(NotJoined::Another),
            () if part.joined < part.count() => Err(NotJoined::Unfinished { end: part.end, stopped: part.next_place() }),
            () => Ok(()),
        }
    }

    /// Adds the part that comes next, or one of buckets, and says what was found. What both verified counts once, as the lower
    /// checkpoints had it.
    ///
    /// # Errors
    /// If it does not fit; nothing is changed then.
    pub fn append(&mut self, part: Self, archives: &Archives, emit: &mut dyn FnMut(HistoryEvent)) -> Result<(), NotJoined> {
        let next = self.next_place();
        self.check_part(&part)?;
        if part.count() > 0 && part.first != next {
            return Err(NotJoined::Apart { joined: next, part: part.first });
        }
        let known = |bucket| self.buckets.get(bucket).is_some_and(|entry| entry.job.is_none());
        if part.count() == 0 && part.buckets.keys().all(known) {
            // It was delivered before.
            return Ok(());
        }
        self.add_part(part, archives, emit);
        // As a single run would have forgotten them on its way.
        let place = self.next_place() - self.next_place() % BUCKET_MEMORY;
        if place > next {
            self.forget_buckets(place);
        }
        Ok(())
    }

    /// Adds a part, which need not be the next one.
    pub(super) fn add_part(&mut self, mut part: Self, archives: &Archives, emit: &mut dyn FnMut(HistoryEvent)) {
        let rules = archives.rules();
        self.joined = self.joined.saturating_add(part.count());
        self.append_buckets(&mut part);
        let found = part.segments.iter().map(Segment::findings).chain([&part.bucket_findings]);
        for finding in found.flat_map(Kept::list) {
            emit(HistoryEvent::Finding(Box::new(finding.clone())));
        }
        self.bucket_findings.append(part.bucket_findings, rules.budget.findings);
        self.bucket_notes.append(&mut part.bucket_notes);
        self.bucket_notes.truncate(NOTES_KEPT);
        // One archive has them all.
        let only = archives.name(ArchiveId::new(0)).to_owned();
        for segment in part.segments {
            self.add_segment(segment, archives, &|_: &ArchivePath| only.clone(), emit);
        }
        for (ledger, state) in part.announced.into_iter().filter(|(_, state)| state.is_some()) {
            self.announced.insert(ledger, state);
        }
        for (count, other) in once((&mut self.late_faults.verified, part.late_faults.verified))
            .chain([(&mut self.checked.0, part.checked.0), (&mut self.checked.1, part.checked.1)])
            .chain(once((&mut self.errors_dropped, part.errors_dropped)))
        {
            *count = count.saturating_add(other);
        }
        for (why, other) in part.late_faults.unchecked {
            let count = self.late_faults.unchecked.entry(why).or_default();
            *count = count.saturating_add(other);
        }
        part.errors.into_iter().for_each(|error| self.add_error(error));
        self.accounts.add(&part.accounts);
        self.vouched.append(part.vouched);
        self.saw_passphrase |= part.saw_passphrase;
        if part.joined > 0 {
            self.last_served = part.last_served;
        }
        self.waiting.append(&mut part.waiting);
        for waiting in &mut self.waiting {
            waiting.unknown.retain(|bucket| self.buckets.get(bucket).is_some_and(|entry| entry.job.is_some()));
        }
        self.check_states_that_wait_no_more(rules, emit);
    }

    /// Both tables as one; what a part counted a second time is taken back from its counts.
    fn append_buckets(&mut self, part: &mut Self) {
        for (bucket, theirs) in core::mem::take(&mut part.buckets) {
            let Some(ours) = self.buckets.get_mut(&bucket) else {
                self.buckets.insert(bucket, BucketEntry { accounts: None, ..theirs });
                continue;
            };
            // Parts of buckets have no place.
            let named = Some(theirs.last_named).filter(|named| *named != u64::MAX).unwrap_or_default();
            ours.last_named = ours.last_named.max(named);
            match (ours.job.is_some(), theirs.job.is_some()) {
                // It was left open, or is to be verified by another part.
                (_, true) => continue,
                (true, false) => {
                    *ours = BucketEntry { last_named: ours.last_named, accounts: None, ..theirs };
                    continue;
                }
                (false, false) => {}
            }
            let misplaced = part.misplaced.remove(&bucket);
            let status = match theirs.unsound {
                _ if theirs.skipped => Status::Unchecked(Unchecked::Skipped),
                _ if misplaced => Status::Faulty,
                unsound => unsound.unwrap_or(Status::Verified),
            };
            let path = ArchivePath::of_bucket(bucket);
            part.accounts.take_back(&theirs.accounts.unwrap_or_default());
            part.errors.retain(|error| error.path.as_ref() != Some(&path));
            part.bucket_notes.retain(|note| note.path.as_ref() != Some(&path));
            part.bucket_tally.uncount(status);
            if let Status::Unchecked(why) = status {
                let count = part.bucket_unchecked.entry(why).or_default();
                *count = count.saturating_sub(1);
            }
            if misplaced && theirs.facts.is_some() && ours.facts.is_some() && self.misplaced.insert(bucket) {
                // Sound where the lower part named it, but not where this one did.
                self.bucket_tally.uncount(Status::Verified);
                self.bucket_tally.count(Status::Faulty);
            } else {
                part.bucket_findings.forget(|finding| finding.path == path);
            }
        }
        self.bucket_tally.add(part.bucket_tally);
        for (why, other) in core::mem::take(&mut part.bucket_unchecked) {
            let count = self.bucket_unchecked.entry(why).or_default();
            *count = count.saturating_add(other);
        }
        self.misplaced.append(&mut part.misplaced);
    }
}
