//! How far archives reach: what the newest states say, and where that is not enough, a look at files in places.

use futures_util::StreamExt;

use super::roots::{pinned_tip, tip};
use super::schedule::Drive;
use super::verify::RunOptions;
use crate::archive::checkpoint::{Checkpoint, CheckpointFrequency, CheckpointRange, LedgerSeq};
use crate::archive::error::{ReadError, ReadErrorKind};
use crate::archive::id::ArchiveId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::historywork::archives::Accounts;
use crate::historywork::saved::Root;
use crate::verify::finding::Note;
use crate::work::retry::RetryPolicy;

/// The note that the archive ends below what was asked for: such a run did not complete.
pub(super) const CLAMPED: &str = "range-clamped";

/// A newest state may claim any ledger; this many checkpoints past the last file are still looked for one by one.
const CLAIMED_CHECKPOINTS: u32 = 64;
/// Places that are looked at on either side and in between.
const PLACES: u32 = 16;

/// Looks for files without reading them.
pub(super) struct Probe<'a> {
    drive: &'a Drive<'a>,
    retry: RetryPolicy,
    /// The newest checkpoints of the archives: who announces less is not asked for what is newer.
    tips: Vec<Option<Checkpoint>>,
    pub(super) accounts: Accounts,
}

pub(super) fn note(code: &'static str, message: String) -> Note {
    Note { code: code.into(), path: None, checkpoint: None, message }
}

impl<'a> Probe<'a> {
    pub(super) fn new(drive: &'a Drive<'a>, options: &RunOptions, roots: &[Root]) -> Self {
        let tips = roots.iter().map(|root| tip(root, options.frequency)).collect();
        Self { drive, retry: options.retry, tips, accounts: Accounts::default() }
    }

    /// The checkpoints to verify, and what is to be said about them.
    pub(super) async fn find_range(
        &mut self,
        options: &RunOptions,
        roots: &[Root],
        pinned: Option<Checkpoint>,
    ) -> (Option<CheckpointRange>, Vec<Note>) {
        let frequency = options.frequency;
        let mut notes = Vec::new();
        let tip = pinned.map(Checkpoint::last_ledger);
        let empty = |root: &Root| root.state.as_ref().is_some_and(|state| state.current_ledger == LedgerSeq::new(0));
        if tip.is_none() && roots.iter().any(empty) {
            notes.push(note("archive-empty", "the archive is initialised but empty: nothing was published to it yet".into()));
            return (None, notes);
        }
        let high = match (options.high, tip) {
            (Some(high), Some(tip)) if frequency.containing(high) > frequency.containing(tip) => {
                let message = format!("the archive ends at ledger {tip}: ledgers up to {high} were asked for and are not there yet");
                notes.push(note(CLAMPED, message));
                tip
            }
            (Some(high), _) => high,
            (None, Some(tip)) => tip,
            (None, None) => return (None, notes),
        };
        let low = match options.last {
            Some(last) => Some(LedgerSeq::new(high.value().saturating_sub(last.saturating_sub(1)).max(1))),
            None => options.low,
        };
        let asked = |low| CheckpointRange::covering(low, high, frequency);
        let Some(whole) = asked(low.unwrap_or(LedgerSeq::GENESIS)) else {
            notes.clear();
            notes.push(note("range-empty", format!("the archive ends at ledger {high}, below the range that was asked for")));
            return (None, notes);
        };
        let mut range = whole;
        if low.is_none()
            && !self.exists(whole.first()).await
            && let Some(first) = self.first_where(whole, true).await
        {
            let below = first.previous().and_then(|last| CheckpointRange::covering(LedgerSeq::GENESIS, last.last_ledger(), frequency));
            let lower = match below {
                Some(below) => self.first_found(below).await,
                None => None,
            };
            let first = lower.unwrap_or(first);
            range = asked(first.first_ledger()).unwrap_or(range);
            let begins = first.first_ledger();
            notes.push(note("starts-late", format!("the archive begins at ledger {begins}: nothing below it was verified, and it was looked at in places only to see that nothing is there")));
        }
        // A state that claims a far future would cost a request for every file that is not there.
        if options.high.is_none()
            && range.count() > CLAIMED_CHECKPOINTS
            && !self.exists(range.last()).await
            && let Some(gone) = self.first_where(range, false).await
            && let Some(shorter) = CheckpointRange::covering(range.first().first_ledger(), gone.last_ledger(), frequency)
            && let Some(beyond) = gone.next().and_then(|next| CheckpointRange::covering(next.first_ledger(), high, frequency))
            && beyond.count() > CLAIMED_CHECKPOINTS
            && self.first_found(beyond).await.is_none()
        {
            let message = format!("the newest state names ledger {high}, but the files end before ledger {}", gone.first_ledger());
            notes.push(note("ends-early", message));
            range = shorter;
        }
        (Some(range), notes)
    }

    /// The tip that a run is pinned to: with several archives the newest one, not above the middle of what they announce,
    /// that any of them has files of; what one alone announces is held against it.
    pub(super) async fn pinned_tip(&mut self, roots: &[Root], frequency: CheckpointFrequency) -> Option<Checkpoint> {
        let middle = pinned_tip(roots, frequency)?;
        let mut tips: Vec<_> = roots.iter().filter(|root| !root.excluded).filter_map(|root| tip(root, frequency)).collect();
        tips.retain(|tip| *tip <= middle);
        tips.sort_unstable();
        tips.dedup();
        while let Some(tip) = tips.pop() {
            if tips.is_empty() || self.exists(tip).await {
                return Some(tip);
            }
        }
        Some(middle)
    }

    /// The part of a range that there are files of: from its lowest checkpoint if `from_low` says so, up to its highest if
    /// `to_high` does; none if there are no files.
    pub(super) async fn extent(&mut self, range: CheckpointRange, from_low: bool, to_high: bool) -> Option<CheckpointRange> {
        let first = if from_low || self.exists(range.first()).await {
            range.first()
        } else if to_high && self.exists(range.last()).await {
            self.first_where(range, true).await?
        } else {
            self.first_found(range).await?
        };
        // Checkpoints below a hole belong to it as well.
        let below = first.previous().filter(|_| !from_low && first > range.first());
        let below = below.and_then(|last| CheckpointRange::covering(range.first().first_ledger(), last.last_ledger(), last.frequency()));
        let lower = match below {
            Some(below) => self.first_found(below).await,
            None => None,
        };
        let first = lower.unwrap_or(first);
        let rest = CheckpointRange::covering(first.first_ledger(), range.last().last_ledger(), first.frequency())?;
        if to_high || self.exists(range.last()).await {
            return Some(rest);
        }
        let gone = self.first_where(rest, false).await?;
        CheckpointRange::covering(first.first_ledger(), gone.previous()?.last_ledger(), first.frequency())
    }

    /// Whether any archive has anything of a checkpoint.
    pub(super) async fn exists(&mut self, checkpoint: Checkpoint) -> bool {
        let behind = |archive: &ArchiveId| self.tips.get(archive.index()).copied().flatten().is_some_and(|tip| tip < checkpoint);
        let mut asked: Vec<_> = self.drive.pool().ids().filter(|archive| !behind(archive)).collect();
        if asked.is_empty() {
            asked.extend(self.drive.pool().ids());
        }
        for kind in FileKind::ALL {
            for archive in asked.iter().copied() {
                if self.drive.pool().is_usable(archive) && self.has(archive, &ArchivePath::of_checkpoint(kind, checkpoint)).await {
                    return true;
                }
            }
        }
        false
    }

    /// Whether there is a file, judged by its first bytes: servers that answer missing files with a page or with 403 say
    /// that there is none. When in doubt there is one, and reading it will tell.
    async fn has(&mut self, archive: ArchiveId, path: &ArchivePath) -> bool {
        for retry in 0.. {
            if self.drive.is_cancelled() {
                return true;
            }
            self.accounts.of(archive).requests += 1;
            match self.first_bytes(archive, path).await {
                Ok(first) => return first.is_some_and(|bytes| bytes.first() != Some(&b'<')),
                Err(error) if error.is_retryable() => {
                    let account = self.accounts.of(archive);
                    *(if error.is_throttling() { &mut account.throttled } else { &mut account.failures }) += 1;
                    if !self.drive.rest_after(archive, path, &error, self.retry, retry).await {
                        return true;
                    }
                }
                Err(error) => return !matches!(error.kind, ReadErrorKind::NotFound | ReadErrorKind::Forbidden),
            }
        }
        true
    }

    async fn first_bytes(&self, archive: ArchiveId, path: &ArchivePath) -> Result<Option<Vec<u8>>, ReadError> {
        let mut body = self.drive.open(archive, path, false).await?;
        self.drive.or_stop(body.chunks.next()).await?.transpose()
    }

    /// Looks for a checkpoint at both ends of a range and at places in between: what tells a late start or an early end,
    /// which have nothing beyond them, from a hole.
    async fn first_found(&mut self, range: CheckpointRange) -> Option<Checkpoint> {
        let count = range.count();
        let step = (count / PLACES).max(1);
        for index in (0..count).filter(|index| *index < PLACES || *index + PLACES >= count || index.is_multiple_of(step)) {
            if let Some(checkpoint) = range.nth(index)
                && self.exists(checkpoint).await
            {
                return Some(checkpoint);
            }
        }
        None
    }

    /// The first checkpoint that exists (or, with `false`, does not), taking for granted that there is one border only.
    async fn first_where(&mut self, range: CheckpointRange, wanted: bool) -> Option<Checkpoint> {
        let (mut low, mut high) = (0, range.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.exists(range.nth(middle)?).await == wanted {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        range.nth(low)
    }
}
