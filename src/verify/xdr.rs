//! Reading XDR from a slice: the few fixed layouts that are sliced by hand, [`shape::Shape`]s to walk over what need not be
//! decoded, and bounded decoding for the rest.
//!
//! What it is: strict: what it walks over is the one way to write a value, which what it only decodes need not be (RFC 4506).
//! What it is not: the definitions: [`types`] is generated from those that stellar-xdr ships, and checked in, as no build script
//! can find the sources of a dependency; a test fails when it is out of date.

pub mod shape;
#[rustfmt::skip]
pub mod types;

use stellar_xdr::{Error, Limited, Limits, ReadXdr};

use self::shape::Shape;
use crate::codec::hash::Hash256;
use crate::codec::u64_from;

/// Why bytes are not the XDR that they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XdrError {
    /// A value that the type does not have.
    #[error("{0}")]
    Invalid(&'static str),
    /// stellar-xdr refused.
    #[error("{0}")]
    Decode(String),
    /// Nested deeper than the budget.
    #[error("it is nested deeper than {0}")]
    TooDeep(u32),
}

/// A cursor over a record. Every read checks that the bytes are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The bytes read since `start`.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], XdrError> {
        let taken = self.rest().get(..count).ok_or(XdrError::Invalid("the record ends too early"))?;
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        self.take(N)?.try_into().map_err(|_| XdrError::Invalid("the record ends too early"))
    }

    pub(crate) fn hash(&mut self) -> Result<Hash256, XdrError> {
        self.array().map(Hash256::new)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, XdrError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, XdrError> {
        self.array().map(i64::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, XdrError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, XdrError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Variable-length opaque data of at most `max` bytes, with zero padding (RFC 4506 4.10).
    pub(crate) fn opaque(&mut self, max: usize) -> Result<&'a [u8], XdrError> {
        let length = crate::codec::usize_from(self.u32()?);
        if length > max {
            return Err(XdrError::Invalid("opaque data is longer than its type allows"));
        }
        let data = self.take(length)?;
        let padding = self.take(length.wrapping_neg() % 4)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(XdrError::Invalid("XDR padding is not zero"));
        }
        Ok(data)
    }

    /// Moves past one value; says whether it has what only smart contract transactions have.
    pub(crate) fn walk(&mut self, shape: &Shape, depth: u32) -> Result<bool, XdrError> {
        let rest = self.rest();
        let walked = shape.walk(rest, depth)?;
        self.at += rest.len() - walked.rest.len();
        Ok(walked.is_of_contract)
    }

    /// Decodes one value with stellar-xdr and moves past it.
    pub(crate) fn read<T: ReadXdr>(&mut self, depth: u32) -> Result<T, XdrError> {
        let rest = self.rest();
        let mut reader = Limited::new(rest, Limits { depth, len: rest.len() });
        let value = T::read_xdr(&mut reader).map_err(|error| match error {
            Error::DepthLimitExceeded => XdrError::TooDeep(depth),
            // Limits are set to what is there, so either means that the value wants more.
            Error::LengthLimitExceeded | Error::Io(_) => XdrError::Invalid("the record ends too early"),
            other => XdrError::Decode(other.to_string()),
        })?;
        self.at += rest.len() - reader.inner.len();
        Ok(value)
    }

    pub(crate) fn end(&self) -> Result<(), XdrError> {
        if self.rest().is_empty() { Ok(()) } else { Err(XdrError::Invalid("the record has bytes after the value")) }
    }
}

/// Decodes a record that is exactly one value.
pub(crate) fn decode<T: ReadXdr>(bytes: &[u8], depth: u32) -> Result<T, XdrError> {
    let mut cursor = Cursor::new(bytes);
    let value = cursor.read(depth)?;
    cursor.end()?;
    Ok(value)
}

/// The offset of `at` in a record, in its file.
pub(crate) fn offset(record: u64, at: usize) -> u64 {
    record + u64_from(at)
}
