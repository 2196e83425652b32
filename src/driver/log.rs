//! A line a checkpoint.

use std::sync::Arc;

use serde::Serialize;

use super::Host;
use super::options::ReadOptions;
use super::probe::Probe;
use super::roots::read_roots;
use super::schedule::{Drive, DriveEvent};
use super::verify::RunOptions;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::hash::Hash256;
use crate::historywork::batch_download_work::BatchDownloadWork;
use crate::historywork::plan::{Order, Plan};
use crate::historywork::{COORDINATE, HistoryEvent, HistoryWorkState, SharedHistoryState, scheduler};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::checkpoint::{Headers, Status};
use crate::verify::finding::{Finding, FindingCode, Note};
use crate::work::WorkSpec;

/// One line of a log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// The checkpoint.
    pub checkpoint: LedgerSeq,
    /// Its first ledger.
    pub first: LedgerSeq,
    /// Its last ledger.
    pub last: LedgerSeq,
    /// The hash of its last header.
    pub hash: Option<Hash256>,
    /// When its last ledger closed, in seconds since 1970, decimal.
    pub close_time: Option<String>,
    /// The protocol of its last ledger.
    pub protocol: Option<u32>,
    /// The base fee of its last ledger, in stroops.
    pub base_fee: Option<u32>,
    /// `verified`, `faulty` or `unchecked`: of the ledger file by itself.
    pub status: &'static str,
    /// What is wrong, or why it was not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a log came to.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEnd {
    /// Lines.
    pub checkpoints: u64,
    /// What is wrong with ledger files, and with the newest states.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub errors: Vec<RunError>,
    /// Where the log begins and ends otherwise than was asked for.
    pub notes: Vec<Note>,
}

/// Which checkpoints are logged.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRange {
    /// The lowest ledger; by default where the archives begin.
    pub low: Option<LedgerSeq>,
    /// The highest ledger; by default the newest.
    pub high: Option<LedgerSeq>,
    /// Instead of the lowest ledger: so many ledgers up to the highest.
    pub last: Option<u32>,
    /// In which order.
    pub order: Order,
}

/// Logs the ledger files of a range, a line a checkpoint, in order.
pub async fn checkpoint_log(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    range: LogRange,
    line: &mut dyn FnMut(LogLine),
) -> LogEnd {
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let roots = read_roots(&drive, options, None, &mut |_| {}).await;
    let network = options.network.clone().or_else(|| roots.network());
    let mut end = LogEnd::default();
    let asked = RunOptions {
        low: range.low,
        high: range.high,
        last: range.last,
        retry: options.retry,
        frequency: options.frequency,
        ..RunOptions::default()
    };
    let mut probe = Probe::new(&drive, &asked, &roots.list);
    let tip = probe.pinned_tip(&roots.list, options.frequency).await;
    let (covered, notes) = probe.find_range(&asked, &roots.list, tip).await;
    end.notes = notes;
    end.findings.extend(roots.list.into_iter().flat_map(|root| root.findings));
    end.errors.extend(roots.errors);
    let Some(covered) = covered else { return end };
    let archives = options.archives(&pool, network);
    let ahead = options.concurrency.first();
    let batch = BatchDownloadWork::new(archives, Plan::new(covered, range.order, None), FileKind::Ledger, ahead, options.retry);
    let mut work = scheduler(ahead);
    let mut neighbour: Option<Arc<Headers>> = None;
    let names: Vec<_> = pool.ids().map(|id| pool.name(id).to_owned()).collect();
    // A fresh scheduler takes everything.
    let _ = work.add(WorkSpec::new("BatchDownloadWork", "BatchDownloadWork ledger", COORDINATE).with_failing_children(), Box::new(batch));
    drive
        .run_to_completion(&mut work, &mut |event| {
            if let DriveEvent::History(HistoryEvent::Downloaded(checkpoint, state)) = event {
                end.checkpoints += 1;
                line(log_line(checkpoint, &state));
                let state = state.lock();
                let headers = state.headers().cloned();
                if let (Some(before), Some(headers)) = (&neighbour, &headers) {
                    let torn = tear(before, headers)
                        .map(|finding| finding.from_archive(names.get(checkpoint_server(&state)).map_or("", String::as_str)));
                    end.findings.extend(torn.filter(|_| end.findings.len() < options.budget.findings));
                }
                neighbour = headers;
                let room = options.budget.findings.saturating_sub(end.findings.len());
                end.findings.extend(state.findings().take(room).cloned());
                end.errors.extend(state.errors().first().filter(|_| end.errors.len() < 1000).cloned());
            }
        })
        .await;
    end
}

fn checkpoint_server(state: &HistoryWorkState) -> usize {
    state.served(FileKind::Ledger).map_or(usize::MAX, ArchiveId::index)
}

/// Lines of neighbours that are not of one chain.
fn tear(one: &Headers, other: &Headers) -> Option<Finding> {
    let (lower, upper) = if one.checkpoint() < other.checkpoint() { (one, other) } else { (other, one) };
    let (last, first) = (lower.last()?, upper.first()?);
    let follows = lower.checkpoint().next() == Some(upper.checkpoint());
    (follows && first.previous_hash != last.hash).then(|| {
        let path = ArchivePath::of_checkpoint(FileKind::Ledger, upper.checkpoint());
        let message = "the header does not name the one before it: the checkpoints below and above are not of one chain";
        let finding = Finding::new(FindingCode::HeaderChainBreak, path, message).at_checkpoint(upper.checkpoint());
        finding.at_ledger(first.sequence).comparing(last.hash, first.previous_hash)
    })
}

fn log_line(checkpoint: Checkpoint, state: &SharedHistoryState) -> LogLine {
    let state = state.lock();
    let last = state.headers().and_then(|headers| headers.last());
    let status = state.ledger_status();
    let fault = state.findings().find(|finding| finding.is_error()).map(|finding| finding.message.clone());
    let unread = state.errors().first().map(|error| error.message.clone());
    LogLine {
        checkpoint: checkpoint.last_ledger(),
        first: checkpoint.first_ledger(),
        last: checkpoint.last_ledger(),
        hash: last.map(|header| header.hash),
        close_time: last.map(|header| header.close_time.to_string()),
        protocol: last.map(|header| header.version),
        base_fee: last.map(|header| header.base_fee),
        status: status.map_or("unchecked", Status::name),
        message: fault.or(unread),
    }
}
