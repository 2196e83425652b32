//! `DownloadBucketsWork`: every bucket that a state names, live ones first, then the hot archive's, each once (rules A.2).
//!
//! A batch: its children are [`VerifyBucketWork`], as many at once as the scheduler's class of downloads allows.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use super::state::SharedHistoryState;
use super::verify_bucket_work::{BucketJob, BucketsDone, VerifyBucketWork};
use super::{DOWNLOAD, HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::verify::bucket_list::buckets;
use crate::work::retry::RetryPolicy;
use crate::work::{Ran, WorkId, WorkSpec};

/// The item.
#[derive(Debug)]
pub struct DownloadBucketsWork {
    archives: Archives,
    checkpoint: Checkpoint,
    retry: RetryPolicy,
    on_fault: OnFault,
    state: SharedHistoryState,
    /// Only these; otherwise those that the state names.
    jobs: Option<Vec<BucketJob>>,
    begun: bool,
    indexing: bool,
    done: BucketsDone,
    /// Who is to know of each bucket as it is done.
    listener: Option<WorkId>,
}

impl DownloadBucketsWork {
    /// The buckets that the state of a checkpoint names, which is in `state` by then.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, retry: RetryPolicy, on_fault: OnFault, state: SharedHistoryState) -> Self {
        Self {
            archives,
            checkpoint,
            retry,
            on_fault,
            state,
            jobs: None,
            begun: false,
            indexing: false,
            done: BucketsDone::default(),
            listener: None,
        }
    }

    /// Only these buckets, with their outcomes into `done`, and the listener woken for each: for whoever knows which were
    /// verified before.
    #[must_use]
    pub fn only(mut self, jobs: Vec<BucketJob>, done: BucketsDone, listener: WorkId) -> Self {
        self.listener = Some(listener);
        self.jobs = Some(jobs);
        self.done = done;
        self
    }

    /// Also builds an index of each bucket.
    #[must_use]
    pub fn indexing(mut self) -> Self {
        self.indexing = true;
        self
    }

    fn named(&self) -> Option<Vec<BucketJob>> {
        let state = self.state.lock();
        let protocol = state.headers().and_then(|headers| headers.last()).map(|header| header.version);
        let mut seen = BTreeSet::new();
        let named = buckets(state.history()?).filter(|(_, bucket)| seen.insert(*bucket));
        Some(named.map(|(place, bucket)| BucketJob { bucket, place, checkpoint: self.checkpoint, protocol }).collect())
    }

    fn begin(&mut self, turn: &mut Turn<'_>) -> Ran {
        let Some(jobs) = self.jobs.take().or_else(|| self.named()) else { return Ran::Failure { retry: false, at_least_ms: 0 } };
        if jobs.is_empty() {
            return Ran::Success;
        }
        for job in jobs {
            let mut file = VerifyBucketWork::new(self.archives.clone(), job, self.state.clone(), self.done.clone());
            if self.indexing {
                file = file.indexing();
            }
            let work = GetAndUnzipRemoteFileWork::new(file, self.archives.clone(), self.retry, self.on_fault);
            let spec = WorkSpec::new("VerifyBucketWork", job.bucket.to_string(), DOWNLOAD).retrying(self.retry);
            if turn.scheduler.add_child(turn.id, spec, Box::new(work)).is_err() {
                return Ran::Failure { retry: false, at_least_ms: 0 };
            }
        }
        Ran::Waiting
    }

    /// What was held of the buckets goes where whoever ordered them looks for it.
    fn hand_over(&mut self) {
        let mut state = self.state.lock();
        if !state.hold.buckets {
            return;
        }
        for (job, mut settled) in self.done.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            state.bucket_content.insert(job.bucket, core::mem::take(&mut settled.kept.content));
            let report = state.take(None, settled);
            state.buckets.push(report);
        }
    }
}

impl HistoryWork for DownloadBucketsWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if !core::mem::replace(&mut self.begun, true) {
            return Step::Ended(self.begin(turn));
        }
        if let Some(listener) = self.listener {
            turn.scheduler.wake(listener);
        }
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        self.hand_over();
        Step::Ended(Ran::Success)
    }
}
