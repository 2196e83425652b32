//! What a mirror will cost, before it is begun: a few checkpoints are looked at, and the rest is taken to be like them.
//!
//! What it is: requests for sizes, and the files of the checkpoints that are looked at. What it is not: a download; buckets are
//! never read for it.
//!
//! What a random sample will name of buckets depends on what is drawn, so that has two bounds. A state names the buckets of eleven
//! levels, and each level changes at a known pace: the upper ones between any two checkpoints, the lowest ones hardly ever. So many
//! checkpoints name at most as many buckets of a level as it had in the range, and at least as many as there must be where none is
//! named for longer than a level keeps it.

use core::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

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
use crate::verify::bucket_list::{buckets, lists};

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
    /// The buckets that a random sample of the checkpoints names, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<EstimatedSample>,
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

/// The buckets that a random sample of checkpoints names: at least, and at most.
#[derive(Clone, Debug, Serialize)]
pub struct EstimatedSample {
    /// How many checkpoints are drawn.
    pub checkpoints: u32,
    /// Where as many of the drawn checkpoints as can be share their buckets.
    pub least: EstimatedPart,
    /// Where as few as can be do.
    pub most: EstimatedPart,
}

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Measured {
    /// Checkpoints whose files were looked at.
    pub checkpoints: u32,
    /// Buckets whose sizes are known.
    pub buckets: u64,
}

/// Estimates what a mirror into an empty place will cost; with `sample`, also what a check of so many random checkpoints takes of
/// buckets.
///
/// # Errors
/// If the options contradict themselves, or no source says how far it goes.
pub async fn estimate_mirror(
    sources: Vec<&dyn ArchiveReader>,
    host: &dyn Host,
    options: &MirrorOptions,
    sample: Option<u32>,
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
    let looks = Looks { drive: &drive, source, budget: &copy.budget, with_scp: !copy.skip_optional, known: RefCell::default() };
    Ok(looks.estimate(range, sample).await)
}

struct Looks<'a> {
    drive: &'a Drive<'a>,
    source: ArchiveId,
    budget: &'a Budget,
    with_scp: bool,
    /// Sizes of buckets that were asked for.
    known: RefCell<BTreeMap<BucketHash, Option<u64>>>,
}

impl Looks<'_> {
    async fn estimate(&self, range: CheckpointRange, sample: Option<u32>) -> CopyEstimate {
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
        let sample = match sample {
            Some(drawn) => Some(self.sampled(&looked_at, drawn.min(checkpoints), checkpoints).await),
            None => None,
        };
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
            sample,
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

    /// The bounds of what so many of the checkpoints, drawn at random, name of buckets.
    async fn sampled(&self, looked_at: &BTreeSet<Checkpoint>, drawn: u32, of: u32) -> EstimatedSample {
        let mut levels: BTreeMap<(usize, usize), Sizes> = BTreeMap::new();
        let (mut frequency, mut states) = (1, 0);
        for checkpoint in looked_at {
            let Some(state) = self.state_of(*checkpoint).await else { continue };
            states += 1;
            frequency = checkpoint.frequency().ledgers();
            let mut named = BTreeSet::new();
            for (place, (_, list)) in lists(&state).enumerate() {
                for (level, bucket) in list.buckets() {
                    // A bucket on its way down is named by two levels; the upper one, where it changes sooner, counts it.
                    if named.insert(bucket) {
                        levels.entry((place, level)).or_default().add(self.sizes(core::iter::once(bucket)).await);
                    }
                }
            }
        }
        let (mut least, mut most) = (Bound::default(), Bound::default());
        let (draws, all) = (u64::from(drawn), u64::from(of));
        for ((_, level), sizes) in levels {
            let pace = LevelPace::of(level, frequency);
            let named_by = |checkpoints: u64| mul_div(sizes.count, checkpoints, states);
            least.add(&sizes, (named_by(draws) / pace.kept).max(named_by(1)));
            // What few of the states name may be named by any: one more.
            let in_all = pace.new_after.map_or(u64::MAX, |after| named_by(1).saturating_add(all.div_ceil(after)));
            most.add(&sizes, named_by(draws).min(in_all).saturating_add(1));
        }
        EstimatedSample { checkpoints: drawn, least: least.into(), most: most.into() }
    }

    async fn state_of(&self, checkpoint: Checkpoint) -> Option<HistoryArchiveState> {
        let json = self.read(&ArchivePath::of_checkpoint(FileKind::History, checkpoint)).await.ok()?;
        HistoryArchiveState::parse(&json, self.budget).ok()
    }

    async fn buckets_of(&self, checkpoint: Checkpoint) -> Option<BTreeSet<BucketHash>> {
        let state = self.state_of(checkpoint).await?;
        Some(buckets(&state).map(|(_, bucket)| bucket).collect())
    }

    async fn sizes(&self, named: impl Iterator<Item = BucketHash>) -> Sizes {
        let mut sizes = Sizes::default();
        for bucket in named {
            sizes.count += 1;
            let asked = self.known.borrow().get(&bucket).copied();
            let size = match asked {
                Some(size) => size,
                None => {
                    let size = self.size(&ArchivePath::of_bucket(bucket)).await;
                    self.known.borrow_mut().insert(bucket, size);
                    size
                }
            };
            if let Some(size) = size {
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

/// How fast a level of a bucket list changes, in checkpoints.
#[derive(Clone, Copy, Debug)]
struct LevelPace {
    /// It has one new bucket after so many; none: all of it is new at every checkpoint.
    new_after: Option<u64>,
    /// So many name one bucket of it at most.
    kept: u64,
}

impl LevelPace {
    /// stellar-core's `levelHalf`: level `i` hands its snap on every `2 * 4^i` ledgers, and takes what the level above hands on.
    fn of(level: usize, frequency: u32) -> Self {
        let half = |level: usize| u32::try_from(level).ok().and_then(|level| 4u64.checked_pow(level)).unwrap_or(u64::MAX).saturating_mul(2);
        let frequency = u64::from(frequency.max(1));
        let (hands_on, takes) = (half(level), level.checked_sub(1).map_or(1, half));
        // A bucket is the merge that is to come, then curr, then snap.
        let kept = hands_on.saturating_add(takes.saturating_mul(2)).div_ceil(frequency).max(1);
        Self { new_after: Some(takes / frequency).filter(|after| *after > 0), kept }
    }
}

/// Files and bytes that add up.
#[derive(Default)]
struct Bound {
    files: u64,
    bytes: u64,
}

impl Bound {
    /// So many files that are like those.
    fn add(&mut self, like: &Sizes, files: u64) {
        self.files = self.files.saturating_add(files);
        self.bytes = self.bytes.saturating_add(if like.known == 0 { 0 } else { mul_div(like.sum, files, like.known) });
    }
}

impl From<Bound> for EstimatedPart {
    fn from(bound: Bound) -> Self {
        Self { files: bound.files, bytes: bound.bytes.to_string() }
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

#[cfg(test)]
mod tests {
    use super::LevelPace;

    #[test]
    fn upper_levels_are_new_at_every_checkpoint_and_lower_ones_are_kept() {
        let of = |level: usize| {
            let LevelPace { new_after, kept } = LevelPace::of(level, 64);
            (new_after, kept)
        };
        assert_eq!((0..3).map(of).collect::<Vec<_>>(), [(None, 1); 3]);
        // Its snap stays for 128 ledgers; what it takes changes every 32.
        assert_eq!(of(3), (None, 3));
        assert_eq!(of(5), (Some(8), 48));
        assert_eq!(of(10), (Some(8192), 49_152));
        let accelerated = LevelPace::of(3, 8);
        assert_eq!((accelerated.new_after, accelerated.kept), (Some(4), 24));
    }
}
