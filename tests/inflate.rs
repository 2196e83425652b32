//! The inflater against an oracle that it shares no code with (miniz_oxide): what one takes the other takes, to the same bytes, and
//! what one refuses the other does. Seeded; `STELLAR_INFLATE_MUTANTS=N` asks for more.

#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use core::ops::ControlFlow;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use stellar_archive_verifier::codec::gzip::{GzipDecoder, GzipErrorKind, GzipLimits};

const MUTANTS: u64 = 20_000;
/// More than any mutant of these inputs inflates to before one of the two has refused it.
const ROOM: usize = 1 << 20;

#[test]
fn mutants_of_deflate_streams_are_inflated_or_refused_as_the_oracle_does() {
    let wanted = std::env::var("STELLAR_INFLATE_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(MUTANTS);
    let mut dice = Dice(7);
    let (mut taken, mut refused, mut cut) = (0, 0, 0);
    for _ in 0..wanted {
        let mut deflated = stream(&mut dice);
        for _ in 0..dice.below(4) {
            mutate(&mut deflated, &mut dice);
        }
        let mut output = vec![0; ROOM];
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, read, written) = decompress(&mut DecompressorOxide::new(), &deflated, &mut output, 0, flags);
        let content = &output[..written];
        let chunk = 1 + dice.below(deflated.len() + 20);
        match status {
            TINFLStatus::Done => {
                // What follows the stream is the trailer's business.
                let gzip = gzip(&deflated[..read], content);
                assert_eq!(inflated(&gzip, chunk), Ok(content.to_vec()), "{deflated:02x?}");
                taken += 1;
            }
            TINFLStatus::HasMoreOutput => continue,
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
                let gzip = [HEADER.as_slice(), &deflated].concat();
                // Who looks at a whole table before it is used notices a wrong one earlier than who meets its codes.
                let error = inflated(&gzip, chunk).unwrap_err();
                assert!(matches!(error, GzipErrorKind::Truncated | GzipErrorKind::Deflate), "{error}: {deflated:02x?}");
                cut += 1;
            }
            _ => {
                // Junk in place of a trailer changes nothing: the stream never gets there.
                let gzip = [HEADER.as_slice(), &deflated, &[0; 64]].concat();
                assert_eq!(inflated(&gzip, chunk), Err(GzipErrorKind::Deflate), "{deflated:02x?}");
                refused += 1;
            }
        }
    }
    assert!(taken > wanted / 10 && refused > wanted / 10 && cut > wanted / 100, "{taken} taken, {refused} refused, {cut} cut short");
}

#[test]
fn a_distance_that_points_before_the_start_is_refused() {
    // A fixed block: a literal, then a match of 3 bytes, 2 back, where there is only one.
    let mut bits = Bits::default();
    bits.put(0b011, 3);
    bits.put_code(0x30 + u32::from(b'a'), 8);
    bits.put_code(1, 7);
    bits.put_code(1, 5);
    bits.put_code(0, 7);
    let gzip = [HEADER.as_slice(), &bits.bytes, &[0; 8]].concat();
    assert_eq!(inflated(&gzip, gzip.len()), Err(GzipErrorKind::Deflate));
}

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

fn gzip(deflated: &[u8], content: &[u8]) -> Vec<u8> {
    let trailer = [crc32fast::hash(content).to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
    [HEADER.as_slice(), deflated, &trailer].concat()
}

fn inflated(gzip: &[u8], chunk: usize) -> Result<Vec<u8>, GzipErrorKind> {
    let mut decoder = GzipDecoder::new(GzipLimits { inflated: 1 << 30, ratio: u64::MAX, ratio_grace: u64::MAX });
    let mut content = Vec::new();
    for part in gzip.chunks(chunk) {
        let mut sink = |bytes: &[u8]| {
            content.extend_from_slice(bytes);
            ControlFlow::Continue(())
        };
        let _goes_on = decoder.push(part, &mut sink).map_err(|error| error.kind)?;
    }
    decoder.finish().map_err(|error| error.kind)?;
    Ok(content)
}

/// Text that repeats itself, numbers, or noise, by each level of the compressor: stored, fixed and dynamic blocks.
fn stream(dice: &mut Dice) -> Vec<u8> {
    let length = dice.below(3000);
    let kind = dice.below(3);
    let content: Vec<u8> = (0..length)
        .map(|at| match kind {
            0 => b"stellar history archive "[at * (1 + at / 100) % 24],
            1 => (at / 7) as u8 ^ (dice.below(50) / 49) as u8,
            _ => dice.below(256) as u8,
        })
        .collect();
    compress_to_vec(&content, dice.below(10) as u8)
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len().max(1));
    match dice.below(5) {
        // Most of what there is to get wrong is at the start: block types and code lengths.
        0 | 1 if !bytes.is_empty() => {
            let at = dice.below(bytes.len().min(40));
            bytes[at] ^= 1 << dice.below(8);
        }
        2 if !bytes.is_empty() => bytes[at] = dice.below(256) as u8,
        3 => bytes.truncate(at),
        _ => bytes.insert(at.min(bytes.len()), dice.below(256) as u8),
    }
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    /// Lowest bit first, as deflate packs numbers.
    fn put(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }

    /// Highest bit first, as deflate packs codes.
    fn put_code(&mut self, code: u32, count: usize) {
        (0..count).rev().for_each(|bit| self.put(code >> bit & 1, 1));
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, top: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % top
    }
}
