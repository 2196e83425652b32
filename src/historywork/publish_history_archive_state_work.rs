//! `PublishHistoryArchiveStateWork`: the state of a checkpoint into a place, and then, if the place announces nothing later,
//! as its newest one: last of all, since it says that everything else is there (rules A.2, B.3).
//!
//! stellar-core's `PutHistoryArchiveStateWork`, which puts the two at the same time: whoever read `.well-known` then could
//! miss the file of its checkpoint (rules E 16).

use std::sync::Arc;

use super::publishing::{PublishFiles, PublishTarget, ReadyFile};
use super::put_remote_file_work::PutsDone;
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use super::{HistoryWork, Step, Turn};
use crate::archive::path::ArchivePath;

/// The item.
#[derive(Debug)]
pub struct PublishHistoryArchiveStateWork(PublishFiles);

impl PublishHistoryArchiveStateWork {
    /// A state for a place; `newest` where it becomes what the place announces, `unless_there` where the file of the
    /// checkpoint is left alone if it is there. Outcomes go into `done`.
    #[must_use]
    pub fn new(
        target: PublishTarget,
        state_json: &str,
        path: ArchivePath,
        unless_there: bool,
        newest: bool,
        done: PutsDone,
        state: SharedHistoryState,
    ) -> Self {
        let content: Arc<[u8]> = state_json.as_bytes().into();
        let mut files = vec![ReadyFile { path, content: Arc::clone(&content), unless_there }];
        if newest {
            files.push(ReadyFile { path: ArchivePath::well_known(), content, unless_there: false });
        }
        Self(PublishFiles::new(HistoryWorkStage::PublishHistoryArchiveState, target, files, done, state))
    }
}

impl HistoryWork for PublishHistoryArchiveStateWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        self.0.run_in_order(turn)
    }
}
