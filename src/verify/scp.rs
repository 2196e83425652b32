//! An scp file against the headers of its checkpoint (rules B.10).
//!
//! What it checks: entries decode, belong to the checkpoint and rise; statements are of their ledger's slot (S2); ballot
//! values are the header's bytes (S3); the quorum sets that messages name are in their entry (S5). Signatures (S1) are verified
//! all, or only as far as it takes to find the newest ledger that the user's validators agreed on ([`super::votes`]).
//!
//! A quorum set that is missing in its entry is a fault, since no publisher leaves one out; a quorum over the newest ledgers is
//! looked for with the sets of the whole file all the same, over the others with those that were read until then. A file that shows no quorum is no fault (S6).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use stellar_xdr::{Limits, ScpEnvelope, ScpHistoryEntry, ScpHistoryEntryV0, ScpStatement, WriteXdr};

use super::checkpoint::{Delivery, FileReport, Headers, Rules, Status, Unchecked, decode_finding};
use super::finding::{Finding, FindingCode, Findings, Severity};
use super::header::Header;
use super::messages::ScpMessages;
use super::quorum::{QuorumSet, quorum_set_hash};
use super::signature::{Signed, is_signed_by};
use super::votes::{Judgement, LedgerVotes, Said, Seal, Strength, Vote};
use super::xdr::{XdrError, decode, types};
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::node::NodeId;
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::RecordSink;
use crate::codec::hash::Hash256;
use crate::codec::record::Record;

/// Bytes of a wrong value that a finding shows.
const PREVIEW: usize = 256;

/// The first checkpoint of public Stellar that has an scp file (S9).
const FIRST_PUBNET_SCP_CHECKPOINT: u32 = 0x0012_867f;

/// Ledgers of a file, from its newest down, that are looked at for a quorum that the user believes.
const NEWEST: usize = 8;

/// Quorum sets of a file that are kept: real files have a handful.
const QUORUM_SETS: usize = 1000;

/// Signatures of a file that are verified at most: real files have up to a few thousand.
const SIGNATURES: u32 = 32_768;

/// What an scp file says of who vouches for its checkpoint.
#[derive(Clone, Debug, Default)]
pub struct ScpFacts {
    /// Whether signatures were looked at.
    pub looked: bool,
    /// The newest ledger that the user's validators agreed on.
    pub seal: Option<Seal>,
    /// Whether one of the user's validators signed anything that was looked at.
    pub trusted: bool,
    /// A quorum of nodes of which the user named none: the ledger, and how many they are.
    pub strangers: Option<(LedgerSeq, u64)>,
    /// The ledgers of the file by what their signatures come to, where all were looked at.
    pub quorums: Quorums,
    /// What the file says, where it was asked to be kept.
    pub messages: Option<Box<ScpMessages>>,
}

impl ScpFacts {
    /// Takes the seal back: what it rests on did not turn out sound.
    pub fn unseal(&mut self) {
        self.seal = None;
    }
}

/// Ledgers by what their signatures come to (S6).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quorums {
    /// A quorum accepted the commit.
    pub accepted_commit: u64,
    /// A quorum voted to commit.
    pub commit_vote: u64,
    /// The file shows no quorum that the user believes: that is no fault.
    pub inconclusive: u64,
}

impl Quorums {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.accepted_commit = self.accepted_commit.saturating_add(other.accepted_commit);
        self.commit_vote = self.commit_vote.saturating_add(other.commit_vote);
        self.inconclusive = self.inconclusive.saturating_add(other.inconclusive);
    }

    fn count(&mut self, judgement: &Judgement) {
        let count = match judgement.seal.as_ref().map(|seal| seal.strength) {
            Some(Strength::AcceptedCommit) => &mut self.accepted_commit,
            Some(Strength::CommitVote) => &mut self.commit_vote,
            None => &mut self.inconclusive,
        };
        *count = count.saturating_add(1);
    }
}

/// Takes the records of one scp file.
#[derive(Debug)]
pub struct ScpCheck<'a> {
    rules: &'a Rules,
    headers: &'a Headers,
    checkpoint: Checkpoint,
    path: ArchivePath,
    last: Option<LedgerSeq>,
    findings: Findings,
    /// Whether signatures are looked at.
    look: bool,
    /// The newest ledgers, oldest first, with where their entries are.
    newest: VecDeque<(LedgerVotes, u64)>,
    /// The last one before those that has a message of a validator whom the user believes.
    older: Option<LedgerVotes>,
    quorum_sets: BTreeMap<Hash256, QuorumSet>,
    /// Signatures verified, where all are.
    signatures: u32,
    facts: ScpFacts,
}

impl<'a> ScpCheck<'a> {
    /// For the scp file of the headers' checkpoint. `look`: whether to find out if the user's validators agreed on it.
    #[must_use]
    pub fn new(rules: &'a Rules, headers: &'a Headers, look: bool) -> Self {
        let checkpoint = headers.checkpoint();
        let look = (look || rules.all_signatures) && rules.quorum_set.is_some() && rules.network_id.is_some();
        Self {
            rules,
            headers,
            checkpoint,
            path: ArchivePath::of_checkpoint(FileKind::Scp, checkpoint),
            last: None,
            findings: Findings::default(),
            look,
            newest: VecDeque::new(),
            older: None,
            quorum_sets: BTreeMap::new(),
            signatures: 0,
            facts: ScpFacts { looked: look, ..ScpFacts::default() },
        }
    }

    /// Keeps what the file says, to be held together with what other archives' files say.
    #[must_use]
    pub fn keeping_messages(mut self, keep: bool) -> Self {
        self.facts.messages = keep.then(Box::default);
        self
    }

    /// What the file turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(mut self, delivery: Delivery) -> FileReport<ScpFacts> {
        let missing = delivery == Delivery::Missing;
        let empty = matches!(&delivery, Delivery::Read(Ok(summary)) if summary.records == 0);
        while let Some((votes, at)) = self.newest.pop_back() {
            // Once one is sealed, those below it are, too.
            if self.facts.seal.is_none() || self.rules.all_signatures {
                self.judge(votes, at);
            }
        }
        // Silence in the newest ledgers is no absence: those below them count before others are strangers.
        if !self.facts.trusted
            && let (Some(mut older), Some(user), Some(network)) = (self.older.take(), &self.rules.quorum_set, &self.rules.network_id)
        {
            self.facts.trusted = older.is_signed_by_one_of(&user.nodes(), network);
        }
        let mut report = FileReport::of(FileKind::Scp, self.checkpoint, delivery, self.facts);
        report.findings.extend(self.findings);
        report.settle_status(self.headers);
        if missing {
            as_optional(&mut report, self.rules, self.checkpoint);
        } else if empty && report.status == Status::Verified {
            report.status = Status::Unchecked(Unchecked::OptionalAbsent);
        }
        report
    }

    fn entry(&mut self, entry: &ScpHistoryEntryV0, at: u64) {
        let ledger = LedgerSeq::new(entry.ledger_messages.ledger_seq);
        if !self.checkpoint.contains(ledger) {
            let finding = self.finding(FindingCode::ScpOutOfRange, "the entry belongs to a ledger of another checkpoint");
            let range = format!("{} to {}", self.checkpoint.first_ledger(), self.checkpoint.last_ledger());
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(range, ledger));
            return;
        }
        if self.last.is_some_and(|last| last >= ledger) {
            let finding = self.finding(FindingCode::ScpSequence, "the entry comes after one of the same or a later ledger");
            self.findings.push(finding.at_ledger(ledger).at_offset(at));
        }
        self.last = self.last.max(Some(ledger));
        let mut quorum_sets = BTreeSet::new();
        for set in entry.quorum_sets.iter() {
            let Some(hash) = quorum_set_hash(set) else { continue };
            quorum_sets.insert(hash);
            if self.look && !self.quorum_sets.contains_key(&hash) && self.quorum_sets.len() < QUORUM_SETS {
                let sane = QuorumSet::sane(set);
                self.quorum_sets.extend(sane.map(|set| (hash, set)));
            }
        }
        for envelope in entry.ledger_messages.messages.iter() {
            self.statement(ledger, &envelope.statement, &quorum_sets, at);
            if self.rules.all_signatures {
                self.signature(ledger, envelope, at);
            }
        }
        if self.look {
            self.votes(entry, ledger, at);
        }
    }

    /// Remembers what an entry says for its header, and forgets what is no longer among the newest.
    fn votes(&mut self, entry: &ScpHistoryEntryV0, ledger: LedgerSeq, at: u64) {
        let Some(header) = self.headers.header(ledger) else { return };
        let mut votes = LedgerVotes::new(header);
        for (node, vote) in entry.ledger_messages.messages.iter().filter_map(|envelope| Vote::of(envelope, header)) {
            votes.add(node, vote);
        }
        self.newest.push_back((votes, at));
        if self.newest.len() > NEWEST
            && let Some((oldest, at)) = self.newest.pop_front()
        {
            if self.rules.all_signatures {
                self.judge(oldest, at);
            } else if self.rules.quorum_set.as_ref().is_some_and(|user| oldest.has_one_of(&user.nodes())) {
                self.older = Some(oldest);
            }
        }
    }

    fn judge(&mut self, mut votes: LedgerVotes, at: u64) {
        let (Some(user), Some(network)) = (&self.rules.quorum_set, &self.rules.network_id) else { return };
        let judgement = votes.judge(network, user, &self.quorum_sets);
        self.facts.quorums.count(&judgement);
        self.facts.trusted |= !judgement.trusted.is_empty();
        if judgement.strangers > 0 {
            self.facts.strangers = self.facts.strangers.max(Some((votes.ledger, judgement.strangers)));
        }
        // With all of them verified, the wrong ones are named already.
        for node in judgement.forged.iter().filter(|_| !self.rules.all_signatures) {
            self.forged(votes.ledger, node, at);
        }
        let newer = |seal: &Seal| self.facts.seal.as_ref().is_none_or(|known| known.ledger < seal.ledger);
        if let Some(seal) = judgement.seal.filter(newer) {
            self.facts.seal = Some(seal);
        }
    }

    fn signature(&mut self, ledger: LedgerSeq, envelope: &ScpEnvelope, at: u64) {
        self.signatures = self.signatures.saturating_add(1);
        if self.signatures > SIGNATURES {
            if self.signatures == SIGNATURES + 1 {
                let finding = self.finding(FindingCode::LimitExceeded, "the file has more messages than are verified");
                self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(format!("at most {SIGNATURES}"), "more"));
            }
            return;
        }
        let Some(network) = &self.rules.network_id else { return };
        let node = NodeId::from_xdr(&envelope.statement.node_id);
        // What was decoded within limits is encoded within the same.
        let Ok(statement) = envelope.statement.to_xdr(Limits::none()) else { return };
        if !is_signed_by(&node, network, Signed::Statement, &[&statement], &envelope.signature) {
            self.forged(ledger, &node, at);
        }
    }

    fn forged(&mut self, ledger: LedgerSeq, node: &NodeId, at: u64) {
        let finding = self.finding(FindingCode::ScpSignature, "the signature of a message is not its node's");
        self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(format!("a signature of {node}"), "another"));
    }

    fn statement(&mut self, ledger: LedgerSeq, statement: &ScpStatement, quorum_sets: &BTreeSet<Hash256>, at: u64) {
        if statement.slot_index != u64::from(ledger.value()) {
            let finding = self.finding(FindingCode::ScpSequence, "a message is of another slot than its entry's ledger");
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(ledger, statement.slot_index));
        }
        let Said { quorum_set, value, .. } = Said::of(statement);
        // Entries carry the quorum sets of their own messages, in every real file.
        if !quorum_sets.contains(&quorum_set) {
            let finding = self.finding(FindingCode::ScpQsetMissing, "a message names a quorum set that is not in its entry");
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(quorum_set, "no such quorum set"));
        }
        if let (Some(value), Some(header)) = (value, self.headers.header(ledger)) {
            self.value(header, value, at);
        }
    }

    fn value(&mut self, header: &Header, value: &[u8], at: u64) {
        if value != header.scp_value {
            let finding = self.finding(FindingCode::ScpValueMismatch, "a message says another value than the header");
            let preview = |bytes: &[u8]| hex::encode(bytes.get(..PREVIEW).unwrap_or(bytes));
            let (expected, actual) = (preview(&header.scp_value), preview(value));
            self.findings.push(finding.at_ledger(header.sequence).at_offset(at).comparing(expected, actual));
        }
    }

    fn finding(&self, code: FindingCode, message: &str) -> Finding {
        Finding::new(code, self.path.clone(), message).at_checkpoint(self.checkpoint)
    }
}

impl RecordSink for ScpCheck<'_> {
    fn is_faulty(&self) -> bool {
        self.findings.has_errors()
    }

    fn record(&mut self, record: Record<'_>) {
        match scp_entry(record.bytes, self.rules) {
            Ok(entry) => {
                if let Some(messages) = &mut self.facts.messages {
                    messages.keep(&entry, record.bytes.len());
                }
                self.entry(&entry, record.offset);
            }
            Err(error) => {
                let finding = decode_finding(self.path.clone(), "the record is no ScpHistoryEntry", &error);
                self.findings.push(finding.at_checkpoint(self.checkpoint).at_offset(record.offset));
            }
        }
    }
}

/// Decodes one record of an scp file.
pub(crate) fn scp_entry(record: &[u8], rules: &Rules) -> Result<ScpHistoryEntryV0, XdrError> {
    // What is signed is encoded again from what was decoded, so there must be no other way to write it.
    types::SCP_HISTORY_ENTRY.check(record, rules.budget.xdr_depth)?;
    decode(record, rules.budget.xdr_depth).map(|ScpHistoryEntry::V0(entry)| entry)
}

/// A missing scp file is a fault only in so far as other archives may have it (S8).
pub(crate) fn as_optional<T>(report: &mut FileReport<T>, rules: &Rules, checkpoint: Checkpoint) {
    let before_the_first = checkpoint.last_ledger().value() < FIRST_PUBNET_SCP_CHECKPOINT;
    if before_the_first && rules.network.as_ref().is_some_and(crate::archive::network::Network::is_pubnet) {
        report.findings.clear();
        report.status = Status::Unchecked(Unchecked::NotPublished);
        return;
    }
    for finding in &mut report.findings {
        finding.severity = Severity::Warning;
        finding.message = "the optional scp file is not in the archive".into();
    }
    report.status = Status::Unchecked(Unchecked::OptionalAbsent);
}
