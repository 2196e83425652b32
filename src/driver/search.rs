//! Searches that take reading: a transaction by its hash in the results of a range, an entry by its key in a bucket.
//!
//! Archives have no index. What it is not: a decision on what a search that found nothing means; that is the caller's.

use futures_util::StreamExt;
use stellar_xdr::LedgerKey;

use super::Host;
use super::dump::{DumpError, read_records};
use super::options::ReadOptions;
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::BucketHash;
use crate::codec::hash::{Hash256, Hasher};
use crate::codec::record::mark;
use crate::transport::ArchiveReader;
use crate::trust::proof::make::{find_result, is_entry_of};

/// How far a search is.
#[derive(Clone, Copy, Debug)]
pub struct SearchProgress {
    /// The checkpoint that was searched last.
    pub checkpoint: Checkpoint,
    /// Checkpoints searched.
    pub done: u32,
    /// Checkpoints of the range.
    pub total: u32,
}

/// What a search for a transaction came to.
#[derive(Clone, Debug)]
pub(super) enum Searched {
    /// Its ledger, and its place among the ledger's results.
    Found(LedgerSeq, u32),
    /// Nothing of the range has it, but for a file that could not be read.
    Nowhere {
        unread: Option<ArchivePath>,
    },
    Cancelled,
}

/// Looks for a transaction from the newest checkpoint down.
pub(super) async fn search_transaction(
    readers: &[&dyn ArchiveReader],
    host: &dyn Host,
    options: &ReadOptions,
    hash: &Hash256,
    range: CheckpointRange,
    progress: &mut dyn FnMut(SearchProgress),
) -> Searched {
    let total = range.count();
    let newest_first = (0..total).rev().filter_map(|index| range.nth(index));
    let mut searches = futures_util::stream::iter(newest_first)
        .map(|checkpoint| async move { (checkpoint, search_in(readers, host, options, checkpoint, hash).await) })
        .buffered(options.concurrency.first());
    let (mut done, mut unread) = (0, None);
    while let Some((checkpoint, result)) = searches.next().await {
        match result {
            _ if host.is_cancelled() => return Searched::Cancelled,
            Ok(Some((ledger, index))) => return Searched::Found(ledger, index),
            Ok(None) => {}
            Err(path) => unread = unread.or(Some(path)),
        }
        done += 1;
        progress(SearchProgress { checkpoint, done, total });
    }
    Searched::Nowhere { unread }
}

/// Looks for a transaction in a checkpoint's results, of whichever archive can be read.
async fn search_in(
    readers: &[&dyn ArchiveReader],
    host: &dyn Host,
    options: &ReadOptions,
    checkpoint: Checkpoint,
    hash: &Hash256,
) -> Result<Option<(LedgerSeq, u32)>, ArchivePath> {
    let path = ArchivePath::of_checkpoint(FileKind::Results, checkpoint);
    let mut was_read = false;
    for reader in readers {
        if host.is_cancelled() {
            break;
        }
        let mut found = None;
        let mut record = |bytes: &[u8]| {
            found = found.or_else(|| find_result(bytes, hash));
            Ok(())
        };
        was_read |= read_records(*reader, host, options, &path, &mut record).await.is_ok();
        if found.is_some() {
            return Ok(found);
        }
    }
    if was_read { Ok(None) } else { Err(path) }
}

/// A bucket that was read to its end.
#[derive(Debug)]
pub(super) struct Scanned {
    /// What its content hashes to.
    pub(super) actual: BucketHash,
    /// The record with the key.
    pub(super) entry: Option<Vec<u8>>,
    /// Bytes as stored.
    #[cfg_attr(not(feature = "explore"), allow(dead_code))]
    pub(super) compressed: u64,
}

/// Reads a bucket to its end, since only all of it has its name, and looks for a key in it. `content` is handed all of it.
pub(super) async fn scan_bucket(
    reader: &dyn ArchiveReader,
    host: &dyn Host,
    options: &ReadOptions,
    path: &ArchivePath,
    key: &LedgerKey,
    content: &mut dyn FnMut(&[u8]),
) -> Result<Scanned, DumpError> {
    let (mut hasher, mut entry) = (Hasher::default(), None);
    let mut record = |bytes: &[u8]| {
        // The mark of a record is all that stands between it and the one before.
        for part in [&mark(bytes.len()).ok_or("the record is too long")?, bytes] {
            hasher.update(part);
            content(part);
        }
        if is_entry_of(bytes, key) {
            entry = Some(bytes.to_vec());
        }
        Ok(())
    };
    let read = read_records(reader, host, options, path, &mut record).await?;
    Ok(Scanned { actual: BucketHash::new(hasher.finish()), entry, compressed: read.compressed })
}
