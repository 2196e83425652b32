//! Bytes in, bytes out: gzip members, XDR record marks, hashes.
//!
//! What it is: the bounded, streaming, synchronous decoders under every file of an archive. What it is not: aware of
//! what the bytes mean; that is [`crate::verify`].

pub mod file;
pub mod gzip;
pub mod gzip_encoder;
pub mod hash;
pub mod record;

/// `u32` to `usize`, lossless on every platform this crate supports.
#[must_use]
#[allow(clippy::as_conversions)] // usize is 32 or 64 bits wide on all hosts, wasm32 included
pub const fn usize_from(value: u32) -> usize {
    const { assert!(usize::BITS >= u32::BITS) };
    value as usize
}

/// `usize` to `u64`, lossless on every platform this crate supports.
#[must_use]
#[allow(clippy::as_conversions)] // usize is at most 64 bits wide
pub const fn u64_from(value: usize) -> u64 {
    const { assert!(usize::BITS <= u64::BITS) };
    value as u64
}
