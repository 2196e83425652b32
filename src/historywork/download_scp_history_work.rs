//! `DownloadScpHistoryWork`: the SCP messages of a checkpoint, held against its headers (rules A.2, B.10). After
//! the headers. The file is optional.

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
use crate::verify::scp::ScpCheck;

/// The item's file.
#[derive(Clone, Debug)]
pub struct DownloadScpHistoryWork {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    state: SharedHistoryState,
    headers: Arc<Headers>,
}

impl DownloadScpHistoryWork {
    /// The SCP messages of the checkpoint whose headers are in `state`, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state, headers: Arc::new(Headers::none(checkpoint)) }
    }
}

impl FileWork for DownloadScpHistoryWork {
    type Report = FileReport<()>;
    type Check<'a> = ScpCheck<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadScpHistory;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::Scp, self.checkpoint)
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

    fn check(&self) -> ScpCheck<'_> {
        ScpCheck::new(self.archives.rules(), &self.headers)
    }

    fn report(&self, check: ScpCheck<'_>, delivery: Delivery) -> Self::Report {
        check.finish(delivery)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let mut state = self.state.lock();
        let report = state.take(Some(FileKind::Scp), settled);
        state.scp = Some(report);
    }
}
