//! `DownloadLedgerHeadersWork`: the headers of a checkpoint, each hashed and held against the one before it
//! (rules A.2, B.5).

use std::sync::Arc;

use super::archives::Archives;
use super::checkpoint_file::{CheckpointFile, CheckpointFileWork};
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::verify::checkpoint::{Delivery, FileReport, Headers, LedgerCheck};

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadLedgerHeadersWork {
    file: CheckpointFile,
}

impl DownloadLedgerHeadersWork {
    /// The headers of a checkpoint, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        let file = CheckpointFile::new(archives, checkpoint, avoid, state);
        Self { file }
    }
}

impl CheckpointFileWork for DownloadLedgerHeadersWork {
    type Facts = Arc<Headers>;
    type Check<'a> = LedgerCheck<'a>;

    const KIND: FileKind = FileKind::Ledger;
    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadLedgerHeaders;

    fn file(&self) -> &CheckpointFile {
        &self.file
    }

    fn check(&self) -> LedgerCheck<'_> {
        LedgerCheck::new(self.file.rules(), self.file.checkpoint)
    }

    fn report(&self, check: LedgerCheck<'_>, delivery: Delivery) -> FileReport<Arc<Headers>> {
        check.finish(delivery).map(Arc::new)
    }

    fn store(state: &mut HistoryWorkState, report: FileReport<Arc<Headers>>) {
        state.ledger = Some(report);
    }
}
