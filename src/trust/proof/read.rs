//! Reading the fields of a proof, one spelling each: canonical base64, lowercase hex, XDR to its last byte.
//!
//! Whatever is wrong is a [`Fault`] with the field's name, since a proof is someone else's word.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use stellar_xdr::ReadXdr;

use crate::codec::hash::Hash256;
use crate::verify::xdr::{XdrError, decode};

/// Nesting of an XDR value, as [`crate::limits::Budget`] has it.
pub(super) const XDR_DEPTH: u32 = 500;

/// The first thing that is wrong with a proof.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// The field, as `seal.envelopes[2]`.
    pub field: String,
    /// In words.
    pub message: String,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), expected: None, actual: None }
    }

    pub(super) fn comparing(mut self, expected: impl ToString, actual: impl ToString) -> Self {
        (self.expected, self.actual) = (Some(expected.to_string()), Some(actual.to_string()));
        self
    }
}

pub(super) fn base64(field: &str, text: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|error| Fault::new(field, format!("it is no canonical base64: {error}")))
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn hex(field: &str, text: &str) -> Result<Hash256, Fault> {
    let hash = text.parse::<Hash256>().ok().filter(|hash| hash.to_string() == text);
    hash.ok_or_else(|| Fault::new(field, "it is no hash of 64 lowercase hexadecimal digits"))
}

pub(super) fn xdr<T: ReadXdr>(field: &str, name: &str, bytes: &[u8]) -> Result<T, Fault> {
    decode(bytes, XDR_DEPTH).map_err(|error| not_xdr(field, name, &error))
}

pub(super) fn not_xdr(field: &str, name: &str, error: &XdrError) -> Fault {
    Fault::new(field, format!("it is no {name}: {error}"))
}

/// Two things that must be the same.
pub(super) fn same<T: PartialEq + ToString>(field: &str, message: &str, expected: &T, actual: &T) -> Result<(), Fault> {
    if expected == actual { Ok(()) } else { Err(Fault::new(field, message).comparing(expected.to_string(), actual.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_one_spelling() {
        assert_eq!(base64("f", "AAE="), Ok(vec![0, 1]));
        for other in ["AAE", "AAF=", "AAE=\n", " AAE=", "AAE==", "_-8="] {
            assert!(base64("f", other).is_err(), "{other:?}");
        }
        let text = "ab".repeat(32);
        assert!(hex("f", &text).is_ok());
        for other in [text.to_uppercase(), format!("0x{text}"), "ab".repeat(31), format!("{text} ")] {
            assert!(hex("f", &other).is_err(), "{other}");
        }
    }
}
