//! Looking into one archive: what is read for which view, and what of it is kept.
//!
//! What it is: reading on demand, the cache, searches. What it is not: what a view says; that is [`crate::explore`]. Files that
//! cannot be read are part of a view, as long as something can be shown; an error is what leaves nothing to show.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{join3, join5};
use serde::Serialize;

use super::Host;
use super::dump::{DumpError, Restart, read, read_plain};
use super::options::ReadOptions;
use super::probe::Probe;
use super::prove::parse_ledger_key;
use super::roots::read_roots;
use super::schedule::Drive;
use super::search::{SearchProgress, Searched, scan_bucket, search_transaction};
use super::verify::RunOptions;
use crate::archive::checkpoint::{Checkpoint, CheckpointRange, LedgerSeq};
use crate::archive::error::ReadError;
use crate::archive::network::Network;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::codec::file::FileLimits;
use crate::codec::hash::Hash256;
use crate::explore::LookError;
use crate::explore::bucket::{BucketCheck, BucketPage, BytesRead, CheckSink, FoundEntry, PageSink};
use crate::explore::checkpoint::{CheckpointView, Files, Held, Neighbours};
use crate::explore::file::{FileEnd, HeldFile};
use crate::explore::ledger::LedgerView;
use crate::explore::transaction::TransactionView;
use crate::historywork::FileForm;
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::trust::proof::make::buckets_newest_first;
use crate::verify::checkpoint::Delivery;

/// Files that are kept: those of four checkpoints with their neighbours'.
const MOST_FILES: usize = 32;
/// Bytes of them.
const MOST_BYTES: usize = 64 << 20;
/// Those of the checkpoint that was looked at last are kept whatever their size.
const ALWAYS_KEPT: usize = 8;
/// What was missing or faulty may have been mended since.
const DOUBT_AFTER_MS: u64 = 60_000;
/// Between two ledgers of a checkpoint others may have their turn.
const SLICE_MS: u64 = 30;

/// Why there is nothing to show.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExploreError {
    /// The caller wants no answer any more.
    #[error("the look into the archive was cancelled")]
    Cancelled,
    /// A file is missing or is not what it should be.
    #[error("{0}")]
    Faulty(String),
    /// The archive has no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The way to a file failed.
    #[error("{path} could not be read: {error}")]
    Unread {
        /// The file.
        path: ArchivePath,
        /// Why.
        error: ReadError,
    },
    /// The caller's mistake.
    #[error("{0}")]
    Usage(String),
}

impl ExploreError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "ABORTED",
            Self::Faulty(_) => "FAULTY",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Unread { error, .. } => error.code(),
            Self::Usage(_) => "USAGE",
        }
    }

    /// What to do about it, where there is something.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Unread { error, .. } => Some(error.advice()),
            _ => None,
        }
    }
}

impl From<LookError> for ExploreError {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Faulty(why) => Self::Faulty(why),
            LookError::NotThere(why) => Self::NotFound(why),
            LookError::Unread { path, error } => Self::Unread { path, error },
        }
    }
}

/// What an archive says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Newest {
    /// The newest ledger that it announces.
    pub ledger: LedgerSeq,
    /// The passphrase that it names.
    pub network: Option<String>,
    /// What wrote it.
    pub server: Option<String>,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct FoundTransaction {
    /// Its ledger.
    pub ledger: LedgerSeq,
    /// The place of its result, from 0.
    pub index: u32,
}

/// How far a search is.
#[derive(Clone, Debug, Serialize)]
pub struct SearchedSoFar {
    /// Checkpoints, or buckets, searched.
    pub done: u32,
    /// Of so many.
    pub total: u32,
    /// The last one.
    pub at: String,
}

/// What was read of an archive, to be looked at again. Every explorer of the same archive may use the same.
#[derive(Debug, Default)]
pub struct Memory {
    files: RefCell<Vec<Kept>>,
    network: RefCell<Option<Network>>,
}

#[derive(Debug)]
struct Kept {
    checkpoint: Checkpoint,
    file: Rc<HeldFile>,
    read_ms: u64,
}

impl Memory {
    /// Gives it back.
    pub fn clear(&self) {
        self.files.take();
    }

    /// The bytes that are kept.
    #[must_use]
    pub fn size(&self) -> usize {
        self.files.borrow().iter().map(|kept| kept.file.size()).sum()
    }

    fn find(&self, kind: FileKind, checkpoint: Checkpoint, now_ms: u64) -> Option<Rc<HeldFile>> {
        let mut files = self.files.borrow_mut();
        let place = files.iter().position(|kept| kept.checkpoint == checkpoint && kept.file.kind == kind)?;
        let kept = files.remove(place);
        if !matches!(kept.file.end, FileEnd::Read) && now_ms.saturating_sub(kept.read_ms) > DOUBT_AFTER_MS {
            return None;
        }
        let file = Rc::clone(&kept.file);
        // The last one is the one that was used last.
        files.push(kept);
        Some(file)
    }

    fn keep(&self, checkpoint: Checkpoint, file: &Rc<HeldFile>, read_ms: u64) {
        if matches!(file.end, FileEnd::Unread(_)) {
            return;
        }
        let mut files = self.files.borrow_mut();
        files.retain(|kept| kept.checkpoint != checkpoint || kept.file.kind != file.kind);
        files.push(Kept { checkpoint, file: Rc::clone(file), read_ms });
        let mut bytes: usize = files.iter().map(|kept| kept.file.size()).sum();
        while files.len() > ALWAYS_KEPT && (files.len() > MOST_FILES || bytes > MOST_BYTES) {
            bytes = bytes.saturating_sub(files.remove(0).file.size());
        }
    }
}

/// Looks into one archive.
#[allow(missing_debug_implementations)] // hosts and readers have none
pub struct Explorer<'a> {
    reader: &'a dyn ArchiveReader,
    host: &'a dyn Host,
    options: &'a ReadOptions,
    memory: &'a Memory,
}

impl<'a> Explorer<'a> {
    /// Over an archive, with what is kept of it.
    #[must_use]
    pub fn new(reader: &'a dyn ArchiveReader, host: &'a dyn Host, options: &'a ReadOptions, memory: &'a Memory) -> Self {
        Self { reader, host, options, memory }
    }

    /// What the archive says of itself.
    ///
    /// # Errors
    /// If its newest state cannot be read.
    pub async fn newest(&self) -> Result<Newest, ExploreError> {
        let state = self.root().await?;
        *self.memory.network.borrow_mut() = state.network_passphrase.clone().map(Network::from_passphrase);
        Ok(Newest { ledger: state.current_ledger, network: state.network_passphrase, server: state.server })
    }

    /// The checkpoint that a ledger is in.
    ///
    /// # Errors
    /// If the archive has none of its files, or none of them can be read.
    pub async fn checkpoint(&self, ledger: LedgerSeq) -> Result<CheckpointView, ExploreError> {
        let held = self.held(ledger, true).await?;
        let mut rows = Vec::new();
        let mut since_ms = self.host.now_ms();
        for ledger in held.ledgers() {
            rows.extend(held.row(ledger));
            if self.host.now_ms().saturating_sub(since_ms) >= SLICE_MS {
                self.host.yield_now().await;
                since_ms = self.host.now_ms();
                self.go_on()?;
            }
        }
        Ok(held.view(rows))
    }

    /// A ledger.
    ///
    /// # Errors
    /// If its header cannot be had.
    pub async fn ledger(&self, ledger: LedgerSeq) -> Result<LedgerView, ExploreError> {
        let held = self.held(ledger, false).await?;
        Ok(held.ledger(ledger)?)
    }

    /// The transaction whose result is at a place of a ledger's.
    ///
    /// # Errors
    /// If its result cannot be had.
    pub async fn transaction(&self, ledger: LedgerSeq, index: u32) -> Result<TransactionView, ExploreError> {
        let held = self.held(ledger, false).await?;
        Ok(held.transaction(ledger, index)?)
    }

    /// Where a transaction is: its ledger and its place among the ledger's results. `None`: nothing of the range has it.
    ///
    /// # Errors
    /// If it was not found, and not all could be searched.
    pub async fn find_transaction(
        &self,
        hash: &Hash256,
        low: Option<LedgerSeq>,
        high: Option<LedgerSeq>,
        progress: &mut dyn FnMut(SearchedSoFar),
    ) -> Result<Option<FoundTransaction>, ExploreError> {
        let readers = [self.reader];
        let range = self.range(low, high).await?;
        let mut progress = |so_far: SearchProgress| {
            let at = so_far.checkpoint.last_ledger().to_string();
            progress(SearchedSoFar { done: so_far.done, total: so_far.total, at });
        };
        match search_transaction(&readers, self.host, self.options, hash, range, &mut progress).await {
            Searched::Found(ledger, index) => Ok(Some(FoundTransaction { ledger, index })),
            Searched::Nowhere { unread: None } => Ok(None),
            Searched::Nowhere { unread: Some(path) } => {
                Err(ExploreError::Faulty(format!("the transaction was not found, but {path} could not be searched")))
            }
            Searched::Cancelled => Err(ExploreError::Cancelled),
        }
    }

    /// A page of a bucket.
    ///
    /// # Errors
    /// If the bucket cannot be read that far.
    pub async fn bucket(&self, hash: &str, from: u64, limit: u32) -> Result<BucketPage, ExploreError> {
        let (bucket, path) = bucket(hash)?;
        let mut sink = PageSink::new(from, limit, self.options.budget.xdr_depth);
        let read = self.read_bucket(&path, &mut sink).await;
        match read {
            Err(ExploreError::Faulty(_)) if sink.is_full() => {}
            read => read?,
        }
        Ok(sink.page(bucket))
    }

    /// Reads a bucket to its end and hashes it.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    pub async fn verify_bucket(&self, hash: &str, progress: &mut dyn FnMut(BytesRead)) -> Result<BucketCheck, ExploreError> {
        let (bucket, path) = bucket(hash)?;
        let mut sink = CheckSink::new(progress);
        self.read_bucket(&path, &mut sink).await?;
        Ok(sink.check(bucket))
    }

    /// An entry as it was after the checkpoint of a ledger, by the live bucket list that the checkpoint's state names.
    ///
    /// # Errors
    /// If the state, or a bucket that would show it, cannot be read or is not what its name says.
    pub async fn find_entry(
        &self,
        key: &str,
        ledger: LedgerSeq,
        progress: &mut dyn FnMut(SearchedSoFar),
    ) -> Result<FoundEntry, ExploreError> {
        let key = parse_ledger_key(key).map_err(|error| ExploreError::Usage(error.to_string()))?;
        let state = self.state(self.options.frequency.containing(ledger)).await?;
        let buckets = buckets_newest_first(&state.current_buckets);
        let depth = self.options.budget.xdr_depth;
        let mut found = FoundEntry::absent(&key, depth);
        for (level, is_curr, bucket) in &buckets {
            let path = ArchivePath::of_bucket(*bucket);
            let scanned = scan_bucket(self.reader, self.host, self.options, &path, &key, &mut |_| {}).await;
            let scanned = match self.delivered(&path, scanned) {
                Err(ExploreError::NotFound(why)) => return Err(ExploreError::Faulty(why)),
                scanned => scanned?,
            };
            if scanned.actual != *bucket {
                return Err(ExploreError::Faulty(format!("{path}: its content hashes to {}", scanned.actual)));
            }
            found.buckets_read = found.buckets_read.saturating_add(1);
            found.compressed = found.compressed.saturating_add(scanned.compressed);
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            progress(SearchedSoFar { done: count(found.buckets_read), total: count(buckets.len()), at: bucket.to_string() });
            if let Some(entry) = scanned.entry {
                return Ok(found.found(*bucket, *level, *is_curr, &entry, depth));
            }
        }
        Ok(found)
    }

    async fn read_bucket<S: Restart>(&self, path: &ArchivePath, sink: &mut S) -> Result<(), ExploreError> {
        let form = FileForm::Records(FileLimits::bucket(&self.options.budget));
        let read = match read(self.reader, self.host, self.options, path, form, sink).await {
            Ok(Delivery::Read(summary)) => summary.map(drop).map_err(|error| DumpError::Faulty(error.to_string())),
            Ok(_) => Err(DumpError::Missing),
            Err(error) => Err(error),
        };
        self.delivered(path, read)
    }

    /// The checkpoints that a search looks through; by default all that the archive has.
    async fn range(&self, low: Option<LedgerSeq>, high: Option<LedgerSeq>) -> Result<CheckpointRange, ExploreError> {
        let pool = ArchivePool::new(vec![self.reader]);
        let drive = Drive::new(&pool, self.host, self.options.timeouts);
        let mut roots = read_roots(&drive, self.options, None, &mut |_| {}).await;
        self.go_on()?;
        let (retry, frequency) = (self.options.retry, self.options.frequency);
        let asked = RunOptions { low, high, retry, frequency, ..RunOptions::default() };
        let mut probe = Probe::new(&drive, &asked, &roots.list);
        let tip = probe.pinned_tip(&roots.list, frequency).await;
        let (range, notes) = probe.find_range(&asked, &roots.list, tip).await;
        self.go_on()?;
        range.ok_or_else(|| match (roots.errors.pop(), notes.into_iter().next()) {
            (Some(error), _) => ExploreError::Usage(format!("the archive does not say how far it reaches: {}", error.message)),
            (None, Some(note)) => ExploreError::Usage(note.message),
            (None, None) => ExploreError::Usage("the archive does not say how far it reaches: name the ledgers to search".into()),
        })
    }

    /// The state of a checkpoint, not held against anything.
    async fn state(&self, checkpoint: Checkpoint) -> Result<HistoryArchiveState, ExploreError> {
        let path = ArchivePath::of_checkpoint(FileKind::History, checkpoint);
        self.parsed(&path, read_plain(self.reader, self.host, self.options, &path).await)
    }

    async fn root(&self) -> Result<HistoryArchiveState, ExploreError> {
        let path = ArchivePath::well_known();
        self.parsed(&path, read_plain(self.reader, self.host, self.options, &path).await)
    }

    fn parsed(&self, path: &ArchivePath, read: Result<Vec<u8>, DumpError>) -> Result<HistoryArchiveState, ExploreError> {
        let json = self.delivered(path, read)?;
        HistoryArchiveState::parse(&json, &self.options.budget)
            .map_err(|error| ExploreError::Faulty(format!("{path} is no state: {error}")))
    }

    /// What was read, or why there is nothing.
    fn delivered<T>(&self, path: &ArchivePath, read: Result<T, DumpError>) -> Result<T, ExploreError> {
        self.go_on()?;
        read.map_err(|error| match error {
            DumpError::Faulty(why) => ExploreError::Faulty(format!("{path}: {why}")),
            DumpError::Missing => ExploreError::NotFound(format!("{path} is not in the archive")),
            DumpError::Unread(error) => ExploreError::Unread { path: path.clone(), error },
        })
    }

    fn go_on(&self) -> Result<(), ExploreError> {
        if self.host.is_cancelled() { Err(ExploreError::Cancelled) } else { Ok(()) }
    }

    /// The checkpoint of a ledger, held, if there is anything of it; with what ties the ledger, or `all` of them, to its neighbours.
    async fn held(&self, ledger: LedgerSeq, all: bool) -> Result<Held, ExploreError> {
        if ledger.value() == 0 {
            return Err(ExploreError::Usage("ledger 0 does not exist: the first ledger is 1".into()));
        }
        let checkpoint = self.options.frequency.containing(ledger);
        let (first, last) = (all || ledger == checkpoint.first_ledger(), all || ledger == checkpoint.last_ledger());
        let file = |kind| self.file(kind, checkpoint);
        let own = join5(
            file(FileKind::History),
            file(FileKind::Ledger),
            file(FileKind::Transactions),
            file(FileKind::Results),
            file(FileKind::Scp),
        );
        let around = join3(
            self.neighbour(FileKind::Ledger, checkpoint.previous().filter(|_| first)),
            self.neighbour(FileKind::History, checkpoint.previous().filter(|_| all)),
            self.neighbour(FileKind::Ledger, checkpoint.next().filter(|_| last)),
        );
        let ((history, ledger, transactions, results, scp), (previous_ledger, previous_history, next_ledger)) =
            futures_util::future::join(own, around).await;
        self.go_on()?;
        let list = [&history, &ledger, &transactions, &results, &scp];
        if list.iter().all(|file| matches!(file.end, FileEnd::Missing)) {
            return Err(ExploreError::NotFound(format!(
                "the archive has no checkpoint {}: none of its files is there",
                checkpoint.last_ledger()
            )));
        }
        if list.iter().all(|file| matches!(file.end, FileEnd::Missing | FileEnd::Unread(_)))
            && let Some((path, error)) = list.iter().find_map(|file| match &file.end {
                FileEnd::Unread(error) => Some((file.path.clone(), error.clone())),
                _ => None,
            })
        {
            return Err(ExploreError::Unread { path, error });
        }
        let files = Files { history, ledger, transactions, results, scp };
        let neighbours = Neighbours { previous_ledger, previous_history, next_ledger };
        let named =
            HistoryArchiveState::parse(files.history.content(), &self.options.budget).is_ok_and(|state| state.network_passphrase.is_some());
        let network = if named { None } else { self.network().await };
        self.go_on()?;
        Ok(Held::new(checkpoint, files, neighbours, network, self.options.budget.clone()))
    }

    /// The network that the newest state names.
    async fn network(&self) -> Option<Network> {
        if self.memory.network.borrow().is_none() {
            // Without it less can be shown, but something can.
            let _ = self.newest().await;
        }
        self.memory.network.borrow().clone()
    }

    async fn neighbour(&self, kind: FileKind, checkpoint: Option<Checkpoint>) -> Option<Rc<HeldFile>> {
        Some(self.file(kind, checkpoint?).await)
    }

    async fn file(&self, kind: FileKind, checkpoint: Checkpoint) -> Rc<HeldFile> {
        if let Some(kept) = self.memory.find(kind, checkpoint, self.host.now_ms()) {
            return kept;
        }
        let budget = &self.options.budget;
        let mut limits = FileLimits::checkpoint_file(budget);
        limits.gzip.inflated = limits.gzip.inflated.min(budget.held_file_bytes);
        let form = match kind {
            FileKind::History => FileForm::Plain { limit: budget.has_json_bytes },
            _ => FileForm::Records(limits),
        };
        let mut file = HeldFile::new(kind, checkpoint);
        let path = file.path.clone();
        file.end = match read(self.reader, self.host, self.options, &path, form, &mut file).await {
            Ok(Delivery::Read(Ok(_))) => FileEnd::Read,
            Ok(Delivery::Read(Err(error))) => FileEnd::Faulty(error.to_string()),
            Ok(_) => FileEnd::Missing,
            Err(DumpError::Unread(error)) => FileEnd::Unread(error),
            Err(error) => FileEnd::Faulty(error.to_string()),
        };
        let file = Rc::new(file);
        self.memory.keep(checkpoint, &file, self.host.now_ms());
        file
    }
}

/// A bucket by its name.
fn bucket(hash: &str) -> Result<(BucketHash, ArchivePath), ExploreError> {
    let bucket = hash.parse().map(BucketHash::new).map_err(|_| ExploreError::Usage("a bucket's hash is 64 hexadecimal digits".into()))?;
    if bucket.is_empty_bucket() {
        return Err(ExploreError::Usage("the empty bucket has no file".into()));
    }
    Ok((bucket, ArchivePath::of_bucket(bucket)))
}

impl Restart for PageSink {
    fn restart(&mut self) -> bool {
        self.clear();
        true
    }
}

impl Restart for CheckSink<'_> {
    fn restart(&mut self) -> bool {
        self.clear();
        true
    }
}

impl Restart for HeldFile {
    fn restart(&mut self) -> bool {
        self.clear();
        true
    }
}
