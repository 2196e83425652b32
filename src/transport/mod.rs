//! Where archives are read from.
//!
//! What it is: [`ArchiveReader`], and the places behind it: [`memory`], `local` (feature `native`), `web` (feature
//! `web`: fetch, and readers written in JavaScript). What it is not: a policy on retries; that is the driver's.

#[cfg(feature = "native")]
pub mod local;
pub mod memory;
pub mod pool;
#[cfg(feature = "web")]
pub mod web;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;

use crate::archive::error::ReadError;
use crate::archive::path::ArchivePath;
use crate::codec::file::BodyCoding;

/// A place that an archive can be read from.
pub trait ArchiveReader {
    /// Shown in findings and reports: a URL or a folder.
    fn name(&self) -> &str;

    /// What limits requests: archives of one host rest together when it answers 429 (rules E 31).
    fn host(&self) -> &str {
        self.name()
    }

    /// Opens a file. The future and the body stop early when the run is cancelled.
    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>>;

    /// Opens a file past every cache on the way: for an answer that was missing or damaged a moment ago.
    fn open_fresh<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        self.open(path)
    }
}

/// The bytes of a file on their way.
#[allow(missing_debug_implementations)] // streams have none
pub struct Body {
    /// Chunks, in order; an error ends them.
    pub chunks: LocalBoxStream<'static, Result<Vec<u8>, ReadError>>,
    /// Whether an HTTP layer may have inflated them on the way.
    pub coding: BodyCoding,
}

impl Body {
    /// A body of bytes that are all there.
    #[must_use]
    pub fn whole(bytes: Vec<u8>, coding: BodyCoding) -> Self {
        Self { chunks: Box::pin(futures_util::stream::once(async { Ok(bytes) })), coding }
    }
}
