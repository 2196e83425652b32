//! `CheckSingleLedgerHeaderWork`: whether an archive has a ledger's header exactly as it is known (rules A.2).
//!
//! The whole entry is compared, byte by byte, or where only its hash is known, the hash of the bytes. Ledger 0 has no
//! header, and stellar-core calls that a success.

use std::sync::{Arc, Mutex, PoisonError};

use super::FileForm;
use super::archives::Archives;
use super::get_and_unzip_remote_file_work::{FileWork, Settled};
use super::stage::HistoryWorkStage;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::{FileLimits, RecordSink};
use crate::codec::hash::Hash256;
use crate::codec::record::Record;
use crate::verify::checkpoint::{Delivery, FileReport, LedgerCheck};
use crate::verify::header::HeaderEntry;

/// What is known of a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KnownHeader {
    /// The whole `LedgerHeaderHistoryEntry`, as XDR.
    Entry(Vec<u8>),
    /// The hash of the header.
    Hash(Hash256),
    /// Nothing: whatever the archive has, if its bytes hash to what it says.
    Nothing,
}

/// How a header compares.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum HeaderComparison {
    /// It is the one that is known.
    Match(FoundHeader),
    /// It is another.
    Differs(FoundHeader),
    /// The file has no sound header of the ledger, or the archive no file.
    Missing(String),
    /// The file could not be read.
    #[default]
    Unread,
}

/// The header that an archive has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FoundHeader {
    /// The whole entry, as XDR.
    pub entry: Vec<u8>,
    /// The hash of the header's bytes.
    pub hash: Hash256,
    /// The hash beside it, which is a claim.
    pub claimed: Hash256,
}

/// Where an item leaves its comparison.
pub type Compared = Arc<Mutex<Option<(HeaderComparison, Settled<FileReport<HeaderComparison>>)>>>;

/// The item's file.
#[derive(Clone, Debug)]
pub struct CheckSingleLedgerHeaderWork {
    archives: Archives,
    archive: ArchiveId,
    checkpoint: Checkpoint,
    ledger: LedgerSeq,
    known: KnownHeader,
    into: Compared,
}

impl CheckSingleLedgerHeaderWork {
    /// A ledger's header in one archive, the comparison into `into`.
    #[must_use]
    pub fn new(
        archives: Archives,
        archive: ArchiveId,
        checkpoint: Checkpoint,
        ledger: LedgerSeq,
        known: KnownHeader,
        into: Compared,
    ) -> Self {
        Self { archives, archive, checkpoint, ledger, known, into }
    }
}

impl FileWork for CheckSingleLedgerHeaderWork {
    type Report = FileReport<HeaderComparison>;
    type Check<'a> = HeaderSearch<'a>;

    const STAGE: HistoryWorkStage = HistoryWorkStage::DownloadLedgerHeaders;

    fn path(&self) -> ArchivePath {
        ArchivePath::of_checkpoint(FileKind::Ledger, self.checkpoint)
    }

    fn form(&self) -> FileForm {
        FileForm::Records(FileLimits::checkpoint_file(&self.archives.rules().budget))
    }

    fn only(&self) -> Option<ArchiveId> {
        Some(self.archive)
    }

    fn check(&self) -> HeaderSearch<'_> {
        HeaderSearch { check: LedgerCheck::new(self.archives.rules(), self.checkpoint), ledger: self.ledger, found: None }
    }

    fn report(&self, search: HeaderSearch<'_>, delivery: Delivery) -> Self::Report {
        let unread = matches!(delivery, Delivery::NotRead(_));
        let missing = delivery == Delivery::Missing;
        let report = search.check.finish(delivery);
        let comparison = match search.found {
            _ if unread => HeaderComparison::Unread,
            _ if missing => HeaderComparison::Missing("the archive has no ledger file of the checkpoint".into()),
            None => HeaderComparison::Missing("the ledger file has no header of the ledger".into()),
            Some(found) => {
                let same = match &self.known {
                    KnownHeader::Entry(entry) => found.entry == *entry,
                    KnownHeader::Hash(hash) => found.hash == *hash && found.claimed == *hash,
                    KnownHeader::Nothing => found.hash == found.claimed,
                };
                if same { HeaderComparison::Match(found) } else { HeaderComparison::Differs(found) }
            }
        };
        report.map(|_| comparison)
    }

    fn settled(&mut self, settled: Settled<Self::Report>) {
        let comparison = settled.report.facts.clone();
        *self.into.lock().unwrap_or_else(PoisonError::into_inner) = Some((comparison, settled));
    }
}

/// Takes the records of a ledger file and keeps one of them.
#[derive(Debug)]
pub struct HeaderSearch<'a> {
    check: LedgerCheck<'a>,
    ledger: LedgerSeq,
    found: Option<FoundHeader>,
}

impl RecordSink for HeaderSearch<'_> {
    fn record(&mut self, record: Record<'_>) {
        if self.found.is_none()
            && let Ok(HeaderEntry { header, claimed_hash }) = HeaderEntry::parse(record.bytes)
            && header.sequence == self.ledger
        {
            self.found = Some(FoundHeader { entry: record.bytes.to_vec(), hash: header.hash, claimed: claimed_hash });
        }
        self.check.record(record);
    }
}
