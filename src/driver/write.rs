//! The places that a run writes to: a file is put whole, or copied while it is read and committed only once it is known to
//! be sound.
//!
//! What it is: folders, staging, reading back. What it is not: which files are written; that is the items'
//! (`historywork`).

use core::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;

use super::schedule::Drive;
use crate::archive::error::{ReadError, ReadErrorKind, WriteError, WriteErrorKind};
use crate::archive::id::WriterId;
use crate::archive::path::ArchivePath;
use crate::codec::gzip_encoder::GzipEncoder;
use crate::codec::hash::{Hash256, Hasher, sha256};
use crate::codec::u64_from;
use crate::historywork::{CopyTo, PutFile, WriteEnd};
use crate::transport::{ArchiveWriter, StagedFile};

/// Files and bytes that were written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// Files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// The places, and what is known of them.
#[derive(Default)]
pub(super) struct Writers<'a> {
    list: Vec<&'a dyn ArchiveWriter>,
    folders: RefCell<BTreeSet<(WriterId, String)>>,
    /// Places where every file fails, and why.
    given_up: RefCell<BTreeMap<WriterId, WriteError>>,
    written: Cell<Written>,
}

impl<'a> Writers<'a> {
    pub(super) fn new(list: Vec<&'a dyn ArchiveWriter>) -> Self {
        Self { list, ..Self::default() }
    }

    pub(super) fn written(&self) -> Written {
        self.written.get()
    }

    fn get(&self, id: WriterId) -> Result<&'a dyn ArchiveWriter, WriteError> {
        if let Some(error) = self.given_up.borrow().get(&id) {
            return Err(error.clone());
        }
        self.list.get(id.index()).copied().ok_or_else(|| WriteError::new(WriteErrorKind::Unsupported, "there is no such destination"))
    }

    /// Remembers a fault that every other file would meet as well.
    fn note<T>(&self, id: WriterId, outcome: Result<T, WriteError>) -> Result<T, WriteError> {
        if let Err(error) = &outcome
            && error.is_general()
            && error.kind != WriteErrorKind::Aborted
        {
            self.given_up.borrow_mut().entry(id).or_insert_with(|| error.clone());
        }
        outcome
    }

    pub(super) fn name(&self, id: WriterId) -> &str {
        self.list.get(id.index()).map_or("", |writer| writer.name())
    }

    fn count(&self, bytes: u64) {
        let Written { files, bytes: before } = self.written.get();
        self.written.set(Written { files: files + 1, bytes: before.saturating_add(bytes) });
    }
}

/// A file that is copied while it is read.
pub(super) struct Copy<'f> {
    id: WriterId,
    writer: &'f dyn ArchiveWriter,
    path: &'f ArchivePath,
    staged: Box<dyn StagedFile + 'f>,
    /// For bodies that an HTTP layer inflated on the way: archives have them zipped.
    zip: Option<GzipEncoder>,
    hasher: Option<Hasher>,
    bytes: u64,
}

impl<'a> Drive<'a> {
    /// Puts a file that is all there.
    pub(super) async fn put(&self, file: &PutFile) -> WriteEnd {
        match self.writers().note(file.writer, self.try_put(file).await) {
            Ok(true) => WriteEnd::Written { bytes: u64_from(file.content.len()) },
            Ok(false) => WriteEnd::AlreadyThere,
            Err(_) if self.is_cancelled() => WriteEnd::Cancelled,
            Err(error) => WriteEnd::Failed { error },
        }
    }

    async fn try_put(&self, file: &PutFile) -> Result<bool, WriteError> {
        let writer = self.writers().get(file.writer)?;
        if file.unless_there && self.or_give_up(writer.exists(&file.path)).await? {
            return Ok(false);
        }
        self.make_folder_of(file.writer, &file.path).await?;
        self.or_give_up(writer.put_bytes(&file.path, &file.content)).await?;
        if file.read_back {
            self.read_back(writer, &file.path, sha256(&[&file.content])).await?;
        }
        self.writers().count(u64_from(file.content.len()));
        Ok(true)
    }

    /// Makes a folder, once.
    pub(super) async fn make_dir(&self, id: WriterId, folder: &str) -> WriteEnd {
        let made = async {
            let writer = self.writers().get(id)?;
            let key = (id, folder.to_owned());
            if !writer.needs_folders() || self.writers().folders.borrow().contains(&key) {
                return Ok(false);
            }
            self.or_give_up(writer.make_dir(folder)).await?;
            self.writers().folders.borrow_mut().insert(key);
            Ok(true)
        };
        match self.writers().note(id, made.await) {
            Ok(true) => WriteEnd::Written { bytes: 0 },
            Ok(false) => WriteEnd::AlreadyThere,
            Err(_) if self.is_cancelled() => WriteEnd::Cancelled,
            Err(error) => WriteEnd::Failed { error },
        }
    }

    async fn make_folder_of(&self, id: WriterId, path: &ArchivePath) -> Result<(), WriteError> {
        match self.make_dir(id, path.folder()).await {
            WriteEnd::Failed { error } => Err(error),
            WriteEnd::Cancelled => Err(cancelled()),
            WriteEnd::Written { .. } | WriteEnd::AlreadyThere => Ok(()),
        }
    }

    /// Begins the copy of a file; `inflated` says that its bytes come inflated.
    pub(super) async fn stage<'f>(&self, to: CopyTo, path: &'f ArchivePath, inflated: bool) -> Result<Copy<'f>, WriteError>
    where
        'a: 'f,
    {
        let writer = self.writers().get(to.writer)?;
        self.make_folder_of(to.writer, path).await?;
        let staged = self.writers().note(to.writer, self.or_give_up(writer.stage(path)).await)?;
        let zip = inflated.then(GzipEncoder::default);
        Ok(Copy { id: to.writer, writer, path, staged, zip, hasher: to.read_back.then(Hasher::default), bytes: 0 })
    }

    /// The next bytes of a copy. One that fails is gone.
    pub(super) async fn copy<'f>(&self, mut copy: Copy<'f>, part: &[u8]) -> Result<Copy<'f>, WriteError> {
        let mut zipped = Vec::new();
        let bytes = match &mut copy.zip {
            Some(zip) => {
                zip.push(part, &mut zipped);
                &zipped
            }
            None => part,
        };
        self.copy_stored(copy, bytes).await
    }

    async fn copy_stored<'f>(&self, mut copy: Copy<'f>, bytes: &[u8]) -> Result<Copy<'f>, WriteError> {
        copy.bytes += u64_from(bytes.len());
        if let Some(hasher) = &mut copy.hasher {
            hasher.update(bytes);
        }
        if bytes.is_empty() {
            return Ok(copy);
        }
        match self.writers().note(copy.id, self.or_give_up(copy.staged.write(bytes)).await) {
            Ok(()) => Ok(copy),
            Err(error) => {
                copy.staged.abort().await;
                Err(error)
            }
        }
    }

    /// The file was read to its end and is sound: it becomes visible. Gives its bytes.
    pub(super) async fn commit(&self, mut copy: Copy<'_>) -> Result<u64, WriteError> {
        if let Some(zip) = copy.zip.take() {
            let mut rest = Vec::new();
            zip.finish(&mut rest);
            copy = self.copy_stored(copy, &rest).await?;
        }
        let Copy { id, writer, path, staged, hasher, bytes, .. } = copy;
        self.writers().note(id, self.or_give_up(staged.commit()).await)?;
        if let Some(hasher) = hasher {
            self.read_back(writer, path, hasher.finish()).await?;
        }
        self.writers().count(bytes);
        Ok(bytes)
    }

    /// The file is not wanted after all.
    pub(super) async fn abandon(&self, copy: Copy<'_>) {
        copy.staged.abort().await;
    }

    /// Whether a place has what was written to it.
    async fn read_back(&self, writer: &dyn ArchiveWriter, path: &ArchivePath, expected: Hash256) -> Result<(), WriteError> {
        let Some(reader) = writer.reader() else {
            return Err(WriteError::new(WriteErrorKind::Unsupported, format!("{} cannot be read back", writer.name())));
        };
        let unread = |error: ReadError| match error.kind {
            ReadErrorKind::Aborted => cancelled(),
            ReadErrorKind::NotFound => WriteError::new(WriteErrorKind::Lied, format!("{path} was said to be written, and is not there")),
            _ => WriteError::new(WriteErrorKind::Network, format!("{path} could not be read back: {error}")),
        };
        let mut body = self.or_stop(reader.open_fresh(path)).await.and_then(|body| body).map_err(unread)?;
        let mut hasher = Hasher::default();
        while let Some(chunk) = self.or_stop(body.chunks.next()).await.map_err(unread)? {
            hasher.update(&chunk.map_err(unread)?);
        }
        if hasher.finish() == expected {
            return Ok(());
        }
        Err(WriteError::new(WriteErrorKind::Lied, format!("{path} was said to be written, and reads back as something else")))
    }

    /// A write, unless the run is cancelled or nothing comes of it for long: large files take their time.
    pub(super) async fn or_give_up<T>(&self, write: impl Future<Output = Result<T, WriteError>>) -> Result<T, WriteError> {
        match self.or_stop_within(write, self.patience_for_writes_ms()).await {
            Ok(written) => written,
            Err(error) if error.kind == ReadErrorKind::Aborted => Err(cancelled()),
            Err(error) => Err(WriteError::new(WriteErrorKind::Network, error.message)),
        }
    }
}

fn cancelled() -> WriteError {
    WriteError::new(WriteErrorKind::Aborted, "the run was cancelled")
}
