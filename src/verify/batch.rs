//! Records of a file that are held back until some of them can be hashed together.
//!
//! What it is: a copy of at most a few short records. What it is not: a change of what is checked or said; records are looked at
//! in their order, each with its hash.

use crate::codec::hash::{Hash256, sha256_of_each, together};
use crate::codec::record::Record;

/// Longer records are hashed by themselves: what is held stays small.
const LONGEST: usize = 1 << 17;

/// A record that was held, with the hash of what is hashed of it.
#[derive(Debug)]
pub(super) struct Held {
    index: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl Held {
    pub(super) fn record(&self) -> Record<'_> {
        Record { index: self.index, offset: self.offset, bytes: &self.bytes }
    }
}

/// Records that wait for others.
#[derive(Debug, Default)]
pub(super) struct Batch(Vec<Held>);

impl Batch {
    /// Holds a record; not one that is better looked at by itself, once those before it were.
    pub(super) fn hold(&mut self, record: Record<'_>) -> bool {
        let holds = together() > 1 && record.bytes.len() <= LONGEST;
        if holds {
            self.0.push(Held { index: record.index, offset: record.offset, bytes: record.bytes.to_vec() });
        }
        holds
    }

    /// Whether there is nothing to be gained by waiting longer.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= together()
    }

    /// The records, each with the hash of its part.
    pub(super) fn take(&mut self, part: fn(&[u8]) -> &[u8]) -> Vec<(Held, Hash256)> {
        let held = core::mem::take(&mut self.0);
        let parts: Vec<_> = held.iter().map(|held| part(&held.bytes)).collect();
        let hashes = sha256_of_each(&parts);
        held.into_iter().zip(hashes).collect()
    }
}
