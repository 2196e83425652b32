//! `GetHistoryArchiveStateWork`: the state of a checkpoint, or the newest one (rules A.2, B.3).
//!
//! Unlike stellar-core's it checks that `currentLedger` is the checkpoint's.

use super::FileForm;
use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, Keep, Settled};
use super::stage::HistoryWorkStage;
use super::state::SharedHistoryState;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::HistoryArchiveState;
use crate::codec::file::{FileError, RecordSink};
use crate::codec::gzip::{GzipError, GzipErrorKind};
use crate::codec::record::Record;
use crate::verify::checkpoint::{Delivery, FileReport};
use crate::verify::state::{JsonDelivery, check_checkpoint_state};

/// The item's file.
#[derive(Clone, Debug)]
pub struct GetHistoryArchiveStateWork {
    archives: Archives,
    checkpoint: Checkpoint,
    avoid: Vec<ArchiveId>,
    state: SharedHistoryState,
}

impl GetHistoryArchiveStateWork {
    /// The state of a checkpoint, into `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, avoid: Vec<ArchiveId>, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, avoid, state }
    }
}

impl FileWork for GetHistoryArchiveStateWork {
    type Report = FileReport<Option<HistoryArchiveState>>;
    type Check<'a> = JsonCheck;

    const STAGE: HistoryWorkStage = HistoryWorkStage::FetchHistoryArchiveState;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::History, self.checkpoint)
    }

    fn form(&self) -> FileForm {
        FileForm::Plain { limit: self.archives.rules().budget.has_json_bytes }
    }

    fn avoid(&self) -> Vec<ArchiveId> {
        self.avoid.clone()
    }

    fn keep(&self) -> Keep {
        self.state.lock().hold.of_file(Keep::Content)
    }

    fn begin(&mut self) -> bool {
        self.state.lock().begin(Self::STAGE);
        true
    }

    fn check(&self) -> JsonCheck {
        JsonCheck::default()
    }

    fn report(&self, check: JsonCheck, delivery: Delivery) -> Self::Report {
        check_checkpoint_state(self.archives.rules(), self.checkpoint, check.delivery(&delivery))
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let mut state = self.state.lock();
        let report = state.take(Some(FileKind::History), settled);
        state.history = Some(report);
    }
}

/// Takes a JSON file as it comes.
#[derive(Clone, Debug, Default)]
pub struct JsonCheck {
    json: Vec<u8>,
}

impl JsonCheck {
    /// The file as the rules take it.
    #[must_use]
    pub fn delivery(&self, delivery: &Delivery) -> JsonDelivery<'_> {
        match delivery {
            Delivery::Missing => JsonDelivery::Missing,
            Delivery::NotRead(why) => JsonDelivery::NotRead(*why),
            Delivery::Read(Err(FileError::Gzip(GzipError { kind: GzipErrorKind::InflatedLimit(_), .. }))) => JsonDelivery::TooLarge,
            Delivery::Read(_) => JsonDelivery::Read(&self.json),
        }
    }
}

impl RecordSink for JsonCheck {
    fn bytes(&mut self, chunk: &[u8]) {
        self.json.extend_from_slice(chunk);
    }

    fn record(&mut self, _: Record<'_>) {}
}
