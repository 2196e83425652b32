//! `GetRemoteFileWork`: the bytes of one file as they are, from any archive or from a certain one (rules A.2).

use std::sync::{Arc, Mutex, PoisonError};

use super::FileForm;
use super::answers::Answer;
use super::get_and_unzip_remote_file_work::{FileWork, Keep, Settled};
use super::get_history_archive_state_work::JsonCheck;
use super::stage::HistoryWorkStage;
use crate::archive::id::ArchiveId;
use crate::archive::path::ArchivePath;
use crate::codec::file::FileError;
use crate::codec::gzip::{GzipError, GzipErrorKind};
use crate::verify::checkpoint::{Delivery, Status, Unchecked};
use crate::verify::finding::Finding;

/// How the reading of a plain file ended, with its bytes where it is [`Plain::Read`].
pub type PlainFile = Arc<Mutex<Option<(Plain, Settled<PlainReport>)>>>;

/// What became of a plain file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Plain {
    /// Its bytes.
    Read(Vec<u8>),
    /// The archive has no such file.
    Missing,
    /// It is larger than was allowed.
    TooLarge,
    /// It was not read.
    #[default]
    NotRead,
}

/// The outcome without a judgement on the bytes.
#[derive(Clone, Debug)]
pub struct PlainReport {
    status: Status,
    findings: Vec<Finding>,
}

impl Answer for PlainReport {
    fn status(&self) -> Status {
        self.status
    }

    fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn findings_mut(&mut self) -> &mut Vec<Finding> {
        &mut self.findings
    }

    fn may_heal(&self) -> bool {
        self.status == Status::Unchecked(Unchecked::OptionalAbsent)
    }
}

/// The item's file.
#[derive(Clone, Debug)]
pub struct GetRemoteFileWork {
    path: ArchivePath,
    limit: usize,
    only: Option<ArchiveId>,
    patience_ms: Option<u64>,
    into: PlainFile,
}

impl GetRemoteFileWork {
    /// A file of at most that many bytes, into `into`.
    #[must_use]
    pub fn new(path: ArchivePath, limit: usize, only: Option<ArchiveId>, into: PlainFile) -> Self {
        Self { path, limit, only, patience_ms: None, into }
    }

    /// Does not wait longer for a host that asked for a rest.
    #[must_use]
    pub fn with_patience(mut self, ms: Option<u64>) -> Self {
        self.patience_ms = ms;
        self
    }
}

impl FileWork for GetRemoteFileWork {
    type Report = PlainReport;
    type Check<'a> = JsonCheck;

    const STAGE: HistoryWorkStage = HistoryWorkStage::FetchHistoryArchiveState;

    fn path(&self) -> ArchivePath {
        self.path.clone()
    }

    fn form(&self) -> FileForm {
        FileForm::Plain { limit: self.limit }
    }

    fn only(&self) -> Option<ArchiveId> {
        self.only
    }

    fn patience_ms(&self) -> Option<u64> {
        self.patience_ms
    }

    fn keep(&self) -> Keep {
        Keep::Content
    }

    fn check(&self) -> JsonCheck {
        JsonCheck::default()
    }

    fn report(&self, _: JsonCheck, delivery: Delivery) -> PlainReport {
        let status = match delivery {
            Delivery::Missing => Status::Unchecked(Unchecked::OptionalAbsent),
            Delivery::NotRead(why) => Status::Unchecked(why),
            Delivery::Read(Err(FileError::Gzip(GzipError { kind: GzipErrorKind::InflatedLimit(_), .. }))) => Status::Faulty,
            Delivery::Read(_) => Status::Verified,
        };
        PlainReport { status, findings: Vec::new() }
    }

    fn settled(&mut self, mut settled: Settled<PlainReport>) {
        let plain = match settled.report.status {
            Status::Verified => Plain::Read(core::mem::take(&mut settled.kept.content)),
            Status::Faulty => Plain::TooLarge,
            Status::Unchecked(Unchecked::OptionalAbsent) => Plain::Missing,
            Status::Unchecked(_) => Plain::NotRead,
        };
        *self.into.lock().unwrap_or_else(PoisonError::into_inner) = Some((plain, settled));
    }
}
