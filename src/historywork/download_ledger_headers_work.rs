//! `DownloadLedgerHeadersWork`: the headers of a checkpoint, each hashed and held against the one before it
//! (rules A.2, B.5).

use std::sync::Arc;

use super::FileForm;
use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, Keep, Settled};
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::FileLimits;
use crate::verify::checkpoint::{Delivery, FileReport, Headers, LedgerCheck};

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadLedgerHeadersWork {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    state: SharedHistoryState,
}

impl DownloadLedgerHeadersWork {
    /// The headers of a checkpoint, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state }
    }
}

impl FileWork for DownloadLedgerHeadersWork {
    type Report = FileReport<Arc<Headers>>;
    type Check<'a> = LedgerCheck<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadLedgerHeaders;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::Ledger, self.checkpoint)
    }

    fn form(&self) -> FileForm {
        FileForm::Records(FileLimits::checkpoint_file(&self.archives.rules().budget))
    }

    fn avoid(&self) -> Vec<ArchiveId> {
        self.avoid.clone()
    }

    fn keep(&self) -> Keep {
        if self.state.lock().hold.records { Keep::Records } else { Keep::Nothing }
    }

    fn begin(&mut self) -> bool {
        let mut state = self.state.lock();
        state.begin(Self::STAGE);
        true
    }

    fn check(&self) -> LedgerCheck<'_> {
        LedgerCheck::new(self.archives.rules(), self.checkpoint)
    }

    fn report(&self, check: LedgerCheck<'_>, delivery: Delivery) -> Self::Report {
        check.finish(delivery).map(Arc::new)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let mut state = self.state.lock();
        let report = state.take(Some(FileKind::Ledger), settled);
        state.ledger = Some(report);
    }
}
