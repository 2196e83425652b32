//! `PublishWork`: a checkpoint from a state into places: resolved, written, put, one after the other (rules A.2).
//!
//! Not tried again as a whole: its puts are, and whoever publishes again finds what is there already.

use super::archives::Archives;
use super::publishing::{Place, PublishTarget};
use super::put_snapshot_files_work::PutSnapshotFilesWork;
use super::resolve_snapshot_work::ResolveSnapshotWork;
use super::state::SharedHistoryState;
use super::write_snapshot_work::WriteSnapshotWork;
use super::{COORDINATE, HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkId, WorkSpec};

/// The item.
#[derive(Debug)]
pub struct PublishWork {
    archives: Archives,
    checkpoint: Checkpoint,
    targets: Vec<PublishTarget>,
    retry: RetryPolicy,
    state: SharedHistoryState,
    began_ms: Option<u64>,
    /// It waits for the next ledger to close.
    resolve: Option<WorkId>,
}

impl PublishWork {
    /// The checkpoint that is in `state`, into places. `retry` is for reading what they announce. Give its item the right to go
    /// on when children fail: it counts the failure.
    #[must_use]
    pub fn new(
        archives: Archives,
        checkpoint: Checkpoint,
        targets: Vec<PublishTarget>,
        retry: RetryPolicy,
        state: SharedHistoryState,
    ) -> Self {
        Self { archives, checkpoint, targets, retry, state, began_ms: None, resolve: None }
    }

    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        self.state.lock().publishing.places = self.targets.iter().cloned().map(Place::new).collect();
        let spec = |kind: &'static str| WorkSpec::new(kind, kind, COORDINATE);
        let resolve = ResolveSnapshotWork::new(self.archives.clone(), self.checkpoint, self.state.clone());
        let resolve = turn.scheduler.add_child(turn.id, spec("ResolveSnapshotWork"), Box::new(resolve))?;
        let write = WriteSnapshotWork::new(self.archives.clone(), self.checkpoint, self.state.clone());
        let write = turn.scheduler.add_child(turn.id, spec("WriteSnapshotWork").after(resolve), Box::new(write))?;
        let put = PutSnapshotFilesWork::new(self.archives.clone(), self.checkpoint, self.retry, self.state.clone());
        let spec = spec("PutSnapshotFilesWork").after(write).with_failing_children();
        turn.scheduler.add_child(turn.id, spec, Box::new(put))?;
        self.resolve = Some(resolve);
        Ok(())
    }

    fn finish(&self, now_ms: u64) -> Ran {
        let mut state = self.state.lock();
        let publishing = &mut state.publishing;
        let success = publishing.refused.is_none() && publishing.places.iter().all(Place::is_complete);
        *(if success { &mut publishing.metrics.success } else { &mut publishing.metrics.failure }) += 1;
        publishing.metrics.time_ms += now_ms.saturating_sub(self.began_ms.unwrap_or(now_ms));
        if success { Ran::Success } else { Ran::Failure { retry: false, at_least_ms: 0 } }
    }
}

impl HistoryWork for PublishWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if self.began_ms.is_none() {
            self.began_ms = Some(turn.now_ms);
            return Step::Ended(match self.begin(turn) {
                Ok(()) => Ran::Waiting,
                Err(_) => Ran::Failure { retry: false, at_least_ms: 0 },
            });
        }
        if turn.family.unfinished > 0 {
            if let Some(resolve) = self.resolve {
                turn.scheduler.wake(resolve);
            }
            return Step::Ended(Ran::Waiting);
        }
        Step::Ended(self.finish(turn.now_ms))
    }
}
