//! `WriteSnapshotWork`: the content of a checkpoint's files from the records that are held, byte by byte as they are; and
//! nothing that a verifier would refuse (rules A.2, A.3 `CheckpointBuilder`).
//!
//! What it is: record marks, and the choice of records: ledgers without results have neither a transaction nor a result
//! entry (rules E 1), and an scp file without a message is none. What it is not: a judge; that is [`crate::verify`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stellar_xdr::ScpHistoryEntry;

use super::archives::Archives;
use super::checkpoint_data::{MissingData, decode};
use super::resolve_snapshot_work::{facts_of, protocol};
use super::stage::HistoryWorkStage;
use super::state::{HistoryWorkState, SharedHistoryState};
use super::{HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::FileKind;
use crate::codec::file::{FileSummary, RecordSink};
use crate::codec::record::{Record, mark};
use crate::codec::u64_from;
use crate::verify::bucket_list::check_levels;
use crate::verify::checkpoint::{CheckpointFiles, Delivery, FileReport, Headers, LedgerCheck, Rules, Unchecked, assemble};
use crate::verify::results::ResultsCheck;
use crate::verify::scp::ScpCheck;
use crate::verify::state::{JsonDelivery, check_checkpoint_state};
use crate::verify::transactions::TransactionsCheck;
use crate::work::Ran;

/// The item.
#[derive(Debug)]
pub struct WriteSnapshotWork {
    archives: Archives,
    checkpoint: Checkpoint,
    state: SharedHistoryState,
}

impl WriteSnapshotWork {
    /// For the checkpoint that is in `state`.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, state: SharedHistoryState) -> Self {
        Self { archives, checkpoint, state }
    }
}

impl HistoryWork for WriteSnapshotWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        let mut state = self.state.lock();
        state.begin(HistoryWorkStage::WriteSnapshot);
        match write(&state, self.checkpoint, self.archives.rules()) {
            Ok((content, headers)) => {
                state.publishing.content = content;
                state.publishing.goes_on_from = headers.first().map(|header| header.previous_hash);
                Step::Ended(Ran::Success)
            }
            Err(reason) => {
                state.publishing.refused = Some(reason);
                Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 })
            }
        }
    }
}

type Records<'a> = Vec<&'a [u8]>;

type Content = BTreeMap<FileKind, Vec<u8>>;

fn write(state: &HistoryWorkState, checkpoint: Checkpoint, rules: &Rules) -> Result<(Content, Arc<Headers>), MissingData> {
    let held = |kind: FileKind| {
        let records = state.records.get(&kind).filter(|_| state.hold.records).ok_or(MissingData::NotDownloaded(kind.name()));
        records.map(|records| records.iter().map(Vec::as_slice).collect::<Records<'_>>())
    };
    let (headers, mut transactions, mut results) = (held(FileKind::Ledger)?, held(FileKind::Transactions)?, held(FileKind::Results)?);
    let busy: BTreeSet<_> = results.iter().filter(|result| has_results(result)).filter_map(|result| ledger_of(result)).collect();
    // What is no entry at all stays, to be refused.
    let is_busy = |record: &&[u8]| ledger_of(record).is_none_or(|ledger| busy.contains(&ledger));
    transactions.retain(is_busy);
    results.retain(is_busy);
    let scp = held(FileKind::Scp).ok().filter(|_| has_messages(state));
    let sound = check(state, checkpoint, rules, &headers, &transactions, &results, scp.as_ref())?;
    let files = [
        (FileKind::Ledger, Some(headers)),
        (FileKind::Transactions, Some(transactions)),
        (FileKind::Results, Some(results)),
        (FileKind::Scp, scp),
    ];
    let files = files.into_iter().filter_map(|(kind, records)| Some((kind, records?)));
    let content: Result<Content, MissingData> = files.map(|(kind, records)| Ok((kind, file_of(kind, &records)?))).collect();
    Ok((content?, sound))
}

fn file_of(kind: FileKind, records: &[&[u8]]) -> Result<Vec<u8>, MissingData> {
    let mut file = Vec::with_capacity(records.iter().map(|record| record.len() + 4).sum());
    for record in records {
        file.extend(mark(record.len()).ok_or(MissingData::NotDownloaded(kind.name()))?);
        file.extend_from_slice(record);
    }
    Ok(file)
}

/// The ledger that a transaction or result entry begins with.
fn ledger_of(record: &[u8]) -> Option<u32> {
    record.first_chunk::<4>().map(|ledger| u32::from_be_bytes(*ledger))
}

/// Whether a result entry has a result: the number of them follows its ledger.
fn has_results(record: &[u8]) -> bool {
    record.get(4..8).is_none_or(|count| count != [0; 4])
}

/// Whether an scp file has something to say. One that cannot be understood has, and is refused.
fn has_messages(state: &HistoryWorkState) -> bool {
    let records = state.records.get(&FileKind::Scp).map(Vec::as_slice).unwrap_or_default();
    decode::<ScpHistoryEntry>(records)
        .map_or(true, |entries| entries.iter().any(|ScpHistoryEntry::V0(entry)| !entry.ledger_messages.messages.is_empty()))
}

/// Holds what is about to be written against the rules, exactly as it would be read again. Gives the headers.
fn check(
    state: &HistoryWorkState,
    checkpoint: Checkpoint,
    rules: &Rules,
    headers: &[&[u8]],
    transactions: &[&[u8]],
    results: &[&[u8]],
    scp: Option<&Records<'_>>,
) -> Result<Arc<Headers>, MissingData> {
    let Some(has) = &state.publishing.resolved else { return Err(MissingData::NotDownloaded(FileKind::History.name())) };
    let history = check_checkpoint_state(rules, checkpoint, JsonDelivery::Read(has.to_json().as_bytes()));
    let (ledger, delivery) = fed(LedgerCheck::new(rules, checkpoint), headers);
    let ledger: FileReport<Arc<_>> = ledger.finish(delivery).map(Arc::new);
    let headers = Arc::clone(&ledger.facts);
    let (sets, delivery) = fed(TransactionsCheck::new(rules, &headers), transactions);
    let transactions = sets.finish(delivery).map(Arc::new);
    let facts = Arc::clone(&transactions.facts);
    let known = if rules.deep { facts.transactions.as_slice() } else { &[] };
    let (check, delivery) = fed(ResultsCheck::new(rules, &headers, known), results);
    let results = check.finish(delivery);
    let (check, delivery) = match scp {
        Some(records) => fed(ScpCheck::new(rules, &headers, false), records),
        None => (ScpCheck::new(rules, &headers, false), Delivery::NotRead(Unchecked::OptionalAbsent)),
    };
    let scp = check.finish(delivery);
    let levels = check_levels(has, checkpoint, protocol(state), rules.deep, &|bucket| facts_of(state, bucket));
    let outcome = assemble(CheckpointFiles { history, ledger, transactions, results, scp });
    let findings = levels.iter().chain(outcome.segment.findings().list());
    match findings.into_iter().find(|finding| finding.is_error()) {
        Some(finding) => Err(MissingData::Faulty(Box::new(finding.clone()))),
        None => Ok(headers),
    }
}

/// A check that took records as if they were read.
fn fed<C: RecordSink>(mut check: C, records: &[&[u8]]) -> (C, Delivery) {
    let (mut index, mut offset) = (0, 4);
    for bytes in records {
        check.record(Record { index, offset, bytes });
        index += 1;
        offset += 4 + u64_from(bytes.len());
    }
    (check, Delivery::Read(Ok(FileSummary { already_inflated: false, zero_padding: 0, records: index })))
}
