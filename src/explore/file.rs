//! One file of a checkpoint, held as it is: its inflated bytes, and where its records stand in them.
//!
//! What it is: the only place that knows offsets, so that what is shown can be cut out of the file by anyone. What it is not:
//! a judge; a file that is faulty is held as far as it could be read.

use core::ops::Range;

use serde::Serialize;

use super::LookError;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::error::ReadError;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::RecordSink;
use crate::codec::record::Record;
use crate::codec::u64_from;

/// How the reading of a file ended.
#[derive(Clone, Debug)]
pub enum FileEnd {
    /// At its end.
    Read,
    /// The archive has no such file.
    Missing,
    /// At what is wrong with it.
    Faulty(String),
    /// The way to it failed.
    Unread(ReadError),
}

/// A file that was read, as far as it went.
#[derive(Debug)]
pub struct HeldFile {
    /// Which of the checkpoint's files.
    pub kind: FileKind,
    /// Where it stands.
    pub path: ArchivePath,
    /// How the reading ended.
    pub end: FileEnd,
    compressed: u64,
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

/// Bytes of a file of the archive after gunzip.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Excerpt {
    /// The file.
    pub path: ArchivePath,
    /// Where they begin.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// A file of a checkpoint, in a line.
#[derive(Clone, Debug, Serialize)]
pub struct CheckpointFile {
    /// Which one.
    pub kind: FileKind,
    /// Where it stands.
    pub path: ArchivePath,
    /// `read`, `missing`, `faulty` or `unread`.
    pub status: &'static str,
    /// What is wrong with it, or kept it from being read.
    pub message: Option<String>,
    /// Records that could be read.
    pub records: usize,
    /// Bytes as stored.
    pub compressed: u64,
    /// Bytes as inflated.
    pub inflated: usize,
}

/// A record, and where its payload begins in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRecord<'a> {
    pub(crate) offset: usize,
    pub(crate) bytes: &'a [u8],
}

impl HeldFile {
    /// A file of which nothing was read yet.
    #[must_use]
    pub fn new(kind: FileKind, checkpoint: Checkpoint) -> Self {
        let path = ArchivePath::of_checkpoint(kind, checkpoint);
        Self { kind, path, end: FileEnd::Missing, compressed: 0, bytes: Vec::new(), records: Vec::new() }
    }

    /// Forgets what was read, for another attempt.
    pub fn clear(&mut self) {
        self.compressed = 0;
        self.bytes.clear();
        self.records.clear();
    }

    /// What it takes in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The inflated bytes.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn record(&self, index: usize) -> Option<RawRecord<'_>> {
        let range = self.records.get(index)?.clone();
        Some(RawRecord { offset: range.start, bytes: self.bytes.get(range)? })
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = RawRecord<'_>> {
        (0..self.records.len()).filter_map(|index| self.record(index))
    }

    /// A part of a record, by where it stands in it.
    pub(crate) fn excerpt(&self, record: &RawRecord<'_>, part: &Range<usize>) -> Excerpt {
        let offset = u64_from(record.offset).saturating_add(u64_from(part.start));
        Excerpt { path: self.path.clone(), offset, length: u64_from(part.end.saturating_sub(part.start)) }
    }

    /// Why something that belongs into the file is not known.
    pub(crate) fn why_unknown(&self) -> String {
        match &self.end {
            FileEnd::Read => format!("{} does not have it", self.path),
            FileEnd::Missing => format!("{} is not in the archive", self.path),
            FileEnd::Faulty(why) => format!("{} is faulty, and what could be read of it does not have it: {why}", self.path),
            FileEnd::Unread(error) => format!("{} could not be read: {}", self.path, error.message),
        }
    }

    /// The same, as an error.
    pub(crate) fn absent(&self) -> LookError {
        match &self.end {
            FileEnd::Unread(error) => LookError::Unread { path: self.path.clone(), error: error.clone() },
            _ => LookError::Faulty(self.why_unknown()),
        }
    }

    /// Whether all of it was read, so that what is not in it is nowhere.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.end, FileEnd::Read)
    }

    /// The line for it; `fault`: what is wrong with what it says, by itself.
    pub(crate) fn line(&self, fault: Option<String>) -> CheckpointFile {
        let (status, message) = match (&self.end, fault) {
            (FileEnd::Read, None) => ("read", None),
            (FileEnd::Read, Some(fault)) => ("faulty", Some(fault)),
            (FileEnd::Missing, _) => ("missing", Some("the file is not in the archive".to_owned())),
            (FileEnd::Faulty(why), _) => ("faulty", Some(why.clone())),
            (FileEnd::Unread(error), _) => ("unread", Some(error.message.clone())),
        };
        CheckpointFile {
            kind: self.kind,
            path: self.path.clone(),
            status,
            message,
            records: self.records.len(),
            compressed: self.compressed,
            inflated: self.bytes.len(),
        }
    }
}

impl RecordSink for HeldFile {
    fn bytes(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
    }

    fn record(&mut self, record: Record<'_>) {
        if let Ok(start) = usize::try_from(record.offset) {
            self.records.push(start..start.saturating_add(record.bytes.len()));
        }
    }

    fn stored(&mut self, part: &[u8]) {
        self.compressed = self.compressed.saturating_add(u64_from(part.len()));
    }
}
