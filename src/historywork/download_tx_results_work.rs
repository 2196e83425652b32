//! `DownloadTxResultsWork`: the results of a checkpoint, each set hashed and held against its header, in deep mode
//! also against its transactions (rules A.2, B.8). After the headers and the transactions.

use std::sync::Arc;

use super::archives::Archives;
use super::checkpoint_file::{CheckpointFile, CheckpointFileWork};
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::verify::checkpoint::{Delivery, FileReport, Headers};
use crate::verify::results::ResultsCheck;
use crate::verify::transactions::TransactionFacts;

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadTxResultsWork {
    file: CheckpointFile,
    headers: Arc<Headers>,
    transactions: Arc<TransactionFacts>,
}

impl DownloadTxResultsWork {
    /// The results of the checkpoint whose headers and transactions are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        let file = CheckpointFile::new(archives, checkpoint, avoid, state);
        Self { file, headers: Arc::new(Headers::none(checkpoint)), transactions: Arc::default() }
    }
}

impl CheckpointFileWork for DownloadTxResultsWork {
    type Facts = ();
    type Check<'a> = ResultsCheck<'a>;

    const KIND: FileKind = FileKind::Results;
    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadTxResults;

    fn file(&self) -> &CheckpointFile {
        &self.file
    }

    fn take_inputs(&mut self) -> bool {
        let state = self.file.state.lock();
        let (Some(headers), Some(transactions)) = (state.headers(), &state.transactions) else { return false };
        let inputs = (Arc::clone(headers), Arc::clone(&transactions.facts));
        drop(state);
        (self.headers, self.transactions) = inputs;
        true
    }

    fn check(&self) -> ResultsCheck<'_> {
        let sets = if self.file.rules().deep { self.transactions.transactions.as_slice() } else { &[] };
        ResultsCheck::new(self.file.rules(), &self.headers, sets)
    }

    fn report(&self, check: ResultsCheck<'_>, delivery: Delivery) -> FileReport<()> {
        check.finish(delivery)
    }

    fn store(state: &mut HistoryWorkState, report: FileReport<()>) {
        state.results = Some(report);
    }
}
