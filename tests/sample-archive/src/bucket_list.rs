//! A bucket list: eleven levels, when they spill into the next, and the hash over them (rule B.6).
//!
//! Level `i` holds about `4^(i+1)` ledgers. At every half of that its `curr` becomes its `snap`, and the level below
//! starts to merge that snap into its own `curr`; the merge takes effect at the next spill. stellar-core merges in the
//! background meanwhile; here a merge is done at once and its output put aside as `next`.

use std::rc::Rc;

use stellar_xdr::Hash;

use crate::bucket::{Bucket, Entry, FIRST_WITHOUT_SHADOWS};
use crate::codec::sha256;

/// How many levels a list has.
pub(crate) const LEVELS: usize = 11;

/// The live list or the hot archive list.
#[derive(Debug)]
pub(crate) struct BucketList<E> {
    levels: Vec<Level<E>>,
}

/// One level.
#[derive(Debug)]
pub(crate) struct Level<E> {
    pub(crate) curr: Rc<Bucket<E>>,
    pub(crate) snap: Rc<Bucket<E>>,
    /// The finished merge that becomes `curr` at the next spill of the level above.
    next: Option<Rc<Bucket<E>>>,
}

impl<E: Entry> BucketList<E> {
    pub(crate) fn new() -> Self {
        Self { levels: (0..LEVELS).map(|_| Level::empty()).collect() }
    }

    /// Adds the changes of one ledger, as stellar-core's `BucketList::addBatch`.
    pub(crate) fn add_batch(&mut self, ledger: u32, version: u32, changes: Vec<E>) {
        // What each level looked like before this ledger; merges of old protocols are shadowed by the levels above.
        let shadows: Vec<_> = self.levels.iter().flat_map(|level| [level.curr.clone(), level.snap.clone()]).collect();
        for below in (1..LEVELS).rev() {
            let above = below - 1;
            if !should_spill(ledger, above) {
                continue;
            }
            let snap = self.level_mut(above).spill();
            let level = self.level_mut(below);
            if let Some(next) = level.next.take() {
                level.curr = next;
            }
            let shadows = if snap.version() < FIRST_WITHOUT_SHADOWS { shadows.get(..2 * above).unwrap_or_default() } else { &[] };
            let empty = Bucket::empty();
            let old = if merges_with_empty_curr(ledger, below) { &empty } else { &level.curr };
            let keep_tombstones = below < LEVELS - 1;
            level.next = Some(Bucket::merge(old, &snap, shadows, keep_tombstones));
        }
        let fresh = Bucket::fresh(version, changes);
        let top = self.level_mut(0);
        top.curr = Bucket::merge(&top.curr, &fresh, &[], true);
    }

    /// SHA-256 over the hashes of the levels, each of them SHA-256 over `curr` and `snap`.
    pub(crate) fn hash(&self) -> Hash {
        let mut levels = Vec::new();
        for level in &self.levels {
            levels.extend(sha256([&level.curr.hash().0, &level.snap.hash().0]).0);
        }
        sha256([&levels])
    }

    /// The levels, each with the output of its merge, unless that is empty.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (&Level<E>, Option<&Rc<Bucket<E>>>)> {
        self.levels.iter().map(|level| (level, level.next.as_ref().filter(|next| !next.is_empty())))
    }

    fn level_mut(&mut self, level: usize) -> &mut Level<E> {
        self.levels.get_mut(level).expect("invariant: every caller counts below LEVELS")
    }
}

impl<E: Entry> Level<E> {
    fn empty() -> Self {
        Self { curr: Bucket::empty(), snap: Bucket::empty(), next: None }
    }

    /// Moves `curr` to `snap` and hands that out for the level below.
    fn spill(&mut self) -> Rc<Bucket<E>> {
        self.snap = std::mem::replace(&mut self.curr, Bucket::empty());
        self.snap.clone()
    }
}

/// Whether level `level` gives its `curr` away at this ledger. The lowest never does.
fn should_spill(ledger: u32, level: usize) -> bool {
    level < LEVELS - 1 && ledger.is_multiple_of(half(level))
}

/// Whether the merge that starts at this ledger replaces `curr`: it will have been given away by the time it is done.
fn merges_with_empty_curr(ledger: u32, level: usize) -> bool {
    let step = half(level - 1);
    let started = ledger / step * step;
    should_spill(started + step, level)
}

/// Half the number of ledgers that a level covers: 2, 8, 32, 128, …
fn half(level: usize) -> u32 {
    2 << (2 * level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stellar_xdr::{BucketEntry, HotArchiveBucketEntry};

    /// Rule B.1 gives the hash of a list without entries.
    #[test]
    fn empty_list() {
        let list = BucketList::<BucketEntry>::new();
        let expected = "fe05118472ded163eec364dac2e960ba8ac910689c88cead24b394962b13a1e6";
        assert_eq!(hex::encode(list.hash().0), expected);
    }

    /// The hot archive of real testnet at protocol 24 held only META after its upgrade at ledger 41; ours must be the
    /// same, file by file: the hashes are those of the archive of December 2025 at ledger 127.
    #[test]
    fn hot_archive_without_entries() {
        let mut list = BucketList::<HotArchiveBucketEntry>::new();
        for ledger in 42..=127 {
            list.add_batch(ledger, 24, Vec::new());
        }
        let only_meta = "c0a160c2e483637be5a2ff92da6127d26e0dc19a26aba0289543152499a6b7a3";
        let zero = "0".repeat(64);
        let levels: Vec<_> = list.levels().map(|(level, _)| (hex::encode(level.curr.hash().0), hex::encode(level.snap.hash().0))).collect();
        for (index, (curr, snap)) in levels.into_iter().enumerate() {
            let (expected_curr, expected_snap) = match index {
                0..=2 => (only_meta, only_meta),
                3 => (only_meta, zero.as_str()),
                _ => (zero.as_str(), zero.as_str()),
            };
            assert_eq!((curr.as_str(), snap.as_str()), (expected_curr, expected_snap), "level {index}");
        }
    }
}
