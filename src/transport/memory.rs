//! An archive in memory: for tests, and for archives that never were files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::{LocalBoxFuture, ready};

use super::{ArchiveReader, ArchiveWriter, Body};
use crate::archive::error::{ReadError, ReadErrorKind, WriteError};
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
        Box::pin(ready(open(&self.files, path)))
    }

    fn size<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Option<u64>> {
        Box::pin(ready(self.files.get(path.as_str()).map(|bytes| crate::codec::u64_from(bytes.len()))))
    }
}

/// An archive that comes about in memory, and can be read while it does. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryArchiveWriter {
    name: Rc<str>,
    files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
}

impl Default for MemoryArchiveWriter {
    fn default() -> Self {
        Self::new("a new archive in memory", BTreeMap::new())
    }
}

impl MemoryArchiveWriter {
    /// A place that has these files already.
    #[must_use]
    pub fn new(name: &str, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { name: name.into(), files: Rc::new(RefCell::new(files)) }
    }

    /// The files as they are now.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.borrow().clone()
    }

    /// Takes the files out; the place is empty then.
    #[must_use]
    pub fn take(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.take()
    }
}

impl ArchiveReader for MemoryArchiveWriter {
    fn name(&self) -> &str {
        &self.name
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        Box::pin(ready(open(&self.files.borrow(), path)))
    }
}

impl ArchiveWriter for MemoryArchiveWriter {
    fn name(&self) -> &str {
        &self.name
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        self.files.borrow_mut().insert(path.as_str().to_owned(), bytes.to_vec());
        Box::pin(ready(Ok(())))
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        Box::pin(ready(Ok(self.files.borrow().contains_key(path.as_str()))))
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        Some(self)
    }
}

fn open(files: &BTreeMap<String, Vec<u8>>, path: &ArchivePath) -> Result<Body, ReadError> {
    let body = files.get(path.as_str()).map(|bytes| Body::whole(bytes.clone(), BodyCoding::AsStored));
    body.ok_or_else(|| ReadError::new(ReadErrorKind::NotFound, "there is no such file"))
}
