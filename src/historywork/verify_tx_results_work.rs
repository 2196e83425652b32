//! `VerifyTxResultsWork`: a results file against headers that are there already (rules A.2, B.8).
//!
//! For each header the entry's hash, or the empty set's where there is none; entries strictly rising, in the checkpoint.
//! It needs no transactions: [`super::download_tx_results_work`] compares with those as well.

use std::sync::Arc;

use super::FileForm;
use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, Settled};
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::FileLimits;
use crate::verify::checkpoint::{Delivery, FileReport, Headers};
use crate::verify::results::ResultsCheck;

/// The item's file.
#[derive(Clone, Debug)]
pub struct VerifyTxResultsWork {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    state: SharedHistoryState,
    headers: Arc<Headers>,
}

impl VerifyTxResultsWork {
    /// The results of the checkpoint whose headers are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state, headers: Arc::new(Headers::none(checkpoint)) }
    }
}

impl FileWork for VerifyTxResultsWork {
    type Report = FileReport<()>;
    type Check<'a> = ResultsCheck<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadTxResults;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::Results, self.checkpoint)
    }

    fn form(&self) -> FileForm {
        FileForm::Records(FileLimits::checkpoint_file(&self.archives.rules().budget))
    }

    fn avoid(&self) -> Vec<ArchiveId> {
        self.avoid.clone()
    }

    fn begin(&mut self) -> bool {
        let mut state = self.state.lock();
        state.begin(Self::STAGE);
        let Some(headers) = state.headers() else { return false };
        self.headers = Arc::clone(headers);
        true
    }

    fn check(&self) -> ResultsCheck<'_> {
        ResultsCheck::new(self.archives.rules(), &self.headers, &[])
    }

    fn report(&self, check: ResultsCheck<'_>, delivery: Delivery) -> FileReport<()> {
        check.finish(delivery)
    }

    fn settled(&mut self, settled: Settled<FileReport<()>>) {
        let mut state = self.state.lock();
        let report = state.take(Some(FileKind::Results), settled);
        state.results = Some(report);
    }
}
