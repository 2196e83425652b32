//! `VerifyTxResultsWork`: a results file against headers that are there already (rules A.2, B.8).
//!
//! For each header the entry's hash, or the empty set's where there is none; entries strictly rising, in the checkpoint.
//! It needs no transactions: [`super::download_tx_results_work`] compares with those as well.

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

/// The item's file.
#[derive(Clone, Debug)]
pub struct VerifyTxResultsWork {
    file: CheckpointFile,
    headers: Arc<Headers>,
}

impl VerifyTxResultsWork {
    /// The results of the checkpoint whose headers are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        let file = CheckpointFile::new(archives, checkpoint, avoid, state);
        Self { file, headers: Arc::new(Headers::none(checkpoint)) }
    }
}

impl CheckpointFileWork for VerifyTxResultsWork {
    type Facts = ();
    type Check<'a> = ResultsCheck<'a>;

    const KIND: FileKind = FileKind::Results;
    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadTxResults;

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

    fn check(&self) -> ResultsCheck<'_> {
        ResultsCheck::new(self.file.rules(), &self.headers, &[])
    }

    fn report(&self, check: ResultsCheck<'_>, delivery: Delivery) -> FileReport<()> {
        check.finish(delivery)
    }

    fn store(state: &mut HistoryWorkState, report: FileReport<()>) {
        state.results = Some(report);
    }
}
