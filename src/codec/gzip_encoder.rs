//! gzip as archives have it (RFC 1952): one member without a time and a name, so the same content gives the same bytes
//! wherever and whenever it is zipped.

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{MZFlush, MZStatus};

use super::u64_from;

/// Level of `gzip` without options, which stellar-core runs.
const LEVEL: i32 = 6;
/// Deflate without zlib's header.
const RAW_DEFLATE: i32 = -15;
/// RFC 1952: magic, deflate, no flags, no time, no extra flags, system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Zips content that comes in pieces; where it is cut makes no difference to what comes out.
#[allow(missing_debug_implementations)] // a compressor has none
pub struct GzipEncoder {
    deflate: Box<CompressorOxide>,
    crc: crc32fast::Hasher,
    length: u64,
    begun: bool,
}

impl Default for GzipEncoder {
    fn default() -> Self {
        let flags = create_comp_flags_from_zip_params(LEVEL, RAW_DEFLATE, 0);
        Self { deflate: Box::new(CompressorOxide::new(flags)), crc: crc32fast::Hasher::new(), length: 0, begun: false }
    }
}

impl GzipEncoder {
    /// Takes content and adds to `file` what it makes of it so far.
    pub fn push(&mut self, content: &[u8], file: &mut Vec<u8>) {
        if !core::mem::replace(&mut self.begun, true) {
            file.extend(HEADER);
        }
        self.crc.update(content);
        self.length = self.length.wrapping_add(u64_from(content.len()));
        self.deflate(content, MZFlush::None, file);
    }

    /// The content ends here: adds the rest of the file.
    pub fn finish(mut self, file: &mut Vec<u8>) {
        self.push(&[], file);
        self.deflate(&[], MZFlush::Finish, file);
        file.extend(self.crc.finalize().to_le_bytes());
        // ISIZE is the length modulo 2^32, which is its low four bytes.
        file.extend(self.length.to_le_bytes().iter().take(4));
    }

    fn deflate(&mut self, mut content: &[u8], flush: MZFlush, file: &mut Vec<u8>) {
        let mut buffer = [0; 1 << 14];
        loop {
            let result = deflate(&mut self.deflate, content, &mut buffer, flush);
            file.extend(buffer.iter().take(result.bytes_written));
            content = content.get(result.bytes_consumed..).unwrap_or_default();
            let full = result.bytes_written == buffer.len();
            let done = matches!(result.status, Ok(MZStatus::StreamEnd) | Err(_)) || (flush == MZFlush::None && content.is_empty() && !full);
            if done {
                return;
            }
        }
    }
}

/// Zips content that is all there.
#[must_use]
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzipEncoder::default();
    let mut file = Vec::new();
    encoder.push(content, &mut file);
    encoder.finish(&mut file);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::gzip::{GzipDecoder, GzipLimits};
    use crate::limits::Budget;

    fn gunzip(file: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        let mut decoder = GzipDecoder::new(GzipLimits::new(&Budget::default(), 1 << 24));
        let pushed = decoder.push(file, &mut |bytes| {
            content.extend_from_slice(bytes);
            core::ops::ControlFlow::Continue(())
        });
        assert!(pushed.is_ok() && decoder.finish().is_ok());
        content
    }

    /// Compresses badly, so that the buffer is filled often.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn the_same_content_gives_the_same_bytes_and_comes_back() {
        for content in [b"".to_vec(), b"a".to_vec(), vec![7; 1_000_000], noise(300_000)] {
            let zipped = gzip(&content);
            assert_eq!(zipped, gzip(&content));
            assert_eq!(zipped.get(4..8), Some([0; 4].as_slice()), "no time");
            assert!(gunzip(&zipped) == content);
        }
    }

    #[test]
    fn where_content_is_cut_makes_no_difference_to_what_comes_back() {
        let content = noise(200_000);
        for size in [1, 999, 65_536] {
            let (mut encoder, mut file) = (GzipEncoder::default(), Vec::new());
            content.chunks(size).for_each(|chunk| encoder.push(chunk, &mut file));
            encoder.finish(&mut file);
            assert!(gunzip(&file) == content, "pieces of {size}");
        }
    }
}
