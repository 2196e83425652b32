//! SHA-256 values and how they are written.
//!
//! Every hash of an archive is over a slice of a file (rules B.5, B.7, B.8, B.9); nothing is re-encoded.

mod lanes;
mod whole;

use core::fmt;
use core::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

pub use whole::{WholeHasher, offer_whole_hashes};

/// A SHA-256 value. Displays as 64 lowercase hex digits.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hash256([u8; 32]);

impl Hash256 {
    /// The all-zero value, which stands for "none": no previous ledger, an empty bucket.
    pub const ZERO: Self = Self([0; 32]);

    /// Wraps raw bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is [`Hash256::ZERO`].
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl fmt::Debug for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash256({self})")
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        // Twice as long as the bytes, so it cannot fail; and what it writes is ASCII.
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl<'de> Deserialize<'de> for Hash256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Hash256 {
    type Err = hex::FromHexError;

    /// Exactly 64 hex digits, of either case (rules E 25).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// SHA-256 over the concatenation of `parts`.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash256 {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut hasher = if length < SHORT { Hasher::default() } else { Hasher::long() };
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// How many short messages are best hashed together: 1 where a processor that hashes, ours or the host's, is faster than any
/// other way.
#[must_use]
pub fn together() -> usize {
    if cfg!(target_feature = "simd128") && HOST.get().is_none() { lanes::LANES } else { 1 }
}

/// The hash of each of some messages, in their order.
#[must_use]
pub fn sha256_of_each(messages: &[&[u8]]) -> Vec<Hash256> {
    if together() == 1 || messages.len() == 1 {
        return messages.iter().map(|message| sha256(&[message])).collect();
    }
    lanes::sha256_of_each(messages).into_iter().map(Hash256).collect()
}

/// Streaming SHA-256: in this module, or by the host, where that has a faster one.
#[derive(Default)]
pub struct Hasher(Inner);

enum Inner {
    Own(Sha256),
    Host(Box<dyn HostHasher>),
}

impl Default for Inner {
    fn default() -> Self {
        Self::Own(Sha256::new())
    }
}

/// The host's own streaming SHA-256, such as `node:crypto`'s with the processor's instructions for it.
pub trait HostHasher {
    /// Takes more bytes in.
    fn update(&mut self, bytes: &[u8]);

    /// The hash of everything taken in; asked once.
    fn finish(self: Box<Self>) -> [u8; 32];
}

/// Makes a [`HostHasher`].
pub type MakeHostHasher = fn() -> Option<Box<dyn HostHasher>>;

static HOST: OnceLock<MakeHostHasher> = OnceLock::new();

/// Lets the host hash what is long. It changes how fast a hash comes, never which; the first call counts.
pub fn use_host_hasher(make: MakeHostHasher) {
    let _ = HOST.set(make);
}

/// Bytes below which asking the host costs more than it saves: about 2 µs.
const SHORT: usize = 256;

impl Hasher {
    /// For what is likely to be long: a bucket, a transaction set.
    #[must_use]
    pub fn long() -> Self {
        HOST.get().and_then(|make| make()).map_or_else(Self::default, |host| Self(Inner::Host(host)))
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Own(hasher) => hasher.update(bytes),
            Inner::Host(hasher) => hasher.update(bytes),
        }
    }

    /// The hash of everything taken in.
    #[must_use]
    pub fn finish(self) -> Hash256 {
        match self.0 {
            Inner::Own(hasher) => Hash256(hasher.finalize().into()),
            Inner::Host(hasher) => Hash256(hasher.finish()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// xorshift64: lengths and bytes that look random and are the same each time.
    fn random(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    fn message(seed: &mut u64, length: usize) -> Vec<u8> {
        (0..length).map(|_| random(seed).to_le_bytes()[0]).collect()
    }

    #[test]
    fn lanes_hash_as_sha2_does_whatever_the_lengths_and_however_many() {
        let mut seed = 0x9e37_79b9_7f4a_7c15;
        let around: Vec<_> = (0..=130).chain([191, 192, 1000, 4096, 65_537]).map(|length| message(&mut seed, length)).collect();
        for count in [0, 1, 2, 3, 4, 5, 9, around.len()] {
            for _ in 0..20 {
                let chosen: Vec<&[u8]> = (0..count)
                    .filter_map(|_| around.get(usize::try_from(random(&mut seed) % 136).unwrap_or_default()).map(Vec::as_slice))
                    .collect();
                let expected: Vec<[u8; 32]> = chosen.iter().map(|bytes| Sha256::digest(bytes).into()).collect();
                assert_eq!(lanes::sha256_of_each(&chosen), expected);
            }
        }
        let all: Vec<&[u8]> = around.iter().map(Vec::as_slice).collect();
        let expected: Vec<Hash256> = all.iter().map(|bytes| sha256(&[bytes])).collect();
        assert_eq!(sha256_of_each(&all), expected);
    }

    #[test]
    fn every_way_to_hash_gives_the_published_vectors() {
        // FIPS 180-4's examples, as NIST publishes them.
        let million = vec![b'a'; 1_000_000];
        let vectors: [(&[u8], &str); 4] = [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ];
        for (bytes, hash) in vectors {
            assert_eq!(sha256(&[bytes]).to_string(), hash);
            for lane in 0..lanes::LANES {
                let messages: [&[u8]; lanes::LANES] = core::array::from_fn(|at| if at == lane { bytes } else { b"x" });
                let hashes = lanes::sha256_of_each(&messages);
                assert_eq!(hashes.get(lane).map(hex::encode).as_deref(), Some(hash), "in lane {lane}");
            }
            let mut hasher = Hasher::long();
            for part in bytes.chunks(777) {
                hasher.update(part);
            }
            assert_eq!(hasher.finish().to_string(), hash);
        }
    }
}
