//! `PublishScpHistoryWork`: the scp file of a checkpoint into a place, if it has a message (rules A.2).

use super::publishing::{PublishFiles, PublishTarget, ReadyFile};
use super::put_remote_file_work::PutsDone;
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use super::{HistoryWork, Step, Turn};

/// The item.
#[derive(Debug)]
pub struct PublishScpHistoryWork(PublishFiles);

impl PublishScpHistoryWork {
    /// The file for a place, if it is to be there. Outcomes go into `done`.
    #[must_use]
    pub fn new(target: PublishTarget, file: Option<ReadyFile>, done: PutsDone, state: SharedHistoryState) -> Self {
        Self(PublishFiles::new(HistoryWorkStage::PublishScpHistory, target, file.into_iter().collect(), done, state))
    }
}

impl HistoryWork for PublishScpHistoryWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        self.0.run(turn)
    }
}
