//! Something that should be so, and whether it is: what was computed of which bytes, and who says what it has to be.
//!
//! What it is: the form of a check. What it is not: the rules; each view makes its own checks.

use serde::Serialize;

use super::file::Excerpt;
use crate::codec::hash::{Hash256, sha256};

/// Bytes that are shown where they stand together in no file.
const MOST_SHOWN: usize = 1 << 16;

/// What a check is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckName {
    /// Ledger 1 follows from the network's passphrase.
    Genesis,
    /// The header hashes to what its record says.
    HeaderHash,
    /// The header names the one before it.
    PreviousHeader,
    /// The header after it names this one.
    NextHeader,
    /// The header names the transaction set.
    TransactionSet,
    /// The header names the results.
    Results,
    /// There are as many results as transactions.
    ResultCount,
    /// The header names the buckets of the checkpoint's state.
    BucketList,
    /// What validators said is what the header says.
    ScpValue,
    /// The transaction hashes to what its result says.
    TransactionHash,
    /// The result belongs to one transaction of the set.
    ResultOfTransaction,
}

/// Whether it is so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is.
    Holds,
    /// It is not.
    Broken,
    /// That could not be told.
    Unknown,
}

/// Who says what a hash is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Claim {
    /// In words.
    pub by: String,
    /// The hash.
    pub hash: Hash256,
}

/// Something that should be so, and whether it is.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What it is about.
    pub name: CheckName,
    /// What was computed, and what it has to be equal to.
    pub what: String,
    /// Whether it is.
    pub outcome: Outcome,
    /// Why that is not known, or what else there is to say.
    pub why: Option<String>,
    /// SHA-256 of `of`, or of the bytes of `hex`.
    pub computed: Option<Hash256>,
    /// The bytes that were hashed, where they stand in the archive.
    pub of: Option<Excerpt>,
    /// The bytes that were hashed, where they stand together nowhere.
    pub hex: Option<String>,
    /// The bytes that were hashed, where they stand in pieces, one after another, and are too many for `hex`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Excerpt>,
    /// Who says what the hash is.
    pub claims: Vec<Claim>,
}

/// A hash, and the bytes that it is of.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    hash: Hash256,
    of: Option<Excerpt>,
    hex: Option<String>,
    parts: Vec<Excerpt>,
}

impl Computed {
    /// Of bytes that stand in a file.
    pub(crate) fn of(bytes: &[u8], excerpt: Excerpt) -> Self {
        Self { hash: sha256(&[bytes]), of: Some(excerpt), hex: None, parts: Vec::new() }
    }

    /// Of bytes that stand together nowhere.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_parts(bytes, Vec::new())
    }

    /// Of bytes that stand in pieces.
    pub(crate) fn of_parts(bytes: &[u8], parts: Vec<Excerpt>) -> Self {
        let hex = (bytes.len() <= MOST_SHOWN).then(|| hex::encode(bytes));
        let parts = if hex.is_some() { Vec::new() } else { parts };
        Self { hash: sha256(&[bytes]), of: None, hex, parts }
    }
}

impl Claim {
    pub(crate) fn new(by: impl Into<String>, hash: Hash256) -> Self {
        Self { by: by.into(), hash }
    }
}

impl Check {
    fn new(name: CheckName, what: impl Into<String>, outcome: Outcome) -> Self {
        Self { name, what: what.into(), outcome, why: None, computed: None, of: None, hex: None, parts: Vec::new(), claims: Vec::new() }
    }

    /// A hash that has to be what each of those claims.
    pub(crate) fn comparing(name: CheckName, what: impl Into<String>, computed: Computed, claims: Vec<Claim>) -> Self {
        let holds = claims.iter().all(|claim| claim.hash == computed.hash);
        let mut check = Self::new(name, what, if holds { Outcome::Holds } else { Outcome::Broken });
        (check.computed, check.of, check.hex, check.parts) = (Some(computed.hash), computed.of, computed.hex, computed.parts);
        check.claims = claims;
        check
    }

    /// Something that is so or not, without a hash.
    pub(crate) fn plain(name: CheckName, what: impl Into<String>, holds: bool) -> Self {
        Self::new(name, what, if holds { Outcome::Holds } else { Outcome::Broken })
    }

    /// Something that cannot be told.
    pub(crate) fn unknown(name: CheckName, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..Self::new(name, what, Outcome::Unknown) }
    }

    /// With what is claimed, where nothing could be computed.
    pub(crate) fn claimed(mut self, claims: Vec<Claim>) -> Self {
        self.claims = claims;
        self
    }

    /// With what else there is to say.
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(crate) fn broken(mut self) -> Self {
        self.outcome = Outcome::Broken;
        self
    }
}
