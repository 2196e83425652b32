//! `MakeRemoteDirWork`: a folder of a place that wants folders made before files are put into them (rules A.2). Where none are
//! needed it does nothing.

use super::put_remote_file_work::PUBLISH_RETRIES;
use super::{HistoryWork, Step, Turn, WriteEnd};
use crate::archive::id::WriterId;
use crate::work::Ran;

/// The item.
#[derive(Clone, Debug)]
pub struct MakeRemoteDirWork {
    writer: WriterId,
    folder: String,
}

impl MakeRemoteDirWork {
    /// A folder, relative to the archive's root. Give the scheduler [`PUBLISH_RETRIES`].
    #[must_use]
    pub fn new(writer: WriterId, folder: String) -> Self {
        Self { writer, folder }
    }
}

impl HistoryWork for MakeRemoteDirWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        Step::MakeDir { writer: self.writer, folder: self.folder.clone() }
    }

    fn wrote(&mut self, end: WriteEnd, retry: u32) -> Ran {
        match end {
            WriteEnd::Written { .. } | WriteEnd::AlreadyThere => Ran::Success,
            WriteEnd::Failed { error } => {
                let at_least_ms = error.retry_after_ms.unwrap_or(0).min(PUBLISH_RETRIES.max_delay_ms);
                Ran::Failure { retry: error.is_retryable() && retry < PUBLISH_RETRIES.max_retries, at_least_ms }
            }
            WriteEnd::Cancelled => Ran::Failure { retry: false, at_least_ms: 0 },
        }
    }
}
