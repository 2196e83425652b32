//! Files for places that take them only whole: gathered in memory until they are committed.

use futures_util::future::{LocalBoxFuture, ready};

use super::{ArchiveWriter, StagedFile};
use crate::archive::error::WriteError;
use crate::archive::path::ArchivePath;

struct Gathering<'w, W: ?Sized> {
    writer: &'w W,
    path: &'w ArchivePath,
    bytes: Vec<u8>,
}

pub(super) fn gathering<'w, W: ArchiveWriter + ?Sized>(writer: &'w W, path: &'w ArchivePath) -> Box<dyn StagedFile + 'w> {
    Box::new(Gathering { writer, path, bytes: Vec::new() })
}

impl<W: ArchiveWriter + ?Sized> StagedFile for Gathering<'_, W> {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        self.bytes.extend_from_slice(bytes);
        Box::pin(ready(Ok(())))
    }

    fn commit<'a>(self: Box<Self>) -> LocalBoxFuture<'a, Result<(), WriteError>>
    where
        Self: 'a,
    {
        Box::pin(async move { self.writer.put_bytes(self.path, &self.bytes).await })
    }

    fn abort<'a>(self: Box<Self>) -> LocalBoxFuture<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(ready(()))
    }
}
