//! `CheckpointData`: a checkpoint's files, verified and held.

use std::collections::BTreeMap;

use stellar_xdr::{Limited, Limits, ReadXdr};

use super::state::{HistoryWorkState, SharedHistoryState};
use crate::archive::path::FileKind;
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::verify::bucket_list::check_against_header;
use crate::verify::checkpoint::Status;
use crate::verify::finding::Finding;

/// A checkpoint's files. Records are the exact bytes of the archive, without their marks: nothing is re-encoded.
#[derive(Clone, Debug)]
pub struct CheckpointData {
    /// The state.
    pub history_archive_state: HistoryArchiveState,
    /// The state's JSON as the archive has it.
    pub history_json: Vec<u8>,
    /// `LedgerHeaderHistoryEntry`, one a ledger.
    pub headers: Vec<Vec<u8>>,
    /// `TransactionHistoryEntry`, one a ledger that has transactions.
    pub transactions: Vec<Vec<u8>>,
    /// `TransactionHistoryResultEntry`, one a ledger that has transactions.
    pub tx_results: Vec<Vec<u8>>,
    /// `ScpHistoryEntry`; empty where the archive has none.
    pub scp_history: Vec<Vec<u8>>,
    /// Inflated buckets, where they were wanted.
    pub buckets: BTreeMap<BucketHash, Vec<u8>>,
}

/// Why there is no [`CheckpointData`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum MissingData {
    /// A file is faulty.
    #[error("{}: {}", .0.path, .0.message)]
    Faulty(Box<Finding>),
    /// A file could not be read.
    #[error("{}: {}", .0.path.as_ref().map_or_else(String::new, ToString::to_string), .0.message)]
    Unreadable(crate::archive::error::RunError),
    /// The work did not come to an end, or was not asked to hold files.
    #[error("the {0} file was not downloaded: run the work to its end, with a state that holds records")]
    NotDownloaded(&'static str),
}

/// Moves the files out of the state; nothing is copied, and the state is empty afterwards.
///
/// # Errors
/// The first file that is faulty, could not be read or was not downloaded. The state then keeps what it has.
pub fn build_checkpoint_data(state: &SharedHistoryState) -> Result<CheckpointData, MissingData> {
    let mut state = state.lock();
    check_state_against_headers(&mut state);
    if let Some(finding) = state.findings().find(|finding| finding.is_error()) {
        return Err(MissingData::Faulty(Box::new(finding.clone())));
    }
    if let Some(error) = state.errors.first() {
        return Err(MissingData::Unreadable(error.clone()));
    }
    let statuses = [
        (FileKind::History, state.history.as_ref().map(|report| report.status)),
        (FileKind::Ledger, state.ledger.as_ref().map(|report| report.status)),
        (FileKind::Transactions, state.transactions.as_ref().map(|report| report.status)),
        (FileKind::Results, state.results.as_ref().map(|report| report.status)),
    ];
    let held = state.hold.records;
    if let Some((kind, _)) = statuses.into_iter().find(|(_, status)| !held || *status != Some(Status::Verified)) {
        return Err(MissingData::NotDownloaded(kind.name()));
    }
    let scp = state.scp.as_ref().map(|report| report.status);
    if scp.is_none_or(|status| matches!(status, Status::Unchecked(why) if why.is_incomplete())) {
        return Err(MissingData::NotDownloaded(FileKind::Scp.name()));
    }
    if state.hold.buckets && !state.buckets_complete {
        return Err(MissingData::NotDownloaded("bucket"));
    }
    let Some(history_archive_state) = state.history.take().and_then(|report| report.facts) else {
        return Err(MissingData::NotDownloaded(FileKind::History.name()));
    };
    let taken = core::mem::take(&mut *state);
    let mut records = taken.records;
    let mut of = |kind| records.remove(&kind).unwrap_or_default();
    Ok(CheckpointData {
        history_archive_state,
        history_json: taken.history_json,
        headers: of(FileKind::Ledger),
        transactions: of(FileKind::Transactions),
        tx_results: of(FileKind::Results),
        scp_history: of(FileKind::Scp),
        buckets: taken.bucket_content,
    })
}

/// The buckets that the state names are those that the last header commits to (rules B.6).
fn check_state_against_headers(state: &mut HistoryWorkState) {
    let HistoryWorkState { history: Some(history), ledger: Some(ledger), .. } = state else { return };
    if history.status == Status::Verified {
        check_against_header(history, &ledger.facts);
        history.settle();
    }
}

/// Decodes records, with the verifier's caps on nesting.
///
/// # Errors
/// stellar-xdr's, for a record that is newer than it.
pub fn decode<T: ReadXdr>(records: &[Vec<u8>]) -> Result<Vec<T>, stellar_xdr::Error> {
    let depth = crate::limits::Budget::default().xdr_depth;
    records.iter().map(|record| T::read_xdr_to_end(&mut Limited::new(record.as_slice(), Limits { depth, len: record.len() }))).collect()
}
