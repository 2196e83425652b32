//! `HistoryWorkBuilder`: the graph of one checkpoint (see the drawing in [`super`]).

use std::collections::BTreeMap;

use super::archives::Archives;
use super::download_buckets_work::DownloadBucketsWork;
use super::download_ledger_headers_work::DownloadLedgerHeadersWork;
use super::download_scp_history_work::DownloadScpHistoryWork;
use super::download_transactions_work::DownloadTransactionsWork;
use super::download_tx_results_work::DownloadTxResultsWork;
use super::get_and_unzip_remote_file_work::{FileWork, GetAndUnzipRemoteFileWork, OnFault};
use super::get_history_archive_state_work::GetHistoryArchiveStateWork;
use super::publish_work::PublishWork;
use super::publishing::PublishTarget;
use super::state::SharedHistoryState;
use super::{COORDINATE, DOWNLOAD, HistoryWork, Scheduler};
use crate::archive::checkpoint::Checkpoint;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::verify::checkpoint::{Delivery, Unchecked};
use crate::verify::scp::ScpCheck;
use crate::work::retry::RetryPolicy;
use crate::work::{AddError, WorkId, WorkSpec};

/// Makes the items of one checkpoint.
#[derive(Clone, Debug)]
pub struct HistoryWorkBuilder {
    archives: Archives,
    checkpoint: Checkpoint,
    state: SharedHistoryState,
    retry: RetryPolicy,
    on_fault: OnFault,
    avoid: BTreeMap<FileKind, Vec<ArchiveId>>,
    with_buckets: bool,
    with_scp: bool,
    look: bool,
    keep_messages: bool,
}

/// The items of one checkpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HistoryWorkIds {
    /// `GetHistoryArchiveStateWork`.
    pub history_archive_state: WorkId,
    /// `DownloadBucketsWork`, where buckets are wanted.
    pub buckets: Option<WorkId>,
    /// `DownloadLedgerHeadersWork`.
    pub ledger_headers: WorkId,
    /// `DownloadTransactionsWork`.
    pub transactions: WorkId,
    /// `DownloadTxResultsWork`.
    pub tx_results: WorkId,
    /// `DownloadScpHistoryWork`, where SCP messages are wanted.
    pub scp_history: Option<WorkId>,
}

/// The items that publish one checkpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublishWorkIds {
    /// `PublishWork`, on top; the others are its children. Wake it when a ledger has
    /// [closed](SharedHistoryState::closed).
    pub publish: WorkId,
}

impl HistoryWorkBuilder {
    /// The items that bring a checkpoint of these archives into `state`. A file that is faulty or cannot be read makes its
    /// item fail, and what depends on it does not start.
    #[must_use]
    pub fn new(archives: Archives, checkpoint: Checkpoint, state: SharedHistoryState) -> Self {
        Self {
            archives,
            checkpoint,
            state,
            retry: RetryPolicy::default(),
            on_fault: OnFault::Fail,
            avoid: BTreeMap::new(),
            with_buckets: true,
            with_scp: true,
            look: false,
            keep_messages: false,
        }
    }

    /// With another retry policy than three retries.
    #[must_use]
    pub fn retrying(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Without bucket files.
    #[must_use]
    pub fn without_buckets(mut self) -> Self {
        self.with_buckets = false;
        self
    }

    /// Without the scp file.
    #[must_use]
    pub fn without_scp(mut self) -> Self {
        self.with_scp = false;
        self
    }

    /// Finds out if the validators that the rules believe agreed on it.
    #[must_use]
    pub fn looking_at_signatures(mut self, look: bool) -> Self {
        self.look = look;
        self
    }

    /// Keeps the SCP messages in the state, to be held together with those of other archives.
    #[must_use]
    pub fn keeping_messages(mut self, keep: bool) -> Self {
        self.keep_messages = keep;
        self
    }

    /// Faulty files leave reports instead of failures, and the others are read all the same: for verifying.
    #[must_use]
    pub fn reporting(mut self) -> Self {
        self.on_fault = OnFault::Report;
        self
    }

    /// Archives that are not to be asked for a kind of file.
    #[must_use]
    pub fn avoiding(mut self, avoid: BTreeMap<FileKind, Vec<ArchiveId>>) -> Self {
        self.avoid = avoid;
        self
    }

    /// Adds the items to a scheduler.
    ///
    /// # Errors
    /// If the scheduler was aborted.
    pub fn register(&self, scheduler: &mut Scheduler) -> Result<HistoryWorkIds, AddError> {
        self.register_with(&mut |spec, work| scheduler.add(spec, work))
    }

    /// Adds the items as children of another.
    ///
    /// # Errors
    /// If the scheduler was aborted, or the parent does not run.
    pub fn register_children(&self, scheduler: &mut Scheduler, parent: WorkId) -> Result<HistoryWorkIds, AddError> {
        self.register_with(&mut |spec, work| scheduler.add_child(parent, spec, work))
    }

    /// Adds the items that publish the checkpoint into places, after those that download it; without them what is in the
    /// state is published ([`SharedHistoryState::closed_here`]). What came of it is in [`super::HistoryWorkState::publishing`].
    ///
    /// # Errors
    /// If the scheduler was aborted.
    pub fn register_publish(
        &self,
        scheduler: &mut Scheduler,
        targets: impl IntoIterator<Item = PublishTarget>,
        downloads: impl Into<Option<HistoryWorkIds>>,
    ) -> Result<PublishWorkIds, AddError> {
        let work = PublishWork::new(self.archives.clone(), self.checkpoint, targets.into_iter().collect(), self.retry, self.state.clone());
        let mut spec = WorkSpec::new("PublishWork", self.name("PublishWork"), COORDINATE).with_failing_children();
        if let Some(ids) = downloads.into() {
            let files = [ids.history_archive_state, ids.ledger_headers, ids.transactions, ids.tx_results];
            for dependency in files.into_iter().chain(ids.buckets).chain(ids.scp_history) {
                spec = spec.after(dependency);
            }
        }
        Ok(PublishWorkIds { publish: scheduler.add(spec, Box::new(work))? })
    }

    fn register_with(
        &self,
        add: &mut dyn FnMut(WorkSpec, Box<dyn HistoryWork>) -> Result<WorkId, AddError>,
    ) -> Result<HistoryWorkIds, AddError> {
        let has = self.of_kind(FileKind::History, GetHistoryArchiveStateWork::new);
        let history_archive_state = self.file(add, "GetHistoryArchiveStateWork", &[], has)?;
        let headers = self.of_kind(FileKind::Ledger, DownloadLedgerHeadersWork::new);
        let ledger_headers = self.file(add, "DownloadLedgerHeadersWork", &[history_archive_state], headers)?;
        let transactions = self.of_kind(FileKind::Transactions, DownloadTransactionsWork::new);
        let transactions = self.file(add, "DownloadTransactionsWork", &[ledger_headers], transactions)?;
        let results = self.of_kind(FileKind::Results, DownloadTxResultsWork::new);
        let tx_results = self.file(add, "DownloadTxResultsWork", &[ledger_headers, transactions], results)?;
        let scp_history = if self.with_scp {
            let scp = self.of_kind(FileKind::Scp, DownloadScpHistoryWork::new).looking(self.look).keeping_messages(self.keep_messages);
            Some(self.file(add, "DownloadScpHistoryWork", &[history_archive_state, ledger_headers], scp)?)
        } else {
            let none = crate::verify::checkpoint::Headers::none(self.checkpoint);
            let skipped = ScpCheck::new(self.archives.rules(), &none, false).finish(Delivery::NotRead(Unchecked::Skipped));
            self.state.lock().scp = Some(skipped);
            None
        };
        let buckets = if self.with_buckets {
            let work = DownloadBucketsWork::new(self.archives.clone(), self.checkpoint, self.retry, self.on_fault, self.state.clone());
            let spec = WorkSpec::new("DownloadBucketsWork", self.name("DownloadBucketsWork"), COORDINATE).after(history_archive_state);
            Some(add(spec, Box::new(work))?)
        } else {
            // None is wanted, so none is missing.
            self.state.lock().buckets_complete = true;
            None
        };
        Ok(HistoryWorkIds { history_archive_state, buckets, ledger_headers, transactions, tx_results, scp_history })
    }

    fn of_kind<F>(&self, kind: FileKind, new: impl FnOnce(Archives, Checkpoint, Vec<ArchiveId>, SharedHistoryState) -> F) -> F {
        let mut avoid = self.archives.behind(self.checkpoint.last_ledger());
        avoid.extend(self.avoid.get(&kind).into_iter().flatten());
        new(self.archives.clone(), self.checkpoint, avoid, self.state.clone())
    }

    fn file<F: FileWork + 'static>(
        &self,
        add: &mut dyn FnMut(WorkSpec, Box<dyn HistoryWork>) -> Result<WorkId, AddError>,
        kind: &'static str,
        after: &[WorkId],
        file: F,
    ) -> Result<WorkId, AddError> {
        let work = GetAndUnzipRemoteFileWork::new(file, self.archives.clone(), self.retry, self.on_fault);
        let mut spec = WorkSpec::new(kind, self.name(kind), DOWNLOAD).retrying(self.retry);
        for dependency in after {
            spec = spec.after(*dependency);
        }
        add(spec, Box::new(work))
    }

    fn name(&self, kind: &str) -> String {
        format!("{kind} {}", self.checkpoint)
    }
}
