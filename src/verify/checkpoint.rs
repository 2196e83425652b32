//! One checkpoint: its ledger file, and what all its files have in common.
//!
//! A file's check is a [`crate::codec::file::RecordSink`]; when the file was delivered (or not), `finish` gives a
//! [`FileReport`]. [`assemble`] compares the files with each other and makes the [`Segment`]. Rules: B.5, B.6.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::chain;
use super::finding::{Finding, FindingCode, Findings, Note, fold};
use super::header::{Header, HeaderEntry};
use super::quorum::QuorumSet;
use super::scp::ScpFacts;
use super::segment::Segment;
use super::transactions::TransactionFacts;
use super::xdr::XdrError;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::genesis::genesis_header_hash;
use crate::archive::network::{Network, NetworkId};
use crate::archive::path::{ArchivePath, FileKind};
use crate::archive::state::HistoryArchiveState;
use crate::codec::file::{FileError, FileSummary, RecordSink};
use crate::codec::hash::Hash256;
use crate::codec::record::Record;
use crate::limits::Budget;

/// What a run verifies against.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The network, where it is known.
    pub network: Option<Network>,
    /// Its id.
    pub network_id: Option<NetworkId>,
    /// The hash of ledger 1 that it implies.
    pub genesis: Option<Hash256>,
    /// Whether to decode and check what no hash covers.
    pub deep: bool,
    /// The caps.
    pub budget: Budget,
    /// The newest protocol whose values this verifier knows all of.
    pub last_known_protocol: u32,
    /// The validators that the user believes (B.10 S7).
    pub quorum_set: Option<Arc<QuorumSet>>,
    /// Whether every signature is verified, and not only those that seal the newest ledgers.
    pub all_signatures: bool,
    /// Hashes of ledger headers that the user trusts (B.5 H5).
    pub trusted_hashes: Arc<BTreeMap<LedgerSeq, Hash256>>,
}

impl Rules {
    /// The newest protocol that stellar-xdr 30 and these rules cover.
    pub const LAST_KNOWN_PROTOCOL: u32 = 28;

    /// For a network, or for one that is not known.
    #[must_use]
    pub fn new(network: Option<Network>, deep: bool, budget: Budget) -> Self {
        let network_id = network.as_ref().map(Network::id);
        let genesis = network_id.as_ref().map(genesis_header_hash);
        Self { network, network_id, genesis, deep, budget, last_known_protocol: Self::LAST_KNOWN_PROTOCOL, ..Self::default() }
    }

    /// With the validators that the user believes.
    #[must_use]
    pub fn believing(mut self, quorum_set: Option<Arc<QuorumSet>>) -> Self {
        self.quorum_set = quorum_set;
        self
    }

    /// With every signature verified.
    #[must_use]
    pub fn with_all_signatures(mut self, all: bool) -> Self {
        self.all_signatures = all;
        self
    }

    /// With hashes that the user trusts.
    #[must_use]
    pub fn trusting(mut self, hashes: Arc<BTreeMap<LedgerSeq, Hash256>>) -> Self {
        self.trusted_hashes = hashes;
        self
    }
}

/// Why something was not checked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[non_exhaustive]
pub enum Unchecked {
    /// The run was cancelled before.
    Cancelled,
    /// What it would be compared with is missing or unsound.
    NoHeaders,
    /// The publisher never had it: public Stellar has no SCP files before checkpoint 0x0012867f (rules B.10 S9).
    NotPublished,
    /// The file is optional and not there.
    OptionalAbsent,
    /// Left out on request.
    Skipped,
    /// The way to it failed.
    Unreadable,
}

impl Unchecked {
    /// The reason in words.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Cancelled => "the run was cancelled before it was looked at",
            Self::NoHeaders => "the headers it must agree with are missing or unsound",
            Self::NotPublished => "public Stellar published no such files before checkpoint 0x0012867f",
            Self::OptionalAbsent => "the optional file is not in the archive",
            Self::Skipped => "left out on request",
            Self::Unreadable => "the file could not be read",
        }
    }

    /// Whether a run with it did not complete what it was asked for.
    #[must_use]
    pub const fn is_incomplete(self) -> bool {
        matches!(self, Self::Cancelled | Self::Unreadable)
    }
}

/// The outcome for one file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Status {
    /// Every rule holds.
    Verified,
    /// There is a finding.
    Faulty,
    /// It was not looked at, or not against all it must agree with.
    Unchecked(Unchecked),
}

impl Status {
    /// As reports and events spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Faulty => "faulty",
            Self::Unchecked(_) => "unchecked",
        }
    }
}

/// How a file reached its check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Its bytes came, and were sound or not.
    Read(Result<FileSummary, FileError>),
    /// The archive has no such file.
    Missing,
    /// It was not read.
    NotRead(Unchecked),
}

/// What one file turned out to be.
#[derive(Clone, Debug)]
pub struct FileReport<T> {
    /// Which file.
    pub kind: FileKind,
    /// Of which checkpoint.
    pub checkpoint: Checkpoint,
    /// The outcome.
    pub status: Status,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What is worth saying.
    pub notes: Vec<Note>,
    /// What it says, for the files that are read after it.
    pub facts: T,
}

impl<T> FileReport<T> {
    /// The same report with other facts.
    #[must_use]
    pub fn map<U>(self, facts: impl FnOnce(T) -> U) -> FileReport<U> {
        let Self { kind, checkpoint, status, findings, notes, facts: own } = self;
        FileReport { kind, checkpoint, status, findings, notes, facts: facts(own) }
    }

    /// The report of a file as it was delivered; what its records say is added by its check.
    pub(crate) fn of(kind: FileKind, checkpoint: Checkpoint, delivery: Delivery, facts: T) -> Self {
        let path = ArchivePath::of_checkpoint(kind, checkpoint);
        let mut report = Self { kind, checkpoint, status: Status::Verified, findings: Vec::new(), notes: Vec::new(), facts };
        match delivery {
            Delivery::Missing => {
                report
                    .findings
                    .push(Finding::new(FindingCode::FileMissing, path, "the file is not in the archive").at_checkpoint(checkpoint));
            }
            Delivery::NotRead(why) => report.status = Status::Unchecked(why),
            Delivery::Read(Err(error)) => report.findings.push(file_finding(path, &error).at_checkpoint(checkpoint)),
            Delivery::Read(Ok(summary)) => report.say_how_it_came(path, summary),
        }
        report.settle();
        report
    }

    fn say_how_it_came(&mut self, path: ArchivePath, summary: FileSummary) {
        if summary.already_inflated {
            self.notes.push(Note {
                code: "already-inflated".into(),
                path: Some(path.clone()),
                checkpoint: Some(self.checkpoint.last_ledger()),
                message:
                    "the server sent the file with Content-Encoding: gzip, so it arrived inflated; its gzip checksum could not be checked"
                        .into(),
            });
        }
        if summary.zero_padding > 0 {
            let message = format!("{} zero bytes follow the gzip data", summary.zero_padding);
            self.findings.push(Finding::new(FindingCode::GzipCorrupt, path, message).at_checkpoint(self.checkpoint).as_warning());
        }
    }

    /// Settles the status of a file that is compared with headers.
    pub(crate) fn settle_status(&mut self, headers: &Headers) {
        if self.status == Status::Verified && !headers.is_complete() {
            self.status = Status::Unchecked(Unchecked::NoHeaders);
        }
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        if self.findings.iter().any(Finding::is_error) {
            self.status = Status::Faulty;
        }
    }
}

/// The finding that an unsound file is.
pub(crate) fn file_finding(path: ArchivePath, error: &FileError) -> Finding {
    let (code, offset) = match error {
        FileError::Gzip(error) if error.kind.is_limit() => (FindingCode::LimitExceeded, error.offset),
        FileError::Gzip(error) => (FindingCode::GzipCorrupt, error.offset),
        FileError::NotGzip { .. } => (FindingCode::GzipCorrupt, 0),
        FileError::Framing(error) => (FindingCode::XdrFraming, error.offset),
    };
    let finding = Finding::new(code, path, error.to_string()).at_offset(offset);
    match error {
        FileError::Gzip(crate::codec::gzip::GzipError {
            kind: crate::codec::gzip::GzipErrorKind::CrcMismatch { expected, actual },
            ..
        }) => finding.comparing(format!("{expected:08x}"), format!("{actual:08x}")),
        FileError::Gzip(crate::codec::gzip::GzipError {
            kind: crate::codec::gzip::GzipErrorKind::LengthMismatch { expected, actual },
            ..
        }) => finding.comparing(expected, actual),
        _ => finding,
    }
}

/// The finding for a record or value that does not decode.
pub(crate) fn decode_finding(path: ArchivePath, what: &str, error: &XdrError) -> Finding {
    let code = if matches!(error, XdrError::TooDeep(_)) { FindingCode::LimitExceeded } else { FindingCode::XdrDecode };
    Finding::new(code, path, format!("{what}: {error}"))
}

/// The headers of a checkpoint, as far as its ledger file has them.
#[derive(Clone, Debug)]
pub struct Headers {
    checkpoint: Checkpoint,
    list: Vec<Option<Header>>,
}

impl Headers {
    /// No header yet.
    #[must_use]
    pub fn none(checkpoint: Checkpoint) -> Self {
        Self { checkpoint, list: vec![None; crate::codec::usize_from(checkpoint.ledger_count())] }
    }

    /// Whose headers they are.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The header of a ledger.
    #[must_use]
    pub fn header(&self, ledger: LedgerSeq) -> Option<&Header> {
        self.index(ledger).and_then(|index| self.list.get(index)).and_then(Option::as_ref)
    }

    /// A ledger's place in the checkpoint.
    #[must_use]
    pub fn index(&self, ledger: LedgerSeq) -> Option<usize> {
        let index = ledger.value().checked_sub(self.checkpoint.first_ledger().value())?;
        self.checkpoint.contains(ledger).then(|| crate::codec::usize_from(index))
    }

    /// Whether every ledger has its header.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.list.iter().all(Option::is_some)
    }

    /// The version of the ledger before (rules B.7 T3): of its header if it is here, else as this header implies it.
    #[must_use]
    pub fn previous_version(&self, ledger: LedgerSeq) -> Option<u32> {
        let before = ledger.value().checked_sub(1).map(LedgerSeq::new)?;
        match self.header(before) {
            Some(previous) => Some(previous.version),
            None => self.header(ledger)?.previous_version_if_not_upgraded(),
        }
    }

    /// The header of the checkpoint's first ledger.
    #[must_use]
    pub fn first(&self) -> Option<&Header> {
        self.header(self.checkpoint.first_ledger())
    }

    /// The header of the checkpoint's last ledger.
    #[must_use]
    pub fn last(&self) -> Option<&Header> {
        self.header(self.checkpoint.last_ledger())
    }
}

/// Takes the records of one ledger file.
#[derive(Debug)]
pub struct LedgerCheck<'a> {
    rules: &'a Rules,
    headers: Headers,
    path: ArchivePath,
    last: Option<LedgerSeq>,
    /// Headers that do not hash to the hash beside them, with that hash.
    mismatches: Vec<(LedgerSeq, Hash256)>,
    findings: Findings,
}

impl<'a> LedgerCheck<'a> {
    /// For the ledger file of a checkpoint.
    #[must_use]
    pub fn new(rules: &'a Rules, checkpoint: Checkpoint) -> Self {
        let path = ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint);
        Self { rules, headers: Headers::none(checkpoint), path, last: None, mismatches: Vec::new(), findings: Findings::default() }
    }

    /// What the file turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(mut self, delivery: Delivery) -> FileReport<Headers> {
        if matches!(delivery, Delivery::Read(Ok(_))) {
            self.check_nothing_is_missing();
        }
        self.check_chain();
        self.drop_damaged();
        let mut report = FileReport::of(FileKind::Ledger, self.headers.checkpoint, delivery, self.headers);
        report.findings.extend(self.findings);
        report.settle();
        report
    }

    fn check_nothing_is_missing(&mut self) {
        let missing: Vec<_> = self.headers.checkpoint.ledgers().filter(|ledger| self.headers.header(*ledger).is_none()).collect();
        for ledger in missing {
            let finding = self.finding(FindingCode::HeaderMissing, "the file has no header of the ledger");
            self.findings.push(finding.at_ledger(ledger));
        }
    }

    /// A header whose successor names the claimed hash, not the computed one, has damaged bytes: what they say must not be
    /// held against the other files. Where the successor names the computed hash, only the claim is wrong.
    fn drop_damaged(&mut self) {
        for (ledger, claimed) in core::mem::take(&mut self.mismatches) {
            let next = ledger.next().and_then(|next| self.headers.header(next)).map(|next| next.previous_hash);
            if next == Some(claimed)
                && let Some(slot) = self.headers.index(ledger).and_then(|index| self.headers.list.get_mut(index))
            {
                *slot = None;
            }
        }
    }

    fn check_chain(&mut self) {
        let mut findings = Vec::new();
        for header in self.headers.list.iter().flatten() {
            let violations = chain::lone_violations(header, self.rules.last_known_protocol);
            findings.extend(violations.into_iter().map(|violation| placed(violation, header, &self.path, self.headers.checkpoint)));
        }
        for (previous, header) in self.headers.list.iter().zip(self.headers.list.iter().skip(1)) {
            let (Some(previous), Some(header)) = (previous, header) else { continue };
            findings.extend(chain_findings(previous, header, self.rules, self.headers.checkpoint));
        }
        if let (Some(genesis), Some(expected)) = (self.headers.header(LedgerSeq::GENESIS), self.rules.genesis)
            && genesis.hash != expected
        {
            let finding = self.finding(FindingCode::GenesisMismatch, "ledger 1 is not the one that the network's passphrase implies");
            findings.push(finding.at_ledger(LedgerSeq::GENESIS).comparing(expected, genesis.hash));
        }
        self.findings.extend(findings);
        self.check_against_what_is_trusted();
    }

    fn check_against_what_is_trusted(&mut self) {
        let mut findings = Vec::new();
        for header in self.headers.list.iter().flatten() {
            if let Some(trusted) = self.rules.trusted_hashes.get(&header.sequence).filter(|trusted| **trusted != header.hash) {
                let finding = self.finding(FindingCode::AnchorMismatch, "the header is not the one that is trusted");
                findings.push(finding.at_ledger(header.sequence).comparing(trusted, header.hash));
            }
            let signature = self.rules.network_id.filter(|_| self.rules.all_signatures).zip(header.value_signature());
            if let Some((_, signature)) = signature.filter(|(network, signature)| !signature.is_valid(network)) {
                let finding = self.finding(FindingCode::HeaderSignature, "the header's value is not signed by the validator that it names");
                let expected = format!("a signature of {}", signature.proposer);
                findings.push(finding.at_ledger(header.sequence).comparing(expected, "another"));
            }
        }
        self.findings.extend(findings);
    }

    fn entry(&mut self, record: Record<'_>, entry: HeaderEntry) {
        let HeaderEntry { header, claimed_hash } = entry;
        let (ledger, at) = (header.sequence, record.offset);
        if header.hash != claimed_hash {
            if self.headers.index(ledger).is_some() {
                self.mismatches.push((ledger, claimed_hash));
            }
            let finding = self.finding(FindingCode::HeaderHashMismatch, "the header does not hash to the hash beside it");
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(claimed_hash, header.hash));
        }
        let checkpoint = self.headers.checkpoint;
        let Some(index) = self.headers.index(ledger) else {
            let finding = self.finding(FindingCode::HeaderOutOfRange, "the header belongs to a ledger of another checkpoint");
            let range = format!("{} to {}", checkpoint.first_ledger(), checkpoint.last_ledger());
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(range, ledger));
            return;
        };
        if self.last.is_some_and(|last| last >= ledger) {
            let finding = self.finding(FindingCode::HeaderSequence, "the header comes after one of the same or a later ledger");
            self.findings.push(finding.at_ledger(ledger).at_offset(at));
        }
        self.last = self.last.max(Some(ledger));
        if let Some(slot) = self.headers.list.get_mut(index) {
            slot.get_or_insert(header);
        }
    }

    fn finding(&self, code: FindingCode, message: &str) -> Finding {
        Finding::new(code, self.path.clone(), message).at_checkpoint(self.headers.checkpoint)
    }
}

impl RecordSink for LedgerCheck<'_> {
    fn is_faulty(&self) -> bool {
        self.findings.has_errors()
    }

    fn record(&mut self, record: Record<'_>) {
        match HeaderEntry::parse(record.bytes) {
            Ok(entry) => self.entry(record, entry),
            Err(error) => {
                let finding = decode_finding(self.path.clone(), "the record is no LedgerHeaderHistoryEntry", &error);
                self.findings.push(finding.at_checkpoint(self.headers.checkpoint).at_offset(record.offset));
            }
        }
    }
}

/// The findings of [`chain::violations`], placed in the header's ledger file.
pub(crate) fn chain_findings<'a>(
    previous: &Header,
    header: &'a Header,
    rules: &Rules,
    checkpoint: Checkpoint,
) -> impl Iterator<Item = Finding> + 'a {
    let path = ArchivePath::of_checkpoint(FileKind::Ledger, checkpoint);
    chain::violations(previous, header, rules.network.as_ref())
        .into_iter()
        .map(move |violation| placed(violation, header, &path, checkpoint))
}

fn placed(violation: chain::Violation, header: &Header, path: &ArchivePath, checkpoint: Checkpoint) -> Finding {
    Finding::new(violation.code, path.clone(), violation.message)
        .at_checkpoint(checkpoint)
        .at_ledger(header.sequence)
        .comparing(violation.expected, violation.actual)
}

/// The reports of a checkpoint's five files.
#[derive(Clone, Debug)]
pub struct CheckpointFiles {
    /// `history`.
    pub history: FileReport<Option<HistoryArchiveState>>,
    /// `ledger`.
    pub ledger: FileReport<Arc<Headers>>,
    /// `transactions`.
    pub transactions: FileReport<Arc<TransactionFacts>>,
    /// `results`.
    pub results: FileReport<()>,
    /// `scp`.
    pub scp: FileReport<ScpFacts>,
}

/// One checkpoint, verified.
#[derive(Clone, Debug)]
pub struct CheckpointOutcome {
    /// What the run keeps of it.
    pub segment: Segment,
    /// The statuses, as [`FileKind::ALL`].
    pub statuses: [Status; FileKind::ALL.len()],
    /// Its state, whose buckets are to be verified.
    pub state: Option<HistoryArchiveState>,
    /// The protocol of its last ledger.
    pub protocol: Option<u32>,
    /// What validators' signatures say of it.
    pub scp: ScpFacts,
}

/// Compares the files of a checkpoint with each other and folds their findings.
#[must_use]
pub fn assemble(mut files: CheckpointFiles) -> CheckpointOutcome {
    super::bucket_list::check_against_header(&mut files.history, &files.ledger.facts);
    files.history.settle();
    let statuses = [files.history.status, files.ledger.status, files.transactions.status, files.results.status, files.scp.status];
    let headers = files.ledger.facts;
    let findings = [files.history.findings, files.ledger.findings, files.transactions.findings, files.results.findings, files.scp.findings];
    let notes = [files.history.notes, files.ledger.notes, files.transactions.notes, files.results.notes, files.scp.notes];
    let segment = Segment::of_checkpoint(
        headers.checkpoint(),
        headers.first().cloned(),
        headers.last().cloned(),
        files.transactions.facts.first_set,
        statuses,
        fold(findings.into_iter().flatten().collect()),
        notes.into_iter().flatten().collect(),
    );
    let mut scp = files.scp.facts;
    // Signatures over a value seal the ledger before only through the set that names it.
    let tied = &files.transactions.facts.tied;
    if statuses[1] != Status::Verified
        || statuses[2] != Status::Verified
        || scp.seal.as_ref().is_some_and(|seal| !tied.contains(&seal.signed))
    {
        scp.unseal();
    }
    CheckpointOutcome { segment, statuses, state: files.history.facts, protocol: headers.last().map(|header| header.version), scp }
}
