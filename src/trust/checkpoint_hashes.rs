//! The file of trusted checkpoint hashes: what `stellar-core verify-checkpoints` writes and reads (rules A.2, C).
//!
//! `[[seq, "hash"], …, [0, ""]]`, one pair a line, from the newest checkpoint to the oldest; the last pair ends the list. Core
//! writes it so because its lines end in a comma. What is read may be of any layout, in any order, with or without that end.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::archive::checkpoint::LedgerSeq;
use crate::codec::hash::{Hash256, Hasher};

/// Bytes of a file: public Stellar's has about a million lines of 80 bytes.
const LARGEST: usize = 128 << 20;

/// Hashes of the last ledgers of checkpoints.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CheckpointHashes(BTreeMap<LedgerSeq, Hash256>);

/// Reads `LEDGER:HASH`, as people write a hash that they trust.
///
/// # Errors
/// If it is none.
pub fn trusted_pair(text: &str) -> Result<(LedgerSeq, Hash256), TrustedPairError> {
    let refuse = || TrustedPairError(text.chars().take(100).collect());
    let (ledger, hash) = text.split_once(':').ok_or_else(refuse)?;
    let digits = !ledger.is_empty() && ledger.bytes().all(|byte| byte.is_ascii_digit());
    let ledger = Some(ledger).filter(|_| digits).and_then(|ledger| ledger.parse().ok()).filter(|ledger| *ledger > 0).ok_or_else(refuse)?;
    Ok((LedgerSeq::new(ledger), hash.parse().map_err(|_| refuse())?))
}

/// Text that is no pair.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no trusted hash: one is LEDGER:HASH, such as 63:04f2… with 64 hexadecimal digits")]
pub struct TrustedPairError(String);

/// A file that is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "it is no file of checkpoint hashes: {0}; one is a JSON array of [ledger, \"hash\"], as stellar-core's verify-checkpoints writes it"
)]
pub struct CheckpointHashesError(String);

impl CheckpointHashes {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is none, is empty, or names two hashes for a ledger.
    pub fn parse(json: &str) -> Result<Self, CheckpointHashesError> {
        let refuse = |why: String| Err(CheckpointHashesError(why));
        if json.len() > LARGEST {
            return refuse(format!("it is larger than {} MB", LARGEST >> 20));
        }
        let pairs: Vec<(u32, String)> = match serde_json::from_str(json) {
            Ok(pairs) => pairs,
            Err(error) => return refuse(error.to_string()),
        };
        let mut hashes = BTreeMap::new();
        for (ledger, text) in pairs {
            if ledger == 0 && text.is_empty() {
                continue;
            }
            let hash: Hash256 = match text.parse() {
                Ok(hash) if ledger > 0 => hash,
                _ => return refuse(format!("ledger {ledger} has no hash of 64 hexadecimal digits")),
            };
            if hashes.insert(LedgerSeq::new(ledger), hash).is_some_and(|other| other != hash) {
                return refuse(format!("ledger {ledger} has two hashes"));
            }
        }
        if hashes.is_empty() { refuse("it names no ledger".into()) } else { Ok(Self(hashes)) }
    }

    /// Adds one; says whether it fits what is there.
    pub fn add(&mut self, ledger: LedgerSeq, hash: Hash256) -> bool {
        *self.0.entry(ledger).or_insert(hash) == hash
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<(LedgerSeq, Hash256)> {
        self.0.last_key_value().map(|(ledger, hash)| (*ledger, *hash))
    }

    /// All of them, by ledger.
    #[must_use]
    pub fn by_ledger(&self) -> &BTreeMap<LedgerSeq, Hash256> {
        &self.0
    }

    /// All of them, by ledger.
    #[must_use]
    pub fn into_by_ledger(self) -> BTreeMap<LedgerSeq, Hash256> {
        self.0
    }

    /// What tells two lists apart.
    #[must_use]
    pub fn digest(&self) -> Hash256 {
        let mut hasher = Hasher::default();
        for (ledger, hash) in &self.0 {
            hasher.update(&ledger.value().to_be_bytes());
            hasher.update(hash.as_bytes());
        }
        hasher.finish()
    }

    /// The file, byte by byte as stellar-core writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.0.len() * 80 + 16);
        json.push('[');
        for (ledger, hash) in self.0.iter().rev() {
            // Writing to a string cannot fail.
            let _ = write!(json, "\n[{ledger}, \"{hash}\"],");
        }
        json.push_str("\n[0, \"\"]\n]\n");
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_stellar_core_writes_it_and_read_back() {
        let (a, b) = (Hash256::new([0xaa; 32]), Hash256::new([0xbb; 32]));
        let mut hashes = CheckpointHashes::default();
        assert!(hashes.add(LedgerSeq::new(63), a) && hashes.add(LedgerSeq::new(127), b) && !hashes.add(LedgerSeq::new(63), b));
        let json = hashes.to_json();
        assert_eq!(json, format!("[\n[127, \"{b}\"],\n[63, \"{a}\"],\n[0, \"\"]\n]\n"));
        assert_eq!(CheckpointHashes::parse(&json), Ok(hashes.clone()));
        assert_eq!(CheckpointHashes::parse(&format!("[[63,\"{a}\"],[127,\"{b}\"]]")), Ok(hashes));
    }

    #[test]
    fn a_trusted_hash_is_a_ledger_and_a_hash() {
        let hash = Hash256::new([0xab; 32]);
        assert_eq!(trusted_pair(&format!("63:{hash}")), Ok((LedgerSeq::new(63), hash)));
        for wrong in
            ["", "63", "63:", ":ab", &format!("0:{hash}"), &format!("+1:{hash}"), &format!("63:{hash}0"), &format!("4294967296:{hash}")]
        {
            assert!(trusted_pair(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_the_reason() {
        let a = Hash256::new([0xaa; 32]);
        for (json, why) in [
            ("{}".to_owned(), "no file of checkpoint hashes"),
            ("[[0, \"\"]]".to_owned(), "names no ledger"),
            ("[[63, \"\"]]".to_owned(), "64 hexadecimal"),
            (format!("[[0, \"{a}\"]]"), "64 hexadecimal"),
            (format!("[[63, \"{a}\"], [63, \"{}\"]]", Hash256::ZERO), "two hashes"),
            (format!("[[-1, \"{a}\"]]"), "no file of checkpoint hashes"),
        ] {
            assert!(CheckpointHashes::parse(&json).is_err_and(|error| error.to_string().contains(why)), "{json}");
        }
    }
}
