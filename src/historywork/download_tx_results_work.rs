//! `DownloadTxResultsWork`: the results of a checkpoint, each set hashed and held against its header, in deep mode
//! also against its transactions (rules A.2, B.8). After the headers and the transactions.

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
use crate::verify::checkpoint::{Delivery, FileReport, Headers};
use crate::verify::results::ResultsCheck;
use crate::verify::transactions::TransactionFacts;

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadTxResultsWork {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    state: SharedHistoryState,
    headers: Arc<Headers>,
    transactions: Arc<TransactionFacts>,
}

impl DownloadTxResultsWork {
    /// The results of the checkpoint whose headers and transactions are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state, headers: Arc::new(Headers::none(checkpoint)), transactions: Arc::default() }
    }
}

impl FileWork for DownloadTxResultsWork {
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

    fn keep(&self) -> Keep {
        if self.state.lock().hold.records { Keep::Records } else { Keep::Nothing }
    }

    fn begin(&mut self) -> bool {
        let mut state = self.state.lock();
        state.begin(Self::STAGE);
        let (Some(headers), Some(transactions)) = (state.headers(), &state.transactions) else { return false };
        (self.headers, self.transactions) = (Arc::clone(headers), Arc::clone(&transactions.facts));
        true
    }

    fn check(&self) -> ResultsCheck<'_> {
        let sets = if self.archives.rules().deep { self.transactions.transactions.as_slice() } else { &[] };
        ResultsCheck::new(self.archives.rules(), &self.headers, sets)
    }

    fn report(&self, check: ResultsCheck<'_>, delivery: Delivery) -> Self::Report {
        check.finish(delivery)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let mut state = self.state.lock();
        let report = state.take(Some(FileKind::Results), settled);
        state.results = Some(report);
    }
}
