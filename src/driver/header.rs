//! One header in several archives.

use std::sync::PoisonError;

use serde::Serialize;

use super::Host;
use super::options::{ReadOptions, UsageError};
use super::schedule::Drive;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::codec::hash::Hash256;
use crate::historywork::archives::{Accounts, Archives};
use crate::historywork::check_single_ledger_header_work::{CheckSingleLedgerHeaderWork, Compared, HeaderComparison, KnownHeader};
use crate::historywork::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use crate::historywork::metrics::Metrics;
use crate::historywork::{DOWNLOAD, scheduler};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::finding::{Finding, FindingCode};
use crate::verify::header::HeaderEntry;
use crate::work::WorkSpec;

/// One header in several archives.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderChecks {
    /// The ledger.
    pub ledger: LedgerSeq,
    /// What they were compared with.
    pub expected: Option<ExpectedHeader>,
    /// Each archive.
    pub checks: Vec<HeaderCheck>,
    /// What was counted.
    pub metrics: Metrics,
}

/// What headers were compared with.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedHeader {
    /// Its hash.
    pub hash: Hash256,
    /// Whose it is: `given`, or an archive's name.
    pub from: String,
}

/// One header in one archive.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderCheck {
    /// The archive's name.
    pub archive: String,
    /// `match`, `differs`, `missing` or `unreadable`.
    pub status: &'static str,
    /// The hash of the header that it has.
    pub hash: Option<Hash256>,
    /// In words.
    pub message: String,
    /// What to do next.
    pub advice: Option<String>,
}

/// Compares a ledger's header in every archive with what is known of it; where nothing is, with the first archive that has
/// one whose bytes hash to what it says.
///
/// # Errors
/// If there is no such ledger, or what is known is no header of it.
pub async fn check_header(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    ledger: LedgerSeq,
    mut known: KnownHeader,
) -> Result<HeaderChecks, UsageError> {
    if ledger.value() == 0 {
        return Err(UsageError("ledger 0 has no header: the first ledger is 1".into()));
    }
    let mut expected = match &known {
        KnownHeader::Nothing => None,
        KnownHeader::Hash(hash) => Some(ExpectedHeader { hash: *hash, from: "given".into() }),
        KnownHeader::Entry(entry) => {
            let entry =
                HeaderEntry::parse(entry).map_err(|error| UsageError(format!("the entry is no LedgerHeaderHistoryEntry: {error}")))?;
            if entry.header.sequence != ledger {
                return Err(UsageError(format!("the entry is of ledger {}, not {ledger}", entry.header.sequence)));
            }
            Some(ExpectedHeader { hash: entry.header.hash, from: "given".into() })
        }
    };
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let archives = options.archives(&pool, options.network.clone());
    let checkpoint = options.frequency.containing(ledger);
    let (mut success, mut failure, mut accounts) = (0, 0, Accounts::default());
    let mut checks = Vec::new();
    for id in pool.ids() {
        let (comparison, settled) = one_header(&drive, options, archives.clone(), id, checkpoint, ledger, known.clone()).await;
        accounts.add(&settled.accounts);
        let archive = pool.name(id).to_owned();
        let check = match comparison {
            HeaderComparison::Match(found) => {
                success += 1;
                let from = expected.as_ref().map_or("itself: its bytes hash to what it says", |expected| expected.from.as_str());
                let message = format!("the header agrees with {from}");
                if known == KnownHeader::Nothing {
                    expected = Some(ExpectedHeader { hash: found.hash, from: archive.clone() });
                    known = KnownHeader::Entry(found.entry);
                }
                HeaderCheck { archive, status: "match", hash: Some(found.hash), message, advice: None }
            }
            HeaderComparison::Differs(found) => {
                failure += 1;
                let message = if found.hash != found.claimed {
                    format!("the header's bytes hash to {}, but the file says {}", found.hash, found.claimed)
                } else if expected.as_ref().is_some_and(|expected| expected.hash == found.hash) {
                    "the header is the same, but the entry around it is not".into()
                } else {
                    "the archive has another header of this ledger".into()
                };
                let advice = "verify the archive: either it is faulty or of another network, or what it was compared with is".into();
                HeaderCheck { archive, status: "differs", hash: Some(found.hash), message, advice: Some(advice) }
            }
            HeaderComparison::Missing(message) => {
                failure += 1;
                let fault = settled.findings.into_iter().find(Finding::is_error);
                let advice = fault.as_ref().map(|finding| finding.advice.to_string());
                let message = fault.filter(|finding| finding.code != FindingCode::HeaderMissing).map_or(message, |fault| fault.message);
                HeaderCheck { archive, status: "missing", hash: None, message, advice }
            }
            HeaderComparison::Unread => {
                failure += 1;
                let (message, advice) = settled.error.map_or_else(
                    || ("the file could not be read".to_owned(), None),
                    |error| (error.message, Some(error.advice.into_owned())),
                );
                HeaderCheck { archive, status: "unreadable", hash: None, message, advice }
            }
        };
        checks.push(check);
    }
    Ok(HeaderChecks { ledger, expected, checks, metrics: Metrics::of_headers(success, failure, &accounts) })
}

#[derive(Default)]
pub(super) struct SettledHeader {
    pub(super) findings: Vec<Finding>,
    pub(super) error: Option<RunError>,
    accounts: Accounts,
}

pub(super) async fn one_header(
    drive: &Drive<'_>,
    options: &ReadOptions,
    archives: Archives,
    archive: ArchiveId,
    checkpoint: Checkpoint,
    ledger: LedgerSeq,
    known: KnownHeader,
) -> (HeaderComparison, SettledHeader) {
    let into = Compared::default();
    let file = CheckSingleLedgerHeaderWork::new(archives.clone(), archive, checkpoint, ledger, known, into.clone());
    let item = GetAndUnzipRemoteFileWork::new(file, archives, options.retry, OnFault::Report);
    let spec = WorkSpec::new("CheckSingleLedgerHeaderWork", "CheckSingleLedgerHeaderWork", DOWNLOAD).retrying(options.retry);
    let mut work = scheduler(1);
    // A fresh scheduler takes everything.
    let _ = work.add(spec, Box::new(item));
    drive.run_to_completion(&mut work, &mut |_| {}).await;
    let Some((comparison, settled)) = into.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return (HeaderComparison::Unread, SettledHeader::default());
    };
    let settled = SettledHeader { findings: settled.report.findings, error: settled.error, accounts: settled.accounts };
    (comparison, settled)
}
