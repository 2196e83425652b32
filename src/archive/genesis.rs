//! The genesis ledger that a passphrase implies (rules B.11; stellar-core `LedgerManagerImpl.cpp:455-500`).

use ed25519_dalek::SigningKey;

use super::network::NetworkId;
use super::state::BUCKET_LEVELS;
use crate::codec::hash::{Hash256, sha256};

const TOTAL_COINS: i64 = 1_000_000_000_000_000_000;
const BASE_FEE: u32 = 100;
const BASE_RESERVE: u32 = 100_000_000;
const MAX_TX_SET_SIZE: u32 = 100;

/// The hash of ledger 1 of the network.
///
/// Networks started with `USE_CONFIG_FOR_GENESIS` or test accounts have another one (rules E 33).
#[must_use]
pub fn genesis_header_hash(network: &NetworkId) -> Hash256 {
    sha256(&[&genesis_header(network)])
}

fn genesis_header(network: &NetworkId) -> Vec<u8> {
    let mut xdr = Xdr::default();
    xdr.u32(0).bytes(&[0; 32]); // ledgerVersion, previousLedgerHash
    xdr.bytes(&[0; 32]).u64(0).u32(0).u32(0); // scpValue: txSetHash, closeTime, no upgrades, BASIC
    xdr.bytes(&[0; 32]).bytes(genesis_bucket_list_hash(network).as_bytes()); // txSetResultHash, bucketListHash
    xdr.u32(1).i64(TOTAL_COINS).i64(0).u32(0).u64(0); // ledgerSeq, totalCoins, feePool, inflationSeq, idPool
    xdr.u32(BASE_FEE).u32(BASE_RESERVE).u32(MAX_TX_SET_SIZE);
    xdr.bytes(&[0; 4 * 32]).u32(0); // skipList, ext
    xdr.0
}

/// Level 0's `curr` holds the root account, everything else is empty.
fn genesis_bucket_list_hash(network: &NetworkId) -> Hash256 {
    let curr = sha256(&[&genesis_bucket(network)]);
    let empty = sha256(&[&[0; 64]]);
    let first = sha256(&[curr.as_bytes(), &[0; 32]]);
    let mut levels = first.as_bytes().to_vec();
    for _ in 1..BUCKET_LEVELS {
        levels.extend_from_slice(empty.as_bytes());
    }
    sha256(&[&levels])
}

fn genesis_bucket(network: &NetworkId) -> Vec<u8> {
    let root = SigningKey::from_bytes(network.hash().as_bytes()).verifying_key();
    let mut entry = Xdr::default();
    entry.u32(0).u32(1).u32(0); // LIVEENTRY, lastModifiedLedgerSeq, ACCOUNT
    entry.u32(0).bytes(root.as_bytes()).i64(TOTAL_COINS); // accountID, balance
    entry.i64(0).u32(0).u32(0).u32(0).u32(0); // seqNum, numSubEntries, inflationDest, flags, homeDomain
    entry.bytes(&[1, 0, 0, 0]).u32(0).u32(0).u32(0); // thresholds, signers, account ext, entry ext
    let mut bucket = Xdr::default();
    bucket.u32(1 << 31 | u32::try_from(entry.0.len()).unwrap_or(0)).bytes(&entry.0);
    bucket.0
}

/// Just enough XDR to write two fixed values.
#[derive(Default)]
struct Xdr(Vec<u8>);

impl Xdr {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::network::Network;

    /// The table of rules B.11; testnet's is also ledger 1 of the real archive.
    #[test]
    fn genesis_follows_from_the_passphrase() {
        for (name, hash) in [
            ("pubnet", "39c2a3cd4141b2853e70d84601faa44744660334b48f3228e0309342e3f4eb48"),
            ("testnet", "63d98f536ee68d1b27b5b89f23af5311b7569a24faf1403ad0b52b633b07be99"),
            ("futurenet", "471c12c0dd073c1c8a70cd722a7c4ae26fc6b9d42923a52459354dc69d4efd03"),
            ("standalone", "76df1b9ff762a7a8af1f3c88549fe742e488e80fde561e34b1b6115bdac8d397"),
        ] {
            assert_eq!(genesis_header_hash(&Network::from_name_or_passphrase(name).id()).to_string(), hash, "{name}");
        }
    }
}
