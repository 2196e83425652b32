//! Looking into an archive (feature `explore`): records as JSON, and checkpoints, ledgers and transactions, each value beside what
//! it was checked against.
//!
//! What it is: decoding for people, in stellar's own XDR-JSON (SEP-51), 64-bit numbers as strings; and single checks, with the
//! bytes that anyone can repeat them with. What it is not: part of any verdict: an archive that is broken is shown as it is.

pub mod bucket;
pub mod check;
pub mod checkpoint;
pub mod file;
pub mod ledger;
mod operation;
pub mod scp;
pub mod state;
pub mod transaction;
pub mod upgrade;
mod words;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use stellar_xdr::{
    BucketEntry, BucketListType, BucketMetadataExt, HotArchiveBucketEntry, LedgerHeaderHistoryEntry, Limited, Limits, ReadXdr,
    ScpHistoryEntry, TransactionHistoryEntry, TransactionHistoryResultEntry,
};

use crate::archive::error::ReadError;
use crate::archive::path::{ArchivePath, FileKind};
use crate::limits::Budget;

/// Why something cannot be shown.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LookError {
    /// What should have it is missing, faulty, or does not have it.
    #[error("{0}")]
    Faulty(String),
    /// There is no such thing.
    #[error("{0}")]
    NotThere(String),
    /// The way to it failed.
    #[error("{path} could not be read: {error}")]
    Unread {
        /// The file.
        path: ArchivePath,
        /// Why.
        error: ReadError,
    },
}

/// XDR-JSON.
pub type Json = Box<RawValue>;

/// The XDR-JSON of exactly one value; none if it is no such value.
fn json<T: ReadXdr + Serialize>(bytes: &[u8], depth: u32) -> Option<Json> {
    decode::<T>(bytes, depth).ok().as_ref().and_then(to_json)
}

fn to_json<T: Serialize>(value: &T) -> Option<Json> {
    to_raw_value(value).ok()
}

/// Prints the records of one file.
#[derive(Debug)]
pub struct RecordPrinter {
    kind: Option<FileKind>,
    depth: u32,
    /// Known from a bucket's first record.
    hot_archive: Option<bool>,
}

impl RecordPrinter {
    /// For a file of an archive.
    #[must_use]
    pub fn new(path: &ArchivePath, budget: &Budget) -> Self {
        Self { kind: path.kind(), depth: budget.xdr_depth, hot_archive: None }
    }

    /// The JSON of the next record, on one line.
    ///
    /// # Errors
    /// If the record is not of the file's kind.
    pub fn print(&mut self, record: &[u8]) -> Result<String, String> {
        match self.kind {
            Some(FileKind::Ledger) => self.json::<LedgerHeaderHistoryEntry>(record),
            Some(FileKind::Transactions) => self.json::<TransactionHistoryEntry>(record),
            Some(FileKind::Results) => self.json::<TransactionHistoryResultEntry>(record),
            Some(FileKind::Scp) => self.json::<ScpHistoryEntry>(record),
            Some(FileKind::History) => Err("a history file is JSON already".into()),
            None => {
                if self.is_hot_archive(record) {
                    self.json::<HotArchiveBucketEntry>(record)
                } else {
                    self.json::<BucketEntry>(record)
                }
            }
        }
    }

    fn is_hot_archive(&mut self, record: &[u8]) -> bool {
        if let Some(known) = self.hot_archive {
            return known;
        }
        *self.hot_archive.insert(is_hot_archive(record, self.depth))
    }

    fn json<T: ReadXdr + serde::Serialize>(&self, record: &[u8]) -> Result<String, String> {
        let value = decode::<T>(record, self.depth).map_err(|error| format!("the record does not decode: {error}"))?;
        serde_json::to_string(&value).map_err(|error| error.to_string())
    }
}

/// By a bucket's first record: the METAENTRY, alike in both kinds of buckets, says which kind it is; old buckets have none and
/// are live.
fn is_hot_archive(record: &[u8], depth: u32) -> bool {
    match decode::<BucketEntry>(record, depth) {
        Ok(BucketEntry::Metaentry(meta)) => matches!(meta.ext, BucketMetadataExt::V1(BucketListType::HotArchive)),
        _ => false,
    }
}

fn decode<T: ReadXdr>(record: &[u8], depth: u32) -> Result<T, stellar_xdr::Error> {
    T::read_xdr_to_end(&mut Limited::new(record, Limits { depth, len: record.len() }))
}
