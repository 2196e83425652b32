//! Where archives are read from and written to.
//!
//! What it is: [`ArchiveReader`] and [`ArchiveWriter`], and the places behind them: [`memory`], `local` (feature `native`),
//! `web` (feature `web`: fetch, and readers and writers in JavaScript). What it is not: a policy on retries; that is the
//! driver's.

#[cfg(feature = "native")]
pub mod local;
pub mod memory;
pub mod pool;
#[cfg(feature = "web")]
pub mod web;
mod whole;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;

use crate::archive::error::{ReadError, WriteError};
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

    /// Whether requests go over a network, so that more of them at once may bring more.
    fn is_remote(&self) -> bool {
        false
    }

    /// Opens a file. The future and the body stop early when the run is cancelled.
    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>>;

    /// The bytes of a file as it is stored, without reading it, where the place can tell.
    fn size<'a>(&'a self, _path: &'a ArchivePath) -> LocalBoxFuture<'a, Option<u64>> {
        Box::pin(core::future::ready(None))
    }

    /// Opens a file past every cache on the way: for an answer that was missing or damaged a moment ago.
    fn open_fresh<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        self.open(path)
    }
}

/// A place that an archive can be written to. [`ArchiveWriter::put_bytes`] and [`ArchiveWriter::exists`] are enough; a place
/// that takes large files in pieces has [`ArchiveWriter::stage`] as well.
pub trait ArchiveWriter {
    /// Shown in reports: a URL or a folder.
    fn name(&self) -> &str;

    /// Writes a file, all of it or nothing. An earlier file of that path stays until the new one is whole.
    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>>;

    /// Whether there is a file.
    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>>;

    /// Begins a file of which nothing is visible before it is committed. As it stands it is gathered in memory.
    fn stage<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Box<dyn StagedFile + 'a>, WriteError>> {
        Box::pin(core::future::ready(Ok(whole::gathering(self, path))))
    }

    /// Whether folders must be made before files are put into them.
    fn needs_folders(&self) -> bool {
        false
    }

    /// Makes a folder, such as `ledger/00/00/00`, and those above it. It is no fault if it is there.
    fn make_dir<'a>(&'a self, _folder: &'a str) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        Box::pin(core::future::ready(Ok(())))
    }

    /// What is there already, for places that can be read: to write only what is missing, and to read back what was written.
    fn reader(&self) -> Option<&dyn ArchiveReader> {
        None
    }
}

/// A file that is being written. Dropped without a commit it is as if it had never been.
pub trait StagedFile {
    /// Takes the next bytes.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>>;

    /// The file is whole: it becomes visible, durably, in place of an earlier one.
    fn commit<'a>(self: Box<Self>) -> LocalBoxFuture<'a, Result<(), WriteError>>
    where
        Self: 'a;

    /// The file is not wanted after all.
    fn abort<'a>(self: Box<Self>) -> LocalBoxFuture<'a, ()>
    where
        Self: 'a;
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
