//! The file of a proof, as JSON has it: field names and nothing else.
//!
//! What it is: the format of schema 1, which the README describes field by field. What it is not: decoded or checked; that
//! is [`super::read`] and the modules of the parts. Unknown fields are refused, since nobody would have checked them.

use serde::{Deserialize, Serialize};

/// Bytes of a file. A proof is a few tens of kB; the largest transaction sets and buckets that are embedded are a few MB.
pub(super) const LARGEST: usize = 32 << 20;

/// The schema that this verifier writes and reads.
pub(super) const SCHEMA: u32 = 1;

/// What every proof begins with; it decides how the rest is read.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) schema: u32,
    pub(super) kind: String,
}

/// `"kind": "transaction"`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TransactionProof {
    pub(super) schema: u32,
    pub(super) kind: String,
    pub(super) network: String,
    pub(super) ledger: u32,
    pub(super) index: u32,
    pub(super) transaction_hash: String,
    /// `TransactionEnvelope`.
    pub(super) transaction: String,
    pub(super) transaction_set: TransactionSet,
    /// `TransactionResultPair`.
    pub(super) result: String,
    /// `TransactionResultSet`.
    pub(super) result_set: String,
    /// `LedgerHeader`, from `ledger` up.
    pub(super) headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seal: Option<Seal>,
}

/// `"kind": "ledger-entry"`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EntryProof {
    pub(super) schema: u32,
    pub(super) kind: String,
    pub(super) network: String,
    pub(super) ledger: u32,
    /// `LedgerKey`.
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<Found>,
    pub(super) live_buckets: Vec<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hot_archive_buckets: Option<Vec<Level>>,
    /// Inflated bucket files.
    #[serde(default, deserialize_with = "or_absent", skip_serializing_if = "Vec::is_empty")]
    pub(super) buckets: Vec<String>,
    /// `LedgerHeader`, from `ledger` up.
    pub(super) headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seal: Option<Seal>,
}

/// A set in the form that is hashed, by its XDR type.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TransactionSet {
    /// `TransactionSet`.
    Legacy(String),
    /// `GeneralizedTransactionSet`.
    Generalized(String),
}

/// What validators said of the ledger after the last header.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Seal {
    pub(super) ledger: u32,
    /// `StellarValue`.
    pub(super) value: String,
    /// Absent where the value itself names the ledger before it (CAP-83).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) transaction_set: Option<TransactionSet>,
    /// `SCPEnvelope`.
    pub(super) envelopes: Vec<String>,
    /// `SCPQuorumSet`.
    pub(super) quorum_sets: Vec<String>,
}

/// Where the newest version of an entry is.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Found {
    pub(super) level: u32,
    pub(super) bucket: Half,
    /// `BucketEntry`.
    pub(super) entry: String,
}

/// `null` reads as absent, as for every optional field.
fn or_absent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The two buckets of a level.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Half {
    /// The newer one.
    Curr,
    /// The older one.
    Snap,
}

/// A level of a bucket list.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Level {
    pub(super) curr: String,
    pub(super) snap: String,
}
