//! One bucket: its name against its content, and in deep mode its entries (rules B.9).
//!
//! Streamed: a bucket of any size takes the window of the inflater and one entry.

use core::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stellar_xdr::{BucketListType, ContractDataDurability, LedgerEntryType, LedgerKey, Limits, WriteXdr};

use super::checkpoint::{Delivery, Rules, Status, decode_finding, file_finding};
use super::finding::{Finding, FindingCode, Note};
use super::xdr::{Cursor, XdrError, types};
use crate::archive::path::ArchivePath;
use crate::archive::state::BucketHash;
use crate::codec::file::RecordSink;
use crate::codec::hash::{Hash256, WholeHasher};
use crate::codec::record::Record;

/// Which bucket list.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ListKind {
    /// The live one.
    Live,
    /// The hot archive (CAP-62).
    HotArchive,
}

impl ListKind {
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Live => "currentBuckets",
            Self::HotArchive => "hotArchiveBuckets",
        }
    }
}

/// Where a bucket is named.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BucketUse {
    /// In which list.
    pub list: ListKind,
    /// Whether as the oldest bucket of all, which has no tombstones.
    pub lowest: bool,
}

/// What is known of a bucket once it was read.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BucketFacts {
    /// The protocol in its METAENTRY; 0 without one, which means below 11.
    pub version: u32,
    /// The list that it was read for, which its METAENTRY agrees with (in deep mode).
    pub list: ListKind,
    /// Whether it has tombstones (known in deep mode only).
    pub has_tombstones: bool,
}

/// What a bucket turned out to be.
#[derive(Clone, Debug)]
pub struct BucketReport {
    /// Which.
    pub bucket: BucketHash,
    /// The outcome.
    pub status: Status,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What is worth saying.
    pub notes: Vec<Note>,
    /// What is known of it, if its content is what its name says.
    pub facts: Option<BucketFacts>,
    /// Where its entries are, if that was asked for and its content is what its name says.
    pub index: Option<BucketIndex>,
}

/// Where the entries of a bucket are: offsets of their bytes, behind the record mark, in the inflated file, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketIndex {
    /// By the key's XDR, of which there is one.
    offsets: BTreeMap<Vec<u8>, u64>,
}

impl BucketIndex {
    /// The offset of the entry with a key.
    #[must_use]
    pub fn offset(&self, key: &LedgerKey) -> Option<u64> {
        self.offsets.get(&key.to_xdr(Limits::none()).ok()?).copied()
    }

    /// How many entries there are, without the METAENTRY.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }
}

/// Takes the content of one bucket.
#[derive(Debug)]
pub struct BucketCheck<'a> {
    rules: &'a Rules,
    bucket: BucketHash,
    list: ListKind,
    /// The protocol of the ledger that names it, where that is known.
    protocol: Option<u32>,
    path: ArchivePath,
    hasher: WholeHasher,
    facts: BucketFacts,
    /// The key of the entry before and that of the entry, as XDR.
    last_key: Option<Vec<u8>>,
    key: Vec<u8>,
    index: Option<BucketIndex>,
    findings: Vec<Finding>,
    notes: Vec<Note>,
}

/// CAP-20: METAENTRY and INITENTRY.
const FIRST_PROTOCOL_WITH_META: u32 = 11;
/// Live buckets say so from here on.
const FIRST_PROTOCOL_WITH_LIST_TYPE: u32 = 23;
/// Content findings kept of one bucket.
const FINDINGS_KEPT: usize = 8;

impl<'a> BucketCheck<'a> {
    /// For a bucket that a list names at a ledger of that protocol.
    #[must_use]
    pub fn new(rules: &'a Rules, bucket: BucketHash, list: ListKind, protocol: Option<u32>) -> Self {
        Self {
            rules,
            bucket,
            list,
            protocol,
            path: ArchivePath::of_bucket(bucket),
            hasher: WholeHasher::default(),
            facts: BucketFacts { version: 0, list, has_tombstones: false },
            last_key: None,
            key: Vec::new(),
            index: None,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Also notes where each entry is; every entry is then looked at, as stellar-core's `VerifyBucketWork` does.
    #[must_use]
    pub fn indexing(mut self) -> Self {
        self.index = Some(BucketIndex::default());
        self
    }

    /// What the bucket turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(mut self, delivery: Delivery) -> BucketReport {
        let mut status = Status::Verified;
        let hash = BucketHash::new(core::mem::take(&mut self.hasher).finish());
        match delivery {
            Delivery::Missing => {
                self.findings = vec![self.finding(FindingCode::BucketMissing, "the bucket is not in the archive")];
            }
            Delivery::NotRead(why) => {
                self.findings.clear();
                status = Status::Unchecked(why);
            }
            Delivery::Read(Ok(summary)) => {
                if hash != self.bucket {
                    self.mismatch(hash);
                }
                if hash == self.bucket && summary.records == 0 {
                    let message = "the empty bucket is named by the hash of nothing, not by the zero hash that stands for it";
                    self.findings.push(self.finding(FindingCode::BucketEntry, message));
                }
                if summary.zero_padding > 0 {
                    let message = format!("{} zero bytes follow the gzip data", summary.zero_padding);
                    self.findings.push(self.finding(FindingCode::GzipCorrupt, &message).as_warning());
                }
                if summary.already_inflated {
                    self.notes.push(Note {
                        code: "already-inflated".into(),
                        path: Some(self.path.clone()),
                        checkpoint: None,
                        message: "the server sent the bucket with Content-Encoding: gzip, so it arrived inflated".into(),
                    });
                }
            }
            Delivery::Read(Err(error @ crate::codec::file::FileError::Framing(_))) if hash == self.bucket => {
                self.findings.push(file_finding(self.path.clone(), &error).at_bucket(self.bucket));
            }
            Delivery::Read(Err(crate::codec::file::FileError::Framing(_))) => self.mismatch(hash),
            Delivery::Read(Err(error)) => self.findings = vec![file_finding(self.path.clone(), &error).at_bucket(self.bucket)],
        }
        if self.findings.iter().any(Finding::is_error) {
            status = Status::Faulty;
        }
        let facts = (status == Status::Verified).then_some(self.facts);
        let index = self.index.filter(|_| status == Status::Verified);
        BucketReport { bucket: self.bucket, status, findings: self.findings, notes: self.notes, facts, index }
    }

    /// Content of another name says nothing about this one.
    fn mismatch(&mut self, hash: BucketHash) {
        let finding = self.finding(FindingCode::BucketHashMismatch, "the bucket's content does not hash to its name");
        self.findings = vec![finding.comparing(self.bucket, hash)];
    }

    fn entry(&mut self, record: Record<'_>) -> Result<(), XdrError> {
        if !self.rules.deep && self.index.is_none() {
            // The version of a bucket is all that the levels are compared by.
            let mut cursor = Cursor::new(record.bytes);
            if record.index == 0 && cursor.u32() == Ok(METAENTRY) {
                self.facts.version = cursor.u32()?;
            }
            return Ok(());
        }
        let depth = self.rules.budget.xdr_depth;
        match self.list {
            ListKind::Live => types::BUCKET_ENTRY.check(record.bytes, depth)?,
            ListKind::HotArchive => types::HOT_ARCHIVE_BUCKET_ENTRY.check(record.bytes, depth)?,
        }
        let mut cursor = Cursor::new(record.bytes);
        let kind = cursor.u32()?;
        if self.list == ListKind::HotArchive && record.index == 0 && kind != METAENTRY {
            self.report(FindingCode::BucketMeta, record, "a hot archive bucket does not begin with a METAENTRY");
        }
        if kind == METAENTRY {
            return self.meta(record, cursor);
        }
        self.key.clear();
        match (self.list, kind) {
            (ListKind::Live, DEADENTRY) | (ListKind::HotArchive, HOT_ARCHIVE_LIVE) => {
                self.facts.has_tombstones = true;
                self.key.extend_from_slice(cursor.rest());
            }
            _ => key_of_entry(cursor, depth, &mut self.key)?,
        }
        match self.list {
            ListKind::Live if kind == INITENTRY && self.facts.version < FIRST_PROTOCOL_WITH_META => {
                self.report(FindingCode::BucketMeta, record, "an INITENTRY is in a bucket without METAENTRY");
            }
            ListKind::HotArchive if !is_persistent_key(&self.key) => {
                self.report(FindingCode::BucketEntry, record, "an entry of a kind that is never archived is in the hot archive");
            }
            _ => {}
        }
        self.take_key(record);
        Ok(())
    }

    fn meta(&mut self, record: Record<'_>, mut cursor: Cursor<'_>) -> Result<(), XdrError> {
        if record.index != 0 {
            self.report(FindingCode::BucketMeta, record, "a METAENTRY is not the first entry");
            return Ok(());
        }
        let version = cursor.u32()?;
        self.facts.version = version;
        if version < FIRST_PROTOCOL_WITH_META {
            self.report(FindingCode::BucketMeta, record, "the METAENTRY names a protocol that has none");
        }
        if self.protocol.is_some_and(|protocol| version > protocol) {
            self.report(
                FindingCode::BucketMeta,
                record,
                "the METAENTRY names a later protocol than that of the ledger that names the bucket",
            );
        }
        let list = if cursor.u32()? == 1 { Some(cursor.i32()?) } else { None };
        let fits = match (self.list, list) {
            (ListKind::HotArchive, list) => list == Some(i32::from(BucketListType::HotArchive)),
            (ListKind::Live, None) => version < FIRST_PROTOCOL_WITH_LIST_TYPE,
            (ListKind::Live, Some(list)) => list == i32::from(BucketListType::Live) && version >= FIRST_PROTOCOL_WITH_LIST_TYPE,
        };
        if !fits {
            self.report(FindingCode::BucketMeta, record, "the METAENTRY says that the bucket belongs to the other bucket list");
        }
        Ok(())
    }

    /// Holds the key of the entry against the one before.
    fn take_key(&mut self, record: Record<'_>) {
        match self.last_key.as_ref().map(|last| types::LEDGER_KEY.compare(last, &self.key)) {
            Some(Ordering::Equal) => self.report(FindingCode::BucketOrder, record, "two entries of the bucket have the same key"),
            Some(Ordering::Greater) => {
                self.report(FindingCode::BucketOrder, record, "the entries of the bucket are not in the order of their keys")
            }
            Some(Ordering::Less) | None => {}
        }
        if let Some(index) = &mut self.index {
            index.offsets.insert(self.key.clone(), record.offset);
        }
        core::mem::swap(self.last_key.get_or_insert_default(), &mut self.key);
    }

    fn report(&mut self, code: FindingCode, record: Record<'_>, message: &str) {
        if self.findings.len() < FINDINGS_KEPT {
            let finding = self.finding(code, message);
            self.findings.push(finding.at_offset(record.offset));
        }
    }

    fn finding(&self, code: FindingCode, message: &str) -> Finding {
        Finding::new(code, self.path.clone(), message).at_bucket(self.bucket)
    }
}

impl RecordSink for BucketCheck<'_> {
    fn bytes(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
    }

    fn undigested(&self) -> Option<&[u8]> {
        self.hasher.undigested()
    }

    fn digested(&mut self, hash: Hash256) {
        self.hasher.digested(hash);
    }

    fn record(&mut self, record: Record<'_>) {
        let Err(error) = self.entry(record) else { return };
        if self.protocol.is_some_and(|protocol| protocol > self.rules.last_known_protocol) {
            if self.notes.is_empty() {
                let message = format!("the bucket has entries that are newer than this verifier: {error}");
                self.notes.push(Note { code: "newer-xdr".into(), path: Some(self.path.clone()), checkpoint: None, message });
            }
        } else if self.findings.len() < FINDINGS_KEPT {
            let finding = decode_finding(self.path.clone(), "an entry of the bucket does not decode", &error);
            self.findings.push(finding.at_bucket(self.bucket).at_offset(record.offset));
        }
    }

    /// The hash is worth having even if the records are not: it tells a damaged bucket from a crafted one.
    fn wants_bytes_after_framing_error(&self) -> bool {
        true
    }
}

/// `BucketEntryType` and `HotArchiveBucketEntryType` METAENTRY, -1.
const METAENTRY: u32 = u32::MAX;

/// `BucketEntryType` INITENTRY.
const INITENTRY: u32 = 2;
/// `BucketEntryType` DEADENTRY.
const DEADENTRY: u32 = 1;
/// `HotArchiveBucketEntryType` HOT_ARCHIVE_LIVE.
const HOT_ARCHIVE_LIVE: u32 = 1;

/// Appends the key of a `LedgerEntry`, at which the cursor is. A key is its entry's type, and then some fields of the entry that
/// stand together: mostly its first ones.
fn key_of_entry(mut cursor: Cursor<'_>, depth: u32, key: &mut Vec<u8>) -> Result<(), XdrError> {
    // lastModifiedLedgerSeq
    cursor.u32()?;
    let start = cursor.at();
    let kind = cursor.i32()?;
    key.extend_from_slice(cursor.since(start));
    if kind == i32::from(LedgerEntryType::ContractData) {
        // An ExtensionPoint.
        cursor.u32()?;
    } else if kind == i32::from(LedgerEntryType::ContractCode) {
        cursor.walk(&types::CONTRACT_CODE_ENTRY_EXT, depth)?;
    }
    let start = cursor.at();
    cursor.walk(types::LEDGER_KEY.arm(kind).ok_or(XdrError::Invalid("a LedgerEntry has an unknown type"))?, depth)?;
    key.extend_from_slice(cursor.since(start));
    Ok(())
}

/// Only persistent contract data and code are archived.
fn is_persistent_key(key: &[u8]) -> bool {
    let number = |bytes: Option<&[u8; 4]>| bytes.map(|bytes| i32::from_be_bytes(*bytes));
    let kind = number(key.first_chunk());
    kind == Some(LedgerEntryType::ContractCode.into())
        // Its durability stands last.
        || (kind == Some(LedgerEntryType::ContractData.into()) && number(key.last_chunk()) == Some(ContractDataDurability::Persistent.into()))
}
