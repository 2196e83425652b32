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
use super::Run;
use crate::codec::usize_from;
use crate::historywork::HistoryEvent;
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
const MOST_WAITING: usize = 64;

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

    /// Goes through the range together with the workers.
    pub(super) async fn share(&mut self, head: &SavedHead, range: &SharedRange, archives: &Archives, workers: &dyn Workers) {
        let (threads, rest) = (workers.count().saturating_add(1), range.lock().rest());
        workers.begin(&head.with(&rest));
        let places = Tasks::of_places(rest.next_place()..rest.end_place(), threads);
        if self.carry_out(places, head, range, archives, workers).await {
            let buckets = Tasks::of_buckets(range.lock().bucket_jobs_by_level(), threads);
            self.carry_out(buckets, head, range, archives, workers).await;
        }
        self.part = None;
    }

    /// Whether all of it was done: not, if the run was cancelled or the archive cannot be reached any more.
    async fn carry_out(
        &mut self,
        mut tasks: Tasks,
        head: &SavedHead,
        range: &SharedRange,
        archives: &Archives,
        workers: &dyn Workers,
    ) -> bool {
        let mut elsewhere = FuturesUnordered::new();
        // What nobody else could do is done here; parts wait for those below them.
        let (mut again, mut ready, mut goes_on) = (Vec::new(), Vec::new(), true);
        let mut saved_ms = self.host.now_ms();
        loop {
            hand_out(&mut tasks, workers, goes_on && ready.len() < MOST_WAITING, &mut elsewhere);
            let own = if goes_on { again.pop().or_else(|| tasks.take()) } else { None };
            let Some(task) = own else {
                let Some((task, part)) = elsewhere.next().await else { break };
                match part {
                    Some(part) => {
                        self.elsewhere.add(part.accounts());
                        ready.push(part);
                    }
                    None => again.push(task),
                }
                goes_on &= self.append(&mut ready, head, range, archives, &mut saved_ms);
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
                    match done {
                        Some((_, Some(part))) => arrived.push(part),
                        Some((task, None)) => again.push(task),
                        None => {}
                    }
                    hand_out(&mut tasks, workers, ready.len().saturating_add(arrived.len()) < MOST_WAITING, &mut elsewhere);
                }
            }
            for part in arrived {
                self.elsewhere.add(part.accounts());
                ready.push(part);
            }
            let part = part.lock().clone();
            goes_on &= part.joined() == part.count() && (part.count() > 0 || part.bucket_jobs().is_empty());
            ready.push(if part.joined() < part.count() { part.cut_short() } else { part });
            goes_on &= self.append(&mut ready, head, range, archives, &mut saved_ms);
        }
        goes_on
    }

    /// Joins the parts whose turn it is; whether all of those fit.
    fn append(
        &mut self,
        ready: &mut Vec<JoinedRange>,
        head: &SavedHead,
        range: &SharedRange,
        archives: &Archives,
        saved_ms: &mut u64,
    ) -> bool {
        loop {
            let next = range.lock().next_place();
            let fits = |part: &JoinedRange| part.count() == 0 || part.end_place().saturating_sub(part.count()) == next;
            let Some(part) = ready.iter().position(fits).map(|at| ready.swap_remove(at)) else { break };
            let mut found = Vec::new();
            let joined = range.lock().append(part, archives, &mut |event| found.push(event));
            for event in found {
                if let HistoryEvent::Finding(finding) = event {
                    self.say(*finding);
                }
            }
            if joined.is_err() {
                return false;
            }
        }
        self.part = Some(SharedRange::new(range.lock().rest()));
        self.waiting = ready.iter().fold((0, 0), |(checkpoints, buckets), part| {
            (checkpoints.saturating_add(part.joined().into()), buckets.saturating_add(part.bucket_count().0))
        });
        let now = self.host.now_ms();
        if self.options.save_state && now.saturating_sub(*saved_ms) >= SAVE_EVERY_MS {
            *saved_ms = now;
            (self.emit)(Event::State { state: head.with(&range.lock()) });
        }
        true
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
#[derive(Debug)]
struct Tasks {
    places: Range<u32>,
    buckets: VecDeque<BucketJob>,
    threads: u32,
    /// Smaller parts cost more to join than they save.
    least: u32,
}

impl Tasks {
    fn of_places(places: Range<u32>, threads: usize) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let least = places.end.saturating_sub(places.start).div_ceil(threads.saturating_mul(8)).clamp(1, LARGEST_PART);
        Self { places, buckets: VecDeque::new(), threads, least }
    }

    /// `buckets`: those that are likely to be large first.
    fn of_buckets(buckets: Vec<BucketJob>, threads: usize) -> Self {
        Self { buckets: buckets.into(), ..Self::of_places(0..0, threads) }
    }

    fn take(&mut self) -> Option<AuditTask> {
        let share = |left: u32| left.div_ceil(self.threads.saturating_mul(2)).clamp(1, LARGEST_PART);
        if !self.places.is_empty() {
            let left = self.places.end - self.places.start;
            let (first, count) = (self.places.start, share(left).max(self.least).min(left));
            self.places.start += count;
            return Some(AuditTask::Places { first, count });
        }
        let count = usize_from(share(u32::try_from(self.buckets.len()).unwrap_or(u32::MAX))).min(self.buckets.len());
        (count > 0).then(|| AuditTask::Buckets { buckets: self.buckets.drain(..count).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_contiguous_cover_all_places_and_become_smaller() {
        for (count, threads) in [(1, 2), (57, 2), (1000, 3), (100_000, 8)] {
            let mut tasks = Tasks::of_places(5..5 + count, threads);
            let (mut next, mut before) = (5, u32::MAX);
            while let Some(AuditTask::Places { first, count }) = tasks.take() {
                assert_eq!(first, next);
                assert!((1..=before.min(LARGEST_PART)).contains(&count));
                (next, before) = (first + count, count);
            }
            assert_eq!(next, 5 + count);
        }
    }
}
