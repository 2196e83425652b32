//! An archive in a local folder, over std::fs: for native programs and tests.
//!
//! Paths come from [`ArchivePath`] only, so nothing outside the folder is ever named. Files are written beside their place,
//! flushed to the disk, and renamed: whoever is killed meanwhile leaves nothing that looks like a file of the archive.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use futures_util::future::{LocalBoxFuture, ready};

use super::{ArchiveReader, ArchiveWriter, Body, StagedFile};
use crate::archive::error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
use crate::archive::path::ArchivePath;
use crate::codec::file::BodyCoding;

/// A folder that holds an archive.
#[derive(Clone, Debug)]
pub struct LocalArchive {
    root: PathBuf,
    name: String,
}

impl LocalArchive {
    /// The archive in a folder, which need not exist.
    #[must_use]
    pub fn new(root: impl AsRef<Path>) -> Self {
        let root = root.as_ref().to_owned();
        Self { name: root.display().to_string(), root }
    }
}

impl ArchiveReader for LocalArchive {
    fn name(&self) -> &str {
        &self.name
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        let path = self.root.join(path.as_str());
        // To open a pipe would wait for somebody who writes into it.
        let open = |metadata: fs::Metadata| {
            let readable = metadata.is_file() || metadata.is_dir();
            if readable { File::open(&path) } else { Err(io::Error::other("it is not a file")) }
        };
        let body = fs::metadata(&path).and_then(open).map_err(|error| read_error(&error)).map(|file| Body {
            chunks: Box::pin(futures_util::stream::unfold(Some(file), |file| ready(file.and_then(next_chunk)))),
            coding: BodyCoding::AsStored,
        });
        Box::pin(ready(body))
    }

    fn size<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Option<u64>> {
        Box::pin(ready(fs::metadata(self.root.join(path.as_str())).ok().map(|metadata| metadata.len())))
    }
}

/// A folder that an archive is written to. It, and folders in it, are made where they are missing. What a writer that was
/// killed left of a file is removed when that file is written again.
#[derive(Clone, Debug)]
pub struct LocalArchiveWriter {
    archive: LocalArchive,
    since: SystemTime,
}

impl LocalArchiveWriter {
    /// The archive in a folder.
    #[must_use]
    pub fn new(root: impl AsRef<Path>) -> Self {
        Self { archive: LocalArchive::new(root), since: SystemTime::now() }
    }

    fn begin(&self, path: &ArchivePath) -> Result<LocalFile, WriteError> {
        let into = self.archive.root.join(path.as_str());
        let folder = into.parent().unwrap_or(&self.archive.root).to_owned();
        fs::create_dir_all(&folder).map_err(|error| write_error(&error, &folder))?;
        // No other file of this process, nor of another one, has the name.
        let number = STAGED.fetch_add(1, Ordering::Relaxed);
        let name = into.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.remove_leftovers(&folder, &name);
        let staged = folder.join(format!(".{name}.{}-{number}.partial", process::id()));
        let file = File::create_new(&staged).map_err(|error| write_error(&error, &staged))?;
        Ok(LocalFile { file, staged: Staged(staged), into, folder })
    }

    /// Another process may be writing the same file just now: what it wrote since this writer was made stays.
    fn remove_leftovers(&self, folder: &Path, name: &str) {
        let (start, own) = (format!(".{name}."), format!(".{name}.{}-", process::id()));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let staged = name.starts_with(&start) && name.ends_with(".partial") && !name.starts_with(&own);
            let old = || entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified < self.since);
            if staged && old() {
                // If it cannot be removed it does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

static STAGED: AtomicU64 = AtomicU64::new(0);

impl ArchiveWriter for LocalArchiveWriter {
    fn name(&self) -> &str {
        &self.archive.name
    }

    fn put_bytes<'a>(&'a self, path: &'a ArchivePath, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        let written = self.begin(path).and_then(|mut file| file.take(bytes).and_then(|()| file.commit()));
        Box::pin(ready(written))
    }

    fn exists<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<bool, WriteError>> {
        let path = self.archive.root.join(path.as_str());
        Box::pin(ready(path.try_exists().map_err(|error| write_error(&error, &path))))
    }

    fn stage<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Box<dyn StagedFile + 'a>, WriteError>> {
        let staged: Result<Box<dyn StagedFile + 'a>, _> = match self.begin(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(error),
        };
        Box::pin(ready(staged))
    }

    fn reader(&self) -> Option<&dyn ArchiveReader> {
        Some(&self.archive)
    }
}

struct LocalFile {
    file: File,
    staged: Staged,
    into: PathBuf,
    folder: PathBuf,
}

impl LocalFile {
    fn take(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.file.write_all(bytes).map_err(|error| write_error(&error, &self.into))
    }

    fn commit(self) -> Result<(), WriteError> {
        let Self { file, staged, into, folder } = self;
        file.sync_all().map_err(|error| write_error(&error, &into))?;
        drop(file);
        fs::rename(&staged.0, &into).map_err(|error| write_error(&error, &into))?;
        // The name is durable once the folder is. Not every platform opens folders; those that do not need no flush.
        if let Ok(folder) = File::open(&folder) {
            folder.sync_all().map_err(|error| write_error(&error, &into))?;
        }
        Ok(())
    }
}

/// A staged file's name: removed unless it was renamed.
struct Staged(PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        // Once it was renamed there is none.
        let _ = fs::remove_file(&self.0);
    }
}

impl StagedFile for LocalFile {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> LocalBoxFuture<'a, Result<(), WriteError>> {
        Box::pin(ready(self.take(bytes)))
    }

    fn commit<'a>(self: Box<Self>) -> LocalBoxFuture<'a, Result<(), WriteError>>
    where
        Self: 'a,
    {
        Box::pin(ready((*self).commit()))
    }

    fn abort<'a>(self: Box<Self>) -> LocalBoxFuture<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(ready(()))
    }
}

fn write_error(error: &std::io::Error, path: &Path) -> WriteError {
    let kind = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => WriteErrorKind::Forbidden,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => WriteErrorKind::Full,
        _ => WriteErrorKind::Io,
    };
    WriteError::new(kind, format!("{}: {error}", path.display()))
}

type Chunk = Result<Vec<u8>, ReadError>;

fn next_chunk(mut file: File) -> Option<(Chunk, Option<File>)> {
    let mut chunk = vec![0; 1 << 18];
    match file.read(&mut chunk) {
        Ok(0) => None,
        Ok(read) => {
            chunk.truncate(read);
            Some((Ok(chunk), Some(file)))
        }
        Err(error) => Some((Err(read_error(&error)), None)),
    }
}

fn read_error(error: &std::io::Error) -> ReadError {
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ReadErrorKind::NotFound,
        ErrorKind::PermissionDenied => ReadErrorKind::Forbidden,
        _ => ReadErrorKind::Io,
    };
    ReadError::new(kind, error.to_string())
}
