//! `DownloadTransactionsWork`: the transaction sets of a checkpoint, each hashed and held against its header
//! (rules A.2, B.7). After the headers.

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
use crate::verify::transactions::{TransactionFacts, TransactionsCheck};

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadTransactionsWork {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    state: SharedHistoryState,
    headers: Arc<Headers>,
}

impl DownloadTransactionsWork {
    /// The transaction sets of the checkpoint whose headers are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state, headers: Arc::new(Headers::none(checkpoint)) }
    }
}

impl FileWork for DownloadTransactionsWork {
    type Report = FileReport<Arc<TransactionFacts>>;
    type Check<'a> = TransactionsCheck<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadTransactions;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::Transactions, self.checkpoint)
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
        let Some(headers) = state.headers() else { return false };
        self.headers = Arc::clone(headers);
        true
    }

    fn check(&self) -> TransactionsCheck<'_> {
        TransactionsCheck::new(self.archives.rules(), &self.headers)
    }

    fn report(&self, check: TransactionsCheck<'_>, delivery: Delivery) -> Self::Report {
        check.finish(delivery).map(Arc::new)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let mut state = self.state.lock();
        let report = state.take(Some(FileKind::Transactions), settled);
        state.transactions = Some(report);
    }
}
