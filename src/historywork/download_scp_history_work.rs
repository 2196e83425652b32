//! `DownloadScpHistoryWork`: the SCP messages of a checkpoint, held against its headers (rules A.2, B.10). After
//! the headers. The file is optional.

use std::sync::Arc;

use super::archives::Archives;
use super::checkpoint_file::{CheckpointFile, CheckpointFileWork};
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::verify::checkpoint::{Delivery, FileReport, Headers};
use crate::verify::scp::{ScpCheck, ScpFacts};

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadScpHistoryWork {
    file: CheckpointFile,
    headers: Arc<Headers>,
    look: bool,
    keep: bool,
}

impl DownloadScpHistoryWork {
    /// The SCP messages of the checkpoint whose headers are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        let file = CheckpointFile::new(archives, checkpoint, avoid, state);
        Self { file, headers: Arc::new(Headers::none(checkpoint)), look: false, keep: false }
    }

    /// Finds out if the user's validators agreed on the checkpoint.
    #[must_use]
    pub fn looking(mut self, look: bool) -> Self {
        self.look = look;
        self
    }

    /// Keeps the messages, to be held together with those of other archives.
    #[must_use]
    pub fn keeping_messages(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }
}

impl CheckpointFileWork for DownloadScpHistoryWork {
    type Facts = ScpFacts;
    type Check<'a> = ScpCheck<'a>;

    const KIND: FileKind = FileKind::Scp;
    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadScpHistory;

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

    fn check(&self) -> ScpCheck<'_> {
        ScpCheck::new(self.file.rules(), &self.headers, self.look).keeping_messages(self.keep)
    }

    fn report(&self, check: ScpCheck<'_>, delivery: Delivery) -> FileReport<ScpFacts> {
        check.finish(delivery)
    }

    fn store(state: &mut HistoryWorkState, report: FileReport<ScpFacts>) {
        state.scp = Some(report);
    }
}
