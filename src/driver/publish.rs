//! Publishing: one checkpoint of archives into other places, and the beginning of a new archive.
//!
//! What it is: who is asked and written to, and the words in the end. What it is not: the order of puts, or the judgement on
//! what is put; those are the items' (`historywork`).

use serde::Serialize;

use super::Host;
use super::copy::unknown_network;
use super::event::WrittenSoFar;
use super::options::{ReadOptions, UsageError};
use super::roots::{PATIENCE_MS, read_roots};
use super::schedule::Drive;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::error::{RunError, WriteError, WriteErrorKind};
use crate::archive::id::{ArchiveId, WriterId};
use crate::archive::network::Network;
use crate::archive::path::ArchivePath;
use crate::archive::state::HistoryArchiveState;
use crate::historywork::checkpoint_data::MissingData;
use crate::historywork::metrics::PublishMetrics;
use crate::historywork::publish_history_archive_state_work::PublishHistoryArchiveStateWork;
use crate::historywork::publishing::PublishedTo;
use crate::historywork::put_remote_file_work::PutsDone;
use crate::historywork::state::Hold;
use crate::historywork::{COORDINATE, HistoryWorkBuilder, PublishTarget, SharedHistoryState, build_checkpoint_data, scheduler};
use crate::transport::pool::ArchivePool;
use crate::transport::{ArchiveReader, ArchiveWriter};
use crate::work::WorkSpec;

/// What writes the states of new archives.
const SERVER: &str = concat!("stellar-archive-verifier ", env!("CARGO_PKG_VERSION"));

/// Why a checkpoint is not published, or an archive not begun. What can fail for one place alone is in the summary.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The run was cancelled before anything was written.
    #[error("publishing was stopped before anything was written: start it again")]
    Aborted,
    /// It was asked for what must not be.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The checkpoint is not sound, or could not be read.
    #[error(transparent)]
    Checkpoint(Box<MissingData>),
    /// A file could not be written.
    #[error("{}{}", .0.path.as_ref().map_or_else(String::new, |path| format!("{path}: ")), .0.message)]
    Write(Box<RunError>),
}

impl From<MissingData> for PublishError {
    fn from(reason: MissingData) -> Self {
        Self::Checkpoint(Box::new(reason))
    }
}

impl PublishError {
    fn of_write(error: &WriteError, writer: &dyn ArchiveWriter, path: &ArchivePath) -> Self {
        Self::Write(Box::new(RunError::of_write(error, writer.name(), path)))
    }
}

/// What became of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishSummary {
    /// Its last ledger.
    pub checkpoint: LedgerSeq,
    /// The network, where it is known.
    pub network: Option<String>,
    /// What each place was given.
    pub destinations: Vec<PublishedArchive>,
    /// stellar-core's counts.
    pub metrics: PublishMetrics,
}

/// What a place was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedArchive {
    /// Its name.
    pub destination: String,
    /// What was written.
    pub written: WrittenSoFar,
    /// Files that were there.
    pub kept: u64,
    /// Why the checkpoint is not there, or not all of it; none if it is.
    pub error: Option<RunError>,
}

impl From<PublishedTo> for PublishedArchive {
    fn from(published: PublishedTo) -> Self {
        let PublishedTo { target, written, kept, bytes, error } = published;
        Self { destination: target.name, written: WrittenSoFar { files: written, bytes: bytes.to_string() }, kept, error }
    }
}

/// Downloads a checkpoint, verified, and publishes it into places. A place of another network is refused before anything is
/// written anywhere; one that fails later does not stop the others, and is in the summary with its error.
///
/// # Errors
/// If a place is of another network, or the checkpoint is not sound or cannot be read.
pub async fn publish_checkpoint(
    readers: Vec<&dyn ArchiveReader>,
    writers: Vec<&dyn ArchiveWriter>,
    host: &dyn Host,
    options: &ReadOptions,
    checkpoint: Checkpoint,
) -> Result<PublishSummary, PublishError> {
    let network = network_of(readers.clone(), &writers, host, options).await?;
    let count = readers.len();
    let mut everybody = readers;
    let mut targets = Vec::new();
    for (index, writer) in writers.iter().enumerate() {
        let reader = writer.reader().map(|reader| {
            everybody.push(reader);
            ArchiveId::new(everybody.len() - 1)
        });
        let target = PublishTarget::new(WriterId::new(index), writer.name()).reading(reader);
        targets.push(target.with_folders(writer.needs_folders()));
    }
    let pool = ArchivePool::new(everybody);
    let drive = Drive::new(&pool, host, options.timeouts).with_writers(writers);
    let archives = options.archives(&pool, network.clone()).without(pool.ids().skip(count).collect());
    let state = SharedHistoryState::holding(Hold { records: true, buckets: true, stored: false });
    let builder = HistoryWorkBuilder::new(archives, checkpoint, state.clone()).retrying(options.retry);
    let mut work = scheduler(options.concurrency);
    // A fresh scheduler takes everything.
    if let Ok(ids) = builder.register(&mut work) {
        let _ = builder.register_publish(&mut work, targets, ids);
    }
    drive.run_to_completion(&mut work, &mut |_| {}).await;
    let publishing = state.lock();
    if let Some(refused) = publishing.publishing().refused() {
        return Err(refused.clone().into());
    }
    let destinations: Vec<_> = publishing.publishing().places().into_iter().map(PublishedArchive::from).collect();
    let metrics = publishing.publishing().metrics();
    drop(publishing);
    if destinations.is_empty() {
        if drive.is_cancelled() {
            return Err(PublishError::Aborted);
        }
        // Publishing did not begin: a download failed, or there is nowhere to publish to.
        build_checkpoint_data(&state)?;
    }
    Ok(PublishSummary {
        checkpoint: checkpoint.last_ledger(),
        network: network.map(|network| network.passphrase().to_owned()),
        destinations,
        metrics,
    })
}

/// The network of the sources, which every place must be of.
async fn network_of(
    readers: Vec<&dyn ArchiveReader>,
    writers: &[&dyn ArchiveWriter],
    host: &dyn Host,
    options: &ReadOptions,
) -> Result<Option<Network>, UsageError> {
    let network = match &options.network {
        Some(network) => Some(network.clone()),
        None => {
            let pool = ArchivePool::new(readers);
            read_roots(&Drive::new(&pool, host, options.timeouts), options, None, &mut |_| {}).await.network()
        }
    };
    let places = ArchivePool::new(writers.iter().filter_map(|writer| writer.reader()).collect());
    let any = ReadOptions { network: None, ..options.clone() };
    let there = read_roots(&Drive::new(&places, host, options.timeouts), &any, Some(PATIENCE_MS), &mut |_| {}).await;
    let own = network.as_ref().map(Network::passphrase);
    for (root, id) in there.list.iter().zip(places.ids()) {
        let named = root.state.as_ref().and_then(|state| state.network_passphrase.as_deref());
        match (named, own) {
            (Some(other), Some(own)) if other != own => {
                let name = places.name(id);
                return Err(UsageError(format!("{name} is an archive of {other:?}, the checkpoint of {own:?}: nothing was written")));
            }
            (Some(other), None) => return Err(UsageError(unknown_network(places.name(id), other))),
            _ => {}
        }
    }
    Ok(network)
}

/// Begins an archive: a state of ledger 0 without a bucket, as `stellar-core new-hist` does. A place where there is a state
/// is left alone, whatever the state is.
///
/// # Errors
/// If there is a state, or the place could not be looked at or written to.
pub async fn new_history(
    writer: &dyn ArchiveWriter,
    host: &dyn Host,
    options: &ReadOptions,
    network: &Network,
) -> Result<HistoryArchiveState, PublishError> {
    let pool = ArchivePool::new(Vec::new());
    let drive = Drive::new(&pool, host, options.timeouts).with_writers(vec![writer]);
    let (own, well_known) = (ArchivePath::initial_state(), ArchivePath::well_known());
    for path in [&well_known, &own] {
        let failed = |error: WriteError| PublishError::of_write(&error, writer, path);
        if drive.or_give_up(writer.exists(path)).await.map_err(failed)? {
            let message = format!("{} has {path} already: an archive that exists is not begun again. Take another place", writer.name());
            return Err(UsageError(message).into());
        }
    }
    let state = HistoryArchiveState::initial(SERVER, network.passphrase());
    let (target, done) = (PublishTarget::new(WriterId::new(0), writer.name()).with_folders(writer.needs_folders()), PutsDone::default());
    let json = state.to_json();
    let item = PublishHistoryArchiveStateWork::new(target, &json, own, false, true, done.clone(), SharedHistoryState::default());
    let mut work = scheduler(1);
    let spec = WorkSpec::new("PublishHistoryArchiveStateWork", "new history", COORDINATE);
    // A fresh scheduler takes everything.
    let _ = work.add(spec, Box::new(item));
    drive.run_to_completion(&mut work, &mut |_| {}).await;
    let done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let failed = done.iter().find_map(|(path, outcome)| Some(PublishError::of_write(outcome.as_ref().err()?, writer, path)));
    let stopped = || WriteError::new(WriteErrorKind::Aborted, "the run was cancelled");
    match failed {
        Some(error) => Err(error),
        None if done.len() == 2 => Ok(state),
        None => Err(PublishError::of_write(&stopped(), writer, &well_known)),
    }
}
