//! SHA-256 of several messages at once: four lanes of one 128-bit vector, a message in each (FIPS 180-4, section 6.2).
//!
//! What it is: for many short messages on hosts without instructions for SHA-256 that this module could use, which is WebAssembly:
//! twice as fast as one after the other. What it is not: faster for one message, or where the processor hashes by itself.

use core::array::from_fn;

#[cfg(target_feature = "simd128")]
use core::arch::wasm32 as simd;

/// How many messages go through at once.
pub(super) const LANES: usize = 4;

const BLOCK: usize = 64;

const START: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// One word of each lane.
#[cfg(target_feature = "simd128")]
#[derive(Clone, Copy)]
struct Words(simd::v128);

#[cfg(target_feature = "simd128")]
impl Words {
    fn new([a, b, c, d]: [u32; LANES]) -> Self {
        Self(simd::u32x4(a, b, c, d))
    }

    fn to_array(self) -> [u32; LANES] {
        [
            simd::u32x4_extract_lane::<0>(self.0),
            simd::u32x4_extract_lane::<1>(self.0),
            simd::u32x4_extract_lane::<2>(self.0),
            simd::u32x4_extract_lane::<3>(self.0),
        ]
    }

    fn add(self, other: Self) -> Self {
        Self(simd::u32x4_add(self.0, other.0))
    }

    fn xor(self, other: Self) -> Self {
        Self(simd::v128_xor(self.0, other.0))
    }

    fn and(self, other: Self) -> Self {
        Self(simd::v128_and(self.0, other.0))
    }

    fn or(self, other: Self) -> Self {
        Self(simd::v128_or(self.0, other.0))
    }

    fn shift(self, right: u32) -> Self {
        Self(simd::u32x4_shr(self.0, right))
    }

    fn rotate(self, right: u32) -> Self {
        Self(simd::v128_or(simd::u32x4_shr(self.0, right), simd::u32x4_shl(self.0, 32 - right)))
    }
}

/// The same without vectors: for tests anywhere, and for WebAssembly that is built without them.
#[cfg(not(target_feature = "simd128"))]
#[derive(Clone, Copy)]
struct Words([u32; LANES]);

#[cfg(not(target_feature = "simd128"))]
impl Words {
    fn new(words: [u32; LANES]) -> Self {
        Self(words)
    }

    fn to_array(self) -> [u32; LANES] {
        self.0
    }

    fn with(self, other: Self, of: impl Fn(u32, u32) -> u32) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([of(a, e), of(b, f), of(c, g), of(d, h)])
    }

    fn add(self, other: Self) -> Self {
        self.with(other, u32::wrapping_add)
    }

    fn xor(self, other: Self) -> Self {
        self.with(other, |a, b| a ^ b)
    }

    fn and(self, other: Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    fn or(self, other: Self) -> Self {
        self.with(other, |a, b| a | b)
    }

    fn shift(self, right: u32) -> Self {
        Self(self.0.map(|word| word >> right))
    }

    fn rotate(self, right: u32) -> Self {
        Self(self.0.map(|word| word.rotate_right(right)))
    }
}

/// A message on its way through a lane.
struct Lane<'a> {
    message: usize,
    /// Whole blocks that are left.
    blocks: &'a [u8],
    /// The last block or two: what is left of the message, padding and length.
    tail: [u8; 2 * BLOCK],
    tail_at: usize,
    tail_end: usize,
}

impl<'a> Lane<'a> {
    fn new(message: usize, bytes: &'a [u8]) -> Self {
        let (blocks, rest) = bytes.split_at_checked(bytes.len() - bytes.len() % BLOCK).unwrap_or((bytes, &[]));
        let tail_end = if rest.len() + 9 > BLOCK { 2 * BLOCK } else { BLOCK };
        let bits = crate::codec::u64_from(bytes.len()).wrapping_mul(8).to_be_bytes();
        let tail = from_fn(|at| match at {
            _ if at < rest.len() => rest.get(at).copied().unwrap_or_default(),
            _ if at == rest.len() => 0x80,
            _ if at >= tail_end - 8 => bits.get(at + 8 - tail_end).copied().unwrap_or_default(),
            _ => 0,
        });
        Self { message, blocks, tail, tail_at: 0, tail_end }
    }

    /// The next block; none at the end.
    fn next(&mut self) -> Option<[u8; BLOCK]> {
        if let Some((block, rest)) = self.blocks.split_first_chunk() {
            self.blocks = rest;
            return Some(*block);
        }
        let block = self.tail.get(self.tail_at..self.tail_end)?.first_chunk().copied()?;
        self.tail_at += BLOCK;
        Some(block)
    }
}

/// The hash of each message.
pub(super) fn sha256_of_each(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut hashes = vec![[0; 32]; messages.len()];
    let mut waiting = messages.iter().enumerate();
    let mut lanes: [Option<Lane<'_>>; LANES] = from_fn(|_| waiting.next().map(|(message, bytes)| Lane::new(message, bytes)));
    let mut state = START.map(|word| Words::new([word; LANES]));
    while lanes.iter().any(Option::is_some) {
        // A lane with nothing left to do hashes nothing that anybody asks for.
        let blocks = from_fn(|at| lanes.get_mut(at).and_then(Option::as_mut).and_then(Lane::next).unwrap_or([0; BLOCK]));
        compress(&mut state, &blocks);
        for (at, slot) in lanes.iter_mut().enumerate() {
            let Some(lane) = slot.as_ref().filter(|lane| lane.blocks.is_empty() && lane.tail_at == lane.tail_end) else { continue };
            if let Some(hash) = hashes.get_mut(lane.message) {
                *hash = take(&mut state, at);
            }
            *slot = waiting.next().map(|(message, bytes)| Lane::new(message, bytes));
        }
    }
    hashes
}

/// The hash in a lane, which begins anew.
fn take(state: &mut [Words; 8], lane: usize) -> [u8; 32] {
    let mut hash = [0; 32];
    for ((words, start), out) in state.iter_mut().zip(START).zip(hash.chunks_exact_mut(4)) {
        let mut array = words.to_array();
        if let Some(word) = array.get_mut(lane) {
            out.copy_from_slice(&word.to_be_bytes());
            *word = start;
        }
        *words = Words::new(array);
    }
    hash
}

fn compress(state: &mut [Words; 8], blocks: &[[u8; BLOCK]; LANES]) {
    let word = |lane: usize, at: usize| {
        let bytes = blocks.get(lane).and_then(|block| block.get(4 * at..)).and_then(<[u8]>::first_chunk);
        u32::from_be_bytes(bytes.copied().unwrap_or_default())
    };
    let mut schedule: [Words; 16] = from_fn(|at| Words::new(from_fn(|lane| word(lane, at))));
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (rounds, constants) in ROUNDS.chunks_exact(16).enumerate() {
        if rounds > 0 {
            schedule = next_schedule(schedule);
        }
        for (word, constant) in schedule.iter().zip(constants) {
            let big = e.rotate(6).xor(e.rotate(11)).xor(e.rotate(25));
            let choice = g.xor(e.and(f.xor(g)));
            let first = h.add(big).add(choice).add(Words::new([*constant; LANES])).add(*word);
            let big = a.rotate(2).xor(a.rotate(13)).xor(a.rotate(22));
            let majority = a.and(b).or(c.and(a.or(b)));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.add(first), c, b, a, first.add(big).add(majority));
        }
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.add(new);
    }
}

/// The next sixteen words.
fn next_schedule(mut words: [Words; 16]) -> [Words; 16] {
    for at in 0..16 {
        let [Some(w0), Some(w1), Some(w9), Some(w14)] = [0, 1, 9, 14].map(|ahead| words.get((at + ahead) % 16).copied()) else { break };
        let low = w1.rotate(7).xor(w1.rotate(18)).xor(w1.shift(3));
        let high = w14.rotate(17).xor(w14.rotate(19)).xor(w14.shift(10));
        if let Some(word) = words.get_mut(at) {
            *word = w0.add(low).add(w9).add(high);
        }
    }
    words
}
