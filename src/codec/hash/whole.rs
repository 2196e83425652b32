//! SHA-256 of a stream that the host hashes once it is whole, if it is neither short nor long (WebCrypto's `subtle.digest`).
//!
//! What it is: a decision, while bytes come, whether to hold them for the host or to hash them here; all that is held at a time has
//! one bound. What it is not: asynchronous; whoever reads the file asks the host.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Hash256, Hasher};

/// Below it, asking the host costs more than it saves.
const SHORTEST: usize = 64 << 10;
/// Longer streams are hashed as they come.
const LONGEST: usize = 1 << 20;
/// Of all streams together.
const MOST_HELD: usize = 4 << 20;

static OFFERED: AtomicBool = AtomicBool::new(false);
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Says that whoever reads files can have the host hash what is whole.
pub fn offer_whole_hashes() {
    OFFERED.store(true, Ordering::Relaxed);
}

/// Hashes a stream, here or by the host.
#[derive(Debug)]
pub struct WholeHasher {
    own: Hasher,
    held: Option<Held>,
    by_host: Option<Hash256>,
}

/// Bytes that count against [`MOST_HELD`].
#[derive(Debug, Default)]
struct Held(Vec<u8>);

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0.len(), Ordering::Relaxed);
    }
}

impl Default for WholeHasher {
    fn default() -> Self {
        Self { own: Hasher::long(), held: OFFERED.load(Ordering::Relaxed).then(Held::default), by_host: None }
    }
}

impl WholeHasher {
    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(held) = &mut self.held {
            let fits = held.0.len().saturating_add(bytes.len()) <= LONGEST;
            if fits && HELD.load(Ordering::Relaxed).saturating_add(bytes.len()) <= MOST_HELD {
                HELD.fetch_add(bytes.len(), Ordering::Relaxed);
                held.0.extend_from_slice(bytes);
                return;
            }
            self.own.update(&held.0);
            self.held = None;
        }
        self.own.update(bytes);
    }

    /// What the host is to hash, once all bytes are in.
    #[must_use]
    pub fn undigested(&self) -> Option<&[u8]> {
        self.held.as_ref().map(|held| held.0.as_slice()).filter(|bytes| bytes.len() >= SHORTEST)
    }

    /// What the host says of that.
    pub fn digested(&mut self, hash: Hash256) {
        if self.undigested().is_some() {
            self.by_host = Some(hash);
        }
    }

    /// The hash of everything taken in.
    #[must_use]
    pub fn finish(mut self) -> Hash256 {
        if let Some(hash) = self.by_host {
            return hash;
        }
        if let Some(held) = &self.held {
            self.own.update(&held.0);
        }
        self.own.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sha256;
    use super::*;

    /// Tests of one process share what is offered and held: one test has all of it.
    #[test]
    fn what_is_neither_short_nor_long_is_left_to_the_host_and_held_within_bounds() {
        let bytes = vec![7; LONGEST];
        let of = |length: usize| {
            let mut hasher = WholeHasher::default();
            bytes.get(..length).unwrap_or_default().chunks(1 << 16).for_each(|chunk| hasher.update(chunk));
            hasher
        };
        assert_eq!(of(SHORTEST).undigested(), None, "nobody offered to");
        offer_whole_hashes();
        for (length, is_left) in [(0, false), (SHORTEST - 1, false), (SHORTEST, true), (LONGEST, true)] {
            let mut hasher = of(length);
            assert_eq!(hasher.undigested().map(<[u8]>::len), is_left.then_some(length));
            // Only of what was left to it is the host believed.
            hasher.digested(Hash256::ZERO);
            assert_eq!(hasher.finish().is_zero(), is_left);
            // A host that does not answer changes nothing.
            assert_eq!(Some(of(length).finish()), bytes.get(..length).map(|bytes| sha256(&[bytes])));
        }
        let mut long = of(LONGEST);
        long.update(b"one more");
        assert_eq!(long.undigested(), None);
        assert_eq!(long.finish(), sha256(&[&bytes, b"one more"]));

        let many: Vec<_> = (0..6).map(|_| of(LONGEST)).collect();
        assert_eq!(many.iter().filter(|hasher| hasher.undigested().is_some()).count(), MOST_HELD / LONGEST);
        for hasher in many {
            assert_eq!(hasher.finish(), sha256(&[&bytes]));
        }
        assert_eq!(HELD.load(Ordering::Relaxed), 0);
    }
}
