//! `PutRemoteFileWork`: one file into one place, all of it or nothing (rules A.2).
//!
//! What it is: the item under everything that is published, with its retries. What it is not: the way a place takes a file;
//! that is `transport`'s.

use std::sync::{Arc, Mutex, PoisonError};

use super::{HistoryWork, PutFile, Step, Turn, WriteEnd};
use crate::archive::error::{WriteError, WriteErrorKind};
use crate::archive::path::ArchivePath;
use crate::work::Ran;
use crate::work::retry::RetryPolicy;

/// Files that are put are tried twice more.
pub const PUBLISH_RETRIES: RetryPolicy = RetryPolicy { max_retries: 2, min_delay_ms: 100, max_delay_ms: 30_000 };

/// What became of files that were put, in the order in which they ended. Bytes where they were written; none where they were
/// there before.
pub type PutsDone = Arc<Mutex<Vec<(ArchivePath, Result<Option<u64>, WriteError>)>>>;

/// The item.
#[derive(Clone, Debug)]
pub struct PutRemoteFileWork {
    file: PutFile,
    retry: RetryPolicy,
    done: PutsDone,
}

impl PutRemoteFileWork {
    /// A file, its outcome into `done`. Give the scheduler the same policy.
    #[must_use]
    pub fn new(file: PutFile, retry: RetryPolicy, done: PutsDone) -> Self {
        Self { file, retry, done }
    }

    fn end(&self, outcome: Result<Option<u64>, WriteError>) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push((self.file.path.clone(), outcome));
    }
}

impl HistoryWork for PutRemoteFileWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        Step::Put(self.file.clone())
    }

    fn wrote(&mut self, end: WriteEnd, retry: u32) -> Ran {
        match end {
            WriteEnd::Written { bytes } => self.end(Ok(Some(bytes))),
            WriteEnd::AlreadyThere => self.end(Ok(None)),
            WriteEnd::Failed { error } if error.is_retryable() && retry < self.retry.max_retries => {
                return Ran::Failure { retry: true, at_least_ms: error.retry_after_ms.unwrap_or(0).min(self.retry.max_delay_ms) };
            }
            WriteEnd::Failed { error } => {
                self.end(Err(error));
                return Ran::Failure { retry: false, at_least_ms: 0 };
            }
            WriteEnd::Cancelled => {
                self.end(Err(WriteError::new(WriteErrorKind::Aborted, "the run was cancelled")));
                return Ran::Failure { retry: false, at_least_ms: 0 };
            }
        }
        Ran::Success
    }
}
