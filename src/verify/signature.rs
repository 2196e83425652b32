//! Ed25519 as stellar-core accepts it (rules B.10 S1, S4).
//!
//! stellar-core verifies with libsodium 1.0.18 or with dalek's `verify_strict` (`SecretKey.cpp`, `ed25519_verify.rs`). Both
//! want S below the group order and neither the key nor R of small order, compare R byte by byte and do not multiply by
//! the cofactor. libsodium refuses keys whose y is not reduced, too, which dalek alone reads: no signer has such a key, so
//! refusing it is on the safe side of both.
//!
//! There is no batch verification here: a batch accepts signatures that neither of the two accepts one by one.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::archive::network::NetworkId;
use crate::archive::node::NodeId;

/// What a signature is over, after the network's id (`EnvelopeType`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signed {
    /// `ENVELOPE_TYPE_SCP`: a statement.
    Statement,
    /// `ENVELOPE_TYPE_SCPVALUE`: the hash of a transaction set and a close time.
    Value,
}

/// Whether a node signed this.
#[must_use]
pub fn is_signed_by(node: &NodeId, network: &NetworkId, signed: Signed, body: &[&[u8]], signature: &[u8]) -> bool {
    let kind = match signed {
        Signed::Statement => 1u32,
        Signed::Value => 4,
    };
    let mut message = network.hash().as_bytes().to_vec();
    message.extend_from_slice(&kind.to_be_bytes());
    body.iter().for_each(|part| message.extend_from_slice(part));
    verify(node.as_bytes(), &message, signature)
}

fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    is_reduced(key) && VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// Whether y, without the sign of x, is below 2^255 - 19.
fn is_reduced(key: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = key;
    !(*low >= 0xed && middle.iter().all(|byte| *byte == 0xff) && high & 0x7f == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 6c of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020): message, key, signature. libsodium 1.0.18
    /// and dalek's strict verification both take the fourth and refuse the others.
    const VECTORS: [(&str, &str, &str, bool); 12] = [
        (
            "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
            false,
        ),
        (
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
            false,
        ),
        (
            "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
            false,
        ),
        (
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
            true,
        ),
        (
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
            false,
        ),
        (
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
            false,
        ),
        (
            "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
            false,
        ),
        (
            "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a4734e74f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c2",
            false,
        ),
        (
            "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
            false,
        ),
        (
            "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
            false,
        ),
        (
            "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
            false,
        ),
        (
            "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
            false,
        ),
    ];

    #[test]
    fn edge_cases_are_judged_as_libsodium_judges_them() -> Result<(), hex::FromHexError> {
        for (index, (message, key, signature, valid)) in VECTORS.into_iter().enumerate() {
            let mut bytes = [0; 32];
            hex::decode_to_slice(key, &mut bytes)?;
            assert_eq!(verify(&bytes, &hex::decode(message)?, &hex::decode(signature)?), valid, "vector {index}");
        }
        Ok(())
    }

    /// The 19 values of y that are not reduced, with either sign: on the curve or not, of small order or not.
    #[test]
    fn keys_that_are_not_reduced_are_refused() {
        for low in 0xed..=0xffu8 {
            for high in [0x7f, 0xff] {
                let mut key = [0xff; 32];
                (key[0], key[31]) = (low, high);
                assert!(!is_reduced(&key), "{low:x}");
                key[0] = 0xec;
                assert!(is_reduced(&key));
                (key[0], key[15]) = (low, 0xfe);
                assert!(is_reduced(&key));
            }
        }
    }

    #[test]
    fn a_signature_of_another_length_is_none() {
        for length in [0, 63, 65] {
            assert!(!verify(&[1; 32], b"message", &vec![0; length]));
        }
    }
}
