//! What the items of a checkpoint's XDR files have in common: they differ in the check and in what they need before.

use super::FileForm;
use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, Keep, Settled};
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::{FileLimits, RecordSink};
use crate::verify::checkpoint::{Delivery, FileReport, Rules};

/// Which checkpoint, of which archives, and where its report goes.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    pub(super) archives: Archives,
    pub(super) checkpoint: Checkpoint,
    pub(super) avoid: Vec<ArchiveId>,
    pub(super) state: SharedHistoryState,
}

impl CheckpointFile {
    /// A file of a checkpoint; `avoid` are archives that are known not to have it, or in doubt.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state }
    }

    pub(super) fn rules(&self) -> &Rules {
        self.archives.rules()
    }
}

/// An item for one XDR file of a checkpoint.
pub trait CheckpointFileWork {
    /// What the file says.
    type Facts;
    /// Its check.
    type Check<'a>: RecordSink
    where
        Self: 'a;

    /// Which file.
    const KIND: FileKind;
    /// For progress.
    const STAGE: HistoryWorkStage;

    /// Of which checkpoint.
    fn file(&self) -> &CheckpointFile;

    /// Takes what other items left for it. `false`: it is not there.
    fn take_inputs(&mut self) -> bool {
        true
    }

    /// A fresh check.
    fn check(&self) -> Self::Check<'_>;

    /// What the check makes of the file as it was delivered.
    fn report(&self, check: Self::Check<'_>, delivery: Delivery) -> FileReport<Self::Facts>;

    /// Where the report goes.
    fn store(state: &mut HistoryWorkState, report: FileReport<Self::Facts>);
}

impl<W: CheckpointFileWork> FileWork for W {
    type Report = FileReport<W::Facts>;
    type Check<'a>
        = W::Check<'a>
    where
        W: 'a;

    const STAGE: HistoryWorkStage = W::STAGE;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(W::KIND, self.file().checkpoint)
    }

    fn form(&self) -> FileForm {
        FileForm::Records(FileLimits::checkpoint_file(&self.file().rules().budget))
    }

    fn avoid(&self) -> Vec<ArchiveId> {
        self.file().avoid.clone()
    }

    fn keep(&self) -> Keep {
        self.file().state.lock().hold.of_file(Keep::Records)
    }

    fn begin(&mut self) -> bool {
        self.file().state.lock().begin(W::STAGE);
        self.take_inputs()
    }

    fn check(&self) -> W::Check<'_> {
        CheckpointFileWork::check(self)
    }

    fn report(&self, check: W::Check<'_>, delivery: Delivery) -> Self::Report {
        CheckpointFileWork::report(self, check, delivery)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let mut state = self.file().state.lock();
        let report = state.take(Some(W::KIND), settled);
        W::store(&mut state, report);
    }
}
