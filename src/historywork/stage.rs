//! How far the download of a checkpoint is, in stages.

use core::fmt;

use serde::Serialize;

use super::state::SharedHistoryState;

/// What is being done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryWorkStage {
    /// The state, which names the buckets.
    FetchHistoryArchiveState,
    /// Buckets.
    DownloadBuckets,
    /// Headers.
    DownloadLedgerHeaders,
    /// Transaction sets.
    DownloadTransactions,
    /// Results.
    DownloadTxResults,
    /// SCP messages.
    DownloadScpHistory,
    /// The merges that the state names, and the ledger after the checkpoint.
    ResolveSnapshot,
    /// The files that are to be published, held against the rules.
    WriteSnapshot,
    /// What the places that are published to have, and the files that they lack.
    PutSnapshotFiles,
    /// Buckets, into a place.
    PublishBuckets,
    /// Headers, into a place.
    PublishLedgerHeaders,
    /// Transaction sets, into a place.
    PublishTransactions,
    /// Results, into a place.
    PublishResults,
    /// SCP messages, into a place.
    PublishScpHistory,
    /// The state, last of all.
    PublishHistoryArchiveState,
}

impl fmt::Display for HistoryWorkStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FetchHistoryArchiveState => "downloading the history archive state",
            Self::DownloadBuckets => "downloading and verifying buckets",
            Self::DownloadLedgerHeaders => "downloading and verifying ledger headers",
            Self::DownloadTransactions => "downloading and verifying transactions",
            Self::DownloadTxResults => "downloading and verifying transaction results",
            Self::DownloadScpHistory => "downloading SCP history",
            Self::ResolveSnapshot => "resolving the snapshot",
            Self::WriteSnapshot => "writing the snapshot",
            Self::PutSnapshotFiles => "publishing the snapshot",
            Self::PublishBuckets => "publishing buckets",
            Self::PublishLedgerHeaders => "publishing ledger headers",
            Self::PublishTransactions => "publishing transactions",
            Self::PublishResults => "publishing transaction results",
            Self::PublishScpHistory => "publishing SCP history",
            Self::PublishHistoryArchiveState => "publishing the history archive state",
        })
    }
}

/// How far it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HistoryWorkProgress {
    /// The stage begun last; none before the first.
    pub stage: Option<HistoryWorkStage>,
    /// In words, as stellar-core puts it.
    pub message: String,
    /// Files done.
    pub done: u64,
}

/// How far the work on a state is.
#[must_use]
pub fn get_progress(state: &SharedHistoryState) -> HistoryWorkProgress {
    let state = state.lock();
    let message = state.stage().map_or_else(|| "nothing was started yet".to_owned(), |stage| stage.to_string());
    HistoryWorkProgress { stage: state.stage(), message, done: state.files_done() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_was_started_at_first() {
        assert_eq!(get_progress(&SharedHistoryState::default()).stage, None);
    }
}
