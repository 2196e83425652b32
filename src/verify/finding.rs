//! Findings: evidence that an archive is wrong.
//!
//! A [`Finding`] is not an error: a run with findings is a run that succeeded. What could not be looked at is an
//! [`crate::archive::error::ReadError`]. Codes are stable; design section 4 lists them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::path::ArchivePath;
use crate::archive::state::BucketHash;

macro_rules! finding_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $rank:literal, $advice:literal;)*) => {
        /// What is wrong, as a stable code.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum FindingCode { $($(#[$doc])* $variant,)* }

        impl FindingCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable, kebab-case spelling.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Usefulness to an operator: lower comes first, causes before what they cause.
            #[must_use]
            pub const fn rank(self) -> u8 {
                match self { $(Self::$variant => $rank,)* }
            }

            /// What to do next.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

finding_codes! {
    /// Ledger 1 is not the one that the passphrase implies (B.11).
    GenesisMismatch = "genesis-mismatch", 0, "check that the passphrase is this network's: another network's archive, or one with a configured genesis, cannot be verified with it";
    /// The history is not the one that the user trusts (B.5 H5).
    AnchorMismatch = "anchor-mismatch", 1, "do not use this archive before you know why: either it is forged, of an earlier start of the network, or what was trusted is wrong or out of date";
    /// The passphrase in a state is not the run's (B.3).
    HasPassphraseMismatch = "has-passphrase-mismatch", 1, "find out which network this archive belongs to; if one file alone differs, replace it by the copy of another archive";
    /// A file that must be there is not.
    FileMissing = "file-missing", 2, "copy the file from another archive of the network, or publish the checkpoint again";
    /// The gzip layer is unsound.
    GzipCorrupt = "gzip-corrupt", 3, "replace the file by the copy of another archive, or gzip the original again";
    /// A cap of the budget was reached.
    LimitExceeded = "limit-exceeded", 3, "do not unpack the file elsewhere; replace it by the copy of another archive";
    /// Record marks are unsound (B.4).
    XdrFraming = "xdr-framing", 3, "replace the file by the copy of another archive";
    /// A record does not decode.
    XdrDecode = "xdr-decode", 4, "replace the file by the copy of another archive; if every archive has the same bytes, the record is newer than this verifier";
    /// The state is not JSON.
    HasJson = "has-json", 3, "replace the file by the copy of another archive; a web page in its place means that the server answers missing files with 200";
    /// The state has wrong fields (B.3).
    HasSchema = "has-schema", 4, "replace the file by the copy of another archive";
    /// The state has an unknown version (B.3).
    HasVersion = "has-version", 4, "use a newer verifier if the network has a newer format; otherwise replace the file by the copy of another archive";
    /// The state is of another ledger than its name says (B.3).
    HasLedgerMismatch = "has-ledger-mismatch", 5, "replace the file by the copy of another archive";
    /// A level's merge is malformed or must not be there (B.3).
    HasNextInvalid = "has-next-invalid", 7, "replace the file by the copy of another archive; stellar-core refuses to catch up from this state";
    /// The newest state and the state of its checkpoint name different buckets.
    RootMismatch = "root-mismatch", 6, "publish .well-known/stellar-history.json again from the newest history file";
    /// A header's bytes do not hash to the hash beside them (B.5 H1).
    HeaderHashMismatch = "header-hash-mismatch", 5, "replace the ledger file by the copy of another archive";
    /// A header does not name the one before it (B.5 H2, H3).
    HeaderChainBreak = "header-chain-break", 6, "compare the ledger files on both sides of the break with another archive and replace the one that differs";
    /// Headers are not in sequence (B.5 H2).
    HeaderSequence = "header-sequence", 5, "replace the ledger file by the copy of another archive";
    /// A header of the checkpoint is not there (B.5 H2).
    HeaderMissing = "header-missing", 5, "replace the ledger file by the copy of another archive";
    /// A header of another checkpoint is in the file.
    HeaderOutOfRange = "header-out-of-range", 5, "replace the ledger file by the copy of another archive";
    /// The close time does not rise.
    HeaderCloseTime = "header-close-time", 8, "compare the header with another archive: no validator closes such a ledger";
    /// The protocol changed without an upgrade (B.5).
    HeaderVersion = "header-version", 8, "compare the header with another archive: no validator closes such a ledger";
    /// A parameter changed without an upgrade, or upgrades are out of order (B.5).
    HeaderUpgrade = "header-upgrade", 8, "compare the header with another archive: no validator closes such a ledger";
    /// Coins appeared or vanished (B.5).
    HeaderCoins = "header-coins", 8, "compare the header with another archive: no validator closes such a ledger";
    /// The fee pool moved as it cannot (B.5).
    HeaderFeePool = "header-fee-pool", 8, "compare the header with another archive: no validator closes such a ledger";
    /// The id pool or the inflation sequence went back (B.5).
    HeaderIdPool = "header-id-pool", 8, "compare the header with another archive: no validator closes such a ledger";
    /// The skip list breaks its rule (B.5).
    HeaderSkiplist = "header-skiplist", 8, "compare the header with another archive: no validator closes such a ledger";
    /// The signature in a header's value is not its proposer's (B.10 S4).
    HeaderSignature = "header-signature", 8, "compare the header with another archive, and check the network's passphrase: no validator takes such a value";
    /// The value is of a kind that the protocol does not have (B.5).
    HeaderValue = "header-value", 8, "compare the header with another archive: no validator closes such a ledger";
    /// A CAP-83 value breaks its rules (B.7 T5).
    Cap83Invalid = "cap83-invalid", 8, "compare the header with another archive: no validator closes such a ledger";
    /// A CAP-83 ledger has a transaction or result entry (B.7 T5).
    Cap83EntryPresent = "cap83-entry-present", 9, "remove the entry, or replace the file by the copy of another archive";
    /// The header commits to another bucket list than the state names (B.6).
    BucketListHashMismatch = "bucket-list-hash-mismatch", 7, "compare the history file and the last header of the checkpoint with another archive and replace the one that differs";
    /// Two archives have different sound files, and one of them does not fit what surrounds it.
    ArchivesDisagree = "archives-disagree", 6, "do not use this archive until its operator explains where it differs from the others";
    /// A bucket is not there.
    BucketMissing = "bucket-missing", 7, "copy the bucket from another archive: buckets are named by their content and the same everywhere";
    /// A bucket's content is not what its name says (B.9 K1).
    BucketHashMismatch = "bucket-hash-mismatch", 7, "replace the bucket by the copy of another archive: buckets are named by their content and the same everywhere";
    /// Entries of a bucket are out of order or doubled (B.9 K3).
    BucketOrder = "bucket-order", 10, "do not catch up from this archive: the bucket agrees with its name, so whoever made the archive made it so";
    /// A bucket's METAENTRY is missing, misplaced or wrong (B.9 K3).
    BucketMeta = "bucket-meta", 10, "do not catch up from this archive: the bucket agrees with its name, so whoever made the archive made it so";
    /// A bucket has entries that its list, level or protocol does not allow (B.9 K3).
    BucketEntry = "bucket-entry", 10, "do not catch up from this archive: the bucket agrees with its name, so whoever made the archive made it so";
    /// A transaction set does not hash to what the header says (B.7).
    TxsetHashMismatch = "txset-hash-mismatch", 9, "replace the transactions file by the copy of another archive";
    /// A legacy set is stored in another order than the one that is hashed (B.7 T7).
    TxsetOrder = "txset-order", 9, "replace the transactions file by the copy of another archive: the transactions are right, but stellar-core wants them in hash order";
    /// A transaction set was built on another ledger (B.7).
    TxsetPrevHashMismatch = "txset-prev-hash-mismatch", 8, "compare the ledger and transactions files with another archive and replace the one that differs";
    /// A ledger with transactions has no set (B.7 T4).
    TxsetMissing = "txset-missing", 9, "replace the transactions file by the copy of another archive";
    /// The unused legacy half of an entry is filled (B.7).
    TxsetLegacyPart = "txset-legacy-part", 12, "ignore it, or replace the transactions file: no hash covers these bytes and stellar-core does not read them";
    /// The set is of the wrong format for its protocol (B.7 T3).
    TxsetFormat = "txset-format", 10, "compare the transactions file with another archive";
    /// The parts of a set are out of order or doubled (B.7 T6).
    TxsetStructure = "txset-structure", 10, "compare the transactions file with another archive: no validator accepts such a set";
    /// A ledger has two transaction entries.
    TxDuplicate = "tx-duplicate", 9, "replace the transactions file by the copy of another archive";
    /// Transaction entries are out of order.
    TxSequence = "tx-sequence", 9, "replace the transactions file by the copy of another archive: stellar-core replays it in file order";
    /// A transaction entry belongs to another checkpoint.
    TxOutOfRange = "tx-out-of-range", 9, "replace the transactions file by the copy of another archive";
    /// Results do not hash to what the header says (B.8).
    ResultHashMismatch = "result-hash-mismatch", 9, "replace the results file by the copy of another archive";
    /// A ledger with results has no entry (B.8).
    ResultMissing = "result-missing", 9, "replace the results file by the copy of another archive";
    /// A ledger has two result entries.
    ResultDuplicate = "result-duplicate", 9, "replace the results file by the copy of another archive";
    /// Result entries are out of order.
    ResultSequence = "result-sequence", 9, "replace the results file by the copy of another archive: stellar-core wants ledgers strictly rising";
    /// A result entry belongs to another checkpoint.
    ResultOutOfRange = "result-out-of-range", 9, "replace the results file by the copy of another archive";
    /// Results and transactions of a ledger are not each other's (B.8).
    ResultTxMismatch = "result-tx-mismatch", 10, "compare the transactions and results files with another archive, and check the network's passphrase";
    /// An SCP message says another value than the header (B.10 S3).
    ScpValueMismatch = "scp-value-mismatch", 11, "compare the scp and ledger files with another archive: one of the two is not what the validators agreed on";
    /// A quorum set that a message names is not there (B.10 S5).
    ScpQsetMissing = "scp-qset-missing", 11, "replace the scp file by the copy of another archive";
    /// The signature of an SCP message is not its node's (B.10 S1).
    ScpSignature = "scp-signature", 11, "replace the scp file by the copy of another archive, and check the network's passphrase";
    /// SCP entries are out of order, or of another slot (B.10 S2).
    ScpSequence = "scp-sequence", 11, "replace the scp file by the copy of another archive";
    /// An SCP entry belongs to another checkpoint.
    ScpOutOfRange = "scp-out-of-range", 11, "replace the scp file by the copy of another archive";
}

impl FindingCode {
    /// Whether it says that a file does not agree with another file of its checkpoint: either of the two may be wrong.
    #[must_use]
    pub fn contradicts_another_file(self) -> bool {
        matches!(
            self,
            Self::BucketListHashMismatch
                | Self::Cap83EntryPresent
                | Self::ResultHashMismatch
                | Self::ResultMissing
                | Self::ResultTxMismatch
                | Self::ScpValueMismatch
                | Self::TxsetFormat
                | Self::TxsetHashMismatch
                | Self::TxsetMissing
                | Self::TxsetPrevHashMismatch
        )
    }

    /// Whether it says that the chain of headers is unsound.
    #[must_use]
    pub fn is_about_headers(self) -> bool {
        matches!(
            self,
            Self::HeaderHashMismatch | Self::HeaderMissing | Self::HeaderOutOfRange | Self::HeaderSequence | Self::GenesisMismatch
        ) || is_header_rule(self)
    }
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FindingCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let known = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        known.ok_or_else(|| serde::de::Error::custom(format_args!("there is no finding {text:?}")))
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The archive is faulty.
    Error,
    /// Worth mending, but every reader copes.
    Warning,
}

/// Evidence that an archive is wrong, and what to do about it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What is wrong.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
    /// The archive's name.
    pub archive: String,
    /// The file.
    pub path: ArchivePath,
    /// The checkpoint that the file belongs to, or that names the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<LedgerSeq>,
    /// The ledger, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerSeq>,
    /// The bucket, for buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketHash>,
    /// What should be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// Where in the inflated file; for gzip faults, in the compressed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// One English sentence, without the period.
    pub message: String,
    /// What to do next.
    pub advice: Cow<'static, str>,
    /// An archive whose copy of the file is sound: the history can be verified, this archive is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_from: Option<String>,
    /// Findings that this one explains, counted by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consequences: BTreeMap<FindingCode, u64>,
}

impl Finding {
    /// A finding of severity error about a file.
    #[must_use]
    pub fn new(code: FindingCode, path: ArchivePath, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            archive: String::new(),
            path,
            checkpoint: None,
            ledger: None,
            bucket: None,
            expected: None,
            actual: None,
            offset: None,
            message: shortened(message.into()),
            advice: code.advice().into(),
            good_from: None,
            consequences: BTreeMap::new(),
        }
    }

    /// Says that it is only worth mending.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Names the archive that served the file.
    #[must_use]
    pub fn from_archive(mut self, archive: &str) -> Self {
        archive.clone_into(&mut self.archive);
        self
    }

    /// Says that another archive has the file sound: no fault of the history, but of this archive.
    #[must_use]
    pub fn with_sound_copy(mut self, archive: &str) -> Self {
        self.good_from = Some(archive.to_owned());
        self.as_warning()
    }

    /// Names the checkpoint.
    #[must_use]
    pub fn at_checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint.last_ledger());
        self
    }

    /// Names the ledger.
    #[must_use]
    pub fn at_ledger(mut self, ledger: LedgerSeq) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Names the bucket.
    #[must_use]
    pub fn at_bucket(mut self, bucket: BucketHash) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Gives the offset.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Gives both sides of a comparison.
    #[must_use]
    pub fn comparing(mut self, expected: impl ToString, actual: impl ToString) -> Self {
        self.expected = Some(shortened(expected.to_string()));
        self.actual = Some(shortened(actual.to_string()));
        self
    }

    /// Whether it makes a verdict faulty.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn absorb(&mut self, other: Self) {
        *self.consequences.entry(other.code).or_default() += 1;
        for (code, count) in other.consequences {
            *self.consequences.entry(code).or_default() += count;
        }
    }
}

/// Bytes of text kept of an archive's own words: a finding must not weigh what the lie weighs.
const TEXT_KEPT: usize = 1024;

fn shortened(mut text: String) -> String {
    if text.len() > TEXT_KEPT {
        let end = (0..=TEXT_KEPT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Something worth saying that is no fault.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Note {
    /// Kebab-case.
    pub code: Cow<'static, str>,
    /// The file it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<ArchivePath>,
    /// The checkpoint it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<LedgerSeq>,
    /// One English sentence.
    pub message: String,
}

/// Alike findings of one file that are kept apart; the rest is folded into the first of them.
const ALIKE_KEPT: usize = 8;

/// The findings of one file while it is read: alike ones past the first few are only counted, so that a file of a million
/// faults weighs no more than one of a few.
#[derive(Clone, Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Keeps a finding, or counts it with the first that is like it.
    pub fn push(&mut self, finding: Finding) {
        let mut likes = self.0.iter_mut().filter(|other| other.code == finding.code && other.severity == finding.severity);
        match likes.next() {
            Some(first) if likes.count() + 1 >= ALIKE_KEPT => first.absorb(finding),
            _ => self.0.push(finding),
        }
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Finding::is_error)
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Sorts the findings of one checkpoint by rank and folds into causes what they explain.
///
/// A header that is not what it claims explains the rules that it breaks with its neighbours; a record that does not decode
/// explains that its hash is wrong; and the hundredth alike finding of a file says nothing new. Faults of another file are
/// never folded away: mending the one does not mend the other.
#[must_use]
pub fn fold(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (finding.code.rank(), finding.ledger);
        key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path)).then_with(|| a.offset.cmp(&b.offset))
    });
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if let Some(cause) = kept.iter_mut().find(|cause| explains(cause, &finding)) {
            cause.absorb(finding);
            continue;
        }
        let alike = |other: &&mut Finding| other.code == finding.code && other.path == finding.path;
        let mut likes = kept.iter_mut().filter(alike);
        match likes.next() {
            Some(first) if likes.count() + 1 >= ALIKE_KEPT => first.absorb(finding),
            _ => kept.push(finding),
        }
    }
    kept
}

fn explains(cause: &Finding, finding: &Finding) -> bool {
    use FindingCode as F;
    let same_ledger = cause.ledger.is_some() && cause.ledger == finding.ledger;
    match cause.code {
        F::HeaderHashMismatch => {
            let next = cause.ledger.and_then(LedgerSeq::next) == finding.ledger;
            is_header_rule(finding.code) && (same_ledger || next)
        }
        F::HeaderChainBreak => same_ledger && is_header_rule(finding.code),
        F::XdrDecode => {
            same_ledger
                && cause.path == finding.path
                && matches!(finding.code, F::ResultHashMismatch | F::TxsetHashMismatch | F::TxsetPrevHashMismatch)
        }
        _ => false,
    }
}

/// The rules that compare a header with the one before it.
fn is_header_rule(code: FindingCode) -> bool {
    use FindingCode as F;
    matches!(
        code,
        F::Cap83Invalid
            | F::HeaderChainBreak
            | F::HeaderCloseTime
            | F::HeaderCoins
            | F::HeaderFeePool
            | F::HeaderIdPool
            | F::HeaderSignature
            | F::HeaderSkiplist
            | F::HeaderUpgrade
            | F::HeaderValue
            | F::HeaderVersion
    )
}
