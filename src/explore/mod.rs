//! Records as JSON, to look at: stellar's own XDR-JSON (SEP-51), 64-bit numbers as strings.
//!
//! What it is: decoding for people (feature `explore`). What it is not: part of any verdict; hashes are taken over bytes,
//! never over what this prints.

use stellar_xdr::{
    BucketEntry, BucketListType, BucketMetadataExt, HotArchiveBucketEntry, LedgerHeaderHistoryEntry, Limited, Limits, ReadXdr,
    ScpHistoryEntry, TransactionHistoryEntry, TransactionHistoryResultEntry,
};

use crate::archive::path::{ArchivePath, FileKind};
use crate::limits::Budget;

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

    /// The METAENTRY, alike in both kinds of buckets, says which kind it is; old buckets have none and are live.
    fn is_hot_archive(&mut self, record: &[u8]) -> bool {
        if let Some(known) = self.hot_archive {
            return known;
        }
        let hot = match decode::<BucketEntry>(record, self.depth) {
            Ok(BucketEntry::Metaentry(meta)) => matches!(meta.ext, BucketMetadataExt::V1(BucketListType::HotArchive)),
            _ => false,
        };
        *self.hot_archive.insert(hot)
    }

    fn json<T: ReadXdr + serde::Serialize>(&self, record: &[u8]) -> Result<String, String> {
        let value = decode::<T>(record, self.depth).map_err(|error| format!("the record does not decode: {error}"))?;
        serde_json::to_string(&value).map_err(|error| error.to_string())
    }
}

fn decode<T: ReadXdr>(record: &[u8], depth: u32) -> Result<T, stellar_xdr::Error> {
    T::read_xdr_to_end(&mut Limited::new(record, Limits { depth, len: record.len() }))
}
