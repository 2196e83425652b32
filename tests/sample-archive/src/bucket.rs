//! Buckets: sorted, content-addressed lists of entries, and how two of them merge (rule B.9).
//!
//! The live list and the hot archive list hold different entries but merge alike, hence one generic type.

use std::cmp::Ordering;
use std::rc::Rc;

use stellar_xdr::{BucketEntry, BucketListType, BucketMetadata, BucketMetadataExt, Hash, HotArchiveBucketEntry, LedgerKey, WriteXdr};

use crate::codec::{push_record, sha256, xdr};

/// The first protocol with META and INITENTRY (CAP-20).
pub(crate) const FIRST_WITH_META: u32 = 11;
/// The first protocol whose merges look at no shadows.
pub(crate) const FIRST_WITHOUT_SHADOWS: u32 = 12;
/// The first protocol with a hot archive, and with META that names its list (CAP-62).
pub(crate) const FIRST_WITH_HOT_ARCHIVE: u32 = 23;

/// An entry of one of the two lists.
pub(crate) trait Entry: Clone + WriteXdr {
    /// Which list META names.
    const LIST: BucketListType;

    /// META as an entry of this list.
    fn meta(metadata: BucketMetadata) -> Self;

    /// What the entry is about. META is about nothing.
    fn key(&self) -> Option<LedgerKey>;

    /// Whether the entry only says that nothing is there, which the lowest level need not say.
    fn is_tombstone(&self) -> bool;

    /// Whether a shadow must not hide the entry, since another level may wait for it to cancel out.
    fn is_lifecycle(&self) -> bool;

    /// What remains of an older and a newer entry of the same key.
    fn merge(old: &Self, new: &Self) -> Option<Self>;
}

/// An immutable bucket with its file.
#[derive(Debug)]
pub(crate) struct Bucket<E> {
    /// Sorted by key, without META.
    entries: Vec<(LedgerKey, E)>,
    version: u32,
    hash: Hash,
    file: Vec<u8>,
}

impl<E: Entry> Bucket<E> {
    /// The bucket that has no file and whose hash is all zero (rule K2).
    pub(crate) fn empty() -> Rc<Self> {
        Self::new(Vec::new(), 0)
    }

    /// The bucket of one ledger's changes.
    pub(crate) fn fresh(version: u32, changes: Vec<E>) -> Rc<Self> {
        let mut entries: Vec<_> = changes.into_iter().filter_map(|entry| Some((entry.key()?, entry))).collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self::new(entries, version)
    }

    /// Merges an older and a newer bucket; newer entries win. An entry that a shadow (a bucket newer than both) has
    /// anyway is left out, which only protocols before 12 did.
    pub(crate) fn merge(old: &Self, new: &Self, shadows: &[Rc<Self>], keep_tombstones: bool) -> Rc<Self> {
        let version = shadows
            .iter()
            .map(|shadow| shadow.version)
            .filter(|version| *version < FIRST_WITHOUT_SHADOWS)
            .chain([old.version, new.version])
            .max()
            .unwrap_or_default();
        let keep_lifecycle = version >= FIRST_WITH_META;
        let mut entries = Vec::new();
        let mut put = |key: &LedgerKey, entry: E| {
            let hidden = !(keep_lifecycle && entry.is_lifecycle()) && shadows.iter().any(|shadow| shadow.contains(key));
            if !hidden && (keep_tombstones || !entry.is_tombstone()) {
                entries.push((key.clone(), entry));
            }
        };

        let (mut olds, mut news) = (old.entries.iter().peekable(), new.entries.iter().peekable());
        loop {
            let order = match (olds.peek(), news.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            let old = if order.is_le() { olds.next() } else { None };
            let new = if order.is_ge() { news.next() } else { None };
            match (old, new) {
                (Some((key, old)), Some((_, new))) => {
                    if let Some(entry) = E::merge(old, new) {
                        put(key, entry);
                    }
                }
                (Some((key, entry)), None) | (None, Some((key, entry))) => put(key, entry.clone()),
                (None, None) => {}
            }
        }
        Self::new(entries, version)
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The uncompressed file, of which the hash is the name (rule K1).
    pub(crate) fn file(&self) -> &[u8] {
        &self.file
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    fn new(entries: Vec<(LedgerKey, E)>, version: u32) -> Rc<Self> {
        let mut file = Vec::new();
        let names_list = version >= FIRST_WITH_HOT_ARCHIVE;
        if version >= FIRST_WITH_META {
            let ext = if names_list { BucketMetadataExt::V1(E::LIST) } else { BucketMetadataExt::V0 };
            let meta = BucketMetadata { ledger_version: version, ext };
            push_record(&mut file, &xdr(&E::meta(meta)));
        }
        for (_, entry) in &entries {
            push_record(&mut file, &xdr(entry));
        }
        let hash = if file.is_empty() { Hash([0; 32]) } else { sha256([&file]) };
        Rc::new(Self {
            // An empty bucket has no META and thus no version.
            version: if file.is_empty() || version < FIRST_WITH_META { 0 } else { version },
            entries,

            hash,
            file,
        })
    }

    fn contains(&self, key: &LedgerKey) -> bool {
        self.entries.binary_search_by(|(k, _)| k.cmp(key)).is_ok()
    }
}

impl Entry for BucketEntry {
    const LIST: BucketListType = BucketListType::Live;

    fn meta(metadata: BucketMetadata) -> Self {
        Self::Metaentry(metadata)
    }

    fn key(&self) -> Option<LedgerKey> {
        match self {
            Self::Liveentry(entry) | Self::Initentry(entry) => Some(entry.to_key()),
            Self::Deadentry(key) => Some(key.clone()),
            Self::Metaentry(_) => None,
        }
    }

    fn is_tombstone(&self) -> bool {
        matches!(self, Self::Deadentry(_))
    }

    fn is_lifecycle(&self) -> bool {
        matches!(self, Self::Initentry(_) | Self::Deadentry(_))
    }

    /// CAP-20: INITENTRY says that no older level knows the key, so it swallows changes and cancels out with DEADENTRY.
    fn merge(old: &Self, new: &Self) -> Option<Self> {
        Some(match (old, new) {
            (Self::Initentry(_), Self::Deadentry(_)) => return None,
            (Self::Initentry(_), Self::Liveentry(entry)) => Self::Initentry(entry.clone()),
            (Self::Deadentry(_), Self::Initentry(entry)) => Self::Liveentry(entry.clone()),
            _ => new.clone(),
        })
    }
}

impl Entry for HotArchiveBucketEntry {
    const LIST: BucketListType = BucketListType::HotArchive;

    fn meta(metadata: BucketMetadata) -> Self {
        Self::Metaentry(metadata)
    }

    fn key(&self) -> Option<LedgerKey> {
        match self {
            Self::Archived(entry) => Some(entry.to_key()),
            Self::Live(key) => Some(key.clone()),
            Self::Metaentry(_) => None,
        }
    }

    fn is_tombstone(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    fn is_lifecycle(&self) -> bool {
        false
    }

    fn merge(_old: &Self, new: &Self) -> Option<Self> {
        Some(new.clone())
    }
}
