//! Validators' keys, as people write them (SEP-23: `G` and 55 more characters).

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stellar_xdr::{PublicKey, Uint256};

/// The Ed25519 public key of a node. Displays as a strkey.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId([u8; 32]);

impl NodeId {
    /// Wraps a raw key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The raw key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of an XDR value.
    #[must_use]
    pub fn from_xdr(node: &stellar_xdr::NodeId) -> Self {
        let PublicKey::PublicKeyTypeEd25519(Uint256(key)) = &node.0;
        Self(*key)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PublicKey::PublicKeyTypeEd25519(Uint256(self.0)).fmt(f)
    }
}

/// Text that is no key of a node.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no public key: one begins with G and has 56 characters, the last of which are a checksum")]
pub struct NodeIdError(String);

impl FromStr for NodeId {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || NodeIdError(text.chars().take(80).collect());
        // Two spellings of one key would be two keys to whoever compares text.
        if text.len() != 56 {
            return Err(shown());
        }
        let PublicKey::PublicKeyTypeEd25519(Uint256(key)) = text.parse().map_err(|_| shown())?;
        Ok(Self(key))
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_is_read_and_a_changed_letter_is_noticed() {
        let text = "GDKXE2OZMJIPOSLNA6N6F2BVCI3O777I2OOC4BV7VOYUEHYX7RTRYA7Y";
        assert_eq!(text.parse::<NodeId>().map(|node| node.to_string()), Ok(text.to_owned()));
        for wrong in [&text.replace('7', "6"), &text.to_lowercase(), "", "G", &format!("{text} "), "SDKXE2"] {
            assert!(wrong.parse::<NodeId>().is_err(), "{wrong}");
        }
    }
}
