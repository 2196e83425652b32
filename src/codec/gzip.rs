//! Gzip, RFC 1952: every member, every header field, CRC-32 and length checked, junk after the end noticed.
//!
//! What it is: a push decoder over zlib-rs's raw inflater, which hands on 64 KiB at a time; memory does not depend on the
//! input. Its oracle is miniz_oxide (`tests/inflate.rs`). What it is not: a guesser; bytes that are no gzip are an error (see [`crate::codec::file`] for bodies that an
//! HTTP layer already inflated). Archives' gzip rules: E 18, 19, 21. Why every member: stellar-core reads archives with
//! `gzip -d`, which does; decoders that stop after the first member silently lose the rest.

use core::ops::ControlFlow;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::u64_from;
use crate::limits::Budget;

/// Caps for one stream.
#[derive(Clone, Copy, Debug)]
pub struct GzipLimits {
    /// Most bytes that may come out.
    pub inflated: u64,
    /// Most bytes out for a byte in.
    pub ratio: u64,
    /// Bytes out before the ratio counts.
    pub ratio_grace: u64,
}

impl GzipLimits {
    /// The caps of `budget` for a stream of at most `inflated` bytes.
    #[must_use]
    pub fn new(budget: &Budget, inflated: u64) -> Self {
        Self { inflated, ratio: budget.inflate_ratio, ratio_grace: budget.ratio_grace }
    }
}

/// Why a stream is not sound gzip. Offsets are in the compressed file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct GzipError {
    /// Where in the compressed file it was noticed.
    pub offset: u64,
    /// What is wrong.
    pub kind: GzipErrorKind,
}

/// What can be wrong with a gzip stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GzipErrorKind {
    /// The first bytes are not `1f 8b`.
    #[error("the file does not start with the gzip magic 1f 8b")]
    BadMagic,
    /// A compression method other than deflate.
    #[error("the gzip header names compression method {0}, only 8 (deflate) exists")]
    BadMethod(u8),
    /// The file itself is longer than its content may be: endless members or padding that inflate to nothing.
    #[error("the file is longer than the budget of {0} bytes")]
    CompressedLimit(u64),
    /// The CRC-32 of the content is not the one in the trailer.
    #[error("CRC-32 of the inflated content differs from the gzip trailer")]
    CrcMismatch {
        /// From the trailer.
        expected: u32,
        /// Computed.
        actual: u32,
    },
    /// The deflate data is damaged.
    #[error("the deflate data is damaged")]
    Deflate,
    /// The header's own CRC-16 is wrong.
    #[error("CRC-16 of the gzip header is wrong")]
    HeaderCrc,
    /// An optional header field runs past any reasonable length.
    #[error("the gzip header is longer than {HEADER_LIMIT} bytes")]
    HeaderTooLong,
    /// More came out than the budget allows.
    #[error("the inflated content exceeds the budget of {0} bytes")]
    InflatedLimit(u64),
    /// The content's length is not the one in the trailer.
    #[error("length of the inflated content differs from the gzip trailer")]
    LengthMismatch {
        /// From the trailer (modulo 2^32).
        expected: u32,
        /// Counted (modulo 2^32).
        actual: u32,
    },
    /// The content inflates more than any real file does.
    #[error("the content inflates more than {0}-fold, as decompression bombs do")]
    RatioLimit(u64),
    /// A flag bit that RFC 1952 reserves is set.
    #[error("the gzip header sets reserved flag bits")]
    ReservedFlags,
    /// Bytes after the last member that are no gzip member.
    #[error("there are bytes after the end of the gzip data")]
    TrailingData,
    /// The file ends before the gzip data does.
    #[error("the file is cut short: it ends inside the gzip data")]
    Truncated,
}

impl GzipErrorKind {
    /// Whether a cap was reached (rather than the data being unsound).
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::CompressedLimit(_) | Self::HeaderTooLong | Self::InflatedLimit(_) | Self::RatioLimit(_))
    }
}

/// What a finished stream was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GzipSummary {
    /// Members in the file.
    pub members: u32,
    /// Zero bytes after the last member (`gzip -d` passes over them silently).
    pub zero_padding: u64,
}

/// Bytes handed on at a time.
const OUTPUT: usize = 1 << 16;
/// Deflate's largest window: 32 KiB.
const WINDOW_BITS: u8 = 15;
const HEADER_LIMIT: usize = 1 << 17;

const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

enum State {
    /// Between members: collecting a header, or nothing at all, or padding.
    Header,
    Body,
    Trailer,
    /// Only zero bytes may follow.
    Padding,
    Failed,
}

/// A member's header under way (RFC 1952, 2.3).
#[derive(Debug, Default)]
struct Header {
    field: Field,
    bytes: usize,
    flags: u8,
    /// Bytes left of the field, where its length is known.
    left: u16,
    crc: crc32fast::Hasher,
    claimed_crc: u16,
    crc_bytes: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Crc,
    End,
}

impl Header {
    /// Takes one byte; whether the header is complete with it.
    fn take(&mut self, byte: u8, after_a_member: bool) -> Result<bool, GzipErrorKind> {
        if self.bytes >= HEADER_LIMIT {
            return Err(GzipErrorKind::HeaderTooLong);
        }
        self.bytes += 1;
        if self.field != Field::Crc {
            self.crc.update(&[byte]);
        }
        match self.field {
            Field::Fixed => self.fixed(byte, after_a_member)?,
            Field::ExtraLength => {
                self.left = self.left >> 8 | u16::from(byte) << 8;
                if self.bytes == 12 {
                    self.field = if self.left == 0 { self.after(Field::Extra) } else { Field::Extra };
                }
            }
            Field::Extra => {
                self.left -= 1;
                if self.left == 0 {
                    self.field = self.after(Field::Extra);
                }
            }
            Field::Name | Field::Comment if byte == 0 => self.field = self.after(self.field),
            Field::Name | Field::Comment => {}
            Field::Crc => {
                self.claimed_crc = self.claimed_crc >> 8 | u16::from(byte) << 8;
                self.crc_bytes += 1;
                if self.crc_bytes == 2 {
                    let [low, high, ..] = self.crc.clone().finalize().to_le_bytes();
                    if self.claimed_crc != u16::from_le_bytes([low, high]) {
                        return Err(GzipErrorKind::HeaderCrc);
                    }
                    self.field = Field::End;
                }
            }
            Field::End => {}
        }
        Ok(self.field == Field::End)
    }

    /// Magic, method, flags; then time, extra flags and system, which say nothing that matters.
    fn fixed(&mut self, byte: u8, after_a_member: bool) -> Result<(), GzipErrorKind> {
        match self.bytes {
            1 | 2 if byte != if self.bytes == 1 { 0x1f } else { 0x8b } => {
                return Err(if after_a_member { GzipErrorKind::TrailingData } else { GzipErrorKind::BadMagic });
            }
            3 if byte != 8 => return Err(GzipErrorKind::BadMethod(byte)),
            4 if byte & RESERVED != 0 => return Err(GzipErrorKind::ReservedFlags),
            4 => self.flags = byte,
            10 => self.field = self.after(Field::Fixed),
            _ => {}
        }
        Ok(())
    }

    /// The next field that the flags announce.
    fn after(&self, field: Field) -> Field {
        let order = [(Field::ExtraLength, FEXTRA), (Field::Name, FNAME), (Field::Comment, FCOMMENT), (Field::Crc, FHCRC)];
        let passed = match field {
            Field::Fixed => 0,
            Field::ExtraLength | Field::Extra => 1,
            Field::Name => 2,
            Field::Comment => 3,
            Field::Crc | Field::End => 4,
        };
        let mut later = order.into_iter().skip(passed);
        later.find(|(_, flag)| self.flags & flag != 0).map_or(Field::End, |(field, _)| field)
    }
}

/// A push decoder for one gzip file.
pub struct GzipDecoder {
    state: State,
    limits: GzipLimits,
    inflater: Inflate,
    output: Box<[u8]>,
    header: Header,
    /// Trailer bytes of the current member.
    held: Vec<u8>,
    crc: crc32fast::Hasher,
    member_bytes: u64,
    consumed: u64,
    /// Where the content of the current member begins.
    body_at: u64,
    inflated: u64,
    members: u32,
    zero_padding: u64,
}

impl core::fmt::Debug for GzipDecoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GzipDecoder")
            .field("consumed", &self.consumed)
            .field("inflated", &self.inflated)
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

impl GzipDecoder {
    /// A decoder at the start of a file.
    #[must_use]
    pub fn new(limits: GzipLimits) -> Self {
        Self {
            state: State::Header,
            limits,
            inflater: Inflate::new(false, WINDOW_BITS),
            output: vec![0; OUTPUT].into_boxed_slice(),
            header: Header::default(),
            held: Vec::new(),
            crc: crc32fast::Hasher::new(),
            member_bytes: 0,
            consumed: 0,
            body_at: 0,
            inflated: 0,
            members: 0,
            zero_padding: 0,
        }
    }

    /// Bytes that came out so far.
    #[must_use]
    pub fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Takes compressed bytes in and hands inflated ones to `sink`, which may stop the decoder.
    ///
    /// # Errors
    /// The first fault of the stream. The decoder is spent after an error: it repeats `Truncated` from then on.
    pub fn push(&mut self, mut input: &[u8], sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<ControlFlow<()>, GzipError> {
        while !input.is_empty() {
            let taken = match self.state {
                State::Header => self.take_header(input),
                State::Body => match self.take_body(input, sink) {
                    Ok((taken, ControlFlow::Continue(()))) => Ok(taken),
                    Ok((_, ControlFlow::Break(()))) => return Ok(ControlFlow::Break(())),
                    Err(kind) => Err(kind),
                },
                State::Trailer => self.take_trailer(input),
                State::Padding => self.take_padding(input),
                State::Failed => Err(GzipErrorKind::Truncated),
            };
            match taken {
                Ok(taken) => {
                    self.consumed += u64_from(taken);
                    input = input.get(taken..).unwrap_or_default();
                }
                Err(kind) => return Err(self.fail(kind)),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Says that the file ends here.
    ///
    /// # Errors
    /// `Truncated` if the data does not end here, `BadMagic` for a file of no bytes at all.
    pub fn finish(&mut self) -> Result<GzipSummary, GzipError> {
        match self.state {
            State::Header if self.header.bytes == 0 && self.members > 0 => {}
            State::Padding => {}
            State::Header if self.consumed == 0 => return Err(self.fail(GzipErrorKind::BadMagic)),
            _ => return Err(self.fail(GzipErrorKind::Truncated)),
        }
        Ok(GzipSummary { members: self.members, zero_padding: self.zero_padding })
    }

    fn fail(&mut self, kind: GzipErrorKind) -> GzipError {
        self.state = State::Failed;
        // Where a limit is reached depends on how the file was cut; where the content begins that reaches it does not.
        let offset = match kind {
            GzipErrorKind::InflatedLimit(_) | GzipErrorKind::RatioLimit(_) => self.body_at,
            _ => self.consumed,
        };
        GzipError { offset, kind }
    }

    /// Headers are short and rare, so they are taken byte by byte, each byte once.
    fn take_header(&mut self, input: &[u8]) -> Result<usize, GzipErrorKind> {
        for (index, byte) in input.iter().enumerate() {
            if self.header.bytes == 0 && self.members > 0 && *byte == 0 {
                self.state = State::Padding;
                return Ok(index);
            }
            if self.header.take(*byte, self.members > 0)? {
                self.header = Header::default();
                self.body_at = self.consumed + u64_from(index) + 1;
                self.inflater.reset(false);
                self.crc = crc32fast::Hasher::new();
                self.member_bytes = 0;
                self.state = State::Body;
                return Ok(index + 1);
            }
        }
        Ok(input.len())
    }

    fn take_body(
        &mut self,
        input: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(usize, ControlFlow<()>), GzipErrorKind> {
        let (read_before, written_before) = (self.inflater.total_in(), self.inflater.total_out());
        let status = self.inflater.decompress(input, &mut self.output, InflateFlush::NoFlush);
        let read = moved(read_before, self.inflater.total_in());
        let written = moved(written_before, self.inflater.total_out());
        let out = self.output.get(..written).unwrap_or_default();
        self.crc.update(out);
        self.member_bytes += u64_from(written);
        self.inflated += u64_from(written);
        if self.inflated > self.limits.inflated {
            return Err(GzipErrorKind::InflatedLimit(self.limits.inflated));
        }
        let read_in_all = self.consumed + u64_from(read);
        if self.inflated > self.limits.ratio_grace && self.inflated / read_in_all.max(1) >= self.limits.ratio {
            return Err(GzipErrorKind::RatioLimit(self.limits.ratio));
        }
        let flow = if out.is_empty() { ControlFlow::Continue(()) } else { sink(out) };
        match status {
            Ok(Status::StreamEnd) => self.state = State::Trailer,
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => return Err(GzipErrorKind::Deflate),
        }
        // An inflater that neither reads nor writes would loop for ever; none should, but the input is hostile.
        if read == 0 && written == 0 && self.state_is_body() {
            return Err(GzipErrorKind::Deflate);
        }
        Ok((read, flow))
    }

    fn state_is_body(&self) -> bool {
        matches!(self.state, State::Body)
    }

    fn take_trailer(&mut self, input: &[u8]) -> Result<usize, GzipErrorKind> {
        let taken = (8 - self.held.len()).min(input.len());
        self.held.extend_from_slice(input.get(..taken).unwrap_or_default());
        if let Some((crc, rest)) = self.held.split_first_chunk::<4>()
            && let Some((length, _)) = rest.split_first_chunk::<4>()
        {
            let (expected, actual) = (u32::from_le_bytes(*crc), self.crc.clone().finalize());
            if expected != actual {
                return Err(GzipErrorKind::CrcMismatch { expected, actual });
            }
            let expected = u32::from_le_bytes(*length);
            let actual = u32::try_from(self.member_bytes & 0xffff_ffff).unwrap_or_default();
            if expected != actual {
                return Err(GzipErrorKind::LengthMismatch { expected, actual });
            }
            self.held.clear();
            self.members = self.members.saturating_add(1);
            self.state = State::Header;
        }
        Ok(taken)
    }

    fn take_padding(&mut self, input: &[u8]) -> Result<usize, GzipErrorKind> {
        if input.iter().any(|byte| *byte != 0) {
            return Err(GzipErrorKind::TrailingData);
        }
        self.zero_padding += u64_from(input.len());
        Ok(input.len())
    }
}

/// What one call moved: never more than it was given, which is a `usize`.
fn moved(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or_default()
}
