//! Where files stand in an archive (rules B.1; stellar-core `Fs.cpp`, `FileTransferInfo.h`).

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::checkpoint::{Checkpoint, CheckpointFrequency, LedgerSeq};
use super::state::BucketHash;

/// The kinds of files that every checkpoint has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// The HistoryArchiveState, JSON.
    History,
    /// Ledger headers.
    Ledger,
    /// Transaction sets.
    Transactions,
    /// Transaction results.
    Results,
    /// SCP messages; optional.
    Scp,
}

impl FileKind {
    /// All kinds, in the order of the graph of work: what later ones need comes first.
    pub const ALL: [Self; 5] = [Self::History, Self::Ledger, Self::Transactions, Self::Results, Self::Scp];

    /// The name in paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Ledger => "ledger",
            Self::Transactions => "transactions",
            Self::Results => "results",
            Self::Scp => "scp",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::History => "json",
            Self::Ledger | Self::Transactions | Self::Results | Self::Scp => "xdr.gz",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file's place relative to the archive's root.
///
/// * made only from checkpoints and hashes, never from an archive's text
/// * no leading slash, no `..`, no empty segment
/// * lowercase hex
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ArchivePath(String);

impl ArchivePath {
    /// The folder that it is in, such as `ledger/00/00/00`.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// `.well-known/stellar-history.json`, the newest HistoryArchiveState.
    #[must_use]
    pub fn well_known() -> Self {
        Self(".well-known/stellar-history.json".into())
    }

    /// `history/00/00/00/history-00000000.json`, the state that a new archive begins with: of no checkpoint, since ledger 0 is
    /// none (rules B.1).
    #[must_use]
    pub fn initial_state() -> Self {
        Self("history/00/00/00/history-00000000.json".into())
    }

    /// The file of a kind at a checkpoint.
    #[must_use]
    pub fn of_checkpoint(kind: FileKind, checkpoint: Checkpoint) -> Self {
        let [a, b, c, _] = checkpoint.last_ledger().value().to_be_bytes();
        Self(format!("{kind}/{a:02x}/{b:02x}/{c:02x}/{kind}-{checkpoint}.{}", kind.extension()))
    }

    /// A bucket.
    #[must_use]
    pub fn of_bucket(bucket: BucketHash) -> Self {
        let [a, b, c, ..] = *bucket.hash().as_bytes();
        Self(format!("bucket/{a:02x}/{b:02x}/{c:02x}/bucket-{bucket}.xdr.gz"))
    }

    /// The path that a text names, if it is one of an archive's: nothing else gets through.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == Self::well_known().as_str() {
            return Some(Self::well_known());
        }
        if text == Self::initial_state().as_str() {
            return Some(Self::initial_state());
        }
        let name = text.rsplit('/').next()?;
        let candidate = if let Some(hash) = name.strip_prefix("bucket-") {
            Self::of_bucket(BucketHash::new(hash.strip_suffix(".xdr.gz")?.parse().ok()?))
        } else {
            let (kind, rest) = name.split_once('-')?;
            let kind = FileKind::ALL.into_iter().find(|known| known.name() == kind)?;
            let ledger = u32::from_str_radix(rest.split('.').next()?, 16).ok()?;
            // The finer frequency: every path of the other is one of its own.
            Self::of_checkpoint(kind, CheckpointFrequency::Accelerated.ending_at(LedgerSeq::new(ledger))?)
        };
        (candidate.as_str() == text).then_some(candidate)
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind of file, for those of checkpoints.
    #[must_use]
    pub fn kind(&self) -> Option<FileKind> {
        let folder = self.0.split('/').next()?;
        FileKind::ALL.into_iter().find(|kind| kind.name() == folder)
    }

    /// Whether archives may lack the file: scp files are the only ones (rules B.1).
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.0.starts_with("scp/")
    }

    /// Whether this is [`ArchivePath::well_known`], the one file that must not come from a cache (rules D.1).
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        self.0.starts_with(".well-known/")
    }
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ArchivePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ArchivePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is no path of an archive")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_an_archive_are_parsed() {
        let checkpoint = CheckpointFrequency::Standard.containing(LedgerSeq::new(0x00aa_bbcc));
        let bucket = ArchivePath::of_bucket(BucketHash::new(crate::codec::hash::sha256(&[])));
        let known = FileKind::ALL.map(|kind| ArchivePath::of_checkpoint(kind, checkpoint));
        for path in known.into_iter().chain([bucket, ArchivePath::well_known(), ArchivePath::initial_state()]) {
            assert_eq!(ArchivePath::parse(path.as_str()), Some(path));
        }
        for stranger in
            ["", "/", "ledger", "../ledger-0000003f.xdr.gz", "ledger/00/00/00/ledger-0000003e.xdr.gz", "x/.well-known/stellar-history.json"]
        {
            assert_eq!(ArchivePath::parse(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn paths_are_those_of_stellar_core() {
        let checkpoint = CheckpointFrequency::Standard.containing(LedgerSeq::new(0x00aa_bbcc));
        assert_eq!(ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint).as_str(), "ledger/00/aa/bb/ledger-00aabbff.xdr.gz");
        assert_eq!(ArchivePath::of_checkpoint(FileKind::History, checkpoint).as_str(), "history/00/aa/bb/history-00aabbff.json");
        let bucket = BucketHash::new(crate::codec::hash::sha256(&[]));
        assert_eq!(
            ArchivePath::of_bucket(bucket).as_str(),
            "bucket/e3/b0/c4/bucket-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.xdr.gz"
        );
    }
}
