//! Which checkpoints of a range are verified, and in which order.
//!
//! A sample is drawn from a seed, so that anyone can draw the same one again.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::archive::checkpoint::{Checkpoint, CheckpointRange};
use crate::codec::usize_from;

/// In which order checkpoints are verified.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// From the lowest upward.
    #[default]
    OldestFirst,
    /// From the highest downward, as stellar-core walks the chain.
    NewestFirst,
}

/// What a sample is drawn from. Displays as 16 hex digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = &'static str;

    /// 16 hex digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        value.map(Self).ok_or("a seed is 16 hexadecimal digits")
    }
}

impl Serialize for Seed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The checkpoints of a run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(from = "RawPlan", into = "RawPlan")]
pub struct Plan {
    range: CheckpointRange,
    order: Order,
    sample: Option<Sample>,
    /// Only these places in the range, ascending.
    only: Option<Vec<u32>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    count: u32,
    seed: Seed,
    /// Places in the range, ascending.
    places: Vec<u32>,
}

#[derive(Deserialize, Serialize)]
struct RawPlan {
    range: CheckpointRange,
    order: Order,
    sample: Option<(u32, Seed)>,
    #[serde(default)]
    only: Option<Vec<u32>>,
}

impl From<RawPlan> for Plan {
    fn from(raw: RawPlan) -> Self {
        let only = raw.only.map(|places| places.into_iter().filter(|place| *place < raw.range.count()).collect());
        Self { only, ..Self::new(raw.range, raw.order, raw.sample) }
    }
}

impl From<Plan> for RawPlan {
    fn from(plan: Plan) -> Self {
        Self { range: plan.range, order: plan.order, sample: plan.sample.map(|sample| (sample.count, sample.seed)), only: plan.only }
    }
}

impl Plan {
    /// A whole range, or as many checkpoints of it as a sample is to have.
    #[must_use]
    pub fn new(range: CheckpointRange, order: Order, sample: Option<(u32, Seed)>) -> Self {
        let sample = sample.map(|(count, seed)| Sample { count, seed, places: draw(count.min(range.count()), range.count(), seed.0) });
        Self { range, order, sample, only: None }
    }

    /// Only these checkpoints, from the lowest upward; none if there is none of them.
    #[must_use]
    pub fn only(checkpoints: &BTreeSet<Checkpoint>) -> Option<Self> {
        let (first, last) = (checkpoints.first()?, checkpoints.last()?);
        let range = CheckpointRange::covering(first.first_ledger(), last.last_ledger(), first.frequency())?;
        let places = checkpoints.iter().filter_map(|checkpoint| range.position(*checkpoint)).collect();
        Some(Self { only: Some(places), ..Self::new(range, Order::OldestFirst, None) })
    }

    /// The range.
    #[must_use]
    pub fn range(&self) -> CheckpointRange {
        self.range
    }

    /// The order.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// How many checkpoints are verified.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.places().map_or(self.range.count(), |places| u32::try_from(places.len()).unwrap_or(u32::MAX))
    }

    /// The checkpoint that comes at a place of the order.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<Checkpoint> {
        let last = self.count().checked_sub(1)?;
        let index = match self.order {
            Order::OldestFirst => index,
            Order::NewestFirst => last.checked_sub(index)?,
        };
        match self.places() {
            None => self.range.nth(index),
            Some(places) => self.range.nth(*places.get(usize_from(index))?),
        }
    }

    fn places(&self) -> Option<&[u32]> {
        self.only.as_deref().or(self.sample.as_ref().map(|sample| sample.places.as_slice()))
    }

    /// Whether the signatures of the checkpoint at a place are looked at by default. In a chain one seal near the end covers
    /// all below: the newest four checkpoints, and for when those have none, some below them, ever further apart. In a
    /// sample nothing ties one checkpoint to another.
    #[must_use]
    pub fn looks_at_signatures(&self, index: u32) -> bool {
        let from_the_end = match self.order {
            Order::OldestFirst => self.count().saturating_sub(1).saturating_sub(index),
            Order::NewestFirst => index,
        };
        self.places().is_some() || from_the_end < 4 || from_the_end.is_power_of_two()
    }

    /// The sample's seed, if it is one.
    #[must_use]
    pub fn seed(&self) -> Option<Seed> {
        self.sample.as_ref().map(|sample| sample.seed)
    }

    /// What a sample without a fault says about the rest, in words; none for a whole range.
    #[must_use]
    pub fn guarantee(&self) -> Option<String> {
        let sample = self.sample.as_ref()?;
        let (drawn, all) = (self.count(), self.range.count());
        let faulty = faults_that_would_have_shown(drawn, all);
        let were = if drawn == 1 { "was" } else { "were" };
        let head = format!("{drawn} of {all} checkpoints {were} drawn at random (seed {})", sample.seed);
        Some(match faulty {
            _ if drawn == all => format!("{head}, which is all of them"),
            Some(faulty) if faulty == all => format!("{head}: had all {all} been faulty, the draw would have met one"),
            Some(1) => {
                format!("{head}: had even 1 of the {all} been faulty, the draw would have met it with a probability of at least 95 %")
            }
            Some(faulty) => {
                format!(
                    "{head}: had {faulty} or more of the {all} been faulty, the draw would have met one with a probability of at least 95 %"
                )
            }
            None => format!("{head}: too few to say anything of the rest"),
        })
    }
}

/// The smallest number of faulty checkpoints of which a draw without replacement meets one in 95 of 100 cases: the chance
/// to miss k of them is the product of (all - drawn - i) / (all - i) for i below k.
fn faults_that_would_have_shown(drawn: u32, all: u32) -> Option<u32> {
    let mut missed = 1.0;
    for faulty in 1..=all {
        let i = faulty - 1;
        missed *= f64::from((all - drawn).saturating_sub(i)) / f64::from(all - i);
        if missed <= 0.05 {
            return (drawn > 0).then_some(faulty);
        }
    }
    None
}

/// `count` different places below `all`, ascending (Floyd's algorithm).
fn draw(count: u32, all: u32, seed: u64) -> Vec<u32> {
    let mut state = seed;
    let mut places = BTreeSet::new();
    for top in all.saturating_sub(count)..all {
        let place = below(top, &mut state);
        if !places.insert(place) {
            places.insert(top);
        }
    }
    places.into_iter().collect()
}

/// A number from 0 to `top`: the high half of a product is as even as 64 random bits allow.
fn below(top: u32, state: &mut u64) -> u32 {
    let wide = u128::from(splitmix64(state)) * (u128::from(top) + 1);
    u32::try_from(wide >> 64).unwrap_or(top)
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every platform and for ever, which a library does not promise.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::checkpoint::{CheckpointFrequency, LedgerSeq};

    fn range(checkpoints: u32) -> CheckpointRange {
        let high = LedgerSeq::new(checkpoints * 64 - 1);
        CheckpointRange::covering(LedgerSeq::new(1), high, CheckpointFrequency::Standard)
            .unwrap_or_else(|| unreachable!("invariant: 1 is low"))
    }

    fn ledgers(plan: &Plan) -> Vec<u32> {
        (0..plan.count()).filter_map(|index| plan.get(index)).map(|checkpoint| checkpoint.last_ledger().value()).collect()
    }

    #[test]
    fn a_whole_range_goes_either_way() {
        assert_eq!(ledgers(&Plan::new(range(3), Order::OldestFirst, None)), [63, 127, 191]);
        assert_eq!(ledgers(&Plan::new(range(3), Order::NewestFirst, None)), [191, 127, 63]);
        assert_eq!(Plan::new(range(3), Order::NewestFirst, None).get(3), None);
    }

    #[test]
    fn a_sample_is_that_many_different_checkpoints_and_the_seed_decides_which() {
        let sample = |seed| ledgers(&Plan::new(range(1000), Order::OldestFirst, Some((50, Seed(seed)))));
        let first = sample(1);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 50);
        assert!(first.is_sorted());
        assert_eq!(first, sample(1));
        assert_ne!(first, sample(2));
        let all = Plan::new(range(3), Order::OldestFirst, Some((50, Seed(7))));
        assert_eq!(ledgers(&all), [63, 127, 191]);
        assert_eq!("00000000000000ff".parse(), Ok(Seed(255)));
        assert!("+1".parse::<Seed>().is_err() && "".parse::<Seed>().is_err());
    }

    #[test]
    fn every_place_is_drawn_about_equally_often() {
        let mut drawn = [0u32; 10];
        for seed in 0..10_000 {
            for place in draw(3, 10, seed) {
                if let Some(count) = drawn.get_mut(usize_from(place)) {
                    *count += 1;
                }
            }
        }
        assert!(drawn.iter().all(|count| (2800..3200).contains(count)), "{drawn:?}");
    }

    #[test]
    fn the_guarantee_is_what_the_odds_are() {
        // Of 100, 50 drawn: missing 1 has odds 0.5, 2 about 0.247, 3 0.121, 4 0.0587, 5 0.0281.
        assert_eq!(faults_that_would_have_shown(50, 100), Some(5));
        assert_eq!(faults_that_would_have_shown(99, 100), Some(1));
        assert_eq!(faults_that_would_have_shown(1, 1000), Some(950));
        assert_eq!(faults_that_would_have_shown(0, 10), None);
        let plan = Plan::new(range(100), Order::OldestFirst, Some((50, Seed(1))));
        let text = plan.guarantee().unwrap_or_default();
        assert!(text.contains("seed 0000000000000001") && text.contains("had 5 or more of the 100"), "{text}");
    }
}
