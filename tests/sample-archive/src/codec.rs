//! Bytes: SHA-256, XDR encoding and, for buckets, record marks (rule B.4).

use sha2::{Digest, Sha256};
use stellar_xdr::{BytesM, Hash, Limits, VecM, WriteXdr};

/// The XDR encoding of a value this crate built.
pub(crate) fn xdr<T: WriteXdr>(value: &T) -> Vec<u8> {
    value.to_xdr(Limits::none()).expect("invariant: a value in memory respects its type's bounds, and no limit is set")
}

/// SHA-256 over the concatenation of `parts`.
pub(crate) fn sha256<const N: usize>(parts: [&[u8]; N]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// SHA-256 over the XDR encoding of a value.
pub(crate) fn hash_of<T: WriteXdr>(value: &T) -> Hash {
    sha256([&xdr(value)])
}

/// An XDR list. The lists made here are far shorter than any bound of the protocol.
pub(crate) fn list<T, const MAX: u32>(items: Vec<T>) -> VecM<T, MAX> {
    items.try_into().expect("invariant: lists made here are shorter than the protocol's bounds")
}

/// An XDR byte string. Those made here are far shorter than any bound of the protocol.
pub(crate) fn bytes<const MAX: u32>(bytes: &[u8]) -> BytesM<MAX> {
    bytes.try_into().expect("invariant: byte strings made here are shorter than the protocol's bounds")
}

/// Appends one record: a mark with the "last fragment" bit and the length, then the payload (rule B.4).
pub(crate) fn push_record(file: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| length & LAST_FRAGMENT == 0)
        .expect("invariant: a record made here is far below 2 GiB");
    file.extend_from_slice(&(LAST_FRAGMENT | length).to_be_bytes());
    file.extend_from_slice(payload);
}

const LAST_FRAGMENT: u32 = 0x8000_0000;
