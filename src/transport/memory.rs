//! An archive in memory: for tests, and for archives that never were files.

use std::collections::BTreeMap;

use futures_util::future::{LocalBoxFuture, ready};

use super::{ArchiveReader, Body};
use crate::archive::error::{ReadError, ReadErrorKind};
use crate::archive::path::ArchivePath;
use crate::codec::file::BodyCoding;

/// Files by their path.
#[derive(Clone, Debug, Default)]
pub struct MemoryArchive {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryArchive {
    /// An archive of these files.
    #[must_use]
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }

    /// The files, to change them.
    pub fn files_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.files
    }
}

impl ArchiveReader for MemoryArchive {
    fn name(&self) -> &str {
        "memory"
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        let file = self.files.get(path.as_str()).cloned();
        let body = file.map(|bytes| Body::whole(bytes, BodyCoding::AsStored));
        Box::pin(ready(body.ok_or_else(|| ReadError::new(ReadErrorKind::NotFound, "there is no such file"))))
    }
}
