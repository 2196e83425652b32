//! XDR record marks, RFC 5531 section 11 as stellar-core writes them (rules B.4).
//!
//! A record is a 4-byte mark (high bit set: last fragment; low 31 bits: length) and that many bytes. Only
//! single-fragment records exist. What this is not: a decoder of what is inside.

use super::{u64_from, usize_from};

/// One record of a file.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Number in the file, from 0.
    pub index: u64,
    /// Offset of the payload in the inflated file.
    pub offset: u64,
    /// The payload without its mark.
    pub bytes: &'a [u8],
}

/// Why bytes are not a sequence of records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct FramingError {
    /// Offset of the mark in the inflated file.
    pub offset: u64,
    /// What is wrong.
    pub kind: FramingErrorKind,
}

/// What can be wrong with record marks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingErrorKind {
    /// The mark lacks the last-fragment bit.
    #[error("the record mark {mark:#010x} lacks the last-fragment bit")]
    NotLastFragment {
        /// The four bytes.
        mark: u32,
    },
    /// More bytes were claimed than are there.
    #[error("the record claims {claimed} bytes, {present} are left in the file")]
    PastEnd {
        /// By the mark.
        claimed: u64,
        /// In the file.
        present: u64,
    },
    /// One to three bytes are left over.
    #[error("{0} stray bytes after the last record")]
    StrayBytes(usize),
    /// The record is longer than the budget allows.
    #[error("the record claims {claimed} bytes, more than the budget of {limit}")]
    TooLong {
        /// By the mark.
        claimed: u64,
        /// The budget.
        limit: u64,
    },
    /// More records than the budget allows.
    #[error("the file holds more than {0} records")]
    TooMany(u64),
}

/// A push reader of records. Whole records in one push are handed on without a copy.
#[derive(Debug)]
pub struct RecordReader {
    limit: usize,
    records_limit: u64,
    /// The record under way: its mark, then its payload. Grows only with bytes that really came.
    held: Vec<u8>,
    offset: u64,
    index: u64,
}

impl RecordReader {
    /// A reader at the start of a file that refuses records longer than `limit` bytes and more than `records_limit` of
    /// them.
    #[must_use]
    pub fn new(limit: usize, records_limit: u64) -> Self {
        Self { limit, records_limit, held: Vec::new(), offset: 0, index: 0 }
    }

    /// Records handed on so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.index
    }

    /// Takes inflated bytes in and hands complete records to `sink`.
    ///
    /// # Errors
    /// The first mark that is wrong.
    pub fn push(&mut self, mut input: &[u8], sink: &mut dyn FnMut(Record<'_>)) -> Result<(), FramingError> {
        while !input.is_empty() {
            if self.held.is_empty()
                && let Some((mark, rest)) = input.split_first_chunk::<4>()
            {
                let length = self.length(*mark)?;
                if let (Some(payload), Some(rest)) = (rest.get(..length), rest.get(length..)) {
                    self.hand_on(payload, sink);
                    input = rest;
                    continue;
                }
            }
            let wanted = match self.held.first_chunk::<4>() {
                Some(mark) => 4 + self.length(*mark)?,
                None => 4,
            };
            let taken = (wanted - self.held.len()).min(input.len());
            let (now, later) = input.split_at_checked(taken).unwrap_or((input, &[]));
            self.held.extend_from_slice(now);
            input = later;
            if let Some((mark, payload)) = self.held.split_first_chunk::<4>()
                && payload.len() == self.length(*mark)?
            {
                let held = core::mem::take(&mut self.held);
                self.hand_on(held.get(4..).unwrap_or_default(), sink);
                // Keep the allocation, but not that of one giant record.
                if held.capacity() <= 1 << 20 {
                    self.held = held;
                    self.held.clear();
                }
            }
        }
        Ok(())
    }

    /// Says that the file ends here.
    ///
    /// # Errors
    /// If it ends inside a record.
    pub fn finish(&self) -> Result<(), FramingError> {
        let kind = match self.held.split_first_chunk::<4>() {
            None if self.held.is_empty() => return Ok(()),
            None => FramingErrorKind::StrayBytes(self.held.len()),
            Some((mark, payload)) => FramingErrorKind::PastEnd {
                claimed: u64::from(u32::from_be_bytes(*mark) & !LAST_FRAGMENT),
                present: u64_from(payload.len()),
            },
        };
        Err(self.error(kind))
    }

    fn hand_on(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Record<'_>)) {
        sink(Record { index: self.index, offset: self.offset + 4, bytes });
        self.index += 1;
        self.offset += 4 + u64_from(bytes.len());
    }

    fn length(&self, mark: [u8; 4]) -> Result<usize, FramingError> {
        let mark = u32::from_be_bytes(mark);
        if mark & LAST_FRAGMENT == 0 {
            return Err(self.error(FramingErrorKind::NotLastFragment { mark }));
        }
        let length = usize_from(mark & !LAST_FRAGMENT);
        if length > self.limit {
            return Err(self.error(FramingErrorKind::TooLong { claimed: u64_from(length), limit: u64_from(self.limit) }));
        }
        if self.index >= self.records_limit {
            return Err(self.error(FramingErrorKind::TooMany(self.records_limit)));
        }
        Ok(length)
    }

    fn error(&self, kind: FramingErrorKind) -> FramingError {
        FramingError { offset: self.offset, kind }
    }
}

/// The mark of a record of that many bytes; none for one of 2 GiB or more, which has none.
#[must_use]
pub fn mark(length: usize) -> Option<[u8; 4]> {
    let length = u32::try_from(length).ok().filter(|length| length & LAST_FRAGMENT == 0)?;
    Some((LAST_FRAGMENT | length).to_be_bytes())
}

const LAST_FRAGMENT: u32 = 1 << 31;
