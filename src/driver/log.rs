//! A line a checkpoint.

use serde::Serialize;

use super::Host;
use super::options::ReadOptions;
use super::roots::{pinned_tip, read_roots};
use super::schedule::{Drive, DriveEvent};
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::path::FileKind;
use crate::codec::hash::Hash256;
use crate::historywork::batch_download_work::BatchDownloadWork;
use crate::historywork::plan::{Order, Plan};
use crate::historywork::{COORDINATE, HistoryEvent, SharedHistoryState, scheduler};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::checkpoint::Status;
use crate::verify::finding::Finding;
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
}

/// Which checkpoints are logged.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRange {
    /// The lowest ledger; by default 1.
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
    let tip = pinned_tip(&roots.list, options.frequency).map(Checkpoint::last_ledger);
    let high = match (range.high, tip) {
        (Some(high), Some(tip)) => Some(high.min(tip)),
        (high, tip) => high.or(tip),
    };
    end.findings.extend(roots.list.into_iter().flat_map(|root| root.findings));
    end.errors.extend(roots.errors);
    let Some(high) = high else { return end };
    let low = match range.last {
        Some(last) => LedgerSeq::new(high.value().saturating_sub(last.saturating_sub(1)).max(1)),
        None => range.low.unwrap_or(LedgerSeq::GENESIS),
    };
    let Some(covered) = CheckpointRange::covering(low, high, options.frequency) else { return end };
    let archives = options.archives(&pool, network);
    let ahead = options.concurrency.max(1);
    let batch = BatchDownloadWork::new(archives, Plan::new(covered, range.order, None), FileKind::Ledger, ahead, options.retry);
    let mut work = scheduler(ahead);
    // A fresh scheduler takes everything.
    let _ = work.add(WorkSpec::new("BatchDownloadWork", "BatchDownloadWork ledger", COORDINATE).with_failing_children(), Box::new(batch));
    drive
        .run_to_completion(&mut work, &mut |event| {
            if let DriveEvent::History(HistoryEvent::Downloaded(checkpoint, state)) = event {
                end.checkpoints += 1;
                line(log_line(checkpoint, &state));
                let state = state.lock();
                let room = options.budget.findings.saturating_sub(end.findings.len());
                end.findings.extend(state.findings().take(room).cloned());
                end.errors.extend(state.errors().first().filter(|_| end.errors.len() < 1000).cloned());
            }
        })
        .await;
    end
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
