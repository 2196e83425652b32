//! The only source of chance: SplitMix64, so that a seed decides every byte of an archive.

use crate::codec::sha256;

/// A deterministic generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one purpose under a seed. Separate purposes do not disturb each other.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let hash = seeded(seed, purpose, 0);
        let (first, _) = hash.split_first_chunk().expect("invariant: 32 bytes have a first 8");
        Self(u64::from_be_bytes(*first))
    }

    /// The next number below `bound`, which must not be zero. The bias of the remainder does not matter here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An index into a list of `length` elements, which must not be empty.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).expect("invariant: a list is shorter than 2^64");
        usize::try_from(self.below(length)).expect("invariant: below a usize")
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// 32 bytes that depend on a seed, a purpose and a number: key seeds and made-up hashes.
pub(crate) fn seeded(seed: u64, purpose: &str, number: u64) -> [u8; 32] {
    sha256([b"sample-archive", &seed.to_be_bytes(), purpose.as_bytes(), &number.to_be_bytes()]).0
}
