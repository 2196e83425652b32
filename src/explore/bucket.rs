//! Buckets, looked into: a page of entries, a bucket's hash, an entry that was found.
//!
//! What it is: sinks that take a bucket as it streams by, and what they come to. What it is not: the streaming.

use serde::Serialize;
use stellar_xdr::{BucketEntry, HotArchiveBucketEntry, LedgerKey, Limits, ReadXdr, WriteXdr};

use super::transaction::Xdr;
use super::words::snake_case;
use super::{Json, is_hot_archive, to_json};
use crate::archive::state::BucketHash;
use crate::codec::file::RecordSink;
use crate::codec::hash::Hasher;
use crate::codec::record::Record;
use crate::codec::{u64_from, usize_from};
use crate::trust::proof::read::to_base64;
use crate::verify::xdr::decode;

/// Entries of a page at most.
const MOST_ENTRIES: u32 = 1000;
/// Bytes of a page's entries, past which it ends early: contract code has up to hundreds of kilobytes an entry.
const MOST_BYTES: usize = 4 << 20;
/// Between two words on how far it is.
const STEP: u64 = 1 << 20;

/// A page of a bucket's entries.
#[derive(Debug, Serialize)]
pub struct BucketPage {
    /// The bucket.
    pub hash: BucketHash,
    /// The first entry of the page, counted from 0.
    pub from: u64,
    /// The entries.
    pub entries: Vec<BucketEntryView>,
    /// Whether there are more.
    pub more: bool,
}

/// An entry of a bucket.
#[derive(Debug, Serialize)]
pub struct BucketEntryView {
    /// Its place, from 0.
    pub index: u64,
    /// As XDR-JSON names it: `liveentry`, `archived` …; `unknown` if it does not decode.
    pub kind: String,
    /// The type of the ledger entry; none for metadata.
    #[serde(rename = "type")]
    pub entry_type: Option<String>,
    /// `BucketEntry` or `HotArchiveBucketEntry`.
    pub json: Option<Json>,
    /// The same, in base64.
    pub xdr: String,
}

/// A bucket read to its end.
#[derive(Clone, Debug, Serialize)]
pub struct BucketCheck {
    /// Its name.
    pub hash: BucketHash,
    /// What its content hashes to.
    pub computed: BucketHash,
    /// Whether that is its name.
    pub holds: bool,
    /// Entries, metadata included.
    pub entries: u64,
    /// Bytes as stored.
    pub compressed: u64,
    /// Bytes as inflated.
    pub inflated: u64,
}

/// How much of a bucket was read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BytesRead {
    /// Bytes as stored.
    pub compressed: u64,
    /// Bytes as inflated.
    pub inflated: u64,
}

/// An entry as it was after a checkpoint.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundEntry {
    /// `LedgerKey`.
    pub key: Xdr,
    /// `live`, `deleted` or `absent`.
    pub status: &'static str,
    /// The newest bucket that has it.
    pub bucket: Option<BucketHash>,
    /// Its level.
    pub level: Option<u32>,
    /// `curr` or `snap`.
    pub part: Option<&'static str>,
    /// `BucketEntry`.
    pub entry: Option<Xdr>,
    /// How many buckets were read.
    pub buckets_read: usize,
    /// Bytes of them, as stored.
    pub compressed: u64,
}

impl FoundEntry {
    /// No bucket has it, as far as they were read.
    #[must_use]
    pub fn absent(key: &LedgerKey, depth: u32) -> Self {
        // A key that was decoded is encoded again to the same bytes.
        let bytes = key.to_xdr(Limits::none()).unwrap_or_default();
        let key = Xdr::of::<LedgerKey>(&bytes, depth);
        Self { key, status: "absent", bucket: None, level: None, part: None, entry: None, buckets_read: 0, compressed: 0 }
    }

    /// A bucket has it.
    #[must_use]
    pub fn found(self, bucket: BucketHash, level: u32, is_curr: bool, record: &[u8], depth: u32) -> Self {
        let dead = matches!(decode::<BucketEntry>(record, depth), Ok(BucketEntry::Deadentry(_)));
        Self {
            status: if dead { "deleted" } else { "live" },
            bucket: Some(bucket),
            level: Some(level),
            part: Some(if is_curr { "curr" } else { "snap" }),
            entry: Some(Xdr::of::<BucketEntry>(record, depth)),
            ..self
        }
    }
}

/// Takes the entries of a page, and no more of the bucket than that.
#[derive(Debug)]
pub struct PageSink {
    from: u64,
    limit: usize,
    depth: u32,
    hot_archive: bool,
    bytes: usize,
    records: Vec<(u64, Vec<u8>)>,
    more: bool,
}

impl PageSink {
    /// A page of so many entries.
    #[must_use]
    pub fn new(from: u64, limit: u32, depth: u32) -> Self {
        let limit = usize_from(limit.clamp(1, MOST_ENTRIES));
        Self { from, limit, depth, hot_archive: false, bytes: 0, records: Vec::new(), more: false }
    }

    /// Forgets what it took.
    pub fn clear(&mut self) {
        (self.bytes, self.more) = (0, false);
        self.records.clear();
    }

    /// Whether it has all that it wants; the rest of the bucket does not matter then.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.more
    }

    /// The page.
    #[must_use]
    pub fn page(self, hash: BucketHash) -> BucketPage {
        let view = |(index, bytes): (u64, Vec<u8>)| {
            let (kind, entry_type, json) = if self.hot_archive { of_hot_archive(&bytes, self.depth) } else { of_live(&bytes, self.depth) };
            BucketEntryView { index, kind: kind.map_or_else(|| "unknown".to_owned(), snake_case), entry_type, json, xdr: to_base64(&bytes) }
        };
        BucketPage { hash, from: self.from, entries: self.records.into_iter().map(view).collect(), more: self.more }
    }
}

type Parts = (Option<&'static str>, Option<String>, Option<Json>);

fn of_live(bytes: &[u8], depth: u32) -> Parts {
    parts::<BucketEntry>(bytes, depth, |entry| {
        let kind = match entry {
            BucketEntry::Liveentry(own) | BucketEntry::Initentry(own) => Some(own.data.name()),
            BucketEntry::Deadentry(key) => Some(key.name()),
            BucketEntry::Metaentry(_) => None,
        };
        (entry.name(), kind)
    })
}

fn of_hot_archive(bytes: &[u8], depth: u32) -> Parts {
    parts::<HotArchiveBucketEntry>(bytes, depth, |entry| {
        let kind = match entry {
            HotArchiveBucketEntry::Archived(own) => Some(own.data.name()),
            HotArchiveBucketEntry::Live(key) => Some(key.name()),
            HotArchiveBucketEntry::Metaentry(_) => None,
        };
        (entry.name(), kind)
    })
}

fn parts<T: ReadXdr + Serialize>(bytes: &[u8], depth: u32, names: impl Fn(&T) -> (&'static str, Option<&'static str>)) -> Parts {
    let Ok(entry) = decode::<T>(bytes, depth) else { return (None, None, None) };
    let (kind, entry_type) = names(&entry);
    (Some(kind), entry_type.map(snake_case), to_json(&entry))
}

impl RecordSink for PageSink {
    fn record(&mut self, record: Record<'_>) {
        if record.index == 0 {
            self.hot_archive = is_hot_archive(record.bytes, self.depth);
        }
        if record.index < self.from || self.more {
            return;
        }
        let full = self.records.len() >= self.limit || (!self.records.is_empty() && self.bytes > MOST_BYTES);
        if full {
            self.more = true;
            return;
        }
        self.bytes = self.bytes.saturating_add(record.bytes.len());
        self.records.push((record.index, record.bytes.to_vec()));
    }

    fn wants_more(&self) -> bool {
        !self.more
    }
}

/// Hashes a bucket.
#[allow(missing_debug_implementations)] // a listener has none
pub struct CheckSink<'a> {
    hasher: Hasher,
    read: BytesRead,
    said: u64,
    entries: u64,
    progress: &'a mut dyn FnMut(BytesRead),
}

impl<'a> CheckSink<'a> {
    /// At the start of a bucket.
    pub fn new(progress: &'a mut dyn FnMut(BytesRead)) -> Self {
        Self { hasher: Hasher::default(), read: BytesRead { compressed: 0, inflated: 0 }, said: 0, entries: 0, progress }
    }

    /// Forgets what it took.
    pub fn clear(&mut self) {
        self.hasher = Hasher::default();
        (self.read, self.said, self.entries) = (BytesRead { compressed: 0, inflated: 0 }, 0, 0);
    }

    /// What it came to, once all of it was read.
    #[must_use]
    pub fn check(self, hash: BucketHash) -> BucketCheck {
        let computed = BucketHash::new(self.hasher.finish());
        let BytesRead { compressed, inflated } = self.read;
        BucketCheck { hash, computed, holds: computed == hash, entries: self.entries, compressed, inflated }
    }
}

impl RecordSink for CheckSink<'_> {
    fn bytes(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.read.inflated = self.read.inflated.saturating_add(u64_from(chunk.len()));
        if self.read.inflated.saturating_sub(self.said) >= STEP {
            self.said = self.read.inflated;
            (self.progress)(self.read);
        }
    }

    fn record(&mut self, _: Record<'_>) {
        self.entries = self.entries.saturating_add(1);
    }

    fn stored(&mut self, part: &[u8]) {
        self.read.compressed = self.read.compressed.saturating_add(u64_from(part.len()));
    }

    fn wants_bytes_after_framing_error(&self) -> bool {
        true
    }
}
