//! A run that is shared with the host's other threads.
//!
//! What it is: which part of a range is whose, and what is done where a thread comes to grief (its part is verified here). What it
//! is not: the threads, which are the host's ([`super::super::workers`]); or the joining of parts, which is
//! [`crate::historywork::range`]'s, as for an audit: whoever verifies a part, the report is that of one thread.

use core::future::{Future, pending};
use core::ops::Range;
use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::pin_mut;
use futures_util::stream::FuturesUnordered;

use super::super::audit::{AuditTask, part_of};
use super::super::event::Event;
use super::super::workers::Workers;
use super::{Run, archives, scheduler};
use crate::codec::usize_from;
use crate::historywork::archives::Archives;
use crate::historywork::plan::Order;
use crate::historywork::range::JoinedRange;
use crate::historywork::saved::{SavedHead, read};
use crate::historywork::verify_bucket_work::BucketJob;
use crate::historywork::verify_range_work::SharedRange;

/// Parts that a worker has at once: one that it verifies, and one more, so that it need not wait for this thread.
const AT_ONCE: usize = 2;

/// Joining a part costs as much as some of its checkpoints, so a part has at most so many.
const LARGEST_PART: u32 = 64;

/// Parts that wait for one below them before no more are handed out.
const MOST_WAITING: usize = 16;

/// As often a shared run hands out its state.
const SAVE_EVERY_MS: u64 = 5_000;

impl<'a> Run<'a, '_> {
    /// Whom to share the range with, where its parts come to what one thread comes to.
    pub(super) fn workers(&self, range: &SharedRange) -> Option<&'a dyn Workers> {
        let plan_is_of_parts = self.options.order == Order::OldestFirst && self.options.sample.is_none();
        let alone = self.drive.pool().ids().count() == 1 && self.copy.is_none();
        let range = range.lock();
        let left = range.count().saturating_sub(range.joined());
        let is_worth_it = |workers: &&dyn Workers| workers.count() > 0 && left >= workers.worth_sharing();
        self.host.workers().filter(|_| plan_is_of_parts && alone).filter(is_worth_it)
    }

    /// Goes through what is left of the range, in parts, together with the workers.
    pub(super) async fn share(&mut self, head: &SavedHead, range: &SharedRange, archives: &Archives, workers: &dyn Workers) {
        let threads = workers.count().saturating_add(1);
        workers.begin(&head.with(&range.lock().rest()));
        self.saving = self.options.save_state.then(|| (head.clone(), self.host.now_ms()));
        // Places, then buckets, and once more what a thread came back without; not again and again, if it stays as it is.
        let mut tasks = Tasks::left_of(&range.lock(), threads);
        while !tasks.is_empty() && self.carry_out(tasks.clone(), range, archives, workers).await {
            let left = Tasks::left_of(&range.lock(), threads);
            if left == tasks {
                break;
            }
            tasks = left;
        }
        // What is not joined by now, and waits in no part, was not done.
        (self.part, self.saving) = (Some(SharedRange::new(range.lock().rest())), None);
        self.say_how_far(&scheduler(1));
        self.part = None;
    }

    /// Whether all of it was done: not, if the run was cancelled or the archive cannot be reached any more.
    async fn carry_out(&mut self, mut tasks: Tasks, range: &SharedRange, archives: &Archives, workers: &dyn Workers) -> bool {
        let mut elsewhere = FuturesUnordered::new();
        // What nobody else could do is done here.
        let (mut again, mut goes_on) = (Vec::new(), true);
        loop {
            hand_out(&mut tasks, workers, goes_on && range.lock().apart().len() < MOST_WAITING, &mut elsewhere);
            let own = if goes_on { again.pop().or_else(|| tasks.take()) } else { None };
            let Some(task) = own else {
                let Some((task, part)) = elsewhere.next().await else { break };
                again.extend(self.take_from_elsewhere(task, part, range, archives));
                continue;
            };
            // Its places were taken of the same plan.
            let Ok(part) = part_of(&range.lock(), task) else { return false };
            let part = SharedRange::new(part);
            self.part = Some(part.clone());
            let mut arrived = Vec::new();
            {
                let own = self.go_through(&part, archives, None);
                pin_mut!(own);
                // While this thread verifies its own part, the others get more.
                loop {
                    let done = match select(own.as_mut(), Box::pin(next_of(&mut elsewhere))).await {
                        Either::Right((done, _)) => done,
                        Either::Left(_) => break,
                    };
                    arrived.extend(done);
                    let waiting = range.lock().apart().len().saturating_add(arrived.len());
                    hand_out(&mut tasks, workers, waiting < MOST_WAITING, &mut elsewhere);
                }
            }
            for (task, part) in arrived {
                again.extend(self.take_from_elsewhere(task, part, range, archives));
            }
            let part = part.lock().clone();
            goes_on &= part.joined() == part.count() && (part.count() > 0 || part.bucket_jobs().is_empty());
            // Where a thread did some of it unasked, the rest is done in the next round.
            self.take(part.cut_short(), range, archives);
        }
        goes_on
    }

    /// Takes what a thread made of a task; gives the task back where nothing came of it that fits.
    fn take_from_elsewhere(
        &mut self,
        task: AuditTask,
        part: Option<JoinedRange>,
        range: &SharedRange,
        archives: &Archives,
    ) -> Option<AuditTask> {
        let accounts = part.as_ref().map(|part| part.accounts().clone());
        if !part.is_some_and(|part| self.take(part, range, archives)) {
            return Some(task);
        }
        self.elsewhere.add(&accounts.unwrap_or_default());
        None
    }

    /// Takes a part; whether it fits.
    fn take(&mut self, part: JoinedRange, range: &SharedRange, archives: &Archives) -> bool {
        let mut found = Vec::new();
        let taken = range.lock().take(part, archives, &mut |event| found.push(event));
        self.say_all(found);
        self.part = Some(SharedRange::new(range.lock().rest()));
        self.save_now_and_then();
        taken.is_ok()
    }

    /// From time to time hands out the state: what was joined, the parts that wait, and this thread's own as far as it came.
    pub(super) fn save_now_and_then(&mut self) {
        let now = self.host.now_ms();
        let (Some((head, saved_ms)), Some(range)) = (&mut self.saving, &self.range) else { return };
        if now.saturating_sub(*saved_ms) < SAVE_EVERY_MS {
            return;
        }
        *saved_ms = now;
        let mut range = range.lock().clone();
        if let Some(part) = &self.part {
            let archives = archives(self.options, head, None);
            // Where it does not fit, it is verified once more.
            let _ = range.take(part.lock().clone().cut_short(), &archives, &mut |_| {});
        }
        let (state, done) = head.state(&range);
        (self.emit)(Event::State { state, done });
    }
}

/// Gives every worker what it can take.
fn hand_out(
    tasks: &mut Tasks,
    workers: &dyn Workers,
    more: bool,
    elsewhere: &mut FuturesUnordered<LocalBoxFuture<'static, (AuditTask, Option<JoinedRange>)>>,
) {
    while more
        && elsewhere.len() < workers.count().saturating_mul(AT_ONCE)
        && let Some(task) = tasks.take()
    {
        let part = workers.verify(&task);
        elsewhere.push(Box::pin(async move {
            let part = part.await.and_then(|part| String::from_utf8(part).ok());
            (task, part.and_then(|part| read(&part).ok()).map(|(_, part)| part))
        }));
    }
}

/// The next that is done; never, where there is none.
async fn next_of<F: Future>(futures: &mut FuturesUnordered<F>) -> Option<F::Output> {
    match futures.next().await {
        None => pending().await,
        done => done,
    }
}

/// What is still to be verified of a range: its parts become smaller towards the end, so that all threads end together.
#[derive(Clone, Debug, PartialEq)]
struct Tasks {
    /// From the lowest to the highest; none is empty.
    places: VecDeque<Range<u32>>,
    buckets: VecDeque<BucketJob>,
    threads: u32,
    /// Smaller parts cost more to join than they save.
    least: u32,
}

impl Tasks {
    /// Buckets come after all places, which say which are left.
    fn left_of(range: &JoinedRange, threads: usize) -> Self {
        let tasks = Self::of_places(range.places_left(), threads);
        // Those that are likely to be large first.
        let buckets = if tasks.is_empty() { range.bucket_jobs_by_level() } else { Vec::new() };
        Self { buckets: buckets.into(), ..tasks }
    }

    fn of_places(places: impl IntoIterator<Item = Range<u32>>, threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let places: VecDeque<_> = places.into_iter().collect();
        let least = left(&places).div_ceil(threads.saturating_mul(8)).clamp(1, LARGEST_PART);
        Self { places, buckets: VecDeque::new(), threads, least }
    }

    fn is_empty(&self) -> bool {
        self.places.is_empty() && self.buckets.is_empty()
    }

    fn take(&mut self) -> Option<AuditTask> {
        let share = |left: u32| left.div_ceil(self.threads.saturating_mul(2)).clamp(1, LARGEST_PART);
        let wanted = share(left(&self.places)).max(self.least);
        if let Some(mut places) = self.places.pop_front() {
            let (first, count) = (places.start, wanted.min(places.end.saturating_sub(places.start)));
            places.start = first.saturating_add(count);
            if !places.is_empty() {
                self.places.push_front(places);
            }
            return Some(AuditTask::Places { first, count });
        }
        let count = usize_from(share(u32::try_from(self.buckets.len()).unwrap_or(u32::MAX))).min(self.buckets.len());
        (count > 0).then(|| AuditTask::Buckets { buckets: self.buckets.drain(..count).collect() })
    }
}

fn left(places: &VecDeque<Range<u32>>) -> u32 {
    places.iter().fold(0, |sum, places| sum.saturating_add(places.end.saturating_sub(places.start)))
}

#[cfg(test)]
mod tests {
    use core::iter::once;

    use super::*;

    #[test]
    fn parts_are_contiguous_cover_all_places_and_become_smaller() {
        for (count, threads) in [(1, 2), (57, 2), (1000, 3), (100_000, 8)] {
            let mut tasks = Tasks::of_places(once(5..5 + count), threads);
            let (mut next, mut before) = (5, u32::MAX);
            while let Some(AuditTask::Places { first, count }) = tasks.take() {
                assert_eq!(first, next);
                assert!((1..=before.min(LARGEST_PART)).contains(&count));
                (next, before) = (first + count, count);
            }
            assert_eq!(next, 5 + count);
        }
    }

    #[test]
    fn what_lies_between_parts_that_wait_is_handed_out_and_nothing_else() {
        let mut tasks = Tasks::of_places([3..5, 9..10, 40..100], 2);
        let mut places = Vec::new();
        while let Some(AuditTask::Places { first, count }) = tasks.take() {
            places.extend(first..first + count);
        }
        assert_eq!(places, (3..5).chain(9..10).chain(40..100).collect::<Vec<_>>());
    }
}
