//! An scp file against the headers of its checkpoint (rules B.10 S2, S3, S5 and S8).
//!
//! What it checks: entries decode, belong to the checkpoint and rise; statements are of their ledger's slot; ballot
//! values are the header's bytes; the quorum sets that messages name are in their entry. What it does not: signatures and
//! quorums.

use std::collections::BTreeSet;

use stellar_xdr::{Limits, ScpHistoryEntry, ScpHistoryEntryV0, ScpStatement, ScpStatementPledges, Value, WriteXdr};

use super::checkpoint::{Delivery, FileReport, Headers, Rules, Status, Unchecked, decode_finding};
use super::finding::{Finding, FindingCode, Findings, Severity};
use super::header::Header;
use super::xdr::decode;
use crate::archive::checkpoint::{Checkpoint, LedgerSeq};
use crate::archive::path::{ArchivePath, FileKind};
use crate::codec::file::RecordSink;
use crate::codec::hash::{Hash256, sha256};
use crate::codec::record::Record;

/// Bytes of a wrong value that a finding shows.
const PREVIEW: usize = 256;

/// The first checkpoint of public Stellar that has an scp file (S9).
const FIRST_PUBNET_SCP_CHECKPOINT: u32 = 0x0012_867f;

/// Takes the records of one scp file.
#[derive(Debug)]
pub struct ScpCheck<'a> {
    rules: &'a Rules,
    headers: &'a Headers,
    checkpoint: Checkpoint,
    path: ArchivePath,
    last: Option<LedgerSeq>,
    findings: Findings,
}

impl<'a> ScpCheck<'a> {
    /// For the scp file of the headers' checkpoint.
    #[must_use]
    pub fn new(rules: &'a Rules, headers: &'a Headers) -> Self {
        let checkpoint = headers.checkpoint();
        Self {
            rules,
            headers,
            checkpoint,
            path: ArchivePath::of_checkpoint(FileKind::Scp, checkpoint),
            last: None,
            findings: Findings::default(),
        }
    }

    /// What the file turned out to be, once it was delivered.
    #[must_use]
    pub fn finish(self, delivery: Delivery) -> FileReport<()> {
        let missing = delivery == Delivery::Missing;
        let empty = matches!(&delivery, Delivery::Read(Ok(summary)) if summary.records == 0);
        let mut report = FileReport::of(FileKind::Scp, self.checkpoint, delivery, ());
        report.findings.extend(self.findings);
        report.settle_status(self.headers);
        if missing {
            self::as_optional(&mut report, self.rules, self.checkpoint);
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
        // Decoding is strict, so encoding gives the bytes of the file back.
        let limits = Limits { depth: self.rules.budget.xdr_depth, len: self.rules.budget.record_bytes };
        let quorum_sets = entry.quorum_sets.iter().filter_map(|set| set.to_xdr(limits.clone()).ok());
        let quorum_sets: BTreeSet<_> = quorum_sets.map(|bytes| sha256(&[&bytes])).collect();
        for envelope in entry.ledger_messages.messages.iter() {
            self.statement(ledger, &envelope.statement, &quorum_sets, at);
        }
    }

    fn statement(&mut self, ledger: LedgerSeq, statement: &ScpStatement, quorum_sets: &BTreeSet<Hash256>, at: u64) {
        if statement.slot_index != u64::from(ledger.value()) {
            let finding = self.finding(FindingCode::ScpSequence, "a message is of another slot than its entry's ledger");
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(ledger, statement.slot_index));
        }
        let (quorum_set, value) = match &statement.pledges {
            ScpStatementPledges::Prepare(prepare) => (&prepare.quorum_set_hash, Some(&prepare.ballot.value)),
            ScpStatementPledges::Confirm(confirm) => (&confirm.quorum_set_hash, Some(&confirm.ballot.value)),
            ScpStatementPledges::Externalize(externalize) => (&externalize.commit_quorum_set_hash, Some(&externalize.commit.value)),
            ScpStatementPledges::Nominate(nomination) => (&nomination.quorum_set_hash, None),
        };
        let quorum_set = Hash256::new(quorum_set.0);
        // Entries carry the quorum sets of their own messages, in every real file.
        if !quorum_sets.contains(&quorum_set) {
            let finding = self.finding(FindingCode::ScpQsetMissing, "a message names a quorum set that is not in its entry");
            self.findings.push(finding.at_ledger(ledger).at_offset(at).comparing(quorum_set, "no such quorum set"));
        }
        if let (Some(Value(value)), Some(header)) = (value, self.headers.header(ledger)) {
            self.value(header, value.as_slice(), at);
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
    fn record(&mut self, record: Record<'_>) {
        match decode::<ScpHistoryEntry>(record.bytes, self.rules.budget.xdr_depth) {
            Ok(ScpHistoryEntry::V0(entry)) => self.entry(&entry, record.offset),
            Err(error) => {
                let finding = decode_finding(self.path.clone(), "the record is no ScpHistoryEntry", &error);
                self.findings.push(finding.at_checkpoint(self.checkpoint).at_offset(record.offset));
            }
        }
    }
}

/// A missing scp file is a fault only in so far as other archives may have it (S8).
fn as_optional(report: &mut FileReport<()>, rules: &Rules, checkpoint: Checkpoint) {
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
