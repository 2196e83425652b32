//! `BatchDownloadWork`: the files of one kind of a range of checkpoints, at most so many ahead (rules A.2).
//!
//! What came is handed on in the order of the plan. Ledger files are verified by themselves; the other kinds are held
//! against headers by whoever has them, here they are only checked to be sound files of their checkpoint.

use std::collections::VecDeque;
use std::sync::Arc;

use super::archives::Archives;
use super::download_ledger_headers_work::DownloadLedgerHeadersWork;
use super::download_scp_history_work::DownloadScpHistoryWork;
use super::download_transactions_work::DownloadTransactionsWork;
use super::get_and_unzip_remote_file_work::{FileWork, GetAndUnzipRemoteFileWork, OnFault};
use super::get_history_archive_state_work::GetHistoryArchiveStateWork;
use super::plan::Plan;
use super::state::SharedHistoryState;
use super::verify_tx_results_work::VerifyTxResultsWork;
use super::{DOWNLOAD, HistoryEvent, HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::path::FileKind;
use crate::verify::checkpoint::{Delivery, Headers, LedgerCheck, Unchecked};
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// The item.
#[derive(Debug)]
pub struct BatchDownloadWork {
    archives: Archives,
    plan: Plan,
    kind: FileKind,
    ahead: usize,
    retry: RetryPolicy,
    started: u32,
    under_way: VecDeque<(Checkpoint, SharedHistoryState)>,
}

impl BatchDownloadWork {
    /// The files of a kind of the plan's checkpoints. Each is handed on as [`HistoryEvent::Downloaded`].
    #[must_use]
    pub fn new(archives: Archives, plan: Plan, kind: FileKind, ahead: usize, retry: RetryPolicy) -> Self {
        Self { archives, plan, kind, ahead: ahead.max(1), retry, started: 0, under_way: VecDeque::new() }
    }

    fn hand_on(&mut self, turn: &mut Turn<'_>) {
        while self.under_way.front().is_some_and(|(_, state)| state.lock().files_done() > 0) {
            let Some((checkpoint, state)) = self.under_way.pop_front() else { return };
            (turn.emit)(HistoryEvent::Downloaded(checkpoint, state));
        }
    }

    fn start_more(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        while self.under_way.len() < self.ahead && !turn.unreachable {
            let Some(checkpoint) = self.plan.get(self.started) else { return Ok(()) };
            self.started += 1;
            let state = SharedHistoryState::default();
            let (archives, avoid) = (self.archives.clone(), self.archives.behind(checkpoint.last_ledger()));
            if self.kind != FileKind::Ledger {
                let none = LedgerCheck::new(self.archives.rules(), checkpoint).finish(Delivery::NotRead(Unchecked::Skipped));
                state.lock().ledger = Some(none.map(|_| Arc::new(Headers::none(checkpoint))));
            }
            let shared = state.clone();
            match self.kind {
                FileKind::History => self.add(
                    turn,
                    checkpoint,
                    "GetHistoryArchiveStateWork",
                    GetHistoryArchiveStateWork::new(archives, checkpoint, avoid, shared),
                ),
                FileKind::Ledger => self.add(
                    turn,
                    checkpoint,
                    "DownloadLedgerHeadersWork",
                    DownloadLedgerHeadersWork::new(archives, checkpoint, avoid, shared),
                ),
                FileKind::Transactions => self.add(
                    turn,
                    checkpoint,
                    "DownloadTransactionsWork",
                    DownloadTransactionsWork::new(archives, checkpoint, avoid, shared),
                ),
                FileKind::Results => {
                    self.add(turn, checkpoint, "VerifyTxResultsWork", VerifyTxResultsWork::new(archives, checkpoint, avoid, shared))
                }
                FileKind::Scp => {
                    self.add(turn, checkpoint, "DownloadScpHistoryWork", DownloadScpHistoryWork::new(archives, checkpoint, avoid, shared))
                }
            }?;
            self.under_way.push_back((checkpoint, state));
        }
        Ok(())
    }

    fn add<F: FileWork + 'static>(&self, turn: &mut Turn<'_>, checkpoint: Checkpoint, kind: &'static str, file: F) -> Result<(), AddError> {
        let work = GetAndUnzipRemoteFileWork::new(file, self.archives.clone(), self.retry, OnFault::Report);
        let spec = WorkSpec::new(kind, format!("{kind} {checkpoint}"), DOWNLOAD).retrying(self.retry);
        turn.scheduler.add_child(turn.id, spec, Box::new(work)).map(drop)
    }
}

impl HistoryWork for BatchDownloadWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        self.hand_on(turn);
        if self.start_more(turn).is_err() {
            return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
        }
        Step::Ended(if self.under_way.is_empty() { Ran::Success } else { Ran::Waiting })
    }
}
