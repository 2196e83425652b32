//! `DownloadTransactionsWork`: the transaction sets of a checkpoint, each hashed and held against its header
//! (rules A.2, B.7). After the headers.

use std::sync::Arc;

use super::archives::Archives;
use super::checkpoint_file::{CheckpointFile, CheckpointFileWork};
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::verify::checkpoint::{Delivery, FileReport, Headers};
use crate::verify::transactions::{TransactionFacts, TransactionsCheck};

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadTransactionsWork {
    file: CheckpointFile,
    headers: Arc<Headers>,
}

impl DownloadTransactionsWork {
    /// The transaction sets of the checkpoint whose headers are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        let file = CheckpointFile::new(archives, checkpoint, avoid, state);
        Self { file, headers: Arc::new(Headers::none(checkpoint)) }
    }
}

impl CheckpointFileWork for DownloadTransactionsWork {
    type Facts = Arc<TransactionFacts>;
    type Check<'a> = TransactionsCheck<'a>;

    const KIND: FileKind = FileKind::Transactions;
    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadTransactions;

    fn file(&self) -> &CheckpointFile {
        &self.file
    }

    fn take_inputs(&mut self) -> bool {
        let state = self.file.state.lock();
        let Some(headers) = state.headers().map(Arc::clone) else { return false };
        drop(state);
        self.headers = headers;
        true
    }

    fn check(&self) -> TransactionsCheck<'_> {
        TransactionsCheck::new(self.file.rules(), &self.headers)
    }

    fn report(&self, check: TransactionsCheck<'_>, delivery: Delivery) -> FileReport<Arc<TransactionFacts>> {
        check.finish(delivery).map(Arc::new)
    }

    fn store(state: &mut HistoryWorkState, report: FileReport<Arc<TransactionFacts>>) {
        state.transactions = Some(report);
    }
}
