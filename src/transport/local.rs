//! An archive in a local folder, over std::fs: for native programs and tests.
//!
//! Paths come from [`ArchivePath`] only, so nothing outside the folder is ever named.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use futures_util::future::{LocalBoxFuture, ready};

use super::{ArchiveReader, Body};
use crate::archive::error::{ReadError, ReadErrorKind};
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
        let body = File::open(self.root.join(path.as_str())).map_err(|error| read_error(&error)).map(|file| Body {
            chunks: Box::pin(futures_util::stream::unfold(Some(file), |file| ready(file.and_then(next_chunk)))),
            coding: BodyCoding::AsStored,
        });
        Box::pin(ready(body))
    }
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
