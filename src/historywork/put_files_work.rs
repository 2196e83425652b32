//! `PutFilesWork`: what one place lacks of a checkpoint, all but the state (rules A.2).
//!
//! What it is: the parent of the items that put each kind of file. What it is not: a judge of what is lacking; that is
//! [`super::put_snapshot_files_work`]'s.

use super::publish_buckets_work::PublishBucketsWork;
use super::publish_ledger_headers_work::PublishLedgerHeadersWork;
use super::publish_results_work::PublishResultsWork;
use super::publish_scp_history_work::PublishScpHistoryWork;
use super::publish_transactions_work::PublishTransactionsWork;
use super::publishing::{PublishTarget, ReadyFile};
use super::put_remote_file_work::PutsDone;
use super::state::SharedHistoryState;
use super::{COORDINATE, HistoryWork, Step, Turn};
use crate::archive::path::FileKind;
use crate::work::{AddError, Ran, WorkSpec};

/// The item.
#[derive(Debug)]
pub struct PutFilesWork {
    target: PublishTarget,
    files: Vec<ReadyFile>,
    done: PutsDone,
    state: SharedHistoryState,
    begun: bool,
}

impl PutFilesWork {
    /// Files for a place, outcomes into `done`.
    #[must_use]
    pub fn new(target: PublishTarget, files: Vec<ReadyFile>, done: PutsDone, state: SharedHistoryState) -> Self {
        Self { target, files, done, state, begun: false }
    }

    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<(), AddError> {
        let mut files = core::mem::take(&mut self.files);
        let mut of = |kind: FileKind| {
            let place = files.iter().position(|file| file.path.kind() == Some(kind));
            place.map(|place| files.remove(place))
        };
        let (ledger, transactions) = (of(FileKind::Ledger), of(FileKind::Transactions));
        let (results, scp) = (of(FileKind::Results), of(FileKind::Scp));
        let with = || (self.target.clone(), self.done.clone(), self.state.clone());
        let mut add = |kind, work| turn.scheduler.add_child(turn.id, WorkSpec::new(kind, kind, COORDINATE), work);
        let (target, done, state) = with();
        add("PublishBucketsWork", Box::new(PublishBucketsWork::new(target, files, done, state)))?;
        let (target, done, state) = with();
        add("PublishLedgerHeadersWork", Box::new(PublishLedgerHeadersWork::new(target, ledger, done, state)))?;
        let (target, done, state) = with();
        add("PublishTransactionsWork", Box::new(PublishTransactionsWork::new(target, transactions, done, state)))?;
        let (target, done, state) = with();
        add("PublishResultsWork", Box::new(PublishResultsWork::new(target, results, done, state)))?;
        let (target, done, state) = with();
        add("PublishScpHistoryWork", Box::new(PublishScpHistoryWork::new(target, scp, done, state)))?;
        Ok(())
    }
}

impl HistoryWork for PutFilesWork {
    fn run(&mut self, turn: &mut Turn<'_>) -> Step {
        if !core::mem::replace(&mut self.begun, true) {
            return Step::Ended(match self.begin(turn) {
                Ok(()) => Ran::Waiting,
                Err(_) => Ran::Failure { retry: false, at_least_ms: 0 },
            });
        }
        Step::Ended(if turn.family.unfinished > 0 { Ran::Waiting } else { Ran::Success })
    }
}
