//! `PublishBucketsWork`: the buckets that a place lacks, each once and under the name that its content has (rules A.2, B.9).

use super::publishing::{PublishFiles, PublishTarget, ReadyFile};
use super::put_remote_file_work::PutsDone;
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use super::{HistoryWork, Step, Turn};

/// The item.
#[derive(Debug)]
pub struct PublishBucketsWork(PublishFiles);

impl PublishBucketsWork {
    /// Buckets for a place. Outcomes go into `done`.
    #[must_use]
    pub fn new(target: PublishTarget, files: Vec<ReadyFile>, done: PutsDone, state: SharedHistoryState) -> Self {
        Self(PublishFiles::new(HistoryWorkStage::PublishBuckets, target, files, done, state))
    }
}

impl HistoryWork for PublishBucketsWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        self.0.run(turn)
    }
}
