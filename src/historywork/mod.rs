//! stellar-core's work items for history archives, by their own names (rules A.2).
//!
//! What it is: the items that download and verify, each in a file named as the item, and the graph that they form:
//!
//! ```text
//! GetHistoryArchiveStateWork ─┬─ DownloadBucketsWork ── VerifyBucketWork …
//!                             └─ DownloadLedgerHeadersWork ─┬─ DownloadScpHistoryWork
//!                                                           └─ DownloadTransactionsWork ── DownloadTxResultsWork
//! ```
//!
//! Publishing is a sequence, whose puts are children of children:
//!
//! ```text
//! PublishWork ─┬─ ResolveSnapshotWork
//!              ├─ WriteSnapshotWork
//!              └─ PutSnapshotFilesWork ─┬─ GetRemoteFileWork (the newest state of each place)
//!                                       ├─ GzipFileWork …
//!                                       └─ for each place: PutFilesWork ── PublishHistoryArchiveStateWork
//!                                                           └─ PublishBucketsWork, PublishLedgerHeadersWork, PublishTransactionsWork,
//!                                                              PublishResultsWork, PublishScpHistoryWork ── PutRemoteFileWork …
//! ```
//!
//! An item is a state machine: [`HistoryWork::run`] says what it wants next, a file or nothing, and never waits. What it is
//! not: input and output, clock or randomness, which are the driver's; the rules, which are [`crate::verify`]'s; or the
//! order in which items run, which is [`crate::work`]'s.
//!
//! scp files wait for the headers here, though in the sources' drawing only for the state: their statements are held
//! against the headers while they stream by.

pub mod answers;
pub mod archives;
pub mod batch_download_work;
pub mod builder;
pub mod check_single_ledger_header_work;
pub mod checkpoint_data;
pub mod checkpoint_file;
pub mod compare_archives_work;
pub mod copying;
pub mod download_buckets_work;
pub mod download_ledger_headers_work;
pub mod download_scp_history_work;
pub mod download_transactions_work;
pub mod download_tx_results_work;
pub mod download_verify_tx_results_work;
pub mod fetch_recent_qsets_work;
pub mod get_and_unzip_remote_file_work;
pub mod get_history_archive_state_work;
pub mod get_remote_file_work;
pub mod gunzip_file_work;
pub mod gzip_file_work;
pub mod make_remote_dir_work;
pub mod metrics;
pub mod plan;
pub mod publish_buckets_work;
pub mod publish_history_archive_state_work;
pub mod publish_ledger_headers_work;
pub mod publish_results_work;
pub mod publish_scp_history_work;
pub mod publish_transactions_work;
pub mod publish_work;
pub mod publishing;
pub mod put_files_work;
pub mod put_remote_file_work;
pub mod put_snapshot_files_work;
pub mod range;
pub mod resolve_snapshot_work;
pub mod saved;
pub mod stage;
pub mod state;
pub mod verify_bucket_work;
pub mod verify_checkpoint_work;
pub mod verify_range_work;
pub mod verify_tx_results_work;
pub mod write_snapshot_work;
pub mod write_verified_checkpoint_hashes_work;

use std::sync::Arc;

use crate::archive::error::{ReadError, WriteError};
use crate::archive::id::{ArchiveId, WriterId};
use crate::archive::path::ArchivePath;
use crate::codec::file::{FileLimits, RecordSink};
use crate::verify::checkpoint::Delivery;
use crate::work::{Concurrency, Family, Ran, WorkClass, WorkId, WorkScheduler};

pub use builder::{HistoryWorkBuilder, HistoryWorkIds, PublishWorkIds};
pub use checkpoint_data::{CheckpointData, build_checkpoint_data};
pub use publishing::{PublishTarget, Publishing};
pub use stage::{HistoryWorkProgress, HistoryWorkStage, get_progress};
pub use state::{HistoryWorkState, SharedHistoryState};

/// A scheduler of history work.
pub type Scheduler = WorkScheduler<Box<dyn HistoryWork>>;

/// Items that read a file: as many at once as requests are wanted.
pub const DOWNLOAD: WorkClass = WorkClass("download");
/// Items that write a file: as many at once as requests are wanted.
pub const UPLOAD: WorkClass = WorkClass("upload");
/// Items that only have children, or only compute.
pub const COORDINATE: WorkClass = WorkClass("coordinate");

/// Files read at once in Node and in a browser: stellar-core's `MAX_CONCURRENT_SUBPROCESSES` to begin with, and more where archives over
/// the network deliver more so. Fewer than a server allows on one connection, which is a hundred and more.
pub const CONCURRENCY: Concurrency = Concurrency::Adaptive { first: 16, most: 64 };
/// Files read at once where a platform allows no more connections, as edge workers.
pub const EDGE_CONCURRENCY: usize = 6;

/// A scheduler that reads that many files at once, and writes as many as it reads to begin with.
#[must_use]
pub fn scheduler(concurrency: impl Into<Concurrency>) -> Scheduler {
    let concurrency = concurrency.into();
    WorkScheduler::new([(UPLOAD, concurrency.first())]).limiting(DOWNLOAD, concurrency)
}

/// A work item.
pub trait HistoryWork {
    /// Does what can be done without waiting, and says what comes next (stellar-core's `onRun`).
    fn run(&mut self, turn: &mut Turn<'_>) -> Step;

    /// A reading of the file that `run` asked for; a fresh one for each attempt.
    fn reading(&self) -> Option<Box<dyn Reading + '_>> {
        None
    }

    /// Takes how the reading ended. `retry` counts the retries before.
    fn read(&mut self, _end: ReadEnd, _retry: u32) -> Ran {
        Ran::Failure { retry: false, at_least_ms: 0 }
    }

    /// Takes how the writing that `run` asked for ended. `retry` counts the retries before.
    fn wrote(&mut self, _end: WriteEnd, _retry: u32) -> Ran {
        Ran::Failure { retry: false, at_least_ms: 0 }
    }
}

/// What an item is given for a turn.
#[allow(missing_debug_implementations)] // a listener has none
pub struct Turn<'a> {
    /// The item's own id, to have children.
    pub id: WorkId,
    /// Its children.
    pub family: Family,
    /// Where children are added.
    pub scheduler: &'a mut Scheduler,
    /// The run's clock.
    pub now_ms: u64,
    /// No archive can be reached any more: starting more is of no use.
    pub unreachable: bool,
    /// Who listens.
    pub emit: &'a mut dyn FnMut(HistoryEvent),
}

/// What an item says to whoever watches.
#[derive(Clone, Debug)]
pub enum HistoryEvent {
    /// A checkpoint is settled: its files' statuses, as [`crate::archive::path::FileKind::ALL`].
    Checkpoint(crate::archive::checkpoint::Checkpoint, [crate::verify::checkpoint::Status; 5]),
    /// A checkpoint of several archives was compared.
    Compared(Box<crate::trust::comparison::ComparedCheckpoint>),
    /// Something is wrong with an archive.
    Finding(Box<crate::verify::finding::Finding>),
    /// A state that the run can be resumed from, and how many checkpoints it has.
    Saved(String, u32),
    /// A batch brought the file of a checkpoint; its report, and what was held, is in the state.
    Downloaded(crate::archive::checkpoint::Checkpoint, SharedHistoryState),
}

/// What an item wants.
#[derive(Debug)]
pub enum Step {
    /// A file is to be read; [`HistoryWork::read`] takes it from there.
    Get(RemoteFile),
    /// A file is to be written; [`HistoryWork::wrote`] takes it from there.
    Put(PutFile),
    /// A folder is to be made; [`HistoryWork::wrote`] takes it from there.
    MakeDir {
        /// Where.
        writer: WriterId,
        /// Which, relative to the archive's root.
        folder: String,
    },
    /// This turn is over.
    Ended(Ran),
}

/// A file of an archive that is to be read.
#[derive(Clone, Debug)]
pub struct RemoteFile {
    /// Where.
    pub path: ArchivePath,
    /// What it is.
    pub form: FileForm,
    /// Archives that are not to be asked: they answered before, or are known not to have it.
    pub avoid: Vec<ArchiveId>,
    /// Past every cache on the way.
    pub fresh: bool,
    /// How long a host that asked for a rest may be waited for; none: as long as it takes.
    pub patience_ms: Option<u64>,
    /// Where it is to be written as well, if it turns out sound.
    pub copy_to: Option<CopyTo>,
}

/// Where a file is written while it is read. Nothing of it is visible before its check has found it sound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CopyTo {
    /// Where.
    pub writer: WriterId,
    /// Whether it is read back and compared.
    pub read_back: bool,
}

/// A file of an archive that is to be written, all of it or nothing.
#[derive(Clone, Debug)]
pub struct PutFile {
    /// Where to.
    pub writer: WriterId,
    /// Under which path.
    pub path: ArchivePath,
    /// Its bytes, as archives store them.
    pub content: Arc<[u8]>,
    /// Whether it is left alone if it is there: for files that their name says all of.
    pub unless_there: bool,
    /// Whether it is read back and compared.
    pub read_back: bool,
}

/// How the bytes of a file become what its check takes.
#[derive(Clone, Copy, Debug)]
pub enum FileForm {
    /// As they are; at most so many.
    Plain {
        /// Bytes.
        limit: usize,
    },
    /// gzip, then records.
    Records(FileLimits),
}

/// Takes a file while it is read.
pub trait Reading: RecordSink {
    /// The file was delivered, or is missing. Whether it is sound.
    fn finish(self: Box<Self>, delivery: Delivery) -> bool;
}

/// How a reading ended.
#[derive(Debug)]
pub enum ReadEnd {
    /// An archive answered, with the file or with the word that there is none; the reading took it.
    Answered {
        /// Which.
        archive: ArchiveId,
        /// Bytes as they came.
        compressed: u64,
        /// Bytes as they were checked.
        inflated: u64,
        /// How many bytes were written, where the file was sound and was to be copied.
        copied: Option<Result<u64, WriteError>>,
    },
    /// An archive did not deliver.
    Failed {
        /// Which.
        archive: ArchiveId,
        /// Why.
        error: ReadError,
    },
    /// There is no archive left to ask.
    Nobody,
    /// The run was cancelled.
    Cancelled,
}

/// How a writing ended.
#[derive(Clone, Debug)]
pub enum WriteEnd {
    /// It is there, durably.
    Written {
        /// Bytes.
        bytes: u64,
    },
    /// It was there before.
    AlreadyThere,
    /// It was not written.
    Failed {
        /// Why.
        error: WriteError,
    },
    /// The run was cancelled.
    Cancelled,
}
