//! What a mirror will cost, before it is begun: a few checkpoints are looked at, and the rest is taken to be like them.
//!
//! What it is: requests for sizes, and the files of the checkpoints that are looked at. What it is not: a download; buckets are
//! never read for it.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use serde::Serialize;

use super::Host;
use super::mirror::MirrorOptions;
use super::options::UsageError;
use super::probe::Probe;
use super::roots::read_roots;
use super::schedule::Drive;
use crate::archive::checkpoint::{Checkpoint, CheckpointRange};
use crate::archive::error::ReadError;
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::{BucketHash, HistoryArchiveState};
use crate::codec::u64_from;
use crate::limits::Budget;
use crate::report::LedgerRange;
use crate::transport::ArchiveReader;
use crate::transport::pool::ArchivePool;
use crate::verify::bucket_list::buckets;

/// Checkpoints that are looked at.
const LOOKED_AT: u32 = 6;

/// What a mirror will cost.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyEstimate {
    /// The ledgers.
    pub range: LedgerRange,
    /// Their checkpoints.
    pub checkpoints: u32,
    /// Files, which are as many requests.
    pub files: u64,
    /// Bytes of them, decimal.
    pub bytes: String,
    /// The part of both that is buckets.
    pub buckets: EstimatedPart,
    /// What the estimate rests on.
    pub measured: Measured,
    /// How far it can be relied on, in words.
    pub basis: String,
}

/// Files and their bytes.
#[derive(Clone, Debug, Serialize)]
pub struct EstimatedPart {
    /// How many.
    pub files: u64,
    /// Bytes of them, decimal.
    pub bytes: String,
}

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Measured {
    /// Checkpoints whose files were looked at.
    pub checkpoints: u32,
    /// Buckets whose sizes are known.
    pub buckets: u64,
}

/// Estimates what a mirror into an empty place will cost.
///
/// # Errors
/// If the options contradict themselves, or no source says how far it goes.
pub async fn estimate_mirror(
    sources: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &MirrorOptions,
) -> Result<CopyEstimate, UsageError> {
    let copy = &options.copy;
    let run = copy.run();
    super::verify::check(&run, &sources)?;
    let pool = ArchivePool::new(sources);
    let drive = Drive::new(&pool, host, copy.timeouts);
    let roots = read_roots(&drive, &copy.read(), None, &mut |_| {}).await;
    let mut probe = Probe::new(&drive, &run, &roots.list);
    let pinned = probe.pinned_tip(&roots.list, copy.frequency).await;
    let (range, notes) = probe.find_range(&run, &roots.list, pinned).await;
    let Some(range) = range else {
        let why = notes.first().map(|note| note.message.clone()).or_else(|| roots.errors.first().map(|error| error.message.clone()));
        return Err(UsageError(why.unwrap_or_else(|| "no source says how far it goes".to_owned())));
    };
    // The one whose newest state was read.
    let source = pool.ids().zip(&roots.list).find(|(_, root)| root.state.is_some()).map_or(ArchiveId::new(0), |(id, _)| id);
    let looks = Looks { drive: &drive, source, budget: &copy.budget, with_scp: !copy.skip_optional };
    Ok(looks.estimate(range).await)
}

struct Looks<'a> {
    drive: &'a Drive<'a>,
    source: ArchiveId,
    budget: &'a Budget,
    with_scp: bool,
}

impl Looks<'_> {
    async fn estimate(&self, range: CheckpointRange) -> CopyEstimate {
        let checkpoints = range.count();
        let looked_at: BTreeSet<_> = (0..LOOKED_AT).filter_map(|place| range.nth(place_of(place, checkpoints))).collect();
        let (mut files, mut bytes, mut looked) = (0u64, 0u64, 0u32);
        let (mut new_buckets, mut pairs) = (Sizes::default(), 0u64);
        for checkpoint in &looked_at {
            let (own_files, own_bytes) = self.files_of(*checkpoint).await;
            looked += u32::from(own_files > 0);
            (files, bytes) = (files + own_files, bytes.saturating_add(own_bytes));
            if let Some(previous) = checkpoint.previous().filter(|previous| *previous >= range.first())
                && let (Some(own), Some(before)) = (self.buckets_of(*checkpoint).await, self.buckets_of(previous).await)
            {
                new_buckets.add(self.sizes(own.difference(&before).copied()).await);
                pairs += 1;
            }
        }
        let first = match self.buckets_of(range.first()).await {
            Some(named) => self.sizes(named.into_iter()).await,
            None => Sizes::default(),
        };
        let last = match self.buckets_of(range.last()).await {
            Some(named) if range.count() > 1 => self.sizes(named.into_iter()).await,
            _ => Sizes::default(),
        };
        let count = u64::from(checkpoints);
        let like = |sum: u64, of: u64, times: u64| if of == 0 { 0 } else { mul_div(sum, times, of) };
        let (more_files, more_bytes) = (like(new_buckets.count, pairs, count - 1), like(new_buckets.bytes(), pairs, count - 1));
        // What the last state names is there in any case, whatever the samples missed.
        let bucket_files = first.count.saturating_add(more_files).max(last.count);
        let bucket_bytes = first.bytes().saturating_add(more_bytes).max(last.bytes());
        let known = first.known + new_buckets.known + last.known;
        let all = first.count + new_buckets.count + last.count;
        let basis = match (known, all) {
            (0, _) => "The sources do not tell the sizes of their buckets, which are most of the bytes: expect far more.".to_owned(),
            (known, all) if known < all => format!(
                "Measured at {looked} of {checkpoints} checkpoints; only {known} of {all} buckets tell their size, and the others are taken to be like them."
            ),
            _ if u64_from(looked_at.len()) == count => "All checkpoints were measured.".to_owned(),
            _ => format!(
                "Measured at {looked} of {checkpoints} checkpoints; the rest is taken to be like them, so it may be half or twice as much."
            ),
        };
        CopyEstimate {
            range: LedgerRange { low: range.first().first_ledger(), high: range.last().last_ledger() },
            checkpoints,
            files: like(files, looked.into(), count).saturating_add(bucket_files).saturating_add(1),
            bytes: like(bytes, looked.into(), count).saturating_add(bucket_bytes).to_string(),
            buckets: EstimatedPart { files: bucket_files, bytes: bucket_bytes.to_string() },
            measured: Measured { checkpoints: looked, buckets: known },
            basis,
        }
    }

    /// How many files a checkpoint has, and their bytes: by their sizes, or else by reading them.
    async fn files_of(&self, checkpoint: Checkpoint) -> (u64, u64) {
        let (mut files, mut bytes) = (0, 0u64);
        for kind in FileKind::ALL.into_iter().filter(|kind| self.with_scp || *kind != FileKind::Scp) {
            let path = ArchivePath::of_checkpoint(kind, checkpoint);
            let size = match self.size(&path).await {
                Some(size) => Some(size),
                None => self.read(&path).await.ok().map(|content| u64_from(content.len())),
            };
            if let Some(size) = size {
                (files, bytes) = (files + 1, bytes.saturating_add(size));
            }
        }
        (files, bytes)
    }

    async fn buckets_of(&self, checkpoint: Checkpoint) -> Option<BTreeSet<BucketHash>> {
        let json = self.read(&ArchivePath::of_checkpoint(FileKind::History, checkpoint)).await.ok()?;
        let state = HistoryArchiveState::parse(&json, self.budget).ok()?;
        Some(buckets(&state).map(|(_, bucket)| bucket).collect())
    }

    async fn sizes(&self, named: impl Iterator<Item = BucketHash>) -> Sizes {
        let mut sizes = Sizes::default();
        for bucket in named {
            sizes.count += 1;
            if let Some(size) = self.size(&ArchivePath::of_bucket(bucket)).await {
                sizes.known += 1;
                sizes.sum = sizes.sum.saturating_add(size);
            }
        }
        sizes
    }

    async fn size(&self, path: &ArchivePath) -> Option<u64> {
        let reader = self.drive.pool().reader(self.source)?;
        self.drive.or_stop(reader.size(path)).await.ok()?
    }

    /// A file, up to what a checkpoint's file may have.
    async fn read(&self, path: &ArchivePath) -> Result<Vec<u8>, ReadError> {
        let mut body = self.drive.open(self.source, path, false).await?;
        let mut content = Vec::new();
        while let Some(chunk) = self.drive.or_stop(body.chunks.next()).await? {
            content.extend(chunk?);
            if u64_from(content.len()) > self.budget.checkpoint_file_bytes {
                break;
            }
        }
        Ok(content)
    }
}

#[derive(Default)]
struct Sizes {
    count: u64,
    known: u64,
    sum: u64,
}

impl Sizes {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.known += other.known;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// With those that are not known taken to be like the others.
    fn bytes(&self) -> u64 {
        if self.known == 0 { 0 } else { mul_div(self.sum, self.count, self.known) }
    }
}

/// Places from the first to the last of so many, evenly.
fn place_of(place: u32, count: u32) -> u32 {
    let place = mul_div(u64::from(place), u64::from(count.saturating_sub(1)), u64::from(LOOKED_AT - 1));
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn mul_div(value: u64, times: u64, of: u64) -> u64 {
    let product = u128::from(value) * u128::from(times) / u128::from(of.max(1));
    u64::try_from(product).unwrap_or(u64::MAX)
}
