//! `VerifyBucketWork`: a bucket is streamed, its bytes hashed and held against its name; nothing of it is held unless asked
//! (rules A.2, B.9 K1). In deep mode, or with an index, every entry is decoded.
//!
//! Off the main thread: the page and Node run the whole graph in a worker.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, Keep, Settled};
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use super::{CopyTo, FileForm};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::archive::state::BucketHash;
use crate::codec::file::FileLimits;
use crate::verify::bucket::{BucketCheck, BucketReport, BucketUse};
use crate::verify::checkpoint::Delivery;

/// A bucket that is to be verified.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct BucketJob {
    /// Which.
    pub bucket: BucketHash,
    /// Where it is named.
    pub place: BucketUse,
    /// The checkpoint that names it.
    pub checkpoint: Checkpoint,
    /// The protocol of that checkpoint's last ledger, where it is known.
    pub protocol: Option<u32>,
}

/// What became of the buckets of one batch, in the order in which they ended.
pub type BucketsDone = Arc<Mutex<Vec<(BucketJob, Settled<BucketReport>)>>>;

/// The item's file.
#[derive(Clone, Debug)]
pub struct VerifyBucketWork {
    archives: Archives,
    job: BucketJob,
    indexing: bool,
    hold: bool,
    state: SharedHistoryState,
    into: Option<BucketsDone>,
    copy_to: Option<CopyTo>,
}

impl VerifyBucketWork {
    /// A bucket, its outcome into `state`, or where it is given into `into`.
    #[must_use]
    pub fn new(archives: Archives, job: BucketJob, state: SharedHistoryState, into: Option<BucketsDone>) -> Self {
        let hold = state.lock().hold.buckets;
        Self { archives, job, indexing: false, hold, state, into, copy_to: None }
    }

    /// Is written as well, where the destination lacks it.
    #[must_use]
    pub fn copying(mut self, to: Option<CopyTo>) -> Self {
        self.copy_to = to;
        self
    }

    /// Also builds an index of keys and offsets.
    #[must_use]
    pub fn indexing(mut self) -> Self {
        self.indexing = true;
        self
    }
}

impl FileWork for VerifyBucketWork {
    type Report = BucketReport;
    type Check<'a> = BucketCheck<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadBuckets;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_bucket(self.job.bucket)
    }

    fn form(&self) -> FileForm {
        FileForm::Records(FileLimits::bucket(&self.archives.rules().budget))
    }

    fn avoid(&self) -> Vec<ArchiveId> {
        self.archives.behind(self.job.checkpoint.last_ledger())
    }

    fn copy_to(&self) -> Option<CopyTo> {
        self.copy_to
    }

    fn keep(&self) -> Keep {
        if self.hold { Keep::Content } else { Keep::Nothing }
    }

    fn begin(&mut self) -> bool {
        self.state.lock().begin(Self::STAGE);
        true
    }

    fn check(&self) -> BucketCheck<'_> {
        let check = BucketCheck::new(self.archives.rules(), self.job.bucket, self.job.place.list, self.job.protocol);
        if self.indexing { check.indexing() } else { check }
    }

    fn report(&self, check: BucketCheck<'_>, delivery: Delivery) -> BucketReport {
        check.finish(delivery)
    }

    fn settled(&mut self, mut settled: Settled<BucketReport>) {
        if let Some(into) = &self.into {
            into.lock().unwrap_or_else(PoisonError::into_inner).push((self.job, settled));
            return;
        }
        let mut state = self.state.lock();
        if self.hold {
            state.bucket_content.insert(self.job.bucket, core::mem::take(&mut settled.kept.content));
        }
        let report = state.take(None, settled);
        state.buckets.push(report);
    }
}
