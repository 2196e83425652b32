//! Ledger sequences and checkpoints (rules B.2; stellar-core `HistoryManager.h`).

use core::fmt;

use serde::{Deserialize, Serialize};

/// The sequence number of a ledger. Ledger 1 is the genesis ledger; ledger 0 does not exist.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct LedgerSeq(u32);

impl LedgerSeq {
    /// The genesis ledger.
    pub const GENESIS: Self = Self(1);

    /// Wraps a sequence number.
    #[must_use]
    pub const fn new(sequence: u32) -> Self {
        Self(sequence)
    }

    /// The sequence number.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The next ledger's sequence, if there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for LedgerSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many ledgers a checkpoint spans.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum CheckpointFrequency {
    /// 8, on local networks with `ARTIFICIALLY_ACCELERATE_TIME_FOR_TESTING`.
    Accelerated,
    /// 64, everywhere else.
    #[default]
    Standard,
}

impl CheckpointFrequency {
    /// Ledgers a checkpoint.
    #[must_use]
    pub const fn ledgers(self) -> u32 {
        match self {
            Self::Accelerated => 8,
            Self::Standard => 64,
        }
    }

    /// The frequency of that many ledgers, if it is one that exists.
    #[must_use]
    pub const fn from_ledgers(ledgers: u32) -> Option<Self> {
        match ledgers {
            8 => Some(Self::Accelerated),
            64 => Some(Self::Standard),
            _ => None,
        }
    }

    /// The checkpoint that contains a ledger: `(l / f + 1) * f - 1`, without the overflow.
    #[must_use]
    pub const fn containing(self, ledger: LedgerSeq) -> Checkpoint {
        Checkpoint { last: ledger.0 | (self.ledgers() - 1), frequency: self }
    }

    /// The checkpoint that ends at a ledger, if one does.
    #[must_use]
    pub fn ending_at(self, ledger: LedgerSeq) -> Option<Checkpoint> {
        let checkpoint = self.containing(ledger);
        (checkpoint.last == ledger.0).then_some(checkpoint)
    }
}

/// A checkpoint, named by its last ledger.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "RawCheckpoint")]
pub struct Checkpoint {
    last: u32,
    frequency: CheckpointFrequency,
}

#[derive(Deserialize)]
struct RawCheckpoint {
    last: u32,
    frequency: CheckpointFrequency,
}

impl TryFrom<RawCheckpoint> for Checkpoint {
    type Error = &'static str;

    fn try_from(raw: RawCheckpoint) -> Result<Self, Self::Error> {
        raw.frequency.ending_at(LedgerSeq(raw.last)).ok_or("no checkpoint ends there")
    }
}

impl Checkpoint {
    /// The ledger that names the checkpoint.
    #[must_use]
    pub const fn last_ledger(self) -> LedgerSeq {
        LedgerSeq(self.last)
    }

    /// Its first ledger: 1 for the first checkpoint, which therefore has one ledger less than the others.
    #[must_use]
    pub const fn first_ledger(self) -> LedgerSeq {
        let first = self.last - (self.frequency.ledgers() - 1);
        LedgerSeq(if first == 0 { 1 } else { first })
    }

    /// How many ledgers it spans.
    #[must_use]
    pub const fn ledger_count(self) -> u32 {
        self.last - self.first_ledger().0 + 1
    }

    /// Whether a ledger lies in it.
    #[must_use]
    pub fn contains(self, ledger: LedgerSeq) -> bool {
        self.first_ledger() <= ledger && ledger <= self.last_ledger()
    }

    /// Its ledgers, ascending.
    pub fn ledgers(self) -> impl DoubleEndedIterator<Item = LedgerSeq> {
        (self.first_ledger().0..=self.last).map(LedgerSeq)
    }

    /// The checkpoint after it, if sequences reach that far.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let last = self.last.checked_add(self.frequency.ledgers())?;
        Some(Self { last, ..self })
    }

    /// The checkpoint before it, unless it is the first.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        let last = self.last.checked_sub(self.frequency.ledgers())?;
        Some(Self { last, ..self })
    }

    /// How many ledgers apart checkpoints are.
    #[must_use]
    pub const fn frequency(self) -> CheckpointFrequency {
        self.frequency
    }
}

/// Displays as the eight hex digits of file names.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.last)
    }
}

/// One or more checkpoints in a row.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "RawRange")]
pub struct CheckpointRange {
    first: Checkpoint,
    last: Checkpoint,
}

#[derive(Deserialize)]
struct RawRange {
    first: Checkpoint,
    last: Checkpoint,
}

impl TryFrom<RawRange> for CheckpointRange {
    type Error = &'static str;

    fn try_from(raw: RawRange) -> Result<Self, Self::Error> {
        let sound = raw.first <= raw.last && raw.first.frequency == raw.last.frequency;
        sound.then_some(Self { first: raw.first, last: raw.last }).ok_or("the range ends before it begins")
    }
}

impl CheckpointRange {
    /// The checkpoints that contain ledgers `low` to `high`; `None` if `low` is above `high`.
    #[must_use]
    pub fn covering(low: LedgerSeq, high: LedgerSeq, frequency: CheckpointFrequency) -> Option<Self> {
        (low <= high).then(|| Self { first: frequency.containing(low), last: frequency.containing(high) })
    }

    /// The lowest checkpoint.
    #[must_use]
    pub const fn first(self) -> Checkpoint {
        self.first
    }

    /// The highest checkpoint.
    #[must_use]
    pub const fn last(self) -> Checkpoint {
        self.last
    }

    /// How many checkpoints there are; at least 1.
    #[must_use]
    pub const fn count(self) -> u32 {
        (self.last.last - self.first.last) / self.first.frequency.ledgers() + 1
    }

    /// The checkpoint at a place from the lowest, if the range reaches that far.
    #[must_use]
    pub fn nth(self, index: u32) -> Option<Checkpoint> {
        let last = index.checked_mul(self.first.frequency.ledgers()).and_then(|ledgers| self.first.last.checked_add(ledgers))?;
        (last <= self.last.last).then_some(Checkpoint { last, frequency: self.first.frequency })
    }

    /// The place of a checkpoint from the lowest, if it is one of the range.
    #[must_use]
    pub fn position(self, checkpoint: Checkpoint) -> Option<u32> {
        let within = checkpoint.frequency == self.first.frequency && checkpoint <= self.last;
        let above = checkpoint.last.checked_sub(self.first.last).filter(|_| within)?;
        Some(above / self.first.frequency.ledgers())
    }

    /// The checkpoints, ascending.
    pub fn iter(self) -> impl Iterator<Item = Checkpoint> {
        let last = self.last;
        core::iter::successors(Some(self.first), move |checkpoint| (checkpoint.last < last.last).then(|| checkpoint.next()).flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_checkpoint_has_one_ledger_less() {
        for (frequency, name) in [(CheckpointFrequency::Standard, "0000003f"), (CheckpointFrequency::Accelerated, "00000007")] {
            let first = frequency.containing(LedgerSeq::GENESIS);
            assert_eq!(first.to_string(), name);
            assert_eq!(first.first_ledger(), LedgerSeq::GENESIS);
            assert_eq!(first.ledger_count(), frequency.ledgers() - 1);
            assert_eq!(first.next().map(Checkpoint::ledger_count), Some(frequency.ledgers()));
            assert_eq!(first.previous(), None);
        }
    }

    #[test]
    fn a_range_covers_the_ledgers_asked_for_and_ends_at_the_highest_sequence() {
        let range = CheckpointRange::covering(LedgerSeq::new(64), LedgerSeq::new(192), CheckpointFrequency::Standard)
            .map(|range| (range.count(), range.iter().map(|checkpoint| checkpoint.last_ledger().value()).collect::<Vec<_>>()));
        assert_eq!(range, Some((3, vec![127, 191, 255])));
        let top = CheckpointFrequency::Standard.containing(LedgerSeq::new(u32::MAX));
        assert_eq!((top.last_ledger().value(), top.next()), (u32::MAX, None));
        assert_eq!(CheckpointRange::covering(LedgerSeq::new(2), LedgerSeq::new(1), CheckpointFrequency::Standard), None);
    }
}
