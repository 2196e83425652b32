//! What the items of one checkpoint leave for each other and for whoever ordered them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::archives::Accounts;
use super::checkpoint_data::CheckpointData;
use super::get_and_unzip_remote_file_work::{AtDestination, Keep, Settled};
use super::publishing::Publishing;
use super::stage::HistoryWorkStage;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::RunError;
use crate::archive::id::ArchiveId;
use crate::archive::path::FileKind;
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::verify::bucket::BucketReport;
use crate::verify::checkpoint::{FileReport, Headers, Status};
use crate::verify::scp::ScpFacts;
use crate::verify::transactions::TransactionFacts;

/// What is held of a checkpoint's files beyond their reports.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Hold {
    /// The state's JSON, and the records of the other files.
    pub records: bool,
    /// The content of buckets.
    pub buckets: bool,
    /// Files as archives store them; where records are held as well, those.
    pub stored: bool,
}

impl Hold {
    /// What is kept of a checkpoint's file.
    pub(crate) fn of_file(self, records: Keep) -> Keep {
        match (self.records, self.stored) {
            (true, _) => records,
            (false, true) => Keep::Stored,
            (false, false) => Keep::Nothing,
        }
    }
}

/// The state of the work on one checkpoint.
#[derive(Debug, Default)]
pub struct HistoryWorkState {
    pub(crate) hold: Hold,
    stage: Option<HistoryWorkStage>,
    files_done: u64,
    pub(crate) history: Option<FileReport<Option<HistoryArchiveState>>>,
    pub(crate) ledger: Option<FileReport<Arc<Headers>>>,
    pub(crate) transactions: Option<FileReport<Arc<TransactionFacts>>>,
    pub(crate) results: Option<FileReport<()>>,
    pub(crate) scp: Option<FileReport<ScpFacts>>,
    pub(crate) buckets: Vec<BucketReport>,
    /// Every bucket that was wanted is settled.
    pub(crate) buckets_complete: bool,
    pub(crate) history_json: Vec<u8>,
    pub(crate) records: BTreeMap<FileKind, Vec<Vec<u8>>>,
    pub(crate) bucket_content: BTreeMap<BucketHash, Vec<u8>>,
    /// Files as archives store them.
    pub(crate) stored: BTreeMap<FileKind, Vec<u8>>,
    /// What the destination has of them.
    pub(crate) at_destination: BTreeMap<FileKind, AtDestination>,
    /// Whose answers the reports are.
    pub(crate) served: BTreeMap<FileKind, ArchiveId>,
    pub(crate) accounts: Accounts,
    pub(crate) errors: Vec<RunError>,
    /// The newest ledger that is known to have closed, where the checkpoint was closed here.
    pub(crate) last_closed: Option<LedgerSeq>,
    pub(crate) publishing: Publishing,
}

impl HistoryWorkState {
    /// The stage begun last.
    #[must_use]
    pub fn stage(&self) -> Option<HistoryWorkStage> {
        self.stage
    }

    /// Files that are settled.
    #[must_use]
    pub fn files_done(&self) -> u64 {
        self.files_done
    }

    /// The checkpoint's state, once it was read.
    #[must_use]
    pub fn history(&self) -> Option<&HistoryArchiveState> {
        self.history.as_ref().and_then(|report| report.facts.as_ref())
    }

    /// The checkpoint's headers, once they were read.
    #[must_use]
    pub fn headers(&self) -> Option<&Arc<Headers>> {
        self.ledger.as_ref().map(|report| &report.facts)
    }

    /// Whose file of a kind it is.
    #[must_use]
    pub fn served(&self, kind: FileKind) -> Option<ArchiveId> {
        self.served.get(&kind).copied()
    }

    /// How the ledger file ended.
    #[must_use]
    pub fn ledger_status(&self) -> Option<crate::verify::checkpoint::Status> {
        self.ledger.as_ref().map(|report| report.status)
    }

    /// What came of publishing it.
    #[must_use]
    pub fn publishing(&self) -> &Publishing {
        &self.publishing
    }

    /// What was found wrong so far, whatever became of the items.
    pub fn findings(&self) -> impl Iterator<Item = &crate::verify::finding::Finding> {
        let files = [
            self.history.as_ref().map(|report| &report.findings),
            self.ledger.as_ref().map(|report| &report.findings),
            self.transactions.as_ref().map(|report| &report.findings),
            self.results.as_ref().map(|report| &report.findings),
            self.scp.as_ref().map(|report| &report.findings),
        ];
        files.into_iter().flatten().chain(self.buckets.iter().map(|report| &report.findings)).flatten()
    }

    /// Files that no archive delivered.
    #[must_use]
    pub fn errors(&self) -> &[RunError] {
        &self.errors
    }

    pub(crate) fn begin(&mut self, stage: HistoryWorkStage) {
        self.stage = Some(stage);
    }

    /// Files that were put, or were there.
    pub(crate) fn done(&mut self, files: u64) {
        self.files_done += files;
    }

    /// Takes all of an ended file but its report.
    pub(crate) fn take<R>(&mut self, kind: Option<FileKind>, settled: Settled<R>) -> R {
        self.files_done += 1;
        self.accounts.add(&settled.accounts);
        self.errors.extend(settled.error);
        if let Some(kind) = kind {
            if let Some(archive) = settled.archive {
                self.served.insert(kind, archive);
            }
            self.at_destination.extend(settled.destination.map(|at| (kind, at)));
            if self.hold.stored && !self.hold.records {
                self.stored.insert(kind, settled.kept.content);
                return settled.report;
            }
            if self.hold.records {
                if kind == FileKind::History {
                    self.history_json = settled.kept.content;
                } else {
                    self.records.insert(kind, settled.kept.records);
                }
            }
        }
        settled.report
    }
}

/// A handle to the state of the work on one checkpoint. Clones share it; natively they may live on several threads.
#[derive(Clone, Debug, Default)]
pub struct SharedHistoryState(Arc<Mutex<HistoryWorkState>>);

impl SharedHistoryState {
    /// A state that also holds the files themselves, for [`super::build_checkpoint_data`].
    #[must_use]
    pub fn holding(hold: Hold) -> Self {
        Self(Arc::new(Mutex::new(HistoryWorkState { hold, ..HistoryWorkState::default() })))
    }

    /// A checkpoint that was not downloaded but closed here, to be published: nothing of it is taken as verified, and it is
    /// published only after the ledger that follows it has [closed](Self::closed).
    #[must_use]
    pub fn closed_here(checkpoint: Checkpoint, data: CheckpointData) -> Self {
        let CheckpointData { history_archive_state, history_json, headers, transactions, tx_results, scp_history, buckets } = data;
        let history = FileReport {
            kind: FileKind::History,
            checkpoint,
            status: Status::Verified,
            findings: Vec::new(),
            notes: Vec::new(),
            facts: Some(history_archive_state),
        };
        let records = [
            (FileKind::Ledger, headers),
            (FileKind::Transactions, transactions),
            (FileKind::Results, tx_results),
            (FileKind::Scp, scp_history),
        ];
        Self(Arc::new(Mutex::new(HistoryWorkState {
            hold: Hold { records: true, buckets: true, stored: false },
            history: Some(history),
            history_json,
            records: records.into(),
            bucket_content: buckets,
            last_closed: Some(checkpoint.last_ledger()),
            ..HistoryWorkState::default()
        })))
    }

    /// Says that a ledger has closed. Whoever waits for it must be woken as well: publishing lags one ledger behind the
    /// checkpoint on purpose, so that a node that diverged at its last ledger does not publish it.
    pub fn closed(&self, ledger: LedgerSeq) {
        let mut state = self.lock();
        state.last_closed = state.last_closed.max(Some(ledger));
    }

    /// The state, for as long as the guard lives. Items hold it for moments only.
    pub fn lock(&self) -> MutexGuard<'_, HistoryWorkState> {
        // Whoever panicked while holding it did not leave it half-written: items write whole reports.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
