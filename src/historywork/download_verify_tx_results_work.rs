//! `DownloadVerifyTxResultsWork`: the results of a range, each against the headers of its checkpoint (rules A.2).
//!
//! A batch: for each checkpoint the headers, then [`super::verify_tx_results_work`]; at most so many ahead.

use std::collections::VecDeque;

use super::archives::Archives;
use super::download_ledger_headers_work::DownloadLedgerHeadersWork;
use super::get_and_unzip_remote_file_work::{GetAndUnzipRemoteFileWork, OnFault};
use super::plan::Plan;
use super::state::SharedHistoryState;
use super::verify_tx_results_work::VerifyTxResultsWork;
use super::{DOWNLOAD, HistoryEvent, HistoryWork, Step, Turn};
use crate::archive::checkpoint::Checkpoint;
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, Ran, WorkSpec};

/// The item.
#[derive(Debug)]
pub struct DownloadVerifyTxResultsWork {
    archives: Archives,
    plan: Plan,
    ahead: usize,
    retry: RetryPolicy,
    started: u32,
    under_way: VecDeque<(Checkpoint, SharedHistoryState)>,
}

impl DownloadVerifyTxResultsWork {
    /// The plan's checkpoints. Each is handed on as [`HistoryEvent::Downloaded`], with its reports in its state.
    #[must_use]
    pub fn new(archives: Archives, plan: Plan, ahead: usize, retry: RetryPolicy) -> Self {
        Self { archives, plan, ahead: ahead.max(1), retry, started: 0, under_way: VecDeque::new() }
    }

    fn start_more(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        while self.under_way.len() < self.ahead && !turn.unreachable {
            let Some(checkpoint) = self.plan.get(self.started) else { return Ok(()) };
            self.started += 1;
            let state = SharedHistoryState::default();
            let avoid = self.archives.behind(checkpoint.last_ledger());
            let headers = DownloadLedgerHeadersWork::new(self.archives.clone(), checkpoint, avoid.clone(), state.clone());
            let headers = GetAndUnzipRemoteFileWork::new(headers, self.archives.clone(), self.retry, OnFault::Report);
            let spec = |kind: &'static str| WorkSpec::new(kind, format!("{kind} {checkpoint}"), DOWNLOAD).retrying(self.retry);
            let first = turn.scheduler.add_child(turn.id, spec("DownloadLedgerHeadersWork"), Box::new(headers))?;
            let results = VerifyTxResultsWork::new(self.archives.clone(), checkpoint, avoid, state.clone());
            let results = GetAndUnzipRemoteFileWork::new(results, self.archives.clone(), self.retry, OnFault::Report);
            turn.scheduler.add_child(turn.id, spec("VerifyTxResultsWork").after(first), Box::new(results))?;
            self.under_way.push_back((checkpoint, state));
        }
        Ok(())
    }
}

impl HistoryWork for DownloadVerifyTxResultsWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        while self.under_way.front().is_some_and(|(_, state)| state.lock().results.is_some()) {
            let Some((checkpoint, state)) = self.under_way.pop_front() else { break };
            (turn.emit)(HistoryEvent::Downloaded(checkpoint, state));
        }
        if self.start_more(turn).is_err() {
            return Step::Ended(Ran::Failure { retry: false, at_least_ms: 0 });
        }
        Step::Ended(if self.under_way.is_empty() { Ran::Success } else { Ran::Waiting })
    }
}
