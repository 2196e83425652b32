//! What could not be looked at or put in place, and why: faults of the way, never of the archive.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::path::ArchivePath;

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// What kind of fault.
    pub kind: ReadErrorKind,
    /// What happened, in words.
    pub message: String,
    /// What the host asks to wait before the next attempt.
    pub retry_after_ms: Option<u64>,
}

/// Kinds of faults on the way to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The run was cancelled.
    Aborted,
    /// The body broke off.
    Body,
    /// `fetch` failed without a response: a dead host and a CORS refusal look the same to a page.
    CorsOrNetwork,
    /// HTTP 401 or 403, or no permission to read.
    Forbidden,
    /// Another HTTP status that is no success.
    Http(u16),
    /// A local read failed.
    Io,
    /// The connection failed, where the platform can tell it from CORS.
    Network,
    /// HTTP 404 or 410, or no such file: the archive does not have it.
    NotFound,
    /// Nothing came for too long.
    Timeout,
    /// A URL or reader that cannot be used.
    Unsupported,
}

impl ReadError {
    /// An error without a wish for the next attempt.
    #[must_use]
    pub fn new(kind: ReadErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after_ms: None }
    }

    /// Whether another attempt may help (rules C).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ReadErrorKind::Body | ReadErrorKind::CorsOrNetwork | ReadErrorKind::Network | ReadErrorKind::Timeout => true,
            ReadErrorKind::Http(status) => is_passing(status),
            _ => false,
        }
    }

    /// Whether the host asks for fewer requests: no fault of the file (rules E 31).
    #[must_use]
    pub fn is_throttling(&self) -> bool {
        match self.kind {
            ReadErrorKind::Http(429) => true,
            ReadErrorKind::Http(503) => self.retry_after_ms.is_some(),
            _ => false,
        }
    }

    /// Whether fewer requests at once may have been answered: a wish of the host for fewer, or none of its words in time.
    #[must_use]
    pub const fn is_overload(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Http(429 | 503) | ReadErrorKind::Timeout)
    }

    /// Whether not even a connection came about.
    #[must_use]
    pub const fn is_want_of_connection(&self) -> bool {
        matches!(self.kind, ReadErrorKind::CorsOrNetwork | ReadErrorKind::Network | ReadErrorKind::Timeout)
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.kind {
            ReadErrorKind::Aborted => "ABORTED",
            ReadErrorKind::CorsOrNetwork => "CORS_OR_NETWORK",
            ReadErrorKind::Forbidden => "FORBIDDEN",
            ReadErrorKind::Http(_) => "HTTP",
            ReadErrorKind::Body | ReadErrorKind::Io | ReadErrorKind::Network | ReadErrorKind::NotFound => "NETWORK",
            ReadErrorKind::Timeout => "TIMEOUT",
            ReadErrorKind::Unsupported => "UNSUPPORTED",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self.kind {
            ReadErrorKind::Aborted => "start the run again to finish it",
            ReadErrorKind::Body | ReadErrorKind::Network => "check the address and the connection, and run again",
            ReadErrorKind::CorsOrNetwork => {
                "open the URL in a new tab: if that works, the archive forbids reading from web pages (it sends no Access-Control-Allow-Origin), so use the command line or a copy in a folder; if not, the server is down or the address is wrong"
            }
            ReadErrorKind::Forbidden => {
                "check that you may read the file; a server refuses it, too, when it is missing and listing is not allowed (as S3 does), so it may not exist"
            }
            ReadErrorKind::Http(429 | 503) => "the archive limits requests: run again later or with a lower concurrency",
            ReadErrorKind::Http(_) => "the server failed to answer: run again later or use another archive",
            ReadErrorKind::Io => "check that the file can be read",
            ReadErrorKind::NotFound => "check the address of the archive",
            ReadErrorKind::Timeout => "the server stopped sending: run again later or use another archive",
            ReadErrorKind::Unsupported => "check the address of the archive",
        }
    }
}

/// A file that could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WriteError {
    /// What kind of fault.
    pub kind: WriteErrorKind,
    /// What happened, in words.
    pub message: String,
    /// What the host asks to wait before the next attempt.
    pub retry_after_ms: Option<u64>,
}

/// Kinds of faults on the way to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteErrorKind {
    /// The run was cancelled.
    Aborted,
    /// HTTP 401 or 403, or no permission to write.
    Forbidden,
    /// There is no room left.
    Full,
    /// Another HTTP status that is no success.
    Http(u16),
    /// A local write failed.
    Io,
    /// It was said to be written, and what is read back is something else.
    Lied,
    /// The connection failed.
    Network,
    /// A writer that cannot be used.
    Unsupported,
}

impl WriteError {
    /// An error without a wish for the next attempt.
    #[must_use]
    pub fn new(kind: WriteErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after_ms: None }
    }

    /// Whether another attempt may help: as for reading, and a place that lost a file may keep it the next time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            WriteErrorKind::Network | WriteErrorKind::Lied => true,
            WriteErrorKind::Http(status) => is_passing(status),
            _ => false,
        }
    }

    /// Whether every other file will fail as well.
    #[must_use]
    pub const fn is_general(&self) -> bool {
        matches!(self.kind, WriteErrorKind::Aborted | WriteErrorKind::Forbidden | WriteErrorKind::Full | WriteErrorKind::Unsupported)
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.kind {
            WriteErrorKind::Aborted => "ABORTED",
            WriteErrorKind::Forbidden => "FORBIDDEN",
            WriteErrorKind::Full => "FULL",
            WriteErrorKind::Http(_) => "HTTP",
            WriteErrorKind::Io => "IO",
            WriteErrorKind::Lied => "NOT_AS_WRITTEN",
            WriteErrorKind::Network => "NETWORK",
            WriteErrorKind::Unsupported => "UNSUPPORTED",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self.kind {
            WriteErrorKind::Aborted => "start the run again to finish it",
            WriteErrorKind::Forbidden => "check that you may write there (permissions, credentials), and run again: what is done is kept",
            WriteErrorKind::Full => "make room there, or take another place, and run again: what is done is kept",
            WriteErrorKind::Http(429 | 503) => {
                "the place limits requests: run again later or with a lower concurrency; what is done is kept"
            }
            WriteErrorKind::Http(_) => "the server refused the file: check its log, and run again; what is done is kept",
            WriteErrorKind::Io => "check the disk, and run again: what is done is kept",
            WriteErrorKind::Lied => "the place loses or changes what is written to it: check the disk or the server before you rely on it",
            WriteErrorKind::Network => "check the address and the connection, and run again: what is done is kept",
            WriteErrorKind::Unsupported => "check the address of the destination",
        }
    }
}

/// Statuses after which the next attempt may go better (rules C).
const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 509 | 520..=524 | 529 | 530 | 598 | 599)
}

/// A [`ReadError`] as reports carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// The stable code.
    pub code: Cow<'static, str>,
    /// The archive that did not deliver.
    pub archive: String,
    /// The file that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<ArchivePath>,
    /// What happened, the last time.
    pub message: String,
    /// What to do next.
    pub advice: Cow<'static, str>,
}

impl RunError {
    /// The error for a file that an archive did not deliver.
    #[must_use]
    pub fn new(error: &ReadError, archive: &str, path: &ArchivePath) -> Self {
        Self {
            code: error.code().into(),
            archive: archive.to_owned(),
            path: Some(path.clone()),
            message: error.message.clone(),
            advice: error.advice().into(),
        }
    }

    /// The error for a file that a place did not take.
    #[must_use]
    pub fn of_write(error: &WriteError, place: &str, path: &ArchivePath) -> Self {
        Self {
            code: error.code().into(),
            archive: place.to_owned(),
            path: Some(path.clone()),
            message: error.message.clone(),
            advice: error.advice().into(),
        }
    }
}
