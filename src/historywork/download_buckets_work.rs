//! `DownloadBucketsWork`: every bucket that a state names, live ones first, then the hot archive's, each once (rules A.2).
//!
//! A batch: its children are [`VerifyBucketWork`], as many at once as the scheduler's class of downloads allows.

use std::collections::BTreeSet;

use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use super::state::SharedHistoryState;
use super::verify_bucket_work::{BucketJob, BucketsDone, VerifyBucketWork};
use super::{CopyTo, DOWNLOAD, HistoryWork, Step, Turn};
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
    /// Where outcomes go instead of into the state, and who is to know of each.
    into: Option<(BucketsDone, WorkId)>,
    copy_to: Option<CopyTo>,
}

impl DownloadBucketsWork {
    /// The buckets that the state of a checkpoint names, which is in `state` by then.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, retry: RetryPolicy, on_fault: OnFault, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, retry, on_fault, state, jobs: None, begun: false, indexing: false, into: None, copy_to: None }
    }

    /// Each is written as well, where the destination lacks it.
    #[must_use]
    pub fn copying(mut self, to: Option<CopyTo>) -> Self {
        self.copy_to = to;
        self
    }

    /// Only these buckets, with their outcomes into `done`, and the listener woken for each: for whoever knows which were
    /// verified before.
    #[must_use]
    pub fn only(mut self, jobs: Vec<BucketJob>, done: BucketsDone, listener: WorkId) -> Self {
        self.jobs = Some(jobs);
        self.into = Some((done, listener));
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
            self.state.lock().buckets_complete = true;
            return Ran::Success;
        }
        for job in jobs {
            let mut file =
                VerifyBucketWork::new(self.archives.clone(), job, self.state.clone(), self.into.as_ref().map(|(done, _)| done.clone()));
            file = file.copying(self.copy_to);
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
}

impl HistoryWork for DownloadBucketsWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if !core::mem::replace(&mut self.begun, true) {
            return Step::Ended(self.begin(turn));
        }
        if let Some((_, listener)) = &self.into {
            turn.scheduler.wake(*listener);
        }
        if turn.family.unfinished > 0 {
            return Step::Ended(Ran::Waiting);
        }
        self.state.lock().buckets_complete = true;
        Step::Ended(Ran::Success)
    }
}
