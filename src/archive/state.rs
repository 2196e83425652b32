//! HistoryArchiveState, versions 1 and 2 (rules B.3, B.6; stellar-core `HistoryArchive.{h,cpp}`).
//!
//! What it is: the parsed, validated form of `history-xxxxxxxx.json` and `.well-known/stellar-history.json`. What it is
//! not: a comparison with a header; see [`crate::verify::bucket_list`].

use core::fmt;
use core::marker::PhantomData;
use std::borrow::Cow;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::checkpoint::LedgerSeq;
use crate::codec::hash::{Hash256, sha256};
use crate::limits::Budget;

/// Levels of a bucket list.
pub const BUCKET_LEVELS: usize = 11;

/// The protocol from which the header commits to the hot archive as well (CAP-62; rules B.6).
pub const FIRST_PROTOCOL_WITH_HOT_ARCHIVE: u32 = 23;

/// The name of a bucket: SHA-256 of its uncompressed content. All zero for the empty bucket, which has no file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct BucketHash(Hash256);

impl BucketHash {
    /// Wraps a hash.
    #[must_use]
    pub const fn new(hash: Hash256) -> Self {
        Self(hash)
    }

    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> &Hash256 {
        &self.0
    }

    /// Whether this is the empty bucket.
    #[must_use]
    pub fn is_empty_bucket(&self) -> bool {
        self.0.is_zero()
    }
}

impl fmt::Display for BucketHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The merge that a level awaits.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum NextBucket {
    /// State 0: none.
    Clear,
    /// State 1: done, with this output; empty if nothing was left of the merge, as on early public Stellar.
    Output(BucketHash),
    /// No merge that can be understood, and why. Nothing else of the state depends on it, so it stays usable.
    Invalid(Cow<'static, str>),
    /// State 2: its inputs. Published states never have it: publishing resolves merges first.
    Inputs {
        /// The level's own bucket.
        curr: BucketHash,
        /// The bucket that comes from above.
        snap: BucketHash,
        /// Shadows, before protocol 12.
        shadow: Vec<BucketHash>,
    },
}

/// One level of a bucket list.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct BucketLevel {
    /// The bucket that still takes changes.
    pub curr: BucketHash,
    /// The bucket that waits to move down.
    pub snap: BucketHash,
    /// The merge under way.
    pub next: NextBucket,
}

/// The levels of one bucket list, newest first.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct BucketList(Box<[BucketLevel; BUCKET_LEVELS]>);

impl Default for BucketList {
    /// A list of eleven levels without a bucket.
    fn default() -> Self {
        let empty = BucketHash::default();
        Self(Box::new(core::array::from_fn(|_| BucketLevel { curr: empty, snap: empty, next: NextBucket::Clear })))
    }
}

impl BucketList {
    /// A list of these levels, newest first.
    #[must_use]
    pub fn new(levels: [BucketLevel; BUCKET_LEVELS]) -> Self {
        Self(Box::new(levels))
    }

    /// The levels, newest first, to change them.
    pub fn levels_mut(&mut self) -> &mut [BucketLevel; BUCKET_LEVELS] {
        &mut self.0
    }

    /// The levels, newest first.
    #[must_use]
    pub fn levels(&self) -> &[BucketLevel; BUCKET_LEVELS] {
        &self.0
    }

    /// `sha256(level 0 ‖ … ‖ level 10)` with `level = sha256(curr ‖ snap)` (rules B.6).
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        let levels = self.0.each_ref().map(|level| sha256(&[level.curr.hash().as_bytes(), level.snap.hash().as_bytes()]));
        let mut hasher = crate::codec::hash::Hasher::default();
        for level in &levels {
            hasher.update(level.as_bytes());
        }
        hasher.finish()
    }

    /// The non-empty buckets that it names, with their level.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, BucketHash)> {
        self.0.iter().enumerate().flat_map(|(index, level)| {
            let next: Vec<_> = match &level.next {
                NextBucket::Clear | NextBucket::Invalid(_) => vec![],
                NextBucket::Output(output) => vec![*output],
                NextBucket::Inputs { curr, snap, shadow } => [*curr, *snap].into_iter().chain(shadow.iter().copied()).collect(),
            };
            let named = [level.curr, level.snap].into_iter().chain(next);
            named.filter(|bucket| !bucket.is_empty_bucket()).map(move |bucket| (index, bucket))
        })
    }
}

impl BucketList {
    fn to_json(&self) -> String {
        let level = |BucketLevel { curr, snap, next }: &BucketLevel| {
            let next = next.to_json();
            format!(
                "        {{\n            \"curr\": \"{curr}\",\n            \"next\": {next},\n            \"snap\": \"{snap}\"\n        }}"
            )
        };
        format!("[\n{}\n    ]", self.levels().each_ref().map(level).join(",\n"))
    }
}

impl NextBucket {
    fn to_json(&self) -> String {
        let fields = match self {
            Self::Clear => vec!["\"state\": 0".to_owned()],
            Self::Output(output) => vec!["\"state\": 1".to_owned(), format!("\"output\": \"{output}\"")],
            Self::Inputs { curr, snap, shadow } => {
                let shadows: Vec<_> = shadow.iter().map(|bucket| format!("                    \"{bucket}\"")).collect();
                let shadows = if shadows.is_empty() { "[]".to_owned() } else { format!("[\n{}\n                ]", shadows.join(",\n")) };
                let inputs = [format!("\"curr\": \"{curr}\""), format!("\"snap\": \"{snap}\""), format!("\"shadow\": {shadows}")];
                core::iter::once("\"state\": 2".to_owned()).chain(inputs).collect()
            }
            Self::Invalid(_) => return "{}".to_owned(),
        };
        format!("{{\n                {}\n            }}", fields.join(",\n                "))
    }
}

/// A parsed HistoryArchiveState. As serde writes it, it is this crate's own form and not the archive's file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct HistoryArchiveState {
    /// 1, or 2 with hot archive buckets.
    pub version: u32,
    /// What wrote it; free text.
    pub server: Option<String>,
    /// Required in version 2, absent in old version 1 files.
    pub network_passphrase: Option<String>,
    /// The checkpoint that it describes.
    pub current_ledger: LedgerSeq,
    /// The live bucket list.
    pub current_buckets: BucketList,
    /// The hot archive; version 2 only.
    pub hot_archive_buckets: Option<BucketList>,
}

impl HistoryArchiveState {
    /// The state of an archive that holds nothing yet: ledger 0 and no bucket, as `stellar-core new-hist` writes it.
    #[must_use]
    pub fn initial(server: impl Into<String>, network_passphrase: impl Into<String>) -> Self {
        Self {
            version: 1,
            server: Some(server.into()),
            network_passphrase: Some(network_passphrase.into()),
            current_ledger: LedgerSeq::new(0),
            current_buckets: BucketList::default(),
            hot_archive_buckets: None,
        }
    }

    /// The file, as stellar-core writes it: its order of keys, four spaces a level, no line end. A merge that could not be
    /// understood cannot be written either: it becomes one without a state, which no reader takes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut fields = vec![format!("\"version\": {}", self.version)];
        fields.extend(self.server.as_deref().map(|server| format!("\"server\": {}", text(server))));
        fields.push(format!("\"currentLedger\": {}", self.current_ledger));
        fields.extend(self.network_passphrase.as_deref().map(|passphrase| format!("\"networkPassphrase\": {}", text(passphrase))));
        fields.push(format!("\"currentBuckets\": {}", self.current_buckets.to_json()));
        fields.extend(self.hot_archive_buckets.as_ref().map(|list| format!("\"hotArchiveBuckets\": {}", list.to_json())));
        format!("{{\n    {}\n}}", fields.join(",\n    "))
    }

    /// Parses and validates the JSON.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with the field where there is one.
    pub fn parse(json: &[u8], budget: &Budget) -> Result<Self, StateError> {
        if json.len() > budget.has_json_bytes {
            return Err(StateError::TooLarge { bytes: json.len(), limit: budget.has_json_bytes });
        }
        let raw: RawState = serde_json::from_slice(json).map_err(|error| {
            let at = error.to_string();
            if error.is_data() && !at.contains("duplicate field") && raw_value_is_object(json) {
                StateError::Schema { field: at }
            } else {
                StateError::Json { error: at }
            }
        })?;
        raw.validate()
    }

    /// The hash that a header of this protocol commits to; `None` if the protocol wants a hot archive and there is none
    /// (rules B.6: the header's own, post-upgrade version decides).
    #[must_use]
    pub fn bucket_list_hash(&self, protocol: u32) -> Option<Hash256> {
        let live = self.current_buckets.hash();
        if protocol < FIRST_PROTOCOL_WITH_HOT_ARCHIVE {
            // A hot archive below protocol 23 would be committed to by nothing.
            return self.hot_archive_buckets.is_none().then_some(live);
        }
        let hot = self.hot_archive_buckets.as_ref()?.hash();
        Some(sha256(&[live.as_bytes(), hot.as_bytes()]))
    }
}

/// Why a HistoryArchiveState is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Not JSON at all.
    #[error("it is not valid JSON: {error}")]
    Json {
        /// What the parser says, with line and column.
        error: String,
    },
    /// A field is missing or of the wrong type.
    #[error("its fields are not those of a HistoryArchiveState: {field}")]
    Schema {
        /// What and where.
        field: String,
    },
    /// Larger than the budget.
    #[error("it has {bytes} bytes, more than the budget of {limit}")]
    TooLarge {
        /// Size.
        bytes: usize,
        /// Budget.
        limit: usize,
    },
    /// Neither version 1 nor 2.
    #[error("version {0} is neither 1 nor 2")]
    Version(u32),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawState {
    version: u32,
    server: Option<String>,
    network_passphrase: Option<String>,
    current_ledger: u32,
    current_buckets: Capped<RawLevel, BUCKET_LEVELS>,
    hot_archive_buckets: Option<Capped<RawLevel, BUCKET_LEVELS>>,
}

#[derive(Deserialize)]
struct RawLevel {
    curr: String,
    snap: String,
    next: Option<RawNext>,
}

#[derive(Deserialize)]
struct RawNext {
    state: Option<i64>,
    output: Option<String>,
    curr: Option<String>,
    snap: Option<String>,
    shadow: Option<Capped<String, MAX_SHADOWS>>,
}

/// Above it the arithmetic of checkpoints would overflow (rules B.2; stellar-core PR #5185).
const MAX_CURRENT_LEDGER: u32 = u32::MAX - 256;

/// Bytes of a passphrase; real ones have below 50, and reports repeat it.
const MAX_PASSPHRASE: usize = 1000;

/// Shadows of a merge: at most the two buckets of every level above.
const MAX_SHADOWS: usize = 2 * BUCKET_LEVELS;

impl RawState {
    fn validate(self) -> Result<HistoryArchiveState, StateError> {
        if !matches!(self.version, 1 | 2) {
            return Err(StateError::Version(self.version));
        }
        if self.version == 2 && self.network_passphrase.is_none() {
            return Err(StateError::Schema { field: "networkPassphrase is missing, version 2 requires it".into() });
        }
        if self.network_passphrase.as_ref().is_some_and(|passphrase| passphrase.len() > MAX_PASSPHRASE) {
            return Err(StateError::Schema { field: format!("networkPassphrase is longer than {MAX_PASSPHRASE} bytes") });
        }
        if self.current_ledger > MAX_CURRENT_LEDGER {
            return Err(StateError::Schema { field: format!("currentLedger is above {MAX_CURRENT_LEDGER}") });
        }
        let hot_archive_buckets = match (self.version, self.hot_archive_buckets) {
            (2, None) => return Err(StateError::Schema { field: "hotArchiveBuckets is missing, version 2 requires it".into() }),
            (2, Some(levels)) => Some(bucket_list(levels, "hotArchiveBuckets")?),
            // stellar-core does not look for the key in version 1; what it says there is bound by nothing.
            _ => None,
        };
        Ok(HistoryArchiveState {
            version: self.version,
            // Free text that nothing depends on: a long one is not worth keeping.
            server: self.server.filter(|server| server.len() <= MAX_PASSPHRASE),
            network_passphrase: self.network_passphrase,
            current_ledger: LedgerSeq::new(self.current_ledger),
            current_buckets: bucket_list(self.current_buckets, "currentBuckets")?,
            hot_archive_buckets,
        })
    }
}

fn bucket_list(raw: Capped<RawLevel, BUCKET_LEVELS>, name: &str) -> Result<BucketList, StateError> {
    let count = raw.items.len();
    let levels = raw
        .items
        .into_iter()
        .enumerate()
        .map(|(index, level)| level.validate(&format!("{name}[{index}]")))
        .collect::<Result<Vec<_>, _>>()?;
    let levels: Box<[BucketLevel; BUCKET_LEVELS]> = levels
        .into_boxed_slice()
        .try_into()
        .map_err(|_| StateError::Schema { field: format!("{name} has {count} levels, there must be {BUCKET_LEVELS}") })?;
    Ok(BucketList(levels))
}

impl RawLevel {
    fn validate(self, field: &str) -> Result<BucketLevel, StateError> {
        let hash = |name: &str, text: &str| {
            bucket_hash(text).ok_or_else(|| StateError::Schema { field: format!("{field}.{name} is not 64 hex digits") })
        };
        let next = self.next.map_or(Err("is missing"), RawNext::validate).unwrap_or_else(|problem| NextBucket::Invalid(problem.into()));
        Ok(BucketLevel { curr: hash("curr", &self.curr)?, snap: hash("snap", &self.snap)?, next })
    }
}

impl RawNext {
    fn validate(self) -> Result<NextBucket, &'static str> {
        let hash = |text: Option<String>, missing, malformed| bucket_hash(&text.ok_or(missing)?).ok_or(malformed);
        let shadow = self.shadow.map(|shadow| shadow.items).unwrap_or_default();
        match self.state {
            Some(0) if self.output.is_some() || self.curr.is_some() || self.snap.is_some() || !shadow.is_empty() => {
                Err("is clear (state 0) but names buckets")
            }
            Some(0) => Ok(NextBucket::Clear),
            Some(1) => Ok(NextBucket::Output(hash(self.output, "has state 1 but no output", "has an output that is not 64 hex digits")?)),
            Some(2) => Ok(NextBucket::Inputs {
                curr: hash(self.curr, "has state 2 but no curr", "has a curr that is not 64 hex digits")?,
                snap: hash(self.snap, "has state 2 but no snap", "has a snap that is not 64 hex digits")?,
                shadow: shadow
                    .iter()
                    .map(|text| bucket_hash(text).ok_or("has a shadow that is not 64 hex digits"))
                    .collect::<Result<_, _>>()?,
            }),
            Some(_) => Err("has a state that is neither 0, 1 nor 2"),
            None => Err("has no state"),
        }
    }
}

fn bucket_hash(text: &str) -> Option<BucketHash> {
    text.parse().ok().map(BucketHash)
}

/// Arrays and null deserialize into structs' errors of the "data" class; only an object can have a wrong field.
fn raw_value_is_object(json: &[u8]) -> bool {
    json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// A sequence of at most `N` items: a hostile list is refused while it is read, not after.
struct Capped<T, const N: usize> {
    items: Vec<T>,
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Capped<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CappedVisitor<T, const N: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for CappedVisitor<T, N> {
            type Value = Capped<T, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {N} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == N {
                        return Err(A::Error::custom(format!("a list of more than {N} items")));
                    }
                    items.push(item);
                }
                Ok(Capped { items })
            }
        }
        deserializer.deserialize_seq(CappedVisitor(PhantomData))
    }
}
