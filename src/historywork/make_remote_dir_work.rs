//! `MakeRemoteDirWork`: a folder of a place that wants folders made before files are put into them (rules A.2). Where none are
//! needed it does nothing.

use std::sync::PoisonError;

use super::put_remote_file_work::{PUBLISH_RETRIES, PutsDone};
use super::{HistoryWork, Step, Turn, WriteEnd};
use crate::archive::id::WriterId;
use crate::archive::path::ArchivePath;
use crate::work::Ran;

/// The item.
#[derive(Clone, Debug)]
pub struct MakeRemoteDirWork {
    writer: WriterId,
    folder: String,
    /// The file that it is for, and where a failure goes.
    on_failure: Option<(ArchivePath, PutsDone)>,
}

impl MakeRemoteDirWork {
    /// A folder, relative to the archive's root. Give the scheduler [`PUBLISH_RETRIES`].
    #[must_use]
    pub fn new(writer: WriterId, folder: String) -> Self {
        Self { writer, folder, on_failure: None }
    }

    /// The folder of a file, which is not put if there is none: the outcome is then the file's.
    #[must_use]
    pub fn of(writer: WriterId, path: &ArchivePath, done: PutsDone) -> Self {
        Self { on_failure: Some((path.clone(), done)), ..Self::new(writer, path.folder().to_owned()) }
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
                let retry = error.is_retryable() && retry < PUBLISH_RETRIES.max_retries;
                let at_least_ms = error.retry_after_ms.unwrap_or(0).min(PUBLISH_RETRIES.max_delay_ms);
                if let Some((path, done)) = self.on_failure.as_ref().filter(|_| !retry) {
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), Err(error)));
                }
                Ran::Failure { retry, at_least_ms }
            }
            WriteEnd::Cancelled => Ran::Failure { retry: false, at_least_ms: 0 },
        }
    }
}
