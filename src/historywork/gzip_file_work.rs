//! `GzipFileWork`: content zipped as archives have it: the same bytes for the same content, wherever and whenever
//! (rules A.2).

use std::sync::{Arc, Mutex, PoisonError};

use super::{HistoryWork, Step, Turn};
use crate::work::Ran;

/// Level of `gzip` without options, which stellar-core runs.
const LEVEL: u8 = 6;
/// RFC 1952: magic, deflate, no flags, no time, no extra flags, system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The item.
#[derive(Clone, Debug)]
pub struct GzipFileWork {
    content: Vec<u8>,
    into: Arc<Mutex<Vec<u8>>>,
}

impl GzipFileWork {
    /// Content, zipped into `into`.
    #[must_use]
    pub fn new(content: Vec<u8>, into: Arc<Mutex<Vec<u8>>>) -> Self {
        Self { content, into }
    }
}

impl HistoryWork for GzipFileWork {
    fn run(&mut self, _: &mut Turn<'_>) -> Step {
        *self.into.lock().unwrap_or_else(PoisonError::into_inner) = gzip(&self.content);
        Step::Ended(Ran::Success)
    }
}

/// Zips content: one member, without a time and a name.
#[must_use]
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    file.extend(miniz_oxide::deflate::compress_to_vec(content, LEVEL));
    file.extend(crc32fast::hash(content).to_le_bytes());
    // ISIZE is the length modulo 2^32, which is its low four bytes.
    file.extend(crate::codec::u64_from(content.len()).to_le_bytes().iter().take(4));
    file
}

#[cfg(test)]
mod tests {
    use super::super::gunzip_file_work::gunzip;
    use super::*;
    use crate::codec::gzip::GzipLimits;
    use crate::limits::Budget;

    #[test]
    fn the_same_content_gives_the_same_bytes_and_comes_back() {
        for content in [b"".as_slice(), b"a", &[7; 100_000]] {
            let zipped = gzip(content);
            assert_eq!(zipped, gzip(content));
            assert_eq!(zipped.get(4..8), Some([0; 4].as_slice()), "no time");
            assert_eq!(gunzip(&zipped, GzipLimits::new(&Budget::default(), 1 << 20)).as_deref(), Ok(content));
        }
    }
}
