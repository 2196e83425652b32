//! One checkpoint, downloaded, verified and held.

use super::Host;
use super::options::ReadOptions;
use super::roots::read_roots;
use super::schedule::Drive;
use crate::archive::checkpoint::Checkpoint;
use crate::archive::network::Network;
use crate::historywork::checkpoint_data::MissingData;
use crate::historywork::state::Hold;
use crate::historywork::{CheckpointData, HistoryWorkBuilder, SharedHistoryState, build_checkpoint_data, scheduler};
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;

/// Downloads a checkpoint, verified: all its files agree with its headers.
///
/// # Errors
/// The first file that is faulty or could not be read.
pub async fn download_checkpoint(
    readers: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &ReadOptions,
    checkpoint: Checkpoint,
    with_buckets: bool,
) -> Result<(CheckpointData, Option<Network>), MissingData> {
    let pool = ArchivePool::new(readers);
    let drive = Drive::new(&pool, host, options.timeouts);
    let network = match &options.network {
        Some(network) => Some(network.clone()),
        None => read_roots(&drive, options, None, &mut |_| {}).await.network(),
    };
    let archives = options.archives(&pool, network.clone());
    let state = SharedHistoryState::holding(Hold { records: true, buckets: with_buckets, stored: false });
    let mut builder = HistoryWorkBuilder::new(archives, checkpoint, state.clone()).retrying(options.retry);
    if !with_buckets {
        builder = builder.without_buckets();
    }
    let mut work = scheduler(options.concurrency);
    // A fresh scheduler takes everything.
    let _ = builder.register(&mut work);
    drive.run_to_completion(&mut work, &mut |_| {}).await;
    build_checkpoint_data(&state).map(|data| (data, network))
}
